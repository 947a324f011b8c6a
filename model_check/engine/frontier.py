"""The states of one level, which are kept only until they are expanded."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Ints, Words, widened
from model_check.engine.batch import Chunk


class Frontier:
    """The states of one level in the order of their numbers, `first` being that of the first."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = 0
        self._rows: list[npt.NDArray[np.int32]] = []
        self._fingerprints: list[Words] = []

    def add(self, rows: Ints, fingerprints: Words) -> None:
        """The states come next. Shapes: (n, columns), (n,)."""
        self.size += len(rows)
        self._rows.append(rows.astype(np.int32))
        self._fingerprints.append(fingerprints)

    def chunks(self, size: int, columns: int) -> Iterator[tuple[int, Chunk]]:
        """The number of the first state of each chunk, and the chunk; there is at least one."""
        rows = np.concatenate([widened(rows, columns) for rows in self._rows])
        fingerprints = np.concatenate(self._fingerprints)
        self._rows, self._fingerprints = [], []
        for start in range(0, len(rows), size):
            part = rows[start : start + size].astype(np.int64)
            yield self.first + start, Chunk(part, fingerprints[start : start + size])

"""The states of one level, which are kept only until they are expanded."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Narrow
from model_check.engine.sheets import in_memory
from model_check.engine.spool import Spool

_MOST: Final = (1 << 16) - 1


class Frontier:
    """The states of one level in the order of their numbers, `first` being that of the first."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = 0
        self._pieces: list[npt.NDArray[Any]] = []  # of 16 bits where that is enough

    @property
    def bytes(self) -> int:
        """The memory that the rows take."""
        return in_memory(self._pieces)

    def spill(self, spool: Spool) -> None:
        """The rows are in files."""
        self._pieces = [
            piece if isinstance(piece, np.memmap) else spool.keep(piece) for piece in self._pieces
        ]

    def rows(self, columns: int) -> Narrow:
        """All rows, with that many columns."""
        return joined(self._pieces, columns)

    def add(self, rows: Narrow) -> None:
        """The states come next. Shape: (n, columns)."""
        if len(rows):
            self.size += len(rows)
            self._pieces.append(rows if rows.max() > _MOST else rows.astype(np.uint16))

    def take(self, size: int, columns: int) -> Narrow:
        """The first `size` rows, with that many columns; they are no longer here."""
        taken: list[npt.NDArray[Any]] = []
        room = size
        while self._pieces and room:
            piece = self._pieces[0][:room]
            rest = self._pieces[0][room:]
            self._pieces[:1] = [rest] if len(rest) else []
            taken.append(piece)
            room -= len(piece)
        self.first += size - room
        self.size -= size - room
        return joined(taken, columns)


def joined(pieces: list[npt.NDArray[Any]], columns: int) -> Narrow:
    """The rows in one array of that many columns, with 0 in those that they lack."""
    rows = np.zeros((sum(map(len, pieces)), columns), dtype=np.int32)
    at = 0
    for piece in pieces:
        rows[at : at + len(piece), : piece.shape[1]] = piece
        at += len(piece)
    return rows

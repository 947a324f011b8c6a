"""Where an exploration puts what would take too much memory: files in a folder of its own."""

import os
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import numpy as np
import numpy.typing as npt

_BLOCK: Final = 1 << 20  # numbers that are merged at a time


class Spool:
    """Files that live as long as the exploration; made when the first is needed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._names = count()
        self._files = ExitStack()
        self.written = 0  # bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()
        if self._folder is not None:
            self._folder.cleanup()

    def file(self) -> IO[bytes]:
        """An empty file that is in no folder, so that nothing is left of it, come what may."""
        return self._files.enter_context(tempfile.TemporaryFile(dir=self._parent))

    def keep(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same numbers, read from a file when they are looked at.

        The file is gone from its folder at once; its room is free when the array is.
        """
        if not numbers.size:
            return numbers
        path = self._path()
        numbers.tofile(path)
        self.written += numbers.nbytes
        kept = np.memmap(path, dtype=numbers.dtype, mode="r", shape=numbers.shape)
        path.unlink()
        return kept

    def merge(self, runs: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        """The numbers of all these sorted runs, sorted and each once, in one file."""
        path = self._path()
        total = 0
        with path.open("wb") as file:
            for low, high in _ranges(runs):
                parts = [run[slice(*np.searchsorted(run, (low, high)))] for run in runs]
                merged = np.unique(np.concatenate(parts))
                merged.tofile(file)
                total += len(merged)
        self.written += total * 8
        kept = np.memmap(path, dtype=np.int64, mode="r", shape=(total,))
        path.unlink()
        return kept

    def _path(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="slotproof-", dir=self._parent)
        return Path(self._folder.name) / f"{os.getpid()}-{next(self._names)}"


def _ranges(runs: list[npt.NDArray[np.int64]]) -> list[tuple[int, int]]:
    """Consecutive ranges that cover all fingerprints, few enough of these in each.

    Fingerprints are spread evenly, so the ranges may all be of one size. The greatest number there
    is is never a fingerprint's: it ends the last range.
    """
    pieces = max(1, sum(map(len, runs)) // _BLOCK)
    edges = [-(1 << 63) + (1 << 64) * at // pieces for at in range(pieces)]
    return [*zip(edges, [*edges[1:], (1 << 63) - 1], strict=True)]

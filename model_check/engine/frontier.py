"""The states of one level, which are kept only until they are expanded."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Narrow
from model_check.engine.sheets import in_memory
from model_check.engine.spool import Spool

_MOST: Final = (1 << 16) - 1

Rows = npt.NDArray[Any]
"""Rows of 16 or 32 bits."""


class Frontier:
    """The states of one level in the order of their numbers, `first` being that of the first."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = 0
        self._pieces: list[Rows] = []  # of 16 bits where that is enough

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

    def add(self, rows: Rows) -> None:
        """The states come next; what stands in the array stays. Shape: (n, columns)."""
        if len(rows):
            self.size += len(rows)
            self._pieces.append(rows)

    def take(self, size: int) -> list[Rows]:
        """The first `size` rows, in the pieces in which they came; they are no longer here."""
        taken: list[Rows] = []
        room = size
        while self._pieces and room:
            piece = self._pieces[0][:room]
            rest = self._pieces[0][room:]
            self._pieces[:1] = [rest] if len(rest) else []
            taken.append(piece)
            room -= len(piece)
        self.first += size - room
        self.size -= size - room
        return taken


def narrowed(rows: Narrow) -> Rows:
    """A copy of the rows, of 16 bits where that is enough."""
    return rows.astype(np.int32 if rows.size and rows.max() > _MOST else np.uint16)


def joined(pieces: list[Rows], columns: int) -> Narrow:
    """The rows in one array of that many columns, with 0 in those that they lack."""
    rows: Narrow = np.empty((sum(map(len, pieces)), columns), dtype=np.int32)
    join(pieces, rows)
    return rows


def join(pieces: list[Rows], room: Narrow) -> None:
    """The rows stand in the room, which has as many, with 0 in the columns that they lack."""
    at = 0
    for piece in pieces:
        end, columns = at + len(piece), piece.shape[1]
        room[at:end, :columns] = piece
        room[at:end, columns:] = 0
        at = end

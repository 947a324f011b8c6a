"""The states of one level, which are kept only until they are expanded."""

from collections.abc import Iterator

import numpy as np

from model_check.engine.sheets import Narrow


class Frontier:
    """The states of one level in the order of their numbers, `first` being that of the first."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = 0
        self._pieces: list[Narrow] = []

    @property
    def bytes(self) -> int:
        """The memory that the rows take."""
        return sum(piece.nbytes for piece in self._pieces)

    def add(self, rows: Narrow) -> None:
        """The states come next. Shape: (n, columns)."""
        if len(rows):
            self.size += len(rows)
            self._pieces.append(rows)

    def chunks(self, size: int) -> Iterator[tuple[int, list[Narrow]]]:
        """The number of the first state of each chunk, and its pieces; they are forgotten here."""
        pieces, self._pieces = self._pieces, []
        first = self.first
        waiting: list[Narrow] = []
        room = size
        for at, piece in enumerate(pieces):
            pieces[at] = piece[:0]
            rest = piece
            while len(rest):
                waiting.append(rest[:room])
                rest = rest[room:]
                room -= len(waiting[-1])
                if not room:
                    yield first, waiting
                    first, waiting, room = first + size, [], size
        if waiting:
            yield first, waiting


def joined(pieces: list[Narrow], columns: int) -> Narrow:
    """The rows in one array of that many columns, with 0 in those that they lack."""
    rows = np.zeros((sum(map(len, pieces)), columns), dtype=np.int32)
    at = 0
    for piece in pieces:
        rows[at : at + len(piece), : piece.shape[1]] = piece
        at += len(piece)
    return rows

"""Tables of numbers as the kernels read them: flat, 32 bits each, growing at the end."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Narrow, address_of
from model_check.engine.spool import Spool

_FIRST_CAPACITY = 256


class Sheet:
    """Rows of a fixed number of fields, in one array that doubles when it is full."""

    def __init__(self, width: int = 1) -> None:
        self._width = width
        self._size = 0
        self._take(np.zeros(_FIRST_CAPACITY * width, dtype=np.int32))

    def __len__(self) -> int:
        return self._size

    def append(self, *fields: int) -> int:
        """The row stands at the end; the result is its number."""
        start = self._size * self._width
        if start == len(self._numbers):
            grown: Narrow = np.zeros(2 * len(self._numbers), dtype=np.int32)
            grown[:start] = self._numbers
            self._take(grown)
        self._numbers[start : start + self._width] = fields
        self._size += 1
        return self._size - 1

    def extend(self, numbers: Iterable[int]) -> int:
        """Rows of one field stand at the end; the result is the number of the first."""
        first = self._size
        for number in numbers:
            self.append(number)
        return first

    def get(self, row: int, field: int = 0) -> int:
        """One field of a row."""
        return int(self._numbers[row * self._width + field])

    def set(self, row: int, field: int, number: int) -> None:
        """The field of the row has that number."""
        self._numbers[row * self._width + field] = number

    def _take(self, numbers: Narrow) -> None:
        """The rows are in that array from now on."""
        self._numbers = numbers
        self.address = address_of(numbers)
        """Where the rows are; stale once one is added."""

    def column(self, field: int = 0) -> Narrow:
        """A field of all rows; stale once one is added. Shape: (rows,)."""
        return self._numbers[: self._size * self._width].reshape(-1, self._width)[:, field]


class Tape:
    """Numbers in the order in which they were added: in a file up to some, then in pieces."""

    def __init__(self) -> None:
        self._pieces: list[npt.NDArray[Any]] = []
        self._ends: list[int] = []
        self._file: IO[bytes] | None = None
        self._filed: npt.NDArray[Any] = np.empty(0, dtype=np.int32)  # as they are in the file
        self.bytes = 0
        """The memory that the numbers take."""

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else len(self._filed)

    def extend(self, numbers: npt.NDArray[Any]) -> None:
        """The numbers, all of one type, stand at the end; the tape keeps the very array."""
        if len(numbers):
            self._ends.append(len(self) + len(numbers))
            self._pieces.append(numbers)
            self.bytes += in_memory([numbers])

    def __getitem__(self, at: int) -> int:
        if at < len(self._filed):
            return int(self._filed[at])
        piece = int(np.searchsorted(self._ends, at, side="right"))
        return int(self._pieces[piece][at - self._ends[piece]])

    def spill(self, spool: Spool) -> None:
        """All is in a file."""
        if not self._pieces:
            return
        if self._file is None:
            self._file = spool.file()
        kind, total = self._pieces[0].dtype, len(self)
        for piece in self._pieces:
            piece.tofile(self._file)
        self._file.flush()
        self._pieces, self._ends, self.bytes = [], [], 0
        self._filed = np.memmap(self._file, dtype=kind, mode="r", shape=(total,))

    def whole(self) -> npt.NDArray[Any]:
        """All of it in one array."""
        if not self._pieces:
            return self._filed
        if self._file is not None:
            return np.concatenate((self._filed, *self._pieces))
        if len(self._pieces) > 1:
            together = np.empty(len(self), dtype=self._pieces[0].dtype)
            at = 0
            for piece in self._taken():
                together[at : at + len(piece)] = piece
                at += len(piece)
            self.extend(together)
        return self._pieces[0]

    def _taken(self) -> Iterator[npt.NDArray[Any]]:
        """The pieces, none of which is held on to once the next is asked for."""
        pieces, self._pieces, self._ends, self.bytes = self._pieces[::-1], [], [], 0
        while pieces:
            yield pieces.pop()


def in_memory(pieces: Sequence[npt.NDArray[Any]]) -> int:
    """The bytes of those pieces that are not in a file."""
    return sum(piece.nbytes for piece in pieces if not isinstance(piece, np.memmap))

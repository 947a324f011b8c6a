"""Arrays of numbers as the engine uses them: typed, growing at the end, and cut into ranges."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

UNKNOWN: Final = -1  # not computed yet
NOTHING: Final = -2  # computed, and there is no such thing

_FIRST_CAPACITY = 1024


class Column:
    """Numbers in the order in which they were added, in one array that doubles when it is full."""

    def __init__(self) -> None:
        self._numbers: Ints = np.empty(_FIRST_CAPACITY, dtype=np.int64)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> Ints:
        """The numbers added so far; it may be written to, and is stale once more are added."""
        return self._numbers[: self._size]

    def append(self, number: int) -> None:
        """The number stands at the end."""
        if self._size == len(self._numbers):
            self._reserve(self._size + 1)
        self._numbers[self._size] = number
        self._size += 1

    def extend(self, numbers: Ints | Iterable[int]) -> None:
        """The numbers stand at the end, in this order."""
        added = (
            np.fromiter(numbers, dtype=np.int64) if not isinstance(numbers, np.ndarray) else numbers
        )
        self._reserve(self._size + len(added))
        self._numbers[self._size : self._size + len(added)] = added
        self._size += len(added)

    def _reserve(self, size: int) -> None:
        if size > len(self._numbers):
            grown: Ints = np.empty(max(size, 2 * len(self._numbers)), dtype=np.int64)
            grown[: self._size] = self._numbers[: self._size]
            self._numbers = grown


class Lists:
    """A list of numbers for each of the keys 0, 1, 2 ..., all in one array."""

    def __init__(self) -> None:
        self.items = Column()
        self._starts = Column()
        self._counts = Column()

    def __len__(self) -> int:
        return len(self._starts)

    def append(self, items: Iterable[int]) -> None:
        """The next key has these items."""
        self._starts.append(len(self.items))
        self.items.extend(items)
        self._counts.append(len(self.items) - self._starts.view[-1])

    def expand(self, keys: Ints) -> tuple[Ints, Ints]:
        """For each item of each key: the position of the key in `keys`, the position in `items`."""
        return ranges(*self.bounds(keys))

    def bounds(self, keys: Ints) -> tuple[Ints, Ints]:
        """The position in `items` of the first item of each key, and how many items it has."""
        return self._starts.view[keys], self._counts.view[keys]


def ranges(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """For each number of each range: the position of the range, and the number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) + (starts - before)[owner]


N = TypeVar("N", bound=np.signedinteger[Any])


def widened(rows: npt.NDArray[N], width: int) -> npt.NDArray[N]:
    """The rows, with zeros in the columns that they lack; the same array if they lack none."""
    if rows.shape[1] >= width:
        return rows
    grown = np.zeros((len(rows), width), dtype=rows.dtype)
    grown[:, : rows.shape[1]] = rows
    return grown

"""The one array through which a kernel finds all others."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Wide, address_of
from model_check.engine.layout import (
    ALL_ROWS,
    COLUMN_KINDS,
    COUNT,
    DIRECTORY_SIZE,
    EXACT,
    MISS_KEYS,
    MISS_ROOM,
    MISSES,
    NUMBERED,
    PROCESSES,
    RECORD,
    SIGHT_BITS,
    SIGHT_SPAN,
    SLOT_KEYS,
    SLOT_NUMBERS,
    STATES,
    SYMMETRIES,
    SYMMETRY_TABLE,
)
from model_check.engine.memo import Memo
from model_check.engine.sheets import Sheet

_MISS_ROOM: Final = 1 << 14
_OF_TABLES: Final = np.array(
    [
        *range(PROCESSES, RECORD),
        *range(STATES, MISS_KEYS),
        *range(COLUMN_KINDS, SYMMETRY_TABLE + 1),
        SYMMETRIES,
        SIGHT_BITS,
        SIGHT_SPAN,
        EXACT,
        *range(COUNT, NUMBERED + 1),
        SLOT_KEYS,
        SLOT_NUMBERS,
        ALL_ROWS,
    ]
)


class Directory:
    """Settings, counters and addresses, each at its place of `layout`, with room for misses.

    It holds on to the arrays it points to, but not to sheets, which move when they grow.
    """

    def __init__(self, miss_room: int = _MISS_ROOM) -> None:
        self._numbers: Wide = np.zeros(DIRECTORY_SIZE, dtype=np.int64)
        self._arrays: dict[int, npt.NDArray[Any]] = {}
        self._misses: Wide = np.empty(miss_room, dtype=np.int64)
        self[MISS_ROOM] = miss_room
        self.point(MISS_KEYS, self._misses)
        self.address = address_of(self._numbers)

    def __getitem__(self, at: int) -> int:
        return int(self._numbers[at])

    def __setitem__(self, at: int, number: int) -> None:
        self._numbers[at] = number

    @property
    def numbers(self) -> Wide:
        """The array itself."""
        return self._numbers

    def point(self, at: int, target: npt.NDArray[Any] | Sheet) -> None:
        """The address of the array or sheet stands there."""
        if isinstance(target, Sheet):
            self._numbers[at] = target.address
            return
        if not target.flags.c_contiguous:
            raise ValueError("a kernel takes arrays in one piece")
        self._arrays[at] = target
        self._numbers[at] = address_of(target)

    def forget(self, at: int) -> None:
        """The array is not held on to any more."""
        self._arrays.pop(at, None)

    def copy_tables(self, other: "Directory") -> None:
        """What says where tables are is the same as there."""
        self._numbers[_OF_TABLES] = other.numbers[_OF_TABLES]

    def take_misses(self) -> Wide:
        """The keys that were missing, and the list is empty again."""
        missing = self._misses[: self[MISSES]].copy()
        self[MISSES] = 0
        return missing

    def fill_misses(self, memo: Memo) -> None:
        """What was missing is known now."""
        if self[MISSES]:
            memo.fill(np.unique(self.take_misses()).tolist())
            memo.describe(self._numbers)

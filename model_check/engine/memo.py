"""Functions of two numbers, computed once for each pair and then looked up by the kernels."""

from array import array
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from model_check.engine.arrays import Narrow, Wide, address_of
from model_check.engine.compiling import kernel
from model_check.engine.layout import (
    DIRECTORY_SIZE,
    FIRST_FREE,
    INPUT,
    KEY_BITS,
    KEY_SPREAD,
    MEMO_KEYS,
    MEMO_MASK,
    MEMO_VALUES,
    OUTPUT,
    SIZE,
)

Compute = Callable[[int, int], int]

_FIRST_BITS: Final = 12
_MOST: Final = 1 << KEY_BITS
_FUNCTIONS: Final = 1 << (63 - 2 * KEY_BITS)
_LOW: Final = _MOST - 1
_WORD: Final = (1 << 64) - 1


class Memo:
    """The values of all functions that are remembered, in one open-addressing table.

    A function is a number. What is computed is recorded in order, so that another run of the same
    system can be brought to the very same numbers.
    """

    def __init__(self) -> None:
        self._functions: dict[int, Compute] = {}
        self._free = FIRST_FREE
        self._elsewhere: set[int] = set()
        self._count = 0
        self.computed = array("q")  # the keys, in the order in which they were computed
        self._remember = kernel("remember")
        self._directory: Wide = np.zeros(DIRECTORY_SIZE, dtype=np.int64)
        self._allocate(_FIRST_BITS)

    def __len__(self) -> int:
        return self._count

    def define(self, function: int, compute: Compute, *, kept_elsewhere: bool = False) -> None:
        """The function is computed like this; `kept_elsewhere` if that fills another table."""
        self._functions[function] = compute
        if kept_elsewhere:
            self._elsewhere.add(function)

    def reserve(self, count: int) -> int:
        """The first of so many consecutive functions that nobody else has.

        Raises OverflowError if there are no more.
        """
        first = self._free
        self._free += count
        if self._free > _FUNCTIONS:
            raise OverflowError(f"more than {_FUNCTIONS:,} functions to remember")
        return first

    def value(self, function: int, a: int, b: int) -> int:
        """The value, computed if it is not known."""
        key = key_of(function, a, b)
        if not self._keys[self._place(key)]:
            self.fill([key])
        return int(self._values[self._place(key)])

    def fill(self, keys: Iterable[int]) -> None:
        """The values of all these keys are known. The order decides who gets which number.

        No key may be known before, or come twice.
        """
        functions, elsewhere, note = self._functions, self._elsewhere, self.computed.append
        kept: list[int] = []
        values: list[int] = []
        for key in keys:
            function = key >> (2 * KEY_BITS)
            value = functions[function]((key >> KEY_BITS) & _LOW, key & _LOW)
            note(key)
            if function not in elsewhere:
                kept.append(key)
                values.append(value)
        if kept:
            self._insert(kept, values)

    def describe(self, directory: Wide) -> None:
        """The directory says where the values are."""
        directory[MEMO_KEYS] = self._address_of_keys
        directory[MEMO_VALUES] = self._address_of_values
        directory[MEMO_MASK] = len(self._keys) - 1

    def _place(self, key: int) -> int:
        mask = len(self._keys) - 1
        place = (((key * KEY_SPREAD) & _WORD) >> 30) & mask
        while self._keys[place] not in {0, key}:
            place = (place + 1) & mask
        return place

    def _insert(self, added: list[int], values_added: list[int]) -> None:
        self._count += len(added)
        if 2 * self._count > len(self._keys):
            keys, values = self._keys, self._values
            self._allocate((4 * self._count).bit_length())
            used = np.flatnonzero(keys)
            self._write(keys[used], values[used])
        self._write(np.array(added, dtype=np.int64), np.array(values_added, dtype=np.int32))

    def _write(self, keys: Wide, values: Narrow) -> None:
        self.describe(self._directory)
        self._directory[INPUT] = address_of(keys)
        self._directory[OUTPUT] = address_of(values)
        self._directory[SIZE] = len(keys)
        self._remember(address_of(self._directory))

    def _allocate(self, bits: int) -> None:
        self._keys: Wide = np.zeros(1 << bits, dtype=np.int64)
        self._values: Narrow = np.zeros(1 << bits, dtype=np.int32)
        self._address_of_keys = address_of(self._keys)
        self._address_of_values = address_of(self._values)


class Remembered:
    """One function of a memo."""

    def __init__(self, memo: Memo, function: int, compute: Compute) -> None:
        self._memo = memo
        self._function = function
        memo.define(function, compute)

    def __call__(self, a: int, b: int) -> int:
        """The value, computed if it is not known."""
        return self._memo.value(self._function, a, b)


def key_of(function: int, a: int, b: int) -> int:
    """The key under which the value of the function is remembered.

    Raises OverflowError if a number is too large for it.
    """
    if a >= _MOST or b >= _MOST:
        raise OverflowError(f"more than {_MOST:,} distinct local states, messages or contents")
    return (function << (2 * KEY_BITS)) | (a << KEY_BITS) | b


def function_of(key: int) -> int:
    """The function whose value is remembered under the key."""
    return key >> (2 * KEY_BITS)

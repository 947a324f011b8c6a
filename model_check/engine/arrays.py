"""Arrays of numbers as the engine uses them, and ranges of numbers in arrays."""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

Narrow = npt.NDArray[np.int32]
Wide = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.signedinteger[Any]]
"""Numbers of any width."""


def address_of(numbers: npt.NDArray[Any]) -> int:
    """Where the numbers stand in memory."""
    if not numbers.size or not numbers.flags.writeable:
        return numbers.ctypes.data
    # Many times as fast, and asked often.
    return ctypes.addressof(ctypes.c_char.from_buffer(numbers.data))


def ranges(starts: Ints, counts: Ints) -> tuple[Wide, Wide]:
    """For each number of each range: the position of the range, and the number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    numbers: Wide = np.arange(len(owner)) + (starts - before)[owner]
    return owner, numbers

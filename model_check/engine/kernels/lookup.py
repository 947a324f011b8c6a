"""Looking things up: remembered functions, fingerprints, the table of states."""

from model_check.engine.kernels.native import Array, narrow, part, wide
from model_check.engine.layout import (
    ALL_ROWS,
    EXACT,
    KEY_BITS,
    KEY_SPREAD,
    MEMO_KEYS,
    MEMO_MASK,
    MEMO_VALUES,
    MISS_KEYS,
    MISS_ROOM,
    MISSED,
    MISSES,
    PROCESSES,
    SHARD_BITS,
    SHARDS,
    SLOT_NUMBERS,
    UNKNOWN,
    WIDTH,
)

_COLUMN_SPREAD = -4417276706812531889
_MIX_1 = -4658895280553007687
_MIX_2 = -7723592293110705685

ORIGIN = -2965679474022751917
"""The fingerprint of a state with 0 in every column."""


@part
def key_of(function: int, a: int, b: int) -> int:
    """The key under which the value of the function is remembered."""
    return (function << (2 * KEY_BITS)) | (a << KEY_BITS) | b


@part
def miss(d: Array, function: int, a: int, b: int) -> None:
    """The value is missing: it is listed, and the state at hand is left for later."""
    d[MISSED] = 1
    if d[MISSES] < d[MISS_ROOM]:
        keys = wide(d[MISS_KEYS])
        keys[d[MISSES]] = key_of(function, a, b)
        d[MISSES] += 1


@part
def recall(d: Array, function: int, a: int, b: int) -> int:
    """The value of the function, or UNKNOWN: then it is listed as missing."""
    key = key_of(function, a, b)
    keys = wide(d[MEMO_KEYS])
    mask = d[MEMO_MASK]
    place = ((key * KEY_SPREAD) >> 30) & mask
    while True:
        found = keys[place]
        if found == key:
            return narrow(d[MEMO_VALUES])[place]
        if found == 0:
            miss(d, function, a, b)
            return UNKNOWN
        place = (place + 1) & mask


@part
def word(column: int, value: int) -> int:
    """The pseudo-random word of a value in a column.

    That of 0 is 0 everywhere: a column that comes to be used late changes no fingerprint.
    """
    z = value * KEY_SPREAD + (column + 1) * _COLUMN_SPREAD
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * _MIX_1
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * _MIX_2
    z ^= (z >> 31) & 0x1FFFFFFFF
    return z if value != 0 else 0


@part
def fingerprint(width: int, rows: Array, base: int) -> int:
    """The sum of the words of the row that starts at `base`."""
    total = ORIGIN
    for column in range(width):
        total += word(column, rows[base + column])
    return total


@part
def place_of(print_: int, slots: int) -> int:
    """The first place at which a fingerprint is looked for, in its shard."""
    return (((print_ >> 32) & 0xFFFFFFFF) * slots) >> 32


@part
def shard_of(print_: int) -> int:
    """The shard of the table of states that a fingerprint belongs to."""
    return (print_ >> (64 - SHARD_BITS)) & (SHARDS - 1)


@part
def following(place: int, print_: int, slots: int) -> int:
    """The place at which a fingerprint is looked for next: the shard's first after its last."""
    size = slots >> SHARD_BITS
    end = (shard_of(print_) + 1) * size
    return place + 1 if place + 1 < end else end - size


@part
def same_row(d: Array, number: int, rows: Array, base: int) -> bool:
    """Whether the state of that number has the row that starts at `base`."""
    width = d[WIDTH]
    known = narrow(d[ALL_ROWS])
    first = number * width
    for column in range(width):  # noqa: SIM110  kernels have no generators
        if known[first + column] != rows[base + column]:
            return False
    return True


@part
def find(d: Array, keys: Array, slots: int, print_: int, rows: Array, base: int) -> int:
    """The place of a state in the table of states, or -1 - the free place where it belongs.

    Its row starts at `base`, if it matters.
    """
    place = place_of(print_, slots)
    while True:
        found = keys[place]
        if found == 0:
            return -1 - place
        if found == print_ and (
            d[EXACT] == 0 or same_row(d, narrow(d[SLOT_NUMBERS])[place], rows, base)
        ):
            return place
        place = following(place, print_, slots)


@part
def packed(rows: Array, base: int, classes: Array, bits: int, first: int, end: int) -> int:
    """The classes of these processes' local states in the row at `base`, in one number."""
    number = 0
    for process in range(first, end):
        number = (number << bits) | classes[rows[base + process]]
    return number


@part
def tuple_of(
    d: Array, rows: Array, base: int, classes: Array, function: int, bits: int, span: int
) -> int:
    """What a chain of functions from this one on gives for the row at `base`, or UNKNOWN."""
    processes = d[PROCESSES]
    known = packed(rows, base, classes, bits, 0, min(span, processes))
    start = span
    while True:
        end = min(start + span, processes)
        known = recall(d, function, known, packed(rows, base, classes, bits, start, end))
        if known == UNKNOWN or start + span >= processes:
            return known
        start = end
        function += 1

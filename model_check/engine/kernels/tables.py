"""Kernels that keep tables: of remembered functions, and of states."""

from model_check.engine.kernels.lookup import (
    find,
    fingerprint,
    following,
    place_of,
    shard_of,
    tuple_of,
)
from model_check.engine.kernels.native import Array, fetch, narrow, part, wide
from model_check.engine.layout import (
    ALL_ROWS,
    BITS,
    CLASSES,
    COUNT,
    EXACT,
    FOUND,
    FOUND_CODES,
    FOUND_NUMBERS,
    FOUND_PARENTS,
    FOUND_PRINTS,
    FOUND_ROWS,
    INPUT,
    KEY_SPREAD,
    MEMO_KEYS,
    MEMO_MASK,
    MEMO_VALUES,
    NUMBERED,
    OLD_KEYS,
    OLD_NUMBERS,
    OLD_SLOTS,
    OUTPUT,
    PART_COUNT,
    PARTS,
    POSITION,
    SHARD,
    SHARD_END,
    SIZE,
    SLOT_KEYS,
    SLOT_NUMBERS,
    SLOTS,
    SPAN,
    TABLE,
    UNKNOWN,
    WIDTH,
)

_AHEAD = 12
"""So many fingerprints before it is looked up, a place of the table is fetched."""


def remember(d: Array) -> int:
    """SIZE keys of INPUT have the values of OUTPUT. There must be room for them."""
    keys, values, mask = wide(d[MEMO_KEYS]), narrow(d[MEMO_VALUES]), d[MEMO_MASK]
    new_keys, new_values = wide(d[INPUT]), narrow(d[OUTPUT])
    for at in range(d[SIZE]):
        place = ((new_keys[at] * KEY_SPREAD) >> 30) & mask
        while keys[place] != 0 and keys[place] != new_keys[at]:
            place = (place + 1) & mask
        keys[place] = new_keys[at]
        values[place] = new_values[at]
    return 0


@part
def settle(d: Array, at: int, new: int, number: int) -> None:
    """What was found at `at` comes to stand at `new`, which is not behind it."""
    width, rows = d[WIDTH], narrow(d[FOUND_ROWS])
    parents, codes = narrow(d[FOUND_PARENTS]), narrow(d[FOUND_CODES])
    if new != at:
        for column in range(width):
            rows[new * width + column] = rows[at * width + column]
        parents[new], codes[new] = parents[at], codes[at]
        wide(d[FOUND_PRINTS])[new] = wide(d[FOUND_PRINTS])[at]
    if d[EXACT] != 0:
        known = narrow(d[ALL_ROWS])
        for column in range(width):
            known[number * width + column] = rows[at * width + column]


def absorb(d: Array) -> int:
    """Of the states found by a part, those that are new have the next numbers.

    They come to stand at the front of the arrays of what was found. There must be room for them.
    FOUND_NUMBERS has the number of each that was found; the result is how many are new.
    """
    width, found = d[WIDTH], d[FOUND]
    rows, prints = narrow(d[FOUND_ROWS]), wide(d[FOUND_PRINTS])
    numbers, keys = narrow(d[FOUND_NUMBERS]), wide(d[SLOT_KEYS])
    new = 0
    for at in range(found):
        place = find(d, keys, d[SLOTS], prints[at], rows, at * width)
        if place >= 0:
            numbers[at] = narrow(d[SLOT_NUMBERS])[place] if d[NUMBERED] != 0 else UNKNOWN
            continue
        place = -1 - place
        number = d[COUNT] + new
        keys[place] = prints[at]
        if d[NUMBERED] != 0:
            narrow(d[SLOT_NUMBERS])[place] = number
        numbers[at] = number
        settle(d, at, new, number)
        new += 1
    d[COUNT] += new
    return new


@part
def is_news(keys: Array, slots: int, print_: int) -> bool:
    """Whether the fingerprint was not in the table; it is now."""
    place = place_of(print_, slots)
    while keys[place] != 0:
        if keys[place] == print_:
            return False
        place = following(place, print_, slots)
    keys[place] = print_
    return True


def sift(d: Array) -> int:
    """Of what the parts found, the fingerprints of these shards are known; so many were new.

    FOUND_NUMBERS says of each whether it was, in the order of the parts. There must be room.
    """
    parts, keys, slots = wide(d[PARTS]), wide(d[SLOT_KEYS]), d[SLOTS]
    first, end = d[SHARD], d[SHARD_END]
    new = 0
    for rank in range(d[PART_COUNT]):
        directory = wide(parts[rank])
        prints, news = wide(directory[FOUND_PRINTS]), narrow(directory[FOUND_NUMBERS])
        found = directory[FOUND]
        for at in range(found):
            ahead = prints[min(at + _AHEAD, found - 1)]
            if first <= shard_of(ahead) < end:
                fetch(d[SLOT_KEYS] + 8 * place_of(ahead, slots))
            if first <= shard_of(prints[at]) < end:
                news[at] = is_news(keys, slots, prints[at])
                new += news[at]
    return new


def gather(d: Array) -> int:
    """The states found by a part that are new come to stand at the front; so many they are."""
    news = narrow(d[FOUND_NUMBERS])
    new = 0
    for at in range(d[FOUND]):
        if news[at] != 0:
            settle(d, at, new, 0)
            new += 1
    return new


def resettle(d: Array) -> int:
    """What was in the old table and belongs to these shards is in the new one, empty before."""
    old, keys, slots = wide(d[OLD_KEYS]), wide(d[SLOT_KEYS]), d[SLOTS]
    for at in range(d[OLD_SLOTS]):
        print_ = old[at]
        if print_ == 0 or not d[SHARD] <= shard_of(print_) < d[SHARD_END]:
            continue
        place = place_of(print_, slots)
        while keys[place] != 0:
            place = following(place, print_, slots)
        keys[place] = print_
        if d[NUMBERED] != 0:
            narrow(d[SLOT_NUMBERS])[place] = narrow(d[OLD_NUMBERS])[at]
    return 0


def judge(d: Array) -> int:
    """OUTPUT has what a property's tuple of projections is for each of SIZE rows of INPUT.

    It goes on at POSITION, and stops there at a row for which something is not known.
    """
    rows, values, classes = narrow(d[INPUT]), narrow(d[OUTPUT]), narrow(d[CLASSES])
    width, table, bits, span = d[WIDTH], d[TABLE], d[BITS], d[SPAN]
    for at in range(d[POSITION], d[SIZE]):
        tuple_ = tuple_of(d, rows, at * width, classes, table, bits, span)
        if tuple_ != UNKNOWN:
            values[at] = tuple_
            if d[POSITION] == at:
                d[POSITION] = at + 1
    return 0


def print_rows(d: Array) -> int:
    """OUTPUT has the fingerprint of each of SIZE rows of INPUT."""
    width = d[WIDTH]
    rows, prints = narrow(d[INPUT]), wide(d[OUTPUT])
    for at in range(d[SIZE]):
        print_ = fingerprint(width, rows, at * width)
        prints[at] = print_ if print_ != 0 else 1
    return 0

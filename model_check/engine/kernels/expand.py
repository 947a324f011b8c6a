"""The kernel that expands a part of a level, some states at a time."""

from model_check.engine.kernels.emit import start_from
from model_check.engine.kernels.held import deliver_held, held_column, now_column, resolve
from model_check.engine.kernels.listing import spare_lists
from model_check.engine.kernels.lookup import fingerprint
from model_check.engine.kernels.making import empty_boxes, make_moves
from model_check.engine.kernels.native import Array, narrow, part, wide
from model_check.engine.kernels.offers import offer_all, take_all
from model_check.engine.layout import (
    BLOCK,
    BLOCK_OFFERS,
    BLOCK_SIZE,
    EXACT,
    HELD_LINKS,
    LATER,
    LATER_COUNT,
    LINKS,
    MISSED,
    OFFERS,
    PARENT_PRINT,
    POSITION,
    ROWS,
    ROWS_OFFERED,
    STOP,
    SYMMETRIES,
    WIDTH,
)


@part
def is_listable(d: Array) -> bool:
    """Whether what states lead to can be listed."""
    return d[LINKS] != HELD_LINKS and d[EXACT] == 0 and d[SYMMETRIES] == 0


@part
def position_of(d: Array, rank: int, again: int) -> int:
    """The state of that rank: of those left for later, or of all."""
    return narrow(d[LATER])[rank] if again != 0 else rank


@part
def offer_from(d: Array, position: int) -> None:
    """Every transition from the state is offered, worked out from its row."""
    rows = narrow(d[ROWS])
    base = position * d[WIDTH]
    start_from(d, position)
    if d[LINKS] != HELD_LINKS:
        make_moves(d, position)
        empty_boxes(d, position)
        return
    now = rows[base + now_column(d)]
    if now != 0:
        resolve(d, position, now)
        return
    make_moves(d, position)
    deliver_held(d, position, rows[base + held_column(d)])


@part
def take_in_hand(d: Array, position: int, at: int) -> None:
    """The state is one of the block, with all that it offers."""
    block = wide(d[BLOCK])
    d[PARENT_PRINT] = fingerprint(d[WIDTH], narrow(d[ROWS]), position * d[WIDTH])
    d[MISSED] = 0
    if is_listable(d):
        offer_all(d, position)
    else:
        offer_from(d, position)
    block[2 * at], block[2 * at + 1] = d[OFFERS], d[MISSED]


@part
def attempt(d: Array, position: int, at: int) -> None:
    """The state in hand is expanded; if it can't be, it is put down for later."""
    block = wide(d[BLOCK])
    first = block[2 * at - 2] if at > 0 else 0
    if block[2 * at + 1] != 0 or not take_all(d, position, first, block[2 * at]):
        narrow(d[LATER])[d[LATER_COUNT]] = position
        d[LATER_COUNT] += 1


@part
def expand_some(d: Array, rank: int, end: int, again: int) -> int:
    """Some states from that rank on are expanded; the result is how many."""
    spare_lists(d)
    d[OFFERS], d[ROWS_OFFERED] = 0, 0
    count = 0
    while count < BLOCK_SIZE and rank + count < end and d[OFFERS] < BLOCK_OFFERS:
        take_in_hand(d, position_of(d, rank + count, again), count)
        count += 1
    for at in range(count):
        attempt(d, position_of(d, rank + at, again), at)
    return count


def expand(d: Array) -> int:
    """The states up to STOP are expanded, as far as tables and room allow.

    LATER has those that are not, in their order: something was missing for them. It had those of
    them that come before POSITION. What is listed as missing does not depend on how much room
    there is.
    """
    waiting, d[LATER_COUNT] = d[LATER_COUNT], 0
    rank = 0
    while rank < waiting:
        rank += expand_some(d, rank, waiting, 1)
    while d[POSITION] < d[STOP]:
        d[POSITION] += expand_some(d, d[POSITION], d[STOP], 0)
    return 0

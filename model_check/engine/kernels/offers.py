"""States in hand: first what each of them leads to, then which of that is new.

What a state leads to is put down as a fingerprint and what is listed, and the place of the table
of states where it would be is on its way to the cache. It is looked up when the same has been done
for some more states: so hardly anything waits for memory.
"""

from model_check.engine.codes import KIND_BITS
from model_check.engine.kernels.boxes import break_channel, deliver
from model_check.engine.kernels.emit import (
    copy_row,
    found_before,
    jot,
    keep,
    record,
    start_from,
)
from model_check.engine.kernels.listing import list_of
from model_check.engine.kernels.lookup import find, place_of
from model_check.engine.kernels.making import deliver_all, make_listed_moves, make_move
from model_check.engine.kernels.moves import choice_of, choices, chosen, look_around
from model_check.engine.kernels.native import Array, fetch, narrow, part, wide
from model_check.engine.layout import (
    ALL_BREAKS,
    ALL_MOVES,
    ALL_WAYS,
    ANY_MOVE,
    BOX_RECEIVERS,
    BOXES,
    BREAK_COST,
    CLOSED,
    FIRST_BOX,
    FOUND,
    FOUND_ROWS,
    LISTED_AFTER,
    LISTED_CODE,
    LISTED_COLUMN,
    LISTED_DELTAS,
    LISTED_KIND,
    LISTED_PROCESS,
    LISTED_REST,
    LISTED_WIDTH,
    LISTS,
    OF_BOX,
    OF_SENDING,
    OF_STATE,
    OFFER_PRINTS,
    OFFER_REFS,
    OFFERS,
    OPEN_MOVE,
    PARENT_PRINT,
    PROCESSES,
    RECENT,
    RECENT_ROOM,
    ROWS,
    SCRATCH,
    SENDING,
    SLOT_KEYS,
    SLOTS,
    STATE_COUNT,
    STATE_WIDTH,
    STATES,
    WATCHERS,
    WIDTH,
)


@part
def offer(d: Array, ref: int, operand: int, print_: int) -> None:
    """The state offers one more: what is listed there, or something of that kind."""
    at = d[OFFERS]
    refs = narrow(d[OFFER_REFS])
    refs[2 * at], refs[2 * at + 1] = ref, operand
    wide(d[OFFER_PRINTS])[at] = print_
    d[OFFERS] = at + 1
    fetch(d[SLOT_KEYS] + 8 * place_of(print_, d[SLOTS]))


@part
def offer_list(d: Array, list_: int) -> None:
    """The state offers all that is listed."""
    refs, prints, deltas = narrow(d[OFFER_REFS]), wide(d[OFFER_PRINTS]), wide(d[LISTED_DELTAS])
    keys, slots, before, offers = d[SLOT_KEYS], d[SLOTS], d[PARENT_PRINT], d[OFFERS]
    first = list_ & 0xFFFFFFFF
    count, recent = list_ >> 32, d[RECENT]
    for rank in range(count):
        print_ = before + deltas[first + rank]
        refs[2 * (offers + rank)], prints[offers + rank] = first + rank, print_
        fetch(keys + 8 * place_of(print_, slots))
        fetch(recent + 4 * (print_ & (RECENT_ROOM - 1)))
    d[OFFERS] = offers + count


@part
def offer_moves(d: Array, base: int, list_: int) -> None:
    """The state, whose row is at `base`, offers all moves that are listed."""
    first = list_ & 0xFFFFFFFF
    lists, deltas = narrow(d[LISTS]), wide(d[LISTED_DELTAS])
    for at in range(first, first + (list_ >> 32)):
        row = at * LISTED_WIDTH
        if lists[row + LISTED_KIND] != SENDING:
            offer(d, at, 0, d[PARENT_PRINT] + deltas[at])
            continue
        move = lists[row + LISTED_CODE] >> KIND_BITS
        content = narrow(d[ROWS])[base + lists[row + LISTED_COLUMN]]
        sending = list_of(d, OF_SENDING, move, content)
        if sending >= 0:
            offer_list(d, sending)
        else:
            offer(d, ANY_MOVE, move, d[PARENT_PRINT])


@part
def offer_choices(d: Array, position: int) -> None:
    """The state offers what watchers may do besides."""
    if look_around(d, position):
        for watcher in range(d[WATCHERS]):
            choice = choice_of(d, position, watcher)
            if choice >= 0:
                for rank in range(choices(d, choice)):
                    offer(d, ANY_MOVE, chosen(d, choice, rank), d[PARENT_PRINT])


@part
def offer_all(d: Array, position: int) -> None:
    """All that the state offers, in the order in which it is to be found."""
    rows, receivers, states = narrow(d[ROWS]), narrow(d[BOX_RECEIVERS]), narrow(d[STATES])
    base = position * d[WIDTH]
    for process in range(d[PROCESSES]):
        state = rows[base + process]
        if states[state * STATE_WIDTH + STATE_COUNT] == 0:
            continue
        moves = list_of(d, OF_STATE, state, 0)
        if moves >= 0:
            offer_moves(d, base, moves)
        else:
            offer(d, ALL_MOVES, state, d[PARENT_PRINT])
    offer_choices(d, position)
    for box in range(d[BOXES]):
        column = d[FIRST_BOX] + box
        content = rows[base + column]
        if content == 0:
            continue
        ways = list_of(d, OF_BOX + box, rows[base + receivers[box]], content)
        if ways >= 0:
            offer_list(d, ways)
        else:
            offer(d, ALL_WAYS, column, d[PARENT_PRINT])
        if d[BREAK_COST] != 0:
            offer(d, ALL_BREAKS, column, d[PARENT_PRINT])


@part
def find_closed(d: Array, position: int, listed: int, print_: int) -> int:
    """-1 - where the state stands among those found that a closed transition leads to."""
    at = found_before(d, position, print_)
    if at >= 0:
        return -1 - at
    lists, row = narrow(d[LISTS]), listed * LISTED_WIDTH
    at = d[FOUND]
    if keep(d, position, lists[row + LISTED_CODE], print_):
        width, rows = d[WIDTH], narrow(d[FOUND_ROWS])
        copy_row(d, at, narrow(d[ROWS]), position * width)
        rows[at * width + lists[row + LISTED_PROCESS]] = lists[row + LISTED_AFTER]
        rows[at * width + lists[row + LISTED_COLUMN]] = lists[row + LISTED_REST]
    return -1 - at


@part
def take_open(d: Array, position: int, ref: int, operand: int) -> None:
    """Transitions are made that have to be worked out."""
    start_from(d, position)
    if ref == ANY_MOVE:
        make_move(d, position, operand)
    elif ref == ALL_MOVES:
        make_listed_moves(d, position, operand)
    elif ref == ALL_WAYS:
        deliver_all(d, position, operand)
    elif ref == ALL_BREAKS:
        break_channel(d, position, operand)
    else:
        lists, row = narrow(d[LISTS]), ref * LISTED_WIDTH
        if lists[row + LISTED_KIND] == OPEN_MOVE:
            make_move(d, position, lists[row + LISTED_CODE] >> KIND_BITS)
        else:
            deliver(d, position, lists[row + LISTED_COLUMN], lists[row + LISTED_REST])


@part
def take_all(d: Array, position: int, first: int, end: int) -> None:
    """All transitions of the state are made, those offered from `first` to before `end`."""
    refs, prints, lists = narrow(d[OFFER_REFS]), wide(d[OFFER_PRINTS]), narrow(d[LISTS])
    for at in range(first, end):
        ref, print_ = refs[2 * at], prints[at]
        if ref < 0 or lists[ref * LISTED_WIDTH + LISTED_KIND] != CLOSED:
            take_open(d, position, ref, refs[2 * at + 1])
            continue
        code = lists[ref * LISTED_WIDTH + LISTED_CODE]
        jot(d, code)
        if print_ == 0:
            print_ = 1
        place = find(d, print_, narrow(d[SCRATCH]), 0)
        if place < 0:
            place = find_closed(d, position, ref, print_)
        record(d, position, code, place)

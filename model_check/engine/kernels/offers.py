"""What states in hand lead to, as it is listed or else worked out; then what of it is new."""

from model_check.engine.codes import KIND_BITS
from model_check.engine.kernels.boxes import break_channel, deliver
from model_check.engine.kernels.emit import (
    found_before,
    has_room_for,
    keep,
    offer,
    record,
    start_from,
    tally,
)
from model_check.engine.kernels.listing import (
    count_of,
    first_of,
    is_all_closed,
    list_of,
)
from model_check.engine.kernels.lookup import find, place_of
from model_check.engine.kernels.making import (
    deliver_all,
    make_choices,
    make_listed_moves,
    make_move,
)
from model_check.engine.kernels.native import Array, fetch, narrow, part, wide
from model_check.engine.layout import (
    BOX_RECEIVERS,
    BOXES,
    BREAK_COST,
    CLOSED,
    FIRST_BOX,
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
    OFFER_ROWS,
    OFFERS,
    OPEN_MOVE,
    PARENT_PRINT,
    PROCESSES,
    RECENT,
    RECENT_ROOM,
    ROWS,
    SENDING,
    SLOT_KEYS,
    SLOTS,
    STATE_COUNT,
    STATE_WIDTH,
    STATES,
    TRANSITIONS,
    WIDTH,
)


@part
def offer_closed(d: Array, list_: int) -> None:
    """The state offers all that is listed, and all of it is closed."""
    refs, prints, deltas = narrow(d[OFFER_REFS]), wide(d[OFFER_PRINTS]), wide(d[LISTED_DELTAS])
    keys, slots, before, offers = d[SLOT_KEYS], d[SLOTS], d[PARENT_PRINT], d[OFFERS]
    first, count, recent = first_of(list_), count_of(list_), d[RECENT]
    for rank in range(count):
        print_ = before + deltas[first + rank]
        refs[2 * (offers + rank)], prints[offers + rank] = first + rank, print_
        fetch(keys + 8 * place_of(print_, slots))
        fetch(recent + 4 * (print_ & (RECENT_ROOM - 1)))
    d[OFFERS] = offers + count


@part
def offer_listed(d: Array, position: int, at: int) -> None:
    """The state offers what is listed there."""
    lists, row = narrow(d[LISTS]), at * LISTED_WIDTH
    kind, code = lists[row + LISTED_KIND], lists[row + LISTED_CODE]
    if kind == CLOSED:
        offer(d, at, 0, d[PARENT_PRINT] + wide(d[LISTED_DELTAS])[at])
    elif kind == SENDING:
        move = code >> KIND_BITS
        content = narrow(d[ROWS])[position * d[WIDTH] + lists[row + LISTED_COLUMN]]
        sending = list_of(d, OF_SENDING, move, content)
        if sending >= 0:
            offer_closed(d, sending)
        else:
            make_move(d, position, move)
    elif kind == OPEN_MOVE:
        make_move(d, position, code >> KIND_BITS)
    else:
        deliver(d, position, lists[row + LISTED_COLUMN], lists[row + LISTED_REST])


@part
def offer_list(d: Array, position: int, list_: int) -> None:
    """The state offers all that is listed."""
    if is_all_closed(list_):
        offer_closed(d, list_)
        return
    for at in range(first_of(list_), first_of(list_) + count_of(list_)):
        offer_listed(d, position, at)


@part
def offer_all(d: Array, position: int) -> None:
    """All that the state offers, in the order in which it is to be found."""
    rows, receivers, states = narrow(d[ROWS]), narrow(d[BOX_RECEIVERS]), narrow(d[STATES])
    base = position * d[WIDTH]
    start_from(d, position)
    for process in range(d[PROCESSES]):
        state = rows[base + process]
        if states[state * STATE_WIDTH + STATE_COUNT] == 0:
            continue
        moves = list_of(d, OF_STATE, state, 0)
        if moves >= 0:
            offer_list(d, position, moves)
        else:
            make_listed_moves(d, position, state)
    make_choices(d, position)
    for box in range(d[BOXES]):
        column = d[FIRST_BOX] + box
        content = rows[base + column]
        if content == 0:
            continue
        ways = list_of(d, OF_BOX + box, rows[base + receivers[box]], content)
        if ways >= 0:
            offer_list(d, position, ways)
        else:
            deliver_all(d, position, column)
        if d[BREAK_COST] != 0:
            break_channel(d, position, column)


@part
def keep_closed(d: Array, position: int, ref: int, print_: int) -> int:
    """A state is found by a closed transition; the result is where it stands."""
    lists, row, width = narrow(d[LISTS]), ref * LISTED_WIDTH, d[WIDTH]
    code = lists[row + LISTED_CODE]
    at = keep(d, position, code, print_, narrow(d[ROWS]), position * width)
    found = narrow(d[FOUND_ROWS])
    found[at * width + lists[row + LISTED_PROCESS]] = lists[row + LISTED_AFTER]
    found[at * width + lists[row + LISTED_COLUMN]] = lists[row + LISTED_REST]
    return at


@part
def take_all(d: Array, position: int, first: int, end: int) -> bool:
    """All transitions of the state are made, those offered from `first` to before `end`.

    False if there is no room; then none is.
    """
    if not has_room_for(d, end - first):
        return False
    refs, prints, lists = narrow(d[OFFER_REFS]), wide(d[OFFER_PRINTS]), narrow(d[LISTS])
    rows, keys, slots, width = narrow(d[OFFER_ROWS]), wide(d[SLOT_KEYS]), d[SLOTS], d[WIDTH]
    for offered in range(first, end):
        ref, code, print_ = refs[2 * offered], refs[2 * offered + 1], prints[offered]
        base = (-1 - ref) * width
        if ref >= 0:
            code = lists[ref * LISTED_WIDTH + LISTED_CODE]
        if print_ == 0:
            print_ = 1
        tally(d, code)
        place = find(d, keys, slots, print_, rows, base)
        if place < 0:
            at = found_before(d, print_, rows, base)
            if at < 0 and ref >= 0:
                at = keep_closed(d, position, ref, print_)
            elif at < 0:
                at = keep(d, position, code, print_, rows, base)
            place = -1 - at
        record(d, position, code, place)
    d[TRANSITIONS] += end - first
    return True

"""Transitions listed once for a local state, or a box with its receiver, not worked out anew.

Most transitions change one process and at most one box. What they lead to is known from the local
state and the content alone, and so is by how much the fingerprint changes: no row need be written
to see that a state is known already, as most are.
"""

from model_check.engine.codes import DELIVER_HELD, KIND_BITS, LOSE, LOSE_HELD, MOVE
from model_check.engine.kernels.boxes import is_down, is_idle
from model_check.engine.kernels.lookup import key_of, recall, word
from model_check.engine.kernels.moves import first_move, listed, outcome, reaction
from model_check.engine.kernels.native import Array, narrow, part, wide
from model_check.engine.layout import (
    APPEND,
    BATCH_FIRST_PARCEL,
    BATCH_PARCELS,
    BATCH_WIDTH,
    BATCHES,
    BOUND_HIT,
    BOX_RECEIVERS,
    CAPACITY,
    CLEARED,
    CLOSED,
    CONTENT_FIRST_WAY,
    CONTENT_WAYS,
    CONTENT_WIDTH,
    CONTENTS,
    ENVELOPE_ARRIVAL,
    ENVELOPE_WIDTH,
    ENVELOPES,
    FIRST_BOX,
    KEY_SPREAD,
    LIST_HEADS,
    LIST_PLACES,
    LIST_ROOM,
    LISTED,
    LISTED_AFTER,
    LISTED_CODE,
    LISTED_COLUMN,
    LISTED_DELTAS,
    LISTED_KIND,
    LISTED_PROCESS,
    LISTED_REST,
    LISTED_WIDTH,
    LISTS,
    LOSSY,
    MOVE_COST,
    MOVE_STATE,
    MOVE_STEP,
    MOVE_WIDTH,
    MOVES,
    NOTHING,
    OF_BOX,
    OF_SENDING,
    OF_STATE,
    OPEN_MOVE,
    OPEN_WAY,
    PARCEL_BOX,
    PARCEL_NUMBER,
    PARCEL_WIDTH,
    PARCELS,
    SENDING,
    STATE_COUNT,
    STATE_PROCESS,
    STATE_WIDTH,
    STATES,
    STEP_AFTER,
    STEP_BATCH,
    STEP_REFUTED,
    STEP_WIDTH,
    STEPS,
    UNKNOWN,
    WAY_ENVELOPE,
    WAY_KIND,
    WAY_REST,
    WAY_WIDTH,
    WAYS,
)

_SOME_OPEN = 1 << 31
"""In the number of a list: beside where it starts, and how many there are from bit 32 on."""


@part
def append(d: Array, kind: int, code: int, process: int, after: int) -> int:
    """One more transition is listed; the result is where its fields are."""
    row = d[LISTED] * LISTED_WIDTH
    lists = narrow(d[LISTS])
    lists[row + LISTED_KIND], lists[row + LISTED_CODE] = kind, code
    lists[row + LISTED_PROCESS], lists[row + LISTED_AFTER] = process, after
    lists[row + LISTED_COLUMN], lists[row + LISTED_REST] = process, after
    wide(d[LISTED_DELTAS])[d[LISTED]] = 0
    d[LISTED] += 1
    return row


@part
def append_closed(d: Array, code: int, process: int, state: int, after: int) -> int:
    """One more transition is listed, that changes the process and, so far, nothing else."""
    row = append(d, CLOSED, code, process, after)
    wide(d[LISTED_DELTAS])[d[LISTED] - 1] = word(process, after) - word(process, state)
    return row


@part
def change_box(d: Array, row: int, column: int, content: int, rest: int) -> None:
    """The transition listed last changes the box in the column, too."""
    lists, deltas = narrow(d[LISTS]), wide(d[LISTED_DELTAS])
    lists[row + LISTED_COLUMN], lists[row + LISTED_REST] = column, rest
    deltas[d[LISTED] - 1] += word(column, rest) - word(column, content)


@part
def is_plain(d: Array, step: int) -> bool:
    """Whether the step changes nothing but its process and what it sends, and refutes nothing."""
    steps = narrow(d[STEPS])
    if steps[step * STEP_WIDTH + STEP_REFUTED] != 0:
        return False
    return d[CLEARED] == 0 or not is_down(d, steps[step * STEP_WIDTH + STEP_AFTER])


@part
def parcels_of(d: Array, step: int) -> int:
    """How many boxes the step puts something into."""
    batch = narrow(d[STEPS])[step * STEP_WIDTH + STEP_BATCH]
    return narrow(d[BATCHES])[batch * BATCH_WIDTH + BATCH_PARCELS]


@part
def list_move(d: Array, state: int, move: int) -> bool:
    """What the move leads to is listed, if it is a transition; False if it is not known."""
    process = narrow(d[STATES])[state * STATE_WIDTH + STATE_PROCESS]
    code = (move << KIND_BITS) | MOVE
    if narrow(d[MOVES])[move * MOVE_WIDTH + MOVE_COST] != 0:
        append(d, OPEN_MOVE, code, process, state)
        return True
    step = outcome(d, move)
    if step == UNKNOWN:
        return False
    if step == NOTHING:
        return True
    steps, batches, parcels = narrow(d[STEPS]), narrow(d[BATCHES]), narrow(d[PARCELS])
    after, count = steps[step * STEP_WIDTH + STEP_AFTER], parcels_of(d, step)
    if count == 0 and is_plain(d, step):
        if after != state:
            append_closed(d, code, process, state, after)
    elif count == 1 and d[CAPACITY] == 0 and d[CLEARED] == 0 and is_plain(d, step):
        row = append(d, SENDING, code, process, after)
        batch = steps[step * STEP_WIDTH + STEP_BATCH]
        parcel = batches[batch * BATCH_WIDTH + BATCH_FIRST_PARCEL] * PARCEL_WIDTH
        column = d[FIRST_BOX] + parcels[parcel + PARCEL_BOX]
        narrow(d[LISTS])[row + LISTED_COLUMN] = column
        narrow(d[LISTS])[row + LISTED_REST] = parcels[parcel + PARCEL_NUMBER]
    else:
        append(d, OPEN_MOVE, code, process, after)
    return True


@part
def list_moves(d: Array, state: int) -> bool:
    """What the moves of the local state lead to is listed; False if it can't be."""
    count, first = listed(d, state), first_move(d, state)
    if narrow(d[STATES])[state * STATE_WIDTH + STATE_COUNT] == UNKNOWN:
        return False
    if d[LISTED] + count > LIST_ROOM:
        return False
    known = True
    for move in range(first, first + count):
        known = list_move(d, state, move) and known
    return known


@part
def list_sending(d: Array, move: int, content: int) -> bool:
    """What a move leads to that puts a parcel into a box with this content; False if it can't."""
    state = narrow(d[MOVES])[move * MOVE_WIDTH + MOVE_STATE]
    step = narrow(d[MOVES])[move * MOVE_WIDTH + MOVE_STEP]
    steps, batches, parcels = narrow(d[STEPS]), narrow(d[BATCHES]), narrow(d[PARCELS])
    after = steps[step * STEP_WIDTH + STEP_AFTER]
    batch = steps[step * STEP_WIDTH + STEP_BATCH]
    parcel = batches[batch * BATCH_WIDTH + BATCH_FIRST_PARCEL] * PARCEL_WIDTH
    rest = recall(d, APPEND, content, parcels[parcel + PARCEL_NUMBER])
    if rest == UNKNOWN or d[LISTED] == LIST_ROOM:
        return False
    if rest == NOTHING:
        d[BOUND_HIT] = 1
    elif rest != content or after != state:
        process = narrow(d[STATES])[state * STATE_WIDTH + STATE_PROCESS]
        row = append_closed(d, (move << KIND_BITS) | MOVE, process, state, after)
        change_box(d, row, d[FIRST_BOX] + parcels[parcel + PARCEL_BOX], content, rest)
    return True


@part
def list_way(d: Array, box: int, state: int, content: int, way: int) -> bool:
    """What the way leads to is listed, if it is a transition; False if it is not known."""
    ways, envelopes = narrow(d[WAYS]), narrow(d[ENVELOPES])
    kind, envelope, rest = ways[way + WAY_KIND], ways[way + WAY_ENVELOPE], ways[way + WAY_REST]
    process, column = narrow(d[BOX_RECEIVERS])[box], d[FIRST_BOX] + box
    step = NOTHING
    if kind != LOSE:
        step = reaction(d, state, envelopes[envelope * ENVELOPE_WIDTH + ENVELOPE_ARRIVAL])
    if step == UNKNOWN:
        return False
    if kind == LOSE or (step == NOTHING and d[LOSSY] == 0):
        lost = LOSE_HELD if kind == DELIVER_HELD else LOSE
        if rest != content:
            row = append_closed(d, (envelope << KIND_BITS) | lost, process, state, state)
            change_box(d, row, column, content, rest)
    elif step >= 0 and not (rest == content and is_idle(d, step)):
        after = narrow(d[STEPS])[step * STEP_WIDTH + STEP_AFTER]
        code = (envelope << KIND_BITS) | kind
        if parcels_of(d, step) != 0 or not is_plain(d, step):
            row = append(d, OPEN_WAY, code, process, after)
            narrow(d[LISTS])[row + LISTED_COLUMN] = column
            narrow(d[LISTS])[row + LISTED_REST] = way
        elif after != state or rest != content:
            row = append_closed(d, code, process, state, after)
            change_box(d, row, column, content, rest)
    return True


@part
def list_ways(d: Array, box: int, state: int, content: int) -> bool:
    """What can come out of the box is listed; False if it can't be."""
    contents = narrow(d[CONTENTS])
    row = content * CONTENT_WIDTH
    if d[LISTED] + contents[row + CONTENT_WAYS] > LIST_ROOM:
        return False
    known = True
    for rank in range(contents[row + CONTENT_WAYS]):
        way = (contents[row + CONTENT_FIRST_WAY] + rank) * WAY_WIDTH
        known = list_way(d, box, state, content, way) and known
    return known


@part
def make_list(d: Array, function: int, a: int, b: int) -> bool:
    """What belongs to the key is listed at the end; False if something is missing."""
    if function == OF_STATE:
        return list_moves(d, a)
    if function == OF_SENDING:
        return list_sending(d, a, b)
    return list_ways(d, function - OF_BOX, a, b)


@part
def first_of(list_: int) -> int:
    """Where the list starts."""
    return list_ & 0x7FFFFFFF


@part
def count_of(list_: int) -> int:
    """How many transitions are in the list."""
    return (list_ >> 32) & 0x7FFFFFFF


@part
def is_all_closed(list_: int) -> bool:
    """Whether none of the list has to be worked out in each state."""
    return list_ & _SOME_OPEN == 0


@part
def list_between(d: Array, first: int, end: int) -> int:
    """The list of what stands from `first` to before `end`, as one number."""
    lists, open_ = narrow(d[LISTS]), 0
    for at in range(first, end):
        if lists[at * LISTED_WIDTH + LISTED_KIND] != CLOSED:
            open_ = _SOME_OPEN
    return first | ((end - first) << 32) | open_


@part
def list_of(d: Array, function: int, a: int, b: int) -> int:
    """The list with this key, as one number; -1 if it can't be made."""
    key = key_of(function, a, b)
    heads = wide(d[LIST_HEADS])
    head = 2 * (((key * KEY_SPREAD) >> 30) & (LIST_PLACES - 1))
    if heads[head] == key:
        return heads[head + 1]
    first = d[LISTED]
    if not make_list(d, function, a, b):
        d[LISTED] = first
        return -1
    heads[head] = key
    heads[head + 1] = list_between(d, first, d[LISTED])
    return heads[head + 1]


@part
def spare_lists(d: Array) -> None:
    """There is room for more lists; if need be, all that there are are forgotten."""
    if 2 * d[LISTED] > LIST_ROOM:
        heads = wide(d[LIST_HEADS])
        for place in range(LIST_PLACES):
            heads[2 * place] = 0
        d[LISTED] = 0

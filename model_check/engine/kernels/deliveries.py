"""Deliveries from boxes, listed once for each local state and content instead of worked out anew.

Most deliveries change the receiver and the box it takes from, and nothing else. What they lead to
is known from these two alone, and so is by how much the fingerprint changes: the row need not be
written to see that its state is known already, as most are.
"""

from model_check.engine.codes import DELIVER_HELD, KIND_BITS, LOSE, LOSE_HELD
from model_check.engine.kernels.boxes import break_channel, deliver, is_down, is_idle
from model_check.engine.kernels.emit import jot, reach, undo
from model_check.engine.kernels.lookup import key_of, place_of, word
from model_check.engine.kernels.moves import reaction
from model_check.engine.kernels.native import Array, fetch, narrow, part, wide
from model_check.engine.layout import (
    BATCH_PARCELS,
    BATCH_WIDTH,
    BATCHES,
    BOX_LISTS,
    BOX_RECEIVERS,
    BOXES,
    BREAK_COST,
    CLEARED,
    CONTENT_FIRST_WAY,
    CONTENT_WAYS,
    CONTENT_WIDTH,
    CONTENTS,
    ENVELOPE_ARRIVAL,
    ENVELOPE_WIDTH,
    ENVELOPES,
    EXACT,
    FIRST_BOX,
    KEY_SPREAD,
    LIST_COUNTS,
    LIST_FIRSTS,
    LIST_KEYS,
    LIST_PLACES,
    LIST_ROOM,
    LISTED,
    LISTED_AFTER,
    LISTED_CODE,
    LISTED_DELTAS,
    LISTED_REST,
    LISTED_WAY,
    LISTED_WIDTH,
    LISTS,
    LOSSY,
    NOTHING,
    PARENT_PRINT,
    ROWS,
    SCRATCH,
    SLOT_KEYS,
    SLOTS,
    STEP_AFTER,
    STEP_BATCH,
    STEP_REFUTED,
    STEP_WIDTH,
    STEPS,
    SYMMETRIES,
    UNKNOWN,
    WAY_ENVELOPE,
    WAY_KIND,
    WAY_REST,
    WAY_WIDTH,
    WAYS,
    WIDTH,
)


@part
def is_closed(d: Array, step: int) -> bool:
    """Whether the step of a delivery changes nothing but its process, and refutes nothing."""
    steps = narrow(d[STEPS])
    batch = steps[step * STEP_WIDTH + STEP_BATCH]
    if narrow(d[BATCHES])[batch * BATCH_WIDTH + BATCH_PARCELS] != 0:
        return False
    if steps[step * STEP_WIDTH + STEP_REFUTED] != 0:
        return False
    return d[CLEARED] == 0 or not is_down(d, steps[step * STEP_WIDTH + STEP_AFTER])


@part
def append(d: Array, code: int, after: int, rest: int, way: int) -> None:
    """One more delivery is listed; a way below 0 says that it is closed."""
    row = d[LISTED] * LISTED_WIDTH
    listed = narrow(d[LISTS])
    listed[row + LISTED_CODE], listed[row + LISTED_AFTER] = code, after
    listed[row + LISTED_REST], listed[row + LISTED_WAY] = rest, way
    d[LISTED] += 1


@part
def list_way(d: Array, state: int, content: int, way: int) -> bool:
    """What the way leads to is listed, if it is a transition; False if it is not known."""
    ways, envelopes = narrow(d[WAYS]), narrow(d[ENVELOPES])
    kind, envelope, rest = ways[way + WAY_KIND], ways[way + WAY_ENVELOPE], ways[way + WAY_REST]
    step = NOTHING
    if kind != LOSE:
        step = reaction(d, state, envelopes[envelope * ENVELOPE_WIDTH + ENVELOPE_ARRIVAL])
    if step == UNKNOWN:
        return False
    if kind == LOSE or (step == NOTHING and d[LOSSY] == 0):
        lost = LOSE_HELD if kind == DELIVER_HELD else LOSE
        if rest != content:
            append(d, (envelope << KIND_BITS) | lost, state, rest, -1)
    elif step >= 0 and not (rest == content and is_idle(d, step)):
        after = narrow(d[STEPS])[step * STEP_WIDTH + STEP_AFTER]
        if not is_closed(d, step):
            append(d, (envelope << KIND_BITS) | kind, after, rest, way)
        elif after != state or rest != content:
            append(d, (envelope << KIND_BITS) | kind, after, rest, -1)
    return True


@part
def make_list(d: Array, box: int, state: int, content: int, place: int) -> bool:
    """The list at `place` has the deliveries from the box to the state; False if it can't."""
    contents, listed = narrow(d[CONTENTS]), narrow(d[LISTS])
    row = content * CONTENT_WIDTH
    first = d[LISTED]
    if first + contents[row + CONTENT_WAYS] > LIST_ROOM:
        return False
    for rank in range(contents[row + CONTENT_WAYS]):
        if not list_way(d, state, content, (contents[row + CONTENT_FIRST_WAY] + rank) * WAY_WIDTH):
            d[LISTED] = first
            return False
    receiver, column = narrow(d[BOX_RECEIVERS])[box], d[FIRST_BOX] + box
    before = word(receiver, state) + word(column, content)
    for at in range(first, d[LISTED]):
        after, rest = (
            listed[at * LISTED_WIDTH + LISTED_AFTER],
            listed[at * LISTED_WIDTH + LISTED_REST],
        )
        wide(d[LISTED_DELTAS])[at] = word(receiver, after) + word(column, rest) - before
    wide(d[LIST_KEYS])[place] = key_of(box + 1, state, content)
    narrow(d[LIST_FIRSTS])[place] = first
    narrow(d[LIST_COUNTS])[place] = d[LISTED] - first
    return True


@part
def look_up(d: Array, box: int, state: int, content: int) -> None:
    """BOX_LISTS has where the deliveries from the box are listed and how many they are, or -1.

    The places of the table of states where they lead are on their way to the cache.
    """
    key = key_of(box + 1, state, content)
    place = ((key * KEY_SPREAD) >> 30) & (LIST_PLACES - 1)
    found = narrow(d[BOX_LISTS])
    if wide(d[LIST_KEYS])[place] != key and not make_list(d, box, state, content, place):
        found[2 * box] = -1
        return
    first, count = narrow(d[LIST_FIRSTS])[place], narrow(d[LIST_COUNTS])[place]
    found[2 * box], found[2 * box + 1] = first, count
    deltas = wide(d[LISTED_DELTAS])
    for at in range(first, first + count):
        fetch(d[SLOT_KEYS] + 8 * place_of(d[PARENT_PRINT] + deltas[at], d[SLOTS]))


@part
def deliver_listed(d: Array, position: int, box: int) -> None:
    """Every transition that takes something from the box, as it is listed."""
    listed, scratch = narrow(d[LISTS]), narrow(d[SCRATCH])
    receiver, column = narrow(d[BOX_RECEIVERS])[box], d[FIRST_BOX] + box
    state, content = scratch[receiver], scratch[column]
    first = narrow(d[BOX_LISTS])[2 * box]
    for at in range(first, first + narrow(d[BOX_LISTS])[2 * box + 1]):
        row = at * LISTED_WIDTH
        if listed[row + LISTED_WAY] >= 0:
            deliver(d, position, column, listed[row + LISTED_WAY])
            undo(d, position)
            continue
        code = listed[row + LISTED_CODE]
        jot(d, code)
        scratch[receiver], scratch[column] = listed[row + LISTED_AFTER], listed[row + LISTED_REST]
        reach(d, position, code, d[PARENT_PRINT] + wide(d[LISTED_DELTAS])[at])
        scratch[receiver], scratch[column] = state, content


@part
def deliver_all(d: Array, position: int, column: int, content: int) -> None:
    """Every transition that takes something from the box in the column, worked out anew."""
    contents = narrow(d[CONTENTS])
    first = contents[content * CONTENT_WIDTH + CONTENT_FIRST_WAY]
    for rank in range(contents[content * CONTENT_WIDTH + CONTENT_WAYS]):
        deliver(d, position, column, (first + rank) * WAY_WIDTH)


@part
def make_lists(d: Array, position: int) -> None:
    """BOX_LISTS says of each box that is not empty where its deliveries are listed."""
    rows, receivers = narrow(d[ROWS]), narrow(d[BOX_RECEIVERS])
    base = position * d[WIDTH]
    if 2 * d[LISTED] > LIST_ROOM:
        for place in range(LIST_PLACES):
            wide(d[LIST_KEYS])[place] = 0
        d[LISTED] = 0
    for box in range(d[BOXES]):
        content = rows[base + d[FIRST_BOX] + box]
        if content != 0:
            look_up(d, box, rows[base + receivers[box]], content)


@part
def empty_boxes(d: Array, position: int) -> None:
    """Every transition that takes something from a box or breaks its channel."""
    rows = narrow(d[ROWS])
    base = position * d[WIDTH]
    by_lists = d[EXACT] == 0 and d[SYMMETRIES] == 0
    undo(d, position)
    if by_lists:
        make_lists(d, position)
    for box in range(d[BOXES]):
        column = d[FIRST_BOX] + box
        content = rows[base + column]
        if content == 0:
            continue
        if by_lists and narrow(d[BOX_LISTS])[2 * box] >= 0:
            deliver_listed(d, position, box)
        else:
            deliver_all(d, position, column, content)
            undo(d, position)
        if d[BREAK_COST] != 0:
            break_channel(d, position, column, content)
            undo(d, position)

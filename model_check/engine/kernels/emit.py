"""What becomes of a transition: it is counted, and the state it leads to is kept if it is new."""

from model_check.engine.codes import (
    DELIVER,
    DELIVER_HELD,
    KIND_BITS,
    MOVE,
    SEND_AND_DELIVER,
    SEND_AND_HOLD,
)
from model_check.engine.kernels.lookup import ORIGIN, find, recall, word
from model_check.engine.kernels.native import Array, narrow, part, wide
from model_check.engine.layout import (
    BATCH_FIRST_ENVELOPE,
    BATCH_WIDTH,
    BATCHES,
    CHANGED,
    CHANGES,
    COLUMN_IMAGES,
    COLUMN_KINDS,
    EDGE_CODES,
    EDGE_ROOM,
    EDGE_SOURCES,
    EDGE_TARGETS,
    EDGES,
    ENVELOPE_TALLY,
    EVENT_TALLY,
    EXACT,
    FIRST_NUMBER,
    FOUND,
    FOUND_CODES,
    FOUND_PARENTS,
    FOUND_PRINTS,
    FOUND_ROOM,
    FOUND_ROWS,
    FULL,
    KEY_SPREAD,
    MISSED,
    MOVE_EVENT,
    MOVE_STEP,
    MOVE_WIDTH,
    MOVES,
    NOTE_EVENTS,
    NOTES,
    PARENT_PRINT,
    PRINT,
    RECENT,
    RECENT_ROOM,
    RECORD,
    REFUTED,
    REFUTED_AT,
    ROWS,
    SCRATCH,
    SLOT_NUMBERS,
    STEP_BATCH,
    STEP_REFUTED,
    STEP_WIDTH,
    STEPS,
    SYMMETRIES,
    SYMMETRY_TABLE,
    TRANSITIONS,
    WIDTH,
)

_KINDS_OF_COLUMN = 8
"""So many functions belong to each symmetry: one for each kind of column."""


@part
def start_from(d: Array, position: int) -> None:
    """The scratch row is that of the state, whose fingerprint is known, and nothing is changed."""
    width = d[WIDTH]
    rows, scratch = narrow(d[ROWS]), narrow(d[SCRATCH])
    for column in range(width):
        scratch[column] = rows[position * width + column]
    d[PRINT] = d[PARENT_PRINT]
    d[CHANGES] = 0


@part
def write(d: Array, column: int, value: int) -> None:
    """The scratch row has the value in the column."""
    scratch = narrow(d[SCRATCH])
    before = scratch[column]
    if before != value:
        scratch[column] = value
        d[PRINT] += word(column, value) - word(column, before)
        narrow(d[CHANGED])[d[CHANGES]] = column
        d[CHANGES] += 1


@part
def undo(d: Array, position: int) -> None:
    """The scratch row is again that of the state."""
    base = position * d[WIDTH]
    rows, scratch, changed = narrow(d[ROWS]), narrow(d[SCRATCH]), narrow(d[CHANGED])
    for at in range(d[CHANGES]):
        scratch[changed[at]] = rows[base + changed[at]]
    d[PRINT] = d[PARENT_PRINT]
    d[CHANGES] = 0


@part
def is_changed(d: Array, position: int) -> bool:
    """Whether the scratch row differs from that of the state."""
    base = position * d[WIDTH]
    rows, scratch, changed = narrow(d[ROWS]), narrow(d[SCRATCH]), narrow(d[CHANGED])
    for at in range(d[CHANGES]):  # noqa: SIM110  kernels have no generators
        if scratch[changed[at]] != rows[base + changed[at]]:
            return True
    return False


@part
def canonical(d: Array, plain: int) -> int:
    """The least fingerprint of the scratch row and of its images, the same for all of them."""
    least = plain
    width = d[WIDTH]
    scratch, kinds, images = narrow(d[SCRATCH]), narrow(d[COLUMN_KINDS]), narrow(d[COLUMN_IMAGES])
    for symmetry in range(d[SYMMETRIES]):
        total = ORIGIN
        for column in range(width):
            value = scratch[column]
            if kinds[column] >= 0:
                function = d[SYMMETRY_TABLE] + symmetry * _KINDS_OF_COLUMN + kinds[column]
                value = recall(d, function, value, 0)
            total += word(images[symmetry * width + column], value)
        least = min(least, total)
    return least * KEY_SPREAD  # the least ones have the same topmost bits


@part
def emit(d: Array, position: int, code: int, step: int) -> None:
    """The state at `position` becomes the scratch row, by a step of a process if it is not -1.

    It is no transition if nothing has changed.
    """
    if not is_changed(d, position):
        return
    print_ = d[PRINT]
    if d[SYMMETRIES] != 0:
        print_ = canonical(d, print_)
        if d[MISSED] != 0:
            return
    note(d, position, code, step)
    reach(d, position, code, print_)


@part
def reach(d: Array, position: int, code: int, print_: int) -> None:
    """The state at `position` leads to the scratch row, which has this fingerprint."""
    if print_ == 0:
        print_ = 1
    place = find(d, print_, narrow(d[SCRATCH]), 0)
    if place >= 0:
        record(d, position, code, place)
        return
    at = found_before(d, position, print_)
    if at < 0:
        at = d[FOUND]
        if keep(d, position, code, print_):
            copy_row(d, at, narrow(d[SCRATCH]), 0)
    record(d, position, code, -1 - at)


@part
def found_before(d: Array, position: int, print_: int) -> int:
    """Where a state not known before stands among those found; -1: it is to be kept as the next.

    It is that of the scratch row, if it matters. Most that were found earlier in the part are
    seen, all others are kept once more. What is remembered of another part is not taken for it.
    """
    recent = narrow(d[RECENT])
    place = print_ & (RECENT_ROOM - 1)
    at = recent[place]
    if (
        at < d[FOUND]
        and wide(d[FOUND_PRINTS])[at] == print_
        and narrow(d[FOUND_PARENTS])[at] <= d[FIRST_NUMBER] + position
        and (d[EXACT] == 0 or is_found_row(d, at))
    ):
        return at
    recent[place] = d[FOUND]
    return -1


@part
def is_found_row(d: Array, at: int) -> bool:
    """Whether the scratch row is that of the state found at `at`."""
    width = d[WIDTH]
    scratch, rows = narrow(d[SCRATCH]), narrow(d[FOUND_ROWS])
    for column in range(width):  # noqa: SIM110  kernels have no generators
        if rows[at * width + column] != scratch[column]:
            return False
    return True


@part
def keep(d: Array, position: int, code: int, print_: int) -> bool:
    """A state is found, whose row is to be copied; False if there is no room."""
    found = d[FOUND]
    if found == d[FOUND_ROOM]:
        d[FULL] = 1
        d[MISSED] = 1
        return False
    wide(d[FOUND_PRINTS])[found] = print_
    narrow(d[FOUND_PARENTS])[found] = d[FIRST_NUMBER] + position
    narrow(d[FOUND_CODES])[found] = code
    d[FOUND] = found + 1
    return True


@part
def copy_row(d: Array, at: int, rows: Array, base: int) -> None:
    """The state found at `at` has the row that starts at `base`."""
    width, found = d[WIDTH], narrow(d[FOUND_ROWS])
    for column in range(width):
        found[at * width + column] = rows[base + column]


@part
def record(d: Array, position: int, code: int, place: int) -> None:
    """The transition is listed if it is to be: to the state at that place of the table.

    If the place is below 0, it is one found by this part.
    """
    if d[RECORD] == 0:
        return
    edge = d[EDGES]
    if edge == d[EDGE_ROOM]:
        d[FULL] = 1
        d[MISSED] = 1
        return
    narrow(d[EDGE_SOURCES])[edge] = d[FIRST_NUMBER] + position
    narrow(d[EDGE_CODES])[edge] = code
    narrow(d[EDGE_TARGETS])[edge] = narrow(d[SLOT_NUMBERS])[place] if place >= 0 else place
    d[EDGES] = edge + 1


@part
def jot(d: Array, code: int) -> None:
    """The transition will be counted once its state is done; it refutes nothing."""
    narrow(d[NOTE_EVENTS])[d[NOTES]] = code
    d[NOTES] += 1


@part
def note(d: Array, position: int, code: int, step: int) -> None:
    """The transition will be counted once its state is done."""
    jot(d, code)
    if step >= 0:
        refuted = narrow(d[STEPS])[step * STEP_WIDTH + STEP_REFUTED]
        if refuted != 0:
            refute(d, position, code, refuted)


@part
def refute(d: Array, position: int, code: int, refuted: int) -> None:
    """It is kept that the transition refutes these step properties, of each the first one."""
    at = wide(d[REFUTED_AT])
    bit = 0
    while refuted >> bit:
        known = (d[REFUTED] >> bit) & 1 != 0
        if (refuted >> bit) & 1 and (not known or position < at[2 * bit]):
            at[2 * bit] = position
            at[2 * bit + 1] = code
        bit += 1
    d[REFUTED] |= refuted


@part
def envelope_of(d: Array, move: int) -> int:
    """The one envelope that a pure move sends."""
    step = narrow(d[MOVES])[move * MOVE_WIDTH + MOVE_STEP]
    batch = narrow(d[STEPS])[step * STEP_WIDTH + STEP_BATCH]
    return narrow(d[BATCHES])[batch * BATCH_WIDTH + BATCH_FIRST_ENVELOPE]


@part
def count(d: Array) -> None:
    """The transitions of the state at hand are counted."""
    notes, moves = narrow(d[NOTE_EVENTS]), narrow(d[MOVES])
    events, envelopes = wide(d[EVENT_TALLY]), wide(d[ENVELOPE_TALLY])
    for at in range(d[NOTES]):
        code = notes[at]
        kind, operand = code & ((1 << KIND_BITS) - 1), code >> KIND_BITS
        if kind in (MOVE, SEND_AND_DELIVER, SEND_AND_HOLD):
            events[moves[operand * MOVE_WIDTH + MOVE_EVENT]] += 1
        if kind in (DELIVER, DELIVER_HELD):
            envelopes[operand] += 1
        elif kind == SEND_AND_DELIVER:
            envelopes[envelope_of(d, operand)] += 1
    d[TRANSITIONS] += d[NOTES]

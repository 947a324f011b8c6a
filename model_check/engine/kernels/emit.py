"""What becomes of a transition: it is offered, and later counted and its state kept if it is new.

An offer is the fingerprint of the state that a transition leads to; the place where the table of
states would have it is on its way to the cache. It is looked up when some more states have made
their offers: so hardly anything waits for memory.
"""

from model_check.engine.codes import (
    DELIVER,
    DELIVER_HELD,
    KIND_BITS,
    MOVE,
    SEND_AND_DELIVER,
    SEND_AND_HOLD,
)
from model_check.engine.kernels.lookup import ORIGIN, place_of, recall, word
from model_check.engine.kernels.native import Array, fetch, narrow, part, wide
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
    OFFER_PRINTS,
    OFFER_REFS,
    OFFER_ROWS,
    OFFERS,
    PARENT_PRINT,
    PRINT,
    RECENT,
    RECENT_ROOM,
    RECORD,
    REFUTED,
    REFUTED_AT,
    ROWS,
    ROWS_OFFERED,
    SCRATCH,
    SLOT_KEYS,
    SLOT_NUMBERS,
    SLOTS,
    STEP_BATCH,
    STEP_REFUTED,
    STEP_WIDTH,
    STEPS,
    SYMMETRIES,
    SYMMETRY_TABLE,
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
    if step >= 0:
        refuted = narrow(d[STEPS])[step * STEP_WIDTH + STEP_REFUTED]
        if refuted != 0:
            refute(d, position, code, refuted)
    offer_row(d, code, print_)


@part
def offer(d: Array, ref: int, code: int, print_: int) -> None:
    """The state leads to one with this fingerprint: what is listed there, or -1 - a row of rows."""
    at = d[OFFERS]
    refs = narrow(d[OFFER_REFS])
    refs[2 * at], refs[2 * at + 1] = ref, code
    wide(d[OFFER_PRINTS])[at] = print_
    d[OFFERS] = at + 1
    fetch(d[SLOT_KEYS] + 8 * place_of(print_, d[SLOTS]))


@part
def offer_row(d: Array, code: int, print_: int) -> None:
    """The state leads to the scratch row, which has this fingerprint."""
    width, row = d[WIDTH], d[ROWS_OFFERED]
    scratch, rows = narrow(d[SCRATCH]), narrow(d[OFFER_ROWS])
    for column in range(width):
        rows[row * width + column] = scratch[column]
    d[ROWS_OFFERED] = row + 1
    offer(d, -1 - row, code, print_)


@part
def found_before(d: Array, print_: int, rows: Array, base: int) -> int:
    """Where a state not known before stands among those found; -1: it is to be kept as the next.

    Its row starts at `base`, if it matters. Most that were found since the kernel began are seen,
    all others are kept once more.
    """
    recent = narrow(d[RECENT])
    place = print_ & (RECENT_ROOM - 1)
    at = recent[place] - 1
    if (
        at >= 0
        and wide(d[FOUND_PRINTS])[at] == print_
        and (d[EXACT] == 0 or is_found_row(d, at, rows, base))
    ):
        return at
    recent[place] = d[FOUND] + 1
    return -1


@part
def is_found_row(d: Array, at: int, rows: Array, base: int) -> bool:
    """Whether the row that starts at `base` is that of the state found at `at`."""
    width, found = d[WIDTH], narrow(d[FOUND_ROWS])
    for column in range(width):  # noqa: SIM110  kernels have no generators
        if found[at * width + column] != rows[base + column]:
            return False
    return True


@part
def has_room_for(d: Array, count: int) -> bool:
    """Whether so many transitions, and the states they lead to, can be kept."""
    if d[FOUND] + count <= d[FOUND_ROOM] and (d[RECORD] == 0 or d[EDGES] + count <= d[EDGE_ROOM]):
        return True
    d[FULL] = 1
    return False


@part
def keep(d: Array, position: int, code: int, print_: int, rows: Array, base: int) -> int:
    """A state is found, whose row starts at `base`; the result is where it stands."""
    at, width, found = d[FOUND], d[WIDTH], narrow(d[FOUND_ROWS])
    wide(d[FOUND_PRINTS])[at] = print_
    narrow(d[FOUND_PARENTS])[at] = d[FIRST_NUMBER] + position
    narrow(d[FOUND_CODES])[at] = code
    for column in range(width):
        found[at * width + column] = rows[base + column]
    d[FOUND] = at + 1
    return at


@part
def record(d: Array, position: int, code: int, place: int) -> None:
    """The transition is listed if it is to be: to the state at that place of the table.

    If the place is below 0, it is one found by this part.
    """
    if d[RECORD] == 0:
        return
    edge = d[EDGES]
    narrow(d[EDGE_SOURCES])[edge] = d[FIRST_NUMBER] + position
    narrow(d[EDGE_CODES])[edge] = code
    narrow(d[EDGE_TARGETS])[edge] = narrow(d[SLOT_NUMBERS])[place] if place >= 0 else place
    d[EDGES] = edge + 1


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
def tally(d: Array, code: int) -> None:
    """The transition is counted."""
    kind, operand = code & ((1 << KIND_BITS) - 1), code >> KIND_BITS
    if kind in (MOVE, SEND_AND_DELIVER, SEND_AND_HOLD):
        wide(d[EVENT_TALLY])[narrow(d[MOVES])[operand * MOVE_WIDTH + MOVE_EVENT]] += 1
    if kind in (DELIVER, DELIVER_HELD):
        wide(d[ENVELOPE_TALLY])[operand] += 1
    elif kind == SEND_AND_DELIVER:
        wide(d[ENVELOPE_TALLY])[envelope_of(d, operand)] += 1

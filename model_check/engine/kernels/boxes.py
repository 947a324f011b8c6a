"""Transitions on links that keep what is sent in boxes: queues of channels, or sets of receivers.

Columns: the local state of each process, the budgets, the content of each box.
"""

from model_check.engine.codes import (
    BREAK,
    DELIVER_HELD,
    KEPT_BITS,
    KIND_BITS,
    LOSE,
    LOSE_HELD,
    MOVE,
)
from model_check.engine.kernels.emit import emit, undo, write
from model_check.engine.kernels.lookup import recall
from model_check.engine.kernels.moves import reaction
from model_check.engine.kernels.native import Array, narrow, part
from model_check.engine.layout import (
    APPEND,
    BATCH_FIRST_PARCEL,
    BATCH_PARCELS,
    BATCH_WIDTH,
    BATCHES,
    BOUND_HIT,
    BOX_RECEIVERS,
    BOXES,
    BREAK_COST,
    BREAK_KEPT,
    BREAK_REST,
    BREAK_WIDTH,
    BREAKS,
    BUDGET_COLUMN,
    CAPACITY,
    CLEARED,
    CONTENT_BREAKS,
    CONTENT_CROWD,
    CONTENT_FIRST_BREAK,
    CONTENT_LOAD,
    CONTENT_WIDTH,
    CONTENTS,
    CROWDED,
    ENVELOPE_ARRIVAL,
    ENVELOPE_RECEIVER,
    ENVELOPE_WIDTH,
    ENVELOPES,
    FIRST_BOX,
    LOSSY,
    MOVE_STATE,
    MOVE_WIDTH,
    MOVES,
    NOTHING,
    PARCEL_BOX,
    PARCEL_NUMBER,
    PARCEL_RECEIVER,
    PARCEL_WIDTH,
    PARCELS,
    ROWS,
    SCRATCH,
    SPEND,
    STATE_DOWN,
    STATE_PROCESS,
    STATE_WIDTH,
    STATES,
    STEP_AFTER,
    STEP_BATCH,
    STEP_IDLE,
    STEP_WIDTH,
    STEPS,
    WAY_ENVELOPE,
    WAY_KIND,
    WAY_REST,
    WAYS,
    WIDTH,
)


@part
def is_down(d: Array, state: int) -> bool:
    """Whether a process in the local state takes nothing."""
    return narrow(d[STATES])[state * STATE_WIDTH + STATE_DOWN] != 0


@part
def is_idle(d: Array, step: int) -> bool:
    """Whether the step changes nothing and sends nothing."""
    return narrow(d[STEPS])[step * STEP_WIDTH + STEP_IDLE] != 0


@part
def put(d: Array, parcel: int) -> bool:
    """The parcel is in its box in the scratch row; False if there is no room or it is not known."""
    parcels, scratch = narrow(d[PARCELS]), narrow(d[SCRATCH])
    row = parcel * PARCEL_WIDTH
    if d[CLEARED] != 0 and is_down(d, scratch[parcels[row + PARCEL_RECEIVER]]):
        return True
    column = d[FIRST_BOX] + parcels[row + PARCEL_BOX]
    content = recall(d, APPEND, scratch[column], parcels[row + PARCEL_NUMBER])
    if content == NOTHING:
        d[BOUND_HIT] = 1
    if content < 0:
        return False
    write(d, column, content)
    return True


@part
def has_room(d: Array) -> bool:
    """Whether what is in flight in the scratch row is not too much."""
    if d[CAPACITY] == 0:
        return True
    contents, scratch = narrow(d[CONTENTS]), narrow(d[SCRATCH])
    load = 0
    crowd = 0
    for box in range(d[BOXES]):
        row = scratch[d[FIRST_BOX] + box] * CONTENT_WIDTH
        load += contents[row + CONTENT_LOAD]
        crowd += contents[row + CONTENT_CROWD]
    if load > d[CAPACITY] or (d[CROWDED] >= 0 and crowd > d[CROWDED]):
        d[BOUND_HIT] = 1
        return False
    return True


@part
def take(d: Array, process: int, step: int) -> bool:
    """The process has taken the step in the scratch row, and what it sends is in its boxes.

    What was on its way to it is lost if it is down now. False if it can't be, or is not known.
    """
    steps, batches = narrow(d[STEPS]), narrow(d[BATCHES])
    after = steps[step * STEP_WIDTH + STEP_AFTER]
    write(d, process, after)
    if d[CLEARED] != 0 and is_down(d, after):
        receivers = narrow(d[BOX_RECEIVERS])
        for box in range(d[BOXES]):
            if receivers[box] == process:
                write(d, d[FIRST_BOX] + box, 0)
    batch = steps[step * STEP_WIDTH + STEP_BATCH] * BATCH_WIDTH
    first, count = batches[batch + BATCH_FIRST_PARCEL], batches[batch + BATCH_PARCELS]
    for parcel in range(first, first + count):
        if not put(d, parcel):
            return False
    return count == 0 or has_room(d)


@part
def move_boxed(d: Array, position: int, move: int, step: int, left: int) -> None:
    """A process makes a move with this step, after which `left` is left of the budgets."""
    moves = narrow(d[MOVES])
    process = narrow(d[STATES])[moves[move * MOVE_WIDTH + MOVE_STATE] * STATE_WIDTH + STATE_PROCESS]
    undo(d, position)
    write(d, d[BUDGET_COLUMN], left)
    if take(d, process, step):
        emit(d, position, (move << KIND_BITS) | MOVE, step)


@part
def deliver(d: Array, position: int, column: int, way: int) -> None:
    """A message of the box in the column is delivered or lost."""
    ways, envelopes = narrow(d[WAYS]), narrow(d[ENVELOPES])
    kind, envelope = ways[way + WAY_KIND], ways[way + WAY_ENVELOPE]
    receiver = envelopes[envelope * ENVELOPE_WIDTH + ENVELOPE_RECEIVER]
    rows = narrow(d[ROWS])
    base = position * d[WIDTH]
    arrival = envelopes[envelope * ENVELOPE_WIDTH + ENVELOPE_ARRIVAL]
    step = reaction(d, rows[base + receiver], arrival) if kind != LOSE else NOTHING
    if step >= 0 and rows[base + column] == ways[way + WAY_REST] and is_idle(d, step):
        return  # most of what can be received again has nothing new to say
    undo(d, position)
    write(d, column, ways[way + WAY_REST])
    if kind == LOSE or (step == NOTHING and d[LOSSY] == 0):
        lost = LOSE_HELD if kind == DELIVER_HELD else LOSE
        emit(d, position, (envelope << KIND_BITS) | lost, -1)
    elif step >= 0 and take(d, receiver, step):
        emit(d, position, (envelope << KIND_BITS) | kind, step)


@part
def break_channel(d: Array, position: int, column: int) -> None:
    """A part of the channel's queue becomes its leftover, the rest is lost."""
    contents, breaks = narrow(d[CONTENTS]), narrow(d[BREAKS])
    base = position * d[WIDTH]
    left = recall(d, SPEND, narrow(d[ROWS])[base + d[BUDGET_COLUMN]], d[BREAK_COST])
    if left < 0:
        return
    content = narrow(d[ROWS])[base + column] * CONTENT_WIDTH
    first = contents[content + CONTENT_FIRST_BREAK]
    for rank in range(contents[content + CONTENT_BREAKS]):
        way = (first + rank) * BREAK_WIDTH
        undo(d, position)
        write(d, d[BUDGET_COLUMN], left)
        write(d, column, breaks[way + BREAK_REST])
        operand = ((column - d[FIRST_BOX]) << KEPT_BITS) | breaks[way + BREAK_KEPT]
        emit(d, position, (operand << KIND_BITS) | BREAK, -1)

"""Transitions on links that deliver at once, lose, or hold back.

Columns: the local state of each process, what is to be resolved now, what is held, the budgets.
"""

from model_check.engine.codes import (
    DELIVER,
    DELIVER_HELD,
    HOLD,
    KIND_BITS,
    LOSE,
    LOSE_HELD,
    MOVE,
    SEND_AND_DELIVER,
    SEND_AND_HOLD,
)
from model_check.engine.kernels.emit import emit, envelope_of, undo, write
from model_check.engine.kernels.lookup import recall
from model_check.engine.kernels.moves import reaction
from model_check.engine.kernels.native import Array, narrow, part
from model_check.engine.layout import (
    APPEND,
    BLOCKS,
    BUDGET_COLUMN,
    CONTENT_FIRST_WAY,
    CONTENT_WAYS,
    CONTENT_WIDTH,
    CONTENTS,
    DROP,
    ENVELOPE_ARRIVAL,
    ENVELOPE_CHANNEL,
    ENVELOPE_RECEIVER,
    ENVELOPE_WIDTH,
    ENVELOPES,
    HOLD_BACK,
    MOVE_CLASS,
    MOVE_STATE,
    MOVE_WIDTH,
    MOVES,
    NOTHING,
    ORDERED,
    PENDING,
    PENDING_HEAD,
    PENDING_REST,
    PENDING_WIDTH,
    PROCESSES,
    PURE,
    ROWS,
    SCRATCH,
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
    WAY_REST,
    WAY_WIDTH,
    WAYS,
    WIDTH,
)


@part
def now_column(d: Array) -> int:
    """The column of what is to be resolved now."""
    return d[PROCESSES]


@part
def held_column(d: Array) -> int:
    """The column of what is held."""
    return d[PROCESSES] + 1


@part
def take(d: Array, process: int, step: int, pending: int) -> bool:
    """The process has taken the step in the scratch row, in which `pending` was pending.

    What was held for it is lost if it is down now. False if something is not known.
    """
    steps, scratch = narrow(d[STEPS]), narrow(d[SCRATCH])
    after = steps[step * STEP_WIDTH + STEP_AFTER]
    sent = recall(d, APPEND, pending, steps[step * STEP_WIDTH + STEP_BATCH])
    if sent < 0:
        return False
    write(d, process, after)
    write(d, now_column(d), sent)
    if narrow(d[STATES])[after * STATE_WIDTH + STATE_DOWN] != 0:
        left = recall(d, DROP, scratch[held_column(d)], process)
        if left < 0:
            return False
        write(d, held_column(d), left)
    return True


@part
def may_pass(d: Array, held: int, envelope: int) -> bool:
    """Whether nothing that is held must arrive before the message; False if it is not known."""
    if d[ORDERED] == 0:
        return True
    channel = narrow(d[ENVELOPES])[envelope * ENVELOPE_WIDTH + ENVELOPE_CHANNEL]
    return recall(d, BLOCKS, held, channel) == 0


@part
def react(d: Array, position: int, envelope: int) -> int:
    """The step of the envelope's receiver if it arrives in the state."""
    row = envelope * ENVELOPE_WIDTH
    envelopes = narrow(d[ENVELOPES])
    state = narrow(d[ROWS])[position * d[WIDTH] + envelopes[row + ENVELOPE_RECEIVER]]
    return reaction(d, state, envelopes[row + ENVELOPE_ARRIVAL])


@part
def receiver_of(d: Array, envelope: int) -> int:
    """The process to which the envelope is sent."""
    return narrow(d[ENVELOPES])[envelope * ENVELOPE_WIDTH + ENVELOPE_RECEIVER]


@part
def resolve(d: Array, position: int, now: int) -> None:
    """The oldest pending message is lost, held or delivered."""
    pending, scratch = narrow(d[PENDING]), narrow(d[SCRATCH])
    envelope = pending[now * PENDING_WIDTH + PENDING_HEAD]
    rest = pending[now * PENDING_WIDTH + PENDING_REST]
    undo(d, position)
    write(d, now_column(d), rest)
    emit(d, position, (envelope << KIND_BITS) | LOSE, -1)
    step = react(d, position, envelope)
    if step < 0:
        return
    held = scratch[held_column(d)]
    kept = recall(d, HOLD_BACK, held, envelope)
    if kept >= 0:
        write(d, held_column(d), kept)
        emit(d, position, (envelope << KIND_BITS) | HOLD, -1)
    if may_pass(d, held, envelope):
        undo(d, position)
        if take(d, receiver_of(d, envelope), step, rest):
            emit(d, position, (envelope << KIND_BITS) | DELIVER, step)


@part
def deliver_held(d: Array, position: int, held: int) -> None:
    """A message that was held back arrives."""
    contents, ways = narrow(d[CONTENTS]), narrow(d[WAYS])
    first = contents[held * CONTENT_WIDTH + CONTENT_FIRST_WAY]
    for rank in range(contents[held * CONTENT_WIDTH + CONTENT_WAYS]):
        way = (first + rank) * WAY_WIDTH
        envelope = ways[way + WAY_ENVELOPE]
        step = react(d, position, envelope)
        undo(d, position)
        write(d, held_column(d), ways[way + WAY_REST])
        if step == NOTHING:
            emit(d, position, (envelope << KIND_BITS) | LOSE_HELD, -1)
        elif step >= 0 and take(d, receiver_of(d, envelope), step, 0):
            emit(d, position, (envelope << KIND_BITS) | DELIVER_HELD, step)


@part
def fuse(d: Array, position: int, move: int) -> None:
    """A message sent without a change is held or delivered in the same transition."""
    scratch = narrow(d[SCRATCH])
    envelope = envelope_of(d, move)
    step = react(d, position, envelope)
    if step < 0:
        return
    undo(d, position)
    held = scratch[held_column(d)]
    kept = recall(d, HOLD_BACK, held, envelope)
    if kept >= 0:
        write(d, held_column(d), kept)
        emit(d, position, (move << KIND_BITS) | SEND_AND_HOLD, -1)
    idle = narrow(d[STEPS])[step * STEP_WIDTH + STEP_IDLE]
    if idle == 0 and may_pass(d, held, envelope):
        undo(d, position)
        if take(d, receiver_of(d, envelope), step, 0):
            emit(d, position, (move << KIND_BITS) | SEND_AND_DELIVER, step)


@part
def move_held(d: Array, position: int, move: int, step: int, left: int) -> None:
    """A process makes a move with this step, after which `left` is left of the budgets."""
    moves = narrow(d[MOVES])
    row = move * MOVE_WIDTH
    if moves[row + MOVE_CLASS] == PURE:
        fuse(d, position, move)
        return
    process = narrow(d[STATES])[moves[row + MOVE_STATE] * STATE_WIDTH + STATE_PROCESS]
    undo(d, position)
    write(d, d[BUDGET_COLUMN], left)
    if take(d, process, step, 0):
        emit(d, position, (move << KIND_BITS) | MOVE, step)

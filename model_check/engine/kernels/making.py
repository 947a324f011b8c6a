"""Transitions of a state worked out from its row, whatever is listed."""

from model_check.engine.kernels.boxes import break_channel, deliver, move_boxed
from model_check.engine.kernels.held import move_held
from model_check.engine.kernels.lookup import recall
from model_check.engine.kernels.moves import (
    choice_of,
    choices,
    chosen,
    first_move,
    listed,
    look_around,
    outcome,
)
from model_check.engine.kernels.native import Array, narrow, part
from model_check.engine.layout import (
    BOXES,
    BREAK_COST,
    BUDGET_COLUMN,
    CONTENT_FIRST_WAY,
    CONTENT_WAYS,
    CONTENT_WIDTH,
    CONTENTS,
    FIRST_BOX,
    HELD_LINKS,
    LINKS,
    MOVE_COST,
    MOVE_WIDTH,
    MOVES,
    PROCESSES,
    ROWS,
    SPEND,
    WATCHERS,
    WAY_WIDTH,
    WIDTH,
)


@part
def make_move(d: Array, position: int, move: int) -> None:
    """A process moves of its own accord, if it can pay for it."""
    cost = narrow(d[MOVES])[move * MOVE_WIDTH + MOVE_COST]
    left = narrow(d[ROWS])[position * d[WIDTH] + d[BUDGET_COLUMN]]
    if cost != 0:
        left = recall(d, SPEND, left, cost)
        if left < 0:
            return
    step = outcome(d, move)
    if step < 0:
        return
    if d[LINKS] == HELD_LINKS:
        move_held(d, position, move, step, left)
    else:
        move_boxed(d, position, move, step, left)


@part
def make_listed_moves(d: Array, position: int, state: int) -> None:
    """Every transition by a move that is listed for the local state."""
    moves, first = listed(d, state), first_move(d, state)
    for rank in range(moves):
        make_move(d, position, first + rank)


@part
def make_choices(d: Array, position: int) -> None:
    """Every transition by a move that a watcher may make besides, as it sees the state."""
    if look_around(d, position):
        for watcher in range(d[WATCHERS]):
            choice = choice_of(d, position, watcher)
            if choice >= 0:
                for rank in range(choices(d, choice)):
                    make_move(d, position, chosen(d, choice, rank))


@part
def make_moves(d: Array, position: int) -> None:
    """Every transition by a move of a process."""
    rows = narrow(d[ROWS])
    for process in range(d[PROCESSES]):
        make_listed_moves(d, position, rows[position * d[WIDTH] + process])
    make_choices(d, position)


@part
def deliver_all(d: Array, position: int, column: int) -> None:
    """Every transition that takes something from the box in the column."""
    contents = narrow(d[CONTENTS])
    content = narrow(d[ROWS])[position * d[WIDTH] + column] * CONTENT_WIDTH
    for rank in range(contents[content + CONTENT_WAYS]):
        deliver(d, position, column, (contents[content + CONTENT_FIRST_WAY] + rank) * WAY_WIDTH)


@part
def empty_boxes(d: Array, position: int) -> None:
    """Every transition that takes something from a box or breaks its channel."""
    rows = narrow(d[ROWS])
    base = position * d[WIDTH]
    for box in range(d[BOXES]):
        column = d[FIRST_BOX] + box
        if rows[base + column] != 0:
            deliver_all(d, position, column)
            if d[BREAK_COST] != 0:
                break_channel(d, position, column)

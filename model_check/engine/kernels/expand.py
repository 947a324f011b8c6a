"""The kernel that expands a part of a level, state by state."""

from model_check.engine.kernels.boxes import empty_boxes, move_boxed
from model_check.engine.kernels.emit import count, start_from
from model_check.engine.kernels.held import (
    deliver_held,
    held_column,
    move_held,
    now_column,
    resolve,
)
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
    BUDGET_COLUMN,
    DRY,
    EDGES,
    FOUND,
    FULL,
    HELD_LINKS,
    LINKS,
    MISS_ROOM,
    MISSED,
    MISSES,
    MOVE_COST,
    MOVE_WIDTH,
    MOVES,
    NOTES,
    POSITION,
    PROCESSES,
    ROWS,
    SPEND,
    STOP,
    WATCHERS,
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
def make_moves(d: Array, position: int) -> None:
    """Every transition by a move of a process."""
    rows = narrow(d[ROWS])
    for process in range(d[PROCESSES]):
        state = rows[position * d[WIDTH] + process]
        moves = listed(d, state)
        first = first_move(d, state)
        for rank in range(moves):
            make_move(d, position, first + rank)
    if look_around(d, position):
        for watcher in range(d[WATCHERS]):
            choice = choice_of(d, position, watcher)
            if choice >= 0:
                for rank in range(choices(d, choice)):
                    make_move(d, position, chosen(d, choice, rank))


@part
def expand_state(d: Array, position: int) -> None:
    """Every transition from the state."""
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


def expand(d: Array) -> int:
    """The states from POSITION to STOP are expanded, as far as tables and room allow.

    POSITION is the first state that is not. If something was missing for it, the states behind it
    have been looked at for what they lack.
    """
    d[DRY] = 0
    for position in range(d[POSITION], d[STOP]):
        found, edges = d[FOUND], d[EDGES]
        d[NOTES] = 0
        d[MISSED] = 0
        expand_state(d, position)
        if d[DRY] == 0 and d[MISSED] == 0 and d[FULL] == 0:
            count(d)
            d[POSITION] = position + 1
            continue
        d[FOUND], d[EDGES] = found, edges
        d[DRY] = 1
        if d[FULL] != 0 or d[MISSES] == d[MISS_ROOM]:
            break
    return 0

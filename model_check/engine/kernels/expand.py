"""The kernel that expands a part of a level, state by state."""

from model_check.engine.kernels.boxes import move_boxed
from model_check.engine.kernels.deliveries import empty_boxes
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
    EDGES,
    FOUND,
    HELD_LINKS,
    LATER,
    LATER_COUNT,
    LINKS,
    MISSED,
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


@part
def attempt(d: Array, position: int) -> bool:
    """Whether the state could be expanded; if not, what it lacks is listed and it left no trace."""
    found, edges = d[FOUND], d[EDGES]
    d[NOTES] = 0
    d[MISSED] = 0
    expand_state(d, position)
    if d[MISSED] == 0:
        count(d)
        return True
    d[FOUND], d[EDGES] = found, edges
    return False


def expand(d: Array) -> int:
    """The states up to STOP are expanded, as far as tables and room allow.

    LATER has those that are not, in their order: something was missing for them. It had those of
    them that come before POSITION. What is listed as missing does not depend on how much room
    there is.
    """
    later = narrow(d[LATER])
    waiting, d[LATER_COUNT] = d[LATER_COUNT], 0
    for rank in range(waiting):
        if not attempt(d, later[rank]):
            later[d[LATER_COUNT]] = later[rank]
            d[LATER_COUNT] += 1
    while d[POSITION] < d[STOP]:
        if not attempt(d, d[POSITION]):
            later[d[LATER_COUNT]] = d[POSITION]
            d[LATER_COUNT] += 1
        d[POSITION] += 1
    return 0

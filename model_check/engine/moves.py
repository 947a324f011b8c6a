"""Which moves can be made in which states."""

import numpy as np

from model_check.engine.arrays import NOTHING, Ints
from model_check.engine.batch import Chunk
from model_check.engine.budgets import Budgets
from model_check.engine.local import IDLE, LocalTables


def enabled_moves(
    chunk: Chunk, rows: Ints, local: LocalTables, budgets: Budgets, budget_column: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Every move that can be paid for in these rows and may change anything.

    Four arrays of the same length: the row, the move, what is left of the budgets, the step.
    """
    states = chunk.rows[rows, : local.process_count]
    owner, move = local.moves(states)
    if local.sight is not None:
        owner, move = local.sight.with_moves_seeing(states, owner, move)
    parent = rows[owner]
    left = budgets.spend(chunk.column(budget_column, parent), local.move_cost.view[move])
    paid = np.flatnonzero(left != NOTHING)
    if paid.size < left.size:
        parent, move, left = parent[paid], move[paid], left[paid]
    step = local.outcome(move)
    matters = np.flatnonzero(local.move_class.view[move] != IDLE)
    if matters.size < move.size:
        parent, move, left, step = parent[matters], move[matters], left[matters], step[matters]
    return parent, move, left, step

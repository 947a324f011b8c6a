"""What runs owe: the fault-free transitions of a graph, with what each of them is in fairness.

Transitions are sorted into deeds: the moves of a process with equal events are one, and so are the
deliveries (and, on a receiver that does not take them, the losses) of equal messages on a channel.
"""

from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Flags, Ints, Narrow
from model_check.engine.budgets import FREE
from model_check.engine.codes import (
    BREAK,
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
from model_check.engine.layout import MOVE_COST, MOVE_EVENT
from model_check.engine.local import LocalTables
from model_check.engine.state_graph import StateGraph
from model_check.engine.tables import Tables

OWED_NOTHING: Final = 0
OWED_WEAKLY: Final = 1
OWED_STRONGLY: Final = 2
_OWED: Final = {"none": OWED_NOTHING, "weak": OWED_WEAKLY, "strong": OWED_STRONGLY}

_BETTER: Final = {
    HOLD: (DELIVER,),
    LOSE: (DELIVER, HOLD),
    LOSE_HELD: (DELIVER_HELD,),
}
"""What becomes of a message, and what is better for it: without a fault the best happens."""

_BY_A_MOVE: Final = (MOVE, SEND_AND_DELIVER)
_ALWAYS_A_FAULT: Final = (BREAK, SEND_AND_HOLD)  # what was sent and held can be sent again
_OF_A_MESSAGE_JUST_SENT: Final = (DELIVER, LOSE, HOLD)
_CHUNK: Final = 1 << 18  # of states, in what needs much memory for each

Kinds = npt.NDArray[np.int8]


@attrs.frozen(kw_only=True, eq=False)
class Deeds:
    """Some transitions, and what a fair run owes each."""

    source: Narrow  # shape (transitions,)
    target: Narrow
    deed: Narrow  # which one it is; many transitions are the same deed
    owed: Kinds  # nothing, weakly or strongly
    number: Ints  # of each transition, in the graph

    def take(self, at: Ints) -> "Deeds":
        """Those at these positions."""
        return Deeds(
            source=self.source[at],
            target=self.target[at],
            deed=self.deed[at],
            owed=self.owed[at],
            number=self.number[at],
        )


def fault_free(graph: StateGraph, local: LocalTables, *, at_once: bool) -> Flags:
    """Whether each transition needs no fault. Shape: (transitions,).

    To lose a message, or to hold it back, is a fault only where something better could happen.
    `at_once` says that a message that was just sent is dealt with before all else.
    """
    kind = _kinds(graph)
    free: Flags = ~np.isin(kind, _ALWAYS_A_FAULT)
    moved = np.flatnonzero(np.isin(kind, _BY_A_MOVE))
    free[moved] = ~local.move_faults()[graph.code[moved] >> KIND_BITS]
    if not at_once:
        _leave_the_best(graph, kind, free)
        return free
    for worse in (HOLD, LOSE):  # all transitions of a state are then about one message
        at = np.flatnonzero(kind == worse)
        better = np.zeros(len(graph.rows), dtype=np.bool_)
        better[graph.source[np.isin(kind, _BETTER[worse])]] = True
        free[at] = ~better[graph.source[at]]
    return free


def _kinds(graph: StateGraph) -> Kinds:
    return (graph.code & ((1 << KIND_BITS) - 1)).astype(np.int8)


def _leave_the_best(graph: StateGraph, kind: Kinds, free: Flags) -> None:
    """No transition is free that is worse for its message than another from the same state."""
    width = (int(graph.code.max(initial=0)) >> KIND_BITS) + 1
    for worse, better in _BETTER.items():
        at = np.flatnonzero(kind == worse)
        if at.size:
            others = np.flatnonzero(np.isin(kind, better))
            free[at] = ~np.isin(_about(graph, at, width), _about(graph, others, width))


def _about(graph: StateGraph, at: Ints, width: int) -> Ints:
    """One number for the state and the message of each of these transitions."""
    return graph.source[at].astype(np.int64) * width + (graph.code[at] >> KIND_BITS)


def deeds(graph: StateGraph, local: LocalTables, at: Ints) -> Deeds:
    """These transitions with their deeds."""
    kind = (graph.code[at] & ((1 << KIND_BITS) - 1)).astype(np.int8)
    operand = (graph.code[at] >> KIND_BITS).astype(np.int32)
    owed_moves = np.array([_OWED[move.fair] for move in local.move_values], dtype=np.int8)
    deed = operand + np.int32(len(local.events))
    owed = np.full(len(at), OWED_STRONGLY, dtype=np.int8)
    moved = np.flatnonzero(np.isin(kind, _BY_A_MOVE))
    deed[moved] = local.move_sheet.column(MOVE_EVENT)[operand[moved]]
    owed[moved] = owed_moves[operand[moved]]
    return Deeds(
        source=graph.source[at].astype(np.int32, copy=False),
        target=graph.target[at].astype(np.int32, copy=False),
        deed=deed,
        owed=owed,
        number=at,
    )


def busy(graph: StateGraph) -> Flags:
    """Whether in each state a message that was just sent must be dealt with. Shape: (states,).

    For links on which that comes before all else.
    """
    states = np.zeros(len(graph.rows), dtype=np.bool_)
    states[graph.source[np.isin(_kinds(graph), _OF_A_MESSAGE_JUST_SENT)]] = True
    return states


def out_of_budget(graph: StateGraph, tables: Tables, among: Flags) -> Flags:
    """In which of the states a move that is no fault can be made but for its budget.

    Or but for want of room on a channel. Shapes: (states,) -> (states,). None of the states may be
    busy.
    """
    costs = tables.local.move_sheet.column(MOVE_COST)
    costly = (costs != FREE) & ~tables.local.move_faults()
    kind = _kinds(graph)
    at = np.flatnonzero((kind == MOVE) & among[graph.source])
    made = graph.source[at][costly[graph.code[at] >> KIND_BITS]]
    left = -np.bincount(made, minlength=len(graph.rows))
    states = np.flatnonzero(among)
    for first in range(0, len(states), _CHUNK):
        part = states[first : first + _CHUNK]
        left[part] += tables.offered(graph.rows[part], costly)
    return among & (left > 0)

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

_CHUNK: Final = 1 << 18  # of states, in what needs much memory for each

Kinds = npt.NDArray[np.int8]


def _among(*kinds: int) -> Flags:
    """Whether each kind is one of these."""
    flags = np.zeros(1 << KIND_BITS, dtype=np.bool_)
    flags[list(kinds)] = True
    return flags


_MOVES: Final = _among(MOVE, SEND_AND_DELIVER)
_ALWAYS: Final = _among(BREAK, SEND_AND_HOLD)  # faults: what was sent and held can be sent again
_OF_A_MESSAGE_JUST_SENT: Final = _among(DELIVER, LOSE, HOLD)
_BETTER_KINDS: Final = {worse: _among(*better) for worse, better in _BETTER.items()}


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


def fault_free(source: Ints, code: Ints, states: int, faults: Flags, *, at_once: bool) -> Flags:
    """Whether each transition needs no fault. Shapes: (transitions,).

    They are all that there are from so many states, numbered from 0 on; `faults` says which moves
    are faults. To lose a message, or to hold it back, is a fault only where something better could
    happen. `at_once` says that a message that was just sent is dealt with before all else.
    """
    kind = _kinds(code)
    free: Flags = ~_ALWAYS[kind]
    moved = np.flatnonzero(_MOVES[kind])
    free[moved] = ~faults[code[moved] >> KIND_BITS]
    if not at_once:
        _leave_the_best(source, code, free)
        return free
    for worse in (HOLD, LOSE):  # all transitions of a state are then about one message
        at = np.flatnonzero(kind == worse)
        if at.size:
            better = np.zeros(states, dtype=np.bool_)
            better[source[_BETTER_KINDS[worse][kind]]] = True
            free[at] = ~better[source[at]]
    return free


def _kinds(code: Ints) -> Kinds:
    return (code & ((1 << KIND_BITS) - 1)).astype(np.int8)


def _leave_the_best(source: Ints, code: Ints, free: Flags) -> None:
    """No transition is free that is worse for its message than another from the same state."""
    kind = _kinds(code)
    width = (int(code.max(initial=0)) >> KIND_BITS) + 1
    about = source.astype(np.int64) * width + (code >> KIND_BITS)  # the state and the message
    for worse, better in _BETTER_KINDS.items():
        at = np.flatnonzero(kind == worse)
        if at.size:
            free[at] = ~np.isin(about[at], about[better[kind]])


def deeds(graph: StateGraph, local: LocalTables, at: Ints) -> Deeds:
    """These transitions with their deeds."""
    kind = _kinds(graph.code[at])
    operand = (graph.code[at] >> KIND_BITS).astype(np.int32)
    owed_moves = np.array([_OWED[move.fair] for move in local.move_values], dtype=np.int8)
    deed = operand + np.int32(len(local.events))
    owed = np.full(len(at), OWED_STRONGLY, dtype=np.int8)
    moved = np.flatnonzero(_MOVES[kind])
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
    states[graph.source[_OF_A_MESSAGE_JUST_SENT[_kinds(graph.code)]]] = True
    return states


def out_of_budget(graph: StateGraph, tables: Tables, among: Flags) -> Flags:
    """In which of the states a move that is no fault can be made but for its budget.

    Or but for want of room on a channel. Shapes: (states,) -> (states,). None of the states may be
    busy.
    """
    costs = tables.local.move_sheet.column(MOVE_COST)
    costly = (costs != FREE) & ~tables.local.move_faults()
    kind = _kinds(graph.code)
    at = np.flatnonzero((kind == MOVE) & among[graph.source])
    made = graph.source[at][costly[graph.code[at] >> KIND_BITS]]
    left = -np.bincount(made, minlength=len(graph.rows))
    states = np.flatnonzero(among)
    for first in range(0, len(states), _CHUNK):
        part = states[first : first + _CHUNK]
        left[part] += tables.offered(graph.rows[part], costly)
    return among & (left > 0)

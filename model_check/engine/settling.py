"""Where a system ends up once faults stop: the bottom components of its fault-free transitions.

A set of states that lead to each other, and nowhere else, without a fault is a bottom component.
Under fairness every run in which faults have stopped ends up in one and visits all of its states.
"""

from collections import deque
from typing import Final

import attrs
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

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
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Flags, Narrow
from model_check.engine.state_graph import StateGraph

_BETTER: Final = {
    HOLD: (DELIVER,),
    LOSE: (DELIVER, HOLD),
    LOSE_HELD: (DELIVER_HELD,),
}
"""What becomes of a message, and what is better for it: without a fault the best happens."""

_BY_A_MOVE: Final = (MOVE, SEND_AND_DELIVER)
_ALWAYS_A_FAULT: Final = (BREAK, SEND_AND_HOLD)  # what was sent and held can be sent again


@attrs.frozen(kw_only=True)
class Unsettled:
    """A bottom component with a state that is not accepted."""

    state: int  # the first such state
    size: int  # states of the component
    loop: tuple[int, ...]  # codes of a shortest way from that state back to it; none if it is alone


def fault_free(graph: StateGraph, local: LocalTables) -> Flags:
    """Whether each transition needs no fault. Shape: (transitions,).

    To lose a message, or to hold it back, is a fault only where something better could happen.
    """
    kind = graph.code & ((1 << KIND_BITS) - 1)
    operand = graph.code >> KIND_BITS
    free: Flags = ~np.isin(kind, _ALWAYS_A_FAULT)
    moved = np.flatnonzero(np.isin(kind, _BY_A_MOVE))
    free[moved] = ~local.move_faults()[operand[moved]]
    of_state = graph.source.astype(np.int64) * (int(operand.max(initial=0)) + 1) + operand
    for worse, better in _BETTER.items():
        at = np.flatnonzero(kind == worse)
        free[at] &= ~np.isin(of_state[at], of_state[np.isin(kind, better)])
    return free


def first_unsettled(graph: StateGraph, free: Flags, accepts: Flags) -> Unsettled | None:
    """The first state in a bottom component that is not accepted, None if there is none.

    All states must have been expanded. Shapes: (transitions,), (states,).
    """
    source, target, code = graph.source[free], graph.target[free], graph.code[free]
    count = len(accepts)
    ones = np.ones(len(source), dtype=np.int8)
    edges = csr_array((ones, (source, target)), (count, count))  # type: ignore[no-untyped-call]
    components, label = connected_components(edges, directed=True, connection="strong")
    bottom = np.ones(components, dtype=np.bool_)
    bottom[label[source[label[source] != label[target]]]] = False
    unsettled = np.flatnonzero(~accepts & bottom[label])
    if not unsettled.size:
        return None
    state = int(unsettled[0])
    inside = label[source] == label[state]
    return Unsettled(
        state=state,
        size=int((label == label[state]).sum()),
        loop=_loop(state, source[inside], target[inside], code[inside]),
    )


def _loop(start: int, source: Narrow, target: Narrow, code: Narrow) -> tuple[int, ...]:
    """The codes of a shortest way from the state back to itself, none if there is no way."""
    onward: dict[int, list[tuple[int, int]]] = {}
    for one, other, what in zip(source.tolist(), target.tolist(), code.tolist(), strict=True):
        onward.setdefault(one, []).append((other, what))
    came: dict[int, tuple[int, int]] = {}
    waiting = deque([start])
    while waiting and start not in came:
        state = waiting.popleft()
        for other, what in onward.get(state, ()):
            if other not in came:
                came[other] = (state, what)
                waiting.append(other)
    codes: list[int] = []
    state = start
    while start in came and (not codes or state != start):
        state, what = came[state]
        codes.append(what)
    return tuple(reversed(codes))

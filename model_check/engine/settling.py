"""Where a system ends up once faults stop: the bottom components of its fault-free transitions.

A set of states that lead to each other, and nowhere else, without a fault is a bottom component.
Under fairness every run in which faults have stopped ends up in one and visits all of its states.
"""

from collections import deque
from typing import Final

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints
from model_check.engine.digraph import Digraph
from model_check.engine.state_graph import StateGraph

_CANDIDATES: Final = 16
"""So many states are looked at to find a short loop."""


@attrs.frozen(kw_only=True)
class Unsettled:
    """A bottom component with a state that is not accepted."""

    state: int  # the first such state
    size: int  # states of the component
    loop: tuple[int, ...]  # codes of a shortest way from that state back to it; none if it is alone


class Ends:
    """The bottom components of a graph, all of whose states have been expanded."""

    def __init__(self, graph: StateGraph, free: Flags) -> None:
        """They are those of the transitions that are `free`. Shape: (transitions,)."""
        self._graph = graph
        self._at = np.flatnonzero(free)
        ways = Digraph.of(graph.source[self._at], graph.target[self._at], len(graph.rows))
        count, self._label = ways.strong_components()
        self._bottom: Flags = ways.bottom(self._label, count)[self._label]

    def first_unsettled(self, accepts: Flags) -> Unsettled | None:
        """The nearest of their states that is not accepted, None if all are. Shape: (states,).

        Of several as near the one with the shortest loop, among the first that there are.
        """
        unsettled = np.flatnonzero(~accepts & self._bottom)
        if not unsettled.size:
            return None
        depths = self._graph.depth[unsettled]
        nearest = unsettled[depths == depths.min()][:_CANDIDATES].tolist()
        return min(map(self._described, nearest), key=lambda found: len(found.loop))

    def _described(self, state: int) -> Unsettled:
        graph = self._graph
        component = self._label == self._label[state]
        inside = self._at[component[graph.source[self._at]]]
        return Unsettled(
            state=state,
            size=int(component.sum()),
            loop=_loop(state, graph.source[inside], graph.target[inside], graph.code[inside]),
        )


def _loop(start: int, source: Ints, target: Ints, code: Ints) -> tuple[int, ...]:
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

"""The judgement of what leads to what, on the graph of all states."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints
from model_check.engine.digraph import NONE, Digraph
from model_check.engine.fair_cycles import fair_components
from model_check.engine.fairness import Deeds, busy, deeds, out_of_budget
from model_check.engine.lasso import loop, stem, waiting
from model_check.engine.projector import Projector
from model_check.engine.state_graph import StateGraph
from model_check.engine.tables import Tables
from model_check.properties import LeadsTo


@attrs.frozen(kw_only=True)
class Lasso:
    """A fair run that asks, at a state, for what never comes."""

    state: int  # the one that asks
    onward: tuple[int, ...]  # codes of the way from there to the loop
    loop: tuple[int, ...]  # codes of the loop; none if the run stops


class Leading:
    """One property of what leads to what."""

    def __init__(self, prop: LeadsTo[Any], tables: Tables) -> None:
        self.property = prop
        self._tables = tables
        self._projected = Projector(tables.local, prop.project)

    def __len__(self) -> int:
        return len(self._projected)

    def lasso(
        self, graph: StateGraph, ways: Digraph, free: Flags, *, at_once: bool
    ) -> Lasso | None:
        """The counterexample with the shortest way to its loop, None if the property holds.

        `ways` are all transitions of the graph, `free` says which of them need no fault. Shape:
        (transitions,).
        """
        tuples = self._tables.tuples(self._projected, graph.rows)
        occupied = busy(graph) if at_once else np.zeros(len(tuples), dtype=np.bool_)
        arrived = self._accepted(self.property.then, tuples)
        if self.property.beyond is not None:
            excused = self._accepted(self.property.beyond, tuples) & ~occupied & ~arrived
            arrived |= out_of_budget(graph, self._tables, excused)
        found = waiting(ways, graph.depth, self._asking(tuples), arrived)
        among = found.states
        if not among.any():
            return None
        done = deeds(graph, self._tables.local, np.flatnonzero(free & among[graph.source]))
        label = fair_components(done, among, occupied)
        ends = np.flatnonzero(label != NONE)
        if not ends.size:
            return None
        end = int(ends[np.argmin(found.distance[ends])])
        asks, onward = stem(ways, found, end)
        return Lasso(
            state=asks,
            onward=_codes(graph, onward),
            loop=_codes(graph, _round(done, label, occupied, end)),
        )

    def _asking(self, tuples: Ints) -> Flags:
        if self.property.when is not None:
            return self._accepted(self.property.when, tuples)
        asking = np.zeros(len(tuples), dtype=np.bool_)
        asking[0] = True
        return asking

    def _accepted(self, judge: Callable[[tuple[Any, ...]], bool], tuples: Ints) -> Flags:
        accepts = np.fromiter(
            (bool(judge(self._projected[number])) for number in range(len(self._projected))),
            dtype=np.bool_,
        )
        accepted: Flags = accepts[tuples]
        return accepted


def _round(done: Deeds, label: Any, occupied: Flags, end: int) -> list[int]:  # noqa: ANN401
    return loop(done, np.equal(label, label[end]), occupied, end)


def _codes(graph: StateGraph, transitions: list[int]) -> tuple[int, ...]:
    return tuple(int(graph.code[number]) for number in transitions)

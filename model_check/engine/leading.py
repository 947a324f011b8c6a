"""The judgement of what leads to what, on the graph of all states."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints, Narrow
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
        tuples = self._tables.tuples(self._projected, [graph.rows])
        occupied = busy(graph) if at_once else np.zeros(len(tuples), dtype=np.bool_)
        arrived = self._accepted(self.property.then, tuples)
        found = waiting(ways, graph.depth, self._asking(tuples), arrived)
        among = found.states
        ahead = np.flatnonzero(free & among[graph.source])
        done = self._in_time(deeds(graph, self._tables.local, ahead), tuples)
        label = fair_components(done, among, occupied)
        if self.property.beyond is not None:
            label = self._without_excused(graph, done, label, occupied)
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

    def _without_excused(
        self, graph: StateGraph, done: Deeds, label: Narrow, occupied: Flags
    ) -> Narrow:
        """The fair components without states that lack a budget and are accepted all the same."""
        looked = occupied.copy()
        excused = np.zeros(len(label), dtype=np.bool_)
        while True:
            ends = (label != NONE) & ~looked
            looked |= ends
            short = np.flatnonzero(out_of_budget(graph, self._tables, ends))
            fine = short[self._would_come(graph, short)]
            if not fine.size:
                return label
            excused[fine] = True
            among = (label != NONE) & ~excused
            done = done.take(np.flatnonzero(among[done.source]))
            label = fair_components(done, among, occupied)

    def _would_come(self, graph: StateGraph, states: Ints) -> Flags:
        """Whether `beyond` accepts each of the states."""
        if self.property.beyond is None or not states.size:
            return np.zeros(len(states), dtype=np.bool_)
        rows, which = np.unique(graph.rows[states], axis=0, return_inverse=True)
        values = self._tables.local.states
        accepts = np.array(
            [self.property.beyond(tuple(values[s][1] for s in row)) for row in rows.tolist()],
            dtype=np.bool_,
        )
        accepted: Flags = accepts[which.ravel()]
        return accepted

    def _in_time(self, done: Deeds, tuples: Ints) -> Deeds:
        """The transitions that are not late."""
        if self.property.late is None:
            return done
        events = len(self._tables.local.events)
        judges = {
            number: judge
            for number, event in enumerate(self._tables.local.events.values)
            if (judge := self.property.late(*event)) is not None
        }
        of_interest = np.zeros(events + 1, dtype=np.bool_)
        of_interest[list(judges)] = True
        at = np.flatnonzero(of_interest[np.minimum(done.deed, events)])
        keys, which = np.unique(
            tuples[done.source[at]].astype(np.int64) * events + done.deed[at], return_inverse=True
        )
        late = np.fromiter(
            (judges[key % events](self._projected[key // events]) for key in keys.tolist()),
            dtype=np.bool_,
        )
        kept = np.ones(len(done.deed), dtype=np.bool_)
        kept[at[late[which]]] = False
        return done.take(np.flatnonzero(kept))

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


def _round(done: Deeds, label: Narrow, occupied: Flags, end: int) -> list[int]:
    return loop(done, np.equal(label, label[end]), occupied, end)


def _codes(graph: StateGraph, transitions: list[int]) -> tuple[int, ...]:
    return tuple(int(graph.code[number]) for number in transitions)

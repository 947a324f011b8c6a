"""What has been found about each property so far."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from model_check.engine.arrays import Ints
from model_check.engine.batch import Batch
from model_check.engine.digraph import Digraph
from model_check.engine.exploration import PropertyResult
from model_check.engine.fairness import fault_free
from model_check.engine.judges import Judge
from model_check.engine.leading import Leading
from model_check.engine.local import LocalTables
from model_check.engine.settling import first_unsettled
from model_check.engine.state_graph import StateGraph
from model_check.links import HeldLinks, Links
from model_check.properties import ON_GRAPHS, LeadsTo, Property, Settles, StepProperty, Verdict
from model_check.trace import Trace


@attrs.frozen
class Find:
    """The first state, or the first transition from a state, that decides a property."""

    state: int
    code: int | None  # of the transition; None if it is the state that decides
    loop: tuple[int, ...] = ()  # codes of what follows from the state, a loop at its end
    repeats: int | None = None  # how many of these the loop has; None if it is all of them


PathTo = Callable[[Find], Trace]


class Findings:
    """The properties of an exploration, and the first find for each.

    Raises ValueError if two properties have the same id.
    """

    def __init__(self, properties: Sequence[Property], local: LocalTables, links: Links) -> None:
        names = [prop.id for prop in properties]
        if len(set(names)) < len(names):
            raise ValueError(f"two properties have the same id: {names}")
        self.violated = False
        self._properties = properties
        self._local = local
        self._at_once = isinstance(links, HeldLinks)
        self._judges = [
            Judge(prop, local)
            for prop in properties
            if not isinstance(prop, StepProperty | Settles | LeadsTo)
        ]
        self._settling = [Judge(prop, local) for prop in properties if isinstance(prop, Settles)]
        self._leading = [Leading(prop, local) for prop in properties if isinstance(prop, LeadsTo)]
        self._finds: dict[str, Find] = {}

    @property
    def all_violated(self) -> bool:
        """Whether nothing is left that a further state could violate."""
        late = ("sometimes", *ON_GRAPHS)
        claims = [prop for prop in self._properties if prop.kind not in late]
        return self.violated and all(prop.id in self._finds for prop in claims)

    def look_at_states(self, states: Ints, first: int) -> None:
        """New states, numbered from `first` on, are judged. Shape: (n, processes)."""
        for judge in self._judges:
            prop = judge.property
            if prop.id in self._finds:
                continue
            decided_by = 1 if prop.kind == "sometimes" else 0
            decisive = np.flatnonzero(judge.accepts(states) == decided_by)
            if decisive.size:
                self._finds[prop.id] = Find(first + int(decisive[0]), None)
                self.violated |= prop.kind == "invariant"

    @property
    def need_graph(self) -> bool:
        """Whether a property is judged on all states and transitions together."""
        return bool(self._settling or self._leading)

    def look_at_graph(self, graph: StateGraph) -> None:
        """All reachable states are known: where they lead once faults stop is judged."""
        if not self.need_graph:
            return
        free = fault_free(graph, self._local, at_once=self._at_once)
        for judge in self._settling:
            unsettled = first_unsettled(graph, free, judge.accepts(graph.rows) == 1)
            if unsettled is not None:
                self._finds[judge.property.id] = Find(unsettled.state, None, unsettled.loop)
        if self._leading:
            ways = Digraph.of(graph.source, graph.target, len(graph.rows))
            for leading in self._leading:
                lasso = leading.lasso(graph, ways, free, at_once=self._at_once)
                if lasso is not None:
                    self._finds[leading.property.id] = Find(
                        lasso.state, None, lasso.onward + lasso.loop, len(lasso.loop)
                    )
        self.violated |= any(
            prop.kind in ON_GRAPHS and prop.id in self._finds for prop in self._properties
        )

    def look_at_steps(self, batch: Batch, first: int) -> None:
        """The steps that the transitions use are judged; row 0 of the chunk is state `first`."""
        if batch.step is None or not self._local.any_refuted:
            return
        refuted = self._local.refuted.view[batch.step]
        for bit, prop in enumerate(step_properties(self._properties)):
            decisive = np.flatnonzero(refuted & (1 << bit))
            if decisive.size and prop.id not in self._finds:
                at = decisive[0]
                find = Find(first + int(batch.parent[at]), int(batch.code[at]))
                self._finds[prop.id] = find
                self.violated = True

    def results(self, path_to: PathTo, *, exhausted: bool) -> tuple[PropertyResult, ...]:
        """The verdict on each property, with its trace."""
        results = []
        for prop in self._properties:
            find = self._finds.get(prop.id)
            trace = None if find is None else _told(path_to(find), find)
            results.append(
                PropertyResult(
                    id=prop.id,
                    kind=prop.kind,
                    verdict=_verdict(prop, found=find is not None, exhausted=exhausted),
                    trace=trace,
                )
            )
        return tuple(results)

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of projections each property was judged on."""
        judges = (*self._judges, *self._settling)
        sizes = [(judge.property.id, len(judge)) for judge in judges]
        sizes += [(leading.property.id, len(leading)) for leading in self._leading]
        return {f"projections of {name}": size for name, size in sizes}


def step_properties(properties: Sequence[Property]) -> list[StepProperty[Any]]:
    """Those that judge steps, in the same order."""
    return [prop for prop in properties if isinstance(prop, StepProperty)]


def _told(trace: Trace, find: Find) -> Trace:
    """The trace, which ends in as many steps that repeat as was found."""
    return trace if find.repeats is None else attrs.evolve(trace, loop=find.repeats)


def _verdict(prop: Property, *, found: bool, exhausted: bool) -> Verdict:
    if prop.kind == "sometimes":
        if found:
            return "holds"
        return "violated" if exhausted else "incomplete"
    if found:
        return "violated"
    return "holds" if exhausted else "incomplete"

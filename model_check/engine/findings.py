"""What has been found about each property so far."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from model_check.engine.arrays import Narrow
from model_check.engine.digraph import Digraph
from model_check.engine.exploration import PropertyResult
from model_check.engine.fairness import fault_free
from model_check.engine.judges import Judges
from model_check.engine.leading import Leading
from model_check.engine.settling import Settling
from model_check.engine.state_graph import StateGraph
from model_check.engine.tables import Tables, step_properties
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

    def __init__(self, properties: Sequence[Property], tables: Tables, links: Links) -> None:
        names = [prop.id for prop in properties]
        if len(set(names)) < len(names):
            raise ValueError(f"two properties have the same id: {names}")
        self.violated = False
        self._properties = properties
        self._local = tables.local
        self._at_once = isinstance(links, HeldLinks)
        of_states = [
            prop for prop in properties if not isinstance(prop, StepProperty | Settles | LeadsTo)
        ]
        self._judges = Judges(of_states, tables)
        settling = [prop for prop in properties if isinstance(prop, Settles)]
        self.settling = Settling(settling, tables, at_once=self._at_once)
        """What is asked of where runs end; what it is judged on has to be given to it."""

        self._leading = [Leading(prop, tables) for prop in properties if isinstance(prop, LeadsTo)]
        self._finds: dict[str, Find] = {}

    @property
    def all_violated(self) -> bool:
        """Whether nothing is left that a further state could violate."""
        late = ("sometimes", *ON_GRAPHS)
        claims = [prop for prop in self._properties if prop.kind not in late]
        return self.violated and all(prop.id in self._finds for prop in claims)

    def look_at_states(self, pieces: Sequence[Narrow], first: int) -> None:
        """New states, numbered from `first` on, are judged. Shape: (n, columns) of each piece."""
        wanted = {prop.id for prop in self._properties if prop.id not in self._finds}
        for prop, accepts in self._judges.judge(pieces, wanted):
            decisive = np.flatnonzero(accepts == (prop.kind == "sometimes"))
            if decisive.size:
                self._finds[prop.id] = Find(first + int(decisive[0]), None)
                self.violated |= prop.kind == "invariant"

    @property
    def need_graph(self) -> bool:
        """Whether a property is judged on all states and transitions together, faults and all."""
        return bool(self._leading)

    def look_where_runs_end(self, levels: Sequence[int]) -> None:
        """All reachable states are known: where they end once faults stop is judged.

        `levels` has the number of the first state of each level.
        """
        for name, unsettled in self.settling.unsettled(levels):
            self._finds[name] = Find(unsettled.state, None, unsettled.loop)
            self.violated = True

    def look_at_fair_runs(self, graph: StateGraph) -> None:
        """All reachable states are known: what fair runs come to is judged."""
        if not self._leading:
            return
        faults = self._local.move_faults()
        free = fault_free(graph.source, graph.code, len(graph.rows), faults, at_once=self._at_once)
        ways = Digraph.of(graph.source, graph.target, len(graph.rows))
        for leading in self._leading:
            lasso = leading.lasso(graph, ways, free, at_once=self._at_once)
            if lasso is not None:
                told = lasso.onward + lasso.loop
                found = Find(lasso.state, None, told, len(lasso.loop))
                self._finds[leading.property.id] = found
                self.violated = True

    def look_at_steps(self, refuted: Mapping[int, tuple[int, int]], first: int) -> None:
        """The steps of a part are judged: for each step property refuted, the row and the code.

        Row 0 of the part is state `first`.
        """
        for bit, prop in enumerate(step_properties(self._properties)):
            if bit in refuted and prop.id not in self._finds:
                row, code = refuted[bit]
                self._finds[prop.id] = Find(first + row, code)
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

    def to_save(self) -> dict[str, Any]:
        """What was found, in a form that JSON can have."""
        return {name: attrs.astuple(find) for name, find in self._finds.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """That much was found before."""
        self._finds = {
            name: Find(state, code, tuple(loop), repeats)
            for name, (state, code, loop, repeats) in saved.items()
        }
        late = [prop.id for prop in self._properties if prop.kind == "sometimes"]
        self.violated = any(name not in late for name in self._finds)

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of projections there were for each group of properties."""
        graphs = [*self.settling.sizes()]
        graphs += [(leading.property.id, len(leading)) for leading in self._leading]
        return self._judges.sizes() | {f"projections of {name}": size for name, size in graphs}


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

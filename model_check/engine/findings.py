"""What has been found about each property so far."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from model_check.engine.arrays import Ints
from model_check.engine.batch import Batch
from model_check.engine.exploration import PropertyResult
from model_check.engine.judges import Judge
from model_check.engine.local import LocalTables
from model_check.properties import Property, StepProperty, Verdict
from model_check.trace import Trace


@attrs.frozen
class Find:
    """The first state, or the first transition from a state, that decides a property."""

    state: int
    code: int | None  # of the transition; None if it is the state that decides


PathTo = Callable[[Find], Trace]


class Findings:
    """The properties of an exploration, and the first find for each.

    Raises ValueError if two properties have the same id.
    """

    def __init__(self, properties: Sequence[Property], local: LocalTables) -> None:
        names = [prop.id for prop in properties]
        if len(set(names)) < len(names):
            raise ValueError(f"two properties have the same id: {names}")
        self.violated = False
        self._properties = properties
        self._local = local
        self._judges = [
            Judge(prop, local) for prop in properties if not isinstance(prop, StepProperty)
        ]
        self._finds: dict[str, Find] = {}

    @property
    def all_violated(self) -> bool:
        """Whether nothing is left that a further state could violate."""
        claims = [prop for prop in self._properties if prop.kind != "sometimes"]
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
            trace = None if find is None else path_to(find)
            verdict = _verdict(prop, found=find is not None, exhausted=exhausted)
            results.append(PropertyResult(id=prop.id, kind=prop.kind, verdict=verdict, trace=trace))
        return tuple(results)

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of projections each property was judged on."""
        return {f"projections of {judge.property.id}": len(judge) for judge in self._judges}


def step_properties(properties: Sequence[Property]) -> list[StepProperty[Any]]:
    """Those that judge steps, in the same order."""
    return [prop for prop in properties if isinstance(prop, StepProperty)]


def _verdict(prop: Property, *, found: bool, exhausted: bool) -> Verdict:
    if prop.kind == "sometimes":
        if found:
            return "holds"
        return "violated" if exhausted else "incomplete"
    if found:
        return "violated"
    return "holds" if exhausted else "incomplete"

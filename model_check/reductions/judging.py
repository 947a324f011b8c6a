"""The judgement of tuples of local states, each distinct tuple of projections once."""

from collections.abc import Hashable
from typing import Any

from model_check.properties import Invariant, Sometimes
from model_check.reductions.steps import LocalSteps


class Judging:
    """A property of states, and what it says."""

    def __init__(self, prop: Invariant[Any] | Sometimes[Any], steps: LocalSteps) -> None:
        self.property = prop
        self._steps = steps
        self._projections: dict[tuple[int, int], Hashable] = {}
        self._accepts: dict[tuple[Hashable, ...], bool] = {}

    def projection(self, process: int, state: int) -> Hashable:
        """What the property sees of a local state."""
        key = (process, state)
        if key not in self._projections:
            self._projections[key] = self.property.project(process, self._steps.value(state))
        return self._projections[key]

    def decides(self, states: tuple[int, ...]) -> bool:
        """Whether the local states violate the invariant, or are a witness."""
        return self.decides_on(tuple(self.projection(*pair) for pair in enumerate(states)))

    def decides_on(self, seen: tuple[Hashable, ...]) -> bool:
        """Whether the projections violate the invariant, or are a witness."""
        if seen not in self._accepts:
            self._accepts[seen] = bool(self.property.judge(seen))
        return self._accepts[seen] == (self.property.kind == "sometimes")

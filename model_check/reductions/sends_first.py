"""An exploration on `set` links in which what can be sent for nothing is sent first.

It visits the worlds of `sending` and judges what `engine.explore` judges on every state: a property
of states, or of steps, has the same verdict, since the same local states occur together. A path to
it is a real one, and need not be the shortest. Properties that are judged on the graph of all
states are refused: that graph is not built.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from time import perf_counter
from typing import Any, Final, Literal

from model_check.engine import Exploration, Limits, Progress, PropertyResult, Watch
from model_check.links import Links, SetLinks
from model_check.properties import ON_GRAPHS, Property, Verdict
from model_check.reductions.judging import Judging
from model_check.reductions.refusal import RefusedError
from model_check.reductions.sending import Covered, Sending, Way
from model_check.reductions.steps import LocalStep, LocalSteps
from model_check.system import System
from model_check.trace import Trace

_OFTEN: Final = 256
"""After how many worlds the limits are looked at."""


def why_not(links: Links, prop: Property | None = None) -> str | None:
    """Why the reduction does not apply to the links, or to the property; None if it does."""
    if not isinstance(links, SetLinks):
        return f"on {links} links a message can be lost or needs room, so sending is not harmless"
    if prop is not None and prop.kind in ON_GRAPHS:
        return "it is judged on all states and transitions together, and not all are visited"
    return None


def refuse(links: Links, properties: Sequence[Property]) -> None:
    """Raise RefusedError if the reduction does not apply."""
    for prop in (None, *properties):
        reason = why_not(links, prop)
        if reason is not None:
            raise RefusedError(reason if prop is None else f"{prop.id}: {reason}")


def explore_sends_first(
    system: System[Any, Any, Any],
    links: Links,
    properties: Sequence[Property],
    limits: Limits | None = None,
    progress: Watch | None = None,
    *,
    stop_at_first: bool = False,
) -> Exploration:
    """What is reachable has been judged, or as much as the limits allow.

    Its distinct states are the worlds that were visited. Raises RefusedError if the reduction does
    not apply.
    """
    refuse(links, properties)
    visit = _Visit(system, properties, limits or Limits(), progress)
    try:
        visit.run(stop_at_first=stop_at_first)
    except KeyboardInterrupt:
        visit.stopped_by = "interrupt"
    return visit.result(str(links))


class _Visit:
    """One exploration, level by level."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        properties: Sequence[Property],
        limits: Limits,
        progress: Watch | None,
    ) -> None:
        self._steps = LocalSteps(system)
        self._sending = Sending(self._steps)
        self._covered = Covered()
        self._properties = properties
        self._judges = [
            Judging(prop, self._steps)
            for prop in properties
            if prop.kind in {"invariant", "sometimes"}
        ]
        self._limits, self._progress = limits, progress
        self._found: dict[str, Way] = {}
        self._judged: set[LocalStep] = set()
        self._fired: Counter[LocalStep] = Counter()
        self._began = perf_counter()
        self.stopped_by: Literal["states", "seconds", "interrupt"] | None = None
        self._exhausted = False
        self._worlds = self._transitions = self._depth = 0

    def run(self, *, stop_at_first: bool) -> None:
        """Everything within the limits has been visited."""
        level = [way for way in (self._sending.start(),) if self._is_new(way)]
        while level:
            following: list[Way] = []
            for number, way in enumerate(level):
                if number % _OFTEN == 0 and self._limit_reached(len(level) - number):
                    return
                if stop_at_first and self._violated():
                    return
                if self._covered.still_has(way.world):
                    following += self._new_from(way)
            level = following
            self._depth += bool(level)
        self._exhausted = True

    def _new_from(self, way: Way) -> Iterable[Way]:
        for onward in self._sending.onward(way):
            self._transitions += 1
            if onward.step is not None:
                self._fired[onward.step] += 1
                self._judge_step(onward, onward.step)
            if self._is_new(onward):
                yield onward

    def _is_new(self, way: Way) -> bool:
        if not self._covered.add(way.world):
            return False
        self._worlds += 1
        for judge in self._judges:
            name = judge.property.id
            if name not in self._found and judge.decides(way.world[0]):
                self._found[name] = way
        return True

    def _judge_step(self, way: Way, step: LocalStep) -> None:
        if step in self._judged or step.before == step.after:
            return
        self._judged.add(step)
        values = self._steps.value(step.before), self._steps.value(step.after)
        for prop in self._properties:
            if prop.kind != "step" or prop.id in self._found:
                continue
            if not prop.judge(step.process, *values):
                self._found[prop.id] = way

    def _violated(self) -> bool:
        return any(prop.kind != "sometimes" and prop.id in self._found for prop in self._properties)

    def _limit_reached(self, waiting: int) -> bool:
        seconds = perf_counter() - self._began
        if self._progress is not None:
            self._progress(
                Progress(
                    depth=self._depth,
                    distinct_states=self._worlds,
                    transitions=self._transitions,
                    waiting=waiting,
                    seconds=seconds,
                )
            )
        if self._limits.states is not None and self._worlds >= self._limits.states:
            self.stopped_by = "states"
        elif self._limits.seconds is not None and seconds >= self._limits.seconds:
            self.stopped_by = "seconds"
        return self.stopped_by is not None

    def result(self, links: str) -> Exploration:
        """What was found."""
        results = tuple(self._result_of(prop) for prop in self._properties)
        if self._violated() or "violated" in {each.verdict for each in results}:
            verdict: Verdict = "violated"
        else:
            verdict = "holds" if self._exhausted else "incomplete"
        return Exploration(
            links=links,
            verdict=verdict,
            stopped_by=self.stopped_by,
            distinct_states=self._worlds,
            transitions=self._transitions,
            depth=self._depth,
            seconds=perf_counter() - self._began,
            step_calls=self._steps.calls,
            tables={
                "local states": len(self._steps),
                "messages": len(self._steps.arrivals),
                "tuples of local states": len(self._covered.local_states()),
                "worlds not covered by others": len(self._covered),
            },
            bounds_hit=False,
            missed_probability=0.0,  # whole worlds are kept
            properties=results,
            fired=self._moves_made(),
            delivered=self._deliveries(),
            graph=None,
        )

    def _result_of(self, prop: Property) -> PropertyResult:
        way = self._found.get(prop.id)
        verdict: Verdict
        if way is not None:
            verdict = "holds" if prop.kind == "sometimes" else "violated"
        elif not self._exhausted:
            verdict = "incomplete"
        else:
            verdict = "violated" if prop.kind == "sometimes" else "holds"
        trace: Trace | None = None if way is None else self._sending.trace(way.steps())
        return PropertyResult(id=prop.id, kind=prop.kind, verdict=verdict, trace=trace)

    def _moves_made(self) -> dict[tuple[int, Hashable], int]:
        made: Counter[tuple[int, Hashable]] = Counter()
        for step, times in self._fired.items():
            if step.needs is None:
                made[step.process, step.event] += times
        for step in self._sending.sent_for_nothing:
            made[step.process, step.event] += 1
        return dict(made)

    def _deliveries(self) -> dict[tuple[int, Hashable], int]:
        done: Counter[tuple[int, Hashable]] = Counter()
        for step in (*self._fired.elements(), *self._sending.echoed):
            if step.needs is not None:
                done[step.process, self._steps.arrivals[step.needs][2]] += 1
        return dict(done)

"""Explorations that visit less find what the full one finds, on small systems made by chance.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Callable, Hashable
from itertools import product
from typing import Any

import attrs
import pytest
from hypothesis import Phase, assume, given, settings

from model_check.engine import Limits, explore
from model_check.engine.oracle import Oracle
from model_check.links import parse_links
from model_check.properties import Invariant, Property, Sometimes, StepProperty
from model_check.reductions import apart, local_exploration, sending
from model_check.reductions.confirming import Search
from model_check.reductions.local_exploration import explore_locally
from model_check.reductions.sends_first import explore_sends_first
from model_check.system import System
from model_check.trace import Trace
from tests.property.test_engine_oracle import PROPERTIES, STATES, TableSystem, systems

SET = parse_links("set")
JUDGED = tuple(prop for prop in PROPERTIES if prop.kind != "settles")
FEW = 300
"""States beyond which a system is left out, to be quick."""


def together(first: int, second: int) -> Sometimes[int]:
    return Sometimes(
        id=f"p is in {first}, q in {second}",
        project=lambda process, state: state if process < 2 else None,
        judge=lambda all_: all_[:2] == (first, second),
    )


PLACES = tuple(together(*pair) for pair in product(range(STATES), repeat=2))


def few_states(system: TableSystem) -> bool:
    return explore(system, SET, (), Limits(states=FEW)).verdict != "incomplete"


def check_follows(system: System[Any, Any, Any], trace: Trace) -> None:
    """The plain explorer can take every step of the path."""
    oracle = Oracle(system, SET)
    world = oracle.initial()
    for step in trace.steps:
        world = next(
            arc.world
            for arc in oracle.arcs(world)
            if (arc.deed.kind, arc.deed.event, arc.deed.channel, arc.deed.message)
            == (step.kind, step.event, step.channel, step.message)
            and arc.stepped == step.process
            and world.local[step.process] == step.before
            and arc.world.local[step.process] == step.after
        )


def decided_at_the_end(prop: Property, trace: Trace) -> bool:
    if isinstance(prop, StepProperty):
        last = trace.steps[-1]
        return not prop.judge(last.process, last.before, last.after)
    local = list(trace.initial)
    for step in trace.steps:
        local[step.process] = step.after
    assert isinstance(prop, Invariant | Sometimes)
    seen = tuple(prop.project(*pair) for pair in enumerate(local))
    return prop.judge(seen) == (prop.kind == "sometimes")


class Met:
    """Properties that decide nothing and note what they are asked about."""

    def __init__(self) -> None:
        self.states: set[tuple[Hashable, ...]] = set()
        self.steps: set[tuple[int, Hashable, Hashable]] = set()
        self.properties: tuple[Property, ...] = (
            Sometimes(id="state", project=lambda _, state: state, judge=self._note_state),
            StepProperty(id="step", judge=self._note_step),
        )

    def _note_state(self, states: tuple[Hashable, ...]) -> bool:
        self.states.add(states)
        return False

    def _note_step(self, process: int, before: Hashable, after: Hashable) -> bool:
        self.steps.add((process, before, after))
        return True

    def verdict(self, prop: Property) -> str:
        """What a whole exploration must say of the property."""
        if isinstance(prop, StepProperty):
            return "violated" if any(not prop.judge(*step) for step in self.steps) else "holds"
        assert isinstance(prop, Invariant | Sometimes)
        seen = {tuple(prop.project(*pair) for pair in enumerate(each)) for each in self.states}
        judgements = {bool(prop.judge(each)) for each in seen}
        holds = True in judgements if prop.kind == "sometimes" else False not in judgements
        return "holds" if holds else "violated"


@settings(max_examples=100, deadline=None)
@given(system=systems())
def test_sending_first_meets_the_same_and_judges_the_same_by_real_paths(
    system: TableSystem,
) -> None:
    assume(few_states(system))
    check_sending_first(system)


def check_sending_first(system: TableSystem) -> None:
    whole, reduced = Met(), Met()

    full = explore(system, SET, whole.properties, Limits())
    found = explore_sends_first(system, SET, (*reduced.properties, *JUDGED))

    assert reduced.states == whole.states
    assert reduced.steps == whole.steps
    assert found.distinct_states <= full.distinct_states
    assert found.fired.keys() <= full.fired.keys()
    assert found.delivered.keys() <= full.delivered.keys()
    for prop, result in zip(JUDGED, found.properties[2:], strict=True):
        assert result.verdict == whole.verdict(prop)
        if result.trace is not None:
            check_follows(system, result.trace)
            assert decided_at_the_end(prop, result.trace)


@settings(max_examples=100, deadline=None)
@given(system=systems())
def test_exploring_apart_decides_as_the_whole_does(system: TableSystem) -> None:
    assume(few_states(system))
    check_apart(system)


def check_apart(system: TableSystem) -> None:
    system = attrs.evolve(system, watchers=())
    whole = Met()
    explore(system, SET, whole.properties, Limits())

    properties = (*JUDGED, *PLACES)
    found = explore_locally(system, SET, properties, worlds=50)

    for prop, decision in zip(properties, found.decisions, strict=True):
        if decision.verdict != "undecided":
            assert decision.verdict == whole.verdict(prop)
        if decision.trace is not None:
            check_follows(system, decision.trace)
            assert decided_at_the_end(prop, decision.trace)


BROKEN_APART = {
    "forgets a message": (apart.Apart, "_news", lambda *_: 0),
    "confirms nothing and believes it": (
        local_exploration,
        "search",
        lambda *_, **__: Search(outcome="none", worlds=0),
    ),
}


def never_seen_red(judge: Callable[[TableSystem], None]) -> None:
    """The judgement stands on each of some hundred systems."""

    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    @given(system=systems())
    def on_systems(system: TableSystem) -> None:
        assume(few_states(system))
        judge(system)

    on_systems()


def test_sending_first_without_sending_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.Sending, "_all_sent", lambda _, __, sent: sent)

    with pytest.raises(AssertionError):
        never_seen_red(check_sending_first)


@pytest.mark.parametrize("twin", BROKEN_APART)
def test_a_broken_exploration_apart_is_noticed(twin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BROKEN_APART[twin])

    with pytest.raises(AssertionError):
        never_seen_red(check_apart)

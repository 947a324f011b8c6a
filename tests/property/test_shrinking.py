"""A path is brought to the least changes of node, and decides the same property at the same step.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from typing_extensions import override

from model_check.engine import Limits, explore
from model_check.engine.oracle import Arc, Oracle, World
from model_check.links import Links, parse_links
from model_check.properties import Invariant, LeadsTo, Property, Sometimes, StepProperty
from model_check.shrink import changes_of, shrink, with_shrunk_stories
from model_check.system import Move, Step, System
from model_check.trace import Trace, TraceStep
from tests.property.test_engine_oracle import PROPERTIES, TableSystem, check_replays, systems
from tests.property.test_liveness_oracle import LIVELY

KINDS = ("held(0)", "held(1)", "held(2)", "held(3,fifo)", "fifo(1)", "fifo(2)", "set")


@attrs.frozen
class Counters(System[int, str, str]):
    """Each process counts to `last`, one after the other or in turn; nobody sends anything."""

    last: int
    processes: tuple[str, ...] = ("p", "q")

    @override
    def initial(self) -> tuple[int, ...]:
        return (0,) * len(self.processes)

    @override
    def moves(self, process: int, state: int) -> Iterable[Move[str]]:
        return [Move("count")] if state < self.last else []

    @override
    def act(self, process: int, state: int, move: Move[str]) -> Step[int, str]:
        return Step(state + 1)

    @override
    def receive(self, process: int, state: int, message: str, lane: int) -> Step[int, str]:
        return Step(state)


ALL_COUNTED = Invariant[int](
    id="not all there", project=lambda _, state: state, judge=lambda all_: set(all_) != {3}
)
REACHED = Sometimes[int](
    id="all there", project=lambda _, state: state, judge=lambda all_: set(all_) == {3}
)


def path(system: System[Any, Any, Any], *who: int) -> Trace:
    """The path on which these processes make their one move in turn, and nothing is delivered."""
    local = list(system.initial())
    steps = []
    for process in who:
        (move,) = system.moves(process, local[process])
        done = system.act(process, local[process], move)
        steps.append(
            TraceStep(
                kind="move",
                process=process,
                event=move.event,
                before=local[process],
                after=done.state,
            )
        )
        local[process] = done.state
    return Trace(initial=system.initial(), initial_messages=(), steps=tuple(steps))


def where_it_leads(trace: Trace) -> tuple[Any, ...]:
    """The local states at the end of the path."""
    local = list(trace.initial)
    for step in trace.steps:
        local[step.process] = step.after
    return tuple(local)


def decides(prop: Property, trace: Trace) -> bool:
    """Whether the last step of the path, or the state after it, decides the property."""
    if isinstance(prop, StepProperty):
        last = trace.steps[-1]
        return not prop.judge(last.process, last.before, last.after)
    assert isinstance(prop, Invariant | Sometimes)
    seen = tuple(prop.project(*pair) for pair in enumerate(where_it_leads(trace)))
    return bool(prop.judge(seen)) == (prop.kind == "sometimes")


def is_waited_for_at_the_end(prop: LeadsTo[Any], steps: Iterable[TraceStep], start: Any) -> bool:
    """Whether what the property leads to was asked for on the path and has not come since."""
    local, waited = list(start), prop.when is None
    for step in (None, *steps):
        if step is not None:
            local[step.process] = step.after
        seen = tuple(prop.project(*pair) for pair in enumerate(local))
        waited = waited or (prop.when is not None and bool(prop.when(seen)))
        waited = waited and not prop.then(seen)
    return waited


def fewest_changes(
    system: System[Any, Any, Any], links: Links, prop: Property, length: int
) -> int | None:
    """The least changes of all paths of this length that decide the property, one by one."""
    assert isinstance(prop, Invariant | Sometimes)
    oracle = Oracle(system, links)

    def changes(world: World, who: tuple[int, ...]) -> list[int]:
        if len(who) == length:
            seen = tuple(prop.project(*pair) for pair in enumerate(world.local))
            decided = bool(prop.judge(seen)) == (prop.kind == "sometimes")
            return [sum(one != other for one, other in pairwise(who))] if decided else []
        return [
            each for arc in oracle.arcs(world) for each in changes(arc.world, (*who, acting(arc)))
        ]

    return min(changes(oracle.initial(), ()), default=None)


def acting(arc: Arc) -> int:
    """Who acts: who made a step, else who sent what was lost or held, or whose channel broke."""
    if arc.stepped is not None:
        return arc.stepped
    assert arc.deed.channel is not None
    return arc.deed.channel[0]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(system=systems())
def test_shrunk_path_is_as_long_and_decides_the_same_with_no_more_changes(
    kind: str, system: TableSystem
) -> None:
    links = parse_links(kind)
    found = explore(system, links, PROPERTIES, Limits(states=600))
    traces = {result.id: result.trace for result in found.properties if result.trace}

    for prop in (each for each in PROPERTIES if each.id in traces):
        trace = traces[prop.id]
        shrunk = shrink(system, links, [prop], trace, budget=300)

        assert len(shrunk.trace.steps) == len(trace.steps)
        assert shrunk.changes == changes_of(shrunk.trace) <= shrunk.before == changes_of(trace)
        check_replays(system, shrunk.trace)
        assert where_it_leads(shrunk.trace) == where_it_leads(trace) or prop.kind != "settles"
        stem = len(trace.steps) - trace.loop
        assert shrunk.trace.steps[stem:] == trace.steps[stem:]
        assert shrunk.trace.loop == trace.loop
        assert prop.kind == "settles" or decides(prop, shrunk.trace)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(system=systems())
def test_shrunk_path_to_a_loop_asks_for_what_never_comes(kind: str, system: TableSystem) -> None:
    links = parse_links(kind)
    found = explore(system, links, LIVELY, Limits(states=300))
    told = [(each, each.trace) for each in found.properties if each.trace is not None]

    for result, trace in told:
        prop = next(each for each in LIVELY if each.id == result.id)
        assert isinstance(prop, LeadsTo)
        shrunk = shrink(system, links, [prop], trace, budget=300).trace

        stem = len(trace.steps) - trace.loop
        assert len(shrunk.steps) == len(trace.steps)
        assert changes_of(shrunk) <= changes_of(trace)
        assert (shrunk.steps[stem:], shrunk.loop) == (trace.steps[stem:], trace.loop)
        check_replays(system, shrunk)
        assert is_waited_for_at_the_end(prop, trace.steps[:stem], trace.initial)
        assert is_waited_for_at_the_end(prop, shrunk.steps[:stem], shrunk.initial)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(system=systems())
def test_what_is_called_least_is_least_of_all_paths_one_by_one(
    kind: str, system: TableSystem
) -> None:
    links = parse_links(kind)
    found = explore(system, links, PROPERTIES, Limits(states=600))
    short = [
        (prop, result.trace)
        for prop, result in zip(PROPERTIES, found.properties, strict=True)
        if result.trace and prop.kind in {"invariant", "sometimes"} and len(result.trace.steps) <= 3
    ]

    for prop, trace in short:
        shrunk = shrink(system, links, [prop], trace)

        assert shrunk.least
        assert shrunk.changes == fewest_changes(system, links, prop, len(trace.steps))


def test_zigzag_becomes_one_change() -> None:
    system = Counters(3)
    zigzag = path(system, 0, 1, 0, 1, 1, 0)

    shrunk = shrink(system, parse_links("held(0)"), [ALL_COUNTED], zigzag)

    assert (shrunk.before, shrunk.changes, shrunk.least) == (4, 1, True)
    assert [step.process for step in shrunk.trace.steps] in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def test_order_on_which_the_property_hangs_is_kept() -> None:
    system = Counters(3)
    zigzag = path(system, 0, 1, 0, 1, 0, 1)
    last_is_q = StepProperty[int](
        id="q ends it", judge=lambda who, _, after: (who, after) != (1, 3)
    )
    never_apart = Invariant[int](
        id="p is not ahead by two",
        project=lambda _, state: state,
        judge=lambda all_: all_ != (2, 1),
    )

    by_step = shrink(system, parse_links("held(0)"), [last_is_q, ALL_COUNTED], zigzag)
    short = attrs.evolve(zigzag, steps=zigzag.steps[:3])
    by_state = shrink(system, parse_links("held(0)"), [never_apart], short)

    assert [step.process for step in by_step.trace.steps] == [0, 0, 0, 1, 1, 1]
    assert by_state.changes == 1
    assert decides(never_apart, by_state.trace)


def test_what_leads_to_nothing_is_still_asked_for() -> None:
    zigzag = path(Counters(3), 0, 1, 0, 1, 1, 0)
    in_between = LeadsTo[int](
        id="asked for in between",
        project=lambda _, state: state,
        when=lambda all_: all_ == (2, 1),
        then=lambda _: False,
    )

    shrunk = shrink(Counters(3), parse_links("held(0)"), [in_between], zigzag)

    assert (shrunk.before, shrunk.changes, shrunk.least) == (4, 2, True)
    assert is_waited_for_at_the_end(in_between, shrunk.trace.steps, (0, 0))


def test_path_that_does_not_decide_the_property_is_left_alone() -> None:
    system = Counters(3)
    elsewhere = path(system, 0, 1, 0)
    other = path(Counters(4), 0, 1, 0, 0, 0)

    for trace in (elsewhere, other):
        shrunk = shrink(system, parse_links("held(0)"), [ALL_COUNTED], trace)

        assert (shrunk.trace, shrunk.least) == (trace, False)


def test_search_without_budget_leaves_the_path_and_claims_nothing() -> None:
    zigzag = path(Counters(3), 0, 1, 0, 1, 1, 0)

    shrunk = shrink(Counters(3), parse_links("held(0)"), [ALL_COUNTED], zigzag, budget=0)

    assert (shrunk.trace, shrunk.changes, shrunk.least) == (zigzag, 4, False)


def test_flights_are_left_alone() -> None:
    zigzag = path(Counters(3), 0, 1, 0, 1, 1, 0)

    assert shrink(Counters(3), parse_links("flight(2)"), [ALL_COUNTED], zigzag).trace is zigzag


def test_one_path_of_two_properties_stays_one() -> None:
    system = Counters(3)
    links = parse_links("held(0)")
    twin = attrs.evolve(ALL_COUNTED, id="the same")
    found = explore(system, links, [ALL_COUNTED, twin, REACHED], Limits())
    zigzag = path(system, 0, 1, 0, 1, 1, 0)
    told = attrs.evolve(
        found, properties=tuple(attrs.evolve(each, trace=zigzag) for each in found.properties)
    )

    one, other, witness = with_shrunk_stories(
        system, links, [ALL_COUNTED, twin, REACHED], told
    ).properties

    assert one.trace == other.trace
    assert one.trace is not None
    assert changes_of(one.trace) == 1
    assert witness.trace is zigzag

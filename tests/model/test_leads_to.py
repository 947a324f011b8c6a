"""What leads to what: unfair runs do not count, fair ones do, and the counterexample is a lasso.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest
from typing_extensions import override

from model_check.engine import Exploration, Limits, explore
from model_check.links import parse_links
from model_check.properties import LeadsTo
from model_check.system import Fairness, Move, Send, Step, System
from tests.property.test_engine_oracle import check_replays

EVERYWHERE = pytest.mark.parametrize("links", ["held(0)", "held(1)", "fifo(1)", "flight(2)", "set"])


Ways = tuple[tuple[str, str, Fairness], ...]


@attrs.frozen
class Walk(System[str, str, str]):
    """One process that goes from state to state as its moves say: (from, to, fairness)."""

    ways: Ways
    costs: Mapping[str, str] = {}  # of the moves to these states
    faults: frozenset[str] = frozenset()  # the moves to these states
    budgets: Mapping[str, int] = {}

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return ("walker",)

    @override
    def initial(self) -> tuple[str, ...]:
        return (self.ways[0][0],)

    @override
    def moves(self, process: int, state: str) -> Iterable[Move[str]]:
        for source, target, fair in self.ways:
            if source == state:
                yield Move(target, self.costs.get(target), target in self.faults, fair)

    @override
    def act(self, process: int, state: str, move: Move[str]) -> Step[str, str]:
        return Step(move.event)

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> Step[str, str]:
        return Step(state)


def comes_to(*states: str, **more: Any) -> LeadsTo[str]:
    return LeadsTo(
        id="comes", project=lambda _, state: state, then=lambda all_: all_[0] in states, **more
    )


def judged(system: System[Any, Any, Any], prop: LeadsTo[Any], links: str) -> Exploration:
    found = explore(system, parse_links(links), [prop], Limits())
    trace = found.properties[0].trace
    assert (found.verdict == "violated") == (trace is not None)
    if trace is not None:
        check_replays(system, trace)
    return found


def lasso(found: Exploration) -> tuple[list[object], list[object]]:
    """The events of the way to the loop, and those of the loop."""
    trace = found.properties[0].trace
    assert trace is not None
    events = [step.event for step in trace.steps]
    return events[: len(events) - trace.loop], events[len(events) - trace.loop :]


def turning(fair: Fairness) -> Walk:
    """Round and round between a and b, with a way out at a only."""
    return Walk((("a", "b", "weak"), ("b", "a", "weak"), ("a", "out", fair)))


def staying(fair: Fairness) -> Walk:
    """Round and round between a and b, with a way out at both."""
    return Walk((*turning(fair).ways, ("b", "out", fair)))


@EVERYWHERE
def test_a_loop_beside_a_move_that_is_weakly_fair_is_no_counterexample(links: str) -> None:
    assert judged(staying("weak"), comes_to("out"), links).verdict == "holds"


@EVERYWHERE
def test_a_loop_beside_a_move_that_is_not_fair_is_one(links: str) -> None:
    found = judged(staying("none"), comes_to("out"), links)

    assert lasso(found) == ([], ["b", "a"])


@EVERYWHERE
def test_a_move_that_cannot_always_be_made_must_be_strongly_fair(links: str) -> None:
    assert lasso(judged(turning("weak"), comes_to("out"), links)) == ([], ["b", "a"])
    assert judged(turning("strong"), comes_to("out"), links).verdict == "holds"


def test_a_part_of_a_component_can_be_fair_where_the_whole_is_not() -> None:
    # From c the way out must be taken; a run that turns between a and b never comes to c.
    ways: Ways = (
        ("a", "b", "weak"),
        ("b", "a", "weak"),
        ("b", "c", "weak"),
        ("c", "a", "weak"),
    )
    found = judged(Walk((*ways, ("c", "out", "strong"))), comes_to("out"), "held(0)")

    assert lasso(found) == ([], ["b", "a"])


def test_strong_fairness_takes_a_component_apart_more_than_once() -> None:
    # Without c no run goes on to d, and without d none stays: nothing is left.
    ways: Ways = (
        ("a", "b", "weak"),
        ("b", "a", "weak"),
        ("b", "c", "strong"),
        ("c", "a", "weak"),
        ("c", "out", "strong"),
    )

    assert judged(Walk(ways), comes_to("out"), "held(0)").verdict == "holds"


def test_a_run_may_stop_where_nothing_is_owed() -> None:
    found = judged(Walk((("a", "b", "weak"), ("b", "out", "none"))), comes_to("out"), "held(0)")

    assert lasso(found) == (["b"], [])


def test_it_may_not_where_something_is() -> None:
    found = judged(Walk((("a", "b", "weak"), ("b", "out", "weak"))), comes_to("out"), "held(0)")

    assert found.verdict == "holds"


def test_faults_are_on_the_way_to_the_loop_and_not_in_it() -> None:
    ways = (*staying("weak").ways, ("a", "lost", "weak"), ("lost", "a", "none"))
    walk = Walk(ways, faults=frozenset({"lost"}))

    assert lasso(judged(walk, comes_to("out"), "held(0)")) == (["lost"], [])


def test_the_loop_does_all_that_is_owed() -> None:
    ways: Ways = (
        ("a", "b", "strong"),
        ("b", "c", "strong"),
        ("c", "a", "weak"),
        ("b", "a", "strong"),
    )
    found = judged(Walk((*ways, ("d", "out", "weak"))), comes_to("out"), "held(0)")

    stem, loop = lasso(found)
    assert stem == []
    assert set(loop) == {"a", "b", "c"}


def test_only_what_was_asked_for_must_come() -> None:
    walk = Walk(
        (("a", "b", "weak"), ("b", "a", "weak"), ("a", "ask", "none"), ("ask", "b", "weak"))
    )

    asked = comes_to("b", when=lambda all_: all_[0] == "ask")
    never = comes_to("out", when=lambda all_: all_[0] == "ask")
    assert judged(walk, asked, "held(0)").verdict == "holds"
    assert lasso(judged(walk, never, "held(0)")) == (["ask"], ["b", "a", "ask"])


def test_what_is_there_when_it_is_asked_for_need_not_come_again() -> None:
    there = comes_to("a", when=lambda all_: all_[0] == "a")

    assert judged(Walk((("a", "b", "weak"),)), there, "held(0)").verdict == "holds"


@pytest.mark.parametrize(("accepts", "verdict"), [(True, "holds"), (False, "violated")])
def test_what_lacks_a_budget_can_be_excused(*, accepts: bool, verdict: str) -> None:
    # Two tries lead back to a; the third would have to be paid for.
    walk = Walk((("a", "b", "weak"), ("b", "a", "weak")), costs={"b": "try"}, budgets={"try": 2})
    excusing = comes_to("out", beyond=lambda local: accepts and local == ("a",))

    assert judged(walk, excusing, "held(0)").verdict == verdict
    assert judged(walk, comes_to("out"), "fifo(1)").verdict == "violated"


def test_a_move_that_comes_too_late_is_a_fault() -> None:
    walk = Walk((("a", "b", "weak"), ("b", "a", "weak"), ("a", "out", "weak")))

    def late(process: int, event: object) -> Any:
        return (lambda shown: shown[0] == "a") if (process, event) == (0, "b") else None

    assert judged(walk, comes_to("out"), "held(0)").verdict == "violated"
    assert judged(walk, comes_to("out", late=late), "held(0)").verdict == "holds"


@attrs.frozen
class Timer(System[int, str, str]):
    """A waits for its timer while B and C tell each other something for ever."""

    fair: Fairness = "weak"

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return ("A", "B", "C")

    @override
    def initial(self) -> tuple[int, ...]:
        return (0, 0, 0)

    @override
    def moves(self, process: int, state: int) -> Iterable[Move[str]]:
        if process == 0 and state == 0:
            yield Move("ring", fair=self.fair)
        if process == 1:
            yield Move("tell")

    @override
    def act(self, process: int, state: int, move: Move[str]) -> Step[int, str]:
        return Step(1) if process == 0 else Step(1 - state, (Send(2, f"{state}"),))

    @override
    def receive(self, process: int, state: int, message: str, lane: int) -> Step[int, str]:
        return Step(int(message))


RINGS = LeadsTo[int](id="rings", project=lambda _, state: state, then=lambda all_: all_[0] == 1)


@pytest.mark.parametrize("links", ["held(0)", "held(1)", "flight(2)"])
def test_a_timer_goes_on_while_messages_are_on_their_way(links: str) -> None:
    assert judged(Timer(), RINGS, links).verdict == "holds"


@pytest.mark.parametrize("links", ["held(0)", "held(1)", "flight(2)"])
def test_without_fairness_the_others_may_talk_for_ever(links: str) -> None:
    # Flights bound what can be told before it arrives, so there the talk may even stop.
    assert judged(Timer(fair="none"), RINGS, links).verdict == "violated"


TOLD = LeadsTo[int](id="told", project=lambda _, state: state, then=lambda all_: all_[2] == 1)


@pytest.mark.parametrize("links", ["held(0)", "held(1)", "fifo(1)", "flight(1,lossy)"])
def test_what_is_said_again_and_again_is_not_lost_for_ever(links: str) -> None:
    assert judged(Timer(), TOLD, links).verdict == "holds"


def test_a_part_of_the_states_says_nothing() -> None:
    found = explore(staying("weak"), parse_links("held(0)"), [comes_to("out")], Limits(states=1))

    assert [result.verdict for result in found.properties] == ["incomplete"]

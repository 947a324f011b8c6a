"""What must come about once faults stop: found to hold, and found to fail with a way to see it.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Iterable

import attrs
import pytest
from typing_extensions import override

from model_check.engine import Exploration, Limits, explore
from model_check.engine.free_ways import FreeGraph
from model_check.links import parse_links
from model_check.properties import Settles
from model_check.system import Move, Send, Step, System

HEARD = Settles[bool](
    id="heard", project=lambda process, heard: process == 0 or heard, judge=all, text="B hears"
)


@attrs.frozen
class Call(System[bool, str, str]):
    """A calls B once, or as often as it likes; B may forget what it heard."""

    repeats: bool
    forgets: str | None = None  # as a fault, or of its own accord

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return ("A", "B")

    @override
    def initial(self) -> tuple[bool, ...]:
        return (False, False)

    @override
    def moves(self, process: int, state: bool) -> Iterable[Move[str]]:
        if process == 0 and (self.repeats or not state):
            yield Move("call")
        if process == 1 and state and self.forgets:
            yield Move("forget", fault=self.forgets == "fault")

    @override
    def act(self, process: int, state: bool, move: Move[str]) -> Step[bool, str]:
        return Step(state=True, sends=(Send(1, "hello"),)) if process == 0 else Step(state=False)

    @override
    def receive(self, process: int, state: bool, message: str, lane: int) -> Step[bool, str]:
        return Step(state=True)


def settle(system: Call, links: str = "held(1)") -> Exploration:
    return explore(system, parse_links(links), [HEARD], Limits())


@pytest.mark.parametrize("links", ["held(0)", "held(1)", "fifo(1)", "flight(1,lossy)"])
def test_a_call_that_is_repeated_is_heard_in_the_end(links: str) -> None:
    assert settle(Call(repeats=True), links).verdict == "holds"


@pytest.mark.parametrize("links", ["held(0)", "flight(1,lossy)"])
def test_a_call_that_was_lost_and_is_not_repeated_is_never_heard(links: str) -> None:
    found = settle(Call(repeats=False), links)

    trace = found.properties[0].trace
    assert found.verdict == "violated"
    assert trace is not None
    assert trace.steps[-1].kind == "lose"
    assert trace.loop == 0


def test_what_is_forgotten_by_a_fault_is_heard_again() -> None:
    assert settle(Call(repeats=True, forgets="fault")).verdict == "holds"


def test_what_is_forgotten_again_and_again_is_a_loop() -> None:
    trace = settle(Call(repeats=True, forgets="alone")).properties[0].trace

    assert trace is not None
    assert trace.loop >= 2


def test_a_part_of_the_states_says_nothing() -> None:
    found = explore(Call(repeats=True), parse_links("held(1)"), [HEARD], Limits(states=1))

    assert [result.verdict for result in found.properties] == ["incomplete"]
    assert found.graph is None


def test_an_interrupt_while_it_is_judged_is_never_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FreeGraph, "come_to", interrupted)
    found = settle(Call(repeats=True))

    assert (found.verdict, found.stopped_by) == ("incomplete", "interrupt")
    assert [result.verdict for result in found.properties] == ["incomplete"]


def test_the_graph_is_kept_only_for_who_asked() -> None:
    assert settle(Call(repeats=True)).graph is None

"""Explorations that visit less: what they save, what they refuse, and how they are asked for.

Clauses: SC-P1, EP-P1.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from typing_extensions import override

from model_check.__main__ import command
from model_check.engine import Limits, Progress, explore
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import system_of
from model_check.properties import ON_GRAPHS, Invariant, Settles, Sometimes, StepProperty
from model_check.reductions import apart, sending
from model_check.reductions.local_exploration import explore_locally
from model_check.reductions.refusal import RefusedError
from model_check.reductions.sends_first import explore_sends_first
from model_check.system import Move, Send, Step, System
from reference.core.rules import DIALECTS

SET = parse_links("set")


@attrs.frozen
class Fork(System[str, str, str]):
    """Left goes one way or the other, with a message or without; right follows what it is told."""

    ways: tuple[str, ...]
    silent: tuple[str, ...] = ()  # the ways that it does not tell
    to: str | None = None  # where left ends; None: it is seen where it went
    times: int = 1

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return ("left", "right")

    @property
    @override
    def budgets(self) -> dict[str, int]:
        return {"go": self.times}

    @override
    def initial(self) -> tuple[str, str]:
        return ("start", "start")

    @override
    def moves(self, process: int, state: str) -> Iterable[Move[str]]:
        if state == "start" and process == 0:
            return [Move(way, cost="go") for way in self.ways]
        return (
            [Move("by itself", cost="go")] if state == "start" and "itself" in self.silent else []
        )

    @override
    def act(self, process: int, state: str, move: Move[str]) -> Step[str, str]:
        if process == 1:
            return Step("itself")
        sends = () if move.event in self.silent else (Send(1, move.event),)
        return Step(self.to or move.event, sends)

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> Step[str, str]:
        return Step(message)


def never(left: str, right: str) -> Invariant[str]:
    return Invariant(
        id=f"never {left}, {right}",
        project=lambda _, state: state,
        judge=lambda states: states != (left, right),
    )


def ever(left: str, right: str) -> Sometimes[str]:
    return Sometimes(
        id=f"ever {left}, {right}",
        project=lambda _, state: state,
        judge=lambda states: states == (left, right),
    )


def test_less_sent_does_not_stand_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = Fork(ways=("quiet", "loud"), silent=("quiet",), to="gone")
    heard = never("gone", "loud")

    found = explore_sends_first(fork, SET, [heard])

    assert found.verdict == "violated"
    result = found.properties[0]
    assert result.trace is not None
    assert [step.event for step in result.trace.steps] == ["loud", None]

    monkeypatch.setattr(sending.Covered, "add", _once)
    assert explore_sends_first(fork, SET, [heard]).verdict == "holds"


def _once(covered: sending.Covered, world: sending.World) -> bool:
    """Whether the local states were not met before, whatever was sent."""
    most = covered._most.setdefault(world[:2], [])
    most.append(world[2])
    return len(most) == 1


def test_what_only_local_states_allow_is_told_from_what_happens() -> None:
    fork = Fork(ways=("a", "b"), times=1)

    found = explore_locally(fork, SET, [never("a", "b"), never("a", "a"), never("a", "itself")])

    apart_only, happens, impossible = found.decisions
    assert (apart_only.verdict, apart_only.suspected) == ("holds", 1)
    assert "not together" in apart_only.reason
    assert happens.verdict == "violated"
    assert happens.trace is not None
    assert [step.after for step in happens.trace.steps] == ["a", "a"]
    assert (impossible.verdict, impossible.suspected) == ("holds", 0)


def test_budgets_are_shared_where_local_states_are_combined() -> None:
    property_ = ever("a", "itself")

    scarce = explore_locally(Fork(ways=("a",), silent=("itself",)), SET, [property_])
    enough = explore_locally(Fork(ways=("a",), silent=("itself",), times=2), SET, [property_])

    assert (scarce.decisions[0].verdict, scarce.decisions[0].suspected) == ("violated", 0)
    assert (enough.decisions[0].verdict, enough.decisions[0].suspected) == ("holds", 1)


def test_a_search_that_is_given_up_leaves_the_property_undecided() -> None:
    found = explore_locally(Fork(ways=("a", "b")), SET, [never("a", "b")], worlds=1)

    assert found.decisions[0].verdict == "undecided"
    assert found.decisions[0].trace is None


def test_nothing_holds_before_the_fixpoint_but_a_history_counts() -> None:
    claim = never("a", "b")
    step = StepProperty[str](id="right stays", judge=lambda process, *_: process == 0)

    found = explore_locally(Fork(ways=("a", "b")), SET, [claim], Limits(states=1))
    assert found.stopped_by == "states"
    assert found.decisions[0].verdict == "undecided"

    stopped = explore_locally(Fork(ways=("a",)), SET, [step, never("x", "y")], Limits(states=4))
    assert [each.verdict for each in stopped.decisions] == ["violated", "undecided"]


def test_a_forgotten_message_makes_a_wrong_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart.Apart, "_news", lambda *_: 0)

    assert (
        explore_locally(Fork(ways=("a",)), SET, [never("a", "a")]).decisions[0].verdict == "holds"
    )


@pytest.mark.parametrize("links", ["held(1)", "held(1,fifo)", "fifo(1)", "flight(2)"])
def test_other_links_are_refused(links: str) -> None:
    for reduced in (explore_sends_first, explore_locally):
        with pytest.raises(RefusedError, match="links"):
            reduced(Fork(ways=("a",)), parse_links(links), [])


def test_properties_on_graphs_are_refused_or_left() -> None:
    settles = Settles[str](id="ends", project=lambda _, state: state, judge=lambda _: True)

    with pytest.raises(RefusedError, match="ends: it is judged on all states"):
        explore_sends_first(Fork(ways=("a",)), SET, [settles])
    assert explore_locally(Fork(ways=("a",)), SET, [settles]).decisions[0].verdict == "undecided"


def test_watchers_are_explored_with_sends_first_and_refused_apart() -> None:
    class Watching(Fork):
        watchers = (1,)

    explore_sends_first(Watching(ways=("a",)), SET, [])
    with pytest.raises(RefusedError, match="what they see"):
        explore_locally(Watching(ways=("a",)), SET, [])


def test_limits_make_it_incomplete() -> None:
    claims = MODELS["claims"]
    system = system_of(claims.scope(DIALECTS["valkey-9.1"]))

    found = explore_sends_first(system, SET, claims.properties, Limits(states=1))

    assert (found.verdict, found.stopped_by) == ("incomplete", "states")


def test_an_interrupt_keeps_what_was_found() -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    found = explore_sends_first(
        Fork(ways=("a",)), SET, [ever("start", "start"), ever("a", "a")], progress=interrupt
    )

    assert (found.verdict, found.stopped_by) == ("incomplete", "interrupt")
    assert [result.verdict for result in found.properties] == ["holds", "incomplete"]


def test_stale_news_in_any_order_and_number_in_a_few_hundred_worlds() -> None:
    """The full exploration has 5,618,352 states here (model_check/README.md)."""
    claims = MODELS["claims"]
    system = system_of(claims.scope(DIALECTS["valkey-9.1"]))

    found = explore_sends_first(system, SET, claims.properties)

    assert found.verdict == "holds"
    assert (found.distinct_states, found.transitions) == (463, 1_740)
    assert found.tables["tuples of local states"] == 166


@pytest.mark.parametrize("name", ["role-switch", "split", "meeting", "learnt-epoch"])
def test_models_have_the_same_verdicts_whether_or_not_what_is_free_is_sent_first(name: str) -> None:
    model = MODELS[name]
    system = system_of(model.scope(DIALECTS["valkey-9.1"]))
    judged = [prop for prop in model.properties if prop.kind not in ON_GRAPHS]

    full = explore(system, SET, judged, Limits(), states_after_violation=1_000_000)
    found = explore_sends_first(system, SET, judged)

    assert {each.id: each.verdict for each in found.properties} == {
        each.id: each.verdict for each in full.properties
    }
    assert found.distinct_states < full.distinct_states


def test_an_expected_violation_is_found_either_way() -> None:
    """F-8: an epoch goes back in redis-8.0."""
    claims = MODELS["claims"]
    system = system_of(claims.scope(DIALECTS["redis-8.0"]))
    epochs = [prop for prop in claims.properties if prop.id == "EP-P1"]

    full = explore(system, SET, epochs, Limits())
    first = explore_sends_first(system, SET, epochs, stop_at_first=True)
    local = explore_locally(system, SET, epochs, Limits(states=100))

    assert full.properties[0].verdict == first.properties[0].verdict == "violated"
    assert local.decisions[0].verdict == "violated"
    assert local.worlds < first.distinct_states < full.distinct_states
    traces = (full.properties[0].trace, first.properties[0].trace, local.decisions[0].trace)
    assert all(trace is not None and trace.steps for trace in traces)


def checked(*arguments: str, code: int) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_sends_first(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    arguments = ("claims", "--dialect", "valkey-9.1", "--links", "set", "--reduce", "sends-first")

    output = checked(*arguments, "--json", str(told), code=0)

    assert "463 worlds" in output
    run = json.loads(told.read_text())["runs"][0]
    assert run["verdict"] == "holds"
    assert run["distinct_states"] == 463


def test_the_command_tells_what_exploring_apart_decided() -> None:
    output = checked(
        *("claims", "--dialect", "redis-8.0", "--links", "set", "--limit-states", "100"),
        *("--first", "--reduce", "local", "--reduce", "sends-first"),
        code=3,
    )

    assert "apart, EP-P1: violated, a history leads there" in output


def test_a_story_is_not_called_the_shortest_where_not_all_states_are_visited() -> None:
    output = checked(
        *("claims", "--dialect", "redis-8.0", "--links", "set", "--first"),
        *("--reduce", "sends-first"),
        code=3,
    )

    assert "A story that breaks EP-P1" in output


def test_the_command_names_what_is_left_out() -> None:
    output = checked(
        *("role-switch", "--dialect", "valkey-9.1", "--links", "set", "--reduce", "sends-first"),
        code=3,
    )

    assert "left out: SC-P2: it is judged on all states and transitions together" in output


def test_the_command_refuses_what_is_unsound() -> None:
    output = checked("claims", "--links", "held(1)", "--reduce", "sends-first", code=2)

    assert "--reduce sends-first: on held(1) links" in " ".join(output.split())

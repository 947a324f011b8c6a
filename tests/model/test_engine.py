"""The engine gives the known answers on small systems.

Clauses: none, the engine knows no protocol.
"""

import json
import os
import subprocess
import sys
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import attrs
import networkx as nx
import numpy as np
import pytest
from typing_extensions import override

from model_check.engine import Exploration, Limits, Progress, Watch, explore
from model_check.engine.options import Options
from model_check.graph import to_networkx, write_graphml
from model_check.links import parse_links
from model_check.models.yardstick.two_phase import TwoPhase
from model_check.properties import Invariant, Property, Sometimes, StepProperty
from model_check.system import Move, Send, Step, System
from model_check.trace import TraceStep
from tests.model.toys import Crossing, ForgetfulLock, Stream, TokenRing, someone

NEVER = Invariant[Hashable](id="never", project=lambda *_: None, judge=lambda _: False)
ALWAYS = Invariant[Hashable](id="always", project=lambda *_: None, judge=lambda _: True)
ONE_LOCK = Invariant[str](
    id="one lock",
    project=lambda _, state: state == "locked",
    judge=lambda locked: sum(locked) <= 1,
)


def run(
    system: System[Any, Any, Any],
    links: str,
    *properties: Property,
    progress: Watch | None = None,
    keep_states: bool = False,
    chunk: int = 1000,
) -> Exploration:
    return explore(
        system,
        parse_links(links),
        properties,
        Limits(),
        progress,
        keep_states=keep_states,
        options=Options(chunk=chunk, part=chunk),
    )


@pytest.mark.parametrize(("managers", "states"), [(3, 288), (5, 8832)])
def test_two_phase_commit_has_its_published_number_of_states(managers: int, states: int) -> None:
    consistent = Invariant[tuple[str, frozenset[int]]](
        id="consistent",
        project=lambda _, state: state[0],
        judge=lambda states: not {"committed", "aborted"} <= set(states),
    )

    found = run(TwoPhase(managers), "set", consistent)

    assert (found.verdict, found.distinct_states) == ("holds", states)


def test_token_ring_is_a_cycle() -> None:
    found = run(TokenRing(5), "fifo(1)")

    assert (found.distinct_states, found.transitions, found.depth) == (10, 10, 9)
    assert not found.bounds_hit


def test_violated_invariant_has_its_shortest_trace() -> None:
    found = run(ForgetfulLock(), "held(0)", ONE_LOCK, ALWAYS)

    assert found.verdict == "violated"
    violated, other = found.properties
    assert (other.verdict, other.trace) == ("incomplete", None)
    assert violated.trace is not None
    assert violated.trace.initial == ("serving", "idle", "idle")
    assert [(step.kind, step.process) for step in violated.trace.steps] == [
        ("move", 1),
        ("deliver", 0),
        ("deliver", 1),
        ("move", 2),
        ("deliver", 0),
        ("deliver", 2),
    ]
    assert violated.trace.steps[4] == TraceStep(
        kind="deliver",
        process=0,
        message="ask 2",
        channel=(2, 0, 0),
        before="serving",
        after="serving",
        sends=(Send(2, "granted"),),
        notes=("grants",),
    )


def test_exploration_may_go_on_after_a_violation() -> None:
    two_locks = someone("b locks", 2, "locked")
    properties = (NEVER, ONE_LOCK, two_locks)

    found = explore(
        ForgetfulLock(), parse_links("held(0)"), properties, Limits(), states_after_violation=1_000
    )

    lengths = [len(each.trace.steps) for each in found.properties if each.trace is not None]
    assert [each.verdict for each in found.properties] == ["violated", "violated", "holds"]
    assert lengths == [0, 6, 3]


def test_violation_in_the_initial_state_has_an_empty_trace() -> None:
    found = run(TokenRing(3), "fifo(1)", NEVER)

    assert (found.verdict, found.distinct_states, found.depth) == ("violated", 1, 0)
    assert found.properties[0].trace is not None
    assert found.properties[0].trace.steps == ()


def test_violated_step_property_names_the_step() -> None:
    stays = StepProperty[str](id="nobody locks", judge=lambda _, *step: step[1] != "locked")

    found = run(ForgetfulLock(), "set", stays)

    assert found.verdict == "violated"
    trace = found.properties[0].trace
    assert trace is not None
    assert len(trace.steps) == 3
    assert (trace.steps[-1].before, trace.steps[-1].after) == ("waiting", "locked")


def test_step_property_ignores_steps_that_cannot_be_reached() -> None:
    found = run(
        Stream(last=2),
        "fifo(2)",
        StepProperty(id="in order", judge=lambda _, __, after: after != (2, 1)),
    )

    assert found.verdict == "holds"


def test_sometimes_that_is_reached_holds_with_its_witness() -> None:
    found = run(ForgetfulLock(), "held(0)", someone("b locks", 2, "locked"))

    assert (found.verdict, found.properties[0].verdict) == ("holds", "holds")
    assert found.properties[0].trace is not None
    assert len(found.properties[0].trace.steps) == 3


def test_sometimes_that_is_not_reached_is_violated() -> None:
    found = run(ForgetfulLock(), "held(0)", someone("b explodes", 2, "exploded"))

    assert (found.verdict, found.properties[0].verdict) == ("violated", "violated")
    assert found.properties[0].trace is None


def test_state_limit_is_never_a_pass() -> None:
    wanted = (ALWAYS, someone("p1 has it", 1, state=True), someone("p2 has it", 2, state=True))

    found = explore(TokenRing(3), parse_links("fifo(1)"), wanted, Limits(states=3))

    assert (found.verdict, found.stopped_by) == ("incomplete", "states")
    verdicts = [result.verdict for result in found.properties]
    assert verdicts == ["incomplete", "holds", "incomplete"]


def test_time_limit_is_never_a_pass() -> None:
    found = explore(TokenRing(3), parse_links("fifo(1)"), (), Limits(seconds=0))

    assert (found.verdict, found.stopped_by) == ("incomplete", "seconds")


def test_limit_that_is_not_needed_changes_nothing() -> None:
    found = explore(TokenRing(3), parse_links("fifo(1)"), (), Limits(states=7, seconds=1000))

    assert (found.verdict, found.stopped_by, found.distinct_states) == ("holds", None, 6)


def test_violation_found_before_the_limit_is_a_violation() -> None:
    found = explore(ForgetfulLock(), parse_links("set"), (NEVER,), Limits(states=1))

    assert found.verdict == "violated"


def test_interrupt_is_never_a_pass() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.distinct_states == 4:
            raise KeyboardInterrupt

    found = run(TokenRing(5), "fifo(1)", ALWAYS, progress=interrupt)

    assert (found.verdict, found.stopped_by) == ("incomplete", "interrupt")
    assert found.distinct_states == 4


def test_progress_is_told() -> None:
    told: list[Progress] = []

    run(TokenRing(3), "fifo(1)", progress=told.append)

    assert [(each.depth, each.distinct_states, each.waiting) for each in told] == [
        (0, 2, 1),
        (1, 3, 1),
        (2, 4, 1),
        (3, 5, 1),
        (4, 6, 1),
        (5, 6, 0),
    ]


def test_moves_and_deliveries_are_counted() -> None:
    found = run(TokenRing(2), "fifo(1)")

    assert found.fired == {(0, "pass"): 1, (1, "pass"): 1}
    assert found.delivered == {(0, "token"): 1, (1, "token"): 1}
    assert found.step_calls == 4
    assert found.tables["local states"] == 4


def test_counts_do_not_depend_on_how_levels_are_cut() -> None:
    results = [run(TwoPhase(4), "held(1)", chunk=size, keep_states=True) for size in (1, 10, 10**6)]

    assert len({(each.distinct_states, each.transitions, each.depth) for each in results}) == 1


def test_graph_has_every_state_and_transition() -> None:
    found = run(TokenRing(3), "fifo(1)", keep_states=True)

    graph = to_networkx(found, lambda process, state: f"{process} {state}")

    assert isinstance(graph, nx.MultiDiGraph)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (6, 6)
    assert graph.nodes[0] == {"p0": "0 True", "p1": "1 False", "p2": "2 False", "depth": 0}
    assert nx.is_strongly_connected(graph)
    labels = [str(attributes["label"]) for _, _, attributes in graph.edges(data=True)]
    assert labels[:2] == ["p0: pass", "deliver p0 -> p1: token"]


def test_graph_tells_of_breaks() -> None:
    stream = Stream(last=1, budgets={"break": 1})

    found = run(stream, "fifo(1)", keep_states=True)

    graph = to_networkx(found)
    labels = {str(attributes["label"]) for _, _, attributes in graph.edges(data=True)}
    assert labels == {
        "sender: send",
        "deliver sender -> receiver: 1",
        "deliver held sender -> receiver: 1",
        "break sender -> receiver (0)",
    }
    assert found.graph is not None
    assert {found.graph.local(state, 1) for state in range(found.distinct_states)} == {(), (1,)}


def test_graph_is_written_as_graphml(tmp_path: Path) -> None:
    write_graphml(run(TokenRing(3), "held(1)", keep_states=True), tmp_path / "ring.graphml")

    graph = nx.read_graphml(tmp_path / "ring.graphml")

    assert graph.number_of_nodes() == 10
    assert graph.nodes["0"]["p0"] == "True"


def test_graph_that_was_not_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="kept no states"):
        to_networkx(run(TokenRing(2), "set"))


@attrs.frozen
class Misguided(TokenRing):
    """A ring whose moves are wrong in one way."""

    cost: str | None = None
    dest: int = 1

    @override
    def moves(self, process: int, state: bool) -> Iterable[Move[str]]:
        return [Move("pass", self.cost)]

    @override
    def act(self, process: int, state: bool, move: Move[str]) -> Step[bool, str]:
        return Step(state, (Send(self.dest, "token"), Send(self.dest, "token")))


@pytest.mark.parametrize(
    ("system", "wrong"),
    [
        (Misguided(2, cost="crash"), "costs 'crash', which is no budget"),
        (Misguided(2, dest=0), "process 0 sends to 0: 'token'"),
        (Misguided(2, dest=2), "process 0 sends to 2: 'token'"),
        (Stream(last=1, budgets={"break": -1}), "budget 'break' is negative"),
    ],
)
def test_system_that_breaks_the_rules_is_refused(system: System[Any, Any, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        run(system, "held(0)")


def test_two_properties_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="same id"):
        run(TokenRing(2), "set", ALWAYS, ALWAYS)


def test_every_run_is_the_same_whatever_the_hash_seed() -> None:
    script = (
        "import json; from tests.model.test_engine import *;"
        "found = run(TwoPhase(4), 'held(1)', someone('rm1 commits', 1, "
        "('committed', frozenset())));"
        "print(json.dumps([found.distinct_states, found.transitions, found.depth,"
        "[[s.kind, s.process] for s in found.properties[0].trace.steps]]))"
    )

    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1
    assert json.loads(printed.pop())[0] > 288


def test_witness_is_judged_on_each_distinct_tuple_once() -> None:
    judged: list[tuple[bool, ...]] = []

    def judge(has: tuple[bool, ...]) -> bool:
        judged.append(has)
        return False

    run(TokenRing(4), "held(1)", Sometimes(id="s", project=lambda _, has: has, judge=judge))

    assert len(judged) == len(set(judged)) == 5


@pytest.mark.parametrize("links", ["held(0)", "fifo(1)", "flight(1)", "set"])
def test_watcher_moves_when_it_sees(links: str) -> None:
    found = run(Crossing(), links, someone("went", 1, "gone"))

    # The light is red or green, cold or warm; the walker waits or is gone.
    assert found.distinct_states == 8
    # It goes from two of them, and the light switches in all and warms up in half of them.
    assert found.transitions == 2 + 8 + 4
    assert found.fired[1, "go"] == 2
    # Seen are red and green, whatever else the light is.
    assert found.tables["observations"] == 2
    assert found.properties[0].trace is not None
    assert [step.event for step in found.properties[0].trace.steps] == ["switch", "go"]


def test_a_watcher_is_asked_only_while_it_looks() -> None:
    asked = set[str]()

    class Asked(Crossing):
        @override
        def looks(self, process: int, state: str) -> bool:
            return state == "waiting"

        @override
        def moves_seeing(
            self, process: int, state: str, seen: tuple[Any, ...]
        ) -> Iterable[Move[str]]:
            asked.add(state)
            return super().moves_seeing(process, state, seen)

    looking, always = (run(each, "set") for each in (Asked(), Crossing()))

    assert asked == {"waiting"}
    assert looking.distinct_states == always.distinct_states
    assert looking.transitions == always.transitions


def test_nothing_is_seen_without_watchers() -> None:
    found = run(Crossing(watchers=()), "set", someone("went", 1, "gone"))

    assert found.verdict == "violated"
    assert "observations" not in found.tables


@pytest.mark.parametrize("workers", [1, 3])
def test_states_are_numbered_in_the_order_in_which_states_before_them_lead_there(
    workers: int,
) -> None:
    # States that had to wait for an outcome of the system are no exception.
    found = explore(
        TwoPhase(5),
        parse_links("set"),
        (),
        Limits(),
        keep_states=True,
        options=Options(workers=workers, chunk=700, part=200),
    )

    assert found.graph is not None
    source, target = found.graph.source, found.graph.target
    assert (np.diff(source) >= 0).all()
    numbers, first = np.unique(target[target > 0], return_index=True)
    assert numbers.tolist() == list(range(1, found.distinct_states))
    assert (np.diff(first) > 0).all()

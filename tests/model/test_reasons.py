"""Why a story breaks a property: the clause with its text, the rule, the step and the function.

Clauses: EL-1, EL-3, EL-4, EL-5, EL-6, EL-7, EL-9, EL-10, EL-11, EL-12, EL-13, EL-18, EL-19, EP-1,
EP-2, EP-4, EP-5, FD-6, SC-1.
"""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import attrs
import pytest
from rich.console import Console

from model_check.applied import applied
from model_check.audit import breaches
from model_check.engine import Limits, explore
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import Process, system_of
from model_check.models.start import three_masters, without_dead
from model_check.properties import Invariant
from model_check.reasons import clauses, decisive_steps, reasons
from model_check.replay import replay
from model_check.report import show
from model_check.run import Run, check
from model_check.shrink_memory import Remembered
from model_check.story_files import read_story
from model_check.trace import Trace, TraceStep
from reference.core.announce import header, pong
from reference.core.effects import Happening, Notice, Refusal
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Header
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, Election
from reference.core.types import Health, NodeId, Role

ROOT = Path(__file__).parents[2]
STORIES = ROOT / "tests" / "scenarios" / "stories"
RULES = DIALECTS["valkey-9.1"]
A, B, C, D, E = map(NodeId, "ABCDE")
NODES = {state.myself_id: state for state in without_dead(three_masters(RULES, "D", "E"), "A")}


def judged(
    before: ClusterState,
    *notices: Notice,
    message: object = None,
    after: ClusterState | None = None,
) -> list[str]:
    """The rules that such a step does not keep."""
    step = TraceStep(
        kind="deliver" if message else "move",
        process=0,
        message=message,
        before=Process(state=before, saved=None),
        after=Process(state=after or before, saved=None),
        notes=notices,
    )
    return [each.clause_id for each in breaches(step, RULES)]


def ask(**changes: object) -> FailoverAuthRequest:
    """D's request for a vote, with these changes of its header."""
    asked: Header = attrs.evolve(header(NODES[D]), current_epoch=3, **changes)  # type: ignore[arg-type]
    return FailoverAuthRequest(header=asked)


def voter(node: NodeId, **changes: object) -> ClusterState:
    """B in epoch 3, with these changes of what it knows of the node."""
    state = attrs.evolve(NODES[B], current_epoch=3)
    return state.put(attrs.evolve(state.nodes[node], **changes))  # type: ignore[arg-type]


def alone(model: str, *without: str, links: str = "held(0)", only: str = "") -> Run:
    asked = MODELS[model]
    if only:
        wanted = tuple(each for each in asked.properties if each.id == only)
        asked = attrs.evolve(asked, properties=wanted)
    return check(asked, RULES, parse_links(links), without=without)


VOTED = Notice(what=Happening.VOTED, subject=D, epoch=3)


@pytest.mark.parametrize(
    ("before", "message", "clause_id"),
    [
        (attrs.evolve(voter(D), last_vote_epoch=3), ask(), "EL-4"),
        (voter(D), attrs.evolve(ask(), header=attrs.evolve(ask().header, current_epoch=2)), "EL-5"),
        (voter(D, role=Role.MASTER, replicaof=None), ask(), "EL-6"),
        (voter(D, replicaof=NodeId("Z")), ask(), "EL-6"),
        (voter(A, health=Health.OK), ask(), "EL-6"),
        (voter(C, config_epoch=9, slots=SlotSet.of([0, 2])), ask(), "EL-7"),
        (voter(B, slots=SlotSet.of([])), ask(), "EL-18"),
    ],
)
def test_vote_and_refusal_are_judged_by_what_the_voter_knew(
    before: ClusterState, message: FailoverAuthRequest, clause_id: str
) -> None:
    why = {
        "EL-4": Refusal.ALREADY_VOTED,
        "EL-5": Refusal.REQUEST_EPOCH_OLD,
        "EL-7": Refusal.CLAIM_OUTDATED,
        "EL-18": Refusal.NOT_A_VOTER,
    }

    noted = attrs.evolve(before, last_vote_epoch=3)
    assert judged(before, VOTED, message=message, after=noted) == [clause_id]
    noted = attrs.evolve(voter(D), last_vote_epoch=3)
    assert judged(voter(D), VOTED, message=ask(), after=noted) == []
    if clause_id in why:
        refused = Notice(what=why[clause_id], subject=D)
        assert judged(before, refused, message=message) == []
        assert judged(voter(D), refused, message=ask()) == [clause_id]


def test_request_that_is_forced_needs_no_failed_master() -> None:
    forced = attrs.evolve(ask(), force_ack=True)
    before = voter(A, health=Health.OK)

    noted = attrs.evolve(before, last_vote_epoch=3)
    assert judged(before, VOTED, message=forced, after=noted) == []


def test_vote_has_to_be_noted() -> None:
    assert judged(voter(D), VOTED, message=ask()) == ["EL-10"]


def candidate(*voters: NodeId) -> ClusterState:
    """D in an election of epoch 4, with these votes."""
    election = Election(failover_auth_epoch=4, voters=frozenset(voters))
    return attrs.evolve(NODES[D], current_epoch=4, election=election)


def vote_of(node: NodeId, epoch: int = 4) -> FailoverAuthAck:
    return FailoverAuthAck(header=attrs.evolve(header(NODES[node]), current_epoch=epoch))


WON = Notice(what=Happening.WON_ELECTION, epoch=4)
COUNTED = Notice(what=Happening.COUNTED_VOTE, subject=B, epoch=4)


def test_votes_that_count_and_majorities_are_judged() -> None:
    last = candidate(C)
    outdated = Notice(what=Refusal.VOTE_OUTDATED, subject=B)
    own = Notice(what=Happening.COUNTED_VOTE, subject=E, epoch=4)

    assert judged(candidate(), COUNTED, message=vote_of(B)) == []
    assert judged(candidate(), COUNTED, message=vote_of(B, 3)) == ["EL-11"]
    assert judged(candidate(), outdated, message=vote_of(B, 3)) == []
    assert judged(candidate(), outdated, message=vote_of(B)) == ["EL-11"]
    assert judged(candidate(), own, message=vote_of(E)) == ["EL-11"]
    assert judged(candidate(), COUNTED, WON, message=vote_of(B), after=winner()) == ["EL-12"]
    assert judged(last, COUNTED, WON, message=vote_of(B), after=winner()) == []
    assert judged(last, COUNTED, WON, message=vote_of(B), after=winner(3)) == ["EL-13"]
    assert judged(last, COUNTED, WON, message=vote_of(B)) == ["EL-13"] * 3
    assert judged(last, COUNTED, message=vote_of(B)) == ["EL-12"]


def winner(config_epoch: int = 4) -> ClusterState:
    """D as the master of A's slots."""
    state = attrs.evolve(NODES[D], current_epoch=4)
    state = state.put(attrs.evolve(state.nodes[A], slots=SlotSet.of([])))
    new = attrs.evolve(
        state.myself,
        role=Role.MASTER,
        replicaof=None,
        config_epoch=config_epoch,
        slots=NODES[D].nodes[A].slots,
    )
    return state.put(new)


STARTED = Notice(what=Happening.STARTED_ELECTION, epoch=4)


def test_who_stands_is_judged() -> None:
    healthy = NODES[D].put(attrs.evolve(NODES[D].nodes[A], health=Health.OK))
    running = Notice(what=Refusal.ELECTION_RUNNING, subject=D)
    again = attrs.evolve(STARTED, epoch=3)

    assert judged(NODES[D], STARTED) == []
    assert judged(NODES[D], again) == ["EL-3"]
    assert judged(healthy, STARTED) == ["EL-1"]
    assert judged(NODES[B], STARTED) == ["EL-1"]
    assert judged(candidate(), attrs.evolve(STARTED, epoch=5)) == ["EL-19"]
    assert judged(candidate(), running) == []
    assert judged(NODES[D], running) == ["EL-19"]


def test_replica_that_may_stand_has_an_election_due(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(NODES[D]) == []
    monkeypatch.setattr("model_check.audit.timers", lambda _: ())
    assert judged(NODES[D]) == ["EL-1"]
    assert judged(NODES[B]) == []


def test_epochs_collisions_claims_and_failures_are_judged() -> None:
    b = attrs.evolve(NODES[B], current_epoch=3, last_vote_epoch=2)
    newer = pong(attrs.evolve(NODES[C], current_epoch=7), ())
    lower = b.put(attrs.evolve(b.nodes[C], config_epoch=0))
    took = b.put(attrs.evolve(b.nodes[A], slots=SlotSet.of([])))
    took = took.put(attrs.evolve(took.nodes[C], slots=SlotSet.of([0, 2])))
    collided = Notice(what=Happening.EPOCH_COLLISION, subject=A, epoch=4)
    failed = Notice(what=Happening.MARKED_FAIL, subject=A)
    same_epoch = attrs.evolve(
        pong(NODES[C], ()).header, sender=A, config_epoch=b.myself.config_epoch
    )

    assert judged(b, after=attrs.evolve(b, current_epoch=2)) == ["EP-1"]
    assert judged(b, after=attrs.evolve(b, last_vote_epoch=1)) == ["EL-4"]
    assert judged(b, message=newer) == ["EP-1"]
    assert judged(b, message=newer, after=attrs.evolve(b, current_epoch=7)) == []
    assert judged(b, message=pong(NODES[C], ()), after=lower) == ["EP-2"]
    old = attrs.evolve(pong(NODES[C], ()).header, config_epoch=0)
    assert judged(b, message=attrs.evolve(newer, header=old), after=took) == ["SC-1"]
    new = attrs.evolve(pong(NODES[C], ()).header, config_epoch=9)
    assert judged(b, message=attrs.evolve(newer, header=new), after=took) == []
    assert judged(b, collided, message=attrs.evolve(newer, header=same_epoch)) == ["EP-5"]
    other = attrs.evolve(same_epoch, config_epoch=99)
    assert "EP-4" in judged(b, collided, message=attrs.evolve(newer, header=other))
    assert judged(b, failed) == ["FD-6"]
    told = b.put(attrs.evolve(b.nodes[A], fail_reports=frozenset({C})))
    assert judged(told, failed) == []


def asked_of(model: str, dialect: str, links: str) -> Iterator[TraceStep]:
    """Every distinct step of a node in the whole scope."""
    heard = Remembered(system_of(MODELS[model].scope(DIALECTS[dialect])))
    explore(heard, parse_links(links), (), Limits())
    return heard.steps()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("model", ["claims", "takeover", "replica-migration", "dead-epoch"])
def test_no_step_of_the_core_as_it_is_breaks_a_rule(model: str, dialect: str) -> None:
    found = [breaches(step, DIALECTS[dialect]) for step in asked_of(model, dialect, "held(0)")]

    assert len(found) > 50
    assert not any(found)


def test_story_of_a_forgotten_vote_names_the_clauses_the_steps_and_the_functions() -> None:
    run = alone("two-replicas", "persist_vote", only="EL-P1")
    (result,) = run.found.properties
    assert result.trace is not None

    why = reasons(run, ["EL-P1"], result.trace)

    assert [clause.clause_id for clause in why.clauses] == ["EL-P1"]
    assert [(each.step, each.who) for each in why.decisive] == [(6, "D"), (16, "E")]
    assert "win_election_if_quorum" in {rule.name for each in why.decisive for rule in each.rules}
    (vote,) = why.not_kept
    assert (vote.step, vote.who, vote.clause.clause_id, vote.again) == (12, "B", "EL-9", (13,))
    assert vote.what == (
        "votes in epoch 4: its vote of step 2 is forgotten since it crashed in step 7"
    )
    assert [clause.clause_id for clause in why.turned_off] == ["EL-9"]


def test_place_of_a_rule_is_the_line_of_its_name() -> None:
    story = read_story((STORIES / "two-replicas-valkey-9.1-EL-P1.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    rules = [each.rule for each in applied(system, done.trace.steps[1])]

    assert {"grant_vote", "why_no_vote", "merge_epochs"} <= {rule.name for rule in rules}
    for rule in rules:
        file, line = rule.place.split(":")
        assert f"def {rule.name}(" in (ROOT / file).read_text().splitlines()[int(line) - 1]


def test_step_that_tells_is_told_apart_from_the_steps_that_it_calls() -> None:
    story = read_story((STORIES / "two-replicas-valkey-9.1-EL-P1.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    told = {
        each.rule.name: [note.what for note in each.told]
        for each in applied(system, done.trace.steps[5])
    }

    assert told["win_election_if_quorum"] == [Happening.WON_ELECTION]
    assert told["count_vote"] == [Happening.COUNTED_VOTE]
    assert not told["replace_master"]
    assert applied(system, done.trace.steps[3]) == ()


@pytest.mark.parametrize(
    "name", ["takeover-collision-redis-7.0-SC-P8", "import-election-valkey-9.1-SC-P1"]
)
def test_each_notice_of_a_step_is_told_by_one_rule(name: str) -> None:
    story = read_story((STORIES / f"{name}.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    for step in done.trace.steps:
        told = [note for each in applied(system, step) for note in each.told]
        assert sorted(map(str, told)) == sorted(map(str, step.notes))


def test_decisive_steps_are_those_without_which_the_property_holds() -> None:
    steps = tuple(
        TraceStep(kind="move", process=process, before=before, after=after)
        for process, before, after in ((0, 0, 1), (1, 0, 5), (0, 1, 2), (2, 0, 1), (1, 5, 1))
    )
    trace = Trace(initial=(0, 0, 0), initial_messages=(), steps=steps)
    sums = Invariant[int](
        id="sum", project=lambda _, state: state, judge=lambda all_: sum(all_) < 4
    )
    some = Invariant[int](id="p", project=lambda _, state: state, judge=lambda all_: all_[0] != 2)

    assert decisive_steps(sums, trace) == [3, 4, 5]
    assert decisive_steps(some, trace) == [3, 5]


@pytest.mark.parametrize(
    ("switch", "clause_id"),
    [
        ("one_vote_per_epoch", "EL-4"),
        ("majority_wins", "EL-12"),
        ("merge_current_epoch", "EP-1"),
        ("vote_checks_claims", "EL-7"),
    ],
)
def test_check_says_which_rule_is_not_kept(switch: str, clause_id: str) -> None:
    run = alone("two-replicas", switch)
    told = StringIO()

    show(run, Console(width=100, file=told))

    text = told.getvalue()
    assert f"not kept  {clause_id} {clauses()[clause_id].title} (spec/" in text
    assert clause_id in {each.breach.clause_id for each in run.strays}
    assert "reference/core/" in text


def test_check_of_the_core_as_it_is_has_nothing_to_say_of_rules() -> None:
    assert alone("two-replicas").strays == ()
    assert alone("claims").strays == ()


def test_rule_that_is_known_to_let_it_happen_is_named() -> None:
    run = alone("takeover-collision", only="SC-P8")
    (result,) = run.found.properties
    assert result.trace is not None

    why = reasons(run, ["SC-P8"], result.trace)

    assert [clause.clause_id for clause in why.allowed_by] == ["EP-4"]
    assert why.not_kept == ()

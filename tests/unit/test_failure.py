"""Suspicion, reports, agreement, and back.

Clauses: FD-1, FD-2, FD-3, FD-4, FD-5, FD-6, FD-7, FD-8, FD-9, FD-10, FD-11, FD-12, FD-13, FD-14.
"""

import attrs
import pytest

from reference.core.announce import header, ping, pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, SaveConfig
from reference.core.events import FailUndoAllowed, PongOverdue, ReportExpired
from reference.core.messages import Fail, Gossip
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, Link, NodeId
from tests.builders import (
    A1,
    EITHER,
    STRANGER,
    A,
    B,
    C,
    D,
    E,
    add,
    change,
    cluster,
    failed,
    hear,
    slots,
    told,
    view,
)

ALL = tuple(RELEASES.values())


def report(
    state: ClusterState, reporter: NodeId, subject: NodeId = A, health: Health = Health.PFAIL
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which the reporter says this of the subject's health."""
    said = ping(change(cluster(masters=5, rules=state.rules)[reporter], reporter))
    about = Gossip(node_id=subject, health=health)
    return hear(state, attrs.evolve(said, gossip=(about,)), link=Link.INBOUND)


def suspecting(me: NodeId = B, *, rules: Rules = REDIS_7_0, **fields: object) -> ClusterState:
    """A node of five masters that has a in PFAIL."""
    return change(view(me, masters=5, rules=rules), A, health=Health.PFAIL, **fields)


@pytest.mark.parametrize("rules", EITHER)
def test_a_node_that_does_not_answer_is_in_pfail(rules: Rules) -> None:
    state, effects = step(view(B, rules=rules), PongOverdue(peer=A))

    assert state.nodes[A].health is Health.PFAIL
    assert effects == (Notice(what=Happening.MARKED_PFAIL, subject=A),)


def test_replicas_suspect_too() -> None:
    state, _ = step(view(A1), PongOverdue(peer=A))

    assert state.nodes[A].health is Health.PFAIL


@pytest.mark.parametrize(
    "state",
    [
        view(A),
        failed(view(B)),
        change(view(B), A, health=Health.PFAIL),
        change(view(B), A, noaddr=True),
        change(view(B), A, handshake=True),
    ],
)
def test_oneself_and_nodes_that_are_down_or_never_pinged_are_not_suspected(
    state: ClusterState,
) -> None:
    assert step(state, PongOverdue(peer=A)) == (state, ())
    assert step(state, PongOverdue(peer=STRANGER)) == (state, ())


@pytest.mark.parametrize("rules", ALL)
def test_whether_pfail_itself_makes_a_quorum_depends_on_the_release(rules: Rules) -> None:
    reports = frozenset({C, D})
    state = change(view(B, masters=5, rules=rules), A, fail_reports=reports)

    state, effects = step(state, PongOverdue(peer=A))

    alone = rules in (VALKEY_8_1, VALKEY_9_1)
    assert state.nodes[A].health is (Health.FAIL if alone else Health.PFAIL)
    assert told(effects) == [Happening.MARKED_PFAIL] + [Happening.MARKED_FAIL] * alone


@pytest.mark.parametrize("rules", [*ALL, VALKEY_9_1.without("fail_checked_at_pfail")])
def test_whether_a_lone_voting_master_decides_alone_depends_on_the_release(rules: Rules) -> None:
    state, _ = step(view(A, masters=1, rules=rules), PongOverdue(peer=A1))

    alone = rules in (REDIS_8_0, VALKEY_8_1, VALKEY_9_1)
    assert state.nodes[A1].health is (Health.FAIL if alone else Health.PFAIL)


def test_a_lone_master_with_switches_off_leaves_it_at_pfail() -> None:
    rules = REDIS_8_0.without("lone_master_decides_at_pfail")

    state, _ = step(view(A, masters=1, rules=rules), PongOverdue(peer=A1))

    assert state.nodes[A1].health is Health.PFAIL


def test_with_two_voting_masters_neither_is_alone() -> None:
    state = change(view(A, masters=2, rules=REDIS_8_0), A1, fail_reports=frozenset({B}))

    state, _ = step(state, PongOverdue(peer=A1))

    assert state.nodes[A1].health is Health.PFAIL


def test_with_no_voting_master_nobody_is_alone() -> None:
    state = change(view(A, masters=1, rules=REDIS_8_0), A, slots=NO_SLOTS)

    state, _ = step(state, PongOverdue(peer=A1))

    assert state.nodes[A1].health is Health.PFAIL


@pytest.mark.parametrize(
    ("rules", "health"),
    [(REDIS_8_0, Health.FAIL), (VALKEY_8_1, Health.PFAIL), (VALKEY_9_1, Health.PFAIL)],
)
def test_beside_a_lone_voting_master_whether_an_empty_one_decides_depends_on_the_release(
    rules: Rules, health: Health
) -> None:
    state = change(view(B, masters=2, rules=rules), B, slots=NO_SLOTS)

    state, _ = step(state, PongOverdue(peer=A))

    assert state.nodes[A].health is health


@pytest.mark.parametrize("rules", ALL)
def test_the_replica_of_a_lone_voting_master_does_not_decide(rules: Rules) -> None:
    state = change(view(A1, masters=1, rules=rules), A, fail_reports=frozenset({A, B}))

    state, _ = step(state, PongOverdue(peer=A))

    assert state.nodes[A].health is Health.PFAIL


def test_a_voting_master_short_of_a_quorum_leaves_it_at_pfail() -> None:
    state = change(view(B, masters=5, rules=VALKEY_9_1), A, fail_reports=frozenset({C}))

    state, _ = step(state, PongOverdue(peer=A))

    assert state.nodes[A].health is Health.PFAIL


def test_a_replica_that_sets_pfail_does_not_look_for_a_quorum() -> None:
    reports = frozenset({C, D, E})
    state = change(view(A1, masters=5, rules=VALKEY_9_1), A, fail_reports=reports)

    state, _ = step(state, PongOverdue(peer=A))

    assert state.nodes[A].health is Health.PFAIL


@pytest.mark.parametrize("health", [Health.PFAIL, Health.FAIL])
def test_a_master_that_says_a_node_is_failing_counts_against_it(health: Health) -> None:
    state, effects = report(view(B, masters=5), C, health=health)

    assert frozenset({C}) == state.nodes[A].fail_reports
    assert state.nodes[A].health is Health.OK
    assert not told(effects)


def test_a_master_that_says_a_node_is_well_no_longer_counts_against_it() -> None:
    state = change(view(B, masters=5), A, fail_reports=frozenset({C, D}))

    state, _ = report(state, C, health=Health.OK)

    assert frozenset({D}) == state.nodes[A].fail_reports


def test_a_replica_does_not_count() -> None:
    state, _ = report(view(B, masters=5), A1, C)

    assert not state.nodes[C].fail_reports


def test_nobody_counts_against_oneself() -> None:
    state, _ = report(view(A, masters=5), C)

    assert not state.nodes[A].fail_reports


def test_whether_a_master_without_slots_counts_depends_on_the_release() -> None:
    for rules in ALL:
        reports = {STRANGER} if rules in (REDIS_7_0, REDIS_8_0) else set()
        about = (Gossip(node_id=A, health=Health.PFAIL),)
        stranger = add(view(C, rules=rules), STRANGER)
        message = ping(attrs.evolve(stranger, myself_id=STRANGER))
        state = add(view(B, rules=rules), STRANGER)

        state, _ = hear(state, attrs.evolve(message, gossip=about))

        assert reports == state.nodes[A].fail_reports


def test_whether_reports_are_taken_in_fail_depends_on_the_release() -> None:
    for rules in ALL:
        reports = set() if rules is VALKEY_9_1 else {C}
        state, _ = report(failed(view(B, masters=5, rules=rules)), C)

        assert reports == state.nodes[A].fail_reports


def test_a_report_that_is_not_renewed_expires() -> None:
    state = change(view(B), A, fail_reports=frozenset({C}))

    state, effects = step(state, ReportExpired(subject=A, reporter=C))

    assert not state.nodes[A].fail_reports
    assert not effects
    assert step(state, ReportExpired(subject=A, reporter=C)) == (state, ())
    assert step(state, ReportExpired(subject=STRANGER, reporter=C)) == (state, ())


@pytest.mark.parametrize("rules", EITHER)
def test_a_majority_with_oneself_makes_a_node_fail_and_all_are_told(rules: Rules) -> None:
    state = suspecting(rules=rules, fail_reports=frozenset({C}))

    after, effects = report(state, D)

    assert after.nodes[A].health is Health.FAIL
    assert effects[0] == SaveConfig(fsync=False)
    assert Notice(what=Happening.MARKED_FAIL, subject=A) in effects
    assert Broadcast(message=Fail(header=header(after), subject=A)) in effects


@pytest.mark.parametrize("rules", EITHER)
def test_less_than_a_majority_leaves_a_node_in_pfail(rules: Rules) -> None:
    state, _ = report(suspecting(rules=rules), C)

    assert state.nodes[A].health is Health.PFAIL


def test_a_majority_without_own_suspicion_changes_nothing() -> None:
    state = change(view(B, masters=5), A, fail_reports=frozenset({C, D}))

    state, _ = report(state, E)

    assert state.nodes[A].health is Health.OK


def test_a_replica_needs_a_majority_without_itself() -> None:
    state, _ = report(suspecting(A1, fail_reports=frozenset({C})), D)
    after, _ = report(state, E)

    assert state.nodes[A].health is Health.PFAIL
    assert after.nodes[A].health is Health.FAIL


def test_whether_oneself_counts_without_slots_depends_on_the_release() -> None:
    for rules in ALL:
        counts = rules in (REDIS_7_0, REDIS_8_0)
        health = Health.FAIL if counts else Health.PFAIL
        state = suspecting(rules=rules, fail_reports=frozenset({C}))
        state = change(state, B, slots=NO_SLOTS)

        state, _ = report(state, D)

        assert health is state.nodes[A].health


def test_a_fail_message_is_believed_whatever_one_thought() -> None:
    for health in (Health.OK, Health.PFAIL):
        state = change(view(B), A, health=health)

        state, effects = hear(state, Fail(header=header(view(C)), subject=A))

        assert state.nodes[A].health is Health.FAIL
        assert effects == (
            SaveConfig(fsync=False),
            Notice(what=Happening.LEARNED_FAIL, subject=A),
        )


def test_a_fail_message_that_tells_nothing_new_changes_nothing() -> None:
    state = failed(view(B))

    assert hear(state, Fail(header=header(view(C)), subject=A)) == (state, ())


def test_a_fail_message_about_oneself_is_refused() -> None:
    state = view(A)

    after, effects = hear(state, Fail(header=header(view(C)), subject=A))

    assert state is after
    assert effects == (Notice(what=Refusal.ABOUT_MYSELF, subject=C),)


def test_a_fail_message_about_an_unknown_node_is_refused() -> None:
    state = view(A)

    after, effects = hear(state, Fail(header=header(view(C)), subject=STRANGER))

    assert state is after
    assert effects == (Notice(what=Refusal.UNKNOWN_SUBJECT, subject=STRANGER),)


def test_a_node_in_pfail_that_answers_is_well() -> None:
    state, effects = hear(change(view(B), A, health=Health.PFAIL), pong(view(A)))

    assert state.nodes[A].health is Health.OK
    assert effects == (SaveConfig(fsync=False),)


def test_an_announcement_on_the_link_it_dialled_is_no_answer() -> None:
    state = change(view(B), A, health=Health.PFAIL)

    assert hear(state, pong(view(A)), link=Link.INBOUND) == (state, ())


def test_a_ping_is_no_answer_on_any_link() -> None:
    state = change(view(B), A, health=Health.PFAIL)

    for link in Link:
        assert hear(state, ping(view(A)), link=link)[0] is state


def test_a_replica_in_fail_that_answers_is_well() -> None:
    state, effects = hear(failed(view(B), A1), pong(view(A1)))

    assert state.nodes[A1].health is Health.OK
    assert told(effects) == [Happening.CLEARED_FAIL]


def test_a_master_in_fail_that_answers_stays_in_fail_until_it_is_allowed() -> None:
    state = failed(view(B))

    assert hear(state, pong(view(A))) == (state, ())

    state, effects = step(state, FailUndoAllowed(peer=A))

    assert state.nodes[A].health is Health.OK
    assert effects == (SaveConfig(fsync=False), Notice(what=Happening.CLEARED_FAIL, subject=A))


def test_only_a_node_in_fail_is_cleared() -> None:
    state = change(view(B), A, health=Health.PFAIL)

    assert step(state, FailUndoAllowed(peer=A)) == (state, ())
    assert step(state, FailUndoAllowed(peer=STRANGER)) == (state, ())


def test_a_node_without_a_vote_is_cleared_by_its_answer_alone() -> None:
    state = failed(view(B), A1)

    assert step(state, FailUndoAllowed(peer=A1)) == (state, ())


@pytest.mark.parametrize("rules", ALL)
def test_a_report_that_is_taken_back_in_fail_no_longer_counts(rules: Rules) -> None:
    state = change(failed(view(B, masters=5, rules=rules)), A, fail_reports=frozenset({C, D}))

    state, _ = report(state, C, health=Health.OK)

    assert frozenset({D}) == state.nodes[A].fail_reports
    assert state.nodes[A].health is Health.FAIL


def test_the_same_report_again_changes_nothing() -> None:
    state, _ = report(view(B, masters=5), C)

    assert report(state, C)[0] is state


def test_a_report_about_a_node_in_fail_makes_no_second_fail() -> None:
    state = change(failed(view(B, masters=5)), A, fail_reports=frozenset({C, D}))

    _, effects = report(state, E)

    assert not [effect for effect in effects if isinstance(effect, Broadcast)]
    assert not told(effects)


def test_a_master_without_slots_in_fail_that_answers_is_well() -> None:
    state, effects = hear(change(failed(view(B)), A, slots=NO_SLOTS), pong(view(A)))

    assert state.nodes[A].health is Health.OK
    assert Happening.CLEARED_FAIL in told(effects)


def test_the_end_of_suspicion_is_not_told_as_the_end_of_fail() -> None:
    _, effects = hear(change(view(B), A, health=Health.PFAIL), pong(view(A)))

    assert not told(effects)


def followed() -> ClusterState:
    """A replica of a with a in PFAIL, and all but one of the reports it takes for FAIL."""
    return suspecting(A1, rules=VALKEY_9_1, fail_reports=frozenset({C, D}))


def test_whoever_follows_a_master_notes_its_fail_where_the_note_sticks() -> None:
    by_majority, _ = report(followed(), E)
    by_message, _ = hear(followed(), Fail(header=header(view(C)), subject=A))

    assert by_majority.nodes[A].health is Health.FAIL
    assert by_majority.myself.my_master_failed
    assert by_message.myself.my_master_failed


def test_the_fail_that_all_are_told_of_already_bears_the_note() -> None:
    state, effects = report(followed(), E)

    assert Broadcast(message=Fail(header=header(state), subject=A)) in effects
    assert header(state).my_master_failed


@pytest.mark.parametrize(
    "rules",
    [
        REDIS_7_0,
        REDIS_8_0,
        VALKEY_8_1,
        VALKEY_9_1.without("failed_master_mark_sticks"),
        VALKEY_9_1.without("failed_master_is_announced"),
    ],
)
def test_elsewhere_nothing_is_noted(rules: Rules) -> None:
    state, _ = hear(view(A1, rules=rules), Fail(header=header(view(C)), subject=A))

    assert state.nodes[A].health is Health.FAIL
    assert not state.myself.my_master_failed


def test_nothing_is_noted_of_a_node_that_is_not_followed() -> None:
    for me, subject in ((A1, B), (B, A)):
        state, _ = hear(view(me, rules=VALKEY_9_1), Fail(header=header(view(C)), subject=subject))

        assert state.nodes[subject].health is Health.FAIL
        assert not state.myself.my_master_failed
        assert not state.nodes[subject].my_master_failed


def test_only_a_master_is_cleared_by_time() -> None:
    state = failed(change(view(B), A1, slots=slots(9)), A1)

    assert step(state, FailUndoAllowed(peer=A1)) == (state, ())

"""Standing for election, voting, counting, winning and giving up.

Clauses: EL-1, EL-2, EL-3, EL-4, EL-5, EL-6, EL-7, EL-8, EL-10, EL-11, EL-12, EL-13, EL-15, EL-16,
EL-17, EL-18, EL-19, EL-21.
"""

from typing import Any

import attrs
import pytest

from reference.core.announce import header, pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, SaveConfig, Send
from reference.core.election import why_no_failover, why_no_vote
from reference.core.events import ClusterReplicate, ElectionDue, ElectionExpired, Received
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Update
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, Election
from reference.core.step import step
from reference.core.types import Health, NodeId
from tests.builders import (
    A1,
    A2,
    EITHER,
    STRANGER,
    A,
    B,
    C,
    candidate,
    change,
    failed,
    hear,
    says,
    sent,
    slots,
    told,
    view,
)


def request(sender: NodeId = A1, *, force_ack: bool = False, **fields: Any) -> FailoverAuthRequest:
    """A request of a replica of a for the votes of epoch 4."""
    said: dict[str, Any] = {"replicaof": A, "config_epoch": 1, "current_epoch": 4}
    claims = fields.pop("claims", slots(0))
    return FailoverAuthRequest(
        header=says(sender, claims=claims, **(said | fields)), force_ack=force_ack
    )


def ack(sender: NodeId = B, current_epoch: int = 4) -> FailoverAuthAck:
    """A vote."""
    own = {B: 2, C: 3}.get(sender, 0)
    claims = slots(own - 1) if own else NO_SLOTS
    said = says(sender, current_epoch=current_epoch, config_epoch=own, claims=claims)
    return FailoverAuthAck(header=said)


@pytest.mark.parametrize("rules", EITHER)
def test_a_replica_of_a_failed_master_may_stand(rules: Rules) -> None:
    assert why_no_failover(failed(view(A1, rules=rules))) is None


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (failed(view(B)), Refusal.NOT_A_REPLICA),
        (change(view(A1), A1, replicaof=STRANGER), Refusal.MASTER_UNKNOWN),
        (change(view(A1), A1, replicaof=None), Refusal.MASTER_UNKNOWN),
        (view(A1), Refusal.MASTER_NOT_FAILED),
        (change(view(A1), A, health=Health.PFAIL), Refusal.MASTER_NOT_FAILED),
        (change(failed(view(A1)), A1, nofailover=True), Refusal.NO_FAILOVER),
        (change(failed(view(A1)), A, slots=NO_SLOTS), Refusal.MASTER_WITHOUT_SLOTS),
        (candidate(), Refusal.ELECTION_RUNNING),
    ],
)
def test_a_node_that_may_not_stand_says_why(state: ClusterState, refusal: Refusal) -> None:
    after, effects = step(state, ElectionDue())

    assert after is state
    assert effects == (Notice(what=refusal, subject=state.myself_id),)


def test_a_replica_with_old_data_does_not_stand() -> None:
    state = failed(view(A1))

    after, effects = step(state, ElectionDue(data_too_old=True))

    assert after is state
    assert told(effects) == [Refusal.DATA_TOO_OLD]


@pytest.mark.parametrize("state", [view(A1), change(candidate(), A, health=Health.OK)])
def test_old_data_and_a_running_election_are_looked_at_last(state: ClusterState) -> None:
    _, effects = step(state, ElectionDue(data_too_old=True))

    assert told(effects) == [Refusal.MASTER_NOT_FAILED]


def test_whether_a_master_without_slots_is_replaced_depends_on_the_release() -> None:
    for rules, refusal in ((REDIS_7_0, Refusal.MASTER_WITHOUT_SLOTS), (VALKEY_9_1, None)):
        state = change(failed(view(A1, rules=rules)), A, slots=NO_SLOTS)

        assert why_no_failover(state) is refusal


@pytest.mark.parametrize("rules", EITHER)
def test_a_candidate_raises_the_epoch_saves_it_and_asks_everybody(rules: Rules) -> None:
    state, effects = step(failed(view(A1, rules=rules)), ElectionDue())

    assert state.current_epoch == 4
    assert state.election == Election(failover_auth_epoch=4)
    assert effects == (
        SaveConfig(fsync=True),
        Notice(what=Happening.STARTED_ELECTION, epoch=4),
        Broadcast(message=FailoverAuthRequest(header=header(state))),
    )


@pytest.mark.parametrize("rules", EITHER)
def test_a_voter_saves_its_vote_and_then_sends_it(rules: Rules) -> None:
    state, effects = hear(failed(view(B, rules=rules)), request())

    assert state.last_vote_epoch == 4
    assert effects == (
        SaveConfig(fsync=True),
        Notice(what=Happening.VOTED, subject=A1, epoch=4),
        Send(to=A1, message=FailoverAuthAck(header=header(state))),
    )


def refused(state: ClusterState, message: FailoverAuthRequest, **fields: Any) -> list[Any]:
    """What the voter tells about a request that it refuses."""
    after, effects = hear(state, message, **fields)

    assert after.last_vote_epoch == state.last_vote_epoch
    assert not [message for message in sent(effects) if isinstance(message, FailoverAuthAck)]
    return told(effects)


VOTER = failed(view(B, replicas=2))


def test_a_replica_has_no_vote() -> None:
    assert refused(failed(view(A2, replicas=2)), request()) == [Refusal.NOT_A_VOTER]


def test_a_master_without_slots_has_no_vote() -> None:
    assert refused(change(VOTER, B, slots=NO_SLOTS), request()) == [Refusal.NOT_A_VOTER]


def test_a_voter_refuses_a_request_from_before_its_epoch() -> None:
    state = attrs.evolve(VOTER, current_epoch=5)

    assert refused(state, request()) == [Refusal.REQUEST_EPOCH_OLD]


def test_a_voter_refuses_a_second_request_of_the_epoch() -> None:
    state, _ = hear(VOTER, request())

    assert refused(state, request(A2)) == [Refusal.ALREADY_VOTED]


def test_a_voter_votes_again_in_the_next_epoch() -> None:
    state, _ = hear(VOTER, request())

    state, _ = hear(state, request(A2, current_epoch=5))

    assert state.last_vote_epoch == 5


def test_a_voter_refuses_a_master() -> None:
    message = request(C, config_epoch=3, claims=slots(2))

    assert refused(VOTER, message) == [Refusal.CANDIDATE_IS_MASTER]


def test_a_voter_refuses_a_candidate_whose_master_it_does_not_know() -> None:
    state = change(VOTER, A1, replicaof=STRANGER)

    assert refused(state, request()) == [Refusal.CANDIDATE_MASTER_UNKNOWN]


@pytest.mark.parametrize("health", [Health.OK, Health.PFAIL])
def test_a_voter_refuses_a_candidate_whose_master_is_up(health: Health) -> None:
    state = change(VOTER, A, health=health)

    assert refused(state, request()) == [Refusal.CANDIDATE_MASTER_UP]


def test_a_forced_request_is_granted_although_the_master_is_up() -> None:
    state, _ = hear(view(B), request(force_ack=True))

    assert state.last_vote_epoch == 4


def test_a_voter_that_voted_about_the_master_a_moment_ago_waits_where_the_release_does() -> None:
    for rules, tells in ((REDIS_7_0, Refusal.VOTED_RECENTLY), (VALKEY_9_1, Happening.VOTED)):
        _, effects = hear(failed(view(B, rules=rules)), request(), voted_recently=True)

        assert told(effects) == [tells]


@pytest.mark.parametrize("rules", EITHER)
def test_a_voter_refuses_a_claim_older_than_the_owner_it_knows(rules: Rules) -> None:
    state = change(failed(view(B, replicas=2, rules=rules)), A, config_epoch=2)

    assert refused(state, request()) == [Refusal.CLAIM_OUTDATED]


def test_a_claim_as_new_as_the_owners_is_granted() -> None:
    _, effects = hear(VOTER, request(config_epoch=1))

    assert told(effects) == [Happening.VOTED]


@pytest.mark.parametrize(
    "state",
    [
        change(VOTER, A, config_epoch=2, slots=NO_SLOTS),
        attrs.evolve(change(VOTER, A, config_epoch=2), owner_not_claiming_slot=slots(0)),
    ],
)
def test_slots_that_nobody_claims_are_free_to_claim(state: ClusterState) -> None:
    _, effects = hear(state, request())

    assert told(effects) == [Happening.VOTED]


def test_whether_a_refused_candidate_is_told_of_the_newer_owner_depends_on_the_release() -> None:
    for rules, updates in ((REDIS_7_0, []), (VALKEY_9_1, [B])):
        state = failed(view(B, rules=rules))

        _, effects = hear(state, request(claims=slots(0, 1, 2)))

        found = [message.subject for message in sent(effects) if isinstance(message, Update)]
        assert found == updates


def test_a_refused_candidate_is_told_of_the_owner_of_the_lowest_slot() -> None:
    state = change(failed(view(B, rules=VALKEY_9_1)), B, slots=slots(1, 3))
    state = change(state, C, slots=slots(2, 9))

    _, effects = hear(state, request(claims=slots(0, 2, 3, 9)))

    assert [message.subject for message in sent(effects) if isinstance(message, Update)] == [C]


def test_a_candidate_refused_for_another_reason_is_not_told_of_newer_owners() -> None:
    state = attrs.evolve(failed(view(B, rules=VALKEY_9_1)), last_vote_epoch=4)

    _, effects = hear(state, request(claims=slots(0, 1, 2)))

    assert told(effects) == [Refusal.ALREADY_VOTED]
    assert not sent(effects)


@pytest.mark.parametrize(
    ("switch", "state", "message"),
    [
        ("vote_checks_request_epoch", attrs.evolve(VOTER, current_epoch=5), request()),
        ("one_vote_per_epoch", attrs.evolve(VOTER, last_vote_epoch=4), request()),
        ("vote_needs_failed_master", view(B), request()),
        ("vote_checks_claims", change(VOTER, A, config_epoch=2), request()),
    ],
)
def test_a_voter_that_does_not_check_grants_the_vote(
    switch: str, state: ClusterState, message: FailoverAuthRequest
) -> None:
    lax = attrs.evolve(state, rules=REDIS_7_0.without(switch))

    assert Happening.VOTED not in told(hear(state, message)[1])
    assert Happening.VOTED in told(hear(lax, message)[1])


def test_refusals_are_looked_for_in_the_servers_order() -> None:
    state = attrs.evolve(view(B, replicas=2), current_epoch=5, last_vote_epoch=5)
    state = change(state, A, config_epoch=2)
    message = request()
    found = []

    event = Received(message=message, voted_recently=True, newcomer=True)
    state = attrs.evolve(state, rules=attrs.evolve(REDIS_7_0, newcomer_does_not_vote=True))
    for switch in (
        "newcomer_does_not_vote",
        "vote_checks_request_epoch",
        "one_vote_per_epoch",
        "vote_needs_failed_master",
    ):
        found.append(why_no_vote(state, A1, event, message))
        state = attrs.evolve(state, rules=state.rules.without(switch))
    found.append(why_no_vote(state, A1, event, message))
    found.append(why_no_vote(state, A1, Received(message=message), message))

    assert found == [
        Refusal.NEWCOMER,
        Refusal.REQUEST_EPOCH_OLD,
        Refusal.ALREADY_VOTED,
        Refusal.CANDIDATE_MASTER_UP,
        Refusal.VOTED_RECENTLY,
        Refusal.CLAIM_OUTDATED,
    ]


def counted(state: ClusterState, message: FailoverAuthAck) -> tuple[Effect, ...]:
    """The effects of a vote that changes nothing."""
    after, effects = hear(state, message)

    assert after is state
    return effects


def test_a_vote_of_a_master_with_slots_counts_once() -> None:
    state, effects = hear(candidate(), ack())

    assert state.election == Election(failover_auth_epoch=4, voters=frozenset({B}))
    assert effects == (Notice(what=Happening.COUNTED_VOTE, subject=B, epoch=4),)

    assert told(counted(state, ack())) == [Happening.COUNTED_VOTE]


def test_a_vote_without_an_election_does_not_count() -> None:
    state = attrs.evolve(candidate(), election=None)

    assert told(counted(state, ack())) == [Refusal.NO_ELECTION]


def test_a_vote_of_a_node_without_right_to_vote_does_not_count() -> None:
    assert told(counted(candidate(), ack(A2))) == [Refusal.VOTER_WITHOUT_RIGHT]


def test_a_vote_from_before_the_election_does_not_count() -> None:
    assert told(counted(candidate(), ack(current_epoch=3))) == [Refusal.VOTE_OUTDATED]


@pytest.mark.parametrize("rules", EITHER)
def test_a_majority_makes_the_candidate_master_of_its_masters_slots(rules: Rules) -> None:
    state, effects = hear(candidate(voters=[B], rules=rules), ack(C))

    assert state.myself.is_master
    assert state.myself.replicaof is None
    assert state.myself.config_epoch == 4
    assert slots(0) == state.myself.slots
    assert not state.nodes[A].slots
    assert effects[:4] == (
        SaveConfig(fsync=True),
        Notice(what=Happening.COUNTED_VOTE, subject=C, epoch=4),
        Notice(what=Happening.WON_ELECTION, epoch=4),
        Broadcast(message=pong(state)),
    )


def test_one_vote_is_enough_only_without_the_majority_rule() -> None:
    lax = REDIS_7_0.without("majority_wins")

    for rules, wins in ((REDIS_7_0, False), (lax, True)):
        state, _ = hear(candidate(rules=rules), ack())

        assert wins == state.myself.is_master


def test_a_winner_keeps_a_config_epoch_that_is_newer_already() -> None:
    state, _ = hear(change(candidate(voters=[B]), A1, config_epoch=6), ack(C))

    assert state.myself.config_epoch == 6


@pytest.mark.parametrize(
    "state",
    [
        change(candidate(voters=[B]), A, health=Health.OK),
        change(candidate(voters=[B]), A, slots=NO_SLOTS),
        change(candidate(voters=[B]), A1, replicaof=B),
    ],
)
def test_a_majority_is_of_no_use_when_there_is_nobody_to_replace(state: ClusterState) -> None:
    state, effects = hear(state, ack(C))

    assert not state.myself.is_master
    assert told(effects) == [Happening.COUNTED_VOTE]


def test_whether_the_election_ends_with_the_win_depends_on_the_release() -> None:
    for rules, ends in ((REDIS_7_0, False), (VALKEY_9_1, True)):
        state, _ = hear(candidate(voters=[B], rules=rules), ack(C))

        assert ends == (state.election is None)


def test_a_won_election_that_has_not_ended_can_be_won_again() -> None:
    """A node that lost its slots again after the win takes over without any new vote."""
    state, _ = hear(candidate(voters=[B]), ack(C))
    state = change(failed(state), A, slots=slots(0))
    state = change(state, A1, replicaof=A, role=view(A1).myself.role, slots=NO_SLOTS)

    state, effects = step(state, ElectionDue())

    assert state.myself.is_master
    assert Happening.WON_ELECTION in told(effects)


def test_an_election_that_takes_too_long_is_given_up() -> None:
    state, effects = step(candidate(voters=[B]), ElectionExpired())

    assert state.election is None
    assert effects == (Notice(what=Happening.ELECTION_EXPIRED, epoch=4),)
    assert step(state, ElectionExpired()) == (state, ())


def test_after_giving_up_the_next_election_has_the_next_epoch() -> None:
    state, _ = step(candidate(voters=[B]), ElectionExpired())

    state, _ = step(state, ElectionDue())

    assert state.election == Election(failover_auth_epoch=5)


def between_elections(rules: Rules = VALKEY_9_1) -> ClusterState:
    """The candidate has given up the election of epoch 4, in which it has no vote yet."""
    state, _ = step(candidate(rules=rules), ElectionExpired())
    return state


@pytest.mark.parametrize("rules", EITHER)
def test_a_late_vote_counts_for_the_next_election_where_late_votes_count(rules: Rules) -> None:
    state, effects = hear(between_elections(rules), ack(B))

    assert told(effects) == [Happening.COUNTED_LATE_VOTE]
    assert state.last_election == Election(failover_auth_epoch=4, late_votes=1)
    state, _ = step(state, ElectionDue())
    assert state.election == Election(failover_auth_epoch=5, late_votes=1)
    state, _ = hear(state, ack(B, current_epoch=5))
    assert state.myself.is_master  # with two votes of one voter


def test_a_late_vote_does_not_count_without_that_rule() -> None:
    state = between_elections(VALKEY_9_1.without("late_votes_count"))

    assert told(counted(state, ack(B))) == [Refusal.NO_ELECTION]


@pytest.mark.parametrize("late", [ack(A2), ack(B, current_epoch=3)])
def test_a_late_vote_without_right_or_from_before_does_not_count(late: FailoverAuthAck) -> None:
    assert told(counted(between_elections(), late)) == [Refusal.NO_ELECTION]


def test_late_votes_are_not_counted_beyond_the_number_of_voters() -> None:
    state = between_elections()
    for _ in range(state.size):
        state, _ = hear(state, ack(B))

    assert counted(state, ack(B)) == ()


def test_a_candidate_that_follows_another_master_forgets_late_votes_where_elections_end() -> None:
    state, _ = hear(between_elections(), ack(B))

    state, _ = step(state, ClusterReplicate(master=B))

    assert state.last_election is None

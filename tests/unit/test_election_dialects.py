"""Elections that differ: forced votes, best ranked replicas, newcomers, and what winning ends.

Clauses: EL-1, EL-3, EL-16, EL-20, EL-22, EL-23, EL-24, EL-25, EL-26.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.effects import Broadcast, DeleteKeys, Effect, Happening, Refusal
from reference.core.election import all_replicas_announce_failure, why_no_failover
from reference.core.epoch_kinds import LAST_EPOCH
from reference.core.events import ClusterReplicate, ElectionDue, ElectionExpired
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, Election, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import Health, NodeId
from tests.builders import (
    A1,
    A2,
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

ALL: Final = tuple(RELEASES.values())
BEST: Final = ElectionDue(best_ranked=True)


def manual(state: ClusterState, stage: ManualFailoverStage) -> ClusterState:
    """The state with a manual failover that has come so far."""
    return attrs.evolve(state, manual_failover=ManualFailover(stage=stage))


def asked(state: ClusterState, event: ElectionDue) -> list[bool]:
    """Whether the request for votes that the event brings about forces them; empty if none."""
    _, effects = step(state, event)
    return [m.force_ack for m in sent(effects) if isinstance(m, FailoverAuthRequest)]


def request(sender: NodeId = A1, **fields: Any) -> FailoverAuthRequest:
    """A request of a replica of a for the votes of epoch 4."""
    said = says(sender, replicaof=A, config_epoch=1, current_epoch=4, claims=slots(0))
    return FailoverAuthRequest(header=said, **fields)


def vote(state: ClusterState, sender: NodeId) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step with the vote of this master for epoch 4."""
    said = says(sender, current_epoch=4, config_epoch=state.nodes[sender].config_epoch)
    return hear(state, FailoverAuthAck(header=attrs.evolve(said, slots=state.nodes[sender].slots)))


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_votes_are_not_forced_without_reason(rules: Rules) -> None:
    assert asked(failed(view(A1, replicas=2, rules=rules)), ElectionDue()) == [False]


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
@pytest.mark.parametrize("stage", ManualFailoverStage)
def test_votes_are_forced_while_a_manual_failover_is_under_way(
    rules: Rules, stage: ManualFailoverStage
) -> None:
    assert asked(manual(failed(view(A1, rules=rules)), stage), ElectionDue()) == [True]


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_an_operator_has_a_replica_stand_whose_master_is_well(rules: Rules) -> None:
    state = change(view(A1, rules=rules), A1, nofailover=True)
    ready = manual(state, ManualFailoverStage.CAN_START)

    assert why_no_failover(state) is Refusal.MASTER_NOT_FAILED
    assert why_no_failover(ready) is None
    assert asked(ready, ElectionDue(data_too_old=True)) == [True]


@pytest.mark.parametrize(
    "stage", [stage for stage in ManualFailoverStage if stage is not ManualFailoverStage.CAN_START]
)
def test_before_it_can_start_a_manual_failover_gives_no_right_to_stand(
    stage: ManualFailoverStage,
) -> None:
    state = manual(view(A1), stage)
    barred = change(failed(state), A1, nofailover=True)

    assert why_no_failover(state) is Refusal.MASTER_NOT_FAILED
    assert why_no_failover(barred) is Refusal.NO_FAILOVER
    assert asked(failed(state), ElectionDue(data_too_old=True)) == []


@pytest.mark.parametrize(
    ("rules", "refusal"),
    [
        (REDIS_7_0, Refusal.MASTER_WITHOUT_SLOTS),
        (REDIS_8_0, Refusal.MASTER_WITHOUT_SLOTS),
        (VALKEY_8_1, None),
        (VALKEY_9_1, None),
    ],
    ids=lambda value: getattr(value, "dialect", ""),
)
def test_even_an_operator_needs_a_master_with_slots_in_redis(
    rules: Rules, refusal: Refusal | None
) -> None:
    state = change(view(A1, rules=rules), A, slots=NO_SLOTS)

    assert why_no_failover(manual(state, ManualFailoverStage.CAN_START)) is refusal


def test_a_node_that_is_no_replica_does_not_stand_for_any_operator() -> None:
    masterless = change(view(A1), A1, replicaof=None)

    assert why_no_failover(manual(view(B), ManualFailoverStage.CAN_START)) is Refusal.NOT_A_REPLICA
    assert (
        why_no_failover(manual(masterless, ManualFailoverStage.CAN_START)) is Refusal.MASTER_UNKNOWN
    )


def announcing(state: ClusterState, *replicas: NodeId) -> ClusterState:
    """The state in which these replicas say that their master is in FAIL."""
    for replica in replicas:
        state = change(state, replica, my_master_failed=True)
    return state


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_the_best_ranked_replica_forces_votes_where_it_goes_first(rules: Rules) -> None:
    state = announcing(failed(view(A1, replicas=2, rules=rules)), A1, A2)

    assert asked(state, BEST) == [rules.best_ranked_goes_first]
    assert asked(state, ElectionDue()) == [False]


@pytest.mark.parametrize("announcers", [(), (A1,), (A2,)])
def test_one_replica_that_does_not_know_is_enough_not_to_force(
    announcers: tuple[NodeId, ...],
) -> None:
    state = announcing(failed(view(A1, replicas=2, rules=VALKEY_9_1)), *announcers)

    assert not all_replicas_announce_failure(state)
    assert asked(state, BEST) == [False]


def test_replicas_of_others_and_masters_have_no_say() -> None:
    state = announcing(failed(view(A1, replicas=2, rules=VALKEY_9_1)), A1)

    assert all_replicas_announce_failure(change(state, A2, replicaof=B))


def test_without_that_rule_the_best_ranked_replica_waits_for_the_voters() -> None:
    rules = VALKEY_9_1.without("best_ranked_goes_first")
    state = announcing(failed(view(A1, replicas=1, rules=rules)), A1)

    assert asked(state, BEST) == [False]


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_a_newcomer_does_not_vote_where_it_must_wait(rules: Rules) -> None:
    state = failed(view(B, rules=rules))

    after, effects = hear(state, request(), newcomer=True)

    assert told(effects) == [Refusal.NEWCOMER if rules.newcomer_does_not_vote else Happening.VOTED]
    assert (after.last_vote_epoch == 0) == rules.newcomer_does_not_vote


def test_without_that_rule_a_newcomer_votes() -> None:
    rules = VALKEY_9_1.without("newcomer_does_not_vote")

    after, _ = hear(failed(view(B, rules=rules)), request(), newcomer=True)

    assert after.last_vote_epoch == 4


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_what_winning_ends_and_deletes(rules: Rules) -> None:
    state = candidate(voters=[B], rules=rules)
    state = attrs.evolve(state, last_election=Election(failover_auth_epoch=3))

    state, effects = vote(state, C)

    assert state.myself.is_master
    assert (state.election is None) == rules.election_ends_with_win
    assert (state.last_election is None) == rules.election_ends_with_win
    deleted = [effect.slots for effect in effects if isinstance(effect, DeleteKeys)]
    assert deleted == ([slots(1, 2)] if rules.winner_deletes_keys else [])
    if deleted:
        assert isinstance(effects[-2], Broadcast)


def test_the_winner_of_all_slots_takes_those_of_its_master_from_nobody_else() -> None:
    state, _ = vote(candidate(voters=[B], rules=VALKEY_9_1), C)

    assert [node.slots for node in state.nodes] == [
        NO_SLOTS,
        slots(0),
        NO_SLOTS,
        slots(1),
        slots(2),
    ]


@pytest.mark.parametrize("switch", ["election_ends_with_win", "winner_deletes_keys"])
def test_without_these_rules_valkey_wins_as_redis_does(switch: str) -> None:
    rules = VALKEY_9_1.without(switch)

    state, effects = vote(candidate(voters=[B], rules=rules), C)

    deletes = any(isinstance(effect, DeleteKeys) for effect in effects)
    assert deletes == (switch != "winner_deletes_keys")
    assert (state.election is not None) == (switch == "election_ends_with_win")


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_whether_following_another_master_ends_the_election(rules: Rules) -> None:
    state, _ = step(candidate(rules=rules), ClusterReplicate(master=B))

    assert state.myself.replicaof == B
    assert (state.election is None) == rules.election_ends_with_role_change


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_winning_ends_a_manual_failover(rules: Rules) -> None:
    ready = manual(view(A1, rules=rules), ManualFailoverStage.CAN_START)
    state, _ = step(ready, ElectionDue())
    state, _ = vote(state, B)

    state, _ = vote(state, C)

    assert state.myself.is_master
    assert state.manual_failover is None


def test_a_manual_failover_that_ran_out_of_time_is_not_won() -> None:
    ready = manual(view(A1), ManualFailoverStage.CAN_START)
    state, _ = step(ready, ElectionDue())
    state, _ = vote(state, B)

    state, effects = vote(attrs.evolve(state, manual_failover=None), C)

    assert not state.myself.is_master
    assert told(effects) == [Happening.COUNTED_VOTE]


@pytest.mark.parametrize("masters", [1, 2, 3, 4, 5])
def test_a_majority_is_more_than_half_and_no_less(masters: int) -> None:
    state = failed(view(A1, masters=masters))
    voters = [node.node_id for node in state.nodes if node.is_voting_master]
    won = []

    for count in range(masters + 1):
        election = Election(failover_auth_epoch=9, voters=frozenset(voters[:count]))
        after, _ = step(attrs.evolve(state, election=election), ElectionDue())
        won.append(after.myself.is_master)

    assert won == [2 * count > masters for count in range(masters + 1)]


@pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.dialect)
def test_after_the_last_epoch_there_is_none_and_a_candidate_asks_in_it_again(rules: Rules) -> None:
    state = attrs.evolve(failed(view(A1, rules=rules)), current_epoch=LAST_EPOCH)

    state, effects = step(state, ElectionDue())

    assert state.current_epoch == LAST_EPOCH
    assert state.election == Election(failover_auth_epoch=LAST_EPOCH)
    assert [message.header.current_epoch for message in sent(effects)] == [LAST_EPOCH]


def test_in_the_last_epoch_too_nobody_votes_twice() -> None:
    state = attrs.evolve(failed(view(B)), current_epoch=LAST_EPOCH, last_vote_epoch=LAST_EPOCH)
    said = attrs.evolve(request().header, current_epoch=LAST_EPOCH)

    _, effects = hear(state, FailoverAuthRequest(header=said))

    assert told(effects) == [Refusal.ALREADY_VOTED]


def test_a_late_vote_of_a_replica_that_may_not_stand_any_more_does_not_count() -> None:
    state, _ = step(candidate(rules=VALKEY_9_1), ElectionExpired())

    well = change(state, A, health=Health.OK)

    assert told(vote(well, B)[1]) == [Refusal.NO_ELECTION]


def test_a_late_vote_of_the_next_epoch_counts_too() -> None:
    state, _ = step(candidate(rules=VALKEY_9_1), ElectionExpired())
    said = says(B, current_epoch=5, config_epoch=2, claims=slots(1))

    state, effects = hear(state, FailoverAuthAck(header=said))

    assert told(effects) == [Happening.COUNTED_LATE_VOTE]

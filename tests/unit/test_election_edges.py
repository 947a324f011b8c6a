"""Edges of the election rules that decide only rarely: each test kills a mutant of the code.

Clauses: EL-2, EL-4, EL-5, EL-6, EL-10, EL-11, EL-12, EL-13, EL-21.
"""

import attrs
import pytest

from reference.core.effects import Effect, Happening, Notice, Refusal
from reference.core.election import count_vote, replace_master, win_election_if_quorum
from reference.core.events import ElectionDue
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest
from reference.core.rules import REDIS_7_0, VALKEY_9_1
from reference.core.state import ClusterState, Election
from reference.core.step import step
from reference.core.types import NodeId
from tests.builders import A1, A, B, C, candidate, failed, hear, says, slots, told, view


def test_late_votes_move_to_the_election_that_starts() -> None:
    last = Election(failover_auth_epoch=4, late_votes=1)
    state = attrs.evolve(candidate(), election=None, last_election=last)

    after, _ = step(state, ElectionDue())

    assert after.election == Election(failover_auth_epoch=5, late_votes=1)
    assert after.last_election is None


def asked(state: ClusterState, *, current_epoch: int) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The voter's answer to the request of a replica of the failed master."""
    said = says(A1, replicaof=A, current_epoch=current_epoch, config_epoch=1, claims=slots(0))
    return hear(failed(state), FailoverAuthRequest(header=said))


def test_a_request_ahead_of_the_voter_is_granted_even_where_epochs_are_not_merged() -> None:
    state, effects = asked(view(B, rules=REDIS_7_0.without("merge_current_epoch")), current_epoch=9)

    assert Happening.VOTED in told(effects)
    assert (state.current_epoch, state.last_vote_epoch) == (3, 3)


def test_only_a_vote_in_this_very_epoch_is_in_the_way() -> None:
    state, _ = asked(attrs.evolve(view(B), last_vote_epoch=9), current_epoch=4)

    assert state.last_vote_epoch == 4


def test_a_refused_candidate_is_named() -> None:
    _, effects = asked(view(B), current_epoch=2)

    assert Notice(what=Refusal.REQUEST_EPOCH_OLD, subject=A1) in effects


def test_a_vote_from_after_the_election_counts() -> None:
    state, effects = hear(candidate(), FailoverAuthAck(header=says(B, current_epoch=9)))

    assert Happening.COUNTED_VOTE in told(effects)
    assert state.election is not None
    assert state.election.voters == {B}


@pytest.mark.parametrize(
    ("voter", "epoch", "refusal"),
    [(A1, 4, Refusal.VOTER_WITHOUT_RIGHT), (C, 3, Refusal.VOTE_OUTDATED)],
)
def test_whose_vote_does_not_count_is_named(voter: NodeId, epoch: int, refusal: Refusal) -> None:
    out: list[Effect] = []
    vote = FailoverAuthAck(header=says(voter, current_epoch=epoch))

    count_vote(candidate(), voter, vote, out)

    assert out == [Notice(what=refusal, subject=voter)]


def late(votes: int) -> ClusterState:
    """A candidate whose election is over, with this many late votes."""
    last = Election(failover_auth_epoch=4, late_votes=votes)
    return attrs.evolve(candidate(), election=None, last_election=last)


def test_who_votes_late_is_named() -> None:
    _, effects = hear(late(0), FailoverAuthAck(header=says(B, current_epoch=4)))

    assert Notice(what=Happening.COUNTED_LATE_VOTE, subject=B) in effects


def test_late_votes_of_more_nodes_than_are_left_stay_as_they_are() -> None:
    state, effects = hear(late(7), FailoverAuthAck(header=says(B, current_epoch=4)))

    assert state == late(7)
    assert not told(effects)


def test_without_the_majority_rule_there_is_no_win_without_a_vote() -> None:
    state = candidate(rules=REDIS_7_0.without("majority_wins"))
    out: list[Effect] = []

    assert win_election_if_quorum(state, out) is state
    assert not out


def test_a_node_that_follows_nobody_replaces_itself() -> None:
    """No command leads there; the function is total all the same."""
    state = replace_master(view(B), [])

    assert state.nodes == view(B).nodes


def test_a_vote_with_the_header_that_ends_the_election_is_not_a_late_one() -> None:
    vote = FailoverAuthAck(header=says(B, current_epoch=4, config_epoch=4, claims=slots(1)))

    state, effects = hear(candidate(rules=VALKEY_9_1), vote)

    assert Notice(what=Refusal.NO_ELECTION, subject=B) in effects
    assert state.election is None
    assert state.last_election == Election(failover_auth_epoch=4)

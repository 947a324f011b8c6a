"""When a replica stands for election: the delay of each dialect, ranks, retries, and cooldown."""

from typing import Final

import attrs

from reference.clauses import clause
from reference.core.events import ElectionExpired, Event
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health, NodeId
from reference.pacing.draws import below
from reference.pacing.pace import Candidacy, Pace

_FIXED_DELAY_MS: Final = 500
_EMPTY_REPLICA_DELAY_MS: Final = 500


@clause("PA-12")
def replica_rank(pace: Pace, state: ClusterState) -> int:
    """How many other replicas of our master have more of its data, or an earlier claim to go first.

    Counterpart: `clusterGetReplicaRank`.
    """
    mine = (-pace.repl_offset, state.myself_id)
    return sum(
        _position(pace, state, node) < mine
        for node in state.nodes
        if node.is_replica
        and node.replicaof == state.myself.replicaof
        and node.node_id != state.myself_id
        and not node.nofailover
    )


def _position(pace: Pace, state: ClusterState, node: ClusterNode) -> tuple[int, str]:
    tie: str = node.node_id if pace.habits.equal_offsets_go_by_id else state.myself_id
    return -pace.peer(node.node_id).repl_offset, tie


def failed_master_rank(state: ClusterState) -> int:
    """How many other failed masters with replicas have a smaller shard id, and so go first.

    Counterpart: `clusterGetFailedPrimaryRank`.
    """
    followed = {node.replicaof for node in state.nodes if node.is_replica}
    mine = state.myself.shard_id or ""
    return sum(
        node.is_voting_master
        and node.health is Health.FAIL
        and node.node_id in followed
        and (node.shard_id or "") < mine
        for node in state.nodes
    )


def _rank_step(pace: Pace) -> int:
    """How much later each rank goes, in milliseconds."""
    return 2 * _short_delay(pace) if pace.habits.election_delay_scales else 1000


def _short_delay(pace: Pace) -> int:
    return min(pace.node_timeout // 30, 500)


@clause("PA-11")
def election_delay(pace: Pace, state: ClusterState, rank: int, entropy: int) -> int:
    """How long, in milliseconds, the replica waits before it asks for votes.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    if not pace.habits.election_delay_scales:
        return _FIXED_DELAY_MS + below(500, entropy) + rank * _rank_step(pace)
    short = _short_delay(pace)
    delay = short + below(short, entropy) + rank * _rank_step(pace)
    delay += failed_master_rank(state) * short
    return delay + (_EMPTY_REPLICA_DELAY_MS if pace.repl_offset == 0 else 0)


@clause("PA-11", "PA-12", "PA-14")
def schedule_election(pace: Pace, state: ClusterState, now: int, entropy: int) -> Pace:
    """The replica that may stand knows when it does; a rank that changed moves the instant.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    old, rank = pace.candidacy, replica_rank(pace, state)
    if old is not None and not old.sent and now - old.auth_time <= pace.auth_timeout:
        moved = rank - old.rank
        if moved == 0 or (moved < 0 and not pace.habits.rank_may_fall):
            return pace
        later = old.auth_time + moved * _rank_step(pace)
        return attrs.evolve(pace, candidacy=attrs.evolve(old, auth_time=later, rank=rank))
    earliest = now if old is None else max(now, old.auth_time + pace.auth_retry_time)
    auth_time = earliest + election_delay(pace, state, rank, entropy)
    return attrs.evolve(pace, candidacy=Candidacy(auth_time=auth_time, rank=rank))


@clause("PA-14")
def note_election(
    pace: Pace, before: ClusterState, after: ClusterState, event: Event, now: int
) -> Pace:
    """The candidacy is used when votes were asked for, and gone when the election was ended early.

    Only an election that ran out of time makes the next one wait. Counterpart:
    `clusterHandleReplicaFailover`, `resetClusterElection`.
    """
    if before.election is None and after.election is not None:
        return attrs.evolve(pace, candidacy=Candidacy(auth_time=now, sent=True))
    ended = before.election is not None and after.election is None
    if ended and not isinstance(event, ElectionExpired):
        return attrs.evolve(pace, candidacy=None)
    return pace


@clause("PA-16")
def voted_recently(pace: Pace, state: ClusterState, candidate: NodeId, now: int) -> bool:
    """Whether this node voted about the candidate's master less than 2 node timeouts ago.

    Counterpart: `clusterSendFailoverAuthIfNeeded`.
    """
    node = state.nodes.get(candidate)
    voted = None if node is None or node.replicaof is None else pace.voted.get(node.replicaof)
    return voted is not None and now - voted < 2 * pace.node_timeout


@clause("PA-16")
def note_vote(pace: Pace, state: ClusterState, candidate: NodeId | None, now: int) -> Pace:
    """The vote about the candidate's master is remembered with its instant.

    Counterpart: `clusterSendFailoverAuthIfNeeded`.
    """
    node = state.nodes.get(candidate)
    if node is None or node.replicaof is None:
        return pace
    return attrs.evolve(pace, voted={**pace.voted, node.replicaof: now})

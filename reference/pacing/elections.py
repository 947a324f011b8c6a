"""When a replica stands for election: the delay of each dialect, ranks, retries, and cooldown."""

from typing import Final

import attrs

from reference.clauses import clause
from reference.core.election import all_replicas_announce_failure
from reference.core.events import (
    ClusterFailover,
    ElectionExpired,
    Event,
    FailoverOption,
    ManualFailoverOffsetReached,
)
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health, NodeId
from reference.pacing.draws import below
from reference.pacing.pace import Candidacy, Pace

_FIXED_DELAY_MS: Final = 500
_EMPTY_REPLICA_DELAY_MS: Final = 500
_RANK_STEP_MS: Final = 1000
_FAILED_MASTER_STEP_MS: Final = 500


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


@clause("PA-24")
def failed_master_rank(pace: Pace, state: ClusterState, now: int) -> int:
    """How many other failed masters with replicas have a smaller shard id, and so go first.

    One that failed so long ago that its replicas have too old data is not waited for. Counterpart:
    `clusterGetFailedPrimaryRank`.
    """
    if not pace.habits.failed_masters_take_turns:
        return 0
    followed = {node.replicaof for node in state.nodes if node.is_replica}
    mine = state.myself.shard_id or ""
    return sum(
        node.is_voting_master
        and node.health is Health.FAIL
        and node.node_id in followed
        and (node.shard_id or "") < mine
        and not _failed_long_ago(pace, node.node_id, now)
        for node in state.nodes
    )


def _failed_long_ago(pace: Pace, master: NodeId, now: int) -> bool:
    factor, failed = pace.directives.replica_validity_factor, pace.peer(master).fail_time
    return factor > 0 and failed is not None and now - failed > factor * pace.node_timeout


def _rank_step(pace: Pace) -> int:
    """How much later each rank goes, in milliseconds."""
    return 2 * _short_delay(pace) if pace.habits.election_delay_scales else _RANK_STEP_MS


def _turn_step(pace: Pace) -> int:
    """How much later each failed master goes, in milliseconds."""
    return _short_delay(pace) if pace.habits.election_delay_scales else _FAILED_MASTER_STEP_MS


def _short_delay(pace: Pace) -> int:
    return min(pace.node_timeout // 30, 500)


@clause("PA-11")
def election_delay(pace: Pace, candidacy: Candidacy, entropy: int) -> int:
    """How long, in milliseconds, the replica of these ranks waits before it asks for votes.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    short = _short_delay(pace) if pace.habits.election_delay_scales else _FIXED_DELAY_MS
    delay = short + below(short, entropy)
    delay += candidacy.rank * _rank_step(pace) + candidacy.failed_master_rank * _turn_step(pace)
    waits = pace.habits.replica_without_data_waits and pace.repl_offset == 0
    return delay + (_EMPTY_REPLICA_DELAY_MS if waits else 0)


@clause("PA-11", "PA-12", "PA-14", "PA-29")
def schedule_election(pace: Pace, state: ClusterState, now: int, entropy: int) -> Pace:
    """The replica that may stand knows when it does; a rank that changed moves the instant.

    For a manual failover there is no delay, and no rank. Counterpart:
    `clusterHandleReplicaFailover`.
    """
    old, manual = pace.candidacy, state.manual_failover is not None
    waiting = old is not None and not old.sent and now - old.auth_time <= pace.auth_timeout
    if old is not None and waiting and (manual and now >= old.earliest):
        return pace
    if old is not None and waiting and not manual:
        moved = _moved(pace, state, old, now)
    else:
        moved = _new_candidacy(pace, now)
        if not manual:
            moved = _delayed(pace, state, moved, now, entropy)
    if goes_first(pace, state, moved):
        moved = attrs.evolve(moved, auth_time=min(moved.auth_time, max(now, moved.earliest)))
    return pace if moved == old else attrs.evolve(pace, candidacy=moved)


def _new_candidacy(pace: Pace, now: int) -> Candidacy:
    """One without delay, as soon as the one before allows it."""
    old = pace.candidacy
    if old is None:
        earliest = now
    elif old.sent:
        earliest = max(now, old.auth_time + pace.auth_retry_time)
    else:
        earliest = max(now, old.earliest)
    return Candidacy(auth_time=earliest, earliest=earliest)


def _delayed(
    pace: Pace, state: ClusterState, earliest: Candidacy, now: int, entropy: int
) -> Candidacy:
    ranked = attrs.evolve(
        earliest,
        rank=replica_rank(pace, state),
        failed_master_rank=failed_master_rank(pace, state, now),
    )
    delay = election_delay(pace, ranked, entropy)
    return attrs.evolve(ranked, auth_time=earliest.auth_time + delay)


@clause("PA-12", "PA-24")
def _moved(pace: Pace, state: ClusterState, old: Candidacy, now: int) -> Candidacy:
    """The same candidacy, later or earlier by as much as its ranks have changed."""
    rank, turn = replica_rank(pace, state), failed_master_rank(pace, state, now)
    if rank < old.rank and not pace.habits.rank_may_fall:
        rank = old.rank
    later = (rank - old.rank) * _rank_step(pace)
    later += (turn - old.failed_master_rank) * _turn_step(pace)
    return attrs.evolve(old, auth_time=old.auth_time + later, rank=rank, failed_master_rank=turn)


@clause("PA-30")
def is_best_ranked(pace: Pace, state: ClusterState) -> bool:
    """Whether nobody goes before this replica, which has data and was not asked by an operator.

    Counterpart: `clusterRequestFailoverAuth`.
    """
    ranked = pace.candidacy
    return (
        ranked is not None
        and ranked.rank == ranked.failed_master_rank == 0
        and pace.repl_offset != 0
        and state.manual_failover is None
    )


@clause("PA-30")
def goes_first(pace: Pace, state: ClusterState, candidacy: Candidacy) -> bool:
    """Whether this replica need not wait: it is the best, and all others know of the failure.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    return (
        state.rules.best_ranked_goes_first
        and is_best_ranked(attrs.evolve(pace, candidacy=candidacy), state)
        and all_replicas_announce_failure(state)
    )


@clause("PA-14", "PA-29")
def note_election(
    pace: Pace, before: ClusterState, after: ClusterState, event: Event, now: int
) -> Pace:
    """The candidacy is used when votes were asked for, and gone when the election was ended early.

    Only an election that ran out of time makes the next one wait, unless an operator starts a
    manual failover where that starts elections anew. Counterpart: `clusterHandleReplicaFailover`,
    `resetClusterElection`, `clusterSetPrimary`, `manualFailoverCanStart`.
    """
    if before.election is None and after.election is not None:
        return attrs.evolve(pace, candidacy=Candidacy(auth_time=now, earliest=now, sent=True))
    ended = before.election is not None and after.election is None
    followed = before.myself.replicaof != after.myself.replicaof
    if (
        (ended and not isinstance(event, ElectionExpired))
        or (followed and after.rules.election_ends_with_role_change)
        or _starts_anew(before, after, event)
    ):
        return attrs.evolve(pace, candidacy=None)
    return pace


def _starts_anew(before: ClusterState, after: ClusterState, event: Event) -> bool:
    if not (after.manual_failover_can_start and after.rules.failover_restarts_election):
        return False
    if isinstance(event, ClusterFailover):
        return event.option is FailoverOption.FORCE and event.named in (None, after.myself_id)
    return isinstance(event, ManualFailoverOffsetReached) and not before.manual_failover_can_start


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

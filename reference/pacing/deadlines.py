"""Which delay each timer of the core has."""

from typing import Final, assert_never

from reference.clauses import clause
from reference.core.events import (
    BlacklistExpired,
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HandshakeExpired,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MigrationPauseOver,
    MigrationSilent,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
    Timer,
)
from reference.core.types import NodeId
from reference.pacing.pace import Deadline, Pace, WaitsFor

_LEAST_PAUSE_AFTER_GRANT_MS: Final = 2000
_REPLICA_MIGRATION_DELAY_MS: Final = 5000


@clause("PA-15", "PA-19", "PA-27", "PA-28", "PA-34")
def deadline(pace: Pace, timer: Timer) -> Deadline:
    """The first instant at which the pending timer may fire, or what has to happen before.

    Counterpart: the comparisons with `mstime()` in `clusterCron`, `clusterHandleReplicaFailover`,
    `clusterNodeCleanupFailureReports` and `clearNodeFailureIfNeeded`.
    """
    match timer:
        case PongOverdue():
            return _pong_overdue(pace, timer.peer)
        case FailUndoAllowed():
            return _fail_undo(pace, timer.peer)
        case ReportExpired():
            return _report_expired(pace, timer)
        case ElectionDue():
            return _auth_time(pace, timer)
        case ElectionExpired():
            return _auth_time(pace, timer) + pace.auth_timeout + 1
        case ManualFailoverOffsetReached():
            reached = pace.repl_offset == pace.paused_offset
            return _pending_since(pace, timer) if reached else WaitsFor.OFFSET
        case ReplicaMigrationDue():
            orphaned = pace.peer(timer.orphan).orphaned_since
            since = _pending_since(pace, timer) if orphaned is None else orphaned
            return since + _REPLICA_MIGRATION_DELAY_MS + 1
        case (
            HandshakeExpired()
            | BlacklistExpired()
            | ManualFailoverExpired()
            | MigrationSilent()
            | MigrationPauseOver()
        ):
            return _pending_since(pace, timer) + _patience(pace, timer) + 1
        case _:
            assert_never(timer)


@clause("PA-35", "PA-36")
def _patience(
    pace: Pace,
    timer: HandshakeExpired
    | BlacklistExpired
    | ManualFailoverExpired
    | MigrationSilent
    | MigrationPauseOver,
) -> int:
    match timer:
        case MigrationSilent():
            return pace.directives.repl_timeout
        case MigrationPauseOver():
            least = _LEAST_PAUSE_AFTER_GRANT_MS if timer.granted else 0
            return max(pace.pause_timeout, least)
        case HandshakeExpired():
            return pace.handshake_timeout
        case BlacklistExpired():
            return pace.directives.blacklist_ttl
        case ManualFailoverExpired():
            return pace.directives.manual_failover_timeout
        case _:
            assert_never(timer)


def _pending_since(pace: Pace, timer: Timer) -> int:
    return pace.pending.get(timer, pace.next_round)


@clause("PA-21")
def _report_expired(pace: Pace, timer: ReportExpired) -> int:
    """Where reports last whole seconds, these are those of the node's own time."""
    since = _pending_since(pace, timer)
    if pace.habits.reports_last_whole_seconds:
        since += (pace.began - since) % 1000
    return since + 2 * pace.node_timeout + 1


@clause("PA-8")
def _pong_overdue(pace: Pace, node_id: NodeId) -> Deadline:
    """Any data counts as life, so that a busy link is not taken for a dead one."""
    peer = pace.peer(node_id)
    if peer.ping_sent is None:
        return WaitsFor.PING
    return max(peer.ping_sent, peer.data_received or peer.ping_sent) + pace.node_timeout + 1


@clause("PA-10")
def _fail_undo(pace: Pace, node_id: NodeId) -> Deadline:
    peer = pace.peer(node_id)
    allowed = None if peer.fail_time is None else peer.fail_time + 2 * pace.node_timeout
    if peer.answered is None or allowed is None or peer.answered <= allowed:
        return WaitsFor.PONG
    return peer.answered


@clause("PA-11", "PA-13")
def _auth_time(pace: Pace, timer: Timer) -> int:
    return _pending_since(pace, timer) if pace.candidacy is None else pace.candidacy.auth_time

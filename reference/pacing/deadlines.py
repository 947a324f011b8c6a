"""Which delay each timer of the core has."""

from typing import assert_never

from reference.clauses import clause
from reference.core.events import (
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HandshakeExpired,
    PongOverdue,
    ReportExpired,
    Timer,
)
from reference.core.types import NodeId
from reference.pacing.pace import Deadline, Pace, WaitsFor


@clause("PA-15", "PA-19", "PA-21")
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
            return _pending_since(pace, timer) + 2 * pace.node_timeout + 1
        case HandshakeExpired():
            return _pending_since(pace, timer) + pace.handshake_timeout + 1
        case ElectionDue():
            return _auth_time(pace, timer)
        case ElectionExpired():
            return _auth_time(pace, timer) + pace.auth_timeout + 1
        case _:
            assert_never(timer)


def _pending_since(pace: Pace, timer: Timer) -> int:
    return pace.pending.get(timer, pace.next_round)


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

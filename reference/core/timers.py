"""Which timers are pending: derived from the state, so that they cannot disagree with it."""

from collections.abc import Iterator

from reference.clauses import clause
from reference.core.election import why_no_failover
from reference.core.events import (
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HandshakeExpired,
    PongOverdue,
    ReportExpired,
    Timer,
)
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health


@clause("MO-5")
def timers(state: ClusterState) -> tuple[Timer, ...]:
    """The events that time alone may bring in this state; when they come is not said here."""
    pending: list[Timer] = []
    for node in state.nodes:
        if node.node_id != state.myself_id:
            pending += _timers_about(node)
    if state.election is not None:
        pending.append(ElectionExpired())
    elif why_no_failover(state) is None:
        pending.append(ElectionDue())
    return tuple(pending)


def _timers_about(node: ClusterNode) -> Iterator[Timer]:
    if node.handshake:
        yield HandshakeExpired(peer=node.node_id)
    elif node.health is Health.OK and not node.noaddr:
        yield PongOverdue(peer=node.node_id)
    elif node.health is Health.FAIL and node.is_voting_master:
        yield FailUndoAllowed(peer=node.node_id)
    for reporter in sorted(node.fail_reports):
        yield ReportExpired(subject=node.node_id, reporter=reporter)

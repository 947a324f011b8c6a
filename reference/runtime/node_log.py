"""What the log of a node says of turning points: the words of the servers, and ours."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reference.clauses import clause
from reference.core.effects import Happening, Notice, Refusal
from reference.core.state import ClusterState
from reference.core.types import NodeId
from reference.pacing.availability import Availability
from reference.runtime.bus.connections import BusLink

_DENIED: Final = (
    Refusal.REQUEST_EPOCH_OLD,
    Refusal.ALREADY_VOTED,
    Refusal.CANDIDATE_IS_MASTER,
    Refusal.CANDIDATE_MASTER_UNKNOWN,
    Refusal.CANDIDATE_MASTER_UP,
    Refusal.VOTED_RECENTLY,
    Refusal.CLAIM_OUTDATED,
)
_WORDS: Final[Mapping[Happening | Refusal, str]] = {
    **dict.fromkeys(_DENIED, "Failover auth denied to {node}"),
    Happening.MARKED_FAIL: "Marking node {node} as failing (quorum reached).",
    Happening.LEARNED_FAIL: "FAIL message received about {node}",
    Happening.CLEARED_FAIL: "Clear FAIL state for node {node}",
    Happening.STARTED_ELECTION: "Starting a failover election for epoch {epoch}.",
    Happening.VOTED: "Failover auth granted to {node} for epoch {epoch}",
    Happening.WON_ELECTION: "Failover election won: I'm the new primary.",
    Happening.ELECTION_EXPIRED: "Currently unable to failover: Failover attempt expired.",
    Happening.ELECTION_RESET: "Failover election in progress for epoch {epoch}, but received a "
    "claim from node {node} with an equal or higher epoch. Resetting the election",
    Happening.MANUAL_FAILOVER_EXPIRED: "Manual failover timed out.",
    Happening.PAUSED: "Manual failover requested by replica {node}.",
    Happening.TOOK_OVER: "Taking over the primary (user request).",
    Happening.EPOCH_COLLISION: "configEpoch collision with node {node}. configEpoch set to {epoch}",
    Happening.NEW_EPOCH: "New configEpoch set to {epoch}",
    Happening.EMPTIED: "My last slot was migrated to node {node}. I am now an empty primary.",
    Happening.SENT_UPDATE: "Node {node} has old slots configuration, sending an UPDATE message",
    Refusal.SENDER_MISMATCH: "PONG contains mismatching sender ID. About node {node}",
}
_UNCOVERED: Final = (
    "At least one hash slot is not served by any available node. "
    "Please check the 'cluster-require-full-coverage' configuration."
)
_MINORITY: Final = "I am part of a minority partition."
_SUB_REPLICA: Final = "I'm a sub-replica! Reconfiguring myself as a replica of {} from {}"

HumanName = Callable[[NodeId], str]
"""What a node is called by people, empty if nothing."""


class NodeLog:
    """The log of one node (`serverLog`)."""

    def __init__(self, log: "logging.LoggerAdapter[logging.Logger]", name: HumanName) -> None:
        """Nothing was told."""
        self._log = log
        self._name = name
        self._down = ""  # why the cluster is, as it was last told

    @clause("RT-10")
    def judged(self, judged: Availability, *, changed: bool) -> None:
        """The log says that the cluster is up or down now, and why it is down if that is new.

        Counterpart: `clusterUpdateState`, `clusterLogFailReason`.
        """
        if changed:
            self._log.info("Cluster state changed: %s", "ok" if judged.serving else "fail")
        seen, down = judged.seen, ""
        if not judged.serving and seen is not None and seen.reason is not None:
            down = _MINORITY if seen.minority else _UNCOVERED
        if down and down != self._down:
            self._log.warning("Cluster is currently down: %s", down)
        self._down = down

    @clause("RT-10")
    def tell(self, notice: Notice, before: ClusterState) -> None:
        """The log says what has happened, in this state or on the way out of it."""
        words = self._words(notice, before)
        self._log.info("%s", f"{words}: {notice.text}" if words else notice.text)

    def _words(self, notice: Notice, before: ClusterState) -> str:
        subject = notice.subject
        if notice.what is Happening.FOLLOWED and subject is not None:
            old = before.nodes.get(before.myself.replicaof)
            chained = old is not None and old.is_replica and old.replicaof == subject
            return _SUB_REPLICA.format(subject, before.myself.replicaof) if chained else ""
        node = self._called(subject) if subject is not None else ""
        return _WORDS.get(notice.what, "").format(node=node, epoch=notice.epoch)

    def _called(self, node_id: NodeId) -> str:
        return f"{node_id} ({self._name(node_id)})"

    @clause("RT-10")
    def sending(self, kind: str, link: BusLink) -> None:
        """The log says, if it tells that much, to whom a message goes, and on which link.

        Counterpart: `clusterSendMessage`.
        """
        if link.node_id is not None and self._log.isEnabledFor(logging.DEBUG):
            to, way = self._called(link.node_id), link.direction.name.lower()
            self._log.debug("Sending %s packet to node %s on %s link", kind, to, way)

    @clause("RT-10")
    def tell_of_reports(self, before: ClusterState, after: ClusterState) -> None:
        """The log says who has begun to say that which node fails.

        Counterpart: `clusterProcessGossipSection`.
        """
        for reporter, subject in _new_reports(before, after):
            self._log.info(
                "Node %s reported node %s as not reachable.",
                self._called(reporter),
                self._called(subject),
            )


def _new_reports(before: ClusterState, after: ClusterState) -> Iterator[tuple[NodeId, NodeId]]:
    if after.nodes is before.nodes:
        return
    for node in after.nodes:
        old = before.nodes.get(node.node_id)
        known = old.fail_reports if old is not None else frozenset()
        if node.fail_reports is not known:
            yield from ((reporter, node.node_id) for reporter in sorted(node.fail_reports - known))

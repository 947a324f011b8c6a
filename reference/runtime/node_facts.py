"""What a node's messages and its file say besides its state."""

from collections.abc import Callable, Mapping
from typing import Protocol

from reference.clauses import clause
from reference.core.events import BlacklistExpired
from reference.core.state import ClusterState
from reference.core.types import NodeId
from reference.pacing.deadlines import deadline
from reference.pacing.pace import Pace, PeerPace
from reference.runtime.bus.announcements import Announcements
from reference.runtime.bus.translate import WireFacts
from reference.runtime.clients.view import release_of
from reference.runtime.clock import Clock
from reference.runtime.files.nodes_file import Contact
from reference.runtime.options import NodeOptions
from reference.wire.announced import Announced
from reference.wire.bus_extensions import InternalSecretExtension


class Known(Protocol):
    """The node that says it."""

    options: NodeOptions
    state: ClusterState
    pace: Pace
    clock: Clock
    announcements: Announcements

    @property
    def cluster_ok(self) -> bool:
        """Whether the node serves clients."""

    def announced(self, node_id: NodeId) -> Announced:
        """What this node, or another one, says of itself beside the header of its messages."""

    def repl_offset(self, node_id: NodeId) -> int:
        """How far the node's data goes, in bytes of its master's stream; 0 if it has none."""

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether we have a link to the node."""

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """When the PING in flight was sent, milliseconds since 1970; 0 if there is none."""

    def pong_received_ms(self, node_id: NodeId) -> int:
        """When the node was last heard to answer, milliseconds since 1970; 0 if never."""


def wire_facts(node: Known) -> WireFacts:
    """What the messages of this moment say."""
    secrets = InternalSecretExtension.type in node.announcements.dialect.extensions
    return WireFacts(
        announced_ip=node.options.announce_ip,
        announced=node.announcements.own,
        dialect=node.announcements.dialect,
        speaks_up=node.announcements.speaks_up,
        secret=node.announcements.secret if secrets else b"",
        cluster_ok=node.cluster_ok,
        repl_offset=node.repl_offset(node.state.myself_id),
        migrate_to=node.state.nodes.targets,
        heard=_heard(node.pace.peers, node.clock.unix_s),
        forgotten_s=lambda of: _forgotten_s(node, of),
    )


def _heard(
    peers: Mapping[NodeId, PeerPace], unix_s: Callable[[int | None], int]
) -> Callable[[NodeId], tuple[int, int]]:
    """When the PING in flight was sent, and the last PONG received, in seconds since 1970."""

    def heard(node_id: NodeId) -> tuple[int, int]:
        peer = peers.get(node_id)
        if peer is None:
            return 0, 0
        ping_sent = peer.ping_sent
        return 0 if ping_sent is None else unix_s(ping_sent), unix_s(peer.pong_received)

    return heard


def _forgotten_s(node: Known, node_id: NodeId) -> int:
    """For how many seconds more the node is not to be learnt again."""
    until = deadline(node.pace, BlacklistExpired(node=node_id))
    return max(1, (until - node.clock.now()) // 1000) if isinstance(until, int) else 1


def contact_of(node: Known, node_id: NodeId) -> Contact:
    """What the file says of the node besides what the rules know."""
    return Contact(
        connected=node.link_connected(node_id),
        ping_sent=node.ping_sent_ms(node_id),
        pong_received=node.pong_received_ms(node_id),
        announced=node.announced(node_id),
        tls=node.options.tls_cluster,
    )


@clause("RT-10")
def human_name(node: Known, node_id: NodeId) -> str:
    """What people call the node, or where it is if they call it nothing; may be empty.

    Counterpart: `humanNodename`.
    """
    given = node.announced(node_id).human_nodename
    if given or not release_of(node.state).addresses_are_names:
        return given
    known = node.state.nodes.get(node_id)
    if known is None or known.address is None:
        return ""
    ip = known.address.ip
    return f"[{ip}]:{known.address.port}" if ":" in ip else f"{ip}:{known.address.port}"

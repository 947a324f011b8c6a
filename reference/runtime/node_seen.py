"""What of a node its clients are shown: its counts, its links, and how far its data goes."""

from collections.abc import Iterator, Mapping

from reference.core.state import ClusterState
from reference.core.types import NodeId, ShardId
from reference.pacing.availability import Availability
from reference.pacing.pace import Pace
from reference.runtime.bus.announcements import Announcements
from reference.runtime.bus.connections import Bus
from reference.runtime.bus.outbox import Outbox
from reference.runtime.clients.view import LinkView
from reference.runtime.clock import Clock, new_node_id, new_shard_id
from reference.runtime.reception import Reception
from reference.runtime.replication.following import Replication
from reference.wire.announced import Announced


class NodeSeen:
    """The part of a node that only tells; the node itself moves what it tells of."""

    state: ClusterState
    pace: Pace
    clock: Clock
    announcements: Announcements
    _availability: Availability
    _bus: Bus
    _outbox: Outbox
    _reception: Reception
    _replication: Replication

    @property
    def cluster_ok(self) -> bool:
        """Whether the node serves clients (`cluster_state:ok`), after the delays of a return."""
        return self._availability.serving

    @property
    def messages_sent(self) -> Mapping[str, int]:
        """How many messages of each type were sent, by the names in CLUSTER INFO."""
        return self._outbox.traffic.messages

    @property
    def messages_received(self) -> Mapping[str, int]:
        """How many messages of each type were received, by the names in CLUSTER INFO."""
        return self._reception.traffic.messages

    @property
    def bytes_sent(self) -> int:
        """How many bytes these messages had."""
        return self._outbox.traffic.bytes

    @property
    def bytes_received(self) -> int:
        """How many bytes these messages had."""
        return self._reception.traffic.bytes

    @property
    def published_bytes(self) -> tuple[int, int]:
        """How many of the bytes sent, and of those received, were publications."""
        return self._outbox.traffic.published_bytes, self._reception.traffic.published_bytes

    def forget_traffic(self) -> None:
        """All these counts, and that of links with too much, begin again."""
        self._outbox.traffic.forget()
        self._reception.traffic.forget()
        self._bus.overfull = 0

    @property
    def links_overfull(self) -> int:
        """How many links were closed because too much waited for them."""
        return self._bus.overfull

    def announced(self, node_id: NodeId) -> Announced:
        """What this node, or another one, says of itself beside the header of its messages."""
        if node_id == self.state.myself_id:
            return self.announcements.own
        return self.announcements.of(node_id)

    def links(self) -> Iterator[LinkView]:
        """Every link whose node is known, by node."""
        for node in self.state.nodes:
            for links in (self._bus.outbound, self._bus.inbound):
                link = links.get(node.node_id)
                if link is not None and link.opened:
                    yield LinkView(
                        direction=link.direction,
                        node_id=node.node_id,
                        created_ms=self.clock.unix_ms(link.created),
                        unsent=link.unsent,
                    )

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether we have a link to the node."""
        link = self._bus.outbound.get(node_id)
        return link is not None and link.opened

    def repl_offset(self, node_id: NodeId) -> int:
        """How far the node's data goes, in bytes of its master's stream; 0 if it has none."""
        if node_id == self.state.myself_id:
            return self._replication.offset
        return self.pace.peer(node_id).repl_offset

    @property
    def master_link_up(self) -> bool:
        """Whether our data follows that of our master."""
        return self._replication.master_link_up

    def drop_master_link(self, address: str) -> bool:
        """The link for our master's data is gone if it leads there; whether there was one."""
        return self._replication.drop(address)

    @property
    def master_heard_s_ago(self) -> int:
        """How long ago our master was heard on the link for its data, in seconds; -1 if never."""
        return self._replication.heard_s_ago

    @property
    def master_sends_all(self) -> bool:
        """Whether our master's data is on its way as a whole."""
        return self._replication.loading

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """When the PING in flight was sent, milliseconds since 1970; 0 if there is none."""
        return self.clock.unix_ms(self.pace.peer(node_id).ping_sent)

    def pong_received_ms(self, node_id: NodeId) -> int:
        """When the node was last heard to answer, milliseconds since 1970; 0 if never."""
        return self.clock.unix_ms(self.pace.peer(node_id).pong_received)

    def new_temporary_id(self) -> NodeId:
        """A name for a node that has not said its own."""
        return new_node_id()

    def new_shard_id(self) -> ShardId:
        """A name for a shard that has none yet."""
        return new_shard_id()

"""Messages on their way out: translated, counted, and put on links."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from reference.clauses import clause
from reference.core.announce import header as said_by
from reference.core.messages import Message
from reference.core.state import ClusterState
from reference.runtime.bus.announcements import Announcements
from reference.runtime.bus.connections import Bus, BusLink
from reference.runtime.bus.translate import WireFacts, plain_header, to_wire
from reference.wire.bus import PublishMessage, PublishShardMessage, encode
from reference.wire.bus_header import LIGHT, LightHeader, MessageType

_COUNTER_NAMES: Final = {kind.value: kind.name.lower() for kind in MessageType} | {
    MessageType.FAILOVER_AUTH_REQUEST.value: "auth-req",
    MessageType.FAILOVER_AUTH_ACK.value: "auth-ack",
}
_PUBLICATIONS: Final = {MessageType.PUBLISH.value, MessageType.PUBLISHSHARD.value}
_TYPE_AT: Final = 12
_SENDER_FIELD: Final = slice(40, 80)  # of the full header


class Traffic:
    """How much has gone one way (the stats_bus_* fields of `clusterState`)."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.messages: Counter[str] = Counter()
        self.bytes = 0
        self.published_bytes = 0  # of them

    def count(self, frame: bytes) -> None:
        """One more message."""
        kind = type_of(frame)
        self.messages[counter_name(kind)] += 1
        self.bytes += len(frame)
        if kind in _PUBLICATIONS:
            self.published_bytes += len(frame)

    def forget(self) -> None:
        """Nothing again. Counterpart: `resetClusterStats`."""
        self.messages.clear()
        self.bytes = self.published_bytes = 0


def type_of(frame: bytes) -> int:
    """The type of the message, without the mark of a light header."""
    return (frame[_TYPE_AT] << 8 | frame[_TYPE_AT + 1]) & ~LIGHT


def sender_of(frame: bytes) -> str:
    """Who the message says it is from, if its header is the full one."""
    return frame[_SENDER_FIELD].decode("latin-1")


def counter_name(message_type: int) -> str:
    """What CLUSTER INFO calls messages of this type. Counterpart: `clusterGetMessageTypeString`."""
    return _COUNTER_NAMES.get(message_type, "unknown")


class Outbox:
    """What one node sends."""

    def __init__(
        self,
        bus: Bus,
        announcements: Announcements,
        facts: Callable[[], WireFacts],
        told: Callable[[str, BusLink], None],
    ) -> None:
        """Nothing has been sent; `facts` are those of the moment of a message.

        `told` is told of each message to one node, by its name.
        """
        self.traffic = Traffic()
        self._bus = bus
        self._announcements = announcements
        self._facts = facts
        self._told = told

    def send(self, link: BusLink | None, message: Message) -> None:
        """The message is on its way, if there is a link."""
        if link is None:
            return
        extended = self._announcements.extends(link.node_id)
        data = encode(to_wire(message, self._facts(), extended=extended))
        self.traffic.count(data)
        self._told(counter_name(type_of(data)), link)
        link.send(data)

    @clause("RT-43")
    def publish(self, state: ClusterState, channel: bytes, message: bytes, *, shard: bool) -> None:
        """The publication is on its way to every other node, or to those of this node's shard.

        Counterpart: `clusterPropagatePublish`.
        """
        leader = state.myself.replicaof or state.myself_id
        kind = PublishShardMessage if shard else PublishMessage
        for node in state.nodes:
            link = self._bus.outbound.get(node.node_id)
            outside = shard and leader not in (node.node_id, node.replicaof)
            if link is None or node.handshake or outside or node.node_id == state.myself_id:
                continue
            light = self._announcements.takes_light(node.node_id)
            header = LightHeader() if light else plain_header(said_by(state), self._facts())
            data = encode(kind(header=header, channel=channel, message=message))
            self.traffic.count(data)
            link.send(data)

    def broadcast(self, state: ClusterState, message: Message) -> None:
        """The message is on its way to every known node that we have a link to."""
        for node in state.nodes:
            if not node.handshake:
                self.send(self._bus.outbound.get(node.node_id), message)

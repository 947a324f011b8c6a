"""What arrives on the bus: messages become events of the core, and links belong to nodes."""

import logging
from typing import Final, Protocol

from reference.clauses import clause
from reference.core.effects import Effect
from reference.core.events import Event, HeartbeatDue, Received
from reference.core.messages import FailoverAuthRequest, Meet, Message, Ping
from reference.core.messages import Heartbeat as HeartbeatSaid
from reference.core.state import ClusterState
from reference.core.types import Health, Link, NodeId
from reference.pacing.elections import voted_recently
from reference.pacing.heartbeat import (
    gossip_about,
    learn_abilities,
    learn_pongs,
    link_inbound,
    link_lost,
)
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import hear_data, hear_offset
from reference.runtime.bus.announcements import Announcements
from reference.runtime.bus.candidacy_log import tell_of_candidacy
from reference.runtime.bus.connections import Bus, BusLink
from reference.runtime.bus.late_frames import LateFrames
from reference.runtime.bus.outbox import Traffic, counter_name, sender_of, type_of
from reference.runtime.bus.translate import from_wire, why_unusable
from reference.runtime.clock import Clock, entropy, new_node_id
from reference.runtime.debugging import Debugging
from reference.runtime.faults import NodeFaults
from reference.runtime.serving.port import ClientServer
from reference.wire.bus import BusMessage, Heartbeat, Publication, PublishShardMessage, decode
from reference.wire.bus_errors import BusLinkError, BusMessageError
from reference.wire.bus_header import BusHeader, LightHeader, NodeFlag

_TAKES_MEET_AGAIN: Final = NodeFlag.LIGHT_HDR_MODULE_SUPPORTED.value


class Receiver(Protocol):
    """The node for which messages arrive."""

    state: ClusterState
    pace: Pace
    clock: Clock
    announcements: Announcements
    faults: NodeFaults
    debugging: Debugging
    clients: ClientServer | None

    @property
    def newcomer(self) -> bool:
        """Whether it has just started, and is a master that does not serve anybody yet."""

    def known_for(self, node_id: NodeId) -> int:
        """For how many milliseconds this node has been in the table; 0 if it is not."""

    def step(self, event: Event, link: BusLink | None = None) -> tuple[Effect, ...]:
        """The event has been answered, and every effect carried out."""

    def learn_own_ip(self, ip: str) -> None:
        """Another node reached this one at that address."""

    def save(self, *, fsync: bool) -> None:
        """The durable part of the state is in the file."""


class Reception:
    """The owner of the bus: it is told what happens on the links."""

    def __init__(self, node: Receiver, log: "logging.LoggerAdapter[logging.Logger]") -> None:
        """Nothing has arrived."""
        self.traffic = Traffic()
        self.bus = Bus(self, light_headers=node.announcements.dialect.light_headers)
        self._node = node
        self._late = LateFrames(self._take_frame)
        self._log = log

    def link_opened(self, link: BusLink) -> None:
        """The node on our new link is greeted at once.

        Counterpart: `clusterLinkConnectHandler`.
        """
        node = self._node
        if link.node_id is not None:
            about = gossip_about(node.pace, node.state, entropy(), receiver=link.node_id)
            node.step(HeartbeatDue(peer=link.node_id, gossip_about=about))

    def link_lost(self, link: BusLink) -> None:
        """The node on the link has to be dialled again."""
        node, now = self._node, self._node.clock.now()
        if link.node_id is None:
            return
        if link.direction is Link.OUTBOUND:
            node.pace = link_lost(node.pace, link.node_id, now, never_opened=not link.opened)
        else:
            node.pace = link_inbound(node.pace, link.node_id, now, up=False)

    def bind(self, link: BusLink, node_id: NodeId) -> None:
        """The inbound link belongs to the node."""
        self.bus.bind(link, node_id)
        self._node.pace = link_inbound(self._node.pace, node_id, self._node.clock.now(), up=True)

    def unreachable(self, node_id: NodeId) -> bool:
        """Whether a partition lies between the two."""
        return self._node.faults.any and self._node.faults.unreachable(node_id)

    @clause("RT-42")
    def frame_received(self, link: BusLink, frame: bytes) -> None:
        """The message is taken in, unless a fault keeps it or puts it off."""
        faults, delay_ms = self._node.faults, 0
        if faults.any:
            sender = link.node_id or sender_of(frame)
            if faults.loses(sender, counter_name(type_of(frame))):
                return
            delay_ms = faults.delay_ms(sender)
        if delay_ms or self._late.waits(link):
            self._late.put(link, frame, delay_ms)
        else:
            self._take_frame(link, frame)

    def _take_frame(self, link: BusLink, frame: bytes) -> None:
        """The message has been taken in, or the log says why not."""
        self.traffic.count(frame)
        if self._node.debugging.drops(link, type_of(frame)):
            return
        dialect = self._node.announcements.dialect
        try:
            wire = decode(frame, light_headers=dialect.light_headers, extensions=dialect.extensions)
        except BusMessageError as error:
            self._log.warning("dropping a message from %s: %s", link, error.reason)
            return
        except BusLinkError as error:
            link.fail(error.reason)
            return
        reason = why_unusable(wire)
        if reason is not None:
            self._log.warning("dropping a message from %s: %s", link, reason)
            return
        self._take_in(link, wire)

    def _take_in(self, link: BusLink, wire: BusMessage) -> None:
        node, message = self._node, from_wire(wire)
        if message is None:
            self._take_in_other(link, wire)
            return
        sender = message.header.sender
        known = node.state.known(sender) is not None and sender != node.state.myself_id
        if known and link.direction is Link.INBOUND and link.node_id is None:
            self.bind(link, sender)
        self._receive(link, message, wire)

    @clause("RT-44")
    def _take_in_other(self, link: BusLink, wire: BusMessage) -> None:
        """What the rules have nothing to do with: publications of nodes that are known.

        Counterpart: `clusterProcessPacket`.
        """
        node = self._node
        light = isinstance(wire.header, LightHeader)
        sender = link.node_id if light else wire.header.sender  # type: ignore[union-attr]
        node.pace = hear_data(node.pace, node.state, link.node_id, node.clock.now())
        if isinstance(wire, Publication) and node.state.known(sender) is not None:
            if node.clients is not None:
                channels = node.clients.service.channels
                shard = isinstance(wire, PublishShardMessage)
                (channels.deliver_shard if shard else channels.deliver)(wire.channel, wire.message)
        else:
            self._log.info("ignoring %s from %s", type(wire).__name__, link)

    def _receive(self, link: BusLink, message: Message, wire: BusMessage) -> None:
        node, sender, now = self._node, message.header.sender, self._node.clock.now()
        if isinstance(message, Meet):
            node.learn_own_ip(link.local_ip)
        if node.state.known(sender) is not None and not isinstance(wire.header, LightHeader):
            self._take_in_header(wire.header, sender, now)
        event = self._event(link, message, now)
        node.announcements.hear_flags(sender, wire)
        node.step(event, link)
        self._bind_met(link, event)
        if isinstance(wire, Heartbeat) and node.state.known(sender) is not None:
            self._take_in_times(message, wire, now)
            if node.announcements.hear(sender, wire):
                node.save(fsync=False)

    def _event(self, link: BusLink, message: Message, now: int) -> Received:
        node, sender = self._node, message.header.sender
        about: tuple[NodeId, ...] = ()
        if isinstance(message, Ping | Meet):
            about = gossip_about(node.pace, node.state, entropy(), receiver=sender)
        meets, asks = isinstance(message, Meet), isinstance(message, FailoverAuthRequest)
        return Received(
            message=message,
            link=link.direction,
            link_node=link.node_id,
            gossip_about=about,
            voted_recently=asks and voted_recently(node.pace, node.state, sender, now),
            newcomer=asks and node.newcomer,
            sender_known_long=meets and node.known_for(sender) > node.pace.handshake_timeout,
            new_id=new_node_id() if meets else None,
            observed_ip=link.peer_ip or None,
        )

    @clause("RT-4")
    def _bind_met(self, link: BusLink, event: Received) -> None:
        """The link on which a node made itself known belongs to it, though its name is made up.

        Only where a second MEET on it is to be told from the first. Counterpart:
        `setClusterNodeToInboundClusterLink`.
        """
        state = self._node.state
        met = event.new_id is not None and event.new_id in state.nodes
        unbound = link.direction is Link.INBOUND and link.node_id is None and not link.closed
        if met and unbound and event.new_id is not None and state.rules.second_meet_is_ignored:
            self.bind(link, event.new_id)

    def _take_in_header(self, header: BusHeader, sender: NodeId, now: int) -> None:
        """What only the delays depend on; before the step, since a pause counts from it on."""
        node, again = self._node, bool(int(header.flags) & _TAKES_MEET_AGAIN)
        known = node.pace.peers.get(sender)
        told = (again, header.offset)
        if known is not None and (known.takes_meet_again, known.repl_offset) == told:
            return
        node.pace = learn_abilities(node.pace, sender, takes_meet_again=again)
        old = node.pace
        node.pace = hear_offset(old, node.state, sender, header.offset, now=now, entropy=entropy())
        tell_of_candidacy(self._log, old, node.pace, node.state, now)

    def _take_in_times(self, message: Message, wire: Heartbeat, now: int) -> None:
        node = self._node
        told = message.gossip if isinstance(message, HeartbeatSaid) else ()
        from_unix_s = node.clock.from_unix_s
        heard = [
            (entry.nodename, from_unix_s(entry.pong_received))
            for said, entry in zip(told, wire.gossip, strict=True)
            if entry.pong_received and said.health is Health.OK
        ]
        node.pace = learn_pongs(node.pace, node.state, heard, now)

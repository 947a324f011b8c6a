"""One node: it owns the state and the pace, feeds events to the core, and carries out effects."""

import asyncio
import logging
from collections import Counter

import attrs

from reference.clauses import clause
from reference.core.effects import Broadcast, CloseLink, Effect, Notice, Reply, SaveConfig, Send
from reference.core.events import Command, Event, HeartbeatDue, Received
from reference.core.messages import Meet, Message, Ping
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, Link, NodeId
from reference.pacing.availability import Availability, judge
from reference.pacing.elections import voted_recently
from reference.pacing.heartbeat import gossip_about, learn_pong, link_dialled, link_lost
from reference.pacing.pacemaker import (
    Dial,
    Drop,
    after_step,
    begin,
    due,
    hear_data,
    hear_offset,
    next_deadline,
)
from reference.runtime.bus import Bus, BusLink
from reference.runtime.clock import Clock, entropy, new_node_id
from reference.runtime.nodes_file import Contact, to_conf
from reference.runtime.options import NodeOptions
from reference.runtime.storage import ConfigFile
from reference.runtime.translate import (
    WireFacts,
    from_wire,
    health_of,
    knows_extensions,
    to_wire,
    why_unusable,
)
from reference.wire.bus import BusMessage, Heartbeat, decode, encode
from reference.wire.bus_errors import BusLinkError, BusMessageError
from reference.wire.bus_header import LightHeader, MessageType
from reference.wire.nodes_conf import format_nodes_conf

_COUNTER_NAMES = {
    MessageType.FAILOVER_AUTH_REQUEST: "auth-req",
    MessageType.FAILOVER_AUTH_ACK: "auth-ack",
}
_TYPE_FIELD = slice(12, 14)


def counter_name(message_type: int) -> str:
    """What CLUSTER INFO calls messages of this type. Counterpart: `clusterGetMessageTypeString`."""
    try:
        known = MessageType(message_type)
    except ValueError:
        return "unknown"
    return _COUNTER_NAMES.get(known, known.name.lower())


class Node:
    """A running node (`server.cluster`): everything happens in the thread of its event loop."""

    def __init__(self, options: NodeOptions, state: ClusterState, config: ConfigFile) -> None:
        self.options = options
        self.state = state
        self.messages_sent: Counter[str] = Counter()
        self.messages_received: Counter[str] = Counter()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock = Clock()
        now = self.clock.now()
        self._config = config
        self._bus = Bus(self, light_headers=state.rules.shards)
        self._pace = begin(state, now=now, node_timeout=options.node_timeout_ms, entropy=entropy())
        self._availability = Availability(began=now)
        self._extended: set[NodeId] = set()  # who understands ping extensions
        self._alarm: asyncio.TimerHandle | None = None
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"port": options.port})
        self._judge(now)

    async def listen(self) -> None:
        """The node is saved and can be dialled; OSError if the port of the bus is taken."""
        self.save(fsync=True)
        await self._bus.listen(self.options.bind, self.options.cport)

    def start(self) -> None:
        """The node dials others and watches them, from now on."""
        self._rearm()

    async def close(self) -> None:
        """The node is silent, has no link, and holds no file."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        await self._bus.close()
        self._config.close()
        if not self.failed.done():
            self.failed.cancel()

    # What the client side asks for.

    @property
    def cluster_ok(self) -> bool:
        """Whether the node serves clients (`cluster_state:ok`), after the delays of a return."""
        return self._availability.serving

    def submit(self, command: Command) -> str | None:
        """The command has been carried out and all its effects too: None for OK, or the error."""
        if self.failed.done():
            return "ERR this node has failed and is about to end"
        replies = [effect for effect in self._step(command) if isinstance(effect, Reply)]
        return replies[-1].error if replies else None

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether we have a link to the node."""
        link = self._bus.outbound.get(node_id)
        return link is not None and link.opened

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """When the PING in flight was sent, milliseconds since 1970; 0 if there is none."""
        return self.clock.unix_ms(self._pace.peer(node_id).ping_sent)

    def pong_received_ms(self, node_id: NodeId) -> int:
        """When the node was last heard to answer, milliseconds since 1970; 0 if never."""
        return self.clock.unix_ms(self._pace.peer(node_id).pong_received)

    def new_temporary_id(self) -> NodeId:
        """A name for a node that has not said its own."""
        return new_node_id()

    # What the bus tells.

    def link_opened(self, link: BusLink) -> None:
        """The node on our new link is greeted at once.

        Counterpart: `clusterLinkConnectHandler`.
        """
        if link.node_id is not None:
            about = gossip_about(self._pace, self.state, entropy(), receiver=link.node_id)
            self._step(HeartbeatDue(peer=link.node_id, gossip_about=about))

    def link_lost(self, link: BusLink) -> None:
        """The node on the link has to be dialled again."""
        if link.direction is Link.OUTBOUND and link.node_id is not None:
            self._pace = link_lost(
                self._pace, link.node_id, self.clock.now(), never_opened=not link.opened
            )

    def frame_received(self, link: BusLink, frame: bytes) -> None:
        """The message has been taken in, or the log says why not."""
        self.messages_received[counter_name(int.from_bytes(frame[_TYPE_FIELD], "big"))] += 1
        try:
            wire = decode(frame, light_headers=self._bus.light_headers)
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
        message = from_wire(wire)
        if message is None:
            self._log.info("ignoring %s from %s", type(wire).__name__, link)
            self._pace = hear_data(self._pace, self.state, link.node_id, self.clock.now())
            return
        sender = message.header.sender
        known = self.state.known(sender) is not None and sender != self.state.myself_id
        if known and link.direction is Link.INBOUND and link.node_id is None:
            self._bus.bind(link, sender)
        self._receive(link, message, wire)

    def _receive(self, link: BusLink, message: Message, wire: BusMessage) -> None:
        sender, now = message.header.sender, self.clock.now()
        greets = isinstance(message, Ping | Meet)
        if isinstance(message, Meet):
            self._learn_own_ip(link)
        event = Received(
            message=message,
            link=link.direction,
            link_node=link.node_id,
            gossip_about=gossip_about(self._pace, self.state, entropy(), receiver=sender)
            if greets
            else (),
            voted_recently=voted_recently(self._pace, self.state, sender, now),
            new_id=self.new_temporary_id() if isinstance(message, Meet) else None,
            observed_ip=link.peer_ip or None,
        )
        if not isinstance(wire.header, LightHeader) and knows_extensions(wire.header):
            self._extended.add(sender)
        self._step(event, link)
        if isinstance(wire, Heartbeat) and self.state.known(sender) is not None:
            self._take_in_times(wire, sender, now)

    def _take_in_times(self, wire: Heartbeat, sender: NodeId, now: int) -> None:
        for entry in wire.gossip:
            if entry.pong_received and health_of(entry.flags) is Health.OK:
                heard = self.clock.from_unix_s(entry.pong_received)
                self._pace = learn_pong(self._pace, self.state, entry.nodename, heard, now)
        self._pace = hear_offset(
            self._pace, self.state, sender, wire.header.offset, now=now, entropy=entropy()
        )

    def _learn_own_ip(self, link: BusLink) -> None:
        """Peers will use the address they reached us by, so it is ours unless one was set.

        Counterpart: `clusterProcessPacket`.
        """
        myself = self.state.myself
        known = myself.address
        if not self.options.ip_is_a_guess or known is None or known.ip == link.local_ip:
            return
        moved = attrs.evolve(myself, address=attrs.evolve(known, ip=link.local_ip))
        self.state = self.state.put(moved)
        self._log.info("IP address for this node updated to %s", link.local_ip)
        self.save(fsync=False)

    # Time.

    def _tick(self) -> None:
        self._alarm = None
        now = self.clock.now()
        try:
            self._do_what_is_due(now)
        except Exception as error:
            # Without its alarm the node would be a dead one that still answers.
            if not self.failed.done():
                self.failed.set_exception(error)
            raise
        self._judge(now)
        self._rearm()

    def _do_what_is_due(self, now: int) -> None:
        self._pace, actions = due(self._pace, self.state, now, entropy())
        for action in actions:
            match action:
                case Dial():
                    self._dial(action.peer, now)
                case Drop():
                    self._log.info("reconnecting to %s", action.peer)
                    self._bus.drop(action.peer)
                case HeartbeatDue():
                    if action.peer in self._bus.outbound:
                        self._step(action)
                case _:
                    self._step(action)

    def _dial(self, peer: NodeId, now: int) -> None:
        node = self.state.nodes.get(peer)
        if node is not None and node.address is not None and peer not in self._bus.outbound:
            self._pace = link_dialled(self._pace, peer, now)
            self._bus.dial(peer, node.address)

    def _rearm(self) -> None:
        """The alarm rings at the next deadline."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(next_deadline(self._pace) / 1000, self._tick)

    def _judge(self, now: int) -> None:
        judged = judge(
            self._availability,
            self.state,
            now=now,
            node_timeout=self.options.node_timeout_ms,
            writable_delay=self.options.writable_delay_ms,
        )
        if judged.serving != self._availability.serving:
            self._log.info("Cluster state changed: %s", "ok" if judged.serving else "fail")
        self._availability = judged

    # Steps and their effects.

    def _step(self, event: Event, link: BusLink | None = None) -> tuple[Effect, ...]:
        """The event has been answered by the core, and every effect carried out, in order."""
        if self.failed.done():
            return ()
        before, now = self.state, self.clock.now()
        self.state, effects = step(before, event)
        self._pace = after_step(self._pace, before, self.state, event, now=now, entropy=entropy())
        if self.state is not before:
            self._follow_nodes(before, link)
            self._judge(now)
            if self._alarm is not None:
                self._rearm()
        for effect in effects:
            self._carry_out(effect, link)
        return effects

    def _follow_nodes(self, before: ClusterState, link: BusLink | None) -> None:
        """Links belong to nodes of the table, under the names they have now."""
        nodes = self.state.nodes
        if nodes is before.nodes:
            return
        dialled = link is not None and link.direction is Link.OUTBOUND
        if link is not None and dialled and nodes.get(link.node_id) is None:
            self._rename(link, before)
        gone = [node.node_id for node in before.nodes if node.node_id not in nodes]
        for node_id in gone:
            self._bus.drop(node_id)
            self._extended.discard(node_id)
            inbound = self._bus.inbound.get(node_id)
            if inbound is not None:
                inbound.close()

    def _rename(self, link: BusLink, before: ClusterState) -> None:
        named = [node.node_id for node in self.state.nodes if node.node_id not in before.nodes]
        if len(named) == 1:
            self._bus.rename(link, named[0])

    def _carry_out(self, effect: Effect, link: BusLink | None) -> None:
        match effect:
            case SaveConfig():
                self.save(fsync=effect.fsync)
            case Send():
                target = link if effect.reply else self._bus.outbound.get(effect.to or NodeId(""))
                if target is not None:
                    self._send(target, effect.message)
            case Broadcast():
                for node in self.state.nodes:
                    target = self._bus.outbound.get(node.node_id)
                    if target is not None and not node.handshake:
                        self._send(target, effect.message)
            case CloseLink():
                self._bus.drop(effect.peer)
            case Notice():
                self._log.info("%s", effect.text)
            case Reply():
                pass

    def _send(self, link: BusLink, message: Message) -> None:
        extended = link.node_id in self._extended
        wire = to_wire(message, self._facts(), extended=extended)
        data = encode(wire)
        self.messages_sent[counter_name(int.from_bytes(data[_TYPE_FIELD], "big"))] += 1
        link.send(data)

    def _facts(self) -> WireFacts:
        return WireFacts(
            announced_ip=self.options.announce_ip or "",
            shards=self.state.rules.shards,
            cluster_ok=self.cluster_ok,
            heard=self._heard,
        )

    def _heard(self, node_id: NodeId) -> tuple[int, int]:
        return self.ping_sent_ms(node_id) // 1000, self.pong_received_ms(node_id) // 1000

    def _contact(self, node_id: NodeId) -> Contact:
        return Contact(
            connected=self.link_connected(node_id),
            ping_sent=self.ping_sent_ms(node_id),
            pong_received=self.pong_received_ms(node_id),
        )

    @clause("RT-3")
    def save(self, *, fsync: bool) -> None:
        """The durable part of the state is in the file.

        A node that cannot write must not go on, since it would forget what it promised: it fails,
        and the effects that should follow are not carried out. Counterpart:
        `clusterSaveConfigOrDie`.
        """
        try:
            self._config.save(format_nodes_conf(to_conf(self.state, self._contact)), fsync=fsync)
        except OSError as error:
            self._log.critical("Fatal: can't update cluster config file: %s", error)
            if not self.failed.done():
                self.failed.set_exception(error)
            raise

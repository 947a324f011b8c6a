"""One node: it owns the state and the pace, feeds events to the core, and carries out effects."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from reference.clauses import clause
from reference.core.effects import (
    Broadcast,
    CloseLink,
    DeleteKeys,
    Effect,
    FlushData,
    MigrationEffect,
    Notice,
    PauseWrites,
    ReplicateFirst,
    Reply,
    ResumeWrites,
    SaveConfig,
    Send,
)
from reference.core.events import (
    Command,
    DatasetLoaded,
    Event,
    HeartbeatDue,
    SetslotAcknowledged,
    SettingsChanged,
)
from reference.core.messages import Message
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Link, NodeId
from reference.pacing.availability import Availability, judge
from reference.pacing.heartbeat import link_dialled, without_random_ping
from reference.pacing.pacemaker import Dial, Drop, after_step, begin, due, next_deadline
from reference.runtime.bus.announcements import Announcements, own_announced
from reference.runtime.bus.candidacy_log import tell_of_candidacy
from reference.runtime.bus.connections import BusLink
from reference.runtime.bus.dialling_turns import in_turns
from reference.runtime.bus.outbox import Outbox
from reference.runtime.clock import Clock, entropy
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.debugging import Debugging
from reference.runtime.files.nodes_file import to_conf
from reference.runtime.files.storage import ConfigFile
from reference.runtime.listening import present
from reference.runtime.node_facts import contact_of, human_name, wire_facts
from reference.runtime.node_log import NodeLog
from reference.runtime.node_seen import NodeSeen
from reference.runtime.options import NodeOptions
from reference.runtime.pause import WritePause
from reference.runtime.reception import Reception
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.following import Replication
from reference.runtime.replication.master import Replicas
from reference.runtime.serving.port import ClientServer
from reference.runtime.slots.migrations import Migrations, longest_pause_ms
from reference.runtime.surroundings import NO_SURROUNDINGS, Surroundings
from reference.runtime.tls.settings import Tls
from reference.wire.announced import Announced
from reference.wire.nodes_conf import format_nodes_conf


class Node(NodeSeen):
    """A running node (`server.cluster`): everything happens in the thread of its event loop."""

    def __init__(
        self,
        options: NodeOptions,
        state: ClusterState,
        config: ConfigFile,
        keyspace: Keyspace,
        announced: Mapping[NodeId, Announced],
        surroundings: Surroundings = NO_SURROUNDINGS,
    ) -> None:
        """It is silent, and knows of others what was saved: the state, and what they announced."""
        self.faults = surroundings.faults
        self.clients: ClientServer | None = None  # its client port, once there is one
        self.end_asked = asyncio.Event()
        self._journal = surroundings.journal
        self._dial_space = surroundings.dial_space
        self.options = options
        self.state = state
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock = Clock()
        self.writes = WritePause()
        self.tls = Tls()
        self.debugging = Debugging(self)
        self.announcements = Announcements(options, announced)
        now = self.clock.now()
        self.pace = begin(
            state,
            now=now,
            node_timeout=options.node_timeout_ms,
            entropy=entropy(),
            directives=options.directives,
        )
        self._config = config
        self._keyspace = keyspace
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"port": options.port})
        self._told = NodeLog(self._log, lambda node_id: human_name(self, node_id))
        self._reception = Reception(self, self._log)
        self.bus = self._bus = self._reception.bus
        facts = partial(wire_facts, self)
        self._outbox = Outbox(self._bus, self.announcements, facts, self._told.sending)
        self._availability = Availability(began=now)
        self._known_since = {node.node_id: now for node in state.nodes}
        self._alarm: asyncio.TimerHandle | None = None
        self._started = False
        self._frozen = False
        self._followers: list[Callable[[], None]] = []
        self.replicas = Replicas(self, keyspace, Stream(), self._log)
        self.migrations = Migrations(self, keyspace, self._log)
        self._replication = Replication(self, keyspace, self.replicas, self._log)
        self._judge(now)

    async def listen(self) -> None:
        """The node is saved and can be dialled; OSError if the port of the bus is taken."""
        if self._journal is not None:
            self._journal.started(self.options.port, self.state)
        self._run_with(self.options)
        self.save(fsync=True)
        if len(self._keyspace):
            self.step(DatasetLoaded(slots=self._keyspace.slots()))
        self._bus.tls = self.tls if self.options.tls_cluster else None
        await self._bus.listen(present(self.options.addresses), self.options.cport)

    def start(self, *, after_ms: int = 0) -> None:
        """The node dials others and watches them, from then on.

        Nodes of one process do not all look at their links at the same moment.
        """
        self._started = True
        if after_ms:
            self.pace = attrs.evolve(self.pace, next_round=self.clock.now() + after_ms)
        self._replication.follow()
        self.replicas.start()
        self._rearm()

    async def close(self) -> None:
        """The node is silent, has no link, and holds no file."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._started = False
        self._leave_dial_space()
        self.writes.end_all()
        await self.migrations.close()
        await self._replication.close()
        await self.replicas.close()
        await self._bus.close()
        self._config.close()
        if not self.failed.done():
            self.failed.cancel()
        if self._journal is not None:
            self._journal.ended(self.options.port, self.state)

    def freeze(self) -> None:
        """Nothing of the node moves, as if its process were stopped."""
        self._frozen = True
        self._leave_dial_space()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._bus.freeze()
        self._replication.freeze()
        self.migrations.freeze()
        if self.clients is not None:
            self.clients.freeze()

    def _leave_dial_space(self) -> None:
        """Nobody waits for what this node has put off."""
        if self._dial_space is not None:
            self._dial_space.note_round(self.state.myself_id, first_put_off=False)

    def thaw(self) -> None:
        """The node takes up what others have sent, and what has become due, in the meantime."""
        self._frozen = False
        self._bus.thaw()
        self._replication.thaw()
        self.migrations.thaw()
        if self.clients is not None:
            self.clients.thaw()
        self.rearm()

    # What the client side asks for.

    @clause("RT-23")
    def submit(self, command: Command) -> Reply:
        """The command has been carried out and all its effects too, or the reply says why not.

        What replicas are to do first those have done that can be asked. Counterpart:
        `clusterCommandSetSlot`.
        """
        if self.failed.done():
            return Reply(error="ERR this node has failed and is about to end")
        effects = self.step(command)
        first = [effect.command for effect in effects if isinstance(effect, ReplicateFirst)]
        if first:
            effects = self.step(SetslotAcknowledged(command=first[0]))
        replies = [effect for effect in effects if isinstance(effect, Reply)]
        return replies[-1] if replies else Reply()

    def publish(self, channel: bytes, message: bytes, *, shard: bool) -> None:
        """The message is on its way to the nodes whose clients may listen to the channel."""
        self._outbox.publish(self.state, channel, message, shard=shard)

    def look_at_faults(self) -> None:
        """Connections that a partition does not let stand are gone."""
        self._replication.look_at_faults()
        self.migrations.look_at_faults()

    @clause("RT-33")
    def shut_down(self) -> None:
        """The node is asked to end, by whoever runs it, and does nothing more until then."""
        self.freeze()
        self.end_asked.set()

    @clause("RT-33")
    async def settle(self) -> None:
        """What is kept is on disk, nothing moves, and ports and connections stand.

        Counterpart: `finishShutdown`.
        """
        self.freeze()
        if self.clients is not None:
            await self.clients.service.file.close()
        if self._keyspace.recorder is not None:
            await self._keyspace.recorder.close()

    @clause("RT-24", "CM-D2")
    def configure(self, options: NodeOptions) -> None:
        """The node runs with these options, and the file says so.

        Counterpart: `updateClusterFlags`, `updateClusterIp`, `updateClusterHostname`.
        """
        self._run_with(options)
        self.save(fsync=False)

    def _run_with(self, options: NodeOptions) -> None:
        self.options = options
        self.announcements.own = own_announced(options)
        self.pace = attrs.evolve(
            self.pace, node_timeout=options.node_timeout_ms, directives=options.directives
        )
        nofailover = options.replica_no_failover
        self.step(SettingsChanged(settings=options.settings, nofailover=nofailover))
        myself, address = self.state.myself, options.address
        if options.ip_is_a_guess and myself.address is not None:
            address = attrs.evolve(address, ip=myself.address.ip)
        if myself.address != address:
            self._adjust(self.state.put(attrs.evolve(myself, address=address)))
        self._judge(self.clock.now())

    # What the bus tells.

    @property
    def newcomer(self) -> bool:
        """Whether it has just started, and is a master that does not serve anybody yet."""
        return self._availability.newcomer

    def known_for(self, node_id: NodeId) -> int:
        """For how many milliseconds this node has been in the table; 0 if it is not."""
        now = self.clock.now()
        return now - self._known_since.get(node_id, now)

    def learn_own_ip(self, ip: str) -> None:
        """Peers will use the address they reached us by, so it is ours unless one was set.

        Counterpart: `clusterProcessPacket`.
        """
        myself = self.state.myself
        known = myself.address
        if not self.options.ip_is_a_guess or known is None or known.ip == ip:
            return
        self._adjust(self.state.put(attrs.evolve(myself, address=attrs.evolve(known, ip=ip))))
        self._log.info("IP address for this node updated to %s", ip)
        self.save(fsync=False)

    @clause("RT-40")
    def _adjust(self, state: ClusterState) -> None:
        """The state is this one, though no event has made it so."""
        self.state = state
        if self._journal is not None:
            self._journal.adjusted(self.options.port, state)

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
        self._bus.drop_overfull(int(kept_text(self.options, "cluster-link-sendbuf-limit")))
        pace = self.pace if self.debugging.pings_at_random else without_random_ping(self.pace)
        self.pace, actions = due(pace, self.state, now, entropy())
        myself_id = self.state.myself_id
        for action in in_turns(actions, self.pace, self._dial_space, myself_id):
            match action:
                case Dial():
                    if self.debugging.reconnects:
                        self._dial(action.peer, now)
                case Drop():
                    self._log.info("reconnecting to %s", action.peer)
                    self._bus.drop(action.peer)
                case HeartbeatDue():
                    if action.peer in self._bus.outbound:
                        self.step(action)
                case _:
                    self.step(action)

    def _dial(self, peer: NodeId, now: int) -> None:
        node = self.state.nodes.get(peer)
        if node is not None and node.address is not None and peer not in self._bus.outbound:
            self.pace = link_dialled(self.pace, peer, now)
            dial = self._bus.dial(peer, node.address)
            if self._dial_space is not None:
                self._dial_space.take(dial)

    def rearm(self) -> None:
        """The alarm rings at the next deadline, once the node has started."""
        if self._started and not self._frozen:
            self._rearm()

    def _rearm(self) -> None:
        """The alarm rings at the next deadline."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(next_deadline(self.pace) / 1000, self._tick)

    def _judge(self, now: int) -> None:
        judged = judge(
            self._availability,
            self.state,
            now=now,
            node_timeout=self.options.node_timeout_ms,
            writable_delay=self.options.writable_delay_ms,
        )
        changed = judged.serving != self._availability.serving
        self._told.judged(judged, changed=changed)
        self._availability = judged
        if changed:
            self._tell_followers()

    def when_changed(self, follower: Callable[[], None]) -> None:
        """It is called after each change of the state, and of whether clients are served."""
        self._followers.append(follower)

    def _tell_followers(self) -> None:
        for follower in self._followers:
            follower()

    # Steps and their effects.

    def step(self, event: Event, link: BusLink | None = None) -> tuple[Effect, ...]:
        """The event has been answered by the core, and every effect carried out, in order."""
        if self.failed.done():
            return ()
        before, now = self.state, self.clock.now()
        if self._journal is not None:
            self._journal.happened(self.options.port, event)
        self.state, effects = step(before, event)
        old = self.pace
        self.pace = after_step(old, before, self.state, event, now=now, entropy=entropy())
        tell_of_candidacy(self._log, old, self.pace, self.state, now)
        if self.state is not before:
            self._follow_state(before, link, now)
        for effect in effects:
            if isinstance(effect, Notice):
                self._told.tell(effect, before)
            elif isinstance(effect, MigrationEffect):
                self.migrations.carry_out(effect)
            else:
                self._carry_out(effect, link)
        if self.state is not before:
            self._tell_followers()
        return effects

    def _follow_state(self, before: ClusterState, link: BusLink | None, now: int) -> None:
        """What depends on the state is as the new one says."""
        self._told.tell_of_reports(before, self.state)
        self._follow_nodes(before, link)
        self.migrations.follow(before)
        if self._started:
            self._replication.follow()
        self._judge(now)
        if self._alarm is not None:
            self._rearm()

    def _follow_nodes(self, before: ClusterState, link: BusLink | None) -> None:
        """Links belong to nodes of the table, under the names they have now."""
        nodes = self.state.nodes
        if nodes is before.nodes:
            return
        dialled = link is not None and link.direction is Link.OUTBOUND
        if link is not None and dialled and nodes.get(link.node_id) is None:
            named = [node.node_id for node in nodes if node.node_id not in before.nodes]
            if len(named) == 1:
                self._bus.rename(link, named[0])
        gone = [node.node_id for node in before.nodes if node.node_id not in nodes]
        self.announcements.forget(gone)
        now = self.clock.now()
        self._known_since = {
            node.node_id: self._known_since.get(node.node_id, now) for node in nodes
        }
        for node_id in gone:
            self._bus.drop(node_id)
            inbound = self._bus.inbound.get(node_id)
            if inbound is not None:
                inbound.close()

    def _carry_out(self, effect: Effect, link: BusLink | None) -> None:
        match effect:
            case Send():
                to = effect.to or NodeId("")
                self._send(link if effect.reply else self._bus.outbound.get(to), effect.message)
            case SaveConfig():
                self.save(fsync=effect.fsync)
            case Broadcast():
                self._outbox.broadcast(self.state, effect.message)
            case CloseLink():
                self._bus.drop(effect.peer)
            case _:
                self._carry_out_here(effect)

    def _send(self, link: BusLink | None, message: Message) -> None:
        self._outbox.send(link, message)

    @clause("RT-20", "CM-44")
    def _carry_out_here(self, effect: Effect) -> None:
        match effect:
            case DeleteKeys():
                count = self._keyspace.delete_slots(effect.slots)
                text = "Deleting keys in dirty slots %s, of others now: %d keys"
                self._log.info(text, effect.slots, count)
            case FlushData():
                self._keyspace.flush()
            case PauseWrites():
                self.writes.begin(longest_pause_ms(self.pace, effect.purpose), effect.purpose)
            case ResumeWrites():
                self.writes.end(effect.purpose)
            case Reply() | ReplicateFirst():
                pass  # `submit` sees to them
            case _:  # others have seen to it before
                raise TypeError(f"an effect out of place: {type(effect).__name__}")

    @clause("RT-3")
    def save(self, *, fsync: bool) -> None:
        """The durable part of the state is in the file.

        A node that cannot write must not go on, since it would forget what it promised: it fails,
        and the effects that should follow are not carried out. Counterpart:
        `clusterSaveConfigOrDie`.
        """
        try:
            self._config.save(
                format_nodes_conf(to_conf(self.state, lambda of: contact_of(self, of))), fsync=fsync
            )
        except OSError as error:
            self._log.critical("Fatal: can't update cluster config file: %s", error)
            if not self.failed.done():
                self.failed.set_exception(error)
            raise

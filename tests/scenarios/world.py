"""A cluster of nodes that run the core, joined by channels that deliver, hold back or lose.

It does what the effects say, one after the other: what is saved survives a crash, what is sent is
in flight until it is delivered or lost.
"""

import itertools
from collections.abc import Iterable, Mapping

import attrs

from reference.core.effects import (
    Broadcast,
    CloseLink,
    ConnectTo,
    DeleteKeys,
    Effect,
    EndMigration,
    FlushData,
    LeaveMigration,
    Notice,
    PauseWrites,
    ReplicateFirst,
    ReplicateSyncSlots,
    Reply,
    ResumeWrites,
    SaveConfig,
    Send,
    SendSnapshot,
    SendSyncSlots,
)
from reference.core.events import (
    ClusterSetslot,
    Event,
    HeartbeatDue,
    Received,
    SetslotAcknowledged,
    SetslotFromMaster,
)
from reference.core.messages import Message
from reference.core.state import ClusterState, durable, restarted
from reference.core.step import step
from reference.core.types import Link, NodeId


@attrs.frozen(kw_only=True)
class Envelope:
    """A message in flight; `via` is what the node that dialled the connection calls the other."""

    sender: NodeId
    receiver: NodeId
    message: Message
    link: Link
    via: NodeId


@attrs.frozen(kw_only=True)
class Moment:
    """One step of one node."""

    node: NodeId
    before: ClusterState
    event: Event
    after: ClusterState
    effects: tuple[Effect, ...]


class World:
    """The nodes of a cluster, what each has saved, what is in flight, and all that happened."""

    def __init__(self, states: Mapping[NodeId, ClusterState]) -> None:
        self.states = dict(states)
        self.saved = {node: durable(state) for node, state in states.items()}
        self.up = set(states)
        self.cut: set[NodeId] = set()
        self.flight: list[Envelope] = []
        self.history: list[Moment] = []

    def add(self, state: ClusterState) -> None:
        """One more node runs."""
        node = state.myself_id
        self.states[node], self.saved[node] = state, durable(state)
        self.up.add(node)

    def new_name(self) -> NodeId:
        """A made-up name that nobody has."""
        names = (NodeId(f"?{number}") for number in itertools.count(1))
        taken = {node.node_id for state in self.states.values() for node in state.nodes}
        return next(name for name in names if name not in taken)

    def do(
        self, node: NodeId, event: Event, answering: Envelope | None = None
    ) -> tuple[Effect, ...]:
        """The event has happened at the node, and its effects are done."""
        before = self.states[node]
        self.states[node], effects = step(before, event)
        self.history.append(
            Moment(node=node, before=before, event=event, after=self.states[node], effects=effects)
        )
        for effect in effects:
            match effect:
                case SaveConfig():
                    self.saved[node] = durable(self.states[node])
                case Send():
                    self._send(node, effect, answering)
                case Broadcast():
                    for peer in self._peers(node):
                        self._post(node, peer, peer, effect.message, Link.INBOUND)
                case ReplicateFirst():
                    self._replicate(node, effect.command)
                case CloseLink() | Reply() | Notice():
                    pass  # nothing in flight is lost, and the caller sees what is told
                case (
                    DeleteKeys()
                    | FlushData()
                    | PauseWrites()
                    | ResumeWrites()
                    | ConnectTo()
                    | SendSyncSlots()
                    | SendSnapshot()
                    | ReplicateSyncSlots()
                    | EndMigration()
                    | LeaveMigration()
                ):
                    pass  # there are neither keys nor clients here
        return effects

    def ping(self, node: NodeId, peer: NodeId, about: Iterable[NodeId] = ()) -> tuple[Effect, ...]:
        """The node has sent a PING or MEET to the peer."""
        return self.do(node, HeartbeatDue(peer=peer, gossip_about=tuple(about)))

    def deliver(self, envelope: Envelope, *, voted_recently: bool = False) -> tuple[Effect, ...]:
        """The message, which was in flight, has arrived."""
        self.flight.remove(envelope)
        if self.unreachable(envelope.sender, envelope.receiver) or envelope.receiver not in self.up:
            return ()
        outbound = envelope.link is Link.OUTBOUND
        event = Received(
            message=envelope.message,
            link=envelope.link,
            link_node=envelope.via if outbound else None,
            voted_recently=voted_recently,
            new_id=self.new_name(),
        )
        return self.do(envelope.receiver, event, envelope)

    def unreachable(self, one: NodeId, other: NodeId) -> bool:
        """Whether a cut lies between the two."""
        return (one in self.cut) != (other in self.cut)

    def crash(self, node: NodeId) -> None:
        """The node is down and has only what it saved."""
        self.up.discard(node)
        self.states[node] = self.saved[node]

    def restart(self, node: NodeId) -> None:
        """The node runs again from what it saved."""
        self.states[node] = restarted(self.saved[node])
        self.up.add(node)

    def _replicate(self, master: NodeId, command: ClusterSetslot) -> None:
        """The replicas that are up have executed the command, and then the master has."""
        for node in sorted(self.up):
            if self.states[node].myself.replicaof == master and not self.unreachable(node, master):
                self.do(node, SetslotFromMaster(command=command))
        self.do(master, SetslotAcknowledged(command=command))

    def _peers(self, node: NodeId) -> list[NodeId]:
        return [
            peer.node_id
            for peer in self.states[node].nodes
            if peer.node_id != node and not peer.handshake
        ]

    def _send(self, node: NodeId, effect: Send, answering: Envelope | None) -> None:
        if effect.reply and answering is not None:
            to, via = answering.sender, answering.via
            self._post(node, to, via, effect.message, Link.OUTBOUND)
        elif effect.to is not None:
            self._post(node, effect.to, effect.to, effect.message, Link.INBOUND)

    def _post(self, sender: NodeId, to: NodeId, via: NodeId, message: Message, link: Link) -> None:
        entry = self.states[sender].nodes.get(to)
        if to not in self.states and entry is not None:
            to = self._at(entry.address) or to
        if to in self.states and not self.unreachable(sender, to):
            self.flight.append(
                Envelope(sender=sender, receiver=to, message=message, link=link, via=via)
            )

    def _at(self, address: object) -> NodeId | None:
        here = (node for node, state in self.states.items() if state.myself.address == address)
        return next(here, None)

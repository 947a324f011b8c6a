"""Two nodes that are to know each other, and the greetings that may be lost between them.

Here heartbeats are PINGs with answers, since who is meant by an address, and not only what is said,
decides. A node is dialled where its entry says; an answer comes back on the link of its question.
"""

from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.models.cluster import ClusterSystem, ModelEvent, ModelMessage, Process, Scope
from model_check.models.kinds import TELLING
from model_check.models.model import Expected, Model
from model_check.models.of_node import epochs_won
from model_check.models.start import told
from model_check.properties import Settles, Sometimes
from model_check.system import Move, Send, Step
from reference.core import effects
from reference.core.events import (
    ClusterMeet,
    Event,
    HandshakeExpired,
    HeartbeatDue,
    MeetRepeated,
    Received,
)
from reference.core.messages import Meet, Message, Ping, Pong
from reference.core.rules import Rules
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Address, Link, NodeId, ShardId


class MeetingSystem(ClusterSystem):
    """Nodes that dial addresses; whom they reach may have another name than they think."""

    def __init__(self, scope: Scope) -> None:
        """The system of the scope, in which every node has an address."""
        super().__init__(scope)
        self._at = {state.myself.address: self._index[state.myself_id] for state in scope.nodes}

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        found = super().moves(process, state)
        return [move for move in found if not isinstance(move.event, HandshakeExpired)]

    @override
    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for peer in node.nodes:
            if peer.node_id != node.myself_id and peer.address in self._at:
                yield Move(HeartbeatDue(peer=peer.node_id))
                if node.rules.meet_is_repeated and not peer.handshake:
                    yield Move(MeetRepeated(peer=peer.node_id))

    @override
    def act(
        self, process: int, state: Process, move: Move[ModelEvent]
    ) -> Step[Process, ModelMessage]:
        if not isinstance(move.event, Event):
            raise TypeError(f"{move.event} is out of scope")
        return self._taken(state, move.event, None)

    @override
    def receive(
        self, process: int, state: Process, message: ModelMessage, lane: int
    ) -> Step[Process, ModelMessage] | None:
        if not isinstance(message, Message) or state.state is None:
            return None
        name, node = message.header.sender, state.state
        if not isinstance(message, Pong):
            link_node = name if node.known(name) else None
            heard = Received(
                message=message,
                link=Link.INBOUND,
                link_node=link_node,
                new_id=NodeId(f"whoever is {name}"),
            )
            return self._taken(state, heard, self._at[message.header.address])
        dialled = [each.node_id for each in node.nodes if each.address == message.header.address]
        if not dialled:
            return None
        answer = Received(message=message, link=Link.OUTBOUND, link_node=dialled[0])
        return self._taken(state, answer, None)

    def _taken(
        self, state: Process, event: Event, asker: int | None
    ) -> Step[Process, ModelMessage]:
        """The event has been taken in; `asker` is who hears the answers."""
        before = state.state
        if before is None:
            raise ValueError("a process that is down does nothing")
        node, done = step(before, event)
        sends: list[Send[ModelMessage]] = []
        for effect in done:
            if isinstance(effect, effects.Broadcast) and not isinstance(effect.message, Pong):
                sends += [Send(dest, effect.message) for dest in self._dialled(node)]
            if not isinstance(effect, effects.Send):
                continue
            to = node.nodes.get(effect.to)
            dest = asker if effect.reply else self._at.get(to.address if to else None)
            if dest is not None:
                sends.append(Send(dest, effect.message))
        won = state.epochs_won | epochs_won(done)
        after = state if node is before else attrs.evolve(state, state=node, epochs_won=won)
        return Step(after, tuple(sends), done)

    def _dialled(self, node: ClusterState) -> list[int]:
        """Whom a node reaches that it knows by name."""
        return [
            self._at[peer.address]
            for peer in node.nodes
            if peer.node_id != node.myself_id and not peer.handshake and peer.address in self._at
        ]


def _scope(rules: Rules) -> Scope:
    at = {name: Address(ip="10.0.0.1", port=port, cport=port + 10000) for name, port in _PORTS}
    return Scope(
        nodes=tuple(
            new_node(rules, NodeId(name), shard_id=ShardId(name), address=at[name]) for name in at
        ),
        commands=(told("A", ClusterMeet(address=at["B"], new_id=NodeId("whoever is B"))),),
        system=MeetingSystem,
    )


_PORTS: Final = (("A", 7001), ("B", 7002))

Acquainted = tuple[NodeId, tuple[NodeId, ...]] | None
"""Who knows whom by name."""


def _acquainted(process: int, node: Process) -> Acquainted:
    del process
    if node.state is None:
        return None
    known = (each.node_id for each in node.state.nodes if not each.handshake)
    return node.state.myself_id, tuple(known)


def _mutual(acquainted: tuple[Acquainted, ...]) -> bool:
    known = dict(each for each in acquainted if each is not None)
    return all(name in known.get(other, (name,)) for name in known for other in known[name])


MUTUAL: Final = Settles[Process](
    id="HS-P1",
    clause="HS-P1",
    text="once faults stop, who knows a node is known to it",
    project=_acquainted,
    judge=_mutual,
)
ONE_SIDED: Final = Sometimes[Process](
    id="HS-P1:witness",
    clause="HS-P1",
    text="one node knows the other, which does not know it yet",
    project=_acquainted,
    judge=lambda acquainted: not _mutual(acquainted),
)

MEETING: Final = Model(
    name="meeting",
    text="A is told to MEET B; greetings may be lost, but no handshake takes too long",
    scope=_scope,
    properties=(MUTUAL, ONE_SIDED),
    links="held(1)",
    clauses=("HS-1", "HS-2", "HS-3", "HS-4", "HS-11", "HB-5"),
    happens=(*TELLING, Ping, Meet),
    happens_in={MeetRepeated: ("valkey-8.1", "valkey-9.1", "strict")},
    expected=(
        Expected(
            property_id="HS-P1",
            dialects=("redis-7.0", "redis-8.0"),
            told="K14, valkey#1307",
            clause="HS-2",
        ),
    ),
)

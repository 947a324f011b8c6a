"""A Redis Cluster as a system to explore: the core's own step, with crashes and a scope.

What a node does is decided by `reference.core` alone. This module says what may happen to it, and
leaves out what decides nothing:

- Heartbeats are PONGs that may be sent at any time. A PING tells its receiver nothing else, and
  its answer is a heartbeat in the other direction. So PONGs that a rule broadcasts are not sent.
- A heartbeat speaks of the nodes in PFAIL only, as every heartbeat must. Whom else it mentions is
  left to chance by the servers: that a node is well only takes back a report, and reports may
  expire at any time; that it is in FAIL was said when it was in PFAIL.
- PFAIL is not kept across a restart: the timer that sets it may fire at once.
- A crash ends a process; what it had asked to save before is kept, whether or not with fsync.
"""

from collections.abc import Iterable, Mapping

import attrs
from typing_extensions import override

from model_check.system import Move, Send, Step, System
from reference.core import effects
from reference.core.announce import pong
from reference.core.events import (
    ElectionDue,
    Event,
    FailUndoAllowed,
    HeartbeatDue,
    PongOverdue,
    Received,
)
from reference.core.messages import Message, Pong
from reference.core.nodes import NodeTable
from reference.core.state import ClusterState, durable, restarted
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Epoch, Health, Link, NodeId, Role

ELECTION = "election"
"""The budget of elections that replicas may start, all together."""


@attrs.frozen(cache_hash=True)
class Crash:
    """The process ends; all that was not saved is gone."""


@attrs.frozen(cache_hash=True)
class Restart:
    """The process starts from what was saved."""


@attrs.frozen(cache_hash=True)
class Flush:
    """A save that was put behind a send is carried out (a broken twin only)."""


ModelEvent = Event | Crash | Restart | Flush


@attrs.frozen(kw_only=True, cache_hash=True)
class Process:
    """A node with what a crash leaves of it, and what only the properties look at."""

    state: ClusterState | None  # None while it is down
    saved: ClusterState | None  # what a restart finds; None if it may not crash any more
    crashes_left: int = 0
    unsaved: bool = False  # it has sent something before a save that is still to be done
    epochs_won: frozenset[Epoch] = frozenset()  # survives crashes: no part of the node


@attrs.frozen(kw_only=True)
class Scope:
    """What may happen in a model, and how often: the bounds of what it shows."""

    nodes: tuple[ClusterState, ...]
    suspects: Mapping[NodeId, frozenset[NodeId]] = attrs.field(factory=dict)  # by whom
    crashes: Mapping[NodeId, int] = attrs.field(factory=dict)
    elections: int = 0
    stale: tuple[tuple[NodeId, NodeId, Message], ...] = ()  # sender, receiver, old message

    def describe(self) -> str:
        """The bounds in one line."""
        parts = [f"{len(self.nodes)} nodes"]
        parts += [
            f"{node} may be suspected by {' '.join(sorted(by))}"
            for node, by in self.suspects.items()
        ]
        parts += [f"{node} may crash {n}x" for node, n in self.crashes.items() if n]
        if self.elections:
            parts.append(f"at most {self.elections} elections")
        if self.stale:
            parts.append(f"{len(self.stale)} stale messages at the start")
        return ", ".join(parts)


class ClusterSystem(System[Process, Message, ModelEvent]):
    """The nodes of a scope, each a process whose messages and timers come in any order."""

    def __init__(self, scope: Scope) -> None:
        """The system in which everything that the scope allows may happen."""
        self.scope = scope
        self._names = tuple(str(state.myself_id) for state in scope.nodes)
        self._index = {NodeId(name): index for index, name in enumerate(self._names)}

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return self._names

    @property
    @override
    def budgets(self) -> Mapping[str, int]:
        return {ELECTION: self.scope.elections} if self.scope.elections else {}

    @override
    def initial(self) -> tuple[Process, ...]:
        return tuple(self._start(state) for state in self.scope.nodes)

    def _start(self, state: ClusterState) -> Process:
        crashes = self.scope.crashes.get(state.myself_id, 0)
        saved = _save(state) if crashes else None
        return Process(state=state, saved=saved, crashes_left=crashes)

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[Message]], ...]:
        return tuple(
            (self._index[sender], Send(self._index[receiver], message))
            for sender, receiver, message in self.scope.stale
        )

    @override
    def is_down(self, process: int, state: Process) -> bool:
        return state.state is None

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        node = state.state
        if node is None:
            return [Move(Restart())]
        if state.unsaved:
            return [Move(Flush()), Move(Crash())]
        return [*self._timers(node), *self._heartbeats(node), *_crashes(state)]

    def _timers(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for timer in timers(node):
            match timer:
                case PongOverdue(peer=peer):
                    if node.myself_id in self.scope.suspects.get(peer, ()):
                        yield Move(timer)
                case FailUndoAllowed(peer=peer):
                    if peer in self._index:  # one that is dead from the start never answers
                        yield Move(timer)
                case ElectionDue():
                    if self.scope.elections:
                        yield Move(timer, cost=ELECTION)
                case _:
                    yield Move(timer)

    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for peer in node.nodes:
            if peer.node_id != node.myself_id and peer.node_id in self._index:
                yield Move(HeartbeatDue(peer=peer.node_id))

    @override
    def act(self, process: int, state: Process, move: Move[ModelEvent]) -> Step[Process, Message]:
        match move.event:
            case Crash():
                return Step(
                    attrs.evolve(
                        state,
                        state=None,
                        crashes_left=state.crashes_left - 1,
                        unsaved=False,
                    )
                )
            case Restart():
                return Step(_restart(state))
            case Flush():
                return Step(_flush(state))
            case HeartbeatDue(peer=peer):
                return Step(state, (Send(self._index[peer], _heartbeat(_running(state))),))
            case event:
                return self._advance(state, event)

    @override
    def receive(
        self, process: int, state: Process, message: Message, lane: int
    ) -> Step[Process, Message] | None:
        if state.unsaved:
            state = _flush(state)
        return self._advance(
            state,
            Received(message=message, link=Link.OUTBOUND, link_node=message.header.sender),
        )

    def _advance(self, state: Process, event: Event) -> Step[Process, Message]:
        before = _running(state)
        node, done = step(before, event)
        sends: list[Send[Message]] = []
        notes = tuple(effect for effect in done if isinstance(effect, effects.Notice))
        saved, unsaved = state.saved, False
        for effect in done:
            match effect:
                case effects.SaveConfig() if saved is not None and sends:
                    unsaved = True
                case effects.SaveConfig() if saved is not None:
                    saved = _save(node)
                case effects.Send(to=to) if to in self._index:
                    sends.append(Send(self._index[to], _stripped(effect.message)))
                case effects.Broadcast() if not isinstance(effect.message, Pong):
                    message = _stripped(effect.message)
                    sends += [
                        Send(index, message)
                        for name, index in self._index.items()
                        if name != node.myself_id and name in node.nodes
                    ]
                case _:
                    pass
        won = state.epochs_won | {
            note.epoch
            for note in notes
            if note.what is effects.Happening.WON_ELECTION and note.epoch is not None
        }
        after = attrs.evolve(state, state=node, saved=saved, unsaved=unsaved, epochs_won=won)
        return Step(state if after == state else after, tuple(sends), notes)


def _crashes(state: Process) -> list[Move[ModelEvent]]:
    return [Move(Crash())] if state.crashes_left else []


def _running(state: Process) -> ClusterState:
    if state.state is None:
        raise ValueError("a process that is down does nothing")
    return state.state


def _save(node: ClusterState) -> ClusterState:
    kept = durable(node)
    nodes = NodeTable(
        attrs.evolve(entry, health=Health.OK) if entry.health is Health.PFAIL else entry
        for entry in kept.nodes
    )
    return attrs.evolve(kept, nodes=nodes)


def _flush(state: Process) -> Process:
    return attrs.evolve(state, saved=_save(_running(state)), unsaved=False)


def _restart(state: Process) -> Process:
    if state.saved is None:
        raise ValueError("nothing was saved to restart from")
    saved = state.saved if state.crashes_left else None
    return attrs.evolve(state, state=restarted(state.saved), saved=saved)


def _heartbeat(node: ClusterState) -> Message:
    return _stripped(pong(node))


def _stripped(message: Message) -> Message:
    """The message without what no receiver in a model looks at: every node is known to all."""
    if not isinstance(message, Pong) or not message.gossip:
        return message
    gossip = tuple(attrs.evolve(entry, role=Role.UNKNOWN) for entry in message.gossip)
    return attrs.evolve(message, gossip=gossip)

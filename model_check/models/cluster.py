"""A Redis Cluster as a system to explore: the core's own step, with crashes and a scope.

What a node does is decided by `reference.core` alone. This module says what may happen to it, and
leaves out what decides nothing:

- Heartbeats are PONGs that may be sent at any time. A PING tells its receiver nothing else, and
  its answer is a heartbeat in the other direction. So PONGs that a rule broadcasts are not sent.
- A heartbeat speaks of the nodes in PFAIL only, as every heartbeat must. Whom else it mentions is
  left to chance by the servers: that a node is well only takes back a report, and reports may
  expire at any time. That it is in FAIL was said when it was in PFAIL, unless it was in FAIL at
  once; a scope that asks where runs end has heartbeats mention those nodes too.
- PFAIL is not kept across a restart: the timer that sets it may fire at once.
- Marks that only a rule out of scope reads (for whom a replica may migrate, whose replicas say that
  it failed) are wiped.
- A command that replicas execute first goes to them in a message of its own, and so does their
  answer. That their master waits in vain is the same as that a message is lost.
- A crash ends a process; what it had asked to save before is kept, whether or not with fsync.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs
from typing_extensions import override

from model_check.models.of_node import Age, Later, epochs_won, save, working_replicas
from model_check.models.operator import command_text
from model_check.models.renaming import renamings, symmetry_of
from model_check.system import Move, Send, Step, Symmetry, System
from reference.core import effects
from reference.core.announce import pong
from reference.core.events import (
    ClusterSetslot,
    Command,
    ElectionDue,
    Event,
    FailUndoAllowed,
    HeartbeatDue,
    PongOverdue,
    Received,
    ReplicaMigrationDue,
    SetslotAcknowledged,
    SetslotFromMaster,
    SyncSlotsReceived,
)
from reference.core.messages import Message, Pong, SyncSlots
from reference.core.state import ClusterState, restarted
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Epoch, Health, Link, NodeId, Role

ELECTION = "election"
"""The budget of elections that replicas may start, all together."""

MIGRATION = "replica migration"
"""The budget of moves of replicas to masters that have none, all together."""


@attrs.frozen(cache_hash=True)
class Crash:
    """The process ends; all that was not saved is gone."""


@attrs.frozen(cache_hash=True)
class Death:
    """The process ends and never starts again."""


@attrs.frozen(cache_hash=True)
class Restart:
    """The process starts from what was saved."""


@attrs.frozen(cache_hash=True)
class Cut:
    """The links of the node to some others break, in both directions."""


@attrs.frozen(cache_hash=True)
class Heal:
    """The links that were cut are there again."""


@attrs.frozen(cache_hash=True)
class Flush:
    """A save that was put behind a send is carried out (a broken twin only)."""


@attrs.frozen(kw_only=True, cache_hash=True)
class Streamed:
    """A master sends a command in its replication stream, to be executed before it does itself."""

    command: ClusterSetslot


@attrs.frozen(kw_only=True, cache_hash=True)
class Executed:
    """A replica has executed a command of its master's stream."""

    replica: NodeId
    command: ClusterSetslot


ModelEvent = Event | Crash | Death | Restart | Cut | Heal | Flush | Later
ModelMessage = Message | Streamed | Executed | SyncSlots


@attrs.frozen(kw_only=True, cache_hash=True)
class Process:
    """A node with what a crash leaves of it, and what only the properties look at."""

    state: ClusterState | None  # None while it is down
    saved: ClusterState | None  # what a restart finds; None if it may not crash any more
    crashes_left: int = 0
    unsaved: bool = False  # it has sent something before a save that is still to be done
    epochs_won: frozenset[Epoch] = frozenset()  # survives crashes: no part of the node
    awaited: frozenset[NodeId] = frozenset()  # replicas that have not executed the command
    cut_off: bool = False  # from those that the scope names
    ages: frozenset[Age] = frozenset()  # only where a scope has time


@attrs.frozen(kw_only=True)
class Scope:
    """What may happen in a model, and how often: the bounds of what it shows."""

    nodes: tuple[ClusterState, ...]
    suspects: Mapping[NodeId, frozenset[NodeId]] = attrs.field(factory=dict)  # by whom
    crashes: Mapping[NodeId, int] = attrs.field(factory=dict)
    deaths: frozenset[NodeId] = frozenset()  # who may end and not come back
    down: frozenset[NodeId] = frozenset()  # who has crashed at the start, and may come back
    cuts: Mapping[NodeId, frozenset[NodeId]] = attrs.field(factory=dict)  # once each, from whom
    parted: bool = False  # all that may be cut off are so from the start, and for good
    elections: int = 0
    commands: tuple[tuple[NodeId, Command], ...] = ()  # each is given once, at that node
    replica_migrations: int = 0
    best_ranked: bool = False  # replicas may stand at once where all agree that they may
    failed_are_mentioned: bool = False  # heartbeats speak of nodes in FAIL too
    strangers: frozenset[NodeId] = frozenset()  # not known to all; heartbeats may speak of them
    stale: tuple[tuple[NodeId, NodeId, Message], ...] = ()  # sender, receiver, old message
    interchangeable: tuple[tuple[NodeId, ...], ...] = ()  # groups of nodes that may swap names
    system: "Callable[[Scope], ClusterSystem] | None" = None  # None: as this module describes

    def describe(self) -> str:
        """The bounds in one line."""
        parts = [f"{len(self.nodes)} nodes"]
        parts += [
            f"{node} may be suspected by {' '.join(sorted(by))}"
            for node, by in self.suspects.items()
        ]
        parts += [f"{node} may crash {n}x" for node, n in self.crashes.items() if n]
        parts += [f"{node} may die, and FAIL of it lasts" for node in sorted(self.deaths)]
        cut_off = "is cut off for good" if self.parted else "may be cut off once"
        parts += [
            f"{node} {cut_off} from {' '.join(sorted(others))}"
            for node, others in self.cuts.items()
        ]
        parts += [f"{node} is down at the start" for node in sorted(self.down)]
        if self.elections:
            parts.append(f"at most {self.elections} elections")
        parts += [
            f"an operator may give {node} {command_text(what)}" for node, what in self.commands
        ]
        if self.strangers:
            parts.append(f"not all know {' '.join(sorted(self.strangers))}")
        if self.replica_migrations:
            parts.append(f"at most {self.replica_migrations} replica migrations")
        if self.stale:
            parts.append(f"{len(self.stale)} stale messages at the start")
        return ", ".join(parts)


def system_of(scope: Scope) -> "ClusterSystem":
    """The nodes of the scope as a system to explore."""
    return (scope.system or ClusterSystem)(scope)


class ClusterSystem(System[Process, ModelMessage, ModelEvent]):
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
        budgets = {ELECTION: self.scope.elections, MIGRATION: self.scope.replica_migrations}
        budgets |= {_command_budget(index): 1 for index in range(len(self.scope.commands))}
        budgets |= {_cut_budget(node): 1 for node in self.scope.cuts if not self.scope.parted}
        return {name: times for name, times in budgets.items() if times}

    @override
    def initial(self) -> tuple[Process, ...]:
        return tuple(self._start(state) for state in self.scope.nodes)

    def _start(self, state: ClusterState) -> Process:
        crashes = self.scope.crashes.get(state.myself_id, 0)
        down = state.myself_id in self.scope.down
        saved = save(state) if crashes or down else None
        return Process(
            state=None if down else state,
            saved=saved,
            crashes_left=crashes,
            cut_off=self.scope.parted and state.myself_id in self.scope.cuts,
        )

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[Message]], ...]:
        return tuple(
            (self._index[sender], Send(self._index[receiver], message))
            for sender, receiver, message in self.scope.stale
        )

    @property
    @override
    def symmetries(self) -> Sequence[Symmetry[Process, ModelMessage]]:
        names = renamings(self.scope.interchangeable)
        return [symmetry_of(renaming, self.processes) for renaming in names]

    @override
    def is_down(self, process: int, state: Process) -> bool:
        return state.state is None

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        node = state.state
        if node is None:
            return [Move(Restart(), fair="none")] if state.saved is not None else []
        if state.unsaved:
            return [Move(Flush()), Move(Crash(), fault=True)]
        return [
            *self._timers(node),
            *self._commands(node),
            *self._heartbeats(node),
            *self._ends(node, state),
        ]

    def _ends(self, node: ClusterState, state: Process) -> Iterable[Move[ModelEvent]]:
        if state.crashes_left:
            yield Move(Crash(), fault=True)
        if node.myself_id in self.scope.deaths:
            yield Move(Death(), fault=True)
        if self.scope.parted or node.myself_id not in self.scope.cuts:
            return
        if state.cut_off:
            yield Move(Heal())
        else:
            yield Move(Cut(), cost=_cut_budget(node.myself_id), fault=True)

    def _commands(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for index, (at, command) in enumerate(self.scope.commands):
            if at == node.myself_id:
                yield Move(command, cost=_command_budget(index), fault=True)

    def _timers(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for timer in timers(node):
            match timer:
                case PongOverdue(peer=peer):
                    if node.myself_id in self.scope.suspects.get(peer, ()):
                        yield Move(timer)
                case FailUndoAllowed(peer=peer):
                    # One that is dead never answers; of one that may die it is left open.
                    if peer in self._index and peer not in self.scope.deaths:
                        yield Move(timer)
                case ElectionDue() if self.scope.elections:
                    yield Move(timer, cost=ELECTION)
                    if self.scope.best_ranked:
                        yield Move(ElectionDue(best_ranked=True), cost=ELECTION)
                case ReplicaMigrationDue() if self.scope.replica_migrations:
                    yield Move(timer, cost=MIGRATION)
                case ElectionDue() | ReplicaMigrationDue():
                    pass  # out of scope
                case _:
                    yield Move(timer)

    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        for peer in node.nodes:
            if peer.node_id != node.myself_id and peer.node_id in self._index:
                yield Move(HeartbeatDue(peer=peer.node_id), fair="strong")
                for stranger in sorted(self.scope.strangers - {peer.node_id, node.myself_id}):
                    if stranger in node.nodes:
                        due = HeartbeatDue(peer=peer.node_id, gossip_about=(stranger,))
                        yield Move(due, fair="strong")

    def _about(self, node: ClusterState, due: HeartbeatDue) -> tuple[NodeId, ...]:
        """Whom the heartbeat mentions besides the nodes in PFAIL."""
        if not self.scope.failed_are_mentioned:
            return due.gossip_about
        failed = (entry.node_id for entry in node.nodes if entry.health is Health.FAIL)
        return (*due.gossip_about, *failed)

    @override
    def act(
        self, process: int, state: Process, move: Move[ModelEvent]
    ) -> Step[Process, ModelMessage]:
        return self._through_cut(state, self._act(state, move))

    def _through_cut(
        self, before: Process, done: Step[Process, ModelMessage]
    ) -> Step[Process, ModelMessage]:
        """The step without what it sends to those from whom the node is cut off."""
        if not before.cut_off:
            return done
        beyond = {self._index[name] for name in self._beyond(before)}
        return attrs.evolve(done, sends=tuple(s for s in done.sends if s.dest not in beyond))

    def _beyond(self, state: Process) -> frozenset[NodeId]:
        return self.scope.cuts[_running(state).myself_id] if state.cut_off else frozenset()

    def _act(self, state: Process, move: Move[ModelEvent]) -> Step[Process, ModelMessage]:
        match move.event:
            case Cut() | Heal():
                return Step(attrs.evolve(state, cut_off=isinstance(move.event, Cut)))
            case Later(age=age):
                return Step(attrs.evolve(state, ages=state.ages ^ {age}))
            case Crash():
                return Step(
                    attrs.evolve(
                        state,
                        state=None,
                        crashes_left=state.crashes_left - 1,
                        unsaved=False,
                        awaited=frozenset(),
                        cut_off=False,
                    )
                )
            case Death():
                return Step(Process(state=None, saved=None, epochs_won=state.epochs_won))
            case Restart():
                return Step(self._restart(state))
            case Flush():
                return Step(_flush(state))
            case HeartbeatDue(peer=peer):
                node = _running(state)
                heartbeat = self._stripped(pong(node, self._about(node, move.event)))
                return Step(state, (Send(self._index[peer], heartbeat),))
            case event:
                return self._advance(state, event)

    @override
    def receive(
        self, process: int, state: Process, message: ModelMessage, lane: int
    ) -> Step[Process, ModelMessage] | None:
        if (
            state.cut_off
            and isinstance(message, Message)
            and message.header.sender in self._beyond(state)
        ):
            return None
        if state.unsaved:
            state = _flush(state)
        return self._through_cut(state, self._receive(state, message))

    def _receive(self, state: Process, message: ModelMessage) -> Step[Process, ModelMessage]:
        match message:
            case Streamed():
                return self._execute(state, message.command)
            case Executed():
                return self._hear_executed(state, message)
            case SyncSlots():
                return self._advance(state, SyncSlotsReceived(message=message))
            case _:
                sender = message.header.sender
                return self._advance(
                    state, Received(message=message, link=Link.OUTBOUND, link_node=sender)
                )

    def _execute(self, state: Process, command: ClusterSetslot) -> Step[Process, ModelMessage]:
        """A replica has executed the command and tells its master, if it still has one."""
        done = self._advance(state, SetslotFromMaster(command=command))
        master = _running(state).myself.replicaof
        if master not in self._index:
            return done
        executed = Executed(replica=_running(state).myself_id, command=command)
        answer = Send[ModelMessage](self._index[master], executed)
        return attrs.evolve(done, sends=(*done.sends, answer))

    def _hear_executed(self, state: Process, message: Executed) -> Step[Process, ModelMessage]:
        """The master executes the command itself when the last replica has."""
        if message.replica not in state.awaited:
            return Step(state)
        left = state.awaited - {message.replica}
        state = attrs.evolve(state, awaited=left)
        if left:
            return Step(state)
        return self._advance(state, SetslotAcknowledged(command=message.command))

    def _advance(self, state: Process, event: Event) -> Step[Process, ModelMessage]:
        before = _running(state)
        node, done = step(before, event)
        node = self._plain(node)
        sends: list[Send[ModelMessage]] = []
        saved, unsaved, awaited = state.saved, False, state.awaited
        for effect in done:
            match effect:
                case effects.SaveConfig() if saved is not None and sends:
                    unsaved = True
                case effects.SaveConfig() if saved is not None:
                    saved = save(node)
                case effects.ReplicateFirst():
                    awaited = working_replicas(node)
                    streamed = Streamed(command=effect.command)
                    sends += [Send(self._index[name], streamed) for name in sorted(awaited)]
                case _:
                    sends += self._sent(node, effect)
        after = attrs.evolve(
            state,
            state=node,
            saved=saved,
            unsaved=unsaved,
            epochs_won=state.epochs_won | epochs_won(done),
            awaited=awaited,
        )
        return Step(state if after == state else after, tuple(sends), done)

    def _sent(self, node: ClusterState, effect: effects.Effect) -> list[Send[ModelMessage]]:
        match effect:
            case effects.Send(to=to) if to in self._index:
                return [Send(self._index[to], self._stripped(effect.message))]
            case effects.Broadcast() if not isinstance(effect.message, Pong):
                message = self._stripped(effect.message)
                return [
                    Send(index, message)
                    for name, index in self._index.items()
                    if name != node.myself_id and name in node.nodes
                ]
            case _:
                return []

    def _restart(self, state: Process) -> Process:
        if state.saved is None:
            raise ValueError("nothing was saved to restart from")
        saved = state.saved if state.crashes_left else None
        return attrs.evolve(state, state=self._plain(restarted(state.saved)), saved=saved)

    def _plain(self, node: ClusterState) -> ClusterState:
        """The state without the marks that nothing in scope reads."""
        for entry in node.nodes:
            plain = attrs.evolve(
                entry,
                migrate_to=entry.migrate_to and self.scope.replica_migrations > 0,
                my_master_failed=entry.my_master_failed and self.scope.best_ranked,
            )
            node = node.put(plain)
        return node

    def _stripped(self, message: Message) -> Message:
        """The message without what no receiver looks at: all but strangers are known to all."""
        if not self.scope.best_ranked and message.header.my_master_failed:
            header = attrs.evolve(message.header, my_master_failed=False)
            message = attrs.evolve(message, header=header)
        if not isinstance(message, Pong) or not message.gossip:
            return message
        gossip = tuple(
            entry
            if entry.node_id in self.scope.strangers
            else attrs.evolve(entry, role=Role.UNKNOWN)
            for entry in message.gossip
        )
        return attrs.evolve(message, gossip=gossip)


def _command_budget(index: int) -> str:
    return f"command {index + 1}"


def _cut_budget(node: NodeId) -> str:
    return f"cut off {node}"


def _running(state: Process) -> ClusterState:
    if state.state is None:
        raise ValueError("a process that is down does nothing")
    return state.state


def _flush(state: Process) -> Process:
    return attrs.evolve(state, saved=save(_running(state)), unsaved=False)

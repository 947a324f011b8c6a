"""A small abstraction of the failover of Redis Cluster, as RedisFailover.tla has it.

Masters own one slot each and replicas follow them. Time, the gossip section and restarts are
abstracted as there: suspicion is free, a failure is marked by looking at the masters' flags, and a
restart keeps what nodes.conf keeps. Messages are `flight` links: at most so many, heartbeats on
the crowded lane, those to a node that is down vanish. Nodes and slots count from 0 here.
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs
from typing_extensions import override

from model_check.links import CROWDED_LANE
from model_check.system import Move, Send, Step, System

PFAIL: Final = 1
FAIL: Final = 2

Slots = frozenset[int]


@attrs.frozen(cache_hash=True)
class Claim:
    """Who owns a slot, and the config epoch it was claimed with."""

    owner: int
    epoch: int


@attrs.frozen(kw_only=True, cache_hash=True)
class Node:
    """What a node knows, and the epochs of the elections it ever won."""

    up: bool = True
    current_epoch: int
    config_epoch: int  # 0 for replicas
    last_vote_epoch: int = 0
    master: int  # itself for a master
    view: tuple[Claim, ...]  # of each slot
    flags: tuple[int, ...]  # of each node: 0, PFAIL or FAIL
    election_epoch: int = 0  # 0 if none is in progress
    votes: frozenset[int] = frozenset()
    won: frozenset[int] = frozenset()

    def slots_of(self, owner: int) -> Slots:
        """The slots that are the owner's, as the node sees them."""
        return frozenset(slot for slot, claim in enumerate(self.view) if claim.owner == owner)

    def learn(self, owner: int, epoch: int, slots: Slots) -> tuple[Claim, ...]:
        """The view once the node has learnt that the owner claims these slots."""
        return tuple(
            Claim(owner, max(claim.epoch, epoch))
            if slot in slots and (claim.owner == owner or claim.epoch < epoch)
            else claim
            for slot, claim in enumerate(self.view)
        )

    def follow(self, claimer: int, view: tuple[Claim, ...]) -> int:
        """The master that the node follows once the view is this, by what the claimer said."""
        had_slots = any(claim.owner == self.master for claim in self.view)
        has_slots = any(claim.owner == self.master for claim in view)
        return claimer if had_slots and not has_slots else self.master

    def flagged(self, node: int, flag: int) -> tuple[int, ...]:
        """The flags with this one for the node."""
        return (*self.flags[:node], flag, *self.flags[node + 1 :])


@attrs.frozen(cache_hash=True)
class Heartbeat:
    """What its sender is and claims."""

    sender: int
    epoch: int
    config_epoch: int
    master: int
    slots: Slots


@attrs.frozen(cache_hash=True)
class Update:
    """Slots are claimed by another with a higher config epoch."""

    owner: int
    config_epoch: int
    slots: Slots


@attrs.frozen(cache_hash=True)
class Fail:
    """A node has failed."""

    subject: int


@attrs.frozen(cache_hash=True)
class Request:
    """A replica asks for a vote, for its master's slots."""

    sender: int
    epoch: int
    config_epoch: int
    master: int
    slots: Slots


@attrs.frozen(cache_hash=True)
class Ack:
    """A master's vote."""

    sender: int
    epoch: int


Message = Heartbeat | Update | Fail | Request | Ack
Event = tuple[str] | tuple[str, int]
"""What is done, and to whom if to anyone."""


@attrs.frozen(kw_only=True)
class RedisFailover(System[Node, Message, Event]):
    """Masters, each with a slot, then replicas; the fields are the constants of the TLA+ module."""

    masters: int
    replicas: int
    same_master: bool = True  # all replicas follow the first master, else round robin
    max_epoch: int
    can_crash: frozenset[int] = frozenset()
    can_suspect: frozenset[int] = frozenset()
    distinct_epochs: bool = True  # masters start with config epochs 1 to M, else all with 1
    persist_vote: bool = True  # the last vote epoch survives a restart

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return tuple(f"node {number}" for number in range(self.masters + self.replicas))

    @property
    @override
    def watchers(self) -> tuple[int, ...]:
        return tuple(range(len(self.processes)))

    @property
    def quorum(self) -> int:
        """How many masters are a majority."""
        return self.masters // 2 + 1

    @override
    def initial(self) -> tuple[Node, ...]:
        epochs = [slot + 1 if self.distinct_epochs else 1 for slot in range(self.masters)]
        return tuple(
            Node(
                current_epoch=epochs[-1],
                config_epoch=epochs[node] if node < self.masters else 0,
                master=self._first_master(node),
                view=tuple(Claim(slot, epoch) for slot, epoch in enumerate(epochs)),
                flags=(0,) * len(self.processes),
            )
            for node in range(len(self.processes))
        )

    def _first_master(self, node: int) -> int:
        if node < self.masters:
            return node
        return 0 if self.same_master else (node - self.masters) % self.masters

    @override
    def moves(self, process: int, state: Node) -> Iterable[Move[Event]]:
        if not state.up:
            yield Move(("restart",))
            return
        if process in self.can_crash:
            yield Move(("crash",))
        for other in range(len(self.processes)):
            if other != process:
                yield Move(("send heartbeat", other))
                if (
                    other in self.can_suspect
                    and state.master == process
                    and state.flags[other] == 0
                    and state.slots_of(other)
                ):
                    yield Move(("suspect", other))
        if state.master != process and state.flags[state.master] == FAIL:
            if state.slots_of(state.master) and state.current_epoch < self.max_epoch:
                yield Move(("start election",))
            if state.election_epoch and len(state.votes) >= self.quorum:
                yield Move(("win election",))

    @override
    def observe(self, process: int, state: Node) -> frozenset[int]:
        """Whom the node suspects, if it is a master whose suspicion counts."""
        if not (state.up and state.master == process and state.slots_of(process)):
            return frozenset()
        return frozenset(node for node in self.can_suspect if state.flags[node] >= PFAIL)

    @override
    def moves_seeing(
        self, process: int, state: Node, seen: tuple[Any, ...]
    ) -> Iterable[Move[Event]]:
        for node in sorted(self.can_suspect):
            reports = sum(node in suspected for suspected in seen)
            if state.up and state.flags[node] == PFAIL and reports >= self.quorum:
                yield Move(("mark fail", node))

    @override
    def act(self, process: int, state: Node, move: Move[Event]) -> Step[Node, Message]:
        match move.event:
            case ("send heartbeat", dest):
                return Step(state, (Send(dest, _heartbeat(process, state), CROWDED_LANE),))
            case ("suspect", node):
                return Step(attrs.evolve(state, flags=state.flagged(node, PFAIL)))
            case ("mark fail", node):
                others = (other for other in range(len(self.processes)))
                sends = tuple(Send(d, Fail(node)) for d in others if d not in {process, node})
                return Step(attrs.evolve(state, flags=state.flagged(node, FAIL)), sends)
            case ("start election",):
                return _start_election(process, state)
            case ("win election",):
                return Step(_win_election(process, state))
            case ("crash",):
                return Step(self._crashed(state))
            case _:
                return Step(attrs.evolve(state, up=True))

    def _crashed(self, state: Node) -> Node:
        return attrs.evolve(
            state,
            up=False,
            election_epoch=0,
            votes=frozenset(),
            flags=tuple(0 if flag == PFAIL else flag for flag in state.flags),
            last_vote_epoch=state.last_vote_epoch if self.persist_vote else 0,
        )

    @override
    def receive(
        self, process: int, state: Node, message: Message, lane: int
    ) -> Step[Node, Message]:
        match message:
            case Heartbeat():
                return self._receive_heartbeat(process, state, message)
            case Update():
                view = state.learn(message.owner, message.config_epoch, message.slots)
                return Step(_following(process, state, state.follow(message.owner, view), view))
            case Fail():
                return Step(attrs.evolve(state, flags=state.flagged(message.subject, FAIL)))
            case Request():
                return _receive_request(process, state, message)
            case Ack():
                return Step(_receive_ack(state, message))

    def _receive_heartbeat(
        self, process: int, state: Node, heartbeat: Heartbeat
    ) -> Step[Node, Message]:
        sender = heartbeat.sender
        view = state.learn(sender, heartbeat.config_epoch, heartbeat.slots)
        master = state.follow(sender, view)
        epoch = max(state.current_epoch, heartbeat.epoch)
        stale = [
            slot
            for slot in sorted(heartbeat.slots)
            if view[slot].owner != sender and view[slot].epoch > heartbeat.config_epoch
        ]
        updates = tuple(
            Send(sender, Update(view[slot].owner, view[slot].epoch, frozenset({slot})))
            for slot in stale
        )
        after = attrs.evolve(
            _following(process, state, master, view),
            current_epoch=epoch,
            flags=state.flagged(sender, 0),
        )
        collides = (
            master == process
            and heartbeat.master == sender
            and heartbeat.config_epoch == state.config_epoch
            and sender > process
            and epoch < self.max_epoch
        )
        if collides:
            after = attrs.evolve(
                after,
                current_epoch=epoch + 1,
                config_epoch=epoch + 1,
                view=tuple(
                    Claim(process, epoch + 1) if claim.owner == process else claim for claim in view
                ),
            )
        return Step(after, updates)

    @override
    def is_down(self, process: int, state: Node) -> bool:
        return not state.up


def _heartbeat(process: int, state: Node) -> Heartbeat:
    return Heartbeat(
        process, state.current_epoch, state.config_epoch, state.master, state.slots_of(process)
    )


def _start_election(process: int, state: Node) -> Step[Node, Message]:
    epoch = state.current_epoch + 1
    slots = state.slots_of(state.master)
    request = Request(process, epoch, state.view[min(slots)].epoch, state.master, slots)
    owners = sorted({claim.owner for claim in state.view})
    asking = attrs.evolve(state, current_epoch=epoch, election_epoch=epoch, votes=frozenset())
    return Step(asking, tuple(Send(owner, request) for owner in owners))


def _win_election(process: int, state: Node) -> Node:
    epoch = state.election_epoch
    return attrs.evolve(
        state,
        view=tuple(
            Claim(process, epoch) if claim.owner == state.master else claim for claim in state.view
        ),
        config_epoch=epoch,
        master=process,
        won=state.won | {epoch},
        election_epoch=0,
        votes=frozenset(),
    )


def _following(process: int, state: Node, master: int, view: tuple[Claim, ...]) -> Node:
    """The node with this view and this master; a change of master ends its election."""
    same = master == state.master
    return attrs.evolve(
        state,
        view=view,
        master=master,
        config_epoch=state.config_epoch if master == process else 0,
        election_epoch=state.election_epoch if same else 0,
        votes=state.votes if same else frozenset(),
    )


def _receive_request(process: int, state: Node, request: Request) -> Step[Node, Message]:
    epoch = max(state.current_epoch, request.epoch)
    grants = (
        state.master == process
        and bool(state.slots_of(process))
        and request.epoch >= state.current_epoch
        and state.last_vote_epoch < epoch
        and state.flags[request.master] == FAIL
        and all(state.view[slot].epoch <= request.config_epoch for slot in request.slots)
    )
    if not grants:
        return Step(attrs.evolve(state, current_epoch=epoch))
    voted = attrs.evolve(state, current_epoch=epoch, last_vote_epoch=epoch)
    return Step(voted, (Send(request.sender, Ack(process, epoch)),))


def _receive_ack(state: Node, ack: Ack) -> Node:
    counts = state.election_epoch and ack.epoch >= state.election_epoch
    return attrs.evolve(
        state,
        current_epoch=max(state.current_epoch, ack.epoch),
        votes=state.votes | {ack.sender} if counts else state.votes,
    )

"""A whole cluster in one process, whose nodes can be killed, stopped, cut off and started again."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Self, TypeAlias

import attrs

from reference.clauses import clause
from reference.core.state import ClusterState
from reference.pacing.pace import ROUND_MS
from reference.runtime.bus.dialling_turns import DialSpace
from reference.runtime.data.keyspace import preload_engine
from reference.runtime.faults import Faults, Loss, NodeFaults
from reference.runtime.node import Node
from reference.runtime.opening import StartError, listening_node
from reference.runtime.options import NodeOptions
from reference.runtime.surroundings import Recorder, Surroundings

log = logging.getLogger(__name__)

Told: TypeAlias = bool | int | str | list["Told"] | dict[str, "Told"] | None
"""What can be told as JSON."""


_DIALS_A_ROUND: Final = 5
"""By each node: the node table is dialled as quickly as by servers if the process has time."""

_DIALS_AT_ONCE: Final = 20
"""By all nodes: what these cost, and their greetings, nobody has to wait for."""


class HostError(Exception):
    """Why something cannot be done to a node, in one line for its operator."""


class Condition(Enum):
    """How a node is."""

    RUNNING = "running"
    PAUSED = "paused"
    KILLED = "killed"
    FAILED = "failed"  # it could not go on


@attrs.define(eq=False)
class Seat:
    """The place of a node in the cluster, whether or not it runs."""

    options: NodeOptions
    condition: Condition = Condition.KILLED
    node: Node | None = None
    at_end: contextlib.AsyncExitStack = attrs.field(factory=contextlib.AsyncExitStack)
    last_id: str = ""
    reason: str = ""  # why it failed

    @property
    def port(self) -> int:
        """The client port, which names the node."""
        return self.options.port


class ClusterHost:
    """The nodes of a cluster by their client ports, from `start` to `close`."""

    def __init__(self, journal: Recorder | None = None) -> None:
        """There are no nodes yet, and nothing goes wrong."""
        self.faults = Faults()
        self.seats: dict[int, Seat] = {}
        self._journal = journal
        self._dial_space = DialSpace(_DIALS_A_ROUND, _DIALS_AT_ONCE)
        self._busy = asyncio.Lock()
        self._ports: dict[str, int] = {}
        self._watching: set[asyncio.Task[None]] = set()

    async def start(self, nodes: Sequence[tuple[NodeOptions, ClusterState | None]]) -> None:
        """All run; none starts before all can be dialled, or the first would miss the last.

        StartError if one cannot start.
        """
        for options, state in nodes:
            seat = self.seats[options.port] = Seat(options)
            await self._listen(seat, state)
        for number, seat in enumerate(self.seats.values()):
            self._run(seat, after_ms=ROUND_MS * number // len(self.seats))
        preload_engine()

    async def close(self) -> None:
        """No node runs."""
        for task in list(self._watching):
            task.cancel()
        async with self._busy:
            for seat in self.seats.values():
                await self._end(seat, Condition.KILLED)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def running(self) -> list[Node]:
        """The nodes that are there, stopped ones included."""
        return [seat.node for seat in self.seats.values() if seat.node is not None]

    @property
    def failures(self) -> list[str]:
        """Why nodes could not go on."""
        return [f"node on port {s.port}: {s.reason}" for s in self.seats.values() if s.reason]

    def seat(self, word: str) -> Seat:
        """The node with this port, or whose id begins so; HostError if there is not exactly one."""
        found = [
            seat
            for seat in self.seats.values()
            if str(seat.port) == word or (len(word) >= 4 and seat.last_id.startswith(word))
        ]
        if len(found) != 1:
            raise HostError(f"{word!r} is the port, or the beginning of the id, of no one node")
        return found[0]

    # What operators do to nodes.

    @clause("RT-41")
    async def kill(self, word: str) -> None:
        """The node is gone as if its process were killed: what was not in its file is lost."""
        async with self._busy:
            seat = self._there(word)
            await self._end(seat, Condition.KILLED)

    @clause("RT-41")
    async def restart(self, word: str) -> None:
        """The node, which was gone, runs again from its file."""
        async with self._busy:
            seat = self.seat(word)
            if seat.node is not None:
                raise HostError(f"node {seat.port} is {seat.condition.value}")
            seat.reason = ""
            try:
                await self._listen(seat, None)
            except StartError as error:
                raise HostError(str(error)) from error
            self._run(seat)

    @clause("RT-41")
    async def pause(self, word: str) -> None:
        """The node does nothing, as if its process were stopped; its connections stand."""
        async with self._busy:
            seat = self._there(word)
            if seat.node is not None:
                seat.node.freeze()
            seat.condition = Condition.PAUSED

    @clause("RT-41")
    async def resume(self, word: str) -> None:
        """The node, which did nothing, goes on."""
        async with self._busy:
            seat = self._there(word)
            if seat.node is not None and seat.condition is Condition.PAUSED:
                seat.node.thaw()
            seat.condition = Condition.RUNNING

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Nodes of different groups do not hear each other; with one group, it and the rest."""
        sides = [{self.seat(word).port for word in group} for group in groups]
        if len(sides) == 1:
            sides.append(set(self.seats) - sides[0])
        if len(sides) < 2 or not all(sides) or sum(map(len, sides)) != len(set().union(*sides)):
            raise HostError("a partition takes groups of nodes, none empty, and no node twice")
        self.faults.partition(sides)
        for node in self.running:
            node.look_at_faults()

    def delay(self, sender: str, receiver: str, ms: int) -> None:
        """Messages of the bus from one to the other arrive so much later."""
        if ms < 0:
            raise HostError("a delay is a number of milliseconds")
        self.faults.delay((self.seat(sender).port, self.seat(receiver).port), ms)

    def drop(
        self, sender: str, receiver: str, types: Iterable[str] = (), count: int | None = None
    ) -> None:
        """Messages of these types, or all, from one to the other are lost; or so many of them."""
        way = self.seat(sender).port, self.seat(receiver).port
        self.faults.lose(way, Loss(frozenset(types), count))

    def heal(self) -> None:
        """Nothing is wrong with the bus any more."""
        self.faults.heal()

    # What is so.

    def status(self) -> dict[str, Told]:
        """All of it as JSON."""
        wrong = self.faults.view()
        return {
            "nodes": [_told(seat) for seat in self.seats.values()],
            "partition": [list(group) for group in wrong.groups],
            "delays": [
                {"from": way[0], "to": way[1], "ms": ms} for way, ms in wrong.delays_ms.items()
            ],
            "drops": [
                {"from": way[0], "to": way[1], "types": list[Told](sorted(loss.types)),
                 "left": loss.left}
                for way, loss in wrong.losses.items()
            ],
        }  # fmt: skip

    # Inside.

    def _there(self, word: str) -> Seat:
        seat = self.seat(word)
        if seat.node is None:
            raise HostError(f"node {seat.port} is {seat.condition.value}")
        return seat

    async def _listen(self, seat: Seat, state: ClusterState | None) -> None:
        surroundings = Surroundings(
            journal=self._journal,
            faults=NodeFaults(self.faults, seat.port, self._port_of),
            dial_space=self._dial_space,
        )
        seat.at_end = contextlib.AsyncExitStack()
        opening = listening_node(seat.options, state, surroundings)
        seat.node = await seat.at_end.enter_async_context(opening)
        seat.last_id = seat.node.state.myself_id

    def _run(self, seat: Seat, *, after_ms: int = 0) -> None:
        node = seat.node
        if node is None:
            return
        node.start(after_ms=after_ms)
        seat.condition = Condition.RUNNING
        node.failed.add_done_callback(lambda failed: self._look_at(seat, failed))
        self._watching.add(asked := asyncio.create_task(self._end_when_asked(seat, node)))
        asked.add_done_callback(self._watching.discard)

    async def _end_when_asked(self, seat: Seat, node: Node) -> None:
        """SHUTDOWN of a client ends that node alone."""
        await node.end_asked.wait()
        async with self._busy:
            if seat.node is node:
                await self._end(seat, Condition.KILLED)

    def _look_at(self, seat: Seat, failed: "asyncio.Future[None]") -> None:
        if failed.cancelled() or failed.exception() is None:
            return
        seat.reason = str(failed.exception())
        log.critical("node on port %d: %s", seat.port, seat.reason)
        self._ending = asyncio.ensure_future(self._end(seat, Condition.FAILED))

    async def _end(self, seat: Seat, condition: Condition) -> None:
        node, seat.node = seat.node, None
        if node is not None:
            seat.last_id = node.state.myself_id
            seat.condition = condition
            await seat.at_end.aclose()

    def _port_of(self, node_id: str) -> int | None:
        found = self._ports.get(node_id)
        node = self.seats[found].node if found in self.seats else None
        if node is None or node.state.myself_id != node_id:
            self._ports = {
                each.node.state.myself_id: port
                for port, each in self.seats.items()
                if each.node is not None
            }
        return self._ports.get(node_id)


def _told(seat: Seat) -> dict[str, Told]:
    """One node as JSON; of one that is gone only what it was called."""
    told: dict[str, Told] = {
        "port": seat.port,
        "bus_port": seat.options.cport,
        "id": seat.last_id,
        "condition": seat.condition.value,
    }
    if seat.reason:
        told["reason"] = seat.reason
    if seat.node is None:
        return told
    state = seat.node.state
    myself = state.myself
    return told | {
        "id": str(state.myself_id),
        "role": myself.role.value,
        "master": myself.replicaof,
        "slots": str(myself.slots),
        "config_epoch": myself.config_epoch,
        "current_epoch": state.current_epoch,
        "last_vote_epoch": state.last_vote_epoch,
        "cluster_state": "ok" if seat.node.cluster_ok else "fail",
        "nodes": {str(each.node_id): each.health.value for each in state.nodes},
        "clients": 0 if seat.node.clients is None else len(seat.node.clients.service.sessions),
    }

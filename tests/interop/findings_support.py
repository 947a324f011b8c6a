"""Nodes of ours among real servers, in this process, so that a test decides when votes arrive."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
from typing_extensions import override

from reference.core.events import ClusterAddSlots, ClusterSetConfigEpoch
from reference.core.messages import FailoverAuthAck, Message
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, new_node
from reference.core.types import Epoch, NodeId
from reference.runtime.bus.connections import BusLink
from reference.runtime.clock import new_node_id, new_shard_id
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.files.storage import ConfigFile
from reference.runtime.node import Node
from reference.runtime.options import NodeOptions, bus_port
from tests.support import LOOPBACK, Server, free_ports

_T = TypeVar("_T")

_PATIENCE: Final = 20
"""Seconds after which a node that does not answer is taken for hung."""


class PeerNode(Node):
    """A node that keeps to all rules; its votes stay under way until the test decides otherwise."""

    def __init__(self, options: NodeOptions, state: ClusterState, config: ConfigFile) -> None:
        super().__init__(options, state, config, Keyspace(), {})
        self.quick_epoch: Epoch | None = None  # a vote in it arrives at once
        self.votes_arrived: list[Epoch] = []
        self._under_way: list[tuple[NodeId, FailoverAuthAck]] = []

    @override
    def _send(self, link: BusLink | None, message: Message) -> None:
        if isinstance(message, FailoverAuthAck):
            assert link is not None
            assert link.node_id is not None
            if message.header.current_epoch != self.quick_epoch:
                self._under_way.append((link.node_id, message))
                return
            self.votes_arrived.append(message.header.current_epoch)
        super()._send(link, message)

    @property
    def votes_under_way(self) -> list[Epoch]:
        """The epochs, as the headers say, of the votes that were given and have not arrived."""
        return [vote.header.current_epoch for _, vote in self._under_way]

    def deliver_votes(self, epoch: Epoch) -> None:
        """The votes of this epoch arrive, as they were when they were given."""
        arriving = [each for each in self._under_way if each[1].header.current_epoch == epoch]
        for each in arriving:
            self._under_way.remove(each)
            super()._send(self._bus.outbound[each[0]], each[1])
            self.votes_arrived.append(epoch)

    def announce_current_epoch(self, epoch: Epoch) -> None:
        """The node's headers carry this currentEpoch from now on."""
        self.state = attrs.evolve(self.state, current_epoch=epoch)


@attrs.frozen
class Peer:
    """A node of ours, for the thread of the test."""

    node: PeerNode
    home: "PeerThread"

    @property
    def node_id(self) -> NodeId:
        """Its name in the cluster."""
        return self.node.state.myself_id

    def do(self, action: Callable[[], _T]) -> _T:
        """What the action returns; no event comes to the node meanwhile."""
        return self.home.call(action)

    def own(self, config_epoch: Epoch, first: int, last: int) -> None:
        """It is a master of these slots with this configEpoch."""
        for command in (
            ClusterSetConfigEpoch(config_epoch=config_epoch),
            ClusterAddSlots(slots=SlotSet.between(first, last)),
        ):
            assert self.do(partial(self.node.submit, command)).error is None

    def knows(self, count: int) -> bool:
        """Whether it knows so many nodes, itself included, and has links to all others."""
        nodes = self.node.state.nodes
        others = [node for node in nodes if node.node_id != self.node_id]
        return len(nodes) == count and all(
            not node.handshake and self.node.link_connected(node.node_id) for node in others
        )

    def is_met_by(self, server: Server) -> None:
        """The server has been told to greet it."""
        server.cluster("MEET", LOOPBACK, self.node.options.port, self.node.options.cport)

    def leave(self) -> None:
        """It is gone without a word."""
        self.home.run(self.node.close())


class PeerThread:
    """A thread with an event loop, in which nodes of ours live."""

    def __init__(self, directory: Path, dialect: str, node_timeout: int) -> None:
        self._directory = directory
        self._dialect = dialect
        self._node_timeout = node_timeout
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._at_end = AsyncExitStack()
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What the work returns, which is done among the nodes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def call(self, action: Callable[[], _T]) -> _T:
        """What the action returns, which is done among the nodes."""

        async def work() -> _T:
            return action()

        return self.run(work())

    def peer(self) -> Peer:
        """A new node, which knows nobody."""
        return Peer(self.run(self._start()), self)

    async def _start(self) -> PeerNode:
        [port] = free_ports(1)
        options = NodeOptions(
            port=port,
            cport=bus_port(port),
            dialect=self._dialect,
            node_timeout_ms=self._node_timeout,
            directory=self._directory,
            cluster_config_file=f"nodes-{port}.conf",
        )
        state = new_node(
            options.rules, new_node_id(), shard_id=new_shard_id(), address=options.address
        )
        node = PeerNode(options, state, ConfigFile(options.config_path))
        self._at_end.push_async_callback(node.close)
        await node.listen()
        node.start()
        return node

    def close(self) -> None:
        """All nodes are closed and the thread has ended."""
        try:
            self.run(self._at_end.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


@contextmanager
def peer_thread(directory: Path, dialect: str, node_timeout: int) -> Iterator[PeerThread]:
    """A thread for nodes of ours, which end with the block."""
    made = PeerThread(directory, dialect, node_timeout)
    try:
        yield made
    finally:
        made.close()

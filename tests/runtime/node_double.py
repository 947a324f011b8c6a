"""A node without bus or clock, and a client of it without a connection."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import attrs

from reference.core.cluster_state import why_down
from reference.core.effects import ReplicateFirst, Reply
from reference.core.events import Command, SetslotAcknowledged
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import REDIS_7_0, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Address, Link, NodeId, Role, ShardId
from reference.runtime.clients.session import Service, Session
from reference.runtime.clients.view import LinkView
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.debugging import Debugging
from reference.runtime.options import NodeOptions
from reference.runtime.pause import WritePause
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.master import Replicas
from reference.runtime.replies import Verbatim
from reference.runtime.slots.migrations import Migrations
from reference.runtime.tls.settings import Tls
from reference.wire.announced import NOTHING_ANNOUNCED, Announced
from reference.wire.resp import ErrorReply, SimpleString

MASTERS: Final = tuple(NodeId(letter * 40) for letter in "abc")
REPLICA: Final = NodeId("d" * 40)
RUNS: Final = ((0, 5460), (5461, 10922), (10923, 16383))
"""What the masters own: foo is in the third run, bar in the first, hello in the first."""


def address_of(node_id: NodeId) -> Address:
    """Where a node of the built cluster is reached."""
    port = 7000 + "abcd".index(node_id[0])
    return Address(ip="127.0.0.1", port=port, cport=port + 10000)


def three_masters(me: NodeId = MASTERS[0], *, rules: Rules = REDIS_7_0) -> ClusterState:
    """A whole cluster at rest: three masters, and a replica of the first."""
    shards = [ShardId(master[0] * 40) if rules.shards else None for master in MASTERS]
    nodes = [
        ClusterNode(
            node_id=master,
            config_epoch=epoch,
            slots=SlotSet.between(*run),
            shard_id=shard,
            address=address_of(master),
        )
        for epoch, (master, run, shard) in enumerate(zip(MASTERS, RUNS, shards, strict=True), 1)
    ]
    replica = ClusterNode(
        node_id=REPLICA,
        role=Role.REPLICA,
        replicaof=MASTERS[0],
        shard_id=shards[0],
        address=address_of(REPLICA),
    )
    table = NodeTable([*nodes, replica])
    return ClusterState(rules=rules, myself_id=me, nodes=table, current_epoch=3)


def alone(rules: Rules = REDIS_7_0) -> ClusterState:
    """A node that was just started for the first time."""
    shard = ShardId("5" * 40)
    return new_node(rules, MASTERS[0], shard_id=shard, address=address_of(MASTERS[0]))


class NodeDouble:
    """A node that has every link, and whose commands go through the real core."""

    def __init__(self, state: ClusterState | None = None) -> None:
        self.state = three_masters() if state is None else state
        self.options = NodeOptions(
            port=7000, cport=17000, dialect=self.state.rules.dialect, node_timeout_ms=1500
        )
        self.messages_sent = Counter({"ping": 3, "pong": 2, "meet": 0})
        self.messages_received = Counter({"ping": 2, "auth-req": 1})
        self.bytes_sent = 5
        self.bytes_received = 3
        self.published_bytes = (4, 2)
        self.writes = WritePause()
        self.links_overfull = 0
        self.tls = Tls()
        self.debugging = Debugging(self)
        self.bus: Any = None
        self.said: dict[NodeId, Announced] = {}
        self.offsets: dict[NodeId, int] = {}
        self.commands: list[Command] = []
        self.ended = False
        self.published: list[tuple[bytes, bytes, bool]] = []
        self.followers: list[Callable[[], None]] = []
        self.master_heard_s_ago = -1
        self.master_sends_all = False
        log = logging.LoggerAdapter(logging.getLogger(__name__))
        self.replicas = Replicas(self, Keyspace(), Stream(), log)
        double: Any = self  # of which no job needs more than there is
        self.migrations = Migrations(double, Keyspace(), log)

    @property
    def cluster_ok(self) -> bool:
        """Whether the core takes the cluster to be ok; there are no delays."""
        return why_down(self.state) is None

    def submit(self, command: Command) -> Reply:
        """The core has answered the command; no replica is asked first."""
        self.commands.append(command)
        self.state, effects = step(self.state, command)
        for effect in effects:
            if isinstance(effect, ReplicateFirst):
                self.state, effects = step(self.state, SetslotAcknowledged(command=effect.command))
        return next(effect for effect in effects if isinstance(effect, Reply))

    def publish(self, channel: bytes, message: bytes, *, shard: bool) -> None:
        """It is noted."""
        self.published.append((channel, message, shard))

    def forget_traffic(self) -> None:
        """Nothing was received or sent."""
        self.messages_sent.clear()
        self.messages_received.clear()

    def when_changed(self, follower: Callable[[], None]) -> None:
        """It is called by `change`."""
        self.followers.append(follower)

    def shut_down(self) -> None:
        """It is noted."""
        self.ended = True

    def change(self, state: ClusterState) -> None:
        """The state is this one, and whoever follows it knows."""
        self.state = state
        for follower in self.followers:
            follower()

    def configure(self, options: NodeOptions) -> None:
        """The node runs with these options."""
        self.options = options

    def announced(self, node_id: NodeId) -> Announced:
        """What the test had the node say."""
        return self.said.get(node_id, NOTHING_ANNOUNCED)

    def links(self) -> list[LinkView]:
        """One link, to the replica."""
        link = LinkView(direction=Link.OUTBOUND, node_id=REPLICA, created_ms=5, unsent=0)
        return [link, attrs.evolve(link, direction=Link.INBOUND, unsent=9)]

    def link_connected(self, node_id: NodeId) -> bool:
        """Whether there is a link: to all but the last master."""
        return node_id != MASTERS[2]

    def repl_offset(self, node_id: NodeId) -> int:
        """What the test says."""
        return self.offsets.get(node_id, 0)

    def freeze(self) -> None:
        """A double does nothing by itself."""

    thaw = freeze

    @property
    def master_link_up(self) -> bool:
        """A double has no data but its own."""
        return False

    def drop_master_link(self, address: str) -> bool:
        """There is none."""
        return not address

    def ping_sent_ms(self, node_id: NodeId) -> int:
        """A PING to the last master is in flight."""
        return 1500 if node_id == MASTERS[2] else 0

    def pong_received_ms(self, node_id: NodeId) -> int:
        """The others have answered."""
        return 1000 if node_id in (MASTERS[1], MASTERS[2], REPLICA) else 0

    def new_temporary_id(self) -> NodeId:
        """Always the same name."""
        return NodeId("e" * 40)

    def new_shard_id(self) -> ShardId:
        """Always the same name."""
        return ShardId("6" * 40)


class Client:
    """A client of one node, without a connection."""

    def __init__(self, node: NodeDouble) -> None:
        self.node = node
        self.keyspace = Keyspace()
        service = Service(node=node, keyspace=self.keyspace)
        self.session = Session(service=service, client_id=7, local_ip="127.0.0.9")
        service.sessions.add(self.session)

    def __call__(self, line: str) -> Any:
        """The reply to the request, in words and numbers."""
        reply = execute(self.session, line.encode("latin-1").split())
        return reply.text if isinstance(reply, ErrorReply | SimpleString | Verbatim) else reply

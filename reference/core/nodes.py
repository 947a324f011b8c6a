"""What a node knows of each node of the cluster, itself included."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache

import attrs
from typing_extensions import override

from reference.clauses import clause
from reference.core.messages import Gossip
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Address, Epoch, Health, NodeId, Role, ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterNode:
    """One entry of the node table (`clusterNode`)."""

    node_id: NodeId
    role: Role = Role.MASTER
    replicaof: NodeId | None = None  # a replica's master, None if unknown
    config_epoch: Epoch = 0
    slots: SlotSet = NO_SLOTS  # bound to this node in our table
    health: Health = Health.OK
    fail_reports: frozenset[NodeId] = frozenset()  # masters that told us it is failing
    shard_id: ShardId | None = None
    address: Address | None = None
    handshake: bool = False  # its id is still a made-up one
    meet: bool = False  # greet it with MEET instead of PING
    noaddr: bool = False  # its address is known to be wrong
    nofailover: bool = False  # it said that it does not stand for election
    migrate_to: bool = False  # it has or had replicas, so that one may move to it
    my_master_failed: bool = False  # it said that its master is in FAIL
    told_epoch: Epoch = 0  # what a replica of it announced as its configEpoch

    @property
    def is_master(self) -> bool:
        """Whether it is known as a master."""
        return self.role is Role.MASTER

    @property
    def is_replica(self) -> bool:
        """Whether it is known as a replica."""
        return self.role is Role.REPLICA

    @cached_property
    def told(self) -> Gossip:
        """What a heartbeat says of it; equal nodes mostly have the same object."""
        return _told(self)

    @property
    def is_voting_master(self) -> bool:
        """A master that owns a slot: it counts for the cluster's size and may vote."""
        return self.role is Role.MASTER and self.slots.bitmap != 0


@lru_cache(maxsize=4096)
def _told(node: ClusterNode) -> Gossip:
    return Gossip(
        node_id=node.node_id,
        health=node.health,
        role=node.role,
        address=node.address,
        noaddr=node.noaddr,
    )


class NodeTable:
    """An immutable map from node id to `ClusterNode`, iterated in the order of the ids."""

    __slots__ = ("_by_id", "_hash", "_suspected", "_targets")

    def __init__(self, nodes: Iterable[ClusterNode] = ()) -> None:
        """A table of these nodes; of two with the same id the later one counts."""
        by_id = {node.node_id: node for node in nodes}
        self._by_id = {node_id: by_id[node_id] for node_id in sorted(by_id)}
        self._hash: int | None = None
        self._suspected: tuple[NodeId, ...] | None = None
        self._targets: frozenset[NodeId] | None = None

    def get(self, node_id: NodeId | None) -> ClusterNode | None:
        """The node with this id, None if there is none or no id is given."""
        return self._by_id.get(node_id) if node_id is not None else None

    def __getitem__(self, node_id: NodeId) -> ClusterNode:
        return self._by_id[node_id]

    def __contains__(self, node_id: NodeId) -> bool:
        return node_id in self._by_id

    def __iter__(self) -> Iterator[ClusterNode]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def by_id(self) -> Mapping[NodeId, ClusterNode]:
        """The same as a plain map, for loops over what every message says."""
        return self._by_id

    @property
    def suspected(self) -> tuple[NodeId, ...]:
        """The nodes in PFAIL, which every heartbeat speaks of."""
        if self._suspected is None:
            pfail = Health.PFAIL
            self._suspected = tuple([node.node_id for node in self if node.health is pfail])
        return self._suspected

    @property
    def targets(self) -> frozenset[NodeId]:
        """The nodes that a replica may move to, as every message says of those it speaks of."""
        if self._targets is None:
            self._targets = frozenset([node.node_id for node in self if node.migrate_to])
        return self._targets

    @clause("NO-9")
    def put(self, node: ClusterNode) -> "NodeTable":
        """The table with this node added, or in the place of the one with its id."""
        old = self._by_id.get(node.node_id)
        if old is node or old == node:  # in this order, since equality looks at all
            return self
        if old is None:
            return NodeTable([*self._by_id.values(), node])
        changed = NodeTable.__new__(NodeTable)
        changed._by_id = {**self._by_id, node.node_id: node}  # noqa: SLF001 - our own class
        changed._hash = changed._suspected = changed._targets = None  # noqa: SLF001
        return changed

    def remove(self, node_id: NodeId) -> "NodeTable":
        """The table without the node of this id."""
        return NodeTable(node for node in self if node.node_id != node_id)

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeTable):
            return NotImplemented
        return self is other or (hash(self) == hash(other) and self._by_id == other._by_id)

    @override
    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(self._by_id.values()))
        return self._hash

    @override
    def __repr__(self) -> str:
        return f"NodeTable({list(self._by_id.values())!r})"

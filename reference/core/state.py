"""The state of one node, what of it is durable, and the few ways to change its parts."""

import attrs

from reference.clauses import clause
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Address, Epoch, NodeId, ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class Election:
    """An election this node stands in (the failover_auth_* fields of `clusterState`)."""

    failover_auth_epoch: Epoch
    voters: frozenset[NodeId] = frozenset()
    late_votes: int = 0  # votes for the election before, counted while this one was put off


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterState:
    """Everything a node's rules depend on (`clusterState`)."""

    rules: Rules
    myself_id: NodeId
    nodes: NodeTable
    current_epoch: Epoch = 0
    last_vote_epoch: Epoch = 0
    owner_not_claiming_slot: SlotSet = NO_SLOTS  # bound to a node that no longer claims them
    election: Election | None = None
    last_election: Election | None = None  # while the next is put off, and late votes count for it

    @property
    def myself(self) -> ClusterNode:
        """The own entry of this node in its table."""
        return self.nodes[self.myself_id]

    @property
    def my_master(self) -> ClusterNode | None:
        """The master this node follows, None for a master or if it is not known."""
        return self.nodes.get(self.myself.replicaof)

    def known(self, node_id: NodeId | None) -> ClusterNode | None:
        """The node with this id if it is in the table and past its handshake."""
        node = self.nodes.get(node_id)
        return None if node is None or node.handshake else node

    @property
    @clause("FD-12")
    def size(self) -> int:
        """How many masters own a slot: the base of every majority (`clusterState.size`)."""
        return sum(node.is_voting_master for node in self.nodes)

    @property
    @clause("FD-12")
    def needed_quorum(self) -> int:
        """The smallest majority of the masters that own a slot."""
        return self.size // 2 + 1

    def owner(self, slot: int) -> ClusterNode | None:
        """The node a slot is bound to in this node's table (`clusterState.slots`)."""
        return next((node for node in self.nodes if slot in node.slots), None)

    def put(self, node: ClusterNode) -> "ClusterState":
        """The state with this entry in the table; the very same state if nothing changed."""
        nodes = self.nodes.put(node)
        return self if nodes is self.nodes else attrs.evolve(self, nodes=nodes)


@clause("MO-6")
def new_node(
    rules: Rules,
    node_id: NodeId,
    *,
    shard_id: ShardId | None = None,
    address: Address | None = None,
) -> ClusterState:
    """A master without slots that knows nobody: how a node starts for the first time.

    Counterpart: `clusterInit`.
    """
    myself = ClusterNode(
        node_id=node_id, shard_id=shard_id if rules.shards else None, address=address
    )
    return ClusterState(rules=rules, myself_id=node_id, nodes=NodeTable([myself]))


def node_epoch(state: ClusterState, node: ClusterNode) -> Epoch:
    """The configEpoch of a node's shard: a replica has its master's. Counterpart: `nodeEpoch`."""
    master = state.nodes.get(node.replicaof)
    return node.config_epoch if master is None else master.config_epoch


@clause("SC-2")
def bind_slots(state: ClusterState, node_id: NodeId, slots: SlotSet) -> ClusterState:
    """The slots belong to this node and to no other.

    Where `binding_clears_not_claiming` is off, a slot that its former owner had stopped claiming
    stays marked, so that anyone may claim it. Counterpart: `clusterDelSlot`, `clusterAddSlot`.
    """
    nodes = state.nodes
    for node in state.nodes:
        if node.node_id != node_id and node.slots & slots:
            nodes = nodes.put(attrs.evolve(node, slots=node.slots - slots))
    owner = nodes[node_id]
    nodes = nodes.put(attrs.evolve(owner, slots=owner.slots | slots))
    marked = state.owner_not_claiming_slot
    if state.rules.binding_clears_not_claiming:
        marked -= slots
    return attrs.evolve(state, nodes=nodes, owner_not_claiming_slot=marked)


@clause("EL-17", "EL-21")
def end_election(state: ClusterState) -> ClusterState:
    """No election is running; where late votes count, they do so from now on for the next one."""
    last = None
    if state.election is not None and state.rules.late_votes_count:
        last = Election(failover_auth_epoch=state.election.failover_auth_epoch)
    return attrs.evolve(state, election=None, last_election=last)


@clause("MO-4", "EL-9")
def durable(state: ClusterState) -> ClusterState:
    """The part of the state that nodes.conf keeps: what a node has after a crash.

    Counterpart: `clusterSaveConfig`.
    """
    return attrs.evolve(
        state,
        nodes=NodeTable(
            attrs.evolve(node, fail_reports=frozenset())
            for node in state.nodes
            if not node.handshake
        ),
        last_vote_epoch=state.last_vote_epoch if state.rules.persist_vote else 0,
        owner_not_claiming_slot=NO_SLOTS,
        election=None,
        last_election=None,
    )


@clause("EP-7", "EP-8")
def restarted(saved: ClusterState) -> ClusterState:
    """The state in which a node starts from what was saved.

    Counterpart: `clusterLoadConfig`.
    """
    nodes = NodeTable(
        attrs.evolve(node, config_epoch=0) if node.is_replica and node.replicaof else node
        for node in saved.nodes
    )
    newest = max(node.config_epoch for node in nodes)
    return attrs.evolve(saved, nodes=nodes, current_epoch=max(saved.current_epoch, newest))

"""The state of one node, what of it is durable, and the few ways to change its parts."""

from enum import Enum

import attrs

from reference.clauses import clause
from reference.core.migration_jobs import SlotMigration
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.open_slots import NO_OPEN_SLOTS, OpenSlots
from reference.core.rules import Rules
from reference.core.settings import DEFAULT_SETTINGS, Settings
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Address, Epoch, NodeId, Role, ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class Election:
    """An election this node stands in (the failover_auth_* fields of `clusterState`)."""

    failover_auth_epoch: Epoch
    voters: frozenset[NodeId] = frozenset()
    late_votes: int = 0  # votes for the election before, counted while this one was put off


class ManualFailoverStage(Enum):
    """How far a manual failover is (the mf_* fields of `clusterState`)."""

    PAUSED = "the master has paused its clients for its replica"
    WAITING_FOR_OFFSET = "the replica has not heard how far its master got"
    CATCHING_UP = "the replica knows how far its master got, and is behind"
    CAN_START = "the replica may stand for election at once"


@attrs.frozen(kw_only=True, cache_hash=True)
class ManualFailover:
    """A manual failover under way, at the replica or at its master."""

    stage: ManualFailoverStage
    replica: NodeId | None = None  # at the master: for whom it has paused


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
    migrating_slots_to: OpenSlots = NO_OPEN_SLOTS
    importing_slots_from: OpenSlots = NO_OPEN_SLOTS
    manual_failover: ManualFailover | None = None
    nodes_black_list: frozenset[NodeId] = frozenset()  # forgotten, and not to be learnt from gossip
    settings: Settings = DEFAULT_SETTINGS
    slot_migrations: tuple[SlotMigration, ...] = ()  # under way, the newest first
    taken_from: tuple[tuple[NodeId, SlotSet], ...] = ()  # from whom own slots were taken
    owned_before_reset: SlotSet = NO_SLOTS  # and without an owner here ever since

    @property
    def myself(self) -> ClusterNode:
        """The own entry of this node in its table."""
        return self.nodes[self.myself_id]

    @property
    def my_master(self) -> ClusterNode | None:
        """The master this node follows, None for a master or if it is not known."""
        return self.nodes.get(self.myself.replicaof)

    @property
    def manual_failover_can_start(self) -> bool:
        """Whether an operator has this replica stand, whatever its master does (`mf_can_start`)."""
        under_way = self.manual_failover
        return under_way is not None and under_way.stage is ManualFailoverStage.CAN_START

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


@clause("SM-33")
def granted_slots(state: ClusterState, target: NodeId) -> SlotSet:
    """The slots that this node has let the target take, and that are still its own."""
    granted = NO_SLOTS
    for job in state.slot_migrations:
        if job.is_granted and job.target == target:
            granted |= job.slots & state.myself.slots
    return granted


@clause("SC-2", "SC-40")
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
    first = bool(slots) and not owner.slots and _masters_have_replicas(nodes)
    migrate_to = owner.migrate_to or first
    nodes = nodes.put(attrs.evolve(owner, slots=owner.slots | slots, migrate_to=migrate_to))
    marked = state.owner_not_claiming_slot
    if state.rules.binding_clears_not_claiming:
        marked -= slots
    return attrs.evolve(
        state,
        nodes=nodes,
        owner_not_claiming_slot=marked,
        owned_before_reset=state.owned_before_reset - slots,
    )


@clause("NO-8", "SC-3")
def unbind_slots(state: ClusterState, slots: SlotSet) -> ClusterState:
    """The slots belong to nobody.

    Where `binding_clears_not_claiming` is off, those that are marked stay so. Counterpart:
    `clusterDelSlot`, `clusterDelNodeSlots`.
    """
    nodes = state.nodes
    for node in state.nodes:
        if node.slots & slots:
            nodes = nodes.put(attrs.evolve(node, slots=node.slots - slots))
    if nodes is state.nodes:
        return state
    marked = state.owner_not_claiming_slot
    if state.rules.binding_clears_not_claiming:
        marked -= slots
    return attrs.evolve(state, nodes=nodes, owner_not_claiming_slot=marked)


def _masters_have_replicas(nodes: NodeTable) -> bool:
    followed = (nodes.get(node.replicaof) for node in nodes)
    return any(master is not None and master.is_master for master in followed)


def _leave_master(state: ClusterState, node: ClusterNode) -> ClusterState:
    """A master whose last replica this was is nobody that a replica may move to."""
    master = state.nodes.get(node.replicaof)
    if master is None or any(
        other.replicaof == master.node_id and other.node_id != node.node_id for other in state.nodes
    ):
        return state
    return state.put(attrs.evolve(master, migrate_to=False))


@clause("NO-10")
def follow(state: ClusterState, node_id: NodeId, master_id: NodeId | None) -> ClusterState:
    """The node is a replica of that master, or of one that is not known (None).

    Counterpart: `clusterNodeAddSlave`, `clusterNodeRemoveSlave`.
    """
    node = state.nodes[node_id]
    if node.replicaof != master_id:
        state = _leave_master(state, node)
        master = state.nodes.get(master_id)
        if master is not None:
            state = state.put(attrs.evolve(master, migrate_to=True))
    # Read again: a node may be entered as its own master.
    node = state.nodes[node_id]
    return state.put(
        attrs.evolve(
            node,
            role=Role.REPLICA,
            replicaof=master_id,
            migrate_to=node.migrate_to and not node.is_master,
        )
    )


@clause("NO-10")
def lead(state: ClusterState, node_id: NodeId) -> ClusterState:
    """The node is a master, to which replicas may move if it was a replica of one.

    Counterpart: `clusterSetNodeAsMaster`.
    """
    node = state.nodes[node_id]
    if node.is_master:
        return state
    state = _leave_master(state, node)
    node = state.nodes[node_id]
    inherits = node.replicaof is not None and node_id != state.myself_id
    return state.put(
        attrs.evolve(node, role=Role.MASTER, replicaof=None, migrate_to=node.migrate_to or inherits)
    )


@clause("NO-8")
def remove_node(state: ClusterState, node_id: NodeId) -> ClusterState:
    """The node is not in the table, and nothing in the table or about the slots refers to it.

    Counterpart: `clusterDelNode`, `freeClusterNode`.
    """
    gone = state.nodes.get(node_id)
    if gone is None or node_id == state.myself_id:
        return state
    state = _leave_master(unbind_slots(state, gone.slots), gone)
    nodes = NodeTable(
        attrs.evolve(
            node,
            replicaof=None if node.replicaof == node_id else node.replicaof,
            fail_reports=node.fail_reports - {node_id},
        )
        for node in state.nodes
        if node.node_id != node_id
    )
    return attrs.evolve(
        state,
        nodes=nodes,
        migrating_slots_to=state.migrating_slots_to.without_node(node_id),
        importing_slots_from=state.importing_slots_from.without_node(node_id),
    )


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
            attrs.evolve(
                node,
                fail_reports=frozenset(),
                meet=False,
                migrate_to=False,
                my_master_failed=False,
                told_epoch=0,
            )
            for node in state.nodes
            if not node.handshake
        ),
        last_vote_epoch=state.last_vote_epoch if state.rules.persist_vote else 0,
        owner_not_claiming_slot=NO_SLOTS,
        owned_before_reset=NO_SLOTS,
        election=None,
        last_election=None,
        manual_failover=None,
        nodes_black_list=frozenset(),
        slot_migrations=(),
    )


@clause("EP-7", "EP-8", "NO-11")
def restarted(saved: ClusterState) -> ClusterState:
    """The state in which a node starts from what was saved.

    Counterpart: `clusterLoadConfig`.
    """
    nodes = NodeTable(
        attrs.evolve(node, config_epoch=0) if node.is_replica and node.replicaof else node
        for node in saved.nodes
    )
    followed = {node.replicaof for node in nodes}
    any_followed = _masters_have_replicas(nodes)
    nodes = NodeTable(
        attrs.evolve(
            node, migrate_to=node.node_id in followed or (any_followed and bool(node.slots))
        )
        for node in nodes
    )
    newest = max(node.config_epoch for node in nodes)
    return attrs.evolve(saved, nodes=nodes, current_epoch=max(saved.current_epoch, newest))

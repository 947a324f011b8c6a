"""Replica migration: a spare replica moves to a master that has none."""

from collections import Counter

from reference.clauses import clause
from reference.core.cluster_state import why_down
from reference.core.effects import Effect, Notice, Refusal
from reference.core.nodes import ClusterNode
from reference.core.roles import set_master
from reference.core.state import ClusterState
from reference.core.types import Health, NodeId

_FEWEST = 2  # working replicas of the master that gives one away


@clause("RM-1")
def orphans(state: ClusterState) -> tuple[NodeId, ...]:
    """The masters that a replica may move to: with slots, and without the replicas they had.

    Counterpart: `clusterHandleSlaveMigration`.
    """
    found = [node.node_id for node in state.nodes if _may_be_orphan(node)]
    if not found:
        return ()
    followed = {node.replicaof for node in state.nodes if _is_working_replica(node)}
    return tuple(node_id for node_id in found if node_id not in followed)


def _may_be_orphan(node: ClusterNode) -> bool:
    return node.is_voting_master and node.migrate_to and _is_well(node)


def _is_well(node: ClusterNode) -> bool:
    return node.health is not Health.FAIL and not node.noaddr and not node.handshake


def _is_working_replica(node: ClusterNode) -> bool:
    return node.is_replica and node.health is not Health.FAIL


@clause("RM-1", "RM-2")
def why_no_migration(state: ClusterState, orphan: NodeId) -> Refusal | None:
    """Why this node does not become the replica of that master, None if it does.

    Counterpart: `clusterHandleSlaveMigration`, and its call in `clusterCron`.
    """
    return why_not_spared(state) or (None if orphan in orphans(state) else Refusal.NOT_ORPHANED)


@clause("MO-5", "RM-7")
def possible_migrations(state: ClusterState) -> tuple[NodeId, ...]:
    """The masters to which this node may move once they have been orphans for a while."""
    if state.my_master is None:
        return ()
    found = orphans(state)
    return found if found and why_not_spared(state) is None else ()


@clause("RM-2", "RM-3", "RM-4", "RM-5", "RM-6")
def why_not_spared(state: ClusterState) -> Refusal | None:
    """Why this node moves to no other master, whoever is an orphan; None if it is the one to go.

    Counterpart: `clusterHandleSlaveMigration`, and its call in `clusterCron`.
    """
    my_master = state.my_master
    if my_master is None:
        return Refusal.NO_REPLICA_TO_MOVE
    if not state.settings.allow_replica_migration:
        return Refusal.MAY_NOT_MOVE
    working = Counter(node.replicaof for node in state.nodes if _is_working_replica(node))
    alive = [node for node in state.nodes if node.is_master and _is_well(node)]
    most = max((working[node.node_id] for node in alive), default=0)
    if most < _FEWEST:
        return Refusal.TOO_FEW_REPLICAS
    if my_master not in alive or working[my_master.node_id] != most:
        return Refusal.OTHERS_HAVE_MORE
    if why_down(state) is not None:
        return Refusal.CLUSTER_DOWN
    if _healthy_replicas(state, my_master) <= state.settings.migration_barrier:
        return Refusal.TOO_FEW_REPLICAS
    candidates = [node.node_id for node in state.nodes if _is_candidate(state, node, working, most)]
    return None if min(candidates) == state.myself_id else Refusal.ANOTHER_MOVES


def _healthy_replicas(state: ClusterState, master: ClusterNode) -> int:
    """How many replicas of the master are neither in FAIL nor in PFAIL."""
    return sum(
        node.replicaof == master.node_id and node.health is Health.OK for node in state.nodes
    )


def _is_candidate(
    state: ClusterState, node: ClusterNode, working: Counter[NodeId | None], most: int
) -> bool:
    """Whether it follows a master with the most working replicas; it may itself be in FAIL."""
    master = state.nodes.get(node.replicaof)
    followed = node.is_replica and master is not None and master.is_master
    return followed and working[node.replicaof] == most


@clause("RM-7")
def migrate_replica(state: ClusterState, orphan: NodeId, out: list[Effect]) -> ClusterState:
    """The node is a replica of the orphan, unless it is needed where it is or another one goes.

    Counterpart: `clusterHandleSlaveMigration`.
    """
    refusal = why_no_migration(state, orphan)
    if refusal is not None:
        out.append(Notice(what=refusal, subject=orphan))
        return state
    return set_master(state, orphan, out)

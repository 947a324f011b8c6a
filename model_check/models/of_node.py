"""What models keep of a node besides its state, or leave out of it."""

import attrs

from reference.core import effects
from reference.core.nodes import NodeTable
from reference.core.state import ClusterState, durable
from reference.core.types import Epoch, Health, NodeId


def working_replicas(node: ClusterState) -> frozenset[NodeId]:
    """The replicas of this node, as it knows them, that are not in FAIL."""
    return frozenset(
        entry.node_id
        for entry in node.nodes
        if entry.replicaof == node.myself_id and entry.health is not Health.FAIL
    )


def epochs_won(notes: tuple[effects.Notice, ...]) -> frozenset[Epoch]:
    """The epochs whose elections were won, as the core told."""
    won = (note.epoch for note in notes if note.what is effects.Happening.WON_ELECTION)
    return frozenset(epoch for epoch in won if epoch is not None)


def save(node: ClusterState) -> ClusterState:
    """What a restart finds of the node, without its suspicions (MO-A5)."""
    kept = durable(node)
    nodes = NodeTable(
        attrs.evolve(entry, health=Health.OK) if entry.health is Health.PFAIL else entry
        for entry in kept.nodes
    )
    return attrs.evolve(kept, nodes=nodes)

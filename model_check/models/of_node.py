"""What models keep of a node besides its state, or leave out of it."""

from enum import Enum

import attrs

from reference.core import effects
from reference.core.nodes import NodeTable
from reference.core.state import ClusterState, durable
from reference.core.types import Epoch, Health, NodeId


class Age(Enum):
    """What is so of a node because little time, or too much, has gone by."""

    JUST_STARTED = "it has just started, and serves nobody yet"
    JUST_VOTED = "it has voted about a master a short time ago"
    DATA_TOO_OLD = "the link to its master broke too long ago"
    VOTED_AGAIN = "it has voted twice within a short time"  # once is enough: it stays so


@attrs.frozen(cache_hash=True)
class Later:
    """Time has gone by: this is not so any more, or now it is."""

    age: Age


def working_replicas(node: ClusterState) -> frozenset[NodeId]:
    """The replicas of this node, as it knows them, that are not in FAIL."""
    return frozenset(
        entry.node_id
        for entry in node.nodes
        if entry.replicaof == node.myself_id and entry.health is not Health.FAIL
    )


def epochs_won(done: tuple[effects.Effect, ...]) -> frozenset[Epoch]:
    """The epochs whose elections were won, as the core told."""
    notes = (each for each in done if isinstance(each, effects.Notice))
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

"""How clusters look at the start of a model: everyone knows everyone, and all agree."""

from collections.abc import Mapping

from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState
from reference.core.types import Epoch, NodeId, Role, ShardId


def master(name: str, *slots: int, epoch: Epoch, shard: str | None = None) -> ClusterNode:
    """A master with these slots, in a shard of its own name unless another is given."""
    return ClusterNode(
        node_id=NodeId(name),
        config_epoch=epoch,
        slots=SlotSet.of(slots),
        shard_id=ShardId(shard or name),
    )


def replica(name: str, of: str, shard: str | None = None) -> ClusterNode:
    """A replica of that master, in its shard."""
    return ClusterNode(
        node_id=NodeId(name),
        role=Role.REPLICA,
        replicaof=NodeId(of),
        slots=NO_SLOTS,
        shard_id=ShardId(shard or of),
    )


def view(
    rules: Rules, name: str, *entries: ClusterNode, current_epoch: Epoch | None = None
) -> ClusterState:
    """The state of the node of that name if its table has these entries.

    Its current_epoch is the newest configEpoch in the table unless given.
    """
    newest = max(entry.config_epoch for entry in entries)
    return ClusterState(
        rules=rules,
        myself_id=NodeId(name),
        nodes=NodeTable(entries),
        current_epoch=newest if current_epoch is None else current_epoch,
    )


def agreed(rules: Rules, *entries: ClusterNode) -> tuple[ClusterState, ...]:
    """One state for each entry, all with the same table."""
    return tuple(view(rules, str(entry.node_id), *entries) for entry in entries)


def crashes(**times: int) -> Mapping[NodeId, int]:
    """How often each named node may crash and restart."""
    return {NodeId(name): count for name, count in times.items()}

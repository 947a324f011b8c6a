"""A whole cluster that is formed before it starts: every node knows all the others already."""

import itertools
from collections.abc import Sequence

import attrs

from reference.core.nodes import ClusterNode, NodeTable
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, restarted
from reference.core.types import SLOT_COUNT, Role
from reference.runtime.clock import new_node_id, new_shard_id
from reference.runtime.options import NodeOptions


def spread_slots(masters: int) -> list[SlotSet]:
    """All slots in runs of nearly equal length, one for each master."""
    bounds = [round(number * SLOT_COUNT / masters) for number in range(masters + 1)]
    return [SlotSet.between(first, end - 1) for first, end in itertools.pairwise(bounds)]


def formed_cluster(
    options: Sequence[NodeOptions], masters: int
) -> list[tuple[NodeOptions, ClusterState]]:
    """A state for each node: the first ones are masters that own all slots, the rest replicas.

    Every master has a configEpoch of its own, as `redis-cli --cluster create` sees to.
    """
    shards = [new_shard_id() for _ in range(masters)]
    table = [
        ClusterNode(
            node_id=new_node_id(),
            config_epoch=number + 1,
            slots=slots,
            shard_id=shards[number] if each.rules.shards else None,
            address=each.address,
        )
        for number, (each, slots) in enumerate(zip(options, spread_slots(masters), strict=False))
    ]
    for number, each in enumerate(options[masters:]):
        master = table[number % masters]
        table.append(
            attrs.evolve(
                master,
                node_id=new_node_id(),
                role=Role.REPLICA,
                replicaof=master.node_id,
                config_epoch=0,
                slots=SlotSet(),
                address=each.address,
            )
        )
    nodes = NodeTable(table)
    return [
        (
            each,
            restarted(
                ClusterState(
                    rules=each.rules, myself_id=node.node_id, nodes=nodes, current_epoch=masters
                )
            ),
        )
        for each, node in zip(options, table, strict=True)
    ]

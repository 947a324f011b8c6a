"""Small clusters in which everybody knows everybody, and short ways to say what happens in them.

Masters are called a, b, c ... and own the slots 0, 1, 2 ... with the configEpochs 1, 2, 3 ...;
the replicas of a are called a1, a2 ...
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, Reply, Send
from reference.core.events import Received
from reference.core.messages import Header, Message
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, Election
from reference.core.step import step
from reference.core.types import Address, Epoch, Health, NodeId, Role, ShardId

A, B, C, D, E = (NodeId(name) for name in "abcde")
A1, A2 = NodeId("a1"), NodeId("a2")
STRANGER: Final = NodeId("s")
EITHER: Final = (REDIS_7_0, VALKEY_9_1)


def address_of(node_id: NodeId) -> Address:
    """Where a node of a built cluster is reached."""
    port = 7000 + sum(map(ord, node_id))
    return Address(ip="127.0.0.1", port=port, cport=port + 10000)


def slots(*numbers: int) -> SlotSet:
    """The set of these slots."""
    return SlotSet.of(numbers)


def _entries(masters: int, replicas: int, rules: Rules) -> list[ClusterNode]:
    names = [NodeId(chr(ord("a") + i)) for i in range(masters)]
    entries = [
        ClusterNode(
            node_id=name,
            config_epoch=i + 1,
            slots=slots(i),
            shard_id=ShardId(f"shard-{name}") if rules.shards else None,
            address=address_of(name),
        )
        for i, name in enumerate(names)
    ]
    for i in range(1, replicas + 1):
        name = NodeId(f"a{i}")
        entries.append(
            ClusterNode(
                node_id=name,
                role=Role.REPLICA,
                replicaof=A,
                shard_id=entries[0].shard_id,
                address=address_of(name),
            )
        )
    return entries


def cluster(
    *, masters: int = 3, replicas: int = 1, rules: Rules = REDIS_7_0
) -> dict[NodeId, ClusterState]:
    """The states of a cluster at rest, by node: these masters, and these replicas of the first."""
    table = NodeTable(_entries(masters, replicas, rules))
    return {
        node.node_id: ClusterState(
            rules=rules, myself_id=node.node_id, nodes=table, current_epoch=masters
        )
        for node in table
    }


def view(
    me: NodeId, *, masters: int = 3, replicas: int = 1, rules: Rules = REDIS_7_0
) -> ClusterState:
    """The state of one node of such a cluster."""
    return cluster(masters=masters, replicas=replicas, rules=rules)[me]


def change(state: ClusterState, node_id: NodeId, **fields: Any) -> ClusterState:
    """The state with these fields changed in the entry of that node."""
    return state.put(attrs.evolve(state.nodes[node_id], **fields))


def add(state: ClusterState, node_id: NodeId, **fields: Any) -> ClusterState:
    """The state with one more node in its table."""
    return state.put(ClusterNode(node_id=node_id, **fields))


def failed(state: ClusterState, node_id: NodeId = A) -> ClusterState:
    """The state with that node in FAIL."""
    return change(state, node_id, health=Health.FAIL)


def candidate(
    me: NodeId = A1, *, epoch: Epoch = 4, voters: Iterable[NodeId] = (), rules: Rules = REDIS_7_0
) -> ClusterState:
    """A replica of a failed master that stands for election."""
    state = failed(view(me, replicas=2, rules=rules))
    election = Election(failover_auth_epoch=epoch, voters=frozenset(voters))
    return attrs.evolve(state, current_epoch=epoch, election=election)


def says(
    sender: NodeId,
    *,
    replicaof: NodeId | None = None,
    current_epoch: Epoch = 3,
    config_epoch: Epoch = 0,
    claims: SlotSet = NO_SLOTS,
    **fields: Any,
) -> Header:
    """A header with just these claims."""
    return Header(
        sender=sender,
        replicaof=replicaof,
        current_epoch=current_epoch,
        config_epoch=config_epoch,
        slots=claims,
        **fields,
    )


def hear(
    state: ClusterState, message: Message, **fields: Any
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step that takes in this message."""
    return step(state, Received(message=message, **fields))


def told(effects: Iterable[Effect]) -> list[Happening | Refusal]:
    """What the notices among the effects are about."""
    return [effect.what for effect in effects if isinstance(effect, Notice)]


def sent(effects: Iterable[Effect]) -> list[Message]:
    """The messages among the effects, in order."""
    return [effect.message for effect in effects if isinstance(effect, Send | Broadcast)]


def replies(effects: Iterable[Effect]) -> list[str | None]:
    """The answers to commands among the effects."""
    return [effect.error for effect in effects if isinstance(effect, Reply)]

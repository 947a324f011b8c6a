"""Heartbeats and UPDATEs of a small cluster, and what its nodes have of it: for audits of steps."""

import attrs

from reference.core.events import Received
from reference.core.messages import Header, Pong, Update
from reference.core.open_slots import OpenSlots, open_slots
from reference.core.rules import VALKEY_9_1, Rules
from reference.core.settings import Settings
from reference.core.state import ClusterState
from reference.core.types import NodeId, ShardId
from tests.builders import A1, C, says, slots, view

SHARD_A, SHARD_C = ShardId("shard-a"), ShardId("shard-c")


def pong_of(header: Header) -> Received:
    return Received(message=Pong(header=header), link_node=header.sender)


def claims(of: NodeId, epoch: int, *numbers: int, shard: ShardId | None = None) -> Received:
    """A heartbeat of a master with these slots."""
    header = says(
        of, current_epoch=epoch, config_epoch=epoch, claims=slots(*numbers), shard_id=shard
    )
    return pong_of(header)


def follows(sender: NodeId, master: NodeId, epoch: int, *numbers: int) -> Received:
    """A heartbeat of a replica, in the shard of a."""
    header = says(
        sender,
        replicaof=master,
        current_epoch=epoch,
        config_epoch=epoch,
        claims=slots(*numbers),
        shard_id=SHARD_A,
    )
    return pong_of(header)


def tells(subject: NodeId, epoch: int, *numbers: int) -> Received:
    """An UPDATE that c sends."""
    update = Update(
        header=says(C, current_epoch=epoch, config_epoch=3, claims=slots(2)),
        subject=subject,
        config_epoch=epoch,
        slots=slots(*numbers),
    )
    return Received(message=update, link_node=C)


def seen_by(me: NodeId, rules: Rules = VALKEY_9_1) -> ClusterState:
    return view(me, replicas=2, rules=rules)


def marked(state: ClusterState, *numbers: int) -> ClusterState:
    return attrs.evolve(state, owner_not_claiming_slot=slots(*numbers))


def stays_put(state: ClusterState) -> ClusterState:
    settings = Settings(allow_replica_migration=False)
    return attrs.evolve(state, settings=settings)


def importing(state: ClusterState, source: NodeId, *numbers: int) -> ClusterState:
    opened = open_slots((slot, source) for slot in numbers)
    return attrs.evolve(state, importing_slots_from=opened)


def migrating(state: ClusterState, target: NodeId, *numbers: int) -> ClusterState:
    opened = open_slots((slot, target) for slot in numbers)
    return attrs.evolve(state, migrating_slots_to=opened)


def opened(slot: int, node: NodeId) -> OpenSlots:
    return open_slots([(slot, node)])


NEXT = claims(A1, 4, 0, shard=SHARD_A)  # a1 has won

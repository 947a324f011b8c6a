"""Shards without slots that get another master, and shards that change while they are followed."""

from typing import Final

from model_check.models.at_rest import (
    FLAT,
    NO_CIRCLE,
    ONE_MASTER_IN_A_SHARD,
    TWO_MASTERS_IN_A_SHARD,
    roles_change,
)
from model_check.models.cluster import Process, Scope
from model_check.models.kinds import TELLING
from model_check.models.model import Expected, Model
from model_check.models.properties import EPOCHS_MONOTONE, EXCLUSIVE_CLAIM, epoch_rises
from model_check.models.start import agreed, master, replica, told
from model_check.models.takeover import TAKEOVER
from model_check.properties import Settles, Sometimes
from reference.core.events import ClusterBumpEpoch, ClusterReplicate, ClusterReplicateNoOne
from reference.core.rules import Rules
from reference.core.types import NodeId, ShardId


def _empty(rules: Rules) -> Scope:
    nodes = agreed(
        rules,
        master("A", epoch=1),
        master("N", 0, epoch=2),
        replica("D", of="A"),
        replica("E", of="A"),
    )
    return Scope(nodes=nodes, commands=(told("D", TAKEOVER),))


def _changed(rules: Rules) -> Scope:
    """D leads a new shard. Of it E may hear from F first, which follows D, and follow it too."""
    nodes = agreed(rules, master("A", 0, epoch=1), *(replica(name, of="A") for name in "DEF"))
    alone = ClusterReplicateNoOne(new_shard_id=ShardId("new"))
    to_d = ClusterReplicate(master=NodeId("D"))
    bump = ClusterBumpEpoch()
    commands = (told("D", alone), told("D", bump), told("E", to_d), told("F", to_d))
    return Scope(nodes=nodes, commands=commands)


Place = tuple[NodeId, NodeId | None, ShardId | None] | None
"""Who follows whom, and in which shard it is."""


def _place(process: int, node: Process) -> Place:
    del process
    if node.state is None:
        return None
    myself = node.state.myself
    return myself.node_id, myself.replicaof, myself.shard_id


def _together(places: tuple[Place, ...]) -> bool:
    shards = {each[0]: each[2] for each in places if each is not None}
    return all(
        each is None or each[1] not in shards or shards[each[1]] == each[2] for each in places
    )


WITH_ITS_MASTER: Final[Settles[Process]] = Settles(
    id="SC-31",
    clause="SC-31",
    text="once faults stop, a replica is in the shard of its master",
    project=_place,
    judge=_together,
)
APART: Final[Sometimes[Process]] = Sometimes(
    id="SC-31:witness",
    clause="SC-31",
    text="a replica is in another shard than its master",
    project=_place,
    judge=lambda places: not _together(places),
)

EMPTY_SHARD: Final = Model(
    name="empty-shard",
    text="a replica of A, which has no slots, takes over from it",
    scope=_empty,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        FLAT,
        NO_CIRCLE,
        ONE_MASTER_IN_A_SHARD,
        TWO_MASTERS_IN_A_SHARD,
        roles_change("SC-P4"),
        epoch_rises(2),
    ),
    links="held(1)",
    clauses=("SC-9", "MF-7", "SC-13", "SC-34"),
    happens=TELLING,
    expected=(
        Expected(
            property_id="SC-P7",
            dialects=("redis-8.0",),
            told="no such rule before Valkey 8",
            clause="SC-9",
        ),
        Expected(
            property_id="SC-P7:witness", dialects=("redis-7.0",), told="no shards", clause="HB-9"
        ),
    ),
)
DETACHED: Final = Model(
    name="detached",
    text="A's replica D is told to follow no one, and E and F to follow D",
    scope=_changed,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        FLAT,
        NO_CIRCLE,
        WITH_ITS_MASTER,
        APART,
        roles_change("SC-P4"),
    ),
    links="held(0)",
    dialects=("valkey-9.1", "strict"),
    clauses=("CM-2", "CM-30", "CM-31", "SC-31"),
    happens=TELLING,
    expected=(
        Expected(
            property_id="SC-31:witness",
            dialects=("valkey-9.1",),
            told="who is no master in the table is not followed",
            clause="SC-37",
        ),
    ),
)

"""A replica moves to a master that has none, while its own master is replaced."""

from typing import Final

import attrs

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.start import agreed, master, replica, told, without_dead
from model_check.models.takeover import TAKEOVER
from reference.core.rules import Rules
from reference.core.settings import Settings
from reference.core.state import ClusterState
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    nodes = agreed(
        rules,
        attrs.evolve(master("A", 0, epoch=1), migrate_to=True),
        attrs.evolve(master("B", 1, epoch=2), migrate_to=True),
        replica("C", of="A"),
        replica("D", of="A"),
        replica("E", of="B"),
    )
    serves = Settings(require_full_coverage=False)  # of all slots two have an owner
    return Scope(
        nodes=tuple(attrs.evolve(state, settings=serves) for state in without_dead(nodes, "E")),
        replica_migrations=2,
        commands=(told("C", TAKEOVER),),
    )


def _moved(state: ClusterState) -> bool:
    return state.myself_id in {"C", "D"} and state.myself.replicaof == NodeId("B")


REPLICA_MIGRATION: Final = Model(
    name="replica-migration",
    text="B's replica is dead; one of A's may move to B, and one may take over from A",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        FLAT,
        some_node("SC-P4:witness-moved", "a replica of A follows B", _moved),
        roles_change("SC-P4"),
        SLOT_DISPUTED,
        disagreement(),
        epoch_rises(2),
    ),
    links="held(0)",
    clauses=("RM-1", "RM-2", "RM-4", "RM-5", "RM-6", "RM-7", "SC-13", "SC-14"),
    happens=CORRECTING,
    expected=(Expected(property_id="SC-P4", dialects=("redis-8.0",), told="F-9", clause="SC-13"),),
)

"""A slot moves by SETSLOT NODE, while nodes crash, die, take new epochs or are replaced."""

from typing import Final

from model_check.models.at_rest import disagreement, no_lost_slot, slot_unclaimed
from model_check.models.cluster import Executed, Scope, Streamed
from model_check.models.kinds import CORRECTING, TELLING, VOTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
)
from model_check.models.start import (
    agreed,
    crashes,
    master,
    on_its_way,
    replica,
    told,
    told_owner,
    without_dead,
)
from reference.core.events import (
    ClusterBumpEpoch,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
)
from reference.core.messages import Update
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import NodeId


def _four_slots(rules: Rules, *replicas: tuple[str, str]) -> tuple[ClusterState, ...]:
    return agreed(
        rules,
        master("A", 0, 1, epoch=1),
        master("B", 2, epoch=2),
        master("C", 3, epoch=3),
        *(replica(name, of=of) for name, of in replicas),
    )


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=_four_slots(rules),
        crashes=crashes(A=1, B=1),
        commands=(
            told("B", ClusterSetslotImporting(slot=0, node=NodeId("A"))),
            told("A", ClusterSetslotMigrating(slot=0, node=NodeId("B"))),
            told_owner("B", 0, "B"),
        ),
    )


def _observed(rules: Rules) -> Scope:
    """C hears of the slot from A, who gave it up, and from B, who has it; A's epoch rises."""
    return Scope(
        nodes=on_its_way(_four_slots(rules), 0, "A", "B"),
        commands=(told_owner("B", 0, "B"), told("A", ClusterBumpEpoch())),
    )


def _importer_dies(rules: Rules) -> Scope:
    return Scope(
        nodes=on_its_way(_four_slots(rules, ("D", "B")), 0, "A", "B"),
        deaths=frozenset({NodeId("B")}),
        commands=(told_owner("B", 0, "B"),),
    )


def _election(rules: Rules) -> Scope:
    """The importer B is new and has no say; A is dead and its replica D has not heard of B."""
    nodes = agreed(
        rules,
        master("A", 0, 1, epoch=1),
        master("B", epoch=0),
        master("C", 2, epoch=2),
        master("E", 3, epoch=3),
        replica("D", of="A"),
    )
    return Scope(
        nodes=on_its_way(without_dead(nodes, "A"), 0, "A", "B"),
        elections=1,
        commands=(told_owner("B", 0, "B"),),
    )


RESHARDING: Final = Model(
    name="resharding",
    text="a slot of A moves to B by SETSLOT; both may crash and come back, C is told nothing",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(4),
        no_lost_slot(4),
        slot_unclaimed(4),
        SLOT_DISPUTED,
        disagreement(),
        epoch_rises(3),
    ),
    links="held(1)",
    clauses=("SM-1", "SM-2", "SM-3", "SM-5", "SM-6", "SM-11", "EP-11", "SC-1", "SC-3", "SC-4"),
    happens=CORRECTING,
)

OBSERVER: Final = Model(
    name="observer",
    text="a slot has moved from A to B, and A's epoch rises before C has heard of B",
    scope=_observed,
    properties=(agreement(4), disagreement()),
    links="held(0)",
    clauses=("SC-1", "SC-3", "SC-4", "SM-6", "EP-12"),
    happens=CORRECTING,
)

IMPORTER_DIES: Final = Model(
    name="importer-dies",
    text="the importer B takes a slot by SETSLOT NODE and dies; its replica is all that is left",
    scope=_importer_dies,
    properties=(no_lost_slot(4), slot_unclaimed(4)),
    links="held(0)",
    clauses=("SM-6", "SM-7", "SM-8", "SC-2"),
    happens=CORRECTING,
    happens_in=dict.fromkeys((Streamed, Executed), ("valkey-8.1", "valkey-9.1", "strict")),
    expected=(
        Expected(
            property_id="SC-P3",
            dialects=("redis-7.0", "redis-8.0"),
            told="K6, redis#6339",
            clause="SM-7",
        ),
    ),
)

IMPORT_AND_ELECTION: Final = Model(
    name="import-election",
    text="A is dead; B takes a slot of A by SETSLOT NODE while A's replica is elected",
    scope=_election,
    properties=(EXCLUSIVE_CLAIM, SLOT_DISPUTED),
    links="held(0)",
    clauses=("SM-6", "EP-11", "EL-2", "EL-10", "EL-12"),
    happens=(*TELLING, *VOTING),
    happens_in={Update: ("redis-7.0", "redis-8.0", "valkey-9.1")},
    expected=(
        Expected(property_id="SC-P1", dialects=RELEASES, told="K15, redis#1547", clause="EP-11"),
    ),
)

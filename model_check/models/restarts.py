"""Every node may crash and start from what it saved, while one takes over from another."""

from typing import Final

from model_check.models.at_rest import (
    FLAT,
    NO_CIRCLE,
    disagreement,
    no_way_back,
    roles_change,
    took_over,
)
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
)
from model_check.models.start import agreed, crashes, master, replica, told
from model_check.models.takeover import TAKEOVER
from reference.core.rules import Rules


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=agreed(rules, master("A", 0, epoch=1), master("N", 1, epoch=2), replica("B", of="A")),
        crashes=crashes(A=1, B=1, N=1),
        commands=(told("B", TAKEOVER),),
    )


RESTARTS: Final = Model(
    name="restarts",
    text="the replica B takes over from A; A, B and the observer N may all crash and come back",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        FLAT,
        NO_CIRCLE,
        no_way_back("B", "A"),
        took_over("B"),
        roles_change("SC-P4"),
        roles_change("SC-P6"),
        disagreement(),
        SLOT_DISPUTED,
        epoch_rises(2),
    ),
    links="held(1)",
    clauses=("MO-4", "EP-7", "EP-8", "NO-11", "MF-7", "SC-1", "SC-7", "SC-18", "SC-28"),
    happens=CORRECTING,
    expected=(
        Expected(property_id="SC-P2", dialects=("redis-8.0",), told="F-24", clause="SC-12"),
        Expected(
            property_id="SC-P6", dialects=("redis-8.0",), told="K8, valkey#1015", clause="SC-12"
        ),
        Expected(property_id="SC-P6", dialects=("redis-7.0",), told="F-10", clause="SC-11"),
    ),
)

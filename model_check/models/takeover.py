"""An operator has a replica take over without asking anybody (CLUSTER FAILOVER TAKEOVER)."""

from typing import Final

import attrs

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
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
)
from model_check.models.start import agreed, crashes, master, replica, three_masters, told
from reference.core.events import ClusterBumpEpoch, ClusterFailover, FailoverOption
from reference.core.rules import Rules

TAKEOVER: Final = ClusterFailover(option=FailoverOption.TAKEOVER)


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D", "E"),
        crashes=crashes(A=1),
        commands=(told("D", TAKEOVER),),
    )


def _collision(rules: Rules) -> Scope:
    """The epoch that D takes is also the next one for A, if A has not heard of D."""
    return Scope(
        nodes=agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), replica("D", of="A")),
        commands=(told("D", TAKEOVER), told("A", ClusterBumpEpoch())),
    )


def _collision_and_crash(rules: Rules) -> Scope:
    return attrs.evolve(_collision(rules), crashes=crashes(D=1))


TAKE_OVER: Final = Model(
    name="takeover",
    text="3 masters, two replicas of A; one takes over by TAKEOVER, A may crash and come back",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        FLAT,
        NO_CIRCLE,
        no_way_back("D", "A"),
        took_over("D"),
        roles_change("SC-P4"),
        roles_change("SC-P6"),
        disagreement(),
        SLOT_DISPUTED,
        epoch_rises(3),
    ),
    links="held(0)",
    clauses=("MF-7", "EP-11", "SC-1", "SC-7", "SC-10", "SC-13", "SC-14", "SC-18", "SC-28"),
    happens=CORRECTING,
    expected=(
        Expected(property_id="SC-P4", dialects=("redis-8.0",), told="F-9", clause="SC-13"),
        Expected(property_id="SC-P6", dialects=("redis-7.0",), told="F-10", clause="SC-11"),
    ),
)

TAKEOVER_COLLISION: Final = Model(
    name="takeover-collision",
    text="a replica takes over by TAKEOVER while its master is told to take a new epoch",
    scope=_collision,
    properties=(
        no_way_back("D", "A"),
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        took_over("D"),
        disagreement(),
        SLOT_DISPUTED,
        epoch_rises(2),
    ),
    links="held(0)",
    clauses=("MF-7", "EP-4", "EP-5", "EP-11", "EP-12"),
    happens=CORRECTING,
    expected=tuple(
        Expected(
            property_id=name,
            dialects=RELEASES,
            told="K5, valkey#974",
            clause=clause,
        )
        for name, clause in (("SC-P8", "EP-4"), ("SC-P1", "EP-11"))
    ),
)

TAKEOVER_AND_CRASH: Final = attrs.evolve(
    TAKEOVER_COLLISION,
    name="takeover-and-crash",
    text="as takeover-collision, and the new master may crash and come back",
    scope=_collision_and_crash,
    clauses=("MF-7", "MO-4", "SC-33"),
)

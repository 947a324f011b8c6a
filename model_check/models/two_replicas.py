"""Replicas of one dead master compete for votes; the voters may crash and come back."""

from typing import Final

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, VOTING
from model_check.models.model import Model
from model_check.models.properties import (
    ELECTION_SAFETY,
    ELECTION_WON,
    SAFETY,
    SLOT_DISPUTED,
    TWO_WINNERS,
    agreement,
    epoch_rises,
)
from model_check.models.replacement import ORPHANED, REPLACED
from model_check.models.start import crashes, three_masters, without_dead
from reference.core.rules import Rules
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D", "E"), "A"),
        crashes=crashes(B=1, C=1),
        elections=2,
    )


TWO_REPLICAS: Final = Model(
    name="two-replicas",
    text="3 masters, A is dead; its two replicas may both stand; the voters B and C may crash",
    scope=_scope,
    properties=(
        *SAFETY,
        agreement(3),
        FLAT,
        REPLACED,
        ELECTION_WON,
        TWO_WINNERS,
        SLOT_DISPUTED,
        epoch_rises(3),
        disagreement(),
        roles_change("SC-P4"),
        ORPHANED,
    ),
    links="held(1)",
    quicker_links=dict.fromkeys(("redis-7.0", "redis-8.0", "valkey-8.1", "strict"), "held(0)"),
    clauses=("EL-2", "EL-4", "EL-5", "EL-7", "EL-10", "EL-11", "EL-12", "MO-3", "MO-4"),
    happens=(*CORRECTING, *VOTING),
)


def _three_replicas(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D", "E", "F"), "A"),
        elections=3,
        interchangeable=((NodeId("D"), NodeId("E"), NodeId("F")),),
    )


THREE_REPLICAS: Final = Model(
    name="three-replicas",
    text="3 masters, A is dead; each of its three replicas may stand; nobody crashes",
    scope=_three_replicas,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("EL-5",),
    happens=(*CORRECTING, *VOTING),
    by_default=False,
)

"""A master takes a new epoch and dies before its replica hears of it."""

from typing import Final

from model_check.models.at_rest import ELECTABLE, MAY_STAND
from model_check.models.cluster import Scope
from model_check.models.kinds import FAILING, TELLING
from model_check.models.model import Expected, Model
from model_check.models.start import suspected, three_masters, told
from reference.core.events import ClusterBumpEpoch
from reference.core.rules import Rules
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D"),
        suspects=suspected(A="B C"),
        deaths=frozenset({NodeId("A")}),
        commands=(told("A", ClusterBumpEpoch()),),
        failed_are_mentioned=True,
    )


DEAD_EPOCH: Final = Model(
    name="dead-epoch",
    text="A takes a new epoch and dies; its replica D has to be elected by who heard of it",
    scope=_scope,
    properties=(ELECTABLE, MAY_STAND),
    links="held(0)",
    clauses=("EL-4", "EL-7", "EL-15", "EP-12", "SC-6", "SC-20", "FD-6"),
    happens=(*TELLING, *FAILING),
    by_default=False,
    expected=(
        Expected(
            property_id="EL-P2",
            dialects=("redis-7.0", "redis-8.0", "valkey-8.1"),
            told="K12, valkey#2169",
            clause="EL-7",
        ),
    ),
)

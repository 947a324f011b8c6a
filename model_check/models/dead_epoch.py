"""A master takes a new epoch and dies before its replica hears of it."""

from typing import Final

import attrs

from model_check.models.at_rest import ELECTABLE, MAY_STAND
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, FAILING, TELLING, VOTING
from model_check.models.model import Expected, Model
from model_check.models.replacement import KNOWN, KNOWN_AND_REPLACED, ORPHANED, REPLACED
from model_check.models.start import crashes, suspected, three_masters, told
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
    expected=(
        Expected(
            property_id="EL-P2",
            dialects=("redis-7.0", "redis-8.0", "valkey-8.1"),
            told="K12, valkey#2169",
            clause="EL-7",
        ),
    ),
)


def _voted_on(rules: Rules) -> Scope:
    return attrs.evolve(_scope(rules), failed_are_mentioned=False, elections=1)


REFUSED_FOR_EVER: Final = Model(
    name="refused-for-ever",
    text="A takes a new epoch and dies; its replica D stands for election",
    scope=_voted_on,
    properties=(KNOWN_AND_REPLACED, KNOWN),
    links="held(0)",
    clauses=("EL-4", "EL-7", "EL-15", "EP-12", "SC-6", "FD-6"),
    happens=(*TELLING, *FAILING, *VOTING),
    by_default=False,
    expected=(attrs.evolve(DEAD_EPOCH.expected[0], property_id="EL-P5"),),
)


def _all_watch(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D"),
        suspects=suspected(A="B C D"),
        crashes=crashes(A=1),
        elections=1,
        failed_are_mentioned=True,
    )


REPLACEMENT: Final = Model(
    name="replacement",
    text="A may crash and come back; all watch it, and its replica D stands for election",
    scope=_all_watch,
    properties=(REPLACED, ORPHANED),
    links="held(0)",
    clauses=("FD-1", "FD-6", "FD-9", "FD-11", "EL-2", "EL-4", "EL-5", "EL-12"),
    happens=(*CORRECTING, *VOTING, *FAILING),
    by_default=False,
)

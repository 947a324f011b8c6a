"""Nodes hear of a new master in a shard from the wrong node first, or too late, or never."""

from typing import Final

import attrs

from model_check.models.at_rest import (
    FLAT,
    HAS_SLOTS,
    NO_CIRCLE,
    ONE_MASTER_IN_A_SHARD,
    SLOTS_WITH_MASTERS,
    TWO_MASTERS_IN_A_SHARD,
    disagreement,
    roles_change,
)
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    ELECTION_WON,
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
)
from model_check.models.start import (
    agreed,
    master,
    replica,
    three_masters,
    told,
    view,
    without_dead,
)
from model_check.models.takeover import TAKEOVER
from reference.core.rules import Rules
from reference.core.settings import Settings
from reference.core.state import ClusterState
from reference.core.types import NodeId


def _observed(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", 0, epoch=1), master("N", 1, epoch=2), replica("B", of="A"))
    return Scope(nodes=nodes, commands=(told("B", TAKEOVER),))


def _late_news(rules: Rules) -> Scope:
    return Scope(nodes=without_dead(three_masters(rules, "D", "E"), "A"), elections=2)


def _newcomer(rules: Rules) -> Scope:
    """D has joined the shard a moment ago, and E knows by gossip alone that there is a D."""

    def by_gossip(state: ClusterState) -> ClusterState:
        if state.myself_id != NodeId("E"):
            return state
        heard = attrs.evolve(state.nodes[NodeId("D")], replicaof=None, shard_id=None)
        return state.put(heard)

    nodes = without_dead(three_masters(rules, "D", "E"), "A")
    return Scope(nodes=tuple(map(by_gossip, nodes)), elections=3)


def _return(rules: Rules) -> Scope:
    """A was down while C joined its shard and came to lead it; replicas do not migrate."""
    before = (master("A", 0, epoch=1), master("P", 1, epoch=2))
    now = (master("A", epoch=1), master("P", 1, epoch=2), master("C", 0, epoch=3, shard="A"))
    views = (view(rules, "A", *before), view(rules, "P", *now), view(rules, "C", *now))
    stays = Settings(allow_replica_migration=False)
    return Scope(
        nodes=tuple(attrs.evolve(state, settings=stays) for state in views),
        strangers=frozenset({NodeId("C")}),
    )


def _split(rules: Rules) -> Scope:
    views = tuple(
        view(rules, name, master(name, 0, epoch=1), master(other, epoch=1))
        for name, other in (("A", "B"), ("B", "A"))
    )
    return Scope(nodes=views)


ROLE_SWITCH: Final = Model(
    name="role-switch",
    text="the replica B takes over from A; N hears of it from A and from B, in any order",
    scope=_observed,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        FLAT,
        SLOTS_WITH_MASTERS,
        NO_CIRCLE,
        *(roles_change(name) for name in ("SC-P4", "SC-P5", "SC-P6")),
        disagreement(),
        SLOT_DISPUTED,
        epoch_rises(2),
    ),
    links="held(1)",
    clauses=("SC-10", "SC-11", "SC-12", "SC-14", "SC-18", "SC-28", "SC-29"),
    happens=CORRECTING,
    expected=(
        Expected(
            property_id="SC-P5",
            dialects=("valkey-8.1",),
            told="K7, valkey#2301",
            clause="SC-18",
        ),
        Expected(property_id="SC-P5", dialects=("redis-8.0",), told="K9", clause="SC-12"),
        Expected(
            property_id="SC-P6", dialects=("redis-8.0",), told="K8, valkey#1015", clause="SC-12"
        ),
        Expected(property_id="SC-P6", dialects=("redis-7.0",), told="F-10", clause="SC-11"),
    ),
)

LATE_NEWS: Final = Model(
    name="late-news",
    text="A is dead, D is elected; E follows D and then hears what D said as a replica of A",
    scope=_late_news,
    properties=(HAS_SLOTS, ELECTION_WON, roles_change("EL-P3")),
    links="held(1)",
    clauses=("SC-10", "SC-13", "SC-28", "EL-1", "EL-13"),
    happens=(*CORRECTING, *VOTING),
    by_default=False,
    expected=(
        Expected(
            property_id="EL-P3",
            dialects=("valkey-8.1",),
            told="K10, valkey#2811",
            clause="SC-28",
        ),
    ),
)

NEWCOMER: Final = Model(
    name="newcomer",
    text="as late-news, but E has only heard by gossip of D, which is new in the shard",
    scope=_newcomer,
    properties=(HAS_SLOTS, ELECTION_WON, roles_change("EL-P3")),
    links="held(1)",
    clauses=("SC-6", "SC-11", "SC-13", "SC-28", "HS-8", "HB-9", "EL-1", "EL-13", "EL-15"),
    happens=(*CORRECTING, *VOTING),
    dialects=("valkey-8.1", "valkey-9.1", "strict"),
    by_default=False,
    expected=(
        Expected(
            property_id="EL-P3",
            dialects=("valkey-9.1", "valkey-8.1"),
            told="K10, valkey#3468",
            clause="SC-11",
        ),
    ),
)

RETURN: Final = Model(
    name="return",
    text="A comes back to a shard that C, of whom A has never heard, leads by now",
    scope=_return,
    properties=(ONE_MASTER_IN_A_SHARD, TWO_MASTERS_IN_A_SHARD, agreement(2), disagreement()),
    links="held(0)",
    clauses=("HS-8", "HB-8", "HB-9", "SC-7", "SC-26", "SC-31"),
    happens=CORRECTING,
    expected=(
        Expected(
            property_id="SC-P7",
            dialects=("valkey-8.1", "valkey-9.1"),
            told="K11, valkey#2261",
            clause="SC-26",
        ),
        Expected(
            property_id="SC-P7:witness", dialects=("redis-7.0",), told="no shards", clause="HB-9"
        ),
    ),
)

SPLIT: Final = Model(
    name="split",
    text="two masters, each of which owns the same slot in its own table, with one epoch",
    scope=_split,
    properties=(agreement(1), disagreement()),
    links="held(1)",
    clauses=("EP-4", "EP-5", "SC-1"),
    happens=CORRECTING,
)

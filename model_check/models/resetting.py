"""A node is reset, and the others still know it; it is greeted again, by an operator or not."""

from collections.abc import Mapping
from typing import Final

from model_check.models.at_rest import disagreement
from model_check.models.cluster import Scope
from model_check.models.kinds import TELLING
from model_check.models.meeting import MUTUAL, ONE_SIDED, MeetingSystem
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    agreement,
    some_node,
)
from model_check.models.start import agreed, at_port, master, replica, told
from reference.core.events import ClusterMeet, ClusterReset, MeetRepeated
from reference.core.messages import Meet, Ping
from reference.core.nodes import ClusterNode
from reference.core.rules import Rules
from reference.core.types import NodeId, ShardId

_NEW_SHARD: Final = ShardId("new")
_SOFT: Final = ClusterReset(new_shard_id=_NEW_SHARD)
_HARD: Final = ClusterReset(new_id=NodeId("D"), new_shard_id=_NEW_SHARD)


def _reset(rules: Rules, name: str, command: ClusterReset, *nodes: ClusterNode) -> Scope:
    placed = {str(each.node_id): at_port(each, 7001 + at) for at, each in enumerate(nodes)}
    address = placed[name].address
    if address is None:
        raise ValueError(f"{name} is nowhere")
    greet = ClusterMeet(address=address, new_id=NodeId(f"whoever is {name}"))
    return Scope(
        nodes=agreed(rules, *placed.values()),
        commands=(told(name, command), told("A", greet)),
        system=MeetingSystem,
    )


def _with_replica(rules: Rules, command: ClusterReset) -> Scope:
    nodes = (master("A", 0, epoch=1), master("B", 1, epoch=2), replica("C", of="A"))
    return _reset(rules, "C", command, *nodes)


def _owner(rules: Rules) -> Scope:
    return _reset(rules, "B", _SOFT, master("A", 0, epoch=1), master("B", 1, epoch=2))


def _to_be_greeted(property_id: str) -> Expected:
    return Expected(
        property_id=property_id,
        dialects=("redis-7.0", "redis-8.0"),
        told="by design: who is reset waits to be greeted",
        clause="CM-32",
    )


_IS_ALONE: Final = some_node(
    "EP-P1:witness", "a node knows nobody", lambda state: len(state.nodes) == 1
)
_GREETINGS: Final = (*TELLING, Ping, Meet)
_REPEATED: Final[Mapping[type, tuple[str, ...]]] = {
    MeetRepeated: ("valkey-8.1", "valkey-9.1", "strict")
}

RESET: Final = Model(
    name="reset",
    text="A's replica C is told RESET; the others still know it, and A is told to MEET it",
    scope=lambda rules: _with_replica(rules, _SOFT),
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        MUTUAL,
        _IS_ALONE,
        disagreement(),
        ONE_SIDED,
    ),
    links="held(0)",
    clauses=("CM-32", "CM-33", "CM-34", "HS-3", "HS-4", "HS-11"),
    happens=_GREETINGS,
    happens_in=_REPEATED,
    expected=(_to_be_greeted("SC-P2"), _to_be_greeted("HS-P1")),
)

RESET_HARD: Final = Model(
    name="reset-hard",
    text="A's replica C is told RESET HARD and has another name; A is told to MEET it",
    scope=lambda rules: _with_replica(rules, _HARD),
    properties=(EXCLUSIVE_CLAIM, EPOCHS_MONOTONE, MUTUAL, _IS_ALONE, ONE_SIDED),
    links="held(0)",
    clauses=("CM-32", "CM-33", "CM-34", "HS-3", "HS-4", "HS-6"),
    happens=_GREETINGS,
    happens_in=_REPEATED,
    expected=(_to_be_greeted("HS-P1"),),
)

RESET_OWNER: Final = Model(
    name="reset-owner",
    text="B, which has a slot and no keys, is told RESET, and is greeted again",
    scope=_owner,
    properties=(EXCLUSIVE_CLAIM, EPOCHS_MONOTONE, agreement(2), _IS_ALONE, disagreement()),
    links="held(0)",
    clauses=("CM-32", "SC-3", "SC-39", "SC-40", "HS-11"),
    happens=_GREETINGS,
    happens_in=_REPEATED,
    expected=(Expected(property_id="SC-P2", dialects=RELEASES, told="F-23", clause="SC-3"),),
)

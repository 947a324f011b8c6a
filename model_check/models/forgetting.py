"""A node is forgotten, by those who are told and by those who hear of it, and comes back."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.kinds import TELLING
from model_check.models.meeting import MUTUAL, ONE_SIDED, MeetingSystem
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.start import agreed, at_port, master, told
from reference.core.events import (
    BlacklistExpired,
    ClusterBumpEpoch,
    ClusterForget,
    ClusterMeet,
    MeetRepeated,
)
from reference.core.messages import Meet, Ping
from reference.core.rules import Rules
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=agreed(
            rules, master("A", 0, epoch=1), master("B", 1, epoch=2), master("C", 2, epoch=3)
        ),
        commands=(
            told("A", ClusterForget(node=NodeId("C"))),
            told("A", ClusterBumpEpoch()),
        ),
        strangers=frozenset({NodeId("C")}),
    )


def _greeted(rules: Rules) -> Scope:
    nodes = (master("A", 0, epoch=1), master("B", 1, epoch=2), master("C", epoch=3))
    placed = [at_port(each, 7001 + at) for at, each in enumerate(nodes)]
    address = placed[2].address
    if address is None:
        raise ValueError("C is nowhere")
    return Scope(
        nodes=agreed(rules, *placed),
        commands=(
            told("A", ClusterForget(node=NodeId("C"))),
            told("A", ClusterMeet(address=address, new_id=NodeId("whoever is C"))),
        ),
        strangers=frozenset({NodeId("C")}),
        system=MeetingSystem,
    )


FORGET: Final = Model(
    name="forget",
    text="A is told to forget C, which has a slot and is well; B may tell A of it again",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        epoch_rises(3),
        some_node(
            "SC-P2:witness",
            "a node does not know the owner of a slot",
            lambda state: NodeId("C") not in state.nodes,
        ),
    ),
    links="held(0)",
    clauses=("NO-1", "NO-4", "NO-5", "NO-6", "NO-7", "NO-8", "HS-8"),
    happens=(*TELLING, BlacklistExpired),
    expected=(
        Expected(
            property_id="SC-P2",
            dialects=("redis-8.0", "valkey-8.1", "valkey-9.1"),
            told="by design: who is forgotten by one is forgotten by all",
            clause="NO-5",
        ),
    ),
)

_KNOWS_NO_C: Final = some_node(
    "EP-P1:witness", "A does not know C", lambda state: NodeId("C") not in state.nodes
)

FORGET_AND_MEET: Final = Model(
    name="forget-and-meet",
    text="A is told to forget C, which has no slots and is well, and to MEET it again",
    scope=_greeted,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        MUTUAL,
        ONE_SIDED,
        some_node(
            "EP-P1:witness", "A does not know C", lambda state: NodeId("C") not in state.nodes
        ),
    ),
    links="held(0)",
    clauses=("NO-1", "NO-6", "NO-7", "NO-12", "HS-3", "HS-4", "HS-8", "HS-11"),
    happens=(*TELLING, Ping, Meet, BlacklistExpired),
    happens_in={MeetRepeated: ("valkey-8.1", "valkey-9.1", "strict")},
    expected=(
        Expected(
            property_id="HS-P1",
            dialects=("redis-7.0", "redis-8.0"),
            told="by design: all nodes are to be told to forget one",
            clause="NO-1",
        ),
    ),
)

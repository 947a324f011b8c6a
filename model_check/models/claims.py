"""Two masters claim one slot while an observer, equal in epoch to one of them, hears stale news."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.model import Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    epoch_rises,
    some_node,
)
from model_check.models.start import master, replica, view
from reference.core.announce import pong
from reference.core.nodes import ClusterNode
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import NodeId


def _scope(rules: Rules, observer: str) -> Scope:
    """A has taken slot 0 from C, which is back and has not heard of it; nor has the observer.

    C and the observer have the same configEpoch.
    """
    before: tuple[ClusterNode, ...] = (
        replica("A", of="C"),
        master(observer, 1, epoch=1),
        master("C", 0, epoch=1),
    )
    after = (
        master("A", 0, epoch=2, shard="C"),
        master(observer, 1, epoch=1),
        master("C", epoch=1),
    )
    nodes = (
        view(rules, "A", *after),
        view(rules, observer, *before),
        view(rules, "C", *before),
    )
    was_replica = pong(view(rules, "A", *before))
    was_sole_owner = pong(view(rules, "C", *before))
    ids = NodeId("A"), NodeId(observer), NodeId("C")
    stale = (
        (ids[0], ids[1], was_replica),
        (ids[0], ids[2], was_replica),
        (ids[2], ids[1], was_sole_owner),
    )
    return Scope(nodes=nodes, stale=stale)


def _old_owner_follows(state: ClusterState) -> bool:
    return state.myself_id == "C" and state.myself.replicaof == "A"


_PROPERTIES = (
    EXCLUSIVE_CLAIM,
    EPOCHS_MONOTONE,
    SLOT_DISPUTED,
    epoch_rises(2),
    some_node("SC-P1:witness-follow", "the old owner follows the new one", _old_owner_follows),
)

CLAIMS: Final = Model(
    name="claims",
    text="A took the slot of C; the observer B has the same configEpoch as C, and stale news",
    scope=lambda rules: _scope(rules, "B"),
    properties=_PROPERTIES,
    links="held(2)",
    clauses=("SC-1", "SC-4", "SC-6", "SC-7", "SC-10", "EP-4", "EP-5"),
)

TAKE_BACK: Final = Model(
    name="take-back",
    text="as claims, but C has a smaller id than the observer X, and so it is C that moves on",
    scope=lambda rules: _scope(rules, "X"),
    properties=_PROPERTIES,
    links="held(1)",
    clauses=("EP-5",),
    by_default=False,
)

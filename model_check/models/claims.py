"""Two masters claim one slot while an observer, equal in epoch to one of them, hears stale news."""

from collections.abc import Callable
from typing import Final

from model_check.models.at_rest import no_way_back, took_over
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING
from model_check.models.model import RELEASES, Expected, Model
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
from reference.core.taken_slots import note_taken
from reference.core.types import NodeId


def _scope(rules: Rules, *, new: str, observer: str, old: str) -> Scope:
    """The new owner has taken slot 0 from the old one, which is back and has not heard of it.

    Nor has the observer, which has the same configEpoch as the old owner. Three heartbeats from
    before are still on their way.
    """
    before: tuple[ClusterNode, ...] = (
        replica(new, of=old),
        master(observer, 1, epoch=1),
        master(old, 0, epoch=1),
    )
    after = (
        master(new, 0, epoch=2, shard=old),
        master(observer, 1, epoch=1),
        master(old, epoch=1),
    )
    stale = (
        (new, observer, pong(view(rules, new, *before))),
        (new, old, pong(view(rules, new, *before))),
        (old, observer, pong(view(rules, old, *before))),
    )
    successor = view(rules, new, *after)
    return Scope(
        nodes=(
            note_taken(successor, successor.myself.slots, NodeId(old)),
            view(rules, observer, *before),
            view(rules, old, *before),
        ),
        stale=tuple((NodeId(source), NodeId(to), message) for source, to, message in stale),
    )


def _follows(follower: str, leader: str) -> Callable[[ClusterState], bool]:
    return lambda state: state.myself_id == follower and state.myself.replicaof == leader


CLAIMS: Final = Model(
    name="claims",
    text="A took the slot of C; the observer B has the same configEpoch as C, and stale news",
    scope=lambda rules: _scope(rules, new="A", observer="B", old="C"),
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        SLOT_DISPUTED,
        epoch_rises(2),
        some_node("SC-P1:witness-follow", "the old owner follows the new one", _follows("C", "A")),
    ),
    links="held(2)",
    quicker_links={"redis-8.0": "held(1)"},
    clauses=("SC-1", "SC-4", "SC-6", "SC-7", "SC-10", "EP-4", "EP-5"),
    happens=CORRECTING,
    expected=(
        Expected(
            property_id="EP-P1",
            dialects=("redis-8.0", "valkey-8.1"),
            told="F-8, valkey#2811",
            clause="SC-29",
        ),
    ),
)

TAKE_BACK: Final = Model(
    name="take-back",
    text="as claims, but it is the old owner A that has the smallest id, and so moves on",
    scope=lambda rules: _scope(rules, new="B", observer="C", old="A"),
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        SLOT_DISPUTED,
        epoch_rises(2),
        some_node("SC-P1:witness-lost", "the new owner follows the old one", _follows("B", "A")),
        no_way_back("B", "A"),
        took_over("B"),
    ),
    links="held(1)",
    clauses=("EP-4", "EP-5"),
    happens=CORRECTING,
    expected=(
        Expected(property_id="SC-P1", dialects=RELEASES, told="F-2, valkey#974", clause="EP-4"),
        Expected(property_id="SC-P8", dialects=RELEASES, told="F-2, valkey#974", clause="EP-4"),
        Expected(
            property_id="SC-P1:witness-lost",
            dialects=("strict",),
            told="the new owner stands its ground",
            clause="SC-33",
        ),
    ),
)

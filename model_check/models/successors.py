"""A master was replaced while it was down; it comes back, and its successor fails in turn."""

from typing import Final

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, FAILING, VOTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import (
    ELECTION_WON,
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SAFETY,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.start import agreed, in_fail, master, suspected, three_masters
from reference.core.events import FailUndoAllowed
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import NodeId

_OLD, _NEW = NodeId("A"), NodeId("D")


def _replaced(rules: Rules) -> tuple[ClusterState, ...]:
    """A is as it was before it went down; the others know that D was elected with epoch 4."""
    before, *_ = three_masters(rules, _NEW)
    now = agreed(
        rules,
        master(_OLD, epoch=1),
        master("B", 1, epoch=2),
        master("C", 2, epoch=3),
        master(_NEW, 0, epoch=4, shard=_OLD),
    )
    return (before, *(in_fail(state, _OLD) for state in now if state.myself_id != _OLD))


def _dies(rules: Rules) -> Scope:
    return Scope(nodes=_replaced(rules), down=frozenset({_OLD}), deaths=frozenset({_NEW}))


def _elected_again(rules: Rules) -> Scope:
    return Scope(
        nodes=_replaced(rules),
        down=frozenset({_OLD}),
        deaths=frozenset({_NEW}),
        suspects=suspected(D="B C"),
        elections=1,
    )


def _both(rules: Rules) -> Scope:
    nodes = (
        state if state.myself_id == _OLD else in_fail(state, _OLD)
        for state in three_masters(rules, _NEW)
    )
    return Scope(
        nodes=tuple(nodes),
        down=frozenset({_OLD}),
        deaths=frozenset({_NEW}),
        suspects=suspected(D="B C"),
        elections=2,
    )


def _leads_again(state: ClusterState) -> bool:
    return state.myself_id == _OLD and state.myself.is_master and state.myself.config_epoch > 4


def _has_heard(state: ClusterState) -> bool:
    return state.myself_id == _OLD and state.current_epoch == 4


_LEADS_AGAIN: Final = some_node(
    "EL-P1:witness-again",
    "the old master follows the new one and is elected in its place",
    _leads_again,
)

SUCCESSOR_DIES: Final = Model(
    name="successor-dies",
    text="A comes back and has not heard of its successor D, which dies",
    scope=_dies,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        FLAT,
        roles_change("SC-P4"),
        disagreement(),
        SLOT_DISPUTED,
        some_node("EP-P1:witness", "A hears of the epoch of D", _has_heard),
    ),
    links="held(0)",
    clauses=("EP-1", "EP-2", "SC-4", "SC-6", "SC-7", "SC-20", "FD-11", "MO-4"),
    happens=CORRECTING,
    expected=(Expected(property_id="SC-P2", dialects=RELEASES, told="F-21", clause="SC-6"),),
)

SECOND_FAILOVER: Final = Model(
    name="second-failover",
    text="A comes back and follows its successor D, which is suspected, rightly or not: A stands",
    scope=_elected_again,
    properties=(*SAFETY, ELECTION_WON, _LEADS_AGAIN, SLOT_DISPUTED, epoch_rises(4)),
    links="held(0)",
    clauses=("EL-2", "EL-10", "EL-12", "EL-13", "FD-6", "FD-10", "FD-11", "SC-6", "SC-7", "MO-4"),
    happens=(*CORRECTING, *VOTING, *FAILING, FailUndoAllowed),
)

TWO_FAILOVERS: Final = Model(
    name="two-failovers",
    text="A is down and D is elected; A comes back, D fails, and A is elected in turn",
    scope=_both,
    properties=(*SAFETY, ELECTION_WON, _LEADS_AGAIN, SLOT_DISPUTED, epoch_rises(3)),
    links="held(0)",
    clauses=("EL-2", "EL-10", "EL-12", "EL-13", "FD-6", "FD-11", "SC-6", "SC-7", "MO-4"),
    happens=(*CORRECTING, *VOTING, *FAILING, FailUndoAllowed),
    by_default=False,
)

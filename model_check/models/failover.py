"""A master is suspected, rightly or not, and its only replica takes over."""

from typing import Final

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Scope
from model_check.models.kinds import CORRECTING, FAILING, VOTING
from model_check.models.model import Model
from model_check.models.properties import (
    ELECTION_WON,
    SAFETY,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.replacement import KNOWN, KNOWN_AND_REPLACED
from model_check.models.start import crashes, suspected, three_masters
from reference.core.events import FailUndoAllowed
from reference.core.rules import Rules
from reference.core.state import ClusterState


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D"),
        suspects=suspected(A="B C"),
        crashes=crashes(A=1),
        elections=1,
    )


def _old_master_follows(state: ClusterState) -> bool:
    return state.myself_id == "A" and state.myself.replicaof == "D"


FAILOVER: Final = Model(
    name="failover",
    text="3 masters and a replica of A; A may be suspected wrongly, and may crash and come back",
    scope=_scope,
    properties=(
        *SAFETY,
        agreement(3),
        FLAT,
        KNOWN_AND_REPLACED,
        ELECTION_WON,
        SLOT_DISPUTED,
        epoch_rises(3),
        disagreement(),
        roles_change("SC-P4"),
        KNOWN,
        some_node(
            "SC-P1:witness-follow", "the old master follows the new one", _old_master_follows
        ),
    ),
    links="held(1)",
    quicker_links=dict.fromkeys(("redis-7.0", "redis-8.0", "valkey-8.1", "strict"), "held(0)"),
    clauses=("FD-1", "FD-6", "FD-9", "FD-11", "EL-2", "EL-10", "EL-12", "SC-1", "SC-7", "MO-4"),
    happens=(*CORRECTING, *VOTING, *FAILING, FailUndoAllowed),
)

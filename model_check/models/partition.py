"""A master is cut off from the others, is replaced, and is reached again."""

from typing import Final

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Cut, Heal, Scope
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
from model_check.models.start import cut_off, suspected, three_masters
from reference.core.events import FailUndoAllowed
from reference.core.rules import Rules
from reference.core.state import ClusterState


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D"),
        suspects=suspected(A="B C"),
        cuts=cut_off(A="B C D"),
        elections=1,
    )


def _follows(state: ClusterState) -> bool:
    return state.myself_id == "A" and state.myself.replicaof == "D"


PARTITION: Final = Model(
    name="partition",
    text="A is cut off from B, C and its replica D, and is reached again; D may stand meanwhile",
    scope=_scope,
    properties=(
        *SAFETY,
        agreement(3),
        FLAT,
        ELECTION_WON,
        SLOT_DISPUTED,
        epoch_rises(3),
        disagreement(),
        roles_change("SC-P4"),
        some_node("SC-P1:witness-follow", "the old master follows the new one", _follows),
    ),
    links="held(0)",
    clauses=("FD-1", "FD-6", "FD-9", "FD-10", "FD-11", "EL-2", "EL-10", "EL-12", "SC-1", "SC-7"),
    happens=(*CORRECTING, *VOTING, *FAILING, Cut, Heal, FailUndoAllowed),
)

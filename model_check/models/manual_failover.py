"""An operator asks a replica to take over from a master that is well, in good order."""

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
from model_check.models.start import suspected, three_masters, told
from reference.core.events import (
    ClusterFailover,
    FailUndoAllowed,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
)
from reference.core.messages import ManualFailoverStart, Ping
from reference.core.rules import Rules
from reference.core.state import ClusterState, ManualFailoverStage


def _scope(rules: Rules) -> Scope:
    return Scope(
        nodes=three_masters(rules, "D"),
        suspects=suspected(A="B C"),
        elections=1,
        commands=(told("D", ClusterFailover()),),
    )


def _paused(state: ClusterState) -> bool:
    under_way = state.manual_failover
    return under_way is not None and under_way.stage is ManualFailoverStage.PAUSED


MANUAL_FAILOVER: Final = Model(
    name="manual-failover",
    text="a replica is told CLUSTER FAILOVER while its master may be suspected wrongly",
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
        some_node("EL-P1:witness-paused", "the master pauses for its replica", _paused),
    ),
    links="held(0)",
    clauses=("MF-1", "MF-2", "MF-3", "MF-4", "MF-5", "MF-6", "MF-8", "MF-9", "MF-10", "EL-22"),
    happens=(
        *CORRECTING,
        *VOTING,
        *FAILING,
        FailUndoAllowed,
        ManualFailoverExpired,
        ManualFailoverOffsetReached,
        ManualFailoverStart,
        Ping,
    ),
)

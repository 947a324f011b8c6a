"""An operator asks a replica to take over from a master that is well, in good order."""

from typing import Final

from model_check.models.at_rest import FLAT, disagreement, roles_change
from model_check.models.cluster import Process, Scope
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
from model_check.models.start import agreed, master, replica, suspected, three_masters, told
from model_check.properties import StepProperty
from reference.core.events import (
    ClusterFailover,
    ClusterReplicate,
    FailUndoAllowed,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
)
from reference.core.messages import ManualFailoverStart, Ping, Pong
from reference.core.rules import Rules
from reference.core.state import ClusterState, ManualFailoverStage
from reference.core.types import NodeId


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


def _of_another(rules: Rules) -> Scope:
    """D may be told to follow B while its request to A is under way."""
    nodes = agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), replica("D", of="A"))
    follow = ClusterReplicate(master=NodeId("B"))
    return Scope(nodes=nodes, commands=(told("D", ClusterFailover()), told("D", follow)))


def _pauses_for_own(process: int, before: Process, after: Process) -> bool:
    """Whom a master begins to pause for is its replica."""
    del process
    if before.state is None or after.state is None or _paused(before.state):
        return True
    under_way = after.state.manual_failover
    if under_way is None or under_way.replica is None:
        return True
    return after.state.nodes[under_way.replica].replicaof == after.state.myself_id


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

OF_ANOTHER: Final = Model(
    name="of-another",
    text="D asks A to pause, and is told to follow B before A has heard of it",
    scope=_of_another,
    properties=(
        *SAFETY,
        FLAT,
        StepProperty(
            id="MF-3",
            clause="MF-3",
            text="a master pauses for a replica of its own",
            judge=_pauses_for_own,
        ),
        some_node("MF-3:witness", "the master pauses for its replica", _paused),
        some_node("CM-2:witness", "D follows B", lambda state: state.myself.replicaof == "B"),
    ),
    links="held(1)",
    clauses=("MF-2", "MF-3", "MF-4", "CM-2"),
    happens=(ManualFailoverExpired, ManualFailoverStart, ClusterReplicate, Pong),
)

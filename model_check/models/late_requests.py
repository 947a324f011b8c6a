"""A request for a vote comes late, to a voter that has not voted since."""

from typing import Final

from model_check.models.cluster import Process, Scope
from model_check.models.history import History
from model_check.models.model import Model
from model_check.models.properties import SAFETY, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import in_fail, three_masters
from model_check.properties import StepProperty
from reference.core.announce import header
from reference.core.events import ClusterBumpEpoch, ElectionDue
from reference.core.messages import FailoverAuthRequest
from reference.core.rules import Rules
from reference.core.types import NodeId

_B: Final = NodeId("B")
_D: Final = NodeId("D")


def _scope(rules: Rules) -> Scope:
    """D stood for A, which is dead; since then B took an epoch of its own, and another after it.

    What D asked B is still on its way.
    """
    nodes = three_masters(rules, "D")
    history = History(tuple(in_fail(node, "A") for node in nodes if node.myself_id != "A"))
    history.happen("D", ElectionDue())
    candidate = next(node for node in history.nodes if node.myself_id == _D)
    request = FailoverAuthRequest(header=header(candidate))
    for who, other in (("B", "C"), ("C", "B"), ("B", "C")):
        history.happen(who, ClusterBumpEpoch())
        history.tell(who, other)
    return Scope(nodes=history.nodes, stale=((_D, _B, request),), system=SilentSystem)


def _refuses(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    return before.state.last_vote_epoch == after.state.last_vote_epoch


LATE_REQUEST: Final = Model(
    name="late-request",
    text="D's request for a vote comes to B when its epoch is over, and B has not voted since",
    scope=_scope,
    properties=(
        *SAFETY,
        StepProperty(
            id="EL-5",
            clause="EL-5",
            text="nobody votes by a request that is late",
            judge=_refuses,
        ),
        some_node(
            "EL-5:witness",
            "the candidate gives up",
            lambda state: state.myself_id == _D and state.election is None,
        ),
    ),
    links="held(0)",
    clauses=("EL-5", "EL-27"),
    happens=(FailoverAuthRequest,),
)

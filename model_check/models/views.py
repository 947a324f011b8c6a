"""Two replicas stand while nodes do not agree on who may vote.

The start is reached by the core's own steps, told in `_start`: only what comes of it is explored,
and no heartbeat is heard meanwhile.
"""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import ELECTION_SAFETY, ELECTION_WON, TWO_WINNERS
from model_check.models.silent import SilentSystem
from model_check.models.start import agreed, master, replica
from model_check.models.takeover import TAKEOVER
from reference.core.announce import pong
from reference.core.effects import Broadcast
from reference.core.events import ClusterFailover, ElectionDue, FailoverOption, Received
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Message
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Link, NodeId


def _hears(hearer: ClusterState, teller: ClusterState) -> ClusterState:
    link = Received(message=pong(teller), link=Link.OUTBOUND, link_node=teller.myself_id)
    return step(hearer, link)[0]


def _stands(replica_: ClusterState) -> tuple[ClusterState, Message]:
    """An operator has the replica stand at once."""
    asked, _ = step(replica_, ClusterFailover(option=FailoverOption.FORCE))
    standing, done = step(asked, ElectionDue())
    [request] = [each.message for each in done if isinstance(each, Broadcast)]
    return standing, request


def _start(rules: Rules) -> Scope:
    """D has taken over from A, which F alone has heard; the epoch of that is known to all by F.

    E, a replica of A, counts A, B and C as voters; F, a replica of B, counts D, B and C. Both
    stand: E has asked A and C, F has asked D and B.
    """
    entries = (
        *(master(name, slot, epoch=slot + 1) for slot, name in enumerate("ABC")),
        *(replica(name, of=of) for name, of in (("D", "A"), ("E", "A"), ("F", "B"))),
    )
    at = {str(state.myself_id): state for state in agreed(rules, *entries)}
    at["D"], _ = step(at["D"], TAKEOVER)
    at["F"] = _hears(at["F"], at["D"])
    at |= {name: _hears(at[name], at["F"]) for name in "ABCE"}
    asked = []
    for candidate, voters in (("E", "AC"), ("F", "BD")):
        at[candidate], request = _stands(at[candidate])
        asked += [(NodeId(candidate), NodeId(voter), request) for voter in voters]
    return Scope(nodes=tuple(at.values()), stale=tuple(asked), system=SilentSystem)


VIEWS: Final = Model(
    name="views",
    text="D took over from A, and not all know: two replicas stand, each counts other voters",
    scope=_start,
    properties=(ELECTION_SAFETY, ELECTION_WON, TWO_WINNERS),
    links="held(1)",
    clauses=("EL-4", "EL-12", "EL-27", "EP-13", "FD-12"),
    happens=(FailoverAuthRequest, FailoverAuthAck),
    expected=(Expected(property_id="EL-P1", dialects=RELEASES, told="F-20", clause="FD-12"),),
)

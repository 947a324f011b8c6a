"""A greeting that speaks of a third node, which its receiver knows by that alone."""

from collections.abc import Iterable
from typing import Final

from typing_extensions import override

from model_check.models.cluster import ModelEvent, Scope
from model_check.models.meeting import MUTUAL, ONE_SIDED, MeetingSystem
from model_check.models.model import Model
from model_check.models.properties import some_node
from model_check.models.start import at_port, master, told, view
from model_check.system import Move
from reference.core.events import ClusterMeet, HeartbeatDue
from reference.core.messages import Meet, Ping, Pong
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.types import NodeId

_TOLD, _TELLER, _THIRD = NodeId("B"), NodeId("A"), NodeId("C")


class IntroducingSystem(MeetingSystem):
    """What A says to B speaks of C, which is not reached; nobody greets twice of his own accord."""

    @override
    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        about = (_THIRD,) if _THIRD in node.nodes else ()
        for move in super()._heartbeats(node):
            if isinstance(move.event, HeartbeatDue):
                yield Move(HeartbeatDue(peer=move.event.peer, gossip_about=about))


def _scope(rules: Rules) -> Scope:
    a, b, c = (
        at_port(master(name, epoch=0), port)
        for name, port in (("A", 7001), ("B", 7002), ("C", 7003))
    )
    if b.address is None:
        raise ValueError("B is nowhere")
    greet = ClusterMeet(address=b.address, new_id=NodeId("whoever is B"))
    return Scope(
        nodes=(view(rules, "A", a, c), view(rules, "B", b)),
        commands=(told("A", greet),),
        strangers=frozenset({_THIRD}),
        system=IntroducingSystem,
    )


def _introduced(state: ClusterState) -> bool:
    """B knows C by its name, and A, which spoke of it, not yet."""
    return state.myself_id == _TOLD and _THIRD in state.nodes and _TELLER not in state.nodes


INTRODUCED: Final = Model(
    name="introduced",
    text="A, which knows C, is told to MEET B: by the greeting alone B knows C",
    scope=_scope,
    properties=(
        MUTUAL,
        ONE_SIDED,
        some_node("HS-8:witness", "a node knows whom a stranger's MEET speaks of", _introduced),
    ),
    links="held(0)",
    clauses=("HS-3", "HS-8"),
    happens=(Meet, Ping, Pong),
    dialects=("valkey-8.1", "valkey-9.1", "strict"),
)

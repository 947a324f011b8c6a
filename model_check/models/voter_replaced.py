"""A voter is replaced while its vote is on its way."""

from typing import Final

from model_check.models.cluster import Scope
from model_check.models.history import History
from model_check.models.kinds import TELLING
from model_check.models.model import Model
from model_check.models.properties import ELECTION_WON, SAFETY, SLOT_DISPUTED, some_node
from model_check.models.start import agreed, master, replica, told, without_dead
from model_check.models.takeover import TAKEOVER
from reference.core.events import ElectionDue
from reference.core.messages import FailoverAuthAck
from reference.core.rules import Rules
from reference.core.types import NodeId


def _scope(rules: Rules) -> Scope:
    masters = (master(name, slot, epoch=slot + 1) for slot, name in enumerate("ABC"))
    nodes = agreed(rules, *masters, replica("D", of="A"), replica("E", of="C"))
    history = History(without_dead(nodes, "A"))
    votes = history.ask("D", voters="B C", heard_by="E")
    return Scope(
        nodes=history.nodes,
        elections=1,
        stale=tuple((vote.header.sender, NodeId("D"), vote) for vote in votes),
        commands=(told("E", TAKEOVER),),
    )


VOTER_REPLACED: Final = Model(
    name="voter-replaced",
    text="B and C have voted for D, and C is replaced by E before D hears of it, or after",
    scope=_scope,
    properties=(
        *SAFETY,
        ELECTION_WON,
        SLOT_DISPUTED,
        some_node("EL-11:witness", "C follows E", lambda s: s.myself.replicaof == "E"),
    ),
    links="held(0)",
    clauses=("EL-11", "EL-12", "EL-18", "FD-12", "MF-7"),
    happens=(*TELLING, ElectionDue, FailoverAuthAck),
)

"""A replica stands while another one wins, and a voter may crash after its vote."""

from typing import Final

from model_check.models.cluster import Process, Scope
from model_check.models.history import History
from model_check.models.kinds import TELLING, VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import ELECTION_WON, SAFETY, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import crashes, in_fail, three_masters, without_dead
from model_check.properties import StepProperty
from reference.core.events import ElectionDue, ElectionExpired
from reference.core.rules import Rules
from reference.core.types import NodeId

_D: Final = NodeId("D")
_E: Final = NodeId("E")


def _overtaken(rules: Rules) -> Scope:
    """E was elected in the place of A, which is dead; D stands in a later epoch."""
    nodes = three_masters(rules, "D", "E")
    history = History(tuple(in_fail(node, "A") for node in nodes if node.myself_id != "A"))
    history.elect("E", voters="B C", heard_by="D")
    history.happen("D", ElectionDue())
    return Scope(nodes=tuple(node for node in history.nodes if node.myself_id in "DE"))


def _ends(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    moved = before.state.myself.replicaof != after.state.myself.replicaof
    return not moved or after.state.election is None


OVERTAKEN: Final = Model(
    name="overtaken",
    text="D stands for A, and becomes a replica of E, which was elected in an earlier epoch",
    scope=_overtaken,
    properties=(
        *SAFETY,
        StepProperty(
            id="EL-16",
            clause="EL-16",
            text="no election outlives a change of its candidate's master",
            judge=_ends,
        ),
        some_node(
            "EL-16:witness",
            "D follows E",
            lambda state: state.myself_id == _D and state.myself.replicaof == _E,
        ),
    ),
    links="held(0)",
    clauses=("EL-16", "SC-7"),
    happens=(*TELLING, ElectionExpired),
    expected=(
        Expected(
            property_id="EL-16",
            dialects=("redis-7.0", "redis-8.0"),
            told="by design: it stays until it expires",
            clause="EL-16",
        ),
    ),
)


def _voter_crashes(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D"), "A"),
        crashes=crashes(B=1),
        elections=2,
        system=SilentSystem,
    )


VOTER_CRASHES: Final = Model(
    name="voter-crashes",
    text="A is dead and its replica may stand twice; the voter B may crash and restart",
    scope=_voter_crashes,
    properties=(*SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("EL-9", "EL-10", "MO-4"),
    happens=VOTING,
)

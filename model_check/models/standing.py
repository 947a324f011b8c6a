"""Replicas that are set never to stand, whose master has no slots, or is unknown to a voter."""

from typing import Final

import attrs

from model_check.models.cluster import Process, Scope
from model_check.models.kinds import VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import ELECTION_WON, SAFETY, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import agreed, master, replica, three_masters, told, without_dead
from model_check.properties import StepProperty
from reference.core.events import ClusterFailover, ClusterForget, FailoverOption
from reference.core.rules import Rules
from reference.core.types import NodeId

_FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)


def _set_never_to_stand(rules: Rules) -> Scope:
    nodes = without_dead(three_masters(rules, "D", "E"), "A")
    return Scope(
        nodes=tuple(
            node.put(attrs.evolve(node.nodes[NodeId("D")], nofailover=True)) for node in nodes
        ),
        elections=2,
        commands=(told("D", _FORCE),),
        system=SilentSystem,
    )


def _without_slots(rules: Rules) -> Scope:
    """F, whose master has slots, may stand in any dialect."""
    nodes = agreed(
        rules,
        master("A", epoch=1),
        *(master(name, slot, epoch=slot + 2) for slot, name in enumerate("BCE")),
        replica("D", of="A"),
        replica("F", of="B"),
    )
    alive = without_dead(without_dead(nodes, "A"), "B")
    return Scope(nodes=alive, elections=2, system=SilentSystem)


def _of_unknown_master(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D"), "A"),
        elections=2,
        commands=(told("B", ClusterForget(node=NodeId("A"))),) * 2,
    )


def _stands_if_asked(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None or not before.state.myself.nofailover:
        return True
    stands = before.state.election is None and after.state.election is not None
    return not stands or before.state.manual_failover_can_start


NEVER_STANDS: Final = Model(
    name="never-stands",
    text="A is dead; D is set never to stand, and an operator may ask it to; E may stand",
    scope=_set_never_to_stand,
    properties=(
        *SAFETY,
        StepProperty(
            id="EL-26",
            clause="EL-26",
            text="who is set never to stand does so only if it is asked to",
            judge=_stands_if_asked,
        ),
        ELECTION_WON,
        some_node(
            "EL-26:witness",
            "who is set never to stand is elected, as it is asked to",
            lambda state: state.myself_id == "D" and state.myself.is_master,
        ),
    ),
    links="held(1)",
    clauses=("EL-1", "EL-22", "EL-26"),
    happens=VOTING,
)

EMPTY_MASTER: Final = Model(
    name="empty-master",
    text="A, which has no slots, is dead, and so is B, which has; a replica of each may stand",
    scope=_without_slots,
    properties=(
        *SAFETY,
        ELECTION_WON,
        some_node(
            "EL-1:witness",
            "the replica of a master without slots takes its place",
            lambda state: state.myself_id == "D" and state.myself.is_master,
        ),
    ),
    links="held(0)",
    clauses=("EL-1", "EL-13"),
    happens=VOTING,
    expected=(
        Expected(
            property_id="EL-1:witness",
            dialects=("redis-7.0", "redis-8.0"),
            told="by design: Redis replaces no master without slots",
            clause="EL-1",
        ),
    ),
)

UNKNOWN_MASTER: Final = Model(
    name="unknown-master",
    text="A is dead, and B is told, twice, to forget it before A's replica asks B for its vote",
    scope=_of_unknown_master,
    properties=(*SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("EL-6", "NO-1", "NO-3"),
    happens=VOTING,
)

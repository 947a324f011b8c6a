"""Two candidates of one epoch, and one that has the votes of an election that it won before."""

from typing import Final

import attrs

from model_check.models.cluster import Process, Scope
from model_check.models.history import History
from model_check.models.kinds import FAILING, TELLING, VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    ELECTION_SAFETY,
    ELECTION_WON,
    EPOCHS_MONOTONE,
    TWO_WINNERS,
)
from model_check.models.silent import SilentSystem
from model_check.models.start import (
    agreed,
    crashes,
    master,
    replica,
    suspected,
    three_masters,
    without_dead,
)
from model_check.models.takeover import TAKEOVER
from model_check.properties import StepProperty
from reference.core.events import ElectionDue
from reference.core.rules import Rules

_REDIS: Final = ("redis-7.0", "redis-8.0")


def _two(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D", "E"), "A"),
        crashes=crashes(B=1, C=1),
        elections=2,
        system=SilentSystem,
    )


def _won_before(rules: Rules) -> Scope:
    """D was elected, and E took over from it at once; E is dead, and D is still in its time."""
    masters = (master(name, slot, epoch=slot + 1) for slot, name in enumerate("ABC"))
    nodes = agreed(rules, *masters, *(replica(name, of="A") for name in "DE"))
    history = History(without_dead(nodes, "A"))
    history.elect("D", voters="B C", heard_by="E")
    history.tell("D", "B", "C", "E")
    history.happen("E", TAKEOVER)
    history.tell("E", "B", "C", "D")
    alive = tuple(node for node in history.nodes if node.myself_id != "E")
    return Scope(nodes=alive, suspects=suspected(E="B C"), elections=1)


def _wins_newer(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None or before.state.my_master is None:
        return True
    replaced = before.state.my_master
    return after.state.myself.is_replica or (
        after.state.myself.config_epoch > replaced.config_epoch
    )


TWO_CANDIDATES: Final = Model(
    name="two-candidates",
    text="as two-replicas, but nodes say nothing unless they are asked",
    scope=_two,
    properties=(ELECTION_SAFETY, EPOCHS_MONOTONE, ELECTION_WON, TWO_WINNERS),
    links="held(1)",
    clauses=("EL-4", "EL-9", "EL-10", "EL-11", "EL-12", "MO-3", "MO-4"),
    happens=VOTING,
)

WON_BEFORE: Final = Model(
    name="won-before",
    text="D was elected, E took over from it and died: D has the votes of its last election yet",
    scope=_won_before,
    properties=(
        StepProperty(
            id="EL-13",
            clause="EL-13",
            text="who takes its master's place has a newer epoch than that one",
            judge=_wins_newer,
        ),
        attrs.evolve(ELECTION_WON, id="EL-13:witness", clause="EL-13"),
    ),
    links="held(0)",
    clauses=("EL-13", "EL-16", "EL-24"),
    happens=(*TELLING, *FAILING),
    happens_in={ElectionDue: ("valkey-8.1", "valkey-9.1", "strict")},  # Redis: decided before
    expected=(Expected(property_id="EL-13", dialects=_REDIS, told="F-28", clause="EL-16"),),
)

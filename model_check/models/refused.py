"""What is asked for and must not be done: replicas are to stay, and slots with their masters."""

from typing import Final

import attrs

from model_check.models.cluster import Process, Scope
from model_check.models.kinds import TELLING
from model_check.models.model import Expected, Model
from model_check.models.properties import EPOCHS_MONOTONE, EXCLUSIVE_CLAIM, some_node
from model_check.models.start import agreed, master, replica, suspected, told, without_dead
from model_check.properties import StepProperty
from reference.core.cluster_state import why_down
from reference.core.events import (
    ClusterForget,
    ClusterReset,
    ClusterSetslotNode,
    PongOverdue,
    ReplicaMigrationDue,
)
from reference.core.rules import Rules
from reference.core.settings import Settings
from reference.core.types import Health, NodeId, ShardId


def _stays(rules: Rules) -> Scope:
    """B has lost its replica E. C may move, or suspect B and P; for D the cluster is down."""
    owners = (
        attrs.evolve(master(name, slot, epoch=slot + 1), migrate_to=name == "B")
        for slot, name in enumerate("ABP")
    )
    replicas = (replica(name, of=of) for name, of in zip("CDEF", "AABP", strict=True))
    serves = Settings(require_full_coverage=False)  # of all slots three have an owner
    return Scope(
        nodes=tuple(
            state if state.myself_id == "D" else attrs.evolve(state, settings=serves)
            for state in without_dead(agreed(rules, *owners, *replicas), "E")
            if state.myself_id in "BCDF"
        ),
        suspects=suspected(B="C", P="C"),
        replica_migrations=1,
    )


def _no_master(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), replica("D", of="A"))
    given = (ClusterSetslotNode(slot=0, node=NodeId(name)) for name in "BDX")
    return Scope(nodes=nodes, commands=tuple(told("B", each) for each in given))


def _forget_and_reset(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", epoch=1), master("B", 0, epoch=2), master("C", epoch=3))
    return Scope(
        nodes=nodes,
        commands=(
            told("A", ClusterForget(node=NodeId("C"))),
            told("A", ClusterReset(new_shard_id=ShardId("new"))),
        ),
    )


def _empty_reporter(rules: Rules) -> Scope:
    """A is silent. Of two voters B is the only one that runs."""
    nodes = agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), master("C", epoch=3))
    alive = tuple(state for state in nodes if state.myself_id != "A")
    return Scope(nodes=alive, suspects=suspected(A="B C"))


def _is_spared(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    stays = before.state.myself.replicaof == after.state.myself.replicaof
    return stays or (before.state.myself_id == "C" and why_down(before.state) is None)


def _owners_are_masters(process: int, before: Process, after: Process) -> bool:
    del process, before
    owner = None if after.state is None else after.state.owner(0)
    return owner is None or owner.is_master


def _is_no_minority(process: int, before: Process, after: Process) -> bool:
    del process, before
    return after.state is None or after.state.nodes[NodeId("A")].health is not Health.FAIL


EMPTY_REPORTER: Final = Model(
    name="empty-reporter",
    text="A is silent, and only one of two voters runs; C, which has no slots, suspects A, too",
    scope=_empty_reporter,
    properties=(
        EPOCHS_MONOTONE,
        StepProperty(
            id="FD-3",
            clause="FD-3",
            text="nobody is in FAIL by the word of a master without slots",
            judge=_is_no_minority,
        ),
        some_node(
            "FD-3:witness",
            "a node holds A for suspect",
            lambda state: state.nodes[NodeId("A")].health is not Health.OK,
        ),
    ),
    links="held(0)",
    clauses=("FD-3", "FD-6"),
    happens=(*TELLING, PongOverdue),
    expected=(
        Expected(
            property_id="FD-3",
            dialects=("redis-7.0", "redis-8.0"),
            told="by design: in Redis all masters report",
            clause="FD-3",
        ),
    ),
)

STAYS: Final = Model(
    name="stays",
    text="B needs a replica; C may go unless it reaches too few masters, and D and F may not",
    scope=_stays,
    properties=(
        StepProperty(
            id="RM-3",
            clause="RM-3",
            text="only a replica that is spared moves, and for which the cluster is not down",
            judge=_is_spared,
        ),
        some_node(
            "RM-3:witness",
            "C, which is spared, follows B",
            lambda state: state.myself_id == "C" and state.myself.replicaof == "B",
        ),
        some_node(
            "CS-3:witness",
            "the cluster is down for C, which can reach too few masters",
            lambda state: state.myself_id == "C" and why_down(state) is not None,
        ),
    ),
    links="held(0)",
    clauses=("RM-1", "RM-2", "RM-3", "RM-4", "RM-6", "CS-1", "CS-2", "CS-3", "CS-4"),
    happens=(*TELLING, PongOverdue, ReplicaMigrationDue),
)

NO_MASTER: Final = Model(
    name="no-master",
    text="B is told that slot 0 of A is its own, a replica's, and of a node that nobody knows",
    scope=_no_master,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        StepProperty(
            id="SM-2",
            clause="SM-2",
            text="a slot is given to nobody but a master that is known",
            judge=_owners_are_masters,
        ),
        some_node(
            "SM-2:witness",
            "B, a master, has been given the slot",
            lambda state: state.myself_id == "B" and 0 in state.myself.slots,
        ),
    ),
    links="held(0)",
    clauses=("SM-2",),
    happens=(ClusterSetslotNode,),
)

FORGET_AND_RESET: Final = Model(
    name="forget-and-reset",
    text="A is told to forget C and is told RESET, in any order",
    scope=_forget_and_reset,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        some_node(
            "CM-34:witness",
            "A knows nobody",
            lambda state: state.myself_id == "A" and len(state.nodes) == 1,
        ),
    ),
    links="held(0)",
    clauses=("CM-34", "NO-1", "NO-4"),
    happens=(ClusterForget, ClusterReset),
)

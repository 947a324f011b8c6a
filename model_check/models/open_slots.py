"""A slot is on its way, and the master at one of its ends is replaced."""

from typing import Final

import attrs

from model_check.models.at_rest import disagreement
from model_check.models.cluster import Process, Scope
from model_check.models.kinds import CORRECTING, TELLING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    some_node,
)
from model_check.models.start import agreed, master, on_its_way, replica, told, told_owner
from model_check.models.takeover import TAKEOVER
from model_check.properties import Settles, StepProperty
from reference.core.events import (
    ClusterReplicate,
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    SetslotFromMaster,
)
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import NodeId

_REDIS: Final = ("redis-7.0", "redis-8.0")


def _told_by_master(
    nodes: tuple[ClusterState, ...], name: str, command: ClusterSetslot
) -> tuple[ClusterState, ...]:
    """The replica has executed what its master was told before, where replicas do."""
    heard = SetslotFromMaster(command=command)
    return tuple(step(node, heard)[0] if node.myself_id == name else node for node in nodes)


def _moving(rules: Rules) -> tuple[ClusterState, ...]:
    """Slot 0 of A goes to B; D is A's replica, E is B's, and their masters told them."""
    nodes = agreed(
        rules,
        master("A", 0, 1, epoch=1),
        master("B", 2, epoch=2),
        replica("D", of="A"),
        replica("E", of="B"),
    )
    nodes = on_its_way(nodes, 0, "A", "B")
    nodes = _told_by_master(nodes, "D", ClusterSetslotMigrating(slot=0, node=NodeId("B")))
    return _told_by_master(nodes, "E", ClusterSetslotImporting(slot=0, node=NodeId("A")))


def _source_replaced(rules: Rules) -> Scope:
    return Scope(nodes=_moving(rules), commands=(told("D", TAKEOVER),))


def _target_replaced(rules: Rules) -> Scope:
    return Scope(nodes=_moving(rules), commands=(told("E", TAKEOVER),))


def _taken_by_another(rules: Rules) -> Scope:
    """B imports slot 0 from A, which gives it to C, in another shard."""
    nodes = agreed(
        rules,
        master("A", 0, 1, epoch=1),
        master("B", 2, epoch=2),
        master("C", 3, epoch=3),
        replica("E", of="B"),
    )
    nodes = on_its_way(nodes, 0, "A", "B")
    nodes = _told_by_master(nodes, "E", ClusterSetslotImporting(slot=0, node=NodeId("A")))
    importing = told("C", ClusterSetslotImporting(slot=0, node=NodeId("A")))
    return Scope(nodes=nodes, commands=(importing, told_owner("C", 0, "C")))


def _importer_follows(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", 0, 1, epoch=1), master("B", epoch=2))
    commands = (told("B", ClusterReplicate(master=NodeId("A"))),)
    return Scope(nodes=on_its_way(nodes, 0, "A", "B"), commands=commands)


Ends = tuple[NodeId, bool, tuple[NodeId, ...], tuple[NodeId, ...]] | None
"""Who runs, whether as a master, where its slots go, and whence slots come."""


def _ends(process: int, node: Process) -> Ends:
    del process
    if node.state is None:
        return None
    to = tuple(target for _, target in node.state.migrating_slots_to)
    origin = tuple(source for _, source in node.state.importing_slots_from)
    return node.state.myself_id, node.state.myself.is_master, to, origin


def _lead_to_masters(ends: tuple[Ends, ...]) -> bool:
    running = [each for each in ends if each is not None]
    masters = {name for name, is_master, _, _ in running if is_master}
    return all({*to, *origin} <= masters for _, is_master, to, origin in running if is_master)


def _is_open(ends: tuple[Ends, ...]) -> bool:
    return any(each is not None and each[1] and (each[2] or each[3]) for each in ends)


_ENDS_ARE_MASTERS: Final[Settles[Process]] = Settles(
    id="SC-22",
    clause="SC-22",
    text="once faults stop, a slot that is on its way comes from a master and goes to one",
    project=_ends,
    judge=_lead_to_masters,
)
_STAYS_OPEN: Final[Settles[Process]] = Settles(
    id="SC-23",
    clause="SC-23",
    text="once faults stop, a slot is on its way still, or again",
    project=_ends,
    judge=_is_open,
)


def _closes(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    became = before.state.myself.is_master and after.state.myself.is_replica
    return not (became and (after.state.migrating_slots_to or after.state.importing_slots_from))


def _knows_other_owner(state: ClusterState) -> bool:
    owner = state.owner(0)
    return state.myself_id == "B" and owner is not None and owner.node_id == "C"


_NOT_TAKEN: Final = Expected(
    property_id="SC-P2", dialects=("redis-7.0",), told="F-25", clause="SC-21"
)
_NOT_REDIRECTED: Final = Expected(
    property_id="SC-22",
    dialects=_REDIS,
    told="by design: an operator sees to slots that are on their way",
    clause="SC-22",
)

SOURCE_REPLACED: Final = Model(
    name="source-replaced",
    text="slot 0 is on its way from A to B, and A's replica D takes over",
    scope=_source_replaced,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        _ENDS_ARE_MASTERS,
        _STAYS_OPEN,
        disagreement(),
        SLOT_DISPUTED,
        some_node(
            "SC-22:witness",
            "B imports from the new master",
            lambda state: state.importing_slots_from.get(0) == "D",
        ),
        some_node(
            "SC-24:witness",
            "A is a replica of D, and has kept the slot on its way",
            lambda state: state.myself.replicaof == "D" and 0 in state.migrating_slots_to.slots,
        ),
    ),
    links="held(0)",
    clauses=("SC-21", "SC-22", "SC-24", "SC-32"),
    happens=CORRECTING,
    expected=(
        _NOT_TAKEN,
        _NOT_REDIRECTED,
        attrs.evolve(_NOT_REDIRECTED, property_id="SC-22:witness"),
        attrs.evolve(_NOT_REDIRECTED, property_id="SC-24:witness"),
    ),
)

TARGET_REPLACED: Final = attrs.evolve(
    SOURCE_REPLACED,
    name="target-replaced",
    text="slot 0 is on its way from A to B, and B's replica E takes over",
    scope=_target_replaced,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(3),
        _ENDS_ARE_MASTERS,
        _STAYS_OPEN,
        disagreement(),
        SLOT_DISPUTED,
        some_node(
            "SC-23:witness",
            "A lets the slot go to the new master",
            lambda state: state.migrating_slots_to.get(0) == "E",
        ),
    ),
    clauses=("SC-22", "SC-23", "SC-24", "SC-32"),
    expected=(_NOT_REDIRECTED, attrs.evolve(_NOT_REDIRECTED, property_id="SC-23:witness")),
)

TAKEN_BY_ANOTHER: Final = attrs.evolve(
    SOURCE_REPLACED,
    name="taken-by-another",
    text="slot 0 is on its way from A to B, and C is told that it owns it",
    scope=_taken_by_another,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(4),
        _ENDS_ARE_MASTERS,
        disagreement(),
        some_node("SC-21:witness", "B learns that C has the slot", _knows_other_owner),
    ),
    clauses=("SC-21", "SC-22"),
    expected=(
        attrs.evolve(_NOT_TAKEN, dialects=_REDIS),
        attrs.evolve(_NOT_TAKEN, property_id="SC-21:witness", dialects=_REDIS),
    ),
)

IMPORTER_FOLLOWS: Final = attrs.evolve(
    SOURCE_REPLACED,
    name="importer-follows",
    text="slot 0 is on its way from A to B, which has no slot and is told to follow A",
    scope=_importer_follows,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(2),
        StepProperty(
            id="SC-24",
            clause="SC-24",
            text="who becomes a replica in another shard has no slot on its way",
            judge=_closes,
        ),
        some_node("SC-24:witness", "B follows A", lambda state: state.myself.replicaof == "A"),
    ),
    clauses=("CM-2", "SC-24"),
    happens=TELLING,
    expected=(),
)

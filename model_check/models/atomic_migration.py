"""Slots are granted to another master while the source's shard fails over.

Besides what `cluster` says:

- The model begins when the target has all keys and the source has not yet paused. What the two
  ends say to each other from there on goes over a connection of its own.
- A connection that breaks is a message that is lost and, at each end, the silence that ends a job.
"""

from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.models.at_rest import disagreement
from model_check.models.cluster import ClusterSystem, ModelEvent, ModelMessage, Process, Scope
from model_check.models.kinds import CORRECTING, VOTING
from model_check.models.model import Expected, Model
from model_check.models.properties import (
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    SLOT_DISPUTED,
    agreement,
    epoch_rises,
    some_node,
)
from model_check.models.start import agreed, crashes, master, replica, told
from model_check.properties import StepProperty
from model_check.system import Move, Send
from reference.core import effects
from reference.core.events import (
    ClusterCancelSlotMigrations,
    ClusterFailover,
    FailoverOption,
    ManualFailoverExpired,
    MigrationCaughtUp,
    MigrationPauseOver,
    MigrationSilent,
)
from reference.core.messages import SyncSlots
from reference.core.migration_ends import find_job
from reference.core.migration_jobs import JobName, MigrationStage, SlotMigration
from reference.core.rules import Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import Epoch, NodeId

_CHANNEL: Final = 1
"""The lane of the connection between the two ends of a job; that of the bus is 0."""

_TARGET: Final = NodeId("D")
_MOVED: Final = SlotSet.of([0])
_HANDING_OVER: Final = (MigrationCaughtUp, MigrationPauseOver, MigrationSilent, SyncSlots)
_STAND: Final = (told("B", ClusterFailover(option=FailoverOption.FORCE)),)


class MigratingSystem(ClusterSystem):
    """Nodes of which two have a connection for a job besides their links."""

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        yield from super().moves(process, state)
        if state.state is None or state.unsaved:
            return
        for job in state.state.slot_migrations:
            if job.stage is MigrationStage.WAITING_TO_PAUSE:
                yield Move(MigrationCaughtUp(name=job.name))

    @override
    def _sent(self, node: ClusterState, effect: effects.Effect) -> list[Send[ModelMessage]]:
        said = effect.message if isinstance(effect, effects.SendSyncSlots) else None
        if not isinstance(said, SyncSlots):
            return super()._sent(node, effect)
        job = find_job(node, said.name)
        if job is None:
            return []
        other = job.target if job.is_export else job.source
        return [Send(self._index[other], said, lane=_CHANNEL)]


def _nodes(rules: Rules, *, source: Epoch, third: Epoch, target: Epoch) -> tuple[ClusterState, ...]:
    """A is the source, B its replica, D the target: their masters' configEpochs are given."""
    nodes = agreed(
        rules,
        master("A", 0, 1, epoch=source),
        replica("B", of="A"),
        master("C", 2, epoch=third),
        master("D", 3, epoch=target),
    )
    stages = {"A": MigrationStage.WAITING_TO_PAUSE, "D": MigrationStage.WAITING_FOR_PAUSED}
    return tuple(
        attrs.evolve(node, slot_migrations=(_job(stages[node.myself_id]),))
        if rules.atomic_slot_migration and node.myself_id in stages
        else node
        for node in nodes
    )


def _scope(rules: Rules) -> Scope:
    """The source has the newest configEpoch."""
    return Scope(
        nodes=_nodes(rules, source=3, third=1, target=2),
        crashes=crashes(A=1, D=1),
        system=MigratingSystem,
    )


def _cancelled(rules: Rules) -> Scope:
    return Scope(
        nodes=_nodes(rules, source=3, third=1, target=2),
        commands=(told("A", ClusterCancelSlotMigrations()),),
        system=MigratingSystem,
    )


def _replaced(rules: Rules) -> Scope:
    """The epoch of B's election is the next one for D as well, and B has the smaller name."""
    return Scope(
        nodes=_nodes(rules, source=1, third=3, target=2),
        elections=1,
        commands=_STAND,
        system=MigratingSystem,
    )


def _replaced_and_crash(rules: Rules) -> Scope:
    return attrs.evolve(_replaced(rules), crashes=crashes(D=1))


def _orphaned(rules: Rules) -> Scope:
    """The target has the newest configEpoch, so that it needs no other to take the slots."""
    return Scope(
        nodes=_nodes(rules, source=1, third=2, target=3),
        elections=1,
        commands=_STAND,
        system=MigratingSystem,
    )


def _job(stage: MigrationStage) -> SlotMigration:
    return SlotMigration(
        name=JobName("job"), slots=_MOVED, source=NodeId("A"), target=_TARGET, stage=stage
    )


def _k13(property_id: str, clause: str) -> Expected:
    return Expected(
        property_id=property_id, dialects=("valkey-9.1",), told="K13, valkey#2724", clause=clause
    )


def _has_moved(state: ClusterState) -> bool:
    return state.myself_id == _TARGET and bool(state.myself.slots & _MOVED)


def _keeps(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    return not _has_moved(before.state) or _has_moved(after.state)


TAKEN_STAYS: Final = StepProperty(
    id="SM-P1",
    clause="SM-P1",
    text="slots that the target of an atomic migration has taken are not taken from it again",
    judge=_keeps,
)
TAKEN: Final = some_node("SM-P1:witness", "the target takes the slots", _has_moved)

ATOMIC_MIGRATION: Final = Model(
    name="atomic-migration",
    text="A grants D a slot; either may crash once and come back",
    scope=_scope,
    properties=(
        TAKEN_STAYS,
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        agreement(4),
        TAKEN,
        SLOT_DISPUTED,
        disagreement(),
        epoch_rises(3),
    ),
    links="held(0)",
    clauses=("SM-27", "SM-28", "SM-30", "SM-32", "SM-34", "SM-35"),
    happens=(*CORRECTING, *_HANDING_OVER),
    dialects=("valkey-9.1", "strict"),
)

CANCELLED: Final = attrs.evolve(
    ATOMIC_MIGRATION,
    name="cancelled",
    text="A is told to cancel its migrations while it grants D a slot",
    scope=_cancelled,
    clauses=("SM-29", "SM-30", "SM-32", "SM-34"),
)

GRANTED_AND_REPLACED: Final = Model(
    name="granted-and-replaced",
    text="A grants D a slot while an operator has a replica of A stand for election",
    scope=_replaced,
    properties=(
        TAKEN_STAYS,
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        TAKEN,
        SLOT_DISPUTED,
        epoch_rises(3),
    ),
    links="held(0)",
    clauses=("SM-32", "SM-33", "EP-4", "EP-11", "EL-7"),
    happens=(*CORRECTING, *VOTING, *_HANDING_OVER, ManualFailoverExpired),
    dialects=("valkey-9.1", "strict"),
    expected=(
        *(_k13(name, "SM-32") for name in ("SM-P1", "SC-P1")),
        Expected(property_id="EP-P1", dialects=("valkey-9.1",), told="F-22", clause="SC-28"),
    ),
)

GRANTED_AND_CRASH: Final = attrs.evolve(
    GRANTED_AND_REPLACED,
    name="granted-and-crash",
    text="as granted-and-replaced, and the target may crash and come back",
    scope=_replaced_and_crash,
    properties=(TAKEN_STAYS, TAKEN),
    clauses=("MO-4", "SM-32", "SC-33"),
    expected=(_k13("SM-P1", "SM-32"),),
)

GRANTED_AND_ORPHANED: Final = Model(
    name="granted-and-orphaned",
    text="A grants a slot to D, which has the newest epoch, and a replica of A stands for election",
    scope=_orphaned,
    properties=(agreement(4), EPOCHS_MONOTONE, TAKEN, disagreement(), epoch_rises(3)),
    links="held(0)",
    clauses=("SM-32", "SM-34", "SC-18", "SC-5"),
    happens=(*CORRECTING, *VOTING, *_HANDING_OVER, ManualFailoverExpired),
    dialects=("valkey-9.1", "strict"),
    expected=(_k13("SC-P2", "SC-18"),),
)

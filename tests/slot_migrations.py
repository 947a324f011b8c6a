"""Jobs of atomic slot migration between the first two masters of a small cluster."""

from typing import Any, Final

import attrs

from reference.core.effects import (
    Effect,
    EndMigration,
    PausePurpose,
    PauseWrites,
    ResumeWrites,
    SendSyncSlots,
)
from reference.core.events import (
    ClusterMigrateSlots,
    MigrationBroken,
    MigrationRequest,
    SyncSlotsReceived,
)
from reference.core.messages import (
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsEstablish,
)
from reference.core.migration_jobs import (
    JobName,
    MigrationOutcome,
    MigrationStage,
    SlotMigration,
)
from reference.core.rules import VALKEY_9_1
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import NodeId
from tests.builders import A1, A, B, change, slots, view

ONE, TWO = JobName("one"), JobName("two")
SOURCE_STAGES: Final = (
    MigrationStage.CONNECTING,
    MigrationStage.ESTABLISHING,
    MigrationStage.SNAPSHOTTING,
    MigrationStage.REPLICATING,
    MigrationStage.WAITING_TO_PAUSE,
    MigrationStage.FAILOVER_PAUSED,
    MigrationStage.FAILOVER_GRANTED,
)
TARGET_STAGES: Final = (
    MigrationStage.WAITING_FOR_ACK,
    MigrationStage.RECEIVING_SNAPSHOT,
    MigrationStage.WAITING_FOR_PAUSED,
    MigrationStage.FAILOVER_REQUESTED,
)
LOST: Final = MigrationBroken(name=ONE, reason="Connection lost")


def at(me: NodeId, **settings_of_view: Any) -> ClusterState:
    """A node of a cluster whose first master owns the slots 0 and 4."""
    state = view(me, rules=VALKEY_9_1, **settings_of_view)
    return change(state, A, slots=slots(0, 4))


def job(stage: MigrationStage, name: JobName = ONE, *numbers: int) -> SlotMigration:
    moved = slots(*(numbers or (0,)))
    return SlotMigration(name=name, slots=moved, source=A, target=B, stage=stage)


def with_jobs(state: ClusterState, *jobs: SlotMigration) -> ClusterState:
    return attrs.evolve(state, slot_migrations=jobs)


def source(stage: MigrationStage) -> ClusterState:
    return with_jobs(at(A), job(stage))


def target(stage: MigrationStage) -> ClusterState:
    return with_jobs(at(B), job(stage))


def tracking() -> ClusterState:
    """A replica of B that knows that its master is importing slot 0."""
    state = at(A1)
    state = change(state, A1, replicaof=B, shard_id=state.nodes[B].shard_id)
    return with_jobs(state, job(MigrationStage.OCCURRING_ON_PRIMARY))


def migrate(*requests: tuple[SlotSet, NodeId]) -> ClusterMigrateSlots:
    names = (ONE, TWO, JobName("three"))
    return ClusterMigrateSlots(
        requests=tuple(
            MigrationRequest(slots=moved, target=to, name=name)
            for (moved, to), name in zip(requests, names, strict=False)
        )
    )


def hears(call: SyncSlotsCall) -> SyncSlotsReceived:
    return SyncSlotsReceived(message=SyncSlots(name=ONE, call=call))


def saying(call: SyncSlotsCall) -> SendSyncSlots:
    return SendSyncSlots(message=SyncSlots(name=ONE, call=call))


def establish(
    moved: SlotSet, of: NodeId = A, name: JobName = ONE, **_: object
) -> SyncSlotsEstablish:
    return SyncSlotsEstablish(name=name, source=of, slots=moved)


def ended(effects: tuple[Effect, ...]) -> list[tuple[MigrationOutcome, str]]:
    return [(each.outcome, each.reason) for each in effects if isinstance(each, EndMigration)]


def stages(state: ClusterState) -> list[MigrationStage]:
    return [each.stage for each in state.slot_migrations]


PAUSE: Final = PauseWrites(purpose=PausePurpose.SLOT_MIGRATION)
RESUME: Final = ResumeWrites(purpose=PausePurpose.SLOT_MIGRATION)

"""What ends a job of atomic slot migration, and what is left of it."""

from typing import Final

import attrs

from reference.clauses import clause
from reference.core.effects import (
    DeleteKeys,
    Effect,
    EndMigration,
    Happening,
    LeaveMigration,
    Notice,
    PausePurpose,
    ReplicateSyncSlots,
    ResumeWrites,
)
from reference.core.events import (
    ClusterAddSlots,
    ClusterDelSlots,
    ClusterFlushSlots,
    DatasetFlushed,
    DatasetReplaced,
    Event,
    MigrationSilent,
    MigrationTimer,
)
from reference.core.messages import SyncSlotsFinish
from reference.core.migration_jobs import (
    JobName,
    MigrationOutcome,
    MigrationStage,
    SlotMigration,
)
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState

_FLUSHED: Final = "Data was flushed"
_REPLACED: Final = "A new RDB is being loaded"
_SILENT: Final = "Timed out after too long with no interaction"
_TOO_LATE: Final = "Timed out before streaming completed"
_TOO_LATE_FOR_CLAIM: Final = (
    "Unpaused before migration completed (migration may have succeeded with lost writes)"
)
_NOT_MINE: Final = "Slots are no longer owned by myself"
_NOT_THEIRS: Final = "Slots are no longer owned by source node"
_MINE_ALREADY: Final = "Slots were unexpectedly assigned to myself during import"
_FAILED_OVER: Final = "A failover occurred during slot import"


@clause("SM-25")
def find_job(state: ClusterState, name: JobName) -> SlotMigration | None:
    """The job under way that has this name."""
    return next((job for job in state.slot_migrations if job.name == name), None)


def _without(state: ClusterState, job: SlotMigration) -> ClusterState:
    kept = tuple(other for other in state.slot_migrations if other.name != job.name)
    return attrs.evolve(state, slot_migrations=kept)


@clause("SM-25")
def at_stage(state: ClusterState, job: SlotMigration, stage: MigrationStage) -> ClusterState:
    """The same with this job, which is under way, at that stage."""
    moved = attrs.evolve(job, stage=stage)
    jobs = tuple(moved if other == job else other for other in state.slot_migrations)
    return attrs.evolve(state, slot_migrations=jobs)


@clause("SM-30", "SM-31")
def end_job(
    state: ClusterState,
    job: SlotMigration,
    outcome: MigrationOutcome,
    reason: str,
    out: list[Effect],
) -> ClusterState:
    """The job is over; the source lets clients write, the target keeps no keys of a failed one.

    Counterpart: `finishSlotMigrationJob`.
    """
    state = _without(state, job)
    if job.holds_writes and not any(other.holds_writes for other in state.slot_migrations):
        out.append(ResumeWrites(purpose=PausePurpose.SLOT_MIGRATION))
    if not job.is_export:
        if outcome is not MigrationOutcome.SUCCESS:
            out.append(DeleteKeys(slots=job.slots))
        if state.myself.is_master:
            finished = SyncSlotsFinish(name=job.name, outcome=outcome, reason=reason)
            out.append(ReplicateSyncSlots(message=finished))
    out.append(EndMigration(job=job, outcome=outcome, reason=reason))
    return state


@clause("SM-28")
def fail_job(
    state: ClusterState, job: SlotMigration, reason: str, out: list[Effect]
) -> ClusterState:
    """The job has failed, and an operator can read why."""
    return end_job(state, job, MigrationOutcome.FAILED, reason, out)


@clause("SM-28")
def break_migration(
    state: ClusterState, name: JobName, reason: str, out: list[Effect]
) -> ClusterState:
    """The job has failed; a source that granted its slots waits for the claim all the same.

    Counterpart: `clusterHandleSlotMigrationClientClose`.
    """
    job = find_job(state, name)
    if job is None or job.is_granted or job.is_tracked:
        return state
    return fail_job(state, job, reason, out)


@clause("SM-28")
def lose_dataset(
    state: ClusterState, event: DatasetFlushed | DatasetReplaced, out: list[Effect]
) -> ClusterState:
    """All jobs have failed; a replica's are its master's matter as long as it copies that one.

    Counterpart: `clusterHandleFlushDuringSlotMigration`, `clusterCleanSlotImportsOnFullSync`.
    """
    flushed = isinstance(event, DatasetFlushed)
    for job in state.slot_migrations:
        if not (flushed and job.is_tracked):
            state = fail_job(state, job, _FLUSHED if flushed else _REPLACED, out)
    return state


@clause("SM-28", "SM-30")
def expire_migration(state: ClusterState, timer: MigrationTimer, out: list[Effect]) -> ClusterState:
    """The job has failed: its other end says nothing, or clients at the source write again.

    In the second case whatever the target does. Counterpart: `clusterSlotMigrationCron`.
    """
    if isinstance(timer, MigrationSilent):
        return break_migration(state, timer.name, _SILENT, out)
    job = find_job(state, timer.name)
    if job is None or not job.holds_writes or job.is_granted is not timer.granted:
        return state
    return fail_job(state, job, _TOO_LATE_FOR_CLAIM if job.is_granted else _TOO_LATE, out)


@clause("SM-34", "SM-35")
def follow_ownership(
    before: ClusterState, state: ClusterState, event: Event, out: list[Effect]
) -> ClusterState:
    """No job goes on whose slots changed hands, or at a node that changed its role.

    What an operator does to the slot table is not looked at. Counterpart:
    `clusterUpdateSlotExportsOnOwnershipChange`, `clusterUpdateSlotImportsOnOwnershipChange`,
    `clusterCleanSlotImportsOnPromotion`.
    """
    if isinstance(event, ClusterAddSlots | ClusterDelSlots | ClusterFlushSlots):
        return state
    for job in state.slot_migrations:
        if job.is_export:
            state = _follow_export(before, state, job, out)
        elif job.is_import:
            state = _follow_import(before, state, job, out)
        elif state.myself.is_master:
            state = fail_job(state, job, _FAILED_OVER, out)
    return state


@clause("SM-34")
def _follow_export(
    before: ClusterState, state: ClusterState, job: SlotMigration, out: list[Effect]
) -> ClusterState:
    if not job.slots & (before.myself.slots - state.myself.slots):
        return state
    target = state.nodes.get(job.target)
    if target is None or job.slots - target.slots:
        return fail_job(state, job, _NOT_MINE, out)
    out.append(Notice(what=Happening.GAVE_GRANTED, subject=job.target))
    return end_job(state, job, MigrationOutcome.SUCCESS, "", out)


@clause("SM-34", "SM-35")
def _follow_import(
    before: ClusterState, state: ClusterState, job: SlotMigration, out: list[Effect]
) -> ClusterState:
    if state.myself.is_replica:
        out.append(LeaveMigration(job=job))
        return at_stage(state, job, MigrationStage.OCCURRING_ON_PRIMARY)
    if job.slots & (state.myself.slots - before.myself.slots):
        return fail_job(state, job, _MINE_ALREADY, out)
    lost = _owned(before, job) - _owned(state, job)
    return fail_job(state, job, _NOT_THEIRS, out) if lost else state


def _owned(state: ClusterState, job: SlotMigration) -> SlotSet:
    """Those of the job's slots that its source has."""
    source = state.nodes.get(job.source)
    return NO_SLOTS if source is None else job.slots & source.slots

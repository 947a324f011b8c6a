"""Atomic slot migration: slots and their keys go from master to master over one connection.

What an operator asks for, what the two ends say to each other on that connection, and how the
target comes to own the slots lives here; what ends a job is in `migration_ends`.
"""

from typing import Final, assert_never

import attrs

from reference.clauses import clause
from reference.core.announce import pong
from reference.core.effects import (
    Broadcast,
    ConnectTo,
    Effect,
    Happening,
    Notice,
    PausePurpose,
    PauseWrites,
    ReplicateSyncSlots,
    Reply,
    SaveConfig,
    SendSnapshot,
    SendSyncSlots,
)
from reference.core.epochs import bump_config_epoch_without_consensus
from reference.core.events import (
    ClusterMigrateSlots,
    ClusterSetslot,
    DatasetFlushed,
    DatasetReplaced,
    MigrationBroken,
    MigrationCaughtUp,
    MigrationConnected,
    MigrationEstablished,
    MigrationEvent,
    SnapshotSent,
    SyncSlotsFromMaster,
    SyncSlotsReceived,
)
from reference.core.messages import SyncSlots, SyncSlotsCall, SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_ends import (
    at_stage,
    break_migration,
    end_job,
    fail_job,
    find_job,
    lose_dataset,
)
from reference.core.migration_jobs import (
    MigrationOutcome,
    MigrationStage,
    SlotMigration,
)
from reference.core.slot_migration import setslot
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, bind_slots
from reference.core.taken_slots import note_taken
from reference.core.types import NodeId

_MASTERS_ONLY: Final = "Slot migration can only be used on primary nodes."
_SPANS_SHARDS: Final = "Requested slots span multiple shards"
_NOT_EXPECTED: Final = "Unexpected state machine transition"

_ANSWERS: Final = {
    (MigrationStage.RECEIVING_SNAPSHOT, SyncSlotsCall.SNAPSHOT_EOF): (
        MigrationStage.WAITING_FOR_PAUSED,
        SyncSlotsCall.REQUEST_PAUSE,
    ),
    (MigrationStage.WAITING_FOR_PAUSED, SyncSlotsCall.PAUSED): (
        MigrationStage.FAILOVER_REQUESTED,
        SyncSlotsCall.REQUEST_FAILOVER,
    ),
}
"""What the target says to what it hears, and the stage it is in afterwards."""


@clause("SM-20", "SM-21")
def why_no_migration(
    state: ClusterState, command: ClusterMigrateSlots, *, whole: bool = True
) -> str | None:
    """The server's text for what is wrong with the command, None if it may be executed.

    Unless it is whole the last target is not looked at. Counterpart: `clusterCommandMigrateSlots`,
    `validateSlotMigrationCanStartOrReply`.
    """
    if not state.rules.atomic_slot_migration:
        return "unknown subcommand 'MIGRATESLOTS'. Try CLUSTER HELP."
    error = why_none_can_start(state)
    taken = NO_SLOTS
    for request in command.requests:
        error = error or _why_slots_stay(state, request.slots, taken)
        taken |= request.slots
        if whole or request is not command.requests[-1]:
            error = error or _why_not_there(state, request.target)
    return error


@clause("SM-20", "SM-24")
def why_none_can_start(state: ClusterState) -> str | None:
    """Why no slots come or go by themselves now, None if they may.

    Counterpart: `validateSlotMigrationCanStartOrReply`.
    """
    if state.myself.is_replica:
        return _MASTERS_ONLY
    if state.importing_slots_from:
        return "Slots are being manually imported"
    return "Slots are being manually migrated" if state.migrating_slots_to else None


@clause("SM-21")
def _why_slots_stay(state: ClusterState, slots: SlotSet, taken: SlotSet) -> str | None:
    error = _why_not_of_one_shard(state, slots)
    if error is not None:
        return error
    if slots - state.myself.slots:
        return "Slots are not served by this node."
    leaving = NO_SLOTS
    for job in state.slot_migrations:
        leaving |= job.slots
    if leaving & slots:
        return f"I am already migrating slot {min(leaving & slots)}."
    return "Slot ranges in migrations overlap" if taken & slots else None


@clause("SM-21")
def _why_not_there(state: ClusterState, target: NodeId) -> str | None:
    if target not in state.nodes:
        return f"Unknown node name: {target}"
    return "Target node can not be this node." if target == state.myself_id else None


def _why_not_of_one_shard(state: ClusterState, slots: SlotSet) -> str | None:
    """Counterpart: the owners are looked up from slot to slot."""
    owners = set()
    for slot in slots:
        owner = state.owner(slot)
        if owner is None:
            return f"Slot {slot} has no node served."
        owners.add(owner.node_id)
        if len(owners) > 1:
            return _SPANS_SHARDS
    return None


@clause("SM-20", "SM-22")
def migrate_slots(
    state: ClusterState, command: ClusterMigrateSlots, out: list[Effect]
) -> ClusterState:
    """A job for each request is under way, or the command is refused and none is.

    Counterpart: `clusterCommandMigrateSlots`.
    """
    error = why_no_migration(state, command)
    if error is not None:
        out.append(Reply(error=f"ERR {error}"))
        return state
    jobs = tuple(
        SlotMigration(
            name=request.name,
            slots=request.slots,
            source=state.myself_id,
            target=request.target,
            stage=MigrationStage.CONNECTING,
        )
        for request in command.requests
    )
    out += [ConnectTo(job=job) for job in jobs]
    out.append(Reply())
    return attrs.evolve(state, slot_migrations=jobs + state.slot_migrations)


@clause("SM-29")
def cancel_slot_migrations(state: ClusterState, out: list[Effect]) -> ClusterState:
    """No slots are leaving this node; what it is importing goes on.

    Counterpart: `clusterCommandCancelSlotMigrations`.
    """
    exports = [job for job in state.slot_migrations if job.is_export]
    for job in exports:
        state = end_job(state, job, MigrationOutcome.CANCELLED, "", out)
    out.append(Reply() if exports else Reply(error="ERR No migrations ongoing"))
    return state


@clause("SM-23")
def why_not_by_hand(state: ClusterState) -> str | None:
    """Why no slot is opened, closed or given away by SETSLOT now, None if it may be.

    Counterpart: `clusterParseSetSlotCommand`.
    """
    if not (state.myself.is_master and state.slot_migrations):
        return None
    imports = any(job.is_import for job in state.slot_migrations)
    return f"Slot {'import' if imports else 'export'} in progress."


@clause("SM-23")
def setslot_unless_migrating(
    state: ClusterState, command: ClusterSetslot, out: list[Effect]
) -> ClusterState:
    """The command has been obeyed or refused as ever, or refused because a job is under way.

    Counterpart: the SETSLOT branch of `clusterCommand`.
    """
    error = why_not_by_hand(state)
    if error is not None:
        out.append(Reply(error=f"ERR {error}"))
        return state
    return setslot(state, command, out)


@clause("SM-25")
def tell_of_migration(
    state: ClusterState, event: MigrationEvent, out: list[Effect]
) -> ClusterState:
    """What the driver tells has been taken in."""
    match event:
        case SyncSlotsReceived():
            if isinstance(event.message, SyncSlotsEstablish):
                return establish_import(state, event.message, out)
            return hear_sync_slots(state, event.message, out)
        case SyncSlotsFromMaster():
            return track_migration(state, event.message, out)
        case DatasetFlushed() | DatasetReplaced():
            return lose_dataset(state, event, out)
        case MigrationBroken():
            return break_migration(state, event.name, event.reason, out)
        case MigrationConnected() | MigrationEstablished() | SnapshotSent() | MigrationCaughtUp():
            return advance_export(state, event, out)
        case _:
            assert_never(event)


@clause("SM-22", "SM-24", "SM-26")
def advance_export(
    state: ClusterState,
    event: MigrationConnected | MigrationEstablished | SnapshotSent | MigrationCaughtUp,
    out: list[Effect],
) -> ClusterState:
    """The source says or does the next thing; what comes out of turn changes nothing.

    Counterpart: `proceedWithSlotMigration`.
    """
    job = find_job(state, event.name)
    if job is None:
        return state
    match event, job.stage:
        case MigrationConnected(), MigrationStage.CONNECTING:
            asked = SyncSlotsEstablish(name=job.name, source=job.source, slots=job.slots)
            out.append(SendSyncSlots(message=asked))
            return at_stage(state, job, MigrationStage.ESTABLISHING)
        case MigrationEstablished(), MigrationStage.ESTABLISHING:
            out += [_say(job, SyncSlotsCall.ACK), SendSnapshot(job=job)]
            return at_stage(state, job, MigrationStage.SNAPSHOTTING)
        case SnapshotSent(), MigrationStage.SNAPSHOTTING:
            out.append(_say(job, SyncSlotsCall.SNAPSHOT_EOF))
            return at_stage(state, job, MigrationStage.REPLICATING)
        case MigrationCaughtUp(), MigrationStage.WAITING_TO_PAUSE:
            pause = PauseWrites(purpose=PausePurpose.SLOT_MIGRATION)
            out += [pause, _say(job, SyncSlotsCall.PAUSED)]
            return at_stage(state, job, MigrationStage.FAILOVER_PAUSED)
        case _:
            return state


def _say(job: SlotMigration, call: SyncSlotsCall) -> SendSyncSlots:
    return SendSyncSlots(message=SyncSlots(name=job.name, call=call))


@clause("SM-24")
def why_no_import(state: ClusterState, asked: SyncSlotsEstablish) -> str | None:
    """The server's text for why it does not import the slots, None if it does.

    Counterpart: `clusterCommandSyncSlotsEstablish`.
    """
    if not state.rules.atomic_slot_migration:
        return "unknown subcommand 'SYNCSLOTS'. Try CLUSTER HELP."
    error = why_none_can_start(state)
    if error is not None:
        return error
    source = state.nodes.get(asked.source)
    if source is None:
        return "Target node does not know the source node"
    if asked.source == state.myself_id:
        return "Source node is target node itself"
    error = _why_not_of_one_shard(state, asked.slots)
    if error is not None:
        return error
    if asked.slots - source.slots:
        return "Target node does not agree about current slot ownership"
    if any(job.name == asked.name or job.slots & asked.slots for job in state.slot_migrations):
        return "Slot is already being imported on the target by a different migration"
    return None


@clause("SM-24", "SM-31")
def establish_import(
    state: ClusterState, asked: SyncSlotsEstablish, out: list[Effect]
) -> ClusterState:
    """The node imports the slots, and its replicas know of it, or the source hears why not.

    Counterpart: `clusterCommandSyncSlotsEstablish`.
    """
    error = why_no_import(state, asked)
    if error is not None:
        out.append(Reply(error=f"ERR {error}"))
        return state
    out += [ReplicateSyncSlots(message=asked), Reply()]
    job = SlotMigration(
        name=asked.name,
        slots=asked.slots,
        source=asked.source,
        target=state.myself_id,
        stage=MigrationStage.WAITING_FOR_ACK,
    )
    return attrs.evolve(state, slot_migrations=(job, *state.slot_migrations))


@clause("SM-25", "SM-28")
def hear_sync_slots(state: ClusterState, message: SyncSlots, out: list[Effect]) -> ClusterState:
    """The job is a stage further, or has failed because this was not to be said now.

    An ACK only says that the other end is there. Counterpart: `clusterCommandSyncSlots`.
    """
    job = find_job(state, message.name)
    if job is None or job.is_tracked:
        return state
    answer = _ANSWERS.get((job.stage, message.call))
    if answer is not None:
        out.append(_say(job, answer[1]))
        return at_stage(state, job, answer[0])
    match job.stage, message.call:
        case MigrationStage.WAITING_FOR_ACK, SyncSlotsCall.ACK:
            return at_stage(state, job, MigrationStage.RECEIVING_SNAPSHOT)
        case _, SyncSlotsCall.ACK:
            return state
        case MigrationStage.REPLICATING, SyncSlotsCall.REQUEST_PAUSE:
            return at_stage(state, job, MigrationStage.WAITING_TO_PAUSE)
        case MigrationStage.FAILOVER_PAUSED, SyncSlotsCall.REQUEST_FAILOVER:
            return _grant(state, job, out)
        case MigrationStage.FAILOVER_REQUESTED, SyncSlotsCall.FAILOVER_GRANTED:
            return _take_granted(state, job, out)
        case _:
            return fail_job(state, job, _NOT_EXPECTED, out)


@clause("SM-27")
def _grant(state: ClusterState, job: SlotMigration, out: list[Effect]) -> ClusterState:
    """The target may take the slots, while clients that write go on waiting.

    Counterpart: `clusterCommandSyncSlotsRequestFailover`.
    """
    out += [
        Notice(what=Happening.GRANTED_SLOTS, subject=job.target),
        PauseWrites(purpose=PausePurpose.SLOT_MIGRATION),
        _say(job, SyncSlotsCall.FAILOVER_GRANTED),
    ]
    return at_stage(state, job, MigrationStage.FAILOVER_GRANTED)


@clause("SM-32")
def _take_granted(state: ClusterState, job: SlotMigration, out: list[Effect]) -> ClusterState:
    """The slots are this node's, with a configEpoch that nobody was asked for; all are told.

    Counterpart: `performSlotImportJobFailover`.
    """
    out += [Notice(what=Happening.TOOK_GRANTED, subject=job.source), SaveConfig(fsync=True)]
    state = bind_slots(state, state.myself_id, job.slots)
    state = note_taken(state, job.slots, job.source)
    state = bump_config_epoch_without_consensus(state, out)
    announcement = Broadcast(message=pong(state))
    if announcement not in out:
        out.append(announcement)
    return end_job(state, job, MigrationOutcome.SUCCESS, "", out)


@clause("SM-31")
def track_migration(
    state: ClusterState, message: SyncSlotsEstablish | SyncSlotsFinish, out: list[Effect]
) -> ClusterState:
    """A replica knows which slots its master is importing, and keeps no keys of what failed.

    Counterpart: `clusterCommandSyncSlotsEstablish`, `clusterCommandSyncSlotsFinish`.
    """
    master = state.my_master
    job = find_job(state, message.name)
    if master is None or not state.rules.atomic_slot_migration:
        return state
    if isinstance(message, SyncSlotsFinish):
        if job is None or not job.is_tracked:
            return state
        return end_job(state, job, message.outcome, message.reason, out)
    if job is not None:
        return state
    job = SlotMigration(
        name=message.name,
        slots=message.slots,
        source=message.source,
        target=master.node_id,
        stage=MigrationStage.OCCURRING_ON_PRIMARY,
    )
    return attrs.evolve(state, slot_migrations=(job, *state.slot_migrations))

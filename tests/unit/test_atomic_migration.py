"""Atomic slot migration: what an operator asks for, and what the two ends say to each other.

Clauses: SM-20, SM-21, SM-22, SM-23, SM-24, SM-25, SM-26, SM-27, SM-31, SM-32.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.announce import pong
from reference.core.atomic_migration import why_no_import, why_no_migration
from reference.core.effects import (
    Broadcast,
    ConnectTo,
    Effect,
    EndMigration,
    Happening,
    ReplicateSyncSlots,
    Reply,
    SaveConfig,
    SendSnapshot,
    SendSyncSlots,
)
from reference.core.events import (
    ClusterSetslotStable,
    Event,
    MigrationBroken,
    MigrationCaughtUp,
    MigrationConnected,
    MigrationEstablished,
    MigrationPauseOver,
    MigrationSilent,
    SnapshotSent,
    SyncSlotsFromMaster,
    SyncSlotsReceived,
)
from reference.core.messages import (
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsEstablish,
    SyncSlotsFinish,
)
from reference.core.migration_jobs import (
    JobName,
    MigrationOutcome,
    MigrationStage,
)
from reference.core.open_slots import OpenSlots
from reference.core.rules import DIALECTS, VALKEY_9_1
from reference.core.slots import SlotSet
from reference.core.step import step
from reference.core.types import NodeId
from tests.builders import A1, A, B, C, change, replies, slots, told, view
from tests.slot_migrations import (
    ONE,
    PAUSE,
    SOURCE_STAGES,
    TARGET_STAGES,
    TWO,
    at,
    ended,
    establish,
    hears,
    job,
    migrate,
    saying,
    source,
    stages,
    target,
    tracking,
    with_jobs,
)

# The command.


def test_each_request_becomes_a_job_that_connects_to_its_target() -> None:
    state, effects = step(at(A), migrate((slots(0), B), (slots(4), C)))

    first = job(MigrationStage.CONNECTING)
    second = attrs.evolve(job(MigrationStage.CONNECTING, TWO, 4), target=C)
    assert state.slot_migrations == (first, second)
    assert effects == (ConnectTo(job=first), ConnectTo(job=second), Reply())


def test_newer_jobs_come_first() -> None:
    old = job(MigrationStage.REPLICATING, JobName("old"), 4)

    state, _ = step(with_jobs(at(A), old), migrate((slots(0), B)))

    assert state.slot_migrations == (job(MigrationStage.CONNECTING), old)


@pytest.mark.parametrize(
    ("requests", "error"),
    [
        ([(slots(9), B)], "Slot 9 has no node served."),
        ([(slots(0, 9), B)], "Slot 9 has no node served."),
        ([(slots(0, 1, 9), B)], "Requested slots span multiple shards"),
        ([(slots(1), B)], "Slots are not served by this node."),
        ([(slots(0), NodeId("x"))], "Unknown node name: x"),
        ([(slots(0), A)], "Target node can not be this node."),
        ([(slots(0, 4), B), (slots(4), C)], "Slot ranges in migrations overlap"),
        ([(slots(0), B), (slots(0), NodeId("x"))], "Slot ranges in migrations overlap"),
        ([(slots(0), B), (slots(4), NodeId("x"))], "Unknown node name: x"),
        ([(slots(1), NodeId("x")), (slots(9), B)], "Slots are not served by this node."),
        ([(slots(0), NodeId("x")), (slots(9), B)], "Unknown node name: x"),
        ([(slots(0), A1)], None),  # the target will refuse
        ([(slots(0), B), (slots(4), B)], None),
    ],
)
def test_a_migration_that_cannot_be_is_refused_in_the_servers_words(
    requests: list[tuple[SlotSet, NodeId]], error: str | None
) -> None:
    assert why_no_migration(at(A), migrate(*requests)) == error


@pytest.mark.parametrize(
    ("requests", "error"),
    [
        ([(slots(0), A)], None),
        ([(slots(1), A)], "Slots are not served by this node."),
        ([(slots(0), A), (slots(4), B)], "Target node can not be this node."),
        ([(slots(0), B), (slots(0), A)], "Slot ranges in migrations overlap"),
        ([], None),
    ],
)
def test_of_a_request_without_a_target_the_slots_are_judged(
    requests: list[tuple[SlotSet, NodeId]], error: str | None
) -> None:
    assert why_no_migration(at(A), migrate(*requests), whole=False) == error


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ((slots(0, 4), NodeId("x")), "I am already migrating slot 4."),
        ((slots(4), A), "I am already migrating slot 4."),
        ((slots(0), B), None),
    ],
)
def test_a_slot_that_is_leaving_already_is_refused(
    request_: tuple[SlotSet, NodeId], error: str | None
) -> None:
    state = with_jobs(at(A), job(MigrationStage.CONNECTING, TWO, 4))

    assert why_no_migration(state, migrate(request_)) == error


def test_a_replica_moves_no_slots() -> None:
    error = "Slot migration can only be used on primary nodes."

    assert why_no_migration(at(A1), migrate((slots(0), NodeId("x")))) == error
    assert why_no_import(at(A1), establish(slots(0), NodeId("x"))) == error


def test_nothing_moves_by_itself_while_slots_are_moved_by_hand() -> None:
    migrating = attrs.evolve(at(A), migrating_slots_to=OpenSlots(((4, B),)))
    importing = attrs.evolve(migrating, importing_slots_from=OpenSlots(((1, B),)))

    asked = migrate((slots(0), B))
    assert why_no_migration(migrating, asked) == "Slots are being manually migrated"
    assert why_no_migration(importing, asked) == "Slots are being manually imported"


def test_a_refused_command_starts_no_job_at_all() -> None:
    state = at(A)

    after, effects = step(state, migrate((slots(0), B), (slots(1), B)))

    assert after is state
    assert effects == (Reply(error="ERR Slots are not served by this node."),)


@pytest.mark.parametrize("rules", DIALECTS.values())
def test_only_valkey_9_has_the_commands(rules: Any) -> None:
    state = change(view(A, rules=rules), A, slots=slots(0, 4))

    after, effects = step(state, migrate((slots(0), B)))
    asked, answer = step(view(B, rules=rules), SyncSlotsReceived(message=establish(slots(0))))

    assert bool(after.slot_migrations) is rules.atomic_slot_migration
    assert bool(asked.slot_migrations) is rules.atomic_slot_migration
    if not rules.atomic_slot_migration:
        text = "ERR unknown subcommand '{}'. Try CLUSTER HELP."
        assert replies(effects) == [text.format("MIGRATESLOTS")]
        assert replies(answer) == [text.format("SYNCSLOTS")]


def test_setslot_has_to_wait_for_the_jobs() -> None:
    command = ClusterSetslotStable(slot=2)

    exporting = step(source(MigrationStage.CONNECTING), command)
    importing = step(target(MigrationStage.WAITING_FOR_ACK), command)
    both = step(
        with_jobs(at(B), job(MigrationStage.CONNECTING), job(MigrationStage.WAITING_FOR_ACK, TWO)),
        command,
    )

    assert exporting == (source(MigrationStage.CONNECTING), (_error("Slot export in progress."),))
    assert importing[1] == both[1] == (_error("Slot import in progress."),)


def _error(text: str) -> Reply:
    return Reply(error=f"ERR {text}")


def test_setslot_at_others_is_obeyed_as_ever() -> None:
    assert replies(step(at(A, replicas=0), ClusterSetslotStable(slot=2))[1]) == [None]
    text = "ERR Please use SETSLOT only with masters."
    assert replies(step(tracking(), ClusterSetslotStable(slot=2))[1]) == [text]


# The source.


@pytest.mark.parametrize(
    ("before", "event", "after", "effects"),
    [
        (
            MigrationStage.CONNECTING,
            MigrationConnected(name=ONE),
            MigrationStage.ESTABLISHING,
            [SendSyncSlots(message=establish(slots(0)))],
        ),
        (
            MigrationStage.ESTABLISHING,
            MigrationEstablished(name=ONE),
            MigrationStage.SNAPSHOTTING,
            [saying(SyncSlotsCall.ACK), SendSnapshot(job=job(MigrationStage.ESTABLISHING))],
        ),
        (
            MigrationStage.SNAPSHOTTING,
            SnapshotSent(name=ONE),
            MigrationStage.REPLICATING,
            [saying(SyncSlotsCall.SNAPSHOT_EOF)],
        ),
        (
            MigrationStage.REPLICATING,
            hears(SyncSlotsCall.REQUEST_PAUSE),
            MigrationStage.WAITING_TO_PAUSE,
            [],
        ),
        (
            MigrationStage.WAITING_TO_PAUSE,
            MigrationCaughtUp(name=ONE),
            MigrationStage.FAILOVER_PAUSED,
            [PAUSE, saying(SyncSlotsCall.PAUSED)],
        ),
    ],
)
def test_the_source_goes_from_stage_to_stage(
    before: MigrationStage, event: Event, after: MigrationStage, effects: list[Effect]
) -> None:
    state, done = step(source(before), event)

    assert stages(state) == [after]
    assert list(done) == effects


@pytest.mark.parametrize("stage", SOURCE_STAGES)
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (MigrationConnected(name=ONE), MigrationStage.CONNECTING),
        (MigrationEstablished(name=ONE), MigrationStage.ESTABLISHING),
        (SnapshotSent(name=ONE), MigrationStage.SNAPSHOTTING),
        (MigrationCaughtUp(name=ONE), MigrationStage.WAITING_TO_PAUSE),
    ],
)
def test_what_the_driver_tells_out_of_turn_changes_nothing(
    stage: MigrationStage, event: Event, expected: MigrationStage
) -> None:
    state = source(stage)

    after, effects = step(state, event)

    assert (after is state) is (stage is not expected)
    assert bool(effects) is (stage is expected)


def test_only_the_job_that_is_meant_goes_on() -> None:
    jobs = (job(MigrationStage.CONNECTING), job(MigrationStage.CONNECTING, TWO, 4))

    state, _ = step(with_jobs(at(A), *jobs), MigrationConnected(name=TWO))

    assert stages(state) == [MigrationStage.CONNECTING, MigrationStage.ESTABLISHING]


@pytest.mark.parametrize(
    "event",
    [
        MigrationConnected(name=TWO),
        SnapshotSent(name=TWO),
        MigrationBroken(name=TWO, reason="x"),
        MigrationSilent(name=TWO),
        MigrationPauseOver(name=TWO, granted=True),
        SyncSlotsReceived(message=SyncSlots(name=TWO, call=SyncSlotsCall.REQUEST_FAILOVER)),
        SyncSlotsFromMaster(message=SyncSlotsFinish(name=TWO, outcome=MigrationOutcome.FAILED)),
    ],
)
def test_a_job_that_is_not_known_is_nobodys(event: Event) -> None:
    for state in (source(MigrationStage.FAILOVER_PAUSED), tracking()):
        assert step(state, event) == (state, ())


def test_the_failover_is_granted_while_clients_go_on_waiting() -> None:
    state, effects = step(
        source(MigrationStage.FAILOVER_PAUSED), hears(SyncSlotsCall.REQUEST_FAILOVER)
    )

    assert stages(state) == [MigrationStage.FAILOVER_GRANTED]
    assert told(effects) == [Happening.GRANTED_SLOTS]
    assert effects[1:] == (PAUSE, saying(SyncSlotsCall.FAILOVER_GRANTED))
    assert state.myself.slots == slots(0, 4)


EXPECTED: Final = {
    (MigrationStage.REPLICATING, SyncSlotsCall.REQUEST_PAUSE),
    (MigrationStage.FAILOVER_PAUSED, SyncSlotsCall.REQUEST_FAILOVER),
    (MigrationStage.RECEIVING_SNAPSHOT, SyncSlotsCall.SNAPSHOT_EOF),
    (MigrationStage.WAITING_FOR_PAUSED, SyncSlotsCall.PAUSED),
    (MigrationStage.FAILOVER_REQUESTED, SyncSlotsCall.FAILOVER_GRANTED),
}


@pytest.mark.parametrize("call", SyncSlotsCall)
@pytest.mark.parametrize("stage", [*SOURCE_STAGES, *TARGET_STAGES])
def test_what_is_not_to_be_said_now_fails_the_job(
    stage: MigrationStage, call: SyncSlotsCall
) -> None:
    state = source(stage) if stage in SOURCE_STAGES else target(stage)

    after, effects = step(state, hears(call))

    if call is SyncSlotsCall.ACK:
        begins = stage is MigrationStage.WAITING_FOR_ACK
        assert stages(after) == [MigrationStage.RECEIVING_SNAPSHOT if begins else stage]
        assert not effects
    elif (stage, call) in EXPECTED:
        assert MigrationOutcome.FAILED not in dict(ended(effects))
    else:
        assert not after.slot_migrations
        assert ended(effects) == [(MigrationOutcome.FAILED, "Unexpected state machine transition")]


# The target.


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (establish(slots(0), NodeId("x")), "Target node does not know the source node"),
        (establish(slots(9), NodeId("x")), "Target node does not know the source node"),
        (establish(slots(0, 1), B), "Source node is target node itself"),
        (establish(slots(9)), "Slot 9 has no node served."),
        (establish(slots(0, 1)), "Requested slots span multiple shards"),
        (establish(slots(0), C), "Target node does not agree about current slot ownership"),
        (establish(slots(1)), "Target node does not agree about current slot ownership"),
        (
            establish(slots(0, 4), name=TWO),
            "Slot is already being imported on the target by a different migration",
        ),
        (
            establish(slots(4), name=ONE),
            "Slot is already being imported on the target by a different migration",
        ),
        (establish(slots(4), name=TWO), None),
    ],
)
def test_a_target_that_does_not_agree_says_so(asked: SyncSlotsEstablish, error: str | None) -> None:
    state = target(MigrationStage.WAITING_FOR_ACK)

    after, effects = step(state, SyncSlotsReceived(message=asked))

    assert why_no_import(state, asked) == error
    assert (after is state) is (error is not None)
    assert replies(effects) == [f"ERR {error}" if error else None]


def test_newer_imports_come_first() -> None:
    asked = establish(slots(4), name=TWO)

    imported, _ = step(target(MigrationStage.WAITING_FOR_ACK), SyncSlotsReceived(message=asked))
    tracked, _ = step(tracking(), SyncSlotsFromMaster(message=asked))

    assert [each.name for each in imported.slot_migrations] == [TWO, ONE]
    assert [each.name for each in tracked.slot_migrations] == [TWO, ONE]


def test_an_import_is_told_to_the_replicas() -> None:
    asked = establish(slots(0))

    state, effects = step(at(B), SyncSlotsReceived(message=asked))

    assert state == target(MigrationStage.WAITING_FOR_ACK)
    assert effects == (ReplicateSyncSlots(message=asked), Reply())


@pytest.mark.parametrize(
    ("before", "heard", "after", "said"),
    [
        (
            MigrationStage.RECEIVING_SNAPSHOT,
            SyncSlotsCall.SNAPSHOT_EOF,
            MigrationStage.WAITING_FOR_PAUSED,
            SyncSlotsCall.REQUEST_PAUSE,
        ),
        (
            MigrationStage.WAITING_FOR_PAUSED,
            SyncSlotsCall.PAUSED,
            MigrationStage.FAILOVER_REQUESTED,
            SyncSlotsCall.REQUEST_FAILOVER,
        ),
    ],
)
def test_the_target_asks_for_the_next_thing(
    before: MigrationStage, heard: SyncSlotsCall, after: MigrationStage, said: SyncSlotsCall
) -> None:
    state, effects = step(target(before), hears(heard))

    assert stages(state) == [after]
    assert effects == (saying(said),)


def test_granted_slots_are_taken_with_a_new_epoch_and_all_are_told() -> None:
    state, effects = step(
        target(MigrationStage.FAILOVER_REQUESTED), hears(SyncSlotsCall.FAILOVER_GRANTED)
    )

    assert state.myself.slots == slots(0, 1)
    assert state.nodes[A].slots == slots(4)
    assert state.myself.config_epoch == state.current_epoch == 4
    assert not state.slot_migrations
    finished = SyncSlotsFinish(name=ONE, outcome=MigrationOutcome.SUCCESS)
    assert effects[0] == SaveConfig(fsync=True)
    assert told(effects) == [Happening.TOOK_GRANTED, Happening.NEW_EPOCH]
    assert effects[3:] == (
        Broadcast(message=pong(state)),
        ReplicateSyncSlots(message=finished),
        EndMigration(job=job(MigrationStage.FAILOVER_REQUESTED), outcome=MigrationOutcome.SUCCESS),
    )


@pytest.mark.parametrize("broadcasts", [True, False])
def test_all_are_told_once_whatever_a_new_epoch_does(*, broadcasts: bool) -> None:
    rules = attrs.evolve(VALKEY_9_1, bump_is_broadcast=broadcasts)
    state = attrs.evolve(target(MigrationStage.FAILOVER_REQUESTED), rules=rules)

    after, effects = step(state, hears(SyncSlotsCall.FAILOVER_GRANTED))

    assert [each for each in effects if isinstance(each, Broadcast)] == [
        Broadcast(message=pong(after))
    ]


def test_the_newest_epoch_is_kept() -> None:
    state = change(target(MigrationStage.FAILOVER_REQUESTED), B, config_epoch=9)
    state = attrs.evolve(state, current_epoch=9)

    after, effects = step(state, hears(SyncSlotsCall.FAILOVER_GRANTED))

    assert after.myself.config_epoch == 9
    assert effects[0] == SaveConfig(fsync=True)
    assert Broadcast(message=pong(after)) in effects

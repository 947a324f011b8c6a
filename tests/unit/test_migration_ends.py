"""What ends an atomic slot migration: claims, changes of role, timers, and what breaks.

Clauses: SM-28, SM-29, SM-30, SM-31, SM-33, SM-34, SM-35, PA-35, PA-36.
"""

import attrs
import pytest

from reference.core.effects import (
    DeleteKeys,
    EndMigration,
    Happening,
    LeaveMigration,
    ReplicateSyncSlots,
    Reply,
)
from reference.core.events import (
    ClusterAddSlots,
    ClusterCancelSlotMigrations,
    ClusterDelSlots,
    ClusterFailover,
    ClusterFlushSlots,
    ClusterReset,
    DatasetFlushed,
    DatasetReplaced,
    Event,
    FailoverOption,
    MigrationPauseOver,
    MigrationSilent,
    SyncSlotsFromMaster,
    SyncSlotsReceived,
)
from reference.core.messages import (
    Pong,
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsFinish,
)
from reference.core.migration_jobs import (
    JobName,
    MigrationOutcome,
    MigrationStage,
)
from reference.core.open_slots import OpenSlots
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.state import durable, granted_slots
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import NodeId
from reference.pacing.deadlines import deadline
from reference.pacing.pace import Directives
from reference.pacing.pacemaker import after_step, begin, due
from tests.builders import A1, A, B, C, change, hear, says, slots, told
from tests.slot_migrations import (
    LOST,
    ONE,
    RESUME,
    SOURCE_STAGES,
    TARGET_STAGES,
    TWO,
    at,
    ended,
    establish,
    hears,
    job,
    source,
    stages,
    target,
    tracking,
    with_jobs,
)

# The claim at the source.


def claim_of(claimant: NodeId, moved: SlotSet, epoch: int) -> Pong:
    return Pong(header=says(claimant, config_epoch=epoch, claims=moved))


@pytest.mark.parametrize("stage", SOURCE_STAGES)
def test_the_claim_of_a_granted_slot_needs_no_newer_epoch(stage: MigrationStage) -> None:
    state = change(source(stage), A, config_epoch=7)

    after, effects = hear(state, claim_of(B, slots(0, 1), 2), link_node=B)

    granted = stage is MigrationStage.FAILOVER_GRANTED
    assert after.myself.slots == (slots(4) if granted else slots(0, 4))
    assert granted_slots(state, B) == (slots(0) if granted else slots())
    if granted:
        assert not after.slot_migrations
        assert ended(effects) == [(MigrationOutcome.SUCCESS, "")]
        assert effects.index(DeleteKeys(slots=slots(0))) < effects.index(RESUME)


def test_only_the_target_may_claim_what_is_granted() -> None:
    state = change(source(MigrationStage.FAILOVER_GRANTED), A, config_epoch=7)

    after, _ = hear(state, claim_of(C, slots(0, 2), 3), link_node=C)

    assert granted_slots(state, C) == slots()
    assert after.myself.slots == slots(0, 4)


def test_a_slot_that_somebody_else_has_by_now_is_not_granted_any_more() -> None:
    state = with_jobs(at(A), job(MigrationStage.FAILOVER_GRANTED, ONE, 0, 1))

    assert granted_slots(state, B) == slots(0)


@pytest.mark.parametrize("stage", SOURCE_STAGES)
def test_a_target_that_has_all_slots_has_succeeded(stage: MigrationStage) -> None:
    after, effects = hear(source(stage), claim_of(B, slots(0, 1), 4), link_node=B)

    assert not after.slot_migrations
    assert Happening.GAVE_GRANTED in told(effects)
    assert ended(effects) == [(MigrationOutcome.SUCCESS, "")]


@pytest.mark.parametrize(
    ("claimant", "claimed"), [(C, slots(0, 2)), (B, slots(0, 1)), (C, slots(4, 2))]
)
def test_slots_that_go_elsewhere_or_in_part_fail_the_job(
    claimant: NodeId, claimed: SlotSet
) -> None:
    state = with_jobs(at(A), job(MigrationStage.FAILOVER_GRANTED, ONE, 0, 4))

    after, effects = hear(state, claim_of(claimant, claimed, 4), link_node=claimant)

    assert not after.slot_migrations
    assert ended(effects) == [(MigrationOutcome.FAILED, "Slots are no longer owned by myself")]
    assert RESUME in effects


def test_claims_of_other_slots_leave_the_jobs_alone() -> None:
    exporting, importing = (
        source(MigrationStage.REPLICATING),
        target(MigrationStage.WAITING_FOR_ACK),
    )

    assert hear(exporting, claim_of(C, slots(2, 4), 4), link_node=C)[0].slot_migrations
    assert hear(importing, claim_of(C, slots(2, 4), 4), link_node=C)[0].slot_migrations


def test_a_source_that_is_forgotten_fails_the_import() -> None:
    reset = ClusterReset(new_shard_id=at(B).myself.shard_id)

    state, effects = step(target(MigrationStage.WAITING_FOR_PAUSED), reset)

    assert not state.slot_migrations
    assert (MigrationOutcome.FAILED, "Slots are no longer owned by source node") in ended(effects)
    finished = SyncSlotsFinish(
        name=ONE,
        outcome=MigrationOutcome.FAILED,
        reason="Slots are no longer owned by source node",
    )
    assert ReplicateSyncSlots(message=finished) in effects


def test_a_target_that_is_gone_and_a_slot_too() -> None:
    state = attrs.evolve(source(MigrationStage.REPLICATING))
    state = attrs.evolve(state, nodes=state.nodes.remove(B))

    _, effects = hear(state, claim_of(C, slots(0, 2), 4), link_node=C)

    assert ended(effects) == [(MigrationOutcome.FAILED, "Slots are no longer owned by myself")]


def test_an_import_fails_when_another_takes_the_slots() -> None:
    state, effects = hear(
        target(MigrationStage.FAILOVER_REQUESTED), claim_of(C, slots(0, 2), 4), link_node=C
    )

    assert not state.slot_migrations
    assert ended(effects) == [(MigrationOutcome.FAILED, "Slots are no longer owned by source node")]
    assert DeleteKeys(slots=slots(0)) in effects


def test_what_the_source_had_not_before_it_does_not_lose() -> None:
    state = change(target(MigrationStage.FAILOVER_REQUESTED), A, slots=slots(4))

    after, _ = hear(state, claim_of(C, slots(2, 9), 4), link_node=C)

    assert stages(after) == [MigrationStage.FAILOVER_REQUESTED]


def test_slots_that_a_claim_leaves_to_this_node_fail_their_import() -> None:
    state = target(MigrationStage.WAITING_FOR_PAUSED)
    state = attrs.evolve(state, importing_slots_from=OpenSlots(((0, A),)))

    after, effects = hear(state, claim_of(A, slots(4), 1), link_node=A)

    assert after.myself.slots == slots(0, 1)
    assert ended(effects) == [
        (MigrationOutcome.FAILED, "Slots were unexpectedly assigned to myself during import")
    ]


@pytest.mark.parametrize(
    "command",
    [
        ClusterDelSlots(slots=slots(0)),
        ClusterFlushSlots(),
        ClusterAddSlots(slots=slots(9)),
    ],
)
def test_what_an_operator_does_to_the_table_is_not_looked_at(command: Event) -> None:
    state, _ = step(source(MigrationStage.WAITING_TO_PAUSE), command)

    assert stages(state) == [MigrationStage.WAITING_TO_PAUSE]


# Roles.


def test_a_source_that_is_replaced_gives_up_what_it_granted() -> None:
    state = source(MigrationStage.FAILOVER_GRANTED)

    after, effects = hear(state, claim_of(A1, slots(0, 4), 4), link_node=A1)

    assert after.myself.is_replica
    assert ended(effects) == [(MigrationOutcome.FAILED, "Slots are no longer owned by myself")]


def test_a_target_that_is_replaced_leaves_the_job_to_its_new_master() -> None:
    state = target(MigrationStage.FAILOVER_REQUESTED)
    state = change(state, A1, replicaof=B, shard_id=state.nodes[B].shard_id)

    after, effects = hear(state, claim_of(A1, slots(1), 4), link_node=A1)

    assert after.myself.is_replica
    assert stages(after) == [MigrationStage.OCCURRING_ON_PRIMARY]
    assert LeaveMigration(job=job(MigrationStage.FAILOVER_REQUESTED)) in effects
    assert not ended(effects)


def test_a_replica_that_becomes_master_drops_what_its_master_was_importing() -> None:
    takeover = ClusterFailover(option=FailoverOption.TAKEOVER)

    state, effects = step(tracking(), takeover)

    assert state.myself.is_master
    assert not state.slot_migrations
    text = "A failover occurred during slot import"
    assert ended(effects) == [(MigrationOutcome.FAILED, text)]
    assert DeleteKeys(slots=slots(0)) in effects
    finished = SyncSlotsFinish(name=ONE, outcome=MigrationOutcome.FAILED, reason=text)
    assert ReplicateSyncSlots(message=finished) in effects


def test_a_replica_knows_what_its_master_is_importing() -> None:
    before = with_jobs(tracking())

    state, effects = step(before, SyncSlotsFromMaster(message=establish(slots(0))))

    assert state == tracking()
    assert effects == ()
    again = step(state, SyncSlotsFromMaster(message=establish(slots(0, 4))))
    assert again == (state, ())


@pytest.mark.parametrize("outcome", MigrationOutcome)
def test_a_replica_keeps_the_keys_of_a_success_only(outcome: MigrationOutcome) -> None:
    finished = SyncSlotsFinish(name=ONE, outcome=outcome, reason="so it is")

    state, effects = step(tracking(), SyncSlotsFromMaster(message=finished))

    assert not state.slot_migrations
    failed = outcome is not MigrationOutcome.SUCCESS
    assert (DeleteKeys(slots=slots(0)) in effects) is failed
    assert effects[-1] == EndMigration(
        job=job(MigrationStage.OCCURRING_ON_PRIMARY), outcome=outcome, reason="so it is"
    )
    assert len(effects) == 1 + failed


def test_masters_and_older_releases_track_nothing() -> None:
    message = SyncSlotsFromMaster(message=establish(slots(0)))
    finished = SyncSlotsFromMaster(
        message=SyncSlotsFinish(name=ONE, outcome=MigrationOutcome.FAILED)
    )
    older = attrs.evolve(with_jobs(tracking()), rules=DIALECTS["valkey-8.1"])
    importing = target(MigrationStage.WAITING_FOR_ACK)
    demoted = with_jobs(tracking(), job(MigrationStage.WAITING_FOR_ACK))

    assert step(at(C), message) == (at(C), ())
    assert step(older, message) == (older, ())
    assert step(importing, finished) == (importing, ())
    assert stages(step(demoted, finished)[0]) == [MigrationStage.OCCURRING_ON_PRIMARY]


def test_a_replica_that_only_tracks_is_no_end_of_the_channel() -> None:
    state = tracking()

    for event in (hears(SyncSlotsCall.PAUSED), LOST, MigrationSilent(name=ONE), DatasetFlushed()):
        assert step(state, event) == (state, ())


# Ends.


@pytest.mark.parametrize("stage", [*SOURCE_STAGES, *TARGET_STAGES])
def test_a_broken_connection_fails_the_job_unless_it_is_granted(stage: MigrationStage) -> None:
    state = source(stage) if stage in SOURCE_STAGES else target(stage)

    after, effects = step(state, LOST)
    silent, _ = step(state, MigrationSilent(name=ONE))

    if stage is MigrationStage.FAILOVER_GRANTED:
        assert after is silent is state
        assert effects == ()
    else:
        assert not after.slot_migrations
        assert not silent.slot_migrations
        assert ended(effects) == [(MigrationOutcome.FAILED, "Connection lost")]
        assert (DeleteKeys(slots=slots(0)) in effects) is (stage in TARGET_STAGES)
        assert (RESUME in effects) is (stage is MigrationStage.FAILOVER_PAUSED)


def test_silence_has_a_text_of_its_own() -> None:
    _, effects = step(target(MigrationStage.WAITING_FOR_ACK), MigrationSilent(name=ONE))

    assert ended(effects) == [
        (MigrationOutcome.FAILED, "Timed out after too long with no interaction")
    ]


def test_clients_go_on_waiting_for_another_job() -> None:
    jobs = (
        job(MigrationStage.FAILOVER_PAUSED),
        job(MigrationStage.FAILOVER_GRANTED, TWO, 4),
    )
    state, effects = step(with_jobs(at(A), *jobs), LOST)
    assert state.slot_migrations == jobs[1:]
    assert RESUME not in effects

    _, effects = step(state, ClusterCancelSlotMigrations())
    assert RESUME in effects


def test_cancelled_are_the_exports_and_not_the_imports() -> None:
    jobs = (
        job(MigrationStage.WAITING_FOR_ACK),
        job(MigrationStage.CONNECTING, TWO, 4),
        job(MigrationStage.FAILOVER_GRANTED, JobName("three"), 1),
    )

    state, effects = step(with_jobs(at(A), *jobs), ClusterCancelSlotMigrations())

    assert state.slot_migrations == jobs[:1]
    assert ended(effects) == [(MigrationOutcome.CANCELLED, "")] * 2
    assert effects[-1] == Reply()
    none = step(state, ClusterCancelSlotMigrations())
    assert none == (state, (Reply(error="ERR No migrations ongoing"),))


@pytest.mark.parametrize(
    ("event", "reason"),
    [(DatasetFlushed(), "Data was flushed"), (DatasetReplaced(), "A new RDB is being loaded")],
)
def test_without_its_dataset_a_node_moves_no_slots(event: Event, reason: str) -> None:
    jobs = (job(MigrationStage.FAILOVER_GRANTED), job(MigrationStage.WAITING_FOR_ACK, TWO, 4))

    state, effects = step(with_jobs(at(A), *jobs), event)

    assert not state.slot_migrations
    assert ended(effects) == [(MigrationOutcome.FAILED, reason)] * 2


def test_a_replica_that_gets_all_data_anew_tracks_nothing_of_old() -> None:
    state, effects = step(tracking(), DatasetReplaced())

    assert not state.slot_migrations
    assert ended(effects) == [(MigrationOutcome.FAILED, "A new RDB is being loaded")]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("stage", SOURCE_STAGES)
def test_the_end_of_a_pause_is_the_end_of_its_job(stage: MigrationStage, *, granted: bool) -> None:
    state = source(stage)

    after, effects = step(state, MigrationPauseOver(name=ONE, granted=granted))

    if stage is MigrationStage.FAILOVER_GRANTED and granted:
        reason = (
            "Unpaused before migration completed (migration may have succeeded with lost writes)"
        )
    elif stage is MigrationStage.FAILOVER_PAUSED and not granted:
        reason = "Timed out before streaming completed"
    else:
        assert (after, effects) == (state, ())
        return
    assert not after.slot_migrations
    assert ended(effects) == [(MigrationOutcome.FAILED, reason)]


def test_no_job_survives_a_crash() -> None:
    assert durable(source(MigrationStage.FAILOVER_GRANTED)).slot_migrations == ()


# Timers.


def pending(stage: MigrationStage) -> list[Event]:
    state = source(stage) if stage in SOURCE_STAGES else target(stage)
    return [
        each for each in timers(state) if isinstance(each, MigrationSilent | MigrationPauseOver)
    ]


def test_each_end_waits_for_the_other_and_the_source_for_its_pause() -> None:
    silent = MigrationSilent(name=ONE)

    for stage in (*SOURCE_STAGES[:-2], *TARGET_STAGES):
        assert pending(stage) == [silent]
    paused = MigrationPauseOver(name=ONE, granted=False)
    assert pending(MigrationStage.FAILOVER_PAUSED) == [silent, paused]
    assert pending(MigrationStage.FAILOVER_GRANTED) == [MigrationPauseOver(name=ONE, granted=True)]
    assert not [each for each in timers(tracking()) if isinstance(each, MigrationSilent)]


@pytest.mark.parametrize(
    ("timeout", "paused", "granted"), [(5000, 10_001, 10_001), (800, 1601, 2001)]
)
def test_a_pause_lasts_as_long_as_that_of_a_failover(
    timeout: int, paused: int, granted: int
) -> None:
    directives = Directives(manual_failover_timeout=timeout, repl_timeout=300)
    state = source(MigrationStage.FAILOVER_GRANTED)
    pace = begin(state, now=100, node_timeout=2000, entropy=0, directives=directives)

    assert deadline(pace, MigrationPauseOver(name=ONE, granted=True)) == 100 + granted
    earlier = source(MigrationStage.FAILOVER_PAUSED)
    pace = begin(earlier, now=100, node_timeout=2000, entropy=0, directives=directives)
    assert deadline(pace, MigrationPauseOver(name=ONE, granted=False)) == 100 + paused
    assert deadline(pace, MigrationSilent(name=ONE)) == 100 + 301


def test_whatever_is_said_on_the_channel_ends_the_silence() -> None:
    state = target(MigrationStage.RECEIVING_SNAPSHOT)
    directives = Directives(repl_timeout=300)
    pace = begin(state, now=0, node_timeout=2000, entropy=0, directives=directives)
    ack, silent = hears(SyncSlotsCall.ACK), MigrationSilent(name=ONE)

    heard = after_step(pace, state, state, ack, now=200, entropy=0)
    stray = SyncSlotsReceived(message=SyncSlots(name=TWO, call=SyncSlotsCall.ACK))

    assert deadline(heard, silent) == 501
    assert after_step(pace, state, state, stray, now=200, entropy=0) == pace
    assert silent not in due(heard, state, 500, 0)[1]
    assert silent in due(heard, state, 501, 0)[1]

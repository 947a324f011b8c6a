"""One step of a node: an event in, the new state and the effects in order out."""

from typing import assert_never

from reference.clauses import clause
from reference.core.atomic_migration import (
    cancel_slot_migrations,
    migrate_slots,
    setslot_unless_migrating,
    tell_of_migration,
)
from reference.core.commands import change_settings, obey_membership
from reference.core.effects import Effect, Notice, Refusal, SaveConfig
from reference.core.election import (
    count_vote,
    expire_election,
    grant_vote,
    start_election,
    win_election_if_quorum,
)
from reference.core.epochs import bump_epoch, merge_epochs, set_config_epoch
from reference.core.events import (
    BlacklistExpired,
    ClusterBumpEpoch,
    ClusterCancelSlotMigrations,
    ClusterFailover,
    ClusterForget,
    ClusterMeet,
    ClusterMigrateSlots,
    ClusterSetConfigEpoch,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
    Command,
    DatasetLoaded,
    ElectionDue,
    ElectionExpired,
    Event,
    FailUndoAllowed,
    HandshakeExpired,
    HeartbeatDue,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MeetRepeated,
    MigrationEvent,
    MigrationTimer,
    NodeTimer,
    PongOverdue,
    Received,
    ReplicaMigrationDue,
    ReportExpired,
    SetslotAcknowledged,
    SetslotFromMaster,
    SettingsChanged,
    Timer,
)
from reference.core.failure import learn_fail, remove_report, suspect, undo_fail
from reference.core.forget import expire_blacklist, forget
from reference.core.handshake import expire_handshake, repeat_meet, start_handshake
from reference.core.heartbeat import (
    receive_heartbeat,
    send_heartbeat,
    sender_of,
    take_marks,
)
from reference.core.manual_failover import (
    expire_manual_failover,
    learn_paused,
    pause_for_replica,
    reach_offset,
    start_manual_failover,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Heartbeat,
    ManualFailoverStart,
    Update,
)
from reference.core.migration_ends import expire_migration, follow_ownership
from reference.core.replica_migration import migrate_replica
from reference.core.slot_config import learn_update
from reference.core.slot_migration import (
    acknowledge_setslot,
    load_dataset,
    setslot_from_master,
)
from reference.core.state import ClusterState
from reference.core.taken_slots import forget_lost


@clause("MO-1", "MO-2", "MO-3", "MO-7")
def step(state: ClusterState, event: Event) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The state after the event, and the effects to carry out one after the other.

    The state is the very same object if the event changed nothing. No event is refused with an
    exception. Counterpart: `clusterProcessPacket`, `clusterCron` and `clusterBeforeSleep`.
    """
    out: list[Effect] = []
    match event:
        case Received():
            new = _receive(state, event, out)
        case HeartbeatDue():
            new = send_heartbeat(state, event, out)
        case MeetRepeated():
            new = repeat_meet(state, event, out)
        case SetslotAcknowledged():
            new = acknowledge_setslot(state, event.command, out)
        case SetslotFromMaster():
            new = setslot_from_master(state, event.command, out)
        case SettingsChanged():
            new = change_settings(state, event, out)
        case DatasetLoaded():
            new = load_dataset(state, event.slots, out)
        case _:
            new = _fire_or_obey(state, event, out)
    new = win_election_if_quorum(new, out)
    if new.taken_from:
        new = forget_lost(new)
    if new.slot_migrations:
        new = follow_ownership(state, new, event, out)
    unchanged = new is state or new == state  # asked in this order, since equality looks at all
    return (state if unchanged else new), _in_order(out, save_first=state.rules.save_before_send)


@clause("HB-10")
def _receive(state: ClusterState, event: Received, out: list[Effect]) -> ClusterState:
    message = event.message
    if isinstance(message, Heartbeat):
        return receive_heartbeat(state, event, message, out)
    sender_id = sender_of(state, event)
    if sender_id is None:
        out.append(Notice(what=Refusal.UNKNOWN_SENDER, subject=message.header.sender))
        return state
    before = state.election
    state = take_marks(state, sender_id, message.header)
    state = merge_epochs(state, sender_id, message.header, out)
    state = learn_paused(state, sender_id, message.header)
    match message:
        case Fail():
            return learn_fail(state, message, out)
        case FailoverAuthRequest():
            return grant_vote(state, sender_id, event, message, out)
        case FailoverAuthAck() if before is not None and state.election is None:
            # Its own header ended the election, and the next one is not put off before that.
            out.append(Notice(what=Refusal.NO_ELECTION, subject=sender_id))
            return state
        case FailoverAuthAck():
            return count_vote(state, sender_id, message, out)
        case Update():
            return learn_update(state, message, out)
        case ManualFailoverStart():
            return pause_for_replica(state, sender_id, event.gossip_about, out)
        case _:
            assert_never(message)


def _fire_or_obey(
    state: ClusterState, event: Timer | Command | MigrationEvent, out: list[Effect]
) -> ClusterState:
    if isinstance(event, MigrationEvent):
        return tell_of_migration(state, event, out)
    if isinstance(event, MigrationTimer):
        return expire_migration(state, event, out)
    return _fire(state, event, out) if isinstance(event, NodeTimer) else _obey(state, event, out)


def _fire(state: ClusterState, event: NodeTimer, out: list[Effect]) -> ClusterState:
    match event:
        case PongOverdue():
            return suspect(state, event.peer, out)
        case ReportExpired():
            return remove_report(state, event.subject, event.reporter)
        case FailUndoAllowed():
            return undo_fail(state, event.peer, out)
        case ElectionDue():
            return start_election(state, event, out)
        case ElectionExpired():
            return expire_election(state, out)
        case HandshakeExpired():
            return expire_handshake(state, event.peer)
        case BlacklistExpired():
            return expire_blacklist(state, event.node)
        case ManualFailoverOffsetReached() | ManualFailoverExpired():
            reached = isinstance(event, ManualFailoverOffsetReached)
            return reach_offset(state, out) if reached else expire_manual_failover(state, out)
        case ReplicaMigrationDue():
            return migrate_replica(state, event.orphan, out)
        case _:
            assert_never(event)


def _obey(state: ClusterState, event: Command, out: list[Effect]) -> ClusterState:
    match event:
        case ClusterMeet():
            return start_handshake(state, event.address, event.new_id, out)
        case ClusterForget():
            return forget(state, event.node, out)
        case ClusterSetConfigEpoch():
            return set_config_epoch(state, event.config_epoch, out)
        case ClusterBumpEpoch():
            return bump_epoch(state, out)
        case ClusterFailover():
            return start_manual_failover(state, event, out)
        case (
            ClusterSetslotMigrating()
            | ClusterSetslotImporting()
            | ClusterSetslotStable()
            | ClusterSetslotNode()
        ):
            return setslot_unless_migrating(state, event, out)
        case ClusterMigrateSlots():
            return migrate_slots(state, event, out)
        case ClusterCancelSlotMigrations():
            return cancel_slot_migrations(state, out)
        case _:
            return obey_membership(state, event, out)


@clause("MO-3")
def _in_order(out: list[Effect], *, save_first: bool) -> tuple[Effect, ...]:
    """The effects with all saves made one, which comes before anything is sent."""
    saves = [effect for effect in out if isinstance(effect, SaveConfig)]
    if not saves:
        return tuple(out)
    save = SaveConfig(fsync=any(effect.fsync for effect in saves))
    others = [effect for effect in out if not isinstance(effect, SaveConfig)]
    return (save, *others) if save_first else (*others, save)

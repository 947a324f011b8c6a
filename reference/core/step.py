"""One step of a node: an event in, the new state and the effects in order out."""

from typing import assert_never

from reference.clauses import clause
from reference.core.commands import add_slots, replicate
from reference.core.effects import Effect, Notice, Refusal, SaveConfig
from reference.core.election import (
    count_vote,
    expire_election,
    grant_vote,
    start_election,
    win_election_if_quorum,
)
from reference.core.epochs import merge_epochs, set_config_epoch
from reference.core.events import (
    ClusterAddSlots,
    ClusterMeet,
    ClusterReplicate,
    ClusterSetConfigEpoch,
    Command,
    ElectionDue,
    ElectionExpired,
    Event,
    FailUndoAllowed,
    HandshakeExpired,
    HeartbeatDue,
    PongOverdue,
    Received,
    ReportExpired,
    Timer,
)
from reference.core.failure import learn_fail, remove_report, suspect, undo_fail
from reference.core.handshake import expire_handshake, start_handshake
from reference.core.heartbeat import receive_heartbeat, send_heartbeat, sender_of
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Meet,
    Ping,
    Pong,
    Update,
)
from reference.core.slot_config import learn_update
from reference.core.state import ClusterState


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
        case ClusterMeet() | ClusterAddSlots() | ClusterReplicate() | ClusterSetConfigEpoch():
            new = _obey(state, event, out)
        case _:
            new = _fire(state, event, out)
    new = win_election_if_quorum(new, out)
    return (state if new == state else new), _in_order(out, save_first=state.rules.save_before_send)


@clause("HB-10")
def _receive(state: ClusterState, event: Received, out: list[Effect]) -> ClusterState:
    message = event.message
    if isinstance(message, Ping | Pong | Meet):
        return receive_heartbeat(state, event, message, out)
    sender_id = sender_of(state, event)
    if sender_id is None:
        out.append(Notice(what=Refusal.UNKNOWN_SENDER, subject=message.header.sender))
        return state
    before = state.election
    state = merge_epochs(state, sender_id, message.header, out)
    match message:
        case Fail():
            return learn_fail(state, message, out)
        case FailoverAuthRequest():
            return grant_vote(state, sender_id, message, out, voted_recently=event.voted_recently)
        case FailoverAuthAck() if before is not None and state.election is None:
            # Its own header ended the election, and the next one is not put off before that.
            out.append(Notice(what=Refusal.NO_ELECTION, subject=sender_id))
            return state
        case FailoverAuthAck():
            return count_vote(state, sender_id, message, out)
        case Update():
            return learn_update(state, message, out)
        case _:
            assert_never(message)


def _fire(state: ClusterState, event: Timer, out: list[Effect]) -> ClusterState:
    match event:
        case PongOverdue():
            return suspect(state, event.peer, out)
        case ReportExpired():
            return remove_report(state, event.subject, event.reporter)
        case FailUndoAllowed():
            return undo_fail(state, event.peer, out)
        case ElectionDue():
            return start_election(state, out, data_too_old=event.data_too_old)
        case ElectionExpired():
            return expire_election(state, out)
        case HandshakeExpired():
            return expire_handshake(state, event.peer)
        case _:
            assert_never(event)


def _obey(state: ClusterState, event: Command, out: list[Effect]) -> ClusterState:
    match event:
        case ClusterMeet():
            return start_handshake(state, event.address, event.new_id, out)
        case ClusterAddSlots():
            return add_slots(state, event.slots, out)
        case ClusterReplicate():
            return replicate(state, event.master, out, holds_keys=event.holds_keys)
        case ClusterSetConfigEpoch():
            return set_config_epoch(state, event.config_epoch, out)
        case _:
            assert_never(event)


@clause("MO-3")
def _in_order(out: list[Effect], *, save_first: bool) -> tuple[Effect, ...]:
    """The effects with all saves made one, which comes before anything is sent."""
    saves = [effect for effect in out if isinstance(effect, SaveConfig)]
    if not saves:
        return tuple(out)
    save = SaveConfig(fsync=any(effect.fsync for effect in saves))
    others = [effect for effect in out if not isinstance(effect, SaveConfig)]
    return (save, *others) if save_first else (*others, save)

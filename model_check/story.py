"""A path told in the protocol's words: who did what, and what changed in which node."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from model_check.models.cluster import (
    Crash,
    Cut,
    Death,
    Executed,
    Flush,
    Heal,
    Process,
    Restart,
    Streamed,
)
from model_check.models.of_node import Later
from model_check.models.operator import command_text
from model_check.trace import Trace, TraceStep
from reference.core.effects import Notice
from reference.core.events import (
    BlacklistExpired,
    Command,
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HeartbeatDue,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MeetRepeated,
    MigrationCaughtUp,
    MigrationPauseOver,
    MigrationSilent,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Gossip,
    Header,
    ManualFailoverStart,
    SyncSlots,
    Update,
)
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health


@attrs.frozen
class Line:
    """One step of a story."""

    who: str
    what: str
    changes: tuple[str, ...]  # in the node that acted


def tell(trace: Trace, names: tuple[str, ...]) -> list[Line]:
    """One line for each step of the path; `names` are the processes'."""
    return [_line(step, names) for step in trace.steps]


def _line(step: TraceStep, names: tuple[str, ...]) -> Line:
    who = names[step.process]
    changes = tuple(process_changes(step.before, step.after))
    match step.kind:
        case "move":
            return Line(who, _told(event_text(step.event), step), changes)
        case "deliver" | "deliver_held":
            sender = names[step.channel[0]] if step.channel else "?"
            late = "late " if step.kind == "deliver_held" else ""
            heard = f"receives the {late}{message_text(step.message)} from {sender}"
            return Line(who, _told(heard, step), changes)
        case "lose":
            return Line(who, f"its {message_text(step.message)}{_to(step, names)} is lost", changes)
        case "hold":
            text = f"its {message_text(step.message)}{_to(step, names)} is delayed"
            return Line(who, text, changes)
        case "break":
            return Line(who, f"its link{_to(step, names)} breaks", changes)


def _to(step: TraceStep, names: tuple[str, ...]) -> str:
    return f" to {names[step.channel[1]]}" if step.channel else ""


def _told(happened: str, step: TraceStep) -> str:
    notes = notices(step)
    return f"{happened}: {'; '.join(notes)}" if notes else happened


def notices(step: TraceStep) -> list[str]:
    """What the core told of the step."""
    return [note.text for note in step.notes if isinstance(note, Notice)]


_EVENT_TEXTS: Final[Mapping[type, str]] = {
    PongOverdue: "waits for {0.peer} longer than the node timeout",
    ReportExpired: "forgets that {0.reporter} reported {0.subject}: too long ago",
    FailUndoAllowed: "hears {0.peer} again, long after it was marked FAIL",
    ElectionDue: "its election delay is over",
    ElectionExpired: "its election takes too long",
    HeartbeatDue: "sends a heartbeat to {0.peer}",
    ManualFailoverOffsetReached: "has all that its paused master sent",
    ManualFailoverExpired: "its manual failover takes too long",
    ReplicaMigrationDue: "finds {0.orphan} without a replica",
    MigrationCaughtUp: "has little left to send of the slots it migrates",
    MigrationSilent: "has heard nothing of its migration for too long",
    MigrationPauseOver: "its pause for a migration is over",
    BlacklistExpired: "may hear of the forgotten {0.node} again",
    Crash: "CRASHES: what was not saved is gone",
    Death: "DIES for good",
    Restart: "RESTARTS from what was saved",
    Cut: "is CUT OFF from others",
    Heal: "is reached again",
    MeetRepeated: "greets {0.peer} again",
    Flush: "saves, after it has sent",
    Later: "lets time go by: as to whether {0.age.value}",
}


def event_text(event: object) -> str:
    """What a process does of its own accord, in words that follow its name."""
    if isinstance(event, Command):
        return f"is told {command_text(event)}"
    text = _EVENT_TEXTS.get(type(event))
    return str(event) if text is None else text.format(event)


def message_text(message: object) -> str:
    """A message with what matters of it."""
    match message:
        case FailoverAuthRequest(header=header):
            return f"AUTH_REQUEST for epoch {header.current_epoch}"
        case FailoverAuthAck(header=header):
            return f"AUTH_ACK for epoch {header.current_epoch}"
        case Fail(subject=subject):
            return f"FAIL about {subject}"
        case Update(subject=subject, config_epoch=epoch, slots=slots):
            return f"UPDATE ({subject} owns {slots or 'nothing'} since configEpoch {epoch})"
        case ManualFailoverStart():
            return "MFSTART"
        case Streamed(command=command):
            return f"replicated {command_text(command)}"
        case SyncSlots(call=call):
            return f"SYNCSLOTS {call.value}"
        case Executed(command=command):
            return f"acknowledgement of {command_text(command)}"
        case _:
            return _heartbeat(message)


def _heartbeat(message: object) -> str:
    header: Header | None = getattr(message, "header", None)
    gossip: tuple[Gossip, ...] = getattr(message, "gossip", ())
    if header is None:
        return str(message)
    role = f"replica of {header.replicaof}" if header.replicaof else "master"
    said = "".join(f", {entry.node_id} is in {entry.health.name}" for entry in gossip)
    kind = type(message).__name__.upper()
    return (
        f"{kind} ({role}, slots {header.slots or 'none'}, configEpoch {header.config_epoch}, "
        f"currentEpoch {header.current_epoch}{said})"
    )


def process_changes(before: object, after: object) -> Iterator[str]:
    """What differs between two local states of a process, in words."""
    if not (isinstance(before, Process) and isinstance(after, Process)):
        return
    if before.state is not None and after.state is not None:
        yield from state_changes(before.state, after.state)
    elif after.state is None and before.state is not None and after.saved is not None:
        yield from (f"not saved: {change}" for change in state_changes(after.saved, before.state))
    elif after.state is not None and before.saved is not None:
        yield f"current_epoch {after.state.current_epoch}"
        yield f"last_vote_epoch {after.state.last_vote_epoch}"


def state_changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    """What differs between two states of a node, in words."""
    for name in ("current_epoch", "last_vote_epoch"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name} {old} -> {new}"
    if before.election != after.election:
        yield _election(after)
    if after.last_election != before.last_election and after.last_election is not None:
        yield f"late votes for the next election: {after.last_election.late_votes}"
    if before.owner_not_claiming_slot != after.owner_not_claiming_slot:
        yield f"slots no longer claimed by their owner: {after.owner_not_claiming_slot or 'none'}"
    yield from _open_changes(before, after)
    if before.manual_failover != after.manual_failover:
        under_way = after.manual_failover
        yield f"manual failover: {under_way.stage.value if under_way else 'none'}"
    yield from _table_changes(before, after)


def _table_changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    for node in after.nodes:
        old = before.nodes.get(node.node_id)
        if old is None:
            yield f"{node.node_id} is known"
        elif old != node:
            mine = "" if node.node_id == after.myself_id else f"{node.node_id}: "
            yield from (f"{mine}{change}" for change in _entry_changes(old, node))
    for gone in (node for node in before.nodes if node.node_id not in after.nodes):
        yield f"{gone.node_id} is forgotten"


def _open_changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    for name, word in (("migrating_slots_to", "to"), ("importing_slots_from", "from")):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            open_now = ", ".join(f"{slot} {word} {node}" for slot, node in new) or "none"
            yield f"{name.split('_', maxsplit=1)[0]} slots: {open_now}"


def _election(state: ClusterState) -> str:
    if state.election is None:
        return "no election"
    voters = " ".join(sorted(state.election.voters)) or "nobody"
    if state.election.late_votes:
        voters += f", and {state.election.late_votes} late"
    return f"election of epoch {state.election.failover_auth_epoch}, votes of {voters}"


def _entry_changes(old: ClusterNode, new: ClusterNode) -> Iterator[str]:
    if old.role != new.role or old.replicaof != new.replicaof:
        yield (
            f"becomes replica of {new.replicaof}" if new.replicaof else f"becomes {new.role.value}"
        )
    if old.config_epoch != new.config_epoch:
        yield f"configEpoch {old.config_epoch} -> {new.config_epoch}"
    if old.slots != new.slots:
        yield f"slots {old.slots or 'none'} -> {new.slots or 'none'}"
    if old.health != new.health:
        yield "well" if new.health is Health.OK else new.health.name
    if old.fail_reports != new.fail_reports:
        yield f"reported by {' '.join(sorted(new.fail_reports)) or 'nobody'}"
    if old.shard_id != new.shard_id:
        yield f"shard {new.shard_id}"

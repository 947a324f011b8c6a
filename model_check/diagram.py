"""A story as a drawing that is still to be drawn: lifelines, and rows with arrows and notes."""

from typing import Final, Literal

import attrs

from model_check.links import parse_links
from model_check.models.cluster import Crash, Restart
from model_check.post import numbered
from model_check.reasons import reasons
from model_check.run import Run
from model_check.story import event_text, message_text, notices, process_changes
from model_check.trace import Trace, TraceStep
from reference.core.effects import Happening, Notice
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Pong

Fate = Literal["delivered", "lost", "delayed", "late"]
Tone = Literal["plain", "timer", "crash", "restart", "win"]

_FATES: Final[dict[str, Fate]] = {
    "deliver": "delivered",
    "deliver_held": "late",
    "lose": "lost",
    "hold": "delayed",
}


@attrs.frozen(kw_only=True)
class Arrow:
    """What becomes of a message in this row; processes are indices."""

    number: int | None  # of the message: a delayed arrow and the late one that ends it share it
    sender: int
    receiver: int
    text: str
    fate: Fate


@attrs.frozen(kw_only=True)
class Note:
    """What happens at a process in this row."""

    process: int
    lines: tuple[str, ...]
    tone: Tone


@attrs.frozen(kw_only=True)
class Row:
    """One step of the story; 0 is what was sent before it."""

    step: int
    arrow: Arrow | None = None
    note: Note | None = None
    flaws: tuple[str, ...] = ()  # the rules that it does not keep
    decisive: bool = False  # without it the property would hold at the end

    @property
    def process(self) -> int:
        """Where it happens: at the note, else where the arrow leads."""
        if self.note is not None:
            return self.note.process
        return 0 if self.arrow is None else self.arrow.receiver


@attrs.frozen(kw_only=True)
class Diagram:
    """A sequence diagram."""

    title: str
    subtitle: str
    processes: tuple[str, ...]
    rows: tuple[Row, ...]
    ending: str  # what the last row shows
    violated: bool
    clauses: tuple[str, ...]  # that say what is claimed, with their text, and what the end means


def diagram(run: Run, property_id: str, trace: Trace) -> Diagram:
    """The drawing of a trace that decides this property of the run."""
    prop = run.property_of(property_id)
    violated = prop.kind != "sometimes"
    numbers = numbered(trace, run.system, parse_links(run.found.links))
    stale = [
        Row(
            step=0,
            arrow=Arrow(
                number=number,
                sender=sender,
                receiver=send.dest,
                text=_brief(send.message),
                fate="delayed",
            ),
        )
        for number, (sender, send) in enumerate(trace.initial_messages)
    ]
    why = reasons(run, [property_id], trace)
    decisive = {each.step for each in why.decisive}
    steps = [
        Row(
            step=at,
            arrow=_arrow(step, number),
            note=_note(step, run.system.processes),
            flaws=tuple(
                f"{each.clause.clause_id} is not kept: {each.clause.title}"
                for each in why.not_kept
                if at in {each.step, *each.again}
            ),
            decisive=at in decisive,
        )
        for at, (step, number) in enumerate(zip(trace.steps, numbers, strict=True), 1)
    ]
    return Diagram(
        title=title(run),
        subtitle=run.model.text,
        processes=run.system.processes,
        rows=(*stale, *steps),
        ending=f"{property_id} {'is violated' if violated else 'is reached'}: {prop.text}",
        violated=violated,
        clauses=tuple(
            f"{clause.clause_id} {clause.title} (spec/{clause.chapter}): "
            + clause.text.replace("`", "")
            for clause in why.clauses
        )
        + tuple(f"At the end: {ending}." for ending in why.endings),
    )


def title(run: Run) -> str:
    """The model, the dialect, the links and the rules that were turned off."""
    name = f"{run.model.name} · {run.rules.dialect} · {run.found.links}"
    return f"{name} · without {', '.join(run.without)}" if run.without else name


def _arrow(step: TraceStep, number: int | None) -> Arrow | None:
    if step.channel is None or step.kind not in _FATES:
        return None
    sender, receiver, _ = step.channel
    return Arrow(
        number=number,
        sender=sender,
        receiver=receiver,
        text=_brief(step.message),
        fate=_FATES[step.kind],
    )


def _note(step: TraceStep, names: tuple[str, ...]) -> Note | None:
    told = notices(step)
    changes = list(process_changes(step.before, step.after))
    match step.kind:
        case "move" if isinstance(step.event, Crash):
            lines = ["CRASHES", *changes]
        case "move":
            lines = [event_text(step.event), *(told or changes)]
        case "deliver" | "deliver_held":
            lines = told or changes
        case "break":
            to = names[step.channel[1]] if step.channel else "?"
            lines = [f"its link to {to} breaks"]
        case _:
            lines = []
    if not lines:
        return None
    return Note(process=step.process, lines=tuple(lines), tone=_tone(step))


def _tone(step: TraceStep) -> Tone:
    happened = {note.what for note in step.notes if isinstance(note, Notice)}
    if Happening.WON_ELECTION in happened:
        return "win"
    if isinstance(step.event, Crash):
        return "crash"
    if isinstance(step.event, Restart):
        return "restart"
    return "timer" if step.kind == "move" else "plain"


def _brief(message: object) -> str:
    """The message without what only the table of steps has room for."""
    match message:
        case FailoverAuthRequest() | FailoverAuthAck():
            return message_text(message).replace(" for epoch", ", epoch")
        case Pong(header=header, gossip=gossip):
            said = "".join(f", {entry.node_id} in {entry.health.name}" for entry in gossip)
            role = f"replica of {header.replicaof}" if header.replicaof else "master"
            if header.slots and not header.replicaof:
                role = f"slots {header.slots}, configEpoch {header.config_epoch}"
            return f"PONG: {role}, currentEpoch {header.current_epoch}{said}"
        case _:
            return message_text(message)

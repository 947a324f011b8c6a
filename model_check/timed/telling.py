"""The path to the longest window, told as a story."""

from collections.abc import Iterator

import attrs

from model_check.story import Line, event_text, message_text, state_changes
from model_check.timed.clockwork import Told
from model_check.timed.scope import NAMES, OLD
from model_check.timed.search import Window
from model_check.timed.world import Step, Worlds
from reference.core.events import HeartbeatDue, Received
from reference.core.messages import Ping, Pong


@attrs.frozen
class _Moment:
    ms: int
    both: bool
    step: Step


def tell(worlds: Worlds, window: Window) -> list[Line]:
    """Everything that changed something, the last heartbeats of A, and when both take writes."""
    moments = list(_moments(worlds, window))
    last = {_heartbeat(moment.step): moment for moment in moments}
    lines, both = [], False
    for moment in moments:
        if moment.both != both:
            both = moment.both
            text = "A and D BOTH TAKE WRITES" if both else "no longer both take writes"
            lines.append(Line("", f"{moment.ms} ms: {text}", ()))
        key = _heartbeat(moment.step)
        if key is None or (key and last[key] is moment) or _notices(moment.step):
            lines.append(_line(moment))
    return lines


def _moments(worlds: Worlds, window: Window) -> Iterator[_Moment]:
    for at, (world, after) in enumerate(zip(window.path, window.path[1:], strict=False), 1):
        for step in worlds.told(world, after):
            yield _Moment(at * worlds.scope.tick, world.both, step)
        if at == len(window.path) - 1 and after.both:
            yield _Moment(at * worlds.scope.tick, True, Step(None, "it lasts until here"))  # noqa: FBT003


def _notices(step: Step) -> tuple[str, ...]:
    if isinstance(step.what, str):
        return ()
    return tuple(note for note in step.what.notices if not note.startswith("refused"))


def _heartbeat(step: Step) -> tuple[object, ...] | None:
    """Alike for heartbeats of A that are alike, empty for others, None for what is none."""
    if isinstance(step.what, str):
        return None
    event = step.what.event
    if isinstance(event, HeartbeatDue):
        with_old = step.who == OLD or event.peer == NAMES[OLD]
        return (step.who, event.peer) if with_old else ()
    if isinstance(event, Received) and isinstance(event.message, Ping | Pong):
        sender = event.message.header.sender
        with_old = OLD in (step.who, NAMES.index(sender))
        return (step.who, type(event.message), sender) if with_old else ()
    return None


def _line(moment: _Moment) -> Line:
    step = moment.step
    if isinstance(step.what, str) or step.who is None:
        return Line("", f"{moment.ms} ms: {step.what}", ())
    notes = _notices(step)
    heard = f"{moment.ms} ms: {_what(step.what)}"
    text = f"{heard}: {'; '.join(notes)}" if notes else heard
    changes = tuple(state_changes(step.what.before.state, step.what.after.state))
    return Line(str(NAMES[step.who]), text, changes)


def _what(told: Told) -> str:
    if isinstance(told.event, Received):
        message = told.event.message
        return f"receives the {message_text(message)} from {message.header.sender}"
    return event_text(told.event)

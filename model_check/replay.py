"""The command `slotproof replay`: a story from a file happens again, or it does not any more."""

import os
import traceback
from pathlib import Path
from typing import Any, Final

import attrs
import click
from rich.console import Console
from rich.markup import escape

from model_check.journal import DamagedJournalError, is_journal, obey_journal
from model_check.links import HeldLinks
from model_check.models.cluster import system_of
from model_check.post import Letter, Post
from model_check.properties import ON_GRAPHS, LeadsTo, Property
from model_check.story import tell
from model_check.story_files import (
    DamagedStoryError,
    FiledStep,
    FiledStory,
    form,
    read_story,
    sent_texts,
)
from model_check.story_table import story_table
from model_check.system import Move, Step
from model_check.trace import StepKind, Trace, TraceStep

EXIT_AS_TOLD, EXIT_MENDED, EXIT_USAGE, EXIT_INTERNAL = 0, 1, 2, 4
WIDTH_WITHOUT_TERMINAL: Final = 120


class ImpossibleError(Exception):
    """The step of the story cannot be made; the text says why."""


@attrs.frozen(kw_only=True)
class Replayed:
    """How far a story happened again, and what its properties say."""

    story: FiledStory
    names: tuple[str, ...]
    trace: Trace  # the steps that could be made
    differences: tuple[str, ...]  # from what the file tells
    first: dict[str, int]  # the step that first violates each property, or reaches it

    @property
    def named(self) -> Property:
        """The property that the story is about."""
        return next(p for p in self.story.model.properties if p.id == self.story.property_id)

    @property
    def as_told(self) -> bool:
        """Whether every step gave what is told, and the last one decides the property."""
        at_end = self.first.get(self.story.property_id) == len(self.story.steps)
        return at_end and not self.differences


class Stage:
    """A system in which the steps of a story are made, one by one."""

    def __init__(self, story: FiledStory) -> None:
        """Nothing has happened."""
        self.system = system_of(story.model.scope(story.rules.without(*story.without)))
        self.states = list(self.system.initial())
        self._budgets = dict(self.system.budgets)
        self._post = Post(self.system, story.links)
        self._fused = isinstance(story.links, HeldLinks)

    def perform(self, told: FiledStep) -> TraceStep:
        """The step has been made.

        Raises ImpossibleError if it cannot be made here.
        """
        kind: StepKind = told.kind  # type: ignore[assignment]  # read_story looked at it
        who = self.system.processes.index(told.who)
        if kind == "move":
            self._ask(kind, None)
            move, outcome = self._move(who, told)
            return self._done(kind, who, outcome, event=move.event)
        sender, receiver = (
            self.system.processes.index(str(n)) for n in (told.sender, told.receiver)
        )
        if kind == "break":
            raise ImpossibleError("no channel of this model may break")
        event = None
        if told.event is not None and self._fused:
            self._ask("move", None)
            move, sent = self._move(sender, told)
            if len(sent.sends) != 1 or told.message != len(self._post.letters):
                raise ImpossibleError(f"the move sends no message {told.message}")
            self._post.send(sender, sent.sends)
            event = move.event
        letter = self._letter(kind, told, (sender, receiver))
        number = int(told.message or 0)
        if kind in {"deliver", "deliver_held"}:
            return self._delivered(kind, letter, number, event)
        self._post.resolve(kind, number)
        return TraceStep(
            kind=kind,
            process=sender,
            event=event,
            message=letter.message,
            channel=letter.channel,
            before=self.states[sender],
            after=self.states[sender],
        )

    def _ask(self, kind: StepKind, number: int | None) -> None:
        why = self._post.why_not(kind, number)
        if why is not None:
            raise ImpossibleError(why)

    def _letter(self, kind: StepKind, told: FiledStep, ends: tuple[int, int]) -> Letter:
        number = told.message
        if number is None or not 0 <= number < len(self._post.letters):
            raise ImpossibleError(f"message {number} has not been sent")
        letter = self._post.letters[number]
        if letter.channel[:2] != ends:
            raise ImpossibleError(f"message {number} is not from {told.sender} to {told.receiver}")
        self._ask(kind, number)
        return letter

    def _move(self, who: int, told: FiledStep) -> tuple[Move[Any], Step[Any, Any]]:
        """The move of the event that is told, paid for."""
        state = self.states[who]
        for move in self.system.moves(who, state):
            if form(move.event) != told.event:
                continue
            if move.cost is not None:
                if not self._budgets[move.cost]:
                    raise ImpossibleError(f"the budget {move.cost!r} is used up")
                self._budgets[move.cost] -= 1
            return move, self.system.act(who, state, move)
        name = self.system.processes[who]
        raise ImpossibleError(f"{name} can make no move {told.event} here")

    def _delivered(self, kind: StepKind, letter: Letter, number: int, event: object) -> TraceStep:
        _, receiver, lane = letter.channel
        state = self.states[receiver]
        down = self.system.is_down(receiver, state)
        step = None if down else self.system.receive(receiver, state, letter.message, lane)
        if step is None:
            raise ImpossibleError(f"{self.system.processes[receiver]} takes no message")
        self._post.resolve(kind, number)
        return self._done(kind, receiver, step, event=event, letter=letter)

    def _done(
        self,
        kind: StepKind,
        process: int,
        step: Step[Any, Any],
        *,
        event: Any,  # noqa: ANN401 - of any system
        letter: Letter | None = None,
    ) -> TraceStep:
        before = self.states[process]
        self.states[process] = step.state
        down = frozenset(p for p, s in enumerate(self.states) if self.system.is_down(p, s))
        if process in down:
            self._post.lose_to(process)
        self._post.send(process, step.sends, down)
        return TraceStep(
            kind=kind,
            process=process,
            event=event,
            message=None if letter is None else letter.message,
            channel=None if letter is None else letter.channel,
            before=before,
            after=step.state,
            sends=step.sends,
            notes=step.notes,
        )


def replay(story: FiledStory) -> Replayed:
    """The story has been replayed, up to the first step that cannot be made."""
    stage = Stage(story)
    names = stage.system.processes
    trace = Trace(
        initial=tuple(stage.states),
        initial_messages=stage.system.initial_messages(),
        steps=(),
        loop=story.loop,
    )
    differences = []
    path = [tuple(stage.states)]
    first: dict[str, int] = {}
    _judge(story, stage, 0, None, first)
    for at, told in enumerate(story.steps, 1):
        try:
            step = stage.perform(told)
        except ImpossibleError as error:
            differences.append(f"step {at} cannot be made any more: {error}")
            break
        trace = attrs.evolve(trace, steps=(*trace.steps, step))
        differences += [f"step {at}: {text}" for text in _differences(told, step, names)]
        _judge(story, stage, at, step, first)
        path.append(tuple(stage.states))
    if story.loop and len(path) > story.loop and path[-1] != path[-1 - story.loop]:
        differences.append(f"the last {story.loop} steps do not lead back to where they begin")
    return Replayed(
        story=story, names=names, trace=trace, differences=tuple(differences), first=first
    )


def _differences(told: FiledStep, step: TraceStep, names: tuple[str, ...]) -> list[str]:
    (line,) = tell(Trace(initial=(), initial_messages=(), steps=(step,)), names)
    pairs = [
        ("who", told.who, line.who),
        ("what", told.what, line.what),
        ("changes", "; ".join(told.changes), "; ".join(line.changes)),
        ("sends", "; ".join(told.sends), "; ".join(sent_texts(step, names))),
    ]
    return [
        f"{key}: told {old or 'nothing'!r}, happens {new or 'nothing'!r}"
        for key, old, new in pairs
        if old != new
    ]


def _judge(
    story: FiledStory, stage: Stage, at: int, step: TraceStep | None, first: dict[str, int]
) -> None:
    """The properties that this step decides are noted."""
    for prop in story.model.properties:
        if prop.kind == "step":
            changed = step is not None and step.before != step.after
            decided = (
                changed
                and step is not None
                and not prop.judge(step.process, step.before, step.after)
            )
        else:
            seen = tuple(prop.project(*pair) for pair in enumerate(stage.states))
            decided = bool(prop.judge(seen)) == (prop.kind == "sometimes")
            if isinstance(prop, LeadsTo):
                asked = prop.when is None or bool(prop.when(seen))
                decided &= asked or prop.id in first
                if not decided:
                    first.pop(prop.id, None)
        if decided and prop.kind in ON_GRAPHS:
            first[prop.id] = at  # where the run ends counts, not what it passes through
        elif decided:
            first.setdefault(prop.id, at)


def show_replay(done: Replayed, console: Console) -> None:
    """The table of what happened, how it differs from what is told, and the verdict."""
    story = done.story
    title = f"{story.model.name} · {story.rules.dialect} · {story.links}"
    if story.without:
        title += f" · without {', '.join(story.without)}"
    print_line = _printer(console)
    print_line(f"[bold]{escape(title)}[/bold]  {escape(story.model.text)}")
    console.print(story_table(tell(done.trace, done.names)))
    for prop in story.model.properties:
        at = done.first.get(prop.id)
        if at is not None:
            word = "reached" if prop.kind == "sometimes" else "violated"
            colour = "green" if prop.kind == "sometimes" else "red"
            print_line(
                f"  [{colour}]{word}[/{colour}] at step {at}  {prop.id}  {escape(prop.text)}"
            )
    for text in done.differences:
        print_line(f"  [yellow]differs[/yellow]  {escape(text)}")
    named = f"{story.property_id} ({done.named.text})"
    at = done.first.get(story.property_id)
    word = "reached" if done.named.kind == "sometimes" else "violated"
    if done.as_told:
        print_line(f"[bold]As told[/bold]: the last step leaves {escape(named)} {word}.")
    elif at is None:
        print_line(f"[bold]Not as told[/bold]: {escape(named)} is not {word} by this story.")
    else:
        print_line(f"[bold]Not as told[/bold]: {escape(named)} is {word}, but otherwise.")


def _printer(console: Console) -> Any:  # noqa: ANN401 - console.print with two arguments given
    return lambda text: console.print(text, highlight=False, soft_wrap=True)


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def command(ctx: click.Context, file: Path) -> None:
    """Replay FILE: a story of `slotproof check --story`, or a journal of `slotproof cluster`.

    Exit code for a story: 0 every step gives what is told and the last one violates (or reaches)
    the named property; 1 it does not happen so any more. For a journal: 0 the properties hold in
    all of the run; 1 one does not, or the core does something else now. 2 usage, or the file is
    neither; 4 internal error.
    """
    try:
        code = obey(file)
    except (DamagedStoryError, DamagedJournalError, OSError, UnicodeDecodeError) as error:
        click.echo(f"Error: {file}: {error}", err=True)
        code = EXIT_USAGE
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        code = EXIT_INTERNAL
    ctx.exit(code)


def obey(file: Path) -> int:
    """The story or the journal has been replayed and shown; the exit code says how it went."""
    if is_journal(file):
        return obey_journal(file)
    done = replay(read_story(file.read_text(encoding="utf-8")))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    show_replay(done, console)
    return EXIT_AS_TOLD if done.as_told else EXIT_MENDED

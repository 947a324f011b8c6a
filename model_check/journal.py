"""`slotproof replay` of a journal: a recorded run goes through the core again, and is judged."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs
from rich.console import Console

from model_check.models.cluster import Process
from model_check.models.properties import ELECTION_SAFETY, EPOCHS_MONOTONE, EXCLUSIVE_CLAIM
from model_check.properties import Invariant
from reference.core.effects import Happening, Notice
from reference.core.events import ClusterReset
from reference.core.state import ClusterState
from reference.core.step import step
from reference.wire.journal import (
    Adjusted,
    Ended,
    Entry,
    Happened,
    JournalError,
    Opened,
    Started,
    read_entry,
)

_INVARIANTS: Final[tuple[Invariant[Process], ...]] = (ELECTION_SAFETY, EXCLUSIVE_CLAIM)
_FIRST_KIND: Final = '"is":"Opened"'
_FIRST_LENGTH: Final = 10_000  # characters, at most: a story may be all in one line

EXIT_HOLDS, EXIT_VIOLATED = 0, 1


class DamagedJournalError(ValueError):
    """A file is no journal that can be replayed; the text says where and why."""


@attrs.frozen
class Violation:
    """Where a property did not hold any more for the first time."""

    property_id: str
    line: int
    text: str


@attrs.define
class Replay:
    """A run up to some line of its journal."""

    processes: dict[int, Process] = attrs.field(factory=dict)  # by the node's port
    events: int = 0
    won: int = 0  # elections
    violations: dict[str, Violation] = attrs.field(factory=dict)
    differences: list[str] = attrs.field(factory=list)  # of the core from what was recorded
    cut_off: bool = False  # the last line is not whole, as when the process was killed
    _projections: dict[str, dict[int, Any]] = attrs.field(factory=dict)

    def take(self, line: int, entry: Entry) -> None:
        """The entry has happened, and the properties are judged."""
        match entry:
            case Opened():
                pass
            case Started():
                self._start(line, entry)
            case Happened():
                self._happen(line, entry)
            case Adjusted():
                self._put(line, entry.node, attrs.evolve(self._at(entry.node), state=entry.state))
            case Ended():
                self._end(line, entry)

    def _at(self, node: int) -> Process:
        found = self.processes.get(node)
        if found is None or found.state is None:
            raise DamagedJournalError(f"node {node} does not run here")
        return found

    def _start(self, line: int, entry: Started) -> None:
        before = self.processes.get(entry.node)
        if before is not None and before.saved is not None:
            survived = attrs.evolve(before, state=None, saved=entry.state)
            running = attrs.evolve(before, state=before.saved)
            self._judge_step(line, entry.node, running, survived)
        won = before.epochs_won if before is not None else frozenset[int]()
        self._put(line, entry.node, Process(state=entry.state, saved=None, epochs_won=won))

    def _happen(self, line: int, entry: Happened) -> None:
        before = self._at(entry.node)
        state, effects = step(_running(before), entry.event)
        won = frozenset(
            effect.epoch
            for effect in effects
            if isinstance(effect, Notice)
            and effect.what is Happening.WON_ELECTION
            and effect.epoch is not None
        )
        self.events += 1
        self.won += len(won)
        after = attrs.evolve(before, state=state, epochs_won=before.epochs_won | won)
        new_name = isinstance(entry.event, ClusterReset) and entry.event.new_id is not None
        if not new_name:  # a hard reset makes it another node
            self._judge_step(line, entry.node, before, after)
        self._put(line, entry.node, after)

    def _end(self, line: int, entry: Ended) -> None:
        """What was recorded is what the replay led to; it is kept to compare a start with."""
        before = self._at(entry.node)
        if before.state != entry.state:
            self.differences.append(f"line {line}: node {entry.node} ended in another state")
        self._put(line, entry.node, attrs.evolve(before, state=None, saved=entry.state))

    def _judge_step(self, line: int, node: int, before: Process, after: Process) -> None:
        if not EPOCHS_MONOTONE.judge(node, before, after):
            self._violated(EPOCHS_MONOTONE.id, line, EPOCHS_MONOTONE.text)

    def _put(self, line: int, node: int, process: Process) -> None:
        if self.processes.get(node) is process:
            return
        self.processes[node] = process
        for prop in _INVARIANTS:
            known = self._projections.setdefault(prop.id, {})
            new = prop.project(node, process)
            if node not in known or known[node] != new:
                known[node] = new
                if not prop.judge(tuple(known.values())):
                    self._violated(prop.id, line, prop.text)

    def _violated(self, property_id: str, line: int, text: str) -> None:
        self.violations.setdefault(property_id, Violation(property_id, line, text))


def _running(process: Process) -> ClusterState:
    if process.state is None:
        raise DamagedJournalError("an event of a node that does not run")
    return process.state


def replay_journal(lines: Iterable[str]) -> Replay:
    """The run that the lines tell has been replayed and judged.

    DamagedJournalError if a line but the last, when it is not whole, tells nothing.
    """
    done = Replay()
    for number, line in enumerate(lines, 1):
        try:
            done.take(number, read_entry(line))
        except JournalError as error:
            if not line.endswith("\n"):
                done.cut_off = True
                break
            raise DamagedJournalError(f"line {number}: {error}") from error
        except DamagedJournalError as error:
            raise DamagedJournalError(f"line {number}: {error}") from error
    return done


def is_journal(file: Path) -> bool:
    """Whether the file begins as a journal does."""
    with file.open(encoding="utf-8", errors="replace") as opened:
        return _FIRST_KIND in opened.readline(_FIRST_LENGTH)


def obey_journal(file: Path) -> int:
    """The journal has been replayed and what is found is told; the exit code says how it went."""
    with file.open(encoding="utf-8") as lines:
        done = replay_journal(lines)
    console = Console()
    tell(done, console)
    return EXIT_VIOLATED if done.violations or done.differences else EXIT_HOLDS


def tell(done: Replay, console: Console) -> None:
    """What the replay found is on the console."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    say(f"{done.events:,} events of {len(done.processes)} nodes, {done.won} elections won")
    if done.cut_off:
        say("the last line is cut off, and was left out")
    judged = [(prop.id, prop.text) for prop in _INVARIANTS]
    for property_id, text in (*judged, (EPOCHS_MONOTONE.id, EPOCHS_MONOTONE.text)):
        found = done.violations.get(property_id)
        verdict = "holds" if found is None else f"VIOLATED at line {found.line}"
        say(f"{property_id} {verdict}: {text}")
    for difference in done.differences:
        say(f"not replayed as recorded: {difference}")

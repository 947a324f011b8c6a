"""What the runs of a command exercised, all of them together."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import attrs
from typing_extensions import override

from model_check.coverage.calls import Call, calls_of
from model_check.coverage.switches import decides, read_by
from model_check.forwarding import ForwardingSystem
from model_check.models.cluster import ClusterSystem, ModelEvent, ModelMessage, Process
from model_check.system import Move, Step
from reference.core.effects import Notice, Refusal

R = TypeVar("R", bound=Hashable)


@attrs.define
class Coverage:
    """For each thing that was exercised, the first run in which it was.

    Functions are named by `Function.short`. One that was called may have done nothing: it fired if
    it changed the state, had an effect, or gave an answer that was not no. A refusal counts when a
    rule comes to it, whether or not that is told. A switch that was read decided if the outcome of
    a step would have been another with the switch the other way.
    """

    called: dict[str, str] = attrs.field(factory=dict)
    fired: dict[str, str] = attrs.field(factory=dict)
    refusals: dict[str, str] = attrs.field(factory=dict)
    happenings: dict[str, str] = attrs.field(factory=dict)
    read: dict[str, str] = attrs.field(factory=dict)
    decided: dict[str, str] = attrs.field(factory=dict)
    runs: list[str] = attrs.field(factory=list)

    def watcher(self, run: str) -> Callable[[ClusterSystem], "WatchedSystem"]:
        """What makes a system one whose steps are recorded, under the name of the run."""
        self.runs.append(run)
        return lambda system: WatchedSystem(system, self, run)

    @property
    def models(self) -> set[str]:
        """The models of the runs."""
        return {run.partition(" ")[0] for run in self.runs}

    def saw_call(self, call: Call, run: str) -> None:
        """A function was called in the run."""
        self.called.setdefault(call.function.short, run)
        if call.fired:
            self.fired.setdefault(call.function.short, run)
        if call.refusal is not None:
            self.refusals.setdefault(call.refusal.name, run)

    def saw_notes(self, notes: Iterable[object], run: str) -> None:
        """These things were told in the run."""
        for note in notes:
            if isinstance(note, Notice):
                told = self.refusals if isinstance(note.what, Refusal) else self.happenings
                told.setdefault(note.what.name, run)


class WatchedSystem(ForwardingSystem[Process, ModelMessage, ModelEvent]):
    """A system that does what another one does, and records what of the core runs for it.

    The engine asks for each step once, so this costs by the step and not by the transition.
    """

    def __init__(self, system: ClusterSystem, coverage: Coverage, run: str) -> None:
        """The system, watched."""
        super().__init__(system)
        self._coverage = coverage
        self._run = run

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        return self._watched(lambda node: tuple(self._system.moves(process, node)), state)

    @override
    def act(
        self, process: int, state: Process, move: Move[ModelEvent]
    ) -> Step[Process, ModelMessage]:
        step = self._watched(lambda node: self._system.act(process, node, move), state)
        self._coverage.saw_notes(step.notes, self._run)
        return step

    @override
    def receive(
        self, process: int, state: Process, message: ModelMessage, lane: int
    ) -> Step[Process, ModelMessage] | None:
        step = self._watched(lambda node: self._system.receive(process, node, message, lane), state)
        if step is not None:
            self._coverage.saw_notes(step.notes, self._run)
        return step

    def _watched(self, work: Callable[[Process], R], state: Process) -> R:
        """What the work gives for this state; it is done again to see what it depends on."""
        outcome, calls = calls_of(lambda: work(state))
        for call in calls:
            self._coverage.saw_call(call, self._run)
        read = read_by(work, state)
        for name in sorted(read):
            self._coverage.read.setdefault(name, self._run)
        for name in sorted(read - self._coverage.decided.keys()):
            if decides(name, work, state, outcome):
                self._coverage.decided[name] = self._run
        return outcome

"""A system that is asked everything only once, and in which equal states are the same object."""

from collections.abc import Hashable, Iterator
from typing import Any

import attrs
from typing_extensions import override

from model_check.forwarding import ForwardingSystem
from model_check.system import Channel, Move, Step, System
from model_check.trace import StepKind, TraceStep


class Remembered(ForwardingSystem[Any, Any, Any]):
    """The same system; what it has answered is remembered."""

    def __init__(self, system: System[Any, Any, Any]) -> None:
        """Nothing has been asked."""
        super().__init__(system)
        self._states: dict[Hashable, Hashable] = {}
        self._moves: dict[tuple[int, Hashable], tuple[Move[Any], ...]] = {}
        self._acts: dict[tuple[int, Hashable, Move[Any]], Step[Any, Any]] = {}
        self._receipts: dict[tuple[int, Hashable, Hashable, int], Step[Any, Any] | None] = {}

    @override
    def initial(self) -> tuple[Any, ...]:
        return tuple(self._states.setdefault(each, each) for each in self._system.initial())

    @override
    def moves(self, process: int, state: Hashable) -> tuple[Move[Any], ...]:
        key = (process, state)
        if key not in self._moves:
            self._moves[key] = tuple(self._system.moves(process, state))
        return self._moves[key]

    @override
    def act(self, process: int, state: Hashable, move: Move[Any]) -> Step[Any, Any]:
        key = (process, state, move)
        if key not in self._acts:
            self._acts[key] = self._with_known(self._system.act(process, state, move))
        return self._acts[key]

    @override
    def receive(
        self, process: int, state: Hashable, message: Hashable, lane: int
    ) -> Step[Any, Any] | None:
        key = (process, state, message, lane)
        if key not in self._receipts:
            step = self._system.receive(process, state, message, lane)
            self._receipts[key] = None if step is None else self._with_known(step)
        return self._receipts[key]

    def _with_known(self, step: Step[Any, Any]) -> Step[Any, Any]:
        return attrs.evolve(step, state=self._states.setdefault(step.state, step.state))

    def steps(self) -> Iterator[TraceStep]:
        """What was asked of moves and messages, each with its answer; messages have no sender."""
        for (process, state, move), done in self._acts.items():
            yield _told("move", process, state, done, event=move.event)
        for (process, state, message, lane), received in self._receipts.items():
            if received is not None:
                channel = (process, process, lane)
                yield _told("deliver", process, state, received, message=message, channel=channel)

    def acted(
        self, process: int, local: tuple[Any, ...], event: object, after: object
    ) -> Step[Any, Any]:
        """The outcome of the move of this event, made when the processes were in `local`."""
        state = local[process]
        moves = [*self.moves(process, state)]
        if process in self.watchers:
            seen = tuple(self.observe(*pair) for pair in enumerate(local))
            moves += self.moves_seeing(process, state, seen)
        outcomes = [self.act(process, state, move) for move in moves if move.event == event]
        return next(step for step in outcomes if step.state == after)


def _told(
    kind: StepKind,
    process: int,
    before: Hashable,
    done: Step[Any, Any],
    *,
    event: Hashable | None = None,
    message: Hashable | None = None,
    channel: Channel | None = None,
) -> TraceStep:
    return TraceStep(
        kind=kind,
        process=process,
        event=event,
        message=message,
        channel=channel,
        before=before,
        after=done.state,
        sends=done.sends,
        notes=done.notes,
    )

"""What each process can do by itself, each step computed once and its messages as bits.

On `set` links all that matters of a message is whether it was ever sent, to whom and on which
lane: an arrival. The arrivals that were ever sent are the bits of one number.
"""

from collections.abc import Hashable, Iterator
from typing import Any

import attrs

from model_check.system import Send, Step, System

Arrival = tuple[int, int, Hashable]
"""A receiver, a lane and a message."""


@attrs.frozen(eq=False)
class LocalStep:
    """A move, or a delivery, that a process may make in one of its local states.

    `needs` is the arrival that is delivered, `adds` are the bits of what is sent.
    """

    process: int
    before: int  # numbers of local states
    after: int
    adds: int
    sends: tuple[Send[Any], ...]
    notes: tuple[Hashable, ...]
    event: Hashable | None = None
    cost: int | None = None  # the place of the budget
    needs: int | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it leaves the process and the budgets as they were."""
        return self.before == self.after and self.cost is None


@attrs.define(eq=False)
class _Known:
    """What has been worked out about a local state."""

    process: int
    value: Hashable
    is_down: bool
    moves: tuple[LocalStep, ...] | None = None
    received: int = 0  # the arrivals whose outcome is known
    changing: list[LocalStep] = attrs.field(factory=list)  # deliveries that change it
    echoing: list[LocalStep] = attrs.field(factory=list)  # that do not, but send something


class LocalSteps:
    """The local states and arrivals of a system met so far, numbered, and the steps between."""

    def __init__(self, system: System[Any, Any, Any]) -> None:
        self.system = system
        self.calls = 0  # of act and receive
        self.costs = tuple(system.budgets)
        self.arrivals: list[Arrival] = []
        self.addressed = [0] * len(system.processes)  # the arrivals for each process
        self._bits: dict[Arrival, int] = {}
        self._numbers: dict[tuple[int, Hashable], int] = {}
        self._known: list[_Known] = []
        self._seeing: dict[tuple[int, tuple[Hashable, ...]], tuple[LocalStep, ...]] = {}
        self._shown: dict[int, Hashable] = {}

    def __len__(self) -> int:
        return len(self._known)

    def state(self, process: int, value: Hashable) -> int:
        """The number of a local state."""
        number = self._numbers.setdefault((process, value), len(self._known))
        if number == len(self._known):
            self._known.append(_Known(process, value, self.system.is_down(process, value)))
        return number

    def value(self, state: int) -> Hashable:
        """The local state of this number."""
        return self._known[state].value

    def bit(self, send: Send[Any]) -> int:
        """The number of the arrival that is sent."""
        arrival = (send.dest, send.lane, send.message)
        number = self._bits.setdefault(arrival, len(self.arrivals))
        if number == len(self.arrivals):
            self.arrivals.append(arrival)
            self.addressed[send.dest] |= 1 << number
        return number

    def start(self) -> tuple[tuple[int, ...], int]:
        """The local states at the start, and the arrivals that lie in the network."""
        states = tuple(self.state(*pair) for pair in enumerate(self.system.initial()))
        return states, self._mask(tuple(send for _, send in self.system.initial_messages()))

    def moves(self, state: int) -> tuple[LocalStep, ...]:
        """Every move that depends on the local state alone, and changes or sends anything."""
        known = self._known[state]
        if known.moves is None:
            moves = self.system.moves(known.process, known.value)
            known.moves = tuple(self._moved(state, moves))
        return known.moves

    def moves_seeing(self, state: int, states: tuple[int, ...]) -> tuple[LocalStep, ...]:
        """The further moves of a watcher that sees the processes in these states."""
        seen = tuple(self._sight(each) for each in states)
        steps = self._seeing.get((state, seen))
        if steps is None:
            known = self._known[state]
            moves = self.system.moves_seeing(known.process, known.value, seen)
            steps = self._seeing[state, seen] = tuple(self._moved(state, moves))
        return steps

    def changing(self, state: int, sent: int) -> Iterator[LocalStep]:
        """The deliveries of what was sent that change the local state."""
        self._receive(state, sent)
        return (step for step in self._known[state].changing if sent >> (step.needs or 0) & 1)

    def echoing(self, state: int, sent: int) -> Iterator[LocalStep]:
        """The deliveries that leave the local state as it is, but send something."""
        self._receive(state, sent)
        return (step for step in self._known[state].echoing if sent >> (step.needs or 0) & 1)

    def _sight(self, state: int) -> Hashable:
        if state not in self._shown:
            known = self._known[state]
            self._shown[state] = self.system.observe(known.process, known.value)
        return self._shown[state]

    def _receive(self, state: int, sent: int) -> None:
        """The outcome of each of these deliveries is known."""
        known = self._known[state]
        new = 0 if known.is_down else sent & self.addressed[known.process] & ~known.received
        known.received |= new
        while new:
            lowest = new & -new
            new ^= lowest
            needs = lowest.bit_length() - 1
            _, lane, message = self.arrivals[needs]
            self.calls += 1
            step = self.system.receive(known.process, known.value, message, lane)
            if step is None:
                continue
            local = self._local(state, step, needs=needs)
            if local.after != state:
                known.changing.append(local)
            elif local.adds:
                known.echoing.append(local)

    def _moved(self, state: int, moves: Any) -> Iterator[LocalStep]:  # noqa: ANN401  of any events
        known = self._known[state]
        for move in moves:
            self.calls += 1
            cost = None if move.cost is None else self.costs.index(move.cost)
            outcome = self.system.act(known.process, known.value, move)
            step = self._local(state, outcome, event=move.event, cost=cost)
            if not step.is_idle or step.adds:
                yield step

    def _local(
        self,
        before: int,
        step: Step[Any, Any],
        *,
        event: Hashable | None = None,
        cost: int | None = None,
        needs: int | None = None,
    ) -> LocalStep:
        process = self._known[before].process
        return LocalStep(
            process=process,
            before=before,
            after=self.state(process, step.state),
            adds=self._mask(step.sends),
            sends=step.sends,
            notes=step.notes,
            event=event,
            cost=cost,
            needs=needs,
        )

    def _mask(self, sends: tuple[Send[Any], ...]) -> int:
        mask = 0
        for send in sends:
            mask |= 1 << self.bit(send)
        return mask

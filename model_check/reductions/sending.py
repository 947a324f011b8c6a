"""The worlds of a system on `set` links in which all that can be sent for nothing has been sent.

What was ever sent stays, and nothing has to be delivered: a world in which more was sent can do
whatever the same world with less can do, and never ends up with less. So a step that only sends,
and leaves every process and every budget as it is, may be made before any other: what is reachable
then has the same local states. Such steps are heartbeats, and answers that change nothing.

For the same reason a world need not be looked into if one with the same local states, as much left
of each budget, and more sent, is known (`Covered`).
"""

from collections.abc import Iterator

import attrs

from model_check.reductions.steps import LocalStep, LocalSteps
from model_check.trace import Trace, TraceStep

World = tuple[tuple[int, ...], tuple[int, ...], int]
"""The local states, what is left of the budgets, and the arrivals that were ever sent."""


@attrs.frozen(eq=False)
class Way:
    """A world and how it was come to."""

    world: World
    depth: int = 0
    step: LocalStep | None = None
    parent: "Way | None" = None

    def steps(self) -> list[LocalStep]:
        """Those that were made on the way, without those that only send."""
        made: list[LocalStep] = []
        way: Way | None = self
        while way is not None and way.step is not None:
            made.append(way.step)
            way = way.parent
        return made[::-1]


class Sending:
    """What can happen in these worlds."""

    def __init__(self, steps: LocalSteps) -> None:
        self.sent_for_nothing: set[LocalStep] = set()  # the moves that only send
        self.echoed: set[LocalStep] = set()  # the deliveries that only made somebody answer
        self._steps = steps
        self._watchers = frozenset(steps.system.watchers)
        self._free: dict[int, int] = {}  # by local state: what it can send for nothing

    def start(self) -> Way:
        """Where every run starts."""
        states, sent = self._steps.start()
        budgets = tuple(self._steps.system.budgets.values())
        return Way((states, budgets, self._all_sent(states, sent)))

    def onward(self, way: Way) -> Iterator[Way]:
        """Where each step leads that changes a local state or costs something."""
        states, left, sent = way.world
        for process in range(len(states)):
            for step in self.steps_of(way.world, process):
                after = (*states[:process], step.after, *states[process + 1 :])
                kept = left
                if step.cost is not None:
                    kept = (*left[: step.cost], left[step.cost] - 1, *left[step.cost + 1 :])
                everything = self._all_sent(after, sent | step.adds)
                yield Way((after, kept, everything), way.depth + 1, step, way)

    def steps_of(self, world: World, process: int) -> Iterator[LocalStep]:
        """The steps of a process that change its local state or cost something."""
        states, left, sent = world
        for step in self._moves(process, states):
            if not step.is_idle and (step.cost is None or left[step.cost]):
                yield step
        yield from self._steps.changing(states[process], sent)

    def trace(self, made: list[LocalStep]) -> Trace:
        """The path of these steps from the start, with those that send what they deliver."""
        system = self._steps.system
        initial = system.initial_messages()
        senders: dict[int, int] = {}
        for sender, send in initial:
            senders.setdefault(self._steps.bit(send), sender)
        told = tuple(self._told(step, senders) for step in self._needed(made))
        return Trace(initial=tuple(system.initial()), initial_messages=tuple(initial), steps=told)

    def _needed(self, made: list[LocalStep]) -> list[LocalStep]:
        """These steps, and between them those that send what is delivered in the end."""
        states, sent = self._steps.start()
        full: list[tuple[LocalStep, int, bool]] = []
        for step in [*made, None]:
            before = sent
            for idle in self._idle(states, sent):
                full.append((idle, idle.adds & ~before, False))
                before |= idle.adds
            if step is None:
                break
            full.append((step, step.adds & ~before, True))
            sent = before | step.adds
            states = (*states[: step.process], step.after, *states[step.process + 1 :])
        wanted, kept = 0, []
        for step, new, is_made in reversed(full):
            if is_made or new & wanted:
                kept.append(step)
                wanted &= ~new
                wanted |= 0 if step.needs is None else 1 << step.needs
        return kept[::-1]

    def _told(self, step: LocalStep, senders: dict[int, int]) -> TraceStep:
        for send in step.sends:
            senders.setdefault(self._steps.bit(send), step.process)
        channel = message = None
        if step.needs is not None:
            receiver, lane, message = self._steps.arrivals[step.needs]
            channel = (senders[step.needs], receiver, lane)
        return TraceStep(
            kind="move" if channel is None else "deliver",
            process=step.process,
            event=step.event,
            message=message,
            channel=channel,
            before=self._steps.value(step.before),
            after=self._steps.value(step.after),
            sends=step.sends,
            notes=step.notes,
        )

    def _moves(self, process: int, states: tuple[int, ...]) -> Iterator[LocalStep]:
        yield from self._steps.moves(states[process])
        if process in self._watchers:
            yield from self._steps.moves_seeing(states[process], states)

    def _all_sent(self, states: tuple[int, ...], sent: int) -> int:
        for idle in self._idle(states, sent):
            sent |= idle.adds
        return sent

    def _idle(self, states: tuple[int, ...], sent: int) -> Iterator[LocalStep]:
        """Steps that only send, each of something that was not sent before, until none is left."""
        for process, state in enumerate(states):
            for step in self._moves(process, states) if self._may_send(state, sent) else ():
                if step.is_idle and step.adds & ~sent:
                    sent |= step.adds
                    self.sent_for_nothing.add(step)
                    yield step
        news = True
        while news:
            news = False
            for state in states:
                for step in self._steps.echoing(state, sent):
                    if step.adds & ~sent:
                        sent |= step.adds
                        news = True
                        self.echoed.add(step)
                        yield step

    def _may_send(self, state: int, sent: int) -> bool:
        """Whether a move of the local state may send, for nothing, what was not sent before."""
        if self._watchers:
            return True
        free = self._free.get(state)
        if free is None:
            free = 0
            for step in self._steps.moves(state):
                free |= step.adds if step.is_idle else 0
            self._free[state] = free
        return bool(free & ~sent)


class Covered:
    """The worlds met so far of which no other one can do all, and more."""

    def __init__(self) -> None:
        self._most: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._most.values()))

    def add(self, world: World) -> bool:
        """Whether the world can do something that none of those before can."""
        states, left, sent = world
        most = self._most.setdefault((states, left), [])
        if any(sent | other == other for other in most):
            return False
        most[:] = [other for other in most if other | sent != sent]
        most.append(sent)
        return True

    def still_has(self, world: World) -> bool:
        """Whether no world met since it was added can do all that it can."""
        states, left, sent = world
        return sent in self._most[states, left]

    def local_states(self) -> set[tuple[int, ...]]:
        """All tuples of local states that were met."""
        return {states for states, _ in self._most}

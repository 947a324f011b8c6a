"""Each process by itself, with every message that any process could send in any history."""

from collections.abc import Iterator
from time import perf_counter
from typing import Final, Literal

from model_check.engine import Limits
from model_check.reductions.steps import LocalStep, LocalSteps

Left = tuple[int, ...]
"""How much of each budget a process has left, as if no other used any."""

_OFTEN: Final = 64
"""After how many local states the limits are looked at."""


class Apart:
    """The local states of each process, more than are reachable, up to the fixpoint."""

    def __init__(self, steps: LocalSteps, limits: Limits) -> None:
        self.stopped_by: Literal["states", "seconds"] | None = None
        self.taken: set[LocalStep] = set()  # those that change a local state
        self.before: dict[int, set[int]] = {}  # by local state: those one step before
        self.reached: list[dict[int, list[Left]]] = []  # by process, local state: the most left
        self._steps, self._limits = steps, limits
        states, self.sent = steps.start()
        whole = tuple(steps.system.budgets.values())
        self._delivered: dict[int, int] = {}
        self._changed: set[int] = set(states)  # more may be left there than before
        self.reached = [{state: [whole]} for state in states]
        self._began = perf_counter()

    def run(self) -> None:
        """The fixpoint is reached, or a limit."""
        while self.stopped_by is None:
            due = [
                (process, state)
                for process, reached in enumerate(self.reached)
                for state in reached
                if state in self._changed or self._news(process, state)
            ]
            if not due:
                return
            for number, (process, state) in enumerate(due):
                if number % _OFTEN == 0 and self._limit_reached():
                    return
                self._expand(process, state)

    def _news(self, process: int, state: int) -> int:
        """The messages that were not delivered to the local state before."""
        arrived = self.sent & self._steps.addressed[process]
        return arrived & ~self._delivered.get(state, 0)

    def _expand(self, process: int, state: int) -> None:
        has_changed = state in self._changed
        self._changed.discard(state)
        news = self._news(process, state)
        self._delivered[state] = self._delivered.get(state, 0) | news
        arrived = self._delivered[state] if has_changed else news
        for step in self._steps_of(state, arrived, with_moves=has_changed):
            for left in tuple(self.reached[process][state]):
                self._take(step, left)

    def _steps_of(self, state: int, arrived: int, *, with_moves: bool) -> Iterator[LocalStep]:
        yield from self._steps.changing(state, arrived)
        yield from self._steps.echoing(state, arrived)
        if with_moves:
            yield from self._steps.moves(state)

    def _take(self, step: LocalStep, left: Left) -> None:
        if step.cost is not None:
            if not left[step.cost]:
                return
            left = (*left[: step.cost], left[step.cost] - 1, *left[step.cost + 1 :])
        self.sent |= step.adds
        if step.before != step.after:
            self.taken.add(step)
            self.before.setdefault(step.after, set()).add(step.before)
        most = self.reached[step.process].setdefault(step.after, [])
        if any(_covers(other, left) for other in most):
            return
        most[:] = [other for other in most if not _covers(left, other)]
        most.append(left)
        self._changed.add(step.after)

    def _limit_reached(self) -> bool:
        states, seconds = self._limits.states, self._limits.seconds
        if states is not None and sum(map(len, self.reached)) >= states:
            self.stopped_by = "states"
        elif seconds is not None and perf_counter() - self._began >= seconds:
            self.stopped_by = "seconds"
        return self.stopped_by is not None


def _covers(one: Left, other: Left) -> bool:
    return all(more >= less for more, less in zip(one, other, strict=True))

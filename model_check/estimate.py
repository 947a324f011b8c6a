"""How much of an exploration is left, judged by how many new states the expanded ones bring.

At first each expanded state brings several new ones; later ever fewer, and when they bring less
than one each, the queue shrinks until it is empty. If the number goes on falling along the line
that it has followed since half of what was expanded, the end can be computed. That is a guess, and
nothing is said while the number does not fall, nor while a guess of a moment ago and that of now
are far apart. In seven explorations of 44 thousand to 5 million states, what was said was within a
factor of 1.3 once half of the states were expanded, and before that mostly within a factor of 2.
"""

import math
from typing import Final

import attrs

from model_check.engine import Progress

_NEXT: Final = 1.01
"""By how much more must be expanded for another sample to be kept."""
_STEADY: Final = 1.5
"""How far apart two guesses may be, as a factor."""
_FEWEST: Final = 1_000
"""Below so many expanded states there is nothing to go by."""


@attrs.frozen
class _Sample:
    expanded: int
    distinct: int
    seconds: float


class Estimate:
    """What the samples so far say of the end."""

    def __init__(self) -> None:
        self._samples: list[_Sample] = []

    def add(self, progress: Progress) -> None:
        """The progress is taken into account."""
        expanded = progress.distinct_states - progress.waiting
        last = self._samples[-1].expanded if self._samples else 0
        if expanded >= max(last * _NEXT, last + 1):
            sample = _Sample(expanded, progress.distinct_states, progress.seconds)
            self._samples.append(sample)

    def states(self) -> float | None:
        """How many states there will be in the end, None if that cannot be told."""
        if not self._samples or self._samples[-1].expanded < _FEWEST:
            return None
        now = self._samples[-1]
        before = self._at(0.85 * now.expanded)
        guess, guess_before = self._guess(now), self._guess(before)
        if guess is None or guess_before is None:
            return None
        apart = guess / guess_before
        return guess if 1 / _STEADY <= apart <= _STEADY else None

    def text(self) -> str:
        """The guess in words."""
        states = self.states()
        if states is None:
            return "no telling yet how much is left"
        now, middle = self._samples[-1], self._at(0.5 * self._samples[-1].expanded)
        pace = (now.expanded - middle.expanded) / max(now.seconds - middle.seconds, 1e-9)
        left = max(states - now.expanded, 0.0)
        return (
            f"perhaps {now.expanded / max(states, now.expanded):.0%} done and "
            f"{left / pace:,.0f} s left, if new states go on thinning out"
        )

    def _at(self, expanded: float) -> _Sample:
        return min(self._samples, key=lambda sample: abs(sample.expanded - expanded))

    def _guess(self, now: _Sample) -> float | None:
        """The states in the end, if new ones per expanded one fall on along a line."""
        first, middle = self._at(0.5 * now.expanded), self._at(0.75 * now.expanded)
        if not first.expanded < middle.expanded < now.expanded:
            return None
        earlier, later = _new_per_expanded(first, middle), _new_per_expanded(middle, now)
        between = (now.expanded - first.expanded) / 2
        fall = (earlier - later) / between
        if fall <= 0:
            return None
        current = later - fall * (now.expanded - middle.expanded) / 2
        # The queue after x more: waiting + (current - 1) x - fall x^2 / 2.
        waiting, growth = now.distinct - now.expanded, current - 1
        left = (growth + math.sqrt(growth * growth + 2 * fall * waiting)) / fall
        return now.expanded + left


def _new_per_expanded(one: _Sample, other: _Sample) -> float:
    return (other.distinct - one.distinct) / (other.expanded - one.expanded)

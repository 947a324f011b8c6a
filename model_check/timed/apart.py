"""The others, once A is cut off from them for good: they go on without it, and it without them.

Nothing that the others do reaches A any more, and nothing of A reaches them. Of what they will do
only one thing counts: at which instants the successor takes writes. If it will from some instant on
for ever, all states of the others in which that is as far away are alike, whatever else differs
between them. One of them stands for all: a world with it has the same windows, and
`tests/model/test_timed.py` compares them. Else all that the others can be were multiplied by all
that A can be.
"""

from collections.abc import Callable
from typing import Final

Others = tuple[int, ...]
"""All nodes but A, by number."""

NEVER: Final = -1
"""The successor never takes writes."""
UNSTEADY: Final = -2
"""It takes writes, and does not, and does again: such states stand for themselves."""


class Apart:
    """What becomes of the others by themselves, each state looked into once."""

    def __init__(
        self, after: Callable[[Others], Others], takes_writes: Callable[[Others], bool]
    ) -> None:
        """They go from state to state like this, an instant each, and the successor does this."""
        self._after = after
        self._takes_writes = takes_writes
        self._left: dict[Others, int] = {}
        self._standing: dict[int, Others] = {}

    def left(self, others: Others) -> int:
        """In how many instants the successor takes writes for good, or NEVER, or UNSTEADY."""
        way: list[Others] = []
        place: dict[Others, int] = {}
        at = others
        while at not in self._left and at not in place:
            place[at] = len(way)
            way.append(at)
            at = self._after(at)
        if at in place:
            circle = way[place[at] :]
            self._left.update(dict.fromkeys(circle, self._on_circle(circle)))
            way = way[: place[at]]
        for state in reversed(way):
            self._left[state] = self._before(state, self._left[at])
            at = state
        return self._left[others]

    def _on_circle(self, circle: list[Others]) -> int:
        ever = {self._takes_writes(state) for state in circle}
        if len(ever) > 1:
            return UNSTEADY
        return 0 if ever.pop() else NEVER

    def _before(self, state: Others, left: int) -> int:
        """One instant before it is that far away."""
        if not self._takes_writes(state):
            return left + 1 if left >= 0 else left
        return 0 if not left else UNSTEADY

    def standing_for(self, others: Others) -> Others:
        """One of those in which the successor is as far away."""
        left = self.left(others)
        return others if left == UNSTEADY else self._standing.setdefault(left, others)

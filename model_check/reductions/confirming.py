"""The search for a history of the whole system that leads to what local states let one suspect.

It goes through the worlds of `sending`, those first whose processes have the fewest local steps to
go to local states that were suspected together, and not into those from which a process has no way
to any. So it either finds a history, or there is none, or its budget of worlds ends.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final, Literal

import attrs

from model_check.reductions.sending import Covered, Sending, Way
from model_check.reductions.steps import LocalSteps

FAR: Final = 1_000_000
"""The distance to what is out of reach."""

_PERHAPS: Final = 1_000
"""The distance to what may be within reach."""

Distances = Mapping[int, int]
"""By local state: the local steps to the nearest of some others; FAR if it has none."""


@attrs.frozen(kw_only=True)
class Suspicion:
    """Local states, one set for each process, from which what is suspected would follow."""

    distances: tuple[Distances | None, ...]  # None: that process does not matter

    def of(self, states: tuple[int, ...], unknown: int) -> int:
        """How many local steps there are to go, FAR if some process cannot get there."""
        total = 0
        for near, state in zip(self.distances, states, strict=True):
            steps = 0 if near is None else near.get(state, unknown)
            if steps >= FAR:
                return FAR
            total += steps
        return total


@attrs.frozen(kw_only=True)
class Search:
    """How a search for a history ended."""

    outcome: Literal["found", "none", "given up"]
    worlds: int
    way: Way | None = None


def distances(targets: Iterable[int], before: Mapping[int, set[int]]) -> Distances:
    """How far each local state is from the nearest target; `before` leads one step back."""
    near = dict.fromkeys(targets, 0)
    waiting = deque(near)
    while waiting:
        state = waiting.popleft()
        for earlier in before.get(state, ()):
            if earlier not in near:
                near[earlier] = near[state] + 1
                waiting.append(earlier)
    return near


def search(
    steps: LocalSteps,
    suspicions: Sequence[Suspicion],
    is_found: Callable[[Way], bool],
    *,
    worlds: int,
    all_known: bool,
) -> Search:
    """A history that ends where `is_found` says so, within so many worlds.

    `all_known`: the suspicions are all there are, and know every local state, so that a world that
    is far from each is of no use.
    """
    sending, covered, count = Sending(steps), Covered(), 0
    waiting: list[tuple[int, int, int, Way]] = []

    def met(way: Way) -> bool:
        nonlocal count
        unknown = FAR if all_known else _PERHAPS
        to_go = min((each.of(way.world[0], unknown) for each in suspicions), default=0)
        if (to_go < FAR or not all_known) and covered.add(way.world):
            count += 1
            heappush(waiting, (to_go, way.depth, count, way))
        return is_found(way)

    if met(sending.start()):
        return Search(outcome="found", worlds=1, way=sending.start())
    while waiting:
        *_, way = heappop(waiting)
        if not covered.still_has(way.world):
            continue
        for onward in sending.onward(way):
            if met(onward):
                return Search(outcome="found", worlds=count, way=onward)
        if count >= worlds:
            return Search(outcome="given up", worlds=count)
    return Search(outcome="none", worlds=count)

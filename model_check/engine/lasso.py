"""Counterexamples of what leads to what: a shortest path to a fair loop, and the loop."""

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints, Narrow
from model_check.engine.digraph import NONE, Digraph
from model_check.engine.fairness import OWED_NOTHING, OWED_STRONGLY, Deeds


@attrs.frozen(kw_only=True, eq=False)
class Waiting:
    """The states in which what was asked for has not come yet, each by a shortest path."""

    distance: Narrow  # of each state from the initial one, by way of the asking; NONE if not so
    came: Ints  # the edge by which each was reached, NONE if the asking starts there

    @property
    def states(self) -> Flags:
        """Whether each state is one of them."""
        return np.not_equal(self.distance, NONE)


def waiting(ways: Digraph, depth: Ints, asks: Flags, arrived: Flags) -> Waiting:
    """Where runs can be after a state that asks, without having arrived since.

    All edges count, those that need faults too. Shapes: (states,).
    """
    distance = np.full(len(ways), NONE, dtype=np.int32)
    came: Ints = np.full(len(ways), NONE, np.int64 if ways.edges >= 1 << 31 else np.int32)
    starts = np.flatnonzero(asks & ~arrived)
    starts = starts[np.argsort(depth[starts], kind="stable")]
    begins = np.searchsorted(depth[starts], np.arange(int(depth.max(initial=0)) + 2))
    level: Ints = starts[:0]
    at = 0
    while level.size or at < len(begins) - 1:
        if at < len(begins) - 1:
            fresh = starts[begins[at] : begins[at + 1]]
            fresh = fresh[distance[fresh] == NONE]
            distance[fresh] = at
            level = np.concatenate((level, fresh))
        _, edges = ways.out(level)
        ahead = ways.target[edges]
        new = np.flatnonzero((distance[ahead] == NONE) & ~arrived[ahead])
        level, first = np.unique(ahead[new], return_index=True)
        came[level] = edges[new[first]]
        at += 1
        distance[level] = at
    return Waiting(distance=distance, came=came)


def stem(ways: Digraph, found: Waiting, state: int) -> tuple[int, list[int]]:
    """The state that asks, and the numbers of the transitions from it to the given state."""
    numbers: list[int] = []
    while (edge := int(found.came[state])) != NONE:
        numbers.append(int(ways.given(np.array([edge]))[0]))
        state = int(np.searchsorted(ways.start, edge, side="right")) - 1
    return state, numbers[::-1]


def loop(done: Deeds, component: Flags, busy: Flags, state: int) -> list[int]:
    """The numbers of transitions from the state back to it, all in its fair component, and fair.

    Not the shortest such loop: each deed that is owed is done by the shortest way from where the
    one before was. None if the run may stop at once.
    """
    states = np.flatnonzero(component)
    place = np.full(len(component), NONE, dtype=np.int32)
    place[states] = np.arange(len(states), dtype=np.int32)
    part = done.take(np.flatnonzero(component[done.source]))
    part = attrs.evolve(part, source=place[part.source], target=place[part.target])
    return _Tour(part, busy[states]).round(int(place[state]))


class _Tour:
    """A walk in a fair component, from a state and back to it, that leaves nothing owed."""

    def __init__(self, done: Deeds, busy: Flags) -> None:
        self._done = done
        self._quiet = ~busy
        self._inside = np.flatnonzero(done.target != NONE)
        source, target = done.source[self._inside], done.target[self._inside]
        self._ways = Digraph.of(source, target, len(busy))
        self._edges: list[int] = []
        self._visited: list[int] = []

    def round(self, home: int) -> list[int]:
        """The transitions of the walk."""
        self._visited.append(home)
        for deed in np.unique(self._done.deed[self._done.owed > OWED_NOTHING]).tolist():
            self._pay(deed)
        if self._edges:
            self._walk(np.arange(len(self._quiet)) == home)
        return [int(self._done.number[edge]) for edge in self._edges]

    def _pay(self, deed: int) -> None:
        """The walk goes on until the deed is done, or cannot be done if it is owed weakly."""
        done = self._done
        does = np.flatnonzero(done.deed == deed)
        owing = does[done.owed[does] > OWED_NOTHING]
        excused = np.zeros(len(self._quiet), dtype=np.bool_)
        if not (done.owed[owing] == OWED_STRONGLY).any():
            excused = self._quiet.copy()
            excused[done.source[owing]] = False
            if not self._quiet[done.source[owing]].any():
                return
        if excused[self._visited].any() or (done.deed[self._edges] == deed).any():
            return
        does = does[done.target[does] != NONE]
        goals = excused.copy()
        goals[done.source[does]] = True
        here = self._walk(goals)
        if not excused[here]:
            edge = int(does[done.source[does] == here][0])
            self._edges.append(edge)
            self._visited.append(int(done.target[edge]))

    def _walk(self, goals: Flags) -> int:
        """The walk goes on by a shortest way to one of the goals; which one it is."""
        here = self._visited[-1]
        order, before = self._ways.breadth_first(here)
        way = [int(order[np.argmax(goals[order])])]
        while way[-1] != here:
            way.append(int(before[way[-1]]))
        for node, following in zip(way[:0:-1], way[-2::-1], strict=True):
            self._edges.append(self._edge(node, following))
            self._visited.append(following)
        return way[0]

    def _edge(self, node: int, following: int) -> int:
        """The first edge from one node to the other, as `done` numbers them."""
        _, at = self._ways.out(np.array([node]))
        position = at[self._ways.target[at] == following][:1]
        return int(self._inside[self._ways.given(position)[0]])

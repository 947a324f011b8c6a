"""Where a fair run can stay for ever: sets of states strongly connected by fault-free transitions.

A run stays in the end among the states that it visits again and again. They lead to each other (or
are one state, where it stops), and the run is fair if, of the deeds that can be done from them,

- each that is owed strongly from one of them is done between two of them, and
- each that is owed from all of them (but busy ones) is, too.

A set for which the second fails has no part for which it holds, except of busy states. One for
which only the first fails may have: without the states from which the deed can be done. So
components are taken apart until nothing is owed, which is the usual way to judge strong fairness
(Streett acceptance).
"""

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints, Narrow
from model_check.engine.digraph import NONE, Digraph
from model_check.engine.fairness import OWED_NOTHING, OWED_STRONGLY, Deeds

_DENSE_CELLS = 1 << 27
"""Up to this size, pairs are looked up in a table with a bit (of eight) for each possible pair."""


class PairSet:
    """Pairs of small numbers, to be asked for many at a time."""

    def __init__(self, width: int, height: int, dense_cells: int = _DENSE_CELLS) -> None:
        """No pairs yet; the first numbers are below `height`, the second below `width`."""
        self._width = width
        self._dense: Flags | None = None
        if width * height <= dense_cells:
            self._dense = np.zeros(width * height, dtype=np.bool_)
        self._sorted: Ints = np.empty(0, dtype=np.int64)

    def add(self, first: Narrow, second: Narrow) -> None:
        """These pairs are in the set."""
        keys = self._keys(first, second)
        if self._dense is not None:
            self._dense[keys] = True
        else:
            self._sorted = np.union1d(self._sorted, keys)

    def has(self, first: Narrow, second: Narrow) -> Flags:
        """Whether each pair is in the set."""
        keys = self._keys(first, second)
        if self._dense is not None:
            found: Flags = self._dense[keys]
            return found
        if not self._sorted.size:
            return np.zeros(len(keys), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.equal(self._sorted[at], keys)

    def _keys(self, first: Narrow, second: Narrow) -> Ints:
        return first.astype(np.int64) * self._width + second


def fair_components(
    done: Deeds, among: Flags, busy: Flags, dense_cells: int = _DENSE_CELLS
) -> Narrow:
    """For each state the fair component among the given states that it is in, NONE if in none.

    `done` are all fault-free transitions from those states. A state that is in some set of states
    in which a fair run can stay is in a fair component: the largest such set. Shapes: (states,).
    """
    states = np.flatnonzero(among)
    place = np.full(len(among), NONE, dtype=np.int32)
    place[states] = np.arange(len(states), dtype=np.int32)
    parts = _Parts(
        attrs.evolve(done, source=place[done.source], target=place[done.target]),
        busy[states],
        dense_cells,
    )
    label = np.full(len(among), NONE, dtype=np.int32)
    label[states] = parts.fair()
    return label


class _Parts:
    """The states that are left, in components that are taken apart."""

    def __init__(self, done: Deeds, busy: Flags, dense_cells: int) -> None:
        self._done = done
        self._busy = busy
        self._dense_cells = dense_cells
        self._fair: Narrow = np.full(len(busy), NONE, dtype=np.int32)
        self._fair_count = 0

    def fair(self) -> Narrow:
        """The fair component of each state."""
        left: Flags = np.ones(len(self._busy), dtype=np.bool_)
        while left.any():
            left = self._round(left)
            self._done = self._done.take(np.flatnonzero(left[self._done.source]))
        return self._fair

    def _round(self, left: Flags) -> Flags:
        """What is left of the components that are not fair; those that are have got numbers."""
        count, label = self._components(left)
        done = self._done
        mine = label[done.source]
        owing = np.flatnonzero((mine != NONE) & (done.owed > OWED_NOTHING))
        inside = np.flatnonzero((mine != NONE) & (done.target != NONE))
        inside = inside[label[done.target[inside]] == mine[inside]]
        kept = PairSet(int(done.deed.max(initial=0)) + 1, count, self._dense_cells)
        kept.add(mine[inside], done.deed[inside])
        owing = owing[~kept.has(mine[owing], done.deed[owing])]
        strongly = owing[done.owed[owing] == OWED_STRONGLY]
        unfair = np.zeros(count, dtype=np.bool_)
        unfair[mine[strongly]] = True
        hopeless = self._owed_everywhere(label, count, owing)
        unfair |= hopeless
        fair = np.flatnonzero((label != NONE) & ~unfair[label])
        self._number(fair, label, count)
        left = (label != NONE) & unfair[label] & (self._busy | ~hopeless[label])
        left[done.source[strongly]] = False
        return left

    def _components(self, left: Flags) -> tuple[int, Narrow]:
        """The strong components of what is left, NONE for the rest."""
        done = self._done
        states = np.flatnonzero(left)
        place = np.full(len(left), NONE, dtype=np.int32)
        place[states] = np.arange(len(states), dtype=np.int32)
        at = np.flatnonzero(left[done.source] & (done.target != NONE))
        at = at[left[done.target[at]]]
        ways = Digraph.of(place[done.source[at]], place[done.target[at]], len(states))
        count, found = ways.strong_components()
        label = np.full(len(left), NONE, dtype=np.int32)
        label[states] = found
        return count, label

    def _owed_everywhere(self, label: Narrow, count: int, owing: Ints) -> Flags:
        """In which components some of these deeds, done by none of them, is owed in every state.

        Busy states do not count; where there are no others, nothing is owed so.
        """
        done = self._done
        everywhere = np.zeros(count, dtype=np.bool_)
        owing = owing[~self._busy[done.source[owing]]]
        alone = np.bincount(label[label != NONE], minlength=count) == 1
        of_one = alone[label[done.source[owing]]]
        everywhere[label[done.source[owing[of_one]]]] = True
        owing = owing[~of_one]
        width = int(done.deed.max(initial=0)) + 1
        # Each state once for each deed, however many transitions it has that do it.
        key = np.unique(done.source[owing].astype(np.int64) * width + done.deed[owing])
        component = label[(key // width).astype(np.int32)].astype(np.int64)
        pairs, times = np.unique(component * width + key % width, return_counts=True)
        of = pairs // width
        quiet = np.bincount(label[(label != NONE) & ~self._busy], minlength=count)
        everywhere[of[times == quiet[of]]] = True
        return everywhere

    def _number(self, fair: Ints, label: Narrow, count: int) -> None:
        """The states, whole components, are in fair ones with numbers of their own."""
        used = np.zeros(count, dtype=np.bool_)
        used[label[fair]] = True
        number = (np.cumsum(used) - 1).astype(np.int32) + np.int32(self._fair_count)
        self._fair[fair] = number[label[fair]]
        self._fair_count += int(used.sum())

"""Where a system ends up once faults stop: the bottom components of its fault-free transitions.

A set of states that lead to each other, and nowhere else, without a fault is a bottom component.
Under fairness every run in which faults have stopped ends up in one and visits all of its states.
So a property of where runs end holds if it accepts every state of every bottom component.

That is so if, and only if, every state can come to a *good* one, from which only accepted states
can be reached (all this without a fault):

- Every state can come to some bottom component, which it then can't leave. If all states of it are
  accepted, they are good, since they lead to no others.
- If one of them is not accepted, none is good, since each leads to that one; and as they lead to
  no others, none can come to a good state.

So two sweeps decide, each of which spreads a mark backwards: from the states that are not accepted
to all that can come to them, which leaves the good ones; and from these to all that can come to
them, which leaves the *bad* ones. A mark is a bit, so that eight properties spread theirs
together, and transitions are only read, one after the other: they may be in files.

If there are bad states there is something to tell. They lead to bad states only, and the bottom
components among them are those with a state that is not accepted: by the above no other bottom
component has a bad state. So to search from bad states is to find them all, and only them.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Ints, Narrow
from model_check.engine.free_ways import FreeGraph, FreeWays, Marks
from model_check.engine.judges import Panel
from model_check.engine.parts import Edges
from model_check.engine.sheets import Tape
from model_check.engine.spool import Spool
from model_check.engine.tables import Tables
from model_check.properties import Settles

_CANDIDATES: Final = 16
"""So many states are looked at to find a short loop."""

_TOGETHER: Final = 8
"""So many properties have a bit of a mark each."""

_MANY: Final = 1 << 14  # states, for which it is worth while to judge them

BYTES_FOR_EACH: Final = 16
"""That much memory is taken for each state at most to judge where runs end."""


@attrs.frozen(kw_only=True)
class Unsettled:
    """A bottom component with a state that is not accepted."""

    state: int  # the first such state
    size: int  # states of the component
    loop: tuple[int, ...]  # codes of a shortest way from that state back to it; none if it is alone


class Settling:
    """What is asked of where runs end, and all that must be kept of an exploration to judge it."""

    def __init__(
        self, properties: Sequence[Settles[Any]], tables: Tables, *, at_once: bool
    ) -> None:
        """Nothing was explored yet; `at_once` is as for `fault_free`."""
        self._groups = [
            _Group([(prop, Panel([prop], tables)) for prop in properties[at : at + _TOGETHER]])
            for at in range(0, len(properties), _TOGETHER)
        ]
        self._processes = tables.local.process_count
        self._ways = FreeWays(tables.local, at_once=at_once)
        self._rows: list[Narrow] = []  # that were not judged yet

    def __bool__(self) -> bool:
        return bool(self._groups)

    @property
    def bytes(self) -> int:
        """The memory that is taken by what is kept."""
        return self._ways.bytes + sum(group.refused.bytes for group in self._groups)

    def add(self, expanded: int, edges: Edges, found: Narrow) -> None:
        """So many states were expanded, which lead to these; these were found.

        Both are the next ones by their numbers. Shape: (n, columns).
        """
        self._ways.add(expanded, edges)
        self._rows.append(found[:, : self._processes].copy())
        if sum(map(len, self._rows)) > _MANY:
            self._judge()

    def spill(self, spool: Spool) -> None:
        """What is kept is in files."""
        self._judge()
        self._ways.spill(spool)
        for group in self._groups:
            group.refused.spill(spool)

    def to_save(self) -> dict[str, npt.NDArray[Any]]:
        """All that was kept, as arrays."""
        self._judge()
        refused = {f"refused_{at}": each.refused.whole() for at, each in enumerate(self._groups)}
        return self._ways.to_save() | refused

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """All is kept that was saved."""
        self._ways.restore(saved)
        for at, group in enumerate(self._groups):
            group.refused.extend(saved[f"refused_{at}"])

    def unsettled(self, levels: Sequence[int]) -> Iterator[tuple[str, Unsettled]]:
        """For each property that does not hold: its id, and where. All states were expanded.

        `levels` has the number of the first state of each level.
        """
        self._judge()
        graph = self._ways.graph()
        for group in self._groups:
            refused: Marks = group.refused.whole()
            bad = bad_states(graph, refused, len(group.asked))
            if not bad.any():
                continue
            ends = graph.ends(bad)
            for bit, (prop, _) in enumerate(group.asked):
                at = np.flatnonzero((refused >> bit & 1).astype(np.bool_) & (ends > 0))
                if at.size:
                    yield prop.id, nearest(graph, ends, at, levels)

    def sizes(self) -> Iterator[tuple[str, int]]:
        """How many distinct tuples of projections there were, by the id of the property."""
        return ((prop.id, len(panel)) for group in self._groups for prop, panel in group.asked)

    def _judge(self) -> None:
        """It is known of all states that were found who does not accept them."""
        if self._rows:
            rows = np.concatenate(self._rows)
            self._rows = []
            for group in self._groups:
                group.judge(rows)


@attrs.frozen
class _Group:
    """Some properties, each with a bit."""

    asked: list[tuple[Settles[Any], Panel]]
    refused: Tape = attrs.field(factory=Tape)  # of each state: by whom it is not accepted

    def judge(self, rows: Narrow) -> None:
        refused: Marks = np.zeros(len(rows), dtype=np.uint8)
        for bit, (_, panel) in enumerate(self.asked):
            refused |= (1 - panel.accepts([rows])).astype(np.uint8) << bit
        self.refused.extend(refused)


def bad_states(graph: FreeGraph, refused: Marks, properties: int) -> Marks:
    """From which states runs can only come to an end that is not accepted, a bit for each property.

    Shape: (states,).
    """
    marks = np.array(refused)
    every = np.uint8((1 << properties) - 1)
    graph.come_to(marks)
    np.bitwise_xor(marks, every, out=marks)  # now the good ones
    graph.come_to(marks)
    return np.bitwise_xor(marks, every, out=marks)


def nearest(graph: FreeGraph, ends: Narrow, at: Ints, levels: Sequence[int]) -> Unsettled:
    """The nearest of these states, which are in bottom components.

    Of several as near the one with the shortest loop, among the first that there are.
    """
    level = int(np.searchsorted(levels, at[0], side="right"))
    beyond = levels[level] if level < len(levels) else len(graph)
    near = at[: np.searchsorted(at, beyond)][:_CANDIDATES].tolist()
    ways = ((state, _loop(graph, state)) for state in near)
    state, loop = min(ways, key=lambda way: len(way[1]))
    return Unsettled(state=state, size=int((ends == ends[state]).sum()), loop=graph.codes(loop))


def _loop(graph: FreeGraph, start: int) -> list[int]:
    """A shortest way from the state of a bottom component back to itself: where its codes stand.

    It is empty if there is no way.
    """
    came: dict[int, tuple[int, int]] = {}
    waiting = deque([start])
    while waiting and start not in came:
        state = waiting.popleft()
        for other, place in graph.onward(state):
            if other not in came:
                came[other] = (state, place)
                waiting.append(other)
    places: list[int] = []
    state = start
    while start in came and (not places or state != start):
        state, place = came[state]
        places.append(place)
    return places[::-1]

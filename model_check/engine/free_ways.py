"""The fault-free transitions of an exploration, in the order of the states they lead from.

That is also the order in which they are found, so they are written down one after the other: on
tapes, which may be in files. Kernels go through them there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Ints, Narrow, Wide
from model_check.engine.compiling import kernel
from model_check.engine.directory import Directory
from model_check.engine.fairness import fault_free
from model_check.engine.layout import (
    ALL_MARKS,
    DEGREES,
    EDGES,
    MARKS,
    PROGRESS,
    REMARKS,
    SIZE,
    STACK,
    STARTS,
    STARTS_BITS,
    TARGETS,
    UPWARDS,
    VISITS,
)
from model_check.engine.local import LocalTables
from model_check.engine.parts import Edges
from model_check.engine.sheets import Tape
from model_check.engine.spool import Spool

Marks = npt.NDArray[np.uint8]
"""For each state some bits."""

_MANY: Final = 1 << 15  # transitions, for which it is worth while to look at kinds of these
_BLOCK: Final = 1 << STARTS_BITS


class FreeWays:
    """The transitions that need no fault, of the states that were expanded so far."""

    def __init__(self, local: LocalTables, *, at_once: bool) -> None:
        """There are none yet; `at_once` is as for `fault_free`."""
        self._local = local
        self._at_once = at_once
        self._new: list[Edges] = []
        self._new_edges = 0
        self._new_states = 0  # to which these belong
        self._degrees = Tape()  # how many lead from each state
        self._targets = Tape()
        self._codes = Tape()

    @property
    def bytes(self) -> int:
        """The memory that the tapes take."""
        return self._degrees.bytes + self._targets.bytes + self._codes.bytes

    def add(self, states: int, edges: Edges) -> None:
        """So many states were expanded, the next ones by their numbers; these they lead to."""
        self._new.append(edges)
        self._new_edges += len(edges.sources)
        self._new_states += states
        if self._new_edges > _MANY:
            self._write()

    def spill(self, spool: Spool) -> None:
        """All is in files."""
        self._write()
        for tape in (self._degrees, self._targets, self._codes):
            tape.spill(spool)

    def to_save(self) -> dict[str, npt.NDArray[Any]]:
        """All of it, as arrays."""
        self._write()
        return {
            "free_degrees": self._degrees.whole(),
            "free_targets": self._targets.whole(),
            "free_codes": self._codes.whole(),
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """All is there that was saved."""
        self._degrees.extend(saved["free_degrees"])
        self._targets.extend(saved["free_targets"])
        self._codes.extend(saved["free_codes"])

    def graph(self) -> "FreeGraph":
        """The graph of these, all states having been expanded."""
        self._write()
        return FreeGraph(self._degrees.whole(), self._targets.whole(), self._codes.whole)

    def _write(self) -> None:
        if not self._new_states:
            return
        first, states = len(self._degrees), self._new_states
        source, code, target = (np.concatenate(each) for each in zip(*self._new, strict=True))
        source -= first
        free = np.flatnonzero(
            fault_free(source, code, states, self._local.move_faults(), at_once=self._at_once)
        )
        degrees = np.bincount(source[free], minlength=states)
        self._degrees.extend(degrees.astype(np.int32))
        self._targets.extend(target[free])
        self._codes.extend(code[free])
        self._new, self._new_edges, self._new_states = [], 0, 0


class FreeGraph:
    """All states and the transitions between them that need no fault.

    They may be read from files; what is taken of memory besides is a few bytes for each state.
    """

    def __init__(self, degrees: Narrow, targets: Narrow, codes: Callable[[], Narrow]) -> None:
        self._degrees = degrees
        self._targets = targets
        self._codes = codes  # only looked at if it is asked for
        self._directory = Directory(miss_room=0)
        self._directory[SIZE], self._directory[EDGES] = len(degrees), len(targets)
        self._directory.point(DEGREES, degrees)
        self._directory.point(TARGETS, targets)
        self._starts: Wide | None = None

    def __len__(self) -> int:
        return len(self._degrees)

    def come_to(self, marks: Marks) -> None:
        """Each state has all marks of states to which runs from it can come. Shape: (states,).

        The marks spread backwards along transitions until nothing changes, all states being taken
        by turns from the last to the first, which takes them any number of steps back where states
        lead to later ones, as most do, and from the first to the last, where they lead to earlier
        ones.
        """
        directory = self._directory
        directory.point(MARKS, marks)
        directory[ALL_MARKS] = int(np.bitwise_or.reduce(marks, initial=0))
        directory[UPWARDS] = 0
        spread = kernel("spread")
        while spread(directory.address):
            directory[UPWARDS] = 1 - directory[UPWARDS]
        directory.forget(MARKS)

    def ends(self, among: Marks) -> Narrow:
        """In which bottom component each state is that can be reached from a marked one.

        Components have numbers from 1 on; 0: it is in none, or can't be reached. Shape: (states,).
        """
        directory, count = self._directory, len(self)
        visits: Narrow = np.zeros(count, dtype=np.int32)
        directory.point(VISITS, visits)
        directory.point(MARKS, among)
        directory.point(STARTS, self._every_start())
        directory.point(STACK, np.empty(count, dtype=np.int32))
        directory.point(PROGRESS, np.empty(count, dtype=np.int32))
        directory.point(REMARKS, np.zeros(count, dtype=np.uint8))
        kernel("descend")(directory.address)
        for place in (VISITS, MARKS, STACK, PROGRESS, REMARKS):
            directory.forget(place)
        visits += 1
        np.negative(visits, out=visits)
        return np.maximum(visits, 0, out=visits)

    def onward(self, state: int) -> Iterator[tuple[int, int]]:
        """Where each transition from the state leads, and where its code stands."""
        block = state >> STARTS_BITS
        before = self._degrees[block << STARTS_BITS : state]
        first = int(self._every_start()[block]) + int(before.sum(dtype=np.int64))
        targets = self._targets[first : first + int(self._degrees[state])]
        return zip(targets.tolist(), range(first, first + len(targets)), strict=True)

    def codes(self, places: Sequence[int]) -> tuple[int, ...]:
        """The codes that stand there."""
        return tuple(int(self._codes()[place]) for place in places) if places else ()

    def _every_start(self) -> Wide:
        """Where the transitions of every 16th state start."""
        if self._starts is None:
            blocks = np.add.reduceat(self._degrees, np.arange(0, len(self), _BLOCK), dtype=np.int64)
            self._starts = np.concatenate([[0], np.cumsum(blocks)[:-1]]).astype(np.int64)
        return self._starts


def as_graph(degrees: Ints, targets: Ints) -> FreeGraph:
    """The graph in which each state leads to so many, which are these in the states' order."""
    codes: Narrow = np.arange(len(targets), dtype=np.int32)
    return FreeGraph(degrees.astype(np.int32), targets.astype(np.int32), lambda: codes)

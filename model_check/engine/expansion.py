"""The expansion of chunks of states: cut into parts, on several threads, filling tables between."""

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import numpy as np

from model_check.engine.arrays import Narrow, Wide
from model_check.engine.crew import Crew
from model_check.engine.directory import Directory
from model_check.engine.frontier import Frontier, join
from model_check.engine.options import Options
from model_check.engine.parts import Part
from model_check.engine.shelf import Shelf
from model_check.engine.states import States
from model_check.engine.tables import Tables


class Expansion:
    """Everything that comes out of the states of a chunk, whoever expands them, in their order.

    Kernels run on several threads at a time and only read. What tables lack is filled by this
    thread alone, in an order that does not depend on how many there are.
    """

    def __init__(
        self, tables: Tables, states: States, crew: Crew, options: Options, *, record: bool
    ) -> None:
        self._crew = crew
        self._tables = tables
        self._states = states
        self._record = record
        self._chunk, self._size = options.chunk, options.part
        self._parts: list[Part] = []
        self._shelf = Shelf()
        self._where = Directory()
        self._width = 0

    def begin(self, rows: Narrow) -> Part:
        """A part that has found the initial state. Shape: (1, columns)."""
        self._width = rows.shape[1]
        part = self._part(0)
        part.begin(np.empty((0, self._width), dtype=np.int32), 0)
        part.find(rows)
        return part

    def expand(self, frontier: Frontier) -> list[Part]:
        """The parts, in order, once the next chunk of the frontier is expanded.

        They are used again for what comes next.
        """
        first = frontier.first
        size = min(frontier.size, self._chunk)
        sizes = [min(self._size, size - start) for start in range(0, size, self._size)]
        pieces = [frontier.take(each) for each in sizes]
        columns = self._tables.columns
        parts = [self._part(rank) for rank in range(len(sizes))]
        rooms = [part.room(each, columns) for part, each in zip(parts, sizes, strict=True)]
        self._crew.do([partial(join, *each) for each in zip(pieces, rooms, strict=True)])
        for part, rows in zip(parts, rooms, strict=True):
            part.begin(rows, first)
            first += len(rows)
        waiting = parts
        self._describe(parts)
        while waiting:
            self._crew.do([part.run for part in waiting])
            self._fill(waiting)
            waiting = [part for part in waiting if not part.done]
            self._describe(parts)
        return parts

    def fired(self) -> dict[tuple[int, Hashable], int]:
        """How many transitions made each move, by process and event."""
        counts = _occurring(self.to_save()["events"])
        return {self._tables.event(number): count for number, count in counts.items()}

    def delivered(self) -> dict[tuple[int, Any], int]:
        """How many transitions delivered each message, by receiver."""
        counts: dict[tuple[int, Any], int] = {}
        alphabet = self._tables.local.alphabet
        for envelope, count in _occurring(self.to_save()["envelopes"]).items():
            send = alphabet.send(envelope)
            key = (send.dest, send.message)
            counts[key] = counts.get(key, 0) + count
        return counts

    def to_save(self) -> dict[str, Wide]:
        """What was counted so far."""
        return {
            "events": _total([part.event_tally for part in self._parts]),
            "envelopes": _total([part.envelope_tally for part in self._parts]),
        }

    def restore(self, saved: Mapping[str, Wide]) -> None:
        """That much was counted before."""
        self._part(0).event_tally = saved["events"]
        self._part(0).envelope_tally = saved["envelopes"]

    def _part(self, rank: int) -> Part:
        if rank == len(self._parts):
            self._parts.append(Part(record=self._record, shelf=self._shelf))
        return self._parts[rank]

    def _describe(self, parts: list[Part]) -> None:
        """The parts know where everything is now."""
        local = self._tables.local
        self._tables.describe(self._where)
        self._states.describe(self._where)
        columns = self._tables.columns  # which may be more by now
        if columns > self._width:
            self._states.widen(self._width, columns)
            self._width = columns
        for part in parts:
            part.widen(columns)
            part.make_room(len(local.events), len(local.alphabet))
            part.directory.copy_tables(self._where)

    def _fill(self, parts: list[Part]) -> None:
        """What was missing for any of the parts is known."""
        missing = np.unique(np.concatenate([part.directory.take_misses() for part in parts]))
        if missing.size:
            self._tables.memo.fill(missing.tolist())


def _total(tallies: list[Wide]) -> Wide:
    total = np.zeros(max(map(len, tallies), default=0), dtype=np.int64)
    for tally in tallies:
        total[: len(tally)] += tally
    return total


def _occurring(counts: Wide) -> dict[int, int]:
    """Each number that occurred, in rising order, and how often."""
    return {number: int(counts[number]) for number in np.flatnonzero(counts).tolist()}

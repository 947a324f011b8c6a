"""A part of a level while it is expanded: its states, and what was found from them."""

from typing import Final, NamedTuple, TypeVar

import numpy as np

from model_check.engine.arrays import Narrow, Wide
from model_check.engine.compiling import kernel
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    BOUND_HIT,
    CHANGE_ROOM,
    CHANGED,
    EDGE_CODES,
    EDGE_ROOM,
    EDGE_SOURCES,
    EDGE_TARGETS,
    EDGES,
    ENVELOPE_TALLY,
    EVENT_TALLY,
    FIRST_NUMBER,
    FOUND,
    FOUND_CODES,
    FOUND_NUMBERS,
    FOUND_PARENTS,
    FOUND_PRINTS,
    FOUND_ROOM,
    FOUND_ROWS,
    FULL,
    INPUT,
    LATER,
    LATER_COUNT,
    MOST_STEP_PROPERTIES,
    OUTPUT,
    POSITION,
    RECORD,
    REFUTED,
    REFUTED_AT,
    ROWS,
    SCRATCH,
    SIZE,
    STOP,
    TRANSITIONS,
    WIDTH,
)
from model_check.engine.shelf import Shelf

_FIRST_ROOM: Final = 1 << 12
_FEW: Final = 1 << 8  # states, which say little of how many others lead to
_MARGIN: Final = 1.25  # more room than is expected to be needed


class Edges(NamedTuple):
    """Transitions: from where, by what, to where. Shape of each: (transitions,)."""

    sources: Narrow
    codes: Narrow
    targets: Narrow


class Part:
    """Some consecutive states of a level. What is found for them comes in the order of the states.

    One is used for many parts, one after the other. Shapes: (states found,), (transitions,).
    """

    def __init__(self, *, record: bool, shelf: Shelf | None = None) -> None:
        self.directory = Directory()
        self._shelf = shelf or Shelf()
        self._record = record
        self._expand = kernel("expand")
        self._gather = kernel("gather")
        self._width = 0
        self._rows: Narrow = np.empty((0, 0), dtype=np.int32)
        self._room: Narrow = np.empty(0, dtype=np.int32)
        self._found_rows: Narrow = np.empty(0, dtype=np.int32)
        self._prints: Wide = np.empty(_FIRST_ROOM, dtype=np.int64)
        self._parents: Narrow = np.empty(_FIRST_ROOM, dtype=np.int32)
        self._codes: Narrow = np.empty(_FIRST_ROOM, dtype=np.int32)
        self._numbers: Narrow = np.empty(_FIRST_ROOM, dtype=np.int32)
        room = _FIRST_ROOM if record else 0
        self._sources: Narrow = np.empty(room, dtype=np.int32)
        self._edge_codes: Narrow = np.empty(room, dtype=np.int32)
        self._targets: Narrow = np.empty(room, dtype=np.int32)
        self._later: Narrow = np.empty(0, dtype=np.int32)
        self._interrupted = False  # the states were not expanded in their order
        self._refuted_at: Wide = np.zeros(2 * MOST_STEP_PROPERTIES, dtype=np.int64)
        self.event_tally = np.zeros(0, dtype=np.int64)
        self.envelope_tally = np.zeros(0, dtype=np.int64)
        self.directory[RECORD] = int(record)
        self.directory.point(CHANGED, np.empty(CHANGE_ROOM, dtype=np.int32))
        self.directory.point(REFUTED_AT, self._refuted_at)

    @property
    def event_tally(self) -> Wide:
        """How many transitions made a move with each event."""
        return self._event_tally

    @event_tally.setter
    def event_tally(self, tally: Wide) -> None:
        self._event_tally = tally
        self.directory.point(EVENT_TALLY, tally)

    @property
    def envelope_tally(self) -> Wide:
        """How many transitions delivered each envelope."""
        return self._envelope_tally

    @envelope_tally.setter
    def envelope_tally(self, tally: Wide) -> None:
        self._envelope_tally = tally
        self.directory.point(ENVELOPE_TALLY, tally)

    @property
    def first(self) -> int:
        """The number of the first of its states."""
        return self.directory[FIRST_NUMBER]

    def room(self, count: int, columns: int) -> Narrow:
        """Room for so many states, that may be given to it; it is the same again each time."""
        if count * columns > len(self._room):
            self._room = np.empty(count * columns, dtype=np.int32)
        return self._room[: count * columns].reshape(count, columns)

    def begin(self, rows: Narrow, first: int) -> None:
        """These states, numbered from `first` on, are to be expanded. Shape: (n, columns)."""
        for counter in (POSITION, LATER_COUNT, FOUND, EDGES, TRANSITIONS, REFUTED):
            self.directory[counter] = 0
        self.directory[STOP] = len(rows)
        self.directory[FIRST_NUMBER] = first
        self._rows = rows
        self._interrupted = False
        if len(rows) > len(self._later):
            self._later = np.empty(len(rows), dtype=np.int32)
            self.directory.point(LATER, self._later)
        self.directory.point(ROWS, rows)
        self._fit(rows.shape[1])
        self._expect(len(rows))

    def find(self, rows: Narrow, prints: Wide | None = None) -> None:
        """The states are found, without a transition; their fingerprints may be given.

        Shapes: (n, columns), (n,).
        """
        count, width = rows.shape
        self._found_rows[: count * width] = rows.reshape(-1)
        self._parents[:count] = -1
        self._codes[:count] = -1
        self._prints[:count] = fingerprints(rows) if prints is None else prints
        self.directory[FOUND] = count

    def widen(self, columns: int) -> None:
        """Rows have that many columns; those that they lacked are 0."""
        if columns > self._width:
            grown = np.zeros((len(self._rows), columns), dtype=np.int32)
            grown[:, : self._width] = self._rows
            found = self._found_rows.reshape(-1, self._width)[: self.directory[FOUND]].copy()
            self._rows = grown
            self.directory.point(ROWS, grown)
            before = self._width
            self._fit(columns)
            room = self._found_rows.reshape(-1, columns)[: len(found)]
            room[:] = 0
            room[:, :before] = found

    def make_room(self, events: int, envelopes: int) -> None:
        """There is room for counts of that many events and envelopes."""
        if events > len(self._event_tally):
            self.event_tally = _grown(self._event_tally, 2 * events)
        if envelopes > len(self._envelope_tally):
            self.envelope_tally = _grown(self._envelope_tally, 2 * envelopes)
        if self.directory[FULL]:
            self._grow()
            self.directory[FULL] = 0

    def run(self) -> None:
        """The states are expanded as far as tables and room allow."""
        lists = self._shelf.take()
        lists.lend(self.directory)
        self._expand(self.directory.address)
        lists.take_back(self.directory)
        self._shelf.give(lists)
        if self.directory[LATER_COUNT]:
            self._interrupted = True
        elif self._interrupted:
            self._put_in_order()
        if self.done:
            self._measure()

    @property
    def done(self) -> bool:
        """Whether all states are expanded."""
        looked_at_all = self.directory[POSITION] == self.directory[STOP]
        return looked_at_all and not self.directory[LATER_COUNT]

    @property
    def transitions(self) -> int:
        """How many transitions the states have."""
        return self.directory[TRANSITIONS]

    @property
    def bound_hit(self) -> bool:
        """Whether a transition could not be made for want of room."""
        return bool(self.directory[BOUND_HIT])

    def refuted(self) -> dict[int, tuple[int, int]]:
        """For each step property that was refuted: the first state, as a row, and the code."""
        bits = self.directory[REFUTED]
        return {
            bit: (int(self._refuted_at[2 * bit]), int(self._refuted_at[2 * bit + 1]))
            for bit in range(MOST_STEP_PROPERTIES)
            if bits >> bit & 1
        }

    def gather(self) -> int:
        """How many of the states found are new, as FOUND_NUMBERS says; they stand at the front."""
        return self._gather(self.directory.address)

    def new_rows(self, count: int) -> Narrow:
        """The rows of the first `count` of what was found; stale once the part is used again."""
        return self._found_rows[: count * self._width].reshape(count, self._width)

    def new_origins(self, count: int) -> tuple[Narrow, Narrow]:
        """The parents and codes of the first `count` of what was found."""
        return self._parents[:count].copy(), self._codes[:count].copy()

    def prints(self, count: int) -> Wide:
        """The fingerprints of the first `count` of what was found."""
        return self._prints[:count].copy()

    @property
    def size(self) -> int:
        """How many states it has."""
        return len(self._rows)

    def edges(self) -> Edges:
        """The transitions once their targets have numbers."""
        count = self.directory[EDGES]
        targets = self._targets[:count].copy()
        own = targets < 0
        targets[own] = self._numbers[-1 - targets[own]]
        return Edges(self._sources[:count].copy(), self._edge_codes[:count].copy(), targets)

    def _put_in_order(self) -> None:
        """What was found comes in the order of the states, as if none had been left for later."""
        count = self.directory[FOUND]
        order = np.argsort(self._parents[:count], kind="stable")
        for array in (self._prints, self._parents, self._codes):
            array[:count] = array[order]
        rows = self._found_rows[: count * self._width].reshape(count, self._width)
        rows[:] = rows[order]
        if self._record:
            place = np.empty(count, dtype=np.int32)
            place[order] = np.arange(count, dtype=np.int32)
            edges = self.directory[EDGES]
            own = self._targets[:edges] < 0
            self._targets[:edges][own] = -1 - place[-1 - self._targets[:edges][own]]
            order = np.argsort(self._sources[:edges], kind="stable")
            for array in (self._sources, self._edge_codes, self._targets):
                array[:edges] = array[order]

    def _measure(self) -> None:
        """What was found is known to all parts, for the room that they will need."""
        count = max(len(self._rows), _FEW)
        found, edges = self.directory[FOUND] / count, self.directory[EDGES] / count
        self._shelf.found_by_each = max(self._shelf.found_by_each, found)
        self._shelf.edges_of_each = max(self._shelf.edges_of_each, edges)

    def _expect(self, count: int) -> None:
        """There is room for what so many states will probably lead to; nothing is found yet."""
        found = int(_MARGIN * self._shelf.found_by_each * count)
        edges = int(_MARGIN * self._shelf.edges_of_each * count)
        if found > len(self._prints) or edges > len(self._sources):
            self._make_room_for(found, edges, 0, 0)

    def _fit(self, columns: int) -> None:
        """Rows have that many columns."""
        if columns != self._width:
            self._width = columns
            self._found_rows = np.empty(len(self._prints) * columns, dtype=np.int32)
            self.directory.point(SCRATCH, np.empty(columns, dtype=np.int32))
            self.directory[WIDTH] = columns
            self._point()

    def _point(self) -> None:
        room = len(self._prints)
        self.directory[FOUND_ROOM] = room
        self.directory[EDGE_ROOM] = len(self._sources)
        for at, array in (
            (FOUND_ROWS, self._found_rows),
            (FOUND_PRINTS, self._prints),
            (FOUND_PARENTS, self._parents),
            (FOUND_CODES, self._codes),
            (FOUND_NUMBERS, self._numbers),
            (EDGE_SOURCES, self._sources),
            (EDGE_CODES, self._edge_codes),
            (EDGE_TARGETS, self._targets),
        ):
            self.directory.point(at, array)

    def _grow(self) -> None:
        """There is room for what the states that are left will probably lead to, or for twice."""
        found, edges = self.directory[FOUND], self.directory[EDGES]
        states = self.directory[STOP]
        share = _MARGIN * states / max(1, states - self.directory[LATER_COUNT])
        room = max(2 * len(self._prints), int(share * found))
        edge_room = max(2 * len(self._sources), int(share * edges))
        self._make_room_for(room, edge_room, found, edges)

    def _make_room_for(self, room: int, edge_room: int, found: int, edges: int) -> None:
        """There is room for that much; so much of it is used."""
        if room > len(self._prints):
            self._found_rows = _longer(self._found_rows, room * self._width, found * self._width)
            self._prints = _longer(self._prints, room, found)
            self._parents = _longer(self._parents, room, found)
            self._codes = _longer(self._codes, room, found)
            self._numbers = _longer(self._numbers, room, found)
        if self._record and edge_room > len(self._sources):
            self._sources = _longer(self._sources, edge_room, edges)
            self._edge_codes = _longer(self._edge_codes, edge_room, edges)
            self._targets = _longer(self._targets, edge_room, edges)
        self._point()


A = TypeVar("A", Narrow, Wide)


def _grown(numbers: A, size: int) -> A:
    grown = np.zeros(size, dtype=numbers.dtype)
    grown[: len(numbers)] = numbers
    return grown


def _longer(numbers: A, size: int, used: int) -> A:
    """Room for so many numbers, of which the first are the same."""
    grown = np.empty(size, dtype=numbers.dtype)
    grown[:used] = numbers[:used]
    return grown


def fingerprints(rows: Narrow) -> Wide:
    """The fingerprint of each row. Shapes: (n, columns) -> (n,)."""
    prints: Wide = np.empty(len(rows), dtype=np.int64)
    directory = Directory()
    directory[SIZE], directory[WIDTH] = rows.shape
    directory.point(INPUT, rows)
    directory.point(OUTPUT, prints)
    kernel("print_rows")(directory.address)
    return prints

"""What is in flight, a set of messages for each receiver, each content a number."""

import numpy as np
from typing_extensions import override

from model_check.engine.alphabet import Alphabet
from model_check.engine.arrays import Column, Flags, Ints
from model_check.engine.batch import DELIVER, LOSE, Batch, Chunk
from model_check.engine.contents import ReceiverContents
from model_check.links import CROWDED_LANE, FlightLinks

_CROWDED_BITS = 32  # of a load: below them all messages, above them those on the crowded lane


class FlightContents(ReceiverContents):
    """A box for each process: the set of what is on its way to it, whoever sent it."""

    cleared_when_down = True

    def __init__(self, alphabet: Alphabet, links: FlightLinks, process_count: int) -> None:
        """Nothing is in flight."""
        self.lossy = links.lossy
        self.load = Column()  # of each content
        self._first_sent: dict[tuple[int, int], int] = {}  # receiver, arrival: the first envelope
        super().__init__(alphabet, process_count)

    @override
    def _append(self, content: int, parcel: int) -> int:
        envelopes = map(self._merged, self._alphabet.parcels[parcel])
        return self._number(self._contents[content].union(envelopes))

    def _merged(self, envelope: int) -> int:
        """The first envelope ever sent that is the same to its receiver."""
        seen = (self.box_of(envelope), int(self._alphabet.arrival.view[envelope]))
        return self._first_sent.setdefault(seen, envelope)

    @override
    def _number(self, envelopes: frozenset[int]) -> int:
        number = self._contents.find(envelopes)
        if number is not None:
            return number
        ways = []
        crowded = 0
        for envelope in sorted(envelopes):
            rest = self._number(envelopes - {envelope})
            ways.append((DELIVER, envelope, rest))
            if self.lossy:
                ways.append((LOSE, envelope, rest))
            crowded += self._alphabet.channel_of(envelope)[2] == CROWDED_LANE
        self.load.append(len(envelopes) | crowded << _CROWDED_BITS)
        self.deliverable.append([self.deliveries.add(*way) for way in ways])
        self.breakable.append([])
        return self._contents.add(envelopes)


class Room:
    """How much is in flight in all boxes together, and whether that is too much."""

    def __init__(self, contents: FlightContents, links: FlightLinks, first_box: int) -> None:
        self._load = contents.load
        self._links = links
        self._first_box = first_box
        self._loads: Ints = np.empty(0, dtype=np.int64)

    def has_room(self, row: Ints) -> bool:
        """Whether what is in flight in the state is not too much. Shape: (columns,)."""
        load = self._load.view[row[self._first_box :]].sum(keepdims=True)
        return bool(self._allowed(load).all())

    def measure(self, chunk: Chunk) -> None:
        """The chunk is the one whose transitions are asked for next."""
        self._loads = self._load.view[chunk.rows[:, self._first_box :]].sum(axis=1)

    def fits(self, chunk: Chunk, batch: Batch) -> Flags:
        """Whether there is room for what is in flight after each transition. Shape: (n,)."""
        load = self._loads[batch.parent]
        for column, values in batch.edits:
            before = chunk.column(column, batch.parent)
            if isinstance(column, int):
                if column >= self._first_box:
                    load += self._load.view[values] - self._load.view[before]
                continue
            at = np.flatnonzero(column >= self._first_box)
            load[at] += self._load.view[values[at]] - self._load.view[before[at]]
        return self._allowed(load)

    def _allowed(self, load: Ints) -> Flags:
        fits: Flags = (load & ((1 << _CROWDED_BITS) - 1)) <= self._links.capacity
        if self._links.crowded is not None:
            fits &= (load >> _CROWDED_BITS) <= self._links.crowded
        return fits

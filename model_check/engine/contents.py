"""What lies in the boxes of links that keep all that is sent, each content a number."""

from abc import ABC, abstractmethod
from typing import Final, Protocol

from typing_extensions import override

from model_check.engine.alphabet import Alphabet
from model_check.engine.arrays import NOTHING, Column, Lists
from model_check.engine.batch import DELIVER, DELIVER_HELD
from model_check.engine.interner import Interner
from model_check.engine.pairs import PairTable
from model_check.links import FifoLinks

EMPTY: Final = 0
"""The content of an empty box."""


class Contents(Protocol):
    """The contents of boxes, and what can happen to each."""

    cleared_when_down: bool  # whether what is on its way to a process that goes down is lost
    lossy: bool  # whether `deliverable` says what is lost, even of what the receiver does not take
    append: PairTable  # (content, parcel) -> content, or NOTHING if there is no room
    deliverable: Lists  # for each content, positions in `deliveries`
    breakable: Lists  # for each content, positions in `breaks`
    deliveries: "Deliveries"
    breaks: "Breaks"

    def __len__(self) -> int:
        """How many contents there are."""

    def box_of(self, envelope: int) -> int:
        """The box into which the envelope is put."""

    def box_count(self) -> int:
        """How many boxes there are by now."""

    def inbound(self, process: int) -> list[int]:
        """The boxes of what is on its way to the process."""


class Deliveries:
    """Each way in which a content can lose an envelope to its receiver."""

    def __init__(self) -> None:
        self.kind = Column()
        self.envelope = Column()
        self.rest = Column()  # the content afterwards

    def add(self, kind: int, envelope: int, rest: int) -> int:
        """The position of one more."""
        self.kind.append(kind)
        self.envelope.append(envelope)
        self.rest.append(rest)
        return len(self.kind) - 1


class Breaks:
    """Each way in which a content can come out of a break of its channel."""

    def __init__(self) -> None:
        self.kept = Column()  # how many messages of the queue can still be read
        self.rest = Column()  # the content afterwards

    def add(self, kept: int, rest: int) -> int:
        """The position of one more."""
        self.kept.append(kept)
        self.rest.append(rest)
        return len(self.kept) - 1


class Parcels:
    """What a batch puts into each box: one parcel for each box, in rising order of the boxes."""

    def __init__(self, alphabet: Alphabet, contents: Contents) -> None:
        self._alphabet = alphabet
        self._contents = contents
        self._parcels = alphabet.parcels
        self.of_batch = Lists()
        self.parcel = Column()  # of each item
        self.box = Column()
        self.receiver = Column()

    def catch_up(self) -> None:
        """Every batch has its parcels."""
        for batch in range(len(self.of_batch), len(self._alphabet.batches)):
            boxes: dict[int, list[int]] = {}
            for envelope in self._alphabet.batches[batch]:
                boxes.setdefault(self._contents.box_of(envelope), []).append(envelope)
            first = len(self.parcel)
            for box, envelopes in sorted(boxes.items()):
                self.box.append(box)
                self.parcel.append(self._parcels.add(tuple(envelopes)))
                self.receiver.append(int(self._alphabet.receiver.view[envelopes[0]]))
            self.of_batch.append(range(first, len(self.parcel)))


class FifoContents:
    """A box for each channel: a leftover and a queue, of envelopes."""

    def __init__(self, alphabet: Alphabet, links: FifoLinks) -> None:
        self.cleared_when_down = True
        self.lossy = False
        self._alphabet = alphabet
        self._capacity = links.capacity
        self._contents: Interner[tuple[tuple[int, ...], tuple[int, ...]]] = Interner()
        self.append = PairTable(self._append)
        self.deliverable = Lists()
        self.deliveries = Deliveries()
        self.breakable = Lists()
        self.breaks = Breaks()
        self._number((), ())

    def __len__(self) -> int:
        return len(self._contents)

    def box_of(self, envelope: int) -> int:
        """The channel on which the envelope is sent."""
        return int(self._alphabet.channel.view[envelope])

    def box_count(self) -> int:
        """How many channels were ever used."""
        return len(self._alphabet.channels)

    def inbound(self, process: int) -> list[int]:
        """The channels to the process."""
        channels = self._alphabet.channels.values
        return [number for number, channel in enumerate(channels) if channel[1] == process]

    def _append(self, content: int, parcel: int) -> int:
        leftover, queue = self._contents[content]
        for envelope in self._alphabet.parcels[parcel]:
            if queue[-1:] != (envelope,):
                queue = (*queue, envelope)
        return self._number(leftover, queue) if len(queue) <= self._capacity else NOTHING

    def _number(self, leftover: tuple[int, ...], queue: tuple[int, ...]) -> int:
        number = self._contents.find((leftover, queue))
        if number is not None:
            return number
        delivered = [(DELIVER, queue[0], self._number(leftover, queue[1:]))] if queue else []
        if leftover:
            rest = self._number(leftover[1:], queue)
            delivered.append((DELIVER_HELD, leftover[0], rest))
        broken = [
            (kept, self._number(queue[:kept], ()))
            for kept in range(len(queue) + 1)
            if queue or leftover
        ]
        number = self._contents.add((leftover, queue))
        self.deliverable.append([self.deliveries.add(*delivery) for delivery in delivered])
        self.breakable.append([self.breaks.add(*way) for way in broken])
        return number


class ReceiverContents(ABC):
    """A box for each process, that holds a set of envelopes."""

    cleared_when_down: bool
    lossy: bool

    def __init__(self, alphabet: Alphabet, process_count: int) -> None:
        """Every box is empty."""
        self._alphabet = alphabet
        self._process_count = process_count
        self._contents: Interner[frozenset[int]] = Interner()
        self.append = PairTable(self._append)
        self.deliverable = Lists()
        self.deliveries = Deliveries()
        self.breakable = Lists()
        self.breaks = Breaks()
        self._number(frozenset())

    def __len__(self) -> int:
        return len(self._contents)

    def box_of(self, envelope: int) -> int:
        """The receiver of the envelope."""
        return int(self._alphabet.receiver.view[envelope])

    def box_count(self) -> int:
        """How many processes there are."""
        return self._process_count

    def inbound(self, process: int) -> list[int]:
        """The box of the process."""
        return [process]

    @abstractmethod
    def _append(self, content: int, parcel: int) -> int:
        """The content with the parcel put in."""

    @abstractmethod
    def _number(self, envelopes: frozenset[int]) -> int:
        """The number of that content, which has its deliveries."""


class SetContents(ReceiverContents):
    """A box for each process: the set of envelopes ever sent to it."""

    cleared_when_down = False
    lossy = False

    @override
    def _append(self, content: int, parcel: int) -> int:
        return self._number(self._contents[content].union(self._alphabet.parcels[parcel]))

    @override
    def _number(self, envelopes: frozenset[int]) -> int:
        number = self._contents.find(envelopes)
        if number is None:
            number = self._contents.add(envelopes)
            self.deliverable.append(
                [self.deliveries.add(DELIVER, e, number) for e in sorted(envelopes)]
            )
            self.breakable.append([])
        return number

"""What lies in the boxes of links that keep all that is sent, each content a number."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from typing_extensions import override

from model_check.engine.codes import DELIVER, DELIVER_HELD, LOSE
from model_check.engine.interner import Interner
from model_check.engine.layout import (
    APPEND,
    BREAK_WIDTH,
    CONTENT_WIDTH,
    NOTHING,
    WAY_WIDTH,
)
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Sheet
from model_check.links import CROWDED_LANE, FifoLinks, FlightLinks
from model_check.system import Channel

EMPTY: Final = 0
"""The content of an empty box."""

Way = tuple[int, int, int]
"""How a content can lose an envelope to its receiver: the kind, the envelope, what is left."""


class ContentSheets:
    """The contents as the kernels see them."""

    def __init__(self) -> None:
        self.contents = Sheet(CONTENT_WIDTH)
        self.ways = Sheet(WAY_WIDTH)
        self.breaks = Sheet(BREAK_WIDTH)

    def append(
        self,
        ways: Iterable[Way],
        breaks: Iterable[tuple[int, int]] = (),
        load: int = 0,
        crowd: int = 0,
    ) -> None:
        """The next content has these ways; of a break, how many messages it keeps, and the rest."""
        first_way, first_break = len(self.ways), len(self.breaks)
        for way in ways:
            self.ways.append(*way)
        for kept in breaks:
            self.breaks.append(*kept)
        self.contents.append(
            first_way,
            len(self.ways) - first_way,
            first_break,
            len(self.breaks) - first_break,
            load,
            crowd,
        )


class Contents(Protocol):
    """The contents of boxes, and what can happen to each."""

    cleared_when_down: bool  # whether what is on its way to a process that goes down is lost
    lossy: bool  # whether the ways say what is lost, even of what the receiver does not take
    sheets: ContentSheets

    def box_of(self, envelope: int) -> int:
        """The box into which the envelope is put."""

    def receivers(self) -> list[int]:
        """The process to which each box leads, of all that there are by now."""

    def append(self, content: int, parcel: int) -> int:
        """The content with the parcel put in, or NOTHING if there is no room."""

    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""

    def renamed_box(self, box: int, rename: Callable[[Channel], Channel]) -> int:
        """The box once its channel or its receiver is renamed."""


class FifoContents:
    """A box for each channel: a leftover and a queue, of envelopes."""

    def __init__(self, local: LocalTables, links: FifoLinks) -> None:
        self.cleared_when_down = True
        self.lossy = False
        self._alphabet = local.alphabet
        self._capacity = links.capacity
        self._contents: Interner[tuple[tuple[int, ...], tuple[int, ...]]] = Interner()
        self.sheets = ContentSheets()
        local.memo.define(APPEND, self.append)
        self._number((), ())

    def box_of(self, envelope: int) -> int:
        """The channel on which the envelope is sent."""
        return self._alphabet.channel(envelope)

    def receivers(self) -> list[int]:
        """The receiver of each channel that was ever used."""
        return [receiver for _, receiver, _ in self._alphabet.channels.values]

    def append(self, content: int, parcel: int) -> int:
        """The content with the envelopes at the end of its queue, or NOTHING."""
        leftover, queue = self._contents[content]
        for envelope in self._alphabet.parcels[parcel]:
            if queue[-1:] != (envelope,):
                queue = (*queue, envelope)
        return self._number(leftover, queue) if len(queue) <= self._capacity else NOTHING

    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        leftover, queue = self._contents[content]
        return self._number(tuple(map(rename, leftover)), tuple(map(rename, queue)))

    def renamed_box(self, box: int, rename: Callable[[Channel], Channel]) -> int:
        """The channel between the renamed processes, which may be a new one."""
        return self._alphabet.channels.add(rename(self._alphabet.channels[box]))

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
        self.sheets.append(delivered, broken)
        return self._contents.add((leftover, queue))


class ReceiverContents(ABC):
    """A box for each process, that holds a set of envelopes."""

    cleared_when_down: bool
    lossy: bool

    def __init__(self, local: LocalTables) -> None:
        """Every box is empty."""
        self._alphabet = local.alphabet
        self._process_count = local.process_count
        self._contents: Interner[frozenset[int]] = Interner()
        self.sheets = ContentSheets()
        local.memo.define(APPEND, self.append)
        self._number(frozenset())

    def box_of(self, envelope: int) -> int:
        """The receiver of the envelope."""
        return self._alphabet.receiver(envelope)

    def receivers(self) -> list[int]:
        """Each process has its box."""
        return list(range(self._process_count))

    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        return self._number(frozenset(map(rename, self._contents[content])))

    def renamed_box(self, box: int, rename: Callable[[Channel], Channel]) -> int:
        """The box of the renamed receiver."""
        return rename((box, box, 0))[1]

    @abstractmethod
    def append(self, content: int, parcel: int) -> int:
        """The content with the parcel put in."""

    @abstractmethod
    def _number(self, envelopes: frozenset[int]) -> int:
        """The number of that content, which has its ways."""


class SetContents(ReceiverContents):
    """A box for each process: the set of envelopes ever sent to it."""

    cleared_when_down = False
    lossy = False

    @override
    def append(self, content: int, parcel: int) -> int:
        return self._number(self._contents[content].union(self._alphabet.parcels[parcel]))

    @override
    def _number(self, envelopes: frozenset[int]) -> int:
        number = self._contents.find(envelopes)
        if number is None:
            number = self._contents.add(envelopes)
            self.sheets.append((DELIVER, envelope, number) for envelope in sorted(envelopes))
        return number


class FlightContents(ReceiverContents):
    """A box for each process: the set of what is on its way to it, whoever sent it."""

    cleared_when_down = True

    def __init__(self, local: LocalTables, links: FlightLinks) -> None:
        """Nothing is in flight."""
        self.lossy = links.lossy
        self._first_sent: dict[tuple[int, int], int] = {}  # receiver, arrival: the first envelope
        super().__init__(local)

    @override
    def append(self, content: int, parcel: int) -> int:
        envelopes = map(self._merged, self._alphabet.parcels[parcel])
        return self._number(self._contents[content].union(envelopes))

    @override
    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        return self._number(frozenset(self._merged(rename(e)) for e in self._contents[content]))

    def _merged(self, envelope: int) -> int:
        """The first envelope ever sent that is the same to its receiver."""
        seen = (self.box_of(envelope), self._alphabet.arrival(envelope))
        return self._first_sent.setdefault(seen, envelope)

    @override
    def _number(self, envelopes: frozenset[int]) -> int:
        number = self._contents.find(envelopes)
        if number is not None:
            return number
        ways: list[Way] = []
        crowded = 0
        for envelope in sorted(envelopes):
            rest = self._number(envelopes - {envelope})
            ways.append((DELIVER, envelope, rest))
            if self.lossy:
                ways.append((LOSE, envelope, rest))
            crowded += self._alphabet.channel_of(envelope)[2] == CROWDED_LANE
        self.sheets.append(ways, load=len(envelopes), crowd=crowded)
        return self._contents.add(envelopes)

"""What is pending and what is held, each content a number."""

import numpy as np

from model_check.engine.alphabet import Alphabet
from model_check.engine.arrays import NOTHING, UNKNOWN, Column, Flags, Ints, Lists
from model_check.engine.interner import Interner
from model_check.engine.pairs import PairTable
from model_check.links import HeldLinks


class PendingContents:
    """Messages that are to be resolved one after the other; 0 is none."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._contents: Interner[tuple[int, ...]] = Interner()
        self.head = Column()  # the envelope to be resolved first; UNKNOWN if there is none
        self.rest = Column()  # the content without it
        self.append = PairTable(self._append)
        """(content, batch) -> content with the batch at its end."""
        self._number(())

    def __len__(self) -> int:
        return len(self._contents)

    def _append(self, content: int, batch: int) -> int:
        return self._number(self._contents[content] + self._alphabet.batches[batch])

    def _number(self, envelopes: tuple[int, ...]) -> int:
        number = self._contents.find(envelopes)
        if number is None:
            rest = self._number(envelopes[1:]) if envelopes else 0
            number = self._contents.add(envelopes)
            self.head.append(envelopes[0] if envelopes else UNKNOWN)
            self.rest.append(rest)
        return number


class HeldContents:
    """Messages that are held back: sorted, or in order on each channel; 0 is none."""

    def __init__(self, alphabet: Alphabet, links: HeldLinks) -> None:
        self._alphabet = alphabet
        self._links = links
        self._contents: Interner[tuple[int, ...]] = Interner()
        self._room = Column()  # of each content: 1 if one more can be held
        self.deliverable = Lists()  # the envelopes of each content that may arrive next
        self.hold = PairTable(self._hold)
        """(content, envelope) -> content that holds it too, or NOTHING."""
        self.remove = PairTable(self._remove)
        """(content, envelope) -> content without it."""
        self.drop = PairTable(self._drop)
        """(content, process) -> content without what is held for the process."""
        self.blocks = PairTable(self._blocks)
        """(content, channel) -> 1 if something is held on the channel."""
        self._number(())

    def __len__(self) -> int:
        return len(self._contents)

    def of(self, envelopes: list[int]) -> int:
        """The content that holds these, sent in this order, whatever the capacity."""
        held: tuple[int, ...] = ()
        for envelope in envelopes:
            held = self._with(held, envelope) or held
        return self._number(held)

    def has_room(self, contents: Ints) -> Flags:
        """Whether one more can be held."""
        return np.equal(self._room.view[contents], 1)

    def _hold(self, content: int, envelope: int) -> int:
        if not self._room.view[content]:
            return NOTHING
        held = self._with(self._contents[content], envelope)
        return NOTHING if held is None else self._number(held)

    def _with(self, held: tuple[int, ...], envelope: int) -> tuple[int, ...] | None:
        if not self._links.ordered:
            return None if envelope in held else tuple(sorted((*held, envelope)))
        last = [other for other in held if self._channel(other) == self._channel(envelope)][-1:]
        # A stable sort: by channel, and on each channel in the order of sending.
        return None if last == [envelope] else tuple(sorted((*held, envelope), key=self._channel))

    def _remove(self, content: int, envelope: int) -> int:
        held = self._contents[content]
        at = held.index(envelope)
        return self._number(held[:at] + held[at + 1 :])

    def _drop(self, content: int, process: int) -> int:
        receiver = self._alphabet.receiver.view
        return self._number(tuple(e for e in self._contents[content] if receiver[e] != process))

    def _blocks(self, content: int, channel: int) -> int:
        return int(any(self._channel(e) == channel for e in self._contents[content]))

    def _channel(self, envelope: int) -> int:
        return int(self._alphabet.channel.view[envelope])

    def _number(self, held: tuple[int, ...]) -> int:
        number = self._contents.add(held)
        if number == len(self._room):
            self._room.append(int(len(held) < self._links.capacity))
            first: dict[int, int] = {}
            for envelope in held:
                first.setdefault(self._channel(envelope), envelope)
            self.deliverable.append(first.values() if self._links.ordered else held)
        return number

"""Messages as numbers: with their lanes, with their channels, and in the order of being sent."""

from collections.abc import Hashable
from typing import Any

from model_check.engine.interner import Interner
from model_check.engine.layout import (
    BATCH_FIRST_PARCEL,
    BATCH_PARCELS,
    BATCH_WIDTH,
    ENVELOPE_ARRIVAL,
    ENVELOPE_CHANNEL,
    ENVELOPE_RECEIVER,
    ENVELOPE_WIDTH,
)
from model_check.engine.sheets import Sheet
from model_check.system import Channel, Send, System


class Alphabet:
    """Every message that was ever sent.

    - arrival: a message and its lane, all that its receiver sees of it.
    - envelope: an arrival on a channel.
    - batch: the envelopes that one step sends, in order; the batch 0 is empty.
    """

    def __init__(self, system: System[Any, Any, Any]) -> None:
        self._process_count = len(system.processes)
        self.arrivals: Interner[tuple[Hashable, int]] = Interner()
        self.channels: Interner[Channel] = Interner()
        self._envelopes: Interner[tuple[int, int]] = Interner()  # channel, arrival
        self.envelopes = Sheet(ENVELOPE_WIDTH)
        self.parcels: Interner[tuple[int, ...]] = Interner()  # parts of batches, for one box each
        self.batches: Interner[tuple[int, ...]] = Interner()
        self.batch_sheet = Sheet(BATCH_WIDTH)
        self.batch(0, ())

    def __len__(self) -> int:
        return len(self._envelopes)

    def envelope(self, sender: int, send: Send[Any]) -> int:
        """The number of what is sent.

        Raises ValueError if there is no such receiver, or if it is the sender.
        """
        if not 0 <= send.dest < self._process_count or send.dest == sender:
            raise ValueError(f"process {sender} sends to {send.dest}: {send.message!r}")
        channel = self.channels.add((sender, send.dest, send.lane))
        arrival = self.arrivals.add((send.message, send.lane))
        number = self._envelopes.add((channel, arrival))
        if number == len(self.envelopes):
            self.envelopes.append(arrival, channel, send.dest)
        return number

    def batch(self, sender: int, sends: tuple[Send[Any], ...]) -> int:
        """The number of what one step of the sender sends."""
        envelopes = tuple(self.envelope(sender, send) for send in sends)
        number = self.batches.add(envelopes)
        if number == len(self.batch_sheet):
            self.batch_sheet.append(envelopes[0] if envelopes else -1, 0, 0)
        return number

    def set_parcels(self, batch: int, first: int, count: int) -> None:
        """What the batch puts into boxes are these parcels."""
        self.batch_sheet.set(batch, BATCH_FIRST_PARCEL, first)
        self.batch_sheet.set(batch, BATCH_PARCELS, count)

    def arrival(self, envelope: int) -> int:
        """What the receiver of the envelope sees of it."""
        return self.envelopes.get(envelope, ENVELOPE_ARRIVAL)

    def channel(self, envelope: int) -> int:
        """The number of the channel on which the envelope is sent."""
        return self.envelopes.get(envelope, ENVELOPE_CHANNEL)

    def receiver(self, envelope: int) -> int:
        """The process to which the envelope is sent."""
        return self.envelopes.get(envelope, ENVELOPE_RECEIVER)

    def sends(self, batch: int) -> tuple[Send[Any], ...]:
        """What a step that sends this batch sends."""
        return tuple(self.send(envelope) for envelope in self.batches[batch])

    def send(self, envelope: int) -> Send[Any]:
        """What was put into the envelope."""
        channel, arrival = self._envelopes[envelope]
        message, lane = self.arrivals[arrival]
        return Send(self.channels[channel][1], message, lane)

    def channel_of(self, envelope: int) -> Channel:
        """The channel on which the envelope is sent."""
        return self.channels[self._envelopes[envelope][0]]

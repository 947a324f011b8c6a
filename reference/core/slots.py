"""Sets of hash slots as bitmaps, and the slot of a key."""

import binascii
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, Self

import attrs
from typing_extensions import override

from reference.clauses import clause
from reference.core.types import SLOT_COUNT


@attrs.frozen(cache_hash=True)
class SlotSet:
    """A set of slot numbers; bit n of the bitmap is slot n (`clusterNode.slots`)."""

    bitmap: int = 0

    @classmethod
    def of(cls, slots: Iterable[int]) -> Self:
        """The set of exactly these slots; a negative one raises ValueError."""
        bitmap = 0
        for slot in slots:
            bitmap |= 1 << slot
        return cls(bitmap)

    @classmethod
    def between(cls, first: int, last: int) -> Self:
        """The slots from first to last, both included; none if last < first."""
        return cls((1 << (last + 1)) - (1 << first) if last >= first else 0)

    def __or__(self, other: "SlotSet") -> "SlotSet":
        return SlotSet(self.bitmap | other.bitmap)

    def __and__(self, other: "SlotSet") -> "SlotSet":
        return SlotSet(self.bitmap & other.bitmap)

    def __sub__(self, other: "SlotSet") -> "SlotSet":
        return SlotSet(self.bitmap & ~other.bitmap)

    def __bool__(self) -> bool:
        return self.bitmap != 0

    def __contains__(self, slot: int) -> bool:
        return self.bitmap >> slot & 1 == 1

    def __len__(self) -> int:
        return self.bitmap.bit_count()

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    @cached_property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The maximal runs of slots as (first, last) pairs, ascending, as CLUSTER NODES prints."""
        runs = []
        rest, base = self.bitmap, 0
        while rest:
            gap = (rest & -rest).bit_length() - 1
            rest >>= gap
            length = (~rest & (rest + 1)).bit_length() - 1
            runs.append((base + gap, base + gap + length - 1))
            rest >>= length
            base += gap + length
        return tuple(runs)

    @override
    def __str__(self) -> str:
        return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in self.ranges)


NO_SLOTS: Final = SlotSet()


@clause("SL-1", "SL-2")
def key_hash_slot(key: bytes) -> int:
    """The slot, 0 to 16383, of a key: its hash tag decides where it has one.

    Counterpart: `keyHashSlot`.
    """
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return binascii.crc_hqx(key, 0) % SLOT_COUNT

"""The slots that are on their way to another node, or from one."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import NodeId


@attrs.frozen(cache_hash=True)
class OpenSlots:
    """For each open slot the node at the other end (`migrating_slots_to`, `importing_slots_from`).

    An immutable map, iterated in the order of the slots.
    """

    entries: tuple[tuple[int, NodeId], ...] = ()

    def get(self, slot: int) -> NodeId | None:
        """The node at the other end, None if the slot is not open."""
        return next((node for number, node in self.entries if number == slot), None)

    def open(self, slot: int, node_id: NodeId) -> "OpenSlots":
        """The same with this slot open to this node."""
        kept = [entry for entry in self.entries if entry[0] != slot]
        return OpenSlots(tuple(sorted([*kept, (slot, node_id)])))

    def close(self, slots: SlotSet) -> "OpenSlots":
        """The same without these slots."""
        kept = tuple(entry for entry in self.entries if entry[0] not in slots)
        return self if len(kept) == len(self.entries) else OpenSlots(kept)

    def without_node(self, node_id: NodeId) -> "OpenSlots":
        """The same without the slots that are open to this node."""
        kept = tuple(entry for entry in self.entries if entry[1] != node_id)
        return self if len(kept) == len(self.entries) else OpenSlots(kept)

    @property
    def slots(self) -> SlotSet:
        """All open slots."""
        return SlotSet.of(slot for slot, _ in self.entries) if self.entries else NO_SLOTS

    def __iter__(self) -> Iterator[tuple[int, NodeId]]:
        return iter(self.entries)

    def __bool__(self) -> bool:
        return bool(self.entries)


@clause("SM-3")
def open_slots(entries: Iterable[tuple[int, NodeId]]) -> OpenSlots:
    """The open slots given by pairs of slot and node."""
    return OpenSlots(tuple(sorted(entries)))


NO_OPEN_SLOTS: Final = OpenSlots()
"""No slot is on its way."""

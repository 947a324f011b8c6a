"""SETSLOT as words, and the open slots of a master as the text that comes with its data."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from reference.clauses import clause
from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
)
from reference.core.state import ClusterState
from reference.core.types import SLOT_COUNT, NodeId

OPEN_SLOTS: Final = b"cluster-slot-states"
"""The name under which a file of data for replicas tells which slots its master has open."""

_OPEN_SLOT: Final = re.compile(rb"([0-9]{1,5})([<>])([^,]{40}),")


class OpenSlotsError(ValueError):
    """A text that does not tell open slots."""


@clause("CM-46")
def parse_setslot(
    slot: int, words: Sequence[bytes], holds_keys: Callable[[], bool]
) -> tuple[ClusterSetslot | None, list[bytes]]:
    """What the words behind the slot ask for, None if that is nothing; and the words behind that.

    Whether there are keys of the slot is asked if it matters. Counterpart:
    `clusterParseSetSlotCommand`.
    """
    match [words[0].upper(), *words[1:]]:
        case [b"MIGRATING", node, *rest]:
            return ClusterSetslotMigrating(slot=slot, node=_node(node)), rest
        case [b"IMPORTING", node, *rest]:
            return ClusterSetslotImporting(slot=slot, node=_node(node)), rest
        case [b"STABLE", *rest]:
            return ClusterSetslotStable(slot=slot), rest
        case [b"NODE", node, *rest]:
            command = ClusterSetslotNode(slot=slot, node=_node(node), holds_keys=holds_keys())
            return command, rest
        case _:
            return None, []


def _node(word: bytes) -> NodeId:
    return NodeId(word.decode("utf-8", "surrogateescape"))


@clause("RE-24")
def format_open_slots(state: ClusterState) -> bytes:
    """Slots that are being imported, then those that are on their way, each with the other end.

    Counterpart: `clusterEncodeOpenSlotsAuxField`.
    """
    importing, migrating = state.importing_slots_from, state.migrating_slots_to
    told = [f"{slot}<{importing.get(slot)}," for slot in importing.slots]
    told += [f"{slot}>{migrating.get(slot)}," for slot in migrating.slots]
    return "".join(told).encode("utf-8", "surrogateescape")


@clause("RE-24")
def parse_open_slots(text: bytes) -> Iterator[ClusterSetslotImporting | ClusterSetslotMigrating]:
    """The commands that would open these slots.

    OpenSlotsError if the text cannot be read. Counterpart: `clusterDecodeOpenSlotsAuxField`.
    """
    at = 0
    while at < len(text):
        found = _OPEN_SLOT.match(text, at)
        if found is None or int(found[1]) >= SLOT_COUNT:
            raise OpenSlotsError(f"not a slot that is open: {text[at : at + 60]!r}")
        kind = ClusterSetslotImporting if found[2] == b"<" else ClusterSetslotMigrating
        yield kind(slot=int(found[1]), node=_node(found[3]))
        at = found.end()

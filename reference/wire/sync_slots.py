"""What the two ends of an atomic slot migration say to each other, as words of a command."""

import re
from collections.abc import Sequence
from typing import Final, assert_never

from reference.clauses import clause
from reference.core.messages import (
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsEstablish,
    SyncSlotsFinish,
    SyncSlotsMessage,
)
from reference.core.migration_jobs import JobName, MigrationOutcome
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import SLOT_COUNT, NodeId

_NAME: Final = re.compile(rb"[0-9a-f]{40}")
_INTEGER: Final = re.compile(rb"-?[0-9]{1,19}")
_CALLS: Final = {call.value.encode(): call for call in SyncSlotsCall}
_OUTCOMES: Final = {
    b"SUCCESS": MigrationOutcome.SUCCESS,
    b"FAILED": MigrationOutcome.FAILED,
}
_SYNTAX: Final = "syntax error"
_BAD_SLOT: Final = "Invalid or out of range slot"

Words = Sequence[bytes]


class SyncSlotsError(Exception):
    """What is wrong with the words, as a server says it."""


@clause("SM-36")
def format_sync_slots(message: SyncSlotsMessage) -> list[bytes]:
    """The words of the command that says this."""
    head = [b"CLUSTER", b"SYNCSLOTS"]
    match message:
        case SyncSlots():
            return [*head, message.call.value.encode()]
        case SyncSlotsEstablish():
            bounds = [b"%d" % bound for run in message.slots.ranges for bound in run]
            about = [b"SOURCE", message.source.encode(), b"NAME", message.name.encode()]
            return [*head, b"ESTABLISH", *about, b"SLOTSRANGE", *bounds]
        case SyncSlotsFinish():
            success = message.outcome is MigrationOutcome.SUCCESS
            state = b"SUCCESS" if success else b"FAILED"
            about = [b"STATE", state, b"NAME", message.name.encode()]
            reason = message.reason.encode("utf-8", "surrogateescape")
            return [*head, b"FINISH", *about, b"MESSAGE", reason]
        case _:
            assert_never(message)


def parse_call(word: bytes) -> SyncSlotsCall | None:
    """What this word behind CLUSTER SYNCSLOTS says, None if it says none of the calls."""
    return _CALLS.get(word.upper())


@clause("SM-36")
def parse_establish(words: Words, *, from_master: bool = False) -> SyncSlotsEstablish:
    """What the words behind ESTABLISH ask for; a master's stream need not name the source.

    SyncSlotsError if they are not in the right form. Counterpart:
    `clusterCommandSyncSlotsEstablish`.
    """
    found: dict[bytes, bytes] = {}
    slots = NO_SLOTS
    rest = list(words)
    while rest:
        word = rest.pop(0).upper()
        if word == b"SLOTSRANGE" and not slots:
            slots, rest = parse_slot_ranges(rest)
        elif word in (b"SOURCE", b"NAME") and word not in found and _is_name(rest[:1]):
            found[word] = rest.pop(0)
        else:
            raise SyncSlotsError(_SYNTAX)
    if not slots or b"NAME" not in found or not (from_master or b"SOURCE" in found):
        raise SyncSlotsError(_SYNTAX)
    return SyncSlotsEstablish(
        name=JobName(found[b"NAME"].decode()),
        source=NodeId(found.get(b"SOURCE", b"").decode()),
        slots=slots,
    )


def _is_name(words: Words) -> bool:
    return bool(words) and _NAME.fullmatch(words[0]) is not None


@clause("SM-36")
def parse_finish(words: Words) -> SyncSlotsFinish:
    """What the words behind FINISH tell; SyncSlotsError if they are not in the right form.

    Counterpart: `clusterCommandSyncSlotsFinish`.
    """
    if len(words) % 2:
        raise SyncSlotsError(_SYNTAX)
    found = {name.upper(): value for name, value in zip(words[::2], words[1::2], strict=True)}
    outcome = _OUTCOMES.get(found.pop(b"STATE", b"").upper())
    name, reason = found.pop(b"NAME", b""), found.pop(b"MESSAGE", b"")
    if found or outcome is None or not _is_name([name]):
        raise SyncSlotsError(_SYNTAX)
    text = reason.decode("utf-8", "surrogateescape")
    return SyncSlotsFinish(name=JobName(name.decode()), outcome=outcome, reason=text)


@clause("SM-21")
def parse_slot_ranges(words: Words) -> tuple[SlotSet, list[bytes]]:
    """The slots of the pairs at the beginning, and the words from the first on that is no number.

    SyncSlotsError if a pair makes no sense. Counterpart: `parseSlotRangesOrReply`.
    """
    taken: list[tuple[int, int]] = []
    at = 0
    while at < len(words) and _INTEGER.fullmatch(words[at]):
        first = _slot(words[at])
        if at + 1 == len(words):
            raise SyncSlotsError("No end slot for final slot range")
        last = _slot(words[at + 1])
        if first > last:
            raise SyncSlotsError(
                f"Start slot number {first} is greater than end slot number {last}."
            )
        for low, high in taken:
            if first <= high and last >= low:
                raise SyncSlotsError(
                    f"Slot range {first}-{last} overlaps with previous range {low}-{high}."
                )
        taken.append((first, last))
        at += 2
    if not taken:
        raise SyncSlotsError("No slot ranges specified")
    slots = NO_SLOTS
    for first, last in taken:
        slots |= SlotSet.between(first, last)
    return slots, list(words[at:])


def _slot(word: bytes) -> int:
    slot = int(word) if _INTEGER.fullmatch(word) else -1
    if not 0 <= slot < SLOT_COUNT:
        raise SyncSlotsError(_BAD_SLOT)
    return slot

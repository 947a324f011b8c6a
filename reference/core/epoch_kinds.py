"""Epochs that say how they were come by, and by whom, so that no two nodes take the same one."""

from enum import Enum
from typing import Final
from zlib import crc32

from reference.clauses import clause
from reference.core.types import Epoch, NodeId

LAST_EPOCH: Final = 2**64 - 1
"""The largest epoch that a header can carry."""

_TAG_BITS: Final = 32
_TAGS: Final = (1 << _TAG_BITS) - 1
_KINDS: Final = 3


class EpochKind(Enum):
    """How a node came by a configEpoch: the two lowest bits, with those of its name above them."""

    ELECTED = 0  # by the votes of a majority; no name
    KEPT = 1  # to claim what it has, or an imported slot besides
    TAKEN_OVER = 2  # to claim what its master had, by an operator's word
    DEFENDED = 3  # to keep what it took, against a claim that has not heard of it


@clause("EP-13")
def unique_epoch(newest: Epoch, node_id: NodeId, kind: EpochKind) -> Epoch:
    """The epoch of this kind in the round after that of the newest one, which no other node takes.

    Two nodes whose names have one checksum but for its two lowest bits might. After the last round
    there is none, and the epoch stays.
    """
    rounds = (newest >> _TAG_BITS) + 1
    if rounds << _TAG_BITS > LAST_EPOCH:
        return newest
    if kind is EpochKind.ELECTED:
        return rounds << _TAG_BITS
    low: int = _tag(node_id) | kind.value
    return (rounds << _TAG_BITS) | low


def _tag(node_id: NodeId) -> int:
    return crc32(node_id.encode()) & ~_KINDS


@clause("EP-13")
def kind_of(epoch: Epoch, owner: NodeId) -> EpochKind | None:
    """How its owner came by the epoch; None if it takes epochs as a release does."""
    low = epoch & _TAGS
    if low == 0:
        return EpochKind.ELECTED
    return next((kind for kind in EpochKind if low == _tag(owner) | kind.value), None)

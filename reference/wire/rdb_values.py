"""The values of keys, whatever encoding they are read from.

Two values are equal if they hold the same: order counts in lists and streams only.
"""

from typing import TypeAlias, assert_never

import attrs
from typing_extensions import override

from reference.clauses import clause


@attrs.frozen
class RdbString:
    """A string; a number is its decimal digits."""

    value: bytes


@attrs.frozen
class RdbList:
    """A list, from its left end to its right."""

    items: tuple[bytes, ...]


@attrs.frozen
class RdbSet:
    """A set."""

    members: frozenset[bytes]


@attrs.frozen
class RdbHash:
    """A hash: fields with their values, and when fields expire, if they do."""

    pairs: tuple[tuple[bytes, bytes], ...] = attrs.field(eq=frozenset)
    expires_at_ms: tuple[tuple[bytes, int], ...] = attrs.field(default=(), eq=frozenset)
    """For each field that expires, milliseconds since 1970."""


@attrs.frozen
class RdbSortedSet:
    """A sorted set: members with their scores, which may be infinite."""

    scores: tuple[tuple[bytes, float], ...] = attrs.field(eq=frozenset)


@attrs.frozen(order=True)
class StreamId:
    """When an entry was added, and which of that millisecond it is; both below 2**64."""

    ms: int
    seq: int

    @override
    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"


ZERO_ID = StreamId(0, 0)
"""Smaller than the id of any entry."""


@attrs.frozen
class StreamEntry:
    """An entry of a stream; a field may occur several times."""

    entry_id: StreamId
    pairs: tuple[tuple[bytes, bytes], ...]


@attrs.frozen
class StreamPending:
    """An entry that was delivered and not acknowledged (`streamNACK`)."""

    entry_id: StreamId
    delivery_time: int  # milliseconds since 1970
    delivery_count: int


@attrs.frozen(kw_only=True)
class StreamConsumer:
    """A consumer of a group (`streamConsumer`)."""

    name: bytes
    seen_time: int  # milliseconds since 1970
    active_time: int  # milliseconds since 1970, -1: never
    pending: tuple[StreamId, ...] = ()  # those of the group's pending entries that it has


@attrs.frozen(kw_only=True)
class StreamGroup:
    """A consumer group (`streamCG`)."""

    name: bytes
    last_id: StreamId
    entries_read: int | None  # None: not known
    pending: tuple[StreamPending, ...] = ()
    consumers: tuple[StreamConsumer, ...] = ()


@attrs.frozen(kw_only=True)
class RdbStream:
    """A stream, which may be empty."""

    entries: tuple[StreamEntry, ...] = ()  # with ascending ids
    last_id: StreamId = ZERO_ID
    max_deleted_id: StreamId = ZERO_ID
    entries_added: int = 0  # ever
    groups: tuple[StreamGroup, ...] = ()

    @property
    def first_id(self) -> StreamId:
        """The id of the first entry, 0-0 if there is none."""
        return self.entries[0].entry_id if self.entries else ZERO_ID


RdbValue: TypeAlias = RdbString | RdbList | RdbSet | RdbHash | RdbSortedSet | RdbStream


@clause("RB-15")
def holds_nothing(value: RdbValue) -> bool:
    """Whether it is a collection without members, which no key has.

    Counterpart: `rdbLoadObject`.
    """
    match value:
        case RdbList(items):
            return not items
        case RdbSet(members):
            return not members
        case RdbHash(pairs):
            return not pairs
        case RdbSortedSet(scores):
            return not scores
        case RdbString() | RdbStream():
            return False
        case _:
            assert_never(value)

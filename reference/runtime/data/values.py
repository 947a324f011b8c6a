"""The engine's values in the form of files and payloads; the engine's own form never leaves it."""

from collections.abc import Sequence
from typing import Any

from fakeredis.model import ExpiringMembersSet, Hash, XStream, ZSet
from fakeredis.model._stream import PelEntry, StreamConsumerInfo, StreamEntryKey
from fakeredis.model._stream import StreamGroup as EngineGroup

from reference.wire.rdb import RdbKey
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbStream,
    RdbString,
    RdbValue,
    StreamConsumer,
    StreamEntry,
    StreamGroup,
    StreamId,
    StreamPending,
)


def entry_of(key: bytes, item: Any) -> RdbKey:  # noqa: ANN401 - an item of the engine
    """The key with all that it holds at this moment."""
    return RdbKey(key=key, value=_value(item.value), expires_at_ms=expiry_ms(item))


def expiry_ms(item: Any) -> int | None:  # noqa: ANN401 - an item of the engine
    """When the key expires, milliseconds since 1970."""
    return None if item.expireat is None else int(item.expireat * 1000)


def _value(value: object) -> RdbValue:
    if isinstance(value, bytes):
        return RdbString(value)
    if isinstance(value, list):
        return RdbList(tuple(value))
    if isinstance(value, ExpiringMembersSet):
        return RdbSet(frozenset(value))
    if isinstance(value, ZSet):
        return RdbSortedSet(tuple(value.items()))
    if isinstance(value, Hash):
        expiries = {field: value.get_key_expireat(field) for field in value}
        return RdbHash(
            tuple(value.items()),
            tuple((field, when) for field, when in expiries.items() if when is not None),
        )
    if isinstance(value, XStream):
        return _stream(value)
    raise TypeError(f"the data engine holds a {type(value).__name__}")


def _id(key: StreamEntryKey) -> StreamId:
    return StreamId(key.ts, key.seq)


def _stream(stream: XStream) -> RdbStream:
    entries = []
    for key in stream._ids:  # noqa: SLF001 - the engine has no other way to all of it
        words = stream._values_dict[key]  # noqa: SLF001
        pairs = tuple(zip(words[::2], words[1::2], strict=True))
        entries.append(StreamEntry(_id(key), pairs))
    groups = stream._groups.items()  # noqa: SLF001
    return RdbStream(
        entries=tuple(entries),
        last_id=_id(stream._last_id),  # noqa: SLF001
        max_deleted_id=_id(stream._max_deleted_id),  # noqa: SLF001
        entries_added=stream._entries_added,  # noqa: SLF001
        groups=tuple(_group(name, group) for name, group in groups),
    )


def _group(name: bytes, group: EngineGroup) -> StreamGroup:
    return StreamGroup(
        name=name,
        last_id=_id(group.last_delivered_key),
        entries_read=group.entries_read,
        pending=tuple(
            StreamPending(_id(key), entry.time_read, entry.times_delivered)
            for key, entry in sorted(group.pel.items())
        ),
        consumers=tuple(
            StreamConsumer(
                name=name,
                seen_time=consumer.last_attempt,
                active_time=consumer.last_success,
                pending=tuple(
                    _id(key)
                    for key, entry in sorted(group.pel.items())
                    if entry.consumer_name == name
                ),
            )
            for name, consumer in group.consumers.items()
        ),
    )


def complete_stream(stream: object, value: RdbStream) -> None:
    """The engine's stream, which has the entries, has all else too."""
    if not isinstance(stream, XStream):
        raise TypeError(f"the data engine holds a {type(stream).__name__} where a stream was put")
    stream._last_id = _key(value.last_id)  # noqa: SLF001
    stream._max_deleted_id = _key(value.max_deleted_id)  # noqa: SLF001
    stream._entries_added = value.entries_added  # noqa: SLF001
    for group in value.groups:
        stream.group_add(group.name, _key(group.last_id), group.entries_read)
        made = stream.group_get(group.name)
        if made is not None:
            _complete_group(made, group)


def _complete_group(made: EngineGroup, group: StreamGroup) -> None:
    owners = {entry: each.name for each in group.consumers for entry in each.pending}
    for pending in group.pending:
        owner = owners.get(pending.entry_id, b"")
        times = pending.delivery_time, pending.delivery_count
        made.pel[_key(pending.entry_id)] = PelEntry(owner, *times)
    for each in group.consumers:
        made.consumers[each.name] = consumer = StreamConsumerInfo(each.name)
        consumer.pending = len(each.pending)
        consumer.last_attempt, consumer.last_success = each.seen_time, each.active_time


def _key(entry_id: StreamId) -> StreamEntryKey:
    return StreamEntryKey(entry_id.ms, entry_id.seq)


def advance_group(stream: object, name: bytes, last: bytes) -> None:
    """The group has read up to this id at least (XCLAIM with LASTID)."""
    group = stream.group_get(name) if isinstance(stream, XStream) else None
    if group is not None:
        group.last_delivered_key = max(group.last_delivered_key, StreamEntryKey.parse_str(last))


def set_stream_ids(stream: object, words: Sequence[bytes]) -> None:
    """The last id is this, and the counts are what the words behind it say (XSETID)."""
    if not isinstance(stream, XStream):
        return
    stream._last_id = StreamEntryKey.parse_str(words[0])  # noqa: SLF001
    for option, value in zip(words[1::2], words[2::2], strict=False):
        if option.upper() == b"ENTRIESADDED":
            stream._entries_added = int(value)  # noqa: SLF001
        elif option.upper() == b"MAXDELETEDID":
            stream._max_deleted_id = StreamEntryKey.parse_str(value)  # noqa: SLF001

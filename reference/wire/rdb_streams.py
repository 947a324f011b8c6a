"""Streams: entries in listpacks, and consumer groups with what they have not acknowledged."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Final

from reference.clauses import clause
from reference.wire.rdb_listpack import Element, PackedError, format_listpack, read_listpack
from reference.wire.rdb_listpack import text_of as _text
from reference.wire.rdb_strings import RdbReader, Steps, each, format_length, format_string, once
from reference.wire.rdb_values import (
    RdbStream,
    StreamConsumer,
    StreamEntry,
    StreamGroup,
    StreamId,
    StreamPending,
)

_DELETED: Final = 1
_SAME_FIELDS: Final = 2
_UNKNOWN_READS: Final = 2**64 - 1
"""Stands for a group's count of entries when nobody knows it (`SCG_INVALID_ENTRIES_READ`)."""

_WRAP: Final = 2**64
_ID_BYTES: Final = 16
_FORM_WITHOUT_ACTIVE_TIME: Final = 2
_NODE_ENTRIES: Final = 100
_NODE_BYTES: Final = 4096
"""Where the next listpack begins (`stream-node-max-entries`, `stream-node-max-bytes`)."""


@clause("RB-7", "RB-14")
def read_stream(reader: RdbReader, form: int) -> Steps[RdbStream]:
    """The next stream, in form 1, 2 or 3. Counterpart: `rdbLoadObject`."""
    start = reader.offset
    count = yield from once(reader, partial(reader.count, 2))
    nodes = yield from each(reader, count, partial(_read_node, reader))
    entries = tuple(entry for node in nodes for entry in node)
    for earlier, later in pairwise(entries):
        if earlier.entry_id >= later.entry_id:
            reader.fail(f"stream entry {later.entry_id} after {earlier.entry_id}", start)
    length = yield from once(reader, reader.length)
    if length != len(entries):
        reader.fail(f"{length} stream entries declared, {len(entries)} found", start)
    last_id = yield from once(reader, partial(_read_id, reader))
    if entries and entries[-1].entry_id > last_id:
        reader.fail(f"stream entry {entries[-1].entry_id} after the last id {last_id}", start)
    max_deleted_id, entries_added = StreamId(0, 0), length
    if form > 1:
        yield from once(reader, partial(_read_id, reader))  # the first id, known from the entries
        max_deleted_id = yield from once(reader, partial(_read_id, reader))
        entries_added = yield from once(reader, reader.length)
    count = yield from once(reader, partial(reader.count, 5))
    groups: list[StreamGroup] = []
    while len(groups) < count:
        groups.append((yield from _read_group(reader, form)))
    if len({group.name for group in groups}) < len(groups):
        reader.fail("two consumer groups of one name", start)
    return RdbStream(
        entries=entries,
        last_id=last_id,
        max_deleted_id=max_deleted_id,
        entries_added=entries_added,
        groups=tuple(groups),
    )


def _read_id(reader: RdbReader) -> StreamId:
    return StreamId(reader.length(), reader.length())


def _read_raw_id(reader: RdbReader) -> StreamId:
    return _unpack_id(reader.take(_ID_BYTES))


def _unpack_id(data: bytes) -> StreamId:
    return StreamId(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big"))


def _read_node(reader: RdbReader) -> list[StreamEntry]:
    """The entries of the next listpack, without those that are marked deleted."""
    start = reader.offset
    key = reader.string()
    if len(key) != _ID_BYTES:
        reader.fail(f"the id of a stream's listpack has {len(key)} bytes, not {_ID_BYTES}", start)
    start = reader.offset
    try:
        return list(_Node(read_listpack(reader.string())).entries(_unpack_id(key)))
    except PackedError as error:
        reader.fail(f"listpack of a stream: {error}", start)


class _Node:
    """A listpack of a stream, read from its first element to its last."""

    def __init__(self, elements: list[Element]) -> None:
        self._elements = elements
        self._next = 0

    def entries(self, first_id: StreamId) -> Iterator[StreamEntry]:
        """The entries; their ids are told as differences to the first."""
        count = self._number() + self._number()  # entries that are there, and deleted ones
        shared = self._texts(self._number())
        if self._number() != 0:
            raise PackedError(0, "no 0 behind the shared fields")
        for _ in range(count):
            start = self._next
            flags = self._number()
            entry_id = StreamId(
                (first_id.ms + self._number()) % _WRAP, (first_id.seq + self._number()) % _WRAP
            )
            if flags & _SAME_FIELDS:
                pairs = tuple(zip(shared, self._texts(len(shared)), strict=True))
            else:
                texts = self._texts(2 * self._number())
                pairs = tuple(zip(texts[::2], texts[1::2], strict=True))
            if (size := self._next - start) != self._number():
                raise PackedError(0, f"entry {entry_id} has {size} elements and says otherwise")
            if not flags & _DELETED:
                yield StreamEntry(entry_id, pairs)
        if self._next != len(self._elements):
            raise PackedError(0, f"{len(self._elements) - self._next} elements are left over")

    def _number(self) -> int:
        [text] = self._texts(1)
        if not text.removeprefix(b"-").isdigit() or len(text) > len(str(_WRAP)):
            raise PackedError(0, f"element {self._next - 1} is no number")
        return int(text)

    def _texts(self, count: int) -> list[bytes]:
        upto = self._next + count
        if not self._next <= upto <= len(self._elements):
            raise PackedError(0, f"{count} elements expected after {self._next}")
        texts = [_text(element) for element in self._elements[self._next : upto]]
        self._next = upto
        return texts


def _read_group(reader: RdbReader, form: int) -> Steps[StreamGroup]:
    start = reader.offset
    name = yield from once(reader, reader.string)
    last_id = yield from once(reader, partial(_read_id, reader))
    entries_read: int | None = None
    if form > 1:
        entries_read = yield from once(reader, reader.length)
        entries_read = None if entries_read == _UNKNOWN_READS else entries_read
    count = yield from once(reader, partial(reader.count, _ID_BYTES + 9))
    pending = yield from each(reader, count, partial(_read_pending, reader))
    waiting = {one.entry_id for one in pending}
    if len(waiting) < len(pending):
        reader.fail("an entry is pending twice in one group", start)
    count = yield from once(reader, partial(reader.count, 10))
    consumers: list[StreamConsumer] = []
    while len(consumers) < count:
        consumer = yield from _read_consumer(reader, form)
        if not waiting.issuperset(consumer.pending):
            reader.fail("a consumer has an entry that is not pending, or another's", start)
        waiting.difference_update(consumer.pending)
        consumers.append(consumer)
    if waiting:
        reader.fail(f"{len(waiting)} entries are pending for no consumer", start)
    if len({consumer.name for consumer in consumers}) < len(consumers):
        reader.fail("two consumers of one name", start)
    return StreamGroup(
        name=name,
        last_id=last_id,
        entries_read=entries_read,
        pending=tuple(pending),
        consumers=tuple(consumers),
    )


def _read_pending(reader: RdbReader) -> StreamPending:
    return StreamPending(_read_raw_id(reader), reader.signed(8), reader.length())


def _read_consumer(reader: RdbReader, form: int) -> Steps[StreamConsumer]:
    start = reader.offset
    name = yield from once(reader, reader.string)
    seen_time = active_time = yield from once(reader, partial(reader.signed, 8))
    if form > _FORM_WITHOUT_ACTIVE_TIME:
        active_time = yield from once(reader, partial(reader.signed, 8))
    count = yield from once(reader, partial(reader.count, _ID_BYTES))
    pending = yield from each(reader, count, partial(_read_raw_id, reader))
    if len(set(pending)) < len(pending):
        reader.fail("an entry is pending twice for one consumer", start)
    return StreamConsumer(
        name=name, seen_time=seen_time, active_time=active_time, pending=tuple(pending)
    )


@clause("RB-11")
def format_stream(stream: RdbStream, form: int) -> bytes:
    """The stream in form 2, which knows no active times, or 3. Counterpart: `rdbSaveObject`."""
    nodes = list(_nodes(stream.entries))
    parts = [format_length(len(nodes))]
    for node in nodes:
        parts += [format_string(_pack_id(node[0].entry_id)), format_string(_format_node(node))]
    parts.append(format_length(len(stream.entries)))
    for one in (stream.last_id, stream.first_id, stream.max_deleted_id):
        parts.append(_format_id(one))
    parts += [format_length(stream.entries_added), format_length(len(stream.groups))]
    parts += [part for group in stream.groups for part in _format_group(group, form)]
    return b"".join(parts)


def _nodes(entries: tuple[StreamEntry, ...]) -> Iterator[list[StreamEntry]]:
    """The entries, so many together as make a listpack."""
    node: list[StreamEntry] = []
    size = 0
    for entry in entries:
        if len(node) >= _NODE_ENTRIES or size >= _NODE_BYTES:
            yield node
            node, size = [], 0
        node.append(entry)
        size += sum(len(field) + len(value) for field, value in entry.pairs)
    if node:
        yield node


def _format_node(entries: list[StreamEntry]) -> bytes:
    first = entries[0].entry_id
    shared = [field for field, _ in entries[0].pairs]
    elements: list[Element] = [len(entries), 0, len(shared), *shared, 0]
    for entry in entries:
        start = len(elements)
        same = [field for field, _ in entry.pairs] == shared
        elements.append(_SAME_FIELDS if same else 0)
        elements.append(_wrapped(entry.entry_id.ms - first.ms))
        elements.append(_wrapped(entry.entry_id.seq - first.seq))
        if same:
            elements += [value for _, value in entry.pairs]
        else:
            elements.append(len(entry.pairs))
            elements += [text for pair in entry.pairs for text in pair]
        elements.append(len(elements) - start)
    return format_listpack(elements)


def _wrapped(difference: int) -> int:
    """The difference of two ids as a number with a sign and 64 bits."""
    return (difference + _WRAP // 2) % _WRAP - _WRAP // 2


def _format_group(group: StreamGroup, form: int) -> Iterator[bytes]:
    yield format_string(group.name)
    yield _format_id(group.last_id)
    yield format_length(_UNKNOWN_READS if group.entries_read is None else group.entries_read)
    yield format_length(len(group.pending))
    for one in group.pending:
        yield _pack_id(one.entry_id) + _pack_time(one.delivery_time)
        yield format_length(one.delivery_count)
    yield format_length(len(group.consumers))
    for consumer in group.consumers:
        yield format_string(consumer.name) + _pack_time(consumer.seen_time)
        if form > _FORM_WITHOUT_ACTIVE_TIME:
            yield _pack_time(consumer.active_time)
        yield format_length(len(consumer.pending))
        yield from map(_pack_id, consumer.pending)


def _format_id(one: StreamId) -> bytes:
    return format_length(one.ms) + format_length(one.seq)


def _pack_id(one: StreamId) -> bytes:
    return one.ms.to_bytes(8, "big") + one.seq.to_bytes(8, "big")


def _pack_time(ms: int) -> bytes:
    return ms.to_bytes(8, "little", signed=True)

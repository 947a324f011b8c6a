"""A value in every encoding of the RDB format, built byte by byte, and the older packed forms."""

import math
import struct
from collections.abc import Sequence
from typing import Final

import attrs

from reference.wire.rdb import RdbAux, RdbFunction, RdbKey, RdbSizes, WritableEntry
from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_decode import RdbType
from reference.wire.rdb_listpack import format_listpack
from reference.wire.rdb_streams import format_stream
from reference.wire.rdb_strings import format_length, format_string
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

LONG: Final = b"long" * 20
LONGER: Final = b"x" * 5000
LONGEST: Final = b"y" * 17000
INTEGERS: Final = (
    0, 12, 13, 127, 128, -1, -128, -129, 4095, -4096, 4096, 32767, -32768, 32768, 2**23 - 1,
    -(2**23), 2**23, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63),
)  # fmt: skip
ELEMENTS: Final = (b"", b"a", LONG, LONGER, LONGEST, *INTEGERS)
TEXTS: Final = tuple(b"%d" % one if isinstance(one, int) else one for one in ELEMENTS)


def ziplist(elements: Sequence[bytes | int], *, wide: bool = False) -> bytes:
    """A ziplist; `wide` has 5 bytes for each previous size, which servers leave behind."""
    body = bytearray()
    last, size = 0, 0
    for element in elements:
        long = wide or size >= 254
        entry = b"\xfe" + size.to_bytes(4, "little") if long else bytes((size,))
        entry += _ziplist_integer(element) if isinstance(element, int) else _ziplist_text(element)
        last, size = len(body), len(entry)
        body += entry
    total = (10 + len(body) + 1).to_bytes(4, "little")
    count = len(elements).to_bytes(2, "little")
    return total + (10 + last).to_bytes(4, "little") + count + bytes(body) + b"\xff"


def _ziplist_text(text: bytes) -> bytes:
    if len(text) < 64:
        return bytes((len(text),)) + text
    if len(text) < 16384:
        return (0x4000 | len(text)).to_bytes(2, "big") + text
    return b"\x80" + len(text).to_bytes(4, "big") + text


def _ziplist_integer(number: int) -> bytes:
    if 0 <= number <= 12:
        return bytes((0xF1 + number,))
    for first, size in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
        if -(1 << (8 * size - 1)) <= number < 1 << (8 * size - 1):
            return bytes((first,)) + number.to_bytes(size, "little", signed=True)
    raise AssertionError(number)


def zipmap(pairs: Sequence[tuple[bytes, bytes]], spare: int = 0) -> bytes:
    """A zipmap with so many unused bytes behind each value."""
    body = b"".join(
        _zipmap_size(field) + field + _zipmap_size(value) + bytes((spare,)) + value + bytes(spare)
        for field, value in pairs
    )
    return bytes((min(len(pairs), 254),)) + body + b"\xff"


def _zipmap_size(text: bytes) -> bytes:
    return bytes((len(text),)) if len(text) < 254 else b"\xfe" + len(text).to_bytes(4, "little")


def intset(numbers: Sequence[int], size: int) -> bytes:
    """An intset whose integers have so many bytes."""
    body = b"".join(number.to_bytes(size, "little", signed=True) for number in numbers)
    return size.to_bytes(4, "little") + len(numbers).to_bytes(4, "little") + body


def payload(body: bytes, version: int = 10) -> bytes:
    """A payload of DUMP with a right checksum."""
    data = body + version.to_bytes(2, "little")
    return data + crc64(data).to_bytes(8, "little")


def file(body: bytes, header: bytes = b"REDIS0010") -> bytes:
    """An RDB file with a right checksum."""
    data = header + body + b"\xff"
    return data + crc64(data).to_bytes(8, "little")


@attrs.frozen
class Sample:
    """Bytes of a type, and the value that they mean."""

    kind: RdbType
    body: bytes
    value: RdbValue


PAIRS: Final = ((b"f", b"v"), (b"12", b"-5"), (LONG, b""), (b"\xff\0", b"\r\n"))
_FLAT: Final = [text for pair in PAIRS for text in pair]
_MIXED: Final[list[bytes | int]] = [b"f", b"v", 12, -5, LONG, b"", b"\xff\0", b"\r\n"]
SCORES: Final = ((b"a", 1.5), (b"b", -3.0), (b"c", math.inf), (b"d", -math.inf), (b"e", 1e300))
_SCORE_TEXTS: Final[list[bytes | int]] = [
    b"d", b"-inf", b"b", -3, b"a", b"1.5", b"e", b"1e+300", b"c", b"inf",
]  # fmt: skip
_NUMBERS: Final = (-5, 0, 7)
_SET: Final = RdbSet(frozenset({b"-5", b"0", b"7"}))
_LIST: Final = RdbList(TEXTS)
EXPIRING: Final = RdbHash(PAIRS, ((b"f", 4102444800000), (LONG, 4102444800001)))


def _entry(ms: int, seq: int, *pairs: tuple[bytes, bytes]) -> StreamEntry:
    return StreamEntry(StreamId(ms, seq), pairs)


STREAM: Final = RdbStream(
    entries=(
        _entry(5, 9, (b"a", b"1"), (b"b", b"x")),
        _entry(6, 0, (b"a", b"2"), (b"b", LONG)),
        _entry(6, 1, (b"other", b"3")),
        _entry(2**63, 2**64 - 1, (b"a", b""), (b"a", b"twice")),
    ),
    last_id=StreamId(2**64 - 1, 2),
    max_deleted_id=StreamId(5, 8),
    entries_added=12,
    groups=(
        StreamGroup(name=b"empty", last_id=StreamId(0, 0), entries_read=None),
        StreamGroup(
            name=b"g",
            last_id=StreamId(6, 1),
            entries_read=3,
            pending=(
                StreamPending(StreamId(5, 9), 1700000000000, 2),
                StreamPending(StreamId(6, 0), 1700000000001, 1),
                StreamPending(StreamId(6, 1), 1700000000002, 1),
            ),
            consumers=(
                StreamConsumer(
                    name=b"bob",
                    seen_time=1700000000003,
                    active_time=1700000000002,
                    pending=(StreamId(5, 9), StreamId(6, 1)),
                ),
                StreamConsumer(
                    name=b"eve",
                    seen_time=1700000000004,
                    active_time=1700000000004,
                    pending=(StreamId(6, 0),),
                ),
                StreamConsumer(name=b"idle", seen_time=1700000000005, active_time=-1),
            ),
        ),
    ),
)


def without_active_times(stream: RdbStream) -> RdbStream:
    """The stream as it comes back from a form that has no active times."""
    groups = tuple(
        attrs.evolve(
            group,
            consumers=tuple(attrs.evolve(c, active_time=c.seen_time) for c in group.consumers),
        )
        for group in stream.groups
    )
    return attrs.evolve(stream, groups=groups)


SMALL_STREAM: Final = RdbStream(
    entries=(_entry(1, 1, (b"a", b"b")),), last_id=StreamId(1, 1), entries_added=1
)
_RAW_ID: Final = bytes(7) + b"\1" + bytes(7) + b"\1"
_SMALL_NODE: Final = (
    format_string(_RAW_ID)
    + format_string(format_listpack([1, 0, 1, b"a", 0, 2, 0, 0, b"b", 4]))
)  # fmt: skip
SMALL_STREAM_1: Final = b"\1" + _SMALL_NODE + b"\1" + b"\1\1" + b"\0"
"""SMALL_STREAM in form 1: one listpack, one entry, the last id, no groups."""


_GROUP_1: Final = b"\x01g\1\1\1" + _RAW_ID + b"\5" + bytes(7) + b"\3"
_CONSUMER_1: Final = b"\1\x01c\6" + bytes(7) + b"\1" + _RAW_ID
_GROUP: Final = StreamGroup(
    name=b"g",
    last_id=StreamId(1, 1),
    entries_read=None,
    pending=(StreamPending(StreamId(1, 1), 5, 3),),
    consumers=(StreamConsumer(name=b"c", seen_time=6, active_time=6, pending=(StreamId(1, 1),)),),
)


def _counted(parts: Sequence[bytes]) -> bytes:
    return format_length(len(parts)) + b"".join(parts)


def _text_scores() -> bytes:
    special = {math.inf: b"\xfe", -math.inf: b"\xff"}
    parts = [
        format_string(member) + special.get(score, format_string(b"%.17g" % score))
        for member, score in SCORES
    ]
    return _counted(parts)


def _binary_scores() -> bytes:
    return _counted([format_string(member) + struct.pack("<d", score) for member, score in SCORES])


SAMPLES: Final = (
    Sample(RdbType.STRING, b"\x03abc", RdbString(b"abc")),
    Sample(RdbType.STRING, b"\xc0\x80", RdbString(b"-128")),
    Sample(RdbType.STRING, b"\xc1\xff\x7f", RdbString(b"32767")),
    Sample(RdbType.STRING, b"\xc2\x00\x00\x00\x80", RdbString(b"-2147483648")),
    Sample(RdbType.STRING, b"\xc3\x05\x0a\x00a\xe0\x00\x00", RdbString(b"a" * 10)),
    Sample(RdbType.STRING, b"\x81" + bytes(7) + b"\x01x", RdbString(b"x")),
    Sample(RdbType.LIST, _counted([format_string(text) for text in TEXTS]), _LIST),
    Sample(RdbType.SET, b"\x03\xc0\xfb\x010\x017", _SET),
    Sample(RdbType.ZSET, _text_scores(), RdbSortedSet(SCORES)),
    Sample(RdbType.ZSET_2, _binary_scores(), RdbSortedSet(SCORES)),
    Sample(RdbType.HASH, b"\x04" + b"".join(map(format_string, _FLAT)), RdbHash(PAIRS)),
    Sample(RdbType.HASH_ZIPMAP, format_string(zipmap(PAIRS, 3)), RdbHash(PAIRS)),
    Sample(RdbType.LIST_ZIPLIST, format_string(ziplist(ELEMENTS)), _LIST),
    Sample(RdbType.SET_INTSET, format_string(intset(_NUMBERS, 2)), _SET),
    Sample(RdbType.SET_INTSET, format_string(intset(_NUMBERS, 8)), _SET),
    Sample(RdbType.ZSET_ZIPLIST, format_string(ziplist(_SCORE_TEXTS)), RdbSortedSet(SCORES)),
    Sample(RdbType.HASH_ZIPLIST, format_string(ziplist(_MIXED, wide=True)), RdbHash(PAIRS)),
    Sample(
        RdbType.LIST_QUICKLIST,
        _counted([format_string(ziplist(ELEMENTS)), format_string(ziplist([1, 2]))]),
        RdbList((*TEXTS, b"1", b"2")),
    ),
    Sample(RdbType.STREAM_LISTPACKS, SMALL_STREAM_1, SMALL_STREAM),
    Sample(
        RdbType.STREAM_LISTPACKS,
        SMALL_STREAM_1[:-1] + b"\1" + _GROUP_1 + _CONSUMER_1,
        attrs.evolve(SMALL_STREAM, groups=(_GROUP,)),
    ),
    Sample(RdbType.HASH_LISTPACK, format_string(format_listpack(_MIXED)), RdbHash(PAIRS)),
    Sample(
        RdbType.ZSET_LISTPACK, format_string(format_listpack(_SCORE_TEXTS)), RdbSortedSet(SCORES)
    ),
    Sample(
        RdbType.LIST_QUICKLIST_2,
        b"\x02\x01" + format_string(LONG) + b"\x02" + format_string(format_listpack(ELEMENTS)),
        RdbList((LONG, *TEXTS)),
    ),
    Sample(RdbType.STREAM_LISTPACKS_2, format_stream(STREAM, 2), without_active_times(STREAM)),
    Sample(RdbType.SET_LISTPACK, format_string(format_listpack([-5, b"0", 7])), _SET),
    Sample(RdbType.STREAM_LISTPACKS_3, format_stream(STREAM, 3), STREAM),
    Sample(
        RdbType.HASH_2,
        b"\x01\x01f\x01v" + (4102444800000).to_bytes(8, "little"),
        RdbHash(((b"f", b"v"),), ((b"f", 4102444800000),)),
    ),
)

ENTRIES: Final[tuple[WritableEntry, ...]] = (
    RdbAux(b"redis-ver", b"7.0.15"),
    RdbFunction(b"#!lua name=lib\nredis.register_function('f', function() return 1 end)"),
    RdbSizes(0, 2, 1),
    RdbKey(key=b"string", value=RdbString(b"x"), expires_at_ms=4102444800000),
    RdbKey(key=b"12", value=RdbList((b"1", LONGER))),
    RdbKey(db=3, key=b"", value=RdbSet(frozenset({b"1", b"b"})), idle=77),
    RdbKey(db=3, key=LONG, value=RdbSortedSet(SCORES), freq=255),
    RdbKey(db=300, key=b"hash", value=RdbHash(PAIRS)),
    RdbKey(db=300, key=b"stream", value=without_active_times(STREAM)),
)
"""What a file of version 10 can hold."""

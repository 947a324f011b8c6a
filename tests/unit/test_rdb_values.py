"""Values are read from every encoding, written plainly, and refused where they are damaged.

Clauses: RB-6, RB-7, RB-8, RB-10, RB-11, RB-12, RB-13, RB-14, RB-15.
"""

import re
import struct
from collections.abc import Sequence

import attrs
import pytest

from reference.wire.rdb import RdbOpcode
from reference.wire.rdb_decode import RdbType
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.rdb_encode import format_value
from reference.wire.rdb_listpack import Element, format_listpack
from reference.wire.rdb_streams import format_stream
from reference.wire.rdb_strings import RdbError, format_length, format_string
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
    StreamId,
    StreamPending,
)
from tests.rdb_samples import (
    EXPIRING,
    LONGER,
    PAIRS,
    SAMPLES,
    SMALL_STREAM,
    SMALL_STREAM_1,
    STREAM,
    Sample,
    payload,
    without_active_times,
)
from tests.traceability import SPEC

SCORE = struct.pack("<d", 1.0)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind.name)
def test_value_is_read_from_each_encoding(sample: Sample) -> None:
    assert parse_dump(payload(bytes((sample.kind,)) + sample.body)) == sample.value


def test_there_is_a_sample_of_each_encoding() -> None:
    refused = {RdbType.MODULE_PRE_GA, RdbType.MODULE_2}

    assert {sample.kind for sample in SAMPLES} | refused == set(RdbType)


@pytest.mark.parametrize("heading", ["opcode", "type"])
def test_tables_of_the_chapter_are_those_of_the_code(heading: str) -> None:
    chapter = (SPEC / "18-replication.md").read_text(encoding="utf-8")
    table = chapter.partition(f"| {heading} | name |")[2].partition("\n\n")[0]
    rows = {int(row[1]): row[2] for row in re.finditer(r"\| ([0-9]+) \| (\w+) \|", table)}

    known = RdbOpcode if heading == "opcode" else RdbType
    assert rows == {member.value: member.name for member in known}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (RdbString(b"-5"), RdbType.STRING),
        (RdbList((b"a", LONGER, b"a")), RdbType.LIST),
        (RdbSet(frozenset({b"a", b"12"})), RdbType.SET),
        (RdbHash(PAIRS), RdbType.HASH),
        (RdbSortedSet(((b"a", float("inf")), (b"b", -0.5))), RdbType.ZSET_2),
        (RdbStream(), RdbType.STREAM_LISTPACKS_2),
        (without_active_times(STREAM), RdbType.STREAM_LISTPACKS_2),
    ],
)
def test_value_is_written_plainly(value: RdbValue, kind: RdbType) -> None:
    data = format_dump(value)

    assert data[0] == kind
    assert data[-10:-8] == b"\x0a\x00"
    assert parse_dump(data) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [(EXPIRING, RdbType.HASH_2), (STREAM, RdbType.STREAM_LISTPACKS_3)],
)
def test_version_80_says_more(value: RdbValue, kind: RdbType) -> None:
    data = format_dump(value, 80)

    assert data[0] == kind
    assert parse_dump(data) == value


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="fields that expire cannot be written in version 10"):
        format_value(EXPIRING)
    with pytest.raises(ValueError, match="version 11 cannot be written"):
        format_value(RdbString(b""), 11)
    for empty in (RdbList(()), RdbSet(frozenset()), RdbHash(()), RdbSortedSet(())):
        with pytest.raises(ValueError, match="without members"):
            format_value(empty)


def test_order_counts_where_it_means_something() -> None:
    assert RdbList((b"a", b"b")) != RdbList((b"b", b"a"))
    assert RdbHash(PAIRS) == RdbHash(PAIRS[::-1])
    assert hash(RdbHash(PAIRS)) == hash(RdbHash(PAIRS[::-1]))
    assert RdbSortedSet(((b"a", 1.0), (b"b", 2.0))) == RdbSortedSet(((b"b", 2.0), (b"a", 1.0)))
    assert RdbHash(EXPIRING.pairs) != EXPIRING


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"short", "byte 0: a payload of 5 bytes, at least 10 are needed"),
        (payload(b"\0\1x", 0), "byte 3: unknown version 0"),
        (payload(b"\0\1x", 12), "byte 3: unknown version 12"),
        (payload(b"\0\1x", 79), "byte 3: unknown version 79"),
        (b"\0\1x\x0a\0" + bytes(8), "byte 5: wrong checksum"),
        (payload(b"\0\1xyz"), "byte 3: 2 bytes are left over"),
        (payload(b""), "byte 0: 1 bytes expected, 0 left"),
        (payload(b"\x06x"), "byte 1: the value belongs to a module"),
        (payload(b"\x07x"), "byte 1: the value belongs to a module"),
        (payload(b"\x08x"), "byte 1: unknown type of value 8"),
        (payload(b"\x01\x00"), "byte 0: a collection without members"),
        (payload(b"\x12\x01\x03\x01a"), "byte 2: unknown kind of list node 3"),
        (payload(b"\x02\x02\x01a\x01a"), "byte 1: a member of a set occurs twice"),
        (payload(b"\x04\x02\x01a\x00\x01a\x00"), "byte 1: a field of a hash occurs twice"),
        (payload(b"\x05\x02" + (b"\x01a" + SCORE) * 2), "a member of a sorted set occurs twice"),
        (payload(b"\x05\x01\x01a" + struct.pack("<d", float("nan"))), "is not a number"),
        (payload(b"\x03\x01\x01a\xfd"), "byte 1: a score that is not a number"),
        (payload(b"\x03\x01\x01a\x041.5x"), "byte 4: a score that is no number: b'1.5x'"),
        (payload(b"\x03\x01\x01a\x011_"), "left over"),
        (payload(b"\x03\x01\x01a\xfc" + b"1" * 252), None),
        (payload(b"\x11" + format_string(format_listpack([b"a", b"nan"]))), "no number: b'nan'"),
        (payload(b"\x11" + format_string(format_listpack([b"a", b"1" * 401]))), "no number"),
        (payload(b"\x10" + format_string(format_listpack([b"a"]))), "1 elements, which are no pa"),
        (payload(b"\x0a\x03abc"), "byte 1: ziplist: its byte 3: a ziplist has at least 11 bytes"),
        (payload(b"\x16\x01\x01a\x01b" + b"\xfb" + b"\xff" * 7), "a field expires before 1970"),
        (payload(b"\x16\x7f\xff"), "byte 1: 16383 elements declared, 0 bytes left"),
    ],
)
def test_bad_payload_is_refused(data: bytes, message: str | None) -> None:
    if message is None:
        assert isinstance(parse_dump(data), RdbSortedSet)
        return
    with pytest.raises(RdbError, match=re.escape(message)):
        parse_dump(data)


def test_longest_string_can_be_limited() -> None:
    data = format_dump(RdbString(b"x" * 100))

    assert parse_dump(data, max_string=100) == RdbString(b"x" * 100)
    with pytest.raises(RdbError, match="a string of 100 bytes, allowed are 99"):
        parse_dump(data, max_string=99)


def _stream(
    *elements: Element, key: bytes = bytes(15) + b"\1", length: int = 1, rest: bytes = b"\1\1\0"
) -> bytes:
    """A payload of a stream of form 1 with one listpack."""
    node = format_string(key) + format_string(format_listpack(elements))
    return payload(b"\x0f\x01" + node + format_length(length) + rest)


HEAD: tuple[Element, ...] = (1, 0, 1, b"a", 0)
ENTRY: tuple[Element, ...] = (2, 0, 0, b"b", 4)


def test_small_stream_is_read_from_each_form() -> None:
    assert parse_dump(payload(b"\x0f" + SMALL_STREAM_1)) == SMALL_STREAM
    assert parse_dump(_stream(*HEAD, *ENTRY, rest=b"\1\1\0")) == attrs.evolve(
        SMALL_STREAM, entries=(StreamEntry(StreamId(0, 1), ((b"a", b"b"),)),)
    )


def test_deleted_entry_is_passed_over() -> None:
    deleted: Sequence[Element] = (3, 5, 0, b"gone", 4)
    value = parse_dump(_stream(1, 1, 1, b"a", 0, *ENTRY, *deleted))

    assert isinstance(value, RdbStream)
    assert [entry.entry_id for entry in value.entries] == [StreamId(0, 1)]


def test_numbers_may_stand_as_text() -> None:
    numbers: Sequence[Element] = (b"1", b"0", 1, b"a", 0)

    assert parse_dump(_stream(*numbers, *ENTRY)) == parse_dump(_stream(*HEAD, *ENTRY))


def test_many_entries_are_written_in_several_listpacks() -> None:
    entries = tuple(StreamEntry(StreamId(7, n), ((b"f", LONGER[: n * 9]),)) for n in range(250))
    stream = RdbStream(entries=entries, last_id=StreamId(7, 249), entries_added=250)

    assert format_stream(stream, 2)[0] > 2
    assert parse_dump(format_dump(stream)) == stream


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_stream(*HEAD, *ENTRY, key=b"short"), "the id of a stream's listpack has 5 bytes"),
        (_stream(*HEAD, *ENTRY, length=2), "2 stream entries declared, 1 found"),
        (_stream(*HEAD, *ENTRY, rest=b"\0\0\0"), "stream entry 0-1 after the last id 0-0"),
        (_stream(2, 0, 1, b"a", 0, *ENTRY, *ENTRY), "stream entry 0-1 after 0-1"),
        (_stream(1, 0, 1, b"a", 1, *ENTRY), "no 0 behind the shared fields"),
        (_stream(1, 0, 9, b"a", 0, *ENTRY), "9 elements expected after 3"),
        (_stream(1, 0, -1), "-1 elements expected after 3"),
        (_stream(b"one", 0, 0), "element 0 is no number"),
        (_stream(b"1" * 30, 0, 0), "element 0 is no number"),
        (_stream(*HEAD, 2, 0, 0, b"b", 5), "entry 0-1 has 4 elements and says otherwise"),
        (_stream(*HEAD, *ENTRY, 9), "1 elements are left over"),
        (_stream(*HEAD, 2, 0, 0), "1 elements expected after 8"),
        (_stream(), "1 elements expected after 0"),
    ],
)
def test_damaged_stream_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RdbError, match=re.escape(message)):
        parse_dump(data)


def _with_group(
    pending: tuple[StreamPending, ...] = STREAM.groups[1].pending,
    consumers: tuple[StreamConsumer, ...] = STREAM.groups[1].consumers,
) -> bytes:
    group = attrs.evolve(STREAM.groups[1], pending=pending, consumers=consumers)
    return payload(b"\x15" + format_stream(attrs.evolve(STREAM, groups=(group,)), 3))


BOB, EVE, _ = STREAM.groups[1].consumers
PENDING = STREAM.groups[1].pending


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_with_group(pending=(*PENDING, PENDING[0])), "pending twice in one group"),
        (_with_group(consumers=(BOB,)), "1 entries are pending for no consumer"),
        (_with_group(pending=PENDING[:2]), "an entry that is not pending, or another's"),
        (_with_group(consumers=(BOB, EVE, BOB)), "an entry that is not pending, or another's"),
        (
            _with_group(consumers=(attrs.evolve(BOB, pending=(StreamId(5, 9), StreamId(5, 9))),)),
            "pending twice for one consumer",
        ),
        (
            _with_group(consumers=(BOB, EVE, attrs.evolve(EVE, pending=()))),
            "two consumers of one name",
        ),
        (
            payload(b"\x15" + format_stream(attrs.evolve(STREAM, groups=STREAM.groups[:1] * 2), 3)),
            "two consumer groups of one name",
        ),
    ],
)
def test_damaged_group_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RdbError, match=message):
        parse_dump(data)


def test_ids_are_compared_and_shown() -> None:
    assert StreamId(1, 9) < StreamId(2, 0)
    assert str(STREAM.first_id) == "5-9"
    assert str(RdbStream().first_id) == "0-0"

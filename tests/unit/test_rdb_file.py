"""RDB files are read in pieces of any size, and written; damaged ones are refused.

Clauses: RB-1, RB-4, RB-5, RB-8, RB-9, RB-11, RB-13, RB-15.
"""

import re
from collections.abc import Sequence

import pytest

from reference.wire.rdb import (
    RdbAux,
    RdbDecoder,
    RdbEntry,
    RdbKey,
    RdbModuleAux,
    RdbSizes,
    RdbSlotImport,
    RdbSlotInfo,
    format_rdb,
    parse_rdb,
)
from reference.wire.rdb_decode import RdbType
from reference.wire.rdb_strings import RdbError, format_string
from reference.wire.rdb_values import RdbList, RdbString
from tests.rdb_samples import ENTRIES, EXPIRING, LONGEST, SAMPLES, STREAM, file

WHOLE = b"".join(format_rdb(ENTRIES))
NAME = b"j" * 40
MODULE = int("".join(f"{letter:06b}" for letter in (0, 25, 26, 51, 52, 61, 62, 63, 1)), 2) << 10 | 3
"""A module whose name is `AZaz09-_B`, in encoding 3."""


def _in_pieces(data: bytes, size: int) -> list[RdbEntry]:
    decoder = RdbDecoder()
    found: list[RdbEntry] = []
    for start in range(0, len(data), size):
        found += decoder.feed(memoryview(data)[start : start + size])
    decoder.finish()
    return found


def test_file_comes_back() -> None:
    assert parse_rdb(WHOLE) == list(ENTRIES)


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_pieces_may_have_any_size(size: int) -> None:
    assert _in_pieces(WHOLE, size) == list(ENTRIES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind.name)
def test_each_encoding_is_read_byte_by_byte(sample: object) -> None:
    assert isinstance(sample, type(SAMPLES[0]))
    data = file(bytes((sample.kind,)) + b"\x01k" + sample.body)

    assert _in_pieces(data, 1 if len(data) < 2000 else 61) == [RdbKey(key=b"k", value=sample.value)]


def test_entries_come_as_soon_as_they_are_complete() -> None:
    decoder = RdbDecoder()

    assert decoder.feed(b"REDIS0010\x00\x01k\x01") == []
    assert decoder.version == 10
    assert decoder.feed(b"v\x00\x01") == [RdbKey(key=b"k", value=RdbString(b"v"))]
    assert not decoder.done


def test_long_string_is_put_together_once() -> None:
    decoder = RdbDecoder()
    decoder.feed(b"REDIS0010\x00\x01k" + format_string(LONGEST)[:9])
    held = decoder._reader.buffer

    assert decoder.feed(LONGEST[4:10000]) == []
    assert decoder._reader.buffer is held
    assert decoder.feed(LONGEST[10000:]) == [RdbKey(key=b"k", value=RdbString(LONGEST))]


def test_decoder_holds_nothing_that_is_finished() -> None:
    decoder = RdbDecoder()
    decoder.feed(b"REDIS0010")
    for number in range(100):
        decoder.feed(b"\x01" + format_string(b"%d" % number) + b"\x02\x01a\x02bb")
        assert len(decoder._reader.buffer) < 100


def test_what_follows_the_end_is_kept() -> None:
    decoder = RdbDecoder()
    decoder.feed(WHOLE + b"*1\r\n")
    assert decoder.done

    assert decoder.feed(b"$4") == []
    assert decoder.rest == b"*1\r\n$4"
    decoder.finish()


def test_file_of_many_pieces_has_the_checksum_of_all() -> None:
    keys = [RdbKey(key=b"%d" % number, value=RdbString(LONGEST)) for number in range(20)]
    pieces = list(format_rdb(keys))

    assert len(pieces) > 3
    assert parse_rdb(b"".join(pieces)) == keys
    assert _in_pieces(b"".join(pieces), 16384) == keys


def test_version_80_is_valkeys() -> None:
    entries = [RdbKey(key=b"h", value=EXPIRING), RdbKey(key=b"s", value=STREAM)]
    data = b"".join(format_rdb(entries, 80))

    assert data.startswith(b"VALKEY080\xfe")
    assert parse_rdb(data) == entries


def test_what_is_said_before_a_key_holds_for_that_key_only() -> None:
    data = file(
        b"\xfd\x01\x00\x00\x00\xf8\x05\xf9\x06\x00\x01a\x00\x00\x01b\x00"
        b"\xfc\x02" + bytes(7) + b"\x01\x05empty\x00\x00\x01c\x00"
    )
    empty = RdbString(b"")

    assert parse_rdb(data) == [
        RdbKey(key=b"a", value=empty, expires_at_ms=1000, idle=5, freq=6),
        RdbKey(key=b"b", value=empty),
        RdbKey(key=b"c", value=empty),
    ]


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        (b"\xfa\x01a\xc0\x05", [RdbAux(b"a", b"5")]),
        (b"\xfe\x03\xfb\x02\x01", [RdbSizes(3, 2, 1)]),
        (b"\xf4\x7f\xff\x02\x01", [RdbSlotInfo(16383, 2, 1)]),
        (b"\xf3\x28" + NAME + b"\x02\x01\x02\x05\x05", [RdbSlotImport(NAME, ((1, 2), (5, 5)))]),
        (
            b"\xf7\x81" + MODULE.to_bytes(8, "big") + b"\x02\x02"
            b"\x01\x05\x02\x05\x03\x00\x00\x00\x00\x04" + bytes(8) + b"\x05\x03abc\x00",
            [RdbModuleAux("AZaz09-_B", 3, after_keys=True)],
        ),
    ],
)  # fmt: skip
def test_other_records_are_read(body: bytes, entries: Sequence[RdbEntry]) -> None:
    assert parse_rdb(file(body, b"VALKEY080")) == entries
    assert _in_pieces(file(body, b"VALKEY080"), 1) == entries


@pytest.mark.parametrize("header", [b"REDIS0005", b"REDIS0011", b"VALKEY080"])
def test_versions_are_read(header: bytes) -> None:
    assert parse_rdb(file(b"", header)) == []


def test_checksum_may_be_left_out() -> None:
    assert parse_rdb(b"REDIS0010\xff" + bytes(8)) == []
    assert parse_rdb(b"REDIS0004\xff") == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "byte 0: 9 bytes expected, 0 left"),
        (b"MySQL0010\xff", "byte 0: not the start of an RDB file: b'MySQL0010'"),
        (file(b"", b"REDIS0000"), "byte 0: unknown version: b'REDIS0000'"),
        (file(b"", b"REDIS0012"), "byte 0: unknown version: b'REDIS0012'"),
        (file(b"", b"REDIS0080"), "byte 0: unknown version: b'REDIS0080'"),
        (file(b"", b"VALKEY011"), "byte 0: unknown version: b'VALKEY011'"),
        (file(b"", b"VALKEY081"), "byte 0: unknown version: b'VALKEY081'"),
        (b"REDIS0010\xff" + b"\1" * 8, "byte 10: checksum 0101010101010101, expected"),
        (file(b"") + b"x", "byte 18: 1 bytes are left over"),
        (file(b"\xf2"), "byte 9: unknown opcode or type of value 242"),
        (file(b"\xf6"), "byte 9: unknown opcode or type of value 246"),
        (file(b"\x08\x01k"), "byte 9: unknown opcode or type of value 8"),
        (file(b"\x07\x01k"), "byte 12: key b'k': the value belongs to a module"),
        (file(b"\x00\x01k\x0a"), "byte 13: key b'k': 10 bytes expected"),
        (file(b"\xf4\x80\x00\x00\x40\x00\x00\x00"), "byte 10: slot 16384 does not exist"),
        (file(b"\xf3\x01j\x00"), "byte 10: the name of a slot import has 1 bytes"),
        (file(b"\xf3\x28" + NAME + b"\x01\x02\x01"), "byte 52: a range of slots from 2 to 1"),
        (file(b"\xf3\x28" + NAME + b"\x3f"), "63 elements declared"),
        (file(b"\xf7\x01\x01\x01"), "byte 10: the data of a module does not say when"),
        (file(b"\xf7\x01\x02\x01\x06\x00"), "unknown kind of module data 6"),
    ],
)
def test_damaged_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RdbError, match=re.escape(message)):
        parse_rdb(data)


def test_too_many_ranges_are_refused_before_they_come() -> None:
    decoder = RdbDecoder()

    with pytest.raises(RdbError, match="16385 ranges of slots"):
        decoder.feed(b"VALKEY080\xf3\x28" + NAME + b"\x80\x00\x00\x40\x01")


def test_file_that_is_cut_off_is_refused_anywhere() -> None:
    for size in range(0, len(WHOLE), 13):
        decoder = RdbDecoder()
        decoder.feed(WHOLE[:size])
        with pytest.raises(RdbError, match=f"byte {size}: the file is cut off"):
            decoder.finish()
        with pytest.raises(RdbError):
            parse_rdb(WHOLE[:size])


def test_decoder_stays_at_its_first_error() -> None:
    decoder = RdbDecoder()

    with pytest.raises(RdbError, match="byte 9"):
        decoder.feed(b"REDIS0010\x08\x01k")
    with pytest.raises(RdbError, match="byte 9"):
        decoder.feed(b"more")
    with pytest.raises(RdbError, match="byte 9"):
        decoder.finish()


def test_string_over_the_limit_is_refused_before_it_comes() -> None:
    decoder = RdbDecoder(max_string=1000)

    with pytest.raises(RdbError, match="a string of 17000 bytes, allowed are 1000"):
        decoder.feed(b"REDIS0010\x00\x01k" + format_string(LONGEST)[:9])


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="version 11"):
        list(format_rdb([], 11))
    with pytest.raises(ValueError, match="without members"):
        list(format_rdb([RdbKey(key=b"k", value=RdbList(()))]))


def test_number_of_types_leaves_opcodes_alone() -> None:
    assert max(RdbType) < 243


def test_place_of_damage_is_that_in_the_file() -> None:
    decoder = RdbDecoder()
    decoder.feed(b"REDIS0010\x00\x01k\x01v")
    decoder.feed(b"\x00\x01k\x01v")

    with pytest.raises(RdbError, match=r"^byte 19: unknown opcode or type of value 8$"):
        decoder.feed(b"\x08")


def test_database_is_named_when_it_changes() -> None:
    keys = [RdbKey(db=db, key=b"k", value=RdbString(b"")) for db in (0, 0, 1)]

    data = b"".join(format_rdb(keys))

    key = b"\x00\x01k\x00"
    assert data[9:-9] == b"\xfe\x00" + key + key + b"\xfe\x01" + key

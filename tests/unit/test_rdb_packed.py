"""Listpacks, ziplists, zipmaps and intsets are read to their last byte, or refused.

Clauses: RB-6, RB-8, RB-11.
"""

from collections.abc import Callable, Sequence

import pytest

from reference.wire.rdb_listpack import (
    Element,
    PackedError,
    format_listpack,
    read_listpack,
    text_of,
)
from reference.wire.rdb_ziplist import read_intset, read_ziplist, read_zipmap
from tests.rdb_samples import ELEMENTS, INTEGERS, PAIRS, TEXTS, intset, ziplist, zipmap

LISTPACK = format_listpack([b"ab", 5])
ZIPLIST = ziplist([b"ab", 5])
HUGE = b"z" * 300000


def test_listpack_comes_back() -> None:
    elements = read_listpack(format_listpack([*ELEMENTS, HUGE]))

    assert elements == [*ELEMENTS, HUGE]
    assert tuple(map(text_of, elements[:-1])) == TEXTS


def test_listpack_of_servers_is_read() -> None:
    # A hash {f1: v1, n: 3}, as a server saved it.
    data = bytes.fromhex("14000000040082663103827631 03 816e 02 0301 ff")

    assert read_listpack(data) == [b"f1", b"v1", b"n", 3]


def test_listpack_of_many_elements_does_not_count_them() -> None:
    elements = list(range(70000))
    data = format_listpack(elements)

    assert data[4:6] == b"\xff\xff"
    assert read_listpack(data) == elements


@pytest.mark.parametrize("wide", [False, True])
def test_ziplist_is_read(*, wide: bool) -> None:
    assert read_ziplist(ziplist(ELEMENTS, wide=wide)) == list(ELEMENTS)


def test_empty_packed_collections_are_read() -> None:
    assert read_listpack(format_listpack([])) == []
    assert read_ziplist(ziplist([])) == []
    assert read_zipmap(zipmap([])) == []
    assert read_intset(intset([], 2)) == []


def test_ziplist_of_many_elements_does_not_count_them() -> None:
    data = bytearray(ziplist([1, 2]))
    data[8:10] = b"\xff\xff"

    assert read_ziplist(bytes(data)) == [1, 2]


@pytest.mark.parametrize("spare", [0, 4])
def test_zipmap_is_read(spare: int) -> None:
    pairs = [*PAIRS, (b"k" * 300, b"v" * 254)]

    assert read_zipmap(zipmap(pairs, spare)) == [text for pair in pairs for text in pair]


def test_zipmap_of_many_fields_does_not_count_them() -> None:
    pairs = [(b"%d" % number, b"") for number in range(300)]

    assert len(read_zipmap(zipmap(pairs))) == 600


@pytest.mark.parametrize(("size", "count"), [(2, 13), (4, 19), (8, 22)])
def test_intset_is_read(size: int, count: int) -> None:
    fitting = sorted(n for n in INTEGERS if -(1 << (8 * size - 1)) <= n < 1 << (8 * size - 1))

    assert len(fitting) == count
    assert read_intset(intset(fitting, size)) == fitting


def _with(data: bytes, place: int, *octets: int) -> bytes:
    return data[:place] + bytes(octets) + data[place + len(octets) :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its byte 0: a listpack has at least 7 bytes"),
        (_with(LISTPACK, 0, 14), "its byte 0: not the size of a listpack of 13 bytes"),
        (_with(LISTPACK, 4, 3), "its byte 4: 3 elements declared, 2 found"),
        (_with(LISTPACK, 6, 0xF5), "its byte 6: unknown kind of element 0xf5"),
        (_with(LISTPACK, 6, 0x85), "its byte 6: an element goes beyond the end"),
        (_with(LISTPACK, 6, 0xF0), "its byte 6: an element goes beyond the end"),
        (_with(LISTPACK, 6, 0xEF), "its byte 6: an element goes beyond the end"),
        (_with(LISTPACK, 9, 4), "its byte 9: not the size of the element before it"),
        (_with(LISTPACK, 12, 0), "its byte 12: no end mark"),
    ],
)
def test_damaged_listpack_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PackedError, match=message):
        read_listpack(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its byte 0: a ziplist has at least 11 bytes"),
        (_with(ZIPLIST, 0, 18), "its byte 0: not the size of a ziplist of 17 bytes"),
        (_with(ZIPLIST, 4, 10), "its byte 4: not the place of the last element, 14"),
        (_with(ZIPLIST, 8, 3), "its byte 8: 3 elements declared, 2 found"),
        (_with(ZIPLIST, 10, 1), "its byte 10: 1 bytes said to be before it, not 0"),
        (_with(ZIPLIST, 14, 0xFF), "its byte 14: an end mark before the end"),
        (_with(ZIPLIST, 14, 0xFE), "its byte 14: [0-9]+ bytes said to be before it, not 4"),
        (_with(ZIPLIST, 11, 0xC1), "its byte 11: unknown kind of element 0xc1"),
        (_with(ZIPLIST, 11, 6), "its byte 11: an element goes beyond the end"),
        (_with(ZIPLIST, 11, 0x80), "its byte 11: an element goes beyond the end"),
        (_with(ZIPLIST, 16, 0), "its byte 16: no end mark"),
        (
            (12).to_bytes(4, "little") + (10).to_bytes(4, "little") + b"\x01\x00\x00\xff",
            "its byte 11: an element goes beyond the end",
        ),
    ],
)
def test_damaged_ziplist_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PackedError, match=message):
        read_ziplist(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its byte 0: a zipmap ends with 255"),
        (b"\x00\x00", "its byte 2: a zipmap ends with 255"),
        (b"\x02\x01a\x01\x00b\xff", "its byte 0: 2 fields declared, 1 found"),
        (b"\x01\x01a\xff", "its byte 3: a field or value is missing"),
        (b"\x01\xff\x01\x00b\xff", "its byte 1: a field or value is missing"),
        (b"\x01\x05a\x01\x00b\xff", "its byte 1: a string goes beyond the end of the zipmap"),
        (b"\x01\x01a\x01\x09b\xff", "unused bytes go beyond the end of the zipmap"),
        (b"\x01\x01a\xfe\x01\x00\xff", "its byte 3: a string goes beyond the end"),
    ],
)
def test_damaged_zipmap_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PackedError, match=message):
        read_zipmap(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x02", "its byte 1: an intset has at least 8 bytes"),
        (intset([], 3), "its byte 0: no size of integers: 3"),
        (intset([1, 2], 2) + b"x", "its byte 4: 2 integers declared, in 5 bytes"),
        (intset([1, 3, 3], 4), "its byte 16: integers do not ascend"),
    ],
)
def test_damaged_intset_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PackedError, match=message):
        read_intset(data)


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (read_listpack, LISTPACK),
        (read_ziplist, ZIPLIST),
        (read_zipmap, zipmap(PAIRS)),
        (read_intset, intset([1, 2], 2)),
    ],
)
def test_nothing_can_be_cut_off(read: Callable[[bytes], Sequence[Element]], data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(PackedError):
            read(data[:size])

"""Lengths, strings, compression and the checksum.

Clauses: RB-2, RB-3, RB-8, RB-9.
"""

import re

import pytest

from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_strings import (
    RdbError,
    RdbReader,
    ShortError,
    complete,
    each,
    format_length,
    format_string,
    lzf_decompress,
)


@pytest.mark.parametrize(
    ("number", "size"),
    [(0, 1), (63, 1), (64, 2), (16383, 2), (16384, 5), (2**32 - 1, 5), (2**32, 9), (2**64 - 1, 9)],
)
def test_lengths_take_as_few_bytes_as_they_can(number: int, size: int) -> None:
    data = format_length(number)

    assert len(data) == size
    assert RdbReader(buffer=data).length() == number


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x00", b""),
        (b"\x02ab", b"ab"),
        (b"\x80\x00\x00\x00\x02ab", b"ab"),
        (b"\xc0\xff", b"-1"),
        (b"\xc1\x00\x01", b"256"),
        (b"\xc2\x00\x00\x01\x00", b"65536"),
        (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b"a" * 10),
    ],
)
def test_each_form_of_a_string_is_read(data: bytes, text: bytes) -> None:
    assert RdbReader(buffer=data).string() == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "byte 100: 1 bytes expected, 0 left"),
        (b"\x82", "byte 100: unknown length encoding 0x82"),
        (b"\xc4", "byte 100: unknown form of a string: 4"),
        (b"\x05abc", "byte 101: 5 bytes expected, 3 left"),
        (b"\x81" + b"\xff" * 8, f"byte 100: a string of {2**64 - 1} bytes, allowed are 1000"),
        (b"\xc3\x05\x43\xe7", "byte 100: 5 compressed bytes cannot become 999"),
        (b"\xc3\x05\x44\x00", "byte 100: a string of 1024 bytes, allowed are 1000"),
        (b"\xc3\x44\x00\x05", "byte 100: a string of 1024 bytes, allowed are 1000"),
        (b"\xc3\x05\x0a\x00", "byte 103: 5 bytes expected, 1 left"),
        (b"\xc3\xc0\x0a\x00", "byte 101: a length expected, found a string of form 0"),
        (b"\xc3\x02\x0a\x00a", "byte 100: compressed string: 1 bytes, declared were 10"),
    ],
)
def test_bad_strings_are_refused_with_their_place(data: bytes, message: str) -> None:
    reader = RdbReader(buffer=data, base=100, max_string=1000)

    with pytest.raises(RdbError, match=f"^{re.escape(message)}$"):
        reader.string()


def test_count_beyond_what_is_left_is_refused() -> None:
    reader = RdbReader(buffer=b"\x03ab")

    with pytest.raises(RdbError, match=r"^byte 0: 3 elements declared, 2 bytes left$"):
        reader.count(1)


def test_count_is_believed_while_more_may_come() -> None:
    assert RdbReader(buffer=b"\x03ab", whole=False).count(1) == 3


def test_numbers_have_their_sign() -> None:
    reader = RdbReader(buffer=b"\xfe\xff\xfe\xff")

    assert (reader.unsigned(2), reader.signed(2)) == (65534, -2)


def test_what_is_cut_off_says_how_far_it_goes_and_is_read_again() -> None:
    reader = RdbReader(buffer=b"\x01a\x05bc", base=10, whole=False)
    steps = each(reader, 2, reader.string)

    assert next(steps) == 18
    assert reader.offset == 12
    reader.buffer += b"def"
    assert complete(steps) == [b"a", b"bcdef"]


def test_shortness_says_what_is_missing() -> None:
    with pytest.raises(ShortError, match="bytes up to 12 are missing"):
        RdbReader(buffer=b"x", base=8, whole=False).take(4)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", b""),
        (b"\x02abc", b"abc"),
        (b"\x02abc\x20\x02", b"abcabc"),
        (b"\x02abc\x40\x02", b"abcabca"),
        (b"\x00a\xe0\xff\x00", b"a" * 265),
        (b"\x1f" + bytes(range(32)) + b"\x20\x1f", bytes(range(32)) + bytes(range(3))),
    ],
)
def test_compressed_bytes_are_restored(data: bytes, text: bytes) -> None:
    assert lzf_decompress(data, len(text)) == text


@pytest.mark.parametrize(
    ("data", "size", "message"),
    [
        (b"\x02ab", 3, "cut off in a run of plain bytes"),
        (b"\x00a\x20", 4, "cut off in a reference"),
        (b"\x00a\xe0\x00", 10, "cut off in a reference"),
        (b"\x00a\x20\x01", 4, "a reference to 1 bytes before the start"),
        (b"\x02abc", 2, "longer than the 2 bytes declared"),
        (b"\x02abc", 4, "3 bytes, declared were 4"),
    ],
)
def test_damaged_compression_is_refused(data: bytes, size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lzf_decompress(data, size)


def test_string_is_written_behind_its_length() -> None:
    assert format_string(b"x" * 64) == b"\x40\x40" + b"x" * 64


def _bit_by_bit(data: bytes, crc: int = 0) -> int:
    """The checksum straight from its definition, the unreflected polynomial included."""
    polynomial = 0xAD93D23594C935A9
    crc = int(f"{crc:064b}"[::-1], 2)
    for byte in data:
        for bit in f"{byte:08b}"[::-1]:
            top = crc >> 63 ^ int(bit)
            crc = crc << 1 & 2**64 - 1 ^ (polynomial if top else 0)
    return int(f"{crc:064b}"[::-1], 2)


def test_checksum_is_the_published_one() -> None:
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


@pytest.mark.parametrize("size", [0, 1, 7, 1023, 1024, 1025, 4097, 32767, 32768, 32769, 70001])
def test_checksum_of_any_size_follows_the_definition(size: int) -> None:
    data = bytes(number * number * 7 & 0xFF for number in range(size))

    assert crc64(data, 2**63 + 5) == _bit_by_bit(data, 2**63 + 5)


def test_checksum_goes_on_where_it_was_left() -> None:
    data = bytes(range(256)) * 20

    assert crc64(memoryview(data)[1500:], crc64(bytearray(data[:1500]))) == crc64(data)

"""Digests of values and of all data, the same on every server that holds the same.

Counterpart: `computeDatasetDigest`, `xorObjectDigest`.
"""

import hashlib
import math
import struct
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, assert_never

from reference.clauses import clause
from reference.wire.rdb import RdbKey
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbStream,
    RdbString,
    RdbValue,
)

Digest = int
"""20 bytes as a number."""

_SIZE: Final = 20
_EXPIRES: Final = b"!!expire!!"


def _hashed(data: bytes) -> Digest:
    return int.from_bytes(hashlib.sha1(data, usedforsecurity=False).digest())


def _bytes(digest: Digest) -> bytes:
    return digest.to_bytes(_SIZE)


def _mixed(digest: Digest, data: bytes) -> Digest:
    """The data follows what was digested. Counterpart: `mixDigest`."""
    return _hashed(_bytes(digest ^ _hashed(data)))


def _chain(digest: Digest, parts: Iterable[bytes]) -> Digest:
    for part in parts:
        digest = _mixed(digest, part)
    return digest


def _unordered(digest: Digest, members: Iterable[bytes]) -> Digest:
    """The members are there, in whatever order. Counterpart: `xorDigest`."""
    for member in members:
        digest ^= _hashed(member)
    return digest


def _entry(*parts: bytes) -> bytes:
    return _bytes(_chain(0, parts))


ScoreText = Callable[[float], str]
"""How a release writes a score."""


def all_digits(score: float) -> str:
    """The score with the 17 digits that tell it from any other."""
    return f"{score:.17g}"


def shortest(score: float) -> str:
    """The score with as few digits as tell it from any other. Counterpart: `fpconv_dtoa`."""
    if math.isinf(score):
        return "inf" if score > 0 else "-inf"
    if score == 0:
        return "-0" if math.copysign(1, score) < 0 else "0"
    negative, numbers, tail = Decimal(repr(score)).normalize().as_tuple()
    assert isinstance(tail, int)  # noqa: S101 - it is finite
    digits = "".join(map(str, numbers))
    return "-" * negative + _placed(digits, tail)


def _placed(digits: str, tail: int) -> str:
    """The digits, and so many places more or less, with a point or a power of ten."""
    power = tail + len(digits) - 1
    if tail >= 0 and abs(power) < len(digits) + 7:
        return digits + "0" * tail
    if tail < 0 and (tail > -7 or abs(power) < 4):
        point = len(digits) + tail
        return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{power:+d}"


def _value(digest: Digest, value: RdbValue, score_text: ScoreText) -> Digest:
    match value:
        case RdbString():
            return _mixed(_type(digest, 0), value.value)
        case RdbList():
            return _chain(_type(digest, 1), value.items)
        case RdbSet():
            return _unordered(_type(digest, 2), value.members)
        case RdbSortedSet():
            scores = (_entry(key, score_text(score).encode()) for key, score in value.scores)
            return _unordered(_type(digest, 3), scores)
        case RdbHash():
            return _unordered(_type(digest, 4), (_entry(*pair) for pair in value.pairs))
        case RdbStream():
            return _chain(_type(digest, 6), _stream_parts(value))
        case _:
            assert_never(value)


def _stream_parts(value: RdbStream) -> Iterable[bytes]:
    for entry in value.entries:
        yield f"{entry.entry_id.ms}.{entry.entry_id.seq}".encode()
        for pair in entry.pairs:
            yield from pair


def _type(digest: Digest, number: int) -> Digest:
    return _mixed(digest, struct.pack(">I", number))


def _digest(digest: Digest, entry: RdbKey, score_text: ScoreText) -> Digest:
    digest = _value(digest, entry.value, score_text)
    return digest if entry.expires_at_ms is None else digest ^ _hashed(_EXPIRES)


@clause("CM-95")
def digest_of_value(entry: RdbKey | None, score_text: ScoreText) -> str:
    """The digest of what a key holds, whatever the key is called; zeros if there is none."""
    return f"{0 if entry is None else _digest(0, entry, score_text):040x}"


@clause("CM-95")
def digest_of_data(entries: Iterable[RdbKey], score_text: ScoreText) -> str:
    """The digest of these keys as those of database 0; zeros if there are none."""
    digests = [_digest(_mixed(0, entry.key), entry, score_text) for entry in entries]
    total = _mixed(0, struct.pack(">I", 0)) if digests else 0
    for digest in digests:
        total ^= _hashed(_bytes(digest))
    return f"{total:040x}"

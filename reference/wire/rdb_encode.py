"""Values to bytes, in the plain encodings that every server reads, whatever its settings."""

import struct
from typing import Final, assert_never

from reference.clauses import clause
from reference.wire.rdb_decode import RdbType
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
    holds_nothing,
)

RDB_VERSION: Final = 10
"""What is written unless asked otherwise: Redis 7.0 and everything later reads it."""

VALKEY_VERSION: Final = 80
"""The version of Valkey 9, and the only one in which fields of a hash may expire."""

_NO_EXPIRY: Final = -1


@clause("RB-11")
def format_value(value: RdbValue, version: int = RDB_VERSION) -> tuple[RdbType, bytes]:
    """The type of the encoding, and the bytes that follow it (behind the key, in a file).

    ValueError for what cannot be written: a collection without members, and in version 10 a hash
    with fields that expire. Counterpart: `rdbSaveObject`.
    """
    check_version(version)
    if holds_nothing(value):
        raise ValueError("a collection without members cannot be written")
    match value:
        case RdbString(text):
            return RdbType.STRING, format_string(text)
        case RdbList(items):
            return RdbType.LIST, _counted(len(items), list(items))
        case RdbSet(members):
            return RdbType.SET, _counted(len(members), sorted(members))
        case RdbSortedSet(scores):
            pairs = [(member, struct.pack("<d", score)) for member, score in scores]
            parts = [format_string(member) + score for member, score in pairs]
            return RdbType.ZSET_2, format_length(len(scores)) + b"".join(parts)
        case RdbHash():
            return _format_hash(value, version)
        case RdbStream():
            if version < VALKEY_VERSION:
                return RdbType.STREAM_LISTPACKS_2, format_stream(value, form=2)
            return RdbType.STREAM_LISTPACKS_3, format_stream(value, form=3)
        case _:
            assert_never(value)


def check_version(version: int) -> None:
    """ValueError unless it can be written."""
    if version not in {RDB_VERSION, VALKEY_VERSION}:
        raise ValueError(f"version {version} cannot be written")


def _counted(count: int, texts: list[bytes]) -> bytes:
    return format_length(count) + b"".join(map(format_string, texts))


def _format_hash(value: RdbHash, version: int) -> tuple[RdbType, bytes]:
    if not value.expires_at_ms:
        texts = [text for pair in value.pairs for text in pair]
        return RdbType.HASH, _counted(len(value.pairs), texts)
    if version != VALKEY_VERSION:
        raise ValueError(f"a hash with fields that expire cannot be written in version {version}")
    expiries = dict(value.expires_at_ms)
    parts = [
        format_string(field)
        + format_string(text)
        + expiries.get(field, _NO_EXPIRY).to_bytes(8, "little", signed=True)
        for field, text in value.pairs
    ]
    return RdbType.HASH_2, format_length(len(parts)) + b"".join(parts)

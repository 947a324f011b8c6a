"""The payload of DUMP and RESTORE, which MIGRATE carries too: a value, the version, a checksum."""

from typing import Final

from reference.clauses import clause
from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_decode import read_value
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION, format_value
from reference.wire.rdb_strings import MAX_STRING, RdbError, RdbReader, complete
from reference.wire.rdb_values import RdbValue, holds_nothing

READABLE_VERSIONS: Final = frozenset({*range(1, 12), VALKEY_VERSION})
"""Those of Redis up to 7.2, Valkey 7.2 to 8.1 (11) and Valkey 9 (80)."""

_FOOTER: Final = 10  # 2 bytes: version, 8 bytes: checksum
_CHECKSUM: Final = 8


class DumpFooterError(RdbError):
    """The payload is cut off, of an unknown version, or has another checksum."""


@clause("RB-12")
def format_dump(value: RdbValue, version: int = RDB_VERSION) -> bytes:
    """The payload that RESTORE makes the value of; ValueError if it cannot be written.

    Counterpart: `createDumpPayload`.
    """
    kind, body = format_value(value, version)
    return with_footer(bytes((kind,)) + body, version)


@clause("RB-12")
def with_footer(body: bytes, version: int = RDB_VERSION) -> bytes:
    """The payload whose content this is. Counterpart: `createDumpPayload`."""
    payload = body + version.to_bytes(2, "little")
    return payload + crc64(payload).to_bytes(_CHECKSUM, "little")


@clause("RB-12")
def without_footer(payload: bytes) -> bytes:
    """The content of a payload; DumpFooterError if it is damaged or of an unknown version.

    Counterpart: `verifyDumpPayload`.
    """
    end = len(payload) - _FOOTER
    if end < 0:
        raise DumpFooterError(
            0, f"a payload of {len(payload)} bytes, at least {_FOOTER} are needed"
        )
    version = int.from_bytes(payload[end : end + 2], "little")
    if version not in READABLE_VERSIONS:
        raise DumpFooterError(end, f"unknown version {version}")
    if crc64(payload[:-_CHECKSUM]) != int.from_bytes(payload[-_CHECKSUM:], "little"):
        raise DumpFooterError(end + 2, "wrong checksum")
    return payload[:end]


@clause("RB-12", "RB-14", "RB-15")
def parse_dump(payload: bytes, *, max_string: int = MAX_STRING) -> RdbValue:
    """The value in a payload of DUMP; RdbError if it is damaged, cut off or of an unknown kind.

    Counterpart: `verifyDumpPayload`.
    """
    body = without_footer(payload)
    end = len(body)
    reader = RdbReader(buffer=body, max_string=max_string)
    kind = reader.byte()
    value = complete(read_value(reader, kind))
    if reader.position != end:
        reader.fail(f"{end - reader.position} bytes are left over")
    if holds_nothing(value):
        raise RdbError(0, "a collection without members")
    return value

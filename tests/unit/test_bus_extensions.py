"""Ping extensions to bytes and back, and which of them are refused.

Clauses: BU-19, BU-20, BU-21, BU-22, BU-23, BU-24.
"""

import pytest

from reference.core.types import NodeId, ShardId
from reference.wire.bus_errors import BusMessageError
from reference.wire.bus_extensions import (
    ForgottenNodeExtension,
    HostnameExtension,
    HumanNodenameExtension,
    PingExtension,
    ShardIdExtension,
    UnknownExtension,
    read_extensions,
    write_extensions,
)

A = "a" * 40


@pytest.mark.parametrize(
    ("extension", "data"),
    [
        (HostnameExtension(hostname="host"), b"\0\0\0\x10\0\0\0\0host\0\0\0\0"),
        (HostnameExtension(hostname=""), b"\0\0\0\x10\0\0\0\0" + bytes(8)),
        (
            HumanNodenameExtension(human_nodename="eight888"),
            b"\0\0\0\x18\0\1\0\0eight888" + bytes(8),
        ),
        (
            ForgottenNodeExtension(name=NodeId(A), ttl=60),
            b"\0\0\0\x38\0\2\0\0" + A.encode() + b"\0\0\0\0\0\0\0\x3c",
        ),
        (ShardIdExtension(shard_id=ShardId(A)), b"\0\0\0\x30\0\3\0\0" + A.encode()),
        (UnknownExtension(type=4, payload=b""), b"\0\0\0\x08\0\4\0\0"),
        (
            UnknownExtension(type=9, payload=b"12345678", reserved=2),
            b"\0\0\0\x10\0\x09\0\x02" + b"12345678",
        ),
        (
            HostnameExtension(hostname="h", tail=b"\0residue" + bytes(7)),
            b"\0\0\0\x18\0\0\0\0h\0residue" + bytes(7),
        ),
        (
            ShardIdExtension(shard_id=ShardId(A), tail=bytes(8), reserved=1),
            b"\0\0\0\x38\0\3\0\1" + A.encode() + bytes(8),
        ),
        (
            ForgottenNodeExtension(name=NodeId(A), ttl=0, tail=b"12345678"),
            b"\0\0\0\x40\0\2\0\0" + A.encode() + bytes(8) + b"12345678",
        ),
    ],
)
def test_extension_and_its_bytes_are_one(extension: PingExtension, data: bytes) -> None:
    assert data == write_extensions([extension])
    assert ((extension,), len(data) + 3) == read_extensions(b"any" + data, 3, 1)


def test_extensions_follow_each_other() -> None:
    extensions = (HostnameExtension(hostname="h"), ShardIdExtension(shard_id=ShardId(A)))

    data = write_extensions(extensions)

    assert (extensions, 64) == read_extensions(data, 0, 2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0\x08\0\4\0", "no room for its header"),
        (b"", "no room for its header"),
        (b"\0\0\0\0\0\4\0\0", "length of 0 bytes"),
        (b"\0\0\0\x09\0\4\0\0" + bytes(8), "length of 9 bytes"),
        (b"\0\0\0\x10\0\4\0\0" + bytes(7), "16 bytes, 15 are left"),
        (b"\0\1\0\x08\0\4\0\0", "65544 bytes, 8 are left"),
        (b"\xff\xff\xff\xf8\0\4\0\0", "4294967288 bytes, 8 are left"),
        (b"\0\0\0\x08\0\0\0\0", "does not end with a NUL"),
        (b"\0\0\0\x10\0\1\0\0eight888", "does not end with a NUL"),
        (b"\0\0\0\x30\0\2\0\0" + A.encode(), "forgotten node extension has 40 bytes of 48"),
        (b"\0\0\0\x28\0\3\0\0" + bytes(32), "shard id extension has 32 bytes of 40"),
    ],
)
def test_extension_out_of_bounds_drops_the_message(data: bytes, reason: str) -> None:
    with pytest.raises(BusMessageError, match=reason):
        read_extensions(data, 0, 1)


@pytest.mark.parametrize(
    "extension",
    [
        HostnameExtension(hostname="a\0b"),
        HostnameExtension(hostname="a", tail=b"no NUL!"),
        UnknownExtension(type=4, payload=b"x"),
        ShardIdExtension(shard_id=ShardId("x")),
    ],
)
def test_what_would_not_be_read_back_is_not_written(extension: PingExtension) -> None:
    with pytest.raises(ValueError, match=r".+"):
        write_extensions([extension])

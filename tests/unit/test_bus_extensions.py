"""Ping extensions to bytes and back, and which of them are refused.

Clauses: BU-19, BU-20, BU-21, BU-22, BU-23, BU-24, BU-30, BU-31, BU-32, BU-33, BU-34, BU-35, BU-D2,
BU-D3.
"""

import re
from typing import Final

import attrs
import pytest

from reference.core.types import NodeId, ShardId
from reference.wire.announced import NOTHING_ANNOUNCED, Announced, announced_by, to_extensions
from reference.wire.bus_errors import BusMessageError
from reference.wire.bus_extensions import (
    COMMON_EXTENSIONS,
    AvailabilityZoneExtension,
    ClientIpv4Extension,
    ClientIpv6Extension,
    ClientPortExtension,
    ClientTlsPortExtension,
    ExtensionKinds,
    ForgottenNodeExtension,
    HostnameExtension,
    HumanNodenameExtension,
    InternalSecretExtension,
    PingExtension,
    ShardIdExtension,
    UnknownExtension,
    read_extensions,
    write_extensions,
)
from reference.wire.dialects import COMMON, WIRE_DIALECTS, wire_dialect
from tests.traceability import SPEC

A = "a" * 40
SECRET: Final = b"0123456789abcdef0123456789abcdef01234567"
EVERY_KIND: Final[ExtensionKinds] = WIRE_DIALECTS["valkey-9.1"].extensions
REDIS_8: Final[ExtensionKinds] = WIRE_DIALECTS["redis-8.0"].extensions


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


@pytest.mark.parametrize(
    ("extension", "data", "kinds"),
    [
        (
            ClientIpv4Extension(address="10.1.2.3"),
            b"\0\0\0\x18\0\4\0\x0010.1.2.3" + bytes(8),
            EVERY_KIND,
        ),
        (
            ClientIpv4Extension(address="1.2.3.4", tail=b"\0x" + bytes(7), reserved=7),
            b"\0\0\0\x18\0\4\0\x071.2.3.4\0x" + bytes(7),
            EVERY_KIND,
        ),
        (
            ClientIpv6Extension(address="fe80::1"),
            b"\0\0\0\x10\0\5\0\0fe80::1\0",
            EVERY_KIND,
        ),
        (
            ClientPortExtension(port=7777),
            b"\0\0\0\x10\0\6\0\0\x1e\x61" + bytes(6),
            EVERY_KIND,
        ),
        (
            ClientTlsPortExtension(port=8888, tail=b"123456", reserved=1),
            b"\0\0\0\x10\0\7\0\1\x22\xb8123456",
            EVERY_KIND,
        ),
        (
            AvailabilityZoneExtension(availability_zone="zone-a1"),
            b"\0\0\0\x10\0\x08\0\0zone-a1\0",
            EVERY_KIND,
        ),
        (InternalSecretExtension(secret=SECRET), b"\0\0\0\x30\0\4\0\0" + SECRET, REDIS_8),
    ],
)
def test_extension_of_a_dialect_and_its_bytes_are_one(
    extension: PingExtension, data: bytes, kinds: ExtensionKinds
) -> None:
    unknown = UnknownExtension(type=extension.type, payload=data[8:], reserved=extension.reserved)

    assert data == write_extensions([extension])
    assert ((extension,), len(data)) == read_extensions(data, 0, 1, kinds)
    assert ((unknown,), len(data)) == read_extensions(data, 0, 1)
    assert data == write_extensions([unknown])


@pytest.mark.parametrize("name", [*WIRE_DIALECTS, COMMON.name])
def test_secret_of_redis_8_is_nothing_to_other_dialects(name: str) -> None:
    data = write_extensions([InternalSecretExtension(secret=SECRET)])

    (extension,), _ = read_extensions(data, 0, 1, wire_dialect(name).extensions)

    if name == "redis-8.0":
        assert extension == InternalSecretExtension(secret=SECRET)
    else:
        assert extension == UnknownExtension(type=4, payload=SECRET)
        assert announced_by([extension]) == NOTHING_ANNOUNCED


@pytest.mark.parametrize("address", ["1.2.3.4", "255.255.255.255"])
@pytest.mark.parametrize("name", [*WIRE_DIALECTS, COMMON.name])
def test_address_of_valkey_is_nothing_to_other_dialects(name: str, address: str) -> None:
    data = write_extensions([ClientIpv4Extension(address=address)])

    (extension,), _ = read_extensions(data, 0, 1, wire_dialect(name).extensions)

    said = announced_by([extension])
    assert said.client_ipv4 == (address if name.startswith("valkey") else "")
    assert isinstance(extension, UnknownExtension) != name.startswith("valkey")
    assert data == write_extensions([extension])


@pytest.mark.parametrize(
    ("number", "payload", "kinds"),
    [
        (4, b"", EVERY_KIND),
        (4, b"1.2.3.4.", EVERY_KIND),  # no NUL behind it
        (4, b"1.2.3\0\0\0", EVERY_KIND),
        (4, b"01.2.3.4", EVERY_KIND),
        (4, b"::1\0\0\0\0\0", EVERY_KIND),
        (4, bytes(40), EVERY_KIND),
        (5, b"1.2.3.4\0", EVERY_KIND),
        (5, b"fe80::1%lo\0\0\0\0\0\0", EVERY_KIND),
        (5, b"", EVERY_KIND),
        (6, b"", EVERY_KIND),
        (6, bytes(16), EVERY_KIND),
        (7, bytes(16), EVERY_KIND),
        (8, b"zone-a12", EVERY_KIND),
        (4, SECRET[:32], REDIS_8),
        (4, SECRET + SECRET[:8], REDIS_8),
        (4, SECRET[:39] + b"\0", REDIS_8),
        (4, b"1.2.3.4\0" + bytes(32), REDIS_8),
    ],
)
def test_payload_that_the_dialect_does_not_write_means_nothing(
    number: int, payload: bytes, kinds: ExtensionKinds
) -> None:
    unknown = UnknownExtension(type=number, payload=payload)
    data = write_extensions([unknown])

    assert ((unknown,), len(data)) == read_extensions(data, 0, 1, kinds)
    assert announced_by([unknown]) == NOTHING_ANNOUNCED


def test_redis_7_0_knows_host_names_only() -> None:
    extensions = (
        HostnameExtension(hostname="h"),
        HumanNodenameExtension(human_nodename="n"),
        ShardIdExtension(shard_id=ShardId(A)),
    )

    read, _ = read_extensions(
        write_extensions(extensions), 0, 3, WIRE_DIALECTS["redis-7.0"].extensions
    )

    assert read[0] == extensions[0]
    assert [type(extension) for extension in read[1:]] == [UnknownExtension] * 2
    assert write_extensions(read) == write_extensions(extensions)


def _specified_kinds() -> dict[str, dict[int, str]]:
    """By dialect the names of the numbers in the table of BU-30."""
    text = (SPEC / "04-bus.md").read_text(encoding="utf-8").partition("### BU-30 ")[2]
    section = text.partition("\n### ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    header, _, *body = rows
    return {
        dialect: {int(row[0]): row[1] for row in body if row[column] == "x"}
        for column, dialect in enumerate(header)
        if column >= 2
    }


def test_specified_kinds_are_those_of_the_codec() -> None:
    kinds = {
        name: {
            number: kind.__name__.removesuffix("Extension")
            for number, kind in dialect.extensions.items()
        }
        for name, dialect in WIRE_DIALECTS.items()
    }

    assert _specified_kinds() == kinds


def test_common_kinds_are_those_that_no_dialect_contradicts() -> None:
    for dialect in WIRE_DIALECTS.values():
        shared = dialect.extensions.keys() & COMMON_EXTENSIONS.keys()
        assert all(dialect.extensions[number] is COMMON_EXTENSIONS[number] for number in shared)
    assert wire_dialect("strict") is COMMON


ALL_SAID: Final = Announced(
    hostname="h.example",
    human_nodename="first",
    client_ipv4="192.0.2.1",
    client_ipv6="2001:db8::1",
    client_port=1234,
    client_tls_port=2345,
    availability_zone="zone-1",
    shard_id=ShardId(A),
)


@pytest.mark.parametrize("name", WIRE_DIALECTS)
def test_what_is_announced_comes_back_as_far_as_the_dialect_has_words(name: str) -> None:
    kinds = WIRE_DIALECTS[name].extensions

    extensions = to_extensions(ALL_SAID, kinds, forgotten=[(NodeId(A), 60)], internal_secret=SECRET)

    assert {extension.type for extension in extensions} == set(kinds)
    read, _ = read_extensions(write_extensions(extensions), 0, len(extensions), kinds)
    assert read == extensions
    said = announced_by(read)
    heard = {field: value for field, value in attrs.asdict(said).items() if value}
    assert heard.items() <= attrs.asdict(ALL_SAID).items()
    assert len(heard) == len(kinds.keys() - {2}) - (name == "redis-8.0")


def test_servers_order_is_kept() -> None:
    extensions = to_extensions(ALL_SAID, EVERY_KIND, forgotten=[(NodeId(A), 60)])

    assert [extension.type for extension in extensions] == [0, 1, 4, 5, 6, 7, 8, 2, 3]


def test_who_has_nothing_to_say_says_nothing() -> None:
    assert to_extensions(NOTHING_ANNOUNCED, EVERY_KIND) == ()
    assert announced_by([ForgottenNodeExtension(name=NodeId(A), ttl=1)]) == NOTHING_ANNOUNCED


@pytest.mark.parametrize("text", ["a b", "a,shard-id=" + A, "a\nvars", 'a"b', "a\x7fb", "'a"])
def test_text_that_no_file_can_hold_is_not_announced(text: str) -> None:
    said = announced_by(
        [
            HostnameExtension(hostname=text),
            HumanNodenameExtension(human_nodename=text),
            AvailabilityZoneExtension(availability_zone=text),
        ]
    )

    assert said == NOTHING_ANNOUNCED


def test_later_extension_of_a_kind_counts() -> None:
    said = announced_by([HostnameExtension(hostname="a"), HostnameExtension(hostname="b")])

    assert said == Announced(hostname="b")


def test_secret_is_not_shown() -> None:
    assert SECRET.decode() not in repr(InternalSecretExtension(secret=SECRET))


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
        ClientIpv4Extension(address="::1"),
        ClientIpv6Extension(address="1.2.3.4"),
        ClientPortExtension(port=1, tail=b"x"),
        InternalSecretExtension(secret=b"x" * 39),
    ],
)
def test_what_would_not_be_read_back_is_not_written(extension: PingExtension) -> None:
    with pytest.raises(ValueError, match=r".+"):
        write_extensions([extension])

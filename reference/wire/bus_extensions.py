"""Ping extensions: optional facts about the sender, behind the gossip of PING, PONG and MEET.

What a number means depends on the dialect, so whoever reads says which kinds it knows. A payload
that the reader's own dialect cannot have meant stays an UnknownExtension, which nobody acts on.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias, cast

import attrs

from reference.clauses import clause
from reference.core.types import NodeId, ShardId
from reference.wire.bus_errors import BusMessageError
from reference.wire.layout import Layout, pack_name, unpack_name
from reference.wire.texts import is_ipv4, is_ipv6

EXTENSION_LAYOUT: Final = Layout(("length", "I"), ("type", "H"), ("reserved", "H"))

FORGOTTEN_NODE_LAYOUT: Final = Layout(("name", "40s"), ("ttl", "Q"))
SHARD_ID_LAYOUT: Final = Layout(("shard_id", "40s"))
CLIENT_PORT_LAYOUT: Final = Layout(("port", "H"), ("padding", "6s"))
INTERNAL_SECRET_LAYOUT: Final = Layout(("secret", "40s"))

ALIGNMENT: Final = 8
"""Every extension fills a multiple of so many bytes, its header included."""

_SHORT: Final = 256
"""Bytes of an extension that is remembered, since the next message is likely to have it too."""


@attrs.frozen(kw_only=True, cache_hash=True)
class HostnameExtension:
    """The host name the sender announces to clients (`clusterMsgPingExtHostname`)."""

    type: ClassVar[int] = 0
    hostname: str
    reserved: int = 0
    tail: bytes = b""  # what follows the text; empty for the usual one to eight NULs


@attrs.frozen(kw_only=True, cache_hash=True)
class HumanNodenameExtension:
    """The name the sender goes by in logs (`clusterMsgPingExtHumanNodename`)."""

    type: ClassVar[int] = 1
    human_nodename: str
    reserved: int = 0
    tail: bytes = b""  # as in HostnameExtension


@attrs.frozen(kw_only=True, cache_hash=True)
class ForgottenNodeExtension:
    """A node the sender was told to forget (`clusterMsgPingExtForgottenNode`)."""

    type: ClassVar[int] = 2
    name: NodeId
    ttl: int  # seconds for which it must not be added again
    reserved: int = 0
    tail: bytes = b""  # after the 48 bytes; no server sends any


@attrs.frozen(kw_only=True, cache_hash=True)
class ShardIdExtension:
    """The shard of the sender (`clusterMsgPingExtShardId`)."""

    type: ClassVar[int] = 3
    shard_id: ShardId
    reserved: int = 0
    tail: bytes = b""  # after the 40 bytes; no server sends any


@attrs.frozen(kw_only=True, cache_hash=True)
class ClientIpv4Extension:
    """The IPv4 address that clients are to use (`clusterMsgPingExtClientIpV4`)."""

    type: ClassVar[int] = 4
    address: str
    reserved: int = 0
    tail: bytes = b""  # as in HostnameExtension


@attrs.frozen(kw_only=True, cache_hash=True)
class ClientIpv6Extension:
    """The IPv6 address that clients are to use (`clusterMsgPingExtClientIpV6`)."""

    type: ClassVar[int] = 5
    address: str
    reserved: int = 0
    tail: bytes = b""  # as in HostnameExtension


@attrs.frozen(kw_only=True, cache_hash=True)
class ClientPortExtension:
    """The plain port that clients are to use (`cluster-announce-client-port`)."""

    type: ClassVar[int] = 6
    port: int
    reserved: int = 0
    tail: bytes = b""  # after the port; empty for the usual six NULs


@attrs.frozen(kw_only=True, cache_hash=True)
class ClientTlsPortExtension:
    """The TLS port that clients are to use (`cluster-announce-client-tls-port`)."""

    type: ClassVar[int] = 7
    port: int
    reserved: int = 0
    tail: bytes = b""  # as in ClientPortExtension


@attrs.frozen(kw_only=True, cache_hash=True)
class AvailabilityZoneExtension:
    """Where the sender stands, in words of its operator (`availability-zone`)."""

    type: ClassVar[int] = 8
    availability_zone: str
    reserved: int = 0
    tail: bytes = b""  # as in HostnameExtension


@attrs.frozen(kw_only=True, cache_hash=True)
class InternalSecretExtension:
    """What nodes of Redis 8 know each other's own clients by: 40 bytes, none of them NUL."""

    type: ClassVar[int] = 4
    secret: bytes = attrs.field(repr=False)
    reserved: int = 0


@attrs.frozen(kw_only=True, cache_hash=True)
class UnknownExtension:
    """An extension that the reader knows no meaning for, kept as it came."""

    type: int
    payload: bytes  # a multiple of 8 bytes
    reserved: int = 0


PingExtension = (
    HostnameExtension
    | HumanNodenameExtension
    | ForgottenNodeExtension
    | ShardIdExtension
    | ClientIpv4Extension
    | ClientIpv6Extension
    | ClientPortExtension
    | ClientTlsPortExtension
    | AvailabilityZoneExtension
    | InternalSecretExtension
    | UnknownExtension
)

ExtensionKinds: TypeAlias = Mapping[int, type[PingExtension]]
"""What each number means to a reader; the numbers that are missing mean nothing to it."""


def extension_kinds(*kinds: type[PingExtension]) -> ExtensionKinds:
    """The table of these kinds, which have different numbers."""
    return MappingProxyType({getattr(kind, "type"): kind for kind in kinds})  # noqa: B009


COMMON_EXTENSIONS: Final = extension_kinds(
    HostnameExtension, HumanNodenameExtension, ForgottenNodeExtension, ShardIdExtension
)
"""The kinds whose numbers no dialect uses for anything else."""


@clause("BU-19", "BU-20", "BU-21", "BU-30")
def read_extensions(
    data: bytes | memoryview, start: int, count: int, kinds: ExtensionKinds = COMMON_EXTENSIONS
) -> tuple[tuple[PingExtension, ...], int]:
    """The `count` extensions from offset `start` on, and the offset where they end.

    BusMessageError if one does not fit into the data. Counterpart: `clusterIsValidPacket`.
    """
    extensions: list[PingExtension] = []
    for number in range(count):
        left = len(data) - start
        if left < EXTENSION_LAYOUT.size:
            raise BusMessageError(f"extension {number} of {count} has no room for its header")
        length, extension_type, reserved = EXTENSION_LAYOUT.struct.unpack_from(data, start)
        if length % ALIGNMENT or length < EXTENSION_LAYOUT.size:
            raise BusMessageError(f"extension {number} has a length of {length} bytes")
        if length > left:
            raise BusMessageError(f"extension {number} of {length} bytes, {left} are left")
        payload = bytes(data[start + EXTENSION_LAYOUT.size : start + length])
        kind = kinds.get(extension_type)
        read = _read_short if length <= _SHORT else _read_payload
        extensions.append(read(kind, extension_type, payload, reserved))
        start += length
    return tuple(extensions), start


@clause("BU-19", "BU-20")
def write_extensions(extensions: Iterable[PingExtension]) -> bytes:
    """The extensions one after the other, each with its header and padding.

    ValueError or struct.error if a field does not fit. Counterpart: `writePingExtensions`.
    """
    return b"".join(
        [
            _write_shard_id(each) if isinstance(each, ShardIdExtension) else _write_extension(each)
            for each in extensions
        ]
    )


@lru_cache(maxsize=1024)
def _write_shard_id(extension: ShardIdExtension) -> bytes:
    """What every heartbeat of a node has is not written anew each time."""
    return _write_extension(extension)


def _write_extension(extension: PingExtension) -> bytes:
    payload = _write_payload(extension)
    length = EXTENSION_LAYOUT.size + len(payload)
    if length % ALIGNMENT:
        raise ValueError(f"extension of {length} bytes, not a multiple of {ALIGNMENT}")
    return EXTENSION_LAYOUT.struct.pack(length, extension.type, extension.reserved) + payload


@clause("BU-D2")
def _read_payload(
    kind: type[PingExtension] | None, extension_type: int, payload: bytes, reserved: int
) -> PingExtension:
    if kind is not None:
        extension = _READERS[kind](payload, reserved)
        if extension is not None:
            return extension
    return UnknownExtension(type=extension_type, payload=payload, reserved=reserved)


_ReadPayload: TypeAlias = Callable[[type[PingExtension] | None, int, bytes, int], PingExtension]
_read_short: Final = cast("_ReadPayload", lru_cache(maxsize=1024)(_read_payload))


@clause("BU-22")
def _read_hostname(payload: bytes, reserved: int) -> PingExtension:
    text, tail = _require_text(payload)
    return HostnameExtension(hostname=text, reserved=reserved, tail=tail)


@clause("BU-22")
def _read_human_nodename(payload: bytes, reserved: int) -> PingExtension:
    text, tail = _require_text(payload)
    return HumanNodenameExtension(human_nodename=text, reserved=reserved, tail=tail)


@clause("BU-23")
def _read_forgotten_node(payload: bytes, reserved: int) -> PingExtension:
    size = FORGOTTEN_NODE_LAYOUT.size
    _require(payload, size, "forgotten node")
    name, ttl = FORGOTTEN_NODE_LAYOUT.struct.unpack_from(payload)
    return ForgottenNodeExtension(
        name=NodeId(unpack_name(name)), ttl=ttl, reserved=reserved, tail=payload[size:]
    )


@clause("BU-24")
def _read_shard_id(payload: bytes, reserved: int) -> PingExtension:
    size = SHARD_ID_LAYOUT.size
    _require(payload, size, "shard id")
    shard_id = ShardId(unpack_name(payload[:size]))
    return ShardIdExtension(shard_id=shard_id, reserved=reserved, tail=payload[size:])


@clause("BU-31")
def _read_ipv4(payload: bytes, reserved: int) -> PingExtension | None:
    text, tail = _split_text(payload)
    if text is None or not is_ipv4(text):
        return None
    return ClientIpv4Extension(address=text, reserved=reserved, tail=tail)


@clause("BU-31")
def _read_ipv6(payload: bytes, reserved: int) -> PingExtension | None:
    text, tail = _split_text(payload)
    if text is None or not is_ipv6(text):
        return None
    return ClientIpv6Extension(address=text, reserved=reserved, tail=tail)


@clause("BU-32")
def _read_port(payload: bytes) -> tuple[int, bytes] | None:
    if len(payload) != CLIENT_PORT_LAYOUT.size:
        return None
    port, tail = CLIENT_PORT_LAYOUT.struct.unpack(payload)
    return port, tail if any(tail) else b""


def _read_client_port(payload: bytes, reserved: int) -> PingExtension | None:
    read = _read_port(payload)
    return read and ClientPortExtension(port=read[0], reserved=reserved, tail=read[1])


def _read_client_tls_port(payload: bytes, reserved: int) -> PingExtension | None:
    read = _read_port(payload)
    return read and ClientTlsPortExtension(port=read[0], reserved=reserved, tail=read[1])


@clause("BU-33")
def _read_availability_zone(payload: bytes, reserved: int) -> PingExtension | None:
    text, tail = _split_text(payload)
    if text is None:
        return None
    return AvailabilityZoneExtension(availability_zone=text, reserved=reserved, tail=tail)


@clause("BU-34")
def _read_internal_secret(payload: bytes, reserved: int) -> PingExtension | None:
    if not _is_secret(payload):
        return None
    return InternalSecretExtension(secret=payload, reserved=reserved)


_READERS: Final[dict[type[PingExtension], Callable[[bytes, int], PingExtension | None]]] = {
    HostnameExtension: _read_hostname,
    HumanNodenameExtension: _read_human_nodename,
    ForgottenNodeExtension: _read_forgotten_node,
    ShardIdExtension: _read_shard_id,
    ClientIpv4Extension: _read_ipv4,
    ClientIpv6Extension: _read_ipv6,
    ClientPortExtension: _read_client_port,
    ClientTlsPortExtension: _read_client_tls_port,
    AvailabilityZoneExtension: _read_availability_zone,
    InternalSecretExtension: _read_internal_secret,
}


def _write_payload(extension: PingExtension) -> bytes:
    match extension:
        case ForgottenNodeExtension():
            fixed = FORGOTTEN_NODE_LAYOUT.struct.pack(pack_name(extension.name), extension.ttl)
            return fixed + extension.tail
        case ShardIdExtension():
            return pack_name(extension.shard_id) + extension.tail
        case ClientPortExtension() | ClientTlsPortExtension():
            if len(extension.tail) not in {0, 6}:
                raise ValueError(f"6 bytes follow a port, not {len(extension.tail)}")
            return CLIENT_PORT_LAYOUT.struct.pack(extension.port, extension.tail)
        case InternalSecretExtension():
            if not _is_secret(extension.secret):
                raise ValueError("a secret has 40 bytes, none of them NUL")
            return extension.secret
        case UnknownExtension():
            return extension.payload
        case _:
            return _join_text(_text_of(extension), extension.tail)


def _text_of(
    extension: HostnameExtension
    | HumanNodenameExtension
    | ClientIpv4Extension
    | ClientIpv6Extension
    | AvailabilityZoneExtension,
) -> str:
    match extension:
        case HostnameExtension():
            return extension.hostname
        case HumanNodenameExtension():
            return extension.human_nodename
        case AvailabilityZoneExtension():
            return extension.availability_zone
        case _:
            is_address = is_ipv4 if isinstance(extension, ClientIpv4Extension) else is_ipv6
            if not is_address(extension.address):
                raise ValueError(f"not such an address: {extension}")
            return extension.address


def _require(payload: bytes, size: int, what: str) -> None:
    if len(payload) < size:
        raise BusMessageError(f"{what} extension has {len(payload)} bytes of {size}")


def _usual_tail(text_length: int) -> bytes:
    """The text ends with at least one NUL and is padded to a multiple of eight bytes."""
    return bytes(ALIGNMENT - text_length % ALIGNMENT)


def _split_text(payload: bytes) -> tuple[str | None, bytes]:
    """The text and what follows it, if that is unusual; no text if there is no NUL."""
    end = payload.find(b"\0")
    if end < 0:
        return None, b""
    tail = payload[end:]
    return payload[:end].decode("latin-1"), b"" if tail == _usual_tail(end) else tail


def _require_text(payload: bytes) -> tuple[str, bytes]:
    text, tail = _split_text(payload)
    if text is None:
        raise BusMessageError("text extension does not end with a NUL")
    return text, tail


def _join_text(text: str, tail: bytes) -> bytes:
    raw = text.encode("latin-1")
    if b"\0" in raw or not (tail or b"\0").startswith(b"\0"):
        raise ValueError(f"an extension's text ends at its first NUL: {text!r}")
    return raw + (tail or _usual_tail(len(raw)))


def _is_secret(payload: bytes) -> bool:
    """A text of an extension ends with a NUL, so that no text is taken for a secret."""
    return len(payload) == INTERNAL_SECRET_LAYOUT.size and b"\0" not in payload

"""Ping extensions: optional facts about the sender, behind the gossip of PING, PONG and MEET."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.types import NodeId, ShardId
from reference.wire.bus_errors import BusMessageError
from reference.wire.layout import NAME_LENGTH, Layout, pack_name, unpack_name

EXTENSION_LAYOUT: Final = Layout(("length", "I"), ("type", "H"), ("reserved", "H"))

FORGOTTEN_NODE_LAYOUT: Final = Layout(("name", "40s"), ("ttl", "Q"))

ALIGNMENT: Final = 8
"""Every extension fills a multiple of so many bytes, its header included."""


class ExtensionType(IntEnum):
    """What an extension tells, where all dialects agree on the number (`clusterMsgPingtypes`)."""

    HOSTNAME = 0
    HUMAN_NODENAME = 1
    FORGOTTEN_NODE = 2
    SHARDID = 3


@attrs.frozen(kw_only=True)
class HostnameExtension:
    """The host name the sender announces to clients (`clusterMsgPingExtHostname`)."""

    hostname: str
    reserved: int = 0
    tail: bytes = b""  # what follows the text; empty for the usual one to eight NULs


@attrs.frozen(kw_only=True)
class HumanNodenameExtension:
    """The name the sender goes by in logs (`clusterMsgPingExtHumanNodename`)."""

    human_nodename: str
    reserved: int = 0
    tail: bytes = b""  # as in HostnameExtension


@attrs.frozen(kw_only=True)
class ForgottenNodeExtension:
    """A node the sender was told to forget (`clusterMsgPingExtForgottenNode`)."""

    name: NodeId
    ttl: int  # seconds for which it must not be added again
    reserved: int = 0
    tail: bytes = b""  # after the 48 bytes; no server sends any


@attrs.frozen(kw_only=True)
class ShardIdExtension:
    """The shard of the sender (`clusterMsgPingExtShardId`)."""

    shard_id: ShardId
    reserved: int = 0
    tail: bytes = b""  # after the 40 bytes; no server sends any


@attrs.frozen(kw_only=True)
class UnknownExtension:
    """An extension of another type, kept as it came."""

    type: int
    payload: bytes  # a multiple of 8 bytes
    reserved: int = 0


PingExtension = (
    HostnameExtension
    | HumanNodenameExtension
    | ForgottenNodeExtension
    | ShardIdExtension
    | UnknownExtension
)


@clause("BU-19", "BU-20", "BU-21")
def read_extensions(
    data: bytes | memoryview, start: int, count: int
) -> tuple[tuple[PingExtension, ...], int]:
    """The `count` extensions from offset `start` on, and the offset where they end.

    BusMessageError if one does not fit into the data. Counterpart: `clusterIsValidPacket`.
    """
    extensions = []
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
        extensions.append(_read_payload(extension_type, payload, reserved))
        start += length
    return tuple(extensions), start


@clause("BU-19", "BU-20")
def write_extensions(extensions: Iterable[PingExtension]) -> bytes:
    """The extensions one after the other, each with its header and padding.

    ValueError or struct.error if a field does not fit. Counterpart: `writePingExtensions`.
    """
    blocks = []
    for extension in extensions:
        extension_type, payload = _write_payload(extension)
        length = EXTENSION_LAYOUT.size + len(payload)
        if length % ALIGNMENT:
            raise ValueError(f"extension of {length} bytes, not a multiple of {ALIGNMENT}")
        blocks.append(EXTENSION_LAYOUT.struct.pack(length, extension_type, extension.reserved))
        blocks.append(payload)
    return b"".join(blocks)


@clause("BU-22", "BU-23", "BU-24")
def _read_payload(extension_type: int, payload: bytes, reserved: int) -> PingExtension:
    match extension_type:
        case ExtensionType.HOSTNAME:
            text, tail = _split_text(payload)
            return HostnameExtension(hostname=text, reserved=reserved, tail=tail)
        case ExtensionType.HUMAN_NODENAME:
            text, tail = _split_text(payload)
            return HumanNodenameExtension(human_nodename=text, reserved=reserved, tail=tail)
        case ExtensionType.FORGOTTEN_NODE:
            size = FORGOTTEN_NODE_LAYOUT.size
            _require(payload, size, "forgotten node")
            name, ttl = FORGOTTEN_NODE_LAYOUT.struct.unpack_from(payload)
            return ForgottenNodeExtension(
                name=NodeId(unpack_name(name)), ttl=ttl, reserved=reserved, tail=payload[size:]
            )
        case ExtensionType.SHARDID:
            _require(payload, NAME_LENGTH, "shard id")
            return ShardIdExtension(
                shard_id=ShardId(unpack_name(payload[:NAME_LENGTH])),
                reserved=reserved,
                tail=payload[NAME_LENGTH:],
            )
        case _:
            return UnknownExtension(type=extension_type, payload=payload, reserved=reserved)


def _write_payload(extension: PingExtension) -> tuple[int, bytes]:
    match extension:
        case HostnameExtension():
            return ExtensionType.HOSTNAME, _join_text(extension.hostname, extension.tail)
        case HumanNodenameExtension():
            text = extension.human_nodename
            return ExtensionType.HUMAN_NODENAME, _join_text(text, extension.tail)
        case ForgottenNodeExtension():
            fixed = FORGOTTEN_NODE_LAYOUT.struct.pack(pack_name(extension.name), extension.ttl)
            return ExtensionType.FORGOTTEN_NODE, fixed + extension.tail
        case ShardIdExtension():
            return ExtensionType.SHARDID, pack_name(extension.shard_id) + extension.tail
        case _:
            return extension.type, extension.payload


def _require(payload: bytes, size: int, what: str) -> None:
    if len(payload) < size:
        raise BusMessageError(f"{what} extension has {len(payload)} bytes of {size}")


def _usual_tail(text_length: int) -> bytes:
    """The text ends with at least one NUL and is padded to a multiple of eight bytes."""
    return bytes(ALIGNMENT - text_length % ALIGNMENT)


def _split_text(payload: bytes) -> tuple[str, bytes]:
    end = payload.find(b"\0")
    if end < 0:
        raise BusMessageError("text extension does not end with a NUL")
    tail = payload[end:]
    return payload[:end].decode("latin-1"), b"" if tail == _usual_tail(end) else tail


def _join_text(text: str, tail: bytes) -> bytes:
    raw = text.encode("latin-1")
    if b"\0" in raw or not (tail or b"\0").startswith(b"\0"):
        raise ValueError(f"an extension's text ends at its first NUL: {text!r}")
    return raw + (tail or _usual_tail(len(raw)))

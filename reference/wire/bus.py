"""Messages of the cluster bus, whole: `decode` bytes to values and `encode` values to bytes.

The two are inverse: encoding what was decoded gives the same bytes, for every well-formed message.
"""

import struct
from typing import ClassVar, Final

import attrs

from reference.clauses import clause
from reference.core.slots import SlotSet
from reference.core.types import Epoch, NodeId
from reference.wire.bus_errors import BusLinkError, BusMessageError
from reference.wire.bus_extensions import (
    COMMON_EXTENSIONS,
    ExtensionKinds,
    PingExtension,
    read_extensions,
    write_extensions,
)
from reference.wire.bus_gossip import GOSSIP_LAYOUT, GossipEntry, read_gossip, write_gossip
from reference.wire.bus_header import (
    HEADER_LAYOUT,
    LIGHT,
    LIGHT_HEADER_LAYOUT,
    PROTOCOL_VERSION,
    SIGNATURE,
    BusHeader,
    LightHeader,
    MessageFlag,
    MessageType,
    read_header,
    read_light_header,
    write_header,
    write_light_header,
)
from reference.wire.layout import (
    Layout,
    pack_name,
    pack_slots,
    unpack_name,
    unpack_slots,
)

FAIL_LAYOUT: Final = Layout(("nodename", "40s"))
UPDATE_LAYOUT: Final = Layout(("config_epoch", "Q"), ("nodename", "40s"), ("slots", "2048s"))
PUBLISH_LAYOUT: Final = Layout(("channel_len", "I"), ("message_len", "I"))
MODULE_LAYOUT: Final = Layout(("module_id", "8s"), ("len", "I"), ("type", "B"))

MEMORY_PER_BYTE: Final = 32
"""Bytes that `decode` and `encode` allocate at most for each byte of a message.

Extensions of 8 bytes cost most. Counts and lengths are compared with what is there before anything
is made from them.
"""

MEMORY_BESIDE: Final = 64 * 1024
"""Bytes that they allocate at most beside those; what is cached of earlier messages not counted."""


@attrs.frozen(kw_only=True)
class Heartbeat:
    """PING, PONG and MEET are the same message under three types (`clusterMsgData.ping`)."""

    type: ClassVar[MessageType]
    header: BusHeader
    gossip: tuple[GossipEntry, ...] = ()
    extensions: tuple[PingExtension, ...] = ()  # none unless the header has EXT_DATA


@attrs.frozen(kw_only=True)
class PingMessage(Heartbeat):
    """CLUSTERMSG_TYPE_PING: asks for a PONG."""

    type = MessageType.PING


@attrs.frozen(kw_only=True)
class PongMessage(Heartbeat):
    """CLUSTERMSG_TYPE_PONG: the answer to PING and MEET, or an announcement."""

    type = MessageType.PONG


@attrs.frozen(kw_only=True)
class MeetMessage(Heartbeat):
    """CLUSTERMSG_TYPE_MEET: a PING that also asks to be taken into the node table."""

    type = MessageType.MEET


@attrs.frozen(kw_only=True)
class FailMessage:
    """CLUSTERMSG_TYPE_FAIL: the named node fails (`clusterMsgDataFail`)."""

    header: BusHeader
    nodename: NodeId


@attrs.frozen(kw_only=True)
class Publication:
    """A message to subscribers, over the full or the light header (`clusterMsgDataPublish`)."""

    type: ClassVar[MessageType]
    header: BusHeader | LightHeader
    channel: bytes
    message: bytes


@attrs.frozen(kw_only=True)
class PublishMessage(Publication):
    """CLUSTERMSG_TYPE_PUBLISH: for the channel's subscribers on every node."""

    type = MessageType.PUBLISH


@attrs.frozen(kw_only=True)
class PublishShardMessage(Publication):
    """CLUSTERMSG_TYPE_PUBLISHSHARD: for the shard channel's subscribers in its shard."""

    type = MessageType.PUBLISHSHARD


@attrs.frozen(kw_only=True)
class FailoverAuthRequestMessage:
    """CLUSTERMSG_TYPE_FAILOVER_AUTH_REQUEST: the sender wants to fail over."""

    header: BusHeader


@attrs.frozen(kw_only=True)
class FailoverAuthAckMessage:
    """CLUSTERMSG_TYPE_FAILOVER_AUTH_ACK: the receiver has the vote of the sender."""

    header: BusHeader


@attrs.frozen(kw_only=True)
class UpdateMessage:
    """CLUSTERMSG_TYPE_UPDATE: who owns these slots, and since when (`clusterMsgDataUpdate`)."""

    header: BusHeader
    config_epoch: Epoch
    nodename: NodeId
    slots: SlotSet


@attrs.frozen(kw_only=True)
class MfstartMessage:
    """CLUSTERMSG_TYPE_MFSTART: a replica asks its master to stop its clients."""

    header: BusHeader


@attrs.frozen(kw_only=True)
class ModuleMessage:
    """CLUSTERMSG_TYPE_MODULE: from one server module to another (`clusterMsgModule`)."""

    header: BusHeader | LightHeader
    module_id: bytes  # 8 bytes, in the sender's own byte order
    type: int  # 0 to 255, the module's business
    payload: bytes


@attrs.frozen(kw_only=True)
class UnknownMessage:
    """A message of a type that this codec does not know; its header still tells of the sender."""

    header: BusHeader
    type: int
    payload: bytes


BusMessage = (
    PingMessage
    | PongMessage
    | MeetMessage
    | FailMessage
    | PublishMessage
    | PublishShardMessage
    | FailoverAuthRequestMessage
    | FailoverAuthAckMessage
    | UpdateMessage
    | MfstartMessage
    | ModuleMessage
    | UnknownMessage
)

_BareKind = type[FailoverAuthRequestMessage] | type[FailoverAuthAckMessage] | type[MfstartMessage]

_EXT_DATA: Final = MessageFlag.EXT_DATA.value
_HEARTBEATS: Final = {kind.type.value: kind for kind in (PingMessage, PongMessage, MeetMessage)}
_PUBLICATIONS: Final = {kind.type.value: kind for kind in (PublishMessage, PublishShardMessage)}
_BARE: Final[dict[int, _BareKind]] = {
    MessageType.FAILOVER_AUTH_REQUEST.value: FailoverAuthRequestMessage,
    MessageType.FAILOVER_AUTH_ACK.value: FailoverAuthAckMessage,
    MessageType.MFSTART.value: MfstartMessage,
}
_KNOWN_TYPES: Final = frozenset(kind.value for kind in MessageType)
_BARE_TYPES: Final = {kind: code for code, kind in _BARE.items()}


@clause("BU-1", "BU-4", "BU-8", "BU-9")
def decode(
    data: bytes | memoryview,
    *,
    light_headers: bool = True,
    extensions: ExtensionKinds = COMMON_EXTENSIONS,
) -> BusMessage:
    """The message whose bytes these are, all of them.

    BusLinkError if they do not begin like a message, BusMessageError if the message is to be
    dropped. Without `light_headers` (Redis) a type with the LIGHT bit is just unknown, and an
    extension is unknown that is not of the kinds in `extensions`: see `WireDialect`.
    Counterpart: `clusterProcessPacket`.
    """
    if len(data) < LIGHT_HEADER_LAYOUT.size:
        raise BusMessageError(f"message of {len(data)} bytes has no header")
    sig, totlen, ver, _, message_type, _ = LIGHT_HEADER_LAYOUT.struct.unpack_from(data)
    if sig != SIGNATURE:
        raise BusLinkError(f"bad signature {sig!r}")
    if totlen != len(data):
        raise BusMessageError(f"totlen is {totlen}, the message has {len(data)} bytes")
    if ver != PROTOCOL_VERSION:
        raise BusMessageError(f"protocol version {ver}, not {PROTOCOL_VERSION}")
    if light_headers and message_type & LIGHT:
        return _decode_light(data)
    if len(data) < HEADER_LAYOUT.size:
        raise BusMessageError(f"message of {len(data)} bytes, the header alone has 2256")
    heartbeat = _HEARTBEATS.get(message_type)
    if heartbeat is not None:
        return _decode_heartbeat(heartbeat, data, extensions)
    header = read_header(data, heartbeat=False).header
    return _decode_body(header, message_type, data, HEADER_LAYOUT.size)


@clause("BU-5", "BU-9", "BU-11")
def encode(message: BusMessage) -> bytes:
    """The bytes of the message; ValueError if a field cannot be represented.

    Counterpart: `createClusterMsgSendBlock`.
    """
    try:
        if isinstance(message, Heartbeat):
            return _encode_heartbeat(message)
        message_type, body = _encode_body(message)
        if isinstance(message.header, LightHeader):
            return write_light_header(message.header, message_type, len(body)) + body
        header = message.header
        counts = (header.unused_count, header.unused_extensions)
        return write_header(header, message_type, len(body), *counts) + body
    except (struct.error, OverflowError) as error:
        raise ValueError(f"a field is out of range: {error}") from error


def _decode_light(data: bytes | memoryview) -> BusMessage:
    header, message_type = read_light_header(data)
    start = LIGHT_HEADER_LAYOUT.size
    if message_type in _PUBLICATIONS:
        return _decode_publication(header, message_type, data, start)
    if message_type == MessageType.MODULE:
        return _decode_module(header, data, start)
    raise BusMessageError(f"type {message_type} does not go with the light header")


@clause("BU-11", "BU-25")
def _decode_heartbeat(
    kind: type[PingMessage] | type[PongMessage] | type[MeetMessage],
    data: bytes | memoryview,
    kinds: ExtensionKinds,
) -> BusMessage:
    envelope = read_header(data, heartbeat=True)
    start = HEADER_LAYOUT.size
    end = start + GOSSIP_LAYOUT.size * envelope.count
    if end > len(data):
        raise BusMessageError(f"{envelope.count} gossip entries do not fit in {len(data)} bytes")
    gossip = read_gossip(memoryview(data)[start:end])
    extensions, end = read_extensions(data, end, envelope.extensions, kinds)
    _require_length(data, end, kind.type.name)
    return kind(header=envelope.header, gossip=gossip, extensions=extensions)


@clause("BU-10", "BU-11", "BU-26", "BU-28")
def _decode_body(
    header: BusHeader, message_type: int, data: bytes | memoryview, start: int
) -> BusMessage:
    bare = _BARE.get(message_type)
    if bare is not None:
        _require_length(data, start, MessageType(message_type).name)
        return bare(header=header)
    match message_type:
        case MessageType.FAIL:
            _require_length(data, start + FAIL_LAYOUT.size, "FAIL")
            return FailMessage(header=header, nodename=NodeId(unpack_name(bytes(data[start:]))))
        case MessageType.UPDATE:
            _require_length(data, start + UPDATE_LAYOUT.size, "UPDATE")
            epoch, name, slots = UPDATE_LAYOUT.struct.unpack_from(data, start)
            return UpdateMessage(
                header=header,
                config_epoch=epoch,
                nodename=NodeId(unpack_name(name)),
                slots=unpack_slots(slots),
            )
        case MessageType.PUBLISH | MessageType.PUBLISHSHARD:
            return _decode_publication(header, message_type, data, start)
        case MessageType.MODULE:
            return _decode_module(header, data, start)
        case _:
            return UnknownMessage(header=header, type=message_type, payload=bytes(data[start:]))


@clause("BU-27")
def _decode_publication(
    header: BusHeader | LightHeader, message_type: int, data: bytes | memoryview, start: int
) -> BusMessage:
    kind = _PUBLICATIONS[message_type]
    _require_room(data, start + PUBLISH_LAYOUT.size, kind.type.name)
    channel_len, message_len = PUBLISH_LAYOUT.struct.unpack_from(data, start)
    start += PUBLISH_LAYOUT.size
    middle = start + channel_len
    _require_length(data, middle + message_len, kind.type.name)
    return kind(header=header, channel=bytes(data[start:middle]), message=bytes(data[middle:]))


@clause("BU-29")
def _decode_module(
    header: BusHeader | LightHeader, data: bytes | memoryview, start: int
) -> ModuleMessage:
    _require_room(data, start + MODULE_LAYOUT.size, "MODULE")
    module_id, length, module_type = MODULE_LAYOUT.struct.unpack_from(data, start)
    start += MODULE_LAYOUT.size
    _require_length(data, start + length, "MODULE")
    return ModuleMessage(
        header=header, module_id=module_id, type=module_type, payload=bytes(data[start:])
    )


def _require_room(data: bytes | memoryview, size: int, name: str) -> None:
    if len(data) < size:
        raise BusMessageError(f"{name} of {len(data)} bytes ends before its lengths")


def _require_length(data: bytes | memoryview, expected: int, name: str) -> None:
    if len(data) != expected:
        raise BusMessageError(f"{name} of {len(data)} bytes, its content says {expected}")


def _encode_heartbeat(message: Heartbeat) -> bytes:
    header = message.header
    body = write_gossip(message.gossip)
    count = len(message.extensions)
    if int(header.mflags) & _EXT_DATA:
        body += write_extensions(message.extensions)
    elif message.extensions:
        raise ValueError("extensions without EXT_DATA would not be found")
    else:
        count = header.unused_extensions
    return write_header(header, message.type, len(body), len(message.gossip), count) + body


def _encode_body(
    message: FailMessage
    | Publication
    | FailoverAuthRequestMessage
    | FailoverAuthAckMessage
    | UpdateMessage
    | MfstartMessage
    | ModuleMessage
    | UnknownMessage,
) -> tuple[int, bytes]:
    match message:
        case FailMessage():
            return MessageType.FAIL, pack_name(message.nodename)
        case UpdateMessage():
            name, slots = pack_name(message.nodename), pack_slots(message.slots)
            body = UPDATE_LAYOUT.struct.pack(message.config_epoch, name, slots)
            return MessageType.UPDATE, body
        case Publication():
            lengths = PUBLISH_LAYOUT.struct.pack(len(message.channel), len(message.message))
            return message.type, lengths + message.channel + message.message
        case ModuleMessage():
            if len(message.module_id) != 8:
                raise ValueError(f"a module id has 8 bytes, not {len(message.module_id)}")
            fixed = MODULE_LAYOUT.struct.pack(message.module_id, len(message.payload), message.type)
            return MessageType.MODULE, fixed + message.payload
        case UnknownMessage():
            if message.type in _KNOWN_TYPES:
                raise ValueError(f"type {message.type} is not unknown")
            return message.type, message.payload
        case _:
            return _BARE_TYPES[type(message)], b""

"""The two headers of bus messages: the full one of 2256 bytes and the light one of 16."""

from enum import IntEnum, IntFlag
from functools import cache, lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import Epoch, NodeId
from reference.wire.layout import (
    IP_LENGTH,
    Layout,
    pack_name,
    pack_slots,
    pack_text,
    unpack_name,
    unpack_slots,
    unpack_text,
)

SIGNATURE: Final = b"RCmb"
"""How every message begins (Redis Cluster message bus)."""

PROTOCOL_VERSION: Final = 1
"""The only version there has been (`CLUSTER_PROTO_VER`)."""

LIGHT: Final = 0x8000
"""The bit of the type field that says that the header is the light one (`CLUSTERMSG_LIGHT`)."""

HEADER_LAYOUT: Final = Layout(
    ("sig", "4s"),
    ("totlen", "I"),
    ("ver", "H"),
    ("port", "H"),
    ("type", "H"),
    ("count", "H"),
    ("current_epoch", "Q"),
    ("config_epoch", "Q"),
    ("offset", "Q"),
    ("sender", "40s"),
    ("myslots", "2048s"),
    ("replicaof", "40s"),
    ("myip", "46s"),
    ("extensions", "H"),
    ("reserved", "30s"),
    ("pport", "H"),
    ("cport", "H"),
    ("flags", "H"),
    ("state", "B"),
    ("mflags", "B"),
    ("mflags_unused", "2s"),
)

LIGHT_HEADER_LAYOUT: Final = Layout(
    ("sig", "4s"),
    ("totlen", "I"),
    ("ver", "H"),
    ("reserved1", "H"),
    ("type", "H"),
    ("reserved2", "H"),
)

_FIRST: Final = HEADER_LAYOUT.part("sig", "current_epoch")
_BEFORE: Final = HEADER_LAYOUT.part("current_epoch", "extensions")
_EXTENSIONS: Final = HEADER_LAYOUT.part("extensions", "reserved")
_EXTENSIONS_AT: Final = HEADER_LAYOUT.offset("extensions")
_BEHIND: Final = HEADER_LAYOUT.part("reserved")
_MFLAGS_AT: Final = HEADER_LAYOUT.offset("mflags")

_NO_NAME: Final = bytes(40)
_NO_RESERVED: Final = bytes(30)
_NO_MFLAGS: Final = bytes(2)


class MessageType(IntEnum):
    """What a message is (`CLUSTERMSG_TYPE_*`)."""

    PING = 0
    PONG = 1
    MEET = 2
    FAIL = 3
    PUBLISH = 4
    FAILOVER_AUTH_REQUEST = 5
    FAILOVER_AUTH_ACK = 6
    UPDATE = 7
    MFSTART = 8
    MODULE = 9
    PUBLISHSHARD = 10


class NodeFlag(IntFlag):
    """What a sender says of itself or of a gossiped node (`CLUSTER_NODE_*`); unknown bits stay."""

    MASTER = 1 << 0
    SLAVE = 1 << 1
    PFAIL = 1 << 2
    FAIL = 1 << 3
    MYSELF = 1 << 4
    HANDSHAKE = 1 << 5
    NOADDR = 1 << 6
    MEET = 1 << 7
    MIGRATE_TO = 1 << 8
    NOFAILOVER = 1 << 9
    EXTENSIONS_SUPPORTED = 1 << 10
    LIGHT_HDR_PUBLISH_SUPPORTED = 1 << 11
    LIGHT_HDR_MODULE_SUPPORTED = 1 << 12
    MY_PRIMARY_FAIL = 1 << 13


class MessageFlag(IntFlag):
    """What is special about one message (`CLUSTERMSG_FLAG0_*`); unknown bits stay."""

    PAUSED = 1 << 0  # a master in a manual failover has stopped its clients
    FORCEACK = 1 << 1  # vote even if the master looks well
    EXT_DATA = 1 << 2  # ping extensions follow, or are understood


NO_NODE_FLAGS: Final = NodeFlag(0)
NO_MESSAGE_FLAGS: Final = MessageFlag(0)


_EXT_DATA: Final = MessageFlag.EXT_DATA.value
_message_flag: Final = cache(MessageFlag)  # 256 values at most


@clause("BU-13")
@cache
def node_flag(bits: int) -> NodeFlag:
    """The flags of a 16-bit field, which is quicker to look up than to construct.

    Counterpart: `clusterProcessGossipSection`.
    """
    return NodeFlag(bits)


class ReportedState(IntEnum):
    """What the sender thinks of its cluster (`CLUSTER_OK`, `CLUSTER_FAIL`)."""

    OK = 0
    FAIL = 1


@attrs.frozen(kw_only=True, cache_hash=True)
class BusHeader:
    """The full header (`clusterMsg`) without what follows from the message: sig, totlen, type.

    `count` and `extensions` follow from the body of a PING, PONG or MEET too; the two fields
    here keep what other messages carry in their place, which is 0 from every server.
    """

    sender: NodeId
    replicaof: NodeId | None = None  # None: all NUL, the sender is a master
    current_epoch: Epoch
    config_epoch: Epoch
    offset: int = 0  # replication offset, bytes
    slots: SlotSet = NO_SLOTS  # of the sender, or of its master if it is a replica
    myip: str = ""  # empty: take the address the connection comes from
    port: int
    pport: int = 0  # the other client port: TLS if `port` is plain, plain if it is TLS
    cport: int
    flags: NodeFlag = NO_NODE_FLAGS
    state: int = ReportedState.OK  # a ReportedState, or what else the byte holds
    mflags: MessageFlag = NO_MESSAGE_FLAGS
    ver: int = PROTOCOL_VERSION
    unused_count: int = 0  # `count` of a message without gossip
    unused_extensions: int = 0  # `extensions` of a message without EXT_DATA, or without gossip
    myip_residue: bytes = b""  # after the NUL that ends myip
    reserved: bytes = b""  # 30 bytes, or empty for the usual zeros
    mflags_unused: bytes = b""  # 2 bytes, or empty for the usual zeros


@attrs.frozen(kw_only=True)
class LightHeader:
    """The light header (`clusterMsgLight`): the link says who the sender is."""

    ver: int = PROTOCOL_VERSION
    reserved1: int = 0
    reserved2: int = 0


@attrs.frozen
class Envelope:
    """A full header as read, with the three fields that the body is read by."""

    header: BusHeader  # its unused_count and unused_extensions are those of the bytes
    type: int
    count: int
    extensions: int


@clause("BU-5", "BU-6", "BU-13", "BU-14")
def read_header(data: bytes | memoryview, *, heartbeat: bool) -> Envelope:
    """The full header at the start of at least 2256 bytes.

    A heartbeat is a PING, PONG or MEET: its counts belong to the body, except that the number of
    extensions stays in the header where EXT_DATA does not say that there are any.
    Counterpart: `clusterProcessPacket`.
    """
    _sig, _totlen, ver, port, message_type, count = _FIRST.unpack_from(data)
    (extensions,) = _EXTENSIONS.unpack_from(data, _EXTENSIONS_AT)
    counted = heartbeat and data[_MFLAGS_AT] & _EXT_DATA
    header = _read_fields(
        bytes(data[_FIRST.size : _EXTENSIONS_AT]),
        bytes(data[_EXTENSIONS_AT + _EXTENSIONS.size : HEADER_LAYOUT.size]),
        ver,
        port,
        0 if heartbeat else count,
        0 if counted else extensions,
    )
    return Envelope(header, message_type, count if heartbeat else 0, extensions if counted else 0)


@lru_cache(maxsize=1024)
def _read_fields(
    before: bytes, behind: bytes, ver: int, port: int, unused_count: int, unused_extensions: int
) -> BusHeader:
    """The header with these bytes before its number of extensions and behind it.

    What a node says of itself rarely changes, so that equal bytes mostly give the same object.
    """
    current_epoch, config_epoch, offset, sender, myslots, replicaof, myip = _BEFORE.unpack(before)
    reserved, pport, cport, flags, state, mflags, mflags_unused = _BEHIND.unpack(behind)
    address, residue = unpack_text(myip)
    return BusHeader(
        sender=NodeId(unpack_name(sender)),
        replicaof=None if replicaof == _NO_NAME else NodeId(unpack_name(replicaof)),
        current_epoch=current_epoch,
        config_epoch=config_epoch,
        offset=offset,
        slots=unpack_slots(myslots),
        myip=address,
        port=port,
        pport=pport,
        cport=cport,
        flags=node_flag(flags),
        state=state,
        mflags=_message_flag(mflags),
        ver=ver,
        unused_count=unused_count,
        unused_extensions=unused_extensions,
        myip_residue=residue,
        reserved=b"" if reserved == _NO_RESERVED else reserved,
        mflags_unused=b"" if mflags_unused == _NO_MFLAGS else mflags_unused,
    )


@clause("BU-5", "BU-6", "BU-18")
def write_header(
    header: BusHeader, message_type: int, body_length: int, count: int, extensions: int
) -> bytes:
    """The 2256 bytes of the header of a message with a body of so many bytes.

    ValueError or struct.error if a field does not fit. Counterpart: `clusterBuildMessageHdr`.
    """
    before, behind = _write_fields(header)
    length = HEADER_LAYOUT.size + body_length
    first = _FIRST.pack(SIGNATURE, length, header.ver, header.port, message_type, count)
    return b"".join((first, before, _EXTENSIONS.pack(extensions), behind))


@lru_cache(maxsize=1024)
def _write_fields(header: BusHeader) -> tuple[bytes, bytes]:
    """The bytes before the number of extensions and behind it, as `_read_fields` takes them."""
    if len(header.reserved) not in {0, len(_NO_RESERVED)}:
        raise ValueError(f"reserved has 30 bytes or none, not {len(header.reserved)}")
    if len(header.mflags_unused) not in {0, len(_NO_MFLAGS)}:
        raise ValueError(f"mflags_unused has 2 bytes or none, not {len(header.mflags_unused)}")
    before = _BEFORE.pack(
        header.current_epoch,
        header.config_epoch,
        header.offset,
        pack_name(header.sender),
        pack_slots(header.slots),
        _NO_NAME if header.replicaof is None else pack_name(header.replicaof),
        pack_text(header.myip, header.myip_residue, IP_LENGTH),
    )
    behind = _BEHIND.pack(
        header.reserved or _NO_RESERVED,
        header.pport,
        header.cport,
        header.flags,
        header.state,
        header.mflags,
        header.mflags_unused or _NO_MFLAGS,
    )
    return before, behind


@clause("BU-7")
def read_light_header(data: bytes | memoryview) -> tuple[LightHeader, int]:
    """The light header at the start of at least 16 bytes, and the type without its LIGHT bit.

    Counterpart: `clusterIsValidPacket`.
    """
    _sig, _totlen, ver, reserved1, message_type, reserved2 = LIGHT_HEADER_LAYOUT.struct.unpack_from(
        data
    )
    header = LightHeader(ver=ver, reserved1=reserved1, reserved2=reserved2)
    return header, message_type & ~LIGHT


@clause("BU-7")
def write_light_header(header: LightHeader, message_type: int, body_length: int) -> bytes:
    """The 16 bytes of the light header of a message with a body of so many bytes.

    struct.error if a field does not fit. Counterpart: `createClusterMsgSendBlock`.
    """
    return LIGHT_HEADER_LAYOUT.struct.pack(
        SIGNATURE,
        LIGHT_HEADER_LAYOUT.size + body_length,
        header.ver,
        header.reserved1,
        message_type | LIGHT,
        header.reserved2,
    )

"""Between the messages of the rules and those of the wire, with what only the wire carries."""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core import messages as core
from reference.core.types import Address, Health, NodeId, Role
from reference.runtime.options import LOOPBACK
from reference.wire.bus import (
    BusMessage,
    FailMessage,
    FailoverAuthAckMessage,
    FailoverAuthRequestMessage,
    Heartbeat,
    MeetMessage,
    PingMessage,
    PongMessage,
    UpdateMessage,
)
from reference.wire.bus_extensions import ShardIdExtension
from reference.wire.bus_gossip import GossipEntry
from reference.wire.bus_header import (
    NO_MESSAGE_FLAGS,
    BusHeader,
    LightHeader,
    MessageFlag,
    NodeFlag,
    ReportedState,
)

_HEALTH_FLAGS: Final = {
    Health.OK: NodeFlag(0),
    Health.PFAIL: NodeFlag.PFAIL,
    Health.FAIL: NodeFlag.FAIL,
}
_ROLE_FLAGS: Final = {
    Role.MASTER: NodeFlag.MASTER,
    Role.REPLICA: NodeFlag.SLAVE,
    Role.UNKNOWN: NodeFlag(0),
}
_NOWHERE: Final = Address(ip="", port=0, cport=0)
_ID: Final = re.compile(r"[0-9a-z]{40}")


@attrs.frozen(kw_only=True)
class WireFacts:
    """What the wire carries beside the rules' messages."""

    announced_ip: str = ""  # empty: peers take the address they see
    shards: bool  # the dialect has ping extensions, and says so
    cluster_ok: bool
    repl_offset: int = 0  # bytes
    heard: Callable[[NodeId], tuple[int, int]]  # ping_sent and pong_received, seconds since 1970


def to_wire(message: core.Message, facts: WireFacts, *, extended: bool) -> BusMessage:
    """The message as it goes out; with ping extensions only if the receiver knows them.

    Counterpart: `clusterBuildMessageHdr`, `clusterSendPing`.
    """
    header = _header(message, facts)
    match message:
        case core.Ping() | core.Pong() | core.Meet():
            return _heartbeat(message, header, facts, extended=extended)
        case core.Fail():
            return FailMessage(header=header, nodename=message.subject)
        case core.FailoverAuthRequest():
            return FailoverAuthRequestMessage(header=header)
        case core.FailoverAuthAck():
            return FailoverAuthAckMessage(header=header)
        case core.Update():
            return UpdateMessage(
                header=header,
                config_epoch=message.config_epoch,
                nodename=message.subject,
                slots=message.slots,
            )


def _header(message: core.Message, facts: WireFacts) -> BusHeader:
    said = message.header
    address = said.address or _NOWHERE
    role = Role.MASTER if said.replicaof is None else Role.REPLICA
    flags = NodeFlag.MYSELF | _ROLE_FLAGS[role]
    if said.nofailover:
        flags |= NodeFlag.NOFAILOVER
    if facts.shards:
        flags |= NodeFlag.EXTENSIONS_SUPPORTED
    mflags = NO_MESSAGE_FLAGS
    if isinstance(message, core.Ping | core.Pong | core.Meet) and facts.shards:
        mflags |= MessageFlag.EXT_DATA
    if isinstance(message, core.FailoverAuthRequest) and message.force_ack:
        mflags |= MessageFlag.FORCEACK
    return BusHeader(
        sender=said.sender,
        replicaof=said.replicaof,
        current_epoch=said.current_epoch,
        config_epoch=said.config_epoch,
        offset=facts.repl_offset,
        slots=said.slots,
        myip=facts.announced_ip,
        port=address.port,
        cport=address.cport,
        flags=flags,
        state=ReportedState.OK if facts.cluster_ok else ReportedState.FAIL,
        mflags=mflags,
    )


def _heartbeat(
    message: core.Heartbeat, header: BusHeader, facts: WireFacts, *, extended: bool
) -> BusMessage:
    shard_id = message.header.shard_id
    extensions = (ShardIdExtension(shard_id=shard_id),) if extended and shard_id else ()
    gossip = tuple(_gossip_entry(entry, facts) for entry in message.gossip)
    match message:
        case core.Ping():
            return PingMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Pong():
            return PongMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Meet():
            return MeetMessage(header=header, gossip=gossip, extensions=extensions)


def _gossip_entry(entry: core.Gossip, facts: WireFacts) -> GossipEntry:
    address = entry.address or _NOWHERE
    flags = _ROLE_FLAGS[entry.role] | _HEALTH_FLAGS[entry.health]
    if entry.noaddr:
        flags |= NodeFlag.NOADDR
    ping_sent, pong_received = facts.heard(entry.node_id)
    return GossipEntry(
        nodename=entry.node_id,
        ping_sent=ping_sent,
        pong_received=pong_received,
        ip=address.ip,
        port=address.port,
        cport=address.cport,
        flags=flags,
    )


@clause("RT-7")
def why_unusable(message: BusMessage) -> str | None:
    """What in a well-formed message no node can mean, None if all can be taken as it is.

    Names and addresses are kept in nodes.conf and dialled, so that they have to be names and
    addresses.
    """
    header = message.header
    if isinstance(header, LightHeader):
        return None
    names: list[str] = [header.sender, *([header.replicaof] if header.replicaof else [])]
    if isinstance(message, Heartbeat):
        names += [entry.nodename for entry in message.gossip]
        names += [e.shard_id for e in message.extensions if isinstance(e, ShardIdExtension)]
    for name in names:
        if not _ID.fullmatch(name):
            return f"{name!r} is no node id"
    addresses = [entry.ip for entry in message.gossip] if isinstance(message, Heartbeat) else []
    for ip in [header.myip, *addresses]:
        if not _is_ip(ip):
            return f"{ip!r} is no address"
    return None


@lru_cache(maxsize=4096)
def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text or LOOPBACK)
    except ValueError:
        return False
    return True


def from_wire(message: BusMessage) -> core.Message | None:
    """What the rules see of the message, None if they have nothing to do with it.

    Counterpart: `clusterProcessPacket`.
    """
    match message:
        case PingMessage():
            return core.Ping(header=_announced(message), gossip=_told(message))
        case PongMessage():
            return core.Pong(header=_announced(message), gossip=_told(message))
        case MeetMessage():
            return core.Meet(header=_announced(message), gossip=_told(message))
        case FailMessage():
            return core.Fail(header=_said(message.header), subject=message.nodename)
        case FailoverAuthRequestMessage():
            force_ack = MessageFlag.FORCEACK in message.header.mflags
            return core.FailoverAuthRequest(header=_said(message.header), force_ack=force_ack)
        case FailoverAuthAckMessage():
            return core.FailoverAuthAck(header=_said(message.header))
        case UpdateMessage():
            return core.Update(
                header=_said(message.header),
                subject=message.nodename,
                config_epoch=message.config_epoch,
                slots=message.slots,
            )
        case _:
            return None


def _said(header: BusHeader) -> core.Header:
    return core.Header(
        sender=header.sender,
        replicaof=header.replicaof,
        current_epoch=header.current_epoch,
        config_epoch=header.config_epoch,
        slots=header.slots,
        address=Address(ip=header.myip, port=header.port, cport=header.cport),
        nofailover=NodeFlag.NOFAILOVER in header.flags,
    )


def _announced(message: Heartbeat) -> core.Header:
    said = _said(message.header)
    shards = [ext.shard_id for ext in message.extensions if isinstance(ext, ShardIdExtension)]
    return attrs.evolve(said, shard_id=shards[-1]) if shards else said


def _told(message: Heartbeat) -> tuple[core.Gossip, ...]:
    return tuple(_told_of(entry) for entry in message.gossip)


def _told_of(entry: GossipEntry) -> core.Gossip:
    return core.Gossip(
        node_id=entry.nodename,
        health=health_of(entry.flags),
        role=_role(entry.flags),
        address=Address(ip=entry.ip, port=entry.port, cport=entry.cport),
        noaddr=NodeFlag.NOADDR in entry.flags,
    )


def _role(flags: NodeFlag) -> Role:
    if NodeFlag.SLAVE in flags:
        return Role.REPLICA
    return Role.MASTER if NodeFlag.MASTER in flags else Role.UNKNOWN


def health_of(flags: NodeFlag) -> Health:
    """What the flags say of a node's health."""
    if NodeFlag.FAIL in flags:
        return Health.FAIL
    return Health.PFAIL if NodeFlag.PFAIL in flags else Health.OK


@clause("RT-5")
def knows_extensions(header: BusHeader) -> bool:
    """Whether the sender understands ping extensions; Redis 7.0 sends neither flag."""
    advert = MessageFlag.EXT_DATA in header.mflags
    return advert or NodeFlag.EXTENSIONS_SUPPORTED in header.flags

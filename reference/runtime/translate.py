"""Between the messages of the rules and those of the wire, with what only the wire carries."""

import ipaddress
import re
from collections.abc import Callable, Container
from functools import lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core import messages as core
from reference.core.types import Address, Health, NodeId, Role
from reference.runtime.options import LOOPBACK
from reference.wire.announced import NOTHING_ANNOUNCED, Announced, to_extensions
from reference.wire.bus import (
    BusMessage,
    FailMessage,
    FailoverAuthAckMessage,
    FailoverAuthRequestMessage,
    Heartbeat,
    MeetMessage,
    MfstartMessage,
    PingMessage,
    PongMessage,
    UpdateMessage,
)
from reference.wire.bus_extensions import (
    ForgottenNodeExtension,
    PingExtension,
    ShardIdExtension,
)
from reference.wire.bus_gossip import GossipEntry
from reference.wire.bus_header import (
    NO_MESSAGE_FLAGS,
    BusHeader,
    LightHeader,
    MessageFlag,
    NodeFlag,
    ReportedState,
)
from reference.wire.dialects import WireDialect

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
    announced: Announced = NOTHING_ANNOUNCED
    dialect: WireDialect
    speaks_up: bool = True  # nodes of the dialect say that they understand ping extensions
    secret: bytes = b""  # where the dialect has one
    cluster_ok: bool
    repl_offset: int = 0  # bytes
    migrate_to: Container[NodeId] = ()  # nodes that a replica may move to
    heard: Callable[[NodeId], tuple[int, int]]  # ping_sent and pong_received, seconds since 1970
    forgotten_s: Callable[[NodeId], int] = lambda _: 0  # for how long it is not to be added again


def to_wire(message: core.Message, facts: WireFacts, *, extended: bool) -> BusMessage:
    """The message as it goes out; with ping extensions only if the receiver knows them.

    Counterpart: `clusterBuildMessageHdr`, `clusterSendPing`.
    """
    header = _header(message, facts, extended=extended)
    match message:
        case core.Ping() | core.Pong() | core.Meet():
            return _heartbeat(message, header, facts, extended=extended)
        case core.Fail():
            return FailMessage(header=header, nodename=message.subject)
        case core.FailoverAuthRequest():
            return FailoverAuthRequestMessage(header=header)
        case core.FailoverAuthAck():
            return FailoverAuthAckMessage(header=header)
        case core.ManualFailoverStart():
            return MfstartMessage(header=header)
        case core.Update():
            return UpdateMessage(
                header=header,
                config_epoch=message.config_epoch,
                nodename=message.subject,
                slots=message.slots,
            )


def _flags(said: core.Header, facts: WireFacts) -> NodeFlag:
    flags = NodeFlag.MYSELF | _ROLE_FLAGS[Role.MASTER if said.replicaof is None else Role.REPLICA]
    if said.nofailover:
        flags |= NodeFlag.NOFAILOVER
    if said.sender in facts.migrate_to:
        flags |= NodeFlag.MIGRATE_TO
    if said.my_master_failed:
        flags |= NodeFlag.MY_PRIMARY_FAIL
    if facts.speaks_up:
        flags |= NodeFlag.EXTENSIONS_SUPPORTED
    if facts.dialect.light_headers:
        flags |= NodeFlag.LIGHT_HDR_PUBLISH_SUPPORTED | NodeFlag.LIGHT_HDR_MODULE_SUPPORTED
    return flags


@clause("RT-22")
def _header(message: core.Message, facts: WireFacts, *, extended: bool) -> BusHeader:
    """The header; what it says of one message comes with it. Counterpart: `clusterSendPing`."""
    mflags = NO_MESSAGE_FLAGS
    if isinstance(message, core.Ping | core.Pong | core.Meet):
        has_extensions = extended and bool(_extensions(message, facts))
        if facts.speaks_up or has_extensions:
            mflags |= MessageFlag.EXT_DATA
    if isinstance(message, core.FailoverAuthRequest) and message.force_ack:
        mflags |= MessageFlag.FORCEACK
    return plain_header(message.header, facts, mflags)


@clause("RT-22")
def plain_header(
    said: core.Header, facts: WireFacts, mflags: MessageFlag = NO_MESSAGE_FLAGS
) -> BusHeader:
    """The header of a message of which it says nothing else.

    Counterpart: `clusterBuildMessageHdr`.
    """
    address = said.address or _NOWHERE
    if said.paused:
        mflags |= MessageFlag.PAUSED
    return BusHeader(
        sender=said.sender,
        replicaof=said.replicaof,
        current_epoch=said.current_epoch,
        config_epoch=said.config_epoch,
        offset=facts.repl_offset,
        slots=said.slots,
        myip=facts.announced_ip,
        port=address.port,
        pport=address.pport,
        cport=address.cport,
        flags=_flags(said, facts),
        state=ReportedState.OK if facts.cluster_ok else ReportedState.FAIL,
        mflags=mflags,
    )


def _heartbeat(
    message: core.Heartbeat, header: BusHeader, facts: WireFacts, *, extended: bool
) -> BusMessage:
    extensions = _extensions(message, facts) if extended else ()
    gossip = tuple(_gossip_entry(entry, facts) for entry in message.gossip)
    match message:
        case core.Ping():
            return PingMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Pong():
            return PongMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Meet():
            return MeetMessage(header=header, gossip=gossip, extensions=extensions)


def _extensions(message: core.Heartbeat, facts: WireFacts) -> tuple[PingExtension, ...]:
    return to_extensions(
        attrs.evolve(facts.announced, shard_id=message.header.shard_id),
        facts.dialect.extensions,
        forgotten=[(node, facts.forgotten_s(node)) for node in sorted(message.forgotten)],
        internal_secret=facts.secret,
    )


def _gossip_entry(entry: core.Gossip, facts: WireFacts) -> GossipEntry:
    address = entry.address or _NOWHERE
    flags = _ROLE_FLAGS[entry.role] | _HEALTH_FLAGS[entry.health]
    if entry.noaddr:
        flags |= NodeFlag.NOADDR
    if entry.node_id in facts.migrate_to:
        flags |= NodeFlag.MIGRATE_TO
    ping_sent, pong_received = facts.heard(entry.node_id)
    return GossipEntry(
        nodename=entry.node_id,
        ping_sent=ping_sent,
        pong_received=pong_received,
        ip=address.ip,
        port=address.port,
        pport=address.pport,
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
        names += [e.name for e in message.extensions if isinstance(e, ForgottenNodeExtension)]
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
            return _heard(core.Ping, message)
        case PongMessage():
            return _heard(core.Pong, message)
        case MeetMessage():
            return _heard(core.Meet, message)
        case FailMessage():
            return core.Fail(header=_said(message.header), subject=message.nodename)
        case FailoverAuthRequestMessage():
            force_ack = MessageFlag.FORCEACK in message.header.mflags
            return core.FailoverAuthRequest(header=_said(message.header), force_ack=force_ack)
        case FailoverAuthAckMessage():
            return core.FailoverAuthAck(header=_said(message.header))
        case MfstartMessage():
            return core.ManualFailoverStart(header=_said(message.header))
        case UpdateMessage():
            return core.Update(
                header=_said(message.header),
                subject=message.nodename,
                config_epoch=message.config_epoch,
                slots=message.slots,
            )
        case _:
            return None


def _heard(
    kind: type[core.Ping] | type[core.Pong] | type[core.Meet], message: Heartbeat
) -> core.Message:
    forgotten = [e.name for e in message.extensions if isinstance(e, ForgottenNodeExtension)]
    return kind(header=_announced(message), gossip=_told(message), forgotten=frozenset(forgotten))


@clause("RT-22")
def _said(header: BusHeader) -> core.Header:
    return core.Header(
        sender=header.sender,
        replicaof=header.replicaof,
        current_epoch=header.current_epoch,
        config_epoch=header.config_epoch,
        slots=header.slots,
        address=Address(ip=header.myip, port=header.port, cport=header.cport, pport=header.pport),
        nofailover=NodeFlag.NOFAILOVER in header.flags,
        paused=MessageFlag.PAUSED in header.mflags,
        my_master_failed=NodeFlag.MY_PRIMARY_FAIL in header.flags,
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
        address=Address(ip=entry.ip, port=entry.port, cport=entry.cport, pport=entry.pport),
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

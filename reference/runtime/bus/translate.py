"""Between the messages of the rules and those of the wire, with what only the wire carries."""

import ipaddress
import re
from collections.abc import Callable, Container
from functools import lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core import messages as core
from reference.core.types import Address, Health, NodeId, Role, ShardId
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
from reference.wire.dialects import WireDialect, wire_dialect

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
_REMEMBERED: Final = 8192
"""Of what is said again and again, so much is not translated anew."""


@attrs.frozen(kw_only=True, slots=False)
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


@lru_cache(maxsize=128)  # as many as there are
def _flags(
    role: Role,
    *,
    nofailover: bool,
    migrate_to: bool,
    my_master_failed: bool,
    speaks_up: bool,
    light_headers: bool,
) -> NodeFlag:
    flags = NodeFlag.MYSELF | _ROLE_FLAGS[role]
    if nofailover:
        flags |= NodeFlag.NOFAILOVER
    if migrate_to:
        flags |= NodeFlag.MIGRATE_TO
    if my_master_failed:
        flags |= NodeFlag.MY_PRIMARY_FAIL
    if speaks_up:
        flags |= NodeFlag.EXTENSIONS_SUPPORTED
    if light_headers:
        flags |= NodeFlag.LIGHT_HDR_PUBLISH_SUPPORTED | NodeFlag.LIGHT_HDR_MODULE_SUPPORTED
    return flags


@clause("RT-22")
def _header(message: core.Message, facts: WireFacts, *, extended: bool) -> BusHeader:
    """The header; what it says of one message comes with it. Counterpart: `clusterSendPing`."""
    mflags = NO_MESSAGE_FLAGS
    if isinstance(message, core.Heartbeat) and (
        facts.speaks_up or (extended and _extensions(message, facts))
    ):
        mflags = MessageFlag.EXT_DATA
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
    if said.paused:
        mflags |= MessageFlag.PAUSED
    flags = _flags(
        Role.MASTER if said.replicaof is None else Role.REPLICA,
        nofailover=said.nofailover,
        migrate_to=said.sender in facts.migrate_to,
        my_master_failed=said.my_master_failed,
        speaks_up=facts.speaks_up,
        light_headers=facts.dialect.light_headers,
    )
    state = ReportedState.OK if facts.cluster_ok else ReportedState.FAIL
    return _bus_header(said, facts.repl_offset, facts.announced_ip, flags, state, mflags)


@lru_cache(maxsize=1024)
def _bus_header(
    said: core.Header,
    repl_offset: int,
    announced_ip: str,
    flags: NodeFlag,
    state: ReportedState,
    mflags: MessageFlag,
) -> BusHeader:
    """The header that says it, mostly the same object as for the message before."""
    address = said.address or _NOWHERE
    return BusHeader(
        sender=said.sender,
        replicaof=said.replicaof,
        current_epoch=said.current_epoch,
        config_epoch=said.config_epoch,
        offset=repl_offset,
        slots=said.slots,
        myip=announced_ip,
        port=address.port,
        pport=address.pport,
        cport=address.cport,
        flags=flags,
        state=state,
        mflags=mflags,
    )


def _heartbeat(
    message: core.Heartbeat, header: BusHeader, facts: WireFacts, *, extended: bool
) -> BusMessage:
    extensions = _extensions(message, facts) if extended else ()
    gossip = tuple([_gossip_entry(entry, facts) for entry in message.gossip])
    match message:
        case core.Ping():
            return PingMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Pong():
            return PongMessage(header=header, gossip=gossip, extensions=extensions)
        case core.Meet():
            return MeetMessage(header=header, gossip=gossip, extensions=extensions)


def _extensions(message: core.Heartbeat, facts: WireFacts) -> tuple[PingExtension, ...]:
    forgotten: tuple[tuple[NodeId, int], ...] = ()
    if message.forgotten:
        forgotten = tuple((node, facts.forgotten_s(node)) for node in sorted(message.forgotten))
    shard_id = message.header.shard_id
    return _said_beside(facts.announced, shard_id, facts.secret, facts.dialect.name, forgotten)


@lru_cache(maxsize=256)
def _said_beside(
    announced: Announced,
    shard_id: ShardId | None,
    secret: bytes,
    dialect: str,
    forgotten: tuple[tuple[NodeId, int], ...],
) -> tuple[PingExtension, ...]:
    return to_extensions(
        attrs.evolve(announced, shard_id=shard_id),
        wire_dialect(dialect).extensions,
        forgotten=forgotten,
        internal_secret=secret,
    )


def _gossip_entry(entry: core.Gossip, facts: WireFacts) -> GossipEntry:
    ping_sent, pong_received = facts.heard(entry.node_id)
    return _entry_of(entry, ping_sent, pong_received, entry.node_id in facts.migrate_to)


@lru_cache(maxsize=_REMEMBERED)
def _entry_of(
    entry: core.Gossip,
    ping_sent: int,
    pong_received: int,
    migrate_to: bool,  # noqa: FBT001 - names would make each of many calls slower
) -> GossipEntry:
    address = entry.address or _NOWHERE
    flags = _ROLE_FLAGS[entry.role] | _HEALTH_FLAGS[entry.health]
    if entry.noaddr:
        flags |= NodeFlag.NOADDR
    if migrate_to:
        flags |= NodeFlag.MIGRATE_TO
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
    reason = _why_unusable_header(header)
    if reason is not None or not isinstance(message, Heartbeat):
        return reason
    for entry in message.gossip:
        reason = _why_unusable_entry(entry)
        if reason is not None:
            return reason
    for said in message.extensions:
        if isinstance(said, ShardIdExtension) and not _is_id(said.shard_id):
            return f"{said.shard_id!r} is no node id"
        if isinstance(said, ForgottenNodeExtension) and not _is_id(said.name):
            return f"{said.name!r} is no node id"
    return None


@lru_cache(maxsize=1024)
def _why_unusable_header(header: BusHeader) -> str | None:
    return _why_unusable(header.sender, header.myip) or (
        _why_unusable(header.replicaof, "") if header.replicaof else None
    )


@lru_cache(maxsize=_REMEMBERED)
def _why_unusable_entry(entry: GossipEntry) -> str | None:
    return _why_unusable(entry.nodename, entry.ip)


def _why_unusable(name: str, ip: str) -> str | None:
    if not _is_id(name):
        return f"{name!r} is no node id"
    return None if _is_ip(ip) else f"{ip!r} is no address"


@lru_cache(maxsize=_REMEMBERED)
def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


@lru_cache(maxsize=_REMEMBERED)
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
    shard_id, forgotten = _said_of_ids(message.extensions)
    said = message.header
    header = _said(said) if shard_id is None else _said_in_shard(said, shard_id)
    return kind(header=header, gossip=_told(message), forgotten=forgotten)


@lru_cache(maxsize=1024)
def _said_of_ids(
    extensions: tuple[PingExtension, ...],
) -> tuple[ShardId | None, frozenset[NodeId]]:
    """The shard that the extensions tell, and the nodes that are to be forgotten."""
    shards = [said.shard_id for said in extensions if isinstance(said, ShardIdExtension)]
    forgotten = [said.name for said in extensions if isinstance(said, ForgottenNodeExtension)]
    return (shards[-1] if shards else None), frozenset(forgotten)


@clause("RT-22")
@lru_cache(maxsize=1024)
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


@lru_cache(maxsize=1024)
def _said_in_shard(header: BusHeader, shard_id: ShardId) -> core.Header:
    return attrs.evolve(_said(header), shard_id=shard_id)


def _told(message: Heartbeat) -> tuple[core.Gossip, ...]:
    return tuple([_told_of(entry) for entry in message.gossip])


@lru_cache(maxsize=_REMEMBERED)
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

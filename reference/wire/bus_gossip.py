"""The gossip section of PING, PONG and MEET: what the sender knows of other nodes."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.types import NodeId
from reference.wire.bus_header import NO_NODE_FLAGS, NodeFlag, node_flag
from reference.wire.layout import IP_LENGTH, Layout, pack_name, pack_text, unpack_name, unpack_text

GOSSIP_LAYOUT: Final = Layout(
    ("nodename", "40s"),
    ("ping_sent", "I"),
    ("pong_received", "I"),
    ("ip", "46s"),
    ("port", "H"),
    ("cport", "H"),
    ("flags", "H"),
    ("pport", "H"),
    ("reserved", "H"),
)


_REMEMBERED: Final = 8192
"""Entries whose bytes are remembered: what all nodes say of all others in about a second."""


@attrs.frozen(kw_only=True, cache_hash=True)
class GossipEntry:
    """What the sender says of one other node (`clusterMsgDataGossip`)."""

    nodename: NodeId
    ping_sent: int = 0  # seconds since 1970; 0: no ping is in flight
    pong_received: int = 0  # seconds since 1970; 0: never
    ip: str  # empty: unknown
    port: int
    cport: int
    flags: NodeFlag = NO_NODE_FLAGS
    pport: int = 0
    reserved: int = 0
    ip_residue: bytes = b""  # after the NUL that ends ip

    @cached_property
    def encoded(self) -> bytes:
        """Its 104 bytes; ValueError or struct.error if a field does not fit."""
        return GOSSIP_LAYOUT.struct.pack(
            pack_name(self.nodename),
            self.ping_sent,
            self.pong_received,
            pack_text(self.ip, self.ip_residue, IP_LENGTH),
            self.port,
            self.cport,
            self.flags,
            self.pport,
            self.reserved,
        )


@clause("BU-12", "BU-13")
def read_gossip(section: bytes | memoryview) -> tuple[GossipEntry, ...]:
    """The entries of a section whose length is a multiple of 104 bytes.

    Counterpart: `clusterProcessGossipSection`.
    """
    raw, size = bytes(section), GOSSIP_LAYOUT.size
    return tuple([_read_entry(raw[at : at + size]) for at in range(0, len(raw), size)])


@lru_cache(maxsize=_REMEMBERED)
def _read_entry(raw: bytes) -> GossipEntry:
    """The entry; many nodes say the same of one within a second, which is when times change."""
    row = GOSSIP_LAYOUT.struct.unpack(raw)
    name, ping_sent, pong_received, ip, port, cport, flags, pport, reserved = row
    address, residue = unpack_text(ip)
    return GossipEntry(
        nodename=NodeId(unpack_name(name)),
        ping_sent=ping_sent,
        pong_received=pong_received,
        ip=address,
        port=port,
        cport=cport,
        flags=node_flag(flags),
        pport=pport,
        reserved=reserved,
        ip_residue=residue,
    )


@clause("BU-12", "BU-18")
def write_gossip(entries: Iterable[GossipEntry]) -> bytes:
    """The entries, 104 bytes each; ValueError or struct.error if a field does not fit.

    Counterpart: `clusterSetGossipEntry`.
    """
    return b"".join([entry.encoded for entry in entries])

"""The names of things that every rule uses: node ids, addresses, epochs, health."""

from enum import Enum
from typing import Final, NewType

import attrs

NodeId = NewType("NodeId", str)
"""40 lower-case hex digits on the wire; models use short names. Compared as text, as servers do."""

ShardId = NewType("ShardId", str)
"""40 lower-case hex digits, the same for a master and its replicas (dialects with shards)."""

Epoch = int
"""An unsigned 64-bit number; 0 is "none yet"."""

SLOT_COUNT: Final = 16384
"""Slots of a real cluster. Models own fewer; the rules never look at the number."""


class Health(Enum):
    """What a node thinks of another (the PFAIL and FAIL bits of `clusterNode.flags`)."""

    OK = "ok"
    PFAIL = "pfail"
    FAIL = "fail"


class Link(Enum):
    """On which of the two connections of a pair a message arrived (`clusterLink.inbound`)."""

    OUTBOUND = "outbound"  # the receiver dialled it
    INBOUND = "inbound"  # the sender dialled it


@attrs.frozen(kw_only=True, cache_hash=True)
class Address:
    """Where a node is reached; the rules only store and compare it."""

    ip: str
    port: int  # clients
    cport: int  # the bus
    pport: int = 0  # clients of the other kind, with TLS if `port` is without; 0: none known


class Role(Enum):
    """What a node is in another's table (the MASTER and SLAVE bits of `clusterNode.flags`)."""

    MASTER = "master"
    REPLICA = "replica"
    UNKNOWN = "unknown"  # before its first PONG

"""The messages of the cluster bus, as the rules see them: no bytes, no times, no offsets."""

import attrs

from reference.core.slots import SlotSet
from reference.core.types import Address, Epoch, Health, NodeId, Role, ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class Header:
    """What every message says of its sender (the fixed part of `clusterMsg`).

    A replica announces the slots and the configEpoch of its master.
    """

    sender: NodeId
    replicaof: NodeId | None  # None: it is a master
    current_epoch: Epoch
    config_epoch: Epoch
    slots: SlotSet
    shard_id: ShardId | None = None
    address: Address | None = None
    nofailover: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class Gossip:
    """What a heartbeat's sender says of a third node (`clusterMsgDataGossip`)."""

    node_id: NodeId
    health: Health
    role: Role = Role.UNKNOWN
    address: Address | None = None
    noaddr: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class Ping:
    """CLUSTERMSG_TYPE_PING: asks for a PONG."""

    header: Header
    gossip: tuple[Gossip, ...] = ()


@attrs.frozen(kw_only=True, cache_hash=True)
class Pong:
    """CLUSTERMSG_TYPE_PONG: the answer to PING and MEET, or an announcement."""

    header: Header
    gossip: tuple[Gossip, ...] = ()


@attrs.frozen(kw_only=True, cache_hash=True)
class Meet:
    """CLUSTERMSG_TYPE_MEET: a PING that also asks to be taken into the node table."""

    header: Header
    gossip: tuple[Gossip, ...] = ()


@attrs.frozen(kw_only=True, cache_hash=True)
class Fail:
    """CLUSTERMSG_TYPE_FAIL: a majority found the subject failing."""

    header: Header
    subject: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class FailoverAuthRequest:
    """CLUSTERMSG_TYPE_FAILOVER_AUTH_REQUEST: the sender wants to fail over."""

    header: Header
    force_ack: bool = False  # vote even if the master does not look failed


@attrs.frozen(kw_only=True, cache_hash=True)
class FailoverAuthAck:
    """CLUSTERMSG_TYPE_FAILOVER_AUTH_ACK: the receiver has the vote of the sender."""

    header: Header


@attrs.frozen(kw_only=True, cache_hash=True)
class Update:
    """CLUSTERMSG_TYPE_UPDATE: the subject owns these slots with this configEpoch."""

    header: Header
    subject: NodeId
    config_epoch: Epoch
    slots: SlotSet


Heartbeat = Ping | Pong | Meet
Message = Ping | Pong | Meet | Fail | FailoverAuthRequest | FailoverAuthAck | Update

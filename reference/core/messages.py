"""The messages between nodes, as the rules see them: no bytes, no times, no offsets.

Those of the cluster bus, and at the end those of the channel of an atomic slot migration.
"""

from enum import Enum

import attrs

from reference.core.migration_jobs import JobName, MigrationOutcome
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
    paused: bool = False  # a master that waits for its replica to take over
    my_master_failed: bool = False  # a replica whose master is in FAIL


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
    forgotten: frozenset[NodeId] = frozenset()  # whom the sender was told to forget


@attrs.frozen(kw_only=True, cache_hash=True)
class Pong:
    """CLUSTERMSG_TYPE_PONG: the answer to PING and MEET, or an announcement."""

    header: Header
    gossip: tuple[Gossip, ...] = ()
    forgotten: frozenset[NodeId] = frozenset()  # whom the sender was told to forget


@attrs.frozen(kw_only=True, cache_hash=True)
class Meet:
    """CLUSTERMSG_TYPE_MEET: a PING that also asks to be taken into the node table."""

    header: Header
    gossip: tuple[Gossip, ...] = ()
    forgotten: frozenset[NodeId] = frozenset()  # whom the sender was told to forget


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


@attrs.frozen(kw_only=True, cache_hash=True)
class ManualFailoverStart:
    """CLUSTERMSG_TYPE_MFSTART: a replica asks its master to pause, so that it can take over."""

    header: Header


Heartbeat = Ping | Pong | Meet
Message = (
    Ping | Pong | Meet | Fail | FailoverAuthRequest | FailoverAuthAck | Update | ManualFailoverStart
)


class SyncSlotsCall(Enum):
    """What the two ends of an atomic slot migration say to each other once it is established."""

    ACK = "ACK"
    SNAPSHOT_EOF = "SNAPSHOT-EOF"
    REQUEST_PAUSE = "REQUEST-PAUSE"
    PAUSED = "PAUSED"
    REQUEST_FAILOVER = "REQUEST-FAILOVER"
    FAILOVER_GRANTED = "FAILOVER-GRANTED"


@attrs.frozen(kw_only=True, cache_hash=True)
class SyncSlotsEstablish:
    """CLUSTER SYNCSLOTS ESTABLISH: the source asks the target to import these slots."""

    name: JobName
    source: NodeId
    slots: SlotSet


@attrs.frozen(kw_only=True, cache_hash=True)
class SyncSlots:
    """CLUSTER SYNCSLOTS with one word; the connection says which job it is about."""

    name: JobName
    call: SyncSlotsCall


@attrs.frozen(kw_only=True, cache_hash=True)
class SyncSlotsFinish:
    """CLUSTER SYNCSLOTS FINISH: the target tells its replicas how the job ended."""

    name: JobName
    outcome: MigrationOutcome
    reason: str = ""


SyncSlotsMessage = SyncSlotsEstablish | SyncSlots | SyncSlotsFinish
"""What is said on a connection to a client port, and not on the bus."""

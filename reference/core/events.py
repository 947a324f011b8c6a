"""What can happen to a node. Everything that is not decided by the rules comes in here."""

from enum import Enum

import attrs

from reference.core.messages import Message, SyncSlots, SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_jobs import JobName
from reference.core.settings import Settings
from reference.core.slots import SlotSet
from reference.core.types import Address, Epoch, Link, NodeId, ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class Received:
    """A message arrived.

    `link_node` is the node the link belongs to, None if that is not known (an inbound link
    before its first message). `gossip_about` is whom the reply mentions besides the nodes in PFAIL.
    `voted_recently`: this node voted about the candidate's master less than 2 node timeouts ago.
    `newcomer`: this node has just started, and is a master that does not serve anybody yet.
    `new_id` is the name a node gets that is met for the first time.
    """

    message: Message
    link: Link = Link.OUTBOUND
    link_node: NodeId | None = None
    gossip_about: tuple[NodeId, ...] = ()
    voted_recently: bool = False
    newcomer: bool = False
    new_id: NodeId | None = None
    observed_ip: str | None = None  # the peer address of the connection
    sender_known_long: bool = False  # for longer than a handshake may take


@attrs.frozen(kw_only=True, cache_hash=True)
class HeartbeatDue:
    """It is time to PING (or MEET) this node."""

    peer: NodeId
    gossip_about: tuple[NodeId, ...] = ()


@attrs.frozen(kw_only=True, cache_hash=True)
class PongOverdue:
    """A PING to this node has been unanswered for the node timeout."""

    peer: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ReportExpired:
    """The reporter last said 2 node timeouts ago that the subject is failing."""

    subject: NodeId
    reporter: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class FailUndoAllowed:
    """The node answers again, and was marked FAIL more than 2 node timeouts ago."""

    peer: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ElectionDue:
    """The delay before standing for election is over."""

    data_too_old: bool = False  # the link to the master broke too long ago
    best_ranked: bool = False  # no other replica has more of the data, none goes first


@attrs.frozen(kw_only=True, cache_hash=True)
class ElectionExpired:
    """The votes did not come in time."""


@attrs.frozen(kw_only=True, cache_hash=True)
class HandshakeExpired:
    """A node that was met did not answer in time."""

    peer: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class MeetRepeated:
    """A node that is known has had no link to us for too long: it may not know us."""

    peer: NodeId
    gossip_about: tuple[NodeId, ...] = ()


@attrs.frozen(kw_only=True, cache_hash=True)
class BlacklistExpired:
    """The time is over for which a forgotten node is not learnt again."""

    node: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ManualFailoverOffsetReached:
    """The replica has all that its paused master has sent."""


@attrs.frozen(kw_only=True, cache_hash=True)
class ManualFailoverExpired:
    """The manual failover did not come about in time."""


@attrs.frozen(kw_only=True, cache_hash=True)
class ReplicaMigrationDue:
    """The master has been without a working replica for a while, and this node may be its next."""

    orphan: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class SettingsChanged:
    """An operator configured the node anew."""

    settings: Settings
    nofailover: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class DatasetLoaded:
    """The node has read its dataset at its start, which has keys in these slots."""

    slots: SlotSet


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterMeet:
    """CLUSTER MEET: greet the node at this address, called `new_id` until it says its name."""

    address: Address
    new_id: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterAddSlots:
    """CLUSTER ADDSLOTS and ADDSLOTSRANGE."""

    slots: SlotSet


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterReplicate:
    """CLUSTER REPLICATE; `holds_keys` says whether this node's dataset is not empty."""

    master: NodeId
    holds_keys: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSetConfigEpoch:
    """CLUSTER SET-CONFIG-EPOCH."""

    config_epoch: Epoch


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterReplicateNoOne:
    """CLUSTER REPLICATE NO ONE: the replica is an empty master in a shard of its own."""

    new_shard_id: ShardId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterDelSlots:
    """CLUSTER DELSLOTS and DELSLOTSRANGE."""

    slots: SlotSet


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterFlushSlots:
    """CLUSTER FLUSHSLOTS; `holds_keys` says whether this node's dataset is not empty."""

    holds_keys: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterForget:
    """CLUSTER FORGET."""

    node: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterReset:
    """CLUSTER RESET; HARD gives the node this new id, SOFT (None) leaves it the old one.

    `new_shard_id` is the shard it has afterwards, `holds_keys` whether its dataset is not empty.
    """

    new_id: NodeId | None = None
    new_shard_id: ShardId | None = None
    holds_keys: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterBumpEpoch:
    """CLUSTER BUMPEPOCH."""


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSaveConfig:
    """CLUSTER SAVECONFIG."""


class FailoverOption(Enum):
    """How much of a failover CLUSTER FAILOVER leaves out."""

    PLAIN = "the master pauses, the replica catches up, the masters vote"
    FORCE = "the masters vote"
    TAKEOVER = "nobody is asked"


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterFailover:
    """CLUSTER FAILOVER; `master_link_up` says whether the replica is connected to its master.

    If it came in the master's stream `named` is whom that wants to take over (REPLICAID).
    """

    option: FailoverOption = FailoverOption.PLAIN
    master_link_up: bool = True
    named: NodeId | None = None


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSetslotMigrating:
    """CLUSTER SETSLOT slot MIGRATING node."""

    slot: int
    node: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSetslotImporting:
    """CLUSTER SETSLOT slot IMPORTING node."""

    slot: int
    node: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSetslotStable:
    """CLUSTER SETSLOT slot STABLE."""

    slot: int


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterSetslotNode:
    """CLUSTER SETSLOT slot NODE node; `holds_keys` says whether this node has keys of the slot."""

    slot: int
    node: NodeId
    holds_keys: bool = False


ClusterSetslot = (
    ClusterSetslotMigrating | ClusterSetslotImporting | ClusterSetslotStable | ClusterSetslotNode
)


@attrs.frozen(kw_only=True, cache_hash=True)
class SetslotAcknowledged:
    """All working replicas have executed the command."""

    command: ClusterSetslot


@attrs.frozen(kw_only=True, cache_hash=True)
class SetslotFromMaster:
    """The master of this replica sent the command in its replication stream.

    Its `holds_keys` is about this node. A full copy of the data brings one for each open slot.
    """

    command: ClusterSetslot


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationRequest:
    """Slots that shall go to the target, and the name that the job gets."""

    slots: SlotSet
    target: NodeId
    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterMigrateSlots:
    """CLUSTER MIGRATESLOTS."""

    requests: tuple[MigrationRequest, ...]


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterCancelSlotMigrations:
    """CLUSTER CANCELSLOTMIGRATIONS."""


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationConnected:
    """The source has a connection to the target's client port, which took its password."""

    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationEstablished:
    """The target answered +OK to ESTABLISH."""

    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class SnapshotSent:
    """The keys of the job's slots are all on their way, and the commands after them follow."""

    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationCaughtUp:
    """So little of the command stream is still to be sent that the source may pause for it."""

    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationBroken:
    """The job cannot go on, for a reason that only the driver knows: it is shown to operators."""

    name: JobName
    reason: str


@attrs.frozen(kw_only=True, cache_hash=True)
class SyncSlotsReceived:
    """The other end of a job said this on the connection of that job."""

    message: SyncSlotsEstablish | SyncSlots


@attrs.frozen(kw_only=True, cache_hash=True)
class SyncSlotsFromMaster:
    """The master of this replica sent this in its replication stream.

    A full copy of the data brings an ESTABLISH for each job under way, after `DatasetReplaced`.
    """

    message: SyncSlotsEstablish | SyncSlotsFinish


@attrs.frozen(kw_only=True, cache_hash=True)
class DatasetFlushed:
    """The node's dataset is gone: FLUSHALL, FLUSHDB and the like."""


@attrs.frozen(kw_only=True, cache_hash=True)
class DatasetReplaced:
    """The node reads another dataset in the place of its own."""


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationSilent:
    """The other end of the job has said nothing for too long."""

    name: JobName


@attrs.frozen(kw_only=True, cache_hash=True)
class MigrationPauseOver:
    """Clients write again, and the job for which they had waited is not done.

    `granted` tells apart the two pauses of a job: the second begins when the failover is granted.
    """

    name: JobName
    granted: bool


NodeTimer = (
    PongOverdue
    | ReportExpired
    | FailUndoAllowed
    | ElectionDue
    | ElectionExpired
    | HandshakeExpired
    | BlacklistExpired
    | ManualFailoverOffsetReached
    | ManualFailoverExpired
    | ReplicaMigrationDue
)
MigrationTimer = MigrationSilent | MigrationPauseOver
Timer = NodeTimer | MigrationTimer
Command = (
    ClusterMeet
    | ClusterAddSlots
    | ClusterDelSlots
    | ClusterFlushSlots
    | ClusterReplicate
    | ClusterReplicateNoOne
    | ClusterSetConfigEpoch
    | ClusterBumpEpoch
    | ClusterSaveConfig
    | ClusterForget
    | ClusterReset
    | ClusterFailover
    | ClusterSetslot
    | ClusterMigrateSlots
    | ClusterCancelSlotMigrations
)
MigrationEvent = (
    MigrationConnected
    | MigrationEstablished
    | SnapshotSent
    | MigrationCaughtUp
    | MigrationBroken
    | SyncSlotsReceived
    | SyncSlotsFromMaster
    | DatasetFlushed
    | DatasetReplaced
)
"""What the driver tells of atomic slot migrations."""
Event = (
    Received
    | HeartbeatDue
    | MeetRepeated
    | Timer
    | Command
    | SetslotAcknowledged
    | SetslotFromMaster
    | SettingsChanged
    | DatasetLoaded
    | MigrationEvent
)

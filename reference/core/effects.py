"""What a node does, in order: an effect may begin when those before it are done."""

from enum import Enum

import attrs

from reference.core.events import ClusterSetslot
from reference.core.messages import Message, SyncSlots, SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_jobs import MigrationOutcome, SlotMigration
from reference.core.slots import SlotSet
from reference.core.types import NodeId


class Refusal(Enum):
    """Why a rule did not do what a message, a timer or a command asked for."""

    # Elections: why this node does not stand (CLUSTER_CANT_FAILOVER_*).
    NOT_A_REPLICA = "only a replica stands for election"
    MASTER_UNKNOWN = "its master is not known"
    MASTER_NOT_FAILED = "its master is not in FAIL"
    MASTER_WITHOUT_SLOTS = "its master owns no slot"
    NO_FAILOVER = "it is configured not to fail over"
    DATA_TOO_OLD = "its data is too old"
    ELECTION_RUNNING = "its election is still running"
    MASTER_DOWN = "its master is in FAIL, or there is no link to it"
    NOT_NAMED = "its master named another one, or its release does not hear of it"
    # Elections: why this node does not vote.
    NOT_A_VOTER = "only a master with slots votes"
    NEWCOMER = "the voter has just started"
    REQUEST_EPOCH_OLD = "the request is older than the voter's currentEpoch"
    ALREADY_VOTED = "the voter has voted in this epoch"
    CANDIDATE_IS_MASTER = "the candidate is a master"
    CANDIDATE_MASTER_UNKNOWN = "the candidate's master is not known"
    CANDIDATE_MASTER_UP = "the candidate's master is not in FAIL"
    VOTED_RECENTLY = "the voter voted about this master a moment ago"
    CLAIM_OUTDATED = "a claimed slot has an owner with a newer configEpoch"
    # Elections: why a vote does not count.
    NO_ELECTION = "there is no election to count for"
    VOTER_WITHOUT_RIGHT = "the sender is no master with slots"
    VOTE_OUTDATED = "the vote is from before this election"
    # Replica migration: why this node does not move to another master.
    NO_REPLICA_TO_MOVE = "only a replica whose master is known moves to another one"
    MAY_NOT_MOVE = "it is configured to stay with its master"
    NOT_ORPHANED = "the master needs no replica, or was never meant to have one"
    TOO_FEW_REPLICAS = "its master has no replica to spare"
    OTHERS_HAVE_MORE = "another master has more working replicas"
    CLUSTER_DOWN = "the cluster is down"
    ANOTHER_MOVES = "a replica with a smaller id is to move"
    # Messages that are ignored.
    NOT_MY_REPLICA = "the sender is no replica of the receiver"
    UNKNOWN_SENDER = "the sender is not known"
    UNKNOWN_SUBJECT = "the node it is about is not known"
    ABOUT_MYSELF = "it is about the receiver"
    NOTHING_NEW = "it tells nothing newer"
    OLD_HEADER = "the sender has had a newer epoch already"
    STALE_ROLE_SWITCH = "the receiver knows a newer configEpoch of that shard"
    SENDER_MISMATCH = "another node answered at this address"
    ALREADY_MET = "a handshake with this address is under way"


@attrs.frozen(kw_only=True, cache_hash=True)
class Send:
    """Put the message on the link to this node.

    `reply` asks for the link on which the event's message came, instead of our own.
    """

    to: NodeId | None  # None: whoever is at the other end of the reply's link
    message: Message
    reply: bool = False


@attrs.frozen(kw_only=True, cache_hash=True)
class Broadcast:
    """Put the message on the links to all known nodes."""

    message: Message


@attrs.frozen(kw_only=True, cache_hash=True)
class SaveConfig:
    """Make the state's durable part (`reference.core.state.durable`) survive a crash.

    With `fsync` it also survives a loss of power.
    """

    fsync: bool


@attrs.frozen(kw_only=True, cache_hash=True)
class CloseLink:
    """Close our link to this node; it will be dialled again."""

    peer: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class Reply:
    """Answer the command: an error text of the server, else what it says of its success."""

    error: str | None = None
    status: str = "OK"


@attrs.frozen(kw_only=True, cache_hash=True)
class DeleteKeys:
    """Delete the keys of these slots, here and at the replicas: they belong to another node."""

    slots: SlotSet


@attrs.frozen(kw_only=True, cache_hash=True)
class FlushData:
    """Delete the whole dataset."""


class PausePurpose(Enum):
    """What clients that write wait for; they write again when nothing is left to wait for."""

    FAILOVER = "failover_in_progress"
    SLOT_MIGRATION = "slot_migration_in_progress"


@attrs.frozen(kw_only=True, cache_hash=True)
class PauseWrites:
    """Hold back clients that write, so that another can catch up, until `ResumeWrites`.

    The pause ends by itself after twice the time that a manual failover may take. One that is
    asked for again for the same purpose starts anew.
    """

    purpose: PausePurpose = PausePurpose.FAILOVER


@attrs.frozen(kw_only=True, cache_hash=True)
class ResumeWrites:
    """Let clients write again that only waited for this."""

    purpose: PausePurpose = PausePurpose.FAILOVER


@attrs.frozen(kw_only=True, cache_hash=True)
class ReplicateFirst:
    """Send the command to the replicas, and say when they have executed it.

    What follows is the event `SetslotAcknowledged` with this command; the client is answered then.
    """

    command: ClusterSetslot


@attrs.frozen(kw_only=True, cache_hash=True)
class ConnectTo:
    """Open a connection for the job to the client port of its target, and give it a password.

    What follows is the event `MigrationConnected`, or `MigrationBroken`.
    """

    job: SlotMigration


@attrs.frozen(kw_only=True, cache_hash=True)
class SendSyncSlots:
    """Say this on the connection of the job, behind all that is in its way already."""

    message: SyncSlotsEstablish | SyncSlots


@attrs.frozen(kw_only=True, cache_hash=True)
class SendSnapshot:
    """Send the keys of the job's slots as commands, and from then on each write to them.

    What follows is the event `SnapshotSent`, or `MigrationBroken`.
    """

    job: SlotMigration


@attrs.frozen(kw_only=True, cache_hash=True)
class ReplicateSyncSlots:
    """Put this into the stream to the replicas."""

    message: SyncSlotsEstablish | SyncSlotsFinish


@attrs.frozen(kw_only=True, cache_hash=True)
class EndMigration:
    """The job is over: close its connection, and note how it ended for whoever asks."""

    job: SlotMigration
    outcome: MigrationOutcome
    reason: str = ""


@attrs.frozen(kw_only=True, cache_hash=True)
class LeaveMigration:
    """The job goes on without this node, which was its target: close its connection."""

    job: SlotMigration


class Happening(Enum):
    """Turning points that a log or a story tells."""

    MARKED_PFAIL = "marked {subject} as PFAIL"
    MARKED_FAIL = "marked {subject} as FAIL (a majority agrees)"
    LEARNED_FAIL = "learned that {subject} is in FAIL"
    CLEARED_FAIL = "cleared the FAIL state of {subject}"
    STARTED_ELECTION = "started an election for epoch {epoch}"
    VOTED = "voted for {subject} in epoch {epoch}"
    COUNTED_VOTE = "counted the vote of {subject} for epoch {epoch}"
    COUNTED_LATE_VOTE = "counted the late vote of {subject} for the next election"
    WON_ELECTION = "won the election of epoch {epoch} and became master"
    ELECTION_EXPIRED = "gave up the election of epoch {epoch}"
    ELECTION_RESET = "gave up the election of epoch {epoch}: {subject} has a newer configEpoch"
    PAUSED = "paused clients that write, for {subject} to take over"
    STARTED_MANUAL_FAILOVER = "asked {subject} to pause, to take over from it"
    MANUAL_FAILOVER_CAN_START = "may stand for election at once: an operator asked for it"
    MANUAL_FAILOVER_EXPIRED = "gave up the manual failover"
    TOOK_OVER = "became master in the place of {subject}, without a vote"
    EPOCH_COLLISION = "moved to configEpoch {epoch}: {subject} has the same"
    NEW_EPOCH = "moved to configEpoch {epoch} without asking anybody"
    TOOK_BACK = "took back what {subject} still has as its own"
    KEPT_TAKEN = "kept what it took, which {subject} claims: moved to configEpoch {epoch}"
    FOLLOWED = "became a replica of {subject}"
    EMPTIED = "lost the last slot to {subject} and stays a master"
    TOOK_IMPORTED = "took the slots that it was importing from {subject}"
    GRANTED_SLOTS = "paused, and lets {subject} take the slots"
    TOOK_GRANTED = "took the slots that {subject} granted"
    GAVE_GRANTED = "gave {subject} the slots that it was granted"
    TOOK_SLOTS_OF_KEYS = "took the slots without owner that it has keys of"
    SENT_UPDATE = "told {subject} of a newer owner of its slots"
    MET = "completed the handshake with {subject}"
    FORGOT = "forgot {subject}"


@attrs.frozen(kw_only=True, cache_hash=True)
class Notice:
    """Tell what happened, or why something was refused; no rule depends on it."""

    what: Happening | Refusal
    subject: NodeId | None = None
    epoch: int | None = None

    @property
    def text(self) -> str:
        """The notice in the protocol's words."""
        if isinstance(self.what, Refusal):
            return f"refused {self.subject or ''}: {self.what.value}".replace(" :", ":")
        return self.what.value.format(subject=self.subject, epoch=self.epoch)


MigrationEffect = (
    ConnectTo | SendSyncSlots | SendSnapshot | ReplicateSyncSlots | EndMigration | LeaveMigration
)
"""What a node does for an atomic slot migration besides taking or giving slots."""
Effect = (
    Send
    | Broadcast
    | SaveConfig
    | CloseLink
    | Reply
    | DeleteKeys
    | FlushData
    | PauseWrites
    | ResumeWrites
    | ReplicateFirst
    | MigrationEffect
    | Notice
)

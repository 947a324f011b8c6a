"""What a node does, in order: an effect may begin when those before it are done."""

from enum import Enum

import attrs

from reference.core.messages import Message
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
    # Elections: why this node does not vote.
    NOT_A_VOTER = "only a master with slots votes"
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
    # Messages that are ignored.
    UNKNOWN_SENDER = "the sender is not known"
    UNKNOWN_SUBJECT = "the node it is about is not known"
    ABOUT_MYSELF = "it is about the receiver"
    NOTHING_NEW = "it tells nothing newer"
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
    """Answer the command: None means OK, else an error text of the server."""

    error: str | None = None


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
    EPOCH_COLLISION = "moved to configEpoch {epoch}: {subject} has the same"
    FOLLOWED = "became a replica of {subject}"
    SENT_UPDATE = "told {subject} of a newer owner of its slots"
    MET = "completed the handshake with {subject}"


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


Effect = Send | Broadcast | SaveConfig | CloseLink | Reply | Notice

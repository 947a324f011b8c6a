"""What can happen to a node. Everything that is not decided by the rules comes in here."""

import attrs

from reference.core.messages import Message
from reference.core.slots import SlotSet
from reference.core.types import Address, Epoch, Link, NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class Received:
    """A message arrived.

    `link_node` is the node the link belongs to, None if that is not known (an inbound link
    before its first message). `gossip_about` is whom the reply mentions besides the nodes in PFAIL.
    `voted_recently`: this node voted about the candidate's master less than 2 node timeouts ago.
    `new_id` is the name a node gets that is met for the first time.
    """

    message: Message
    link: Link = Link.OUTBOUND
    link_node: NodeId | None = None
    gossip_about: tuple[NodeId, ...] = ()
    voted_recently: bool = False
    new_id: NodeId | None = None
    observed_ip: str | None = None  # the peer address of the connection


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


@attrs.frozen(kw_only=True, cache_hash=True)
class ElectionExpired:
    """The votes did not come in time."""


@attrs.frozen(kw_only=True, cache_hash=True)
class HandshakeExpired:
    """A node that was met did not answer in time."""

    peer: NodeId


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


Timer = (
    PongOverdue | ReportExpired | FailUndoAllowed | ElectionDue | ElectionExpired | HandshakeExpired
)
Command = ClusterMeet | ClusterAddSlots | ClusterReplicate | ClusterSetConfigEpoch
Event = Received | HeartbeatDue | Timer | Command

"""Which node serves a command: the answer a node gives before it looks at any data."""

from collections.abc import Collection
from enum import Enum
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.state import ClusterState
from reference.core.types import NodeId


class Unserved(Enum):
    """Why no node may serve the command (`CLUSTER_REDIR_DOWN_*`)."""

    SLOT_UNBOUND = "Hash slot not served"
    STATE_FAIL = "The cluster is down"
    READ_ONLY_STATE = "The cluster is down and only accepts read commands"


@attrs.frozen(kw_only=True, cache_hash=True)
class Serve:
    """The node that was asked serves the command (`CLUSTER_REDIR_NONE`)."""


@attrs.frozen(kw_only=True, cache_hash=True)
class Moved:
    """Another node owns the slot (`CLUSTER_REDIR_MOVED`)."""

    slot: int
    owner: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class CrossSlot:
    """The keys belong to different slots (`CLUSTER_REDIR_CROSS_SLOT`)."""


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterDown:
    """Nobody may serve the command at present."""

    reason: Unserved


Decision = Serve | Moved | CrossSlot | ClusterDown

SERVE: Final = Serve()


@attrs.frozen(kw_only=True, cache_hash=True)
class Asked:
    """What of a command and its connection the decision depends on."""

    slots: Collection[int]  # one for each key of the command
    writes: bool  # it is not flagged read-only
    readonly_session: bool = False  # the connection sent READONLY


@clause("RD-4", "RD-5")
def why_unserved(asked: Asked, *, state_ok: bool, reads_when_down: bool) -> Unserved | None:
    """Why a command with keys is not served in this state of the cluster, None if it may be.

    Counterpart: `getNodeByQuery`.
    """
    if state_ok:
        return None
    if not reads_when_down:
        return Unserved.STATE_FAIL
    return Unserved.READ_ONLY_STATE if asked.writes else None


@clause("RD-6")
def serves_for_master(state: ClusterState, asked: Asked, owner: NodeId) -> bool:
    """Whether this node is the owner's replica, and the client accepts what a replica has.

    Counterpart: `getNodeByQuery`.
    """
    myself = state.myself
    accepts = asked.readonly_session and not asked.writes
    return myself.is_replica and myself.replicaof == owner and accepts


@clause("RD-1", "RD-2", "RD-3", "RD-7")
def decide(
    state: ClusterState, asked: Asked, *, state_ok: bool, reads_when_down: bool = False
) -> Decision:
    """Who serves the command; the first check that fails decides.

    `state_ok` is what `reference.core.cluster_state` says, after the delays that follow a start or
    a partition. Counterpart: `getNodeByQuery`.
    """
    slots = set(asked.slots)
    if not slots:
        return SERVE
    if len(slots) > 1:
        return CrossSlot()
    slot = slots.pop()
    owner = state.owner(slot)
    if owner is None:
        return ClusterDown(reason=Unserved.SLOT_UNBOUND)
    unserved = why_unserved(asked, state_ok=state_ok, reads_when_down=reads_when_down)
    if unserved is not None:
        return ClusterDown(reason=unserved)
    if owner.node_id == state.myself_id or serves_for_master(state, asked, owner.node_id):
        return SERVE
    return Moved(slot=slot, owner=owner.node_id)

"""Which node serves a command: the answer a node gives before it looks at any data."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.nodes import ClusterNode
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
class Ask:
    """The keys may have gone to this node already: it is asked, once (`CLUSTER_REDIR_ASK`)."""

    slot: int
    target: NodeId


@attrs.frozen(kw_only=True, cache_hash=True)
class TryAgain:
    """The keys are at two nodes at present (`CLUSTER_REDIR_UNSTABLE`)."""


@attrs.frozen(kw_only=True, cache_hash=True)
class CrossSlot:
    """The keys belong to different slots (`CLUSTER_REDIR_CROSS_SLOT`)."""


@attrs.frozen(kw_only=True, cache_hash=True)
class ClusterDown:
    """Nobody may serve the command at present."""

    reason: Unserved


Decision = Serve | Moved | Ask | TryAgain | CrossSlot | ClusterDown

SERVE: Final = Serve()


@attrs.frozen(kw_only=True, cache_hash=True)
class Asked:
    """What of a command and its connection the decision depends on.

    For EXEC the keys are those of all commands of the transaction, and so are the facts about
    them. A channel of sharded publish and subscribe counts as a key.
    """

    slots: Sequence[int]  # one for each key, in the order of the keys
    writes: bool  # it, or a command of the transaction, is flagged as a write
    transaction: bool = False  # it is the EXEC of a transaction
    queued: bool = False  # it waits for such an EXEC, which is decided later
    sharded_pubsub: bool = False  # it, or a command of the transaction, is of sharded pub/sub
    migrate: bool = False  # it is MIGRATE
    other_database: bool = False  # it moves or copies a key to another database
    missing_keys: int = 0  # how many of the keys this node does not have
    multiple_keys: bool = False  # the keys are not all the same
    asking: bool = False  # the connection sent ASKING just before, or the command implies it
    readonly_session: bool = False  # the connection sent READONLY


class _Way(Enum):
    """Where a slot is on its way between two nodes, as one of them sees it."""

    OUT = "this node gives it away"
    IN = "this node receives it"


@clause("RD-4", "RD-5", "RD-13")
def why_unserved(state: ClusterState, asked: Asked, *, state_ok: bool) -> Unserved | None:
    """Why a command with keys is not served in this state of the cluster, None if it may be.

    Counterpart: `getNodeByQuery`.
    """
    if state_ok:
        return None
    settings = state.settings
    if _is_pubsub(state, asked):
        return None if settings.allow_pubsubshard_when_down else Unserved.STATE_FAIL
    if not settings.allow_reads_when_down:
        return Unserved.STATE_FAIL
    # The servers look at the flags of EXEC itself, which does not write.
    return Unserved.READ_ONLY_STATE if asked.writes and not asked.transaction else None


@clause("RD-13")
def _is_pubsub(state: ClusterState, asked: Asked) -> bool:
    return asked.sharded_pubsub and (state.rules.transactions_publish or not asked.transaction)


@clause("RD-6")
def serves_for_master(state: ClusterState, asked: Asked, owner: NodeId) -> bool:
    """Whether this node is the owner's replica, and the client accepts what a replica has.

    Counterpart: `getNodeByQuery`.
    """
    accepts = (asked.readonly_session or _is_pubsub(state, asked)) and not asked.writes
    return state.myself.replicaof == owner and accepts


@clause("RD-9", "RD-12")
def is_open(state: ClusterState, slot: int) -> bool:
    """Whether a decision about the slot may depend on how many of the keys this node has."""
    opened = state.migrating_slots_to, state.importing_slots_from
    return any(slots.get(slot) is not None for slots in opened)


@clause("RD-9", "RD-12")
def _way(state: ClusterState, asked: Asked, slot: int, owner: ClusterNode) -> _Way | None:
    leader = state.myself
    if state.rules.replicas_ask:
        if leader.is_replica and not asked.readonly_session:
            return None
        leader = state.my_master or leader
    if owner.node_id == leader.node_id and state.migrating_slots_to.get(slot) is not None:
        return _Way.OUT
    return None if state.importing_slots_from.get(slot) is None else _Way.IN


@clause("RD-9", "RD-10", "RD-11", "RD-14", "RD-16", "RD-17")
def _decide_in_open_slot(
    state: ClusterState, asked: Asked, slot: int, way: _Way
) -> Decision | None:
    """What a slot on its way asks for, None if it is answered like any other."""
    rules = state.rules
    if asked.migrate and (state.myself.is_master or not rules.replicas_ask):
        return SERVE
    if asked.other_database and rules.open_slots_stay_in_database:
        return TryAgain()
    looked_up = not asked.queued or rules.queued_keys_are_looked_up
    missing = asked.missing_keys if looked_up and not _is_pubsub(state, asked) else 0
    if way is _Way.IN:
        if not asked.asking:
            return None
        return TryAgain() if asked.multiple_keys and missing else SERVE
    target = state.migrating_slots_to.get(slot)
    if not missing or target is None:
        return None
    return TryAgain() if missing < len(asked.slots) else Ask(slot=slot, target=target)


@clause("RD-1", "RD-2", "RD-3", "RD-7", "RD-15")
def decide(state: ClusterState, asked: Asked, *, state_ok: bool) -> Decision:
    """Who serves the command; the first check that fails decides.

    `state_ok` is what `reference.core.cluster_state` says, after the delays that follow a start or
    a partition. Counterpart: `getNodeByQuery`.
    """
    if not asked.slots:
        return SERVE
    slot = asked.slots[0]
    owner = state.owner(slot)
    crosses = any(other != slot for other in asked.slots)
    if crosses and (owner is not None or state.rules.crossing_is_seen_first):
        return CrossSlot()
    if owner is None:
        return ClusterDown(reason=Unserved.SLOT_UNBOUND)
    unserved = why_unserved(state, asked, state_ok=state_ok)
    if unserved is not None:
        return ClusterDown(reason=unserved)
    way = _way(state, asked, slot, owner)
    decision = None if way is None else _decide_in_open_slot(state, asked, slot, way)
    if decision is not None:
        return decision
    if owner.node_id == state.myself_id or serves_for_master(state, asked, owner.node_id):
        return SERVE
    return Moved(slot=slot, owner=owner.node_id)

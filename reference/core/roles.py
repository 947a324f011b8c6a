"""Who is a master and who follows whom: what changes with a role, the node's own or another's."""

import attrs

from reference.clauses import clause
from reference.core.announce import pong
from reference.core.effects import (
    Broadcast,
    Effect,
    Happening,
    Notice,
    Refusal,
    ResumeWrites,
    SaveConfig,
)
from reference.core.messages import Header
from reference.core.nodes import ClusterNode
from reference.core.open_slots import NO_OPEN_SLOTS, OpenSlots, open_slots
from reference.core.state import (
    ClusterState,
    bind_slots,
    follow,
    lead,
    node_epoch,
    unbind_slots,
)
from reference.core.types import Epoch, NodeId, ShardId


def in_same_shard(one: ClusterNode, other: ClusterNode) -> bool:
    """Whether both are known to belong to one shard. Counterpart: `areInSameShard`."""
    return one.shard_id is not None and one.shard_id == other.shard_id


@clause("SC-31")
def adopt_shard(
    state: ClusterState, node_id: NodeId, shard_id: ShardId | None, out: list[Effect]
) -> ClusterState:
    """The node belongs to this shard, and so does this one if it follows it.

    Counterpart: `updateShardId`.
    """
    if not state.rules.shards or shard_id is None:
        return state
    node = state.nodes[node_id]
    if node.shard_id != shard_id:
        state = state.put(attrs.evolve(node, shard_id=shard_id))
        out.append(SaveConfig(fsync=False))
    myself = state.myself
    if myself.replicaof == node_id and myself.shard_id != shard_id:
        state = state.put(attrs.evolve(myself, shard_id=shard_id))
        out.append(SaveConfig(fsync=True))
    return state


@clause("SC-14", "SC-24", "EL-16")
def set_master(
    state: ClusterState, master_id: NodeId, out: list[Effect], *, keeps_open_slots: bool = False
) -> ClusterState:
    """The node, which owns no slot any more, is a replica of that master.

    Where claims move open slots, the caller says whether they stay; elsewhere a master closes
    them. Counterpart: `clusterSetMaster`.
    """
    rules = state.rules
    closes = not keeps_open_slots if rules.open_slots_follow_claims else state.myself.is_master
    out += [Notice(what=Happening.FOLLOWED, subject=master_id), SaveConfig(fsync=True)]
    state = follow(state, state.myself_id, master_id)
    state = adopt_shard(state, state.myself_id, state.nodes[master_id].shard_id, out)
    state = reset_manual_failover(state, out)
    if closes:
        state = close_all_slots(state)
    if rules.election_ends_with_role_change:
        state = attrs.evolve(state, election=None, last_election=None)
    if rules.role_change_is_broadcast:
        out.append(Broadcast(message=pong(state)))
    return state


@clause("SC-24")
def close_all_slots(state: ClusterState) -> ClusterState:
    """No slot is on its way to or from this node. Counterpart: `clusterCloseAllSlots`."""
    return attrs.evolve(state, migrating_slots_to=NO_OPEN_SLOTS, importing_slots_from=NO_OPEN_SLOTS)


@clause("SC-30")
def reset_manual_failover(state: ClusterState, out: list[Effect]) -> ClusterState:
    """No manual failover is under way; a master that had paused for one lets clients write.

    Counterpart: `resetManualFailover`.
    """
    if state.manual_failover is None:
        return state
    if state.manual_failover.replica is not None:
        out.append(ResumeWrites())
    return attrs.evolve(state, manual_failover=None)


@clause("SC-13")
def leave_sub_replica_chain(state: ClusterState, out: list[Effect]) -> ClusterState:
    """A replica whose master is itself a replica follows that one's master.

    Not if that is this node: the chain would be a circle. The very same state if nothing was to
    do. Counterpart: `clusterUpdateSlotsConfigWith` in redis-7.0, `clusterProcessPacket` in
    valkey-9.1.
    """
    master = state.my_master
    grandmaster = state.nodes.get(master.replicaof) if master is not None else None
    if grandmaster is None or grandmaster.node_id == state.myself_id:
        return state
    return set_master(state, grandmaster.node_id, out)


@clause("SC-34")
def follow_own_shard(state: ClusterState, leader_id: NodeId, out: list[Effect]) -> ClusterState:
    """A master without slots is a replica of the newer master of its shard."""
    myself, leader = state.myself, state.nodes.get(leader_id)
    follows = (
        state.rules.empty_master_follows_shard
        and myself.is_master
        and not myself.slots
        and leader is not None
        and leader.is_master
        and leader.config_epoch > myself.config_epoch
        and in_same_shard(leader, myself)
    )
    return set_master(state, leader_id, out) if follows else state


@clause("SC-15")
def set_node_as_master(state: ClusterState, node_id: NodeId, out: list[Effect]) -> ClusterState:
    """The node is known as a master. Counterpart: `clusterSetNodeAsMaster`."""
    if state.nodes[node_id].is_master:
        return state
    out.append(SaveConfig(fsync=False))
    return lead(state, node_id)


@clause("HB-17")
def learn_told_epoch(state: ClusterState, announced: Header) -> ClusterState:
    """The sender's master is known to have had the configEpoch that is announced for it.

    Also if the sender gives up its role too late to be believed: the epoch was its master's.
    """
    master = state.nodes.get(announced.replicaof)
    if (
        master is None
        or not state.rules.old_headers_are_ignored
        or announced.config_epoch <= max(master.config_epoch, master.told_epoch)
    ):
        return state
    return state.put(attrs.evolve(master, told_epoch=announced.config_epoch))


@clause("SC-10", "SC-19")
def switch_role(
    state: ClusterState, sender_id: NodeId, announced: Header, out: list[Effect]
) -> ClusterState | None:
    """The sender has the role it announces; None if the rest of the message must be ignored.

    Counterpart: `clusterProcessPacket`.
    """
    if announced.replicaof is None:
        return set_node_as_master(state, sender_id, out)
    master = state.nodes.get(announced.replicaof)
    if not state.nodes[sender_id].is_replica:
        demoted = _demote(state, sender_id, master, announced, out)
        if demoted is None:
            return None
        state = demoted
    if master is None or state.nodes[sender_id].replicaof == master.node_id:
        return state
    state = _believe_in_master(state, master.node_id, announced, out)
    state = follow(state, sender_id, master.node_id)
    out.append(SaveConfig(fsync=False))
    if state.rules.sub_replica_guard_at_role_change:
        state = leave_sub_replica_chain(state, out)
    return adopt_shard(state, sender_id, master.shard_id, out)


@clause("SC-37")
def _believe_in_master(
    state: ClusterState, named: NodeId, announced: Header, out: list[Effect]
) -> ClusterState:
    """Whom a replica names as its master is known as one, unless its shard has a newer epoch.

    What this node is itself it does not learn from others.
    """
    node = state.nodes[named]
    newer = announced.config_epoch >= max(node.config_epoch, node_epoch(state, node))
    if state.rules.named_masters_are_masters and newer and named != state.myself_id:
        return set_node_as_master(state, named, out)
    return state


@clause("SC-11", "SC-12")
def _demote(
    state: ClusterState,
    sender_id: NodeId,
    master: ClusterNode | None,
    announced: Header,
    out: list[Effect],
) -> ClusterState | None:
    """The sender is no master any more; None if it said so too long ago to be believed."""
    sender = state.nodes[sender_id]
    if master is None or not in_same_shard(master, sender):
        state = unbind_slots(state, sender.slots)
    elif is_stale_role_switch(state, sender, master, announced.config_epoch):
        out.append(Notice(what=Refusal.STALE_ROLE_SWITCH, subject=sender_id))
        if state.rules.stale_role_switch_is_ignored:
            return None
    elif state.rules.demoted_keep_no_slots:
        state = _hand_over_announced(state, sender, master, announced, out)
    else:
        state = _replace_within_shard(state, sender, master, announced.config_epoch, out)
    out.append(SaveConfig(fsync=False))
    return follow(state, sender_id, sender.replicaof)


@clause("SC-28")
def is_stale_role_switch(
    state: ClusterState, sender: ClusterNode, master: ClusterNode, config_epoch: Epoch
) -> bool:
    """Whether this node knows a newer configEpoch than the one with which the sender gave up."""
    rules = state.rules
    by_sender = rules.role_switch_heeds_sender and node_epoch(state, sender) > config_epoch
    by_master = rules.role_switch_heeds_master and node_epoch(state, master) > config_epoch
    return by_sender or by_master


@clause("SC-18", "SC-29", "SC-32")
def _replace_within_shard(
    state: ClusterState,
    sender: ClusterNode,
    master: ClusterNode,
    config_epoch: Epoch,
    out: list[Effect],
) -> ClusterState:
    """The shard has the master that the sender names, in place of the sender."""
    rules = state.rules
    if rules.role_switch_spares_masters and not master.is_replica:
        return state
    state = set_node_as_master(state, master.node_id, out)
    if rules.role_switch_hands_over:
        state = bind_slots(state, master.node_id, sender.slots)
        if rules.open_slots_follow_claims:
            state = _redirect_open_slots(state, sender.node_id, master.node_id)
    out.append(SaveConfig(fsync=True))
    return state.put(attrs.evolve(state.nodes[master.node_id], config_epoch=config_epoch))


@clause("SC-35")
def _hand_over_announced(
    state: ClusterState,
    sender: ClusterNode,
    master: ClusterNode,
    announced: Header,
    out: list[Effect],
) -> ClusterState:
    """The sender has no slots: its master has those that the sender says it has, nobody the others.

    The master's configEpoch does not sink. This node itself becomes nothing by hearsay.
    """
    if master.node_id != state.myself_id:
        state = set_node_as_master(state, master.node_id, out)
        state = bind_slots(state, master.node_id, sender.slots & announced.slots)
        state = _redirect_open_slots(state, sender.node_id, master.node_id)
        leader = state.nodes[master.node_id]
        newer = max(leader.config_epoch, announced.config_epoch)
        state = state.put(attrs.evolve(leader, config_epoch=newer))
    out.append(SaveConfig(fsync=True))
    return unbind_slots(state, state.nodes[sender.node_id].slots)


def _redirect_open_slots(state: ClusterState, old: NodeId, new: NodeId) -> ClusterState:
    def redirected(slots: OpenSlots) -> OpenSlots:
        return open_slots((slot, new if node == old else node) for slot, node in slots)

    return attrs.evolve(
        state,
        migrating_slots_to=redirected(state.migrating_slots_to),
        importing_slots_from=redirected(state.importing_slots_from),
    )

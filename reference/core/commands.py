"""What operators may change at a node: the CLUSTER subcommands that touch its state."""

from typing import assert_never

import attrs

from reference.clauses import clause
from reference.core.announce import pong
from reference.core.effects import Broadcast, Effect, FlushData, Reply, SaveConfig
from reference.core.events import (
    ClusterAddSlots,
    ClusterDelSlots,
    ClusterFlushSlots,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterReset,
    ClusterSaveConfig,
    SettingsChanged,
)
from reference.core.nodes import NodeTable
from reference.core.roles import close_all_slots, reset_manual_failover, set_master
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import (
    ClusterState,
    bind_slots,
    lead,
    remove_node,
    unbind_slots,
)
from reference.core.types import NodeId, ShardId


@clause("CM-1", "CM-28")
def add_slots(state: ClusterState, slots: SlotSet, out: list[Effect]) -> ClusterState:
    """All these slots belong to this node, or none does because one is taken.

    The configEpoch stays as it is, and other nodes hear of it by the next heartbeat. Counterpart:
    `clusterUpdateSlots`.
    """
    for node in state.nodes:
        taken = node.slots & slots
        if taken:
            out.append(Reply(error=f"ERR Slot {min(taken)} is already busy"))
            return state
    out += [SaveConfig(fsync=False), Reply()]
    return _stop_importing(bind_slots(state, state.myself_id, slots), slots)


@clause("CM-27", "CM-28")
def delete_slots(state: ClusterState, slots: SlotSet, out: list[Effect]) -> ClusterState:
    """None of these slots has an owner in this node's table, or all that had one still do.

    Nobody else is told. Counterpart: `clusterUpdateSlots`.
    """
    unowned = slots
    for node in state.nodes:
        unowned -= node.slots
    if unowned:
        out.append(Reply(error=f"ERR Slot {min(unowned)} is already unassigned"))
        return state
    out += [SaveConfig(fsync=False), Reply()]
    return _stop_importing(unbind_slots(state, slots), slots)


@clause("CM-28")
def _stop_importing(state: ClusterState, slots: SlotSet) -> ClusterState:
    return attrs.evolve(state, importing_slots_from=state.importing_slots_from.close(slots))


@clause("CM-29")
def flush_slots(state: ClusterState, out: list[Effect], *, holds_keys: bool) -> ClusterState:
    """The node owns no slot, unless it has keys. Counterpart: `clusterDelNodeSlots`."""
    if holds_keys:
        out.append(Reply(error="ERR DB must be empty to perform CLUSTER FLUSHSLOTS."))
        return state
    out += [SaveConfig(fsync=False), Reply()]
    return unbind_slots(state, state.myself.slots)


@clause("CM-2", "CM-31")
def replicate(
    state: ClusterState, master_id: NodeId, out: list[Effect], *, holds_keys: bool
) -> ClusterState:
    """The node is a replica of that master, or the command says why it cannot be.

    Counterpart: the REPLICATE branch of `clusterCommand`.
    """
    myself, master = state.myself, state.nodes.get(master_id)
    error = None
    if master is None:
        error = f"ERR Unknown node {master_id}"
    elif master_id == myself.node_id:
        error = "ERR Can't replicate myself"
    elif not master.is_master:
        error = "ERR I can only replicate a master, not a replica."
    elif myself.is_master and (myself.slots or holds_keys):
        error = "ERR To set a master the node must be empty and without assigned slots."
    if error is not None:
        out.append(Reply(error=error))
        return state
    if myself.replicaof != master_id or not state.rules.replicate_again_does_nothing:
        state = set_master(state, master_id, out)
    out.append(Reply())
    return state


@clause("CM-30")
def replicate_no_one(state: ClusterState, new_shard_id: ShardId, out: list[Effect]) -> ClusterState:
    """The node is a master without slots and keys, in a shard of its own if it was a replica.

    Counterpart: the REPLICATE branch of `clusterCommand`.
    """
    if not state.rules.replicas_may_be_detached:
        error = "ERR wrong number of arguments for 'cluster|replicate' command"
        out.append(Reply(error=error))
        return state
    if state.myself.is_replica:
        state = _lead_nobody(state, out)
        state = state.put(attrs.evolve(state.myself, shard_id=new_shard_id))
        out += [SaveConfig(fsync=True), Broadcast(message=pong(state))]
    out.append(Reply())
    return state


def _lead_nobody(state: ClusterState, out: list[Effect]) -> ClusterState:
    """A replica is a master without data, with no slot on its way and no failover under way."""
    if state.myself.is_replica:
        state = lead(state, state.myself_id)
        out.append(FlushData())
    return reset_manual_failover(close_all_slots(state), out)


@clause("CM-32", "CM-33", "CM-34", "SC-40")
def reset(state: ClusterState, command: ClusterReset, out: list[Effect]) -> ClusterState:
    """The node is a master that knows nobody and no owner of any slot; a hard one is like new.

    Counterpart: `clusterReset`.
    """
    if state.myself.is_master and command.holds_keys:
        error = "ERR CLUSTER RESET can't be called with master nodes containing keys"
        out.append(Reply(error=error))
        return state
    owned = state.myself.slots
    state = unbind_slots(_lead_nobody(state, out), owned)
    for node in state.nodes:
        state = remove_node(state, node.node_id)
    if state.rules.reset_clears_blacklist:
        state = attrs.evolve(state, nodes_black_list=frozenset())
    if state.rules.reset_owners_take_back:
        kept = owned if command.new_id is None else NO_SLOTS
        state = attrs.evolve(state, owned_before_reset=kept)
    state = _begin_anew(state, command)
    out += [SaveConfig(fsync=True), Reply()]
    return state


@clause("CM-33", "CM-34")
def _begin_anew(state: ClusterState, command: ClusterReset) -> ClusterState:
    """After a hard reset this is another node, with no epoch; its shard may be a new one."""
    myself, hard = state.myself, command.new_id is not None
    if state.rules.shards and (hard or state.rules.soft_reset_changes_shard):
        myself = attrs.evolve(myself, shard_id=command.new_shard_id or myself.shard_id)
    if command.new_id is None:
        return state.put(myself)
    myself = attrs.evolve(myself, node_id=command.new_id, config_epoch=0)
    return attrs.evolve(
        state,
        myself_id=command.new_id,
        nodes=NodeTable([myself]),
        current_epoch=0,
        last_vote_epoch=0,
    )


MembershipCommand = (
    ClusterAddSlots
    | ClusterDelSlots
    | ClusterFlushSlots
    | ClusterReplicate
    | ClusterReplicateNoOne
    | ClusterSaveConfig
    | ClusterReset
)


@clause("CM-35")
def obey_membership(
    state: ClusterState, command: MembershipCommand, out: list[Effect]
) -> ClusterState:
    """The command has been carried out and answered, or refused with the servers' text.

    Counterpart: `clusterCommand`.
    """
    match command:
        case ClusterAddSlots():
            return add_slots(state, command.slots, out)
        case ClusterDelSlots():
            return delete_slots(state, command.slots, out)
        case ClusterFlushSlots():
            return flush_slots(state, out, holds_keys=command.holds_keys)
        case ClusterReplicate():
            return replicate(state, command.master, out, holds_keys=command.holds_keys)
        case ClusterReplicateNoOne():
            return replicate_no_one(state, command.new_shard_id, out)
        case ClusterReset():
            return reset(state, command, out)
        case ClusterSaveConfig():
            out += [SaveConfig(fsync=True), Reply()]
            return state
        case _:
            assert_never(command)


@clause("CM-36")
def change_settings(state: ClusterState, event: SettingsChanged, out: list[Effect]) -> ClusterState:
    """The rules read the new settings, and the others hear whether this node stands for election.

    Counterpart: `clusterUpdateMyselfFlags`.
    """
    myself = attrs.evolve(state.myself, nofailover=event.nofailover)
    if myself != state.myself:
        out.append(SaveConfig(fsync=False))
    return attrs.evolve(state.put(myself), settings=event.settings)

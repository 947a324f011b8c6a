"""Slots that a master took from another, and keeps against those who have not heard of it."""

import attrs

from reference.clauses import clause
from reference.core.effects import Effect, Happening, Notice
from reference.core.epoch_kinds import EpochKind, kind_of
from reference.core.epochs import take_epoch
from reference.core.roles import in_same_shard
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, granted_slots
from reference.core.types import Epoch, NodeId


@clause("SC-33")
def note_taken(state: ClusterState, slots: SlotSet, source_id: NodeId) -> ClusterState:
    """It is known from whom this node, or its master, took those of the slots not noted already.

    Only if the shard of that one is known.
    """
    source = state.nodes.get(source_id)
    keeps = state.rules.taken_slots_are_kept or state.rules.told_imports_are_kept
    if not keeps or source is None or source.shard_id is None:
        return state
    taken = dict(state.taken_from)
    taken[source_id] = taken.get(source_id, NO_SLOTS) | (slots - _noted(state))
    return _with_taken(state, taken)


def _noted(state: ClusterState) -> SlotSet:
    noted = NO_SLOTS
    for _, slots in state.taken_from:
        noted |= slots
    return noted


def _with_taken(state: ClusterState, taken: dict[NodeId, SlotSet]) -> ClusterState:
    kept = tuple((node_id, slots) for node_id, slots in sorted(taken.items()) if slots)
    return state if kept == state.taken_from else attrs.evolve(state, taken_from=kept)


@clause("SC-33", "SC-36")
def forget_lost(state: ClusterState) -> ClusterState:
    """Nothing is noted of slots that neither this node nor the master it follows owns.

    Nor what was taken from the master that it follows.
    """
    leader = state.my_master or state.myself
    return _with_taken(
        state,
        {
            node_id: slots & leader.slots
            for node_id, slots in state.taken_from
            if node_id != leader.node_id
        },
    )


@clause("SC-36")
def confirm_import(state: ClusterState, sender_id: NodeId, claimed: SlotSet) -> ClusterState:
    """A replica need not remember what its master is told to have taken, and claims itself."""
    if sender_id != state.myself.replicaof:
        return state
    return _with_taken(state, {node_id: slots - claimed for node_id, slots in state.taken_from})


@clause("SC-36")
def unconfirmed(state: ClusterState, owner_id: NodeId) -> SlotSet:
    """The slots that this node was told by its master's stream, and not yet by its claims."""
    told = state.rules.told_imports_are_kept and owner_id == state.myself.replicaof
    return _noted(state) if told else NO_SLOTS


@clause("SC-33")
def contested(
    state: ClusterState,
    claimant_id: NodeId,
    config_epoch: Epoch,
    slots: SlotSet,
    *,
    new_master: bool,
) -> SlotSet:
    """The slots of a newer claim that this master does not give up, as it took some from there.

    Of its own shard's old master it gives none, of another's shard those it did not take from
    there, and in any case what it lets go there by now. A master of its own shard has not heard of
    it only if it was a master before, and came by its epoch to keep what it had.
    """
    if not (state.rules.taken_slots_are_kept and state.myself.is_master):
        return NO_SLOTS
    claimant = state.nodes[claimant_id]
    taken = NO_SLOTS
    for source_id, theirs in state.taken_from:
        source = state.nodes.get(source_id)
        if source is not None and in_same_shard(source, claimant):
            taken |= theirs
    if in_same_shard(claimant, state.myself):
        believed = new_master or _was_asked(state, claimant_id, config_epoch)
        taken = state.myself.slots if taken and not believed else NO_SLOTS
    return (taken & slots & state.myself.slots) - _let_go(state, claimant_id)


def _was_asked(state: ClusterState, claimant_id: NodeId, config_epoch: Epoch) -> bool:
    """Whether somebody may have wanted the claimant to lead: a majority, or an operator.

    Of two that both defend what they took, the later one is believed.
    """
    kind, myself = kind_of(config_epoch, claimant_id), state.myself
    if kind is EpochKind.DEFENDED:
        return kind_of(myself.config_epoch, myself.node_id) is EpochKind.DEFENDED
    return kind is not EpochKind.KEPT


def _let_go(state: ClusterState, claimant_id: NodeId) -> SlotSet:
    claimant = state.nodes[claimant_id]
    targets = ((slot, state.nodes.get(node_id)) for slot, node_id in state.migrating_slots_to)
    leaving = SlotSet.of(
        slot for slot, target in targets if target is not None and in_same_shard(target, claimant)
    )
    return leaving | granted_slots(state, claimant_id)


@clause("SC-33")
def defend(state: ClusterState, claimant_id: NodeId, out: list[Effect]) -> ClusterState:
    """The claims of this node are newer than any it knows, and everybody is told."""
    before = state.myself.config_epoch
    state = take_epoch(state, EpochKind.DEFENDED, out)
    if state.myself.config_epoch != before:
        epoch = state.myself.config_epoch
        out.append(Notice(what=Happening.KEPT_TAKEN, subject=claimant_id, epoch=epoch))
    return state

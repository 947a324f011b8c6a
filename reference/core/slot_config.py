"""Who owns which slot: claims, their order by configEpoch, and what losing or winning one does."""

import attrs

from reference.clauses import clause
from reference.core.announce import header, pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, SaveConfig, Send
from reference.core.messages import Header, Update
from reference.core.nodes import ClusterNode
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, bind_slots, node_epoch
from reference.core.types import Epoch, NodeId, Role


@attrs.frozen(kw_only=True)
class Claim:
    """Slots that a master, or an UPDATE about it, claims with a configEpoch."""

    owner: NodeId
    config_epoch: Epoch
    slots: SlotSet


@clause("SC-1")
def claimable(state: ClusterState, claim: Claim) -> SlotSet:
    """The claimed slots that go to the claimant.

    Those are the ones without owner, those whose owner no longer claims them, and those whose
    owner has a smaller configEpoch. Counterpart: `clusterUpdateSlotsConfigWith`.
    """
    kept = NO_SLOTS
    for node in state.nodes:
        if state.rules.claims_need_newer_epoch and node.config_epoch >= claim.config_epoch:
            kept |= node.slots
    owned = state.nodes[claim.owner].slots
    return claim.slots - owned - (kept - state.owner_not_claiming_slot)


@clause("SC-2", "SC-7", "SC-17")
def update_slots_config_with(state: ClusterState, claim: Claim, out: list[Effect]) -> ClusterState:
    """The claimant has every slot that the claim is good for, and we follow it if it took our last.

    Counterpart: `clusterUpdateSlotsConfigWith`.
    """
    if claim.owner == state.myself_id:
        out.append(Notice(what=Refusal.ABOUT_MYSELF, subject=claim.owner))
        return state
    leader = state.my_master or state.myself  # whose slots this node is there for
    taken = claimable(state, claim)
    lost = taken & leader.slots
    if taken:
        state = bind_slots(state, claim.owner, taken)
        out.append(SaveConfig(fsync=True))
    state = _mark_not_claiming(state, claim)
    if _should_follow(state, claim, leader.node_id, lost=lost):
        return set_master(state, claim.owner, out)
    if not state.rules.sub_replica_guard_at_role_change:
        return leave_sub_replica_chain(state, out)
    return state


@clause("SC-3")
def _mark_not_claiming(state: ClusterState, claim: Claim) -> ClusterState:
    """Of the owner's slots, those that it leaves out of its claim are marked and no others."""
    if not state.rules.not_claiming_slots:
        return state
    owned = state.nodes[claim.owner].slots
    marked = (state.owner_not_claiming_slot - owned) | (owned - claim.slots)
    if marked == state.owner_not_claiming_slot:
        return state
    return attrs.evolve(state, owner_not_claiming_slot=marked)


@clause("SC-7", "SC-8", "SC-9")
def _should_follow(state: ClusterState, claim: Claim, leader_id: NodeId, *, lost: SlotSet) -> bool:
    myself, leader = state.myself, state.nodes[leader_id]
    if lost:
        return not leader.slots
    return (
        state.rules.empty_shard_follows
        and not claim.slots
        and not leader.slots
        and not myself.slots
        and myself.replicaof != claim.owner
        and node_epoch(state, myself) < claim.config_epoch
        and in_same_shard(state.nodes[claim.owner], myself)
    )


def in_same_shard(one: ClusterNode, other: ClusterNode) -> bool:
    """Whether both are known to belong to one shard. Counterpart: `areInSameShard`."""
    return one.shard_id is not None and one.shard_id == other.shard_id


@clause("SC-14", "EL-16")
def set_master(state: ClusterState, master_id: NodeId, out: list[Effect]) -> ClusterState:
    """The node, which owns no slot any more, is a replica of that master.

    Counterpart: `clusterSetMaster`.
    """
    myself, master = state.myself, state.nodes[master_id]
    demoted = attrs.evolve(
        myself,
        role=Role.REPLICA,
        replicaof=master_id,
        shard_id=master.shard_id if state.rules.shards else myself.shard_id,
    )
    out += [Notice(what=Happening.FOLLOWED, subject=master_id), SaveConfig(fsync=True)]
    if state.rules.election_ends_with_role_change:
        state = attrs.evolve(state, election=None, last_election=None)
    state = state.put(demoted)
    if state.rules.role_change_is_broadcast:
        out.append(Broadcast(message=pong(state)))
    return state


@clause("SC-13")
def leave_sub_replica_chain(state: ClusterState, out: list[Effect]) -> ClusterState:
    """A replica whose master is itself a replica follows that one's master.

    Not if that is this node: the chain would be a circle. Counterpart:
    `clusterUpdateSlotsConfigWith` in redis-7.0, `clusterProcessPacket` in valkey-9.1.
    """
    master = state.my_master
    grandmaster = state.nodes.get(master.replicaof) if master is not None else None
    if grandmaster is None or grandmaster.node_id == state.myself_id:
        return state
    return set_master(state, grandmaster.node_id, out)


@clause("SC-15")
def set_node_as_master(state: ClusterState, node_id: NodeId, out: list[Effect]) -> ClusterState:
    """The node is known as a master. Counterpart: `clusterSetNodeAsMaster`."""
    node = state.nodes[node_id]
    if node.is_master:
        return state
    out.append(SaveConfig(fsync=False))
    return state.put(attrs.evolve(node, role=Role.MASTER, replicaof=None))


@clause("SC-10", "SC-11", "SC-19")
def switch_role(
    state: ClusterState, sender_id: NodeId, announced: Header, out: list[Effect]
) -> ClusterState | None:
    """The sender has the role it announces; None if the rest of the message must be ignored.

    Counterpart: `clusterProcessPacket`.
    """
    sender = state.nodes[sender_id]
    if announced.replicaof is None:
        return set_node_as_master(state, sender_id, out)
    master = state.nodes.get(announced.replicaof)
    if not sender.is_replica:
        if state.rules.shards and master is not None and in_same_shard(master, sender):
            moved = _hand_over_within_shard(state, sender, master, announced.config_epoch, out)
            if moved is None:
                return None
            state = moved
        elif sender.slots:
            state = _drop_slots(state, sender)
        sender = attrs.evolve(state.nodes[sender_id], role=Role.REPLICA)
        state = state.put(sender)
        out.append(SaveConfig(fsync=False))
    if master is None or sender.replicaof == master.node_id:
        return state
    shard_id = master.shard_id if state.rules.shards else sender.shard_id
    state = state.put(attrs.evolve(sender, replicaof=master.node_id, shard_id=shard_id))
    out.append(SaveConfig(fsync=False))
    if state.rules.sub_replica_guard_at_role_change:
        return leave_sub_replica_chain(state, out)
    return state


@clause("SC-11")
def _drop_slots(state: ClusterState, node: ClusterNode) -> ClusterState:
    """The slots of a master that became a replica elsewhere belong to nobody."""
    marked = state.owner_not_claiming_slot
    if state.rules.binding_clears_not_claiming:
        marked -= node.slots
    state = state.put(attrs.evolve(node, slots=NO_SLOTS))
    return attrs.evolve(state, owner_not_claiming_slot=marked)


@clause("SC-12", "SC-18")
def _hand_over_within_shard(
    state: ClusterState,
    sender: ClusterNode,
    master: ClusterNode,
    config_epoch: Epoch,
    out: list[Effect],
) -> ClusterState | None:
    """The sender's slots belong to the shard's new master; None if the message is outdated."""
    known = max(node_epoch(state, sender), node_epoch(state, master))
    if state.rules.stale_role_switch_is_ignored and known > config_epoch:
        out.append(Notice(what=Refusal.STALE_ROLE_SWITCH, subject=sender.node_id))
        return None
    if not master.is_replica or master.node_id == state.myself_id:
        return state
    state = set_node_as_master(state, master.node_id, out)
    state = bind_slots(state, master.node_id, sender.slots)
    promoted = attrs.evolve(state.nodes[master.node_id], config_epoch=config_epoch)
    out.append(SaveConfig(fsync=True))
    return state.put(promoted)


@clause("SC-4", "EL-7")
def newer_owner(
    state: ClusterState, announced: Header, *, besides: NodeId | None = None
) -> NodeId | None:
    """Who owns the lowest announced slot that has an owner with a newer configEpoch, if any has.

    Slots that their owner no longer claims do not count.
    """
    claimed = announced.slots - state.owner_not_claiming_slot
    newer = [
        (min(node.slots & claimed), node.node_id)
        for node in state.nodes
        if node.node_id != besides
        and node.config_epoch > announced.config_epoch
        and node.slots & claimed
    ]
    return min(newer)[1] if newer else None


@clause("SC-4", "SC-5")
def correct_stale_claim(
    state: ClusterState, sender_id: NodeId, announced: Header, out: list[Effect]
) -> ClusterState:
    """A sender that claims a slot whose owner has a newer configEpoch is told of that owner.

    Of several such owners only the one of the lowest slot. Counterpart: `clusterProcessPacket`.
    """
    owner = newer_owner(state, announced, besides=sender_id)
    if owner is not None:
        out += [
            Notice(what=Happening.SENT_UPDATE, subject=sender_id),
            Send(to=sender_id, message=update_about(state, owner)),
        ]
    return state


@clause("SC-20")
def update_about(state: ClusterState, owner_id: NodeId) -> Update:
    """An UPDATE that says what this node knows of the owner's claims.

    Counterpart: `clusterSendUpdate`.
    """
    owner = state.nodes[owner_id]
    return Update(
        header=header(state),
        subject=owner_id,
        config_epoch=owner.config_epoch,
        slots=owner.slots - state.owner_not_claiming_slot,
    )


@clause("SC-4", "SC-5", "SC-16")
def process_claims(
    state: ClusterState,
    sender_id: NodeId,
    announced: Header,
    out: list[Effect],
    *,
    was_replica: bool,
) -> ClusterState:
    """The slot table is as the sender's header demands, or the sender is told why not.

    Nothing is looked at if the sender claims just what it has in our table. Counterpart:
    `clusterProcessPacket`.
    """
    sender = state.nodes[sender_id]
    leader = sender if sender.is_master else state.nodes.get(sender.replicaof)
    if state.rules.replicas_are_updated:
        looks = leader is not None and leader.slots != announced.slots
    else:
        looks = announced.replicaof is None and (was_replica or sender.slots != announced.slots)
    if not looks:
        return state
    if sender.is_master:
        claim = Claim(owner=sender_id, config_epoch=announced.config_epoch, slots=announced.slots)
        state = update_slots_config_with(state, claim, out)
    return correct_stale_claim(state, sender_id, announced, out)


@clause("SC-6")
def learn_update(state: ClusterState, message: Update, out: list[Effect]) -> ClusterState:
    """An UPDATE with a newer configEpoch makes its subject a master with that epoch and claim.

    Counterpart: `clusterProcessPacket`.
    """
    subject = state.nodes.get(message.subject)
    if subject is None:
        out.append(Notice(what=Refusal.UNKNOWN_SUBJECT, subject=message.subject))
        return state
    if subject.config_epoch >= message.config_epoch:
        out.append(Notice(what=Refusal.NOTHING_NEW, subject=message.subject))
        return state
    state = set_node_as_master(state, message.subject, out)
    subject = state.nodes[message.subject]
    state = state.put(attrs.evolve(subject, config_epoch=message.config_epoch))
    out.append(SaveConfig(fsync=True))
    claim = Claim(owner=message.subject, config_epoch=message.config_epoch, slots=message.slots)
    return update_slots_config_with(state, claim, out)

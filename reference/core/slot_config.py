"""Who owns which slot: claims, their order by configEpoch, and what losing or winning one does."""

import attrs

from reference.clauses import clause
from reference.core.announce import header
from reference.core.effects import (
    DeleteKeys,
    Effect,
    Happening,
    Notice,
    Refusal,
    SaveConfig,
    Send,
)
from reference.core.epochs import bump_config_epoch_without_consensus
from reference.core.messages import Header, Update
from reference.core.nodes import ClusterNode
from reference.core.open_slots import open_slots
from reference.core.roles import (
    in_same_shard,
    leave_sub_replica_chain,
    set_master,
    set_node_as_master,
)
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, bind_slots, granted_slots, node_epoch
from reference.core.taken_slots import (
    confirm_import,
    contested,
    defend,
    note_taken,
    unconfirmed,
)
from reference.core.types import Epoch, NodeId


@attrs.frozen(kw_only=True)
class Claim:
    """Slots that a master, or an UPDATE about it, claims with a configEpoch."""

    owner: NodeId
    config_epoch: Epoch
    slots: SlotSet
    new_master: bool = False  # the owner was known as a replica until now


@clause("SC-1", "SC-21", "SC-33", "SM-33")
def claimable(state: ClusterState, claim: Claim) -> SlotSet:
    """The claimed slots that go to the claimant.

    Those are the ones without owner, those whose owner no longer claims them, and those whose
    owner has a smaller configEpoch, and those that this node has granted to the claimant; where
    imports are guarded, none that this node is importing.
    Counterpart: `clusterUpdateSlotsConfigWith`.
    """
    rules = state.rules
    kept = NO_SLOTS
    for node in state.nodes:
        if rules.claims_need_newer_epoch and node.config_epoch >= claim.config_epoch:
            kept |= node.slots
    guarded = state.importing_slots_from.slots if rules.importing_slots_are_guarded else NO_SLOTS
    owned = state.nodes[claim.owner].slots
    free = state.owner_not_claiming_slot | granted_slots(state, claim.owner)
    return claim.slots - owned - guarded - (kept - free) - defended(state, claim)


@clause("SC-33")
def defended(state: ClusterState, claim: Claim) -> SlotSet:
    """The claimed slots that this node took from the claimant's shard and does not give back."""
    if not state.taken_from or claim.config_epoch <= state.myself.config_epoch:
        return NO_SLOTS
    return contested(
        state, claim.owner, claim.config_epoch, claim.slots, new_master=claim.new_master
    )


@clause("SC-2", "SC-7", "SC-17", "SC-27", "SC-33")
def update_slots_config_with(state: ClusterState, claim: Claim, out: list[Effect]) -> ClusterState:
    """The claimant has every slot that the claim is good for, and we follow it if it took our last.

    Counterpart: `clusterUpdateSlotsConfigWith`.
    """
    if claim.owner == state.myself_id:
        out.append(Notice(what=Refusal.ABOUT_MYSELF, subject=claim.owner))
        return state
    before, leader = state, state.my_master or state.myself  # whose slots this node is there for
    defends = bool(defended(state, claim))
    state = _settle(state, claim, out)
    state = _mark_not_claiming(state, claim)
    lost = leader.slots - state.nodes[leader.node_id].slots
    if _should_follow(state, claim, leader.node_id, lost=lost):
        own_shard = in_same_shard(state.nodes[claim.owner], state.myself)
        return set_master(state, claim.owner, out, keeps_open_slots=own_shard)
    if not state.rules.sub_replica_guard_at_role_change:
        moved = leave_sub_replica_chain(state, out)
        if moved is not state:
            return moved
    if defends:
        state = defend(state, claim.owner, out)
    return _clean_up(state, claim, before.myself.slots - state.myself.slots, out)


@clause("SC-2", "SC-25")
def _settle(state: ClusterState, claim: Claim, out: list[Effect]) -> ClusterState:
    """Every slot has the owner that the claim leaves it, and imports from the claimant are over.

    The servers go from slot to slot, so a claim beyond the first slot that this node takes over
    meets its new configEpoch.
    """
    won, given_up = claimable(state, claim), _given_up(state, claim)
    if not given_up:
        return _redirect_migrations(_rebind(state, claim, won, out), claim, out)
    state = _rebind(state, claim, won & SlotSet.between(0, min(given_up) - 1), out)
    state = _take_imported(state, claim.owner, given_up, out)
    state = _rebind(state, claim, claimable(state, claim), out)
    return _redirect_migrations(state, claim, out)


@clause("SC-2", "SC-22")
def _rebind(state: ClusterState, claim: Claim, slots: SlotSet, out: list[Effect]) -> ClusterState:
    """The slots belong to the claimant, and those on their way are open to who has them now."""
    if not slots:
        return state
    if state.rules.open_slots_follow_claims:
        state = _follow_claim(state, claim.owner, slots)
    out.append(SaveConfig(fsync=True))
    return bind_slots(state, claim.owner, slots)


@clause("SC-22")
def _follow_claim(state: ClusterState, owner_id: NodeId, slots: SlotSet) -> ClusterState:
    """Of these slots only those stay open that went from master to master within a shard."""
    owner = state.nodes[owner_id]
    importing, migrating = state.importing_slots_from, state.migrating_slots_to
    for slot, source_id in importing:
        source = state.nodes.get(source_id)
        if slot not in slots or source_id == owner_id:
            continue
        if source is not None and in_same_shard(owner, source):
            importing = importing.open(slot, owner_id)
        else:
            importing = importing.close(SlotSet.of([slot]))
    if not in_same_shard(owner, state.myself):
        migrating = migrating.close(slots)
    return attrs.evolve(state, importing_slots_from=importing, migrating_slots_to=migrating)


@clause("SC-23")
def _redirect_migrations(state: ClusterState, claim: Claim, out: list[Effect]) -> ClusterState:
    """Slots on their way to a shard go to its new master, which does not claim them yet."""
    owner = state.nodes[claim.owner]

    def is_replaced(target_id: NodeId) -> bool:
        target = state.nodes.get(target_id)
        return (
            target is not None
            and (target.is_replica or target.config_epoch < claim.config_epoch)
            and in_same_shard(target, owner)
        )

    if not state.rules.open_slots_follow_claims:
        return state
    redirected = open_slots(
        (slot, claim.owner if slot not in claim.slots and is_replaced(target) else target)
        for slot, target in state.migrating_slots_to
    )
    if redirected == state.migrating_slots_to:
        return state
    out.append(SaveConfig(fsync=True))
    return attrs.evolve(state, migrating_slots_to=redirected)


@clause("SC-25")
def _given_up(state: ClusterState, claim: Claim) -> SlotSet:
    """The slots that this master is importing from the claimant, which no longer claims them."""
    if not state.rules.importing_slots_are_claimed or not state.myself.is_master:
        return NO_SLOTS
    imported = SlotSet.of(
        slot for slot, source in state.importing_slots_from if source == claim.owner
    )
    return imported - claim.slots


@clause("SC-25")
def _take_imported(
    state: ClusterState, source: NodeId, slots: SlotSet, out: list[Effect]
) -> ClusterState:
    """The import of the slots is over and this node owns them, with a configEpoch of its own."""
    new = slots - state.myself.slots
    state = note_taken(state, new, source)
    state = attrs.evolve(state, importing_slots_from=state.importing_slots_from.close(slots))
    if not new:
        return state
    out += [Notice(what=Happening.TOOK_IMPORTED, subject=source), SaveConfig(fsync=True)]
    state = bind_slots(state, state.myself_id, new)
    return bump_config_epoch_without_consensus(state, out)


@clause("SC-3", "SC-36")
def _mark_not_claiming(state: ClusterState, claim: Claim) -> ClusterState:
    """Of the owner's slots, those that it leaves out of its claim are marked and no others."""
    if not state.rules.not_claiming_slots:
        return state
    owned = state.nodes[claim.owner].slots
    left_out = owned - claim.slots - unconfirmed(state, claim.owner)
    marked = (state.owner_not_claiming_slot - owned) | left_out
    return attrs.evolve(state, owner_not_claiming_slot=marked)


@clause("SC-7", "SC-8", "SC-9")
def _should_follow(state: ClusterState, claim: Claim, leader_id: NodeId, *, lost: SlotSet) -> bool:
    myself, leader = state.myself, state.nodes[leader_id]
    if lost:
        return not leader.slots and _may_follow(state, claim, lost)
    return (
        state.rules.empty_shard_follows
        and not claim.slots
        and not leader.slots
        and not myself.slots
        and node_epoch(state, myself) < claim.config_epoch
        and in_same_shard(state.nodes[claim.owner], myself)
    )


@clause("SC-26")
def _may_follow(state: ClusterState, claim: Claim, lost: SlotSet) -> bool:
    """Whether the claimant of all slots is a master of this shard, or another one will do."""
    if state.settings.allow_replica_migration:
        return True
    if state.rules.only_own_shard_is_followed:
        return in_same_shard(state.nodes[claim.owner], state.myself)
    return lost == claim.slots


@clause("SC-27")
def _clean_up(state: ClusterState, claim: Claim, lost: SlotSet, out: list[Effect]) -> ClusterState:
    """A master that lost slots and stays one has none of their keys."""
    if lost:
        out.append(DeleteKeys(slots=lost))
        if not state.myself.slots:
            out.append(Notice(what=Happening.EMPTIED, subject=claim.owner))
    return state


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


@clause("SC-39")
def remind_owner(state: ClusterState, claim: Claim, out: list[Effect]) -> None:
    """A master that claims nothing, and has slots of its own here, has been told which."""
    owner = state.nodes[claim.owner]
    if not state.rules.reset_owners_take_back or claim.slots or not owner.slots:
        return
    reminder = attrs.evolve(update_about(state, claim.owner), slots=owner.slots)
    out += [
        Notice(what=Happening.SENT_UPDATE, subject=claim.owner),
        Send(to=claim.owner, message=reminder),
    ]


@clause("SC-40")
def take_back(state: ClusterState, message: Update, out: list[Effect]) -> ClusterState | None:
    """The slots that this master owned before it was reset, and that are still its own elsewhere.

    None if an UPDATE about this node tells no such slot.
    """
    back = message.slots & state.owned_before_reset
    if message.subject != state.myself_id or not state.myself.is_master or not back:
        return None
    out += [
        Notice(what=Happening.TOOK_BACK, subject=message.header.sender),
        SaveConfig(fsync=True),
    ]
    return bind_slots(state, state.myself_id, back)


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


@clause("SC-4", "SC-5", "SC-16", "SC-36")
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
    state = confirm_import(state, sender_id, announced.slots) if state.taken_from else state
    sender = state.nodes[sender_id]
    leader = sender if sender.is_master else state.nodes.get(sender.replicaof)
    if state.rules.replicas_are_updated:
        looks = leader is not None and leader.slots != announced.slots
    else:
        looks = announced.replicaof is None and (was_replica or sender.slots != announced.slots)
    if not looks:
        return state
    if sender.is_master:
        claim = Claim(
            owner=sender_id,
            config_epoch=announced.config_epoch,
            slots=announced.slots,
            new_master=was_replica,
        )
        state = update_slots_config_with(state, claim, out)
        remind_owner(state, claim, out)
    return correct_stale_claim(state, sender_id, announced, out)


@clause("SC-38")
def _added(state: ClusterState, message: Update, subject: ClusterNode) -> SlotSet:
    """The slots that an UPDATE tells besides what is known of that epoch of its subject."""
    same = state.rules.updates_add_slots and subject.config_epoch == message.config_epoch
    if state.rules.reset_owners_take_back and subject is state.myself:
        return NO_SLOTS  # reminded of what it gave up itself
    return message.slots - subject.slots if same else NO_SLOTS


@clause("SC-6", "SC-38", "SC-40")
def learn_update(state: ClusterState, message: Update, out: list[Effect]) -> ClusterState:
    """An UPDATE with a newer configEpoch makes its subject a master with that epoch and claim.

    Counterpart: `clusterProcessPacket`.
    """
    subject = state.nodes.get(message.subject)
    if subject is None:
        out.append(Notice(what=Refusal.UNKNOWN_SUBJECT, subject=message.subject))
        return state
    if taken_back := take_back(state, message, out):
        return taken_back
    added = _added(state, message, subject)
    if subject.config_epoch >= message.config_epoch and not added:
        out.append(Notice(what=Refusal.NOTHING_NEW, subject=message.subject))
        return state
    new_master = subject.is_replica
    state = set_node_as_master(state, message.subject, out)
    subject = state.nodes[message.subject]
    state = state.put(attrs.evolve(subject, config_epoch=message.config_epoch))
    out.append(SaveConfig(fsync=True))
    claim = Claim(
        owner=message.subject,
        config_epoch=message.config_epoch,
        slots=message.slots,
        new_master=new_master,
    )
    return update_slots_config_with(state, claim, out)

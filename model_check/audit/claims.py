"""Audits of claims: who has a slot after one, what is marked, and who is told of a newer owner."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Claim, Situation, akin, slots_of
from reference.core.effects import DeleteKeys, Happening, Refusal, Send
from reference.core.epoch_kinds import EpochKind, kind_of
from reference.core.messages import Header, Update
from reference.core.nodes import ClusterNode
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState


def owners(here: Situation) -> Iterator[Breach]:
    """SC-1, SC-21, SC-33: to whom a claimed slot goes, and to whom it does not."""
    claim, table = here.claim, here.after.nodes
    if claim is None or claim.owner not in table or here.leads:
        return
    kept = _kept(here, claim)
    for slot in claim.slots - slots_of(here.before, claim.owner) - _granted(here, claim):
        was, now = here.before.owner(slot), here.after.owner(slot)
        goes = now is not None and now.node_id == claim.owner
        stays = (now and now.node_id) == (was and was.node_id)
        free = _is_free(here, claim, slot, was)
        guarded = here.rules.importing_slots_are_guarded and (
            here.before.importing_slots_from.get(slot) is not None
        )
        has = "nobody has" if was is None else f"{was.node_id} has with {was.config_epoch}"
        case = f"slot {slot}, which {has} and {claim.owner} claims with {claim.epoch}"
        if slot in kept:
            if not stays:
                yield Breach("SC-33", f"gives up {case}, though it took it from there")
        elif guarded:
            if not stays:
                yield Breach("SC-21", f"lets a claim take {case}, while it imports it")
        elif free and not goes and not _outdid(here, claim, was):
            yield Breach("SC-1", f"does not give {claim.owner} {case}")
        elif not free and not stays:
            yield Breach("SC-1", f"gives {claim.owner} {case}")


def _is_free(here: Situation, claim: Claim, slot: int, owner: ClusterNode | None) -> bool:
    """Whether the table of SC-1 lets the slot go to the claimant."""
    if owner is None or slot in here.before.owner_not_claiming_slot:
        return True
    sent = here.sender is not None and here.sender.node_id == owner.node_id
    epoch = here.merged_epoch if sent else owner.config_epoch
    return epoch < claim.epoch or not here.rules.claims_need_newer_epoch


def _outdid(here: Situation, claim: Claim, owner: ClusterNode | None) -> bool:
    """Whether the receiver, by taking a slot before (SC-25), came to a newer epoch than the claim.

    A claim is gone through slot by slot.
    """
    own = owner is not None and owner.node_id == here.before.myself_id
    newer = here.after.myself.config_epoch >= claim.epoch
    return own and newer and here.tells(Happening.TOOK_IMPORTED)


def _granted(here: Situation, claim: Claim) -> SlotSet:
    """What the receiver granted to the claimant in an atomic migration (SM-33)."""
    granted = NO_SLOTS
    for job in here.before.slot_migrations:
        if job.is_granted and job.target == claim.owner:
            granted |= job.slots
    return granted


def _kept(here: Situation, claim: Claim) -> SlotSet:
    """The slots of a newer claim that a master keeps, as it took slots from there (SC-33)."""
    state, myself = here.before, here.before.myself
    if not here.rules.taken_slots_are_kept or myself.is_replica or not state.taken_from:
        return NO_SLOTS
    if claim.epoch <= myself.config_epoch:
        return NO_SLOTS
    claimant = state.nodes.get(claim.owner)
    taken = NO_SLOTS
    for source, slots in state.taken_from:
        if akin(state.nodes.get(source), claimant):
            taken |= slots
    if akin(claimant, myself):
        taken = NO_SLOTS if claim.new_master or _is_believed(here, claim) else taken
        taken = myself.slots if taken else NO_SLOTS
    on_their_way = SlotSet.of(
        slot for slot, target in state.migrating_slots_to if akin(state.nodes.get(target), claimant)
    )
    return (taken & myself.slots & claim.slots) - on_their_way - _granted(here, claim)


def _is_believed(here: Situation, claim: Claim) -> bool:
    """Whether the epoch of the claim says that somebody wanted the claimant to lead."""
    myself = here.before.myself
    match kind_of(claim.epoch, claim.owner):
        case EpochKind.KEPT:
            return False
        case EpochKind.DEFENDED:
            return kind_of(myself.config_epoch, myself.node_id) is EpochKind.DEFENDED
        case _:
            return True


def defences(here: Situation) -> Iterator[Breach]:
    """SC-33: a newer epoch against a claim on what was taken, and only against one."""
    kept = NO_SLOTS if here.claim is None else _kept(here, here.claim)
    if here.claim is not None and kept and here.after.myself.is_master:
        epoch = here.after.myself.config_epoch
        if epoch <= here.claim.epoch:
            yield Breach(
                "SC-33",
                f"keeps slots {kept} which {here.claim.owner} claims with {here.claim.epoch}, "
                f"and its configEpoch is {epoch}",
            )
    keeps = here.rules.taken_slots_are_kept or here.rules.told_imports_are_kept
    if here.after.taken_from and not keeps:
        yield Breach("SC-33", "notes from whom slots were taken, which its dialect does not")
    for note in here.noticed(Happening.KEPT_TAKEN):
        if not kept:
            yield Breach("SC-33", f"defends itself against {note.subject}, which claims none of it")


def told_of_itself(here: Situation) -> Iterator[Breach]:
    """SC-6, SC-38, SC-40: an UPDATE about the receiver gives back what it was reset from, alone."""
    update, myself = here.message, here.before.myself
    if not isinstance(update, Update) or here.sender is None:
        return
    about = update.subject == myself.node_id
    back = NO_SLOTS
    if about and myself.is_master and here.rules.reset_owners_take_back:
        back = update.slots & here.before.owned_before_reset
    if back - here.after.myself.slots:
        yield Breach("SC-40", f"does not take back slots {back}, which were its own")
    if here.tells(Happening.TOOK_BACK) != bool(back):
        whose = "itself" if about else update.subject
        yield Breach("SC-40", f"takes slots back, or not, by an UPDATE about {whose}")
    old = about and not back and update.config_epoch <= myself.config_epoch
    if old and not here.tells(Refusal.NOTHING_NEW):
        yield Breach("SC-6", "takes in an UPDATE about itself that tells nothing new")


def without_claim(here: Situation) -> Iterator[Breach]:
    """SC-1, SC-17: what a heartbeat or an UPDATE does to slots that no claim is about."""
    if here.sender is None or here.leads or here.before.slot_migrations:
        return
    for was in here.before.nodes:
        if was.node_id not in here.after.nodes:
            continue
        for slot in was.slots - slots_of(here.after, was.node_id):
            now = here.after.owner(slot)
            claimed = here.claim is not None and now is not None and now.node_id == here.claim.owner
            given_up = here.gives_up and here.sender.node_id == was.node_id
            imported = now is not None and now.node_id == here.after.myself_id
            if not (claimed or given_up or (imported and here.tells(Happening.TOOK_IMPORTED))):
                whose = "nobody" if now is None else now.node_id
                yield Breach(
                    "SC-1", f"gives slot {slot} of {was.node_id} to {whose}, and nobody claims it"
                )


def marks(here: Situation) -> Iterator[Breach]:
    """SC-3, SC-36: which slots are marked as not claimed by their owner."""
    if here.sender is None or not here.rules.not_claiming_slots:
        return
    was, now, claim = here.before.owner_not_claiming_slot, here.after.owner_not_claiming_slot, None
    if here.claim is not None and here.claim.owner in here.after.nodes:
        claim = here.claim
        owned = slots_of(here.after, claim.owner)
        told = _told_by_stream(here, claim)
        wrong = ((owned - claim.slots - told) - now) | (now & owned & (claim.slots | told))
        if wrong:
            done = "does not mark" if wrong - now else "marks"
            clause_id = "SC-36" if wrong & told else "SC-3"
            yield Breach(
                clause_id, f"{done} slots {wrong} as not claimed by {claim.owner}, their owner"
            )
    for slot in _bound_anew(here, claim):
        if slot in now and here.rules.binding_clears_not_claiming:
            yield Breach("SC-3", f"leaves the mark on slot {slot}, which is another's now")
        if slot in was and slot not in now and not here.rules.binding_clears_not_claiming:
            yield Breach("SC-3", f"takes the mark from slot {slot}, though no claim did")


def _told_by_stream(here: Situation, claim: Claim) -> SlotSet:
    """What a replica was told that its master took, and has not heard its master claim."""
    told = NO_SLOTS
    if here.rules.told_imports_are_kept and claim.owner == here.before.myself.replicaof:
        for _, slots in here.before.taken_from:
            told |= slots
    return told - claim.slots


def _bound_anew(here: Situation, claim: Claim | None) -> Iterator[int]:
    """The slots that had an owner and have another one or none, but by a claim."""
    for node in here.before.nodes:
        for slot in node.slots - slots_of(here.after, node.node_id):
            now = here.after.owner(slot)
            if claim is None or now is None or now.node_id != claim.owner:
                yield slot


def imports_told(here: Situation) -> Iterator[Breach]:
    """SC-36: a replica need not remember what its master claims itself by now."""
    header = here.heartbeat
    if header is None or not here.listens or header.sender != here.before.myself.replicaof:
        return
    if header.replicaof is not None:
        return  # it is a master no more, and claims nothing itself
    for source, slots in here.after.taken_from:
        if here.after.myself.is_replica and slots & header.slots:
            yield Breach(
                "SC-36",
                f"still notes that slots {slots & header.slots} came from {source}, though its "
                "master claims them",
            )


def updates(here: Situation) -> Iterator[Breach]:
    """SC-4, SC-5, SC-20, SC-39: who is told of a newer owner, of which one, and what."""
    sent = [each.message for each in here.did(Send) if isinstance(each.message, Update)]
    reminders = [update for update in sent if _reminds(here, update)]
    for update in sent:
        if update not in reminders:
            yield from _what_an_update_says(here, update)
    header, sender = here.heartbeat, here.sender
    told = here.tells(Happening.SENT_UPDATE) and not (sent and reminders == sent)
    if header is None or sender is None:
        return
    stale = all(_has_newer(state, header) for state in (here.before, here.after))
    newer = any(_has_newer(state, header) for state in (here.before, here.after))
    is_master = header.replicaof is None
    case = f"{sender.node_id}, which claims slots {header.slots} with {header.config_epoch}"
    if told and not newer:
        yield Breach("SC-4", f"tells {case}, of a newer owner, and there is none")
    if told and not is_master and not here.rules.replicas_are_updated:
        yield Breach("SC-5", f"tells {case}, of a newer owner: a replica")
    if not told and stale and here.listens and here.after.myself_id == here.before.myself_id:
        if is_master:
            yield Breach("SC-4", f"does not tell {case}, of the newer owner")
        elif here.rules.replicas_are_updated and _speaks_for_one(here):
            yield Breach("SC-5", f"does not tell {case}, of the newer owner: a replica")


def _speaks_for_one(here: Situation) -> bool:
    """Whether the replica's claim differs from what its master has, before and after (SC-16)."""
    header = here.heartbeat
    states = (here.before, here.after)
    return header is not None and all(
        state.nodes.get(header.replicaof) is not None
        and slots_of(state, header.replicaof) != header.slots
        for state in states
    )


def _reminds(here: Situation, update: Update) -> bool:
    """Whether the UPDATE tells its receiver of all the slots that are its own here (SC-39)."""
    header, subject = here.heartbeat, here.after.nodes.get(update.subject)
    return (
        here.rules.reset_owners_take_back
        and header is not None
        and subject is not None
        and update.subject == header.sender
        and not header.slots
        and (update.slots, update.config_epoch) == (subject.slots, subject.config_epoch)
    )


def _has_newer(state: ClusterState, header: Header) -> bool:
    claimed = header.slots - state.owner_not_claiming_slot
    return any(
        node.slots & claimed and node.config_epoch > header.config_epoch
        for node in state.nodes
        if node.node_id != header.sender
    )


def _what_an_update_says(here: Situation, update: Update) -> Iterator[Breach]:
    subject = here.after.nodes.get(update.subject)
    if subject is None:
        return
    claimed = subject.slots - here.after.owner_not_claiming_slot
    own = subject.node_id == here.after.myself_id
    if update.slots != claimed or (update.config_epoch != subject.config_epoch and not own):
        yield Breach(
            "SC-20",
            f"tells that {update.subject} has slots {update.slots} with {update.config_epoch}, "
            f"and knows of {claimed} with {subject.config_epoch}",
        )


def keys(here: Situation) -> Iterator[Breach]:
    """SC-27: a master that stays one deletes the keys of what it lost to a claim."""
    was, now, claim = here.before.myself, here.after.myself, here.claim
    if claim is None or here.leads or here.before.slot_migrations:
        return
    lost = was.slots & slots_of(here.after, claim.owner)
    deleted = NO_SLOTS
    for effect in here.did(DeleteKeys):
        deleted |= effect.slots
    if now.is_master and was.is_master and lost - deleted:
        yield Breach("SC-27", f"keeps the keys of slots {lost}, which {claim.owner} took")
    if deleted - lost:
        yield Breach("SC-27", f"deletes the keys of slots {deleted - lost}, which it did not lose")
    if here.tells(Happening.EMPTIED) and (now.slots or not lost):
        yield Breach("SC-27", "tells that it lost its last slot, which is not so")

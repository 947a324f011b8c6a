"""Audits of slots on their way: what claims, roles and following do to migrations and imports."""

from collections.abc import Iterator

import attrs

from model_check.audit.situation import Breach, Claim, Situation, akin, slots_of
from reference.core.effects import Happening
from reference.core.open_slots import OpenSlots
from reference.core.types import NodeId


@attrs.frozen
class Due:
    """To whom a slot is to be open after the step, and by which clause; closed if to nobody."""

    node: NodeId | None
    clause_id: str


def open_slots(here: Situation) -> Iterator[Breach]:
    """SC-22 to SC-25, SC-32: open slots after a header or an UPDATE of a known sender."""
    if here.sender is None:
        return
    before, after = here.before, here.after
    for slot, node in before.importing_slots_from:
        due = _import_due(here, slot, _handed_over(here, node))
        yield from _compared(here, "imports", slot, after.importing_slots_from, due)
    for slot, node in before.migrating_slots_to:
        due = _migration_due(here, slot, _handed_over(here, node))
        yield from _compared(here, "gives away", slot, after.migrating_slots_to, due)
    opened = (after.importing_slots_from.slots - before.importing_slots_from.slots) | (
        after.migrating_slots_to.slots - before.migrating_slots_to.slots
    )
    if opened:
        yield Breach("SC-22", f"opens slots {opened}, which nobody asked for")


def _compared(
    here: Situation, does: str, slot: int, opened: OpenSlots, due: Due
) -> Iterator[Breach]:
    now = opened.get(slot)
    if due.node is not None and due.node not in here.after.nodes:
        return  # it was forgotten
    if now == due.node:
        return
    is_now = "closed" if now is None else f"open to {now}"
    to_be = "closed" if due.node is None else f"open to {due.node}"
    yield Breach(due.clause_id, f"{does} slot {slot}, which is {is_now} and is to be {to_be}")


def _handed_over(here: Situation, node: NodeId) -> Due:
    """The other end, which another node took over if it gave up its role within its shard."""
    stays = Due(node, "SC-32")
    if not here.gives_up or not here.within_shard or not here.listens or here.is_stale:
        return stays
    if here.sender is None or here.sender.node_id != node or here.named is None:
        return stays
    rules, named = here.rules, here.named
    if rules.demoted_keep_no_slots:
        moves = named.node_id != here.before.myself_id
    else:
        spared = rules.role_switch_spares_masters and named.is_master
        moves = rules.role_switch_hands_over and rules.open_slots_follow_claims and not spared
    return Due(named.node_id, "SC-32") if moves else stays


def _import_due(here: Situation, slot: int, source: Due) -> Due:
    claim, rules = here.claim, here.rules
    due = source
    if claim is not None and _is_given_up(here, claim, slot, source.node):
        due = Due(None, "SC-25")
    elif claim is not None and rules.open_slots_follow_claims and _taken_by(here, claim, slot):
        source_node = here.before.nodes.get(source.node)
        claimant = here.before.nodes.get(claim.owner)
        if source.node != claim.owner:
            due = Due(claim.owner if akin(source_node, claimant) else None, "SC-22")
    return _when_following(here, due)


def _migration_due(here: Situation, slot: int, target: Due) -> Due:
    claim, rules = here.claim, here.rules
    due = target
    if claim is not None and rules.open_slots_follow_claims:
        claimant = here.before.nodes.get(claim.owner)
        if _taken_by(here, claim, slot):
            due = target if akin(claimant, here.before.myself) else Due(None, "SC-22")
        elif slot not in claim.slots and _is_replaced(here, claim, target.node):
            due = Due(claim.owner, "SC-23")
        else:
            due = Due(target.node, "SC-23")
    return _when_following(here, due)


def _is_given_up(here: Situation, claim: Claim, slot: int, source: NodeId | None) -> bool:
    """Whether a master imports the slot from the claimant, which no longer claims it (SC-25)."""
    master = here.before.myself.is_master and here.rules.importing_slots_are_claimed
    return master and source == claim.owner and slot not in claim.slots


def _taken_by(here: Situation, claim: Claim, slot: int) -> bool:
    """Whether the slot went to the claimant in this step."""
    had, has = slots_of(here.before, claim.owner), slots_of(here.after, claim.owner)
    return slot in has - had


def _is_replaced(here: Situation, claim: Claim, target: NodeId | None) -> bool:
    """Whether the claimant took the place of the target, as the table of SC-23 has it."""
    node, claimant = here.before.nodes.get(target), here.before.nodes.get(claim.owner)
    if node is None or node.node_id == claim.owner or not akin(node, claimant):
        return False
    return node.is_replica or node.config_epoch < claim.epoch


def _when_following(here: Situation, due: Due) -> Due:
    """SC-24: a node that becomes a replica has no open slots, but by a claim in its shard."""
    if not here.followed:
        return due
    if not here.rules.open_slots_follow_claims:
        return Due(None, "SC-24") if here.before.myself.is_master else due
    claim = here.claim
    claimant = None if claim is None else here.before.nodes.get(claim.owner)
    by_claim = claim is not None and here.after.myself.replicaof == claim.owner
    return due if by_claim and akin(claimant, here.before.myself) else Due(None, "SC-24")


def following_elsewhere(here: Situation) -> Iterator[Breach]:
    """SC-24: a node that becomes a replica of its own accord, or by a command, closes them."""
    if here.message is not None or not here.followed:
        return
    left = here.after.importing_slots_from.slots | here.after.migrating_slots_to.slots
    closes = here.rules.open_slots_follow_claims or here.before.myself.is_master
    if left and closes:
        yield Breach("SC-24", f"follows {here.after.myself.replicaof} with slots {left} open")


def imported(here: Situation) -> Iterator[Breach]:
    """SC-25: an importer takes the slots that their owner gave up, with an epoch for them."""
    claim = here.claim
    given_up = [
        slot
        for slot, source in here.before.importing_slots_from
        if claim is not None and _is_given_up(here, claim, slot, source)
    ]
    mine = here.after.myself.slots
    for slot in given_up:
        if slot not in mine and not here.followed:
            yield Breach("SC-25", f"does not take slot {slot}, which it imports and nobody claims")
    new = [slot for slot in given_up if slot not in here.before.myself.slots and slot in mine]
    if here.tells(Happening.TOOK_IMPORTED) and not new:
        yield Breach("SC-25", "takes slots that it did not import, or that are still claimed")
    others = [node.config_epoch for node in here.after.nodes]
    if new and not here.followed and here.after.myself.config_epoch < max(others):
        yield Breach("SC-25", f"takes slot {new[0]} with a configEpoch that others surpass")

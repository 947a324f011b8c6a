"""Audits of following: when a node becomes a replica of another, and what that ends."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Claim, Situation, akin, shard_epoch, slots_of
from reference.core.effects import Broadcast, Happening, PausePurpose, ResumeWrites, SaveConfig
from reference.core.messages import Pong
from reference.core.types import NodeId


def by_claims(here: Situation) -> Iterator[Breach]:
    """SC-7, SC-8, SC-9, SC-26: whom a node follows whose shard lost slots, or had none."""
    claim = here.claim
    if claim is None or here.leads or claim.owner not in here.after.nodes:
        return
    follows = here.followed and here.after.myself.replicaof == claim.owner
    left = slots_of(here.after, here.leader.node_id)
    lost = here.lost
    if lost and not left:
        may = _may_follow(here, claim)
        if may and not follows:
            yield Breach("SC-7", f"does not follow {claim.owner}, which took its shard's last slot")
        if follows and not may and not _has_other_reason(here):
            yield Breach("SC-26", f"follows {claim.owner} out of its shard")
    elif lost and follows and not _has_other_reason(here):
        yield Breach("SC-8", f"follows {claim.owner}, though its shard has slots {left} left")
    elif not lost:
        yield from _without_slots(here, claim, follows=follows)


def _may_follow(here: Situation, claim: Claim) -> bool:
    """The table of SC-26."""
    if here.before.settings.allow_replica_migration:
        return True
    if here.rules.only_own_shard_is_followed:
        return akin(here.before.nodes.get(claim.owner), here.before.myself)
    return here.lost == claim.slots


def _without_slots(here: Situation, claim: Claim, *, follows: bool) -> Iterator[Breach]:
    """SC-9: a shard without slots, and a master that claims none with a larger config_epoch."""
    empty = not (claim.slots or here.leader.slots or here.after.myself.slots)
    newer = shard_epoch(here.before, here.before.myself) < claim.epoch
    own = akin(here.before.nodes.get(claim.owner), here.before.myself)
    asked = here.rules.empty_shard_follows and empty and newer and own
    if asked and not follows:
        yield Breach("SC-9", f"does not follow {claim.owner}, the newest master of its shard")
    if follows and not asked and not _has_other_reason(here):
        yield Breach("SC-9", f"follows {claim.owner}, which took none of its shard's slots")


def _has_other_reason(here: Situation) -> bool:
    """Whether it follows by SC-13 or SC-34, which ask for no claim."""
    now = here.after.myself.replicaof
    master = here.after.nodes.get(here.before.myself.replicaof)
    chained = master is not None and master.replicaof == now
    return chained or _is_own_shards_master(here, now)


def _is_own_shards_master(here: Situation, node_id: NodeId | None) -> bool:
    """SC-34: whether a master without slots was replaced by this one, within its shard."""
    myself, leader = here.before.myself, here.after.nodes.get(node_id)
    return (
        here.rules.empty_master_follows_shard
        and here.heartbeat is not None
        and here.listens
        and here.heartbeat.sender == node_id
        and (myself.is_master or here.tells(Happening.FOLLOWED))
        and leader is not None
        and leader.is_master
        and akin(leader, myself)
        and leader.config_epoch > myself.config_epoch
    )


def own_shard(here: Situation) -> Iterator[Breach]:
    """SC-34: a master without slots does not stay one beside the master of its shard."""
    sender = None if here.heartbeat is None else here.heartbeat.sender
    myself, leader = here.after.myself, here.after.nodes.get(sender)
    if not here.rules.empty_master_follows_shard or not here.listens or leader is None:
        return
    newer = leader.is_master and leader.config_epoch > myself.config_epoch
    if newer and myself.is_master and not myself.slots and akin(leader, myself):
        yield Breach("SC-34", f"does not follow {leader.node_id}, the master of its shard")


def chains(here: Situation) -> Iterator[Breach]:
    """SC-13: whose master is known as a replica of a third node follows that one."""
    if here.sender is None or here.leads:
        return
    master = here.after.nodes.get(here.before.myself.replicaof)
    third = None if master is None else here.after.nodes.get(master.replicaof)
    now = here.after.nodes.get(here.sender.node_id)
    if here.rules.sub_replica_guard_at_role_change:
        named = here.named is not None and here.listens
        changed = named and now is not None and now.replicaof != here.sender.replicaof
    else:
        changed = here.claim is not None
    if third is None or master is None or third.node_id == here.before.myself_id or not changed:
        return
    if here.after.myself.replicaof == master.node_id:
        yield Breach("SC-13", f"stays with {master.node_id}, a replica of {third.node_id}")


def without_reason(here: Situation) -> Iterator[Breach]:
    """SC-8: a message makes a node a replica by SC-7, SC-9, SC-13 or SC-34, and else not."""
    now = here.after.myself
    if here.sender is None or not here.followed or not now.is_replica:
        return
    claim = here.claim
    if claim is not None and now.replicaof == claim.owner:
        return  # the others judge it
    if not _has_other_reason(here):
        yield Breach("SC-8", f"follows {now.replicaof}, for which there is no reason")


def changes(here: Situation) -> Iterator[Breach]:
    """SC-14, SC-31: what a node is, saves and tells that began to follow a master."""
    if not here.followed:
        return
    myself, master = here.after.myself, here.after.my_master
    if myself.is_master or myself.slots:
        yield Breach("SC-14", "follows another, and is a master or has slots")
    in_shard = master is not None and here.rules.shards and master.shard_id is not None
    if in_shard and not akin(master, myself):
        yield Breach("SC-14", f"follows {myself.replicaof}, and is not of its shard")
    if here.rules.shards and myself.shard_id is None and here.before.myself.shard_id is not None:
        yield Breach("SC-31", f"follows {myself.replicaof}, and is of no shard any more")
    if not any(save.fsync for save in here.did(SaveConfig)):
        yield Breach("SC-14", f"follows {myself.replicaof}, and does not save that")
    told = any(isinstance(sent.message, Pong) for sent in here.did(Broadcast))
    bumped = here.tells(Happening.EPOCH_COLLISION, Happening.NEW_EPOCH, Happening.KEPT_TAKEN)
    if told != here.rules.role_change_is_broadcast and not (bumped or here.leads):
        does = "tells all at once" if told else "does not tell all at once"
        yield Breach("SC-14", f"{does} that it follows {myself.replicaof}")


def manual_failovers(here: Situation) -> Iterator[Breach]:
    """SC-30, MF-10: following ends a manual failover, and clients go on when one is over."""
    was, now = here.before.manual_failover, here.after.manual_failover
    if here.followed and now is not None:
        yield Breach("SC-30", f"follows {here.after.myself.replicaof} in a manual failover")
    purposes = [each.purpose for each in here.did(ResumeWrites)]
    resumed = PausePurpose.FAILOVER in purposes
    paused = was is not None and was.replica is not None
    if resumed and not paused:
        yield Breach("SC-30", "lets clients write, which it had not paused")
    if paused and now is None and not resumed:
        yield Breach("SC-30", "does not let the clients write that it had paused")

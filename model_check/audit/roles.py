"""Audits of roles: what a heartbeat makes of its sender, of whom it names, and of their slots."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Situation, akin, shard_epoch
from reference.core.effects import Refusal
from reference.core.messages import Header, Update
from reference.core.nodes import ClusterNode
from reference.core.types import NodeId, ShardId


def senders(here: Situation) -> Iterator[Breach]:
    """SC-10, SC-11, SC-19: the role of the sender, and its master."""
    header, was = here.heartbeat, here.sender
    now = None if was is None else here.after.nodes.get(was.node_id)
    if header is None or was is None or now is None or not here.listens:
        return
    if header.replicaof is None and not now.is_master:
        yield Breach("SC-10", f"has {was.node_id}, which says that it is a master, as a replica")
    if header.replicaof is None:
        return
    if now.is_master:
        yield Breach("SC-11", f"has {was.node_id}, which names a master, as a master")
    if here.named is not None and here.named.node_id not in here.after.nodes:
        return
    wanted = was.replicaof if here.named is None else here.named.node_id
    if now.replicaof != wanted and (wanted is None or wanted in here.after.nodes):
        yield Breach(
            "SC-19", f"has {was.node_id} as a replica of {now.replicaof}, which names {wanted}"
        )


def staleness(here: Situation) -> Iterator[Breach]:
    """SC-12, SC-28, HB-17: which heartbeats are too old, and that nothing is taken from them."""
    too_old = here.is_old and here.rules.old_headers_are_ignored
    if here.heartbeat is None or here.sender is None:
        return
    told = here.tells(Refusal.STALE_ROLE_SWITCH)
    stale = here.is_stale and not too_old
    if told != stale:
        does = "takes" if told else "does not take"
        yield Breach(
            "SC-28",
            f"{does} the word of {here.sender.node_id}, which gives up its role to "
            f"{here.heartbeat.replicaof} with {here.heartbeat.config_epoch}, as stale",
        )
    if here.listens:
        return
    for was in here.before.nodes:
        now = here.after.nodes.get(was.node_id)
        same = now is not None and _table_of(was) == _table_of(now)
        if not same and not here.leads:
            clause_id = "HB-17" if too_old else "SC-12"
            yield Breach(
                clause_id,
                f"changes the role or the slots of {was.node_id} by a heartbeat of "
                f"{here.sender.node_id} that is too old",
            )


def _table_of(node: ClusterNode) -> tuple[object, ...]:
    return node.role, node.replicaof, node.slots


def demotions(here: Situation) -> Iterator[Breach]:
    """SC-11, SC-12, SC-18, SC-29, SC-35: the slots of a master that gives up its role."""
    header, sender = here.heartbeat, here.sender
    if header is None or sender is None or not here.gives_up or not here.listens or here.leads:
        return
    heir, clause_id = _heir(here)
    known = {node.node_id for node in here.after.nodes}
    if heir is not None and heir not in known:
        return
    for slot in sender.slots:
        named = not here.rules.demoted_keep_no_slots or slot in header.slots
        keeps = heir == sender.node_id
        wanted = heir if named or keeps else None
        owner = here.after.owner(slot)
        now = None if owner is None else owner.node_id
        if now != wanted:
            yield Breach(
                clause_id,
                f"gives slot {slot} of {sender.node_id}, which gives up its role to "
                f"{header.replicaof}, to {now or 'nobody'} instead of {wanted or 'nobody'}",
            )


def _heir(here: Situation) -> tuple[NodeId | None, str]:
    """Who has the slots of a master that gives up its role, and by which clause."""
    rules, sender, named = here.rules, here.sender, here.named
    if sender is None or named is None or not here.within_shard:
        return None, "SC-11"
    if here.is_stale:
        return sender.node_id, "SC-12"
    if rules.demoted_keep_no_slots:
        return (None if named.node_id == here.before.myself_id else named.node_id), "SC-35"
    if rules.role_switch_spares_masters and named.is_master:
        return sender.node_id, "SC-29"
    return (named.node_id if rules.role_switch_hands_over else sender.node_id), "SC-18"


def named_masters(here: Situation) -> Iterator[Breach]:
    """SC-29, SC-35, SC-37: what the node is that a sender names as its master."""
    header, was = here.heartbeat, here.named
    now = None if was is None else here.after.nodes.get(was.node_id)
    if header is None or was is None or now is None or not here.listens or here.leads:
        return
    wanted, epoch, clause_id = _named_is(here, header, was)
    itself = was.node_id == here.before.myself_id
    if wanted and not now.is_master:
        yield Breach(clause_id, f"has {was.node_id}, which a replica names, as a replica")
    if not wanted and now.is_master and was.is_replica:
        yield Breach(clause_id, f"makes {was.node_id} a master by the word of another")
    if epoch is not None and now.config_epoch != epoch and not (itself and was.is_master):
        yield Breach(
            clause_id,
            f"has {now.config_epoch} as the configEpoch of {was.node_id}, instead of {epoch}",
        )


def _named_is(here: Situation, header: Header, named: ClusterNode) -> tuple[bool, int | None, str]:
    """Whether it is to be a master by this, its configEpoch then, and by which clause."""
    rules = here.rules
    itself = named.node_id == here.before.myself_id
    gives_up = here.gives_up and here.within_shard and not here.is_stale
    if gives_up and rules.demoted_keep_no_slots:
        epoch = max(named.config_epoch, header.config_epoch)
        return (False, named.config_epoch, "SC-35") if itself else (True, epoch, "SC-35")
    if gives_up and not (rules.role_switch_spares_masters and named.is_master):
        return True, header.config_epoch, "SC-29"
    known = max(named.config_epoch, shard_epoch(here.before, named))
    anew = here.sender is not None and here.sender.replicaof != named.node_id
    believed = anew and not itself and header.config_epoch >= known
    if rules.named_masters_are_masters:
        return believed, named.config_epoch, "SC-37"
    return False, named.config_epoch, "SC-29"


def others(here: Situation) -> Iterator[Breach]:
    """SC-15, SC-19: nobody's role changes but that of whom the message is about."""
    if here.sender is None:
        return
    about: set[NodeId | None] = {here.sender.node_id, here.before.myself_id}
    if here.named is not None:
        about.add(here.named.node_id)
    if isinstance(here.message, Update):
        about.add(here.message.subject)
    for was in here.before.nodes:
        now = here.after.nodes.get(was.node_id)
        if now is None:
            continue
        if now.is_master and now.replicaof is not None:
            yield Breach("SC-15", f"has {was.node_id} as a master with a master")
        changed = (was.role, was.replicaof) != (now.role, now.replicaof)
        forgotten = now.replicaof is None and here.after.nodes.get(was.replicaof) is None
        if changed and was.node_id not in about and not forgotten:
            yield Breach("SC-19", f"changes the role of {was.node_id}, which nothing was said of")


def updated(here: Situation) -> Iterator[Breach]:
    """SC-6, SC-38: the subject of an UPDATE that tells something new is a master."""
    update = here.message
    if not isinstance(update, Update) or here.sender is None:
        return
    was, now = here.before.nodes.get(update.subject), here.after.nodes.get(update.subject)
    if was is None or now is None or was.node_id == here.before.myself_id:
        return
    refused = here.tells(Refusal.NOTHING_NEW)
    if here.claim is not None and (refused or not now.is_master):
        yield Breach("SC-6", f"does not take in an UPDATE about {update.subject}")
    if here.claim is None and not refused:
        yield Breach("SC-6", f"takes in an UPDATE about {update.subject} that tells nothing new")
    if here.claim is None and was.is_replica and now.is_master:
        yield Breach("SC-6", f"makes {update.subject} a master by an UPDATE that is old")


def shards(here: Situation) -> Iterator[Breach]:
    """HB-9, SC-31: to which shard the sender of a heartbeat belongs, and who goes with it."""
    header, was = here.heartbeat, here.sender
    if header is None or was is None or not here.listens:
        return
    now, myself = here.after.nodes.get(was.node_id), here.after.myself
    if now is None:
        return
    wanted = _shard_of(here, header, now) if here.rules.shards else was.shard_id
    if now.shard_id != (wanted or was.shard_id):
        yield Breach("HB-9", f"has {was.node_id} in shard {now.shard_id} instead of {wanted}")
    follows = here.rules.shards and myself.replicaof == now.node_id and now.shard_id is not None
    if follows and not akin(now, myself):
        yield Breach("SC-31", f"is not in the shard of {now.node_id}, which it follows")


def _shard_of(here: Situation, header: Header, sender: ClusterNode) -> ShardId | None:
    """That of its master for a replica, else what it says."""
    master = here.after.nodes.get(sender.replicaof)
    if master is None:
        return header.shard_id
    if here.rules.replica_shard_must_agree:
        return master.shard_id or header.shard_id
    return header.shard_id or master.shard_id

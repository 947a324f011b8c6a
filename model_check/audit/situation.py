"""A step as an audit sees it: a node before and after, what it was told and what it then did.

Nothing of the core is asked but its values. What a heartbeat or an UPDATE claims, and whether it is
too old to be looked at, is made out here anew from the words of the clauses.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar, cast

import attrs

from model_check.models.cluster import Process
from model_check.models.of_node import Age
from model_check.trace import TraceStep
from reference.core.effects import Effect, Happening, Notice, Refusal, SaveConfig
from reference.core.events import HeartbeatDue
from reference.core.messages import Header, Heartbeat, Message, Update
from reference.core.nodes import ClusterNode
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState
from reference.core.types import Epoch, NodeId

E = TypeVar("E")


@attrs.frozen
class Breach:
    """A rule that a step does not keep."""

    clause_id: str
    text: str  # what happened against it, in words that follow the name of the node


@attrs.frozen(kw_only=True)
class Claim:
    """Slots that a header or an UPDATE claims for another node than the receiver."""

    owner: NodeId
    epoch: Epoch
    slots: SlotSet
    new_master: bool  # the owner was known as a replica until now


@attrs.frozen(kw_only=True)
class Situation:
    """A node before and after a step, and the message that it received or the event it had."""

    rules: Rules  # of the dialect, with nothing turned off
    before: ClusterState
    after: ClusterState
    effects: tuple[Effect, ...]  # in order
    message: Message | None
    event: object  # of the node's own, None if it received a message
    ages: frozenset[Age] = frozenset()  # what time has, or has not, done to the node before
    saved: ClusterState | None = None  # what a restart finds, if the step saved and it may crash

    def noticed(self, *what: Happening | Refusal) -> Iterator[Notice]:
        """The notices of these kinds."""
        for effect in self.effects:
            if isinstance(effect, Notice) and effect.what in what:
                yield effect

    def tells(self, *what: Happening | Refusal) -> bool:
        """Whether there is a notice of one of these kinds."""
        return any(True for _ in self.noticed(*what))

    def did(self, kind: type[E]) -> list[E]:
        """The effects of this kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def header(self) -> Header | None:
        """That of the message."""
        return None if self.message is None else self.message.header

    @cached_property
    def sender(self) -> ClusterNode | None:
        """The entry of a known sender before the step; it is not the receiver itself."""
        if self.header is None or self.header.sender == self.before.myself_id:
            return None
        return self.before.known(self.header.sender)

    @cached_property
    def merged_epoch(self) -> Epoch:
        """The configEpoch that the sender has once its header is merged (EP-2, EP-3)."""
        if self.sender is None or self.header is None:
            return 0
        known = self.sender.config_epoch
        counts = self.header.replicaof is None or self.rules.config_epoch_from_replicas
        return max(known, self.header.config_epoch) if counts else known

    @cached_property
    def heartbeat(self) -> Header | None:
        """The header of a heartbeat of a known sender at whose address nobody else answered."""
        cut_short = (Refusal.SENDER_MISMATCH, Refusal.ALREADY_MET, Happening.MET)
        if self.sender is None or not isinstance(self.message, Heartbeat) or self.tells(*cut_short):
            return None
        return self.message.header

    @cached_property
    def is_old(self) -> bool:
        """Whether the sender had a newer epoch when it sent the heartbeat (HB-17)."""
        if self.heartbeat is None or self.sender is None:
            return False
        return self.heartbeat.current_epoch < max(self.merged_epoch, self.sender.told_epoch)

    @cached_property
    def named(self) -> ClusterNode | None:
        """The master, as it was known before the step, that the sender of a heartbeat names."""
        return None if self.heartbeat is None else self.before.nodes.get(self.heartbeat.replicaof)

    @cached_property
    def gives_up(self) -> bool:
        """Whether the sender of the heartbeat was known as a master, and names one."""
        return (
            self.heartbeat is not None
            and self.heartbeat.replicaof is not None
            and self.sender is not None
            and self.sender.is_master
        )

    @cached_property
    def within_shard(self) -> bool:
        """Whether it names a master of its own shard."""
        return self.named is not None and self.sender is not None and akin(self.named, self.sender)

    @cached_property
    def is_stale(self) -> bool:
        """Whether a role is given up by a header older than what is known of the shard (SC-28)."""
        if not self.gives_up or not self.within_shard or self.heartbeat is None:
            return False
        told = self.heartbeat.config_epoch
        by_sender = shard_epoch(self.before, self.sender) > told
        by_master = shard_epoch(self.before, self.named) > told
        return (self.rules.role_switch_heeds_sender and by_sender) or (
            self.rules.role_switch_heeds_master and by_master
        )

    @cached_property
    def listens(self) -> bool:
        """Whether roles, claims and gossip of the heartbeat are to be taken in."""
        ignored = self.is_stale and self.rules.stale_role_switch_is_ignored
        too_old = self.is_old and self.rules.old_headers_are_ignored
        return self.heartbeat is not None and not ignored and not too_old

    @cached_property
    def claim(self) -> Claim | None:
        """The claim that is to be looked at (SC-6, SC-16, SC-38)."""
        claim = self._of_update() if isinstance(self.message, Update) else self._of_header()
        return None if claim is None or claim.owner == self.before.myself_id else claim

    def _of_header(self) -> Claim | None:
        header, sender = self.heartbeat, self.sender
        if header is None or sender is None or header.replicaof is not None or not self.listens:
            return None
        new_master = sender.is_replica
        always = new_master and not self.rules.replicas_are_updated
        if not always and sender.slots == header.slots:
            return None
        return Claim(
            owner=sender.node_id,
            epoch=header.config_epoch,
            slots=header.slots,
            new_master=new_master,
        )

    def _of_update(self) -> Claim | None:
        update = self.message
        if not isinstance(update, Update) or self.sender is None:
            return None
        subject = self.before.nodes.get(update.subject)
        if subject is None:
            return None
        own = subject.node_id == self.sender.node_id
        known = self.merged_epoch if own else subject.config_epoch
        reminded = self.rules.reset_owners_take_back and subject.node_id == self.before.myself_id
        same = update.config_epoch == known and self.rules.updates_add_slots and not reminded
        adds = same and bool(update.slots - subject.slots)
        if update.config_epoch <= known and not adds:
            return None
        return Claim(
            owner=subject.node_id,
            epoch=update.config_epoch,
            slots=update.slots,
            new_master=subject.is_replica,
        )

    @cached_property
    def leader(self) -> ClusterNode:
        """Whose slots the node was there for: its master's, else its own."""
        return self.before.my_master or self.before.myself

    @cached_property
    def lost(self) -> SlotSet:
        """The slots that its leader had and has no more."""
        return self.leader.slots - slots_of(self.after, self.leader.node_id)

    @cached_property
    def moved_to(self) -> NodeId | None:
        """The master whose replica the node is by this step."""
        was, now = self.before.myself, self.after.myself
        if was.node_id != now.node_id or now.is_master:
            return None
        changed = was.is_master or was.replicaof != now.replicaof
        return now.replicaof if changed else None

    @cached_property
    def followed(self) -> bool:
        """Whether it began to follow a master, be it one that it followed already."""
        return self.moved_to is not None or self.tells(Happening.FOLLOWED)

    @cached_property
    def leads(self) -> bool:
        """Whether it took the place of its master."""
        return self.tells(Happening.WON_ELECTION, Happening.TOOK_OVER)


Audit = Callable[[Situation], Iterator[Breach]]
"""A judge of steps."""


def situation_of(step: TraceStep, rules: Rules) -> Situation | None:
    """The step as audits see it; None if the node does not run, or only tells what it knows."""
    before, after = step.before, step.after
    if before is after and isinstance(step.event, HeartbeatDue):
        return None
    if not (isinstance(before, Process) and isinstance(after, Process)):
        return None
    if before.state is None or after.state is None:
        return None
    message = step.message if isinstance(step.message, Message) else None
    saves = any(isinstance(note, SaveConfig) for note in step.notes) and not after.unsaved
    return Situation(
        rules=rules,
        before=before.state,
        after=after.state,
        effects=cast("tuple[Effect, ...]", step.notes),
        message=message,
        event=step.event if step.kind == "move" else None,
        ages=before.ages,
        saved=after.saved if saves else None,
    )


def akin(one: ClusterNode | None, other: ClusterNode | None) -> bool:
    """Whether both are known to be of one shard."""
    if one is None or other is None or one.shard_id is None:
        return False
    return one.shard_id == other.shard_id


def shard_epoch(state: ClusterState, node: ClusterNode | None) -> Epoch:
    """The configEpoch of a master, or of the master that a replica has, if that one is known."""
    if node is None:
        return 0
    return (state.nodes.get(node.replicaof) or node).config_epoch


def slots_of(state: ClusterState, node_id: NodeId | None) -> SlotSet:
    """What is bound to the node, nothing if it is not known."""
    node = state.nodes.get(node_id)
    return NO_SLOTS if node is None else node.slots


def votes(node: ClusterNode) -> bool:
    """Whether it is a master with a slot."""
    return node.is_master and bool(node.slots)


def unfounded(
    here: Situation,
    subject: NodeId,
    refuses: str,
    why_not: Mapping[Refusal, tuple[str, bool]],
    numbers: str = "",
) -> Iterator[Breach]:
    """A refusal of one of these kinds whose reason does not hold."""
    for note in here.noticed(*why_not):
        reason = note.what
        if note.subject != subject or not isinstance(reason, Refusal):
            continue
        clause_id, holds = why_not[reason]
        if not holds:
            known = f" ({numbers})" if numbers else ""
            whom = "" if subject == here.before.myself_id else f" of {subject}"
            if refuses == "refuses its vote":
                whom = f" to {subject}"
            text = f"{refuses}{whom} because {reason.value}, which is not so{known}"
            yield Breach(clause_id, text)

"""Audits of elections: who stands, who wins what, and what ends an election."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Situation, unfounded, votes
from reference.core.effects import Broadcast, DeleteKeys, Happening, Notice, Refusal, SaveConfig
from reference.core.events import ClusterReset, ElectionDue, ElectionExpired
from reference.core.messages import FailoverAuthRequest, Pong
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.timers import timers
from reference.core.types import Health, NodeId


def standing(here: Situation) -> Iterator[Breach]:
    """EL-1, EL-2, EL-3, EL-19, EL-26: who stands, when, and for which epoch."""
    if here.message is None or here.tells(Happening.STARTED_ELECTION):
        yield from _stands(here)
    waits = here.after.election is None and may_stand(here.after, here.rules)
    if waits and ElectionDue() not in timers(here.after):
        yield Breach("EL-1", "may stand for election, and never does: none is due")


def _stands(here: Situation) -> Iterator[Breach]:
    """What is against it, and what a candidate does besides."""
    state = here.before
    by_hand = state.manual_failover_can_start
    master = state.my_master
    too_old = isinstance(here.event, ElectionDue) and here.event.data_too_old
    why_not = {
        Refusal.NOT_A_REPLICA: ("EL-1", not state.myself.is_replica),
        Refusal.MASTER_UNKNOWN: ("EL-1", state.myself.is_replica and master is None),
        Refusal.MASTER_NOT_FAILED: (
            "EL-26" if by_hand else "EL-1",
            master is not None and master.health is not Health.FAIL and not by_hand,
        ),
        Refusal.NO_FAILOVER: (
            "EL-26" if by_hand else "EL-1",
            state.myself.nofailover and not by_hand,
        ),
        Refusal.DATA_TOO_OLD: ("EL-26" if by_hand else "EL-2", too_old and not by_hand),
        Refusal.MASTER_WITHOUT_SLOTS: (
            "EL-1",
            master is not None and not master.slots and not here.rules.empty_master_is_replaced,
        ),
        Refusal.ELECTION_RUNNING: ("EL-19", state.election is not None),
    }
    for note in here.noticed(Happening.STARTED_ELECTION):
        for reason, (clause_id, holds) in why_not.items():
            if holds:
                yield Breach(clause_id, f"stands for election, though {reason.value}")
        if note.epoch is not None and note.epoch <= state.current_epoch:
            yield Breach(
                "EL-3", f"stands for epoch {note.epoch}, and knew {state.current_epoch} already"
            )
        yield from _request(here, note)
    yield from unfounded(here, state.myself_id, "does not stand", why_not)


def may_stand(state: ClusterState, rules: Rules) -> bool:
    """Whether there is a master to be replaced by this node: a failed one, or by an operator."""
    myself, master = state.myself, state.my_master
    if myself.is_master or master is None:
        return False
    fit = not myself.nofailover and master.health is Health.FAIL
    return (fit or state.manual_failover_can_start) and (
        bool(master.slots) or rules.empty_master_is_replaced
    )


def _request(here: Situation, note: Notice) -> Iterator[Breach]:
    """EL-3, EL-22, EL-23: what a candidate remembers, saves, and asks for."""
    epoch, election = here.after.current_epoch, here.after.election
    if election is not None and not note.epoch == epoch == election.failover_auth_epoch:
        yield Breach("EL-3", f"stands for epoch {note.epoch}, and its currentEpoch is {epoch} then")
    asked = [
        sent.message
        for sent in here.did(Broadcast)
        if isinstance(sent.message, FailoverAuthRequest)
    ]
    if len(asked) != 1 or not _saves_durably(here):
        yield Breach("EL-3", "stands for election, and does not save that and ask all for votes")
        return
    state = here.before
    followers = (node for node in state.nodes if node.replicaof == state.myself.replicaof)
    agreed = all(node.my_master_failed for node in followers)
    first = isinstance(here.event, ElectionDue) and here.event.best_ranked
    by_hand = state.manual_failover is not None
    may_force = by_hand or (here.rules.best_ranked_goes_first and first and agreed)
    if asked[0].force_ack != may_force:
        does = "does not force" if may_force else "forces"
        yield Breach("EL-22" if by_hand else "EL-23", f"{does} the votes that it asks for")


def _saves_durably(here: Situation) -> bool:
    return any(save.fsync for save in here.did(SaveConfig))


def winning(here: Situation) -> Iterator[Breach]:
    """EL-12, EL-13: a majority wins, and nothing less, and what it wins."""
    if here.leads:
        yield from _prize(here)
    if not here.rules.majority_wins:
        return
    if here.tells(Happening.WON_ELECTION):
        yield from _majority(here)
    election = here.after.election
    if here.leads or election is None or not may_stand(here.after, here.rules):
        return
    count = len(election.voters) + election.late_votes
    masters = sum(map(votes, here.after.nodes))
    if count * 2 > masters:
        yield Breach(
            "EL-12",
            f"has {count} of the votes of {masters} masters, which is a majority, and does not "
            "become master",
        )


def _majority(here: Situation) -> Iterator[Breach]:
    """EL-12: what a winner needs."""
    running, put_off = here.before.election, here.before.last_election
    counted = {note.subject for note in here.noticed(Happening.COUNTED_VOTE)}
    voters = (frozenset() if running is None else running.voters) | counted
    late = sum(each.late_votes for each in (running, put_off) if each is not None)
    masters = sum(map(votes, here.before.nodes))
    count = len(voters) + late
    if count * 2 <= min(masters, sum(map(votes, here.after.nodes))):
        yield Breach(
            "EL-12",
            f"has {count} of the votes of {masters} masters ({_names(voters)}), which is no "
            "majority, and becomes master",
        )


def _prize(here: Situation) -> Iterator[Breach]:
    """EL-13, EL-25: what the winner is, has, saves, tells and deletes."""
    winner, replaced = here.after.myself, here.before.my_master
    won = [note.epoch for note in here.noticed(Happening.WON_ELECTION)]
    epoch = won[0] if won else None
    if not winner.is_master:
        yield Breach("EL-13", "wins, and is no master then")
    if epoch is not None and winner.config_epoch < epoch:
        yield Breach(
            "EL-13", f"wins epoch {epoch}, and its configEpoch is {winner.config_epoch} then"
        )
    if replaced is not None and replaced.slots - winner.slots:
        yield Breach("EL-13", f"wins, and does not have all slots of {replaced.node_id} then")
    told = any(isinstance(sent.message, Pong) for sent in here.did(Broadcast))
    if here.effects and not (told and _saves_durably(here)):
        yield Breach("EL-13", "wins, and does not save that and tell all")
    deleted = NO_SLOTS
    for effect in here.did(DeleteKeys):
        deleted |= effect.slots
    others = NO_SLOTS
    for node in here.after.nodes:
        others |= node.slots
    foreign = others - winner.slots
    wanted = foreign if here.rules.winner_deletes_keys else NO_SLOTS
    if deleted != wanted:
        yield Breach("EL-25", f"wins, and deletes its keys of slots {deleted or 'of nobody'}")


def ending(here: Situation) -> Iterator[Breach]:
    """EL-14, EL-16, EL-17, EL-24, MF-8: what ends an election, and that nothing else does."""
    election = here.before.election
    if election is None or here.before.myself_id != here.after.myself_id:
        return
    why = dict(_reasons_to_end(here))
    now = here.after.election
    epoch = election.failover_auth_epoch
    going_on = now is not None and now.failover_auth_epoch == epoch
    for clause_id, reason in why.items():
        if going_on and reason:
            yield Breach(clause_id, f"goes on with its election of epoch {epoch}, though {reason}")
    if not going_on and not why:
        told = [
            clause_id
            for clause_id, found in (
                ("EL-14", here.tells(Happening.ELECTION_RESET)),
                ("EL-16", here.followed),
                ("EL-24", here.leads),
                ("MF-8", here.tells(Happening.MANUAL_FAILOVER_CAN_START)),
            )
            if found
        ]
        clause_id = told[0] if told else "EL-17"
        yield Breach(clause_id, f"gives up its election of epoch {epoch}, which nothing has ended")


def _reasons_to_end(here: Situation) -> Iterator[tuple[str, str]]:
    """The clauses by which the election that ran before ends in this step, and why."""
    rules, election = here.rules, here.before.election
    if election is None:
        return
    if rules.election_reset_by_newer_master and _outdone_by(here) is not None:
        yield "EL-14", f"{_outdone_by(here)} has a newer configEpoch"
    if rules.election_ends_with_role_change and here.followed:
        yield "EL-16", f"it follows {here.after.myself.replicaof} now"
    if rules.election_ends_with_win and here.leads:
        yield "EL-24", "it has won"
    if isinstance(here.event, ElectionExpired):
        yield "EL-17", "its time is over"
    can_start = here.tells(Happening.MANUAL_FAILOVER_CAN_START)
    if rules.failover_restarts_election and can_start:
        yield "MF-8", "an operator has it stand again"
    if isinstance(here.event, ClusterReset):
        yield "CM-32", ""


def _outdone_by(here: Situation) -> NodeId | None:
    """The sender, if its header tells a new configEpoch not below the election's."""
    election, sender, header = here.before.election, here.sender, here.header
    if election is None or sender is None or header is None:
        return None
    newer = here.merged_epoch > sender.config_epoch
    outdone = newer and header.config_epoch >= election.failover_auth_epoch
    return sender.node_id if outdone else None


def _names(nodes: frozenset[NodeId | None] | frozenset[NodeId]) -> str:
    return " ".join(sorted(str(node) for node in nodes)) or "of nobody it knows"

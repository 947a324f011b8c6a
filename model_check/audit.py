"""Where a step does not keep a rule: some rules of elections, epochs and claims, said once more.

Each is judged by what a node knew, what it was told and what it then did or refused, and by nothing
of the core but its values. The model checker needs none of it; a story does, for what its last step
breaks is a property of all nodes, and what went wrong is one rule in one node.

Only what the dialect asks for is judged, a rule that `--without` turns off included.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import attrs

from model_check.models.cluster import Process
from model_check.trace import TraceStep
from reference.core.effects import Happening, Notice, Refusal
from reference.core.epoch_kinds import EpochKind, kind_of, round_of
from reference.core.events import ElectionDue
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Header, Update
from reference.core.nodes import ClusterNode
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.timers import timers
from reference.core.types import Epoch, Health, NodeId


@attrs.frozen
class Breach:
    """A rule that a step does not keep."""

    clause_id: str
    text: str  # what happened against it, in words that follow the name of the node


@attrs.frozen(kw_only=True)
class Situation:
    """A node before and after a step, and the header of what it received."""

    rules: Rules  # of the dialect, with nothing turned off
    before: ClusterState
    after: ClusterState
    notices: tuple[Notice, ...]
    message: object
    header: Header | None

    def noticed(self, *what: Happening | Refusal) -> Iterator[Notice]:
        """The notices of these kinds."""
        return (note for note in self.notices if note.what in what)


def breaches(step: TraceStep, rules: Rules) -> tuple[Breach, ...]:
    """The rules of the dialect that the step does not keep."""
    before, after = step.before, step.after
    if not (isinstance(before, Process) and isinstance(after, Process)):
        return ()
    if before.state is None or after.state is None:
        return ()
    header = getattr(step.message, "header", None)
    here = Situation(
        rules=rules,
        before=before.state,
        after=after.state,
        notices=tuple(note for note in step.notes if isinstance(note, Notice)),
        message=step.message,
        header=header if isinstance(header, Header) else None,
    )
    return tuple(breach for audit in _AUDITS for breach in audit(here))


def _standing(here: Situation) -> Iterator[Breach]:
    """EL-1, EL-3, EL-19: who stands, when, and for which epoch."""
    state = here.before
    by_hand = state.manual_failover_can_start
    master = state.my_master
    why_not = {
        Refusal.NOT_A_REPLICA: ("EL-1", not state.myself.is_replica),
        Refusal.MASTER_UNKNOWN: ("EL-1", state.myself.is_replica and master is None),
        Refusal.MASTER_NOT_FAILED: (
            "EL-1",
            master is not None and master.health is not Health.FAIL and not by_hand,
        ),
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
    yield from _unfounded(here, state.myself_id, "does not stand", why_not)
    if _may_stand(here.after, here.rules) and ElectionDue() not in timers(here.after):
        yield Breach("EL-1", "may stand for election, and never does: none is due")


def _may_stand(state: ClusterState, rules: Rules) -> bool:
    """Whether a failed master is there to be replaced by this node, which does not stand yet."""
    myself, master = state.myself, state.my_master
    return (
        myself.is_replica
        and not myself.nofailover
        and state.election is None
        and master is not None
        and master.health is Health.FAIL
        and (bool(master.slots) or rules.empty_master_is_replaced)
    )


def _voting(here: Situation) -> Iterator[Breach]:
    """EL-4 to EL-7, EL-10, EL-18, EL-27: for whom a node votes, and why it does not."""
    if not isinstance(here.message, FailoverAuthRequest):
        return
    asked = here.message.header
    state = here.after  # with the epochs and roles that the request told
    candidate = state.nodes.get(asked.sender)
    if candidate is None:
        return
    why_not = _why_no_vote(here, here.message, candidate)
    epoch, voted = state.current_epoch, here.before.last_vote_epoch
    numbers = (
        f"last_vote_epoch {voted}, currentEpoch {epoch}, currentEpoch of the request "
        f"{asked.current_epoch}"
    )
    for vote in here.noticed(Happening.VOTED):
        if vote.epoch != state.last_vote_epoch:
            yield Breach(
                "EL-10",
                f"votes in epoch {vote.epoch}, and last_vote_epoch is {state.last_vote_epoch} then",
            )
        for reason, (clause_id, holds) in why_not.items():
            if holds:
                text = f"votes for {asked.sender}, though {reason.value} ({numbers})"
                yield Breach(clause_id, text)
    yield from _unfounded(here, asked.sender, "refuses its vote", why_not, numbers)


def _why_no_vote(
    here: Situation, request: FailoverAuthRequest, candidate: ClusterNode
) -> dict[Refusal, tuple[str, bool]]:
    """For each refusal the clause that asks for it, and whether it does so here."""
    asked, rules, state = request.header, here.rules, here.after
    known = {node.node_id for node in state.nodes}
    epoch, voted = state.current_epoch, here.before.last_vote_epoch
    return {
        Refusal.NOT_A_VOTER: ("EL-18", not _votes(state.myself)),
        Refusal.REQUEST_EPOCH_OLD: (
            "EL-5",
            rules.vote_checks_request_epoch and _is_late(rules, asked, epoch),
        ),
        Refusal.ALREADY_VOTED: (
            "EL-4",
            rules.one_vote_per_epoch and _was_voted_in(rules, asked, epoch, voted),
        ),
        Refusal.CANDIDATE_IS_MASTER: ("EL-6", candidate.is_master),
        Refusal.CANDIDATE_MASTER_UNKNOWN: (
            "EL-6",
            not candidate.is_master and candidate.replicaof not in known,
        ),
        Refusal.CANDIDATE_MASTER_UP: (
            "EL-6",
            rules.vote_needs_failed_master
            and not request.force_ack
            and not candidate.is_master
            and candidate.replicaof in known
            and not _failed(state, candidate.replicaof),
        ),
        Refusal.CLAIM_OUTDATED: (
            "EL-7",
            rules.vote_checks_claims and _has_newer_owner(state, asked),
        ),
    }


def _is_late(rules: Rules, asked: Header, epoch: Epoch) -> bool:
    """Whether the request is older than the voter's epoch, or its round is over (EL-27)."""
    if _has_own_epoch(rules, asked):
        return round_of(asked.current_epoch) < round_of(epoch)
    return asked.current_epoch < epoch


def _was_voted_in(rules: Rules, asked: Header, epoch: Epoch, voted: Epoch) -> bool:
    """Whether the last vote was in the epoch of the voter, or in the round of the request."""
    if _has_own_epoch(rules, asked):
        return round_of(asked.current_epoch) == round_of(voted)
    return voted >= epoch


def _has_own_epoch(rules: Rules, asked: Header) -> bool:
    """Whether nobody but the candidate stands in the epoch for which it asks."""
    elected = kind_of(asked.current_epoch, asked.sender) is EpochKind.ELECTED
    return rules.unique_epochs and elected


def _counting(here: Situation) -> Iterator[Breach]:
    """EL-11: which votes count."""
    election = here.before.election
    if not isinstance(here.message, FailoverAuthAck) or election is None:
        return
    vote = here.message.header
    voter = here.before.nodes.get(vote.sender)
    wanted, epoch = election.failover_auth_epoch, vote.current_epoch
    why_not = {
        Refusal.VOTER_WITHOUT_RIGHT: ("EL-11", voter is None or not _votes(voter)),
        Refusal.VOTE_OUTDATED: ("EL-11", epoch < wanted),
    }
    numbers = f"an election of epoch {wanted}, a vote of currentEpoch {epoch}"
    for _ in here.noticed(Happening.COUNTED_VOTE):
        for reason, (clause_id, holds) in why_not.items():
            if holds:
                text = f"counts the vote of {vote.sender}, though {reason.value} ({numbers})"
                yield Breach(clause_id, text)
    yield from _unfounded(here, vote.sender, "does not count the vote", why_not, numbers)


def _winning(here: Situation) -> Iterator[Breach]:
    """EL-12, EL-13: a majority wins, and nothing less, and what it wins."""
    if not here.rules.majority_wins:
        return
    running, put_off = here.before.election, here.before.last_election
    counted = {note.subject for note in here.noticed(Happening.COUNTED_VOTE)}
    voters = (frozenset() if running is None else running.voters) | counted
    late = sum(each.late_votes for each in (running, put_off) if each is not None)
    masters = sum(map(_votes, here.before.nodes))
    votes = len(voters) + late
    has = f"has {votes} of the votes of {masters} masters ({_names(voters)})"
    won = any(True for _ in here.noticed(Happening.WON_ELECTION))
    if won:
        yield from _prize(here)
    if won and votes * 2 <= masters:
        yield Breach("EL-12", f"{has}, which is no majority, and becomes master")
    stands = _failed(here.after, here.after.myself.replicaof)
    if counted and stands and not won and votes * 2 > masters:
        yield Breach("EL-12", f"{has}, which is a majority, and does not become master")


def _prize(here: Situation) -> Iterator[Breach]:
    """EL-13: what the winner is and has."""
    winner, replaced = here.after.myself, here.before.my_master
    epoch = next(note.epoch for note in here.noticed(Happening.WON_ELECTION))
    if not winner.is_master:
        yield Breach("EL-13", "wins, and is no master then")
    if epoch is not None and winner.config_epoch < epoch:
        yield Breach(
            "EL-13", f"wins epoch {epoch}, and its configEpoch is {winner.config_epoch} then"
        )
    if replaced is not None and replaced.slots - winner.slots:
        yield Breach("EL-13", f"wins, and does not have all slots of {replaced.node_id} then")


def _epochs(here: Situation) -> Iterator[Breach]:
    """EP-1, EP-2, EL-4: epochs that only rise."""
    before, after = here.before, here.after
    if after.myself_id != before.myself_id:  # a hard reset makes another node of it
        return
    if after.current_epoch < before.current_epoch:
        yield Breach("EP-1", f"currentEpoch goes back {_from_to(before, after, 'current_epoch')}")
    if after.last_vote_epoch < before.last_vote_epoch:
        yield Breach(
            "EL-4", f"last_vote_epoch goes back {_from_to(before, after, 'last_vote_epoch')}"
        )
    if here.header is None or here.header.sender not in before.nodes:
        return
    told = here.header
    if here.rules.merge_current_epoch and told.current_epoch > after.current_epoch:
        yield Breach(
            "EP-1",
            f"hears of epoch {told.current_epoch} and stays at currentEpoch {after.current_epoch}",
        )
    was, now = before.nodes[told.sender], after.nodes.get(told.sender)
    if now is None or not (now.is_master and was.is_master):
        return
    if here.rules.config_epoch_only_rises and now.config_epoch < was.config_epoch:
        yield Breach(
            "EP-2",
            f"makes the configEpoch of {told.sender} smaller: "
            f"{was.config_epoch} -> {now.config_epoch}",
        )


def _collisions(here: Situation) -> Iterator[Breach]:
    """EP-4, EP-5: who moves when two masters have one configEpoch."""
    mine = here.before.myself.config_epoch
    for note in here.noticed(Happening.EPOCH_COLLISION):
        smaller = note.subject is not None and note.subject < here.before.myself_id
        if smaller and here.rules.collision_moves_smaller_id_only:
            yield Breach("EP-5", f"moves, though {note.subject} has the smaller name")
        if here.header is not None and here.header.config_epoch != mine:
            yield Breach("EP-4", f"moves from configEpoch {mine}, and nobody has the same")


def _claims(here: Situation) -> Iterator[Breach]:
    """SC-1: a slot goes to a newer claim only."""
    claim = _claim_of(here)
    if claim is None or not here.rules.claims_need_newer_epoch or here.before.slot_migrations:
        return
    owner_id, epoch = claim
    for old in here.before.nodes:
        new = here.after.nodes.get(old.node_id)
        taker = here.after.nodes.get(owner_id)
        if new is None or taker is None or old.node_id == owner_id:
            continue
        moved = (old.slots - new.slots - here.before.owner_not_claiming_slot) & taker.slots
        if moved and old.config_epoch >= epoch:
            yield Breach(
                "SC-1",
                f"gives slots {moved} of {old.node_id} (configEpoch {old.config_epoch}) to "
                f"{owner_id}, which claims them with configEpoch {epoch}",
            )


def _failures(here: Situation) -> Iterator[Breach]:
    """FD-6: a majority makes FAIL, or another name at its address (HS-6)."""
    replaced = {note.subject for note in here.noticed(Refusal.SENDER_MISMATCH)}
    for note in here.noticed(Happening.MARKED_FAIL):
        if note.subject in replaced and here.rules.mismatch_is_failure:
            continue
        subject = None if note.subject is None else here.after.nodes.get(note.subject)
        if subject is None:
            continue
        masters = sum(map(_votes, here.before.nodes))
        told = len(subject.fail_reports) + here.before.myself.is_master
        if told * 2 <= masters:
            yield Breach(
                "FD-6",
                f"marks {note.subject} as FAIL with the word of {told} of {masters} masters",
            )


def _unfounded(
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


def _claim_of(here: Situation) -> tuple[NodeId, Epoch] | None:
    """Who claims slots in the message, and with which configEpoch."""
    if isinstance(here.message, Update):
        return here.message.subject, here.message.config_epoch
    if here.header is not None and here.header.replicaof is None:
        return here.header.sender, here.header.config_epoch
    return None


def _votes(node: ClusterNode) -> bool:
    return node.is_master and bool(node.slots)


def _failed(state: ClusterState, node_id: NodeId | None) -> bool:
    node = state.nodes.get(node_id)
    return node is not None and node.health is Health.FAIL


def _has_newer_owner(state: ClusterState, claim: Header) -> bool:
    claimed = claim.slots - state.owner_not_claiming_slot
    return any(
        node.slots & claimed and node.config_epoch > claim.config_epoch for node in state.nodes
    )


def _names(nodes: frozenset[NodeId | None] | frozenset[NodeId]) -> str:
    return " ".join(sorted(str(node) for node in nodes)) or "of nobody it knows"


def _from_to(before: ClusterState, after: ClusterState, name: str) -> str:
    return f"{getattr(before, name)} -> {getattr(after, name)}"


_AUDITS: Final[tuple[Callable[[Situation], Iterator[Breach]], ...]] = (
    _standing,
    _voting,
    _counting,
    _winning,
    _epochs,
    _collisions,
    _claims,
    _failures,
)

"""Audits of votes: for whom a node votes, why it does not, and which votes count."""

from collections.abc import Iterator

from model_check.audit.elections import may_stand
from model_check.audit.situation import Breach, Situation, unfounded, votes
from model_check.models.of_node import Age
from reference.core.effects import Happening, Refusal, Send
from reference.core.epoch_kinds import EpochKind, kind_of, round_of
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Header, Update
from reference.core.nodes import ClusterNode
from reference.core.rules import Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import Epoch, Health, NodeId


def voting(here: Situation) -> Iterator[Breach]:
    """EL-4 to EL-8, EL-10, EL-18, EL-20, EL-27: for whom a node votes, and why it does not."""
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
    yield from unfounded(here, asked.sender, "refuses its vote", why_not, numbers)


def _why_no_vote(
    here: Situation, request: FailoverAuthRequest, candidate: ClusterNode
) -> dict[Refusal, tuple[str, bool]]:
    """For each refusal the clause that asks for it, and whether it does so here."""
    asked, rules, state = request.header, here.rules, here.after
    known = {node.node_id for node in state.nodes}
    epoch, voted = state.current_epoch, here.before.last_vote_epoch
    return {
        Refusal.NOT_A_VOTER: ("EL-18", not votes(state.myself)),
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
        Refusal.VOTED_RECENTLY: ("EL-8", rules.vote_cooldown and Age.JUST_VOTED in here.ages),
        Refusal.NEWCOMER: (
            "EL-20",
            rules.newcomer_does_not_vote and Age.JUST_STARTED in here.ages,
        ),
        Refusal.CLAIM_OUTDATED: (
            "EL-7",
            rules.vote_checks_claims and bool(_newer_owners(state, asked)),
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


def _failed(state: ClusterState, node_id: NodeId | None) -> bool:
    node = state.nodes.get(node_id)
    return node is not None and node.health is Health.FAIL


def _newer_owners(state: ClusterState, claim: Header) -> list[tuple[SlotSet, NodeId]]:
    """Who has which of the claimed slots with a newer configEpoch."""
    claimed = claim.slots - state.owner_not_claiming_slot
    return [
        (node.slots & claimed, node.node_id)
        for node in state.nodes
        if node.slots & claimed and node.config_epoch > claim.config_epoch
    ]


def refused_candidates(here: Situation) -> Iterator[Breach]:
    """EL-15: a candidate whose claim is outdated is told of the newer owner, where it is so."""
    if not isinstance(here.message, FailoverAuthRequest):
        return
    asked = here.message.header
    told = [
        sent.message.subject
        for sent in here.did(Send)
        if sent.to == asked.sender and isinstance(sent.message, Update)
    ]
    refused = here.tells(Refusal.CLAIM_OUTDATED)
    if told and not (refused and here.rules.refused_candidate_is_updated):
        yield Breach("EL-15", f"sends {asked.sender} an UPDATE about {told[0]}")
    if refused and here.rules.refused_candidate_is_updated:
        owners = _newer_owners(here.after, asked)
        first = min(owners, key=lambda each: min(each[0]))[1] if owners else None
        if told != [first]:
            yield Breach("EL-15", f"refuses {asked.sender}, and does not tell it of {first}")


def counting(here: Situation) -> Iterator[Breach]:
    """EL-11: which votes count."""
    election = here.before.election
    if not isinstance(here.message, FailoverAuthAck) or election is None:
        return
    vote = here.message.header
    voter = here.before.nodes.get(vote.sender)
    wanted, epoch = election.failover_auth_epoch, vote.current_epoch
    why_not = {
        Refusal.VOTER_WITHOUT_RIGHT: ("EL-11", voter is None or not votes(voter)),
        Refusal.VOTE_OUTDATED: ("EL-11", epoch < wanted),
        Refusal.NO_ELECTION: ("EL-11", here.after.election is None),
    }
    numbers = f"an election of epoch {wanted}, a vote of currentEpoch {epoch}"
    for note in here.noticed(Happening.COUNTED_VOTE):
        for reason, (clause_id, holds) in why_not.items():
            if holds and not here.leads:
                text = f"counts the vote of {vote.sender}, though {reason.value} ({numbers})"
                yield Breach(clause_id, text)
        now = here.after.election
        if now is not None and note.subject not in now.voters:
            yield Breach("EL-11", f"counts the vote of {vote.sender}, and does not remember it")
    yield from unfounded(here, vote.sender, "does not count the vote", why_not, numbers)


def late_votes(here: Situation) -> Iterator[Breach]:
    """EL-21: votes that come while an election is put off."""
    last, now = here.before.last_election, here.after.last_election
    had = 0 if last is None else last.late_votes
    kept = here.rules.late_votes_count
    if not kept and (now is not None or here.tells(Happening.COUNTED_LATE_VOTE)):
        yield Breach("EL-21", "keeps votes for an election that is yet to come")
    given_up = here.tells(Happening.ELECTION_EXPIRED, Happening.ELECTION_RESET)
    ended = here.before.election
    if kept and given_up and ended is not None and not here.followed:
        epoch = None if now is None else now.failover_auth_epoch
        if now is None or epoch != ended.failover_auth_epoch or now.late_votes:
            yield Breach("EL-21", "does not count late votes anew after an election given up")
    begun = here.after.election
    if here.tells(Happening.STARTED_ELECTION) and begun and begun.late_votes != had:
        yield Breach(
            "EL-21", f"stands with {begun.late_votes} votes of before, and {had} came late"
        )
    if not isinstance(here.message, FailoverAuthAck) or here.sender is None:
        return
    if last is None or here.before.election is not None or not kept:
        return
    vote = here.message.header
    counts = (
        votes(here.sender)
        and vote.current_epoch >= last.failover_auth_epoch
        and may_stand(here.before, here.rules)
        and had < sum(map(votes, here.before.nodes))  # more than all voters have decide nothing
    )
    got = (0 if now is None else now.late_votes) - had
    if got != counts:
        does = "counts" if got else "does not count"
        yield Breach(
            "EL-21",
            f"{does} the late vote of {vote.sender} (currentEpoch {vote.current_epoch}) after an "
            f"election of epoch {last.failover_auth_epoch}",
        )

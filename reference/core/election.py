"""Elections: how a replica of a failed master becomes master, and who may vote for it."""

import attrs

from reference.clauses import clause
from reference.core.announce import header, pong
from reference.core.effects import (
    Broadcast,
    DeleteKeys,
    Effect,
    Happening,
    Notice,
    Refusal,
    SaveConfig,
    Send,
)
from reference.core.epochs import next_epoch
from reference.core.events import ElectionDue, Received
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest
from reference.core.roles import reset_manual_failover, set_node_as_master
from reference.core.slot_config import newer_owner, update_about
from reference.core.slots import NO_SLOTS
from reference.core.state import (
    ClusterState,
    Election,
    bind_slots,
    end_election,
)
from reference.core.taken_slots import note_taken
from reference.core.types import Health, NodeId


@clause("EL-1", "EL-26")
def why_no_failover(state: ClusterState) -> Refusal | None:
    """Why this node may not replace its master, None if it may.

    An operator who asks for it is not told of a master that is well, nor of `nofailover`.

    Counterpart: the preconditions of `clusterHandleSlaveFailover`.
    """
    myself, master = state.myself, state.my_master
    manual = state.manual_failover_can_start
    if not myself.is_replica:
        return Refusal.NOT_A_REPLICA
    if master is None:
        return Refusal.MASTER_UNKNOWN
    if master.health is not Health.FAIL and not manual:
        return Refusal.MASTER_NOT_FAILED
    if myself.nofailover and not manual:
        return Refusal.NO_FAILOVER
    if not master.slots and not state.rules.empty_master_is_replaced:
        return Refusal.MASTER_WITHOUT_SLOTS
    return None


@clause("EL-23")
def all_replicas_announce_failure(state: ClusterState) -> bool:
    """Whether all replicas of this one's master, itself included, say that the master is in FAIL.

    Counterpart: `clusterAllReplicasThinkPrimaryIsFail`.
    """
    return all(
        node.my_master_failed for node in state.nodes if node.replicaof == state.myself.replicaof
    )


@clause("EL-22", "EL-23")
def forces_votes(state: ClusterState, due: ElectionDue) -> bool:
    """Whether voters are asked not to look at what they think of the master.

    Counterpart: `clusterRequestFailoverAuth`.
    """
    if state.manual_failover is not None:
        return True
    first = state.rules.best_ranked_goes_first and due.best_ranked
    return first and all_replicas_announce_failure(state)


@clause("EL-2", "EL-3", "EL-19", "EL-21", "EL-26")
def start_election(state: ClusterState, due: ElectionDue, out: list[Effect]) -> ClusterState:
    """The replica has asked all nodes for their vote in a new epoch, or says why it did not.

    Counterpart: `clusterHandleSlaveFailover`, `clusterRequestFailoverAuth`.
    """
    refusal = why_no_failover(state)
    if refusal is None and due.data_too_old and not state.manual_failover_can_start:
        refusal = Refusal.DATA_TOO_OLD
    if refusal is None and state.election is not None:
        refusal = Refusal.ELECTION_RUNNING
    if refusal is not None:
        out.append(Notice(what=refusal, subject=state.myself_id))
        return state
    epoch = next_epoch(state)
    late_votes = 0 if state.last_election is None else state.last_election.late_votes
    state = attrs.evolve(
        state,
        current_epoch=epoch,
        election=Election(failover_auth_epoch=epoch, late_votes=late_votes),
        last_election=None,
    )
    request = FailoverAuthRequest(header=header(state), force_ack=forces_votes(state, due))
    out += [
        Notice(what=Happening.STARTED_ELECTION, epoch=epoch),
        SaveConfig(fsync=True),
        Broadcast(message=request),
    ]
    return state


@clause("EL-4", "EL-5", "EL-6", "EL-7", "EL-8", "EL-18", "EL-20")
def why_no_vote(
    state: ClusterState, candidate_id: NodeId, event: Received, request: FailoverAuthRequest
) -> Refusal | None:
    """Why this node does not vote for the candidate that sent the request, None if it does.

    The request is the event's, and its epochs have been merged. Counterpart:
    `clusterSendFailoverAuthIfNeeded`.
    """
    rules, asked = state.rules, request.header
    candidate = state.nodes[candidate_id]
    master = state.nodes.get(candidate.replicaof)
    if not state.myself.is_voting_master:
        return Refusal.NOT_A_VOTER
    if rules.newcomer_does_not_vote and event.newcomer:
        return Refusal.NEWCOMER
    if rules.vote_checks_request_epoch and asked.current_epoch < state.current_epoch:
        return Refusal.REQUEST_EPOCH_OLD
    if rules.one_vote_per_epoch and state.last_vote_epoch == state.current_epoch:
        return Refusal.ALREADY_VOTED
    if candidate.is_master:
        return Refusal.CANDIDATE_IS_MASTER
    if master is None:
        return Refusal.CANDIDATE_MASTER_UNKNOWN
    failed = master.health is Health.FAIL or not rules.vote_needs_failed_master
    if not (failed or request.force_ack):
        return Refusal.CANDIDATE_MASTER_UP
    if rules.vote_cooldown and event.voted_recently:
        return Refusal.VOTED_RECENTLY
    if rules.vote_checks_claims and newer_owner(state, asked) is not None:
        return Refusal.CLAIM_OUTDATED
    return None


@clause("EL-4", "EL-10", "EL-15")
def grant_vote(
    state: ClusterState,
    candidate: NodeId,
    event: Received,
    request: FailoverAuthRequest,
    out: list[Effect],
) -> ClusterState:
    """The vote is saved and then sent, or the refusal is named.

    Counterpart: `clusterSendFailoverAuthIfNeeded`.
    """
    refusal = why_no_vote(state, candidate, event, request)
    if refusal is not None:
        out.append(Notice(what=refusal, subject=candidate))
        outdated = refusal is Refusal.CLAIM_OUTDATED
        newer = newer_owner(state, request.header) if outdated else None
        if newer is not None and state.rules.refused_candidate_is_updated:
            out.append(Send(to=candidate, message=update_about(state, newer)))
        return state
    state = attrs.evolve(state, last_vote_epoch=state.current_epoch)
    out += [
        Notice(what=Happening.VOTED, subject=candidate, epoch=state.current_epoch),
        SaveConfig(fsync=True),
        Send(to=candidate, message=FailoverAuthAck(header=header(state))),
    ]
    return state


@clause("EL-11")
def count_vote(
    state: ClusterState, voter_id: NodeId, vote: FailoverAuthAck, out: list[Effect]
) -> ClusterState:
    """A vote of a master with slots for the running election is counted once.

    Counterpart: `clusterProcessPacket`; the servers count messages, we keep the set of voters.
    """
    voter, election, last = state.nodes[voter_id], state.election, state.last_election
    if election is None and last is not None and _counts_late(state, last, voter_id, vote):
        return _count_late_vote(state, last, voter_id, out)
    if election is None:
        refusal = Refusal.NO_ELECTION
    elif not voter.is_voting_master:
        refusal = Refusal.VOTER_WITHOUT_RIGHT
    elif vote.header.current_epoch < election.failover_auth_epoch:
        refusal = Refusal.VOTE_OUTDATED
    else:
        epoch = election.failover_auth_epoch
        out.append(Notice(what=Happening.COUNTED_VOTE, subject=voter_id, epoch=epoch))
        counted = attrs.evolve(election, voters=election.voters | {voter_id})
        return attrs.evolve(state, election=counted)
    out.append(Notice(what=refusal, subject=voter_id))
    return state


def _counts_late(
    state: ClusterState, last: Election, voter_id: NodeId, vote: FailoverAuthAck
) -> bool:
    return (
        state.nodes[voter_id].is_voting_master
        and vote.header.current_epoch >= last.failover_auth_epoch
        and why_no_failover(state) is None
    )


@clause("EL-21")
def _count_late_vote(
    state: ClusterState, last: Election, voter_id: NodeId, out: list[Effect]
) -> ClusterState:
    """The vote counts for the election that is put off; more than all voters have are not kept."""
    if last.late_votes >= state.size:
        return state
    out.append(Notice(what=Happening.COUNTED_LATE_VOTE, subject=voter_id))
    return attrs.evolve(state, last_election=attrs.evolve(last, late_votes=last.late_votes + 1))


@clause("EL-12", "EL-13")
def win_election_if_quorum(state: ClusterState, out: list[Effect]) -> ClusterState:
    """A replica with the votes of a majority is master of its master's slots, with the new epoch.

    Counterpart: `clusterHandleSlaveFailover`, `clusterFailoverReplaceYourMaster`.
    """
    election = state.election
    if election is None:
        return state
    needed = state.needed_quorum if state.rules.majority_wins else 1
    if len(election.voters) + election.late_votes < needed:
        return state
    if why_no_failover(state) is not None:
        return state
    epoch, myself = election.failover_auth_epoch, state.myself
    raised = max(myself.config_epoch, epoch)
    out.append(Notice(what=Happening.WON_ELECTION, epoch=epoch))
    return replace_master(state.put(attrs.evolve(myself, config_epoch=raised)), out)


@clause("EL-13", "EL-24", "EL-25", "MF-10", "SC-33")
def replace_master(state: ClusterState, out: list[Effect]) -> ClusterState:
    """The replica is the master of all slots of the one it followed, and has told everybody.

    It has its new configEpoch already. Counterpart: `clusterFailoverReplaceYourMaster`.
    """
    master, rules = state.nodes[state.myself.replicaof or state.myself_id], state.rules
    state = set_node_as_master(state, state.myself_id, out)
    state = bind_slots(state, state.myself_id, master.slots)
    state = note_taken(state, master.slots, master.node_id)
    if rules.election_ends_with_win:
        state = attrs.evolve(state, election=None, last_election=None)
    state = reset_manual_failover(state, out)
    out += [SaveConfig(fsync=True), Broadcast(message=pong(state))]
    if rules.winner_deletes_keys:
        others = NO_SLOTS
        for node in state.nodes:
            others |= node.slots
        out.append(DeleteKeys(slots=others - state.myself.slots))
    return state


@clause("EL-17")
def expire_election(state: ClusterState, out: list[Effect]) -> ClusterState:
    """No election is running any more.

    Counterpart: the auth_timeout check of `clusterHandleSlaveFailover`.
    """
    if state.election is None:
        return state
    epoch = state.election.failover_auth_epoch
    out.append(Notice(what=Happening.ELECTION_EXPIRED, epoch=epoch))
    return end_election(state)

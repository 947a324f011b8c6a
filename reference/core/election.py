"""Elections: how a replica of a failed master becomes master, and who may vote for it."""

import attrs

from reference.clauses import clause
from reference.core.announce import header, pong
from reference.core.effects import (
    Broadcast,
    Effect,
    Happening,
    Notice,
    Refusal,
    SaveConfig,
    Send,
)
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest
from reference.core.slot_config import newer_owner, set_node_as_master, update_about
from reference.core.state import ClusterState, Election, bind_slots, end_election
from reference.core.types import Health, NodeId


@clause("EL-1")
def why_no_failover(state: ClusterState) -> Refusal | None:
    """Why this node may not replace its master, None if it may.

    Counterpart: the preconditions of `clusterHandleSlaveFailover`.
    """
    myself, master = state.myself, state.my_master
    if not myself.is_replica:
        return Refusal.NOT_A_REPLICA
    if master is None:
        return Refusal.MASTER_UNKNOWN
    if master.health is not Health.FAIL:
        return Refusal.MASTER_NOT_FAILED
    if myself.nofailover:
        return Refusal.NO_FAILOVER
    if not master.slots and not state.rules.empty_master_is_replaced:
        return Refusal.MASTER_WITHOUT_SLOTS
    return None


@clause("EL-2", "EL-3", "EL-19", "EL-21")
def start_election(
    state: ClusterState, out: list[Effect], *, data_too_old: bool = False
) -> ClusterState:
    """The replica has asked all nodes for their vote in a new epoch, or says why it did not.

    Counterpart: `clusterHandleSlaveFailover`, `clusterRequestFailoverAuth`.
    """
    refusal = why_no_failover(state)
    if refusal is None and data_too_old:
        refusal = Refusal.DATA_TOO_OLD
    if refusal is None and state.election is not None:
        refusal = Refusal.ELECTION_RUNNING
    if refusal is not None:
        out.append(Notice(what=refusal, subject=state.myself_id))
        return state
    epoch = state.current_epoch + 1
    late_votes = 0 if state.last_election is None else state.last_election.late_votes
    state = attrs.evolve(
        state,
        current_epoch=epoch,
        election=Election(failover_auth_epoch=epoch, late_votes=late_votes),
        last_election=None,
    )
    out += [
        Notice(what=Happening.STARTED_ELECTION, epoch=epoch),
        SaveConfig(fsync=True),
        Broadcast(message=FailoverAuthRequest(header=header(state))),
    ]
    return state


@clause("EL-4", "EL-5", "EL-6", "EL-7", "EL-8", "EL-18")
def why_no_vote(
    state: ClusterState, candidate_id: NodeId, request: FailoverAuthRequest, *, voted_recently: bool
) -> Refusal | None:
    """Why this node does not vote for the candidate that sent the request, None if it does.

    The request's epochs have been merged. Counterpart: `clusterSendFailoverAuthIfNeeded`.
    """
    rules, asked = state.rules, request.header
    candidate = state.nodes[candidate_id]
    master = state.nodes.get(candidate.replicaof)
    if not state.myself.is_voting_master:
        return Refusal.NOT_A_VOTER
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
    if rules.vote_cooldown and voted_recently:
        return Refusal.VOTED_RECENTLY
    if rules.vote_checks_claims and newer_owner(state, asked) is not None:
        return Refusal.CLAIM_OUTDATED
    return None


@clause("EL-4", "EL-10", "EL-15")
def grant_vote(
    state: ClusterState,
    candidate: NodeId,
    request: FailoverAuthRequest,
    out: list[Effect],
    *,
    voted_recently: bool = False,
) -> ClusterState:
    """The vote is saved and then sent, or the refusal is named.

    Counterpart: `clusterSendFailoverAuthIfNeeded`.
    """
    refusal = why_no_vote(state, candidate, request, voted_recently=voted_recently)
    if refusal is not None:
        out.append(Notice(what=refusal, subject=candidate))
        newer = newer_owner(state, request.header)
        if (
            refusal is Refusal.CLAIM_OUTDATED
            and newer is not None
            and state.rules.refused_candidate_is_updated
        ):
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
    voter, election = state.nodes[voter_id], state.election
    if election is None and _counts_late(state, voter_id, vote):
        return _count_late_vote(state, voter_id, out)
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


def _counts_late(state: ClusterState, voter_id: NodeId, vote: FailoverAuthAck) -> bool:
    last = state.last_election
    return (
        last is not None
        and state.nodes[voter_id].is_voting_master
        and vote.header.current_epoch >= last.failover_auth_epoch
        and why_no_failover(state) is None
    )


@clause("EL-21")
def _count_late_vote(state: ClusterState, voter_id: NodeId, out: list[Effect]) -> ClusterState:
    """The vote counts for the election that is put off; more than all voters have are not kept."""
    last = state.last_election
    if last is None or last.late_votes >= state.size:
        return state
    out.append(Notice(what=Happening.COUNTED_LATE_VOTE, subject=voter_id))
    return attrs.evolve(state, last_election=attrs.evolve(last, late_votes=last.late_votes + 1))


@clause("EL-12", "EL-13", "EL-16")
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
    epoch = election.failover_auth_epoch
    myself = state.myself
    old_master = state.nodes[myself.replicaof or myself.node_id]
    raised = max(myself.config_epoch, epoch)
    state = state.put(attrs.evolve(myself, config_epoch=raised))
    state = set_node_as_master(state, myself.node_id, out)
    state = bind_slots(state, myself.node_id, old_master.slots)
    if state.rules.election_ends_with_role_change:
        state = attrs.evolve(state, election=None)
    out += [
        Notice(what=Happening.WON_ELECTION, epoch=epoch),
        SaveConfig(fsync=True),
        Broadcast(message=pong(state)),
    ]
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

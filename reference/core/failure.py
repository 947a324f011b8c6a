"""Failure detection: suspicion by one node (PFAIL), agreement of a majority (FAIL), and back."""

import attrs

from reference.clauses import clause
from reference.core.announce import header
from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, SaveConfig
from reference.core.messages import Fail
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health, NodeId


@clause("FD-1", "FD-7")
def suspect(state: ClusterState, peer: NodeId, out: list[Effect]) -> ClusterState:
    """A node that does not answer is in PFAIL.

    Not one that is never pinged: its name or its address is not known. Counterpart: `clusterCron`.
    """
    node = state.known(peer)
    if node is None or node.noaddr or node.health is not Health.OK or peer == state.myself_id:
        return state
    state = state.put(attrs.evolve(node, health=Health.PFAIL))
    out.append(Notice(what=Happening.MARKED_PFAIL, subject=peer))
    if _decides_alone(state):
        state = mark_failing_if_needed(state, peer, out)
    return state


@clause("FD-7")
def _decides_alone(state: ClusterState) -> bool:
    """Whether this node looks for a quorum by its own suspicion."""
    if state.rules.lone_master_decides_at_pfail:
        return state.myself.is_master and state.size == 1
    return state.rules.fail_checked_at_pfail and state.myself.is_voting_master


def _may_report(state: ClusterState, node: ClusterNode) -> bool:
    return node.is_voting_master or (state.rules.empty_masters_report and node.is_master)


@clause("FD-3", "FD-4", "FD-13")
def take_report(
    state: ClusterState, reporter: ClusterNode, subject: NodeId, health: Health, out: list[Effect]
) -> ClusterState:
    """What a master says of the subject's health replaces what it said before.

    Counterpart: `clusterProcessGossipSection`, `clusterNodeAddFailureReport`.
    """
    node = state.nodes[subject]
    if subject == state.myself_id or not _may_report(state, reporter):
        return state
    if health is Health.OK:
        return remove_report(state, subject, reporter.node_id)
    if node.health is Health.FAIL and not state.rules.reports_kept_after_fail:
        return state
    reports = node.fail_reports | {reporter.node_id}
    state = state.put(attrs.evolve(node, fail_reports=reports))
    return mark_failing_if_needed(state, subject, out)


@clause("FD-4", "FD-5")
def remove_report(state: ClusterState, subject: NodeId, reporter: NodeId) -> ClusterState:
    """The reporter no longer counts against the subject.

    Counterpart: `clusterNodeDelFailureReport`, `clusterNodeCleanupFailureReports`.
    """
    node = state.nodes.get(subject)
    if node is None or reporter not in node.fail_reports:
        return state
    return state.put(attrs.evolve(node, fail_reports=node.fail_reports - {reporter}))


@clause("FD-6")
def mark_failing_if_needed(state: ClusterState, subject: NodeId, out: list[Effect]) -> ClusterState:
    """A node in PFAIL that a majority of the masters reports is in FAIL, and all are told.

    Counterpart: `markNodeAsFailingIfNeeded`.
    """
    node = state.nodes[subject]
    agreeing = len(node.fail_reports) + _may_report(state, state.myself)
    if node.health is not Health.PFAIL or agreeing < state.needed_quorum:
        return state
    return mark_failing(state, subject, out)


@clause("FD-8", "HS-6")
def mark_failing(state: ClusterState, subject: NodeId, out: list[Effect]) -> ClusterState:
    """The node is in FAIL, and all are told. Counterpart: `markNodeAsFailing`."""
    state = _put_in_fail(state, subject)
    out += [
        Notice(what=Happening.MARKED_FAIL, subject=subject),
        SaveConfig(fsync=False),
        Broadcast(message=Fail(header=header(state), subject=subject)),
    ]
    return state


@clause("FD-9")
def learn_fail(state: ClusterState, message: Fail, out: list[Effect]) -> ClusterState:
    """A known node that a FAIL message names is in FAIL, whatever this node thought of it.

    Counterpart: `clusterProcessPacket`.
    """
    node = state.nodes.get(message.subject)
    if node is None:
        out.append(Notice(what=Refusal.UNKNOWN_SUBJECT, subject=message.subject))
    elif node.node_id == state.myself_id:
        out.append(Notice(what=Refusal.ABOUT_MYSELF, subject=message.header.sender))
    elif node.health is not Health.FAIL:
        out += [
            Notice(what=Happening.LEARNED_FAIL, subject=message.subject),
            SaveConfig(fsync=False),
        ]
        state = _put_in_fail(state, message.subject)
    return state


@clause("FD-14")
def _put_in_fail(state: ClusterState, subject: NodeId) -> ClusterState:
    """The node is in FAIL; if this one follows it, that is noted where the note sticks.

    Counterpart: `markNodeAsFailing`.
    """
    state = state.put(attrs.evolve(state.nodes[subject], health=Health.FAIL))
    rules, myself = state.rules, state.myself
    sticks = rules.failed_master_is_announced and rules.failed_master_mark_sticks
    if sticks and myself.replicaof == subject:
        return state.put(attrs.evolve(myself, my_master_failed=True))
    return state


@clause("FD-2", "FD-10")
def hear_pong(state: ClusterState, peer: NodeId, out: list[Effect]) -> ClusterState:
    """A node that answers on our link is not in PFAIL, nor in FAIL if it has no say in votes.

    Counterpart: `clusterProcessPacket`, `clearNodeFailureIfNeeded`.
    """
    node = state.nodes[peer]
    if node.health is Health.OK or (node.health is Health.FAIL and node.is_voting_master):
        return state
    if node.health is Health.FAIL:
        out.append(Notice(what=Happening.CLEARED_FAIL, subject=peer))
    out.append(SaveConfig(fsync=False))
    return state.put(attrs.evolve(node, health=Health.OK))


@clause("FD-11")
def undo_fail(state: ClusterState, peer: NodeId, out: list[Effect]) -> ClusterState:
    """A master in FAIL that answers, and that nobody replaced in time, is no longer in FAIL.

    Counterpart: `clearNodeFailureIfNeeded`.
    """
    node = state.nodes.get(peer)
    if node is None or node.health is not Health.FAIL or not node.is_voting_master:
        return state
    out += [Notice(what=Happening.CLEARED_FAIL, subject=peer), SaveConfig(fsync=False)]
    return state.put(attrs.evolve(node, health=Health.OK))

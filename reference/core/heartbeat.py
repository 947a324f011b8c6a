"""Heartbeats: PING, PONG and MEET, what they say, and the order in which it is taken in."""

import attrs

from reference.clauses import clause
from reference.core.announce import meet, ping, pong
from reference.core.effects import Effect, Notice, Refusal, Send
from reference.core.epochs import merge_epochs, resolve_collision
from reference.core.events import HeartbeatDue, Received
from reference.core.failure import hear_pong, take_report
from reference.core.forget import hear_forgotten
from reference.core.handshake import (
    dial_again,
    hear_of_stranger,
    is_second_meet,
    learn_name,
    meet_stranger,
    move_unreachable,
    observed_address,
    update_address,
)
from reference.core.manual_failover import learn_paused
from reference.core.messages import Gossip, Header, Heartbeat, Meet, Ping, Pong
from reference.core.nodes import ClusterNode
from reference.core.roles import adopt_shard, follow_own_shard, learn_told_epoch, switch_role
from reference.core.rules import Rules
from reference.core.slot_config import process_claims
from reference.core.state import ClusterState
from reference.core.types import Health, Link, NodeId, ShardId


@clause("HB-4", "HS-2")
def send_heartbeat(state: ClusterState, event: HeartbeatDue, out: list[Effect]) -> ClusterState:
    """The peer has been sent a PING, or a MEET if it has to be told who we are.

    Counterpart: `clusterSendPing`.
    """
    node = state.nodes.get(event.peer)
    if node is None or event.peer == state.myself_id:
        return state
    greeting = meet if node.meet else ping
    out.append(Send(to=event.peer, message=greeting(state, event.gossip_about)))
    if node.meet and not state.rules.reliable_meet:
        return state.put(attrs.evolve(node, meet=False))
    return state


@clause("HB-5", "HB-6", "HB-7")
def receive_heartbeat(
    state: ClusterState, event: Received, message: Heartbeat, out: list[Effect]
) -> ClusterState:
    """Everything the heartbeat tells has been taken in, in the servers' order.

    The order decides: the PONG that answers is made before roles and slots are looked at, so it
    tells the old view even if the PING demotes its receiver. Counterpart: `clusterProcessPacket`.
    """
    if is_second_meet(state, event):
        out.append(Notice(what=Refusal.ALREADY_MET, subject=message.header.sender))
        return state
    sender_id = sender_of(state, event)
    if sender_id is not None:
        state = take_marks(state, sender_id, message.header)
        state = merge_epochs(state, sender_id, message.header, out)
        state = learn_paused(state, sender_id, message.header)
    if not isinstance(message, Pong):
        state = _answer(state, event, message, sender_id, out)
    if sender_id is not None and state.nodes[sender_id].meet:
        state = state.put(attrs.evolve(state.nodes[sender_id], meet=False))
    peer = state.nodes.get(event.link_node)
    if event.link is Link.OUTBOUND and peer is not None:
        named = learn_name(state, peer, event, out)
        if named is not None:
            return named
    if sender_id is None:
        out.append(Notice(what=Refusal.UNKNOWN_SENDER, subject=message.header.sender))
        return state
    return _take_in(state, event, message, sender_id, out)


@clause("HB-5", "HS-3", "HS-12")
def _answer(
    state: ClusterState,
    event: Received,
    message: Ping | Meet,
    sender_id: NodeId | None,
    out: list[Effect],
) -> ClusterState:
    if isinstance(message, Meet):
        if sender_id is not None and state.rules.meet_is_repeated:
            dial_again(sender_id, event, out)
        elif sender_id is None and message.header.sender != state.myself_id:
            state = meet_stranger(state, event, out)
            state = _take_gossip(state, message, None, out)
    reply = pong(state, event.gossip_about)
    out.append(Send(to=sender_id, message=reply, reply=True))
    return state


@clause("HB-15")
def take_marks(state: ClusterState, sender_id: NodeId, announced: Header) -> ClusterState:
    """Whether the sender's master is in FAIL is what its latest message of any kind says.

    Counterpart: `clusterProcessPacket`.
    """
    sender = state.nodes[sender_id]
    same = sender.my_master_failed == announced.my_master_failed
    if same or not state.rules.failed_master_is_announced:
        return state
    return state.put(attrs.evolve(sender, my_master_failed=announced.my_master_failed))


@clause("HB-11")
def sender_of(state: ClusterState, event: Received) -> NodeId | None:
    """Whom the message is from: the node its link belongs to, else the one it names.

    None if that is no node this one knows, or itself. Counterpart: `getNodeFromLinkAndMsg`.
    """
    bound = state.known(event.link_node) or state.known(event.message.header.sender)
    return None if bound is None or bound.node_id == state.myself_id else bound.node_id


@clause("HB-7", "HB-12", "HB-17")
def _take_in(
    state: ClusterState,
    event: Received,
    message: Heartbeat,
    sender_id: NodeId,
    out: list[Effect],
) -> ClusterState:
    announced, sender = message.header, state.nodes[sender_id]
    if sender.nofailover != announced.nofailover:
        sender = attrs.evolve(sender, nofailover=announced.nofailover)
        state = state.put(sender)
    if isinstance(message, Ping) and event.link is Link.INBOUND:
        address = observed_address(announced, event.observed_ip)
        state = update_address(state, sender, address, out)
    if isinstance(message, Pong) and event.link is Link.OUTBOUND:
        state = hear_pong(state, sender_id, out)
    if is_old(sender, announced, state.rules):
        out.append(Notice(what=Refusal.OLD_HEADER, subject=sender_id))
        return state
    state = learn_told_epoch(state, announced)
    was_replica = sender.is_replica
    switched = switch_role(state, sender_id, announced, out)
    if switched is None:
        return state
    state = process_claims(switched, sender_id, announced, out, was_replica=was_replica)
    if announced.replicaof is None:
        state = resolve_collision(state, sender_id, announced.config_epoch, out)
    state = _take_gossip(state, message, sender_id, out)
    state = hear_forgotten(state, message.forgotten, out)
    state = _take_shard(state, announced, sender_id, out)
    return follow_own_shard(state, sender_id, out)


@clause("HB-17")
def is_old(sender: ClusterNode, announced: Header, rules: Rules) -> bool:
    """Whether the sender is known to have had a newer epoch when it sent this, so that it is late.

    No current_epoch is behind a configEpoch of its own, nor does one sink.
    """
    known = max(sender.config_epoch, sender.told_epoch)
    return rules.old_headers_are_ignored and announced.current_epoch < known


@clause("HB-8")
def _take_gossip(
    state: ClusterState, message: Heartbeat, sender_id: NodeId | None, out: list[Effect]
) -> ClusterState:
    """What is said of others is taken in; a stranger (None) who sends a MEET cannot report."""
    for entry in message.gossip:
        node = state.nodes.by_id.get(entry.node_id)
        if node is not None and _says_nothing_new(entry, node):
            continue
        if node is None:
            if sender_id is not None or state.rules.meet_introduces:
                state = hear_of_stranger(state, entry)
            continue
        if sender_id is not None:
            reporter = state.nodes[sender_id]
            state = take_report(state, reporter, entry.node_id, entry.health, out)
        state = move_unreachable(state, entry, out)
    return state


def _says_nothing_new(entry: Gossip, node: ClusterNode) -> bool:
    """Whether a node that is well is said to be well, and nobody has ever said otherwise."""
    return entry.health is node.health is Health.OK and not node.fail_reports


@clause("HB-9")
def _take_shard(
    state: ClusterState, announced: Header, sender_id: NodeId, out: list[Effect]
) -> ClusterState:
    """A master belongs to the shard it says; a replica to the one of its master, if it has one."""
    sender = state.nodes.get(sender_id)
    if sender is None:
        return state
    return adopt_shard(state, sender_id, _shard_of(state, sender, announced), out)


def _shard_of(state: ClusterState, sender: ClusterNode, announced: Header) -> ShardId | None:
    master = state.nodes.get(sender.replicaof)
    if master is None:
        return announced.shard_id
    if state.rules.replica_shard_must_agree:
        return master.shard_id or announced.shard_id
    return announced.shard_id or master.shard_id

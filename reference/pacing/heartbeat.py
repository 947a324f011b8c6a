"""Whom to dial, to ping and to speak of, and which link to give up."""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health, NodeId
from reference.pacing.draws import draws, shuffled
from reference.pacing.pace import (
    RANDOM_PING_SAMPLE,
    ROUND_MS,
    ROUNDS_PER_RANDOM_PING,
    Pace,
    PeerPace,
)

_NEW_PEER: Final = PeerPace()


@clause("PA-2", "PA-25")
def to_dial(
    pace: Pace, state: ClusterState, now: int, among: Sequence[ClusterNode] | None = None
) -> list[NodeId]:
    """The nodes without a link whose address is known, if they are not dialled too often.

    Counterpart: `clusterCron`.
    """
    dialled: list[NodeId] = []
    half = pace.node_timeout // 2
    ration = 10 * (len(state.nodes) * ROUND_MS // max(half, 1))
    for node in _others(state) if among is None else among:
        peer = pace.peer(node.node_id)
        if peer.linked_since is not None or not node.address or node.noaddr:
            continue
        lately = peer.dialled is not None and now - peer.dialled < half // 10
        gone = pace.habits.redials_are_rationed and lately and not peer.inbound
        if gone and len(dialled) == ration:
            continue
        dialled.append(node.node_id)
    return dialled


@clause("PA-31")
def to_greet_again(
    pace: Pace, state: ClusterState, now: int, among: Sequence[ClusterNode] | None = None
) -> list[NodeId]:
    """The nodes that have had no link to us for long, and may have forgotten us.

    Counterpart: `clusterCron`.
    """
    if not state.rules.meet_is_repeated:
        return []
    greeted, patience = [], pace.handshake_timeout
    for node in _others(state) if among is None else among:
        peer = pace.peer(node.node_id)
        if node.handshake or node.meet or node.noaddr or node.health is not Health.OK:
            continue
        if peer.linked_since is None or peer.inbound or not peer.takes_meet_again:
            continue
        silent = peer.inbound_lost is None or now - peer.inbound_lost > patience
        if silent and (peer.meet_sent is None or now - peer.meet_sent > patience):
            greeted.append(node.node_id)
    return greeted


@clause("MF-4")
def to_tell_of_pause(pace: Pace, state: ClusterState) -> list[NodeId]:
    """The replica for which this master has paused, which is pinged in every round.

    Counterpart: `clusterCron`.
    """
    under_way = state.manual_failover
    replica = None if under_way is None else under_way.replica
    if replica is None or not state.myself.is_master or replica not in state.nodes:
        return []
    return [] if pace.peer(replica).linked_since is None else [replica]


@clause("PA-3")
def ping_overdue(
    pace: Pace, state: ClusterState, now: int, among: Sequence[ClusterNode] | None = None
) -> list[NodeId]:
    """The nodes that have to be pinged: linked, no PING in flight, last PONG too old.

    Counterpart: `clusterCron`.
    """
    due = []
    for node in _others(state) if among is None else among:
        peer = pace.peer(node.node_id)
        waiting = peer.linked_since is None or peer.ping_sent is not None
        if waiting or node.handshake or node.noaddr:
            continue
        if peer.pong_received is None or now - peer.pong_received > pace.ping_interval:
            due.append(node.node_id)
    return due


@clause("PA-4")
def random_ping(pace: Pace, state: ClusterState, entropy: int) -> NodeId | None:
    """Of five table entries drawn at random, the one whose PONG is oldest; not in every round.

    An entry that cannot be pinged now is drawn in vain, as in the servers. Counterpart:
    `clusterCron`.
    """
    if pace.round_number % ROUNDS_PER_RANDOM_PING:
        return None
    nodes = list(state.nodes)
    oldest: tuple[int, NodeId] | None = None
    for _, draw in zip(range(RANDOM_PING_SAMPLE), draws(entropy), strict=False):
        node = nodes[draw % len(nodes)]
        peer = pace.peer(node.node_id)
        waiting = peer.linked_since is None or peer.ping_sent is not None
        if node.node_id == state.myself_id or node.handshake or waiting:
            continue
        if peer.pong_received is None:
            return node.node_id
        if oldest is None or peer.pong_received < oldest[0]:
            oldest = (peer.pong_received, node.node_id)
    return None if oldest is None else oldest[1]


def without_random_ping(pace: Pace) -> Pace:
    """The next round is not one in which a node is pinged at random."""
    return attrs.evolve(pace, round_number=0)


@clause("PA-9")
def to_reconnect(
    pace: Pace, state: ClusterState, now: int, among: Sequence[ClusterNode] | None = None
) -> list[NodeId]:
    """The nodes whose link is given up: old, with a PING and everything else silent for NT/2.

    Counterpart: `clusterCron`.
    """
    given_up, half = [], pace.node_timeout // 2
    for node in _others(state) if among is None else among:
        peer = pace.peer(node.node_id)
        if node.handshake or peer.linked_since is None or peer.ping_sent is None:
            continue
        silent = peer.data_received is None or now - peer.data_received > half
        old = now - peer.linked_since > pace.node_timeout
        if old and silent and now - peer.ping_sent > half:
            given_up.append(node.node_id)
    return given_up


@clause("PA-17")
def gossip_about(
    pace: Pace, state: ClusterState, entropy: int, *, receiver: NodeId | None = None
) -> tuple[NodeId, ...]:
    """The nodes, drawn at random, that a heartbeat speaks of besides those in PFAIL.

    A tenth of the table, at least 3, but not the sender itself, and none that a listener could not
    reach. Counterpart: `clusterSendPing`.
    """
    fresh = len(state.nodes) - 2
    share = len(state.nodes) * pace.directives.gossip_percent // 100
    wanted = min(max(3, share), fresh)
    if wanted <= 0:
        return ()
    never = (state.myself_id, receiver if pace.habits.gossip_spares_receiver else None)
    told: list[NodeId] = []
    for node in shuffled(state.nodes, entropy):
        if node.node_id not in never and _worth_telling(pace, node):
            told.append(node.node_id)
            if len(told) == wanted:
                break
    return tuple(sorted(told))


def _worth_telling(pace: Pace, node: ClusterNode) -> bool:
    if node.handshake or node.noaddr or node.health is Health.PFAIL:
        return False
    return node.slots.bitmap != 0 or pace.peer(node.node_id).linked_since is not None


def _others(state: ClusterState) -> list[ClusterNode]:
    return [node for node in state.nodes if node.node_id != state.myself_id]


def not_quiet(pace: Pace, state: ClusterState, now: int) -> list[ClusterNode]:
    """The other nodes that a round may have to do something about, mostly very few.

    The rest are linked both ways, have answered lately, and are asked nothing.
    """
    peers, oldest = pace.peers, now - pace.ping_interval
    restless = []
    for node in _others(state):
        peer = peers.get(node.node_id, _NEW_PEER)
        linked = peer.inbound and peer.linked_since is not None
        heard = peer.pong_received is not None and peer.pong_received >= oldest
        if not linked or not heard or peer.ping_sent is not None:
            restless.append(node)
    return restless


@clause("PA-2", "PA-6")
def link_dialled(pace: Pace, peer: NodeId, now: int) -> Pace:
    """The node has a link from now on, though it may still have to be accepted.

    Counterpart: `clusterNodeCronHandleReconnect`.
    """
    return pace.with_peer(peer, attrs.evolve(pace.peer(peer), linked_since=now, dialled=now))


@clause("PA-6", "PA-7")
def link_lost(pace: Pace, peer: NodeId, now: int, *, never_opened: bool = False) -> Pace:
    """The node has no link; a PING in flight stays in flight.

    A dial that failed counts as a PING, for else nobody would ever miss the PONG. Counterpart:
    `freeClusterLink`, `clusterNodeCronHandleReconnect`.
    """
    old = pace.peers.get(peer)
    if old is None:
        return pace
    ping_sent = now if never_opened and old.ping_sent is None else old.ping_sent
    return pace.with_peer(peer, attrs.evolve(old, linked_since=None, ping_sent=ping_sent))


@clause("PA-31")
def link_inbound(pace: Pace, peer: NodeId, now: int, *, up: bool) -> Pace:
    """The node has a link to us, or from now on none.

    Counterpart: `setClusterNodeToInboundClusterLink`, `freeClusterLink`.
    """
    old = pace.peers.get(peer)
    if old is None or old.inbound == up:
        return pace
    lost = old.inbound_lost if up else now
    return pace.with_peer(peer, attrs.evolve(old, inbound=up, inbound_lost=lost))


@clause("PA-31")
def learn_abilities(pace: Pace, peer: NodeId, *, takes_meet_again: bool) -> Pace:
    """The node said in its header whether it answers a MEET of a node that it knows.

    Counterpart: `nodeSupportsMultiMeet`.
    """
    old = pace.peers.get(peer)
    if old is None or old.takes_meet_again == takes_meet_again:
        return pace
    return pace.with_peer(peer, attrs.evolve(old, takes_meet_again=takes_meet_again))


@clause("PA-31")
def meet_sent(pace: Pace, peer: NodeId, now: int) -> Pace:
    """The node was greeted now. Counterpart: `clusterSendPing`."""
    old = pace.peers.get(peer)
    return pace if old is None else pace.with_peer(peer, attrs.evolve(old, meet_sent=now))


@clause("PA-5", "PA-6")
def ping_sent(pace: Pace, peer: NodeId, now: int) -> Pace:
    """A PING to the node is in flight, since the first one that was not answered.

    Counterpart: `clusterSendPing`, `clusterLinkConnectHandler`.
    """
    old = pace.peer(peer)
    return pace if old.ping_sent is not None else pace.with_peers({peer: old.pinged(now)})


@clause("PA-18")
def learn_pongs(
    pace: Pace, state: ClusterState, heard: Iterable[tuple[NodeId, int]], now: int
) -> Pace:
    """These nodes were heard by one we trust, so that we need not ask them ourselves yet.

    For gossip entries without failure flags; the instants are on our clock. Counterpart:
    `clusterProcessGossipSection`.
    """
    learnt: dict[NodeId, PeerPace] = {}
    peers = pace.peers
    for subject, pong_received in heard:
        peer = learnt.get(subject) or peers.get(subject, _NEW_PEER)
        if peer.ping_sent is not None or pong_received > now + 500:
            continue
        if peer.pong_received is not None and pong_received <= peer.pong_received:
            continue
        node = state.nodes.get(subject)
        if node is None or subject == state.myself_id or node.handshake or node.fail_reports:
            continue
        learnt[subject] = peer.heard_by_another(pong_received)
    return pace.with_peers(learnt)

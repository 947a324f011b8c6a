"""How nodes come to know each other: MEET, the names behind addresses, and gossip of strangers."""

from functools import lru_cache

import attrs

from reference.clauses import clause
from reference.core.announce import meet
from reference.core.effects import (
    CloseLink,
    Effect,
    Happening,
    Notice,
    Refusal,
    Reply,
    SaveConfig,
    Send,
)
from reference.core.events import MeetRepeated, Received
from reference.core.failure import mark_failing
from reference.core.messages import Gossip, Header, Meet
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState, remove_node
from reference.core.types import Address, Health, NodeId, Role


def _handshake_in_progress(state: ClusterState, address: Address) -> bool:
    return any(
        node.handshake
        and node.address is not None
        and attrs.evolve(node.address, pport=address.pport) == address
        for node in state.nodes
    )


@clause("HS-1")
def start_handshake(
    state: ClusterState, address: Address, new_id: NodeId, out: list[Effect]
) -> ClusterState:
    """A node with a made-up id waits to be greeted with MEET at this address.

    Counterpart: `clusterStartHandshake`.
    """
    out.append(Reply())
    if _handshake_in_progress(state, address) or new_id in state.nodes:
        out.append(Notice(what=Refusal.ALREADY_MET, subject=new_id))
        return state
    greeted = ClusterNode(
        node_id=new_id, role=Role.UNKNOWN, address=address, handshake=True, meet=True
    )
    return state.put(greeted)


@clause("HS-9")
def observed_address(announced: Header, observed_ip: str | None) -> Address | None:
    """Where the sender is: the ip it announces, else the one its connection comes from.

    Counterpart: `nodeIp2String`.
    """
    address = announced.address
    if address is None or address.ip or observed_ip is None:
        return address
    return _reached_at(address, observed_ip)


@lru_cache(maxsize=1024)
def _reached_at(address: Address, ip: str) -> Address:
    return attrs.evolve(address, ip=ip)


@clause("HS-3", "NO-12")
def meet_stranger(state: ClusterState, event: Received, out: list[Effect]) -> ClusterState:
    """The unknown sender of a MEET is a node in handshake, which we dial to learn its name.

    It is so once more if it is in handshake already. Counterpart: `clusterProcessPacket`.
    """
    address, new_id = observed_address(event.message.header, event.observed_ip), event.new_id
    if new_id is None or new_id in state.nodes:
        out.append(Notice(what=Refusal.ALREADY_MET, subject=event.message.header.sender))
        return state
    stranger = ClusterNode(node_id=new_id, role=Role.UNKNOWN, address=address, handshake=True)
    out.append(SaveConfig(fsync=False))
    return state.put(stranger)


@clause("HS-13")
def is_second_meet(state: ClusterState, event: Received) -> bool:
    """Whether it is a MEET on a link that an earlier one bound to a node in handshake.

    Counterpart: `clusterProcessPacket`.
    """
    node = state.nodes.get(event.link_node)
    return (
        state.rules.second_meet_is_ignored
        and isinstance(event.message, Meet)
        and node is not None
        and node.handshake
    )


@clause("HS-12")
def dial_again(sender: NodeId, event: Received, out: list[Effect]) -> None:
    """The link to a node that greets us, though we have long known it, is closed.

    Counterpart: `clusterProcessPacket`.
    """
    if isinstance(event.message, Meet) and event.sender_known_long:
        out.append(CloseLink(peer=sender))


@clause("HS-4", "HS-5", "HS-6", "NO-9")
def learn_name(
    state: ClusterState, node: ClusterNode, event: Received, out: list[Effect]
) -> ClusterState | None:
    """The node behind our link has the name it says; None if that is as we knew it.

    A node that was known under this name already loses the made-up entry and is where that one
    was reached. Counterpart: `clusterProcessPacket`.
    """
    peer, announced = node.node_id, event.message.header
    if peer == announced.sender:
        return None
    if not node.handshake:
        return _lose_address(state, node, out)
    state = remove_node(state, peer)
    known = state.nodes.get(announced.sender)
    if known is not None and known.node_id == state.myself_id:
        return state
    if known is not None:
        return update_address(state, known, observed_address(announced, event.observed_ip), out)
    out += [Notice(what=Happening.MET, subject=announced.sender), SaveConfig(fsync=False)]
    return state.put(
        attrs.evolve(
            node,
            node_id=announced.sender,
            role=Role.MASTER if announced.replicaof is None else Role.REPLICA,
            shard_id=announced.shard_id if state.rules.shards else None,
            handshake=False,
            meet=False,
        )
    )


def _lose_address(state: ClusterState, node: ClusterNode, out: list[Effect]) -> ClusterState:
    """A node in whose place another one answered has no known address."""
    out += [
        Notice(what=Refusal.SENDER_MISMATCH, subject=node.node_id),
        SaveConfig(fsync=False),
        CloseLink(peer=node.node_id),
    ]
    state = state.put(attrs.evolve(node, noaddr=True, address=None))
    if state.rules.mismatch_is_failure and node.health is not Health.FAIL:
        return mark_failing(state, node.node_id, out)
    return state


@clause("HS-7")
def expire_handshake(state: ClusterState, peer: NodeId) -> ClusterState:
    """A node that did not say its name in time is forgotten. Counterpart: `clusterCron`."""
    node = state.nodes.get(peer)
    if node is None or not node.handshake:
        return state
    return remove_node(state, peer)


@clause("HS-8", "NO-6")
def hear_of_stranger(state: ClusterState, entry: Gossip) -> ClusterState:
    """A node that a known node speaks of is known, under that name and address.

    Not one without an address, and not one that was forgotten a moment ago. Counterpart:
    `clusterProcessGossipSection`.
    """
    if entry.noaddr or entry.node_id in state.nodes_black_list:
        return state
    return state.put(
        ClusterNode(
            node_id=entry.node_id, role=entry.role, health=entry.health, address=entry.address
        )
    )


@clause("HS-9")
def update_address(
    state: ClusterState, node: ClusterNode, address: Address | None, out: list[Effect]
) -> ClusterState:
    """The node is at the address its PING came from, and our link to the old one is closed.

    Counterpart: `nodeUpdateAddressIfNeeded`.
    """
    if address is None or not address.ip or address == node.address:
        return state
    out += [SaveConfig(fsync=False), CloseLink(peer=node.node_id)]
    return state.put(attrs.evolve(node, address=address, noaddr=False))


@clause("HS-10")
def move_unreachable(state: ClusterState, entry: Gossip, out: list[Effect]) -> ClusterState:
    """A node we cannot reach, and that another reaches elsewhere, is dialled there.

    Counterpart: `clusterProcessGossipSection`.
    """
    node = state.nodes[entry.node_id]
    elsewhere = entry.address is not None and entry.address != node.address
    if node.health is Health.OK or entry.health is not Health.OK or entry.noaddr or not elsewhere:
        return state
    out.append(CloseLink(peer=node.node_id))
    return state.put(attrs.evolve(node, address=entry.address, noaddr=False))


@clause("HS-11")
def repeat_meet(state: ClusterState, event: MeetRepeated, out: list[Effect]) -> ClusterState:
    """A node that seems well but does not dial us has been sent a MEET.

    Counterpart: `clusterNodeCronHandleReconnect`.
    """
    node = state.known(event.peer)
    if (
        not state.rules.meet_is_repeated
        or node is None
        or node.node_id == state.myself_id
        or node.noaddr
        or node.meet
        or node.health is not Health.OK
    ):
        return state
    state = state.put(attrs.evolve(node, meet=True))
    out.append(Send(to=event.peer, message=meet(state, event.gossip_about)))
    return state

"""The cluster as CLUSTER NODES, SLOTS, SHARDS, REPLICAS, LINKS and INFO tell it."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.cluster_state import count_slots
from reference.core.nodes import ClusterNode
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, node_epoch
from reference.core.types import Address, Health, Link
from reference.runtime.clients.session import Session
from reference.runtime.clients.view import NodeView
from reference.runtime.files.nodes_file import Contact, node_line
from reference.runtime.replies import ClientReply
from reference.wire.nodes_conf import format_node_line

_NOWHERE: Final = Address(ip="", port=0, cport=0)

_Fields = dict[bytes | str, ClientReply]


@clause("CM-51")
def _client_address(session: Session, node: ClusterNode) -> Address:
    """Where clients of this kind find the node: what it announces for them, else its address.

    Counterpart: `clusterNodeIp`.
    """
    address, said = node.address or _NOWHERE, session.node.announced(node.node_id)
    ip = said.client_ipv6 if ":" in session.local_ip else said.client_ipv4
    port = _ports(session, node)[session.by_tls]
    if not session.release.knows_both_ports:
        port = port or address.port
    return attrs.evolve(address, ip=ip or address.ip, port=port)


@clause("RT-63")
def _ports(session: Session, node: ClusterNode) -> tuple[int, int]:
    """The node's port for clients without TLS, and the one for clients with it; 0: none is known.

    Counterpart: `clusterNodeClientPort`.
    """
    address, said = node.address or _NOWHERE, session.node.announced(node.node_id)
    plain, tls = address.port, address.pport
    if session.node.options.tls_cluster:
        plain, tls = tls, plain
    return said.client_port or plain, said.client_tls_port or tls


@clause("CM-11")
def describe_node(session: Session, node: ClusterNode) -> str:
    """The line of the node in CLUSTER NODES. Counterpart: `clusterGenNodeDescription`."""
    view = session.node
    contact = Contact(
        connected=view.link_connected(node.node_id),
        ping_sent=view.ping_sent_ms(node.node_id),
        pong_received=view.pong_received_ms(node.node_id),
        announced=view.announced(node.node_id),
    )
    if node.address is not None:
        node = attrs.evolve(node, address=_client_address(session, node))
    return format_node_line(node_line(view.state, node, contact))


def nodes_text(session: Session) -> str:
    """The answer to CLUSTER NODES. Counterpart: `clusterGenNodesDescription`."""
    return "".join(f"{describe_node(session, node)}\n" for node in session.state.nodes)


def replicas_of(state: ClusterState, master: ClusterNode) -> Iterator[ClusterNode]:
    """The nodes known as replicas of this one, in the order of their ids."""
    return (node for node in state.nodes if node.replicaof == master.node_id)


def _ip(session: Session, node: ClusterNode) -> str:
    """Where clients find the node; ourselves where this client did, if we do not know better."""
    known = _client_address(session, node).ip
    return known or (session.local_ip if node.node_id == session.state.myself_id else "")


@clause("CM-51")
def preferred_endpoint(session: Session, node: ClusterNode) -> str:
    """What redirections call the node: its address, its host name, or nothing.

    Counterpart: `clusterNodePreferredEndpoint`.
    """
    match session.node.options.preferred_endpoint_type:
        case "hostname":
            return session.node.announced(node.node_id).hostname or "?"
        case "unknown-endpoint":
            return ""
        case _:
            return _client_address(session, node).ip


def client_port(session: Session, node: ClusterNode) -> int:
    """The port of the node that its clients use."""
    return _client_address(session, node).port


@clause("CM-51")
def _endpoint(session: Session, node: ClusterNode) -> ClientReply:
    """A node in CLUSTER SLOTS. Counterpart: `addNodeToNodeReply`."""
    preferred = session.node.options.preferred_endpoint_type
    said = session.node.announced(node.node_id)
    endpoint: str | None = _ip(session, node)
    more: _Fields = {}
    if preferred != "ip":
        more["ip"] = endpoint
        endpoint = preferred_endpoint(session, node) if preferred == "hostname" else None
    if preferred != "hostname" and said.hostname:
        more["hostname"] = said.hostname
    if session.release.zones and said.availability_zone:
        more["availability-zone"] = said.availability_zone
    return [endpoint, client_port(session, node), node.node_id, more]


@clause("CM-12", "CM-D1")
def slots_reply(session: Session) -> ClientReply:
    """Each run of slots with its master and the replicas that are not in FAIL, ascending.

    Counterpart: `clusterGenNodesSlotsInfo`, `clusterReplyMultiBulkSlots`.
    """
    state = session.state
    runs: list[tuple[int, int, ClusterNode]] = []
    for node in state.nodes:
        runs += [(first, last, node) for first, last in node.slots.ranges]
    runs.sort(key=lambda run: run[0])
    return [
        [
            first,
            last,
            _endpoint(session, owner),
            *(
                _endpoint(session, replica)
                for replica in replicas_of(state, owner)
                if replica.health is not Health.FAIL
            ),
        ]
        for first, last, owner in runs
    ]


@clause("CM-D1")
def _shard_member(session: Session, node: ClusterNode) -> ClientReply:
    said, ip = session.node.announced(node.node_id), _ip(session, node)
    by_address = session.node.options.preferred_endpoint_type == "ip"
    plain, tls = _ports(session, node)
    member: _Fields = {"id": node.node_id}
    member |= {"port": plain} if plain else {}
    member |= {"tls-port": tls} if tls else {}
    member |= {
        "ip": ip,
        "endpoint": ip if by_address else preferred_endpoint(session, node),
    }
    if said.hostname:
        member["hostname"] = said.hostname
    member |= {
        "role": "replica" if node.is_replica else "master",
        "replication-offset": session.node.repl_offset(node.node_id),
        "health": _health(session.node, node),
    }
    if session.release.zones and said.availability_zone:
        member["availability-zone"] = said.availability_zone
    return member


@clause("CM-13")
def _health(view: NodeView, node: ClusterNode) -> str:
    """Whether the node serves; a replica does not before it has the data that its master has.

    Counterpart: `addNodeDetailsToShardReply`.
    """
    if node.health is Health.FAIL:
        return "fail"
    if node.replicaof is None or not view.repl_offset(node.replicaof):
        return "online"  # a master without a stream has no offset, and nor have its replicas
    return "online" if view.repl_offset(node.node_id) else "loading"


def _shards(session: Session) -> Iterable[list[ClusterNode]]:
    """The known nodes by shard; where shards are no more than that, by master."""
    state = session.state
    known = [node for node in state.nodes if not node.handshake]
    if not session.release.shards_are_kept:
        return [[node, *replicas_of(state, node)] for node in known if node.is_master]
    shards: dict[str, list[ClusterNode]] = {}
    for node in known:
        shards.setdefault(node.shard_id or node.node_id, []).append(node)
    return shards.values()


@clause("CM-13")
def shards_reply(session: Session) -> ClientReply:
    """Each shard with its slots and its nodes. Counterpart: `clusterCommandShards`."""
    shards: list[ClientReply] = []
    for members in _shards(session):
        shown = session.release.shards_show_slots_of_replicas
        owners = [node for node in members if node.slots and (shown or not node.is_replica)]
        slots = owners[0].slots if owners else NO_SLOTS
        shard: _Fields = {
            "slots": [bound for run in slots.ranges for bound in run],
            "nodes": [_shard_member(session, member) for member in members],
        }
        if session.release.shards_have_ids:
            shard["id"] = members[0].shard_id or ""
        shards.append(shard)
    return shards


@clause("CM-52")
def links_reply(session: Session) -> ClientReply:
    """Each link of the bus whose node is known. Counterpart: `addReplyClusterLinksDescription`."""
    return [
        {
            "direction": "to" if link.direction is Link.OUTBOUND else "from",
            "node": link.node_id,
            "create-time": link.created_ms,
            "events": "rw" if link.unsent else "r",
            "send-buffer-allocated": link.unsent,
            "send-buffer-used": link.unsent,
        }
        for link in session.node.links()
    ]


@clause("CM-14")
def info_text(session: Session) -> str:
    """The answer to CLUSTER INFO, lines ended by CRLF. Counterpart: `genClusterInfoString`."""
    state, node = session.state, session.node
    counts = count_slots(state)
    lines = [
        f"cluster_state:{'ok' if node.cluster_ok else 'fail'}",
        f"cluster_slots_assigned:{counts.assigned}",
        f"cluster_slots_ok:{counts.ok}",
        f"cluster_slots_pfail:{counts.pfail}",
        f"cluster_slots_fail:{counts.fail}",
        *(_failed_nodes(state) if session.release.counts_failed_nodes else ()),
        f"cluster_known_nodes:{len(state.nodes)}",
        f"cluster_size:{state.size}",
        f"cluster_current_epoch:{state.current_epoch}",
        f"cluster_my_epoch:{node_epoch(state, state.myself)}",
    ]
    for way, counters in (("sent", node.messages_sent), ("received", node.messages_received)):
        lines += [
            f"cluster_stats_messages_{kind}_{way}:{count}"
            for kind, count in counters.items()
            if count
        ]
        lines.append(f"cluster_stats_messages_{way}:{sum(counters.values())}")
    lines += _byte_counts(node) if session.release.counts_bytes else ()
    lines.append(f"total_cluster_links_buffer_limit_exceeded:{node.links_overfull}")
    return "".join(f"{line}\r\n" for line in lines)


def _failed_nodes(state: ClusterState) -> Iterator[str]:
    for prefix, nodes in (
        ("cluster_nodes", list(state.nodes)),
        ("cluster_voting_nodes", [node for node in state.nodes if node.is_voting_master]),
    ):
        for health in (Health.PFAIL, Health.FAIL):
            count = sum(node.health is health for node in nodes)
            yield f"{prefix}_{health.value}:{count}"


def _byte_counts(node: NodeView) -> Iterator[str]:
    """There are no modules here."""
    yield f"cluster_stats_bytes_sent:{node.bytes_sent}"
    yield f"cluster_stats_bytes_received:{node.bytes_received}"
    for kind, counts in (("pubsub", node.published_bytes), ("module", (0, 0))):
        for way, count in zip(("sent", "received"), counts, strict=True):
            yield f"cluster_stats_{kind}_bytes_{way}:{count}"

"""The cluster as CLUSTER NODES, SLOTS, SHARDS, REPLICAS and INFO tell it."""

from collections.abc import Iterator

from reference.clauses import clause
from reference.core.cluster_state import count_slots
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState, node_epoch
from reference.core.types import Health
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_session import Session
from reference.runtime.client_view import NodeView
from reference.runtime.nodes_file import Contact, node_line
from reference.wire.nodes_conf import format_node_line


@clause("CM-11")
def describe_node(view: NodeView, node: ClusterNode) -> str:
    """The line of the node in CLUSTER NODES. Counterpart: `clusterGenNodeDescription`."""
    contact = Contact(
        connected=view.link_connected(node.node_id),
        ping_sent=view.ping_sent_ms(node.node_id),
        pong_received=view.pong_received_ms(node.node_id),
    )
    return format_node_line(node_line(view.state, node, contact))


def nodes_text(view: NodeView) -> str:
    """The answer to CLUSTER NODES. Counterpart: `clusterGenNodesDescription`."""
    return "".join(f"{describe_node(view, node)}\n" for node in view.state.nodes)


def replicas_of(state: ClusterState, master: ClusterNode) -> Iterator[ClusterNode]:
    """The nodes known as replicas of this one, in the order of their ids."""
    return (node for node in state.nodes if node.replicaof == master.node_id)


def _ip(session: Session, node: ClusterNode) -> str:
    """Where clients find the node; ourselves where this client did, if we do not know better."""
    known = node.address.ip if node.address else ""
    return known or (session.local_ip if node.node_id == session.state.myself_id else "")


def _endpoint(session: Session, node: ClusterNode) -> ClientReply:
    port = node.address.port if node.address else 0
    return [_ip(session, node), port, node.node_id, {}]


@clause("CM-12")
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


def _shard_member(session: Session, node: ClusterNode) -> ClientReply:
    ip = _ip(session, node)
    return {
        "id": node.node_id,
        "port": node.address.port if node.address else 0,
        "ip": ip,
        "endpoint": ip,
        "role": "replica" if node.is_replica else "master",
        "replication-offset": 0,
        "health": "fail" if node.health is Health.FAIL else "online",
    }


@clause("CM-13")
def shards_reply(session: Session) -> ClientReply:
    """Each master with its slots and its replicas. Counterpart: `clusterReplyShards`."""
    state = session.state
    shards: list[ClientReply] = []
    for master in state.nodes:
        if not master.is_master or master.handshake:
            continue
        bounds = [bound for run in master.slots.ranges for bound in run]
        members = [master, *replicas_of(state, master)]
        shard: dict[bytes | str, ClientReply] = {
            "slots": bounds,
            "nodes": [_shard_member(session, member) for member in members],
        }
        if session.release.has_shard_ids:
            shard["id"] = master.shard_id or ""
        shards.append(shard)
    return shards


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
    lines.append("total_cluster_links_buffer_limit_exceeded:0")
    return "".join(f"{line}\r\n" for line in lines)


def _failed_nodes(state: ClusterState) -> Iterator[str]:
    for prefix, nodes in (
        ("cluster_nodes", list(state.nodes)),
        ("cluster_voting_nodes", [node for node in state.nodes if node.is_voting_master]),
    ):
        for health in (Health.PFAIL, Health.FAIL):
            count = sum(node.health is health for node in nodes)
            yield f"{prefix}_{health.value}:{count}"

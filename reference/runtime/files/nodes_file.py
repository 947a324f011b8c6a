"""Between the state of a node and the lines of its nodes.conf."""

import logging
from collections.abc import Callable
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.open_slots import open_slots
from reference.core.rules import Rules
from reference.core.state import ClusterState, durable, node_epoch, restarted
from reference.core.types import Address, Health, NodeId, Role, ShardId
from reference.wire.announced import (
    NOTHING_ANNOUNCED,
    Announced,
    announced_in,
    other_port_in,
    to_aux,
)
from reference.wire.dialects import wire_dialect
from reference.wire.nodes_conf import CONNECTED, DISCONNECTED, NodeLine, NodesConf

_LOG = logging.getLogger(__name__)
_ROLE_WORDS: Final = {Role.MASTER: "master", Role.REPLICA: "slave"}
_HEALTH_WORDS: Final = {Health.PFAIL: "fail?", Health.FAIL: "fail"}


@attrs.frozen(kw_only=True)
class Contact:
    """What a line tells of the contact to a node; instants are milliseconds since 1970."""

    connected: bool = False
    ping_sent: int = 0
    pong_received: int = 0
    announced: Announced = NOTHING_ANNOUNCED
    tls: bool = False  # the port of an address is the one with TLS


NO_CONTACT: Final = Contact()


def flag_words(state: ClusterState, node: ClusterNode) -> tuple[str, ...]:
    """The words for what the node is, in the servers' order."""
    words = ["myself"] if node.node_id == state.myself_id else []
    words += [_ROLE_WORDS[node.role]] if node.role in _ROLE_WORDS else []
    words += [_HEALTH_WORDS[node.health]] if node.health in _HEALTH_WORDS else []
    named = {"handshake": node.handshake, "noaddr": node.noaddr, "nofailover": node.nofailover}
    words += [word for word, holds in named.items() if holds]
    return tuple(words) or ("noflags",)


def node_line(state: ClusterState, node: ClusterNode, contact: Contact) -> NodeLine:
    """The line of the node; a replica's shows the configEpoch of its master.

    Counterpart: `clusterGenNodeDescription`.
    """
    address = node.address or Address(ip="", port=0, cport=0)
    myself = node.node_id == state.myself_id
    announced = attrs.evolve(contact.announced, shard_id=node.shard_id)
    return NodeLine(
        node_id=node.node_id,
        ip=address.ip,
        port=address.port,
        cport=address.cport,
        hostname=announced.hostname,
        aux=to_aux(
            announced,
            wire_dialect(state.rules.dialect),
            tls=contact.tls,
            other_port=address.pport,
        ),
        flags=flag_words(state, node),
        replicaof=node.replicaof,
        ping_sent=contact.ping_sent,
        pong_received=contact.pong_received,
        config_epoch=node_epoch(state, node),
        link_state=CONNECTED if myself or contact.connected else DISCONNECTED,
        slots=node.slots,
        migrating=tuple(state.migrating_slots_to) if myself else (),
        importing=tuple(state.importing_slots_from) if myself else (),
    )


def to_conf(state: ClusterState, contact: Callable[[NodeId], Contact]) -> NodesConf:
    """The file in which the state survives a crash."""
    kept = durable(state)
    return NodesConf(
        nodes=tuple(node_line(kept, node, contact(node.node_id)) for node in kept.nodes),
        current_epoch=kept.current_epoch,
        last_vote_epoch=kept.last_vote_epoch,
        taken_from=kept.taken_from,
    )


@clause("RT-25")
def from_conf(conf: NodesConf, rules: Rules, *, tls: bool = False) -> ClusterState:
    """The state in which a node starts from its file, with `tls` if its bus has TLS."""
    saved = ClusterState(
        rules=rules,
        myself_id=conf.myself.node_id,
        nodes=_of_one_shard(NodeTable(_node(line, rules, tls=tls) for line in conf.nodes), rules),
        current_epoch=conf.current_epoch,
        last_vote_epoch=conf.last_vote_epoch,
        taken_from=conf.taken_from if rules.taken_slots_are_kept else (),
        migrating_slots_to=open_slots(conf.myself.migrating),
        importing_slots_from=open_slots(conf.myself.importing),
    )
    return restarted(saved)


@clause("NC-14")
def _of_one_shard(nodes: NodeTable, rules: Rules) -> NodeTable:
    """The nodes, where replicas are of the shards of their masters.

    Counterpart: `clusterLoadConfig`.
    """
    for node in nodes if rules.replica_shard_must_agree else ():
        master = nodes.get(node.replicaof)
        if master is None or master.shard_id in (None, node.shard_id):
            continue
        _LOG.info(
            "Node %s has a different shard id (%s) than its primary %s (%s). Updating replica's "
            "shard id to match primary's shard id.",
            node.node_id,
            node.shard_id,
            master.node_id,
            master.shard_id,
        )
        nodes = nodes.put(attrs.evolve(node, shard_id=master.shard_id))
    return nodes


@clause("RT-25")
def announced_by_nodes(conf: NodesConf) -> dict[NodeId, Announced]:
    """What the nodes of the file had said of themselves beside what the rules know."""
    return {line.node_id: announced_in(line) for line in conf.nodes}


def _node(line: NodeLine, rules: Rules, *, tls: bool) -> ClusterNode:
    shard_id = dict(line.aux).get("shard-id") if rules.shards else None
    noaddr = "noaddr" in line.flags or not line.port
    return ClusterNode(
        node_id=line.node_id,
        role=_role(line),
        replicaof=line.replicaof,
        config_epoch=line.config_epoch,
        slots=line.slots,
        health=_health(line, noaddr=noaddr),
        shard_id=None if shard_id is None else ShardId(shard_id),
        address=None if noaddr else _address(line, tls=tls),
        noaddr=noaddr,
        nofailover="nofailover" in line.flags,
    )


@clause("RT-64")
def _address(line: NodeLine, *, tls: bool) -> Address:
    """Where the node is, with the port of the bus's kind first, whichever was first in the file.

    Counterpart: `clusterLoadConfig`.
    """
    was_tls, other = other_port_in(line)
    port, pport = line.port, other
    if line.aux and was_tls != tls:
        port, pport = other, line.port
    return Address(ip=line.ip, port=port, cport=line.cport, pport=pport)


def _role(line: NodeLine) -> Role:
    if "master" in line.flags:
        return Role.MASTER
    return Role.REPLICA if "slave" in line.flags else Role.UNKNOWN


def _health(line: NodeLine, *, noaddr: bool) -> Health:
    """A node without an address cannot be asked, so it counts as failed until it comes back."""
    if "fail" in line.flags or noaddr:
        return Health.FAIL
    return Health.PFAIL if "fail?" in line.flags else Health.OK

"""The CLUSTER subcommands about nodes, and what a node tells of its cluster."""

from typing import Final

from reference.clauses import clause
from reference.core.events import (
    ClusterBumpEpoch,
    ClusterFailover,
    ClusterForget,
    ClusterMeet,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterReset,
    ClusterSaveConfig,
    ClusterSetConfigEpoch,
    FailoverOption,
)
from reference.runtime.clients.arguments import (
    parse_address,
    parse_integer,
    parse_node_id,
    subcommand_error,
)
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.clients.topology import (
    describe_node,
    info_text,
    links_reply,
    nodes_text,
    replicas_of,
    shards_reply,
    slots_reply,
)
from reference.runtime.replies import ClientReply, Verbatim
from reference.wire.resp import ErrorReply, SimpleString

_SYNTAX_ERROR: Final = ErrorReply("ERR syntax error")

_HELP: Final = {
    "ADDSLOTS <slot> [<slot> ...]": "Give the slots, which nobody may own, to this node.",
    "ADDSLOTSRANGE <first> <last> [<first> <last> ...]": "The same for runs of slots.",
    "BUMPEPOCH": "Give this node a configEpoch newer than all others.",
    "CANCELSLOTMIGRATIONS": "End all migrations of slots from this node.",
    "COUNT-FAILURE-REPORTS <node-id>": "How many masters say that the node fails.",
    "COUNTKEYSINSLOT <slot>": "How many keys of the slot this node holds.",
    "DELSLOTS <slot> [<slot> ...]": "Take the slots from their owners, at this node only.",
    "DELSLOTSRANGE <first> <last> [<first> <last> ...]": "The same for runs of slots.",
    "FAILOVER [FORCE|TAKEOVER]": "Make this replica the master of its shard.",
    "FLUSHSLOT <slot> [ASYNC|SYNC]": "Delete the keys of the slot.",
    "FLUSHSLOTS": "Take all slots from this node, which must have no keys.",
    "FORGET <node-id>": "Take the node out of the table, for at least a minute.",
    "GETKEYSINSLOT <slot> <count>": "Keys of the slot that this node holds.",
    "GETSLOTMIGRATIONS": "The migrations of slots from and to this node, and how they ended.",
    "HELP": "Print these lines.",
    "INFO": "The state of the cluster as this node sees it.",
    "KEYSLOT <key>": "The slot of the key.",
    "LINKS": "The connections of the bus.",
    "MEET <ip> <port> [<bus-port>]": "Make this node and the one at the address know each other.",
    "MIGRATESLOTS SLOTSRANGE <first> <last> [<first> <last> ...] NODE <node-id> [SLOTSRANGE ...]": (
        "Send the slots with their keys to the node, which owns them when it has all."
    ),
    "MYID": "The id of this node.",
    "MYSHARDID": "The id of this node's shard.",
    "NODES": "Every known node, a line for each.",
    "REPLICAS <node-id>": "The lines of the master's replicas.",
    "REPLICATE <node-id>": "Make this node a replica of the master.",
    "RESET [HARD|SOFT]": "Forget all nodes and slots; with HARD also the own id.",
    "SAVECONFIG": "Write the node's file now.",
    "SET-CONFIG-EPOCH <epoch>": "Give this node, which must know no other, its configEpoch.",
    "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)": (
        "Open or close the slot, or give it to a node."
    ),
    "SHARDS": "Every master with its slots and replicas.",
    "SLOT-STATS (SLOTSRANGE <first> <last>|ORDERBY KEY-COUNT [LIMIT <n>] [ASC|DESC])": (
        "How many keys the slots of this node have."
    ),
    "SLOTS": "Every run of slots with its master and replicas.",
}


@clause("CM-9")
def meet(session: Session, arguments: list[bytes]) -> ClientReply:
    """A greeting to the address is under way. Counterpart: `clusterCommand` (MEET)."""
    if len(arguments) > 5:
        return subcommand_error(arguments)
    address = parse_address(arguments[2:], session.release)
    return session.submit(ClusterMeet(address=address, new_id=session.node.new_temporary_id()))


@clause("CM-48")
def replicate(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node follows that master, or nobody. Counterpart: `clusterCommand` (REPLICATE)."""
    if len(arguments) == 3:
        holds_keys = len(session.service.keyspace) > 0
        master = parse_node_id(arguments[2])
        return session.submit(ClusterReplicate(master=master, holds_keys=holds_keys))
    if [word.upper() for word in arguments[2:]] != [b"NO", b"ONE"]:
        return subcommand_error(arguments)
    return session.submit(ClusterReplicateNoOne(new_shard_id=session.node.new_shard_id()))


@clause("CM-7")
def set_config_epoch(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node has its first configEpoch. Counterpart: `clusterCommand` (SET-CONFIG-EPOCH)."""
    epoch = parse_integer(arguments[2])
    if epoch < 0:
        return ErrorReply(f"ERR Invalid config epoch specified: {epoch}")
    return session.submit(ClusterSetConfigEpoch(config_epoch=epoch))


def _bump_epoch(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.submit(ClusterBumpEpoch())


def _save_config(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.submit(ClusterSaveConfig())


def _forget(session: Session, arguments: list[bytes]) -> ClientReply:
    return session.submit(ClusterForget(node=parse_node_id(arguments[2])))


@clause("CM-48")
def reset(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node knows nobody, and with HARD has a new name.

    Counterpart: `clusterCommand` (RESET).
    """
    if len(arguments) > 3:
        return subcommand_error(arguments)
    word = arguments[2].upper() if len(arguments) == 3 else b"SOFT"
    if word not in (b"HARD", b"SOFT"):
        return _SYNTAX_ERROR
    command = ClusterReset(
        new_id=session.node.new_temporary_id() if word == b"HARD" else None,
        new_shard_id=session.node.new_shard_id(),
        holds_keys=len(session.service.keyspace) > 0,
    )
    return session.submit(command)


@clause("CM-48")
def failover(session: Session, arguments: list[bytes]) -> ClientReply:
    """A failover to this replica is under way, or the reply says why not.

    Counterpart: `clusterCommand` (FAILOVER).
    """
    if len(arguments) > 3 and not session.release.failover_takes_more:
        return subcommand_error(arguments)
    words = {word.upper() for word in arguments[2:]}
    if not words <= {b"FORCE", b"TAKEOVER"}:
        return _SYNTAX_ERROR
    option = FailoverOption.FORCE if words else FailoverOption.PLAIN
    master = session.state.myself.replicaof
    command = ClusterFailover(
        option=FailoverOption.TAKEOVER if b"TAKEOVER" in words else option,
        master_link_up=master is not None and session.node.link_connected(master),
    )
    return session.submit(command)


def _myid(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.state.myself_id


@clause("CM-22")
def my_shard_id(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The shard of this node. Counterpart: `clusterCommandMyShardId`."""
    return session.state.myself.shard_id or ""


def _nodes(session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(nodes_text(session))


def _slots(session: Session, _arguments: list[bytes]) -> ClientReply:
    return slots_reply(session)


def _shards(session: Session, _arguments: list[bytes]) -> ClientReply:
    return shards_reply(session)


def _links(session: Session, _arguments: list[bytes]) -> ClientReply:
    return links_reply(session)


def _info(session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(info_text(session))


@clause("CM-23")
def replicas(session: Session, arguments: list[bytes]) -> ClientReply:
    """The lines of this master's replicas. Counterpart: `clusterCommand` (REPLICAS)."""
    node_id = parse_node_id(arguments[2])
    master = session.state.nodes.get(node_id)
    if master is None:
        return ErrorReply(f"ERR Unknown node {node_id}")
    if master.is_replica:
        return ErrorReply("ERR The specified node is not a master")
    return [describe_node(session, node) for node in replicas_of(session.state, master)]


@clause("CM-49")
def count_failure_reports(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many nodes say that this one fails, and said so not too long ago.

    Counterpart: `clusterNodeFailureReportsCount`.
    """
    node_id = parse_node_id(arguments[2])
    node = session.state.nodes.get(node_id)
    return ErrorReply(f"ERR Unknown node {node_id}") if node is None else len(node.fail_reports)


def _help(session: Session, _arguments: list[bytes]) -> ClientReply:
    known = session.release.table.subcommands
    lines = ["CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for usage, text in _HELP.items():
        if f"cluster|{usage.split(' ')[0].lower()}" in known:
            lines += [usage, f"    {text}"]
    return [SimpleString(line) for line in lines]


CLUSTER_HANDLERS: Final[Handlers] = {
    "cluster|bumpepoch": _bump_epoch,
    "cluster|count-failure-reports": count_failure_reports,
    "cluster|failover": failover,
    "cluster|forget": _forget,
    "cluster|help": _help,
    "cluster|info": _info,
    "cluster|links": _links,
    "cluster|meet": meet,
    "cluster|myid": _myid,
    "cluster|myshardid": my_shard_id,
    "cluster|nodes": _nodes,
    "cluster|replicas": replicas,
    "cluster|replicate": replicate,
    "cluster|reset": reset,
    "cluster|saveconfig": _save_config,
    "cluster|set-config-epoch": set_config_epoch,
    "cluster|shards": _shards,
    "cluster|slaves": replicas,
    "cluster|slots": _slots,
}
"""The handlers of this module by command."""

"""The CLUSTER command."""

from typing import Final

from reference.clauses import clause
from reference.core.events import (
    ClusterAddSlots,
    ClusterMeet,
    ClusterReplicate,
    ClusterSetConfigEpoch,
    Command,
)
from reference.core.slots import key_hash_slot
from reference.core.types import SLOT_COUNT, NodeId
from reference.runtime.client_arguments import (
    CommandError,
    distinct_slots,
    parse_address,
    parse_integer,
    parse_slot,
)
from reference.runtime.client_replies import ClientReply, Verbatim
from reference.runtime.client_session import Handlers, Session
from reference.runtime.client_topology import (
    describe_node,
    info_text,
    nodes_text,
    replicas_of,
    shards_reply,
    slots_reply,
)
from reference.wire.resp import OK, ErrorReply, SimpleString

_HELP: Final = """\
CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
ADDSLOTS <slot> [<slot> ...]
    Give the slots, which nobody may own, to this node.
ADDSLOTSRANGE <first> <last> [<first> <last> ...]
    The same for runs of slots.
COUNTKEYSINSLOT <slot>
    How many keys of the slot this node holds.
GETKEYSINSLOT <slot> <count>
    Keys of the slot that this node holds.
HELP
    Print these lines.
INFO
    The state of the cluster as this node sees it.
KEYSLOT <key>
    The slot of the key.
MEET <ip> <port> [<bus-port>]
    Make this node and the one at the address know each other.
MYID
    The id of this node.
MYSHARDID
    The id of this node's shard.
NODES
    Every known node, a line for each.
REPLICAS <node-id>
    The lines of the master's replicas.
REPLICATE <node-id>
    Make this node a replica of the master.
SET-CONFIG-EPOCH <epoch>
    Give this node, which must know no other, its first configEpoch.
SHARDS
    Every master with its slots and replicas.
SLOTS
    Every run of slots with its master and replicas."""


def _submit(session: Session, command: Command) -> ClientReply:
    """The node's answer to a command that changes its state."""
    error = session.node.submit(command)
    return OK if error is None else ErrorReply(error)


@clause("CM-9")
def meet(session: Session, arguments: list[bytes]) -> ClientReply:
    """A greeting to the address is under way. Counterpart: `clusterCommand` (MEET)."""
    if len(arguments) > 5:
        name = arguments[1].decode("latin-1")
        return ErrorReply(
            f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try CLUSTER HELP."
        )
    address = parse_address(arguments[2:], session.release.port_word)
    new_id = session.node.new_temporary_id()
    return _submit(session, ClusterMeet(address=address, new_id=new_id))


@clause("CM-8")
def add_slots(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slots belong to this node, all or none. Counterpart: `clusterCommand` (ADDSLOTS)."""
    slots = distinct_slots([parse_slot(argument) for argument in arguments[2:]])
    return _submit(session, ClusterAddSlots(slots=slots))


@clause("CM-8")
def add_slots_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The runs of slots belong to this node, all or none.

    Counterpart: `clusterCommand` (ADDSLOTSRANGE).
    """
    if len(arguments) % 2:
        return ErrorReply("ERR wrong number of arguments for 'cluster|addslotsrange' command")
    slots: list[int] = []
    for begin in range(2, len(arguments), 2):
        first, last = parse_slot(arguments[begin]), parse_slot(arguments[begin + 1])
        if first > last:
            text = f"ERR start slot number {first} is greater than end slot number {last}"
            return ErrorReply(text)
        slots += range(first, last + 1)
        if len(slots) > SLOT_COUNT:
            break
    return _submit(session, ClusterAddSlots(slots=distinct_slots(slots)))


def _replicate(session: Session, arguments: list[bytes]) -> ClientReply:
    command = ClusterReplicate(
        master=_node_id(arguments[2]), holds_keys=len(session.service.keyspace) > 0
    )
    return _submit(session, command)


def _node_id(argument: bytes) -> NodeId:
    return NodeId(argument.decode("utf-8", "surrogateescape"))


@clause("CM-7")
def set_config_epoch(session: Session, arguments: list[bytes]) -> ClientReply:
    """The node has its first configEpoch. Counterpart: `clusterCommand` (SET-CONFIG-EPOCH)."""
    epoch = parse_integer(arguments[2])
    if epoch < 0:
        return ErrorReply(f"ERR Invalid config epoch specified: {epoch}")
    return _submit(session, ClusterSetConfigEpoch(config_epoch=epoch))


def _myid(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.state.myself_id


@clause("CM-22")
def my_shard_id(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The shard of this node, where the release has shards. Counterpart: `clusterCommand`."""
    if not session.release.has_shard_ids:
        return ErrorReply("ERR unknown subcommand 'MYSHARDID'. Try CLUSTER HELP.")
    return session.state.myself.shard_id or ""


def _nodes(session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(nodes_text(session.node))


def _slots(session: Session, _arguments: list[bytes]) -> ClientReply:
    return slots_reply(session)


def _shards(session: Session, _arguments: list[bytes]) -> ClientReply:
    return shards_reply(session)


def _info(session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(info_text(session))


@clause("CM-23")
def replicas(session: Session, arguments: list[bytes]) -> ClientReply:
    """The lines of this master's replicas. Counterpart: `clusterCommand` (REPLICAS)."""
    node_id = _node_id(arguments[2])
    master = session.state.nodes.get(node_id)
    if master is None:
        return ErrorReply(f"ERR Unknown node {node_id}")
    if not master.is_master:
        return ErrorReply("ERR The specified node is not a master")
    return [describe_node(session.node, node) for node in replicas_of(session.state, master)]


def _key_slot(_session: Session, arguments: list[bytes]) -> ClientReply:
    return key_hash_slot(arguments[2])


@clause("CM-6")
def count_keys_in_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many keys of the slot are here. Counterpart: `clusterCommand` (COUNTKEYSINSLOT)."""
    slot = parse_integer(arguments[2])
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError("ERR Invalid slot")
    return len(session.service.keyspace.keys_in_slot(slot))


@clause("CM-6")
def get_keys_in_slot(session: Session, arguments: list[bytes]) -> ClientReply:
    """Keys of the slot, at most the count. Counterpart: `clusterCommand` (GETKEYSINSLOT)."""
    slot, count = parse_integer(arguments[2]), parse_integer(arguments[3])
    if not 0 <= slot < SLOT_COUNT or count < 0:
        raise CommandError("ERR Invalid slot or number of keys")
    return session.service.keyspace.keys_in_slot(slot, count)


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return [SimpleString(line) for line in _HELP.splitlines()]


CLUSTER_HANDLERS: Final[Handlers] = {
    "cluster|addslots": add_slots,
    "cluster|addslotsrange": add_slots_range,
    "cluster|countkeysinslot": count_keys_in_slot,
    "cluster|getkeysinslot": get_keys_in_slot,
    "cluster|help": _help,
    "cluster|info": _info,
    "cluster|keyslot": _key_slot,
    "cluster|meet": meet,
    "cluster|myid": _myid,
    "cluster|myshardid": my_shard_id,
    "cluster|nodes": _nodes,
    "cluster|replicas": replicas,
    "cluster|slaves": replicas,
    "cluster|replicate": _replicate,
    "cluster|set-config-epoch": set_config_epoch,
    "cluster|shards": _shards,
    "cluster|slots": _slots,
}
"""The handlers of this module by command."""

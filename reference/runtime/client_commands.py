"""What happens to a request: it is looked up, routed, and answered by the node or its keyspace."""

from collections.abc import Sequence
from typing import Final

from reference.clauses import clause
from reference.core.redirection import (
    Ask,
    Asked,
    ClusterDown,
    CrossSlot,
    Decision,
    Moved,
    Serve,
    TryAgain,
    decide,
    is_open,
)
from reference.core.slots import key_hash_slot
from reference.core.types import NodeId
from reference.runtime.client_arguments import CommandError
from reference.runtime.client_commands_cluster import CLUSTER_HANDLERS
from reference.runtime.client_commands_connection import CONNECTION_HANDLERS
from reference.runtime.client_commands_keys import KEY_HANDLERS
from reference.runtime.client_commands_pubsub import PUBSUB_HANDLERS, why_not_while_listening
from reference.runtime.client_commands_replication import REPLICATION_HANDLERS
from reference.runtime.client_commands_server import SERVER_HANDLERS
from reference.runtime.client_commands_slots import SLOT_HANDLERS
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_session import Handlers, Session
from reference.runtime.client_topology import client_port, preferred_endpoint
from reference.runtime.client_transactions import (
    TRANSACTION_HANDLERS,
    discard,
    exec_transaction,
    queue,
    spoil,
)
from reference.runtime.command_table import CommandInfo, keys_of
from reference.runtime.keyspace import unknown_command
from reference.wire.resp import ErrorReply

HANDLERS: Final[Handlers] = {
    **CONNECTION_HANDLERS,
    **SERVER_HANDLERS,
    **CLUSTER_HANDLERS,
    **SLOT_HANDLERS,
    **REPLICATION_HANDLERS,
    **KEY_HANDLERS,
    **TRANSACTION_HANDLERS,
    **PUBSUB_HANDLERS,
}
"""Every command that the node answers itself, but for EXEC."""

_EXEC: Final = "exec"
_READ_ONLY_REPLICA: Final = ErrorReply("READONLY You can't write against a read only replica.")


@clause("CM-15", "CM-40", "CM-42")
def why_not_run(
    session: Session, info: CommandInfo | None, arguments: list[bytes]
) -> ErrorReply | None:
    """The error for a request that is no command or not in the right form, None if it is fine.

    Counterpart: `commandCheckExistence`, `commandCheckArity`.
    """
    if info is None:
        container = arguments[0].decode("latin-1").upper()
        if container.lower() not in session.release.table.commands:
            return unknown_command(arguments)
        unknown = arguments[1][:128].decode("utf-8", "surrogateescape")
        return ErrorReply(f"ERR unknown subcommand '{unknown}'. Try {container} HELP.")
    if not info.takes(len(arguments)):
        return ErrorReply(f"ERR wrong number of arguments for '{info.name}' command")
    if session.transaction is not None and "no_multi" in info.flags:
        return ErrorReply(f"ERR Command '{info.name}' not allowed inside a transaction")
    return None


def writes(session: Session, arguments: list[bytes]) -> bool:
    """Whether the request may change data, so that it waits while writes are held back."""
    info = session.release.table.lookup(arguments)
    return info is not None and any(part.writes for part, _ in _parts(session, info, arguments))


@clause("CM-62")
def waits_for_keys(session: Session, arguments: list[bytes]) -> bool:
    """Whether the request is for keys that are on their way to another node."""
    info = session.release.table.lookup(arguments)
    if info is None or (session.transaction is not None and info.name != _EXEC):
        return False
    moves = session.service.moves
    parts = _parts(session, info, arguments)
    return any(moves.hold(keys_of(part, words) or (), part.writes) for part, words in parts)


def execute(session: Session, arguments: list[bytes]) -> ClientReply:
    """The request is carried out, or the reply says why not. Counterpart: `processCommand`."""
    info = session.release.table.lookup(arguments)
    try:
        return _execute(session, info, arguments)
    finally:
        if session.transaction is None and (info is None or info.name != "asking"):
            session.asking = False


def _execute(session: Session, info: CommandInfo | None, arguments: list[bytes]) -> ClientReply:
    error = why_not_run(session, info, arguments)
    if info is None or error is not None:
        spoil(session)
        return error
    refusal = route(session, info, _parts(session, info, arguments))
    if refusal is not None:
        if info.name == _EXEC:
            discard(session)
        spoil(session)
        return refusal
    refusal = why_not_while_listening(session, info.name)
    if refusal is not None:
        spoil(session)
        return refusal
    queued = queue(session, info, arguments)
    return _run(session, info, arguments) if queued is None else queued


Part = tuple[CommandInfo, list[bytes]]


def _parts(session: Session, info: CommandInfo, arguments: list[bytes]) -> Sequence[Part]:
    """The commands that the request would carry out: more than one for EXEC."""
    if info.name == _EXEC and session.transaction is not None:
        return session.transaction.queue
    return [(info, arguments)]


@clause("CM-10", "CM-42")
def route(session: Session, info: CommandInfo, parts: Sequence[Part]) -> ErrorReply | None:
    """The error for commands whose keys are not served here, None if they may be carried out.

    Counterpart: `getNodeByQuery`.
    """
    keys: list[bytes] = []
    for part, arguments in parts:
        found = keys_of(part, arguments)
        if found is None:
            return ErrorReply("ERR syntax error")
        keys += found
    writes_data = any(part.writes for part, _ in parts)
    if not keys:
        refused = writes_data and info.name != _EXEC and session.state.myself.is_replica
        return _READ_ONLY_REPLICA if refused else None
    slots = [key_hash_slot(key) for key in keys]
    opened = is_open(session.state, slots[0])
    asked = Asked(
        slots=slots,
        writes=writes_data,
        transaction=info.name == _EXEC,
        queued=session.transaction is not None and info.name != _EXEC,
        missing_keys=session.service.keyspace.missing(keys) if opened else 0,
        multiple_keys=len(set(keys)) > 1,
        sharded_pubsub=any(part.is_sharded_pubsub for part, _ in parts),
        migrate=info.name == "migrate",
        asking=session.asking or "asking" in info.flags,
        readonly_session=session.readonly,
    )
    return redirect(session, decide(session.state, asked, state_ok=session.node.cluster_ok))


@clause("RD-8")
def redirect(session: Session, decision: Decision) -> ErrorReply | None:
    """The error that sends the client elsewhere or away, None if it is served here.

    Counterpart: `clusterRedirectClient`.
    """
    match decision:
        case Serve():
            return None
        case CrossSlot():
            return ErrorReply("CROSSSLOT Keys in request don't hash to the same slot")
        case TryAgain():
            return ErrorReply("TRYAGAIN Multiple keys request during rehashing of slot")
        case ClusterDown():
            return ErrorReply(f"CLUSTERDOWN {decision.reason.value}")
        case Moved():
            return ErrorReply(f"MOVED {decision.slot} {_where(session, decision.owner)}")
        case Ask():
            return ErrorReply(f"ASK {decision.slot} {_where(session, decision.target)}")


def _where(session: Session, node_id: NodeId) -> str:
    node = session.state.nodes.get(node_id)
    if node is None or node.address is None:
        return ":0"
    return f"{preferred_endpoint(session, node)}:{client_port(session, node)}"


def _run(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    """The command is carried out. Counterpart: `call`."""
    if info.name == _EXEC:
        return exec_transaction(session, lambda part, queued: _run(session, part, queued))
    handler = HANDLERS.get(info.name)
    if handler is None:
        return session.service.keyspace.execute(arguments, session.protocol)
    try:
        return handler(session, arguments)
    except CommandError as refused:
        return ErrorReply(refused.text)

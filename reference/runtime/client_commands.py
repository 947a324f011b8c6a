"""What happens to a request: it is looked up, routed, and answered by the node or its keyspace."""

from typing import Final

from reference.clauses import clause
from reference.core.redirection import Asked, ClusterDown, CrossSlot, Decision, Moved, Serve, decide
from reference.core.slots import key_hash_slot
from reference.core.state import ClusterState
from reference.runtime.client_arguments import CommandError
from reference.runtime.client_commands_cluster import CLUSTER_HANDLERS
from reference.runtime.client_commands_connection import CONNECTION_HANDLERS
from reference.runtime.client_commands_server import SERVER_HANDLERS
from reference.runtime.client_replies import ClientReply
from reference.runtime.client_session import Handlers, Session
from reference.runtime.command_table import COMMANDS, CommandInfo, keys_of, lookup
from reference.runtime.keyspace import unknown_command
from reference.wire.resp import ErrorReply

HANDLERS: Final[Handlers] = {**CONNECTION_HANDLERS, **SERVER_HANDLERS, **CLUSTER_HANDLERS}
"""Every command that the node answers itself."""

_READ_ONLY_REPLICA: Final = ErrorReply("READONLY You can't write against a read only replica.")


@clause("CM-15")
def why_not_run(info: CommandInfo | None, arguments: list[bytes]) -> ErrorReply | None:
    """The error for a request without command or with a wrong number of arguments, None if fine.

    Counterpart: `commandCheckExistence`, `commandCheckArity`.
    """
    if info is None:
        container = arguments[0].decode("latin-1").upper()
        if container.lower() not in COMMANDS:
            return unknown_command(arguments)
        unknown = arguments[1][:128].decode("utf-8", "surrogateescape")
        return ErrorReply(f"ERR unknown subcommand '{unknown}'. Try {container} HELP.")
    if not info.takes(len(arguments)):
        return ErrorReply(f"ERR wrong number of arguments for '{info.name}' command")
    return None


def execute(session: Session, arguments: list[bytes]) -> ClientReply:
    """The request is carried out, or the reply says why not. Counterpart: `processCommand`."""
    info = lookup(arguments)
    error = why_not_run(info, arguments)
    if info is None or error is not None:
        return error
    handler = HANDLERS.get(info.name)
    if handler is None:
        return _execute_data(session, info, arguments)
    try:
        return handler(session, arguments)
    except CommandError as refused:
        return ErrorReply(refused.text)


def _execute_data(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    state = session.state
    keys = keys_of(info, arguments)
    if keys is None:
        return ErrorReply("ERR syntax error")
    if not keys and info.writes and state.myself.is_replica:
        return _READ_ONLY_REPLICA
    asked = Asked(
        slots=[key_hash_slot(key) for key in keys],
        writes="readonly" not in info.flags,
        readonly_session=session.readonly,
    )
    decision = decide(state, asked, state_ok=session.node.cluster_ok)
    redirection = redirect(state, decision)
    if redirection is not None:
        return redirection
    return session.service.keyspace.execute(arguments, session.protocol)


@clause("RD-8")
def redirect(state: ClusterState, decision: Decision) -> ErrorReply | None:
    """The error that sends the client elsewhere or away, None if it is served here.

    Counterpart: `clusterRedirectClient`.
    """
    match decision:
        case Serve():
            return None
        case CrossSlot():
            return ErrorReply("CROSSSLOT Keys in request don't hash to the same slot")
        case ClusterDown():
            return ErrorReply(f"CLUSTERDOWN {decision.reason.value}")
        case Moved():
            address = state.nodes[decision.owner].address
            where = f"{address.ip}:{address.port}" if address else ":0"
            return ErrorReply(f"MOVED {decision.slot} {where}")

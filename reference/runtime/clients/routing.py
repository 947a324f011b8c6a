"""Where a request is served: here, elsewhere, or nowhere at the moment."""

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
from reference.runtime.clients.miscounted import why_not_counted
from reference.runtime.clients.session import Session
from reference.runtime.clients.topology import client_port, preferred_endpoint
from reference.runtime.command_table.table import CommandInfo, keys_of
from reference.wire.resp import ErrorReply

_EXEC: Final = "exec"
_SCRIPTS: Final = frozenset({"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"})
"""What its own flags, not those of the command, say of what it does."""
_READ_ONLY_REPLICA: Final = ErrorReply("READONLY You can't write against a read only replica.")

Part = tuple[CommandInfo, list[bytes]]
"""A command that a request would carry out."""


@clause("CM-10", "CM-42")
def route(session: Session, info: CommandInfo, parts: Sequence[Part]) -> ErrorReply | None:
    """The error for commands whose keys are not served here, None if they may be carried out.

    Counterpart: `getNodeByQuery`.
    """
    keys: list[bytes] = []
    writes_data = False
    for part, arguments in parts:
        found = keys_of(part, arguments)
        if found is None:
            return why_not_counted(part.name, arguments)
        keys += found
        writes_data |= part.writes or (
            part.name in _SCRIPTS and _says_it_writes(session, arguments)
        )
    if not keys:
        refused = writes_data and info.name != _EXEC and session.state.myself.is_replica
        return _READ_ONLY_REPLICA if refused else None
    slots = [key_hash_slot(key) for key in keys]
    plain = len(parts) == 1 and len(set(slots)) == 1 and info.name != _EXEC
    served = session.service.served.at(session.state, ok=session.node.cluster_ok)
    name = info.name if writes_data == info.writes else f"{info.name} that writes"
    case = (slots[0], name, session.readonly, session.asking, session.transaction is None)
    if plain and case in served:
        return None
    refusal = _decide(session, info, parts, keys, slots, writes_data=writes_data)
    if refusal is None and plain and not is_open(session.state, slots[0]):
        served.add(case)
    return refusal


@clause("RP-17")
def _says_it_writes(session: Session, arguments: Sequence[bytes]) -> bool:
    """Whether the script or function is known to name its flags, and not that it only reads.

    Counterpart: `evalGetCommandFlags`, `fcallGetCommandFlags`.
    """
    if arguments[0].upper().startswith(b"FCALL"):
        flags = session.service.functions.flags_of(arguments[1])
    else:
        flags = session.service.scripts.flags_of(arguments)
    return flags is not None and "no-writes" not in flags


def served_plainly(session: Session, name: str, key: bytes) -> bool:
    """Whether such a request for the key was served before, and neither that nor a pause is over.

    The client is neither in a transaction nor sent here by ASK.
    """
    service, node = session.service, session.service.node
    case = (key_hash_slot(key), name, session.readonly, False, True)
    known = case in service.served.at(node.state, ok=node.cluster_ok)
    held = node.writes.active or service.moves.active or service.file.refuses_writes
    return known and not held


def _decide(
    session: Session,
    info: CommandInfo,
    parts: Sequence[Part],
    keys: Sequence[bytes],
    slots: Sequence[int],
    *,
    writes_data: bool,
) -> ErrorReply | None:
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


@clause("CM-62")
def needs_moving_keys(session: Session, info: CommandInfo, arguments: list[bytes]) -> bool:
    """Whether the command is for keys that are on their way to another node."""
    return session.service.moves.hold(keys_of(info, arguments) or (), info.writes)


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


@clause("CM-82")
def why_not_waiting(
    session: Session, info: CommandInfo, keys: Sequence[bytes]
) -> ErrorReply | None:
    """The error for a client that waits for keys that are not served here any more.

    That the keys are not there is what it waits for. Counterpart:
    `clusterRedirectBlockedClientIfNeeded`.
    """
    asked = Asked(
        slots=[key_hash_slot(key) for key in keys],
        writes=info.writes,
        asking=True,
        readonly_session=session.readonly,
    )
    return redirect(session, decide(session.state, asked, state_ok=session.node.cluster_ok))

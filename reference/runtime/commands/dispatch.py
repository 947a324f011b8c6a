"""What happens to a request: it is looked up, routed, and answered by the node or its keyspace."""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError
from reference.runtime.clients.routing import Part, needs_moving_keys, route
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.clients.slow_log import HAVE_SECRETS, without_secrets
from reference.runtime.clients.transactions import (
    TRANSACTION_HANDLERS,
    discard,
    exec_transaction,
    queue,
    spoil,
)
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.commands.acl import ACL_HANDLERS
from reference.runtime.commands.blocking import BLOCKING_HANDLERS
from reference.runtime.commands.clients import CLIENT_HANDLERS
from reference.runtime.commands.cluster import CLUSTER_HANDLERS
from reference.runtime.commands.connection import CONNECTION_HANDLERS
from reference.runtime.commands.data import DATA_HANDLERS
from reference.runtime.commands.debug import DEBUG_HANDLERS
from reference.runtime.commands.docs import DOCS_HANDLERS
from reference.runtime.commands.engine_answers import ANSWER_HANDLERS
from reference.runtime.commands.forms import FORM_HANDLERS
from reference.runtime.commands.functions import function_handlers
from reference.runtime.commands.keys import KEY_HANDLERS
from reference.runtime.commands.lex_ranges import LEX_HANDLERS
from reference.runtime.commands.migration import MIGRATION_HANDLERS
from reference.runtime.commands.newer import NEWER_HANDLERS
from reference.runtime.commands.permission import why_not_in_exec, why_not_permitted
from reference.runtime.commands.pubsub import PUBSUB_HANDLERS, why_not_while_listening
from reference.runtime.commands.replication import REPLICATION_HANDLERS
from reference.runtime.commands.saving import SAVING_HANDLERS, why_not_written
from reference.runtime.commands.scripts import MAY_WRITE, script_handlers
from reference.runtime.commands.server import SERVER_HANDLERS
from reference.runtime.commands.slots import SLOT_HANDLERS
from reference.runtime.commands.streams import STREAM_HANDLERS
from reference.runtime.commands.tracking import TRACKING_HANDLERS, track_keys
from reference.runtime.commands.watching import WATCHING_HANDLERS
from reference.runtime.data.keyspace import unknown_command
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply

HANDLERS: Final[Handlers] = {
    **CONNECTION_HANDLERS,
    **SERVER_HANDLERS,
    **CLUSTER_HANDLERS,
    **SLOT_HANDLERS,
    **MIGRATION_HANDLERS,
    **REPLICATION_HANDLERS,
    **KEY_HANDLERS,
    **TRANSACTION_HANDLERS,
    **PUBSUB_HANDLERS,
    **BLOCKING_HANDLERS,
    **DATA_HANDLERS,
    **ANSWER_HANDLERS,
    **FORM_HANDLERS,
    **LEX_HANDLERS,
    **NEWER_HANDLERS,
    **STREAM_HANDLERS,
    **SAVING_HANDLERS,
    **ACL_HANDLERS,
    **CLIENT_HANDLERS,
    **TRACKING_HANDLERS,
    **DEBUG_HANDLERS,
    **DOCS_HANDLERS,
    **script_handlers(lambda session, info, words: _run(session, info, words)),  # noqa: PLW0108
    **function_handlers(lambda session, info, words: _run(session, info, words)),  # noqa: PLW0108
    **WATCHING_HANDLERS,
}
"""Every command that the node answers itself, but for EXEC."""

_EXEC: Final = "exec"
_MAY_REPLICATE: Final = frozenset({"publish", "spublish"}) | MAY_WRITE
"""What does not write, and yet is held back with what does."""
_RUNS_OTHERS: Final = frozenset({"eval_ro", "evalsha_ro", "fcall_ro"})
"""What reads nothing by itself: what it carries out does."""
_SECRET: Final = frozenset({"auth", "hello"})
"""What those who watch are not told, since passwords are in it."""
_NO_AUTH: Final = ErrorReply("NOAUTH Authentication required.")


@clause("CM-15", "CM-40", "CM-42", "CM-85")
def why_not_run(
    session: Session, info: CommandInfo | None, arguments: list[bytes]
) -> ErrorReply | None:
    """The error for a request that is no command or not in the right form, None if it is fine.

    Counterpart: `commandCheckExistence`, `commandCheckArity`.
    """
    stranger = not session.authenticated and _is_kept_out(session, info)
    if stranger and session.release.tells_strangers_nothing:
        return _NO_AUTH
    if info is None:
        container = arguments[0].decode("latin-1").upper()
        if container.lower() not in session.release.table.commands:
            return unknown_command(arguments)
        unknown = arguments[1][:128].decode("utf-8", "surrogateescape")
        return ErrorReply(f"ERR unknown subcommand '{unknown}'. Try {container} HELP.")
    if not info.takes(len(arguments)):
        return ErrorReply(f"ERR wrong number of arguments for '{info.name}' command")
    if stranger:
        return _NO_AUTH
    if session.transaction is not None and "no_multi" in info.flags:
        named = f" '{info.name}'" if session.release.server == "valkey" else ""
        return ErrorReply(f"ERR Command{named} not allowed inside a transaction")
    return None


def _is_kept_out(session: Session, info: CommandInfo | None) -> bool:
    """Whether a client that has not come in may not have this."""
    return not session.service.users.open and (info is None or "no_auth" not in info.flags)


def writes(session: Session, arguments: list[bytes]) -> bool:
    """Whether the request may change data, so that it waits while writes are held back."""
    info = session.release.table.lookup(arguments)
    if info is None:
        return False
    parts = _parts(session, info, arguments)
    held = _MAY_REPLICATE
    if session.state.rules.setslot_is_replicated:
        held |= {"cluster|setslot"}
    return any(part.writes or part.name in held for part, _ in parts)


@clause("CM-62")
def waits_for_keys(session: Session, arguments: list[bytes]) -> bool:
    """Whether the request is for keys that are on their way to another node."""
    info = session.release.table.lookup(arguments)
    if info is None or (session.transaction is not None and info.name != _EXEC):
        return False
    return any(needs_moving_keys(session, *part) for part in _parts(session, info, arguments))


def execute(session: Session, arguments: list[bytes]) -> ClientReply:
    """The request is carried out, or the reply says why not. Counterpart: `processCommand`."""
    info = session.release.table.lookup(arguments)
    session.service.tracking.current = session
    try:
        reply = _execute(session, info, arguments)
        session.service.stats.count(reply)
        session.service.waits.serve()
        return reply
    finally:
        if session.transaction is None and (info is None or info.name != "asking"):
            session.asking = False
        session.service.tracking.current = None
        if session.transaction is None and (info is None or not info.name.startswith("client")):
            session.tracker.caching = False


def _execute(session: Session, info: CommandInfo | None, arguments: list[bytes]) -> ClientReply:
    if info is not None:
        session.last_command = info.name
    error = why_not_run(session, info, arguments)
    if info is None:
        spoil(session)
        return error
    if error is None and not session.user.unrestricted:
        error = why_not_permitted(session, info, arguments)
    if error is None:
        error = route(session, info, _parts(session, info, arguments))
        if error is not None and info.name == _EXEC:
            discard(session)
    if error is None and session.service.file.refuses_writes and _changes(session, arguments):
        error = why_not_written(session)
    if error is None:
        error = why_not_while_listening(session, info.name)
    if error is not None:
        session.service.stats.of(info.name).rejected += 1
        spoil(session)
        return error
    queued = queue(session, info, arguments)
    return _run(session, info, arguments) if queued is None else queued


def _changes(session: Session, arguments: list[bytes]) -> bool:
    """Whether the request may change data, or asks whether it could (PING)."""
    return arguments[0].upper() == b"PING" or writes(session, arguments)


def _parts(session: Session, info: CommandInfo, arguments: list[bytes]) -> Sequence[Part]:
    """The commands that the request would carry out: more than one for EXEC."""
    if info.name == _EXEC and session.transaction is not None:
        return session.transaction.queue
    return [(info, arguments)]


def _run(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    """The command is carried out, and counted. Counterpart: `call`."""
    began = perf_counter_ns()
    reply = _carry_out(session, info, arguments)
    stat = session.service.stats.of(info.name)
    spent_ns = perf_counter_ns() - began
    stat.calls += 1
    stat.spent_ns += spent_ns
    stat.failed += type(reply) is ErrorReply
    if session.tracker.on and "readonly" in info.flags and info.name not in _RUNS_OTHERS:
        track_keys(session, info, arguments)
    if "skip_slowlog" not in info.flags:
        secret = info.name in HAVE_SECRETS
        session.note_slow(spent_ns, without_secrets(info.name, arguments) if secret else arguments)
    if session.service.monitors and "admin" not in info.flags and info.name not in _SECRET:
        session.tell_monitors(arguments)
    return reply


def _run_queued(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    """A command of a transaction is carried out, unless the user may not have it any more."""
    error = None
    if not session.user.unrestricted:
        error = why_not_in_exec(session, info, arguments)
    return _run(session, info, arguments) if error is None else error


def _carry_out(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    if info.name == _EXEC:
        return exec_transaction(session, lambda part, queued: _run_queued(session, part, queued))
    handler = HANDLERS.get(info.name)
    if handler is None:
        return session.service.keyspace.execute(arguments, session.protocol)
    try:
        return handler(session, arguments)
    except CommandError as refused:
        return ErrorReply(refused.text)

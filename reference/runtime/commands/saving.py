"""Commands about files with all data: SAVE, BGSAVE, LASTSAVE and BGREWRITEAOF."""

from collections.abc import Iterator
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.commands.replication import append_log_lines
from reference.runtime.configuration.directives import kept_text
from reference.runtime.replies import ClientReply
from reference.wire.resp import OK, ErrorReply, SimpleString

_UNDER_WAY: Final = ErrorReply("ERR Background save already in progress")
_BUSY: Final = ErrorReply(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in "
    "order to schedule a BGSAVE whenever possible."
)
_SYNTAX: Final = ErrorReply("ERR syntax error")
_FAILED: Final = ErrorReply("ERR")
_MISCONF: Final = ErrorReply(
    "MISCONF {} is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is "
    "configured to report errors during writes if RDB snapshotting fails "
    "(stop-writes-on-bgsave-error option). Please check the {} logs for details about the RDB "
    "error."
)


def save(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The file has the data of this moment. Counterpart: `saveCommand`."""
    file = session.service.file
    if file.saving:
        return _UNDER_WAY
    return OK if file.saved_now() else _FAILED


@clause("RT-82")
def save_in_background(session: Session, arguments: list[bytes]) -> ClientReply:
    """The file is being written, or will be as soon as it can. Counterpart: `bgsaveCommand`."""
    file, word = session.service.file, arguments[1].upper() if len(arguments) > 1 else b""
    if word == b"CANCEL" and session.release.server == "valkey" and len(arguments) == 2:
        return _cancel(session)
    if len(arguments) > 2 or word not in (b"", b"SCHEDULE"):
        return _SYNTAX
    if file.saving:
        return _UNDER_WAY
    in_transaction = session.service.keyspace.in_group
    if file.busy or in_transaction:
        if not (word or in_transaction):
            return _BUSY
        file.scheduled = True
        return SimpleString("Background saving scheduled")
    file.begin()
    return SimpleString("Background saving started")


def _cancel(session: Session) -> ClientReply:
    file = session.service.file
    running = file.saving
    if not file.cancel():
        return ErrorReply("ERR Background saving is currently not in progress or scheduled")
    return SimpleString(
        "Background saving cancelled" if running else "Scheduled background saving cancelled"
    )


def _last_save(session: Session, _arguments: list[bytes]) -> ClientReply:
    """When the file was written for the last time, else when the node started."""
    return session.service.file.saved_s


@clause("RT-53")
def rewrite_log(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The append-only file begins anew with all data. Counterpart: `bgrewriteaofCommand`."""
    recorder = session.service.keyspace.recorder
    if recorder is None:
        return ErrorReply("ERR the append only file is off")
    recorder.rewrite()
    return SimpleString("Background append only file rewriting started")


@clause("RT-83")
def why_not_written(session: Session) -> ErrorReply | None:
    """The error for commands that write while what should be saved cannot be, None if it can.

    Counterpart: `writeCommandsDeniedByDiskError`.
    """
    if not session.service.file.refuses_writes:
        return None
    name = session.release.server.capitalize()
    return ErrorReply(_MISCONF.text.format(name, name))


@clause("RT-82")
def persistence_lines(session: Session) -> Iterator[str]:
    """The section `Persistence` of INFO. Counterpart: `genRedisInfoString`."""
    file = session.service.file
    yield "loading:0"
    # The old data is served until the new is whole, whatever is configured.
    swaps = kept_text(session.node.options, "repl-diskless-load") == "swapdb"
    yield f"async_loading:{int(swaps and session.node.master_sends_all)}"
    yield f"rdb_changes_since_last_save:{file.changes}"
    yield f"rdb_bgsave_in_progress:{int(file.saving)}"
    yield f"rdb_last_save_time:{file.saved_s}"
    yield f"rdb_last_bgsave_status:{'ok' if file.fine else 'err'}"
    yield f"rdb_last_bgsave_time_sec:{file.took_s}"
    yield f"rdb_current_bgsave_time_sec:{file.saving_since_s}"
    yield f"rdb_saves:{file.count}"
    yield "rdb_last_cow_size:0"
    yield f"rdb_last_load_keys_expired:{file.loaded.expired}"
    yield f"rdb_last_load_keys_loaded:{file.loaded.keys}"
    yield from append_log_lines(session)


SAVING_HANDLERS: Final[Handlers] = {
    "bgrewriteaof": rewrite_log,
    "bgsave": save_in_background,
    "lastsave": _last_save,
    "save": save,
}
"""The handlers of this module by command."""

"""The commands of atomic slot migration: what operators ask for, and what a source says."""

import secrets
from functools import partial
from typing import Final

from reference.clauses import clause
from reference.core.atomic_migration import why_no_migration, why_none_can_start
from reference.core.events import (
    ClusterCancelSlotMigrations,
    ClusterMigrateSlots,
    MigrationRequest,
)
from reference.core.migration_jobs import JobName
from reference.core.types import NodeId
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.replies import ClientReply, Raw
from reference.wire.resp import OK, ErrorReply
from reference.wire.sync_slots import (
    SyncSlotsError,
    parse_call,
    parse_establish,
    parse_finish,
    parse_slot_ranges,
)

_NAME_LENGTH: Final = 40


@clause("SM-20", "SM-21")
def migrate_slots(session: Session, arguments: list[bytes]) -> ClientReply:
    """A job for each SLOTSRANGE is under way, or the reply says why none is.

    Counterpart: `clusterCommandMigrateSlots`.
    """
    requests: list[MigrationRequest] = []
    words = arguments[2:]
    while words:
        began = len(requests)
        try:
            words = _add_request(requests, words)
        except SyncSlotsError as wrong:
            whole = len(requests) == began
            command = ClusterMigrateSlots(requests=tuple(requests))
            return ErrorReply(
                f"ERR {why_no_migration(session.state, command, whole=whole) or wrong}"
            )
    return session.submit(ClusterMigrateSlots(requests=tuple(requests)))


@clause("SM-21")
def _add_request(requests: list[MigrationRequest], words: list[bytes]) -> list[bytes]:
    """The words behind the first request, which is one more now.

    SyncSlotsError if it is none, after which the last one's target means nothing if there are more.
    """
    if words[0].upper() != b"SLOTSRANGE":
        raise SyncSlotsError("syntax error")
    slots, words = parse_slot_ranges(words[1:])
    target = words[1].decode("utf-8", "surrogateescape") if len(words) > 1 else ""
    name = JobName(secrets.token_hex(_NAME_LENGTH // 2))
    requests.append(MigrationRequest(slots=slots, target=NodeId(target), name=name))
    if len(words) < 2 or words[0].upper() != b"NODE":
        raise SyncSlotsError("syntax error")
    if len(words[1]) != _NAME_LENGTH:
        raise SyncSlotsError(f"Invalid node name: {target}")
    return words[2:]


def _cancel(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.submit(ClusterCancelSlotMigrations())


def _tell(session: Session, _arguments: list[bytes]) -> ClientReply:
    return session.node.migrations.told()


@clause("SM-24", "SM-36")
def sync_slots(session: Session, arguments: list[bytes]) -> ClientReply:
    """The slots that the source asks for are imported on this connection, or it hears why not.

    Nothing else makes sense here. Counterpart: `clusterCommandSyncSlots`.
    """
    word = arguments[2].upper()
    if word == b"CAPA":  # which servers leave without an answer
        return Raw()
    try:
        if word == b"ESTABLISH":
            return _establish(session, arguments[3:])
        if word == b"FINISH":
            parse_finish(arguments[3:])
            return ErrorReply("ERR No such slot migration job")
    except SyncSlotsError as error:
        return ErrorReply(f"ERR {error}")
    call = parse_call(word)
    if call is None:
        return ErrorReply("ERR syntax error")
    return ErrorReply(
        f"ERR CLUSTER SYNCSLOTS {call.value} should only be used by slot migration clients"
    )


def _establish(session: Session, words: list[bytes]) -> ClientReply:
    if session.outlet is None or session.service.keyspace.in_group:
        raise SyncSlotsError("slots come on a connection of their own")
    error = why_none_can_start(session.state)
    if error is not None:
        raise SyncSlotsError(error)
    asked = parse_establish(words)
    reply, importing = session.node.migrations.establish(session.outlet, asked)
    if importing is None:
        return ErrorReply(reply.error or "ERR")
    session.importing = importing
    session.at_end.append(partial(importing.lost))
    return OK


@clause("SM-28")
def flush(session: Session, arguments: list[bytes]) -> ClientReply:
    """All keys are gone, and all jobs with them.

    Counterpart: `clusterHandleFlushDuringSlotMigration`.
    """
    words = arguments[:1] if arguments[1:] in ([b"SYNC"], [b"sync"]) else arguments
    reply = session.service.keyspace.execute(words, session.protocol)
    if not isinstance(reply, ErrorReply):
        session.node.migrations.data_flushed()
    return reply


MIGRATION_HANDLERS: Final[Handlers] = {
    "cluster|cancelslotmigrations": _cancel,
    "cluster|getslotmigrations": _tell,
    "cluster|migrateslots": migrate_slots,
    "cluster|syncslots": sync_slots,
    "flushall": flush,
    "flushdb": flush,
}
"""The handlers of this module by command."""

"""DUMP, RESTORE and MIGRATE, none of which ever reaches the data engine."""

import time
from collections.abc import Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.effects import version_for
from reference.runtime.replies import ClientReply, Raw
from reference.runtime.slots.migrate import Order
from reference.wire.rdb import RdbKey
from reference.wire.rdb_dump import DumpFooterError, format_dump, parse_dump
from reference.wire.rdb_strings import RdbError
from reference.wire.resp import OK, ErrorReply, SimpleString

_SYNTAX: Final = "ERR syntax error"
_LEAST_TIMEOUT_MS: Final = 1000


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@clause("CM-61")
def dump(session: Session, arguments: list[bytes]) -> ClientReply:
    """The payload of which RESTORE makes the key. Counterpart: `dumpCommand`."""
    entry = session.service.keyspace.entry(arguments[1])
    return None if entry is None else format_dump(entry.value, version_for(entry))


@attrs.define
class _RestoreOptions:
    replace: bool = False
    absolute: bool = False


def _restore_options(words: list[bytes]) -> _RestoreOptions:
    options = _RestoreOptions()
    rest: Iterator[bytes] = iter(words)
    left = len(words)
    for word in rest:
        left -= 1
        match word.upper():
            case b"REPLACE":
                options.replace = True
            case b"ABSTTL":
                options.absolute = True
            case b"IDLETIME" if left:
                left -= 1
                if parse_integer(next(rest)) < 0:
                    raise CommandError("ERR Invalid IDLETIME value, must be >= 0")
            case b"FREQ" if left:
                left -= 1
                if not 0 <= parse_integer(next(rest)) <= 255:
                    raise CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255")
            case _:
                raise CommandError(_SYNTAX)
    return options


@clause("CM-61")
def restore(session: Session, arguments: list[bytes]) -> ClientReply:
    """The key is what the payload holds, or the reply says why not and nothing has changed.

    Counterpart: `restoreCommand`.
    """
    key, ttl_word, payload, *words = arguments[1:]
    options = _restore_options(words)
    keyspace = session.service.keyspace
    if not options.replace and not keyspace.missing([key]) > 0:
        return ErrorReply("BUSYKEY Target key name already exists.")
    ttl = parse_integer(ttl_word)
    if ttl < 0:
        return ErrorReply("ERR Invalid TTL value, must be >= 0")
    try:
        value = parse_dump(payload)
    except DumpFooterError:
        return ErrorReply("ERR DUMP payload version or checksum are wrong")
    except RdbError:
        return ErrorReply("ERR Bad data format")
    now = _now_ms()
    when = None if ttl == 0 else ttl if options.absolute else now + ttl
    if when is not None and when <= now:
        keyspace.execute([b"DEL", key])
        return OK
    try:
        keyspace.put(RdbKey(key=key, value=value, expires_at_ms=when))
    except ReplicationError:
        keyspace.execute([b"DEL", key])
        return ErrorReply("ERR Bad data format")
    return OK


@clause("CM-62")
def migrate(session: Session, arguments: list[bytes]) -> ClientReply:
    """The keys are at another node, and no more here unless they are copied.

    Other clients' requests for them wait until then. Counterpart: `migrateCommand`.
    """
    order = _order(arguments)
    keyspace, moves = session.service.keyspace, session.service.moves
    if keyspace.in_group:
        return ErrorReply("ERR MIGRATE is not served inside a transaction")
    order = attrs.evolve(order, keys=[key for key in order.keys if not keyspace.missing([key])])
    if not order.keys:
        return SimpleString("NOKEY")
    session.hold()
    moves.begin(order, keyspace, session.settle)
    return Raw()


def _order(arguments: list[bytes]) -> Order:
    host, port_word, key, db_word, timeout_word, *words = arguments[1:]
    order = Order(host=host.decode("utf-8", "surrogateescape"), keys=[key])
    while words:
        match [words[0].upper(), *words[1:]]:
            case [b"COPY", *rest]:
                order = attrs.evolve(order, copies=True)
            case [b"REPLACE", *rest]:
                order = attrs.evolve(order, replaces=True)
            case [b"AUTH", password, *rest]:
                order = attrs.evolve(order, auth=(password,))
            case [b"AUTH2", user, password, *rest]:
                order = attrs.evolve(order, auth=(user, password))
            case [b"KEYS", *keys] if keys:
                if key:
                    raise CommandError(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the "
                        "empty string"
                    )
                order, rest = attrs.evolve(order, keys=keys), []
            case _:
                raise CommandError(_SYNTAX)
        words = rest
    timeout_ms = parse_integer(timeout_word)
    return attrs.evolve(
        order,
        port=parse_integer(port_word),
        db=parse_integer(db_word),
        timeout_s=(timeout_ms if timeout_ms > 0 else _LEAST_TIMEOUT_MS) / 1000,
    )


KEY_HANDLERS: Final[Handlers] = {
    "dump": dump,
    "migrate": migrate,
    "restore": restore,
    "restore-asking": restore,
}
"""The handlers of this module by command."""

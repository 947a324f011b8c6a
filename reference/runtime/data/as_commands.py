"""A master's data as ordinary commands: what a file holds, and what its stream says."""

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from reference.clauses import clause
from reference.wire.rdb import RdbKey
from reference.wire.rdb_dump import parse_dump
from reference.wire.rdb_strings import RdbError
from reference.wire.rdb_values import (
    RdbHash,
    RdbList,
    RdbSet,
    RdbSortedSet,
    RdbStream,
    RdbString,
    RdbValue,
)

Request = list[bytes]

_AT_ONCE: Final = 512
"""Members that one command adds."""


class ReplicationError(Exception):
    """Why a link to a master cannot go on, in one line."""


@clause("RE-4")
def commands_of(entry: RdbKey) -> Iterator[Request]:
    """The commands that make the key in a keyspace where it is not.

    ReplicationError if this node could not keep it. Counterpart: `rdbLoadRioWithLoadingCtx`.
    """
    if entry.db:
        raise ReplicationError(f"a key in database {entry.db}, only database 0 is kept")
    yield from _value_commands(entry.key, entry.value)
    if entry.expires_at_ms is not None:
        yield [b"PEXPIREAT", entry.key, b"%d" % entry.expires_at_ms]


def _value_commands(key: bytes, value: RdbValue) -> Iterator[Request]:
    match value:
        case RdbString():
            yield [b"SET", key, value.value]
        case RdbList():
            yield from _in_parts(b"RPUSH", key, value.items)
        case RdbSet():
            yield from _in_parts(b"SADD", key, sorted(value.members))
        case RdbSortedSet():
            words = [word for member, score in value.scores for word in (_score(score), member)]
            yield from _in_parts(b"ZADD", key, words)
        case RdbHash():
            yield from _in_parts(b"HSET", key, [word for pair in value.pairs for word in pair])
            for field, when in value.expires_at_ms:
                yield [b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"1", field]
        case RdbStream():
            yield from _stream_commands(key, value)
        case _:
            assert_never(value)


def _in_parts(name: bytes, key: bytes, words: Sequence[bytes]) -> Iterator[Request]:
    for start in range(0, len(words), 2 * _AT_ONCE):
        yield [name, key, *words[start : start + 2 * _AT_ONCE]]


def _score(score: float) -> bytes:
    return repr(score).encode()


def _stream_commands(key: bytes, stream: RdbStream) -> Iterator[Request]:
    """Its entries; the rest of it has no command."""
    for entry in stream.entries:
        words = [word for pair in entry.pairs for word in pair]
        yield [b"XADD", key, str(entry.entry_id).encode(), *words]
    last = str(stream.last_id).encode()
    if stream.last_id > (stream.entries[-1].entry_id if stream.entries else stream.first_id):
        yield [b"XADD", key, last, b"", b""]
        yield [b"XDEL", key, last]
    elif not stream.entries:
        yield [b"XADD", key, b"0-1", b"", b""]
        yield [b"XDEL", key, b"0-1"]


@clause("RE-9")
def restored(arguments: Request) -> RdbKey:
    """The key that a RESTORE of the stream makes: the engine's own runs foreign code.

    ReplicationError if it makes no sense. Counterpart: `restoreCommand`.
    """
    if len(arguments) < 4 or not arguments[2].isdigit():
        raise ReplicationError("a RESTORE that is not in the right form")
    key, ttl, payload, *words = arguments[1:]
    options = {word.upper() for word in words}
    expires_at_ms = int(ttl) or None
    if expires_at_ms is not None and b"ABSTTL" not in options:
        raise ReplicationError("a RESTORE with a time to live that counts from now")
    try:
        value = parse_dump(payload)
    except RdbError as error:
        raise ReplicationError(f"a RESTORE of damaged data: {error}") from error
    return RdbKey(key=key, value=value, expires_at_ms=expires_at_ms)

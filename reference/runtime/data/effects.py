"""What a command has done, as commands that do the same everywhere and at any time.

A command that depends on the moment, on chance or on the engine's arithmetic is replaced by its
outcome; a command for which no shorter form is known, by the whole of the keys it touched.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.rdb import RdbKey
from reference.wire.rdb_dump import format_dump
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION
from reference.wire.rdb_values import RdbHash, RdbStream, RdbString

Request = list[bytes]

_VERBATIM: Final = frozenset(
    {
        "append", "copy", "decr", "decrby", "del", "hdel", "hincrby", "hmset", "hset", "hsetnx",
        "incr", "incrby", "linsert", "lmove", "lpop", "lpush", "lpushx", "lrem", "lset", "ltrim",
        "mset", "msetnx", "persist", "rename", "renamenx", "rpop", "rpoplpush", "rpush", "rpushx",
        "sadd", "sdiffstore", "setbit", "setnx", "setrange", "sinterstore", "smove", "srem",
        "sunionstore", "unlink", "xdel", "zadd", "zdiffstore", "zincrby", "zinterstore", "zpopmax",
        "zpopmin", "zrangestore", "zrem", "zremrangebylex", "zremrangebyrank", "zremrangebyscore",
        "zunionstore", "bitop", "bitfield",
    }
)  # fmt: skip
"""What does the same to the same data, whoever carries it out and when."""


_MAY_READ_ONLY: Final = frozenset({"sort", "georadius", "georadiusbymember"})
"""Commands that write if they are asked to, and of whose keys the engine tells then."""


class Holder(Protocol):
    """Who has the data after the command."""

    def entry(self, key: bytes) -> RdbKey | None:
        """The key with all that it holds, None if there is none."""


@attrs.frozen(kw_only=True)
class Done:
    """A command that was carried out."""

    arguments: Sequence[bytes]
    reply: ClientReply
    touched: Sequence[bytes]
    data: Holder

    @property
    def key(self) -> bytes:
        """The key of a command that has one, as its first argument."""
        return self.arguments[1]


@clause("RE-15")
def effects_of(done: Done) -> list[Request]:
    """Commands that change the data as this one did; none if it changed nothing.

    Counterpart: `propagateNow`, `rewriteClientCommandVector`.
    """
    name = done.arguments[0].decode("latin-1").lower()
    if name in ("flushall", "flushdb"):
        return [[b"FLUSHALL"]]
    if not done.touched:
        return []
    if name in _VERBATIM:
        return [[name.upper().encode(), *done.arguments[1:]]]
    rewrite = _REWRITES.get(name, _whole_keys)
    return list(rewrite(done))


def _whole_keys(done: Done) -> Iterator[Request]:
    for key in done.touched:
        entry = done.data.entry(key)
        yield [b"DEL", key] if entry is None else restore_of(entry)


def restore_of(entry: RdbKey) -> Request:
    """The command that makes the key what it is here."""
    payload = format_dump(entry.value, version_for(entry))
    when = b"%d" % (entry.expires_at_ms or 0)
    return [b"RESTORE", entry.key, when, payload, b"REPLACE", b"ABSTTL"]


def version_for(entry: RdbKey) -> int:
    """The version of the encoding that everybody reads, unless only a newer one can say it."""
    newer = isinstance(entry.value, RdbHash) and entry.value.expires_at_ms
    return VALKEY_VERSION if newer else RDB_VERSION


def _text(done: Done) -> Iterator[Request]:
    """The string is what it is now."""
    entry = done.data.entry(done.key)
    if entry is None or not isinstance(entry.value, RdbString):
        yield from _whole_keys(done)
        return
    when = entry.expires_at_ms
    expiry = [] if when is None else [b"PXAT", b"%d" % when]
    yield [b"SET", done.key, entry.value.value, *expiry]


def _expiry(done: Done) -> Iterator[Request]:
    """Only the end of the key's time has changed."""
    entry = done.data.entry(done.key)
    if entry is None:
        yield [b"DEL", done.key]
    elif entry.expires_at_ms is None:
        yield [b"PERSIST", done.key]
    else:
        yield [b"PEXPIREAT", done.key, b"%d" % entry.expires_at_ms]


def _delete(done: Done) -> Iterator[Request]:
    yield [b"DEL", done.key]


def _hash_number(done: Done) -> Iterator[Request]:
    if isinstance(done.reply, bytes):
        yield [b"HSET", done.key, done.arguments[2], done.reply]
    else:
        yield from _whole_keys(done)


def _popped(done: Done) -> Iterator[Request]:
    """The members that chance chose are gone."""
    reply = done.reply.elements if isinstance(done.reply, SetReply) else done.reply
    members = [reply] if isinstance(reply, bytes) else reply
    if isinstance(members, list | tuple):
        yield [b"SREM", done.key, *(word for word in members if isinstance(word, bytes))]


def _list_popped(done: Done) -> Iterator[Request]:
    match done.reply:
        case [bytes() as key, [*elements]]:
            side = done.arguments[2 + int(done.arguments[1])].upper()
            yield [b"LPOP" if side == b"LEFT" else b"RPOP", key, b"%d" % len(elements)]
        case _:
            yield from _whole_keys(done)


def _entry_added(done: Done) -> Iterator[Request]:
    """The id that the entry got, and what is left if the stream was trimmed."""
    at = 2
    trims = False
    while (word := done.arguments[at].upper()) in (b"NOMKSTREAM", b"MAXLEN", b"MINID", b"LIMIT"):
        if word != b"NOMKSTREAM":
            trims = True
            at += 1 + (done.arguments[at + 1] in (b"=", b"~"))
        at += 1
    if not isinstance(done.reply, bytes):
        yield from _whole_keys(done)
        return
    yield [b"XADD", done.key, done.reply, *done.arguments[at + 1 :]]
    if trims:
        yield from _trimmed(done)


def _trimmed(done: Done) -> Iterator[Request]:
    """As many entries are left as here."""
    entry = done.data.entry(done.key)
    if entry is None or not isinstance(entry.value, RdbStream):
        yield from _whole_keys(done)
    else:
        yield [b"XTRIM", done.key, b"MAXLEN", b"=", b"%d" % len(entry.value.entries)]


def _members_added(done: Done) -> Iterator[Request]:
    """What the engine keeps of a HyperLogLog is a set."""
    if len(done.arguments) > 2:
        yield [b"SADD", done.key, *done.arguments[2:]]
    else:
        yield from _whole_keys(done)


_REWRITES: Final[Mapping[str, Callable[[Done], Iterator[Request]]]] = {
    "set": _text, "setex": _text, "psetex": _text, "getset": _text, "incrbyfloat": _text,
    "getdel": _delete, "getex": _expiry,
    "expire": _expiry, "pexpire": _expiry, "expireat": _expiry, "pexpireat": _expiry,
    "hincrbyfloat": _hash_number,
    "spop": _popped, "lmpop": _list_popped,
    "xadd": _entry_added, "xtrim": _trimmed,
    "pfadd": _members_added,
}  # fmt: skip


def is_told_whole(name: str) -> bool:
    """Whether no shorter form is known of the command than the keys that it touched."""
    return name not in _VERBATIM and name not in _REWRITES and name not in _MAY_READ_ONLY

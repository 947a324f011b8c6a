"""What is told of keys that change, to those who listen to the channels of keyspace events."""

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.runtime.replies import ClientReply

_ROWS: Final = """
g del getdel unlink=del expire pexpire=expire expireat=expire pexpireat=expire persist
g getex rename renamenx=rename copy=copy_to restore
$ set getset=set setnx=set setex=setex psetex=setex mset=set msetnx=set append setrange setbit
$ bitfield=setbit bitop=set incr=incrby decr=incrby incrby decrby=incrby incrbyfloat
$ pfadd pfmerge=pfadd
l lpush lpushx=lpush rpush rpushx=rpush linsert lset lrem ltrim lpop rpop
l lmove rpoplpush=lmove lmpop sort=sortstore
h hset hmset=hset hsetnx=hset hincrby hincrbyfloat hdel
s sadd srem smove spop sinterstore sunionstore sdiffstore
z zadd zincrby=zincr zrem zremrangebyscore zremrangebyrank zremrangebylex zpopmin zpopmax zmpop
z zunionstore zinterstore zdiffstore zrangestore geoadd=zadd geosearchstore
z georadius=georadiusstore georadiusbymember=georadiusstore
t xadd xdel xtrim xsetid xgroup
"""
_STORES: Final = frozenset({
    "bitop", "sort", "sinterstore", "sunionstore", "sdiffstore", "zunionstore", "zinterstore",
    "zdiffstore", "zrangestore", "geosearchstore", "georadius", "georadiusbymember",
})  # fmt: skip
"""What leaves no key if it has nothing to put there."""
_ENDS: Final = frozenset({"expire", "pexpire", "expireat", "pexpireat"})
"""What ends a key at once if the time is over."""
_COUNTS: Final = frozenset({"sadd", "pfadd", "lpop", "rpop"})
"""What has changed nothing if the reply says so."""


def _table() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for line in _ROWS.split("\n"):
        kind, *words = line.split() or [""]
        for word in words:
            name, _, event = word.partition("=")
            found[name] = (kind, event or name)
    return found


_EVENTS: Final = _table()

Event = tuple[str, str, bytes]
"""The class that it is of, by its letter, its name, and the key."""


class Database(Protocol):
    """The keys as they are now."""

    @property
    def whole(self) -> Container[bytes]:
        """Every key, those too whose time is over."""

    def is_over(self, key: bytes) -> bool:
        """Whether the key's time is, though it may be there still."""


@attrs.frozen(kw_only=True)
class Written:
    """A command that has changed keys."""

    name: str
    arguments: Sequence[bytes]
    reply: ClientReply
    touched: Sequence[bytes]
    before: Container[bytes]  # the keys that were there
    after: Container[bytes]  # and those that are there now
    is_over: Callable[[bytes], bool]  # whether the key's time is


class KeyEvents:
    """Who is told what happens to the keys of one node."""

    def __init__(self) -> None:
        """Nobody."""
        self.listener: Callable[[Event], None] | None = None
        self._ended: set[bytes] = set()  # by commands that said a time which was over
        self._name: str | None = None

    @contextlib.contextmanager
    def told_as(self, name: str) -> Iterator[None]:
        """What commands do in the block is told as if this one had done it."""
        self._name = name
        try:
            yield
        finally:
            self._name = None

    def there(self, keys: Iterable[bytes], database: Container[bytes]) -> frozenset[bytes]:
        """Those of the keys that are in the database, if anybody is told."""
        if self.listener is None:
            return frozenset()
        return frozenset(key for key in keys if key in database)

    def tell(
        self,
        database: Database,
        name: str,
        arguments: Sequence[bytes],
        reply: ClientReply,
        touched: Sequence[bytes],
        before: Container[bytes],
    ) -> None:
        """What the command has done to these keys is known; some of them were there before."""
        if self.listener is None:
            return
        name = name if self._name is None else self._name
        written = Written(
            name=name,
            arguments=arguments,
            reply=reply,
            touched=touched,
            before=before,
            after=database.whole,
            is_over=database.is_over,
        )
        for event in events_of(written):
            self.listener(event)
            if name in _ENDS and event[1] == "del":
                self._ended.add(event[2])

    def tell_expired(self, keys: Iterable[bytes]) -> None:
        """The keys' time was over."""
        if self.listener is not None:
            for key in keys:
                if key not in self._ended:
                    self.listener(("x", "expired", key))
                self._ended.discard(key)


@clause("CM-120")
def events_of(written: Written) -> Iterator[Event]:
    """What has happened, in the order in which it is told. Counterpart: `notifyKeyspaceEvent`."""
    told: set[bytes] = set()
    for kind, event, key in _events(written):
        if key in written.after and key not in written.before and key not in told:
            yield "n", "new", key
        told.add(key)
        yield kind, event, key
        if key not in written.after and event not in ("del", "rename_from"):
            yield "g", "del", key


def _events(written: Written) -> Iterator[Event]:
    row = _EVENTS.get(written.name)
    if row is None or (written.name in _COUNTS and written.reply in (0, [])):
        return
    kind, event = row
    special = _SPECIAL.get(written.name)
    if special is not None:
        yield from special(written, kind)
        return
    for key in written.touched:
        if written.name in _STORES and key not in written.after:
            if key in written.before:
                yield "g", "del", key
        elif written.name in _ENDS and written.is_over(key):
            yield "g", "del", key
        else:
            yield kind, event, key


def _string(written: Written, kind: str) -> Iterator[Event]:
    """SET and its kin; one that says when the key ends is told twice."""
    ends = written.name in ("setex", "psetex") or any(
        word.upper() in (b"EX", b"PX", b"EXAT", b"PXAT") for word in written.arguments[3:]
    )
    for key in written.touched:
        yield kind, "set", key
        if ends:
            yield "g", "expire", key


def _getdel(written: Written, _: str) -> Iterator[Event]:
    for key in written.touched:
        yield "g", "del", key


def _persisted(written: Written, kind: str) -> Iterator[Event]:
    """GETEX; that the key ends is said by another command."""
    if written.arguments[2:] and written.arguments[2].upper() == b"PERSIST":
        for key in written.touched:
            yield kind, "persist", key


def _rename(written: Written, kind: str) -> Iterator[Event]:
    if written.touched:
        yield kind, "rename_from", written.arguments[1]
        yield kind, "rename_to", written.arguments[2]


def _copied(written: Written, kind: str) -> Iterator[Event]:
    if written.touched:
        yield kind, "copy_to", written.arguments[2]


def _moved(written: Written, kind: str) -> Iterator[Event]:
    """From one list to another, or to its other end: what came is told first."""
    if written.touched:
        words = written.arguments
        ends = [word.upper() for word in words[3:5]] or [b"RIGHT", b"LEFT"]
        taken, put = ("l" if end == b"LEFT" else "r" for end in ends)
        yield kind, f"{put}push", words[2]
        yield kind, f"{taken}pop", words[1]


def _member_moved(written: Written, kind: str) -> Iterator[Event]:
    source, target = written.arguments[1:3]
    if source in written.touched:
        yield kind, "srem", source
    if target in written.touched and target != source:
        yield kind, "sadd", target


def _popped(written: Written, kind: str) -> Iterator[Event]:
    words = {word.upper() for word in written.arguments[3:]}
    if written.name == "lmpop":
        event = "lpop" if b"LEFT" in words else "rpop"
    else:
        event = "zpopmin" if b"MIN" in words else "zpopmax"
    for key in written.touched:
        yield kind, event, key


def _scored(written: Written, kind: str) -> Iterator[Event]:
    adds = any(word.upper() == b"INCR" for word in written.arguments[2:])
    for key in written.touched:
        yield kind, "zincr" if adds else "zadd", key


def _grouped(written: Written, kind: str) -> Iterator[Event]:
    what = written.arguments[1].decode("latin-1").lower()
    if written.reply == 0 and what in ("createconsumer", "destroy"):
        return
    for key in written.touched:
        yield kind, f"xgroup-{what}", key


_SPECIAL: Final = {
    "set": _string, "setex": _string, "psetex": _string, "getdel": _getdel, "getex": _persisted,
    "rename": _rename, "renamenx": _rename, "copy": _copied,
    "lmove": _moved, "rpoplpush": _moved, "smove": _member_moved,
    "lmpop": _popped, "zmpop": _popped, "zadd": _scored, "xgroup": _grouped,
}  # fmt: skip

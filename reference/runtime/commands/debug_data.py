"""DEBUG of data: what is kept of a key, data as after a restart, and replies of every type."""

from collections.abc import Mapping
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Session
from reference.runtime.commands.watching import encoding
from reference.runtime.data.effects import version_for
from reference.runtime.replies import ClientReply, Raw
from reference.wire.rdb import RdbKey
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.resp import OK, ErrorReply, SimpleString

_FRAME: Final = 11
"""Bytes of a payload that are not the value: its type, version and checksum."""

_LONG_NUMBER: Final = b"1234567999999999999999999999999999999"
_BEHIND: Final = b"$39\r\nSome real reply following the attribute\r\n"
_SAME: Final = {
    "string": b"$11\r\nHello World\r\n",
    "integer": b":12345\r\n",
    "array": b"*3\r\n:0\r\n:1\r\n:2\r\n",
}
_OF_2: Final[Mapping[str, bytes]] = {
    **_SAME,
    "double": b"$5\r\n3.141\r\n",
    "null": b"$-1\r\n",
    "set": b"*3\r\n:0\r\n:1\r\n:2\r\n",
    "map": b"*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n",
    "attrib": _BEHIND,
    "push": b"-ERR RESP2 is not supported by this command\r\n",
    "verbatim": b"$25\r\nThis is a verbatim\nstring\r\n",
    "true": b":1\r\n",
    "false": b":0\r\n",
    "bignum": b"$37\r\n%b\r\n" % _LONG_NUMBER,
}
_OF_3: Final[Mapping[str, bytes]] = {
    **_SAME,
    "double": b",3.141\r\n",
    "null": b"_\r\n",
    "set": b"~3\r\n:0\r\n:1\r\n:2\r\n",
    "map": b"%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n",
    "attrib": b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n" + _BEHIND,
    "push": (
        b"$40\r\nSome real reply following the push reply\r\n"
        b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"
    ),
    "verbatim": b"=29\r\ntxt:This is a verbatim\nstring\r\n",
    "true": b"#t\r\n",
    "false": b"#f\r\n",
    "bignum": b"(%b\r\n" % _LONG_NUMBER,
}
_NO_TYPE: Final = ErrorReply(
    "ERR Wrong protocol type name. Please use one of the following: "
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)
_NO_OPTION: Final = ErrorReply(
    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."
)


@clause("CM-95")
def show_reply(session: Session, arguments: list[bytes]) -> ClientReply:
    """A reply of this type, the same at all servers. Counterpart: `debugCommand` (PROTOCOL)."""
    replies = _OF_2 if session.protocol == 2 else _OF_3
    data = replies.get(arguments[2].decode("latin-1").lower())
    return _NO_TYPE if data is None else Raw(data)


@clause("CM-95")
def show_key(session: Session, arguments: list[bytes]) -> ClientReply:
    """How the value is kept, as far as that is so here. Counterpart: `debugCommand` (OBJECT)."""
    keyspace = session.service.keyspace
    entry = keyspace.entry(arguments[2])
    if entry is None:
        return ErrorReply("ERR no such key")
    kept = encoding(session, arguments)
    length = len(format_dump(entry.value, version_for(entry))) - _FRAME
    name = kept.decode("latin-1") if isinstance(kept, bytes) else str(kept)
    return SimpleString(
        f"Value at:0x0 refcount:1 encoding:{name} serializedlength:{length} lru:0 "
        "lru_seconds_idle:0"
    )


@clause("CM-95")
def reload_data(session: Session, arguments: list[bytes]) -> ClientReply:
    """Every value is what is read of it as it would be written; no file is.

    Counterpart: `debugCommand` (RELOAD).
    """
    if any(word.upper() not in (b"MERGE", b"NOFLUSH", b"NOSAVE") for word in arguments[2:]):
        return _NO_OPTION
    keyspace = session.service.keyspace
    for key in list(keyspace.database()):
        entry = keyspace.entry(key)
        if entry is None:
            continue
        value = parse_dump(format_dump(entry.value, version_for(entry)))
        keyspace.remove(key)
        keyspace.load(RdbKey(key=key, value=value, expires_at_ms=entry.expires_at_ms))
    return OK

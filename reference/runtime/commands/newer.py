"""Data commands and options that came after Redis 7.0, by way of those that the engine has."""

import time
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.commands.engine_answers import judge_cursor
from reference.runtime.replies import ClientReply
from reference.wire.resp import OK, ErrorReply

_SYNTAX: Final = "ERR syntax error"
_LARGEST: Final = 2**63 - 1
_UNITS: Final = {
    b"EX": (1000, True), b"PX": (1, True), b"EXAT": (1000, False), b"PXAT": (1, False),
}  # fmt: skip
"""Units of options in milliseconds, and whether they count from now."""
_TYPES: Final = frozenset({"string", "list", "set", "zset", "hash", "stream"})


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class _Options:
    """What the words behind a value say: until when, and on which condition."""

    def __init__(self, name: str, words: list[bytes], *, known: frozenset[bytes]) -> None:
        """They are read; CommandError if they are not right."""
        self.said: set[bytes] = set()
        self.compared: bytes | None = None
        self.expires_at_ms: int | None = None
        rest = list(words)
        while rest:
            word = rest.pop(0).upper()
            if word == b"IFEQ" and word in known and rest:
                self.compared = rest.pop(0)
            elif word in _UNITS and rest and self.expires_at_ms is None:
                self.expires_at_ms = _instant(name, word, rest.pop(0))
            elif word not in known or word == b"IFEQ":
                raise CommandError(_SYNTAX)
            self.said.add(word)
        if len(self.said & {b"NX", b"XX", b"IFEQ"}) > 1:
            raise CommandError(_SYNTAX)
        if self.expires_at_ms is not None and b"KEEPTTL" in self.said:
            raise CommandError(_SYNTAX)


def _instant(name: str, unit: bytes, word: bytes) -> int:
    scale, from_now = _UNITS[unit]
    when, base = parse_integer(word) * scale, _now_ms() if from_now else 0
    if not 0 < when <= _LARGEST - base:
        raise CommandError(f"ERR invalid expire time in '{name}' command")
    return when + base


_OF_SET: Final = frozenset({b"NX", b"XX", b"IFEQ", b"GET", b"KEEPTTL"})
_OF_MSETEX: Final = frozenset({b"NX", b"XX", b"KEEPTTL"})


@clause("CM-119")
def set_text(session: Session, arguments: list[bytes]) -> ClientReply:
    """The key holds the string, if it held what IFEQ says. Counterpart: `setGenericCommand`."""
    words = [word.upper() for word in arguments[3:]]
    if b"IFEQ" not in words[:-1] or not session.release.knows_later_options:
        return _ask(session, *arguments)
    options = _Options("set", arguments[3:], known=_OF_SET)
    if options.compared is None:  # the word was a value of another option
        return _ask(session, *arguments)
    held = _ask(session, b"GET", arguments[1])
    if isinstance(held, ErrorReply):
        return held
    if held != options.compared:
        return held if b"GET" in options.said else None
    rest = [b"KEEPTTL"] if b"KEEPTTL" in options.said else []
    if options.expires_at_ms is not None:
        rest = [b"PXAT", b"%d" % options.expires_at_ms]
    reply = _ask(session, *arguments[:3], *rest)
    return held if b"GET" in options.said and reply == OK else reply


@clause("CM-119")
def delete_if_equal(session: Session, arguments: list[bytes]) -> ClientReply:
    """The key is gone, if it held this string. Counterpart: `delifeqCommand`."""
    held = _ask(session, b"GET", arguments[1])
    if isinstance(held, ErrorReply):
        return held
    return _ask(session, b"DEL", arguments[1]) if held == arguments[2] else 0


@clause("CM-119")
def set_many(session: Session, arguments: list[bytes]) -> ClientReply:
    """All keys hold their strings until the same instant, or none does (0).

    Counterpart: `msetexCommand`.
    """
    count = int(arguments[1])  # the keys were found by it
    pairs = arguments[2 : 2 + 2 * count]
    if len(pairs) < 2 * count:
        return ErrorReply(_SYNTAX)
    options = _Options("msetex", arguments[2 + 2 * count :], known=_OF_MSETEX)
    keyspace, keys = session.service.keyspace, pairs[::2]
    missing = keyspace.missing(keys)
    if (b"NX" in options.said and missing < count) or (b"XX" in options.said and missing):
        return 0
    with keyspace.together():
        for key, value in zip(keys, pairs[1::2], strict=True):
            kept = [b"KEEPTTL"] if b"KEEPTTL" in options.said else []
            _ask(session, b"SET", key, value, *kept)
        for key in keys if options.expires_at_ms is not None else ():
            _ask(session, b"PEXPIREAT", key, b"%d" % (options.expires_at_ms or 0))
    return 1


@clause("CM-119")
def take_fields(session: Session, arguments: list[bytes]) -> ClientReply:
    """What the fields hold, and they are gone. Counterpart: `hgetdelCommand`."""
    key, word, number, *fields = arguments[1:]
    count = parse_integer(number)
    if word.upper() != b"FIELDS":
        return ErrorReply(_SYNTAX)
    if count != len(fields):
        return ErrorReply(
            "ERR numfields should be greater than 0 and match the provided number of fields"
        )
    held = _ask(session, b"HMGET", key, *fields)
    if not isinstance(held, ErrorReply):
        _ask(session, b"HDEL", key, *fields)
    return held


@clause("CM-119")
def scan_names(session: Session, arguments: list[bytes]) -> ClientReply:
    """Fields or members, without what they hold if that is not wanted.

    Counterpart: `scanGenericCommand`.
    """
    judge_cursor(session, arguments[2])
    option = b"NOVALUES" if arguments[0].upper() == b"HSCAN" else b"NOSCORES"
    names = [word.upper() for word in arguments]
    known = (
        session.release.fields_without_values
        if option == b"NOVALUES"
        else (session.release.knows_later_options)
    )
    place = next((at for at in range(3, len(names)) if _is_option(names, at, option)), None)
    if place is None:
        return _ask(session, *arguments)
    if not known:
        missing = session.service.keyspace.missing(arguments[1:2])
        return [b"0", []] if missing else ErrorReply(_SYNTAX)
    reply = _ask(session, *arguments[:place], *arguments[place + 1 :])
    if isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list):
        return [reply[0], reply[1][::2]]
    return reply


def _is_option(words: list[bytes], place: int, option: bytes) -> bool:
    """Whether the word is the option, and not the value of another one."""
    at = 3
    while at < place:
        at += 2 if words[at] in (b"MATCH", b"COUNT") else 1
    return at == place and words[place] == option


@clause("CM-119")
def scan(session: Session, arguments: list[bytes]) -> ClientReply:
    """Some of the keys; later releases know which types there are. Counterpart: `scanCommand`."""
    judge_cursor(session, arguments[1])
    words = [word.upper() for word in arguments]
    if session.release.knows_later_options and b"TYPE" in words[2:-1]:
        name = arguments[words.index(b"TYPE", 2) + 1]
        if name.decode("latin-1").lower() not in _TYPES:
            said = name.decode("utf-8", "surrogateescape")
            return ErrorReply(f"ERR unknown type name '{said}'")
    return _ask(session, *arguments)


NEWER_HANDLERS: Final[Handlers] = {
    "delifeq": delete_if_equal,
    "hgetdel": take_fields,
    "hscan": scan_names,
    "msetex": set_many,
    "scan": scan,
    "set": set_text,
    "zscan": scan_names,
}
"""The handlers of this module by command."""

"""Data commands whose wrong forms servers judge before they look at keys, and the engine after."""

import re
import time
from collections.abc import Callable
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handler, Handlers, Session
from reference.runtime.commands.lex_ranges import in_range, keep_range
from reference.runtime.replies import NULL_ARRAY, ClientReply
from reference.wire.resp import ErrorReply, SimpleString

_SYNTAX: Final = "ERR syntax error"
_NOT_POSITIVE: Final = "ERR value is out of range, must be positive"
_WRONG_TYPE: Final = "WRONGTYPE Operation against a key holding the wrong kind of value"
_LARGEST: Final = 2**63 - 1

_RANK_ZERO: Final = (
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
    "negative to start from the end of the list"
)
_BAD_COUNT: Final = "ERR COUNT must be > 0"
_MOST_IDS: Final = _LARGEST // 16
_LAST_NUMBER: Final = 2**64 - 1
_ID: Final = re.compile(rb"(\d{1,20})(?:-(\d{1,20}))?")
_ENDS: Final = {
    b"LMPOP": ("list", (b"LEFT", b"RIGHT")),
    b"ZMPOP": ("zset", (b"MIN", b"MAX")),
}
"""What they pop from, and from which ends."""

Judge = Callable[[list[bytes]], None]
"""CommandError if the request is not in the right form."""


def _lower(word: bytes) -> str:
    return word.decode("latin-1").lower()


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _judged(judge: Judge) -> Handler:
    """The handler of a command that is carried out if its form is right."""

    def handler(session: Session, arguments: list[bytes]) -> ClientReply:
        judge(arguments)
        return _ask(session, *arguments)

    return handler


@clause("CM-118")
def judge_expiry(arguments: list[bytes]) -> None:
    """CommandError for options that exclude each other, and for instants that no number holds.

    Counterpart: `parseExtendedExpireArgumentsOrReply`, `expireGenericCommand`.
    """
    options = {word.upper() for word in arguments[3:]}
    for word in arguments[3:]:
        if word.upper() not in (b"NX", b"XX", b"GT", b"LT"):
            said = word.decode("utf-8", "surrogateescape")
            raise CommandError(f"ERR Unsupported option {said}")
    if b"NX" in options and options & {b"XX", b"GT", b"LT"}:
        raise CommandError("ERR NX and XX, GT or LT options at the same time are not compatible")
    if {b"GT", b"LT"} <= options:
        raise CommandError("ERR GT and LT options at the same time are not compatible")
    name = _lower(arguments[0])
    when = parse_integer(arguments[2])
    if not name.startswith("p"):
        when *= 1000
    base = 0 if name.endswith("at") else time.time_ns() // 1_000_000
    if not -_LARGEST - 1 <= when <= _LARGEST - base:
        raise CommandError(f"ERR invalid expire time in '{name}' command")


@clause("CM-118")
def count_bits(session: Session, arguments: list[bytes]) -> ClientReply:
    """What BITCOUNT and BITPOS find in a range, which later releases judge though there is no key.

    Counterpart: `bitcountCommand`, `bitposCommand`.
    """
    words, position = arguments[2:], _lower(arguments[0]) == "bitpos"
    if position and parse_integer(words[0]) not in (0, 1):
        return ErrorReply("ERR The bit argument must be 1 or 0.")
    if session.release.judges_ranges_first:
        _judge_bits(words[1:] if position else words)
    elif session.service.keyspace.missing(arguments[1:2]):
        return -parse_integer(words[0]) if position else 0
    if not position and len(words) == 1 and session.release.ranges_may_be_open:
        return _ask(session, *arguments, b"-1")
    return _ask(session, *arguments)


def _judge_bits(words: list[bytes]) -> None:
    if len(words) > 3:
        raise CommandError(_SYNTAX)
    for word in words[:2]:
        parse_integer(word)
    if len(words) == 3 and words[2].upper() not in (b"BIT", b"BYTE"):
        raise CommandError(_SYNTAX)


def _judge_popped(arguments: list[bytes]) -> None:
    """CommandError for a number of elements that cannot be taken."""
    if len(arguments) > 3:
        name = _lower(arguments[0])
        of_list = f"ERR wrong number of arguments for '{name}' command"
        raise CommandError(_SYNTAX if name.startswith("z") else of_list)
    if len(arguments) == 3 and parse_integer(arguments[2], _NOT_POSITIVE) < 0:
        raise CommandError(_NOT_POSITIVE)


def _pop_elements(session: Session, arguments: list[bytes]) -> ClientReply:
    """What is taken from the end of the list; several, if it was asked how many."""
    _judge_popped(arguments)
    reply = _ask(session, *arguments)
    return NULL_ARRAY if reply is None and len(arguments) == 3 else reply


def _place(session: Session, arguments: list[bytes]) -> ClientReply:
    """Where the element is; later releases refuse a rank whose opposite is no number."""
    words = [word.upper() for word in arguments[3:]]
    ranks = [arguments[at + 4] for at, word in enumerate(words[:-1]) if word == b"RANK"]
    for rank in map(parse_integer, ranks):
        if rank == 0:
            return ErrorReply(_RANK_ZERO)
        if rank < -_LARGEST and session.release.judges_ranges_first:
            error = f"ERR value is out of range, value must between -{_LARGEST} and {_LARGEST}"
            return ErrorReply(error)
    return _ask(session, *arguments)


def _judge_limit(arguments: list[bytes]) -> None:
    """CommandError for a limit that is none."""
    words = arguments[2 + int(arguments[1]) :]  # the keys were found by it
    if len(words) == 2 and words[0].upper() == b"LIMIT":
        error = "ERR LIMIT can't be negative"
        if parse_integer(words[1], error) < 0:
            raise CommandError(error)


def _judge_ranged(arguments: list[bytes]) -> None:
    """CommandError for options that do not go together."""
    name = _lower(arguments[0])
    words = [word.upper() for word in arguments[5 if name == "zrangestore" else 4 :]]
    options: set[bytes] = set()
    while words:
        options.add(words[0])
        taken = 3 if words[0] == b"LIMIT" else 1
        allowed = {b"BYSCORE", b"BYLEX", b"REV", b"LIMIT"}
        allowed |= {b"WITHSCORES"} if name == "zrange" else set()
        if words[0] not in allowed or len(words) < taken:
            raise CommandError(_SYNTAX)
        for number in words[1:taken]:
            parse_integer(number)
        del words[:taken]
    if {b"BYSCORE", b"BYLEX"} <= options:
        raise CommandError(_SYNTAX)
    if b"LIMIT" in options and not options & {b"BYSCORE", b"BYLEX"}:
        raise CommandError(
            f"{_SYNTAX}, LIMIT is only supported in combination with either BYSCORE or BYLEX"
        )
    if {b"WITHSCORES", b"BYLEX"} <= options:
        raise CommandError(f"{_SYNTAX}, WITHSCORES not supported in combination with BYLEX")
    if not options & {b"BYSCORE", b"BYLEX"}:
        first = 3 if name == "zrangestore" else 2
        for word in arguments[first : first + 2]:
            parse_integer(word)


def _range(session: Session, arguments: list[bytes]) -> ClientReply:
    _judge_ranged(arguments)
    return in_range(session, arguments)


def _keep_range(session: Session, arguments: list[bytes]) -> ClientReply:
    _judge_ranged(arguments)
    return keep_range(session, arguments)


@clause("CM-118")
def pop_of_many(session: Session, arguments: list[bytes]) -> ClientReply:
    """What is popped from the first key that has anything; a key of another type is an error.

    Counterpart: `lmpopGenericCommand`, `zmpopGenericCommand`.
    """
    numkeys = int(arguments[1])  # the keys were found by it
    keys, words = arguments[2 : 2 + numkeys], arguments[2 + numkeys :]
    judge_ends(arguments[0], words)
    for key in keys:
        reply = pop_of_one(session, arguments[0], key, words)
        if reply is not None:
            return reply
    return NULL_ARRAY


def judge_ends(name: bytes, words: list[bytes]) -> None:
    """CommandError if the words behind the keys say not from which end, or how many not rightly."""
    if not words or words[0].upper() not in _ENDS[name.upper()][1]:
        raise CommandError(_SYNTAX)
    if words[1:]:
        if len(words) != 3 or words[1].upper() != b"COUNT":
            raise CommandError(_SYNTAX)
        error = "ERR count should be greater than 0"
        if parse_integer(words[2], error) <= 0:
            raise CommandError(error)


def pop_of_one(session: Session, name: bytes, key: bytes, words: list[bytes]) -> ClientReply:
    """What LMPOP or ZMPOP pops from this key; None if it is not there."""
    held = _ask(session, b"TYPE", key)
    if not isinstance(held, SimpleString) or held.text == "none":
        return None
    if held.text != _ENDS[name.upper()][0]:
        return ErrorReply(_WRONG_TYPE)
    return _ask(session, name, b"1", key, *words)


@clause("CM-118")
def claim_what_waits(session: Session, arguments: list[bytes]) -> ClientReply:
    """The consumer has the entries that nobody has acknowledged for so long, from an id on.

    Counterpart: `xautoclaimCommand`.
    """
    words = [word.upper() for word in arguments]
    parse_integer(arguments[4], "ERR Invalid min-idle-time argument for XAUTOCLAIM")
    start = _start_of(arguments[5])
    at = 6
    while at < len(words):
        if words[at] == b"COUNT" and at + 1 < len(words):
            count = parse_integer(arguments[at + 1], _BAD_COUNT)
            if not 0 < count <= _MOST_IDS:
                return ErrorReply(_BAD_COUNT)
            at += 1
        elif words[at] != b"JUSTID":
            return ErrorReply(_SYNTAX)
        at += 1
    return _ask(session, *arguments[:5], start, *arguments[6:])


def _start_of(word: bytes) -> bytes:
    """The first id of a range that begins so, in full."""
    if word in (b"-", b"+"):
        return b"0-0" if word == b"-" else b"%d-%d" % (_LAST_NUMBER, _LAST_NUMBER)
    stamp, number = _id_of(word.removeprefix(b"("))
    if word.startswith(b"("):
        stamp, number = (stamp, number + 1) if number < _LAST_NUMBER else (stamp + 1, 0)
        if stamp > _LAST_NUMBER:
            raise CommandError("ERR invalid start ID for the interval")
    return b"%d-%d" % (stamp, number)


def _id_of(word: bytes) -> tuple[int, int]:
    """Both numbers of the id of an entry; the second may be missing."""
    found = _ID.fullmatch(word)
    numbers = (
        [int(part or 0) for part in found.groups()] if found is not None else [_LAST_NUMBER + 1]
    )
    if max(numbers) > _LAST_NUMBER:
        raise CommandError("ERR Invalid stream ID specified as stream command argument")
    return numbers[0], numbers[1]


@clause("CM-118")
def acknowledge(session: Session, arguments: list[bytes]) -> ClientReply:
    """The entries wait no more, or nothing has changed if one of the ids is none.

    Counterpart: `xackCommand`.
    """
    held = _ask(session, b"TYPE", arguments[1])
    if isinstance(held, SimpleString) and held.text == "stream":
        for word in arguments[3:]:
            _id_of(word)
    return _ask(session, *arguments)


@clause("CM-93")
def set_for_a_time(session: Session, arguments: list[bytes]) -> ClientReply:
    """The key holds the string for so long, to the millisecond, as the engine's do not.

    Counterpart: `setexCommand`, `psetexCommand`.
    """
    key, word, value = arguments[1:]
    amount, name = parse_integer(word), _lower(arguments[0])
    length_ms = amount if name == "psetex" else amount * 1000
    if not 0 < length_ms <= _LARGEST - time.time_ns() // 1_000_000:
        return ErrorReply(f"ERR invalid expire time in '{name}' command")
    return _ask(session, b"SET", key, value, b"PX", b"%d" % length_ms)


FORM_HANDLERS: Final[Handlers] = {
    "expire": _judged(judge_expiry),
    "expireat": _judged(judge_expiry),
    "pexpire": _judged(judge_expiry),
    "pexpireat": _judged(judge_expiry),
    "bitcount": count_bits,
    "bitpos": count_bits,
    "lpop": _pop_elements,
    "rpop": _pop_elements,
    "lpos": _place,
    "lmpop": pop_of_many,
    "zmpop": pop_of_many,
    "psetex": set_for_a_time,
    "setex": set_for_a_time,
    "xack": acknowledge,
    "xautoclaim": claim_what_waits,
    "zpopmin": _judged(_judge_popped),
    "zpopmax": _judged(_judge_popped),
    "zintercard": _judged(_judge_limit),
    "zrange": _range,
    "zrangestore": _keep_range,
}
"""The handlers of this module by command."""

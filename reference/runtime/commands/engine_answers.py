"""Data commands that the engine carries out rightly, and answers otherwise than servers do."""

import re
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.replies import NULL_ARRAY, ClientReply
from reference.wire.resp import ErrorReply, SimpleString

_LARGEST_CURSOR: Final = 2**64 - 1
_NO_HLL: Final = ErrorReply("WRONGTYPE Key is not a valid HyperLogLog string value.")
_WRONG_TYPE: Final = "WRONGTYPE "
_NO_FLOAT: Final = "ERR value is not a valid float"
_FLOAT: Final = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ID: Final = re.compile(rb"\d{1,20}(-\d{1,20})?")
_CLAIM_OPTIONS: Final = {
    b"FORCE": 1, b"JUSTID": 1, b"IDLE": 2, b"TIME": 2, b"RETRYCOUNT": 2, b"LASTID": 2,
}  # fmt: skip


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _type_of(session: Session, key: bytes) -> str:
    reply = _ask(session, b"TYPE", key)
    return reply.text if isinstance(reply, SimpleString) else ""


@clause("CM-118")
def judge_cursor(session: Session, word: bytes) -> None:
    """CommandError if a scan cannot go on from there. Counterpart: `parseScanCursorOrReply`."""
    old = session.release.dialect == "redis-7.0"
    digits = word.removeprefix(b"-") if old else word
    if not digits.isdigit() or int(digits) > _LARGEST_CURSOR:
        raise CommandError("ERR invalid cursor")


def _scan(session: Session, arguments: list[bytes]) -> ClientReply:
    judge_cursor(session, arguments[2])
    return _ask(session, *arguments)


def _hll(session: Session, arguments: list[bytes]) -> ClientReply:
    """What is counted; a string that counts nothing is no other type of key."""
    reply = _ask(session, *arguments)
    if not isinstance(reply, ErrorReply) or not reply.text.startswith(_WRONG_TYPE):
        return reply
    kinds = {_type_of(session, key) for key in arguments[1:]}
    return _NO_HLL if "string" in kinds and kinds <= {"string", "none"} else reply


def _add_float(session: Session, arguments: list[bytes]) -> ClientReply:
    """The field is greater by so much, or the error says which of the two is no number."""
    reply = _ask(session, *arguments)
    if isinstance(reply, ErrorReply) and reply.text == _NO_FLOAT and _FLOAT.fullmatch(arguments[3]):
        return ErrorReply("ERR hash value is not a float")
    return reply


@clause("CM-118")
def what_waits(session: Session, arguments: list[bytes]) -> ClientReply:
    """The entries that nobody has acknowledged: all told, or one by one.

    Counterpart: `xpendingCommand`.
    """
    reply = _ask(session, *arguments)
    if len(arguments) == 3 and isinstance(reply, list) and len(reply) == 4:
        consumers = reply[3]
        if not consumers:
            return [*reply[:3], NULL_ARRAY]
        assert isinstance(consumers, list)  # noqa: S101 - the engine has no other form
        texts: list[ClientReply] = [
            [each[0], b"%d" % each[1]]
            for each in consumers
            if isinstance(each, list) and isinstance(each[1], int)
        ]
        return [*reply[:3], texts]
    return reply


@clause("CM-118")
def range_of_stream(session: Session, arguments: list[bytes]) -> ClientReply:
    """The entries between two ids; nothing at all if none is asked for.

    Counterpart: `xrangeGenericCommand`.
    """
    reply = _ask(session, *arguments)
    words = arguments[4:]
    none_asked = len(words) == 2 and words[0].upper() == b"COUNT" and parse_integer(words[1]) <= 0
    if reply == [] and none_asked and not session.service.keyspace.missing(arguments[1:2]):
        return NULL_ARRAY
    return reply


@clause("CM-118")
def claim(session: Session, arguments: list[bytes]) -> ClientReply:
    """The consumer has these entries, or the error says which word is no id and no option.

    Counterpart: `xclaimCommand`.
    """
    if _type_of(session, arguments[1]) != "stream":
        return _ask(session, *arguments)
    parse_integer(arguments[4], "ERR Invalid min-idle-time argument for XCLAIM")
    at = 5
    while at < len(arguments) and _ID.fullmatch(arguments[at]):
        at += 1
    while at < len(arguments):
        taken = _CLAIM_OPTIONS.get(arguments[at].upper())
        if taken is None or at + taken > len(arguments):
            word = arguments[at].decode("utf-8", "surrogateescape")
            return ErrorReply(f"ERR Unrecognized XCLAIM option '{word}'")
        at += taken
    return _ask(session, *arguments)


ANSWER_HANDLERS: Final[Handlers] = {
    "hincrbyfloat": _add_float,
    "pfadd": _hll,
    "pfcount": _hll,
    "sscan": _scan,
    "xclaim": claim,
    "xpending": what_waits,
    "xrange": range_of_stream,
    "xrevrange": range_of_stream,
}
"""The handlers of this module by command."""

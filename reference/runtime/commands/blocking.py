"""Commands that wait until a key has something: for each, what it takes when it has.

What they do to the data is said by commands that do not wait, which is also what replicas get.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.routing import why_not_waiting
from reference.runtime.clients.session import Handler, Handlers, Session
from reference.runtime.clients.waits import Attempt, Wait
from reference.runtime.commands.forms import judge_ends, pop_of_one
from reference.runtime.commands.permission import why_not_any_more
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replies import NULL_ARRAY, ClientReply, Raw
from reference.wire.resp import ErrorReply, SimpleString

_SYNTAX: Final = ErrorReply("ERR syntax error")
_LISTS: Final = frozenset({"list"})
_SETS: Final = frozenset({"zset"})
_TYPES: Final = {
    "blpop": _LISTS, "brpop": _LISTS, "blmove": _LISTS, "brpoplpush": _LISTS, "blmpop": _LISTS,
    "bzpopmin": _SETS, "bzpopmax": _SETS, "bzmpop": _SETS, "xread": frozenset({"stream"}),
    # Without its key it has no group, which is an error.
    "xreadgroup": frozenset({"stream", "none", "list", "zset", "string", "hash", "set"}),
}  # fmt: skip
"""Which keys may have something for the command; others do not end the waiting."""
_LONGEST_S: Final = (2**63 - 1) / 1000


def _timeout_s(argument: bytes) -> float:
    """Seconds, with a fraction. Counterpart: `getTimeoutFromObjectOrReply`."""
    try:
        seconds = float(argument)
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds) or b"_" in argument or argument != argument.strip():
        raise CommandError("ERR timeout is not a float or out of range")
    if seconds < 0:
        raise CommandError("ERR timeout is negative")
    if seconds > _LONGEST_S:
        raise CommandError("ERR timeout is out of range")
    return seconds


def _timeout_ms(argument: bytes) -> float:
    milliseconds = parse_integer(argument, "ERR timeout is not an integer or out of range")
    if milliseconds < 0:
        raise CommandError("ERR timeout is negative")
    return milliseconds / 1000


@clause("CM-80")
def wait_for(
    session: Session, words: list[bytes], keys: Sequence[bytes], attempt: Attempt, timeout_s: float
) -> ClientReply:
    """What one of the keys has, the first that has anything, or the client waits for them.

    A transaction does not wait: it takes nothing then. Counterpart: `blockingPopGenericCommand`.
    """
    for key in keys:
        reply = attempt(key)
        if reply is not None:
            return reply
    if session.service.keyspace.in_group:
        return NULL_ARRAY
    info = session.release.table.lookup(words)
    if info is None:  # its handler would not have been called
        return NULL_ARRAY
    session.hold()
    wait = Wait(
        client=session,
        keys=keys,
        attempt=attempt,
        may_have=lambda key: _type_of(session, key) in _TYPES[info.name],
        redirected=partial(why_not_waiting, session, info, keys),
        refused=partial(why_not_any_more, session, info, words),
    )
    session.service.waits.begin(wait, timeout_s)
    return Raw()


def _type_of(session: Session, key: bytes) -> str:
    reply = session.service.keyspace.execute([b"TYPE", key])
    return reply.text if isinstance(reply, SimpleString) else ""


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _popped(session: Session, key: bytes, *words: bytes) -> ClientReply:
    """The key and what was popped from it; None if it is empty."""
    reply = _ask(session, *words)
    if isinstance(reply, ErrorReply):
        return reply
    if isinstance(reply, list):  # of a sorted set
        return [key, *reply] if reply else None
    return None if reply is None else [key, reply]


def _pop(name: bytes) -> Handler:
    def pop(session: Session, arguments: list[bytes]) -> ClientReply:
        timeout_s = _timeout_s(arguments[-1])
        return wait_for(
            session,
            arguments,
            arguments[1:-1],
            lambda key: _popped(session, key, name, key),
            timeout_s,
        )

    return pop


def _move(name: bytes) -> Handler:
    def move(session: Session, arguments: list[bytes]) -> ClientReply:
        if name == b"LMOVE" and not all(
            word.upper() in (b"LEFT", b"RIGHT") for word in arguments[3:5]
        ):
            return _SYNTAX
        timeout_s = _timeout_s(arguments[-1])
        words = arguments[1:-1]
        return wait_for(
            session, arguments, words[:1], lambda _: _ask(session, name, *words), timeout_s
        )

    return move


def _pop_many(name: bytes) -> Handler:
    def pop_many(session: Session, arguments: list[bytes]) -> ClientReply:
        timeout_s = _timeout_s(arguments[1])
        count = int(arguments[2])  # the keys were found by it
        keys, rest = arguments[3 : 3 + count], arguments[3 + count :]
        judge_ends(name, rest)
        return wait_for(
            session,
            arguments,
            keys,
            lambda key: pop_of_one(session, name, key, rest),
            timeout_s,
        )

    return pop_many


@clause("CM-84")
def read_streams(session: Session, arguments: list[bytes]) -> ClientReply:
    """The entries behind the ids, or those that come next. Counterpart: `xreadCommand`."""
    words = [argument.upper() for argument in arguments]
    if b"STREAMS" not in words:
        return _SYNTAX
    start = words.index(b"STREAMS") + 1
    options, timeout_s = _without_block(arguments[:start])
    count = (len(arguments) - start) // 2
    keys, ids = arguments[start : start + count], arguments[start + count :]
    if len(keys) != len(ids):
        return ErrorReply(session.release.unbalanced.format(words[0].decode().lower()))
    read = words[0] == b"XREAD"
    found = [
        _last_id(session.service.keyspace, key) if read and given == b"$" else given
        for key, given in zip(keys, ids, strict=True)
    ]
    if any(_type_of(session, key) not in ("stream", "none") for key in keys):
        return ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value")

    def attempt(names: Sequence[bytes], after: Sequence[bytes]) -> ClientReply:
        reply = _ask(session, *options, *names, *after) or None
        if not isinstance(reply, ErrorReply) or not reply.text.startswith("ERR The XGROUP"):
            return reply
        missing = _first_missing(session, names).decode("utf-8", "surrogateescape")
        group = arguments[words.index(b"GROUP") + 1].decode("utf-8", "surrogateescape")
        return ErrorReply(
            f"NOGROUP No such key '{missing}' or consumer group '{group}' in XREADGROUP with "
            "GROUP option"
        )

    reply = attempt(keys, found)
    history = not read and any(given != b">" for given in ids)
    if reply is not None or timeout_s is None or history:
        return NULL_ARRAY if reply is None else reply
    after = dict(zip(keys, found, strict=True))
    return wait_for(
        session,
        arguments,
        keys,
        lambda key: attempt([key], [after[key]]),
        timeout_s,
    )


def _first_missing(session: Session, keys: Sequence[bytes]) -> bytes:
    return next((key for key in keys if session.service.keyspace.missing([key])), keys[0])


def _without_block(arguments: list[bytes]) -> tuple[list[bytes], float | None]:
    """The options without BLOCK, and the seconds that it says; the last one counts.

    A COUNT of none, or less, is left out too: it is no limit.
    """
    kept, position = arguments[:1], 1
    timeout_s: float | None = None
    while position < len(arguments):
        word = arguments[position].upper()
        if word == b"BLOCK" and position + 1 < len(arguments) - 1:
            timeout_s = _timeout_ms(arguments[position + 1])
            position += 2
            continue
        taken = {b"GROUP": 3, b"COUNT": 2}.get(word, 1)
        said = arguments[position + 1 : position + taken]
        no_limit = word == b"COUNT" and len(said) == 1 and parse_integer(said[0]) <= 0
        if not no_limit:
            kept += arguments[position : position + taken]
        position += taken
    return kept, timeout_s


def _last_id(keyspace: Keyspace, key: bytes) -> bytes:
    """The id of the newest entry that the stream ever had; the first possible if there is none."""
    reply = keyspace.execute([b"XINFO", b"STREAM", key])
    if isinstance(reply, list):
        facts = dict(zip(reply[::2], reply[1::2], strict=True))
        last = facts.get(b"last-generated-id")
        if isinstance(last, bytes):
            return last
    return b"0-0"


BLOCKING_HANDLERS: Final[Handlers] = {
    "blpop": _pop(b"LPOP"),
    "brpop": _pop(b"RPOP"),
    "bzpopmin": _pop(b"ZPOPMIN"),
    "bzpopmax": _pop(b"ZPOPMAX"),
    "blmove": _move(b"LMOVE"),
    "brpoplpush": _move(b"RPOPLPUSH"),
    "blmpop": _pop_many(b"LMPOP"),
    "bzmpop": _pop_many(b"ZMPOP"),
    "xread": read_streams,
    "xreadgroup": read_streams,
}
"""The handlers of this module by command."""

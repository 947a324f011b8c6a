"""Ranges of members in the order of their bytes, where their scores are not all the same.

Servers walk through the members in the order of their scores, from the first that is in the range
to the last; the engine finds none then.
"""

from collections.abc import Callable, Sequence
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply

_ENDS: Final = (b"-", b"+")


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _members(session: Session, key: bytes) -> list[bytes]:
    reply = _ask(session, b"ZRANGE", key, b"0", b"-1")
    return [each for each in reply if isinstance(each, bytes)] if isinstance(reply, list) else []


def _scores_differ(session: Session, key: bytes) -> bool:
    """Whether the first member has another score than the last."""
    first, last = (
        _ask(session, b"ZRANGE", key, place, place, b"WITHSCORES") for place in (b"0", b"-1")
    )
    return _score(first) != _score(last)


def _score(reply: ClientReply) -> object:
    """Of the only member that the reply tells, if there is one."""
    if not isinstance(reply, list) or not reply:
        return None
    pair = reply[0]
    return pair[1] if isinstance(pair, list) else reply[1]


def _is_from(word: bytes) -> Callable[[bytes], bool]:
    """Whether a member is not before the range that begins so."""
    if word in _ENDS:
        return lambda _: word == b"-"
    return (lambda each: each > word[1:]) if word[:1] == b"(" else (lambda each: each >= word[1:])


def _is_until(word: bytes) -> Callable[[bytes], bool]:
    """Whether a member is not behind the range that ends so."""
    if word in _ENDS:
        return lambda _: word == b"+"
    return (lambda each: each < word[1:]) if word[:1] == b"(" else (lambda each: each <= word[1:])


def _found(members: Sequence[bytes], least: bytes, most: bytes, *, backwards: bool) -> list[bytes]:
    starts, goes_on = _is_from(least), _is_until(most)
    if backwards:
        members, starts, goes_on = members[::-1], goes_on, starts
    begin = next((place for place, each in enumerate(members) if starts(each)), len(members))
    end = begin
    while end < len(members) and goes_on(members[end]):
        end += 1
    return list(members[begin:end])


def _limited(found: list[bytes], words: Sequence[bytes]) -> list[bytes]:
    """Those that LIMIT, among the words, lets through."""
    upper = [word.upper() for word in words]
    if b"LIMIT" not in upper[:-2]:
        return found
    place = upper.index(b"LIMIT")
    offset, count = (parse_integer(word) for word in words[place + 1 : place + 3])
    if offset < 0:
        return []
    return found[offset:] if count < 0 else found[offset : offset + count]


def _is_range(word: bytes) -> bool:
    return word in _ENDS or word[:1] in (b"(", b"[")


def _ranged(session: Session, arguments: list[bytes]) -> list[bytes] | None:
    """The members of the range; None if the engine knows them."""
    name = arguments[0].upper()
    key, one, other = arguments[1:4]
    words = [word.upper() for word in arguments[4:]]
    by_bytes = name.endswith((b"LEX", b"ZLEXCOUNT")) or b"BYLEX" in words
    if not (by_bytes and _is_range(one) and _is_range(other) and _scores_differ(session, key)):
        return None
    backwards = b"REV" in words or name == b"ZREVRANGEBYLEX"
    least, most = (other, one) if backwards else (one, other)
    found = _found(_members(session, key), least, most, backwards=backwards)
    return _limited(found, arguments[4:])


def _by_the_engine(session: Session, arguments: list[bytes]) -> ClientReply:
    reply = _ask(session, *arguments)
    if isinstance(reply, ErrorReply) and reply.text.endswith("not a valid string range item"):
        return ErrorReply("ERR min or max not valid string range item")
    return reply


@clause("CM-118")
def in_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The members of the range, or how many there are. Counterpart: `genericZrangebylexCommand`."""
    found = _ranged(session, arguments)
    if found is None:
        return _by_the_engine(session, arguments)
    if arguments[0].upper() == b"ZLEXCOUNT":
        return len(found)
    return list[ClientReply](found)


def without_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The members of the range are gone. Counterpart: `zremrangeGenericCommand`."""
    found = _ranged(session, arguments)
    if found is None:
        return _by_the_engine(session, arguments)
    with session.service.keyspace.events.told_as("zremrangebylex"):
        return _ask(session, b"ZREM", arguments[1], *found) if found else 0


def keep_range(session: Session, arguments: list[bytes]) -> ClientReply:
    """The first key holds the range of the other. Counterpart: `zrangestoreCommand`."""
    found = _ranged(session, [b"ZRANGE", *arguments[2:]])
    if found is None:
        return _by_the_engine(session, arguments)
    target, source = arguments[1:3]
    scores = [session.service.keyspace.execute([b"ZSCORE", source, each]) for each in found]
    pairs = zip(scores, found, strict=True)
    words = [each for pair in pairs for each in pair if isinstance(each, bytes)]
    keyspace = session.service.keyspace
    with keyspace.together():
        with keyspace.events.told_as("" if words else "del"):
            _ask(session, b"DEL", target)
        with keyspace.events.told_as("zrangestore"):
            return _ask(session, b"ZADD", target, *words) if words else 0


LEX_HANDLERS: Final[Handlers] = {
    "zlexcount": in_range,
    "zrangebylex": in_range,
    "zremrangebylex": without_range,
    "zrevrangebylex": in_range,
}
"""The handlers of this module by command."""

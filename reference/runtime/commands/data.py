"""Data commands that the engine does not have, or has with a flaw, by way of those that it has."""

import re
import time
from typing import Final

from reference.clauses import clause
from reference.core.slots import key_hash_slot
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.replies import NULL_ARRAY, ClientReply, SetReply
from reference.wire.resp import ErrorReply

_WHEN: Final = {
    b"EX": (1000, True), b"PX": (1, True), b"EXAT": (1000, False), b"PXAT": (1, False),
}  # fmt: skip
"""Units of options in milliseconds, and whether they count from now."""
_WITH: Final = {b"HRANDFIELD": b"WITHVALUES", b"ZRANDMEMBER": b"WITHSCORES"}
_LARGEST: Final = 2**63 - 1
_TAGGED: Final = re.compile(rb"[^*?\[{\\]*\{[^*?\[\\}]+\}")
"""What a pattern begins with whose keys are all in one slot."""
_SORT_NOT_PERMITTED: Final = "ERR {} option of SORT denied due to insufficient ACL permissions."
_MOST_CHOICES: Final = 1_000_000
"""For each the engine makes an element of its reply, before any of it is sent."""


def _ask(session: Session, *words: bytes) -> ClientReply:
    return session.service.keyspace.execute(words, session.protocol)


def _touch(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many of the keys there are; when they were last used is not kept."""
    return _ask(session, b"EXISTS", *arguments[1:])


def _count_common(session: Session, arguments: list[bytes]) -> ClientReply:
    """How many members the sets have in common, no more than the limit if there is one."""
    count = int(arguments[1])  # the keys were found by it
    keys, rest = arguments[2 : 2 + count], arguments[2 + count :]
    limit = 0
    if rest:
        if len(rest) != 2 or rest[0].upper() != b"LIMIT":
            return ErrorReply("ERR syntax error")
        limit = parse_integer(rest[1])
        if limit < 0:
            return ErrorReply("ERR LIMIT can't be negative")
    reply = _ask(session, b"SINTER", *keys)
    if isinstance(reply, ErrorReply):
        return reply
    elements = reply.elements if isinstance(reply, SetReply) else reply
    number = len(elements) if isinstance(elements, list) else 0
    return min(number, limit) if limit else number


@clause("CM-115")
def some_member(session: Session, arguments: list[bytes]) -> ClientReply:
    """A member by chance, or, if it was asked how many, several: none of a key that is not there.

    Counterpart: `hrandfieldCommand`, `srandmemberCommand`, `zrandmemberCommand`.
    """
    key, words = arguments[1], arguments[2:]
    if not words:
        reply = _ask(session, *arguments)
        if isinstance(reply, list):
            return reply[0] if reply else None
        return reply
    option = _WITH.get(arguments[0].upper(), b"")
    count = _parse_count(words[0]) if option or len(words) == 1 else 0
    if len(words) > 2 or (len(words) == 2 and words[1].upper() != option):
        return ErrorReply("ERR syntax error")
    if len(words) == 2 and abs(count) > _LARGEST // 2:
        return ErrorReply("ERR value is out of range")
    if count < -_MOST_CHOICES:
        return ErrorReply(f"ERR no more than {_MOST_CHOICES} choices are made at once here")
    if session.service.keyspace.missing([key]):
        return []
    return _ask(session, *arguments)


def _parse_count(word: bytes) -> int:
    count = parse_integer(word)
    if count < -_LARGEST:
        raise CommandError(
            f"ERR value is out of range, value must between -{_LARGEST} and {_LARGEST}"
        )
    return count


def _rank(session: Session, arguments: list[bytes]) -> ClientReply:
    """The place of the member, and with WITHSCORE its score."""
    words = [word.upper() for word in arguments[3:]]
    if len(words) > 1:
        return ErrorReply(f"ERR wrong number of arguments for '{_lower(arguments[0])}' command")
    if words not in ([], [b"WITHSCORE"]):
        return ErrorReply("ERR syntax error")
    reply = _ask(session, *arguments)
    return NULL_ARRAY if reply is None and words else reply


def _lower(word: bytes) -> str:
    return word.decode("latin-1").lower()


def _bits(session: Session, arguments: list[bytes]) -> ClientReply:
    """Integers inside a string, which is only read."""
    words = [word.upper() for word in arguments[2:]]
    while words:
        if words[0] == b"OVERFLOW" and len(words) > 1:
            del words[:2]
        elif words[0] == b"GET":
            del words[:3]
        elif words[0] in (b"SET", b"INCRBY"):
            return ErrorReply("ERR BITFIELD_RO only supports the GET subcommand")
        else:
            break
    return _ask(session, b"BITFIELD", *arguments[1:])


@clause("CM-93")
def read_and_limit(session: Session, arguments: list[bytes]) -> ClientReply:
    """The string, whose time ends at the millisecond that was asked for, as the engine's do not.

    Counterpart: `getexCommand`.
    """
    words = [word.upper() for word in arguments[2:3]]
    with session.service.keyspace.together():
        reply = _ask(session, *arguments)
        if words and words[0] in _WHEN and isinstance(reply, bytes):
            now_ms = time.time_ns() // 1_000_000
            scale, from_now = _WHEN[words[0]]
            when = int(arguments[3]) * scale + (now_ms if from_now else 0)
            _ask(session, b"PEXPIREAT", arguments[1], b"%d" % when)
    return reply


def _merge(session: Session, arguments: list[bytes]) -> ClientReply:
    """The first counts what it counted before, too."""
    return _ask(session, arguments[0], arguments[1], *arguments[1:])


@clause("CM-93")
def common_text(session: Session, arguments: list[bytes]) -> ClientReply:
    """What two strings have in common; places end where they begin, if they are of one byte.

    Counterpart: `lcsCommand`.
    """
    reply = _ask(session, *arguments)
    found = reply.get(b"matches") if isinstance(reply, dict) else None
    if isinstance(reply, list) and len(reply) > 1:
        found = reply[1]
    for match in found if isinstance(found, list) else ():
        for place in match if isinstance(match, list) else ():
            if isinstance(place, list) and place[1] is None:
                place[1] = place[0]
    return reply


@clause("CM-93")
def copy(session: Session, arguments: list[bytes]) -> ClientReply:
    """The key is copied within the one database that there is. Counterpart: `copyCommand`."""
    words = [argument.upper() for argument in arguments]
    if b"DB" in words[3:-1]:
        number = parse_integer(arguments[words.index(b"DB", 3) + 1])
        if number:
            return ErrorReply(session.release.copy_error)
    return _ask(session, *arguments)


@clause("CM-93")
def sort(session: Session, arguments: list[bytes]) -> ClientReply:
    """The elements in order: by themselves, or, where releases have it so, by keys of their slot.

    Counterpart: `sortCommandGeneric`.
    """
    for position, argument in enumerate(arguments[2:-1], 2):
        word, pattern = argument.upper(), arguments[position + 1]
        by_key = word == b"BY" and b"*" in pattern
        if by_key or (word == b"GET" and (pattern != b"#" or not session.release.sort_takes_self)):
            if session.release.sort_takes_self and _is_of_one_slot(pattern, arguments[1]):
                if session.user.unrestricted:
                    continue
                return ErrorReply(_SORT_NOT_PERMITTED.format(word.decode()))
            return ErrorReply(session.release.sort_error.format(word.decode()))
    return _ask(session, *arguments)


def _is_of_one_slot(pattern: bytes, key: bytes) -> bool:
    """Whether a pattern is of keys in the slot of this one. Counterpart: `patternHashSlot`."""
    found = _TAGGED.match(pattern)
    return found is not None and key_hash_slot(found[0]) == key_hash_slot(key)


DATA_HANDLERS: Final[Handlers] = {
    "bitfield_ro": _bits,
    "copy": copy,
    "getex": read_and_limit,
    "hrandfield": some_member,
    "lcs": common_text,
    "pfmerge": _merge,
    "sort": sort,
    "sort_ro": sort,
    "sintercard": _count_common,
    "touch": _touch,
    "srandmember": some_member,
    "zrandmember": some_member,
    "zrank": _rank,
    "zrevrank": _rank,
}
"""The handlers of this module by command."""

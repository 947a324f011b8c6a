"""Data commands that the engine does not have, or has with a flaw, by way of those that it has."""

from typing import Final

from reference.clauses import clause
from reference.runtime.client_arguments import parse_integer
from reference.runtime.client_replies import NULL_ARRAY, ClientReply, SetReply
from reference.runtime.client_session import Handlers, Session
from reference.wire.resp import ErrorReply


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


def _some_member(session: Session, arguments: list[bytes]) -> ClientReply:
    """A member by chance, or several; nothing for a key that is not there."""
    reply = _ask(session, *arguments)
    if len(arguments) == 2 and isinstance(reply, list):
        return reply[0] if reply else None
    return reply


def _pop_many(session: Session, arguments: list[bytes]) -> ClientReply:
    """What is popped from the first key that has anything."""
    reply = _ask(session, *arguments)
    return NULL_ARRAY if reply is None else reply


def _create_group(session: Session, arguments: list[bytes]) -> ClientReply:
    """The stream has the group, or the error has the code that servers give it."""
    reply = _ask(session, *arguments)
    if isinstance(reply, ErrorReply) and reply.text.startswith("ERR BUSYGROUP"):
        return ErrorReply(reply.text.removeprefix("ERR "))
    return reply


def _merge(session: Session, arguments: list[bytes]) -> ClientReply:
    """The first counts what it counted before, too."""
    return _ask(session, arguments[0], arguments[1], *arguments[1:])


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
    """The elements in order, by themselves alone. Counterpart: `sortCommandGeneric`."""
    for position, argument in enumerate(arguments[2:-1], 2):
        word, pattern = argument.upper(), arguments[position + 1]
        by_key = word == b"BY" and b"*" in pattern
        if by_key or (word == b"GET" and (pattern != b"#" or not session.release.sort_takes_self)):
            return ErrorReply(session.release.sort_error.format(word.decode()))
    return _ask(session, *arguments)


DATA_HANDLERS: Final[Handlers] = {
    "copy": copy,
    "lmpop": _pop_many,
    "zmpop": _pop_many,
    "pfmerge": _merge,
    "sort": sort,
    "sort_ro": sort,
    "sintercard": _count_common,
    "touch": _touch,
    "xgroup|create": _create_group,
    "zrandmember": _some_member,
}
"""The handlers of this module by command."""

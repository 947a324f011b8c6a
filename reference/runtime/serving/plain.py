"""The short way for the requests that clients send most: GET of a string, and SET of one.

What is answered here is answered as by `client_commands.execute`; whatever is not quite simple is
left to it.
"""

from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Final, TypeAlias

from reference.clauses import clause
from reference.runtime.clients.routing import served_plainly
from reference.runtime.clients.session import Replies, Session
from reference.runtime.data.databases import Unsure
from reference.wire.resp import NULL_REPLIES

_OK: Final = b"+OK\r\n"

Plain: TypeAlias = Callable[[Session, list[bytes]], bytes | None]
"""The bytes of the reply, None if it takes the long way."""


def is_plain(session: Session) -> bool:
    """Whether nothing that the client has asked for before bears on its next request."""
    return (
        session.transaction is None
        and not session.asking
        and not session.tracker.on
        and session.mode is Replies.ON
        and session.authenticated
        and session.user.unrestricted
        and not session.closing
        and session.importing is None
        and not session.service.channels.listens(session)
    )


@clause("CM-96")
def _get(session: Session, arguments: list[bytes]) -> bytes | None:
    """The string, if there is no question where and what it is. Counterpart: `getCommand`."""
    if len(arguments) != 2:
        return None
    began, key = perf_counter_ns(), arguments[1]
    if not served_plainly(session, "get", key):
        return None
    value = session.service.keyspace.plain(key)
    if value is Unsure.UNSURE:
        return None
    _count(session, "get", began, arguments)
    if value is None:
        return NULL_REPLIES[session.protocol]
    return b"$%d\r\n%b\r\n" % (len(value), value)


@clause("CM-96")
def _set(session: Session, arguments: list[bytes]) -> bytes | None:
    """The key holds the string, if there is no question about it. Counterpart: `setCommand`."""
    if len(arguments) != 3:
        return None
    began, key = perf_counter_ns(), arguments[1]
    service = session.service
    if not served_plainly(session, "set", key):
        return None
    if not service.keyspace.put_plain(key, arguments[2]):
        return None
    _count(session, "set", began, arguments)
    service.waits.serve()
    return _OK


def _count(session: Session, name: str, began: int, arguments: list[bytes]) -> None:
    session.last_command = name
    spent_ns = perf_counter_ns() - began
    session.service.stats.count_plain(name, spent_ns)
    session.note_slow(spent_ns, arguments)
    if session.service.monitors:
        session.tell_monitors(arguments)


PLAIN: Final[Mapping[bytes, Plain]] = {b"GET": _get, b"get": _get, b"SET": _set, b"set": _set}
"""The requests that may be answered on the short way, by their names as clients write them."""

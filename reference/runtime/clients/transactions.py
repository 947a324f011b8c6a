"""MULTI, EXEC and what belongs to them."""

from collections.abc import Callable, Sequence
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.routing import Part
from reference.runtime.clients.session import Handlers, Session, Transaction
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.replies import NULL_ARRAY, ClientReply
from reference.wire.resp import OK, ErrorReply, SimpleString

Run = Callable[[CommandInfo, list[bytes]], ClientReply]
"""Carries out a command of a transaction."""

_QUEUED: Final = SimpleString("QUEUED")
_AT_ONCE: Final = frozenset({"exec", "discard", "multi", "watch", "quit", "reset"})
"""Commands that are carried out inside a transaction instead of being queued."""


@clause("CM-42")
def queue(session: Session, info: CommandInfo, arguments: list[bytes]) -> ClientReply:
    """The command waits for EXEC; None if it is to be carried out now.

    What cannot be carried out any more is not kept, so that EXEC is not routed by it. Counterpart:
    `queueMultiCommand`.
    """
    if session.transaction is None or info.name in _AT_ONCE:
        return None
    touched = session.watch is not None and session.watch.touched
    if not (session.transaction.spoiled or touched):
        session.transaction.queue.append((info, arguments))
    return _QUEUED


def spoil(session: Session) -> None:
    """The transaction cannot be carried out any more. Counterpart: `flagTransaction`."""
    if session.transaction is not None:
        session.transaction.spoiled = True
        if session.release.mistakes_empty_transactions:
            session.transaction.queue.clear()


@clause("CM-43")
def discard(session: Session) -> None:
    """No transaction is open, and no key is watched. Counterpart: `discardTransaction`."""
    session.transaction = None
    _unwatch(session)


def _unwatch(session: Session) -> None:
    if session.watch is not None:
        session.watch.close()
        session.watch = None


def _multi(session: Session, _arguments: list[bytes]) -> ClientReply:
    if session.transaction is not None:
        return ErrorReply("ERR MULTI calls can not be nested")
    session.transaction = Transaction()
    return OK


def _discard(session: Session, _arguments: list[bytes]) -> ClientReply:
    if session.transaction is None:
        return ErrorReply("ERR DISCARD without MULTI")
    discard(session)
    return OK


def _watch(session: Session, arguments: list[bytes]) -> ClientReply:
    if session.transaction is not None:
        return ErrorReply("ERR WATCH inside MULTI is not allowed")
    if session.watch is None:
        session.watch = session.service.keyspace.watch()
    for key in arguments[1:]:
        session.watch.add(key)
    return OK


def _unwatch_all(session: Session, _arguments: list[bytes]) -> ClientReply:
    _unwatch(session)
    return OK


@clause("CM-43")
def exec_transaction(session: Session, run: Run) -> ClientReply:
    """Every queued command is carried out and answered, or none because one cannot be.

    Counterpart: `execCommand`.
    """
    transaction, watch = session.transaction, session.watch
    if transaction is None:
        return ErrorReply("ERR EXEC without MULTI")
    touched = watch is not None and watch.touched
    discard(session)
    if transaction.spoiled:
        return ErrorReply("EXECABORT Transaction discarded because of previous errors.")
    if touched:
        return NULL_ARRAY
    with session.service.keyspace.together():
        return _replies(session, transaction.queue, run)


@clause("CM-43")
def _replies(session: Session, queued: Sequence[Part], run: Run) -> list[ClientReply]:
    """What each command answers; if one is answered later, all are told then."""
    replies: list[ClientReply] = []
    for place, (info, arguments) in enumerate(queued):
        waited = session.held
        replies.append(run(info, arguments))
        if session.held and not waited:
            session.held_among = replies, place
    return replies


TRANSACTION_HANDLERS: Final[Handlers] = {
    "multi": _multi,
    "discard": _discard,
    "watch": _watch,
    "unwatch": _unwatch_all,
}
"""The handlers of this module by command; EXEC needs all the others."""

"""One connection of a client: bytes in, requests answered in their order, bytes out."""

import asyncio
import logging
import time
from typing import Final, Protocol

import attrs
from typing_extensions import override

from reference.clauses import clause
from reference.runtime.clients.session import Service, Session
from reference.runtime.clients.transactions import discard
from reference.runtime.commands.dispatch import execute, waits_for_keys, writes
from reference.runtime.limits import NO_LIMIT, Limits, OutputLimit
from reference.runtime.replies import Push, Raw, Several, encode
from reference.runtime.serving.plain import PLAIN, is_plain
from reference.wire.resp import RequestReader, RespProtocolError

_LOG = logging.getLogger(__name__)

_READ_SIZE: Final = 16 * 1024
"""Bytes read at once; also bounds how long one client can hold up the others."""

_FLUSH_SIZE: Final = 64 * 1024
"""Bytes of replies that are gathered before they are written."""

_LATER_S: Final = 0.01
"""How long after its time a slow reader is looked at, so that the time is over."""

_TOO_MANY: Final = b"-ERR max number of clients reached\r\n"


class ConnectionOwner(Protocol):
    """The client port that the connection belongs to."""

    @property
    def service(self) -> Service:
        """What the node offers to its clients."""

    @property
    def limits(self) -> Limits:
        """What clients may ask of the node's memory."""

    @property
    def frozen(self) -> bool:
        """Whether the node does nothing at all, as a stopped process."""

    def opened(self, connection: "Connection") -> bool:
        """It is counted; False if it must not stay."""

    def ended(self, connection: "Connection") -> None:
        """It is no more."""


@attrs.define(eq=False)
class _Held:
    """A request that cannot be answered yet, None for what is answered later by itself."""

    arguments: list[bytes] | None = None


class Connection(asyncio.BufferedProtocol):
    """One connection (`client`); whatever it does, others and the node are not harmed."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self._owner = owner
        self._buffer = bytearray(_READ_SIZE)
        self._view = memoryview(self._buffer)
        self._out = bytearray()
        self._working = False
        self._held: _Held | None = None
        self._choked = False  # the client does not read its replies
        self._fed = 0  # bytes that came while nothing could be answered
        self._transport: asyncio.Transport | None = None
        self._limit: OutputLimit | None = None  # the one that is kept to
        self._alarm: asyncio.TimerHandle | None = None  # when a slow reader is looked at again
        self.session: Session | None = None
        self._requests = RequestReader()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP and TLS are no others
        self._transport = transport
        if not self._owner.opened(self):
            transport.write(_TOO_MANY)
            transport.close()
            return
        service, limits = self._owner.service, self._owner.limits
        self._requests = RequestReader(
            max_bulk_len=limits.max_bulk_len,
            max_request=limits.max_request,
            authenticated=service.users.open,
        )
        peer = transport.get_extra_info("peername") or ("", 0)
        local = transport.get_extra_info("sockname") or ("", 0)
        self.session = Session(
            service=service,
            client_id=service.next_client_id(),
            local_ip=str(local[0]),
            authenticated=service.users.open,
            address=f"{peer[0]}:{peer[1]}",
            local_address=f"{local[0]}:{local[1]}",
            outlet=self,
            by_tls=transport.get_extra_info("ssl_object") is not None,
        )
        service.sessions.add(self.session)
        self._keep_to(limits.of(self.session.output_class))
        if self._owner.frozen:
            transport.pause_reading()

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view  # TLS fills a slice of it, and one of a bytearray would be a copy

    @override
    def buffer_updated(self, nbytes: int) -> None:
        if self.session is None or self.session.closing:
            return
        self.session.heard_s = time.monotonic()
        self._requests.feed(self._buffer[:nbytes])
        if self._held is None and not self._choked:
            self._work()
        else:
            self._fed += nbytes
        self._read_or_not()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._alarm is not None:
            self._alarm.cancel()
        if self.session is not None:
            if exc is not None:
                _LOG.debug("client %d is gone: %s", self.session.client_id, exc)
            self.session.end()
            discard(self.session)
            self._owner.service.sessions.discard(self.session)
        self._owner.ended(self)

    @override
    @clause("CM-26")
    def pause_writing(self) -> None:
        """A client that does not read its replies is not read from either."""
        self._choked = True
        self._read_or_not()

    @override
    def resume_writing(self) -> None:
        self._choked = False
        self.go_on()

    # What commands use.

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read them."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """The bytes are on their way, behind the replies to earlier requests.

        A client that leaves too much unread is closed. Counterpart: `addReply`,
        `checkClientOutputBufferLimits`.
        """
        if self._working:
            self._out += data
            return
        if self._transport is None or self._transport.is_closing() or self.session is None:
            return
        self._transport.write(data)
        self._check_unsent(self.session)

    @clause("CM-70")
    def _check_unsent(self, session: Session) -> None:
        limit = self._owner.limits.of(session.output_class)
        if limit is not self._limit:
            self._keep_to(limit)
        if limit is NO_LIMIT:
            return
        loop = asyncio.get_running_loop()
        if limit.exceeded(self.unsent, session, loop.time()):
            _LOG.warning(
                "client %d at %s does not read: %d bytes wait for it, closed",
                session.client_id,
                session.address,
                self.unsent,
            )
            self.abort()
        elif session.slow_since is not None and self._alarm is None:
            due_s = session.slow_since + limit.soft_s + _LATER_S
            self._alarm = loop.call_at(due_s, self._look_again, session)

    def _look_again(self, session: Session) -> None:
        """A client that still does not read is closed, even if nothing is written to it."""
        self._alarm = None
        if self._transport is not None:
            self._check_unsent(session)

    def _keep_to(self, limit: OutputLimit) -> None:
        """Requests are answered until the limit is reached, however long that is."""
        self._limit = limit
        if self._transport is not None:
            most = max(self._owner.limits.max_unsent, limit.hard, limit.soft)
            self._transport.set_write_buffer_limits(high=most)

    def answer(self, data: bytes) -> None:
        """The request that was held is answered, and those behind it follow."""
        self.write(data)
        self._held = None
        asyncio.get_running_loop().call_soon(self.go_on)

    def abort(self) -> None:
        """The connection is gone, whatever is still under way on it."""
        if self._transport is not None:
            self._transport.abort()

    def go_on(self) -> None:
        """Requests that waited are answered, if they may be now."""
        if self._transport is None or self.session is None or self._owner.frozen:
            return
        if self.session.closing:
            self._flush(self.session)
            return
        held = self._held
        if held is not None and held.arguments is not None:
            self._held = None
            self._work(held.arguments)
        elif held is None:
            self._work()
        self._read_or_not()

    def freeze(self) -> None:
        """Nothing is read any more."""
        if self._transport is not None:
            self._transport.pause_reading()

    # Requests.

    def _read_or_not(self) -> None:
        """Reading goes on unless what was read already waits for something."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._held is None and not self._choked:
            self._fed = 0
        if self._choked or self._fed >= _READ_SIZE or self._owner.frozen:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    @clause("CM-24", "CM-25", "CM-26")
    def _work(self, first: list[bytes] | None = None) -> None:
        """Every complete request is answered; a mistake is answered too and ends the session.

        Counterpart: `processInputBuffer`.
        """
        session = self.session
        if self._working or self._choked or session is None or session.closing:
            return
        self._working = True
        try:
            if first is None or self._answer(session, first):
                for arguments in self._requests:
                    if not self._answer(session, arguments):
                        break
        except RespProtocolError as error:
            self._end_with(session, error)
        except OSError as error:
            _LOG.debug("client %d cannot be answered: %s", session.client_id, error)
            session.closing = True
        finally:
            self._working = False
            self._flush(session)

    def _answer(self, session: Session, arguments: list[bytes]) -> bool:
        """The request is answered; False if the one behind it has to wait."""
        if session.plain and (way := PLAIN.get(arguments[0])) is not None:
            data = way(session, arguments)
            if data is not None:
                self._out += data
                return len(self._out) < _FLUSH_SIZE or self._flushed(session)
        if session.importing is not None:
            session.closing = not session.importing.take(arguments)
            return not session.closing
        if self._waits_for_others(session, arguments):
            return False
        session.running = True
        reply = execute(session, arguments)
        session.running = False
        if session.waits:
            self._held = _Held()
            return False
        if isinstance(reply, Raw):
            self._out += reply.data
        elif session.replies or isinstance(reply, Push | Several):
            self._out += encode(reply, session.protocol)
        session.after_command()
        session.plain = is_plain(session)
        self._requests.authenticated = session.authenticated
        if session.pushed:
            self._out += session.pushed
            session.pushed.clear()
        if len(self._out) >= _FLUSH_SIZE:
            self._flush(session)
        return not (session.closing or self._choked)

    def _waits_for_others(self, session: Session, arguments: list[bytes]) -> bool:
        """Whether the request is held, until a pause or a move of keys is over."""
        pause, moves = session.node.writes, session.service.moves
        if pause.active and (pause.holds_all or writes(session, arguments)):
            self._held = _Held(arguments)
            pause.when_over(self.go_on)
            return True
        if moves.active and waits_for_keys(session, arguments):
            self._held = _Held(arguments)
            moves.when_over(self.go_on)
            return True
        return False

    def _flushed(self, session: Session) -> bool:
        """The replies so far are on their way; False if the client does not read them."""
        self._flush(session)
        return not self._choked

    def _end_with(self, session: Session, error: RespProtocolError) -> None:
        _LOG.warning("closed client %d at %s: %s", session.client_id, session.address, error.reason)
        session.closing = True
        if error.reply is not None:
            self._out += encode(error.reply, session.protocol)

    def _flush(self, session: Session) -> None:
        transport = self._transport
        if transport is None:
            return
        if self._out and not transport.is_closing():
            transport.write(bytes(self._out))
            self._check_unsent(session)
        self._out.clear()
        if session.closing and not self._working and not self._owner.frozen:
            transport.close()

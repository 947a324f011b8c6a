"""A port whose connections begin with TLS, or do not."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from reference.clauses import clause
from reference.runtime.listening import family_of
from reference.runtime.tls.settings import TlsError

log = logging.getLogger(__name__)

_BACKLOG: Final = 511
_HANDSHAKE_S: Final = 10.0
"""For how long a peer may be busy with it: only the one that is slow pays for it."""

_GOODBYE_S: Final = 2.0
"""How long an end of TLS waits for the other side's."""

_TRY_AGAIN_S: Final = 1.0
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


Place: TypeAlias = tuple[str, int]
"""An address and a port."""


def _bound(places: Sequence[Place]) -> dict[Place, socket.socket]:
    """Sockets that listen there; OSError, and there is none, if one cannot be had."""
    made: dict[Place, socket.socket] = {}
    with contextlib.ExitStack() as in_vain:
        for host, port in places:
            listener = socket.create_server((host, port), family=family_of(host), backlog=_BACKLOG)
            made[host, port] = in_vain.enter_context(listener)
            listener.setblocking(False)  # noqa: FBT003 - it has no name
        in_vain.pop_all()
    return made


class Listener:
    """It accepts connections, and gives those to a protocol that have come to speak TLS, if so."""

    def __init__(
        self,
        protocol: Callable[[], asyncio.BaseProtocol],
        context: Callable[[], ssl.SSLContext | None],
    ) -> None:
        """It does not listen; connections ask for the context, without which they have no TLS."""
        self._protocol = protocol
        self._context = context
        self._sockets: dict[Place, socket.socket] = {}
        self._greeted: dict[asyncio.Task[None], socket.socket] = {}
        self._paused = False

    def listen(self, hosts: Sequence[str], port: int) -> None:
        """Connections are accepted there, and nowhere else any more.

        OSError, and all is as before, if the port cannot be had. Nobody who dials is turned away in
        between, unless an address of before stands in the way of a new one. Counterpart:
        `changeListener`.
        """
        wanted = [(host, port) for host in hosts]
        missing = [place for place in wanted if place not in self._sockets]
        gone = [place for place in self._sockets if place not in wanted]
        rivals = [place for place in gone if place[1] == port]
        try:
            made = _bound(missing)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not rivals:
                raise
            made = self._bound_instead(missing, rivals)
        for place in gone:
            self._stop_at(place)
        self._sockets |= made
        self._read_or_not()

    def _bound_instead(
        self, missing: Sequence[Place], rivals: Sequence[Place]
    ) -> dict[Place, socket.socket]:
        """Those that could not be had beside the others; with OSError the others are back."""
        for place in rivals:
            self._stop_at(place)
        try:
            return _bound(missing)
        except OSError:
            self._sockets |= _bound(rivals)
            self._read_or_not()
            raise

    @property
    def port(self) -> int:
        """The port that is listened on, 0 if none is."""
        first = next(iter(self._sockets.values()), None)
        return 0 if first is None else int(first.getsockname()[1])

    def pause(self, *, paused: bool) -> None:
        """Nobody is accepted as long as it is paused; they wait."""
        self._paused = paused
        self._read_or_not()

    def stop(self) -> None:
        """Nobody is accepted any more."""
        for place in list(self._sockets):
            self._stop_at(place)

    def _stop_at(self, place: Place) -> None:
        listener = self._sockets.pop(place, None)
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    async def close(self) -> None:
        """Nobody is accepted any more, and those who were not through with TLS are gone."""
        self.stop()
        for task in self._greeted:
            task.cancel()
        while self._greeted:
            await asyncio.wait(self._greeted)
        await asyncio.sleep(0)  # a connection that was given up closes its socket a round later

    def _read_or_not(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._sockets.values():
            if self._paused:
                loop.remove_reader(listener)
            else:
                loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Whoever waits is accepted, as far as there is room."""
        loop = asyncio.get_running_loop()
        for _ in range(_BACKLOG):
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                log.warning("no connection can be accepted for a moment: %s", error)
                loop.remove_reader(listener)
                loop.call_later(_TRY_AGAIN_S, self._read_or_not)
                return
            connection.setblocking(False)  # noqa: FBT003 - it has no name
            task = loop.create_task(self._greet(connection))
            self._greeted[task] = connection
            task.add_done_callback(self._was_greeted)

    def _was_greeted(self, task: asyncio.Task[None]) -> None:
        """The connection is its protocol's; if it was given up, it is closed, begun with or not."""
        connection = self._greeted.pop(task)
        if task.cancelled():
            connection.close()

    def _manner(self) -> dict[str, Any]:
        """How a connection begins."""
        context = self._context()
        if context is None:
            return {}
        times = {"ssl_handshake_timeout": _HANDSHAKE_S, "ssl_shutdown_timeout": _GOODBYE_S}
        return {"ssl": context, **times}

    @clause("RT-62")
    async def _greet(self, connection: socket.socket) -> None:
        """The connection has become its protocol's, or is gone.

        Counterpart: `connTLSAccept`.
        """
        peer = ""
        with contextlib.suppress(OSError):
            peer = str(connection.getpeername())
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                **self._manner(),
            )
        except (OSError, TlsError) as error:
            log.info("Error accepting a connection of %s: %s", peer, error)
            connection.close()
        except Exception:
            connection.close()
            raise

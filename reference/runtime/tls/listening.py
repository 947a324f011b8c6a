"""A port on which every connection begins with TLS."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final

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


class TlsListener:
    """It accepts connections, and gives those to a protocol that have come to speak TLS."""

    def __init__(
        self,
        protocol: Callable[[], asyncio.BaseProtocol],
        context: Callable[[], ssl.SSLContext],
    ) -> None:
        """It does not listen; `context` is asked for at each connection."""
        self._protocol = protocol
        self._context = context
        self._sockets: list[socket.socket] = []
        self._greeted: set[asyncio.Task[None]] = set()
        self._paused = False

    def listen(self, hosts: Sequence[str], port: int) -> None:
        """Connections are accepted; OSError, and all is as before, if the port cannot be had."""
        with contextlib.ExitStack() as in_vain:
            made = [
                in_vain.enter_context(
                    socket.create_server((host, port), family=family_of(host), backlog=_BACKLOG)
                )
                for host in hosts
            ]
            in_vain.pop_all()
        self.stop()
        self._sockets = made
        for listener in made:
            listener.setblocking(False)  # noqa: FBT003 - it has no name
        self._read_or_not()

    @property
    def port(self) -> int:
        """The port that is listened on, 0 if none is."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    def pause(self, *, paused: bool) -> None:
        """Nobody is accepted as long as it is paused; they wait."""
        self._paused = paused
        self._read_or_not()

    def stop(self) -> None:
        """Nobody is accepted any more."""
        for listener in self._sockets:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        self._sockets = []

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
        for listener in self._sockets:
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
            self._greeted.add(task)
            task.add_done_callback(self._greeted.discard)

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
                ssl=self._context(),
                ssl_handshake_timeout=_HANDSHAKE_S,
                ssl_shutdown_timeout=_GOODBYE_S,
            )
        except (OSError, TlsError) as error:
            log.info("Error accepting a connection of %s: %s", peer, error)
            connection.close()
        except BaseException:
            connection.close()
            raise

"""The client port: who is connected to it, and what all of them may take."""

import asyncio
from collections.abc import Sequence

import attrs

from reference.clauses import clause
from reference.runtime.clients.session import Service
from reference.runtime.clients.view import NodeView
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.limits import Limits, configured_limits
from reference.runtime.listening import present
from reference.runtime.options import NodeOptions
from reference.runtime.serving.connection import Connection
from reference.runtime.tls.listening import Listener


@attrs.define
class _Configured:
    """The limits that some options say."""

    options: NodeOptions | None
    limits: Limits


class ClientServer:
    """A node's client port. Whatever a client does, other clients and the node are not harmed."""

    def __init__(self, node: NodeView, keyspace: Keyspace, limits: Limits | None = None) -> None:
        """Nobody is connected; the limits are those of the node's options if none are given."""
        self.service = Service(node=node, keyspace=keyspace)
        self.service.tell_events()
        self.service.moves.context = lambda: node.tls.for_bus(node.options)
        self.frozen = False
        self._fixed = limits
        self._configured = _Configured(None, Limits())
        self._open = Listener(lambda: Connection(self), lambda: None)
        self._secure = Listener(lambda: Connection(self), lambda: node.tls.contexts.clients)
        self.service.listen_at = self.listen_at
        self._connections: set[Connection] = set()
        self._ended = asyncio.Event()
        self._closed = False
        node.when_changed(self.service.follow_node)

    def start(self, hosts: str | Sequence[str], port: int) -> None:
        """Clients are served at these addresses; OSError if it cannot be bound."""
        self._open.listen([hosts] if isinstance(hosts, str) else hosts, port)

    @clause("RT-62")
    def start_tls(self, hosts: Sequence[str], port: int) -> None:
        """Clients are served with TLS at these addresses; OSError if it cannot be bound."""
        self._secure.listen(hosts, port)

    @clause("RT-36")
    def listen_at(self, options: NodeOptions) -> None:
        """New clients are served where these options say; OSError, and all is as before, if not.

        Counterpart: `updatePort`, `applyTLSPort`, `applyBind`.
        """
        before = self.service.node.options
        self._listen_at(self._open, options, options.port)
        try:
            self._listen_at(self._secure, options, options.tls_port)
        except OSError:
            self._listen_at(self._open, before, before.port)
            raise

    def _listen_at(self, listener: Listener, options: NodeOptions, port: int) -> None:
        listener.listen(present(options.addresses) if port else (), port)

    @property
    def port(self) -> int:
        """The port that is listened on without TLS, 0 if none is."""
        return self._open.port

    @property
    def limits(self) -> Limits:
        """What clients may ask of the node's memory."""
        if self._fixed is not None:
            return self._fixed
        options = self.service.node.options
        if self._configured.options is not options:
            self._configured = _Configured(options, configured_limits(options.kept))
        return self._configured.limits

    def unsent_bytes(self) -> int:
        """Bytes of replies that wait for clients to read them."""
        return sum(connection.unsent for connection in self._connections)

    def freeze(self) -> None:
        """No request is read or answered, as if the process were stopped."""
        self.frozen = True
        self._open.pause(paused=True)
        self._secure.pause(paused=True)
        for connection in self._connections:
            connection.freeze()

    def thaw(self) -> None:
        """What clients have sent in the meantime is answered."""
        self.frozen = False
        self._open.pause(paused=False)
        self._secure.pause(paused=False)
        for connection in list(self._connections):
            connection.go_on()

    async def close(self) -> None:
        """The port is free, every connection is closed, and nothing of them runs any more."""
        self._closed = self.frozen = True
        self.service.node.writes.end_all()
        await self.service.moves.close()
        await self.service.file.close()
        await self._open.close()
        await self._secure.close()
        for connection in list(self._connections):
            connection.abort()
        while self._connections:
            self._ended.clear()
            await self._ended.wait()

    # What connections tell.

    def opened(self, connection: Connection) -> bool:
        """It is counted; False if it must not stay."""
        self._connections.add(connection)
        self.service.stats.connections += 1
        if self._closed or len(self._connections) > self.limits.max_clients:
            self.service.stats.rejected += 1
            return False
        return True

    def ended(self, connection: Connection) -> None:
        """It is no more."""
        self._connections.discard(connection)
        self._ended.set()


async def serve_clients(
    node: NodeView,
    keyspace: Keyspace,
    hosts: str | Sequence[str],
    port: int,
    limits: Limits | None = None,
) -> ClientServer:
    """A server that accepts the node's clients at these addresses; OSError if one cannot be bound.

    With port 0 it only accepts those that come to another port, with TLS.
    """
    server = ClientServer(node, keyspace, limits)
    if port or not node.options.tls_port:
        server.start(hosts, port)
    server.service.file.look()
    return server

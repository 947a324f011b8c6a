"""The client port: connections, requests in, replies out."""

import asyncio
import contextlib
import logging
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.client_commands import execute, writes
from reference.runtime.client_replies import encode
from reference.runtime.client_session import Service, Session
from reference.runtime.client_transactions import discard
from reference.runtime.client_view import NodeView
from reference.runtime.keyspace import Keyspace
from reference.wire.resp import RequestReader, RespProtocolError

_LOG = logging.getLogger(__name__)

_READ_SIZE: Final = 16 * 1024
"""Bytes read at once; also bounds how long one client can hold up the others."""

_FLUSH_SIZE: Final = 64 * 1024
"""Bytes of replies that are gathered before they are written."""


@attrs.frozen(kw_only=True)
class Limits:
    """What clients may ask of the node's memory."""

    max_clients: int = 10_000
    max_request: int = 1024 * 1024 * 1024  # bytes of one unfinished request
    max_unsent: int = 1024 * 1024  # bytes of replies that wait for one client to read them


class ClientServer:
    """A node's client port. Whatever a client does, other clients and the node are not harmed."""

    def __init__(self, node: NodeView, keyspace: Keyspace, limits: Limits | None = None) -> None:
        self._service = Service(node=node, keyspace=keyspace)
        self._limits = limits or Limits()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._closed = False

    async def start(self, host: str, port: int) -> None:
        """Clients are served at this address; OSError if it cannot be bound."""
        self._server = await asyncio.start_server(self._serve, host, port, reuse_address=True)

    @property
    def port(self) -> int:
        """The port that is listened on, 0 if none is."""
        sockets = self._server.sockets if self._server is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    def unsent_bytes(self) -> int:
        """Bytes of replies that wait for clients to read them."""
        writers = self._connections.values()
        return sum(writer.transport.get_write_buffer_size() for writer in writers)

    async def close(self) -> None:
        """The port is free, every connection is closed, and nothing of them runs any more."""
        self._closed = True
        self._service.node.writes.end_all()
        if self._server is not None:
            self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        while self._connections:
            await asyncio.wait(self._connections)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if self._closed or task is None:
            writer.transport.abort()
            return
        self._connections[task] = writer
        session = Session(
            service=self._service,
            client_id=self._service.next_client_id(),
            local_ip=str((writer.get_extra_info("sockname") or [""])[0]),
        )
        self._service.sessions.add(session)
        try:
            await self._talk(session, reader, writer)
        except OSError as error:
            _LOG.debug("client %d is gone: %s", session.client_id, error)
        finally:
            discard(session)
            self._service.sessions.discard(session)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            del self._connections[task]

    @clause("CM-24", "CM-25", "CM-26")
    async def _talk(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Requests are answered in their order until the client leaves or must leave.

        A client that does not read its replies is not read from either. Counterpart:
        `readQueryFromClient`, `writeToClient`.
        """
        if len(self._service.sessions) > self._limits.max_clients:
            writer.write(b"-ERR max number of clients reached\r\n")
            return
        writer.transport.set_write_buffer_limits(high=self._limits.max_unsent)
        requests = RequestReader(max_request=self._limits.max_request)
        while not session.closing:
            data = await reader.read(_READ_SIZE)
            if not data:
                return
            requests.feed(data)
            await self._answer(session, requests, writer)

    async def _answer(
        self, session: Session, requests: RequestReader, writer: asyncio.StreamWriter
    ) -> None:
        """Every complete request is answered; a mistake is answered too and ends the session."""
        replies = bytearray()
        try:
            for arguments in requests:
                if self._must_wait(session, arguments):
                    writer.write(bytes(replies))
                    replies.clear()
                    await self._until_allowed(session, arguments)
                if self._closed:
                    return
                replies += encode(execute(session, arguments), session.protocol)
                if session.closing:
                    break
                if len(replies) >= _FLUSH_SIZE:
                    writer.write(bytes(replies))
                    replies.clear()
                    await writer.drain()
        except RespProtocolError as error:
            _LOG.warning(
                "closed client %d at %s: %s",
                session.client_id,
                writer.get_extra_info("peername"),
                error.reason,
            )
            session.closing = True
            if error.reply is not None:
                replies += encode(error.reply, session.protocol)
        writer.write(bytes(replies))
        await writer.drain()

    def _must_wait(self, session: Session, arguments: list[bytes]) -> bool:
        return self._service.node.writes.active and writes(session, arguments)

    @clause("CM-44")
    async def _until_allowed(self, session: Session, arguments: list[bytes]) -> None:
        """The request may be carried out: it does not write, or writes are not held back.

        Counterpart: `blockPostponeClient`.
        """
        while self._must_wait(session, arguments) and not self._closed:
            await self._service.node.writes.over()


async def serve_clients(
    node: NodeView, keyspace: Keyspace, host: str, port: int, limits: Limits | None = None
) -> ClientServer:
    """A server that accepts the node's clients at this address; OSError if it cannot be bound."""
    server = ClientServer(node, keyspace, limits)
    await server.start(host, port)
    return server

"""Nodes with TLS in this process, and what their clients are answered."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import attrs

from reference.runtime.host.cluster import formed_cluster
from reference.runtime.opening import listening_node
from reference.runtime.options import LOOPBACK, NodeOptions
from reference.wire.resp import ErrorReply, encode_reply
from tests.certificates import Authority
from tests.runtime.test_node import eventually, options_in
from tests.support import free_ports


def secure(directory: Path, authority: Authority, **directives: str) -> NodeOptions:
    """Options of a node that serves clients with TLS too, with these directives besides."""
    kept = {"tls-port": str(free_ports(1)[0]), **authority.directives()}
    kept |= {name.replace("_", "-"): value for name, value in directives.items()}
    return options_in(directory, kept=kept)


def all_secure(directory: Path, authority: Authority, **directives: str) -> NodeOptions:
    """Options of a node whose bus and data have TLS too."""
    options = secure(directory, authority, tls_cluster="yes", tls_replication="yes", **directives)
    return attrs.evolve(options, cport=options.tls_port + 10000)


async def ask(
    port: int, *words: str | bytes, tls: ssl.SSLContext | None = None, host: str = LOOPBACK
) -> Any:
    """The reply to one client's only request."""
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        return await request(reader, writer, *words)
    finally:
        writer.transport.abort()


async def request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str | bytes
) -> Any:
    """The reply to a request; an error is an answer too."""
    writer.write(encode_reply([word.encode() if isinstance(word, str) else word for word in words]))
    async with asyncio.timeout(10):
        return await reply(reader)


async def reply(reader: asyncio.StreamReader) -> Any:
    line = await reader.readuntil(b"\r\n")
    kind, text = line[:1], line[1:-2]
    if kind == b"*":
        return [await reply(reader) for _ in range(int(text))]
    if kind == b"$":
        return (await reader.readexactly(int(text) + 2))[:-2] if text != b"-1" else None
    if kind == b":":
        return int(text)
    return ErrorReply(text.decode()) if kind == b"-" else text


def run(*options: NodeOptions, masters: int, test: Callable[..., Awaitable[None]]) -> None:
    """The test, of a formed cluster whose nodes run in this process, and leave nothing behind."""

    async def main() -> None:
        async with contextlib.AsyncExitStack() as at_end:
            nodes = [
                await at_end.enter_async_context(listening_node(each, state))
                for each, state in formed_cluster(options, masters)
            ]
            for node in nodes:
                node.start()
            await eventually(lambda: all(node.cluster_ok for node in nodes), 30)
            await test(*nodes)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


async def failing(asked: Coroutine[Any, Any, Any]) -> str:
    """The text of the error that the reply is."""
    reply = await asked
    assert isinstance(reply, ErrorReply), reply
    return reply.text

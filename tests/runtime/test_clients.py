"""The client port: connections, pipelines, mistakes, slow readers, shutdown.

Clauses: CM-24, CM-25, CM-26, CM-44, CM-70.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from reference.runtime.clients.session import Service, Session
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.limits import (
    DEFAULT_OUTPUT_LIMITS,
    Limits,
    OutputClass,
    OutputLimit,
    output_limits,
)
from reference.runtime.serving.port import ClientServer, serve_clients
from tests.runtime.node_double import NodeDouble

HOST = "127.0.0.1"
Story = Callable[[ClientServer], Awaitable[None]]


@pytest.fixture
def keyspace() -> Iterator[Keyspace]:
    keyspace = Keyspace()
    yield keyspace
    keyspace.close()


def _run(keyspace: Keyspace, story: Story, limits: Limits | None = None) -> None:
    """The story, told against a server that is closed in the end."""

    async def told() -> None:
        server = await serve_clients(NodeDouble(), keyspace, HOST, 0, limits)
        try:
            async with asyncio.timeout(20):
                await story(server)
        finally:
            await server.close()

    asyncio.run(told())


async def _exchange(server: ClientServer, data: bytes) -> bytes:
    """Everything the server says to a client that sends this and then no more."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(data)
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"PING\r\n", b"+PONG\r\n"),
        (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
        (
            b"PING a\r\n*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\nPING\r\n",
            b"$1\r\na\r\n-MOVED 12182 127.0.0.1:7002\r\n+PONG\r\n",
        ),
        (b"SET bar 1\r\nGET bar\r\n", b"+OK\r\n$1\r\n1\r\n"),
        (b"PING\r\nQUIT\r\nPING\r\n", b"+PONG\r\n+OK\r\n"),
        (b"HELLO 3\r\nCONFIG GET save\r\nGET bar\r\n", b"%1\r\n$4\r\nsave\r\n$0\r\n\r\n_\r\n"),
        (b"\r\n\r\n", b""),
        (b"", b""),
    ],
)
def test_requests_are_answered_in_their_order(
    keyspace: Keyspace, data: bytes, reply: bytes
) -> None:
    async def story(server: ClientServer) -> None:
        answered = await _exchange(server, data)
        assert answered.endswith(reply)
        assert answered == reply or b"HELLO" in data

    _run(keyspace, story)


def test_request_may_come_byte_by_byte(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        for byte in b"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert await reader.readexactly(8) == b"$2\r\nhi\r\n"
        writer.close()
        await writer.wait_closed()

    _run(keyspace, story)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"PING\r\n*x\r\n", b"+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n+PING\r\n", b"-ERR Protocol error: expected '$', got '+'\r\n"),
        (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"PING 'a\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    ],
)
def test_mistake_in_the_protocol_ends_that_connection_alone(
    keyspace: Keyspace, data: bytes, reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: ClientServer) -> None:
        other_reader, other = await asyncio.open_connection(HOST, server.port)
        with caplog.at_level(logging.WARNING):
            assert await _exchange(server, data) == reply
        assert "Protocol error" in caplog.text
        other.write(b"PING\r\n")
        assert await other_reader.readline() == b"+PONG\r\n"
        other.close()
        await other.wait_closed()

    _run(keyspace, story)


def test_request_that_is_too_big_ends_the_connection(
    keyspace: Keyspace, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: ClientServer) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 50_000)
        with contextlib.suppress(ConnectionResetError):  # it closes before it has read it all
            await reader.read()
        writer.close()
        assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"

    _run(keyspace, story, Limits(max_request=10_000))

    assert "closed client 1" in caplog.text


def test_client_that_does_not_read_is_not_read_from(keyspace: Keyspace) -> None:
    value = b"x" * 100_000

    async def story(server: ClientServer) -> None:
        await _exchange(server, b"*3\r\n$3\r\nSET\r\n$3\r\nbar\r\n$100000\r\n" + value + b"\r\n")
        reader, writer = await asyncio.open_connection(HOST, server.port, limit=1024)
        writer.write(b"GET bar\r\n" * 300)
        assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"
        assert server.unsent_bytes() < 1_000_000
        for _ in range(300):
            assert await reader.readexactly(9) == b"$100000\r\n"
            assert len(await reader.readexactly(100_002)) == 100_002
        writer.close()
        await writer.wait_closed()

    _run(keyspace, story, Limits(max_unsent=100_000))


def test_client_that_leaves_too_much_unread_is_closed(
    keyspace: Keyspace, caplog: pytest.LogCaptureFixture
) -> None:
    value = b"x" * 20_000_000
    limits = Limits(output={OutputClass.NORMAL: OutputLimit(hard=1_000_000)})

    async def story(server: ClientServer) -> None:
        keyspace.execute([b"SET", b"bar", value])
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"GET bar\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert len(await reader.read()) < len(value)
        writer.close()
        assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"
        assert server.unsent_bytes() == 0

    _run(keyspace, story, limits)

    assert "does not read" in caplog.text


def test_soft_limit_counts_from_its_crossing_on() -> None:
    limit = OutputLimit(hard=100, soft=10, soft_s=5)
    session = Session(service=Service(node=NodeDouble(), keyspace=Keyspace()), client_id=1)

    assert [limit.exceeded(unsent, session, now) for unsent, now in (
        (99, 1.0), (10, 6.0), (9, 7.0), (10, 8.0), (10, 13.0), (10, 13.1), (100, 14.0), (100, 0.0)
    )] == [False, False, False, False, False, True, True, True]  # fmt: skip


@pytest.mark.parametrize("text", ["pubsub 1mb 2", "nobody 1 1 1", "normal x 0 0", "normal 1 1 x"])
def test_output_limits_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        output_limits(text)


def test_output_limits_are_read_by_class() -> None:
    read = output_limits("pubsub 1mb 2k 3 replica 4 5 6")

    assert read[OutputClass.PUBSUB] == OutputLimit(hard=1 << 20, soft=2000, soft_s=3)
    assert read[OutputClass.REPLICA] == OutputLimit(hard=4, soft=5, soft_s=6)
    assert read[OutputClass.NORMAL] == DEFAULT_OUTPUT_LIMITS[OutputClass.NORMAL]


def test_one_client_too_many_is_told_so(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"PING\r\n")
        assert await reader.readline() == b"+PONG\r\n"
        assert await _exchange(server, b"") == b"-ERR max number of clients reached\r\n"
        writer.close()
        await writer.wait_closed()

    _run(keyspace, story, Limits(max_clients=1))


def test_clients_that_vanish_leave_nothing_behind(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        _, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"PING\r\n" * 1000)
        writer.transport.abort()
        answer = b""
        while b"connected_clients:1\r\n" not in answer:
            answer = await _exchange(server, b"INFO clients\r\n")

    _run(keyspace, story)


def test_close_ends_every_connection_and_frees_the_port(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"PING\r\n")
        assert await reader.readline() == b"+PONG\r\n"
        port = server.port
        await server.close()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)
        again = await serve_clients(NodeDouble(), keyspace, HOST, port)
        await again.close()

    _run(keyspace, story)


def test_busy_port_is_refused(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        second = ClientServer(NodeDouble(), keyspace)
        with pytest.raises(OSError, match=str(server.port)):
            second.start(HOST, server.port)
        assert second.port == 0
        await second.close()

    _run(keyspace, story)


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_speaks_with_it(keyspace: Keyspace, protocol: int) -> None:
    async def story(server: ClientServer) -> None:
        client = Redis(host=HOST, port=server.port, protocol=protocol, decode_responses=True)
        try:
            assert await client.set("bar", "1")
            assert await client.get("bar") == "1"
            await client.hset("{bar}h", mapping={"f": "1"})
            assert await client.hgetall("{bar}h") == {"f": "1"}
            await client.sadd("{bar}s", "m")
            assert set(await client.smembers("{bar}s")) == {"m"}
            await client.zadd("{bar}z", {"m": 1.5})
            assert await client.zscore("{bar}z", "m") == 1.5
            assert (await client.command())["get"]["arity"] == 2
            assert (await client.info())["redis_version"] == "7.0.15"
            ask: Any = client.execute_command
            assert (await ask("CLUSTER INFO"))["cluster_state"] == "ok"
            assert len(await ask("CLUSTER NODES")) == 4
            assert (await client.config_get("save")) == {"save": ""}
            with pytest.raises(redis.ResponseError, match="version or checksum are wrong"):
                await ask("FUNCTION", "RESTORE", b"")
        finally:
            await client.aclose()

    _run(keyspace, story)


def test_clients_that_write_wait_while_writes_are_held_back(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        pause = server.service.node.writes
        pause.begin(60_000)
        reader, writer = await asyncio.open_connection(HOST, server.port)
        other_reader, other = await asyncio.open_connection(HOST, server.port)
        writer.write(b"GET bar\r\nSET bar 1\r\nGET bar\r\n")
        assert await reader.readline() == b"$-1\r\n"
        other.write(b"GET bar\r\n")
        assert await other_reader.readline() == b"$-1\r\n"

        pause.end()

        assert await reader.readexactly(len(b"+OK\r\n$1\r\n1\r\n")) == b"+OK\r\n$1\r\n1\r\n"
        for each in (writer, other):
            each.close()
            await each.wait_closed()

    _run(keyspace, story)


def test_a_server_can_end_while_clients_wait_to_write(keyspace: Keyspace) -> None:
    async def story(server: ClientServer) -> None:
        server.service.node.writes.begin(60_000)
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"PING\r\nSET bar 1\r\n")
        assert await reader.readline() == b"+PONG\r\n"

        await server.close()

        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    _run(keyspace, story)
    assert len(keyspace) == 0

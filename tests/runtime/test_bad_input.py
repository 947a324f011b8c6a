"""What clients and strangers may send: a clear error or a closed link, and no harm to others.

Clauses: CM-25, CM-26, CM-70, RT-6, RT-44.
"""

import asyncio
import contextlib
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.core.types import NodeId
from reference.runtime.clients.channels import Kind
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.limits import Limits, OutputClass, OutputLimit
from reference.runtime.options import NodeOptions
from reference.runtime.serving.port import ClientServer, serve_clients
from reference.wire.bus import FailMessage, PublishMessage, encode
from reference.wire.bus_header import BusHeader, LightHeader, NodeFlag
from reference.wire.resp import encode_reply
from tests.property.fuzz_rdb import damaged
from tests.rdb_samples import SAMPLES, payload
from tests.runtime.node_double import NodeDouble
from tests.support import LOOPBACK, free_ports

Story = Callable[[ClientServer], Awaitable[None]]


def _run(story: Story, limits: Limits | None = None) -> None:
    async def told() -> None:
        keyspace = Keyspace()
        server = await serve_clients(NodeDouble(), keyspace, LOOPBACK, 0, limits)
        try:
            async with asyncio.timeout(60):
                await story(server)
                assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"  # all is well
        finally:
            await server.close()
            keyspace.close()

    asyncio.run(told())


@contextlib.asynccontextmanager
async def _dialled(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is gone after the block."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1024)
    try:
        yield reader, writer
    finally:
        await _end(writer)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def _exchange(server: ClientServer, data: bytes) -> bytes:
    async with _dialled(server.port) as (reader, writer):
        writer.write(data)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
    return b"<reset>"


async def _until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - the condition is anything
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"*2147483648\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*99999999999999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n$536870913\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*1\r\n$99999999999999999999\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
        (b"*" + b"1" * 70_000, b"-ERR Protocol error: too big mbulk count string\r\n"),
        (b"*1\r\n$" + b"1" * 70_000, b"-ERR Protocol error: too big bulk count string\r\n"),
        (b"x" * 70_000, b"-ERR Protocol error: too big inline request\r\n"),
        (b"\x00\xff\r\n", b"-ERR unknown command '\x00\xff', with args beginning with: \r\n"),
        (b"POST / HTTP/1.1\r\n", b"-ERR unknown command 'POST'"),
    ],
)
def test_headers_that_promise_too_much_are_refused(data: bytes, reply: bytes) -> None:
    async def story(server: ClientServer) -> None:
        assert (await _exchange(server, data)).startswith(reply)

    _run(story)


def test_promises_take_no_memory() -> None:
    """What a header announces is not allocated before it comes."""

    async def story(server: ClientServer) -> None:
        writers = []
        tracemalloc.start()
        try:
            for _ in range(50):
                _, writer = await asyncio.open_connection(LOOPBACK, server.port)
                writer.write(b"*1000000\r\n$4\r\nMGET\r\n$500000000\r\nx")
                writers.append(writer)
            await _until(lambda: len(server.service.sessions) == 50)
            assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20_000_000
        for writer in writers:
            await _end(writer)
        await _until(lambda: not server.service.sessions)

    _run(story)


def test_a_request_that_grows_without_end_is_cut_off() -> None:
    async def story(server: ClientServer) -> None:
        async with _dialled(server.port) as (reader, writer):
            writer.write(b"*1000000\r\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(100_000):
                    writer.write(b"$10\r\n0123456789\r\n")
                    await writer.drain()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""

    _run(story, Limits(max_request=1_000_000))


def test_damaged_payloads_harm_nobody() -> None:
    """Their checksum is right, so that the damage is reached; some promise what never comes."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    bodies = [bytes((sample.kind,)) + sample.body for sample in SAMPLES]
    endless = [bytes((kind,)) + b"\x81" + (1 << 40).to_bytes(8) for kind in (0, 1, 2, 4, 5, 14, 18)]
    broken = [payload(damaged(chance.choice(bodies), chance)) for _ in range(300)]
    broken += [payload(body) for body in endless]

    async def story(server: ClientServer) -> None:
        replies: Counter[bytes] = Counter()
        async with _dialled(server.port) as bad, _dialled(server.port) as good:
            tracemalloc.start()
            try:
                for number, each in enumerate(broken):
                    bad[1].write(encode_reply([b"RESTORE", b"bar", b"0", each, b"REPLACE"]))
                    good[1].write(b"SET {bar}x %d\r\nGET {bar}x\r\n" % number)
                    replies[await bad[0].readline()] += 1
                    text = b"%d" % number
                    whole = b"+OK\r\n$%d\r\n%s\r\n" % (len(text), text)
                    assert await good[0].readexactly(len(whole)) == whole
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        refused = replies.pop(b"-ERR Bad data format\r\n")
        assert refused > len(broken) // 2
        assert replies.keys() <= {b"+OK\r\n"}
        assert peak < 20_000_000

    _run(story)


@pytest.mark.timeout(60)
def test_no_pattern_takes_for_ever() -> None:
    pattern, name = b"*a" * 100 + b"b", b"{bar}" + b"a" * 2000
    requests: list[list[Any]] = [
        *([b"SET", name, b"1"], [b"HSET", b"bar", name, b"1"]),
        *([b"KEYS", pattern], [b"SCAN", b"0", b"COUNT", b"9", b"match", pattern]),
        *([b"HSCAN", b"bar", b"0", b"MATCH", pattern], [b"PSUBSCRIBE", pattern]),
    ]

    async def story(server: ClientServer) -> None:
        data = b"".join(encode_reply(request) for request in requests)
        replies = await _exchange(server, data)
        nothing = b"*2\r\n$1\r\n0\r\n*0\r\n"
        assert replies.startswith(b"+OK\r\n:1\r\n*0\r\n" + nothing * 2 + b"*3\r\n")
        assert await _exchange(server, b"PUBLISH %b x\r\n" % name) == b":0\r\n"

    _run(story)


def test_half_requests_hold_up_nobody() -> None:
    async def story(server: ClientServer) -> None:
        halves = [b"*", b"*2\r\n$4", b"*2\r\n$4\r\nEC", b"*2\r\n$4\r\nECHO\r\n$2\r\nh", b"PIN"]
        writers = []
        for half in halves:
            _, writer = await asyncio.open_connection(LOOPBACK, server.port)
            writer.write(half)
            writers.append(writer)
        assert await _exchange(server, b"PING\r\n") == b"+PONG\r\n"
        for writer in writers:
            await _end(writer)
        await _until(lambda: not server.service.sessions)

    _run(story)


def test_a_thousand_connections_come_and_go() -> None:
    async def story(server: ClientServer) -> None:
        for number in range(1000):
            _, writer = await asyncio.open_connection(LOOPBACK, server.port)
            if number % 3:
                writer.write(b"SUBSCRIBE a\r\n" if number % 2 else b"BLPOP bar 0\r\n")
            await _end(writer)
        await _until(lambda: not server.service.sessions)
        assert len(server.service.waits) == 0
        assert await _exchange(server, b"PUBLISH a x\r\n") == b":0\r\n"

    _run(story)


def test_a_subscriber_that_does_not_read_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(output={
        OutputClass.NORMAL: OutputLimit(), OutputClass.PUBSUB: OutputLimit(hard=1_000_000)
    })  # fmt: skip
    message = b"x" * 100_000

    async def story(server: ClientServer) -> None:
        _, writer = await asyncio.open_connection(LOOPBACK, server.port, limit=1024)
        writer.write(b"SUBSCRIBE a\r\n")
        await _until(lambda: server.service.channels.listener_count(Kind.CHANNEL, b"a") == 1)
        heard: list[bytes] = []
        for _ in range(200):
            said = b"*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(message), message)
            heard.append(await _exchange(server, said))
            assert server.unsent_bytes() < 1_200_000
        assert heard[0] == b":1\r\n"
        assert heard[-1] == b":0\r\n"
        await _end(writer)

    _run(story, limits)
    assert "does not read" in caplog.text


_LARGE, _TIMES = b"v" * 262_144, 400


@contextlib.asynccontextmanager
async def _one_that_does_not_read(server: ClientServer) -> AsyncIterator[asyncio.StreamReader]:
    """It has asked for a large value many times."""
    stored = b"*3\r\n$3\r\nSET\r\n$3\r\nbar\r\n$%d\r\n%b\r\n" % (len(_LARGE), _LARGE)
    assert await _exchange(server, stored) == b"+OK\r\n"
    async with _dialled(server.port) as (reader, writer):
        writer.write(b"GET bar\r\n" * _TIMES)
        yield reader


def test_who_does_not_read_is_not_read_from_and_loses_nothing() -> None:
    async def story(server: ClientServer) -> None:
        tracemalloc.start()
        try:
            async with _one_that_does_not_read(server) as reader:
                await _until(lambda: server.unsent_bytes() > len(_LARGE))
                for number in range(100):
                    assert await _exchange(server, b"SET {bar}x %d\r\n" % number) == b"+OK\r\n"
                    assert server.unsent_bytes() < 2_000_000
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                for _ in range(_TIMES):
                    assert await reader.readline() == b"$%d\r\n" % len(_LARGE)
                    assert await reader.readexactly(len(_LARGE) + 2) == _LARGE + b"\r\n"
        finally:
            tracemalloc.stop()
        assert peak < 20_000_000

    _run(story)


@pytest.mark.parametrize(
    "limit",
    [
        OutputLimit(hard=500_000),
        OutputLimit(hard=8_000_000),
        OutputLimit(soft=500_000, soft_s=0),
        OutputLimit(soft=8_000_000, soft_s=1),
    ],
    ids=str,
)
def test_who_does_not_read_is_closed_at_its_limit(
    limit: OutputLimit, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: ClientServer) -> None:
        async with _one_that_does_not_read(server):
            await _until(lambda: not server.service.sessions)

    _run(story, Limits(output={OutputClass.NORMAL: limit}))
    assert "does not read" in caplog.text


def _stranger(header: BusHeader | LightHeader) -> list[bytes]:
    """What somebody who is in nobody's table may say."""
    full = header if isinstance(header, BusHeader) else None
    frames = [encode(PublishMessage(header=header, channel=b"a", message=b"forged"))]
    if full is not None:
        frames.append(encode(FailMessage(header=full, nodename=NodeId("f" * 40))))
    return frames


def _options(port: int, directory: Path) -> NodeOptions:
    return NodeOptions(
        port=port,
        cport=port + 10000,
        node_timeout_ms=60_000,
        cluster_config_file=f"nodes-{port}.conf",
        directory=directory,
        writable_delay_ms=0,
    )


@pytest.mark.parametrize("light", [False, True])
def test_forged_messages_of_the_bus_change_nothing(
    tmp_path: Path,
    light: bool,  # noqa: FBT001 - of the table above
    caplog: pytest.LogCaptureFixture,
) -> None:
    ports = free_ports(3)
    options = [_options(port, tmp_path) for port in ports]
    header = BusHeader(
        sender=NodeId("f" * 40), current_epoch=2**63, config_epoch=2**63, port=1, cport=2,
        flags=NodeFlag.MASTER,
    )  # fmt: skip
    forged: Any = LightHeader() if light else header

    async def told() -> None:
        async with ClusterHost() as host, asyncio.timeout(30):
            await host.start(formed_cluster(options, 3))
            node = host.running[0]
            assert node.clients is not None
            heard: list[Any] = []
            listener: Any = type("Listener", (), {"send": lambda _, reply: heard.append(reply)})()
            node.clients.service.channels.begin(listener, Kind.CHANNEL, b"a")
            before = attrs.evolve(node.state)
            sent = node.messages_received
            for frame in _stranger(forged):
                before_count = sum(sent.values())
                async with _dialled(ports[0] + 10000) as (_, writer):
                    writer.write(frame)
                    await _until(lambda: sum(sent.values()) > before_count)  # noqa: B023
            for data in (b"GET / HTTP/1.1\r\n" * 200, b"RCmb\x80" + b"\x00" * 99):
                async with _dialled(ports[0] + 10000) as (reader, writer):
                    writer.write(data)
                    with contextlib.suppress(ConnectionError):
                        assert await reader.read() == b""  # it is closed
            assert not heard
            assert node.state.current_epoch == before.current_epoch
            assert {n.node_id for n in node.state.nodes} == {n.node_id for n in before.nodes}
            assert node.state.myself == before.myself
            assert node.cluster_ok

    with caplog.at_level(logging.INFO):
        asyncio.run(told())
    assert "closing the inbound link" in caplog.text

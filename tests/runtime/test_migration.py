"""DUMP, RESTORE and MIGRATE: payloads, damage, and a target that answers, refuses or dies.

Clauses: CM-61, CM-62, RB-12.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.runtime.clients.session import Service, Session
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.serving.port import ClientServer, serve_clients
from reference.wire.rdb import RdbKey
from reference.wire.rdb_crc64 import crc64
from reference.wire.rdb_dump import format_dump, parse_dump
from reference.wire.rdb_values import RdbHash, RdbString
from reference.wire.resp import OK, ErrorReply, RequestReader, SimpleString, encode_reply
from tests.rdb_samples import STREAM
from tests.runtime.node_double import NodeDouble

HOST = "127.0.0.1"
FOREVER = b"4102444800000"
DATA = (
    b"SET bar text", b"RPUSH {bar}l a b c", b"SADD {bar}s 1 2 x", b"HSET {bar}h f v g w",
    b"ZADD {bar}z 1.5 a inf b", b"XADD {bar}x 5-1 f v", b"SET {bar}n 12345",
)  # fmt: skip


@pytest.fixture
def session() -> Iterator[Session]:
    keyspace = Keyspace()
    service = Service(node=NodeDouble(), keyspace=keyspace)
    yield Session(service=service, client_id=1)
    keyspace.close()


def told(session: Session) -> list[list[bytes]]:
    """What replicas are told from now on."""
    effects: list[list[bytes]] = []
    session.service.keyspace.listener = effects.extend
    return effects


@pytest.mark.parametrize("line", DATA)
def test_dumped_key_is_restored(session: Session, line: bytes) -> None:
    execute(session, line.split())
    key = line.split()[1]
    keyspace = session.service.keyspace
    before = keyspace.entry(key)
    payload = execute(session, [b"DUMP", key])
    assert isinstance(payload, bytes)
    effects = told(session)

    assert execute(session, [b"RESTORE", key, b"0", payload]) == ErrorReply(
        "BUSYKEY Target key name already exists."
    )
    execute(session, [b"DEL", key])
    assert execute(session, [b"RESTORE", key, b"0", payload]) == OK

    assert keyspace.entry(key) == before
    assert effects[-1] == [b"RESTORE", key, b"0", payload, b"REPLACE", b"ABSTTL"]
    assert execute(session, [b"DUMP", b"{bar}none"]) is None


def test_stream_keeps_its_groups(session: Session) -> None:
    keyspace = session.service.keyspace

    assert execute(session, [b"RESTORE", b"bar", b"0", format_dump(STREAM, 80)]) == OK

    entry = keyspace.entry(b"bar")
    assert entry is not None
    assert entry.value == STREAM


def test_restored_key_ends_when_it_is_told_to(session: Session) -> None:
    payload = format_dump(RdbString(b"v"))
    keyspace = session.service.keyspace

    assert execute(session, [b"RESTORE", b"bar", FOREVER, payload, b"ABSTTL"]) == OK
    entry = keyspace.entry(b"bar")
    assert entry is not None
    assert entry.expires_at_ms == int(FOREVER)

    now = time.time_ns() // 1_000_000
    assert execute(session, [b"RESTORE", b"bar", b"50000", payload, b"REPLACE"]) == OK
    entry = keyspace.entry(b"bar")
    assert entry is not None
    assert entry.expires_at_ms is not None
    assert entry.expires_at_ms >= now + 50000

    effects = told(session)
    assert execute(session, [b"RESTORE", b"bar", b"1", payload, b"REPLACE", b"ABSTTL"]) == OK
    assert keyspace.entry(b"bar") is None
    assert effects == [[b"DEL", b"bar"]]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([b"-1", b"p"], "ERR Invalid TTL value, must be >= 0"),
        ([b"x", b"p"], "ERR value is not an integer or out of range"),
        ([b"0", b"payload"], "ERR DUMP payload version or checksum are wrong"),
        ([b"0", b""], "ERR DUMP payload version or checksum are wrong"),
        ([b"0", b"p", b"NONSENSE"], "ERR syntax error"),
        ([b"0", b"p", b"IDLETIME"], "ERR syntax error"),
        ([b"0", b"p", b"IDLETIME", b"-1"], "ERR Invalid IDLETIME value, must be >= 0"),
        ([b"0", b"p", b"FREQ", b"256"], "ERR Invalid FREQ value, must be >= 0 and <= 255"),
    ],
)
def test_bad_restore_is_refused(session: Session, words: list[bytes], error: str) -> None:
    assert execute(session, [b"RESTORE", b"bar", *words]) == ErrorReply(error)
    assert len(session.service.keyspace) == 0


def test_idletime_and_freq_are_read(session: Session) -> None:
    payload = format_dump(RdbString(b"v"))
    words = [b"RESTORE", b"bar", b"0", payload, b"IDLETIME", b"7", b"FREQ", b"9", b"REPLACE"]
    assert execute(session, words) == OK


@given(st.data())
def test_damaged_payload_changes_nothing(data: st.DataObject) -> None:
    keyspace = Keyspace()
    session = Session(service=Service(node=NodeDouble(), keyspace=keyspace), client_id=1)
    execute(session, [b"SET", b"bar", b"old"])
    payload = bytearray(format_dump(RdbHash(((b"f", b"v" * 30), (b"g", b"w")))))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))

    reply = execute(session, [b"RESTORE", b"bar", b"0", bytes(payload), b"REPLACE"])

    assert reply == ErrorReply("ERR DUMP payload version or checksum are wrong")
    assert keyspace.execute([b"GET", b"bar"]) == b"old"
    keyspace.close()


def test_payload_that_is_whole_and_makes_no_sense_is_refused(session: Session) -> None:
    payload = b"\x01\x85" + b"\x0a\x00"  # a list of 5 elements, none of which follows
    whole = payload + crc64(payload).to_bytes(8, "little")

    reply = execute(session, [b"RESTORE", b"bar", b"0", whole])

    assert reply == ErrorReply("ERR Bad data format")
    assert len(session.service.keyspace) == 0


class Target:
    """A node that keys are sent to: what it got, and what it answers to each RESTORE."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.got: list[list[bytes]] = []
        self.links = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One link; an empty answer closes it."""
        self.links += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        requests = RequestReader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                requests.feed(data)
                for request in requests:
                    self.got.append(request)
                    await self.may_answer.wait()
                    restores = request[0] == b"RESTORE-ASKING"
                    answer = self.answers.pop(0) if restores and self.answers else b"+OK\r\n"
                    if not answer:
                        writer.transport.abort()
                        return
                    writer.write(answer)
        writer.transport.abort()


Story = Callable[[ClientServer, Target, int, Keyspace], Awaitable[None]]


def tell(target_answers: Sequence[bytes], story: Story) -> None:
    """The story, with a node that has some keys, and a target."""

    async def main() -> None:
        keyspace = Keyspace()
        for line in DATA:
            keyspace.execute(line.split())
        target = Target(*target_answers)
        server = await asyncio.start_server(target.serve, HOST, 0)
        node = await serve_clients(NodeDouble(), keyspace, HOST, 0)
        try:
            async with asyncio.timeout(20):
                port = int(server.sockets[0].getsockname()[1])
                await story(node, target, port, keyspace)
        finally:
            await node.close()
            server.close()
            if target.tasks:
                await asyncio.wait(target.tasks)
            keyspace.close()

    asyncio.run(main())


async def ask(server: ClientServer, *requests: Sequence[bytes]) -> list[bytes]:
    """The first line of the reply to each of the requests of one client."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(b"".join(encode_reply(request) for request in requests))
    lines = [(await reader.readline()).strip() for _ in requests]
    writer.close()
    await writer.wait_closed()
    return lines


def migrate(port: int, *words: bytes, key: bytes = b"bar", timeout: bytes = b"5000") -> list[bytes]:
    return [b"MIGRATE", HOST.encode(), b"%d" % port, key, b"0", timeout, *words]


def test_migrated_keys_are_there_and_not_here() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        keyspace.execute([b"PEXPIREAT", b"{bar}s", FOREVER])
        keys = [line.split()[1] for line in DATA]
        entries = {key: keyspace.entry(key) for key in keys}
        words = (b"REPLACE", b"AUTH2", b"user", b"pass", b"KEYS", *keys, b"{bar}none")

        assert await ask(node, migrate(port, *words, key=b"")) == [b"+OK"]

        assert len(keyspace) == 0
        assert target.got[:2] == [[b"AUTH", b"user", b"pass"], [b"SELECT", b"0"]]
        assert [request[1] for request in target.got[2:]] == keys
        for name, key, ttl, payload, *rest in target.got[2:]:
            entry = entries[key]
            assert entry is not None
            assert name == b"RESTORE-ASKING"
            assert RdbKey(key=key, value=parse_dump(payload)).value == entry.value
            assert (int(ttl) > 0) == (entry.expires_at_ms is not None)
            assert rest == [b"REPLACE"]

    tell((), story)


def test_refused_key_stays() -> None:
    async def story(node: ClientServer, _: Target, port: int, keyspace: Keyspace) -> None:
        words = (b"KEYS", b"bar", b"{bar}l", b"{bar}s")
        [line] = await ask(node, migrate(port, *words, key=b""))

        busy = "BUSYKEY Target key name already exists."
        assert line.decode() == f"-ERR Target instance replied with error: {busy}"
        assert keyspace.missing([b"bar", b"{bar}l", b"{bar}s"]) == 2
        assert keyspace.missing([b"{bar}l"]) == 0

    tell((b"+OK\r\n", b"-BUSYKEY Target key name already exists.\r\n", b"+OK\r\n"), story)


def test_target_that_dies_has_what_it_confirmed_and_no_more() -> None:
    async def story(node: ClientServer, _: Target, port: int, keyspace: Keyspace) -> None:
        words = (b"KEYS", b"bar", b"{bar}l", b"{bar}s")
        [line] = await ask(node, migrate(port, *words, key=b""))

        assert line.startswith(b"-IOERR")
        assert keyspace.missing([b"bar"]) == 1
        assert keyspace.missing([b"{bar}l", b"{bar}s"]) == 0

    tell((b"+OK\r\n", b""), story)


def test_copied_key_stays_and_a_missing_one_is_no_key() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        lines = await ask(
            node,
            migrate(port, b"COPY"),
            migrate(port, key=b"{bar}none"),
            migrate(port, b"KEYS", b"{bar}l"),
            migrate(port, b"NONSENSE"),
        )

        assert lines[:2] == [b"+OK", b"+NOKEY"]
        assert lines[2].startswith(b"-ERR When using MIGRATE KEYS option")
        assert lines[3] == b"-ERR syntax error"
        assert keyspace.missing([b"bar"]) == 0
        assert target.links == 1

    tell((), story)


def test_nobody_at_the_port_is_an_error() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        del target, port
        lines = await ask(node, migrate(1))

        assert lines == [b"-IOERR error or timeout connecting to the client"]
        assert keyspace.missing([b"bar"]) == 0

    tell((), story)


def test_silent_target_is_not_waited_for_longer_than_the_timeout() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        target.may_answer.clear()
        [line] = await ask(node, migrate(port, timeout=b"20"))

        assert line.startswith(b"-IOERR")
        assert keyspace.missing([b"bar"]) == 0
        target.may_answer.set()

    tell((), story)


def test_kept_link_that_has_died_is_tried_once_more() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        assert await ask(node, migrate(port)) == [b"+OK"]
        assert await ask(node, migrate(port, key=b"{bar}l")) == [b"+OK"]
        assert target.links == 2
        assert keyspace.missing([b"bar", b"{bar}l"]) == 2

    tell((b"+OK\r\n", b"", b"+OK\r\n"), story)


def test_requests_for_keys_on_their_way_wait() -> None:
    async def story(node: ClientServer, target: Target, port: int, keyspace: Keyspace) -> None:
        target.may_answer.clear()
        moving = asyncio.create_task(ask(node, migrate(port)))
        while not target.got:  # noqa: ASYNC110 - a script has no event for it
            await asyncio.sleep(0)
        write = asyncio.create_task(ask(node, [b"APPEND", b"bar", b"x"]))
        flush = asyncio.create_task(ask(node, [b"FLUSHALL"]))

        assert await ask(node, [b"APPEND", b"{bar}n", b"6"], [b"PING"]) == [b":6", b"+PONG"]
        assert not write.done()
        assert not flush.done()
        assert keyspace.execute([b"GET", b"bar"]) == b"text"
        target.may_answer.set()

        assert await moving == [b"+OK"]
        assert await write == [b":1"]  # a new key: the old one has gone with all that it had
        assert await flush == [b"+OK"]

    tell((), story)


def test_migrate_in_a_transaction_is_refused(session: Session) -> None:
    execute(session, [b"SET", b"bar", b"v"])
    assert execute(session, [b"MULTI"]) == OK
    assert execute(session, migrate(1)) == SimpleString("QUEUED")

    assert execute(session, [b"EXEC"]) == [
        ErrorReply("ERR MIGRATE is not served inside a transaction")
    ]

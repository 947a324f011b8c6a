"""A master and replicas that are scripts: from where they go on, what they get, who is dropped.

Clauses: RE-11, RE-14, RE-15, RE-16, RE-17, RE-18, RE-19, RE-20, RE-21, RE-22, CM-60.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.nodes import ClusterNode
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, new_node
from reference.core.types import Address, NodeId, Role, ShardId
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.node import Node
from reference.runtime.opening import running_node
from reference.runtime.options import LOOPBACK, NodeOptions, bus_port
from reference.runtime.replication import feed as replication_feed
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.feed import FeedState
from reference.runtime.replication.snapshot import Snapshot
from reference.wire.rdb import RdbDecoder, RdbEntry, RdbKey
from reference.wire.rdb_values import RdbString
from reference.wire.resp import encode_reply
from tests.support import free_ports

MASTER: Final = NodeId("a" * 40)
REPLICA: Final = NodeId("b" * 40)
SHARD: Final = ShardId("5" * 40)


def command(*words: str) -> bytes:
    return encode_reply([word.encode() for word in words])


class Link:
    """A client of the node, or a replica as a script."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *words: str) -> str:
        """The first line of the reply."""
        self.writer.write(command(*words))
        return await self.line()

    async def line(self) -> str:
        """The next line that says something."""
        while True:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError
            if line.strip():
                return line.strip().decode()

    async def sync(self, replid: str = "?", first: int = -1, *, eof: bool = True) -> str:
        """The answer to PSYNC of a replica that has said what it can."""
        await self.ask("REPLCONF", "listening-port", "7999", "capa", "psync2")
        if eof:
            await self.ask("REPLCONF", "capa", "eof")
        return await self.ask("PSYNC", replid, str(first))

    async def file(self) -> dict[bytes, bytes]:
        """The strings of the file that comes now."""
        head = await self.line()
        mark = head[5:].encode() if head.startswith("$EOF:") else b""
        decoder, found = RdbDecoder(), list[RdbEntry]()
        if mark:
            while not decoder.done or len(decoder.rest) < len(mark):
                found += decoder.feed(await self.reader.read(1))
            assert decoder.rest == mark
        else:
            found += decoder.feed(await self.reader.readexactly(int(head[1:])))
            assert decoder.done
        keys = [each for each in found if isinstance(each, RdbKey)]
        return {key.key: key.value.value for key in keys if isinstance(key.value, RdbString)}

    async def next(self, count: int) -> bytes:
        """So many bytes of the stream."""
        return await self.reader.readexactly(count)

    def ack(self, offset: int) -> None:
        """The replica has all up to there."""
        self.writer.write(command("REPLCONF", "ACK", str(offset)))


Story = Callable[[Node, Callable[[], Awaitable[Link]]], Awaitable[None]]


def master_state(options: NodeOptions) -> ClusterState:
    state = new_node(options.rules, MASTER, shard_id=SHARD, address=options.address)
    return state.put(attrs.evolve(state.myself, slots=SlotSet.between(0, 16383)))


@contextlib.asynccontextmanager
async def links(port: int) -> AsyncIterator[Callable[[], Awaitable[Link]]]:
    """Opens connections, and closes them all."""
    opened: list[Link] = []

    async def connect() -> Link:
        link = Link(*await asyncio.open_connection(LOOPBACK, port))
        opened.append(link)
        return link

    try:
        yield connect
    finally:
        for link in opened:
            link.writer.transport.abort()


def run(directory: Path, story: Story, **kept: str) -> None:
    """The story, told with a master that owns all slots and serves at once."""

    async def main() -> None:
        [port] = free_ports(1)
        options = NodeOptions(
            port=port, cport=bus_port(port), directory=directory, writable_delay_ms=0, kept=kept
        )
        async with running_node(options, master_state(options)) as node, links(port) as connect:
            async with asyncio.timeout(20):
                await story(node, connect)

    asyncio.run(main())


def set_of(key: str, value: str) -> bytes:
    return command("SET", key, value)


@pytest.mark.parametrize(("eof", "diskless"), [(True, "yes"), (True, "no"), (False, "yes")])
def test_new_replica_gets_all_and_then_the_stream(
    tmp_path: Path, *, eof: bool, diskless: str
) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        await client.ask("SET", "a", "1")
        stream = node.replicas.stream
        answer = await replica.sync(eof=eof)
        assert answer == f"+FULLRESYNC {stream.replid} {stream.offset}"
        await client.ask("SET", "b", "2")

        assert await replica.file() == {b"a": b"1"}
        [feed] = node.replicas.feeds
        marked = eof and diskless == "yes"
        assert feed.state is (FeedState.LOADING if marked else FeedState.ONLINE)
        replica.ack(0)

        expected = command("SELECT", "0") + set_of("b", "2")
        assert await replica.next(len(expected)) == expected
        assert node.repl_offset(MASTER) == stream.offset == len(expected)
        replica.ack(len(expected))
        assert await client.ask("WAIT", "1", "0") == ":1"
        assert [feed.acked for feed in node.replicas.feeds] == [len(expected)]

    run(tmp_path, story, **{"repl-diskless-sync": diskless})


def test_replica_that_knows_the_stream_goes_on(tmp_path: Path) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, first = await connect(), await connect()
        await first.sync()
        await first.file()
        await client.ask("SET", "a", "1")
        stream = node.replicas.stream
        whole = command("SELECT", "0") + set_of("a", "1")

        for at in (0, 5, len(whole)):
            again = await connect()
            assert await again.sync(stream.replid, at + 1) == f"+CONTINUE {stream.replid}"
            assert await again.next(len(whole) - at) == whole[at:]
        for replid, at in (("f" * 40, 1), (stream.replid, len(whole) + 2), (stream.replid, -1)):
            other = await connect()
            assert (await other.sync(replid, at)).startswith("+FULLRESYNC")
        assert (node.replicas.counts.full, node.replicas.counts.partial) == (4, 3)
        assert node.replicas.counts.refused == 3

    run(tmp_path, story)


def test_backlog_forgets_what_is_too_long_ago() -> None:
    stream = Stream()
    assert stream.since(stream.replid, 1) is None
    stream.begin()
    stream.limit = 10
    stream.append(b"0123456789abcde")

    assert (stream.first, stream.kept, stream.offset) == (6, 10, 15)
    assert stream.since(stream.replid, 6) == b"56789abcde"
    assert stream.since(stream.replid, 16) == b""
    assert stream.since(stream.replid, 5) is None
    assert stream.since(stream.replid, 17) is None


def test_old_name_holds_up_to_the_change() -> None:
    stream = Stream()
    stream.begin()
    stream.append(b"12345")
    old = stream.replid

    stream.fork()
    stream.append(b"67")

    assert stream.replid != old
    assert stream.since(old, 4) == b"4567"
    assert stream.since(old, 6) == b"67"
    assert stream.since(old, 7) is None
    assert stream.since(stream.replid, 7) == b"7"


def test_snapshot_is_of_one_moment_whatever_is_written() -> None:
    keyspace = Keyspace()
    for number in range(20):
        keyspace.execute([b"SET", b"k%d" % number, b"old"])
    snapshot = Snapshot(keyspace)
    entries = snapshot.entries()
    found = [next(entries) for _ in range(5)]

    keyspace.execute([b"MSET", b"k1", b"new", b"k19", b"new", b"k99", b"new"])
    keyspace.execute([b"DEL", b"k2", b"k18"])
    found += [next(entries) for _ in range(5)]
    keyspace.execute([b"FLUSHALL"])
    found += list(entries)
    snapshot.close()

    assert sorted(entry.key for entry in found) == sorted(b"k%d" % number for number in range(20))
    assert {entry.value for entry in found} == {RdbString(b"old")}
    assert keyspace.before_write == []
    keyspace.close()


def test_replica_that_does_not_take_the_stream_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        monkeypatch.setattr(replication_feed, "_UNSENT", -1)  # the file is never sent to its end
        assert (await replica.sync()).startswith("+FULLRESYNC")
        while node.replicas.feeds:
            await client.ask("SET", "a", "x" * 500)
        assert await client.ask("PING") == "+PONG"
        monkeypatch.undo()

    run(tmp_path, story, **{"client-output-buffer-limit": "replica 4000 0 0"})


def test_transaction_is_told_as_one(tmp_path: Path) -> None:
    async def story(_: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        await replica.sync(eof=False)
        await replica.file()
        for words in (["MULTI"], ["SET", "a", "1"], ["INCR", "a"]):
            await client.ask(*words)
        await client.ask("EXEC")

        parts = (["SELECT", "0"], ["MULTI"], ["SET", "a", "1"], ["INCR", "a"], ["EXEC"])
        expected = b"".join(command(*words) for words in parts)
        assert await replica.next(len(expected)) == expected

    run(tmp_path, story)


def test_wait_asks_and_gives_up_in_time(tmp_path: Path) -> None:
    async def story(_: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        assert await client.ask("WAIT", "0", "0") == ":0"
        assert await client.ask("WAIT", "1", "1") == ":0"
        assert (await client.ask("WAIT", "1", "-1")).startswith("-ERR timeout is negative")
        await replica.sync(eof=False)
        await replica.file()
        await client.ask("SET", "a", "1")
        written = command("SELECT", "0") + set_of("a", "1")
        assert await replica.next(len(written)) == written

        waiting = asyncio.create_task(client.ask("WAIT", "1", "0"))
        asked = command("REPLCONF", "GETACK", "*")
        assert await replica.next(len(asked)) == asked
        assert not waiting.done()
        replica.ack(len(written))
        assert await waiting == ":1"

        await client.ask("SET", "b", "1")
        assert await client.ask("WAIT", "1", "20") == ":0"

    run(tmp_path, story)


def test_replicas_hear_of_us_and_silent_ones_are_dropped(tmp_path: Path) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        replica = await connect()
        await replica.sync(eof=False)
        await replica.file()

        ping = command("PING")
        assert await replica.next(len(ping)) == ping
        with contextlib.suppress(ConnectionError):
            while True:
                await replica.line()
        assert node.replicas.feeds == []

    run(tmp_path, story, **{"repl-ping-replica-period": "1", "repl-timeout": "2"})


def test_offset_stands_still_while_writes_are_held_back(tmp_path: Path) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        await replica.sync(eof=False)
        await replica.file()
        node._keyspace.execute([b"SET", b"soon", b"1", b"PX", b"100"])  # and at once the pause
        offset = node.repl_offset(MASTER)
        node.writes.begin(10_000)
        while await client.ask("EXISTS", "soon") == ":1":
            pass
        assert node.repl_offset(MASTER) == offset
        await replica.next(offset)
        node.writes.end()

        deleted = command("DEL", "soon")
        assert await replica.next(len(deleted)) == deleted

    run(tmp_path, story)


def test_unknown_word_is_refused_and_an_ack_is_not_answered(tmp_path: Path) -> None:
    async def story(_: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        link = await connect()
        assert await link.ask("REPLCONF", "nonsense", "1") == (
            "-ERR Unrecognized REPLCONF option: nonsense"
        )
        assert await link.ask("REPLCONF", "capa") == "-ERR syntax error"
        assert await link.ask("REPLCONF", "version", "9.1.2") == "+OK"
        link.ack(7)
        assert await link.ask("PING") == "+PONG"
        assert await link.ask("REPLICAOF", "NO", "ONE") == (
            "-ERR REPLICAOF not allowed in cluster mode."
        )

    run(tmp_path, story)


def replica_state(options: NodeOptions, master: NodeOptions) -> ClusterState:
    state = new_node(options.rules, REPLICA, shard_id=SHARD, address=options.address)
    where = Address(ip=LOOPBACK, port=master.port, cport=master.cport)
    node = ClusterNode(
        node_id=MASTER, shard_id=SHARD, address=where, slots=SlotSet.between(0, 16383)
    )
    state = state.put(node)
    return state.put(attrs.evolve(state.myself, role=Role.REPLICA, replicaof=MASTER))


def test_slotproof_follows_slotproof_and_hands_the_stream_on(tmp_path: Path) -> None:
    ports: Sequence[int] = free_ports(2)
    first, second = (
        NodeOptions(
            port=port, cport=bus_port(port), directory=tmp_path / str(port), writable_delay_ms=0
        )
        for port in ports
    )

    async def told() -> None:
        async with (
            running_node(first, master_state(first)) as master,
            running_node(second, replica_state(second, first)) as replica,
            links(first.port) as to_master,
            links(second.port) as to_replica,
            asyncio.timeout(20),
        ):
            client = await to_master()
            while not replica.master_link_up:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)
            assert await client.ask("SET", "a", "1") == "+OK"
            assert await client.ask("WAIT", "1", "0") == ":1"
            assert replica.repl_offset(REPLICA) == master.repl_offset(MASTER) > 0

            stream = master.replicas.stream
            third = await to_replica()
            assert await third.sync(stream.replid, 1) == f"+CONTINUE {stream.replid}"
            whole = command("SELECT", "0") + set_of("a", "1")
            assert await third.next(len(whole)) == whole
            reader = await to_replica()
            reader.writer.write(command("ROLE"))
            assert await reader.line() == "*5"

            myself = attrs.evolve(replica.state.myself, role=Role.MASTER, replicaof=None)
            replica.state = replica.state.put(myself)
            replica._replication.follow()
            own = replica.replicas.stream
            assert (own.old_replid, own.old_end) == (stream.replid, stream.offset)
            late = await to_replica()
            assert await late.sync(stream.replid, stream.offset + 1) == f"+CONTINUE {own.replid}"

    asyncio.run(told())


@pytest.mark.parametrize("eof", [True, False])
def test_a_file_takes_as_long_as_its_keys_are_to_take(tmp_path: Path, eof: bool) -> None:  # noqa: FBT001
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        await client.ask("SET", "a", "1")
        kept = dict(node.options.kept)
        node.options = attrs.evolve(node.options, kept=kept | {"rdb-key-save-delay": "1000000000"})
        await replica.sync(eof=eof)
        [feed] = node.replicas.feeds
        file = asyncio.create_task(replica.file())
        await client.ask("SET", "b", "2")  # the node goes on
        assert feed.state is FeedState.SENDING

        node.options = attrs.evolve(node.options, kept=kept)

        assert await file == {b"a": b"1"}

    run(tmp_path, story)


def test_nobody_is_waited_for_who_is_gone(tmp_path: Path) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        client, replica = await connect(), await connect()
        await client.ask("SET", "a", "1")
        kept = dict(node.options.kept) | {"rdb-key-save-delay": "1000000000"}
        node.options = attrs.evolve(node.options, kept=kept)
        await replica.sync()
        [feed] = node.replicas.feeds

        replica.writer.close()

        while node.replicas._tasks:
            await asyncio.wait(node.replicas._tasks)
        assert feed.over

    run(tmp_path, story)


def test_keys_end_though_nobody_follows_or_asks(tmp_path: Path) -> None:
    async def story(node: Node, connect: Callable[[], Awaitable[Link]]) -> None:
        assert node.clients is not None
        data = node.clients.service.keyspace.database()
        await (await connect()).ask("SET", "a", "1", "PX", "1")

        while b"a" in data.whole:  # noqa: ASYNC110 - nobody is told that a key ends
            await asyncio.sleep(0.01)

        assert data.expired_count == 1

    run(tmp_path, story)

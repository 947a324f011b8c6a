"""A replica and a master that is a script: file, stream, broken links, bad input.

Clauses: RE-1, RE-2, RE-3, RE-4, RE-5, RE-6, RE-7, RE-8, RE-9, RE-10, RE-11, RE-12, RE-13,
CM-13, CM-87.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState, new_node
from reference.core.types import Address, NodeId, Role, ShardId
from reference.runtime.clients.session import Service, Session
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.as_commands import ReplicationError, commands_of
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.node import Node
from reference.runtime.opening import running_node
from reference.runtime.options import LOOPBACK, NodeOptions, bus_port
from reference.runtime.replication import following as replication
from reference.runtime.replication.stream import CommandStream, Follower
from reference.wire.rdb import RdbKey, format_rdb
from reference.wire.rdb_dump import format_dump
from reference.wire.rdb_values import RdbHash, RdbStream, RdbString, RdbValue, StreamId
from reference.wire.resp import ErrorReply, RequestReader, SimpleString, encode_reply
from tests.rdb_samples import STREAM
from tests.runtime.node_double import MASTERS, REPLICA, Client, NodeDouble
from tests.support import free_ports

MASTER: Final = NodeId("a" * 40)
ME: Final = NodeId("b" * 40)
REPLID: Final = "c" * 40
MARK: Final = b"m" * 40


def command(*words: str | bytes) -> bytes:
    return encode_reply([word.encode() if isinstance(word, str) else word for word in words])


def file_of(**values: str) -> bytes:
    entries = [RdbKey(key=key.encode(), value=RdbString(v.encode())) for key, v in values.items()]
    return b"".join(format_rdb(entries))


def sized(data: bytes) -> bytes:
    return b"$%d\r\n" % len(data) + data


FULL: Final = b"+FULLRESYNC %s 100\r\n" % REPLID.encode()

Answer = bytes | None
"""To PSYNC; None closes the link."""


class Script:
    """A master: what it answers to each PSYNC in turn, and all that it was told."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = list(answers)
        self.asked: list[list[bytes]] = []
        self.acks: list[int] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One link, until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with contextlib.suppress(ConnectionError):
            await self._talk(reader, writer)
        writer.transport.abort()
        self.tasks.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = RequestReader()
        while data := await reader.read(4096):
            requests.feed(data)
            for request in requests:
                if request[:2] == [b"REPLCONF", b"ACK"]:
                    self.acks.append(int(request[2]))
                elif request[0] != b"PSYNC":
                    writer.write(b"+PONG\r\n" if request == [b"PING"] else b"+OK\r\n")
                else:
                    self.asked.append(request[1:])
                    answer = self.answers.pop(0) if self.answers else None
                    if answer is None:
                        return
                    self.writers.append(writer)
                    writer.write(answer)


def replica_state(options: NodeOptions, master_port: int) -> ClusterState:
    shard = ShardId("5" * 40)
    state = new_node(options.rules, ME, shard_id=shard, address=options.address)
    where = Address(ip=LOOPBACK, port=master_port, cport=bus_port(master_port))
    state = state.put(ClusterNode(node_id=MASTER, shard_id=shard, address=where))
    return state.put(attrs.evolve(state.myself, role=Role.REPLICA, replicaof=MASTER))


@contextlib.asynccontextmanager
async def following(directory: Path, script: Script) -> AsyncIterator[tuple[Node, Keyspace]]:
    master_port, port = free_ports(2)
    options = NodeOptions(port=port, cport=bus_port(port), directory=directory)
    server = await asyncio.start_server(script.serve, LOOPBACK, master_port)
    async with running_node(options, replica_state(options, master_port)) as node:
        yield node, node._keyspace
    server.close()
    while script.tasks:
        await asyncio.wait(script.tasks)
    assert len(asyncio.all_tasks()) == 1


def run(directory: Path, script: Script, test: Callable[[Node, Keyspace], Awaitable[None]]) -> None:
    async def main() -> None:
        async with following(directory, script) as (node, keyspace):
            await test(node, keyspace)

    asyncio.run(main())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - conditions of any kind have no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "_DIAL_AGAIN_S", 0.01)


@pytest.mark.parametrize(
    "answer",
    [
        FULL + sized(file_of(a="1")),
        FULL + b"\n\n" + sized(file_of(a="1")),
        FULL + b"$EOF:" + MARK + b"\r\n" + file_of(a="1") + MARK,
    ],
)
def test_file_and_stream_behind_it_become_the_data(tmp_path: Path, answer: bytes) -> None:
    behind = command("SELECT", "0") + command("SET", "b", "2")
    script = Script([answer + behind])

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: len(keyspace) == 2)
        assert keyspace.execute([b"MGET", b"a", b"b"]) == [b"1", b"2"]
        assert script.asked == [[b"?", b"-1"]]
        assert node.pace.repl_offset == node.repl_offset(ME) == 100 + len(behind)
        assert node.master_link_up
        script.writers[0].write(command("REPLCONF", "GETACK", "*"))
        await until(lambda: script.acks and script.acks[-1] >= 100 + len(behind))

    run(tmp_path, script, test)


def test_broken_link_resumes_behind_the_last_command(tmp_path: Path) -> None:
    half = command("MULTI") + command("SET", "b", "2")
    script = Script(
        [FULL + sized(file_of(a="1")) + command("PING") + half, b"+CONTINUE\r\n" + half
         + command("EXEC")]
    )  # fmt: skip

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: node.pace.repl_offset == 100 + len(command("PING")))
        assert len(keyspace) == 1
        script.writers[0].transport.abort()
        await until(lambda: len(keyspace) == 2)
        assert script.asked[1] == [REPLID.encode(), b"%d" % (101 + len(command("PING")))]

    run(tmp_path, script, test)


def test_link_to_the_master_is_killed_by_its_address_and_dialled_again(tmp_path: Path) -> None:
    script = Script([FULL + sized(file_of(a="1")), b"+CONTINUE\r\n" + command("SET", "b", "2")])

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        master = node.state.nodes[MASTER].address
        assert master is not None
        service = Service(node=node, keyspace=keyspace)
        session = Session(service=service, client_id=7)
        for port, answer in ((1, "ERR No such client"), (master.port, "OK")):
            words = [b"CLIENT", b"KILL", f"{LOOPBACK}:{port}".encode()]
            reply = execute(session, words)
            assert isinstance(reply, ErrorReply | SimpleString)
            assert reply.text == answer
        await until(lambda: len(keyspace) == 2)
        assert len(script.asked) == 2

    run(tmp_path, script, test)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (FULL + b"$EOF:" + MARK + b"\r\n" + file_of(a="new") + b"n" * 40, "mark"),
        (FULL + sized(file_of(a="new")[:-1] + b"\x00"), "damaged data"),
        (FULL + sized(file_of(a="new") + b"x"), "too many"),
        (FULL + sized(b"no file at all"), "not the start"),
        (FULL + b"+what\r\n", "no file of data"),
        (FULL + b"$9999\r\n" + file_of(a="new"), "in flight"),
    ],
)  # fmt: skip
def test_bad_file_leaves_the_old_data(
    tmp_path: Path, second: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script([FULL + sized(file_of(a="old")) + command("SET", "q"), second])

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: len(script.writers) == 2)
        if reason == "in flight":
            await until(lambda: node.pace.repl_offset == 0)
            script.writers[1].transport.abort()
        await until(lambda: len(script.asked) >= 3)
        assert keyspace.execute([b"GET", b"a"]) == b"old"
        assert script.asked[:3] == [[b"?", b"-1"]] * 3
        assert node.pace.repl_offset == 0
        assert not node.master_link_up

    run(tmp_path, script, test)
    assert "SET cannot be carried out here" in caplog.text
    assert reason in caplog.text or reason == "in flight"


def test_master_without_a_stream_is_not_waited_for(tmp_path: Path) -> None:
    script = Script([b"-ERR unknown command 'PSYNC'\r\n"])

    async def test(node: Node, _keyspace: Keyspace) -> None:
        assert node.pace.master_link is not None  # no data: it must not stand
        await until(lambda: node.pace.master_link is None)

    run(tmp_path, script, test)


def test_node_that_becomes_master_keeps_data_and_names_its_own_stream(tmp_path: Path) -> None:
    script = Script([FULL + sized(file_of(a="1"))])

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        myself = attrs.evolve(node.state.myself, role=Role.MASTER, replicaof=None)
        node.state = node.state.put(myself)
        node._replication.follow()
        assert not node.master_link_up
        assert node.pace.master_link is None
        assert keyspace.execute([b"GET", b"a"]) == b"1"
        assert node.repl_offset(ME) == 100
        own = node.replicas.stream
        assert (own.old_replid, own.old_end) == (REPLID, 100)
        await until(lambda: not script.tasks)

        mine, script.answers = own.replid, [FULL + sized(file_of(c="3"))]
        node.state = node.state.put(attrs.evolve(myself, role=Role.REPLICA, replicaof=MASTER))
        node._replication.follow()
        await until(lambda: node.master_link_up)
        assert script.asked[-1] == [mine.encode(), b"101"]
        assert keyspace.execute([b"KEYS", b"*"]) == [b"c"]
        assert (own.replid, own.old_end) == (REPLID, -1)

    run(tmp_path, script, test)


def test_refused_replica_waits_before_it_dials_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    script = Script([b"-NOMASTERLINK Can't SYNC while not connected with my master\r\n"] * 9)

    async def test(node: Node, _keyspace: Keyspace) -> None:
        waits = []
        real = asyncio.sleep

        async def sleep(delay: float, result: None = None) -> None:
            waits.append(delay)
            await real(0, result)

        await until(lambda: len(script.asked) == 1)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        node._replication._stop()
        node._replication._master = None
        node._replication.follow()
        while len(script.asked) < 3:
            await real(0.01)
        assert waits[:3] == [0.0, 1.0, 1.0]

    run(tmp_path, script, test)


@pytest.fixture
def follower() -> Follower:
    return Follower(Keyspace(), 10)


def test_stream_in_pieces_counts_whole_commands(follower: Follower) -> None:
    data = command("SET", "k", "v") + command("INCR", "n")
    for at in range(len(data)):
        follower.take(data[at : at + 1])
        assert follower.offset in {10, 10 + len(command("SET", "k", "v")), 10 + len(data)}
    assert follower.offset == 10 + len(data)


@pytest.mark.parametrize(
    "bad",
    [
        b"SET k v\r\n", b"*1\r\n:1\r\n", b"*01\r\n$4\r\nPING\r\n", b"\r\n" + command("PING"),
        b"garbage" * 20_000,
    ],
)  # fmt: skip
def test_other_forms_are_refused(bad: bytes) -> None:
    with pytest.raises(ReplicationError, match="not a stream of commands"):
        list(CommandStream().feed(bad))


@pytest.mark.parametrize(
    "words",
    [
        ("SELECT", "3"), ("EVAL", "return 1", "0"), ("SET", "k"), ("EXEC",), ("RESTORE", "k", "0"),
        ("RESTORE", "k", "0", b"damaged payload"), ("RESTORE", "k", "50", b"x"),
    ],
)  # fmt: skip
def test_command_that_cannot_be_carried_out_ends_the_link(
    follower: Follower, words: tuple[str | bytes, ...]
) -> None:
    with pytest.raises(ReplicationError):
        follower.take(command(*words) + command("SET", "k", "v"))


def test_commands_that_change_no_data_here_are_passed_over(follower: Follower) -> None:
    data = command("PUBLISH", "c", "m")
    data += command("CLUSTER", "SETSLOT", "1", "NODE", ME)

    follower.take(data)

    assert follower.offset == 10 + len(data)


def test_groups_of_streams_follow() -> None:
    keyspace = Keyspace()
    follower = Follower(keyspace, 0)
    for words in (
        "XADD s 1-1 f v", "XADD s 2-1 f v", "XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g c",
        "XCLAIM s g c 0 1-1 TIME 1700000000000 RETRYCOUNT 3 FORCE JUSTID LASTID 1-1",
        "XSETID s 9-1 ENTRIESADDED 7 MAXDELETEDID 8-1",
    ):  # fmt: skip
        follower.take(command(*words.split()))

    entry = keyspace.entry(b"s")
    assert entry is not None
    assert isinstance(entry.value, RdbStream)
    [group] = entry.value.groups
    [pending] = group.pending
    assert (group.last_id, group.name) == (StreamId(1, 1), b"g")
    assert (pending.entry_id, pending.delivery_count) == (StreamId(1, 1), 3)
    assert [consumer.pending for consumer in group.consumers] == [(StreamId(1, 1),)]
    assert (entry.value.last_id, entry.value.entries_added) == (StreamId(9, 1), 7)
    assert entry.value.max_deleted_id == StreamId(8, 1)

    follower.take(command("XACK", "s", "g", "1-1") + command("XGROUP", "DESTROY", "s", "g"))
    entry = keyspace.entry(b"s")
    assert entry is not None
    assert isinstance(entry.value, RdbStream)
    assert entry.value.groups == ()


def test_restore_and_flushslot_of_the_stream() -> None:
    keyspace = Keyspace()
    follower = Follower(keyspace, 0)
    hash_value = RdbHash(((b"f", b"v"),))

    follower.take(command("RESTORE", "h", "0", format_dump(hash_value), "REPLACE", "ABSTTL"))
    assert keyspace.execute([b"HGETALL", b"h"]) in ([b"f", b"v"], {b"f": b"v"})

    follower.take(command("CLUSTER", "FLUSHSLOT", "11694", "SYNC"))  # that of h
    assert len(keyspace) == 0


@pytest.mark.parametrize(
    ("value", "last"),
    [(STREAM, STREAM.last_id), (RdbStream(last_id=StreamId(9, 9)), StreamId(9, 9))],
)
def test_stream_has_its_entries_and_goes_on_behind_its_last_id(
    value: RdbValue, last: StreamId
) -> None:
    keyspace = Keyspace()
    for request in commands_of(RdbKey(key=b"x", value=value)):
        keyspace.apply(request)

    assert isinstance(value, RdbStream)
    assert keyspace.execute([b"XLEN", b"x"]) == len(value.entries)
    added = keyspace.execute([b"XADD", b"x", b"%d-*" % last.ms, b"f", b"v"])
    assert added == b"%d-%d" % (last.ms, last.seq + 1)


def test_key_of_another_database_is_refused() -> None:
    with pytest.raises(ReplicationError, match="database 3"):
        list(commands_of(RdbKey(db=3, key=b"k", value=RdbString(b"v"))))


def test_replaced_data_changes_watched_keys() -> None:
    old, new = Keyspace(), Keyspace()
    watch = old.watch()
    watch.add(b"k")
    new.execute([b"SET", b"k", b"v"])

    old.replace(new)
    new.close()

    assert watch.touched
    assert old.execute([b"GET", b"k"]) == b"v"


@pytest.mark.parametrize(
    ("of_master", "of_replica", "health"), [(0, 0, "online"), (50, 0, "loading"), (50, 9, "online")]
)
def test_shards_tell_offsets_and_who_has_no_data_yet(
    of_master: int, of_replica: int, health: str
) -> None:
    client = Client(NodeDouble())
    client.node.offsets = {MASTERS[0]: of_master, REPLICA: of_replica}

    members = [member for shard in client("CLUSTER SHARDS") for member in shard["nodes"]]

    [replica] = [member for member in members if member["id"] == REPLICA]
    assert (replica["replication-offset"], replica["health"]) == (of_replica, health)

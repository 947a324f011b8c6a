"""SHUTDOWN with replicas: who is waited for, who is named to take over, and who heeds it.

Clauses: CM-90, RE-22, RE-25, MF-11.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.nodes import ClusterNode
from reference.core.rules import VALKEY_8_1
from reference.core.state import ManualFailoverStage
from reference.core.types import NodeId, Role
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.node import Node
from reference.wire.rdb import format_rdb
from tests.runtime.test_replication import FULL, ME, Script, hurry, sized, until
from tests.runtime.test_replication import run as run_replica
from tests.runtime.test_replication_master import MASTER, REPLICA, SHARD, Link, command, run, set_of

__all__ = ["hurry"]  # a fixture

Connect = Callable[[], Awaitable[Link]]
STAYS: Final = "-ERR Errors trying to SHUTDOWN. Check logs."
WRITTEN: Final = command("SELECT", "0") + set_of("a", "1")
ASKED: Final = command("REPLCONF", "GETACK", "*")


async def replica_of(
    node: Node, connect: Connect, *, version: str = "9.1.2", name: str = REPLICA
) -> Link:
    mine = ClusterNode(node_id=REPLICA, shard_id=SHARD, role=Role.REPLICA, replicaof=MASTER)
    node.state = node.state.put(mine)
    link = await connect()
    await link.ask("REPLCONF", "version", version)
    if name:
        assert await link.ask("REPLCONF", "set-cluster-node-id", name) == "+OK"
    await link.sync(eof=False)
    await link.file()
    return link


async def with_a_late_replica(node: Node, connect: Connect) -> tuple[Link, Link]:
    """A client, and a replica that has not said that it has what was written."""
    client, replica = await connect(), await replica_of(node, connect)
    await client.ask("SET", "a", "1")
    assert await replica.next(len(WRITTEN)) == WRITTEN
    return client, replica


def test_replicas_catch_up_before_the_end(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, replica = await with_a_late_replica(node, connect)
        client.writer.write(command("SHUTDOWN"))
        assert await replica.next(len(ASKED)) == ASKED
        other = await connect()
        writes = asyncio.create_task(other.ask("SET", "a", "2"))
        assert await (await connect()).ask("GET", "a") == "$1"
        assert not writes.done()
        assert not node.end_asked.is_set()

        replica.ack(len(WRITTEN + ASKED))

        await node.end_asked.wait()
        writes.cancel()

    run(tmp_path, story)


def test_the_end_can_be_called_off(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, replica = await with_a_late_replica(node, connect)
        first = asyncio.create_task(client.ask("SHUTDOWN", "FAILOVER"))
        assert await replica.next(len(ASKED)) == ASKED
        other = await connect()
        second = asyncio.create_task(other.ask("SHUTDOWN", "NOW"))
        await until(lambda: len(node.clients.service.ending._asked) == 2)  # type: ignore[union-attr]

        last = await connect()
        assert await last.ask("SHUTDOWN", "ABORT") == "+OK"

        assert (await first, await second) == (STAYS, STAYS)
        assert await last.ask("SET", "a", "2") == "+OK"
        assert await last.ask("SHUTDOWN", "ABORT") == "-ERR No shutdown in progress."
        assert await last.ask("SHUTDOWN", "ABORT", "NOW") == "-ERR syntax error"
        assert not node.end_asked.is_set()

    run(tmp_path, story)


@pytest.mark.parametrize(("words", "kept"), [("NOW", "10"), ("", "0"), ("", "1")])
def test_replicas_are_not_waited_for_for_ever(tmp_path: Path, words: str, kept: str) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, _ = await with_a_late_replica(node, connect)
        client.writer.write(command("SHUTDOWN", *words.split()))
        await node.end_asked.wait()

    run(tmp_path, story, **{"shutdown-timeout": kept})


@pytest.mark.parametrize(
    ("version", "name", "named"),
    [("9.0.0", REPLICA, True), ("9.1.2", "", False), ("8.1.1", REPLICA, False)],
)
def test_replica_that_has_all_is_named(
    tmp_path: Path, version: str, name: str, *, named: bool
) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client = await connect()
        replica = await replica_of(node, connect, version=version, name=name)
        await client.ask("SET", "a", "1")
        await replica.next(len(WRITTEN))
        replica.ack(len(WRITTEN))
        await until(lambda: not node.replicas.lagging)

        client.writer.write(command("SHUTDOWN", "FAILOVER"))

        await node.end_asked.wait()
        said = command("CLUSTER", "FAILOVER", "FORCE", "REPLICAID", REPLICA) if named else b""
        assert node.replicas.stream.offset == len(WRITTEN + said)
        assert await replica.next(len(said)) == said

    run(tmp_path, story)


def test_replica_that_lacks_something_is_not_named(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, _ = await with_a_late_replica(node, connect)
        client.writer.write(command("SHUTDOWN", "NOW", "FAILOVER"))
        await node.end_asked.wait()
        assert node.replicas.stream.offset == len(WRITTEN)

    run(tmp_path, story)


def test_only_the_name_of_a_known_node_is_one(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        link, words = await connect(), ("REPLCONF", "SET-CLUSTER-NODE-ID")
        assert await link.ask(*words, "e" * 40) == f"-ERR Unknown node {'e' * 40}"
        node.state = attrs.evolve(node.state, rules=VALKEY_8_1)
        unknown = "-ERR Unrecognized REPLCONF option: SET-CLUSTER-NODE-ID"
        assert await link.ask(*words, MASTER) == unknown

    run(tmp_path, story)


@pytest.mark.parametrize("named", [ME, NodeId("e" * 40)])
def test_replica_that_is_named_stands(tmp_path: Path, named: NodeId) -> None:
    script = Script([FULL + sized(b"".join(format_rdb([])))])

    async def test(node: Node, _: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        said = command("CLUSTER", "FAILOVER", "FORCE", "REPLICAID", named)
        script.writers[0].write(said)
        await until(lambda: node.repl_offset(ME) == 100 + len(said))
        under_way = node.state.manual_failover
        stage = None if under_way is None else under_way.stage
        assert stage == (ManualFailoverStage.CAN_START if named == ME else None)

    run_replica(tmp_path, script, test)

"""SETSLOT at a master with replicas, which are scripts, and at a replica whose master is one.

Clauses: RT-23, RE-20, RE-24, SM-7, SM-8.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.nodes import ClusterNode
from reference.core.rules import DIALECTS, REDIS_7_0, Rules
from reference.core.slots import SlotSet
from reference.core.types import NodeId, Role
from reference.runtime.commands.dispatch import writes
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.node import Node
from reference.wire.rdb import RdbAux, RdbDecoder, RdbEntry, format_rdb
from reference.wire.setslot import OPEN_SLOTS
from tests.runtime.room import Room
from tests.runtime.test_replication import FULL, Script, hurry, sized, until
from tests.runtime.test_replication import MASTER as SCRIPTED
from tests.runtime.test_replication import run as run_replica
from tests.runtime.test_replication_master import MASTER, REPLICA, SHARD, Link, command, run

OTHER: Final = NodeId("d" * 40)
ASKED: Final = command("REPLCONF", "GETACK", "*")
NO_REPLICAS: Final = "-NOREPLICAS Not enough good replicas to write."

__all__ = ["hurry"]  # a fixture

Connect = Callable[[], Awaitable[Link]]


def with_others(node: Node) -> None:
    """The node knows a replica of its own and another master."""
    state = node.state
    of_other = ClusterNode(node_id=OTHER, shard_id=SHARD, slots=SlotSet.of([16383]))
    mine = ClusterNode(node_id=REPLICA, shard_id=SHARD, role=Role.REPLICA, replicaof=MASTER)
    owned = SlotSet.between(0, 16382)
    state = state.put(attrs.evolve(state.myself, slots=owned)).put(of_other).put(mine)
    node.state = state


async def replica_of(connect: Connect, *, version: str = "9.1.2") -> Link:
    link = await connect()
    if version:
        await link.ask("REPLCONF", "version", version)
    await link.sync(eof=False)
    await link.file()
    return link


def setslot(*words: str) -> tuple[str, ...]:
    return ("CLUSTER", "SETSLOT", *words)


def opened(node: Node) -> list[int]:
    return list(node.state.migrating_slots_to.slots)


def test_replicas_have_it_before_the_master(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, first, second = (
            await connect(),
            await replica_of(connect),
            await replica_of(connect),
        )
        words = setslot("7", "migrating", OTHER, "TIMEOUT", "0")

        waiting = asyncio.create_task(client.ask(*words))
        told = command("SELECT", "0") + command(*words)
        for replica in (first, second):
            assert await replica.next(len(told + ASKED)) == told + ASKED
        first.ack(len(told))
        second.ack(len(told) - 1)
        assert await (await connect()).ask("PING") == "+PONG"  # and all before it was read
        assert not waiting.done()
        assert opened(node) == []
        second.ack(len(told))

        assert await waiting == "+OK"
        assert opened(node) == [7]

    run(tmp_path, story)


def test_master_does_nothing_if_replicas_do_not_have_it_in_time(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, _ = await connect(), await replica_of(connect)

        assert await client.ask(*setslot("7", "MIGRATING", OTHER, "timeout", "1")) == NO_REPLICAS
        assert opened(node) == []
        refused = setslot("7", "MIGRATING", "e" * 40, "TIMEOUT", "0")
        assert await client.ask(*refused) == f"-ERR I don't know about node {'e' * 40}"

    run(tmp_path, story)


@pytest.mark.parametrize("version", ["", "7.2.4"])
def test_replicas_that_do_not_execute_it_are_not_waited_for(tmp_path: Path, version: str) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, _ = await connect(), await replica_of(connect, version=version)
        assert await client.ask(*setslot("7", "MIGRATING", OTHER, "TIMEOUT", "0")) == "+OK"
        assert opened(node) == [7]

    run(tmp_path, story)


def test_redis_tells_nobody(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        node.state = attrs.evolve(node.state, rules=REDIS_7_0)
        client, _ = await connect(), await replica_of(connect)
        assert await client.ask(*setslot("7", "MIGRATING", OTHER)) == "+OK"
        assert node.replicas.stream.offset == 0

    run(tmp_path, story)


def test_in_a_transaction_replicas_are_told_and_not_waited_for(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, replica = await connect(), await replica_of(connect)
        for words in (("MULTI",), setslot("7", "MIGRATING", OTHER), ("EXEC",)):
            await client.ask(*words)
        assert await client.line() == "+OK"
        assert opened(node) == [7]
        told = command("SELECT", "0") + command(*setslot("7", "MIGRATING", OTHER))
        assert await replica.next(len(told)) == told

    run(tmp_path, story)


@pytest.mark.parametrize(
    "words", [setslot("7", "MIGRATING", OTHER, "TIMEOUT", "0"), ("WAIT", "1", "0")]
)
def test_who_waits_is_told_that_the_node_is_a_replica_now(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, replica = await connect(), await replica_of(connect)
        await client.ask("SET", "a", "1")
        waiting = asyncio.create_task(client.ask(*words))
        await until(lambda: node.replicas.stream.offset > len(command("SET", "a", "1") + ASKED))
        await replica.next(1)

        node.state = node.state.put(
            attrs.evolve(
                node.state.myself, role=Role.REPLICA, replicaof=OTHER, slots=SlotSet.of([])
            )
        )
        node._replication.follow()

        assert (await waiting).startswith("-UNBLOCKED force unblock from blocking operation")
        assert await client.reader.read() == b""

    run(tmp_path, story)


def test_new_replica_gets_the_open_slots_with_the_data(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        with_others(node)
        client, replica = await connect(), await connect()
        await client.ask(*setslot("7", "MIGRATING", OTHER))
        await replica.sync(eof=False)
        decoder, found = RdbDecoder(), list[RdbEntry]()
        found += decoder.feed(await replica.reader.readexactly(int((await replica.line())[1:])))
        assert RdbAux(OPEN_SLOTS, b"7>%b," % OTHER.encode()) in found

    run(tmp_path, story)


def knows_other(node: Node) -> None:
    node.state = node.state.put(ClusterNode(node_id=OTHER, shard_id=SHARD))


def test_replica_executes_what_the_stream_says_and_says_so(tmp_path: Path) -> None:
    script = Script([FULL + sized(b"".join(format_rdb([])))])

    async def test(node: Node, _: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        knows_other(node)
        said = b"".join(
            command(*setslot(*words.split()))
            for words in (f"7 migrating {OTHER}", f"9 IMPORTING {OTHER} TIMEOUT 0",
                          f"8 MIGRATING {OTHER}", "8 STABLE", "x STABLE", "99999 STABLE", "3 AWAY")
        )  # fmt: skip
        script.writers[0].write(said)
        await until(lambda: script.acks and script.acks[-1] == 100 + len(said))
        assert opened(node) == [7]
        assert list(node.state.importing_slots_from.slots) == [9]

    run_replica(tmp_path, script, test)


def test_replica_that_goes_along_with_the_last_slot_says_so_and_takes_no_more(
    tmp_path: Path,
) -> None:
    script = Script([FULL + sized(b"".join(format_rdb([])))])

    async def test(node: Node, keyspace: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        knows_other(node)
        master = node.state.nodes[SCRIPTED]
        node.state = node.state.put(attrs.evolve(master, slots=SlotSet.of([7])))
        gone = command(*setslot("7", "NODE", OTHER))
        script.writers[0].write(gone + command("SELECT", "0") + command("SET", "a", "1"))

        await until(lambda: script.acks and script.acks[-1] == 100 + len(gone))
        assert node.state.myself.replicaof == OTHER
        assert not node.master_link_up
        assert len(keyspace) == 0

    run_replica(tmp_path, script, test)


def test_replica_opens_the_slots_that_came_with_the_data(tmp_path: Path) -> None:
    """Of ends that it does not know it opens none."""
    name = SCRIPTED.encode()
    data = b"".join(format_rdb([RdbAux(OPEN_SLOTS, b"9<%b,7>%b,8>%b," % (name, name, b"e" * 40))]))
    script = Script([FULL + sized(data)])

    async def test(node: Node, _: Keyspace) -> None:
        await until(lambda: node.state.migrating_slots_to.slots)
        assert node.state.migrating_slots_to.get(7) == SCRIPTED
        assert list(node.state.importing_slots_from.slots) == [9]
        assert opened(node) == [7]

    run_replica(tmp_path, script, test)


def test_damaged_open_slots_leave_the_old_data(tmp_path: Path) -> None:
    data = b"".join(format_rdb([RdbAux(OPEN_SLOTS, b"9<")]))
    script = Script([FULL + sized(data), FULL + sized(b"".join(format_rdb([])))])

    async def test(node: Node, _: Keyspace) -> None:
        await until(lambda: node.master_link_up)
        assert len(script.asked) == 2

    run_replica(tmp_path, script, test)


@pytest.mark.parametrize("rules", DIALECTS.values(), ids=lambda rules: rules.dialect)
def test_it_waits_with_writes_where_it_goes_into_the_stream(rules: Rules) -> None:
    session = Room(rules).session(1)
    words = [word.encode() for word in setslot("7", "STABLE")]
    assert writes(session, words) is rules.setslot_is_replicated

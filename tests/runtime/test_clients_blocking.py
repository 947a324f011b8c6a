"""Clients that wait for keys: what they get, when, in which order, and what ends their waiting.

Clauses: CM-80, CM-81, CM-82, CM-83, CM-84.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import redis
from redis.asyncio import Redis

from reference.core.nodes import NodeTable
from reference.core.slots import SlotSet, key_hash_slot
from reference.core.state import bind_slots
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.serving.port import ClientServer, serve_clients
from reference.wire.resp import ErrorReply
from tests.runtime.node_double import MASTERS, NodeDouble
from tests.runtime.room import Room

HOST = "127.0.0.1"
BAR = key_hash_slot(b"bar")


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize(
    ("fill", "command", "answer"),
    [
        ("RPUSH bar 1 2", "BLPOP bar 0", "*2 bar 1"),
        ("RPUSH bar 1 2", "BRPOP bar 0", "*2 bar 2"),
        ("RPUSH bar 1 2", "BLPOP {bar}x bar 0", "*2 bar 1"),
        ("RPUSH bar 1 2", "BLMOVE bar {bar}x LEFT RIGHT 0", "1"),
        ("RPUSH bar 1 2", "BRPOPLPUSH bar {bar}x 0", "2"),
        ("RPUSH bar 1 2", "BLMPOP 0 2 {bar}x bar RIGHT COUNT 5", "*2 bar *2 2 1"),
        ("ZADD bar 1 a 2 b", "BZPOPMIN bar 0", "*3 bar a 1"),
        ("ZADD bar 1 a 2 b", "BZPOPMAX bar 0", "*3 bar b 2"),
        ("ZADD bar 1 a 2 b", "BZMPOP 0 1 bar MAX COUNT 2", "*2 bar *2 *2 b 2 *2 a 1"),
        ("XADD bar 1-1 f v", "XREAD BLOCK 0 STREAMS bar 0", "*1 *2 bar *1 *2 1-1 *2 f v"),
    ],
)
def test_what_is_there_is_had_at_once_and_what_comes_later_then(
    room: Room, fill: str, command: str, answer: str
) -> None:
    room(1, fill)
    assert room(1, command) == answer
    room(1, "FLUSHALL")

    assert room(1, command) == ""
    assert room.session(1).waits
    room(2, fill)

    assert room.heard(1) == answer
    assert not room.session(1).waits
    assert len(room.service.waits) == 0


@pytest.mark.parametrize("count", ["0", "-1", "2"])
def test_as_many_entries_are_read_as_were_asked_for(room: Room, count: str) -> None:
    for number in (1, 2):
        room(1, f"XADD bar {number}-1 f v")
    room(1, "XGROUP CREATE bar g 0")
    both = "*1 *2 bar *2 *2 1-1 *2 f v *2 2-1 *2 f v"

    assert room(1, f"XREAD COUNT {count} STREAMS bar 0") == both
    assert room(1, f"XREADGROUP GROUP g c COUNT {count} STREAMS bar >") == both
    assert room(1, f"XREADGROUP GROUP g c COUNT {count} STREAMS bar 0") == both


def test_who_came_first_is_served_first(room: Room) -> None:
    for number in (3, 1, 2):
        room(number, "BLPOP bar {bar}x 0")

    room(4, "RPUSH bar a b")
    assert [room.heard(number) for number in (3, 1, 2)] == ["*2 bar a", "*2 bar b", ""]
    assert room(4, "LLEN bar") == ":0"
    room(4, "RPUSH {bar}x c")
    assert room.heard(2) == "*2 {bar}x c"


def test_a_client_that_waits_may_serve_the_next(room: Room) -> None:
    room(1, "BLPOP {bar}2 0")
    room(2, "BLMOVE bar {bar}2 LEFT LEFT 0")

    room(3, "RPUSH bar x")

    assert room.heard(2) == "x"
    assert room.heard(1) == "*2 {bar}2 x"


def test_other_types_do_not_end_the_waiting(room: Room) -> None:
    room(1, "BLPOP bar 0")
    room(2, "BZPOPMIN bar 0")

    room(3, "SET bar 1")
    assert room.heard(1) == ""
    room(3, "DEL bar")
    room(3, "ZADD bar 1 a")

    assert room.heard(2) == "*3 bar a 1"
    room(3, "RPUSH bar x")
    assert room.heard(1) == "*2 bar x"


def test_a_transaction_is_carried_out_before_who_waits_is_served(room: Room) -> None:
    room(1, "BLPOP bar 0")
    for line in ("MULTI", "RPUSH bar a", "RPUSH bar b", "LPOP bar"):
        room(2, line)

    assert room(2, "EXEC") == "*3 :1 :2 a"
    assert room.heard(1) == "*2 bar b"


def test_nobody_waits_in_a_transaction(room: Room) -> None:
    for line in ("MULTI", "BLPOP bar 0", "XREAD BLOCK 0 STREAMS bar $"):
        room(1, line)

    assert room(1, "EXEC") == "*2 *-1 *-1"
    assert not room.session(1).waits


def test_new_entries_are_those_behind_the_last_one_ever(room: Room) -> None:
    room(1, "XADD bar 5-1 f v")
    room(1, "XDEL bar 5-1")
    assert room(1, "XREAD STREAMS bar $") == "*-1"
    room(1, "XREAD COUNT 1 BLOCK 0 STREAMS bar {bar}x $ $")

    room(2, "XADD {bar}x 1-1 f w")
    assert room.heard(1) == "*1 *2 {bar}x *1 *2 1-1 *2 f w"


def test_the_last_time_limit_counts(room: Room) -> None:
    assert room(1, "XREAD BLOCK 5 COUNT 1 BLOCK 0 STREAMS bar $") == ""
    assert room.session(1).waits


@pytest.mark.parametrize(
    "line", ["XREAD BLOCK 0 STREAMS a $", "xreadgroup GROUP g c block 0 STREAMS a >"]
)
def test_the_engine_never_waits(room: Room, line: str) -> None:
    """It would hold up the one thread that all clients share."""
    keyspace = room.service.keyspace

    assert keyspace.execute(line.encode().split()) == ErrorReply("ERR the data never waits")
    assert keyspace.apply(line.encode().split()) == ErrorReply("ERR the data never waits")


def test_groups_wait_for_entries_that_nobody_had(room: Room) -> None:
    room(1, "XADD bar 1-1 f v")
    assert room(1, "XGROUP CREATE bar g $") == "+OK"
    assert room(1, "XREADGROUP GROUP g c BLOCK 0 STREAMS bar 0") == "*1 *2 bar *0"
    assert room(1, "XREADGROUP GROUP x c BLOCK 0 STREAMS bar >").startswith("-NOGROUP")
    for number in (1, 2):
        room(number, "XREADGROUP GROUP g c BLOCK 0 STREAMS bar >")

    room(3, "XADD bar 2-1 f w")
    assert room.heard(1) == "*1 *2 bar *1 *2 2-1 *2 f w"
    assert room.heard(2) == ""
    assert room(3, "XACK bar g 2-1") == ":1"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("BLPOP bar x", "-ERR timeout is not a float or out of range"),
        ("BLPOP bar nan", "-ERR timeout is not a float or out of range"),
        ("BLPOP bar -1", "-ERR timeout is negative"),
        ("BLPOP bar inf", "-ERR timeout is out of range"),
        ("BLMOVE bar {bar}x UP LEFT 0", "-ERR syntax error"),
        ("BLMPOP 0 1 bar UP", "-ERR syntax error"),
        ("BZMPOP 0 1 bar LEFT", "-ERR syntax error"),
        ("XREAD BLOCK x STREAMS bar 0", "-ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK -1 STREAMS bar 0", "-ERR timeout is negative"),
        ("XREAD BLOCK 0 bar 0", "-ERR syntax error"),
        ("XREAD BLOCK STREAMS bar 0", "-ERR the data never waits"),
        ("BLPOP foo 0", "-MOVED 12182 127.0.0.1:7002"),
        ("BLPOP bar foo 0", "-CROSSSLOT Keys in request don't hash to the same slot"),
    ],
)
def test_what_makes_no_sense_does_not_wait(room: Room, command: str, error: str) -> None:
    assert room(1, command) == error
    assert not room.session(1).waits


def test_wrong_types_are_told_at_once(room: Room) -> None:
    room(1, "SET bar 1")

    assert room(1, "BLPOP {bar}x bar 0").startswith("-WRONGTYPE")
    assert room(1, "BLMOVE bar {bar}x LEFT LEFT 0").startswith("-WRONGTYPE")


def test_who_waits_follows_the_slot(room: Room) -> None:
    room(1, "BLPOP bar 0")
    room(2, "BLPOP hello 0")

    room.node.change(bind_slots(room.node.state, MASTERS[1], SlotSet.of([BAR])))

    assert room.heard(1) == f"-MOVED {BAR} 127.0.0.1:7001"
    assert room.heard(2) == ""
    room(3, "RPUSH hello x")
    assert room.heard(2) == "*2 hello x"


def test_a_slot_on_its_way_keeps_who_waits_in_it(room: Room) -> None:
    room(1, "BLPOP bar 0")
    state = room.node.state

    room.node.change(
        attrs.evolve(state, migrating_slots_to=state.migrating_slots_to.open(BAR, MASTERS[1]))
    )

    assert room.heard(1) == ""
    assert room.session(1).waits


def test_who_waits_is_sent_away_when_the_cluster_fails(room: Room) -> None:
    room(1, "BLPOP bar 0")
    room(2, "XREAD BLOCK 0 STREAMS bar $")
    state = room.node.state
    gone = attrs.evolve(state.nodes[MASTERS[2]], slots=SlotSet())

    room.node.change(attrs.evolve(state, nodes=NodeTable([*state.nodes, gone])))

    assert room.heard(1) == "-CLUSTERDOWN The cluster is down"
    assert room.heard(2) == "-CLUSTERDOWN The cluster is down"


def test_who_is_gone_does_not_take_anything(room: Room) -> None:
    room(1, "BLPOP bar {bar}x bar 0")
    room.session(1).end()

    room(2, "RPUSH bar x")

    assert room(2, "LLEN bar") == ":1"
    assert len(room.service.waits) == 0


def test_an_operator_ends_the_waiting(room: Room) -> None:
    room(1, "BLPOP bar 0")
    room(2, "BLPOP bar 0")

    assert room(3, "CLIENT UNBLOCK 1") == ":1"
    assert room(3, "CLIENT UNBLOCK 2 ERROR") == ":1"
    assert room(3, "CLIENT UNBLOCK 2 ERROR") == ":0"
    assert room(3, "CLIENT UNBLOCK 9") == ":0"
    assert room(3, "CLIENT UNBLOCK 1 NOW").startswith("-ERR")

    assert room.heard(1) == "*-1"
    assert room.heard(2) == "-UNBLOCKED client unblocked via CLIENT UNBLOCK"
    assert "blocked_clients:0" in room(3, "INFO clients")


Story = Callable[[ClientServer, Any, Any], Awaitable[None]]


def _run(story: Story, **options: Any) -> None:
    """The story, told of a server and two of its clients."""

    async def told() -> None:
        keyspace = Keyspace()
        server = await serve_clients(NodeDouble(), keyspace, HOST, 0)
        clients = [
            Redis(host=HOST, port=server.port, decode_responses=True, **options) for _ in range(2)
        ]
        try:
            async with asyncio.timeout(20):
                await story(server, *clients)
        finally:
            for client in clients:
                await client.aclose()
            await server.close()
            keyspace.close()

    asyncio.run(told())


@pytest.mark.parametrize("protocol", [2, 3])
def test_requests_behind_one_that_waits_are_answered_after_it(protocol: int) -> None:
    async def story(server: ClientServer, waiting: Any, other: Any) -> None:
        pipe = waiting.pipeline(transaction=False)
        pipe.blpop("bar", 0)
        pipe.echo("after")
        asked = asyncio.create_task(pipe.execute())
        while not len(server.service.waits):  # noqa: ASYNC110 - until the request has arrived
            await asyncio.sleep(0.01)
        await other.rpush("bar", "x")
        [popped, echoed] = await asked
        assert list(popped) == ["bar", "x"]
        assert echoed == "after"

    _run(story, protocol=protocol)


def test_waiting_ends_with_its_time() -> None:
    async def story(server: ClientServer, waiting: Any, _: Any) -> None:
        assert await waiting.blpop("bar", 0.05) is None
        assert not await waiting.xread({"bar": "$"}, block=20)
        assert len(server.service.waits) == 0
        assert await waiting.ping()

    _run(story)


def test_a_connection_that_ends_while_it_waits_is_forgotten() -> None:
    async def story(server: ClientServer, _: Any, other: Any) -> None:
        _, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(b"BLPOP bar 0\r\n")
        while not len(server.service.waits):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.close()
        while len(server.service.waits):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await other.rpush("bar", "x")
        assert await other.llen("bar") == 1

    _run(story)


def test_a_client_is_sent_on_by_a_change_while_it_waits() -> None:
    async def story(server: ClientServer, waiting: Any, _: Any) -> None:
        asked = asyncio.create_task(waiting.blpop("bar", 0))
        while not len(server.service.waits):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        node: Any = server.service.node
        node.change(bind_slots(node.state, MASTERS[1], SlotSet.of([BAR])))
        with pytest.raises(redis.exceptions.MovedError):
            await asked

    _run(story)

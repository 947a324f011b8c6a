"""Users and passwords, what clients are told of clients, and what operators do to them.

Clauses: CM-85, CM-86, CM-87, CM-88, CM-89, CM-90, CM-92, CM-16, CM-21.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import redis
from redis.asyncio import Redis

from reference.core.rules import REDIS_7_0, VALKEY_9_1
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.limits import OutputClass
from reference.runtime.serving.port import ClientServer, serve_clients
from tests.runtime.node_double import NodeDouble
from tests.runtime.room import Room
from tests.runtime.test_replication import until

HOST = "127.0.0.1"
SECRET = "open sesame"  # noqa: S105


@pytest.fixture
def room() -> Room:
    return Room()


def _locked(room: Room, password: str = "pw") -> None:  # noqa: S107
    room.node.options = attrs.evolve(room.node.options, kept={"requirepass": password})
    room.service.users.follow(room.node.options)


def _stranger(room: Room, number: int) -> None:
    room.session(number).authenticated = False


def test_strangers_are_served_nothing_but_what_lets_them_in(room: Room) -> None:
    _locked(room)
    _stranger(room, 1)
    refused = "-NOAUTH Authentication required."

    assert [room(1, line) for line in ("GET bar", "PING", "FOO", "GET", "MULTI")] == [refused] * 5
    assert room(1, "HELLO 3").startswith("-NOAUTH HELLO must be called")
    assert room(1, "AUTH x").startswith("-WRONGPASS")
    assert room(1, "AUTH other pw").startswith("-WRONGPASS")
    assert room(1, "HELLO 3 AUTH default x").startswith("-WRONGPASS")
    assert room(1, "RESET") == "+RESET"
    assert room(1, "GET bar") == refused
    assert room(1, "AUTH pw") == "+OK"
    assert room(1, "GET bar") == "$-1"
    assert room(1, "RESET") == "+RESET"
    assert room(1, "PING") == refused
    assert "default" not in room(1, "HELLO 2 AUTH default pw SETNAME me")
    assert room(1, "CLIENT GETNAME") == "me"


def test_redis_tells_strangers_what_is_no_command() -> None:
    room = Room(REDIS_7_0)
    _locked(room)
    _stranger(room, 1)

    assert room(1, "FOO").startswith("-ERR unknown command")
    assert room(1, "GET").startswith("-ERR wrong number")
    assert room(1, "GET bar") == "-NOAUTH Authentication required."
    assert "otherwise the HELLO AUTH" in room(1, "HELLO 3")


def test_any_password_is_right_while_there_is_none(room: Room) -> None:
    assert room(1, "AUTH x").startswith("-ERR AUTH <password> called without any password")
    assert room(1, "AUTH default x") == "+OK"
    assert room(1, "AUTH other x").startswith("-WRONGPASS")
    assert room(1, "AUTH a b c") == "-ERR syntax error"


def test_what_is_told_of_the_one_user(room: Room) -> None:
    assert room(1, "ACL WHOAMI") == "default"
    assert room(1, "ACL USERS") == "*1 default"
    assert room(1, "ACL LIST") == "*1 user default on nopass ~* &* +@all"
    assert "*2 on nopass passwords *0" in room(1, "ACL GETUSER default")
    assert room(1, "ACL GETUSER x") == "$-1"
    _locked(room, SECRET)
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    assert room(1, "ACL LIST") == f"*1 user default on #{digest} ~* &* +@all"
    assert f"*1 on passwords *1 {digest}" in room(1, "ACL GETUSER default")
    assert "get" in room(1, "ACL CAT read").split()
    assert "read" in room(1, "ACL CAT").split()
    assert room(1, "ACL CAT foo") == "-ERR Unknown category 'foo'"
    assert room(1, "ACL CAT a b").startswith("-ERR unknown subcommand or wrong")
    assert len(room(1, "ACL GENPASS")) == 64
    assert len(room(1, "ACL GENPASS 5")) == 2
    assert room(1, "ACL GENPASS 0").startswith("-ERR ACL GENPASS argument must be")
    assert room(1, "ACL GENPASS 1 2").startswith("-ERR unknown subcommand or wrong")


def _fields(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in line.split())


def test_what_is_told_of_a_client(room: Room) -> None:
    for line in ("CLIENT SETNAME me", "SUBSCRIBE a b", "SSUBSCRIBE bar", "READONLY"):
        room(1, line)
    room(2, "HELLO 3")
    for line in ("PSUBSCRIBE p*", "MULTI", "GET bar", "CLIENT NO-EVICT on"):
        room(2, line)
    room(3, "BLPOP bar 0")
    room(3, "CLIENT SETINFO lib-name x")
    room(4, "CLIENT SETINFO LIB-NAME lib")
    room(4, "CLIENT SETINFO LIB-VER 1.2")

    lines = room(5, "CLIENT LIST").split("\n")
    found = [_fields(line) for line in lines if line]

    assert [(f["id"], f["flags"], f["sub"], f["psub"], f["ssub"], f["multi"]) for f in found] == [
        ("1", "Pr" if "r" in found[0]["flags"] else "P", "2", "0", "1", "-1"),
        ("2", "Px", "0", "1", "0", "2"),
        ("3", "b", "0", "0", "0", "-1"),
        ("4", "N", "0", "0", "0", "-1"),
        ("5", "N", "0", "0", "0", "-1"),
    ]
    assert (found[0]["name"], found[1]["resp"], found[4]["cmd"]) == ("me", "3", "client|list")
    assert (found[3]["lib-name"], found[3]["lib-ver"]) == ("lib", "1.2")
    assert _fields(room(5, "CLIENT INFO"))["id"] == "5"
    assert "lib-name" not in Room(REDIS_7_0)(1, "CLIENT LIST")


def test_clients_are_chosen_by_type_or_id(room: Room) -> None:
    room(1, "SUBSCRIBE a")
    room(2, "PING")
    room.session(3).output_class = OutputClass.REPLICA

    def ids(line: str) -> list[str]:
        return [_fields(found)["id"] for found in room(9, line).split("\n") if found]

    assert ids("CLIENT LIST TYPE pubsub") == ["1"]
    assert ids("CLIENT LIST TYPE normal") == ["2", "9"]
    assert ids("CLIENT LIST TYPE replica") == ["3"]
    assert ids("CLIENT LIST TYPE master") == []
    assert ids("CLIENT LIST ID 2 3 77") == ["2", "3"]
    assert room(9, "CLIENT LIST TYPE foo") == "-ERR Unknown client type 'foo'"
    assert room(9, "CLIENT LIST ID x") == "-ERR Invalid client ID"
    assert room(9, "CLIENT LIST FOO") == "-ERR syntax error"


def test_connections_that_fit_are_ended(room: Room) -> None:
    for number in range(1, 6):
        room(number, "PING")
        room.session(number).address = f"127.0.0.1:{number}"
        room.session(number).local_address = "127.0.0.1:7000"
    room(4, "SUBSCRIBE a")
    room.heard(4)

    assert room(1, "CLIENT KILL 127.0.0.1:2") == "+OK"
    assert room(1, "CLIENT KILL ID 3 ADDR 127.0.0.1:3") == ":1"
    assert room(1, "CLIENT KILL ID 3 ADDR 127.0.0.1:9") == ":0"
    assert room(1, "CLIENT KILL TYPE pubsub") == ":1"
    assert [room.heard(number) for number in (2, 3, 4, 5)] == ["<aborted>"] * 3 + [""]
    assert room(1, "CLIENT KILL LADDR 127.0.0.1:7000 USER default ID 1") == ":0"
    assert not room.session(1).closing
    assert room(1, "CLIENT KILL ID 1 SKIPME no") == ":1"
    assert room.session(1).closing


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("CLIENT KILL 1.2.3.4:5", "-ERR No such client"),
        ("CLIENT KILL ID 0", "-ERR syntax error"),
        ("CLIENT KILL ID x", "-ERR syntax error"),
        ("CLIENT KILL FOO 1", "-ERR syntax error"),
        ("CLIENT KILL ID 1 ADDR", "-ERR syntax error"),
        ("CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'"),
        ("CLIENT KILL USER foo", "-ERR No such user 'foo'"),
        ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
        ("CLIENT PAUSE -1", "-ERR timeout is negative"),
        ("CLIENT PAUSE 1 FOO", "-ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ("CLIENT PAUSE 1 ALL 2", "-ERR syntax error"),
        ("CLIENT REPLY foo", "-ERR syntax error"),
        ("CLIENT NO-EVICT foo", "-ERR syntax error"),
        ("CLIENT NO-TOUCH foo", "-ERR syntax error"),
        ("CLIENT TRACKING foo", "-ERR syntax error"),
        ("CLIENT TRACKING on PREFIX x", "-ERR PREFIX option requires BCAST mode"),
        ("CLIENT CACHING yes", "-ERR CLIENT CACHING can be called only"),
        ("CLIENT UNBLOCK x", "-ERR value is not an integer"),
        ("CLIENT SETINFO lib-foo x", "-ERR Unrecognized option 'lib-foo'"),
        ("SHUTDOWN foo", "-ERR syntax error"),
        ("SHUTDOWN SAVE NOSAVE", "-ERR syntax error"),
        ("SHUTDOWN ABORT", "-ERR No shutdown in progress."),
    ],
)
def test_what_makes_no_sense_is_refused(room: Room, line: str, error: str) -> None:
    assert room(1, line).startswith(error)
    assert not room.node.ended


def test_answers_about_what_is_not_used(room: Room) -> None:
    assert room(1, "CLIENT TRACKING off") == "+OK"
    assert room(1, "CLIENT TRACKINGINFO") == "*6 flags *1 off redirect :-1 prefixes *0"
    assert room(1, "CLIENT GETREDIR") == ":-1"
    assert room(1, "CLIENT NO-TOUCH on") == "+OK"
    assert "PAUSE <milliseconds>" in room(1, "CLIENT HELP")


def test_shutdown_ends_the_node_without_a_reply(room: Room) -> None:
    assert room(1, "SHUTDOWN NOSAVE") == ""
    assert room.node.ended
    assert room.session(1).closing


def _facts(room: Room, *sections: str) -> dict[str, str]:
    lines = room(99, f"INFO {' '.join(sections)}").split()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def test_clients_read_where_the_node_stands() -> None:
    valkey, old = Room(VALKEY_9_1), Room(REDIS_7_0)

    valkey(1, "CONFIG SET availability-zone z-1")

    facts = _facts(valkey, "server")
    assert facts["availability_zone"] == "z-1"
    assert facts["config_file"] == ""
    assert "availability_zone" not in _facts(old, "server")


def test_what_is_counted_can_be_read_and_reset(room: Room) -> None:
    for line in ("GET foo", "GET foo", "FOO", "GET bar"):
        room(1, line)

    facts = _facts(room, "stats", "errorstats", "memory", "server", "clients")
    assert facts["errorstat_MOVED"] == "count=2"
    assert facts["errorstat_ERR"] == "count=1"
    assert facts["total_error_replies"] == "3"
    assert facts["total_commands_processed"] == "4"
    assert facts["mem_cluster_links"] == "9"
    assert int(facts["uptime_in_seconds"]) >= 0
    assert facts["maxclients"] == "10000"
    room(1, "CONFIG RESETSTAT")
    assert "errorstat_MOVED" not in _facts(room, "errorstats")


def test_commands_are_listed_by_what_they_are(room: Room) -> None:
    assert "get" in room(1, "COMMAND LIST").split()
    assert "cluster|info" in room(1, "COMMAND LIST").split()
    assert room(1, "COMMAND LIST FILTERBY MODULE x") == "*0"
    assert "zadd" in room(1, "COMMAND LIST FILTERBY ACLCAT sortedset").split()
    assert "get" not in room(1, "COMMAND LIST FILTERBY ACLCAT sortedset").split()
    assert room(1, "COMMAND LIST FILTERBY PATTERN GETE*") == "*1 getex"
    assert room(1, "COMMAND LIST FILTERBY PATTERN") == "-ERR syntax error"
    assert room(1, "COMMAND LIST FOO") == "-ERR syntax error"


def test_keys_are_told_with_what_is_done_to_them(room: Room) -> None:
    told = room(1, "COMMAND GETKEYSANDFLAGS LMOVE a b LEFT LEFT")

    assert told == "*2 *2 a *3 +RW +access +delete *2 b *2 +RW +insert"
    assert room(1, "COMMAND GETKEYSANDFLAGS PING x").startswith("-ERR The command has no key")
    assert room(1, "COMMAND GETKEYSANDFLAGS SSUBSCRIBE x").startswith("-ERR The command has no")


Story = Callable[[ClientServer], Awaitable[None]]


def _run(story: Story, node: NodeDouble | None = None) -> None:
    async def told() -> None:
        keyspace = Keyspace()
        server = await serve_clients(node or NodeDouble(), keyspace, HOST, 0)
        try:
            async with asyncio.timeout(20):
                await story(server)
        finally:
            await server.close()
            keyspace.close()

    asyncio.run(told())


async def _exchange(server: ClientServer, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(data)
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


def test_requests_that_want_no_reply_get_none() -> None:
    async def story(server: ClientServer) -> None:
        lines = (
            "CLIENT REPLY OFF", "PING", "CLIENT REPLY SKIP", "CLIENT REPLY ON",
            "CLIENT REPLY SKIP", "ECHO a", "ECHO b", "CLIENT REPLY OFF", "FOO", "GET foo",
        )  # fmt: skip
        data = "".join(f"{line}\r\n" for line in lines).encode()
        assert await _exchange(server, data) == b"+OK\r\n$1\r\nb\r\n"

    _run(story)


def test_who_wants_no_reply_is_told_all_the_same_that_it_listens() -> None:
    async def story(server: ClientServer) -> None:
        data = b"CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nPING\r\nUNSUBSCRIBE\r\n"
        began = b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
        ended = b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"
        assert await _exchange(server, data) == began + ended

    _run(story)


@pytest.mark.parametrize(("mode", "reads"), [("WRITE", True), ("ALL", False)])
def test_a_pause_holds_back_what_it_says(mode: str, reads: bool) -> None:  # noqa: FBT001
    async def story(server: ClientServer) -> None:
        client: Any = Redis(host=HOST, port=server.port, decode_responses=True)
        assert await client.execute_command("CLIENT", "PAUSE", 60_000, mode)
        pause: Any = server.service.node.writes
        assert pause.active
        assert 0 < pause.left_ms <= 60_000
        read = asyncio.create_task(_exchange(server, b"GET bar\r\n"))
        write = asyncio.create_task(_exchange(server, b"SET bar 1\r\n"))
        publish = asyncio.create_task(_exchange(server, b"PUBLISH a x\r\n"))
        if reads:
            assert await read == b"$-1\r\n"
            await until(lambda: pause.waiting == 2)
            assert (await client.info("clients"))["blocked_clients"] == 2
            assert await client.execute_command("CLIENT", "UNPAUSE")
        else:
            pause.end_all()
        await write
        await publish
        await read
        assert not pause.active
        assert (pause.waiting, pause.left_ms) == (0, 0)
        await client.aclose()

    _run(story)


@pytest.mark.parametrize("rules", [REDIS_7_0, VALKEY_9_1], ids=lambda rules: rules.dialect)
def test_clients_with_a_password_are_served(rules: Any) -> None:
    node = NodeDouble()
    node.state = attrs.evolve(node.state, rules=rules)
    node.options = attrs.evolve(node.options, kept={"requirepass": SECRET})

    async def story(server: ClientServer) -> None:
        async with Redis(host=HOST, port=server.port, password=SECRET) as client:
            assert await client.set("bar", 1)
        async with Redis(host=HOST, port=server.port, protocol=3, password=SECRET) as client:
            assert await client.get("bar") == b"1"
        async with Redis(host=HOST, port=server.port) as client:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await client.get("bar")
        big = b"*2\r\n$4\r\nECHO\r\n$20000\r\n"
        answered = await _exchange(server, big)
        assert answered == b"-ERR Protocol error: unauthenticated bulk length\r\n"
        answered = await _exchange(server, b"*11\r\n")
        assert answered == b"-ERR Protocol error: unauthenticated multibulk length\r\n"

    _run(story, node)

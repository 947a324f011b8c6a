"""Those who watch a node: slow requests, how values are kept, and every request that is made.

Clauses: CM-99, CM-100, CM-101.
"""

from collections.abc import Iterator

import pytest

from reference.core.rules import DIALECTS
from tests.runtime.room import Room


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.service.keyspace.close()


# Keys of the tag "b" are in slots of the first master.
@pytest.mark.parametrize(
    ("dialect", "line", "expected"),
    [
        ("redis-7.0", "SET k{b} 123", "int"),
        ("redis-7.0", "SET k{b} x", "embstr"),
        ("redis-7.0", f"SET k{{b}} {'x' * 45}", "raw"),
        ("redis-7.0", "RPUSH k{b} a", "quicklist"),
        ("valkey-9.1", "RPUSH k{b} a", "listpack"),
        ("redis-7.0", "SADD k{b} 1 2", "intset"),
        ("redis-7.0", "SADD k{b} a", "hashtable"),
        ("valkey-9.1", "SADD k{b} a", "listpack"),
        ("redis-7.0", "ZADD k{b} 1 a", "listpack"),
        ("redis-7.0", f"ZADD k{{b}} 1 {'a' * 65}", "skiplist"),
        ("redis-7.0", "HSET k{b} a b", "listpack"),
        ("redis-7.0", f"HSET k{{b}} a {'b' * 65}", "hashtable"),
        ("redis-7.0", "XADD k{b} * a b", "stream"),
    ],
)
def test_encoding_is_the_servers(dialect: str, line: str, expected: str) -> None:
    room = Room(DIALECTS[dialect])
    room(1, line)

    assert room(1, "OBJECT ENCODING k{b}") == expected
    assert int(room(1, "MEMORY USAGE k{b}").removeprefix(":")) > 56


def test_nothing_is_told_of_a_key_that_is_not_there(room: Room) -> None:
    for line in ("OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME", "OBJECT REFCOUNT"):
        assert room(1, f"{line} k{{b}}") == "$-1"
    assert room(1, "MEMORY USAGE k{b}") == "$-1"
    assert room(1, "MEMORY USAGE k{b} SAMPLES -1") == "-ERR syntax error"


@pytest.mark.parametrize("command", ["SCAN", "SSCAN {b}s", "HSCAN {b}h", "ZSCAN {b}z"])
def test_a_scan_goes_on_from_a_cursor_alone(room: Room, command: str) -> None:
    for word in ("-1", "x", "1.5", "99999999999999999999"):
        assert room(1, f"{command} {word}") == "-ERR invalid cursor"


def test_no_module_is_loaded(room: Room) -> None:
    assert room(1, "MODULE LIST") == "*0"
    assert "LIST" in room(1, "MODULE HELP")
    assert room(1, "MODULE LOAD /x") == "-ERR unknown subcommand 'LOAD'. Try MODULE HELP."


def test_a_request_that_took_long_is_kept(room: Room) -> None:
    room(1, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2")
    room(1, "CLIENT SETNAME me")
    room(1, f"SET k{{b}} {'x' * 130}")
    room(1, f"DEL {' '.join(f'{n}{{b}}' for n in range(40))}")

    told = room(1, "SLOWLOG GET")
    assert told.startswith("*2 *6 :3 ")
    assert "... (10 more arguments)" in told
    assert "29{b}" in told
    assert "30{b}" not in told
    assert f"{'x' * 128}... (2 more bytes)" in told
    assert told.endswith("me")
    assert room(1, "SLOWLOG LEN") == ":2"
    room(1, "CONFIG SET slowlog-log-slower-than -1")
    assert room(1, "SLOWLOG RESET") == "+OK"
    assert room(1, "SLOWLOG GET -1") == "*0"
    assert room(1, "SLOWLOG GET -2") == "-ERR count should be greater than or equal to -1"


def test_who_watches_hears_what_others_do(room: Room) -> None:
    assert room(2, "MONITOR") == "+OK"

    room(1, 'SET k{b} a"b')
    room(1, "CONFIG GET port")
    room(1, "HELLO 2 AUTH default secret")
    heard = room.heard(2)

    assert heard.startswith("+")
    assert heard.endswith('[0 ] "SET" "k{b}" "a\\"b"')
    room.session(2).end()
    room(1, "GET k{b}")
    assert room.heard(2) == ""

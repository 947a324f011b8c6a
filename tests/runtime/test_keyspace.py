"""The data behind a node, and what we rely on of the engine that keeps it.

Clauses: CM-4, CM-5, CM-6.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import fakeredis
import pytest
from fakeredis._commands import SUPPORTED_COMMANDS
from fakeredis._socket import FakeSocket
from hypothesis import given
from hypothesis import strategies as st

from reference.core.slots import key_hash_slot
from reference.runtime.command_table.table import DATA_COMMANDS, table_of
from reference.runtime.data.keyspace import Keyspace, unknown_command
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.resp import ErrorReply, SimpleString

NEVER = (
    "dump", "restore", "restore-asking", "migrate", "eval", "evalsha", "eval_ro", "evalsha_ro",
    "fcall", "fcall_ro", "function", "script", "debug", "config", "acl", "client", "module",
    "save", "bgsave", "bgrewriteaof", "shutdown", "replicaof", "slaveof", "swapdb", "move",
    "select", "object", "blpop", "brpop", "blmove", "blmpop", "bzpopmin", "bzpopmax",
    "bzmpop", "brpoplpush", "subscribe", "psubscribe", "ssubscribe", "publish", "monitor", "multi",
    "exec", "watch", "wait", "auth", "hello", "reset", "quit", "json.set", "bf.add",
)  # fmt: skip


@pytest.fixture
def keyspace() -> Iterator[Keyspace]:
    keyspace = Keyspace()
    yield keyspace
    keyspace.close()


def _do(keyspace: Keyspace, request: str, protocol: int = 2) -> ClientReply:
    return keyspace.execute(request.encode().split(), protocol)


def test_engine_is_the_release_whose_private_parts_we_know() -> None:
    assert version("fakeredis").startswith("2.40."), (
        "fakeredis changed: read the contract tests below, then the pin in pyproject.toml"
    )


@pytest.mark.parametrize("name", ["_process_command", "_decode_result", "close"])
def test_engine_has_the_methods_we_use(name: str) -> None:
    assert callable(getattr(FakeSocket, name, None)), f"fakeredis has no FakeSocket.{name} any more"


def test_engine_puts_one_reply_for_each_command(keyspace: Keyspace) -> None:
    for engine in keyspace._engines.values():
        engine._process_command([b"set", b"k", b"v"])
        assert len(engine._replies) == 1, "fakeredis does not put one reply for one command"
        engine.take_reply()


def test_engine_keeps_keys_with_their_time_to_live(keyspace: Keyspace) -> None:
    _do(keyspace, "SET k v EX 1000")

    item = keyspace._server.dbs[0][b"k"]
    assert item.expireat > 0, "fakeredis keeps the time to live elsewhere"
    assert isinstance(keyspace._server.dbs[0], type(fakeredis.FakeServer(version=(7, 0)).dbs[0]))


def test_engine_knows_every_command_of_the_table() -> None:
    known = {name.partition(" ")[0] for name in SUPPORTED_COMMANDS}
    assert DATA_COMMANDS.keys() - known == set()


@pytest.mark.parametrize("name", NEVER)
def test_dangerous_blocking_and_stateful_commands_never_reach_the_engine(
    keyspace: Keyspace, name: str
) -> None:
    request = f"{name} a 0 b"

    assert name not in DATA_COMMANDS
    for spelling in (request, request.upper()):
        assert _do(keyspace, spelling) == unknown_command(spelling.encode().split())
    assert len(keyspace) == 0


@given(st.binary(max_size=12), st.lists(st.binary(max_size=3), max_size=3))
def test_nothing_but_the_table_reaches_the_engine(name: bytes, arguments: list[bytes]) -> None:
    if name.decode("latin-1").lower() not in DATA_COMMANDS:
        keyspace = Keyspace()

        assert keyspace.execute([name, *arguments]) == unknown_command([name, *arguments])
        keyspace.close()


def test_values_are_kept(keyspace: Keyspace) -> None:
    assert _do(keyspace, "SET k v") == SimpleString("OK")
    assert _do(keyspace, "get k") == b"v"
    assert _do(keyspace, "GET other") is None
    assert _do(keyspace, "MGET k other") == [b"v", None]
    assert _do(keyspace, "DEL k") == 1
    assert len(keyspace) == 0


@pytest.mark.parametrize(
    ("request_line", "reply"),
    [
        ("INCR n", 1),
        ("EXISTS k k none", 2),
        ("TYPE k", SimpleString("string")),
        ("TTL k", -1),
        ("HSET h f 1 g 2", 2),
        ("RPUSH l a b", 2),
        ("DBSIZE", 1),
        ("SCAN 0", [b"0", [b"k"]]),
        (
            "LPUSH k a",
            ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ),
        ("SET k v EX x", ErrorReply("ERR value is not an integer or out of range")),
        ("LMPOP 0 k LEFT", ErrorReply("ERR numkeys should be greater than 0")),
        ("FLUSHALL", SimpleString("OK")),
    ],
)
def test_replies_are_our_own_values(
    keyspace: Keyspace, request_line: str, reply: ClientReply
) -> None:
    _do(keyspace, "SET k v")

    assert _do(keyspace, request_line) == reply


def test_version_3_has_types_that_version_2_has_not(keyspace: Keyspace) -> None:
    for request in ("HSET h f 1", "SADD s m", "ZADD z 1.5 m"):
        _do(keyspace, request)

    assert _do(keyspace, "HGETALL h", 2) == [b"f", b"1"]
    assert _do(keyspace, "HGETALL h", 3) == {b"f": b"1"}
    assert _do(keyspace, "SMEMBERS s", 2) == [b"m"]
    assert _do(keyspace, "SMEMBERS s", 3) == SetReply([b"m"])
    assert _do(keyspace, "SPOP s 1", 3) == SetReply([b"m"])
    assert _do(keyspace, "ZSCORE z m", 2) == b"1.5"
    assert _do(keyspace, "ZSCORE z m", 3) == 1.5


def test_keys_that_have_expired_are_gone(keyspace: Keyspace) -> None:
    _do(keyspace, "SET k v")
    _do(keyspace, "SET other v EX 1000")
    _do(keyspace, "PEXPIREAT k 1")

    assert len(keyspace) == 1
    assert keyspace.expires_count() == 1
    assert keyspace.keys_in_slot(key_hash_slot(b"k")) == []


def test_keys_of_a_slot_come_in_order_up_to_the_limit(keyspace: Keyspace) -> None:
    _do(keyspace, "MSET {t}b 1 {t}a 1 {t}c 1 other 1")
    slot = key_hash_slot(b"t")

    assert keyspace.keys_in_slot(slot) == [b"{t}a", b"{t}b", b"{t}c"]
    assert keyspace.keys_in_slot(slot, 2) == [b"{t}a", b"{t}b"]
    assert keyspace.keys_in_slot(slot + 1) == []


def test_flaw_of_the_engine_is_an_error_reply(
    keyspace: Keyspace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fields: list[bytes]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(keyspace._engines[2], "_process_command", fail)

    assert _do(keyspace, "GET k") == ErrorReply("ERR the data engine failed at this command")
    assert "the data engine failed at get" in caplog.text
    assert _do(keyspace, "GET k", 3) is None


def test_unknown_command_is_answered_as_servers_do() -> None:
    long_name, first, second = b"x" * 200, b"y" * 100, b"z" * 100

    assert unknown_command([b"FOO", b"bar", b"baz"]) == ErrorReply(
        "ERR unknown command 'FOO', with args beginning with: 'bar' 'baz' "
    )
    assert unknown_command([long_name, first, second, b"q"]) == ErrorReply(
        f"ERR unknown command '{'x' * 128}', with args beginning with: '{'y' * 100}' '{'z' * 25}' "
    )


def test_table_has_no_name_twice() -> None:
    assert len(table_of("redis-7.0").commands) > len(DATA_COMMANDS)
    assert not {"cluster", "info", "command", "ping"} & DATA_COMMANDS.keys()


def test_a_start_does_not_wait_for_the_engine() -> None:
    """The engine takes longer to import than all else, and nobody has asked for data yet."""
    modules = "sys, reference.runtime.command_line, reference.runtime.server"
    program = (
        f"import {modules}; print(sorted({{'fakeredis', 'redis', 'numpy'}} & {{*sys.modules}}))"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert told.stdout == b"[]\n"


def test_data_that_nobody_has_asked_for_is_not_there() -> None:
    keyspace = Keyspace()
    keyspace.follows(master=True)
    keyspace.expire()

    assert (len(keyspace), keyspace.changes, keyspace.is_open) == (0, 0, False)
    assert keyspace.obeys_master
    assert keyspace.database().follows
    assert keyspace.is_open

    keyspace.follows(master=False)
    assert not keyspace.database().follows


def test_data_that_nobody_has_asked_for_can_be_closed() -> None:
    keyspace = Keyspace()

    keyspace.close()

    assert not keyspace.is_open

"""Functions: what can be loaded, what they may do, and where they go.

Errors are those of Redis 7.0.15, taken from a running server.

Clauses: RP-10, RP-11, RP-14, RP-15, RE-23.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.core.rules import REDIS_7_0
from reference.runtime.commands.dispatch import execute, writes
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.libraries import LibraryError
from reference.runtime.options import NodeOptions
from reference.runtime.replication.stream import Follower
from reference.runtime.replies import ClientReply
from reference.runtime.saving.append_log import AppendLog
from reference.runtime.saving.data_file import load_file
from reference.wire.rdb_dump import with_footer
from reference.wire.rdb_strings import format_string
from reference.wire.resp import OK, ErrorReply, SimpleString, encode_reply
from tests.runtime.room import Room

Ask = Callable[..., ClientReply]
LIB = """#!lua name=lib
local seen = 0
redis.register_function('echo', function(keys, args) return {keys[1], args[1]} end)
redis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)
redis.register_function('count', function() seen = seen + 1 return seen end)
redis.register_function{function_name='look', flags={'no-writes'}, description='reads',
  callback=function(keys) return redis.call('get', keys[1]) end}
redis.register_function{function_name='only', flags={'no-writes'},
  callback=function(keys) return redis.call('set', keys[1], 1) end}
redis.register_function{function_name='alone', flags={'no-cluster'}, callback=function() end}
redis.register_function('bad', function() error('boom') end)
redis.register_function('late', function() redis.register_function('x', function() end) end)
redis.register_function('keep', function() kept = 1 end)
redis.register_function('cross', function(keys, args) return redis.call('get', args[1]) end)
redis.register_function('long', function() while true do end end)
"""
OTHER = "#!lua name=other\nredis.register_function('else', function() return 1 end)"
MINE, ALSO_MINE = "bar", "hello"


@pytest.fixture
def room() -> Room:
    made = Room(REDIS_7_0)
    made.node.options = attrs.evolve(made.node.options, node_timeout_ms=3_600_000)
    return made


@pytest.fixture
def ask(room: Room) -> Ask:
    return asker(room)


def asker(room: Room) -> Ask:
    def ask(*words: str | bytes) -> ClientReply:
        raw = [word if isinstance(word, bytes) else word.encode() for word in words]
        return execute(room.session(1), raw)

    return ask


def told(reply: ClientReply) -> str:
    assert isinstance(reply, ErrorReply), reply
    return reply.text


def names(ask: Ask) -> list[Any]:
    listed: Any = ask("FUNCTION", "LIST")
    return [each["library_name"] for each in listed]


def test_functions_are_called_by_name_in_any_case(ask: Ask, room: Room) -> None:
    assert ask("FUNCTION", "LOAD", LIB) == "lib"

    assert ask("FCALL", "echo", "1", MINE, "v") == [b"bar", b"v"]
    assert ask("FCALL", "PUT", "1", MINE, "v") == OK
    assert ask("FCALL", "look", "1", MINE) == ask("FCALL_RO", "look", "1", MINE) == b"v"
    assert [ask("FCALL", "count", "0") for _ in range(2)] == [1, 2]
    assert writes(room.session(1), [b"FCALL", b"x", b"0"])
    assert not writes(room.session(1), [b"FCALL_RO", b"x", b"0"])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("FCALL nope 0", "ERR Function not found"),
        ("FCALL echo x", "ERR Bad number of keys provided"),
        ("FCALL echo ²", "ERR Bad number of keys provided"),
        ("FCALL echo -1", "ERR Number of keys can't be negative"),
        ("FCALL echo 3 a", "ERR Number of keys can't be greater than number of args"),
        ("FCALL_RO put 1 bar 1", "ERR Can not execute a script with write flag using *_ro"),
        ("FCALL only 1 bar", "ERR Write commands are not allowed from read-only scripts."),
        ("FCALL alone 0", "ERR Can not run script on cluster, 'no-cluster' flag is set."),
        ("FCALL bad 0", "ERR user_function:11: boom script: bad, on @user_function:11."),
        ("FCALL late 0", "ERR user_function:12: attempt to call field 'register_function'"),
        ("FCALL keep 0", "ERR user_function:13: Attempt to modify a readonly table"),
        ("FCALL cross 1 bar hello", "ERR Script attempted to access keys that do not hash to the"),
        ("FCALL put 1 foo 1", "MOVED "),
        ("FUNCTION DELETE nope", "ERR Library not found"),
        ("FUNCTION FLUSH FOO", "ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
        ("FUNCTION FLUSH SYNC x", "ERR unknown subcommand or wrong number of arguments for"),
        ("FUNCTION LIST FOO", "ERR Unknown argument FOO"),
        ("FUNCTION LIST WITHCODE WITHCODE", "ERR Unknown argument WITHCODE"),
        ("FUNCTION LIST LIBRARYNAME", "ERR library name argument was not given"),
        ("FUNCTION LOAD REPLACE", "ERR Missing library metadata"),
        ("FUNCTION LOAD FOO x", "ERR Unknown option given: FOO"),
        ("FUNCTION RESTORE x", "ERR DUMP payload version or checksum are wrong"),
        ("FUNCTION RESTORE x FOO", "ERR Wrong restore policy given, value should be either"),
        ("FUNCTION KILL", "NOTBUSY No scripts in execution right now."),
    ],
)  # fmt: skip
def test_what_cannot_be_called(ask: Ask, line: str, error: str) -> None:
    ask("FUNCTION", "LOAD", LIB)

    assert told(ask(*line.split())).startswith(error)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return 1", "Missing library metadata"),
        ("#!lua name=x", "Invalid library metadata"),
        ("#!lua\n", "Library name was not given"),
        ("#!lua name=\n", "Library names can only contain letters, numbers, or underscores(_)"),
        ("#!lua name=a-b\n", "Library names can only contain letters"),
        ("#!lua foo=1\n", "Invalid metadata value given: foo=1"),
        ("#!lua name=a name=b\n", "Invalid metadata value, name argument was given multiple times"),
        ("#!js name=x\n", "Engine 'js' not found"),
        ("#! name=x\n", "Engine '' not found"),
        ("#!lua name=x\nreturn 1", "No functions registered"),
        ("#!lua name=lib\nreturn 1", "Library 'lib' already exists"),
        ("#!lua name=x\nsyntax error",
         "Error compiling function: user_function:2: '=' expected near 'error'"),
        ("#!lua name=x\nx = 1", "Error registering functions: ERR user_function:2: Attempt to"),
        ("#!lua name=x\nredis.call()", "Error registering functions: ERR user_function:2: Script"),
        ("#!lua name=x\nprint(1)", "Error registering functions: ERR user_function:2: Script"),
        ("#!lua name=x\nwhile true do end", "Error registering functions: ERR the script ran for"),
        ("#!lua name=x\nredis.register_function('echo', function() end)",
         "Function echo already exists"),
    ],
)  # fmt: skip
def test_what_is_no_library(ask: Ask, code: str, error: str) -> None:
    ask("FUNCTION", "LOAD", LIB)

    assert told(ask("FUNCTION", "LOAD", code)).startswith(f"ERR {error}")
    assert names(ask) == ["lib"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("()", "wrong number of arguments to redis.register_function"),
        ("(1, 2, 3)", "wrong number of arguments to redis.register_function"),
        ("('f')", "calling redis.register_function with a single argument is only applicable"),
        ("('f', 1)", "second argument to redis.register_function must be a function"),
        ("({}, function() end)", "first argument to redis.register_function must be a string"),
        ("('a b', function() end)", "Library names can only contain letters"),
        ("('f', function() end) redis.register_function('F', function() end)",
         "Function already exists in the library"),
        ("{function_name='f'}", "redis.register_function must get a callback argument"),
        ("{callback=function() end}", "redis.register_function must get a function name argument"),
        ("{function_name={}, callback=function() end}",
         "function_name argument given to redis.register_function must be a string"),
        ("{function_name='f', callback=1}",
         "callback argument given to redis.register_function must be a function"),
        ("{function_name='f', callback=function() end, description={}}",
         "description argument given to redis.register_function must be a string"),
        ("{function_name='f', callback=function() end, flags='x'}",
         "flags argument to redis.register_function must be a table representing function flags"),
        ("{function_name='f', callback=function() end, flags={'x'}}", "unknown flag given"),
        ("{function_name='f', callback=function() end, x=1}",
         "unknown argument given to redis.register_function"),
    ],
)  # fmt: skip
def test_what_cannot_be_registered(ask: Ask, words: str, error: str) -> None:
    reply = ask("FUNCTION", "LOAD", f"#!lua name=x\nredis.register_function{words}")

    assert told(reply).startswith(f"ERR Error registering functions: ERR {error}")


def test_they_are_listed_counted_and_removed(ask: Ask) -> None:
    ask("FUNCTION", "LOAD", LIB)
    ask("FUNCTION", "LOAD", OTHER)
    only: Any = ask("FUNCTION", "LIST", "WITHCODE", "LIBRARYNAME", "OTH*")

    assert [(each["library_name"], each["library_code"]) for each in only] == [
        ("other", OTHER.encode())
    ]
    assert [each["name"] for each in only[0]["functions"]] == ["else"]
    stats: Any = ask("FUNCTION", "STATS")
    assert stats["engines"]["LUA"] == {"libraries_count": 2, "functions_count": 12}
    assert ask("FUNCTION", "DELETE", "lib") == OK
    assert told(ask("FCALL", "count", "0")) == "ERR Function not found"
    assert ask("FUNCTION", "FLUSH", "async") == OK
    assert names(ask) == []
    lines: Any = ask("FUNCTION", "HELP")
    assert lines[0] == SimpleString(
        "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    )


def test_another_takes_the_place_of_a_library(ask: Ask) -> None:
    ask("FUNCTION", "LOAD", LIB)
    ask("FCALL", "count", "0")

    assert ask("FUNCTION", "LOAD", "REPLACE", LIB) == "lib"

    assert ask("FCALL", "count", "0") == 1


def test_a_function_without_an_end_is_ended(ask: Ask, room: Room) -> None:
    room.node.options = attrs.evolve(room.node.options, kept={"busy-reply-threshold": "100"})
    ask("FUNCTION", "LOAD", LIB)

    assert "ran for too long" in told(ask("FCALL", "long", "0"))


def test_what_is_dumped_can_be_restored(ask: Ask) -> None:
    ask("FUNCTION", "LOAD", LIB)
    both: Any = ask("FUNCTION", "DUMP")
    ask("FUNCTION", "LOAD", OTHER)

    assert told(ask("FUNCTION", "RESTORE", both)) == "ERR Library 'lib' already exists"
    assert ask("FUNCTION", "RESTORE", both, "REPLACE") == OK
    assert sorted(names(ask)) == ["lib", "other"]
    assert ask("FUNCTION", "RESTORE", both, "FLUSH") == OK
    assert names(ask) == ["lib"]
    ask("FUNCTION", "FLUSH")
    assert ask("FUNCTION", "RESTORE", both) == OK
    assert ask("FCALL", "count", "0") == 1


def test_nothing_of_a_payload_is_kept_if_part_of_it_is_wrong(ask: Ask) -> None:
    def body(code: str) -> bytes:
        return b"\xf5" + format_string(code.encode())

    made = "#!lua name={}\nlocal f=function() end redis.register_function('f',f)"
    for wrong in ("x", made.format("b")):
        payload = with_footer(body(made.format("a")) + body(wrong))
        assert told(ask("FUNCTION", "RESTORE", payload)).startswith("ERR ")
    for bad in (b"\xf6", b"\x00"):
        assert told(ask("FUNCTION", "RESTORE", with_footer(bad))).startswith("ERR ")
    assert names(ask) == []
    assert ask("FUNCTION", "RESTORE", with_footer(body(made.format("a")))) == OK


def test_replicas_and_files_have_them(ask: Ask, room: Room, tmp_path: Path) -> None:
    heard: list[Any] = []
    room.service.keyspace.listener = heard.append
    room.node.options = attrs.evolve(room.node.options, directory=tmp_path)
    ask("FUNCTION", "LOAD", LIB)
    payload: Any = ask("FUNCTION", "DUMP")
    ask("FUNCTION", "RESTORE", payload, "FLUSH")
    ask("FUNCTION", "LOAD", OTHER)
    ask("FUNCTION", "DELETE", "other")
    ask("FUNCTION", "LOAD", OTHER)
    stream = b"".join(encode_reply(request) for requests in heard for request in requests)
    assert ask("SAVE") == OK

    replica, loaded = Keyspace(), Keyspace()
    Follower(replica, 0).take(stream)
    load_file(loaded, room.node.options, master=True)

    codes = room.service.keyspace.libraries.codes
    assert replica.libraries.codes == loaded.libraries.codes == codes
    assert codes == (LIB.encode(), OTHER.encode())
    fresh = Keyspace()
    fresh.replace(replica)
    assert fresh.libraries.codes == codes


def test_what_masters_send_of_functions_is_understood(ask: Ask) -> None:
    ask("FUNCTION", "LOAD", LIB)
    payload: Any = ask("FUNCTION", "DUMP")
    keyspace, seen = Keyspace(), list[int]()

    for words in ([b"LOAD", OTHER.encode()], [b"RESTORE", payload, b"FLUSH"],
                  [b"RESTORE", payload, b"REPLACE"], [b"FLUSH", b"ASYNC"]):  # fmt: skip
        Follower(keyspace, 0).take(encode_reply([b"FUNCTION", *words]))
        seen.append(len(keyspace.libraries))

    assert seen == [1, 1, 1, 0]


@pytest.mark.parametrize("words", [[], [b"LOAD"], [b"FOO"], [b"RESTORE", b"x"], [b"LOAD", b"x"]])
def test_a_stream_with_what_is_no_function_ends(words: list[bytes]) -> None:
    with pytest.raises(ReplicationError, match="FUNCTION cannot be carried out here"):
        Follower(Keyspace(), 0).take(encode_reply([b"FUNCTION", *words]))


def test_a_replica_runs_what_its_master_has(ask: Ask, room: Room) -> None:
    ask("FUNCTION", "LOAD", LIB)
    ask("FCALL", "count", "0")

    Follower(room.service.keyspace, 0).take(encode_reply([b"FUNCTION", b"LOAD", OTHER.encode()]))

    assert ask("FCALL", "else", "0") == 1
    assert ask("FCALL", "count", "0") == 2
    broken = b"#!lua name=lib\nnot lua"
    Follower(room.service.keyspace, 0).take(
        encode_reply([b"FUNCTION", b"LOAD", b"REPLACE", broken])
    )
    assert told(ask("FCALL", "count", "0")) == "ERR Function not found"
    assert sorted(names(ask)) == ["lib", "other"]


def test_the_append_only_file_has_them(tmp_path: Path) -> None:
    options = NodeOptions(port=7000, cport=17000, directory=tmp_path, kept={"appendonly": "yes"})

    async def codes(change: bool) -> tuple[bytes, ...]:  # noqa: FBT001
        keyspace = Keyspace()
        log = AppendLog(options, keyspace)
        log.load()
        if change:
            Follower(keyspace, 0).take(encode_reply([b"FUNCTION", b"LOAD", OTHER.encode()]))
            log.rewrite()
            assert log._task is not None
            await log._task
            Follower(keyspace, 0).take(encode_reply([b"FUNCTION", b"LOAD", LIB.encode()]))
        found = keyspace.libraries.codes
        await log.close()
        return found

    assert asyncio.run(codes(change=True)) == asyncio.run(codes(change=False)) != ()


def test_without_lua_an_error_says_what_is_missing(
    ask: Ask, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lupa", None)

    assert "pip install 'slotproof[lua]'" in told(ask("FUNCTION", "LOAD", LIB))
    room.service.keyspace.libraries.apply([b"FUNCTION", b"LOAD", OTHER.encode()])
    assert "pip install 'slotproof[lua]'" in told(ask("FCALL", "else", "0"))
    with pytest.raises(LibraryError):
        room.service.keyspace.libraries.apply([b"FUNCTION", b"LOAD", b"x"])

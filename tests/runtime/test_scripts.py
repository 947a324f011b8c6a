"""Scripts: what they are answered, what they may reach, and what is left of them.

Errors are those of Redis 7.0.15, taken from a running server.

Clauses: RP-10, RP-11, RP-12, RP-13, RP-17.
"""

import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import key_hash_slot
from reference.core.types import NodeId
from reference.runtime.commands.dispatch import execute, writes
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply, SimpleString
from tests.runtime.node_double import MASTERS
from tests.runtime.room import Room

Ask = Callable[..., ClientReply]
MINE, ALSO_MINE, OTHERS = "bar", "hello", "foo"


@pytest.fixture
def room() -> Room:
    made = Room(REDIS_7_0)
    made.node.options = attrs.evolve(made.node.options, node_timeout_ms=3_600_000)
    return made


def limit(room: Room, milliseconds: int) -> None:
    """Scripts may run for so long."""
    kept = {"busy-reply-threshold": str(milliseconds)}
    room.node.options = attrs.evolve(room.node.options, kept=kept)


@pytest.fixture
def ask(room: Room) -> Ask:
    def ask(*words: str) -> ClientReply:
        return execute(room.session(1), [word.encode() for word in words])

    return ask


def told(reply: ClientReply) -> str:
    """The text of the error, without the name of the script."""
    assert isinstance(reply, ErrorReply), reply
    return reply.text.partition(" script: ")[0]


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("return {1, 2.7, 'x', true, false, nil, 3}", [1, 2, b"x", 1, None]),
        ("return {1,{ok='fine'},{err='ERR bad'}}",
         [1, SimpleString("fine"), ErrorReply("ERR bad")]),
        ("return redis.status_reply('HI')", SimpleString("HI")),
        ("return redis.error_reply('MY ERR')", ErrorReply("MY ERR")),
        ("return redis.error_reply('oneword')", ErrorReply("ERR oneword")),
        ("return redis.sha1hex('')", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("return {KEYS[1], ARGV[1], #KEYS, #ARGV}", [b"bar", b"v", 1, 1]),
        ("return redis.call('set', KEYS[1], 7)", SimpleString("OK")),
        ("redis.call('rpush', KEYS[1], 1, 'x') return redis.call('lrange', KEYS[1], 0, -1)",
         [b"1", b"x"]),
        ("return type(redis.call('get', KEYS[1]))", b"boolean"),
        ("return redis.call('incr', KEYS[1]) + 1", 2),
        ("return redis.pcall('nope').err", b"ERR Unknown Redis command called from script"),
        ("return cjson.encode({1, {a = 'x\\n'}, true, cjson.null})",
         b'[1,{"a":"x\\n"},true,null]'),
        ("return cjson.decode('[1,{\"a\":[\"z\",null]}]')[2].a[1]", b"z"),
        ("return cjson.decode('[null]')[1] == cjson.null", 1),
        ("return {pcall(error, 'x')}", [None, b"x"]),
        ("return select(2, xpcall(function() error({err='E'}) end, function(e) return e.err end))",
         b"E"),
        ("return loadstring('return 5')()", 5),
        ("return {('ab'):rep(3), ('x'):rep(0), ('x'):rep(-1), ('x'):rep(2.7), #('xyz'):rep(9999)}",
         [b"ababab", b"", b"", b"xx", 29997]),
        ("return string.rep(12, 2)", b"1212"),
    ],
)  # fmt: skip
def test_what_a_script_returns(ask: Ask, code: str, reply: ClientReply) -> None:
    assert ask("EVAL", code, "1", MINE, "v") == reply


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return x",
         "ERR user_script:1: Script attempted to access nonexistent global variable 'x'"),
        ("x=1", "ERR user_script:1: Attempt to modify a readonly table"),
        ("string.x=1", "ERR user_script:1: Attempt to modify a readonly table"),
        ("rawset(redis, 'call', 1)", "ERR user_script:1: Attempt to modify a readonly table"),
        ("setmetatable(string, {})", "ERR user_script:1: Attempt to modify a readonly table"),
        ("return redis.call('nope')", "ERR Unknown Redis command called from script"),
        ("return redis.call('get')", "ERR Wrong number of args calling Redis command from script"),
        ("return redis.call('eval','return 1',0)", "ERR This Redis command is not allowed from"),
        ("return redis.call('subscribe','x')", "ERR This Redis command is not allowed from script"),
        ("return redis.call('blpop',KEYS[1],0)", "ERR This Redis command is not allowed from"),
        ("return redis.call('migrate','','0','bar','0','1')", "ERR This Redis command is not"),
        ("return redis.call('function','dump')", "ERR This Redis command is not allowed from"),
        ("return redis.call()", "ERR Please specify at least one argument for this redis lib call"),
        ("return redis.call({})",
         "ERR Lua redis lib command arguments must be strings or integers"),
        ("error('boom')", "ERR user_script:1: boom"),
        ("error({err='MY boom'})", "MY boom"),
        ("syntax error here",
         "ERR Error compiling script (new function): user_script:1: '=' expected near 'error'"),
        ("redis.call('set',KEYS[1],1) return redis.call('lpush',KEYS[1],1)",
         "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("return redis.setresp(3)", "ERR scripts are answered in version 2 of the protocol"),
        ("return ('x'):rep(2000000000)", "ERR resulting string too large"),
        ("return string.rep('ab', 2^25)", "ERR resulting string too large"),
        ("return string.rep({}, 1)", "ERR bad argument to 'rep'"),
        ("local t = {} for n = 1, 2000 do t[n] = ('x'):rep(1000000) end return table.concat(t)",
         "ERR not enough memory"),
        ("return loadstring('\\27Lua')()", "ERR user_script:1: attempt to call a nil value"),
        ("#!lua flags=nope\nreturn 1", "ERR Unexpected flag in script shebang: nope"),
        ("#!lua flags=no-cluster\nreturn 1",
         "ERR Can not run script on cluster, 'no-cluster' flag is set."),
        ("#!js\nreturn 1", "ERR Unexpected engine in script shebang: js"),
        ("#!lua name=x\nreturn 1", "ERR Unknown lua shebang option: name=x"),
        ("#!lua flags=no-writes\nreturn redis.call('set',KEYS[1],1)",
         "ERR Write commands are not allowed from read-only scripts."),
    ],
)  # fmt: skip
def test_the_errors_of_scripts(ask: Ask, code: str, error: str) -> None:
    assert told(ask("EVAL", code, "1", MINE)).startswith(error)


@pytest.mark.parametrize(
    "code", ["error('x')", "redis.call('GET', 'bar')", "return 1", "while true do end"]
)
def test_what_a_script_returns_is_taken_as_it_is(ask: Ask, room: Room, code: str) -> None:
    limit(room, 60_000)
    table = f"setmetatable({{1}}, {{__index = function() {code} end}})"

    assert ask("EVAL", f"return {table}", "0") == [1]
    assert told(ask("EVAL", f"error({table})", "0")).startswith("ERR unknown error")


def test_a_script_that_takes_all_memory_leaves_it_to_the_next(ask: Ask) -> None:
    greedy = "local t = {} for n = 1, 2000 do t[n] = ('x'):rep(1000000) .. n end return #t"

    for _ in range(2):
        assert told(ask("EVAL", greedy, "0")) == "ERR not enough memory"
        assert ask("EVAL", "return #('x'):rep(1000000)", "0") == 1000000


def test_an_error_says_where_it_is(ask: Ask) -> None:
    reply = ask("EVAL", "local a = 1\nlocal b = redis.call('nope')\nreturn b", "0")

    assert isinstance(reply, ErrorReply)
    assert reply.text.endswith(", on @user_script:2.")


@pytest.mark.parametrize("name", ["python", "debug", "io", "require", "dofile", "newproxy", "_G"])
def test_there_is_no_way_out(ask: Ask, name: str) -> None:
    assert "nonexistent global" in told(ask("EVAL", f"return {name}", "0"))
    for found in ("os.execute", "string.dump", "('x').dump", "getmetatable('')"):
        assert ask("EVAL", f"return type({found})", "0") == b"nil"


def test_keys_of_other_nodes_are_out_of_reach_declared_or_not(ask: Ask, room: Room) -> None:
    get = "return redis.call('get', ARGV[1])"

    assert told(ask("EVAL", "return 1", "1", OTHERS)).startswith("MOVED ")
    assert told(ask("EVAL", "return 1", "2", MINE, ALSO_MINE)).startswith("CROSSSLOT")
    assert told(ask("EVAL", get, "0", OTHERS)) == (
        "ERR Script attempted to access a non local key in a cluster node"
    )
    assert ask("EVAL", get, "1", MINE, ALSO_MINE) is None
    crossing = ask("EVAL", f"#!lua\n{get}", "1", MINE, ALSO_MINE)
    assert told(crossing).endswith("access keys that do not hash to the same slot")
    assert ask("EVAL", f"#!lua flags=allow-cross-slot-keys\n{get}", "1", MINE, ALSO_MINE) is None
    room.service.moves._keys.add(ALSO_MINE.encode())
    assert "on its way elsewhere" in told(ask("EVAL", get, "1", MINE, ALSO_MINE))


def test_a_key_that_has_left_an_open_slot_is_out_of_reach(ask: Ask) -> None:
    slot = str(key_hash_slot(MINE.encode()))
    assert ask("CLUSTER", "SETSLOT", slot, "MIGRATING", NodeId(MASTERS[1])) == SimpleString("OK")

    assert "non local key" in told(ask("EVAL", f"return redis.call('get','{MINE}')", "0"))


def test_what_a_script_does_is_one_change_of_commands(ask: Ask, room: Room) -> None:
    heard: list[Any] = []
    room.service.keyspace.listener = heard.append
    code = """
        redis.call('set', KEYS[1], ARGV[1])
        redis.call('expire', KEYS[1], 100)
        redis.call('get', KEYS[1])
        return redis.call('nope')
    """

    ask("EVAL", code, "1", MINE, "v")

    [[stored, dated]] = heard
    assert stored == [b"SET", MINE.encode(), b"v"]
    assert dated[:2] == [b"PEXPIREAT", MINE.encode()]


def test_scripts_wait_for_a_pause_of_writes_unless_they_only_read(room: Room) -> None:
    session = room.session(1)

    assert writes(session, [b"EVAL", b"return 1", b"0"])
    assert writes(session, [b"EVALSHA", b"x", b"0"])
    assert not writes(session, [b"EVAL_RO", b"return 1", b"0"])


def test_a_script_that_only_reads(ask: Ask) -> None:
    assert ask("EVAL_RO", "return redis.call('get', KEYS[1])", "1", MINE) is None
    assert "read-only scripts" in told(ask("EVAL_RO", "return redis.call('del', 'bar')", "0"))


def test_scripts_are_known_by_name_until_they_are_forgotten(ask: Ask) -> None:
    name = "59b6ab2fbe0ee4b25733de0f62e6cda4899ef8e9"
    no_script = "NOSCRIPT No matching script. Please use EVAL."

    assert told(ask("EVALSHA", name, "0")) == no_script
    assert ask("SCRIPT", "LOAD", "return 7") == name
    assert ask("EVALSHA", name.upper(), "0") == 7
    assert ask("EVALSHA_RO", name, "0") == 7
    assert ask("SCRIPT", "EXISTS", name, "abc") == [1, 0]
    assert "Error compiling" in told(ask("SCRIPT", "LOAD", "syn tax"))
    assert told(ask("SCRIPT", "FLUSH", "now")) == "ERR SCRIPT FLUSH only support SYNC|ASYNC option"
    assert ask("SCRIPT", "FLUSH", "async") == SimpleString("OK")
    assert told(ask("EVALSHA", name, "0")) == no_script
    assert told(ask("SCRIPT", "KILL")) == "NOTBUSY No scripts in execution right now."


def test_numbers_of_keys_that_cannot_be(ask: Ask) -> None:
    assert told(ask("EVAL", "return 1", "-1")) == "ERR Number of keys can't be negative"
    too_many = "ERR Number of keys can't be greater than number of args"
    assert told(ask("EVAL", "return 1", "3", "a")) == too_many
    assert told(ask("EVAL", "return 1", "x")) == "ERR value is not an integer or out of range"


@pytest.mark.parametrize(
    "code",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local h = function() while true do end end while true do xpcall(h, h) end",
        "local function f() return f() end f()",
        "while true do redis.pcall('get', 'bar') end",
    ],
)
def test_a_script_without_an_end_is_ended_and_what_it_did_stays(
    ask: Ask, room: Room, code: str
) -> None:
    limit(room, 100)
    begun = f"redis.call('set', 'bar', 'v') {code}"

    assert told(ask("EVAL", begun, "0")) == "ERR the script ran for too long and was ended"
    assert ask("GET", "bar") == b"v"
    limit(room, 5000)
    assert ask("EVAL", "return 1", "0") == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "code",
    [
        "return ('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30))",
        "return ('a'):rep(9999):match(('.-'):rep(20) .. 'b')",
        "return ('a'):rep(9999):gsub(('a*'):rep(20) .. 'b', 'x')",
        "return ('a'):rep(99):gsub(('a*'):rep(20) .. 'b', function() return 'x' end)",
        "for _ in ('a'):rep(9999):gmatch(('(a+)'):rep(20) .. '%1b') do end",
        "while true do pcall(string.find, ('('):rep(9999), ('%b()'):rep(9) .. ('.?'):rep(99)) end",
        "return ('a'):rep(2^24):find(('a'):rep(2^23) .. 'b', 1, true)",
        "local long = ('a'):rep(2^24) while true do long:upper() end",
    ],
)
def test_no_single_call_of_luas_own_keeps_a_script_from_its_end(
    ask: Ask, room: Room, code: str
) -> None:
    limit(room, 50)

    assert told(ask("EVAL", code, "0")) == "ERR the script ran for too long and was ended"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return 1 + ('x'):find(nil)",
         "ERR user_script:1: bad argument #2 to 'find' (string expected, got no value)"),
        ("return 1 + ('x'):find('[a')",
         "ERR user_script:1: malformed pattern (missing ']')"),
        ("return 1 + ('x'):rep(9999):find(('.-'):rep(9) .. '[a')",
         "ERR user_script:1: malformed pattern (missing ']')"),
        ("return 1 + table.concat({{}})",
         "ERR user_script:1: invalid value (table) at index 1 in table for 'concat'"),
        ("local t = {} for n = 1, 2000 do t[n] = n % 2 == 0 and 1 or 'x' end table.sort(t)",
         "ERR user_script:1: attempt to compare"),
        ("('x'):gsub('x', function() error('boom') end)", "ERR user_script:1: boom"),
    ],
)  # fmt: skip
def test_errors_of_luas_own_are_where_the_script_has_called_it(
    ask: Ask, code: str, error: str
) -> None:
    assert told(ask("EVAL", code, "0")).startswith(error)


def test_no_script_runs_for_longer_than_half_of_the_node_timeout(ask: Ask, room: Room) -> None:
    limit(room, 3_600_000)
    room.node.options = attrs.evolve(room.node.options, node_timeout_ms=200)

    assert "too long" in told(ask("EVAL", "while true do end", "0"))


def test_scripts_are_commands_of_a_transaction_too(ask: Ask) -> None:
    ask("MULTI")
    assert ask("EVAL", "return redis.call('incr', KEYS[1])", "1", MINE) == SimpleString("QUEUED")

    assert ask("EXEC") == [1]


def test_without_lua_an_error_says_what_is_missing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lupa", None)

    assert "pip install 'slotproof[lua]'" in told(ask("EVAL", "return 1", "0"))
    assert "pip install 'slotproof[lua]'" in told(ask("SCRIPT", "LOAD", "return 1"))
    assert told(ask("EVALSHA", "abc", "0")).startswith("NOSCRIPT")


READS, SAYS_NOTHING, WRITES = "#!lua flags=no-writes\nreturn 7", "return 7", "#!lua\nreturn 7"


@pytest.mark.parametrize("name", ["EVAL", "EVAL_RO"])
def test_a_replica_sends_scripts_that_may_write_to_its_master(name: str) -> None:
    room = Room(REDIS_7_0, replica=True)

    def ask(*words: str) -> ClientReply:
        return execute(room.session(1), [word.encode() for word in words])

    ask("READONLY")
    assert ask(name, SAYS_NOTHING, "1", MINE) == ask(name, READS, "1", MINE) == 7
    for _ in range(2):
        assert told(ask(name, WRITES, "1", MINE)).startswith("MOVED ")
        assert ask(name, READS, "1", MINE) == 7
    assert told(ask(name, WRITES, "0")) == "READONLY You can't write against a read only replica."
    assert ask(name, READS, "0") == 7


def test_a_script_is_known_by_its_name_too() -> None:
    room = Room(REDIS_7_0, replica=True)

    def ask(*words: str) -> ClientReply:
        return execute(room.session(1), [word.encode() for word in words])

    ask("READONLY")
    unknown = ask("EVALSHA", "0" * 40, "1", MINE)
    sha = ask("SCRIPT", "LOAD", WRITES)

    assert told(unknown).startswith("NOSCRIPT ")
    assert isinstance(sha, str)
    assert told(ask("EVALSHA", sha, "1", MINE)).startswith("MOVED ")
    ask("MULTI")
    assert told(ask("EVALSHA", sha, "1", MINE)).startswith("MOVED ")


def test_a_script_that_may_write_is_not_run_as_one_that_reads(ask: Ask) -> None:
    assert told(ask("EVAL_RO", WRITES, "0")) == (
        "ERR Can not execute a script with write flag using *_ro command."
    )
    assert ask("EVAL", WRITES, "0") == 7


@pytest.mark.parametrize(
    ("rules", "words", "reply"),
    [
        (REDIS_7_0, "'blpop', KEYS[1], 0", "ERR This Redis command is not allowed from script"),
        (VALKEY_9_1, "'blpop', KEYS[1], 0", None),
        (VALKEY_9_1, "'blmpop', 0, 1, KEYS[1], 'LEFT'", None),
        (VALKEY_9_1, "'wait', 1, 0", 0),
        (VALKEY_9_1, "'xread', 'BLOCK', 0, 'STREAMS', KEYS[1], '$'", None),
        (REDIS_7_0, "'xread', 'BLOCK', 0, 'STREAMS', KEYS[1], '$'",
         "ERR xread command is not allowed with BLOCK option from scripts"),
        (REDIS_7_0, "'xread', 'STREAMS', KEYS[1], '$'", None),
        (VALKEY_9_1, "'foo'", "ERR Unknown command called from script"),
        (REDIS_7_0, "'get'", "ERR Wrong number of args calling Redis command from script"),
        (VALKEY_9_1, "'get'", "ERR Wrong number of args calling command from script"),
        (VALKEY_9_1, "'multi'", "ERR This Valkey command is not allowed from script"),
    ],
)  # fmt: skip
def test_scripts_do_not_wait(rules: Rules, words: str, reply: str | int | None) -> None:
    asked = [b"EVAL", f"return redis.call({words})".encode(), b"1", b"bar"]

    got = execute(Room(rules).session(1), asked)

    assert (told(got).partition(" script: ")[0] if isinstance(got, ErrorReply) else got) == reply

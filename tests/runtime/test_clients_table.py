"""The table of commands: what clients route by.

Clauses: CM-10, CM-20, CM-21.
"""

import pytest

from reference.runtime.command_table.table import DATA_COMMANDS, keys_of, table_of
from reference.runtime.commands.dispatch import HANDLERS
from reference.runtime.replies import encode

TABLE = table_of("valkey-9.1")
COMMANDS = TABLE.commands
SUBCOMMANDS = TABLE.subcommands
NODE_COMMANDS = {name: info for name, info in COMMANDS.items() if name not in DATA_COMMANDS}
lookup = TABLE.lookup


def _keys(line: str) -> tuple[bytes, ...] | None:
    request = line.encode().split()
    info = lookup(request)
    assert info is not None
    return keys_of(info, request)


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("GET a", (b"a",)),
        ("set a 1 EX 5", (b"a",)),
        ("MGET a b c", (b"a", b"b", b"c")),
        ("MSET a 1 b 2", (b"a", b"b")),
        ("RENAME a b", (b"a", b"b")),
        ("BITOP AND a b c", (b"a", b"b", b"c")),
        ("ZUNIONSTORE a 2 b c WEIGHTS 1 2", (b"a", b"b", b"c")),
        ("ZUNION 1 b WITHSCORES", (b"b",)),
        ("ZINTERCARD 2 a a", (b"a", b"a")),
        ("PING", ()),
        ("XREAD BLOCK 0 STREAMS a b 1 2", (b"a", b"b")),
        ("XREAD COUNT 1 STREAMS a 1", (b"a",)),
        ("XREAD COUNT 1 a 1", ()),
        ("XREADGROUP GROUP g c STREAMS a >", (b"a",)),
        ("GEORADIUS a 1 2 3 km STORE b", (b"a", b"b")),
        ("GEORADIUS a 1 2 3 km", (b"a",)),
        ("BLPOP a b 0", (b"a", b"b")),
        ("BLMPOP 0 2 a b LEFT", (b"a", b"b")),
        ("XGROUP CREATE a g 0", (b"a",)),
        ("SSUBSCRIBE a b", (b"a", b"b")),
        ("SUNSUBSCRIBE", ()),
        ("DBSIZE", ()),
        ("CLUSTER KEYSLOT a", ()),
    ],
)
def test_keys_are_where_the_servers_find_them(line: str, keys: tuple[bytes, ...]) -> None:
    assert _keys(line) == keys


@pytest.mark.parametrize("count", ["0", "3", "-1", "+1", "x", "1.0", "9" * 30, "²"])
def test_no_keys_are_found_where_their_number_is_wrong(count: str) -> None:
    assert _keys(f"ZUNION {count} a b") is None


@pytest.mark.parametrize(
    ("name", "legacy"),
    [
        ("get", (1, 1, 1)),
        ("mset", (1, -1, 2)),
        ("lmove", (1, 2, 1)),
        ("bitop", (2, -1, 1)),
        ("zunionstore", (1, 1, 1)),
        ("lmpop", (0, 0, 0)),
        ("ping", (0, 0, 0)),
        ("ssubscribe", (1, -1, 1)),
        ("xread", (0, 0, 0)),
        ("georadius", (1, 1, 1)),
    ],
)
def test_key_specifications_become_the_range_of_old(
    name: str, legacy: tuple[int, int, int]
) -> None:
    assert COMMANDS[name].legacy_range == legacy


def test_keys_that_a_number_announces_are_movable() -> None:
    movable = {name for name, info in COMMANDS.items() if "movablekeys" in info.flags}

    assert {"zunion", "zunionstore", "lmpop", "zintercard"} <= movable
    assert not {"get", "mset", "lmove"} & movable


def test_description_of_a_command_has_ten_elements_in_the_order_of_servers() -> None:
    get = (
        b"*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
        b"*3\r\n+@string\r\n+@read\r\n+@fast\r\n*0\r\n"
        b"*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
        b"$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n"
        b"$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n"
        b"$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
        b"$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
        b"*0\r\n"
    )

    assert encode(COMMANDS["get"].describe(), 2) == get


def test_description_of_counted_keys_says_where_the_number_is() -> None:
    spec = COMMANDS["lmpop"].key_specs[0].describe()

    assert spec == {
        "flags": spec["flags"] if isinstance(spec, dict) else None,
        "begin_search": {"type": "index", "spec": {"index": 1}},
        "find_keys": {"type": "keynum", "spec": {"keynumidx": 0, "firstkey": 1, "keystep": 1}},
    }


def test_description_of_keys_behind_a_keyword() -> None:
    spec = COMMANDS["xread"].key_specs[0].describe()

    assert spec == {
        "flags": spec["flags"] if isinstance(spec, dict) else None,
        "begin_search": {"type": "keyword", "spec": {"keyword": "STREAMS", "startfrom": 1}},
        "find_keys": {"type": "range", "spec": {"lastkey": -1, "keystep": 1, "limit": 2}},
    }


def test_tips_have_their_full_names() -> None:
    assert COMMANDS["mset"].tips == (
        "request_policy:multi_shard",
        "response_policy:all_succeeded",
    )
    assert COMMANDS["scan"].tips == ("nondeterministic_output", "request_policy:special")


_BY_WAY_OF_OTHERS = {
    "bitcount", "bitpos", "copy", "expire", "expireat", "flushall", "flushdb", "getex",
    "hincrbyfloat", "hrandfield", "hscan", "lcs", "lmpop", "lpop", "lpos", "pexpire", "pexpireat",
    "pfadd", "pfcount", "pfmerge", "psetex", "rpop", "scan", "set", "setex", "sintercard", "sort",
    "sort_ro", "srandmember", "sscan", "xack", "xautoclaim", "xclaim", "xgroup|create",
    "xinfo|stream", "xpending", "xrange", "xread", "xreadgroup", "xrevrange", "zintercard",
    "zlexcount", "zrangebylex", "zremrangebylex", "zrevrangebylex",
    "zmpop", "zpopmax", "zpopmin", "zrandmember", "zrange", "zrangestore", "zrank", "zrevrank",
    "zscan",
}  # fmt: skip
"""Data commands that are not simply handed to the engine."""


def test_each_command_has_exactly_one_who_answers_it() -> None:
    leaves = {name for name, info in NODE_COMMANDS.items() if not info.subcommands} | {"command"}

    of_data = {name for name in SUBCOMMANDS if name.partition("|")[0] in DATA_COMMANDS}
    assert HANDLERS.keys() - _BY_WAY_OF_OTHERS == (leaves | SUBCOMMANDS.keys()) - {"exec"} - of_data
    assert not NODE_COMMANDS.keys() & DATA_COMMANDS.keys()


def test_every_keyed_command_either_reads_or_writes() -> None:
    unclear = {
        name
        for name, info in COMMANDS.items()
        if info.key_specs and info.writes == ("readonly" in info.flags)
    }

    assert unclear == {
        "watch",
        "ssubscribe",
        "sunsubscribe",
        "spublish",
        "eval",
        "evalsha",
        "fcall",
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [("CLUSTER info", "cluster|info"), ("CLUSTER", "cluster"), ("CoMmAnD", "command")],
)
def test_names_are_looked_up_in_any_case(line: str, name: str) -> None:
    found = lookup(line.encode().split())

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("line", ["CLUSTER FOO", "FOO", "cluster|info", "\xff"])
def test_unknown_names_are_not_found(line: str) -> None:
    assert lookup(line.encode("latin-1").split()) is None

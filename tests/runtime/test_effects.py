"""What a command has done, told in commands that do the same at another node.

Clauses: RE-15, RE-18.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replication.stream import Follower
from reference.wire.rdb import RdbKey
from reference.wire.resp import ErrorReply, encode_reply

Words = list[bytes]


class Pair:
    """A keyspace, and one that is told what changes in it."""

    def __init__(self) -> None:
        self.master, self.replica = Keyspace(), Keyspace()
        self.replica.follows(master=True)
        self.told: list[Words] = []
        self._follower = Follower(self.replica, 0)
        self.master.listener = self._tell

    def _tell(self, effects: list[Words]) -> None:
        self.told += effects
        for effect in effects:
            self._follower.take(encode_reply(effect))

    def __call__(self, line: str) -> object:
        """The reply of the first."""
        return self.master.execute(line.encode().split())

    def data(self, keyspace: Keyspace) -> dict[bytes, RdbKey | None]:
        """All that one of them holds."""
        return {key: keyspace.entry(key) for key in keyspace.database()}

    def close(self) -> None:
        """There is no data any more."""
        self.master.close()
        self.replica.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("before", "line", "effect"),
    [
        ("XADD k 5-1 f v", "XDEL k 5-1", "XDEL k 5-1"),
        ("XADD k 5-1 f v", "XTRIM k MAXLEN 0", "XTRIM k MAXLEN = 0"),
        ("SET k 1", "INCRBYFLOAT k 0.5", "SET k 1.5"),
        ("SET k 1 PXAT 4102444800000", "INCRBYFLOAT k 1", "SET k 2 PXAT 4102444800000"),
        ("SET k old", "GETSET k new", "SET k new"),
        ("SET k old", "SET k new XX GET", "SET k new"),
        ("SET k old", "GETDEL k", "DEL k"),
        ("SET k old", "PEXPIREAT k 4102444800000", "PEXPIREAT k 4102444800000"),
        ("SET k old", "EXPIREAT k 4102444800", "PEXPIREAT k 4102444800000"),
        ("SET k old", "EXPIRE k -1", "DEL k"),
        ("SET k old", "GETEX k EXAT 4102444800", "PEXPIREAT k 4102444800000"),
        ("SET k v PXAT 4102444800000", "GETEX k PERSIST", "PERSIST k"),
        ("HSET k f 1", "HINCRBYFLOAT k f 0.25", "HSET k f 1.25"),
        ("SADD k only", "SPOP k", "SREM k only"),
        ("RPUSH k a b c", "LMPOP 1 k RIGHT COUNT 2", "RPOP k 2"),
        ("XADD k 5-1 f v", "XADD k MAXLEN = 1 6-* g w", "XADD k 6-0 g w"),
        ("SET k v", "FLUSHDB", "FLUSHALL"),
        ("SADD k a", "PFADD k b", "SADD k b"),
    ],
)
def test_command_is_told_by_its_outcome(pair: Pair, before: str, line: str, effect: str) -> None:
    pair(before)
    pair.told.clear()

    assert not isinstance(pair(line), ErrorReply)

    assert pair.told[0] == effect.encode().split()
    assert pair.data(pair.replica) == pair.data(pair.master)


@pytest.mark.parametrize("line", ["SADD k a", "DEL none", "SETNX k v", "GET k", "LPUSHX l v"])
def test_what_changes_nothing_is_not_told(pair: Pair, line: str) -> None:
    pair("SADD k a")
    pair.told.clear()

    pair(line)

    assert pair.told in ([], [line.encode().split()])  # verbatim at most: it changes nothing there
    assert pair.data(pair.replica) == pair.data(pair.master)


def test_key_whose_time_is_over_is_deleted_first(pair: Pair) -> None:
    pair("SET k 5 PX 60")
    while pair("EXISTS k"):
        pass

    pair("INCR k")

    assert pair.told[1:] == [[b"DEL", b"k"], [b"INCR", b"k"]]
    assert pair.master.execute([b"GET", b"k"]) == pair.replica.execute([b"GET", b"k"]) == b"1"


def test_replica_hides_what_is_over_and_keeps_it() -> None:
    replica = Keyspace()
    replica.follows(master=True)
    replica.apply([b"SET", b"k", b"5", b"PXAT", b"1000"])

    assert replica.execute([b"GET", b"k"]) is None
    assert list(replica.database()) == []
    replica.apply([b"INCR", b"k"])
    replica.follows(master=False)
    assert replica.execute([b"GET", b"k"]) is None
    replica.close()


def test_commands_together_are_told_together(pair: Pair) -> None:
    told: list[list[Words]] = []
    pair.master.listener = told.append

    with pair.master.together():
        pair("SET a 1")
        pair("SET b 2")
    pair("SET c 3")

    assert told == [
        [[b"SET", b"a", b"1"], [b"SET", b"b", b"2"]],
        [[b"SET", b"c", b"3"]],
    ]


def test_command_without_a_shorter_form_is_told_by_whole_keys(pair: Pair) -> None:
    pair("RPUSH k a b")
    pair.told.clear()

    pair("PFMERGE h h")  # the engine's own form of it is a set
    pair("PFADD h x")
    pair("PFMERGE g h")

    assert pair.told[-1][:2] == [b"RESTORE", b"g"]
    assert pair.data(pair.replica) == pair.data(pair.master)


KEY = st.sampled_from(["a", "b", "c"])
VALUE = st.sampled_from(["1", "2.5", "x", "7"])
NUMBER = st.integers(-3, 3).map(str)
COMMAND = st.one_of(
    st.tuples(st.sampled_from(["SET", "GETSET", "APPEND", "SETNX", "INCRBYFLOAT"]), KEY, VALUE),
    st.tuples(st.sampled_from(["DEL", "GETDEL", "INCR", "PERSIST", "SPOP", "LPOP"]), KEY),
    st.tuples(st.sampled_from(["SADD", "SREM", "RPUSH", "LPUSH", "PFADD"]), KEY, VALUE, VALUE),
    st.tuples(st.just("SPOP"), KEY, st.just("2")),
    st.tuples(st.just("ZADD"), KEY, NUMBER, VALUE, NUMBER, VALUE),
    st.tuples(st.just("ZINCRBY"), KEY, st.just("0.1"), VALUE),
    st.tuples(st.just("HSET"), KEY, VALUE, VALUE),
    st.tuples(st.just("HINCRBYFLOAT"), KEY, VALUE, st.just("0.1")),
    st.tuples(st.sampled_from(["SETEX", "PSETEX"]), KEY, st.just("100000"), VALUE),
    st.tuples(st.just("SET"), KEY, VALUE, st.just("EX"), st.just("1000")),
    st.tuples(st.just("EXPIRE"), KEY, st.sampled_from(["-1", "1000"])),
    st.tuples(st.sampled_from(["RENAME", "SMOVE", "LMOVE"]), KEY, KEY, st.just("x")),
    st.tuples(st.sampled_from(["RENAME", "SINTERSTORE", "SUNIONSTORE", "RPOPLPUSH"]), KEY, KEY),
    st.tuples(st.just("ZUNIONSTORE"), KEY, st.just("2"), KEY, KEY),
    st.tuples(st.just("LMPOP"), st.just("2"), KEY, KEY, st.just("LEFT")),
    st.tuples(st.just("XADD"), KEY, st.just("MAXLEN"), st.just("2"), st.just("*"), VALUE, VALUE),
    st.tuples(st.just("XADD"), KEY, st.just("*"), VALUE, VALUE),
    st.tuples(st.just("XTRIM"), KEY, st.just("MAXLEN"), st.just("1")),
    st.tuples(st.just("LTRIM"), KEY, NUMBER, NUMBER),
    st.tuples(st.just("SETRANGE"), KEY, st.just("2"), VALUE),
    st.tuples(st.just("FLUSHALL")),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(COMMAND, max_size=25))
def test_replica_has_what_the_master_has_after_any_commands(
    commands: list[tuple[str, ...]],
) -> None:
    pair = Pair()
    for command in commands:
        pair(" ".join(command))

    assert pair.data(pair.replica) == pair.data(pair.master)
    pair.close()

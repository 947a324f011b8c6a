"""The short way of GET and SET answers, changes and counts as the long one.

Clauses: CM-96.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from reference.core.open_slots import NO_OPEN_SLOTS
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.serving import connection as client_connection
from reference.runtime.serving import plain as client_plain
from reference.runtime.serving.connection import Connection
from reference.runtime.serving.port import ClientServer
from tests.runtime.node_double import MASTERS, NodeDouble, three_masters

_LATE: Final = "PXAT 9999999999999"
KEYS: Final = ("bar", "{bar}1", "foo", "hello")  # foo is another node's
LINES: Final = st.one_of(
    st.builds("SET {} {}".format, st.sampled_from(KEYS), st.sampled_from(["1", "xy", "-3"])),
    st.builds("get {}".format, st.sampled_from(KEYS)),
    st.builds("SET {} 5 {}".format, st.sampled_from(KEYS), st.sampled_from(["NX", _LATE])),
    st.builds("{} {}".format, st.sampled_from(["DEL", "GET x", "SET", "WATCH", "INCR", "TYPE",
                                               "SADD bar", "APPEND bar", "PERSIST"]),
              st.sampled_from(KEYS)),
    st.sampled_from(["MULTI", "EXEC", "DISCARD", "ASKING", "READONLY", "CLIENT REPLY SKIP",
                     "CLIENT REPLY ON", "HELLO 3", "HELLO 2", "SUBSCRIBE a", "UNSUBSCRIBE a",
                     "PING", "give slots away", "take slots back", "open a slot"]),
)  # fmt: skip


class _Wire(asyncio.Transport):
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    @override
    def get_write_buffer_size(self) -> int:
        return 0

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There are none."""

    @override
    def pause_reading(self) -> None:
        """It is not read anyway."""

    @override
    def resume_reading(self) -> None:
        """It is not read anyway."""


def _bytes_of(line: str) -> bytes:
    words = line.encode().split()
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


def _changed(node: NodeDouble, whole: ClusterState, line: str) -> None:
    """The cluster becomes another one, as the line says."""
    me, other = whole.nodes[MASTERS[0]], whole.nodes[MASTERS[1]]
    node.state = whole
    if line == "give slots away":
        owner = attrs.evolve(other, slots=SlotSet.between(0, 10922))
        node.state = whole.put(attrs.evolve(me, slots=SlotSet())).put(owner)
    elif line == "open a slot":
        node.state = attrs.evolve(whole, migrating_slots_to=NO_OPEN_SLOTS.open(5061, MASTERS[1]))


async def _said(lines: Sequence[str]) -> tuple[list[bytes], list[Any], list[str]]:
    """What each line is answered, what was told of the data, and what was counted."""
    node, keyspace = NodeDouble(three_masters(MASTERS[0])), Keyspace()
    whole = node.state
    told: list[Any] = []
    answers: list[bytes] = []
    keyspace.listener = told.append
    connection, wire = Connection(ClientServer(node, keyspace)), _Wire()
    connection.connection_made(wire)
    for line in lines:
        wire.sent = b""
        if " a slot" in line or " slots " in line:
            _changed(node, whole, line)
        else:
            data = _bytes_of(line)
            connection.get_buffer(-1)[: len(data)] = data
            connection.buffer_updated(len(data))
            answers.append(re.sub(rb"(id\r\n):\d+", rb"\1", wire.sent))
    stats = connection.session.service.stats if connection.session else None
    counts = [re.sub("usec.*?,.*?,", "", line) for line in stats.command_lines()] if stats else []
    keyspace.close()
    return answers, told, [*counts, str(stats and stats.commands)]


def _both(lines: Sequence[str]) -> Iterator[tuple[list[bytes], list[Any], list[str]]]:
    yield asyncio.run(_said(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_connection, "PLAIN", {})
        yield asyncio.run(_said(lines))


@example(["CLIENT REPLY SKIP", "get bar", "get bar"])
@example(["MULTI", "SET bar 2", "get bar", "EXEC"])
@example(["SUBSCRIBE a", "get bar"])
@example(["give slots away", "get bar", "take slots back", "get bar"])
@example(["open a slot", "DEL bar", "get bar"])
@example(["SADD {bar}1 x", "get {bar}1", "SET {bar}1 y"])
@given(st.lists(LINES, max_size=30))
@settings(max_examples=150, deadline=None)
def test_both_ways_are_the_same(lines: list[str]) -> None:
    short, long = _both(["SET bar 1", "get bar", *lines])

    assert short == long


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytes] = []

    def spied(name: bytes) -> client_plain.Plain:
        def way(session: Any, arguments: list[bytes]) -> bytes | None:
            data = client_plain.PLAIN[name](session, arguments)
            taken.extend([name] * (data is not None))
            return data

        return way

    ways = {name: spied(name) for name in client_plain.PLAIN}
    monkeypatch.setattr(client_connection, "PLAIN", ways)

    answers, told, _ = asyncio.run(
        _said(
            ["GET bar", "SET bar 1", "GET bar", "SET bar 2", "get bar", "SET bar 3 PX 9", "GET bar"]
        )
    )

    assert taken == [b"GET", b"SET", b"get"]
    assert answers[2:5] == [b"$1\r\n1\r\n", b"+OK\r\n", b"$1\r\n2\r\n"]
    assert told[:2] == [[[b"SET", b"bar", b"1"]], [[b"SET", b"bar", b"2"]]]


def test_a_watched_key_that_is_set_on_the_short_way_has_changed() -> None:
    keyspace = Keyspace()
    keyspace.execute([b"SET", b"bar", b"1"])
    watch = keyspace.watch()
    watch.add(b"bar")

    assert keyspace.put_plain(b"bar", b"2")
    assert watch.touched


def test_a_key_that_is_looked_at_before_it_changes_is_set_on_the_long_way() -> None:
    keyspace = Keyspace()
    keyspace.before_write.append(lambda _: None)

    assert not keyspace.put_plain(b"bar", b"1")
    assert keyspace.plain(b"bar") is None


def test_nothing_is_answered_while_clients_have_to_wait() -> None:
    async def test() -> None:
        node, keyspace = NodeDouble(three_masters(MASTERS[0])), Keyspace()
        connection, wire = Connection(ClientServer(node, keyspace)), _Wire()
        connection.connection_made(wire)
        for line in ("SET bar 1", "SET bar 2", "SET bar 3"):
            if line.endswith("3"):
                node.writes.begin(60_000)
            data = _bytes_of(line)
            connection.get_buffer(-1)[: len(data)] = data
            connection.buffer_updated(len(data))
        assert wire.sent == b"+OK\r\n" * 2
        node.writes.end_all()
        assert wire.sent == b"+OK\r\n" * 3
        keyspace.close()

    asyncio.run(test())

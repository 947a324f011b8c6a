"""DEBUG: who may use it, and what it does to a node.

Clauses: CM-95.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
import pytest

from reference.core.types import Link, NodeId
from reference.runtime.bus.connections import Bus, BusLink
from reference.runtime.data.digest import shortest
from reference.runtime.debugging import Debugging
from reference.wire.bus_header import MessageType
from tests.runtime.node_double import MASTERS, Client, NodeDouble
from tests.support import wait_until

PING = int(MessageType.PING)
PONG = int(MessageType.PONG)


def _client(allowed: str = "yes", dialect_state: NodeDouble | None = None) -> Client:
    node = dialect_state or NodeDouble()
    node.options = attrs.evolve(node.options, kept={"enable-debug-command": allowed})
    return Client(node)


def test_debug_is_refused_unless_it_was_allowed() -> None:
    assert _client("no")("DEBUG DIGEST").startswith("ERR DEBUG command not allowed.")


@pytest.mark.parametrize(
    ("address", "refused"), [("127.0.0.1:5", False), ("[::1]:5", True), ("10.0.0.1:5", True)]
)
def test_local_debug_is_for_clients_of_this_machine(address: str, refused: bool) -> None:  # noqa: FBT001
    client = _client("local")
    client.session.address = address

    assert client("DEBUG DIGEST").startswith("ERR") == refused


def test_a_subcommand_of_another_release_is_unknown() -> None:
    said = _client()("DEBUG CLOSE-CLUSTER-LINK-ON-PACKET-DROP 1")

    assert said == (
        "ERR unknown subcommand or wrong number of arguments for "
        "'CLOSE-CLUSTER-LINK-ON-PACKET-DROP'. Try DEBUG HELP."
    )


def test_populated_keys_are_there_whatever_their_slots_are() -> None:
    client = _client()

    assert client("DEBUG POPULATE 3 k 4") == "OK"
    assert client.keyspace.entry(b"k:2") is not None
    assert client("DBSIZE") == 3
    assert client("DEBUG POPULATE -1") == "ERR value is out of range, must be positive"


def test_a_digest_tells_other_data_and_not_another_order() -> None:
    one, other = _client(), _client()
    one("SET bar 1")
    one("SADD hello a b")
    other("SADD hello b a")
    other("SET bar 1")
    same = one("DEBUG DIGEST")

    assert same == other("DEBUG DIGEST")
    other("SET bar 2")
    assert same != other("DEBUG DIGEST")
    assert other("DEBUG DIGEST-VALUE nokey")[0].text == "0" * 40


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (1.0, "1"), (-2.5, "-2.5"), (0.0, "0"), (-0.0, "-0"), (math.inf, "inf"), (0.1, "0.1"),
        (1e7, "10000000"), (1e8, "1e+8"), (1234567890123.0, "1234567890123"), (1e-6, "0.000001"),
        (1e-7, "1e-7"), (1.25e-7, "1.25e-7"), (1.5e300, "1.5e+300"), (0.0012345678, "0.0012345678"),
    ],
)  # fmt: skip
def test_scores_are_as_short_as_the_servers_write_them(score: float, text: str) -> None:
    assert shortest(score) == text


def test_keys_outlive_their_time_while_nothing_expires_by_itself() -> None:
    client = _client()
    client("DEBUG SET-ACTIVE-EXPIRE 0")
    client("SET bar 1 PX 1")
    over = time.time() + 0.01
    heard: list[Any] = []
    client.keyspace.listener = heard.append
    wait_until(lambda: time.time() > over, 1)

    client.keyspace.expire()
    assert heard == []
    client("DEBUG SET-ACTIVE-EXPIRE 1")
    client.keyspace.expire()
    assert heard == [[[b"DEL", b"bar"]]]


def test_links_are_killed_by_node_and_direction() -> None:
    client = _client()
    killed: list[tuple[NodeId, tuple[Link, ...]]] = []
    client.node.debugging.kill_links = (  # type: ignore[method-assign]
        lambda node_id, *ways: killed.append((node_id, ways))
    )
    other = MASTERS[1]

    assert client(f"DEBUG CLUSTERLINK KILL TO {other}") == "OK"
    assert client(f"DEBUG CLUSTERLINK KILL all {other}") == "OK"
    assert killed == [(other, (Link.OUTBOUND,)), (other, (Link.OUTBOUND, Link.INBOUND))]
    assert client("DEBUG CLUSTERLINK KILL to x") == "ERR Unknown node x"


@attrs.define
class _Sleeper:
    """A node that says whether it sleeps."""

    bus: Bus
    states: list[str] = attrs.field(factory=list)

    def freeze(self) -> None:
        """It sleeps."""
        self.states.append("asleep")

    def thaw(self) -> None:
        """It does not."""
        self.states.append("awake")


def _on_bus(test: Callable[[Debugging, _Sleeper, BusLink], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        class Owner:
            def link_opened(self, link: BusLink) -> None: ...
            def link_lost(self, link: BusLink) -> None: ...
            def frame_received(self, link: BusLink, frame: bytes) -> None: ...
            def unreachable(self, _node_id: NodeId) -> bool:
                return False

        node = _Sleeper(Bus(Owner(), light_headers=False))
        link = BusLink(node.bus, Link.INBOUND)
        node.bus.bind(link, MASTERS[1])
        await test(Debugging(node), node, link)

    asyncio.run(run())


def test_messages_of_the_filtered_type_are_not_heard() -> None:
    async def test(debugging: Debugging, _node: _Sleeper, link: BusLink) -> None:
        debugging.dropped_type = PONG

        assert debugging.drops(link, PONG)
        assert not debugging.drops(link, PING)
        debugging.dropped_type = -2
        assert debugging.drops(link, PING)
        debugging.dropped_type = -1
        assert not debugging.drops(link, PING)
        assert not link.closed

    _on_bus(test)


def test_the_link_of_a_dropped_message_is_closed_where_that_was_asked_for() -> None:
    async def test(debugging: Debugging, _node: _Sleeper, link: BusLink) -> None:
        debugging.closes_link_on_drop, debugging.dropped_type = True, PONG

        debugging.drops(link, PING)
        states = [link.closed]
        debugging.drops(link, PONG)
        assert [*states, link.closed] == [False, True]

    _on_bus(test)


def test_killed_links_are_those_of_the_direction() -> None:
    async def test(debugging: Debugging, node: _Sleeper, link: BusLink) -> None:
        debugging.kill_links(MASTERS[1], Link.OUTBOUND)
        states = [link.closed]
        debugging.kill_links(MASTERS[1], Link.INBOUND)
        assert [*states, link.closed] == [False, True]
        assert node.bus.inbound == {}

    _on_bus(test)


def test_a_node_that_sleeps_wakes_up_and_then_answers() -> None:
    async def test(debugging: Debugging, node: _Sleeper, _link: BusLink) -> None:
        woken = asyncio.Event()
        debugging.sleep(0.001, woken.set)

        assert node.states == ["asleep"]
        await woken.wait()
        assert node.states == ["asleep", "awake"]

    _on_bus(test)


def test_replies_of_every_type_are_shown() -> None:
    client = _client()

    two = client("DEBUG PROTOCOL verbatim"), client("DEBUG PROTOCOL map")
    client.session.protocol = 3
    three = client("DEBUG PROTOCOL attrib"), client("DEBUG PROTOCOL TRUE")

    assert [each.data.partition(b"\r\n")[0] for each in two] == [b"$25", b"*6"]
    assert [each.data.partition(b"\r\n")[0] for each in three] == [b"|1", b"#t"]
    assert client("DEBUG PROTOCOL foo").startswith("ERR Wrong protocol type name.")


def test_how_a_value_is_kept_is_shown() -> None:
    client = _client()
    client("SET bar 1")

    assert "encoding:int serializedlength:2" in client("DEBUG OBJECT bar")
    assert client("DEBUG OBJECT nokey") == "ERR no such key"


def test_data_is_the_same_when_it_was_read_again() -> None:
    client = _client()
    client("SET bar 1 EX 1000")
    client("RPUSH {bar}l a b")
    client("XADD {bar}s 1-1 f v")
    before = client("DEBUG DIGEST"), client("PEXPIRETIME bar")
    heard: list[Any] = []
    client.keyspace.listener = heard.append

    assert client("DEBUG RELOAD NOSAVE") == "OK"

    assert (client("DEBUG DIGEST"), client("PEXPIRETIME bar")) == before
    assert not heard
    assert client("DEBUG RELOAD FOO").startswith("ERR DEBUG RELOAD only supports")


def test_keys_that_went_by_themselves_are_counted() -> None:
    client = _client()
    assert "expired_keys:0\r\n" in client("INFO stats")
    client("SET bar 1 PXAT 1")
    client("SET bar 1 PX 1")
    over = time.time() + 0.01
    wait_until(lambda: time.time() > over, 1)
    client("GET bar")

    counted = client("INFO stats")
    client("CONFIG RESETSTAT")

    assert "expired_keys:2\r\n" in counted
    assert "expired_keys:0\r\n" in client("INFO stats")

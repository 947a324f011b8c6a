"""Nodes in this process, on real sockets: links, bad input, their end.

Clauses: RT-3, RT-4, RT-6, RT-7, CM-52, BU-1, BU-D1, BU-10, BU-11, HS-1, HS-2, HS-3, PA-2, PA-7,
EL-D1.
"""

import asyncio
import contextlib
import gc
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import attrs
import pytest
from typing_extensions import override

from reference.core.events import ClusterAddSlots, ClusterMeet, ClusterSetConfigEpoch
from reference.core.messages import Fail, Header, Meet, Message, Ping
from reference.core.nodes import ClusterNode
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.types import Address, Health, Link, NodeId
from reference.runtime.bus.outbox import counter_name
from reference.runtime.bus.translate import WireFacts, to_wire
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.node import Node
from reference.runtime.opening import StartError, listening_node, running_node
from reference.runtime.options import LOOPBACK, NodeOptions, OptionError, bus_port
from reference.wire.bus import UnknownMessage, encode
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_header import BusHeader
from reference.wire.dialects import wire_dialect
from tests.support import free_ports

STRANGER: Final = NodeId("f" * 40)
FACTS: Final = WireFacts(
    dialect=wire_dialect("valkey-9.1"), cluster_ok=True, heard=lambda _: (0, 0)
)


async def eventually(condition: Callable[[], object], timeout: float = 30) -> None:  # noqa: ASYNC109
    """The condition is true; TimeoutError if it does not get so in time."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - conditions of any kind have no event
            await asyncio.sleep(0.01)


def options_in(directory: Path, port: int | None = None, **fields: object) -> NodeOptions:
    port = port or free_ports(1)[0]
    made = NodeOptions(
        port=port,
        cport=bus_port(port),
        node_timeout_ms=5000,  # no handshake is given up, whatever the machine does
        directory=directory,
        cluster_config_file=f"nodes-{port}.conf",
        writable_delay_ms=0,
    )
    return attrs.evolve(made, **fields)  # type: ignore[arg-type]


def run(test: Callable[[Node], Awaitable[None]], options: NodeOptions) -> None:
    async def main() -> None:
        async with running_node(options) as node:
            await test(node)
        assert len(asyncio.all_tasks()) == 1  # nothing of the node runs on

    asyncio.run(main())


def header_of(sender: NodeId, port: int = 1) -> Header:
    return Header(
        sender=sender,
        replicaof=None,
        current_epoch=0,
        config_epoch=0,
        slots=SlotSet(),
        address=Address(ip="", port=port, cport=port),
    )


def bytes_of(message: Message) -> bytes:
    return encode(to_wire(message, FACTS, extended=False))


PING: Final = bytes_of(Ping(header=header_of(STRANGER)))


async def talk(node: Node, *pieces: bytes, end: bool = False) -> bytes:
    """What the node answers on a new link before it closes it, or is closed by us."""
    reader, writer = await asyncio.open_connection(LOOPBACK, node.options.cport)
    try:
        for piece in pieces:
            writer.write(piece)
        if end:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def answers(node: Node) -> bool:
    """Whether the node answers a PING on a new link with a PONG."""
    reader, writer = await asyncio.open_connection(LOOPBACK, node.options.cport)
    writer.write(PING)
    async with asyncio.timeout(10):
        reply = await reader.readexactly(2256)
    writer.close()
    return reply[:4] == b"RCmb" and reply[12:14] == b"\0\1"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad signature"),
        (b"\0" * 4096, "bad signature"),
        (struct.pack(">4sIH", b"RCmb", 2**31, 1) + bytes(100), "more than the limit"),
        (struct.pack(">4sIH", b"RCmb", 17, 1) + bytes(100), "less than the header"),
        (PING + b"garbage after a whole message", "bad signature"),
    ],
)
def test_a_damaged_stream_ends_its_link_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, data: bytes, reason: str
) -> None:
    async def test(node: Node) -> None:
        other_link = asyncio.create_task(talk(node, PING[:1000], end=False))
        before = node.state

        await talk(node, data)

        assert node.state is before
        assert not other_link.done()
        assert await answers(node)
        other_link.cancel()
        await asyncio.wait([other_link])

    with caplog.at_level(logging.INFO):
        run(test, options_in(tmp_path))

    assert f"closing the inbound link of {LOOPBACK}: " in caplog.text
    assert reason in caplog.text


def test_a_message_that_was_cut_off_ends_its_link_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(node: Node) -> None:
        assert await talk(node, PING[:2000], end=True) == b""
        assert await answers(node)

    with caplog.at_level(logging.WARNING):
        run(test, options_in(tmp_path))

    assert "ended in the middle of a message" in caplog.text


def _unknown_type() -> bytes:
    header = to_wire(Ping(header=header_of(STRANGER)), FACTS, extended=False).header
    assert isinstance(header, BusHeader)
    return encode(UnknownMessage(header=header, type=77, payload=b"abc"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PING[:14] + struct.pack(">H", 9) + PING[16:], "gossip entries do not fit"),
        (PING[:8] + struct.pack(">H", 2) + PING[10:], "protocol version 2"),
        (PING[:40] + b"\n" * 40 + PING[80:], "is no node id"),
        (_unknown_type(), "ignoring UnknownMessage"),
        (bytes_of(Fail(header=header_of(STRANGER), subject=STRANGER)), "sender is not known"),
    ],
)
def test_a_useless_message_is_dropped_and_its_link_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, data: bytes, reason: str
) -> None:
    async def test(node: Node) -> None:
        before = node.state
        reply = await talk(node, data, PING, end=True)
        assert reply[12:14] == b"\0\1"
        assert node.state is before

    with caplog.at_level(logging.INFO):
        run(test, options_in(tmp_path))

    assert reason in caplog.text


def _meet(node: Node, other: Node) -> None:
    address = Address(ip=LOOPBACK, port=other.options.port, cport=other.options.cport)
    assert node.submit(ClusterMeet(address=address, new_id=node.new_temporary_id())).error is None


def _knows(node: Node, *others: Node) -> bool:
    names = {other.state.myself_id for other in others}
    return {n.node_id for n in node.state.nodes if not n.handshake} >= names and all(
        node.link_connected(name) for name in names
    )


@pytest.mark.parametrize("dialects", [("valkey-9.1", "redis-7.0"), ("redis-7.0", "redis-7.0")])
def test_nodes_meet_and_miss_each_other(tmp_path: Path, dialects: tuple[str, str]) -> None:
    first, second = (
        options_in(tmp_path, dialect=dialect, node_timeout_ms=2000) for dialect in dialects
    )

    async def test(node: Node) -> None:
        async with running_node(second) as other:
            _meet(node, other)
            await eventually(lambda: _knows(node, other) and _knows(other, node))
            name = other.state.myself_id
            await eventually(lambda: node.pong_received_ms(name) > 0)
            assert node.messages_sent["meet"] == 1
            assert other.messages_received["meet"] == 1
            assert node.messages_received["pong"] > 0
        await eventually(lambda: node.ping_sent_ms(name) > 0)
        await eventually(lambda: node.state.nodes[name].health is Health.PFAIL)
        assert not node.link_connected(name)

        async with running_node(second) as again:
            assert again.state.myself_id == name
            await eventually(lambda: node.state.nodes[name].health is Health.OK)
            await eventually(lambda: _knows(again, node))

    run(test, first)


def test_a_newer_inbound_link_replaces_the_older(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        async with running_node(options_in(tmp_path)) as other:
            _meet(node, other)
            await eventually(lambda: _knows(node, other) and _knows(other, node))
            name = other.state.myself_id
            ping = bytes_of(Ping(header=header_of(name, other.options.port)))
            inbound = node._bus.inbound
            await eventually(lambda: name in inbound)
            older = inbound[name]
            first = asyncio.create_task(talk(node, ping))
            await eventually(lambda: inbound.get(name) is not older)

            second = asyncio.create_task(talk(node, ping))

            assert (await first)[12:14] == b"\0\1"  # it was answered, and then closed
            second.cancel()
            await asyncio.wait([second])

    run(test, options_in(tmp_path))


def test_a_link_begins_with_a_greeting_whatever_waits_for_it(tmp_path: Path) -> None:
    frames: list[bytes] = []
    cport = free_ports(1)[0]
    peer = ClusterNode(node_id=STRANGER, address=Address(ip=LOOPBACK, port=1, cport=cport))

    class Ear(asyncio.Protocol):
        @override
        def data_received(self, data: bytes) -> None:
            frames.extend(FrameReader().feed(data))

    async def test(node: Node) -> None:
        async with await asyncio.get_running_loop().create_server(Ear, LOOPBACK, cport):
            node.state = node.state.put(peer)
            node._dial(STRANGER, node.clock.now())
            node.publish(b"news", b"early", shard=False)
            await eventually(lambda: len(frames) >= 2)

        assert [frame[12:14] for frame in frames[:2]] == [b"\0\0", b"\0\4"]  # PING, PUBLISH

    run(test, options_in(tmp_path))


def test_a_node_that_meets_itself_stays_alone(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        _meet(node, node)
        await eventually(lambda: node.messages_received["meet"] > 0)
        assert len(node.state.nodes) <= 2  # itself, and whom it greeted
        await eventually(lambda: len(node.state.nodes) == 1)

    run(test, options_in(tmp_path, node_timeout_ms=500))


def test_a_handshake_with_nobody_is_given_up(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        nowhere = Address(ip=LOOPBACK, port=1, cport=free_ports(1)[0])
        node.submit(ClusterMeet(address=nowhere, new_id=node.new_temporary_id()))
        assert len(node.state.nodes) == 2
        await eventually(lambda: len(node.state.nodes) == 1)

    run(test, options_in(tmp_path, node_timeout_ms=500))


def test_a_node_comes_back_as_it_was(tmp_path: Path) -> None:
    options = options_in(tmp_path, node_timeout_ms=500)  # it is ok after so long at the earliest

    async def main() -> None:
        async with running_node(options) as node:
            assert node.submit(ClusterSetConfigEpoch(config_epoch=7)).error is None
            assert node.submit(ClusterAddSlots(slots=SlotSet.between(0, 16383))).error is None
            assert node.submit(ClusterAddSlots(slots=SlotSet.of([3]))).error is not None
            before = node.state
            await eventually(lambda: node.cluster_ok)  # a node without slots is in a minority
        async with running_node(options) as node:
            assert node.state == before

    asyncio.run(main())


def test_a_node_that_cannot_save_says_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(node: Node) -> None:
        def full(_content: bytes, *, fsync: bool) -> None:
            raise OSError(28, f"No space left on device ({fsync})")

        monkeypatch.setattr(node._config, "save", full)

        with pytest.raises(OSError, match="No space"):
            node.submit(ClusterSetConfigEpoch(config_epoch=7))

        assert isinstance(node.failed.exception(), OSError)
        assert "has failed" in (node.submit(ClusterSetConfigEpoch(config_epoch=8)).error or "")
        assert await talk(node, PING, end=True) == b""

    run(test, options_in(tmp_path))


def test_a_node_bound_to_all_addresses_learns_its_own_from_a_meet(tmp_path: Path) -> None:
    anywhere = options_in(tmp_path, bind="0.0.0.0")  # noqa: S104 - that is what is tested

    async def test(node: Node) -> None:
        async with running_node(anywhere) as other:
            address = Address(ip="127.0.0.9", port=anywhere.port, cport=anywhere.cport)
            node.submit(ClusterMeet(address=address, new_id=node.new_temporary_id()))
            await eventually(lambda: _knows(node, other))
            assert other.state.myself.address is not None
            assert other.state.myself.address.ip == "127.0.0.9"

    run(test, options_in(tmp_path))


@pytest.mark.parametrize("rounds", range(6))
@pytest.mark.parametrize("dialled", ["port", "cport"])
def test_who_has_just_connected_is_closed_too(tmp_path: Path, dialled: str, rounds: int) -> None:
    options = options_in(tmp_path)
    with socket.socket() as stranger:
        stranger.settimeout(10)

        async def main() -> None:
            async with listening_node(options) as node:
                assert node.clients is not None
                stranger.connect((LOOPBACK, getattr(options, dialled)))
                for _ in range(rounds):  # of the event loop, in which it is accepted
                    await asyncio.sleep(0)
                await (node.clients.close() if dialled == "port" else node._bus.close())

        asyncio.run(main())
        with contextlib.suppress(ConnectionError):
            while stranger.recv(99):  # it may hear that there are too many
                pass
    gc.collect()  # what was left open would be an error here


@pytest.mark.parametrize("taken", ["port", "cport"])
def test_a_port_in_use_is_said_so(tmp_path: Path, taken: str) -> None:
    options = options_in(tmp_path)
    port = getattr(options, taken)

    async def main() -> None:
        server = await asyncio.start_server(lambda _r, _w: None, LOOPBACK, port)
        async with server:
            with pytest.raises(StartError, match=f"Failed listening on port {port}"):
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(running_node(options))

    asyncio.run(main())


def test_a_formed_cluster_serves_at_once(tmp_path: Path) -> None:
    ports = free_ports(5)

    async def main() -> None:
        formed = formed_cluster([options_in(tmp_path, port) for port in ports], 3)
        async with AsyncExitStack() as stack:
            nodes = [
                await stack.enter_async_context(running_node(options, state))
                for options, state in formed
            ]
            assert all(node.cluster_ok for node in nodes)
            for node in nodes:
                others = [other for other in nodes if other is not node]
                await eventually(lambda n=node, o=others: _knows(n, *o))  # type: ignore[misc]

    asyncio.run(main())


def test_the_bus_port_follows_the_client_port() -> None:
    assert bus_port(7000) == 17000
    assert bus_port(7000, 7001) == 7001
    with pytest.raises(OptionError, match="too high"):
        bus_port(55536)


def test_unknown_types_are_counted_as_such() -> None:
    assert [counter_name(code) for code in (0, 5, 6, 7, 99)] == [
        "ping", "auth-req", "auth-ack", "update", "unknown",
    ]  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_node_does_not_count_late_votes(dialect: str, tmp_path: Path) -> None:
    rules = options_in(tmp_path, dialect=dialect).rules

    assert rules == attrs.evolve(DIALECTS[dialect], late_votes_count=False)


@pytest.mark.parametrize(("dialect", "again"), [("valkey-9.1", True), ("redis-8.0", False)])
def test_delays_know_who_has_a_link_to_us_and_takes_a_second_meet(
    tmp_path: Path, dialect: str, *, again: bool
) -> None:
    async def test(node: Node) -> None:
        async with running_node(options_in(tmp_path, dialect=dialect)) as other:
            _meet(node, other)
            await eventually(lambda: _knows(node, other) and _knows(other, node))
            name = other.state.myself_id
            await eventually(lambda: node.pace.peer(name).inbound)
            assert node.pace.peer(name).takes_meet_again is again
            assert node.known_for(name) < node.known_for(node.state.myself_id)
            assert node.known_for(STRANGER) == 0
        await eventually(lambda: not node.pace.peer(name).inbound)

    run(test, options_in(tmp_path, dialect=dialect))


@pytest.mark.parametrize(("dialect", "bound"), [("valkey-9.1", True), ("redis-7.0", False)])
def test_the_link_of_a_meet_belongs_to_whom_it_made_known(
    tmp_path: Path, dialect: str, *, bound: bool
) -> None:
    nobody = free_ports(1)[0]  # the handshake that follows cannot end before it is looked at
    greeting = bytes_of(Meet(header=header_of(STRANGER, nobody)))

    async def test(node: Node) -> None:
        link = asyncio.create_task(talk(node, greeting))
        await eventually(lambda: len(node.state.nodes) == 2)
        [met] = [each.node_id for each in node.state.nodes if each.handshake]

        assert (met in node._bus.inbound) is bound

        link.cancel()
        await asyncio.wait([link])

    run(test, options_in(tmp_path, dialect=dialect))


def test_links_are_told_with_their_age(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        async with running_node(options_in(tmp_path)) as other:
            before = node.clock.unix_ms(node.clock.now())
            _meet(node, other)
            await eventually(lambda: len(list(node.links())) == 2)
            told = list(node.links())

        assert {link.direction for link in told} == set(Link)
        assert all(link.created_ms >= before for link in told)
        assert node.bytes_sent > 0
        assert node.bytes_received > 0

    run(test, options_in(tmp_path))

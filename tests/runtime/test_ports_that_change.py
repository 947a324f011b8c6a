"""CONFIG SET of where clients find the node: they find it there, and the others hear of it.

Clauses: RT-36, CM-41.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from reference.runtime.node import Node
from reference.runtime.options import LOOPBACK
from tests.certificates import Authority
from tests.runtime.test_replication_master import MASTER, Link, run
from tests.support import free_ports

Connect = Callable[[], Awaitable[Link]]
HERE: Final = "127.0.0.2"
FAILED: Final = "-ERR CONFIG SET failed (possibly related to argument '{}') - {}"
NO_PORT: Final = "Unable to listen on this port. Check server logs."
NO_ADDRESS: Final = "Failed to bind to specified addresses."


async def served(host: str, port: int) -> bool:
    """Whether a client that dials there is answered."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    link = Link(reader, writer)
    answer = await link.ask("PING")
    writer.transport.abort()
    return answer == "+PONG"


def test_clients_are_served_at_the_new_port_and_others_hear_of_it(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, old = await connect(), node.options.port
        [new] = free_ports(1)

        assert await client.ask("CONFIG", "SET", "port", str(new)) == "+OK"

        assert await served(LOOPBACK, new)
        assert not await served(LOOPBACK, old)
        assert await client.ask("PING") == "+PONG"
        address = node.state.nodes[MASTER].address
        assert address is not None
        assert (address.port, address.cport) == (new, old + 10000)
        assert await client.ask("CONFIG", "GET", "port") == "*2"
        assert [await client.line() for _ in range(4)][3] == str(new)
        assert f":{new}@{old + 10000}" in (tmp_path / "nodes.conf").read_text()

    run(tmp_path, story)


def test_who_cannot_be_listened_to_changes_nothing(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, port = await connect(), str(node.options.port)
        with socket.create_server((LOOPBACK, 0)) as taken:
            busy = str(taken.getsockname()[1])
            refused = FAILED.format("port", NO_PORT)
            assert await client.ask("CONFIG", "SET", "port", busy) == refused
        for name, value, why in (
            ("port", "x", "argument couldn't be parsed into an integer"),
            ("port", "70000", "argument must be between 0 and 65535 inclusive"),
            ("port", "0", NO_PORT),
            ("bind", "192.0.2.1", NO_ADDRESS),
            ("bind", f"{HERE} 192.0.2.1", NO_ADDRESS),
            ("cluster-port", "1", "can't set immutable config"),
        ):
            answer = await client.ask("CONFIG", "SET", name, value)
            assert answer == FAILED.format(name, why)
        assert await served(LOOPBACK, int(port))
        assert not await served(HERE, int(port))
        assert str(node.options.port) == port

    run(tmp_path, story)


def test_addresses_come_and_go_and_the_bus_stays(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, port = await connect(), node.options.port
        before = node.state.nodes[MASTER].address
        for value, there in (
            (f"{LOOPBACK} {HERE}", {LOOPBACK, HERE}),
            (f"{HERE} -192.0.2.1", {HERE}),
            ("*", {LOOPBACK, HERE}),
            (LOOPBACK, {LOOPBACK}),
        ):
            assert await client.ask("CONFIG", "SET", "bind", value) == "+OK"
            assert {host for host in (LOOPBACK, HERE) if await served(host, port)} == there
        assert node.state.nodes[MASTER].address == before

    run(tmp_path, story)


def test_address_that_was_in_the_way_is_back_if_the_new_one_cannot_be_had(tmp_path: Path) -> None:
    async def story(node: Node, connect: Connect) -> None:
        client, port = await connect(), node.options.port
        with socket.create_server((HERE, port)):
            answer = await client.ask("CONFIG", "SET", "bind", "*")
            assert answer == FAILED.format("bind", NO_ADDRESS)
            assert await served(LOOPBACK, port)

    run(tmp_path, story)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def test_port_for_tls_is_opened_with_what_it_needs(tmp_path: Path, authority: Authority) -> None:
    async def story(_: Node, connect: Connect) -> None:
        client = await connect()
        [secure] = free_ports(1)
        refused = FAILED.format(
            "tls-port", "Unable to update TLS configuration. Check server logs."
        )
        assert await client.ask("CONFIG", "SET", "tls-port", str(secure)) == refused

        words = ["CONFIG", "SET", "tls-port", str(secure)]
        for name, value in authority.directives().items():
            words += [name, value]
        assert await client.ask(*words) == "+OK"

        context = authority.client()
        reader, writer = await asyncio.open_connection(LOOPBACK, secure, ssl=context)
        assert await Link(reader, writer).ask("PING") == "+PONG"
        writer.transport.abort()
        with contextlib.suppress(ConnectionError, OSError):
            await writer.wait_closed()
        assert await client.ask("CONFIG", "SET", "tls-port", "0") == "+OK"
        assert not await served(LOOPBACK, secure)

    run(tmp_path, story)

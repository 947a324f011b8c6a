"""TLS: for clients, on the bus, for the data, and for keys that move.

Clauses: RT-60, RT-61, RT-62, RT-63.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.runtime.node import Node
from reference.runtime.opening import running_node
from reference.runtime.options import LOOPBACK, NodeOptions
from reference.runtime.tls import listening as tls_listening
from reference.wire.resp import encode_reply
from tests.certificates import Authority
from tests.runtime.test_node import eventually
from tests.runtime.tls_room import all_secure, ask, failing, reply, request, run, secure

BIG = bytes(range(256)) * 2000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-certificates"))


def test_a_client_with_tls_is_served_and_told_of_ports_with_tls(
    tmp_path: Path, authority: Authority
) -> None:
    options = [all_secure(tmp_path, authority) for _ in range(2)]

    async def test(first: Node, second: Node) -> None:
        tls, plain = first.options.tls_port, first.options.port
        context = authority.client()

        assert await ask(tls, "SET", "bar", BIG, tls=context) == b"OK"
        assert await ask(tls, "GET", "bar", tls=context) == BIG
        for told, other in (
            (await ask(tls, "CLUSTER", "SLOTS", tls=context), second.options.tls_port),
            (await ask(plain, "CLUSTER", "SLOTS"), second.options.port),
        ):
            assert told[1][2][1] == other
        moved_tls = await failing(ask(tls, "GET", "foo", tls=context))
        moved_plain = await failing(ask(plain, "GET", "foo"))
        assert moved_tls.endswith(f":{second.options.tls_port}")
        assert moved_plain.endswith(f":{second.options.port}")
        lines = (await ask(plain, "CLUSTER", "NODES")).decode().splitlines()
        assert f"{LOOPBACK}:{second.options.port}@{second.options.cport}" in "".join(lines)
        [shard] = [s for s in await ask(plain, "CLUSTER", "SHARDS") if s[1] == [8192, 16383]]
        member = dict(zip(shard[3][0][::2], shard[3][0][1::2], strict=True))
        assert (member[b"port"], member[b"tls-port"]) == (
            second.options.port,
            second.options.tls_port,
        )

    run(*options, masters=2, test=test)


def test_requests_in_many_small_records_are_read_whole(
    tmp_path: Path, authority: Authority
) -> None:
    async def test(node: Node) -> None:
        reader, writer = await asyncio.open_connection(
            LOOPBACK, node.options.tls_port, ssl=authority.client()
        )
        for number in range(2000):
            writer.write(encode_reply([b"ECHO", b"%d" % number]))  # a record of its own
        async with asyncio.timeout(30):
            assert [int(await reply(reader)) for _ in range(2000)] == list(range(2000))
        writer.transport.abort()

    run(secure(tmp_path, authority), masters=1, test=test)


def test_keys_and_data_go_over_tls(tmp_path: Path, authority: Authority) -> None:
    options = [all_secure(tmp_path, authority) for _ in range(3)]

    async def test(first: Node, second: Node, replica: Node) -> None:
        await eventually(lambda: replica.master_link_up, 30)
        assert await ask(first.options.port, "SET", "bar", "1") == b"OK"
        assert replica.state.my_master is not None
        assert replica.state.my_master.address is not None
        assert replica.state.my_master.address.port == first.options.tls_port
        await eventually(lambda: replica.repl_offset(replica.state.myself_id) > 0)
        await eventually(lambda: len(replica._keyspace) == 1)

        moved = ("MIGRATE", LOOPBACK, str(second.options.tls_port), "bar", "0", "5000")
        slot = await ask(first.options.port, "CLUSTER", "KEYSLOT", "bar")
        ids = [node.state.myself_id for node in (first, second)]
        for node, word, of in ((second, "IMPORTING", ids[0]), (first, "MIGRATING", ids[1])):
            asked = ("CLUSTER", "SETSLOT", str(slot), word, of)
            assert await ask(node.options.port, *asked) == b"OK"
        assert await ask(first.options.port, *moved) == b"OK"
        assert len(second._keyspace) == 1

    run(*options, masters=2, test=test)


def test_slots_move_whole_over_tls(tmp_path: Path, authority: Authority) -> None:
    options = [all_secure(tmp_path, authority) for _ in range(2)]

    async def test(first: Node, second: Node) -> None:
        assert await ask(first.options.port, "SET", "bar", "1") == b"OK"
        slot = str(await ask(first.options.port, "CLUSTER", "KEYSLOT", "bar"))
        words = ("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE")
        assert await ask(first.options.port, *words, second.state.myself_id) == b"OK"
        await eventually(lambda: int(slot) in second.state.myself.slots, 30)
        assert await ask(second.options.port, "GET", "bar") == b"1"

    run(*options, masters=2, test=test)


@pytest.mark.parametrize(
    ("asks", "shows", "served"),
    [
        ("yes", None, False),
        ("yes", "ours", True),
        ("yes", "another's", False),
        ("optional", None, True),
        ("optional", "another's", False),
        ("no", None, True),
        ("no", "another's", True),
    ],
)
def test_whom_clients_have_to_be_signed_by(
    tmp_path: Path,
    authority: Authority,
    stranger: Authority,
    asks: str,
    shows: str | None,
    served: bool,  # noqa: FBT001 - a row of the table
) -> None:
    context = authority.client("node" if shows == "ours" else None)
    if shows == "another's":
        context.load_cert_chain(stranger.file("node.pem"), stranger.file("node.key"))

    async def test(node: Node) -> None:
        if served:
            assert await ask(node.options.tls_port, "PING", tls=context) == b"PONG"
        else:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)):
                await ask(node.options.tls_port, "PING", tls=context)

    run(secure(tmp_path, authority, tls_auth_clients=asks), masters=1, test=test)


def _soon(options: NodeOptions) -> NodeOptions:
    """A node that gives up a handshake after a second."""
    return attrs.evolve(options, node_timeout_ms=500)


def test_a_node_of_another_authority_gets_no_link(
    tmp_path: Path, authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ours, theirs = _soon(all_secure(tmp_path, authority)), _soon(all_secure(tmp_path, stranger))

    async def main() -> None:
        async with running_node(ours) as node, running_node(theirs) as other:
            words = ("CLUSTER", "MEET", LOOPBACK, str(ours.tls_port), str(ours.cport))
            assert await ask(other.options.port, *words) == b"OK"
            await eventually(lambda: "Error accepting a connection" in caplog.text)
            await eventually(lambda: len(other.state.nodes) == 1)
            assert len(node.state.nodes) == 1

    asyncio.run(main())


def test_who_does_not_speak_tls_is_let_go_and_others_are_served(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def test(node: Node) -> None:
        silent = await asyncio.open_connection(LOOPBACK, node.options.tls_port)
        reader, writer = await asyncio.open_connection(LOOPBACK, node.options.tls_port)
        writer.write(b"*1\r\n$4\r\nPING\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 10)
        writer.transport.abort()
        tls = authority.client()
        assert await ask(node.options.tls_port, "PING", tls=tls) == b"PONG"
        await eventually(lambda: "Error accepting a connection" in caplog.text)
        silent[1].transport.abort()

    run(secure(tmp_path, authority), masters=1, test=test)


def test_a_node_that_ends_waits_for_no_handshake(tmp_path: Path, authority: Authority) -> None:
    async def main() -> None:
        options = secure(tmp_path, authority)
        async with running_node(options) as node:
            reader, writer = await asyncio.open_connection(LOOPBACK, options.tls_port)
            assert node.clients is not None
            secure_port = node.clients._secure
            await eventually(lambda: secure_port._greeted)
            ended = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - ended < tls_listening._HANDSHAKE_S
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.transport.abort()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_stopped_node_accepts_nobody(tmp_path: Path, authority: Authority) -> None:
    async def test(node: Node) -> None:
        node.freeze()
        asked = asyncio.create_task(ask(node.options.tls_port, "PING", tls=authority.client()))
        assert await ask_other(asked)
        node.thaw()
        assert await asyncio.wait_for(asked, 10) == b"PONG"

    async def ask_other(asked: "asyncio.Task[Any]") -> bool:
        """Whether nobody was accepted while another connection came and went."""
        server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK)
        async with server:
            port = server.sockets[0].getsockname()[1]
            for _ in range(3):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                await reader.read()
                writer.close()
        return not asked.done()

    run(secure(tmp_path, authority), masters=1, test=test)


def test_another_certificate_for_dialling(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    """Nodes that show one of another authority when they dial get no link."""
    client = {
        "tls_client_cert_file": stranger.file("node.pem"),
        "tls_client_key_file": stranger.file("node.key"),
    }
    ours = _soon(all_secure(tmp_path, authority))
    theirs = _soon(all_secure(tmp_path, authority, **client))

    async def main() -> None:
        async with running_node(ours) as node, running_node(theirs) as other:
            words = ("CLUSTER", "MEET", LOOPBACK, str(ours.tls_port), str(ours.cport))
            assert await ask(other.options.port, *words) == b"OK"
            await eventually(lambda: len(other.state.nodes) == 1)
            assert len(node.state.nodes) == 1

    asyncio.run(main())


async def shown(port: int, context: ssl.SSLContext) -> bytes:
    """The certificate that a new client sees."""
    _, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
    seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    assert isinstance(seen, bytes)
    return seen


def test_certificates_are_read_again_by_config_set(tmp_path: Path, authority: Authority) -> None:
    newer = authority.sign("newer")

    async def test(node: Node) -> None:
        tls, port = node.options.tls_port, node.options.port
        context = authority.client()
        before = await shown(tls, context)
        stands = await asyncio.open_connection(LOOPBACK, tls, ssl=context)
        assert await request(*stands, "PING") == b"PONG"

        key = authority.file("newer.key")
        refused = await failing(ask(port, "CONFIG", "SET", "tls-key-file", key))
        assert "Unable to update TLS configuration. Check server logs." in refused
        assert await shown(tls, context) == before
        assert (await ask(port, "CONFIG", "GET", "tls-key-file"))[1] != key.encode()

        words = ("tls-cert-file", authority.file("newer.pem"), "tls-key-file", key)
        assert await ask(port, "CONFIG", "SET", *words) == b"OK"
        assert before != await shown(tls, context) == newer
        assert await request(*stands, "PING") == b"PONG"  # what stands goes on
        stands[1].transport.abort()
        assert "immutable" in await failing(ask(port, "CONFIG", "SET", "tls-cluster", "no"))

    run(secure(tmp_path, authority), masters=1, test=test)

"""TLS: for clients, on the bus, for the data, and for keys that move.

Clauses: RT-60, RT-61, RT-62, RT-63, RT-64, RT-65.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.core.types import Address
from reference.runtime.cluster import formed_cluster
from reference.runtime.node import Node
from reference.runtime.nodes_file import from_conf
from reference.runtime.opening import StartError, listening_node, running_node
from reference.runtime.options import LOOPBACK, NodeOptions, OptionError
from reference.runtime.server_options import started_with
from reference.wire.nodes_conf_parse import parse_nodes_conf
from reference.wire.resp import ErrorReply, encode_reply
from tests.certificates import PASSWORD, Authority, encrypt_key
from tests.runtime.test_node import eventually, options_in
from tests.support import free_ports

BIG = bytes(range(256)) * 2000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-certificates"))


def secure(directory: Path, authority: Authority, **directives: str) -> NodeOptions:
    """Options of a node that serves clients with TLS too, with these directives besides."""
    kept = {"tls-port": str(free_ports(1)[0]), **authority.directives()}
    kept |= {name.replace("_", "-"): value for name, value in directives.items()}
    return options_in(directory, kept=kept)


def all_secure(directory: Path, authority: Authority, **directives: str) -> NodeOptions:
    """Options of a node whose bus and data have TLS too."""
    options = secure(directory, authority, tls_cluster="yes", tls_replication="yes", **directives)
    return attrs.evolve(options, cport=options.tls_port + 10000)


async def ask(port: int, *words: str | bytes, tls: ssl.SSLContext | None = None) -> Any:
    """The reply to one client's only request."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=tls)
    try:
        return await request(reader, writer, *words)
    finally:
        writer.transport.abort()


async def request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str | bytes
) -> Any:
    """The reply to a request; an error is an answer too."""
    writer.write(encode_reply([word.encode() if isinstance(word, str) else word for word in words]))
    async with asyncio.timeout(10):
        return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> Any:
    line = await reader.readuntil(b"\r\n")
    kind, text = line[:1], line[1:-2]
    if kind == b"*":
        return [await _reply(reader) for _ in range(int(text))]
    if kind == b"$":
        return (await reader.readexactly(int(text) + 2))[:-2] if text != b"-1" else None
    if kind == b":":
        return int(text)
    return ErrorReply(text.decode()) if kind == b"-" else text


def run(*options: NodeOptions, masters: int, test: Callable[..., Awaitable[None]]) -> None:
    """The test, of a formed cluster whose nodes run in this process, and leave nothing behind."""

    async def main() -> None:
        async with contextlib.AsyncExitStack() as at_end:
            nodes = [
                await at_end.enter_async_context(listening_node(each, state))
                for each, state in formed_cluster(options, masters)
            ]
            for node in nodes:
                node.start()
            await eventually(lambda: all(node.cluster_ok for node in nodes), 30)
            await test(*nodes)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_client_with_tls_is_served_and_told_of_ports_with_tls(
    tmp_path: Path, authority: Authority
) -> None:
    options = [all_secure(tmp_path, authority) for _ in range(2)]

    async def test(first: Node, second: Node) -> None:
        tls, plain = first.options.tls_port, first.options.port
        context = authority.client()

        assert await ask(tls, "SET", "bar", BIG, tls=context) == b"OK"
        assert await ask(tls, "GET", "bar", tls=context) == BIG
        for reply, other in (
            (await ask(tls, "CLUSTER", "SLOTS", tls=context), second.options.tls_port),
            (await ask(plain, "CLUSTER", "SLOTS"), second.options.port),
        ):
            assert reply[1][2][1] == other
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


async def failing(asked: Coroutine[Any, Any, Any]) -> str:
    """The text of the error that the reply is."""
    reply = await asked
    assert isinstance(reply, ErrorReply), reply
    return reply.text


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


def test_a_node_of_another_authority_gets_no_link(
    tmp_path: Path, authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ours, theirs = all_secure(tmp_path, authority), all_secure(tmp_path, stranger)

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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tls-cert-file": ""}, "No tls-cert-file configured!"),
        ({"tls-key-file": ""}, "No tls-key-file configured!"),
        ({"tls-ca-cert-file": ""}, "Either tls-ca-cert-file or tls-ca-cert-dir must be"),
        ({"tls-cert-file": "/nowhere"}, "Failed to load certificate: /nowhere: No such file"),
        ({"tls-key-file": "/nowhere"}, "Failed to load private key: /nowhere: No such file"),
        ({"tls-ca-cert-file": "/nowhere"}, "Failed to load CA certificate(s) file/directory"),
        ({"tls-key-file": "{stranger}"}, "Failed to load certificate or private key"),
        ({"tls-cert-file": "{key}"}, "Failed to load certificate or private key"),
        ({"tls-key-file": "{locked}"}, "Failed to load certificate or private key"),
        ({"tls-client-cert-file": "{cert}"}, "belong together"),
        ({"tls-protocols": "SSLv3"}, "Invalid tls-protocols specified"),
        ({"tls-protocols": "TLSv1.1 TLSv1.3"}, "tls-protocols with a gap"),
        ({"tls-ciphersuites": "none"}, "ciphersuites"),
        ({"tls-ciphers": "none"}, "Failed to configure ciphers: none"),
        ({"tls-dh-params-file": "/nowhere"}, "Failed to load DH parameters: /nowhere"),
    ],
)
def test_what_no_node_can_start_with(
    tmp_path: Path,
    authority: Authority,
    stranger: Authority,
    changes: dict[str, str],
    told: str,
) -> None:
    files = {"{stranger}": stranger.file("node.key"), "{key}": authority.file("node.key")}
    files |= {"{cert}": authority.file("node.pem"), "{locked}": authority.file("locked.key")}
    encrypt_key(authority.file("node.key"), authority.file("locked.key"), PASSWORD)
    options = secure(tmp_path, authority)
    changes = {name: files.get(value, value) for name, value in changes.items()}
    options = attrs.evolve(options, kept={**options.kept, **changes})

    async def main() -> None:
        with pytest.raises(StartError, match="Failed to configure TLS: ") as caught:
            async with running_node(options):
                pass
        assert told in str(caught.value)

    asyncio.run(main())


def test_a_bus_with_tls_needs_an_authority_though_clients_are_not_asked(
    tmp_path: Path, authority: Authority
) -> None:
    asked = {"tls_auth_clients": "no", "tls_ca_cert_file": ""}

    async def main() -> None:
        async with running_node(secure(tmp_path, authority, **asked)):
            pass
        with pytest.raises(StartError, match="must be specified when tls-cluster"):
            async with running_node(all_secure(tmp_path, authority, **asked)):
                pass

    asyncio.run(main())


def test_a_key_with_a_password(tmp_path: Path, authority: Authority) -> None:
    encrypt_key(authority.file("node.key"), authority.file("locked.key"), PASSWORD)
    files = {"tls_key_file": authority.file("locked.key"), "tls_key_file_pass": PASSWORD}

    async def test(node: Node) -> None:
        tls = authority.client()
        assert await ask(node.options.tls_port, "PING", tls=tls) == b"PONG"

    run(secure(tmp_path, authority, **files), masters=1, test=test)


def test_another_certificate_for_dialling(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    """Nodes that show one of another authority when they dial get no link."""
    client = {
        "tls_client_cert_file": stranger.file("node.pem"),
        "tls_client_key_file": stranger.file("node.key"),
    }
    ours, theirs = all_secure(tmp_path, authority), all_secure(tmp_path, authority, **client)

    async def main() -> None:
        async with running_node(ours) as node, running_node(theirs) as other:
            words = ("CLUSTER", "MEET", LOOPBACK, str(ours.tls_port), str(ours.cport))
            assert await ask(other.options.port, *words) == b"OK"
            await eventually(lambda: len(other.state.nodes) == 1)
            assert len(node.state.nodes) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("protocols", "spoken"), [("TLSv1.2", "TLSv1.2"), ("TLSv1.3", "TLSv1.3"), ("", "TLSv1.3")]
)
def test_protocols_and_ciphers(
    tmp_path: Path, authority: Authority, protocols: str, spoken: str
) -> None:
    cipher = "ECDHE-ECDSA-AES128-GCM-SHA256"
    given = {"tls_protocols": protocols, "tls_ciphers": cipher}

    async def test(node: Node) -> None:
        _, writer = await asyncio.open_connection(
            LOOPBACK, node.options.tls_port, ssl=authority.client()
        )
        assert writer.get_extra_info("ssl_object").version() == spoken
        if spoken == "TLSv1.2":
            assert writer.get_extra_info("cipher")[0] == cipher
        writer.transport.abort()

    run(secure(tmp_path, authority, **given), masters=1, test=test)


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
        assert "immutable" in await failing(ask(port, "CONFIG", "SET", "tls-port", "0"))

    run(secure(tmp_path, authority), masters=1, test=test)


def test_a_node_that_serves_only_clients_with_tls(tmp_path: Path, authority: Authority) -> None:
    port = free_ports(1)[0]
    lines = {"port": "0", "tls-port": str(port), "tls-cluster": "yes", **authority.directives()}
    text = "".join(f'{name} "{value}"\n' for name, value in lines.items())
    options = started_with(f"{text}dir {tmp_path}\n", None, cluster_enabled=True)

    async def test(node: Node) -> None:
        info = await ask(port, "INFO", "server", tls=authority.client())
        assert f"tcp_port:{port}" in info.decode()
        assert node.options.cport == port + 10000
        assert node.clients is not None
        assert node.clients.port == 0

    run(attrs.evolve(options, writable_delay_ms=0), masters=1, test=test)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("port 0", "port 0 and no tls-port"),
        ("port 0\ntls-port 7001", "port 0: the port of the bus"),
        ("port 7001\ntls-cluster yes", "tls-port 0: the port of the bus"),
    ],
)
def test_ports_that_no_node_can_have(lines: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        started_with(f"{lines}\n", None, cluster_enabled=True)


@pytest.mark.parametrize(
    ("dialect", "given", "announced"),
    [
        ("redis-7.0", {}, (7000, 0)),
        ("redis-7.0", {"tls-cluster": "yes"}, (7001, 7000)),
        ("redis-7.0", {"tls-cluster": "yes", "cluster-announce-tls-port": "9"}, (9, 8)),
        ("valkey-9.1", {}, (8, 7001)),
        ("valkey-9.1", {"tls-cluster": "yes"}, (7001, 8)),
        ("valkey-9.1", {"tls-cluster": "yes", "cluster-announce-tls-port": "9"}, (9, 8)),
    ],
)
def test_which_ports_a_node_announces(
    dialect: str, given: dict[str, str], announced: tuple[int, int]
) -> None:
    kept = {"tls-port": "7001", **given}
    says = 8 if announced[0] == 8 or announced[1] == 8 else 0
    options = NodeOptions(port=7000, cport=1, dialect=dialect, kept=kept, announce_port=says)

    assert (options.address.port, options.address.pport) == announced


@pytest.mark.parametrize(
    ("aux", "tls", "ports"),
    [
        (",,tls-port=7", False, (1, 7)),
        (",,tcp-port=7", True, (1, 7)),
        (",,tls-port=7", True, (7, 1)),
        (",,tcp-port=7", False, (7, 1)),
        ("", True, (1, 0)),
    ],
)
def test_the_port_of_the_bus_s_kind_comes_first_whichever_did_in_the_file(
    aux: str,
    tls: bool,  # noqa: FBT001 - a row of the table
    ports: tuple[int, int],
) -> None:
    text = (
        f"{'a' * 40} 1.2.3.4:1@2{aux} myself,master - 0 0 1 connected\n"
        "vars currentEpoch 1 lastVoteEpoch 0\n"
    )
    conf = parse_nodes_conf(text.encode())

    state = from_conf(conf, NodeOptions(port=1, cport=1).rules, tls=tls)

    assert state.myself.address == Address(ip="1.2.3.4", port=ports[0], cport=2, pport=ports[1])

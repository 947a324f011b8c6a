"""TLS as it is configured: what a node starts with, and what not.

Clauses: RT-35, RT-60, RT-61, RT-63, RT-64, RT-65.
"""

import asyncio
from pathlib import Path

import attrs
import click
import pytest

from reference.core.types import Address
from reference.runtime.command_line import _TLS, seated
from reference.runtime.files.nodes_file import from_conf
from reference.runtime.node import Node
from reference.runtime.opening import StartError, running_node
from reference.runtime.options import LOOPBACK, NodeOptions, OptionError
from reference.runtime.server_options import started_with
from reference.wire.nodes_conf_parse import parse_nodes_conf
from tests.certificates import PASSWORD, Authority, encrypt_key
from tests.runtime.tls_room import all_secure, ask, run, secure
from tests.support import free_ports


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-certificates"))


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


def test_all_addresses_are_listened_on(tmp_path: Path, authority: Authority) -> None:
    others = ("127.0.0.2", "-127.0.0.3", "-10.255.255.254")
    options = attrs.evolve(all_secure(tmp_path, authority), also_bind=others)
    tls = authority.client()
    tls.check_hostname = False  # the certificate is for one of them

    async def test(_node: Node) -> None:
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            assert await ask(options.port, "PING", host=host) == b"PONG"
            assert await ask(options.tls_port, "PING", host=host, tls=tls) == b"PONG"
            _, writer = await asyncio.open_connection(host, options.cport, ssl=tls)
            writer.transport.abort()
        told = await ask(options.port, "INFO", "server")
        places = b"bind=127.0.0.1,bind=127.0.0.2,bind=-127.0.0.3,bind=-10.255.255.254"
        assert b"listener0:name=tcp,%b,port=%d\r\n" % (places, options.port) in told
        assert b"listener1:name=tls,%b,port=%d\r\n" % (places, options.tls_port) in told

    run(options, masters=1, test=test)


def test_nodes_of_a_cluster_have_ports_with_tls_in_a_row(tmp_path: Path) -> None:
    given = {
        "port": 7000, "tls_port": 8000, "dialect": "redis-7.0", "cluster_node_timeout": 5,
        "bind": "127.0.0.1 -::1", **{name.replace("-", "_"): None for name in _TLS},
    }  # fmt: skip
    secure_bus = {**given, "tls_cluster": "yes", "tls_cert_file": "x.pem"}

    plain, secured = (seated(each, tmp_path, 2) for each in (given, secure_bus))

    assert (plain.port, plain.tls_port, plain.cport) == (7002, 8002, 17002)
    assert (secured.port, secured.tls_port, secured.cport) == (7002, 8002, 18002)
    assert secured.kept["tls-cert-file"] == "x.pem"
    assert plain.addresses == ("127.0.0.1", "-::1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tls_cluster": "yes"}, "--tls-cluster yes needs a --tls-port"),
        ({"tls_cluster": "maybe"}, "argument must be 'yes' or 'no'"),
        ({"bind": ""}, "an address to listen on is needed"),
    ],
)
def test_clusters_that_cannot_be_had(tmp_path: Path, changes: dict[str, str], told: str) -> None:
    given = {
        "port": 7000, "tls_port": None, "dialect": "redis-7.0", "cluster_node_timeout": 5,
        "bind": "127.0.0.1", **{name.replace("-", "_"): None for name in _TLS}, **changes,
    }  # fmt: skip
    with pytest.raises(click.UsageError, match=told):
        seated(given, tmp_path, 0)


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

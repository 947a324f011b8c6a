"""The command line of the node and of the cluster.

Clauses: NC-7, RT-1, RT-2, RT-3.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from reference.__main__ import main
from tests.support import LOOPBACK, Server, Workshop, free_ports, wait_until, workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as made:
        yield made


def _slotproof(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reference", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_version_and_help_name_the_commands() -> None:
    runner = CliRunner()

    assert runner.invoke(main, ["--version"]).output.startswith("slotproof, version ")
    assert "--cluster-node-timeout" in runner.invoke(main, ["node", "--help"]).output
    assert "--masters" in runner.invoke(main, ["cluster", "--help"]).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command"),
        (["node", "--port", "0"], "0 is not in the range"),
        (["node", "--port", "x"], "not a valid integer"),
        (["node", "--port", "60000"], "port 60000 is too high"),
        (["node", "--dialect", "redis-1.0"], "is not one of"),
        (["node", "--cluster-enabled", "no"], "always one of a cluster"),
        (["cluster", "--masters", "0"], "0 is not in the range"),
        (["cluster", "--port", "65535"], "above 65535"),
    ],
)
def test_bad_usage_is_told_and_exits_with_2(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert message in result.output


def _started(shop: Workshop, *options: str) -> Server:
    return shop.slotproof("valkey-9.1", *options)


def test_node_tells_that_it_is_ready_and_ends_with_sigterm(shop: Workshop) -> None:
    node = _started(shop)
    pid = node.running.pid
    assert f" PID: {pid}" in node.log
    assert "Server initialized" in node.log
    assert "Ready to accept connections" in node.log

    node.running.send_signal(signal.SIGTERM)

    assert node.running.wait(10) == 0
    assert "bye bye" in node.log


def test_node_that_cannot_save_ends(shop: Workshop) -> None:
    node = _started(shop, "--dir", "data")
    shutil.rmtree(node.directory / "data")

    with pytest.raises(redis.exceptions.RedisError):
        node.cluster("SET-CONFIG-EPOCH", 7)

    assert node.running.wait(10) == 1
    assert "Fatal: can't update cluster config file" in node.log


def test_second_node_with_the_same_file_is_refused(shop: Workshop) -> None:
    node = _started(shop)
    [port] = free_ports(1)

    result = _slotproof("node", "--port", str(port), cwd=node.directory)

    assert result.returncode == 1
    assert "nodes.conf is already used by a different cluster node" in result.stderr


def test_port_in_use_is_told(shop: Workshop, tmp_path: Path) -> None:
    node = _started(shop)

    result = _slotproof("node", "--port", str(node.port), cwd=tmp_path)

    assert result.returncode == 1
    assert f"Failed listening on port {node.port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("damage", "line", "reason"),
    [
        (lambda text: text[: len(text) // 2], 1, "cut off"),
        (lambda text: text.replace("myself,master", "myself,mister"), 1, "unknown flag 'mister'"),
        (lambda text: text.replace("currentEpoch 7", "currentEpoch -7"), 2, "bad epoch '-7'"),
        (lambda text: "\x00\x01\x02 garbage\n" + text, 1, "does not belong"),
    ],
)
def test_damaged_file_stops_the_start_and_is_not_touched(
    shop: Workshop, damage: object, line: int, reason: str
) -> None:
    node = _started(shop)
    node.cluster("SET-CONFIG-EPOCH", 7)
    node.end()
    path = node.directory / "nodes.conf"
    assert callable(damage)
    path.write_text(damage(path.read_text()))
    before, written = path.read_bytes(), path.stat().st_mtime_ns

    result = _slotproof("node", "--port", str(node.port), cwd=node.directory)

    assert result.returncode == 1
    assert f"nodes.conf: line {line}: " in result.stderr
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)
    assert sorted(p.name for p in node.directory.iterdir()) == ["log", "nodes.conf"]


def test_cluster_serves_clients_as_soon_as_it_says_ready(tmp_path: Path) -> None:
    port = _row_of_free_ports(6)
    with subprocess.Popen(
        [sys.executable, "-m", "reference", "cluster", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().rstrip("\n") for _ in range(7)]
            with redis.RedisCluster(host=LOOPBACK, port=port, decode_responses=True) as client:
                for number in range(50):
                    client.set(f"key:{number}", number)
                assert client.get("key:49") == "49"
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(10)

    assert lines[-1] == "ready"
    assert [line.split()[2] for line in lines[:6]] == ["master"] * 3 + ["slave"] * 3
    assert code == 0
    assert list(tmp_path.iterdir()) == []


def _row_of_free_ports(count: int) -> int:
    """The first of so many ports in a row."""

    def try_one() -> int:
        ports = free_ports(count)
        return ports[0] if ports == list(range(ports[0], ports[0] + count)) else 0

    return wait_until(try_one, 10, what="ports in a row")


def test_cluster_goes_on_from_its_files(tmp_path: Path) -> None:
    port = _row_of_free_ports(2)
    arguments = ["cluster", "--masters", "1", "--replicas", "1", "--port", str(port), "--dir", "d"]
    told = []
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "reference", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            told.append([process.stdout.readline() for _ in range(3)])
            process.terminate()
            assert process.wait(10) == 0
    assert told[0] == told[1]

    (tmp_path / "d" / f"nodes-{port}.conf").unlink()
    result = _slotproof(*arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert "but not the files of all nodes" in result.stderr

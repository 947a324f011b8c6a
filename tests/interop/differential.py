"""A node of ours and a real server in the same situation, asked the same, and compared.

Both know the same peers from their nodes.conf: another master with slots, its replica, a master
without slots, and in half of the situations the node itself is a replica. The peers never answer,
and the node timeout is an hour, so nothing changes unless a command changes it.
"""

import asyncio
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from reference.runtime.configuration.directives import configured
from reference.runtime.opening import running_node
from reference.runtime.options import NodeOptions, bus_port
from tests.support import LOOPBACK, Server, free_ports, redis_binary, valkey_binary, wait_until

_T = TypeVar("_T")
Value = Any

HOUR_MS: Final = 3_600_000
ANNOUNCED_PORT: Final = 7001
IDS: Final = {
    "$myself": "a" * 40,
    "$other": "b" * 40,
    "$replica": "c" * 40,
    "$empty": "d" * 40,
    "$unknown": "e" * 40,
}
"""Whom commands name; what follows a RESET HARD is found out."""

_SHARDS: Final = {"$myself": "1" * 40, "$other": "2" * 40, "$empty": "3" * 40}
_COMMON: Final = {
    "cluster-announce-ip": LOOPBACK,
    "cluster-announce-port": str(ANNOUNCED_PORT),
    "cluster-announce-bus-port": str(ANNOUNCED_PORT + 10000),
    "cluster-require-full-coverage": "no",
    "cluster-allow-replica-migration": "yes",
}


def nodes_conf(dialect: str, *, replica: bool) -> str:
    """The file that both start from: `replica` says what the node itself is."""
    own = "slave" if replica else "master"
    rows = [
        ("$myself", f"myself,{own}", IDS["$other"] if replica else "-", 1, "0-99 5061 15495"),
        ("$other", "master", "-", 2, "100-200 3300 12000-12999"),
        ("$replica", "slave", IDS["$other"], 2, ""),
        ("$empty", "master", "-", 3, ""),
    ]
    lines = []
    for number, (role, flags, master, epoch, slots) in enumerate(rows):
        shard = "$other" if master == IDS["$other"] else role
        aux = "" if dialect == "redis-7.0" else f",,tls-port=0,shard-id={_SHARDS[shard]}"
        port = ANNOUNCED_PORT + number
        bound = "" if role == "$myself" and replica else slots
        lines.append(
            f"{IDS[role]} {LOOPBACK}:{port}@{port + 10000}{aux} {flags} {master} 0 0 {epoch} "
            f"disconnected {bound}".rstrip()
        )
    return "\n".join([*lines, "vars currentEpoch 3 lastVoteEpoch 0", ""])


@attrs.frozen
class Failure:
    """An error reply, with its code."""

    text: str


class Connection:
    """One client of a server, which takes replies as they come."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), timeout=20)
        self._file = self._socket.makefile("rb")

    def ask(self, words: Sequence[str]) -> Value:
        """The reply to the request."""
        raw = [word.encode() for word in words]
        self._socket.sendall(
            b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in raw)
        )
        return self._read()

    def _read(self) -> Value:
        line = self._file.readline()
        assert line.endswith(b"\r\n"), "the server closed the connection"
        kind, text = line[:1], line[1:-2].decode()
        match kind:
            case b"+":
                return text
            case b"-":
                return Failure(text)
            case b":":
                return int(text)
            case b"$":
                if text == "-1":
                    return None
                return self._file.read(int(text) + 2)[:-2].decode()
            case b"*":
                return None if text == "-1" else [self._read() for _ in range(int(text))]
            case _:
                raise AssertionError(f"unknown reply {line!r}")

    def close(self) -> None:
        """The connection is gone."""
        self._file.close()
        self._socket.close()


@attrs.define
class Side:
    """One of the two nodes, with its client."""

    connection: Connection
    end: Callable[[], None]
    watcher: Connection  # never in a transaction
    has_shards: bool

    def ask(self, words: Sequence[str]) -> Value:
        """The reply with the node's own names replaced."""
        own = str(self.watcher.ask(["CLUSTER", "MYID"]))
        names = {**IDS, "$myself": own}
        return self._named(self.connection.ask([names.get(word, word) for word in words]))

    def _named(self, value: Value) -> Value:
        own = str(self.watcher.ask(["CLUSTER", "MYID"]))
        shard = self.watcher.ask(["CLUSTER", "MYSHARDID"]) if self.has_shards else own

        def named(part: Value) -> Value:
            match part:
                case str():
                    return part.replace(own, "$myself").replace(str(shard), "$shard")
                case list():
                    return [named(each) for each in part]
                case Failure():
                    return Failure(named(part.text))
                case _:
                    return part

        return named(value)

    def view(self) -> dict[str, Value]:
        """What the node tells of the cluster, as far as time and chance have no part in it."""
        look = self.watcher.ask
        info = dict(
            line.split(":", 1) for line in str(look(["CLUSTER", "INFO"])).splitlines() if line
        )
        told = {
            "nodes": sorted(map(link_free_row, str(look(["CLUSTER", "NODES"])).splitlines())),
            "slots": [without_replicas(run) for run in look(["CLUSTER", "SLOTS"])],
            "shards": sorted(map(shard_of, look(["CLUSTER", "SHARDS"])), key=str),
            "info": {
                name: text
                for name, text in info.items()
                if not name.startswith(("cluster_stats", "cluster_state"))
            },
        }
        return {name: self._named(part) for name, part in told.items()}


def link_free_row(line: str) -> list[str]:
    """A line of CLUSTER NODES without instants, link state and made-up ids."""
    words = line.split(" ")
    name = "$met" if "handshake" in words[2] else words[0]
    return [name, words[1], words[2], words[3], words[6], *words[8:]]


def without_replicas(run: Value) -> Value:
    """CM-D1: servers hide replicas that have no data yet, as all of these are."""
    return run[:3]


def shard_of(shard: Value) -> Value:
    """CM-D1: a replica without data is loading for servers, and online for us."""
    fields = dict(zip(shard[::2], shard[1::2], strict=True))
    members = [dict(zip(node[::2], node[1::2], strict=True)) for node in fields["nodes"]]
    for member in members:
        del member["replication-offset"]  # CM-13: no data is replicated here
        if member["role"] == "replica" and member["health"] == "loading":
            member["health"] = "online"
    return [
        ["slots", fields["slots"]],
        ["nodes", sorted([list(map(list, member.items())) for member in members], key=str)],
    ]


class Ours:
    """A thread in which nodes of ours live."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """What the work returns, which is done among the nodes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def start(self, directory: Path, dialect: str, *, replica: bool) -> Side:
        """A node of ours that knows the peers."""
        [port] = free_ports(1)
        directory.mkdir(parents=True)
        (directory / "nodes.conf").write_text(nodes_conf(dialect, replica=replica))
        options = NodeOptions(
            port=port, cport=bus_port(port), dialect=dialect, directory=directory,
            node_timeout_ms=HOUR_MS, writable_delay_ms=0,
        )  # fmt: skip
        options = configured(options, list(_COMMON.items()))
        at_end = AsyncExitStack()
        self.run(at_end.enter_async_context(running_node(options)))
        return _side(port, dialect, lambda: self.run(at_end.aclose()))

    def close(self) -> None:
        """The thread has ended."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _side(port: int, dialect: str, end: Callable[[], Any]) -> Side:
    connection, watcher = Connection(port), Connection(port)

    def close() -> None:
        connection.close()
        watcher.close()
        end()

    return Side(connection, close, watcher, has_shards=dialect != "redis-7.0")


class Stock:
    """Real servers that were started before they are needed: a master is silent for 2 seconds."""

    def __init__(self, directory: Path, dialect: str, depth: int = 3) -> None:
        self._directory = directory
        self._dialect = dialect
        self._depth = depth
        self._waiting: dict[bool, list[Server]] = {False: [], True: []}
        self._count = 0

    def take(self, *, replica: bool) -> Side:
        """A server that says that the cluster is ok."""
        waiting = self._waiting[replica]
        while len(waiting) < self._depth:
            waiting.append(self._started(replica=replica))
        server = waiting.pop(0)
        wait_until(server.answers, 20, what="the server answers")
        wait_until(lambda: server.info()["cluster_state"] == "ok", 20, what="the server is ok")
        return _side(server.port, self._dialect, server.end)

    def _started(self, *, replica: bool) -> Server:
        [port] = free_ports(1)
        self._count += 1
        folder = self._directory / f"real-{self._count}"
        folder.mkdir(parents=True)
        (folder / "nodes.conf").write_text(nodes_conf(self._dialect, replica=replica))
        binary = redis_binary() if self._dialect.startswith("redis") else valkey_binary()
        settings = {
            "port": port, "bind": LOOPBACK, "cluster-enabled": "yes", "save": "",
            "cluster-node-timeout": HOUR_MS, "appendonly": "no", **_COMMON,
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        server = Server(self._dialect, port, folder, [binary, *words])
        with (folder / "log").open("ab") as log:
            server.process = subprocess.Popen(
                server.command, cwd=folder, stdout=log, stderr=subprocess.STDOUT
            )
        return server

    def close(self) -> None:
        """No server is left that nobody took."""
        for waiting in self._waiting.values():
            while waiting:
                waiting.pop().end()


@contextmanager
def both(directory: Path, dialect: str) -> Iterator[tuple[Ours, Stock]]:
    """Where nodes of ours and real ones come from; all are gone after the block."""
    ours, stock = Ours(), Stock(directory, dialect)
    try:
        yield ours, stock
    finally:
        stock.close()
        ours.close()

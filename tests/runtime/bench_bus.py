"""How a cluster in one process keeps pace with servers: `python -m tests.runtime.bench_bus`.

`[NODES] [SECONDS] [WRITES]`: so many nodes, half of them replicas, run for so long with a node
timeout of two seconds while a client writes so many keys a second. What is told: when all had
dialled all, the messages each node sends and receives in a second (60 real servers: 83 and 83),
the processor time of a message, which covers its sending, its receipt and all else, whom any node
took to be failing, and how long the client waited. The exit code is 1 if there was a suspicion or
an error of the client, and 2 if the cluster never came to work.
"""

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Final

import redis
from typing_extensions import override

from tests.runtime.bench_clients import processor_s
from tests.runtime.bench_cluster import row_of_free_ports
from tests.support import LOOPBACK

NODE_TIMEOUT_MS: Final = 2000
LINKED_WITHIN_S: Final = 120
"""After "ready" all connections are made, sooner or later as the machine has time."""
SETTLING_S: Final = 5
"""After that each node hears of the others at its usual pace."""
PATIENCE_S: Final = 30
"""Of clients, for one answer."""

LOOKS_EVERY_S: Final = 2


class NeverUpError(Exception):
    """The cluster does not work, and why."""


@contextlib.contextmanager
def running(nodes: int) -> Iterator[tuple[int, list[int]]]:
    """The process id and the client ports of the cluster."""
    port = row_of_free_ports(nodes)
    replicas = nodes // 2
    words = ["--masters", str(nodes - replicas), "--replicas", str(replicas), "--port", str(port)]
    words += ["--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--loglevel", "warning"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "reference", "cluster", *words, "--dir", folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        while (line := process.stdout.readline().strip()) != "ready":
            if not line and process.poll() is not None:
                raise NeverUpError(f"it ended with code {process.returncode} before it was ready")
        threading.Thread(target=process.stdout.read, daemon=True).start()  # its log
        try:
            yield process.pid, list(range(port, port + nodes))
        finally:
            process.kill()


class Writer(threading.Thread):
    """A client that writes, at its pace, until it is told to stop."""

    def __init__(self, port: int, per_s: float) -> None:
        super().__init__(daemon=True)
        self.waits_ms: list[float] = []  # of all that were answered
        self.errors: list[str] = []
        self._port, self._pause_s = port, 1 / per_s
        self._ended = threading.Event()

    @override
    def run(self) -> None:
        """Keys are written until the end is asked for."""
        with redis.RedisCluster(
            host=LOOPBACK, port=self._port, socket_timeout=PATIENCE_S
        ) as client:
            while not self._ended.wait(self._pause_s):
                began = time.monotonic()
                try:
                    client.set(f"key:{len(self.waits_ms)}", "value")
                    self.waits_ms.append((time.monotonic() - began) * 1000)
                except (redis.RedisError, OSError) as error:
                    self.errors.append(f"{type(error).__name__}: {error}")

    def stop(self) -> str:
        """Nothing is written any more, and this is how it went."""
        self._ended.set()
        self.join()
        waits = sorted(self.waits_ms) or [0.0]
        middle, late = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
        return (
            f"{len(self.waits_ms)} writes, answered in {middle:.1f} ms in the middle, 99 % in "
            f"{late:.1f} ms, all in {waits[-1]:.1f} ms; {len(self.errors)} errors"
        )


def all_linked(clients: list[redis.Redis]) -> bool:
    """Whether each node has a link to each other and from it."""
    links = 2 * (len(clients) - 1)
    return all(len(client.cluster("LINKS")) >= links for client in clients)


def settle(clients: list[redis.Redis], began: float) -> None:
    """All nodes are linked, and tell each other the usual things; NeverUpError if that fails."""
    patience = threading.Event()  # never set: what is measured is time
    try:
        while not all_linked(clients):
            if time.monotonic() > began + LINKED_WITHIN_S:
                raise NeverUpError(f"not all nodes are linked after {LINKED_WITHIN_S} s")
            patience.wait(0.5)
    except (redis.RedisError, OSError) as error:
        raise NeverUpError(f"a node does not answer its clients: {error}") from error
    sys.stdout.write(f"all linked {time.monotonic() - began:.1f} s after ready\n")
    sys.stdout.flush()
    patience.wait(SETTLING_S)


def messages(clients: list[redis.Redis]) -> tuple[int, int]:
    """How many messages all nodes have sent, and received."""
    told = [client.cluster("INFO") for client in clients]
    return (
        sum(int(each["cluster_stats_messages_sent"]) for each in told),
        sum(int(each["cluster_stats_messages_received"]) for each in told),
    )


def suspected(clients: list[redis.Redis]) -> set[tuple[int, str]]:
    """Who takes whom to be failing: the port of one and the id of the other."""
    return {
        (client.connection_pool.connection_kwargs["port"], str(node["node_id"]))
        for client in clients
        for node in client.cluster("NODES").values()
        if "fail" in str(node["flags"])
    }


def main(nodes: int, seconds: int, writes_per_s: float) -> int:
    """One line is written, and one for each suspicion when it is first seen; the exit code."""
    with running(nodes) as (pid, ports):
        ready = time.monotonic()
        clients = [
            redis.Redis(LOOPBACK, port, protocol=2, socket_timeout=PATIENCE_S) for port in ports
        ]
        settle(clients, ready)
        writer = Writer(ports[0], writes_per_s)
        writer.start()
        patience = threading.Event()  # never set: what is measured is time
        sent, received = messages(clients)
        began, spent, seen = time.monotonic(), processor_s(pid), set[tuple[int, str]]()
        while time.monotonic() < began + seconds:
            patience.wait(LOOKS_EVERY_S)
            for port, node_id in sorted(suspected(clients) - seen):
                sys.stdout.write(f"{time.monotonic() - began:.0f} s: {port} suspects {node_id}\n")
                sys.stdout.flush()
                seen.add((port, node_id))
        took, spent = time.monotonic() - began, processor_s(pid) - spent
        later_sent, later_received = messages(clients)
        told = writer.stop()
        arrived = later_received - received
        sys.stdout.write(
            f"{nodes} nodes, {took:.0f} s: each sent {(later_sent - sent) / took / nodes:.1f} and "
            f"received {arrived / took / nodes:.1f} messages a second; "
            f"{spent / took * 100:.0f} % of a processor, {spent / max(arrived, 1) * 1e6:.0f} us a "
            f"message; {told}; {len(seen)} suspicions\n"
        )
        for error in sorted(set(writer.errors)):
            sys.stdout.write(f"{writer.errors.count(error)} times: {error}\n")
        return int(bool(seen or writer.errors))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    try:
        code = main(*(given + [60, 600, 100][len(given) :]))
    except NeverUpError as error:
        sys.stderr.write(f"the cluster does not work: {error}\n")
        code = 2
    except (redis.RedisError, OSError) as error:
        sys.stderr.write(f"a node does not answer its clients any more: {error}\n")
        code = 2
    sys.exit(code)

"""How a cluster in one process keeps pace with servers: `python -m tests.runtime.bench_bus`.

`[NODES] [SECONDS] [WRITES]`: so many nodes, half of them replicas, run for so long with a node
timeout of two seconds while a client writes so many keys a second. What is told: the messages each
node sends and receives in a second (60 real servers: 83 and 83), the processor time of a message,
which covers its sending, its receipt and all else, and whom any node took to be failing.
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
SETTLING_S: Final = 15
"""After "ready" all connections are made, and each node hears of the others at its usual pace."""

LOOKS_EVERY_S: Final = 2


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
        while process.stdout.readline().strip() != "ready":
            assert process.poll() is None
        threading.Thread(target=process.stdout.read, daemon=True).start()  # its log
        try:
            yield process.pid, list(range(port, port + nodes))
        finally:
            process.kill()


class Writer(threading.Thread):
    """A client that writes, at its pace, until it is told to stop."""

    def __init__(self, port: int, per_s: float) -> None:
        super().__init__(daemon=True)
        self.written, self.refused = 0, 0
        self._port, self._pause_s = port, 1 / per_s
        self._ended = threading.Event()

    @override
    def run(self) -> None:
        """Keys are written until the end is asked for."""
        with redis.RedisCluster(host=LOOPBACK, port=self._port) as client:
            while not self._ended.wait(self._pause_s):
                try:
                    client.set(f"key:{self.written}", "value")
                    self.written += 1
                except (redis.RedisError, OSError):
                    self.refused += 1

    def stop(self) -> None:
        """Nothing is written any more."""
        self._ended.set()
        self.join()


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


def main(nodes: int, seconds: int, writes_per_s: float) -> None:
    """One line is written, and one for each suspicion when it is first seen."""
    with running(nodes) as (pid, ports):
        clients = [redis.Redis(LOOPBACK, port, protocol=2) for port in ports]
        writer = Writer(ports[0], writes_per_s)
        writer.start()
        patience = threading.Event()  # never set: what is measured is time
        patience.wait(SETTLING_S)
        sent, received = messages(clients)
        began, spent, seen = time.monotonic(), processor_s(pid), set[tuple[int, str]]()
        while time.monotonic() < began + seconds:
            patience.wait(LOOKS_EVERY_S)
            for port, node_id in sorted(suspected(clients) - seen):
                sys.stdout.write(f"{time.monotonic() - began:.0f} s: {port} suspects {node_id}\n")
                seen.add((port, node_id))
        took, spent = time.monotonic() - began, processor_s(pid) - spent
        later_sent, later_received = messages(clients)
        writer.stop()
        arrived = later_received - received
        sys.stdout.write(
            f"{nodes} nodes, {took:.0f} s: each sent {(later_sent - sent) / took / nodes:.1f} and "
            f"received {arrived / took / nodes:.1f} messages a second; "
            f"{spent / took * 100:.0f} % of a processor, {spent / max(arrived, 1) * 1e6:.0f} us a "
            f"message; {writer.written} writes, {writer.refused} refused; {len(seen)} suspicions\n"
        )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [60, 600, 100][len(given) :]))

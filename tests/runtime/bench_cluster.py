"""How long a whole cluster takes to serve its clients: `python -m tests.runtime.bench_cluster`.

The time is from the start of `slotproof cluster`, the import of its modules included, to the word
"ready", and to the answer to the first SET after it. Beside it stands the processor time that was
spent by then, which a busy machine changes less.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import redis

from tests.runtime.bench_clients import processor_s
from tests.support import LOOPBACK

RUNS: Final = 5


def row_of_free_ports(count: int) -> int:
    """The first of so many ports in a row that are free, as are those of their buses."""
    for first in range(11_000, 20_000, count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                for each in (port, port + 10_000):
                    held.enter_context(socket.create_server((LOOPBACK, each)))
            return first
    raise OSError("no row of ports is free")


def start(masters: int, replicas: int) -> tuple[float, float, float]:
    """Seconds until ready, until a SET was answered, and of processor time by then."""
    port = row_of_free_ports(masters + replicas)
    words = ["--masters", str(masters), "--replicas", str(replicas), "--port", str(port)]
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "reference", "cluster", *words],
            cwd=Path(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        while process.stdout.readline().strip() != "ready":
            pass
        ready = time.monotonic() - began
        with redis.RedisCluster(host=LOOPBACK, port=port) as client:
            client.set("key", "value")
        served, spent = time.monotonic() - began, processor_s(process.pid)
        process.kill()
    return ready, served, spent


def main() -> None:
    """A line is written for each size of cluster: the least and the middle of the runs."""
    for masters, replicas in ((3, 0), (3, 3), (10, 10)):
        runs = [start(masters, replicas) for _ in range(RUNS)]
        columns = [sorted(column) for column in zip(*runs, strict=True)]
        told = ", ".join(
            f"{name} {column[0]:.2f} s at least, {column[RUNS // 2]:.2f} s in the middle"
            for name, column in zip(("ready", "served", "processor"), columns, strict=True)
        )
        sys.stdout.write(f"{masters}+{replicas}: {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

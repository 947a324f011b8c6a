"""GET and SET of 50 clients, beside the servers that a node is compared with.

`python -m tests.runtime.bench_clients [REQUESTS]` starts all servers on this machine, drives one
after the other with redis-benchmark in several rounds, and tells the medians of their rates and of
the processor time that a server took for a request, which a busy machine changes less.
"""

import contextlib
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import redis

from tests.support import LOOPBACK, free_ports, wait_until

CLIENTS: Final = 50
KEYS: Final = 10_000
ROUNDS: Final = 3
PATIENCE_S: Final = 120
_FAKE: Final = (
    "import sys; from fakeredis import TcpFakeServer; "
    "TcpFakeServer(('127.0.0.1', int(sys.argv[1])), server_type='redis').serve_forever()"
)
_NODE: Final = ("--cluster-enabled", "yes", "--save", "", "--loglevel", "warning")


def commands(port: int) -> dict[str, list[str]]:
    """How each server is started, by what it is called."""
    ours = [sys.executable, "-c", "from reference.runtime.server import main; main()"]
    return {
        "slotproof": [*ours, "--port", str(port), *_NODE],
        "fakeredis": [sys.executable, "-c", _FAKE, str(port)],
        "redis": ["redis-server", "--port", str(port), *_NODE],
    }


def processor_s(pid: int) -> float:
    """Seconds that the process has run, its time in the system included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(name: str, port: int, directory: Path) -> Iterator[int]:
    """The process id of the server, which serves all slots."""
    process = subprocess.Popen(commands(port)[name], cwd=directory, stdout=subprocess.DEVNULL)
    client = redis.Redis(LOOPBACK, port, protocol=2)

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(client.ping())
        return False

    def serves() -> bool:
        return bool(client.cluster("INFO")["cluster_state"] == "ok")

    try:
        wait_until(answers, 30)
        if name != "fakeredis":
            client.cluster("ADDSLOTSRANGE", 0, 16383)
            wait_until(serves, 30)
        yield process.pid
    finally:
        client.close()
        process.kill()
        process.wait()


def rate(port: int, command: str, pipelined: int, requests: int) -> float | None:
    """Requests a second, as redis-benchmark counts them; None if the server broke off."""
    words = ["-p", str(port), "-t", command, "-n", str(requests), "-c", str(CLIENTS)]
    words += ["-P", str(pipelined), "-r", str(KEYS), "--csv"]
    try:
        done = subprocess.run(
            ["redis-benchmark", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return None
    rows = csv.reader(done.stdout.splitlines())
    return next((float(row[1]) for row in rows if row and row[0] == command.upper()), None)


def told(name: str, runs: list[tuple[float, float] | None]) -> str:
    """The medians of the rounds that came to their end, and how many did."""
    ended = [run for run in runs if run is not None]
    if not ended:
        return f"{name} broke off"
    us, per_s = (statistics.median(column) for column in zip(*ended, strict=True))
    broken = (
        f" ({len(runs) - len(ended)} of {len(runs)} broke off)" if len(ended) < len(runs) else ""
    )
    return f"{name} {us:.1f} us {per_s:.0f}/s{broken}"


def main(requests: int) -> None:
    """A line for each command and depth of pipelines: all servers, in rounds in turn."""
    with contextlib.ExitStack() as at_end:
        servers = {}
        for name, port in zip(commands(0), free_ports(3), strict=True):
            folder = Path(at_end.enter_context(tempfile.TemporaryDirectory()))
            servers[name] = (port, at_end.enter_context(running(name, port, folder)))
        for pipelined in (1, 16):
            for command in ("set", "get"):
                runs: dict[str, list[tuple[float, float] | None]] = {name: [] for name in servers}
                for _ in range(ROUNDS):
                    for name, (port, pid) in servers.items():
                        before = processor_s(pid)
                        per_s = rate(port, command, pipelined, requests * pipelined)
                        us = (processor_s(pid) - before) / (requests * pipelined) * 1e6
                        runs[name].append((us, per_s) if per_s else None)
                line = ", ".join(told(name, each) for name, each in runs.items())
                sys.stdout.write(f"-P {pipelined} {command}: {line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

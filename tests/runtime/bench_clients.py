"""GET and SET of 50 clients, beside the servers that a node is compared with.

`python -m tests.runtime.bench_clients [REQUESTS]` starts each server in its turn on this machine,
drives it with redis-benchmark, and tells the processor time that the server took for a request,
which a busy machine changes less than the rate.
"""

import contextlib
import csv
import os
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
    done = subprocess.run(["redis-benchmark", *words], capture_output=True, text=True, check=False)
    rows = csv.reader(done.stdout.splitlines())
    return next((float(row[1]) for row in rows if row and row[0] == command.upper()), None)


def main(requests: int) -> None:
    """A line is written for each server, command and depth of pipelines."""
    for name in commands(0):
        [port] = free_ports(1)
        with (
            tempfile.TemporaryDirectory() as folder,
            running(name, port, Path(folder)) as pid,
        ):
            for pipelined in (1, 16):
                for command in ("set", "get"):
                    before = processor_s(pid)
                    per_s = rate(port, command, pipelined, requests * pipelined)
                    us = (processor_s(pid) - before) / (requests * pipelined) * 1e6
                    told = f"{us:6.1f} us, {per_s:9.0f}/s" if per_s else "it broke off"
                    sys.stdout.write(f"{name:10} -P {pipelined:2} {command}: {told}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

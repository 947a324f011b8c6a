"""redis-cli -c and redis-benchmark --cluster, unmodified, with a cluster of slotproof.

Clauses: CM-1, CM-60, RD-8, RE-14.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from reference.core.slots import key_hash_slot
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.options import NodeOptions
from tests.support import free_ports, redis_binary

pytestmark = [pytest.mark.interop, pytest.mark.timeout(150)]

ELSEWHERE: Final = ("k1", "k2", "k3", "k4")
"""Keys of all three masters."""
TESTS: Final = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset"
REQUESTS: Final = 60

Story = Callable[[list[int]], Awaitable[None]]


def _with_cluster(tmp_path: Path, story: Story) -> None:
    options = [
        NodeOptions(
            port=port, cport=port + 10000, dialect="redis-7.0", node_timeout_ms=60_000,
            cluster_config_file=f"nodes-{port}.conf", directory=tmp_path, writable_delay_ms=0,
        )
        for port in free_ports(3)
    ]  # fmt: skip

    async def told() -> None:
        async with ClusterHost() as host, asyncio.timeout(120):
            await host.start(formed_cluster(options, 3))
            while not all(node.cluster_ok for node in host.running):  # noqa: ASYNC110 - of three
                await asyncio.sleep(0.01)
            await story([each.port for each in options])

    asyncio.run(told())


async def _said(program: str, *words: object, told: str = "") -> str:
    """What the program prints; it succeeds."""
    found = shutil.which(program)
    if found is None:
        redis_binary()
        pytest.skip(f"no {program} on PATH")
    process = await asyncio.create_subprocess_exec(
        found,
        *map(str, words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(told.encode())
    text = output.decode()
    assert process.returncode == 0, text
    return text


def _replies(told: str) -> list[str]:
    """What it prints, besides where it was sent."""
    return [line for line in told.splitlines() if line and not line.startswith("->")]


def test_redis_cli_follows_the_slots(tmp_path: Path) -> None:
    assert len({key_hash_slot(key.encode()) * 3 // 16384 for key in ELSEWHERE}) == 3

    async def story(ports: list[int]) -> None:
        at = ("-p", ports[0])
        for key in ELSEWHERE:
            assert await _said("redis-cli", "-c", *at, "SET", key, f"v-{key}") == "OK\n"
        values = [f"v-{key}" for key in ELSEWHERE]
        gets = "".join(f"GET {key}\n" for key in ELSEWHERE)
        told = await _said("redis-cli", "-c", *at, told=gets)
        assert _replies(told) == values
        assert "-> Redirected to slot [" in told
        assert "MOVED" in await _said("redis-cli", *at, told=gets)
        words = "GET k3\nMULTI\nSET {k3}a 1\nINCR {k3}a\nEXEC\n"
        done = _replies(await _said("redis-cli", "-c", *at, told=words))
        assert done == ["v-k3", "OK", "QUEUED", "QUEUED", "OK", "2"]

    _with_cluster(tmp_path, story)


def test_redis_benchmark_spreads_over_the_masters(tmp_path: Path) -> None:
    async def story(ports: list[int]) -> None:
        words = ("-p", ports[0], "--cluster", "-t", TESTS, "-n", REQUESTS, "-c", 6, "-r", 1000)
        told = await _said("redis-benchmark", *words, "-q")

        assert "Cluster has 3 master nodes" in told
        rates = [line for line in told.replace("\r", "\n").splitlines() if "p50=" in line]
        assert len(rates) >= len(TESTS.split(","))
        assert "ERR" not in told
        for port in ports:
            assert int(await _said("redis-cli", "-p", port, "DBSIZE")) > 0

    _with_cluster(tmp_path, story)

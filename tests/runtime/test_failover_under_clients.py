"""Unmodified cluster clients write, read, pipeline and subscribe while a master is killed.

Clauses: RT-41, CM-72, RD-7, EL-9.
"""

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import redis
from click.testing import CliRunner
from redis.asyncio.cluster import RedisCluster as AsyncCluster
from redis.cluster import RedisCluster

from reference.__main__ import main
from tests.clients.story import Story
from tests.support import LOOPBACK, free_ports, wait_until

KEYS: Final = tuple(f"key:{number}" for number in range(12))  # of all three masters
ERRORS: Final = (redis.exceptions.RedisError, OSError, asyncio.TimeoutError)


@attrs.define
class Host:
    """`slotproof cluster` in a process of its own."""

    process: "subprocess.Popen[str]"
    port: int
    api: int

    def ask(self, method: str, path: str) -> Any:
        """What its API answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.api, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, "{}", {"content-type": "application/json"})
            return json.loads(connection.getresponse().read())

    def node(self, port: int) -> Any:
        """What it says of one node."""
        return next(n for n in self.ask("GET", "/state")["nodes"] if n["port"] == port)


def _row_of_ports(count: int) -> int:
    def try_one() -> int:
        ports = free_ports(count)
        return ports[0] if ports == list(range(ports[0], ports[0] + count)) else 0

    return wait_until(try_one, 10, what="ports in a row")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    port = _row_of_ports(6)
    command = [
        sys.executable, "-m", "reference", "cluster", "--port", str(port), "--api", "0",
        "--cluster-node-timeout", "4000", "--journal", "run.jsonl",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            lines: list[str] = []
            while not lines or lines[-1] != "ready":
                lines.append(process.stdout.readline().strip())
            [api] = [int(line.split(":")[-1].strip("/")) for line in lines if "http" in line]
            yield Host(process, port, api)
            process.stdin.write("status\nquit\n")
            process.stdin.close()
            assert process.wait(20) == 0
            assert f"{port} killed" in process.stdout.read()
        finally:
            process.kill()
    replayed = CliRunner().invoke(main, ["replay", str(tmp_path / "run.jsonl")])
    assert replayed.exit_code == 0, replayed.output
    assert "1 elections won" in replayed.output


def _one_by_one(client: Any) -> Callable[[int], None]:
    def step(number: int) -> None:
        for key in KEYS:
            client.set(key, number)
            assert client.get(key) is not None

    return step


def _in_pipelines(client: Any) -> Callable[[int], None]:
    def step(number: int) -> None:
        pipe = client.pipeline()
        for key in KEYS:
            pipe.set(f"p:{key}", number)
            pipe.get(f"p:{key}")
        assert len(pipe.execute()) == 2 * len(KEYS)

    return step


def _sync(story: Story, host: Host, name: str, protocol: int) -> None:
    with RedisCluster(
        host=LOOPBACK, port=host.port + 1, protocol=protocol, socket_timeout=10
    ) as client:
        make = _one_by_one if protocol == 2 else _in_pipelines
        story.tell(name, make(client), ERRORS)


def _async(story: Story, host: Host, name: str, protocol: int) -> None:
    with asyncio.Runner() as runner:

        async def opened() -> Any:
            return AsyncCluster(
                host=LOOPBACK, port=host.port + 1, protocol=protocol, socket_timeout=10
            )

        client = runner.run(opened())

        async def work(number: int) -> None:
            for key in KEYS:
                await client.set(f"a:{key}", number)
                assert await client.get(f"a:{key}") is not None

        story.tell(name, lambda number: runner.run(work(number)), ERRORS)
        runner.run(client.aclose())


@pytest.mark.timeout(300)
def test_errors_stay_within_the_failover(host: Host) -> None:
    story = Story(4)
    clients = [
        threading.Thread(target=target, args=(story, host, name, protocol))
        for target, name, protocol in (
            (_sync, "one by one", 2),
            (_sync, "pipelines", 3),
            (_async, "asyncio 2", 2),
            (_async, "asyncio 3", 3),
        )
    ]
    with RedisCluster(host=LOOPBACK, port=host.port + 1) as client:
        # A cluster client that reads the nodes anew drops its listeners' connections, unread.
        survivor: Any = redis.Redis(host=LOOPBACK, port=host.port + 2)
        listener: Any = survivor.pubsub()
        listener.subscribe("news")
        told = wait_until(lambda: listener.get_message(timeout=1), 20, what="it listens")
        assert told["type"] == "subscribe"
        replica = host.port + 3
        wait_until(
            lambda: _info(replica)["master_link_status"] == "up", 20, what="the data is there"
        )
        for each in clients:
            each.start()
        story.ready.wait()

        host.ask("POST", f"/nodes/{host.port}/kill")
        story.killed.set()
        wait_until(lambda: host.node(replica)["role"] == "master", 30, what="a new master")
        living = [replica, *range(host.port + 1, host.port + 3)]
        wait_until(lambda: all(host.node(port)["cluster_state"] == "ok" for port in living), 30)
        story.over.set()
        for each in clients:
            each.join(90)

        assert not story.failures
        wait_until(lambda: all(map(_has_all_links, living)), 20, what="links to all that live")
        client.publish("news", "after")
        heard = wait_until(lambda: _heard(listener), 20, what="a message")
        assert heard == b"after"
        assert client.get(KEYS[0]) is not None
        listener.close()
        survivor.close()


def _info(port: int) -> Any:
    connection: Any = redis.Redis(host=LOOPBACK, port=port, decode_responses=True)
    with contextlib.closing(connection):
        return connection.info("replication")


def _has_all_links(port: int) -> bool:
    with contextlib.closing(redis.Redis(host=LOOPBACK, port=port, decode_responses=True)) as one:
        nodes: Any = one.cluster("nodes")
    return all(row["connected"] or "fail" in row["flags"] for row in nodes.values())


def _heard(listener: Any) -> bytes | None:
    message = listener.get_message(ignore_subscribe_messages=True, timeout=0.2)
    return None if message is None else message["data"]

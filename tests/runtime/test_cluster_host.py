"""A cluster in one process: its nodes are killed, stopped, cut off, and started again.

Clauses: RT-40, RT-41, RT-42, CM-91.
"""

import asyncio
import contextlib
import http.client
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from model_check.journal import replay_journal
from reference.core.types import Health
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost, Condition, HostError
from reference.runtime.host.console import obey
from reference.runtime.host.http_api import http_api
from reference.runtime.host.journal import Journal
from reference.runtime.options import NodeOptions
from tests.support import LOOPBACK, free_ports

Story = Callable[[ClusterHost, list[str]], Awaitable[None]]


def _run(tmp_path: Path, story: Story, *, masters: int = 3, replicas: int = 0) -> None:
    """The story, told of a cluster whose journal then holds."""
    ports = free_ports(masters + replicas)
    options = [
        NodeOptions(
            port=port,
            cport=port + 10000,
            dialect="valkey-9.1",
            node_timeout_ms=500,
            cluster_config_file=f"nodes-{port}.conf",
            directory=tmp_path,
            writable_delay_ms=0,
        )
        for port in ports
    ]

    async def told() -> None:
        with contextlib.closing(Journal(tmp_path / "journal")) as journal:
            async with ClusterHost(journal) as host, asyncio.timeout(60):
                await host.start(formed_cluster(options, masters))
                await story(host, [str(port) for port in ports])

    asyncio.run(told())
    with (tmp_path / "journal").open() as lines:
        done = replay_journal(lines)
    assert done.events > 0
    assert not done.violations
    assert not done.differences


async def _until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - the condition is anything
        await asyncio.sleep(0.02)


def _health(host: ClusterHost, of: str, at: str) -> Health:
    node = host.seat(at).node
    assert node is not None
    return node.state.nodes[node.state.known(host.seat(of).last_id).node_id].health  # type: ignore[arg-type, union-attr]


async def _ping(port: str, timeout_s: float = 5) -> bool:
    client = Redis(host=LOOPBACK, port=int(port), socket_timeout=timeout_s)
    try:
        return bool(await client.ping())
    finally:
        await client.aclose()


def test_a_killed_node_is_gone_and_comes_back_from_its_file(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        gone, other, _ = ports
        seat = host.seat(gone)
        before = seat.last_id
        await host.kill(gone)
        assert (seat.condition, seat.node) == (Condition.KILLED, None)
        with pytest.raises(redis.exceptions.ConnectionError):
            await _ping(gone)
        with pytest.raises(HostError, match="is killed"):
            await host.kill(gone)
        await _until(lambda: _health(host, gone, other) is Health.FAIL)

        await host.restart(before[:8])

        assert seat.last_id == before
        assert await _ping(gone)
        await _until(lambda: _health(host, gone, other) is Health.OK)
        with pytest.raises(HostError, match="is running"):
            await host.restart(gone)

    _run(tmp_path, story)


def test_a_paused_node_answers_nobody_until_it_goes_on(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        stopped, other, _ = ports
        client: Any = Redis(host=LOOPBACK, port=int(stopped))
        assert await client.ping()
        await host.pause(stopped)
        asked = asyncio.create_task(client.echo("late"))
        newcomer = asyncio.create_task(_ping(stopped, 30))
        await _until(lambda: _health(host, stopped, other) is not Health.OK)
        assert not asked.done()
        assert not newcomer.done()

        await host.resume(stopped)

        assert await asked == b"late"
        assert await newcomer
        await _until(lambda: _health(host, stopped, other) is Health.OK)
        await client.aclose()

    _run(tmp_path, story)


def test_a_paused_replica_takes_in_nothing(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        replica = host.seat(ports[1]).node
        assert replica is not None
        await _until(lambda: replica.master_link_up)
        client: Any = Redis(host=LOOPBACK, port=int(ports[0]))
        await client.set("before", 1)
        await _until(lambda: len(replica._keyspace) == 1)
        await host.pause(ports[1])
        await client.set("after", 1)
        assert await client.execute_command("WAIT", 1, 300) == 0
        assert len(replica._keyspace) == 1

        await host.resume(ports[1])

        await _until(lambda: len(replica._keyspace) == 2)
        await client.aclose()

    _run(tmp_path, story, masters=1, replicas=1)


def test_a_partition_is_for_both_sides_and_heals(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        lonely, *others = ports
        host.partition([[lonely]])
        await _until(lambda: _health(host, lonely, others[0]) is Health.FAIL)
        await _until(lambda: _health(host, others[0], lonely) is not Health.OK)
        await _until(lambda: _health(host, others[1], others[0]) is Health.OK)

        host.heal()

        await _until(lambda: _health(host, lonely, others[0]) is Health.OK)
        await _until(lambda: _health(host, others[0], lonely) is Health.OK)

    _run(tmp_path, story)


def test_a_replica_takes_over_from_a_master_that_is_cut_off(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        master, _, _, replica = (host.seat(port) for port in ports)
        assert replica.node is not None
        node = replica.node
        await _until(lambda: node.master_link_up)
        host.partition([[ports[0]], ports[1:]])
        await _until(lambda: not node.master_link_up)
        await _until(lambda: node.state.myself.is_master and node.state.myself.slots)
        assert master.node is not None
        assert master.node.state.myself.is_master
        host.heal()
        await _until(lambda: master.node is not None and master.node.state.myself.is_replica)
        await _until(lambda: master.node is not None and master.node.master_link_up)

    _run(tmp_path, story, replicas=1)


def test_messages_are_lost_and_late_one_way_only(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        one, other, _ = ports
        node = host.seat(other).node
        assert node is not None
        host.drop(one, other, ["ping", "pong"])
        host.drop(other, one, count=3)
        await _until(lambda: _health(host, one, other) is not Health.OK)
        await _until(lambda: "'left': 0" in str(host.status()["drops"]))
        assert host.status()["drops"] == [
            {"from": int(one), "to": int(other), "types": ["ping", "pong"], "left": None},
            {"from": int(other), "to": int(one), "types": [], "left": 0},
        ]
        host.heal()
        await _until(lambda: _health(host, one, other) is Health.OK)

        host.delay(one, other, 2000)
        await _until(lambda: _health(host, one, other) is not Health.OK)
        host.delay(one, other, 0)
        await _until(lambda: _health(host, one, other) is Health.OK)
        assert not host.faults.any

    _run(tmp_path, story)


def test_a_node_that_cannot_go_on_is_told_of_and_the_others_go_on(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        seat = host.seat(ports[0])
        assert seat.node is not None
        seat.node.failed.set_exception(OSError("the disk is full"))
        await _until(lambda: seat.condition is Condition.FAILED and seat.node is None)
        assert host.failures == [f"node on port {ports[0]}: the disk is full"]
        assert await _ping(ports[1])

    _run(tmp_path, story)


def test_the_console_says_what_it_did_or_why_not(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        one, other, third = ports
        expected = {
            "": "",
            "help": "quit: all of it ends",
            "dance": "error: no command 'dance'",
            "kill": "error: kill NODE",
            "kill 1": "error: '1' is the port",
            f"pause {one}": "paused",
            f"resume {one}": "running",
            f"kill {one} {other}": "killed",
            f"restart {one} {other}": "running",
            f"partition {one} {other} | {third}": "cut off",
            f"partition {one} | {one}": "error: a partition takes groups",
            f"partition {one} |": "error: a partition takes groups",
            f"delay {one} {other} 5": "delayed",
            f"delay {one} {other} x": "error: 'x' is no number",
            f"drop {one} {other} ping 5": "dropped",
            f"drop {one}": "error: drop FROM TO",
            "status": f"{third} running",
            "heal": "healed",
        }
        for line, answer in expected.items():
            assert answer in await obey(host, line)
        assert "partition" not in await obey(host, "status")

    _run(tmp_path, story)


def _request(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    sent = body if isinstance(body, str) else json.dumps(body or {})
    connection.request(method, path, sent, {"content-type": "application/json"} | headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    kind = response.getheader("content-type", "")
    return response.status, json.loads(text) if kind == "application/json" else text


def test_programs_do_the_same_over_http(tmp_path: Path) -> None:
    async def story(host: ClusterHost, ports: list[str]) -> None:
        one, other, third = map(int, ports)
        async with http_api(host, 0) as port:

            async def ask(*words: Any, **headers: str) -> tuple[int, Any]:
                return await asyncio.to_thread(_request, port, *words, **headers)

            code, state = await ask("GET", "/state")
            assert code == 200
            assert [node["port"] for node in state["nodes"]] == [one, other, third]
            assert state["nodes"][0]["slots"] == "0-5460"
            assert state["nodes"][0]["condition"] == "running"
            _, state = await ask("POST", f"/nodes/{one}/kill")
            assert state["nodes"][0]["condition"] == "killed"
            assert (await ask("POST", f"/nodes/{one}/restart"))[0] == 200
            _, state = await ask("POST", f"/nodes/{one}/pause")
            assert state["nodes"][0]["condition"] == "paused"
            assert (await ask("POST", f"/nodes/{one}/resume"))[0] == 200
            _, state = await ask("POST", "/partition", {"groups": [[one], [other, third]]})
            assert state["partition"] == [[one], [other, third]]
            _, state = await ask("POST", "/delay", {"from": one, "to": other, "ms": 7})
            assert state["delays"] == [{"from": one, "to": other, "ms": 7}]
            _, state = await ask("POST", "/drop", {"from": one, "to": other, "count": 2})
            assert state["drops"] == [{"from": one, "to": other, "types": [], "left": 2}]
            _, state = await ask("POST", "/heal")
            assert (state["partition"], state["delays"], state["drops"]) == ([], [], [])

            refused = [
                ("POST", "/nodes/1/kill", {}, "is the port"),
                ("POST", "/delay", {"from": one, "to": other, "ms": "7"}, "ms: expected"),
                ("POST", "/delay", {"from": one, "to": other, "ms": -7}, "milliseconds"),
                ("POST", "/partition", {"groups": [1]}, "expected a list of lists"),
                ("POST", "/heal", "[1]", "expected an object"),
                ("POST", "/heal", "{", "this is not JSON"),
                ("POST", "/heal", " " * 70_000, "at most"),
            ]
            for method, path, body, reason in refused:
                code, answer = await ask(method, path, body)
                assert code == 400
                assert reason in answer["error"]
            assert (await ask("POST", "/heal", **{"content-type": "text/plain"}))[0] == 400
            assert (await ask("GET", "/state", Host="evil.example"))[0] == 400
            assert (await ask("GET", "/heal"))[0] == 405
            with pytest.raises(OSError, match="in use"):
                async with http_api(host, port):
                    pass

    _run(tmp_path, story)


@pytest.mark.parametrize("password", ["sesame", "wrong"])
def test_a_replica_has_to_know_its_masters_password(
    tmp_path: Path, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    ports = free_ports(2)
    options = [
        NodeOptions(
            port=port,
            cport=port + 10000,
            cluster_config_file=f"nodes-{port}.conf",
            directory=tmp_path,
            kept={"requirepass": "sesame", "primaryauth": password},
        )
        for port in ports
    ]

    async def told() -> None:
        async with ClusterHost() as host, asyncio.timeout(30):
            await host.start(formed_cluster(options, 1))
            replica = host.running[1]
            await _until(lambda: replica.master_link_up or "AUTH was answered" in caplog.text)
            assert replica.master_link_up == (password == "sesame")  # noqa: S105

    asyncio.run(told())

"""Slots that move atomically from node to node in one process, with their keys and their clients.

Clauses: SM-20, SM-22, SM-26, SM-28, SM-29, SM-30, SM-31, SM-36, SM-37, SM-38, SM-39.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import redis
from redis.asyncio import Redis

from model_check.journal import replay_journal
from reference.core.migration_jobs import MigrationStage
from reference.runtime.cluster import formed_cluster
from reference.runtime.cluster_host import ClusterHost
from reference.runtime.journal import Journal
from reference.runtime.node import Node
from reference.runtime.options import NodeOptions
from tests.support import LOOPBACK, free_ports

TAG: Final = "{06S}"
"""Of keys in slot 0, which the first master owns at the start."""
KEYS: Final = [f"{TAG}{number}" for number in range(50)]


class Cluster:
    """Masters and replicas in one process, each with a client."""

    def __init__(self, host: ClusterHost, ports: list[str]) -> None:
        self.host, self.ports = host, ports
        self.clients: list[Any] = [
            Redis(host=LOOPBACK, port=int(port), decode_responses=True) for port in ports
        ]

    def node(self, number: int) -> Node:
        """The node of that number, which runs."""
        node = self.host.seat(self.ports[number]).node
        assert node is not None
        return node

    async def ask(self, number: int, *words: object) -> Any:
        """The reply of that node to a CLUSTER command."""
        return await self.clients[number].execute_command("CLUSTER", *words)

    async def move(self, *ranges: object, to: int = 1) -> Any:
        """The first node begins to send these slots."""
        target = self.node(to).state.myself_id
        return await self.ask(0, "MIGRATESLOTS", "SLOTSRANGE", *(ranges or (0, 0)), "NODE", target)

    async def row(self, number: int) -> dict[str, Any]:
        """The newest job, as that node shows it."""
        rows = await self.ask(number, "GETSLOTMIGRATIONS")
        return dict(rows[0]) if rows else {}

    async def is_told(self, number: int, state: str) -> dict[str, Any]:
        """The row of the newest job, once it is in this state."""
        while (row := await self.row(number)).get("state") != state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return row

    def stages(self, number: int) -> list[MigrationStage]:
        """How far the jobs of that node are."""
        return [job.stage for job in self.node(number).state.slot_migrations]

    def hold(self, *, on: bool = True) -> None:
        """The source sends all that it has to, and does not pause."""
        self.node(0).migrations.pauses = not on


Story = Callable[[Cluster], Awaitable[None]]


async def until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - the condition is anything
        await asyncio.sleep(0.01)


def run(tmp_path: Path, story: Story, *, masters: int = 2, replicas: int = 0, **kept: str) -> None:
    """The story, told of a cluster whose journal then holds."""
    options = [
        NodeOptions(
            port=port,
            cport=port + 10000,
            dialect="valkey-9.1",
            node_timeout_ms=15_000,
            cluster_config_file=f"nodes-{port}.conf",
            directory=tmp_path,
            writable_delay_ms=0,
            kept=kept,
        )
        for port in free_ports(masters + replicas)
    ]

    async def told() -> None:
        with contextlib.closing(Journal(tmp_path / "journal")) as journal:
            async with ClusterHost(journal) as host, asyncio.timeout(60):
                await host.start(formed_cluster(options, masters))
                async with clients(host, [str(each.port) for each in options]) as cluster:
                    await story(cluster)

    asyncio.run(told())
    with (tmp_path / "journal").open() as lines:
        done = replay_journal(lines)
    assert done.events > 0
    assert not done.violations
    assert not done.differences


@contextlib.asynccontextmanager
async def clients(host: ClusterHost, ports: list[str]) -> AsyncIterator[Cluster]:
    """The cluster, whose masters serve and whose replicas have their data."""
    cluster = Cluster(host, ports)
    try:
        await until(
            lambda: all(
                node.cluster_ok and (node.state.myself.is_master or node.master_link_up)
                for node in host.running
            )
        )
        yield cluster
    finally:
        for client in cluster.clients:
            await client.aclose()


async def fill(cluster: Cluster, value: str = "0") -> None:
    for key in KEYS:
        await cluster.clients[0].set(key, value)


class Writer:
    """Adds 1 to the keys in turn, wherever they are, and counts what was confirmed."""

    def __init__(self, cluster: Cluster) -> None:
        self.confirmed = dict.fromkeys(KEYS, 0)
        self.moved = 0
        self.asked_to_end = False
        self._cluster = cluster
        self._at = 0

    async def write(self) -> None:
        """Until it is asked to end; nothing but MOVED goes wrong."""
        while not self.asked_to_end:
            for key in KEYS:
                await self._add(key)

    async def _add(self, key: str) -> None:
        while True:
            try:
                await self._cluster.clients[self._at].incr(key)
            except redis.exceptions.MovedError:
                self.moved += 1
                self._at = 1 - self._at
            else:
                self.confirmed[key] += 1
                return


def test_keys_arrive_with_every_write_that_was_confirmed(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await fill(cluster)
        await cluster.clients[0].rpush(f"{TAG}list", *range(3000))
        writer = Writer(cluster)
        writing = asyncio.create_task(writer.write())
        await until(lambda: min(writer.confirmed.values()) >= 1)
        cluster.hold()
        assert await cluster.move(0, 0, 7, 9) == "OK"
        await cluster.is_told(0, "waiting-to-pause")
        before = min(writer.confirmed.values())
        await until(lambda: min(writer.confirmed.values()) > before)

        cluster.hold(on=False)

        source = await cluster.is_told(0, "success")
        target = await cluster.is_told(1, "success")
        assert writer.moved <= 1
        before = min(writer.confirmed.values())
        await until(lambda: min(writer.confirmed.values()) > before)
        writer.asked_to_end = True
        await writing

        values = {key: int(await cluster.clients[1].get(key)) for key in KEYS}
        assert values == writer.confirmed
        assert writer.moved == 1
        assert await cluster.clients[1].llen(f"{TAG}list") == 3000
        assert await cluster.clients[0].dbsize() == 0
        assert (source["operation"], target["operation"]) == ("EXPORT", "IMPORT")
        for row in (source, target):
            assert (row["slot_ranges"], row["message"]) == ("0-0 7-9", "")
            assert row["source_node"] == cluster.node(0).state.myself_id
            assert row["target_node"] == cluster.node(1).state.myself_id

    run(tmp_path, story)


def test_what_has_come_is_hidden_from_clients_of_the_target_and_of_its_replica(
    tmp_path: Path,
) -> None:
    async def story(cluster: Cluster) -> None:
        source, target, _, replica = cluster.clients
        await fill(cluster)
        await source.hset(f"{TAG}hash", mapping={"f": "v"})
        await source.set(f"{TAG}short", "x", px=60_000)
        mine = "foo"
        await target.set(mine, "x")
        cluster.hold()
        await cluster.move()
        await cluster.is_told(0, "waiting-to-pause")
        assert (await cluster.row(1))["state"] == "waiting-for-paused"
        await cluster.is_told(3, "occurring-on-primary")
        await target.execute_command("WAIT", 1, 10_000)

        for hiding in (target, replica):
            assert await hiding.keys("*") == [mine]
            assert await hiding.dbsize() == 1
            assert (await hiding.scan(0, count=1000))[1] == [mine]
            assert await hiding.randomkey() == mine
            assert await hiding.execute_command("CLUSTER", "COUNTKEYSINSLOT", 0) == 0
        assert "target_node" not in await cluster.row(3)

        await source.set(f"{TAG}late", "x")
        await source.delete(KEYS[0])
        cluster.hold(on=False)
        await cluster.is_told(0, "success")
        await cluster.is_told(3, "success")

        await replica.execute_command("READONLY")
        for showing in (target, replica):
            assert len(await showing.keys(f"{TAG}*")) == len(KEYS) - 1 + 3
            assert await showing.hgetall(f"{TAG}hash") == {"f": "v"}
            assert 0 < await showing.pttl(f"{TAG}short") <= 60_000
            assert await showing.execute_command("CLUSTER", "COUNTKEYSINSLOT", 0) == 52

    run(tmp_path, story, replicas=2)

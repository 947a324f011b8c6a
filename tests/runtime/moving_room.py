"""A cluster in one process whose slots move from master to master."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from model_check.journal import replay_journal
from reference.core.migration_jobs import MigrationStage
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.host.journal import Journal
from reference.runtime.node import Node
from reference.runtime.options import NodeOptions
from tests.support import LOOPBACK, free_ports

TAG: Final = "{06S}"
"""Of keys in slot 0, which the first master owns at the start."""
LOST: Final = (
    "Connection lost to {}. Check CLUSTER GETSLOTMIGRATIONS on the {} node for more information."
)
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

    async def knows(self, number: int) -> None:
        """That node has heard, on the bus, that its master owns slot 0.

        Its master's stream may tell of the end of the job before that.
        """
        await until(lambda: 0 in getattr(self.node(number).state.my_master, "slots", ()))

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
            directory=tmp_path / str(port),
            writable_delay_ms=0,
            kept=kept,
        )
        for port in free_ports(masters + replicas)
    ]
    for each in options:
        each.directory.mkdir()

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


async def hold_at_the_pause(cluster: Cluster) -> None:
    """A job has sent all keys, and waits to be allowed to pause."""
    await fill(cluster)
    cluster.hold()
    await cluster.move()
    await cluster.is_told(0, "waiting-to-pause")
    await cluster.is_told(1, "waiting-for-paused")

"""What CLUSTER INFO says of the bus: messages and bytes, and those of publications apart.

Clauses: CM-14.
"""

import asyncio
from pathlib import Path

import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.node import Node
from reference.runtime.options import NodeOptions
from tests.runtime.room import Room
from tests.support import LOOPBACK, free_ports

PUBLICATION = 16 + 4 + 4 + len("hello") + len("world")
"""Its bytes with a light header."""


def _counts(node: Node) -> tuple[int, int, int]:
    """Publications received, their bytes sent, and those received."""
    received = node.messages_received.get("publish", 0)
    return received, *node.published_bytes


async def _publish(port: int) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(b"PUBLISH hello world\r\n")
    assert await reader.readline() == b":0\r\n"
    writer.close()
    await writer.wait_closed()


def test_bytes_of_publications_are_counted_on_both_sides(tmp_path: Path) -> None:
    options = [
        NodeOptions(
            port=port, cport=port + 10000, node_timeout_ms=60_000, directory=tmp_path,
            cluster_config_file=f"nodes-{port}.conf", writable_delay_ms=0,
        )
        for port in free_ports(2)
    ]  # fmt: skip

    async def told() -> None:
        async with ClusterHost() as host, asyncio.timeout(60):
            await host.start(formed_cluster(options, 2))
            first, second = host.running
            while not first.link_connected(second.state.myself_id):  # noqa: ASYNC110 - of two
                await asyncio.sleep(0.01)
            await _publish(options[0].port)
            while not _counts(second)[0]:  # noqa: ASYNC110 - of two
                await asyncio.sleep(0.01)
            sent = _counts(first)[1]
            assert _counts(second) == (1, 0, sent)
            assert sent >= PUBLICATION
            assert first.bytes_sent > sent
            first.forget_traffic()
            assert (first.bytes_sent, *_counts(first)) == (0, 0, 0, 0)

    asyncio.run(told())


@pytest.mark.parametrize(("rules", "left"), [(REDIS_7_0, 5), (VALKEY_9_1, 0)])
def test_the_counts_begin_anew(rules: Rules, left: int) -> None:
    room = Room(rules)

    room(1, "CONFIG RESETSTAT")

    assert f"cluster_stats_messages_sent:{left}" in room(1, "CLUSTER INFO")

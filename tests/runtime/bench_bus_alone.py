"""How a cluster keeps pace with a processor of its own: `python -m tests.runtime.bench_bus_alone`.

`[NODES] [SECONDS]`: as `bench_bus`, on a machine that is busy with other things. The clock of the
cluster is the time that it computes and the time that it has nothing to do, so that it does not
feel when others compute. It has no clients but those that look, in the same process.
"""

import asyncio
import math
import selectors
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from reference.core.types import Health
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.options import NodeOptions
from tests.runtime.bench_bus import NODE_TIMEOUT_MS, SETTLING_S
from tests.runtime.bench_cluster import row_of_free_ports

LINKED_WITHIN_S: Final = 60
LOOKS_EVERY_S: Final = 0.5


class _Idle(selectors.DefaultSelector):
    """It never waits while messages of its own process are all that can come."""

    skipped_s = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped_s += math.ceil(timeout * 1000) / 1000  # a loop wakes up in whole ms
        return ready


class _OwnTime(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while others compute."""

    def __init__(self) -> None:
        self._idle = _Idle()
        super().__init__(self._idle)

    @override
    def time(self) -> float:
        return time.process_time() + self._idle.skipped_s


def _options(port: int, folder: Path) -> NodeOptions:
    return NodeOptions(
        port=port,
        cport=port + 10_000,
        node_timeout_ms=NODE_TIMEOUT_MS,
        cluster_config_file=f"nodes-{port}.conf",
        directory=folder,
        writable_delay_ms=0,
    )


def _links(host: ClusterHost) -> int:
    return sum(link.opened for node in host.running for link in node.bus.outbound.values())


def _suspicions(host: ClusterHost) -> set[tuple[int, str]]:
    return {
        (node.options.port, other.node_id)
        for node in host.running
        for other in node.state.nodes
        if other.health is not Health.OK
    }


def _messages(host: ClusterHost) -> tuple[int, int]:
    return (
        sum(sum(node.messages_sent.values()) for node in host.running),
        sum(sum(node.messages_received.values()) for node in host.running),
    )


async def _measure(host: ClusterHost, nodes: int, seconds: int) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while _links(host) < nodes * (nodes - 1) and loop.time() < began + LINKED_WITHIN_S:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(LOOKS_EVERY_S)
    told = f"{_links(host)} of {nodes * (nodes - 1)} links after {loop.time() - began:.1f} s; "
    await asyncio.sleep(SETTLING_S)
    (sent, received), began, spent = _messages(host), loop.time(), time.process_time()
    seen = _suspicions(host)
    while loop.time() < began + seconds:
        await asyncio.sleep(LOOKS_EVERY_S)
        seen |= _suspicions(host)
    later_sent, later_received = _messages(host)
    took, spent = loop.time() - began, time.process_time() - spent
    arrived = later_received - received
    return told + (
        f"{nodes} nodes, {took:.0f} s of their own: each sent "
        f"{(later_sent - sent) / took / nodes:.1f} and received {arrived / took / nodes:.1f} "
        f"messages a second; {spent / took * 100:.0f} % of a processor, "
        f"{spent / max(arrived, 1) * 1e6:.0f} us a message; {len(seen)} suspicions\n"
    )


async def main(nodes: int, seconds: int) -> None:
    """One line is written."""
    first = row_of_free_ports(nodes)
    with tempfile.TemporaryDirectory() as folder:
        options = [_options(port, Path(folder)) for port in range(first, first + nodes)]
        async with ClusterHost() as host:
            await host.start(formed_cluster(options, nodes - nodes // 2))
            sys.stdout.write(await _measure(host, nodes, seconds))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    start = time.time_ns()
    with asyncio.Runner(loop_factory=_OwnTime) as runner:
        own = runner.get_loop()
        time.time_ns = lambda: start + int(own.time() * 1e9)
        runner.run(main(*(given + [60, 60][len(given) :])))

"""The process around one or more nodes: its log, its signals, its exit code."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from typing_extensions import override

from reference.core.state import ClusterState
from reference.runtime.node import Node
from reference.runtime.opening import listening_node
from reference.runtime.options import NodeOptions

log = logging.getLogger(__name__)

_MARKS: Final = {logging.DEBUG: ".", logging.INFO: "*", logging.WARNING: "#"}


class NodeFailedError(Exception):
    """A node stopped by itself, and why."""


class _ServerFormatter(logging.Formatter):
    """Lines as the servers write them: process id, instant, mark of the level, text."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        record.mark = _MARKS.get(record.levelno, "#")
        return super().format(record)


def log_to_stdout(level: int = logging.INFO) -> None:
    """Everything from this level on is told on stdout, as those who watch servers expect."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        _ServerFormatter(
            "%(process)d:M %(asctime)s.%(msecs)03d %(mark)s %(message)s", "%d %b %Y %H:%M:%S"
        )
    )
    logging.basicConfig(level=level, handlers=[handler])


async def run_nodes(
    nodes: Sequence[tuple[NodeOptions, ClusterState | None]], *, ready: Callable[[list[Node]], None]
) -> None:
    """The nodes have run until SIGINT or SIGTERM asked for their end, and have ended cleanly.

    StartError if one cannot start, NodeFailedError if one cannot go on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with _running(nodes) as running:
        ready(running)
        await _until(stop, running)
        log.info("User requested shutdown...")
    log.info("slotproof is now ready to exit, bye bye...")


@contextlib.asynccontextmanager
async def _running(
    nodes: Sequence[tuple[NodeOptions, ClusterState | None]],
) -> AsyncIterator[list[Node]]:
    """All nodes; none starts before all can be dialled, or the first would miss the last."""
    async with contextlib.AsyncExitStack() as at_end:
        listening = [
            await at_end.enter_async_context(listening_node(options, state))
            for options, state in nodes
        ]
        for node in listening:
            node.start()
        yield listening


async def _until(stop: asyncio.Event, running: list[Node]) -> None:
    """The first of: somebody asks for the end, a node fails."""
    asked = asyncio.create_task(stop.wait())
    try:
        ends: list[asyncio.Future[Any]] = [asked, *(node.failed for node in running)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        await asyncio.wait([asked])
    for node in running:
        error = node.failed.exception() if node.failed.done() else None
        if error is not None:
            raise NodeFailedError(f"node on port {node.options.port}: {error}") from error

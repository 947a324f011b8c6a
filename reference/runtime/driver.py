"""The process around one or more nodes: its log, its signals, its exit code."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from reference.clauses import clause
from reference.core.state import ClusterState
from reference.runtime.configuration.directives import kept_text
from reference.runtime.node import Node
from reference.runtime.opening import listening_node
from reference.runtime.options import NodeOptions

log = logging.getLogger(__name__)


class NodeFailedError(Exception):
    """A node stopped by itself, and why."""


@clause("RT-33")
async def run_nodes(
    nodes: Sequence[tuple[NodeOptions, ClusterState | None]],
    *,
    ready: Callable[[list[Node]], None],
    leave: Callable[[NodeFailedError | None], None],
) -> None:
    """The nodes have run until SIGINT or SIGTERM asked for their end, or one cannot go on.

    Then `leave` is called, with why it cannot. By it the process ends: nothing is left to do, and
    ports and connections stand, so that all of them end with the process. They are closed if it
    returns. StartError if a node cannot start. Counterpart: `finishShutdown`.
    """
    stop = asked_to_stop()
    async with _running(nodes) as running:
        ready(running)
        try:
            while not await _until(stop, running):
                log.warning("Errors trying to shut down the server. Check the logs.")
                stop.clear()
        except NodeFailedError as error:
            leave(error)
            return
        log.info("User requested shutdown...")
        for node in running:
            await node.settle()
        log.info("slotproof is now ready to exit, bye bye...")
        leave(None)


def asked_to_stop() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, _ask_for_end, stop, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGINT, _ask_for_end, stop, signal.SIGINT)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    return stop


@clause("RT-33")
def _ask_for_end(stop: asyncio.Event, number: signal.Signals) -> None:
    """The node ends; with a second SIGINT at once, and with exit code 1.

    Counterpart: `sigShutdownHandler`.
    """
    if stop.is_set() and number is signal.SIGINT:
        log.warning("You insist... exiting now.")
        os._exit(1)
    log.info("Received %s scheduling shutdown...", number.name)
    stop.set()


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


async def _until(stop: asyncio.Event, running: list[Node]) -> bool:
    """The first of: somebody asks for the end, a node fails; False if the data cannot be saved."""
    events = [stop, *(node.end_asked for node in running)]
    asked = [asyncio.create_task(event.wait()) for event in events]
    try:
        ends: list[asyncio.Future[Any]] = [*asked, *(node.failed for node in running)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in asked:
            task.cancel()
        await asyncio.wait(asked)
    for node in running:
        error = node.failed.exception() if node.failed.done() else None
        if error is not None:
            raise NodeFailedError(f"node on port {node.options.port}: {error}") from error
    return all(node.end_asked.is_set() or _saved(node) for node in running)


@clause("RT-84")
def _saved(node: Node) -> bool:
    """Whether the node's data is in its file, if it is to be when a signal ends the node.

    Counterpart: `finishShutdown`.
    """
    if node.clients is None:
        return True
    file, word = node.clients.service.file, kept_text(node.options, "shutdown-on-sigterm")
    if word == "nosave":
        return True
    saved = file.saved_now() if word == "save" else file.save_at_end()
    return saved or word == "force"

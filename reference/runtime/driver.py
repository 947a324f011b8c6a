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
from reference.runtime.clients.view import release_of
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
            while not await _ended(stop, running):
                log.warning("Errors trying to shut down the server. Check the logs.")
                stop.clear()
        except NodeFailedError as error:
            leave(error)
            return
        for node in running:
            await node.settle()
        title = release_of(running[0].state).server.capitalize()
        log.info("%s is now ready to exit, bye bye...", title)
        leave(None)


class Stop(asyncio.Event):
    """It is set by SIGINT or SIGTERM."""

    by = signal.SIGTERM


def asked_to_stop() -> Stop:
    """An event that SIGINT or SIGTERM sets."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, _ask_for_end, stop, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGINT, _ask_for_end, stop, signal.SIGINT)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    return stop


@clause("RT-33")
def _ask_for_end(stop: Stop, number: signal.Signals) -> None:
    """The node ends; with a second SIGINT at once, and with exit code 1.

    Counterpart: `sigShutdownHandler`.
    """
    if stop.is_set() and number is signal.SIGINT:
        log.warning("You insist... exiting now.")
        os._exit(1)
    log.info("Received %s scheduling shutdown...", number.name)
    stop.by = number
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


async def _ended(stop: Stop, running: list[Node]) -> bool:
    """Somebody asked for the end, and each node has come to it; False if one goes on."""
    events = [stop, *(node.end_asked for node in running)]
    await _first([asyncio.create_task(event.wait()) for event in events], running)
    ends = [ask_to_end(node, stop.by) for node in running if not node.end_asked.is_set()]
    for end in ends:
        await _first([end], running)
    return all(end.result() for end in ends)


async def _first(awaited: Sequence[asyncio.Future[Any]], running: list[Node]) -> None:
    """One of them is done, and the others are cancelled; NodeFailedError if a node fails first."""
    ends = [*awaited, *(node.failed for node in running)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for each in awaited:
        each.cancel()
    for node in running:
        error = node.failed.exception() if node.failed.done() else None
        if error is not None:
            raise NodeFailedError(f"node on port {node.options.port}: {error}") from error


@clause("RT-33", "RT-84")
def ask_to_end(node: Node, by: signal.Signals) -> "asyncio.Future[bool]":
    """Whether the node ends, once that is known, as is configured for the signal.

    Counterpart: `serverCron`, `prepareForShutdown`.
    """
    ends: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    if node.clients is None:
        node.shut_down()
        ends.set_result(True)
        return ends
    words = kept_text(node.options, f"shutdown-on-{by.name.lower()}").upper().split()

    def done(it_does: bool) -> None:  # noqa: FBT001
        if not ends.done():
            ends.set_result(it_does)

    node.clients.service.ending.ask(frozenset(words) - {"DEFAULT"}, done)
    return ends

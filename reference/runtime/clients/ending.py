"""How a node ends: replicas catch up, data is saved, and a replica may be named to take over."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.view import NodeView
from reference.runtime.configuration.directives import kept_text
from reference.runtime.pause import NodePause
from reference.runtime.saving.data_file import DataFile

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 0.05
_FOR_EVER_MS: Final = 365 * 24 * 3_600_000

Wishes = frozenset[str]
"""The words behind SHUTDOWN, as capitals."""


class Ending:
    """The end of one node, from when it is asked for (`server.shutdown_mstime`)."""

    def __init__(self, node: NodeView, file: DataFile) -> None:
        """Nobody has asked for it."""
        self._node = node
        self._file = file
        self._wishes: Wishes | None = None  # once it is under way
        self._asked: list[Callable[[bool], None]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._until_s = 0.0

    @clause("CM-90")
    def ask(self, wishes: Wishes, done: Callable[[bool], None]) -> None:
        """`done` is told once whether the node ends, or goes on.

        Who asks while it is under way gets what was asked for first. Counterpart:
        `prepareForShutdown`.
        """
        self._asked.append(done)
        if self._wishes is not None:
            return
        _LOG.info("User requested shutdown...")
        self._wishes = wishes
        timeout_s = int(kept_text(self._node.options, "shutdown-timeout"))
        if "NOW" in wishes or not timeout_s or not self._node.replicas.lagging:
            self._finish(wishes)
            return
        self._node.replicas.ask_for_acks()
        self._node.writes.begin(_FOR_EVER_MS, NodePause.SHUTDOWN)
        _LOG.info("Waiting for replicas before shutting down.")
        self._until_s = asyncio.get_running_loop().time() + timeout_s
        self._look_later()

    @property
    def left_ms(self) -> int | None:
        """For how long it waits for replicas yet; None if it does not."""
        if self._alarm is None:
            return None
        return max(0, int(1000 * (self._until_s - asyncio.get_running_loop().time())))

    def abort(self) -> bool:
        """The node goes on; whether it was about to end. Counterpart: `abortShutdown`."""
        if self._wishes is None:
            return False
        self._go_on()
        _LOG.info("Shutdown manually aborted.")
        return True

    def _look_later(self) -> None:
        self._alarm = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        if self._wishes is None:
            return
        over = asyncio.get_running_loop().time() >= self._until_s
        if over or not self._node.replicas.lagging:
            self._finish(self._wishes)
        else:
            self._look_later()

    @clause("CM-90", "RE-25")
    def _finish(self, wishes: Wishes) -> None:
        """The node ends, unless it must not or cannot. Counterpart: `finishShutdown`."""
        replicas = self._node.replicas
        if replicas.feeds:
            count, late = len(replicas.feeds), replicas.lagging
            _LOG.info("%d of %d replicas are in sync when shutting down.", count - late, count)
        unsafe = "SAFE" in wishes and self._node.state.myself.is_voting_master
        if unsafe:
            _LOG.warning(
                "This is a voting primary. Shutting down may cause the cluster to go down. %s",
                "Exit anyway." if "FORCE" in wishes else "Can't exit.",
            )
        if (unsafe or not self._saved(wishes)) and "FORCE" not in wishes:
            self._go_on()
            return
        if "FAILOVER" in wishes:
            replicas.name_successor()
        self._stop_looking()
        asked, self._asked = self._asked, []
        for done in asked:
            done(True)  # noqa: FBT003 - whether it ends
        self._node.shut_down()

    def _saved(self, wishes: Wishes) -> bool:
        """Whether the data is in the file, if it is to be."""
        if "SAVE" in wishes:
            return self._file.saved_now()
        return "NOSAVE" in wishes or self._file.save_at_end()

    def _go_on(self) -> None:
        self._stop_looking()
        self._wishes = None
        self._node.writes.end(NodePause.SHUTDOWN)
        asked, self._asked = self._asked, []
        for done in asked:
            done(False)  # noqa: FBT003

    def _stop_looking(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

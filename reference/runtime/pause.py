"""Holding back the clients that write while another node catches up, or as operators say."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from reference.clauses import clause
from reference.core.effects import PausePurpose


class ClientPause(Enum):
    """What an operator holds back by CLIENT PAUSE."""

    WRITE = "requests that write"
    ALL = "all requests"


class NodePause(Enum):
    """What the node holds back by itself."""

    SHUTDOWN = "requests that write, until it ends"


Purpose: TypeAlias = PausePurpose | ClientPause | NodePause


class WritePause:
    """Whether clients may write (`pauseActions`); it belongs to one event loop."""

    def __init__(self) -> None:
        """They may."""
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._alarms: dict[Purpose, asyncio.TimerHandle] = {}
        self._waiting: list[Callable[[], None]] = []

    @property
    def active(self) -> bool:
        """Whether writes are held back."""
        return not self._resumed.is_set()

    @property
    def holds_all(self) -> bool:
        """Whether requests that do not write are held back too."""
        return ClientPause.ALL in self._alarms

    @property
    def waiting(self) -> int:
        """How many are held back."""
        return len(self._waiting)

    @property
    def left_ms(self) -> int:
        """For how long writes are held back at most."""
        if not self._alarms:
            return 0
        now = asyncio.get_running_loop().time()
        return max(0, int(1000 * (max(each.when() for each in self._alarms.values()) - now)))

    @clause("CM-44")
    def begin(self, longest_ms: int, purpose: Purpose = PausePurpose.FAILOVER) -> None:
        """Writes are held back for this purpose until its `end`, but no longer than this.

        What was said before counts if it is longer. Counterpart: `pauseActions`.
        """
        loop = asyncio.get_running_loop()
        until, old = loop.time() + longest_ms / 1000, self._alarms.get(purpose)
        if old is not None:
            until = max(until, old.when())
            old.cancel()
        self._alarms[purpose] = loop.call_at(until, self.end, purpose)
        self._resumed.clear()

    @clause("CM-44")
    def end(self, purpose: Purpose = PausePurpose.FAILOVER) -> None:
        """Clients may write unless there is another purpose. Counterpart: `unpauseActions`."""
        alarm = self._alarms.pop(purpose, None)
        if alarm is not None:
            alarm.cancel()
        if not self._alarms:
            self._resumed.set()
            waiting, self._waiting = self._waiting, []
            for resume in waiting:
                resume()

    def when_over(self, resume: Callable[[], None]) -> None:
        """It is called once, as soon as clients may write."""
        if self.active:
            self._waiting.append(resume)
        else:
            resume()

    def end_all(self) -> None:
        """Clients may write."""
        for purpose in list(self._alarms):
            self.end(purpose)

    async def over(self) -> None:
        """Returns when clients may write."""
        await self._resumed.wait()

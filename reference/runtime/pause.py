"""Holding back the clients that write while another node catches up."""

import asyncio
from collections.abc import Callable

from reference.clauses import clause
from reference.core.effects import PausePurpose


class WritePause:
    """Whether clients may write (`pauseActions`); it belongs to one event loop."""

    def __init__(self) -> None:
        """They may."""
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._alarms: dict[PausePurpose, asyncio.TimerHandle] = {}
        self._waiting: list[Callable[[], None]] = []

    @property
    def active(self) -> bool:
        """Whether writes are held back."""
        return not self._resumed.is_set()

    @clause("CM-44")
    def begin(self, longest_ms: int, purpose: PausePurpose = PausePurpose.FAILOVER) -> None:
        """Writes are held back for this purpose until its `end`, but no longer than this.

        Counterpart: `pauseActions`.
        """
        old = self._alarms.pop(purpose, None)
        if old is not None:
            old.cancel()
        loop = asyncio.get_running_loop()
        self._alarms[purpose] = loop.call_later(longest_ms / 1000, self.end, purpose)
        self._resumed.clear()

    @clause("CM-44")
    def end(self, purpose: PausePurpose = PausePurpose.FAILOVER) -> None:
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

"""Messages of the bus that arrive later than they came, in their order."""

import asyncio
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

from reference.runtime.bus.connections import BusLink


class LateFrames:
    """The messages that wait, by the link on which they came; those of a closed link are lost."""

    def __init__(self, take: Callable[[BusLink, bytes], None]) -> None:
        """None waits."""
        self._take = take
        self._queues: WeakKeyDictionary[BusLink, deque[tuple[float, bytes]]] = WeakKeyDictionary()

    def waits(self, link: BusLink) -> bool:
        """Whether an earlier message of the link still waits."""
        return bool(self._queues.get(link))

    def put(self, link: BusLink, frame: bytes, delay_ms: int) -> None:
        """The message is taken after so long, and after those that came before it."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(link, deque())
        due = loop.time() + delay_ms / 1000
        if queue:
            due = max(due, queue[-1][0])
        else:
            loop.call_at(due, self._take_due, link)
        queue.append((due, frame))

    def _take_due(self, link: BusLink) -> None:
        queue = self._queues.get(link)
        loop = asyncio.get_running_loop()
        while queue and queue[0][0] <= loop.time():
            _, frame = queue.popleft()
            if not link.closed:
                self._take(link, frame)
        if queue:
            loop.call_at(queue[0][0], self._take_due, link)

"""Clients that wait for keys: who waits for what, and who is served when a key has something."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import attrs

from reference.clauses import clause
from reference.runtime.replies import NULL_ARRAY, ClientReply
from reference.wire.resp import ErrorReply

_UNBLOCKED = ErrorReply("UNBLOCKED client unblocked via CLIENT UNBLOCK")

Attempt: TypeAlias = Callable[[bytes], ClientReply]
"""What the key has for the client, taken from it; None if it has nothing."""


class Waiting(Protocol):
    """A client whose request is answered later."""

    def settle(self, reply: ClientReply) -> None:
        """The request that was held is answered."""


class Watched(Protocol):
    """Where keys are watched."""

    def add_watch(self, key: bytes, sock: Any) -> None:  # noqa: ANN401 - the engine's own word
        """The watcher hears of each change of the key."""

    def remove_watch(self, key: bytes, sock: Any) -> None:  # noqa: ANN401
        """It does not any more."""


@attrs.define(kw_only=True, eq=False)
class Wait:
    """One request that waits (`blockingState`)."""

    client: Waiting
    keys: Sequence[bytes]
    attempt: Attempt
    may_have: Callable[[bytes], bool]  # whether the key has a value of the right type
    redirected: Callable[[], ErrorReply | None]  # why it cannot be served here any more
    refused: Callable[[], ErrorReply | None]  # why the client may not have it any more
    alarm: asyncio.TimerHandle | None = None


class Waits:
    """All that wait at one node (`server.blocked_clients`, `db.blocking_keys`)."""

    def __init__(self, database: Callable[[], Watched]) -> None:
        """Nobody waits; `database` has the keys as they are now."""
        self._database = database
        self._of: dict[Waiting, Wait] = {}
        self._queues: dict[bytes, dict[Wait, None]] = {}
        self._watches: dict[bytes, _KeyWatch] = {}
        self._ready: dict[bytes, None] = {}
        self._serving = False

    def __len__(self) -> int:
        return len(self._of)

    @clause("CM-80")
    def begin(self, wait: Wait, timeout_s: float) -> None:
        """The client waits for one of the keys, no longer than this, without end for 0.

        Counterpart: `blockForKeys`.
        """
        self._of[wait.client] = wait
        for key in wait.keys:
            self._queues.setdefault(key, {})[wait] = None
            if key not in self._watches:
                self._watches[key] = _KeyWatch(self, key)
                self._database().add_watch(key, self._watches[key])
        if timeout_s:
            loop = asyncio.get_running_loop()
            wait.alarm = loop.call_later(timeout_s, self._answer, wait, NULL_ARRAY)

    def changed(self, key: bytes) -> None:
        """The key may have something now; who waits for it is served before the next request."""
        if key in self._queues and not self._ready:
            with contextlib.suppress(RuntimeError):  # not in a loop: `serve` is called anyway
                asyncio.get_running_loop().call_soon(self.serve)
        self._ready[key] = None

    @clause("CM-81")
    def serve(self) -> None:
        """Who waits for a key that has something has it, in the order in which they came.

        Counterpart: `handleClientsBlockedOnKeys`.
        """
        if self._serving:
            return
        self._serving = True
        try:
            while self._ready:
                key = next(iter(self._ready))
                del self._ready[key]
                for wait in list(self._queues.get(key, ())):
                    self._try(wait, key)
        finally:
            self._serving = False

    def _try(self, wait: Wait, key: bytes) -> None:
        if wait.client not in self._of or wait.redirected() is not None:
            return
        if not wait.may_have(key):
            return
        reply = wait.refused() or wait.attempt(key)
        if reply is not None:
            self._answer(wait, reply)

    @clause("CM-82")
    def look_again(self) -> None:
        """Who waits for what this node does not serve any more is sent elsewhere, or away.

        Counterpart: `clusterRedirectBlockedClientIfNeeded`.
        """
        for wait in list(self._of.values()):
            error = wait.redirected()
            if error is not None:
                self._answer(wait, error)

    @clause("CM-83")
    def unblock(self, client: Waiting, *, error: bool) -> bool:
        """The client is answered as if its time were over, or with an error; whether it waited.

        Counterpart: `clientCommand` (UNBLOCK).
        """
        wait = self._of.get(client)
        if wait is not None:
            self._answer(wait, _UNBLOCKED if error else NULL_ARRAY)
        return wait is not None

    def forget(self, client: Waiting) -> None:
        """The client, which is gone, waits for nothing."""
        wait = self._of.get(client)
        if wait is not None:
            self._end(wait)

    def _answer(self, wait: Wait, reply: ClientReply) -> None:
        self._end(wait)
        wait.client.settle(reply)

    def _end(self, wait: Wait) -> None:
        del self._of[wait.client]
        if wait.alarm is not None:
            wait.alarm.cancel()
        for key in dict.fromkeys(wait.keys):
            queue = self._queues[key]
            del queue[wait]
            if not queue:
                del self._queues[key]
                self._ready.pop(key, None)
                self._database().remove_watch(key, self._watches.pop(key))


class _KeyWatch:
    """Whom the engine tells that a key has changed."""

    def __init__(self, waits: Waits, key: bytes) -> None:
        self._waits = waits
        self._key = key

    def notify_watch(self) -> None:
        """The key has changed."""
        self._waits.changed(self._key)

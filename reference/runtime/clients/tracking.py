"""Who of a node's clients has read which keys, and is told when they change."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.slots import SlotSet, key_hash_slot
from reference.runtime.replies import ClientReply, Push

_CHANNEL: Final = b"__redis__:invalidate"


class Reader(Protocol):
    """A client that reads keys."""

    client_id: int
    protocol: int

    def send(self, reply: ClientReply) -> None:
        """The client hears this."""

    def send_after_reply(self, reply: ClientReply) -> None:
        """The client hears this once the request at hand is answered."""


class Receivers(Protocol):
    """The clients that can be told in the place of others."""

    def find(self, client_id: int) -> Reader | None:
        """The client of this id, None if it has gone."""

    def listens(self, reader: Reader) -> bool:
        """Whether the client listens to any channel."""


@attrs.define(kw_only=True, eq=False)
class Tracker:
    """What one client wants to be told (`client` with `CLIENT_TRACKING`)."""

    reader: Reader
    on: bool = False
    redirect: int = 0  # the id of the client that is told in its place; 0: none
    broken: bool = False  # that client has gone
    broadcast: bool = False
    opt_in: bool = False
    opt_out: bool = False
    no_loop: bool = False
    caching: bool = False  # CLIENT CACHING was said of the next command
    prefixes: tuple[bytes, ...] = ()
    keys: set[bytes] = attrs.field(factory=set)  # that the table has it for

    @property
    def remembers(self) -> bool:
        """Whether the keys that the command at hand reads count."""
        if not self.on or self.broadcast:
            return False
        return self.caching if self.opt_in else not (self.opt_out and self.caching)


@attrs.define(eq=False)
class Tracking:
    """The keys that clients have read (`TrackingTable`, `PrefixTable`)."""

    receivers: Receivers
    most: Callable[[], int]  # keys that may be remembered; 0: any number
    trackers: set[Tracker] = attrs.field(factory=set, init=False)  # those that are on
    current: Reader | None = attrs.field(default=None, init=False)  # whose request it is
    _table: dict[bytes, set[Tracker]] = attrs.field(factory=dict, init=False)
    _changed: dict[bytes, dict[bytes, Reader | None]] = attrs.field(factory=dict, init=False)
    _flushing: bool = attrs.field(default=False, init=False)

    def begin(self, tracker: Tracker) -> None:
        """The client is told from now on."""
        tracker.on, tracker.broken = True, False
        self.trackers.add(tracker)

    def end(self, tracker: Tracker) -> None:
        """The client is told nothing more, and nothing is remembered of it."""
        tracker.on = tracker.broken = tracker.broadcast = tracker.caching = False
        tracker.opt_in = tracker.opt_out = tracker.no_loop = False
        tracker.prefixes, tracker.redirect = (), 0
        self.trackers.discard(tracker)
        for key in tracker.keys:
            readers = self._table[key]
            readers.discard(tracker)
            if not readers:
                del self._table[key]
        tracker.keys.clear()

    @clause("CM-110", "CM-113")
    def remember(self, tracker: Tracker, keys: Iterable[bytes]) -> None:
        """The client is told once when one of the keys changes; the oldest are forgotten.

        Counterpart: `trackingRememberKeys`, `trackingLimitUsedSlots`.
        """
        for key in keys:
            self._table.setdefault(key, set()).add(tracker)
            tracker.keys.add(key)
        most = self.most()
        while most and len(self._table) > most:
            self._invalidate(next(iter(self._table)))

    def counts(self) -> tuple[int, int, int]:
        """How many keys are remembered, how often, and for how many prefixes."""
        prefixes = {prefix for tracker in self.trackers for prefix in tracker.prefixes}
        return len(self._table), sum(map(len, self._table.values())), len(prefixes)

    # What the data tells.

    @clause("CM-110", "CM-111")
    def changed(self, key: bytes, *, by_itself: bool) -> None:
        """Whoever has read the key is told, and those who watch all keys of its kind will be.

        Counterpart: `trackingInvalidateKey`, `trackingRememberKeyToBroadcast`.
        """
        by = None if by_itself else self.current
        for prefix in {each for tracker in self.trackers for each in tracker.prefixes}:
            if key.startswith(prefix):
                known = self._changed.setdefault(prefix, {})
                known[key] = by if known.get(key, by) is by else None  # two who changed it
                self._flush_soon()
        self._invalidate(key)

    def emptied(self) -> None:
        """Every client that is on is told that all keys may have changed.

        Counterpart: `trackingInvalidateKeysOnFlush`.
        """
        for tracker in _in_order(self.trackers):
            self._tell(tracker, None)
            tracker.keys.clear()
        self._table.clear()

    @clause("CM-114")
    def leave(self, slots: SlotSet) -> None:
        """Nobody counts on keys of slots that are not this node's any more."""
        for key in [key for key in self._table if key_hash_slot(key) in slots]:
            self._invalidate(key)

    def _invalidate(self, key: bytes) -> None:
        for tracker in _in_order(self._table.pop(key, ())):
            tracker.keys.discard(key)
            if not tracker.broadcast and not (tracker.no_loop and tracker.reader is self.current):
                self._tell(tracker, [key])

    # What clients are told.

    def _flush_soon(self) -> None:
        if not self._flushing:
            with contextlib.suppress(RuntimeError):  # nobody waits without a loop
                asyncio.get_running_loop().call_soon(self.flush)
                self._flushing = True

    @clause("CM-111")
    def flush(self) -> None:
        """Those who watch all keys of a kind have been told of those that changed.

        Counterpart: `trackingBroadcastInvalidationMessages`.
        """
        self._flushing = False
        changed, self._changed = self._changed, {}
        for prefix, keys in sorted(changed.items()):
            for tracker in _in_order(self.trackers):
                if prefix not in tracker.prefixes:
                    continue
                others = [
                    key
                    for key, by in sorted(keys.items())
                    if not (tracker.no_loop and by is tracker.reader)
                ]
                if others:
                    self._tell(tracker, others)

    @clause("CM-112")
    def _tell(self, tracker: Tracker, keys: list[bytes] | None) -> None:
        """The keys, or all, are no longer what the client has read; it or another hears that.

        Counterpart: `sendTrackingMessage`.
        """
        told: ClientReply = keys
        target: Reader | None = tracker.reader
        if tracker.redirect:
            target = self.receivers.find(tracker.redirect)
            if target is None:
                tracker.broken = True
                if tracker.reader.protocol == 3:
                    tracker.reader.send(Push(["tracking-redir-broken", tracker.redirect]))
                return
        assert target is not None  # noqa: S101 - the client itself is there
        if target.protocol == 3:
            push = Push(["invalidate", told])
        elif tracker.redirect and self.receivers.listens(target):
            push = Push(["message", _CHANNEL, told])
        else:
            return
        if target is self.current and not tracker.redirect:
            target.send_after_reply(push)
        else:
            target.send(push)


def _in_order(trackers: Iterable[Tracker]) -> list[Tracker]:
    return sorted(trackers, key=lambda each: each.reader.client_id)

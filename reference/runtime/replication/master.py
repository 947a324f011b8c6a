"""The master's side of replication: who follows this node, and what they are told."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.state import ClusterState
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.effects import Request
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.limits import OutputClass, output_limits
from reference.runtime.options import NodeOptions
from reference.runtime.pause import WritePause
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.feed import Feed, FeedState, Outlet, ReplicaFacts
from reference.runtime.replication.snapshot import Snapshot, save_delay_s
from reference.wire.resp import encode_reply
from reference.wire.setslot import format_open_slots

_TICK_S: Final = 0.1
_LEAST_BACKLOG: Final = 16 << 10  # bytes
_HEEDS_NAMES: Final = 9
"""The major release of Valkey from which on replicas know when they are named."""

_EXECUTES_SETSLOT: Final = 8
"""The major release of Valkey from which on replicas carry out SETSLOT; Redis names none."""


class Owner(Protocol):
    """The node whose data it is."""

    state: ClusterState
    options: NodeOptions

    @property
    def writes(self) -> WritePause:
        """Whether clients that write have to wait."""


@attrs.define
class Counts:
    """What happened since the node has started (`server.stat_sync_full` ...)."""

    full: int = 0
    partial: int = 0
    refused: int = 0  # partial ones that had to become full


@attrs.define(eq=False)
class Waiter:
    """Somebody who waits until so many replicas have the stream up to there (`WAIT`)."""

    offset: int
    count: int
    done: Callable[[], None]
    lost: Callable[[], None]  # this node is a replica now


class Replicas:
    """The replicas of this node; all that changes its data is told to them."""

    def __init__(
        self,
        node: Owner,
        keyspace: Keyspace,
        stream: Stream,
        log: "logging.LoggerAdapter[logging.Logger]",
    ) -> None:
        """Nobody follows."""
        self.stream = stream
        self.counts = Counts()
        self.feeds: list[Feed] = []
        self._node = node
        self._keyspace = keyspace
        self._log = log
        self._waiters: list[Waiter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._pinged = 0.0
        self._selected = False
        self._held: list[Request] = []  # deletions that must not move the offset now
        self._empty_since: float | None = None

    @property
    def online(self) -> list[Feed]:
        """Those that get the stream."""
        return [feed for feed in self.feeds if feed.state is FeedState.ONLINE]

    def listen(self) -> None:
        """The data tells what changes, if the stream counts.

        Counterpart: `resizeReplicationBacklog`.
        """
        limit = int(kept_text(self._node.options, "repl-backlog-size"))
        self.stream.limit = max(limit, _LEAST_BACKLOG)
        self._keyspace.listener = self.publish if self.stream.active else None

    @clause("RE-11")
    def fork(self) -> None:
        """What follows is this node's own stream; replicas of the old one may go on with it.

        Counterpart: `replicationUnsetPrimary`.
        """
        self.stream.fork()
        self._selected = False
        self.listen()
        if self.stream.active:
            self._tick_from_now_on()

    @clause("RE-18")
    def start(self) -> None:
        """From now on keys end when their time is over, whether or not anybody follows.

        Counterpart: `activeExpireCycle`.
        """
        self._tick_from_now_on()

    # What the data tells.

    @clause("RE-15")
    def publish(self, effects: list[Request]) -> None:
        """The replicas are told of it; several commands together are a transaction.

        While writes are held back the offset stands still, so what happens by itself is told
        afterwards. Counterpart: `propagateNow`, `replicationFeedReplicas`.
        """
        if not self._node.state.myself.is_master or not self.stream.active:
            return
        if self._node.writes.active:
            self._held += effects
            return
        requests = self._held + effects
        self._held = []
        if len(requests) > 1:
            requests = [[b"MULTI"], *requests, [b"EXEC"]]
        if not self._selected:
            self._selected = True
            requests = [[b"SELECT", b"0"], *requests]
        self.proxy(b"".join(encode_reply(request) for request in requests))

    @clause("RE-16")
    def proxy(self, data: bytes) -> None:
        """The stream goes further by these bytes, here and at the replicas.

        Counterpart: `replicationFeedStreamFromPrimaryStream`.
        """
        self.stream.append(data)
        for feed in list(self.feeds):
            feed.send(data)

    @property
    def told_of_slots(self) -> int:
        """How many replicas have the stream and carry out what it says of slots."""
        return sum(feed.facts.release >= _EXECUTES_SETSLOT for feed in self.online)

    # What replicas ask for.

    @clause("RE-14")
    def ask(self, outlet: Outlet, facts: ReplicaFacts, replid: str, first: int) -> Feed:
        """The replica goes on from that byte, or gets all data and then the stream.

        Without a name it has no use for that of the stream. Counterpart: `syncCommand`.
        """
        loop = asyncio.get_running_loop()
        directives = self._node.options
        limits = output_limits(kept_text(directives, "client-output-buffer-limit"))
        feed = Feed(outlet, facts, now=loop.time(), most=limits[OutputClass.REPLICA].hard)
        self._tick_from_now_on()
        rest = self.stream.since(replid, first)
        if rest is not None:
            self.counts.partial += 1
            self._log.info("partial resync of %s:%d: %d bytes", facts.ip, facts.port, len(rest))
            feed.acked = first - 1
            self.feeds.append(feed)
            feed.go_on(self.stream.replid, rest)
            return feed
        self.counts.full += 1
        self.counts.refused += replid != "?"
        self._log.info("full resync of %s:%d asked with %s", facts.ip, facts.port, replid)
        self._send_all(feed, named=bool(replid))
        return feed

    def _send_all(self, feed: Feed, *, named: bool) -> None:
        self.stream.begin()
        self.listen()
        self._selected = self._selected and self._node.state.myself.is_replica
        head = (
            f"+FULLRESYNC {self.stream.replid} {self.stream.offset}\r\n".encode() if named else b""
        )
        snapshot = Snapshot(self._keyspace)
        state = self._node.state
        if state.rules.setslot_is_replicated:
            snapshot.open_slots = format_open_slots(state)
        self.feeds.append(feed)
        diskless = kept_text(self._node.options, "repl-diskless-sync") == "yes"
        task = asyncio.get_running_loop().create_task(self._sent(feed, head, snapshot, diskless))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sent(self, feed: Feed, head: bytes, snapshot: Snapshot, diskless: bool) -> None:  # noqa: FBT001
        try:
            await feed.send_all(
                head,
                snapshot,
                diskless=diskless,
                told=self._look,
                delay_s=lambda: save_delay_s(self._node.options),
            )
        except ValueError as error:  # the replica cannot read what we have
            self._log.warning("no file for %s:%d: %s", feed.facts.ip, feed.facts.port, error)
            feed.drop()
        finally:
            snapshot.close()

    def ack(self, feed: Feed, offset: int) -> None:
        """The replica has all up to there."""
        feed.ack(offset, asyncio.get_running_loop().time())
        self._look()

    def leave(self, feed: Feed) -> None:
        """The replica's connection is over."""
        feed.over = True
        if feed in self.feeds:
            self.feeds.remove(feed)
            self._log.info("connection with replica %s:%d lost", feed.facts.ip, feed.facts.port)

    def drop_all(self) -> None:
        """Whoever followed asks again, since the stream is another.

        Counterpart: `disconnectReplicas`.
        """
        self._held, self._selected = [], False
        for feed in list(self.feeds):
            feed.drop()

    # Those who wait for replicas.

    def count(self, offset: int) -> int:
        """How many replicas have said that they have all up to there."""
        return sum(feed.acked >= offset for feed in self.online)

    @clause("RE-20")
    def wait(self, count: int, done: Callable[[], None], lost: Callable[[], None]) -> Waiter | None:
        """`done` is called once when so many replicas have what there is now; None: they have.

        They are asked to say so. `lost` is called instead if this node becomes a replica.
        Counterpart: `waitCommand`.
        """
        waiter = Waiter(self.stream.offset, count, done, lost)
        if not self.stream.active or self.count(waiter.offset) >= count:
            return None
        self._waiters.append(waiter)
        self.ask_for_acks()
        return waiter

    @property
    def lagging(self) -> int:
        """How many replicas have not said that they have all of the stream."""
        return sum(feed.acked != self.stream.offset for feed in self.feeds)

    @clause("RE-25")
    def name_successor(self) -> None:
        """A replica that has all of the stream is told to take over, if there is one.

        Counterpart: `clusterAutoFailoverOnShutdown`.
        """
        if not self._node.state.myself.is_master:
            return
        if any(feed.facts.release < _HEEDS_NAMES for feed in self.feeds):
            self._log.info(
                "Unable to perform auto failover on shutdown since there are legacy replicas."
            )
            return
        names = [
            feed.facts.node_id for feed in self.online
            if feed.acked == self.stream.offset and feed.facts.node_id
        ]  # fmt: skip
        if not names:
            self._log.info("Unable to find a replica to perform the auto failover on shutdown.")
            return
        words = [b"CLUSTER", b"FAILOVER", b"FORCE", b"REPLICAID", names[-1].encode()]
        self.proxy(encode_reply(words))
        self._log.info("Perform auto failover to replica %s on shutdown.", names[-1])

    def give_up(self, waiter: Waiter) -> None:
        """Nobody waits for it any more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    @clause("RE-20")
    def lose_waiters(self) -> None:
        """Nobody waits any more, and all that did know why.

        Counterpart: `disconnectOrRedirectAllBlockedClients`.
        """
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.lost()

    def ask_for_acks(self) -> None:
        """Replicas say how far they are, unless the offset must not move."""
        if self._node.state.myself.is_master and not self._node.writes.active and self.feeds:
            self.proxy(encode_reply([b"REPLCONF", b"GETACK", b"*"]))

    def _look(self) -> None:
        for waiter in list(self._waiters):
            if self.count(waiter.offset) >= waiter.count:
                self._waiters.remove(waiter)
                waiter.done()

    # Time.

    def _tick_from_now_on(self) -> None:
        if self._alarm is None:
            loop = asyncio.get_running_loop()
            self._pinged = loop.time()
            self._alarm = loop.call_later(_TICK_S, self._tick)

    @clause("RE-21")
    def _tick(self) -> None:
        """Replicas hear from us, silent ones are dropped, and keys whose time is over are deleted.

        Counterpart: `replicationCron`.
        """
        loop = asyncio.get_running_loop()
        now, options = loop.time(), self._node.options
        if self._node.state.myself.is_master:
            self._keyspace.expire()
            if self._held and not self._node.writes.active:
                self.publish([])
            ping_s = int(kept_text(options, "repl-ping-replica-period"))
            if now - self._pinged >= ping_s and self.feeds and not self._node.writes.active:
                self._pinged = now
                self.proxy(encode_reply([b"PING"]))
        timeout_s = int(kept_text(options, "repl-timeout"))
        for feed in self.online:
            if now - feed.heard > timeout_s:
                self._log.warning("replica %s:%d is silent", feed.facts.ip, feed.facts.port)
                feed.drop()
        self._free_backlog(now, int(kept_text(options, "repl-backlog-ttl")))
        self._alarm = loop.call_later(_TICK_S, self._tick)

    def _free_backlog(self, now: float, ttl_s: int) -> None:
        if self.feeds or not self._node.state.myself.is_master:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
        elif ttl_s and now - self._empty_since > ttl_s:
            self.stream.end()
            self.listen()

    async def close(self) -> None:
        """Nobody follows, and nothing runs any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.drop_all()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

"""A master of real servers is cut off or stopped while clients write at it and at its replica."""

import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Final, Self

import attrs
import redis

from reference.core.rules import DIALECTS
from reference.core.slots import key_hash_slot
from reference.wire.bus_header import MessageType
from tests.interop.bus_relay import BusRelay, Frame, Rule
from tests.interop.relayed import Relayed, follow, is_master, joined, known, slots_of, synced
from tests.support import LOOPBACK, Server, Workshop, all_linked, cluster_is_ok, wait_until

SLOW_CLOCK: Final = Path(__file__).parent / "slow_clock.c"
_PAUSE: Final = 0.002
"""Seconds between two writes."""


@attrs.define
class Writer:
    """A client that writes one key at one node again and again, in a thread of its own."""

    port: int
    key: str
    accepted: list[float] = attrs.field(factory=list)  # when each reply was read
    _ended: threading.Event = attrs.field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(20)

    def _write(self) -> None:
        with socket.create_connection((LOOPBACK, self.port), 20) as connection:
            replies = connection.makefile("rb")
            number = 0
            while not self._ended.is_set():
                number += 1
                connection.sendall(_set(self.key, f"{self.port}-{number}"))
                if replies.readline().startswith(b"+OK"):
                    self.accepted.append(time.monotonic())
                self._ended.wait(_PAUSE)

    @property
    def longest_stall(self) -> float:
        """The longest time, in seconds, between two writes that were taken one after the other."""
        pairs = zip(self.accepted, self.accepted[1:], strict=False)
        return max((after - before for before, after in pairs), default=0.0)


@attrs.define
class _Aim:
    """Whether a message is lost in the cut, which begins at a moment that makes the window long.

    That is when a voter has just answered the master, and its next PING to it is lost: then they
    do not notice the same silence at the same time. If no such moment comes, any has to do.
    """

    name: str
    node_id: str
    voters: set[str]
    node_timeout: float  # seconds
    begun: float = 0.0  # when the cut began
    _armed: float = attrs.field(factory=time.monotonic)
    _answered: dict[str, float] = attrs.field(factory=dict)

    def __call__(self, frame: Frame) -> bool:
        """In the relay's thread, for each message."""
        if not _is_of(frame, self.name, self.node_id):
            return False
        if not self.begun:
            self._look(frame, time.monotonic())
        return bool(self.begun)

    def _look(self, frame: Frame, now: float) -> None:
        if frame.sender not in self.voters:
            return
        if frame.answer and frame.message_type == MessageType.PONG:
            self._answered[frame.sender] = now
        elif frame.owner == self.name and frame.message_type == MessageType.PING:
            waited = now - self._armed > 8 * self.node_timeout
            recent = now - 0.15 * self.node_timeout
            fresh = all(self._answered.get(voter, 0) > recent for voter in self.voters)
            if fresh or waited:
                self.begun = now


def _is_of(frame: Frame, name: str, node_id: str) -> bool:
    """Whether the message is to or from the node."""
    return name == frame.owner or node_id in (frame.sender, frame.receiver)


def _started(shop: Workshop, kind: str, slow: float) -> Server:
    """A server that runs, with a clock that misses a part of the time."""
    ours = kind in DIALECTS
    server = shop.unstarted_slotproof(kind) if ours else shop.unstarted_real(kind)
    if slow:
        library = slow_clock(shop.directory)
        server.command = ["env", f"LD_PRELOAD={library}", f"SLOW_CLOCK={slow}", *server.command]
    server.start()
    return server


def slow_clock(directory: Path) -> Path:
    """The library that makes a clock slow, compiled; it needs a C compiler."""
    library = directory / "slow_clock.so"
    if not library.exists():
        words = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(SLOW_CLOCK), "-ldl"]
        subprocess.run(words, check=True)
    return library


def _set(key: str, value: str) -> bytes:
    words = [word.encode() for word in ("SET", key, value)]
    sent = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return b"*%d\r\n%s" % (len(words), sent)


@attrs.frozen(kw_only=True)
class Measured:
    """A handover: all times in milliseconds."""

    window: float  # from the first write at the new master to the last at the old; below 0: a gap
    failover: float  # from the cut to the first write at the new master
    stall: float  # the longest time for which the old master was not heard while it served


@attrs.define
class Shard:
    """A master, its replica, and two more masters, whose buses are connected by a relay."""

    cluster: Relayed
    node_timeout: int
    key: str
    delay: int = 0  # ms, of every message to or from the master
    master: str = "A"
    replica: str = "D"

    @classmethod
    def made(
        cls, relay: BusRelay, shop: Workshop, kind: str, *, delay: int = 0, slow: float = 0
    ) -> Self:
        """The cluster is ok, and the replica has its master's data.

        A server of the kind, or our node in the dialect of that name; the clocks of the master and
        of its replica miss the part `slow` of the time.
        """
        nodes = {name: _started(shop, kind, slow if name in {"A", "D"} else 0.0) for name in "ABCD"}
        cluster = joined(relay, nodes, "ABC")
        follow(cluster, {"D": "A"})
        first, last = slots_of(cluster["A"])
        keys = (f"k{number}" for number in range(100_000))
        key = next(key for key in keys if first <= key_hash_slot(key.encode()) <= last)
        cluster["A"].client.set(key, "start")
        return cls(cluster, shop.node_timeout, key, delay)

    @property
    def patience(self) -> float:
        """Seconds after which a failover is taken for one that does not come."""
        return 60 + 20 * self.node_timeout / 1000

    def cut(self) -> Measured:
        """How long both took writes when the master was cut off, at a bad moment."""
        old, new = self.cluster[self.master], self.cluster[self.replica]
        relay, late = self.cluster.relay, self._late()
        waited = 1 + random.random() if self.delay else random.random()  # noqa: S311
        threading.Event().wait(waited * self.node_timeout / 1000)
        aimed = _Aim(self.master, old.node_id, self._voters(), self.node_timeout / 1000)
        with Writer(old.port, self.key) as at_old, Writer(new.port, self.key) as at_new:
            wait_until(lambda: at_old.accepted, 20, what="writes are taken")
            cut = relay.drop(aimed, first=True)
            wait_until(lambda: at_new.accepted, self.patience, what="the replica takes over")
            if not aimed.begun:
                raise ValueError("the master was replaced before it was cut off")
            wait_until(lambda: _is_down(old), self.patience, what="the old master stops")
        cut.sever()
        late.end()
        self._swap()
        window, stall = _window(at_old, at_new), at_old.longest_stall
        return Measured(
            window=window, failover=1000 * (at_new.accepted[0] - aimed.begun), stall=1000 * stall
        )

    def _late(self) -> Rule:
        """All messages of the bus to or from the master are late from now on."""
        name, node_id = self.master, self.cluster[self.master].node_id
        return self.cluster.relay.delay(
            lambda frame: _is_of(frame, name, node_id) and self.delay > 0, self.delay / 1000
        )

    def _voters(self) -> set[str]:
        return {self.cluster.by_id(name) for name in "BC"}

    def pause(self) -> tuple[bool, Measured]:
        """Whether a write that waited at the stopped master was taken, and for how long others."""
        old, new = self.cluster[self.master], self.cluster[self.replica]
        late = self._late()
        if self.delay:  # what was sent before is as late as what is sent from now on
            threading.Event().wait((self.node_timeout + self.delay) / 1000)
        with socket.create_connection((LOOPBACK, old.port), 20) as waiting:
            waiting.sendall(_set(self.key, "before"))
            replies = waiting.makefile("rb")
            assert replies.readline() == b"+OK\r\n"
            old.running.send_signal(signal.SIGSTOP)
            begun = time.monotonic()
            waiting.sendall(_set(self.key, "lost"))
            with Writer(new.port, self.key) as at_new:
                wait_until(lambda: at_new.accepted, self.patience, what="the replica takes over")
                resumed = time.monotonic()
                old.running.send_signal(signal.SIGCONT)
                taken = replies.readline() == b"+OK\r\n"
                last = time.monotonic() if taken else resumed
                while taken:
                    waiting.sendall(_set(self.key, "lost, too"))
                    if replies.readline() != b"+OK\r\n":
                        break
                    last = time.monotonic()
        late.end()
        self._swap()
        return taken, Measured(
            window=1000 * (last - resumed) if taken else 0.0,
            failover=1000 * (at_new.accepted[0] - begun),
            stall=0.0,
        )

    def _swap(self) -> None:
        """The old master follows the new one, and all is well."""
        self.master, self.replica = self.replica, self.master
        nodes = list(self.cluster.nodes.values())
        follower = self.cluster[self.replica]
        follower.forget_client()
        asked = known(self.cluster, self.replica, self.master)
        wait_until(asked, self.patience, what="the old master follows")
        wait_until(synced(follower), self.patience, what="it has the data")
        wait_until(lambda: all_linked(nodes), self.patience, what="all know all")
        wait_until(lambda: cluster_is_ok(nodes), self.patience, what="cluster ok")
        assert is_master(self.cluster[self.master])


def _is_down(server: Server) -> bool:
    try:
        return server.info()["cluster_state"] == "fail"
    except redis.RedisError:
        return False


def _window(at_old: Writer, at_new: Writer) -> float:
    return 1000 * (at_old.accepted[-1] - at_new.accepted[0])

"""One replica at its master: the file it gets, then the stream, and how far it says it has come."""

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.types import NodeId
from reference.runtime.replication.snapshot import Snapshot
from reference.wire.rdb import RdbAux, RdbKey, RdbSlotImport, WritableEntry, format_rdb
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION
from reference.wire.setslot import OPEN_SLOTS

_UNSENT: Final = 4 << 20
"""Bytes of a file that wait on a link before more of it is made."""

_SPOOLED: Final = 16 << 20
"""Bytes of a file that are held in memory before it goes to the disk."""

_LOOK_AGAIN_S: Final = 0.005
_PATIENCE_S: Final = 0.1
_ALIVE: Final = b"\n"
"""What a replica is sent so that it knows that there is somebody."""

_READS_NEWEST: Final = 9
"""The major release from which on servers read files of version 80."""


class Outlet(Protocol):
    """The way to the replica."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for it to read them."""

    def write(self, data: bytes) -> None:
        """The bytes are on their way."""

    def abort(self) -> None:
        """The connection is gone."""


@attrs.define(kw_only=True)
class ReplicaFacts:
    """What a replica says of itself before it asks for the stream (`REPLCONF`)."""

    ip: str = ""
    port: int = 0
    eof: bool = False  # it can read a file whose length nobody knows
    psync2: bool = False  # it understands that a stream has a new name
    release: int = 0  # the first number of the release whose files it reads
    node_id: NodeId | None = None


class FeedState(Enum):
    """How far the replica is, by the name in INFO (`replstate`)."""

    SENDING = "send_bulk"
    LOADING = "loading"  # it has the file, and says when it has read it
    ONLINE = "online"


class Feed:
    """A replica that has asked for the stream (`client` with `CLIENT_REPLICA`)."""

    def __init__(self, outlet: Outlet, facts: ReplicaFacts, *, now: float, most: int) -> None:
        """It has nothing; no more than so many bytes may wait for it (0: any number)."""
        self.facts = facts
        self.state = FeedState.SENDING
        self.acked = 0  # bytes of the stream
        self.heard = now  # s
        self._outlet = outlet
        self._most = most
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._keys = 0  # that were written since it was last waited
        self.over = False  # its connection is

    @clause("RE-19")
    def send(self, data: bytes) -> None:
        """The bytes of the stream are on their way, or wait until the file has been read.

        A replica for which too many wait is dropped. Counterpart: `feedReplicationBuffer`,
        `checkClientOutputBufferLimits`.
        """
        if self.state is FeedState.ONLINE:
            self._outlet.write(data)
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._most and self._waiting_bytes > self._most:
            self._outlet.abort()

    @clause("RE-14")
    def go_on(self, name: str, rest: bytes) -> None:
        """It has what came before these bytes. Counterpart: `masterTryPartialResynchronization`."""
        self.state = FeedState.ONLINE
        answer = f"+CONTINUE {name}" if self.facts.psync2 else "+CONTINUE"
        self._outlet.write(answer.encode() + b"\r\n" + rest)

    def ack(self, offset: int, now: float) -> None:
        """It has all up to there. Counterpart: `replconfCommand`."""
        self.heard = now
        self.acked = max(self.acked, offset)
        if self.state is FeedState.LOADING:
            self._be_online()

    def drop(self) -> None:
        """The connection is gone."""
        self._outlet.abort()

    def _be_online(self) -> None:
        self.state = FeedState.ONLINE
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._outlet.write(b"".join(waiting))

    @clause("RE-14", "RE-17")
    async def send_all(
        self,
        head: bytes,
        snapshot: Snapshot,
        *,
        diskless: bool,
        told: Callable[[], None],
        delay_s: Callable[[], float],
    ) -> None:
        """The file is on its way, no faster than a key in `delay_s`; the stream follows it.

        Behind a file of unknown length it follows only when the replica has read the file, since
        the servers look for the mark at the end of what has arrived. Counterpart:
        `rdbSaveToReplicasSockets`, `sendBulkToReplica`.
        """
        self._outlet.write(head)
        if diskless and self.facts.eof:
            mark = secrets.token_hex(20).encode()
            self._outlet.write(b"$EOF:" + mark + b"\r\n")
            for part in self._file(snapshot):
                await self._take_time(delay_s, b"")
                await self._send_part(part)
            self._outlet.write(mark)
            self.state = FeedState.LOADING
        else:
            with tempfile.SpooledTemporaryFile(_SPOOLED) as spool:
                for part in self._file(snapshot):
                    spool.write(part)
                    self._outlet.write(_ALIVE)
                    await self._take_time(delay_s, _ALIVE)
                    await asyncio.sleep(0)
                self._outlet.write(b"$%d\r\n" % spool.tell())
                spool.seek(0)
                while part := spool.read(1 << 16):
                    await self._send_part(part)
            self._be_online()
        told()

    async def _take_time(self, delay_s: Callable[[], float], meanwhile: bytes) -> None:
        """The keys so far have taken as long as they are to take, as long as somebody waits."""
        keys, self._keys = self._keys, 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not self.over and (left := keys * delay_s() + began - loop.time()) > 0:
            await asyncio.sleep(min(left, _PATIENCE_S))
            self._outlet.write(meanwhile)

    def _counted(self, entries: Iterator[WritableEntry]) -> Iterator[WritableEntry]:
        for entry in entries:
            self._keys += isinstance(entry, RdbKey)
            yield entry

    async def _send_part(self, part: bytes) -> None:
        self._outlet.write(part)
        await asyncio.sleep(0)
        while self._outlet.unsent > _UNSENT:  # noqa: ASYNC110 - an outlet has no event for it
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _file(self, snapshot: Snapshot) -> Iterator[bytes]:
        version = VALKEY_VERSION if self.facts.release >= _READS_NEWEST else RDB_VERSION
        with contextlib.closing(snapshot):
            yield from format_rdb(self._counted(_with_facts(snapshot, version)), version)


def _with_facts(snapshot: Snapshot, version: int) -> Iterator[WritableEntry]:
    yield RdbAux(b"redis-ver", b"7.0.15")
    yield RdbAux(b"redis-bits", b"64")
    if snapshot.open_slots:
        yield RdbAux(OPEN_SLOTS, snapshot.open_slots)
    if version == VALKEY_VERSION:
        for name, (slots, _) in snapshot.arriving.items():
            yield RdbSlotImport(name.encode(), slots.ranges)
    yield from snapshot.functions
    yield from snapshot.entries()

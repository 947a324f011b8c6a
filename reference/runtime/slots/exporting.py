"""The source's end of an atomic slot migration: a connection, the keys, then each write to them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from reference.clauses import clause
from reference.core.events import (
    MigrationBroken,
    MigrationConnected,
    MigrationEstablished,
    SnapshotSent,
    SyncSlotsReceived,
)
from reference.core.messages import SyncSlots, SyncSlotsCall, SyncSlotsEstablish
from reference.core.migration_jobs import SlotMigration
from reference.core.slots import key_hash_slot
from reference.runtime.data.arrivals import first_key
from reference.runtime.data.as_commands import commands_of
from reference.runtime.data.effects import Request, restore_of
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replication.snapshot import Snapshot
from reference.runtime.slots.importing import Teller
from reference.wire.rdb import RdbKey
from reference.wire.rdb_values import RdbStream
from reference.wire.resp import RequestReader, RespProtocolError, encode_reply
from reference.wire.sync_slots import format_sync_slots, parse_call

_READ_SIZE: Final = 16 * 1024
_TOGETHER: Final = 64 * 1024
"""Bytes of keys that are written at once."""

_LOST: Final = (
    "Connection lost to target. Check CLUSTER GETSLOTMIGRATIONS on the target node for more "
    "information."
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Export:
    """A job at its source, from the first attempt to connect on."""

    def __init__(
        self,
        job: SlotMigration,
        keyspace: Keyspace,
        teller: Teller,
        *,
        turn: asyncio.Lock,
        most: int,
        delay_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Nothing is sent; no more than `most` bytes may wait for the target (0: any number).

        Who has the turn reads keys, no faster than one in `delay_s`; the others wait for it.
        """
        self.shown = ""  # what an operator sees in the place of the core's stage
        self._job = job
        self._keyspace = keyspace
        self._teller = teller
        self._turn = turn
        self._most = most
        self._delay_s = delay_s
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._behind: list[bytes] | None = []  # what waits until all keys are sent
        self._behind_bytes = 0
        self._granted = False
        self._over = False

    @property
    def tasks(self) -> set["asyncio.Task[None]"]:
        """What still runs of it."""
        return self._tasks

    @property
    def remaining(self) -> int:
        """Bytes that are still to be sent."""
        waiting = 0 if self._writer is None else self._writer.transport.get_write_buffer_size()
        return waiting + self._behind_bytes

    def start(self, dial: Callable[[], Awaitable[Streams]], password: Sequence[bytes]) -> None:
        """A connection is on its way."""
        self._spawn(self._run(dial, password))

    def _spawn(self, work: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._teller.failed(error)

    # The connection.

    @clause("SM-22", "SM-36")
    async def _run(self, dial: Callable[[], Awaitable[Streams]], password: Sequence[bytes]) -> None:
        """The target has said all that it had to say, or why it says nothing.

        Counterpart: `proceedWithSlotMigration`, `slotMigrationJobReadEstablishResponse`.
        """
        name = self._job.name
        try:
            reader, self._writer = await dial()
        except (OSError, TimeoutError) as error:
            text = os.strerror(error.errno) if error.errno else str(error)
            self._broken(f"Unable to connect to target node: {text}")
            return
        try:
            if password and not await self._let_in(reader, password):
                return
            self._teller.happened(MigrationConnected(name=name))
            answer = await _line(reader)
            if answer != "+OK":
                self._broken(f"Received error during handshake to target: {answer}\r\n")
                return
            self._teller.happened(MigrationEstablished(name=name))
            await self._listen(reader)
        except (OSError, RespProtocolError):
            self._broken(_LOST)

    async def _let_in(self, reader: asyncio.StreamReader, password: Sequence[bytes]) -> bool:
        """Whether the target takes the password."""
        self.shown = "reading-auth-response"
        self._write([b"AUTH", *password])
        answer = await _line(reader)
        self.shown = ""
        if answer != "+OK":
            self._broken(f"Failed to AUTH to target node: {answer}")
        return answer == "+OK"

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """What the target says is heard, until it closes the connection."""
        requests = RequestReader()
        while data := await reader.read(_READ_SIZE):
            requests.feed(data)
            for words in requests:
                call = parse_call(words[2]) if len(words) == 3 else None
                if call is not None and not self._over:
                    said = SyncSlots(name=self._job.name, call=call)
                    self._teller.happened(SyncSlotsReceived(message=said))
        self._broken(_LOST)

    def _broken(self, reason: str) -> None:
        if not self._over:
            self._teller.happened(MigrationBroken(name=self._job.name, reason=reason))

    def say(self, call: SyncSlotsCall) -> None:
        """The target is told this, behind all that was written before."""
        self._granted |= call is SyncSlotsCall.FAILOVER_GRANTED
        self._write(format_sync_slots(SyncSlots(name=self._job.name, call=call)))

    def ask(self, message: SyncSlotsEstablish) -> None:
        """The target is asked to import the slots."""
        self._write(format_sync_slots(message))

    def _write(self, request: Sequence[bytes]) -> None:
        self._send(encode_reply(request))

    def _send(self, data: bytes) -> None:
        if self._writer is not None and not self._over:
            self._writer.write(data)

    # The keys.

    def send_keys(self) -> None:
        """The keys are on their way as soon as it is this job's turn."""
        self.shown = "waiting-to-snapshot"
        self._spawn(self._send_keys())

    @clause("SM-38")
    async def _send_keys(self) -> None:
        """The keys of one moment are sent, and behind them what has changed them since.

        Counterpart: `childSnapshotForSyncSlot`, `slotExportBeginStreaming`.
        """
        async with self._turn:
            self.shown = ""
            snapshot = Snapshot(self._keyspace, self._job.slots)
            self._keyspace.followers.append(self._feed)
            try:
                await self._send_all(snapshot)
            except OSError:  # which whoever listens hears of as well
                return
            finally:
                snapshot.close()
        if self._over:
            return
        self._teller.happened(SnapshotSent(name=self._job.name))
        behind, self._behind, self._behind_bytes = self._behind or [], None, 0
        self._send(b"".join(behind))

    async def _send_all(self, snapshot: Snapshot) -> None:
        part = bytearray(encode_reply([b"SELECT", b"0"]))
        for entry in snapshot.entries():
            for request in _commands(entry):
                part += encode_reply(request)
            if delay_s := self._delay_s():
                await asyncio.sleep(delay_s)
            if len(part) >= _TOGETHER:
                self._send(bytes(part))
                part.clear()
                await asyncio.sleep(0)
                if self._writer is not None:
                    await self._writer.drain()
        self._send(bytes(part))

    @clause("SM-38")
    def _feed(self, requests: Sequence[Request]) -> None:
        """What has changed keys of the slots follows, each change by itself; a grant ends it.

        Counterpart: `clusterFeedSlotExportJobs`.
        """
        data = b"".join(encode_reply(each) for each in requests if self._is_about(each))
        if not data or self._granted:
            return
        if self._behind is None:
            self._send(data)
        else:
            self._behind.append(data)
            self._behind_bytes += len(data)
        if self._most and self.remaining > self._most:
            self.cut()

    def _is_about(self, request: Request) -> bool:
        key = first_key(request)
        return key is not None and key_hash_slot(key) in self._job.slots

    # The end.

    def cut(self) -> None:
        """The connection is lost."""
        if self._writer is not None:
            self._writer.transport.abort()

    def freeze(self) -> None:
        """Nothing that the target says is heard."""
        self._read(on=False)

    def thaw(self) -> None:
        """What the target has said in the meantime is heard."""
        self._read(on=True)

    def _read(self, *, on: bool) -> None:
        transport = None if self._writer is None else self._writer.transport
        if isinstance(transport, asyncio.Transport) and not transport.is_closing():
            (transport.resume_reading if on else transport.pause_reading)()

    def close(self) -> None:
        """The connection is gone, and nothing of the job is read or sent any more."""
        self._over = True
        if self._feed in self._keyspace.followers:
            self._keyspace.followers.remove(self._feed)
        for task in self._tasks:
            task.cancel()
        self.cut()


def _commands(entry: RdbKey) -> Iterator[Request]:
    """The commands that make the key: what a stream is besides its entries has none."""
    return iter([restore_of(entry)]) if isinstance(entry.value, RdbStream) else commands_of(entry)


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readline()
    except ValueError as error:
        raise ConnectionError("a line without an end") from error
    if not line.endswith(b"\n"):
        raise ConnectionError("the target closed the connection")
    return line.strip().decode("utf-8", "surrogateescape")

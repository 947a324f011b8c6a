"""One link of a replica to its master's client port: greeting, file, stream of commands."""

import asyncio
import re
from functools import reduce
from typing import Final, Protocol

import attrs

from reference.clauses import clause
from reference.core.events import ClusterFailover, ClusterSetslot
from reference.core.messages import SyncSlotsEstablish, SyncSlotsFinish
from reference.core.slots import NO_SLOTS, SlotSet, key_hash_slot
from reference.core.types import NodeId
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.arrivals import drop_all, expect, keyspace_of_slot
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.libraries import LibraryError, Source
from reference.runtime.options import NodeOptions
from reference.runtime.replication.stream import Follower
from reference.wire.rdb import RdbAux, RdbDecoder, RdbEntry, RdbFunction, RdbKey, RdbSlotImport
from reference.wire.rdb_strings import RdbError
from reference.wire.resp import encode_reply
from reference.wire.setslot import OPEN_SLOTS, OpenSlotsError, parse_open_slots

_READ_SIZE: Final = 64 * 1024
_ACK_EVERY_S: Final = 1.0
_READS_FILES_OF: Final = b"9.0.0"
"""The release of Valkey whose files are read here; Redis does not ask."""

_FULLRESYNC: Final = re.compile(r"\+FULLRESYNC ([0-9a-f]{40}) ([0-9]{1,19})")
_CONTINUE: Final = re.compile(r"\+CONTINUE(?: ([0-9a-f]{40}))?")
_LENGTH: Final = re.compile(r"\$([0-9]{1,18})")
_UNTIL_MARK: Final = re.compile(r"\$EOF:([ -~]{40})")


@clause("CM-91")
def password_of(options: NodeOptions) -> list[bytes]:
    """What this node says behind AUTH to others of its cluster, nothing if it has no password.

    Counterpart: `replicationSendAuth`.
    """
    password, user = kept_text(options, "masterauth"), kept_text(options, "masteruser")
    words = [user, password] if password else []
    return [word.encode("utf-8", "surrogateescape") for word in words if word]


class NoStreamError(Exception):
    """The master does not know what replication is."""


@attrs.frozen
class History:
    """Whose data we have, and how much of it (replid and offset)."""

    replid: str
    offset: int  # bytes


class Progress(Protocol):
    """Who is told how far the link has come."""

    def starts_over(self) -> None:
        """The master sends all of its data; what we have does not count any more."""

    def loaded(self, history: History) -> None:
        """All of the master's data is ours, up to there."""

    def goes_on(self, replid: str) -> None:
        """The stream goes on where our data ends, under this name."""

    def reached(self, data: bytes) -> None:
        """These bytes of the stream have been carried out."""

    def heard(self) -> None:
        """The master has sent something."""

    def migrates(self, message: SyncSlotsEstablish | SyncSlotsFinish) -> None:
        """The master begins to import slots, or has ended it."""

    def opens(self, command: ClusterSetslot) -> bool:
        """What the master says of a slot has been carried out; whether it is still our master."""

    def succeeds(self, command: ClusterFailover) -> None:
        """The master has named who is to take over."""

    @property
    def name(self) -> NodeId | None:
        """What the master is told that we are called, if it asks for that."""


class ReplicaLink:
    """The connection; it ends with an error that says why."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        keyspace: Keyspace,
        progress: Progress,
        *,
        timeout_s: float,
    ) -> None:
        """It is open, and nothing was said."""
        self._reader, self._writer = streams
        self._keyspace = keyspace
        self._progress = progress
        self._timeout_s = timeout_s
        self._opened: list[ClusterSetslot] = []  # by what came with the file

    @clause("RE-1")
    async def follow(self, options: NodeOptions, history: History | None) -> None:
        """The data follows the master's until the link ends, and it always ends with an error.

        Counterpart: `syncWithMaster`, `replicaTryPartialResynchronization`.
        """
        await self._greet(options)
        asked = ("?", -1) if history is None else (history.replid, history.offset + 1)
        answer = await self._ask(b"PSYNC", asked[0].encode(), b"%d" % asked[1])
        if match := _FULLRESYNC.fullmatch(answer):
            self._progress.starts_over()
            history = History(match[1], int(match[2]))
            rest = await self._load()
            self._progress.loaded(history)
            for command in self._opened:
                self._progress.opens(command)
        elif history is not None and (match := _CONTINUE.fullmatch(answer)):
            rest = b""
            self._progress.goes_on(match[1] or history.replid)
        elif answer.startswith("-ERR unknown command"):
            raise NoStreamError("the master has no stream of commands")
        else:
            raise ConnectionError(f"PSYNC was answered with {answer!r}")
        await self._stream(history.offset, rest)

    async def _greet(self, options: NodeOptions) -> None:
        """The master knows whom it talks to; REPLCONF words that it does not know do no harm."""
        answer = await self._ask(b"PING")
        if not answer.startswith(("+PONG", "-NOAUTH")):
            raise ConnectionError(f"PING was answered with {answer!r}")
        await self._authenticate(password_of(options))
        port = options.announce_port or options.port
        if options.tls_replication and options.tls_port:
            port = options.announce_port or options.tls_port
        words = [[b"listening-port", b"%d" % port], [b"capa", b"eof", b"capa", b"psync2"]]
        if options.announce_ip:
            words.append([b"ip-address", options.announce_ip.encode()])
        words.append([b"version", _READS_FILES_OF])
        if self._progress.name is not None:
            words.append([b"set-cluster-node-id", self._progress.name.encode()])
        for each in words:
            await self._ask(b"REPLCONF", *each)

    @clause("CM-91")
    async def _authenticate(self, password: list[bytes]) -> None:
        """The master lets us in, if we have a password for it.

        Counterpart: `syncWithMaster`.
        """
        if not password:
            return
        answer = await self._ask(b"AUTH", *password)
        if not answer.startswith("+OK"):
            raise ConnectionError(f"AUTH was answered with {answer!r}")

    async def _ask(self, *request: bytes) -> str:
        self._writer.write(encode_reply(request))
        return await self._line()

    async def _line(self) -> str:
        """The next line that is not empty: masters send empty ones while they prepare."""
        while True:
            async with asyncio.timeout(self._timeout_s):
                try:
                    line = await self._reader.readline()
                except ValueError as error:
                    raise ReplicationError("a line without an end") from error
            if not line.endswith(b"\n"):
                raise ConnectionError("the master closed the link")
            text = line.strip().decode("latin-1")
            self._progress.heard()
            if text:
                return text

    async def _read(self) -> bytes:
        async with asyncio.timeout(self._timeout_s):
            data = await self._reader.read(_READ_SIZE)
        if not data:
            raise ConnectionError("the master closed the link")
        return data

    @clause("RE-2", "RE-3")
    async def _load(self) -> bytes:
        """The file has become our data, at once; the answer is what came behind it.

        Until then the old data stays. Counterpart: `readSyncBulkPayload`.
        """
        head = await self._line()
        mark = _UNTIL_MARK.fullmatch(head)
        length = _LENGTH.fullmatch(head)
        if mark is None and length is None:
            raise ReplicationError(f"no file of data, but {head!r}")
        fresh = Keyspace()
        try:
            if mark is not None:
                rest = await self._load_until(mark[1].encode("latin-1"), fresh)
            else:
                rest = await self._load_exactly(int(length[1]) if length else 0, fresh)
            self._keyspace.replace(fresh)
            self._keyspace.arrivals, fresh.arrivals = fresh.arrivals, {}
        except (RdbError, LibraryError, OpenSlotsError) as error:
            raise ReplicationError(f"damaged data: {error}") from error
        finally:
            drop_all(fresh)
            fresh.close()
        return rest

    async def _load_exactly(self, length: int, fresh: Keyspace) -> bytes:
        decoder, rest = RdbDecoder(), b""
        while length:
            data = await self._read()
            data, rest = data[:length], data[length:]
            length -= len(data)
            self._keep(decoder.feed(data), fresh)
        decoder.finish()
        if decoder.rest:
            raise ReplicationError(f"{len(decoder.rest)} bytes too many in the file of data")
        return rest

    async def _load_until(self, mark: bytes, fresh: Keyspace) -> bytes:
        decoder = RdbDecoder()
        while not decoder.done or len(decoder.rest) < len(mark):
            self._keep(decoder.feed(await self._read()), fresh)
        if not decoder.rest.startswith(mark):
            raise ReplicationError("the file of data does not end with the mark it began with")
        return decoder.rest[len(mark) :]

    def _keep(self, entries: list[RdbEntry], fresh: Keyspace) -> None:
        self._progress.heard()
        for entry in entries:
            if isinstance(entry, RdbAux) and entry.name == OPEN_SLOTS:
                self._opened += parse_open_slots(entry.value)
            elif isinstance(entry, RdbSlotImport):
                runs = (SlotSet.between(first, last) for first, last in entry.ranges)
                expect(fresh, entry.name.decode("latin-1"), reduce(SlotSet.__or__, runs, NO_SLOTS))
            elif isinstance(entry, RdbFunction):
                fresh.libraries.put(Source.parse(entry.code))
            elif isinstance(entry, RdbKey):
                keyspace_of_slot(fresh, key_hash_slot(entry.key)).load(entry)

    @clause("RE-5")
    async def _stream(self, offset: int, data: bytes) -> None:
        """Commands are carried out as they come; the master is told how far, at least each second.

        Counterpart: `replicationSendAck`, `replicationCron`.
        """
        loop = asyncio.get_running_loop()
        follower = Follower(self._keyspace, offset, self._progress)
        ack_at = silent_from = loop.time()
        while True:
            if data:
                silent_from = loop.time()
                counted = follower.take(data)
                if not follower.over:
                    self._progress.reached(counted)
            if follower.ack_wanted or loop.time() >= ack_at:
                follower.ack_wanted = False
                ack_at = loop.time() + _ACK_EVERY_S
                words = (b"REPLCONF", b"ACK", b"%d" % follower.offset)
                self._writer.write(encode_reply(words))
                await self._writer.drain()
            try:
                async with asyncio.timeout_at(ack_at):
                    data = await self._read()
            except TimeoutError:
                data = b""
                if loop.time() - silent_from > self._timeout_s:
                    raise

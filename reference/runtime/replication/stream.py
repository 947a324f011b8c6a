"""The stream of commands: how far it was carried out, and what each command does here."""

import logging
from collections.abc import Iterator
from typing import Final, Protocol

from reference.clauses import clause
from reference.core.events import ClusterFailover, ClusterSetslot, FailoverOption
from reference.core.messages import SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_jobs import MigrationOutcome
from reference.core.slots import SlotSet
from reference.core.types import SLOT_COUNT, NodeId
from reference.runtime.data.arrivals import expect, keyspace_of, settle
from reference.runtime.data.as_commands import ReplicationError, Request, restored
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.libraries import LibraryError
from reference.wire.resp import ErrorReply, RequestReader, RespProtocolError, encode_reply
from reference.wire.setslot import parse_setslot
from reference.wire.sync_slots import SyncSlotsError, parse_establish, parse_finish

_LOG = logging.getLogger(__name__)

_PASSED_OVER: Final = frozenset(b"PING PUBLISH SPUBLISH SCRIPT".split())
"""What changes nothing that a client of this node could see."""


class CommandStream:
    """The commands of a stream, each with the bytes it came in (`replicationFeedSlaves`)."""

    def __init__(self) -> None:
        """Nothing has arrived."""
        self._reader = RequestReader()
        self._raw = bytearray()

    @clause("RE-6")
    def feed(self, data: bytes) -> Iterator[tuple[Request, bytes]]:
        """The commands that these bytes complete.

        ReplicationError if they are none, or not in the one form in which masters send them, since
        then nobody could say how many bytes were carried out. Counterpart: `commandProcessed`.
        """
        self._reader.feed(data)
        self._raw += data
        try:
            for request in self._reader:
                form = encode_reply(request)
                if not self._raw.startswith(form):
                    raise ReplicationError(f"not a stream of commands: {bytes(self._raw[:40])!r}")
                del self._raw[: len(form)]
                yield request, form
        except RespProtocolError as error:
            raise ReplicationError(f"not a stream of commands: {error.reason}") from error


class Told(Protocol):
    """Who hears what the stream says of slots."""

    def migrates(self, message: SyncSlotsEstablish | SyncSlotsFinish) -> None:
        """The master begins to import slots, or has ended it."""

    def opens(self, command: ClusterSetslot) -> bool:
        """What the master says of a slot has been carried out; whether it is still our master."""

    def succeeds(self, command: ClusterFailover) -> None:
        """The master has named who is to take over."""


class Follower:
    """Carries out the commands of one link, in their order (`client` of the master)."""

    def __init__(self, keyspace: Keyspace, offset: int, told: Told | None = None) -> None:
        """All of the stream before the offset has been carried out.

        `told` hears what becomes of the master's slots.
        """
        self.offset = offset  # bytes
        self.ack_wanted = False  # the master asked for the offset, or waits for it
        self.over = False  # what follows is no longer for us
        self._keyspace = keyspace
        self._told = told
        self._commands = CommandStream()
        self._queue: list[Request] | None = None  # an open transaction
        self._behind = bytearray()  # of the open transaction
        self._db = 0

    @clause("RE-6", "RE-8")
    def take(self, data: bytes) -> bytes:
        """Whatever the bytes complete has been carried out, and counts; the answer is what does.

        A transaction counts when it ends, so that a link that breaks in it begins before it again.
        Counterpart: `commandProcessed`.
        """
        counted = bytearray()
        for request, form in self._commands.feed(data):
            name = request[0].upper()
            if name == b"REPLCONF":
                self.ack_wanted |= len(request) > 1 and request[1].upper() == b"GETACK"
            elif name == b"MULTI":
                self._queue = []
            elif name == b"EXEC":
                self._end_transaction()
            elif self._queue is not None:
                self._queue.append(request)
            else:
                self.carry_out(request)
            self._behind += form
            if self._queue is None:
                self.offset += len(self._behind)
                counted += self._behind
                self._behind.clear()
            if self.over:
                break
        return bytes(counted)

    def _end_transaction(self) -> None:
        queue, self._queue = self._queue, None
        if queue is None:
            raise ReplicationError("EXEC without MULTI")
        for request in queue:
            self.carry_out(request)

    def carry_out(self, request: Request) -> None:
        """The request has been carried out; ReplicationError if it cannot be."""
        name = request[0].upper()
        if name == b"SELECT":
            self._db = int(request[1]) if len(request) == 2 and request[1].isdigit() else -1
        elif name in _PASSED_OVER:
            pass
        elif name == b"CLUSTER":
            self._cluster(request)
        elif name == b"FUNCTION":
            self._function(request)
        elif self._db:
            raise ReplicationError(f"{_text(name)} in database {self._db}, only database 0 is kept")
        else:
            self._change(name, request, keyspace_of(self._keyspace, request))

    def _change(self, name: bytes, request: Request, keyspace: Keyspace) -> None:
        if name in {b"RESTORE", b"RESTORE-ASKING"}:
            keyspace.put(restored(request))
        elif name == b"XCLAIM":
            _claim(keyspace, request)
        elif name == b"XSETID":
            keyspace.set_stream_ids(request)
        else:
            _apply(keyspace, request)

    @clause("RE-23")
    def _function(self, request: Request) -> None:
        """The node has the functions that its master has. Counterpart: `functionLoadCommand`."""
        try:
            self._keyspace.libraries.apply(request)
        except LibraryError as error:
            raise ReplicationError(f"FUNCTION cannot be carried out here: {error}") from error
        if self._keyspace.recorder is not None:
            self._keyspace.recorder.record([request])

    def _cluster(self, request: Request) -> None:
        """What deletes keys, and what is on its way; of other slots the bus tells."""
        words = [word.upper() for word in request[1:]]
        if len(words) >= 2 and words[0] == b"FLUSHSLOT" and words[1].isdigit():
            self._keyspace.delete_slots(SlotSet.of({int(words[1])}))
        elif words[:1] == [b"SYNCSLOTS"] and len(words) > 1:
            self._sync_slots(words[1], request[3:])
        elif words[:1] == [b"SETSLOT"] and len(words) > 2:
            self._set_slot(request[2], request[3:])
        elif words[:1] == [b"FAILOVER"] and b"REPLICAID" in words[1:-1]:
            self._name(request, words)
        else:
            _LOG.info("passed over in the stream: %s", _text(b" ".join(request)))

    @clause("MF-11")
    def _name(self, request: Request, words: Request) -> None:
        if self._told is None:
            return
        named = request[words.index(b"REPLICAID") + 2].decode("utf-8", "surrogateescape")
        takes = FailoverOption.FORCE if b"FORCE" in words else FailoverOption.PLAIN
        option = FailoverOption.TAKEOVER if b"TAKEOVER" in words else takes
        self._told.succeeds(ClusterFailover(option=option, named=NodeId(named)))

    @clause("SM-8")
    def _set_slot(self, number: bytes, words: Request) -> None:
        """The slot is as the master says, which waits to hear that.

        If that makes us a replica of another one, what follows is not for us, and yet the old one
        is answered. Counterpart: `clusterCommandSetSlot`.
        """
        slot = int(number) if number.isdigit() and len(number) <= len(str(SLOT_COUNT)) else -1
        if not 0 <= slot < SLOT_COUNT:
            return
        keys = self._keyspace.keys_in_slot
        command, _ = parse_setslot(slot, words, lambda: bool(keys(slot, 1)))
        self.ack_wanted = True
        if command is not None and self._told is not None:
            self.over = not self._told.opens(command)

    @clause("SM-37")
    def _sync_slots(self, word: bytes, rest: Request) -> None:
        """Keys of the slots that the master imports are hidden here too, until that is over.

        Whatever else the two ends of the job say is theirs. Counterpart: `clusterCommandSyncSlots`.
        """
        try:
            if word == b"ESTABLISH":
                begun = parse_establish(rest, from_master=True)
                expect(self._keyspace, begun.name, begun.slots)
                self._tell(begun)
            elif word == b"FINISH":
                ended = parse_finish(rest)
                kept = ended.outcome is MigrationOutcome.SUCCESS
                settle(self._keyspace, ended.name, keep=kept)
                self._tell(ended)
        except SyncSlotsError as error:
            raise ReplicationError(f"SYNCSLOTS {_text(word)}: {error}") from error

    def _tell(self, message: SyncSlotsEstablish | SyncSlotsFinish) -> None:
        if self._told is not None:
            self._told.migrates(message)


def _claim(keyspace: Keyspace, request: Request) -> None:
    """The entries are a consumer's, and the group has read up to the last id (LASTID)."""
    words = [word.upper() for word in request]
    if b"LASTID" in words[6:-1]:
        at = words.index(b"LASTID", 6)
        key, group, last = request[1], request[2], request[at + 1]
        _apply(keyspace, request[:at] + request[at + 2 :])
        keyspace.advance_group(key, group, last)
    else:
        _apply(keyspace, request)


@clause("RE-7")
def _apply(keyspace: Keyspace, request: Request) -> None:
    """The data is what the master's is; ReplicationError if it would not be.

    Counterpart: `afterErrorReply`.
    """
    reply = keyspace.apply(request)
    if isinstance(reply, ErrorReply):
        raise ReplicationError(f"{_text(request[0])} cannot be carried out here: {reply.text}")


def _text(raw: bytes) -> str:
    return raw[:80].decode("utf-8", "backslashreplace")

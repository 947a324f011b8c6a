"""The data of a node: the one place that knows the engine behind it (fakeredis).

The engine is used through its private interface, so its version is pinned and the tests of this
module say what of it we rely on. Only the commands of `DATA_COMMANDS` ever reach it, and from a
master those of `_FROM_MASTER`: its RESTORE and FUNCTION RESTORE run code that a client sends.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final, Protocol

from reference.clauses import clause
from reference.core.slots import SlotSet, key_hash_slot
from reference.runtime.command_table.table import DATA_COMMANDS, CommandInfo, keys_of
from reference.runtime.data.as_commands import ReplicationError, commands_of
from reference.runtime.data.databases import Arrival, Unsure
from reference.runtime.data.effects import Done, Request, effects_of, is_told_whole, restore_of
from reference.runtime.data.geo import GEO_COMMANDS, carry_out_geo
from reference.runtime.data.key_events import KeyEvents
from reference.runtime.data.scanning import Scans
from reference.runtime.data.watch import Watch
from reference.runtime.libraries import Libraries
from reference.runtime.options import NodeOptions
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.rdb import RdbKey
from reference.wire.rdb_values import RdbStream
from reference.wire.resp import ErrorReply

if TYPE_CHECKING:
    from fakeredis import FakeServer

    from reference.runtime.data.engine import Connection, Data, Engine

_LOG = logging.getLogger(__name__)

_SET_REPLIES: Final = frozenset({"smembers", "spop", "sinter", "sunion", "sdiff"})
"""Commands whose lists are sets in version 3; the engine gives lists."""

_POPS: Final = frozenset({"lmpop", "zmpop"})
"""Commands after which the engine neither tells of the key nor removes it when it is empty."""

_MAY_WAIT: Final = frozenset({"xread", "xreadgroup"})
"""Commands that the engine would carry out later, in the one thread that all clients share."""

_FROM_MASTER: Final = frozenset(DATA_COMMANDS) | {
    "hexpire", "hexpireat", "hgetdel", "hgetex", "hpersist", "hpexpire", "hpexpireat", "hsetex",
}  # fmt: skip
"""What a master's data and stream of commands may contain."""

_MAX_ECHO: Final = 128
"""Bytes of the arguments, and of the name, that the text about an unknown command repeats."""


@clause("CM-4")
def unknown_command(arguments: Sequence[bytes]) -> ErrorReply:
    """The answer to a command that is not served. Counterpart: `commandCheckExistence`."""
    echoed = b""
    for argument in arguments[1:]:
        if len(echoed) >= _MAX_ECHO:
            break
        echoed += b"'%b' " % argument[: _MAX_ECHO - len(echoed)]
    name = _text(arguments[0][:_MAX_ECHO])
    return ErrorReply(f"ERR unknown command '{name}', with args beginning with: {_text(echoed)}")


@cache
def _engine() -> "type[Engine]":
    """What knows the engine, which is not imported before the data is asked for."""
    from reference.runtime.data.engine import Engine  # noqa: PLC0415

    return Engine


def preload_engine() -> None:
    """The engine is being imported, beside all else, so that nobody has to wait for it later."""
    threading.Thread(target=_engine, daemon=True).start()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


class Recorder(Protocol):
    """Who is told of every change of the data, whoever has made it."""

    @property
    def rewriting(self) -> bool:
        """Whether all of the data is being written anew."""

    def record(self, requests: Sequence[Request]) -> None:
        """These commands have the same effect, all of them or none."""

    def rewrite(self) -> None:
        """The data is another, and what was recorded before does not count."""

    async def close(self) -> None:
        """All that was recorded is on disk, and nothing more will be."""


class Keyspace:
    """The keys and values of one node, in its database 0."""

    def __init__(self) -> None:
        """There are no keys, and nobody is told what changes."""
        self._follows = False
        self._group: list[Request] | None = None
        self.libraries = Libraries()
        self.listener: Callable[[list[Request]], None] | None = None
        """Who is told what changes: commands that have the same effect, all of them or none."""
        self.followers: list[Callable[[list[Request]], None]] = []
        """Who else is told the same."""
        self.arrivals: dict[str, Arrival[Keyspace]] = {}
        """Keys of slots that are not this node's yet, by the job that brings them."""
        self.recorder: Recorder | None = None
        self.record_as: Callable[[NodeOptions], None] | None = None
        """What makes the recorder be as the options say; an error of the system if it cannot."""
        self.expires_by_itself = True
        """Whether keys are deleted once their time is over, though nobody asks for them."""
        self.before_write: list[Callable[[Sequence[bytes] | None], None]] = []
        """Who sees keys before they change; None if it may be any."""
        self.events = KeyEvents()

    @cached_property
    def _server(self) -> "FakeServer":
        return _engine().new_server()

    @cached_property
    def _data(self) -> "Data":
        data = self._server.dbs[0] = _engine().new_data(self._server.lock)
        data.follows = self._follows
        return data

    @cached_property
    def _engines(self) -> "dict[int, Connection]":
        self._data.follows = self._follows  # it is there before anybody looks for it
        scans = Scans()
        return {protocol: _engine().connect(self._server, protocol, scans) for protocol in (2, 3)}

    @property
    def is_open(self) -> bool:
        """Whether the engine has been asked for anything; before that there are no keys."""
        return "_data" in self.__dict__

    @clause("CM-4", "CM-5")
    def execute(self, arguments: Sequence[bytes], protocol: int = 2) -> ClientReply:
        """The data command is carried out, and answered for this version of the protocol.

        Anything that is no data command is unknown here, whatever the engine could do with it.
        """
        name = arguments[0].decode("latin-1").lower()
        info = _info(name, arguments)
        if info is None:
            return unknown_command(arguments)
        if not info.writes:
            reply = self._engage(name, arguments, protocol)
        else:
            reply = self._write(name, info, arguments, protocol)
        if self._data.expired_keys:
            self._tell([])
        return reply

    def _write(
        self, name: str, info: CommandInfo, arguments: Sequence[bytes], protocol: int
    ) -> ClientReply:
        keys = keys_of(info, arguments)
        if keys is not None:
            self._announce(keys or None)
        before = self.events.there(keys or (), self._data)
        self._data.touched.clear()
        reply = self._engage(name, arguments, protocol)
        touched = list(self._data.touched)
        if not touched and _says_nothing_of_keys(name, reply):
            touched = list(keys or ())
            self._data.note(touched)
        if self.listener is not None or self.recorder is not None or self.followers:
            done = Done(arguments=arguments, reply=reply, touched=touched, data=self)
            self._tell(effects_of(done))
        self.events.tell(self._data, name, arguments, reply, touched, before)
        return reply

    def plain(self, key: bytes) -> bytes | Unsure | None:
        """The string that the key holds, None if it is not there; unsure if it is another matter.

        What the key holds is the same as GET by `execute` would answer.
        """
        return self._data.plain(key)

    @clause("CM-96")
    def put_plain(self, key: bytes, value: bytes) -> bool:
        """The key holds this string as after SET by `execute`; False if that has to be asked."""
        if self.before_write or self.events.listener is not None:
            return False
        if not self._data.put_plain(key, value):
            return False
        if self.listener is not None or self.recorder is not None or self.followers:
            self._tell([[b"SET", key, value]])
        return True

    def _announce(self, keys: Sequence[bytes] | None) -> None:
        for see in self.before_write:
            see(keys)

    @clause("RE-18")
    def _tell(self, effects: list[Request]) -> None:
        """The listener knows what has changed; keys whose time is over are deleted first.

        Counterpart: `propagateDeletion`.
        """
        gone = [[b"DEL", key] for key in self._data.take_expired()]
        self.events.tell_expired(key for _, key in gone)
        if not (gone or effects):
            return
        if self._group is not None:
            self._group += gone + effects
        else:
            self._publish(gone + effects)

    def _publish(self, requests: list[Request]) -> None:
        if self.recorder is not None:
            self.recorder.record(requests)
        if self.listener is not None:
            self.listener(requests)
        for tell in self.followers:
            tell(requests)

    def tell(self, request: Request) -> None:
        """The listener knows of a change that is of no key."""
        self._data.changes += 1
        self._tell([request])

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What changes in the block is told at its end, as one.

        Counterpart: `propagatePendingCommands`.
        """
        if self._group is not None:
            yield
            return
        self._group = []
        try:
            yield
        finally:
            group, self._group = self._group, None
            if group:
                self._publish(group)

    @property
    def in_group(self) -> bool:
        """Whether a block of `together` is open, so that nothing may wait."""
        return self._group is not None

    @clause("RE-7")
    def apply(self, arguments: Sequence[bytes]) -> ClientReply:
        """A command that a master has carried out is carried out here too, and recorded.

        Counterpart: `call`.
        """
        name = arguments[0].decode("latin-1").lower()
        before = self.events.there(arguments[1:], self._data)
        self._data.touched.clear()
        reply = self._carry_out(arguments)
        self.events.tell(self._data, name, arguments, reply, list(self._data.touched), before)
        if self.recorder is not None and not isinstance(reply, ErrorReply):
            self.recorder.record([list(arguments)])
        return reply

    def _carry_out(self, arguments: Sequence[bytes]) -> ClientReply:
        """Nobody is told, and no key is too old for it."""
        name = arguments[0].decode("latin-1").lower()
        if name not in _FROM_MASTER:
            return unknown_command(arguments)
        if self.before_write:
            info = _info(name, arguments)
            self._announce(keys_of(info, arguments) if info is not None else arguments[1:2])
        self._data.obeys = True
        try:
            return self._engage(name, arguments, 2)
        finally:
            self._data.obeys = False

    def follows(self, *, master: bool) -> None:
        """Whether a master says when keys end, or this node does."""
        self._follows = master
        if self.is_open:
            self._data.follows = master

    @property
    def obeys_master(self) -> bool:
        """Whether a master says when keys end."""
        return self._follows

    def entry(self, key: bytes) -> RdbKey | None:
        """The key with all that it holds, None if there is none."""
        item = self.database().get(key)
        return None if item is None else _engine().entry_of(key, item)

    def kept(self, key: bytes) -> RdbKey | None:
        """The key with all that it holds, None if there is none; its time may be over."""
        item = self._data.whole.get(key)
        return None if item is None else _engine().entry_of(key, item)

    @clause("RE-4")
    def load(self, entry: RdbKey) -> None:
        """The key is here, which was not; nobody is told. ReplicationError if it cannot be.

        Counterpart: `dbAddRDBLoad`.
        """
        for request in commands_of(entry):
            reply = self._carry_out(request)
            if isinstance(reply, ErrorReply):
                name = request[0].decode()
                raise ReplicationError(f"{name} of the data failed: {reply.text}")
        if isinstance(entry.value, RdbStream):
            _engine().complete_stream(self._data[entry.key].value, entry.value)

    @clause("CM-61")
    def put(self, entry: RdbKey) -> None:
        """The key is this, whatever it was, and the listener knows.

        Counterpart: `restoreCommand`.
        """
        self.remove(entry.key)
        self.load(entry)
        with self._server.lock:
            self._data.notify_watch(entry.key)
        self._tell([restore_of(entry)])
        self.events.tell(self._data, "restore", (), 1, [entry.key], ())

    def advance_group(self, key: bytes, group: bytes, last: bytes) -> None:
        """The group has read the stream up to this id at least; the key is recorded as a whole."""
        item = self._data.get(key)
        if item is not None:
            _engine().advance_group(item.value, group, last)
            self._record_whole(key)

    def set_stream_ids(self, arguments: Sequence[bytes]) -> None:
        """The stream's last id and counts are these; the engine has no XSETID."""
        item = self._data.get(arguments[1])
        if item is not None:
            self._announce([arguments[1]])
            _engine().set_stream_ids(item.value, arguments[2:])
            self._record_whole(arguments[1])

    @clause("CM-116")
    def change_stream_ids(self, arguments: Sequence[bytes]) -> None:
        """The same, as a change of this node's own; as at servers, who watches hears nothing."""
        key = arguments[1]
        self._announce([key])
        _engine().set_stream_ids(self._data[key].value, arguments[2:])
        self._data.changes += 1
        entry = self.entry(key)
        self._tell([] if entry is None else [restore_of(entry)])
        self.events.tell(self._data, "xsetid", arguments, 1, [key], [key])

    def _record_whole(self, key: bytes) -> None:
        entry = self.entry(key) if self.recorder is not None else None
        if self.recorder is not None and entry is not None:
            self.recorder.record([restore_of(entry)])

    def remove(self, key: bytes) -> None:
        """The key is not here; nobody is told."""
        self._announce([key])
        if self._data.pop(key, None) is not None:
            self._data.note([key])

    @clause("RE-3")
    def replace(self, other: "Keyspace") -> None:
        """The keys and values are those of the other, which has these; watched keys changed.

        Counterpart: `swapMainDbWithTempDb`.
        """
        self._announce(None)
        mine, new = self.database(), other.database()
        watched = [*mine, *new]
        with self._server.lock:
            mine.swap(new)
            for key in watched:
                mine.notify_watch(key)
            mine.tell_emptied()
        self.libraries.become(other.libraries.codes)
        if self.recorder is not None:
            self.recorder.rewrite()

    def _engage(self, name: str, arguments: Sequence[bytes], protocol: int) -> ClientReply:
        if name in GEO_COMMANDS:
            ask = lambda *words: self._engage(words[0].decode().lower(), words, 2)  # noqa: E731
            return carry_out_geo(name, arguments, protocol, ask)
        engine = self._engines[protocol]
        if name in _MAY_WAIT and any(word.upper() == b"BLOCK" for word in arguments):
            return ErrorReply("ERR the data never waits")
        try:
            engine._process_command([name.encode(), *arguments[1:]])  # noqa: SLF001
            reply = engine.take_reply()
        except Exception:  # noqa: BLE001 - a flaw of the engine must not end the node
            _LOG.exception("the data engine failed at %s", name)
            return ErrorReply("ERR the data engine failed at this command")
        if name in _POPS and isinstance(reply, list) and isinstance(reply[0], bytes):
            with self._server.lock:
                self._data.mend(reply[0])
        if name in _SET_REPLIES and protocol == 3 and isinstance(reply, list):
            return SetReply([engine.reply_of(element) for element in reply])
        return engine.worded(name, engine.reply_of(reply))

    @clause("CM-6")
    def keys_in_slot(self, slot: int, limit: int | None = None) -> list[bytes]:
        """Keys of this slot in the order of their bytes, no more than the limit.

        Counterpart: `clusterCommand` (GETKEYSINSLOT).
        """
        found = sorted(key for key in self.database() if key_hash_slot(key) == slot)
        return found[:limit]

    def slots(self) -> SlotSet:
        """The slots that have keys here."""
        return SlotSet.of({key_hash_slot(key) for key in self.database()})

    def missing(self, keys: Sequence[bytes]) -> int:
        """How many of the keys are not here."""
        database = self.database()
        return sum(key not in database for key in keys)

    @clause("RT-20")
    def delete_slots(self, slots: SlotSet) -> int:
        """No key of these slots is here; the answer is how many there were.

        Counterpart: `delKeysInSlot`.
        """
        doomed = [key for key in self.database() if key_hash_slot(key) in slots]
        if doomed:
            self.execute([b"DEL", *doomed])
        return len(doomed)

    def flush(self) -> None:
        """There are no keys; nobody is told. Counterpart: `emptyData`."""
        self._announce(None)
        self._engage("flushall", [b"FLUSHALL"], 2)
        if self.recorder is not None:
            self.recorder.record([[b"FLUSHALL"]])

    def watch(self) -> Watch:
        """A watch for the keys of one transaction."""
        return Watch(self.database)

    def __len__(self) -> int:
        return len(self.database()) if self.is_open else 0

    @property
    def changes(self) -> int:
        """How many changes of keys there were since the node has started."""
        return self._data.changes if self.is_open else 0

    def expires_count(self) -> int:
        """How many keys have a time to live."""
        return sum(item.expireat is not None for item in self.database().values())

    def database(self) -> "Data":
        """The keys and values as they are now."""
        self._engage("dbsize", [b"DBSIZE"], 2)  # tells the engine what time it is
        return self._data

    def expire(self) -> None:
        """Keys whose time is over are gone, and the listener knows.

        Counterpart: `activeExpireCycle`.
        """
        if self.expires_by_itself and self.is_open and self._data.any_ends:
            self.execute([b"DBSIZE"])

    def close(self) -> None:
        """The connections to the engine are gone, and the data with them."""
        while self.is_open and self._engines:
            self._engines.popitem()[1].close()


def _info(name: str, arguments: Sequence[bytes]) -> CommandInfo | None:
    """The row of the data command, or of its subcommand; None if it is none."""
    info = DATA_COMMANDS.get(name)
    if info is None or not info.subcommands or len(arguments) == 1:
        return info
    wanted = f"{name}|{arguments[1].decode('latin-1').lower()}"
    return next((each for each in info.subcommands if each.name == wanted), info)


def _says_nothing_of_keys(name: str, reply: ClientReply) -> bool:
    """Whether the command may have changed a key although the engine has told of none (XDEL)."""
    if is_told_whole(name):
        return not isinstance(reply, ErrorReply)
    return isinstance(reply, int) and reply > 0

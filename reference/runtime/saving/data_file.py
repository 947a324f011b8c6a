"""The file with all data of one moment (`dump.rdb`): loaded at a start, and replaced whole."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.files.storage import sync_file, sync_folder
from reference.runtime.libraries import LibraryError, Source
from reference.runtime.options import NodeOptions
from reference.runtime.replication.backlog import Stream
from reference.runtime.replication.snapshot import Snapshot, save_delay_s
from reference.wire.rdb import RdbAux, RdbDecoder, RdbFunction, RdbKey, WritableEntry, format_rdb
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION
from reference.wire.rdb_strings import RdbError

_LOG = logging.getLogger(__name__)

_READ_SIZE: Final = 1 << 20
_LOOK_EVERY_S: Final = 0.1
_AGAIN_S: Final = 5  # after a save that failed (CONFIG_BGSAVE_RETRY_DELAY)
_WRITES_NEWEST: Final = ("valkey-9.1", "strict")


class DataFileError(ValueError):
    """Why the file cannot be loaded, in one line."""


@attrs.frozen
class Loaded:
    """What a start has found in the file."""

    keys: int = 0
    expired: int = 0  # keys that were left out, since their time was over
    history: tuple[str, int] | None = None  # the stream whose data this is, and how far


def file_path(options: NodeOptions) -> Path:
    """Where the data of a node is."""
    return options.directory / kept_text(options, "dbfilename")


@clause("RT-80", "RT-81")
def load_file(keyspace: Keyspace, options: NodeOptions, *, master: bool) -> Loaded | None:
    """The keyspace has what the file has, None if there is no file; DataFileError if it is damaged.

    A master leaves out what has expired, a replica waits for its master to say so. Counterpart:
    `rdbLoad`, `loadDataFromDisk`.
    """
    path = file_path(options)
    decoder, names = RdbDecoder(), dict[bytes, bytes]()
    keys = expired = 0
    try:
        with path.open("rb") as file:
            while data := file.read(_READ_SIZE):
                for entry in decoder.feed(data):
                    if isinstance(entry, RdbAux):
                        names[entry.name] = entry.value
                    elif isinstance(entry, RdbFunction):
                        keyspace.libraries.put(Source.parse(entry.code))
                    elif isinstance(entry, RdbKey) and master and _is_over(entry):
                        expired += 1
                    elif isinstance(entry, RdbKey):
                        keyspace.load(entry)
                        keys += 1
        decoder.finish()
    except FileNotFoundError:
        return None
    except (RdbError, ReplicationError, LibraryError) as error:
        raise DataFileError(f"{path}: {error}") from error
    _LOG.info("DB loaded from disk: %d keys, %d expired", keys, expired)
    keyspace.database().changes = 0
    return Loaded(keys, expired, _history(names))


def _is_over(entry: RdbKey) -> bool:
    return entry.expires_at_ms is not None and entry.expires_at_ms < time.time() * 1000


def _history(names: dict[bytes, bytes]) -> tuple[str, int] | None:
    replid, offset = names.get(b"repl-id", b""), names.get(b"repl-offset", b"")
    if len(replid) != 40 or not replid.isalnum() or not offset.isdigit():
        return None
    return replid.decode("latin-1"), int(offset)


class DataFile:
    """The file of one node, and whether it is being written (`server.rdb_filename` ...)."""

    def __init__(
        self, keyspace: Keyspace, options: Callable[[], NodeOptions], stream: Callable[[], Stream]
    ) -> None:
        """Nothing is written yet; the options and the stream are those of the moment."""
        self.saved_s = int(time.time())  # since 1970, when the file was last written, or the start
        self.fine = True  # whether the last attempt in the background was a success
        self.count = 0  # saves that were begun
        self.took_s = -1  # the last one in the background
        self.scheduled = False  # one is to begin as soon as it can
        self.loaded = Loaded()
        self._keyspace = keyspace
        self._options = options
        self._stream = stream
        self._counted = 0  # changes that are in the file
        self._began_s = 0.0
        self._tried_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def changes(self) -> int:
        """How many changes of keys are not in the file (`server.dirty`)."""
        return self._keyspace.changes - self._counted

    @property
    def saving(self) -> bool:
        """Whether the file is being written in the background."""
        return self._task is not None and not self._task.done()

    @property
    def saving_since_s(self) -> int:
        """For how many seconds it has been; -1 if it is not."""
        return int(time.monotonic() - self._began_s) if self.saving else -1

    @property
    def points(self) -> list[tuple[int, int]]:
        """After how many seconds and changes it is written by itself (`server.saveparams`)."""
        words = [int(word) for word in kept_text(self._options(), "save").split()]
        return list(zip(words[::2], words[1::2], strict=True))

    @property
    def refuses_writes(self) -> bool:
        """Whether nothing may be changed, since what should be saved cannot be."""
        return (
            not self.fine
            and bool(self.points)
            and kept_text(self._options(), "stop-writes-on-bgsave-error") == "yes"
        )

    @clause("RT-82")
    def save(self) -> None:
        """The file has the data of this moment; OSError or ValueError if it is the old one still.

        Counterpart: `rdbSave`.
        """
        self.count += 1
        snapshot, temporary = Snapshot(self._keyspace, hidden=False), self._temporary()
        counted = self._keyspace.changes
        try:
            with temporary.open("wb") as file:
                file.writelines(self._file(snapshot, []))
            sync_file(temporary)
            self._take(temporary, counted)
        finally:
            snapshot.close()
            temporary.unlink(missing_ok=True)
        self.fine = True

    @clause("RT-82")
    def begin(self) -> None:
        """The data of this moment is on its way into the file. Counterpart: `rdbSaveBackground`."""
        self.count += 1
        self.scheduled = False
        self._began_s = self._tried_s = time.monotonic()
        snapshot, written = Snapshot(self._keyspace, hidden=False), list[bytes]()
        parts = self._file(snapshot, written)  # of this moment
        writing = self._save_slowly(parts, written, self._keyspace.changes)
        self._task = asyncio.get_running_loop().create_task(writing)
        self._task.add_done_callback(lambda _: snapshot.close())

    async def _save_slowly(
        self, parts: Iterator[bytes], written: list[bytes], counted: int
    ) -> None:
        temporary = self._temporary()
        try:
            with temporary.open("wb") as file:
                for part in parts:
                    file.write(part)
                    await asyncio.sleep(save_delay_s(self._options()) * len(written))
                    written.clear()
            await asyncio.get_running_loop().run_in_executor(None, sync_file, temporary)
            self._take(temporary, counted)
            self.fine = True
            _LOG.info("Background saving terminated with success")
        except (OSError, ValueError) as error:
            self.fine = False
            _LOG.warning("Background saving error: %s", error)
        finally:
            temporary.unlink(missing_ok=True)
            self.took_s = int(time.monotonic() - self._began_s)

    def cancel(self) -> bool:
        """What is being written, or is to be, is not any more; False if there was nothing."""
        if self.saving and self._task is not None:
            self._task.cancel()
            self._task = None
            return True
        was, self.scheduled = self.scheduled, False
        return was

    def _temporary(self) -> Path:
        path = file_path(self._options())
        return path.with_name(f"temp-{os.getpid()}-{id(self):x}-{path.name}")

    def _take(self, temporary: Path, counted: int) -> None:
        path = file_path(self._options())
        temporary.rename(path)
        sync_folder(path.parent)
        self._counted, self.saved_s = counted, int(time.time())

    def _file(self, snapshot: Snapshot, written: list[bytes]) -> Iterator[bytes]:
        """The pieces of the file; `written` gets the keys that are in them so far."""
        options, stream = self._options(), self._stream()
        head: list[WritableEntry] = [RdbAux(b"redis-ver", b"7.0.15"), RdbAux(b"redis-bits", b"64")]
        if stream.active:
            head += [
                RdbAux(b"repl-stream-db", b"0"),
                RdbAux(b"repl-id", stream.replid.encode()),
                RdbAux(b"repl-offset", b"%d" % stream.offset),
            ]

        def entries() -> Iterator[WritableEntry]:
            yield from head
            yield from snapshot.functions
            for entry in snapshot.entries():
                written.append(entry.key)
                yield entry

        newest = options.dialect in _WRITES_NEWEST
        return format_rdb(entries(), VALKEY_VERSION if newest else RDB_VERSION)

    # By itself.

    @clause("RT-83")
    def look(self) -> None:
        """From now on the file is written by itself whenever a save point is reached.

        Counterpart: `serverCron`.
        """
        if self.scheduled and not self.busy:
            self.begin()
        elif not self.busy:
            now, waited_s = time.monotonic(), int(time.time()) - self.saved_s
            may = self.fine or now - self._tried_s > _AGAIN_S
            for seconds, changes in self.points if may else ():
                if self.changes >= changes and waited_s > seconds:
                    _LOG.info("%d changes in %d seconds. Saving...", changes, seconds)
                    self.begin()
                    break
        self._alarm = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self.look)

    @property
    def busy(self) -> bool:
        """Whether something writes all data in the background, so that nothing else may begin."""
        recorder = self._keyspace.recorder
        return self.saving or (recorder is not None and recorder.rewriting)

    @clause("RT-84")
    def save_at_end(self) -> bool:
        """The data is in the file, if it has save points; False if it should be and cannot.

        Counterpart: `prepareForShutdown`.
        """
        if not self.points:
            return True
        return self.saved_now()

    def saved_now(self) -> bool:
        """Whether the file has the data of this moment now; the log says why not."""
        self.cancel()
        try:
            self.save()
        except (OSError, ValueError) as error:
            _LOG.warning("Error trying to save the DB: %s", error)
            return False
        _LOG.info("DB saved on disk")
        return True

    async def close(self) -> None:
        """Nothing is written any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        task = self._task
        self.cancel()
        if task is not None:
            await asyncio.wait([task])

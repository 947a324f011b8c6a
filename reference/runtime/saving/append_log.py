"""The append-only file: what changes the data, on disk before it is acknowledged.

It is a directory, as Redis has it since 7.0: a base file with all data of some moment, files with
the commands since then, and a manifest that names them.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.arrivals import drop_all
from reference.runtime.data.as_commands import ReplicationError
from reference.runtime.data.effects import Request
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.files.storage import replace_durably
from reference.runtime.libraries import LibraryError, Source
from reference.runtime.options import NodeOptions
from reference.runtime.replication.snapshot import Snapshot
from reference.runtime.replication.stream import Follower
from reference.wire.rdb import RdbAux, RdbDecoder, RdbFunction, RdbKey, WritableEntry, format_rdb
from reference.wire.rdb_encode import RDB_VERSION, VALKEY_VERSION
from reference.wire.rdb_strings import RdbError
from reference.wire.resp import encode_reply

_LOG = logging.getLogger(__name__)

_LINE: Final = re.compile(r"file (\S+) seq ([0-9]+) type ([bih])(?: .*)?")
_READ_SIZE: Final = 1 << 20
_SYNC_EVERY_S: Final = 1.0
_WRITES_NEWEST: Final = ("valkey-9.1", "strict")


class AppendLogError(ValueError):
    """Why the file cannot be loaded, in one line."""


@attrs.frozen
class Manifest:
    """Which files have the data (`aofManifest`)."""

    base: tuple[str, int] | None = None  # name and number
    increments: tuple[tuple[str, int], ...] = ()

    @clause("RT-51")
    def text(self) -> str:
        """As it stands in the file. Counterpart: `getAofManifestAsString`."""
        lines = [] if self.base is None else [(*self.base, "b")]
        lines += [(*each, "i") for each in self.increments]
        return "".join(f"file {name} seq {number} type {kind}\n" for name, number, kind in lines)

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """What the file says; AppendLogError if that is nothing.

        Counterpart: `aofLoadManifestFromFile`.
        """
        base: tuple[str, int] | None = None
        increments = []
        for line in text.splitlines():
            found = _LINE.fullmatch(line)
            if found is None or "/" in found[1]:
                raise AppendLogError(f"Invalid AOF manifest file format: {line!r}")
            if found[3] == "b":
                base = found[1], int(found[2])
            elif found[3] == "i":
                increments.append((found[1], int(found[2])))
        return cls(base, tuple(increments))


class AppendLog:
    """The files of one node (`server.aof_fd`); what is recorded is on disk, or the node fails."""

    def __init__(self, options: NodeOptions, keyspace: Keyspace) -> None:
        """Nothing is loaded or open yet; OSError if the directory cannot be made."""
        self.options = options
        self._keyspace = keyspace
        self._name = kept_text(options, "appendfilename")
        self._directory = options.directory / kept_text(options, "appenddirname")
        self._directory.mkdir(exist_ok=True)
        self._manifest = Manifest()
        self._fd = -1
        self._fresh = True  # no command is in the open file
        self._dirty = False  # something is not synced
        self._size = 0  # bytes since the last base
        self._base_size = 0
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self.failed: Callable[[OSError], None] = _LOG.critical

    # Loading.

    @clause("RT-50", "RT-52")
    def load(self) -> None:
        """The keyspace has what was recorded, and what follows will be.

        AppendLogError or OSError if the files make no sense. Counterpart: `loadAppendOnlyFiles`.
        """
        path = self._path(f"{self._name}.manifest")
        if path.exists():
            self._manifest = Manifest.parse(path.read_text(encoding="utf-8"))
            self._load_files()
        if self._manifest.base is None:
            self._write_base_at_once()
        if not self._manifest.increments:
            self._begin_increment()
        else:
            self._open(self._manifest.increments[-1][0])
            self._fresh = self._size == 0
        self._delete_others()
        self._keyspace.recorder = self

    @clause("RT-53")
    def begin(self) -> None:
        """All data is in a new base, and what follows will be recorded.

        Counterpart: `startAppendOnly`.
        """
        path = self._path(f"{self._name}.manifest")
        if path.exists():
            self._manifest = Manifest.parse(path.read_text(encoding="utf-8"))
        number = self._manifest.increments[-1][1] if self._manifest.increments else 0
        self._manifest = Manifest(self._manifest.base)
        self._write_base_at_once()
        self._begin_increment(number + 1)
        self._keyspace.recorder = self

    def _load_files(self) -> None:
        base, increments = self._manifest.base, self._manifest.increments
        names = [each[0] for each in increments]
        if base is not None:
            path = self._path(base[0])
            self._base_size = path.stat().st_size
            with path.open("rb") as file:
                starts_as_data = file.read(5) in (b"REDIS", b"VALKE")
            if starts_as_data:
                self._load_base(path)
            else:
                names.insert(0, base[0])
        for name in names:
            self._load_commands(self._path(name), last=name == names[-1])

    def _load_base(self, path: Path) -> None:
        decoder = RdbDecoder()
        try:
            with path.open("rb") as file:
                while data := file.read(_READ_SIZE):
                    for entry in decoder.feed(data):
                        if isinstance(entry, RdbKey):
                            self._keyspace.load(entry)
                        elif isinstance(entry, RdbFunction):
                            self._keyspace.libraries.put(Source.parse(entry.code))
            decoder.finish()
        except (RdbError, ReplicationError, LibraryError) as error:
            raise AppendLogError(f"{path}: {error}") from error

    @clause("RT-52")
    def _load_commands(self, path: Path, *, last: bool) -> None:
        """The commands are carried out; a piece of one at the end is cut off.

        Counterpart: `loadSingleAppendOnlyFile`.
        """
        follower = Follower(self._keyspace, 0)
        try:
            with path.open("rb") as file:
                while data := file.read(_READ_SIZE):
                    follower.take(data)
            drop_all(self._keyspace)  # of jobs that ended with the process
        except ReplicationError as error:
            raise AppendLogError(f"Bad file format reading {path}: {error}") from error
        size = path.stat().st_size
        self._size += follower.offset
        if follower.offset == size:
            return
        if not last or kept_text(self.options, "aof-load-truncated") != "yes":
            raise AppendLogError(f"Unexpected end of file reading {path}")
        _LOG.warning("%s is cut to %d bytes: the last command is not whole", path, follower.offset)
        os.truncate(path, follower.offset)

    @property
    def rewriting(self) -> bool:
        """Whether a new base is being written."""
        return self._task is not None and not self._task.done()

    # Recording.

    @clause("RT-50")
    def record(self, requests: Sequence[Request]) -> None:
        """The commands are in the file, all or none; with `appendfsync always` for good.

        Counterpart: `feedAppendOnlyFile`, `flushAppendOnlyFile`.
        """
        wrapped = [[b"MULTI"], *requests, [b"EXEC"]] if len(requests) > 1 else [*requests]
        if self._fresh:
            wrapped.insert(0, [b"SELECT", b"0"])
        data = b"".join(encode_reply(request) for request in wrapped)
        try:
            self._write(data)
        except OSError as error:
            self.failed(error)
            raise
        self._fresh = False
        self._size += len(data)
        self._rewrite_if_large()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        policy = kept_text(self.options, "appendfsync")
        if policy == "always":
            os.fsync(self._fd)
        elif policy == "everysec" and not self._dirty:
            self._dirty = True
            self._alarm = asyncio.get_running_loop().call_later(_SYNC_EVERY_S, self._sync)

    def _sync(self) -> None:
        self._dirty = False
        if self._fd >= 0:
            fd = os.dup(self._fd)
            asyncio.get_running_loop().run_in_executor(None, _sync_and_close, fd)

    # Rewriting.

    @clause("RT-53")
    def rewrite(self) -> None:
        """A new base with the data of this moment is under way, and commands go to a new file.

        What was recorded before stays until the base is whole. Counterpart:
        `rewriteAppendOnlyFileBackground`.
        """
        if self._task is not None:
            self._task.cancel()
        self._begin_increment()
        snapshot = Snapshot(self._keyspace)
        self._task = asyncio.get_running_loop().create_task(self._write_base(snapshot))
        self._task.add_done_callback(_report)

    async def _write_base(self, snapshot: Snapshot) -> None:
        number = self._next_base
        temporary = self._path(f"temp-rewriteaof-{os.getpid()}.aof")
        increment = self._manifest.increments[-1]
        try:
            with temporary.open("wb") as file:
                for part in self._file(snapshot):
                    file.write(part)
                    await asyncio.sleep(0)
                file.flush()
                os.fsync(file.fileno())
        finally:
            snapshot.close()
        self._take_base(temporary, number, (increment,))

    def _write_base_at_once(self) -> None:
        temporary = self._path(f"temp-rewriteaof-{os.getpid()}.aof")
        snapshot = Snapshot(self._keyspace)
        with temporary.open("wb") as file:
            file.writelines(self._file(snapshot))
            file.flush()
            os.fsync(file.fileno())
        snapshot.close()
        self._take_base(temporary, self._next_base, self._manifest.increments)

    @property
    def _next_base(self) -> int:
        return 1 if self._manifest.base is None else self._manifest.base[1] + 1

    def _take_base(
        self, temporary: Path, number: int, increments: tuple[tuple[str, int], ...]
    ) -> None:
        name = f"{self._name}.{number}.base.rdb"
        self._base_size = temporary.stat().st_size
        temporary.rename(self._path(name))
        self._save_manifest(Manifest((name, number), increments))
        self._delete_others()

    def _file(self, snapshot: Snapshot) -> Iterator[bytes]:
        newest = self.options.dialect in _WRITES_NEWEST
        head: list[WritableEntry] = [RdbAux(b"aof-base", b"1")]
        entries = chain(head, snapshot.functions, snapshot.entries())
        return format_rdb(entries, VALKEY_VERSION if newest else RDB_VERSION)

    def _begin_increment(self, number: int | None = None) -> None:
        if number is None:
            number = self._manifest.increments[-1][1] + 1 if self._manifest.increments else 1
        name = f"{self._name}.{number}.incr.aof"
        self._open(name)
        self._fresh, self._size = True, 0
        increments = (*self._manifest.increments, (name, number))
        self._save_manifest(Manifest(self._manifest.base, increments))

    def _rewrite_if_large(self) -> None:
        percentage = int(kept_text(self.options, "auto-aof-rewrite-percentage"))
        least = int(kept_text(self.options, "auto-aof-rewrite-min-size"))
        if not percentage or self._size < least or self.rewriting:
            return
        if self._size * 100 >= self._base_size * percentage:
            self.rewrite()

    # Files.

    def _path(self, name: str) -> Path:
        return self._directory / name

    def _open(self, name: str) -> None:
        fd = os.open(self._path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)
        self._fd = fd

    def _save_manifest(self, manifest: Manifest) -> None:
        replace_durably(self._path(f"{self._name}.manifest"), manifest.text().encode())
        self._manifest = manifest

    def _delete_others(self) -> None:
        base, increments = self._manifest.base, self._manifest.increments
        named = {each[0] for each in (base, *increments) if each is not None}
        mine = re.compile(re.escape(self._name) + r"\.[0-9]+\.(base|incr)\.(rdb|aof)")
        for path in self._directory.iterdir():
            if mine.fullmatch(path.name) and path.name not in named:
                path.unlink()

    def stop(self) -> None:
        """All that was recorded is on disk, and nothing more will be.

        Counterpart: `stopAppendOnly`.
        """
        self._keyspace.recorder = None
        if self._task is not None:
            self._task.cancel()
        if self._alarm is not None:
            self._alarm.cancel()
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1

    async def close(self) -> None:
        """No file is open, and nothing runs any more."""
        self.stop()
        if self._task is not None:
            await asyncio.wait([self._task])


class Recording:
    """Whether a node records, which its directives say (`server.aof_state`)."""

    def __init__(self, keyspace: Keyspace, failed: Callable[[OSError], None]) -> None:
        """It does not."""
        self._keyspace = keyspace
        self._failed = failed
        self._log: AppendLog | None = None
        self._stopped: list[AppendLog] = []

    def start(self, options: NodeOptions) -> None:
        """The keyspace has what was recorded, if the node is to record.

        AppendLogError or OSError if that cannot be. Counterpart: `aofOpenIfNeededOnServerStart`.
        """
        if kept_text(options, "appendonly") == "yes":
            self._log = AppendLog(options, self._keyspace)
            self._log.failed = self._failed
            self._log.load()

    @clause("RT-50", "RT-53")
    def follow(self, options: NodeOptions) -> None:
        """It is as the directives say now; AppendLogError or OSError if it cannot be.

        Counterpart: `updateAppendonly`.
        """
        wanted = kept_text(options, "appendonly") == "yes"
        if self._log is not None and not wanted:
            self._log.stop()
            self._stopped.append(self._log)
            self._log = None
        elif self._log is not None:
            self._log.options = options
        elif wanted:
            log = AppendLog(options, self._keyspace)
            log.failed = self._failed
            log.begin()
            self._log = log

    async def close(self) -> None:
        """No file is open, and nothing runs any more."""
        for log in (*self._stopped, self._log):
            if log is not None:
                await log.close()


def _sync_and_close(fd: int) -> None:
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.warning("rewriting the append only file failed: %s", error)

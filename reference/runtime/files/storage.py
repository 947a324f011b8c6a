"""The file nodes.conf on disk: locked for one process, and replaced whole or not at all."""

import errno
import fcntl
import os
from pathlib import Path

from reference.clauses import clause


class ConfigLockedError(Exception):
    """Another process holds the file."""


class ConfigFile:
    """nodes.conf, held by this process until `close`."""

    def __init__(self, path: Path) -> None:
        """The file is locked, and created empty if there is none.

        ConfigLockedError if another process holds it, OSError if it cannot be opened.
        Counterpart: `clusterLockConfig`.
        """
        self.path = path
        self._fd = _lock(path)

    def load(self) -> bytes:
        """The bytes of the file, none if the node has never saved anything."""
        return self.path.read_bytes()

    @clause("RT-1")
    def save(self, content: bytes, *, fsync: bool) -> None:
        """The file holds this content, or still the old one: never a part of either.

        With `fsync` that is so after a loss of power too. The new file is locked before it takes
        the old one's place, so that no other process finds an unlocked one. OSError if it cannot
        be written. Counterpart: `clusterSaveConfig`.
        """
        temporary = self.path.with_name(f"{self.path.name}.tmp-{os.getpid()}")
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(fd, content)
            if fsync:
                os.fsync(fd)
            temporary.rename(self.path)
        except BaseException:
            os.close(fd)
            temporary.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd = fd
        if fsync:
            sync_folder(self.path.parent)

    def close(self) -> None:
        """Other processes may have the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_durably(path: Path, content: bytes) -> None:
    """The file holds this content, or still the old one, after a loss of power too."""
    temporary = path.with_name(f"temp-{path.name}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        _write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.rename(path)
    sync_folder(path.parent)


@clause("RT-2")
def _lock(path: Path) -> int:
    """The descriptor of the file at this path, locked; it may be replaced while we wait for it."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise ConfigLockedError(
                    f"{path} is already used by a different cluster node"
                ) from None
            raise
        if _is_at(path, fd):
            return fd
        os.close(fd)


def _is_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def sync_file(path: Path) -> None:
    """What the file holds is there after a loss of power too."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(directory: Path) -> None:
    """The names in the folder are there after a loss of power too."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

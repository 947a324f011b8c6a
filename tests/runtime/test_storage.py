"""nodes.conf on disk.

Clauses: RT-1, RT-2.
"""

import os
from pathlib import Path

import pytest

from reference.runtime.files.storage import ConfigFile, ConfigLockedError


@pytest.mark.parametrize("fsync", [True, False])
def test_what_was_saved_is_loaded(tmp_path: Path, fsync: bool) -> None:  # noqa: FBT001
    file = ConfigFile(tmp_path / "nodes.conf")
    assert file.load() == b""

    file.save(b"one", fsync=fsync)
    file.save(b"two", fsync=fsync)

    assert file.load() == b"two"
    assert os.listdir(tmp_path) == ["nodes.conf"]  # noqa: PTH208 - names only
    file.close()


def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ConfigFile(tmp_path / "nodes.conf")
    file.save(b"old", fsync=True)

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            file.save(b"new", fsync=True)

    assert file.load() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["nodes.conf"]
    file.close()


def test_the_file_is_held_for_one(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    file = ConfigFile(path)
    with pytest.raises(ConfigLockedError, match="already used"):
        ConfigFile(path)

    file.save(b"the file that took the place of the first is held too", fsync=False)
    with pytest.raises(ConfigLockedError):
        ConfigFile(path)

    file.close()
    file.close()
    ConfigFile(path).close()


def test_a_file_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        ConfigFile(tmp_path)

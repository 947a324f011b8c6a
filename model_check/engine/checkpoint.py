"""An exploration on disk: enough to go on with it later, in another process.

Only numbers and JSON are written, and nothing is read that could run code. Local states and
messages are not there at all: the outcomes that the tables lacked are computed again, in the same
order, which brings a pure system to the very same numbers. That it did is checked.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

_CURRENT: Final = "current"
_META: Final = "meta.json"


class CheckpointError(Exception):
    """A folder has no checkpoint of this exploration, or a damaged one."""


@attrs.frozen(kw_only=True)
class Saved:
    """What stands in a checkpoint."""

    meta: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


def save(folder: Path, saved: Saved) -> None:
    """The folder has this checkpoint. It has the one before until this one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    name = _following(folder)
    written = folder / name
    if written.exists():  # by a run that was stopped in the middle of it
        shutil.rmtree(written)
    written.mkdir()
    for key, array in saved.arrays.items():
        np.save(written / f"{key}.npy", array, allow_pickle=False)
    (written / _META).write_text(json.dumps(dict(saved.meta)))
    pointer = folder / f"{_CURRENT}.new"
    pointer.write_text(name)
    pointer.replace(folder / _CURRENT)
    for old in folder.glob("checkpoint-*"):
        if old.name != name:
            shutil.rmtree(old)


def load(folder: Path) -> Saved | None:
    """The checkpoint in the folder; None if there is none.

    Raises CheckpointError if it is damaged.
    """
    try:
        name = (folder / _CURRENT).read_text()
    except FileNotFoundError:
        return None
    try:
        meta = json.loads((folder / name / _META).read_text())
        arrays = {
            path.stem: np.load(path, allow_pickle=False) for path in (folder / name).glob("*.npy")
        }
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: the checkpoint is damaged: {error}") from error
    return Saved(meta=meta, arrays=arrays)


def discard(folder: Path) -> None:
    """The folder has no checkpoint any more, and is gone if it had nothing else."""
    (folder / _CURRENT).unlink(missing_ok=True)
    for old in folder.glob("checkpoint-*"):
        shutil.rmtree(old)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def digest(values: Iterable[object]) -> str:
    """A digest of the values by what they look like, whatever the order inside their sets."""
    total = hashlib.sha256()
    for value in values:
        text = np.frombuffer(repr(value).encode(), dtype=np.uint8)
        total.update(np.bincount(text, minlength=256).tobytes())
    return total.hexdigest()


def _following(folder: Path) -> str:
    try:
        current = (folder / _CURRENT).read_text()
    except FileNotFoundError:
        return "checkpoint-1"
    return f"checkpoint-{int(current.rpartition('-')[2]) + 1}"

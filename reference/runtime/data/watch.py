"""Keys that a transaction counts on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference.clauses import clause

if TYPE_CHECKING:
    from reference.runtime.data.engine import Data


class Watch:
    """Keys that must not change until a transaction (`watchedKey`); closed when it is over."""

    def __init__(self, database: "Callable[[], Data]") -> None:
        """No key is watched yet; the data is asked for as it is now."""
        self._database = database
        self._existed: dict[bytes, bool] = {}
        self._changed = False

    @clause("CM-43")
    def add(self, key: bytes) -> None:
        """The key is watched from now on, if it was not before. Counterpart: `watchForKey`."""
        if key not in self._existed:
            database = self._database()
            self._existed[key] = key in database
            database.add_watch(key, self)

    def notify_watch(self) -> None:
        """A watched key has changed; the engine calls this."""
        self._changed = True

    @property
    def touched(self) -> bool:
        """Whether a key has changed or expired. Counterpart: `isWatchedKeyExpired`."""
        database = self._database()
        expired = any(existed and key not in database for key, existed in self._existed.items())
        return self._changed or expired

    def close(self) -> None:
        """No key is watched any more."""
        database = self._database()
        while self._existed:
            database.remove_watch(self._existed.popitem()[0], self)

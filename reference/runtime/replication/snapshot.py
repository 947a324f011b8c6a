"""The data of one moment, read piece by piece while it goes on changing."""

from collections import deque
from collections.abc import Iterator, Sequence

from reference.clauses import clause
from reference.core.slots import SlotSet, key_hash_slot
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.options import NodeOptions
from reference.wire.rdb import RdbFunction, RdbKey


def save_delay_s(options: NodeOptions) -> float:
    """How long the writing of a key is to take, for tests; below 0: so many keys in a µs."""
    given = int(kept_text(options, "rdb-key-save-delay"))
    return given / 1e6 if given >= 0 else 1e-6 / -given


class Snapshot:
    """All keys as they were when it was taken; a key is saved before it changes.

    It stands for the child process of the servers, whose memory is that of one moment.
    """

    def __init__(
        self, keyspace: Keyspace, slots: SlotSet | None = None, *, hidden: bool = True
    ) -> None:
        """The moment is now; with slots it is only of their keys, else of hidden ones if asked."""
        arrivals = keyspace.arrivals if hidden and slots is None else {}
        self.arriving = {
            name: (each.slots, Snapshot(each.keyspace)) for name, each in arrivals.items()
        }
        self.open_slots = b""  # what a replica is to know of them
        self.functions = [RdbFunction(code) for code in keyspace.libraries.codes]
        self._keyspace = keyspace
        self._order = [
            key for key in keyspace.database().whole if slots is None or key_hash_slot(key) in slots
        ]
        self._left = set(self._order)
        self._saved: deque[RdbKey] = deque()
        keyspace.before_write.append(self._save)

    @clause("RE-17")
    def entries(self) -> Iterator[RdbKey]:
        """Every key of that moment, once. Counterpart: `rdbSaveRio`."""
        while self._order or self._saved:
            if self._saved:
                yield self._saved.popleft()
                continue
            key = self._order.pop()
            if key in self._left:
                self._left.remove(key)
                entry = self._keyspace.kept(key)
                if entry is not None:
                    yield entry
        for _, arriving in self.arriving.values():
            yield from arriving.entries()

    def close(self) -> None:
        """Nothing is saved any more."""
        for _, arriving in self.arriving.values():
            arriving.close()
        if self._save in self._keyspace.before_write:
            self._keyspace.before_write.remove(self._save)
        self._order.clear()
        self._left.clear()
        self._saved.clear()

    @clause("RE-17")
    def _save(self, keys: Sequence[bytes] | None) -> None:
        for key in list(self._left) if keys is None else keys:
            if key in self._left:
                self._left.remove(key)
                entry = self._keyspace.kept(key)
                if entry is not None:
                    self._saved.append(entry)

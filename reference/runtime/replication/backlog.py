"""The stream of commands as a node has it: its names, how far it goes, and its last bytes."""

import secrets
from typing import Final

from reference.clauses import clause

NO_REPLID: Final = "0" * 40


class Stream:
    """What a shard's master has told its replicas, as this node has it (`repl_backlog`).

    A node that was never asked for a stream, and never had one from a master, counts nothing.
    """

    def __init__(self) -> None:
        """Nobody has asked for it."""
        self.active = False
        self.replid = _new_replid()
        self.old_replid = NO_REPLID
        self.old_end = -1  # up to where the old name holds, bytes; -1: nowhere
        self.offset = 0  # bytes, up to the last command
        self.limit = 1 << 20  # bytes (`repl-backlog-size`)
        self._last = bytearray()

    @property
    def first(self) -> int:
        """The first byte that is kept."""
        return self.offset - len(self._last) + 1

    @property
    def kept(self) -> int:
        """How many bytes are kept."""
        return len(self._last)

    def begin(self) -> None:
        """It has a name of its own, and counts from now on.

        Counterpart: `createReplicationBacklog`.
        """
        if not self.active:
            self.active = True
            self.replid = _new_replid()
            self._forget_old()

    def end(self) -> None:
        """Nothing is counted any more, and nobody can go on with it.

        Counterpart: `freeReplicationBacklog`.
        """
        self.active = False
        self._last.clear()
        self._forget_old()

    @clause("RE-16")
    def adopt(self, replid: str, offset: int) -> None:
        """It is the master's, who has sent all of its data; what came before is not kept.

        Counterpart: `replicationCreateMasterClient`, `clearReplicationId2`.
        """
        self.end()
        self.active, self.replid, self.offset = True, replid, offset

    @clause("RE-16")
    def rename(self, replid: str) -> None:
        """The master goes on with it under another name; up to here the old one holds too.

        Counterpart: `replicaTryPartialResynchronization`.
        """
        if replid != self.replid:
            self.old_replid, self.old_end = self.replid, self.offset
            self.replid = replid

    @clause("RE-11", "RE-16")
    def fork(self) -> None:
        """What follows is in nobody else's stream, so it has a new name.

        Counterpart: `shiftReplicationId`.
        """
        if self.active:
            self.rename(_new_replid())

    def append(self, data: bytes) -> None:
        """It goes further by these bytes. Counterpart: `feedReplicationBuffer`."""
        self.offset += len(data)
        self._last += data
        if len(self._last) > self.limit:
            del self._last[: len(self._last) - self.limit]

    @clause("RE-14")
    def since(self, replid: str, first: int) -> bytes | None:
        """All from this byte of the stream of that name on, None if it is not known here.

        Counterpart: `masterTryPartialResynchronization`.
        """
        if not self.active:
            return None
        old = replid == self.old_replid and first <= self.old_end + 1
        if replid != self.replid and not old:
            return None
        if not self.first <= first <= self.offset + 1:
            return None
        return bytes(self._last[first - self.first :])

    def _forget_old(self) -> None:
        self.old_replid, self.old_end = NO_REPLID, -1


def _new_replid() -> str:
    return secrets.token_hex(20)

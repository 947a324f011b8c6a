"""Requests that were refused because of who asked (ACL LOG)."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.users.check import Reason

_SAME_FOR_S: Final = 60
_LOOKED_AT: Final = 10
"""How many of the newest entries may be the same as a new one."""


@attrs.define(kw_only=True)
class LogEntry:
    """What was refused, once or several times (`ACLLogEntry`)."""

    reason: Reason
    context: str  # "toplevel", "multi" or "lua"
    object: bytes  # the command, key or channel
    username: bytes
    client: str  # the last one, as in CLIENT LIST
    at_s: float = attrs.field(factory=time.time)
    created_s: float = attrs.field(init=False)
    count: int = 1
    number: int = 0

    @created_s.default
    def _now(self) -> float:
        return self.at_s

    def is_like(self, other: "LogEntry") -> bool:
        """Whether both tell of the same. Counterpart: `ACLLogMatchEntry`."""
        same = (self.reason, self.context, self.object, self.username) == (
            other.reason,
            other.context,
            other.object,
            other.username,
        )
        return same and abs(self.at_s - other.at_s) <= _SAME_FOR_S


@attrs.define
class AclLog:
    """The newest entries, the newest first, and how often anybody was refused anything."""

    entries: deque[LogEntry] = attrs.field(factory=deque)
    refused: Counter[Reason] = attrs.field(factory=Counter)
    _count: int = 0

    @clause("US-9")
    def note(self, entry: LogEntry, longest: int) -> None:
        """It is the newest entry, or counted with one of the newest that is like it.

        Counterpart: `addACLLogEntry`.
        """
        self.refused[entry.reason] += 1
        alike = next((old for old in self._newest() if old.is_like(entry)), None)
        if alike is not None:
            self.entries.remove(alike)
            alike.client, alike.at_s = entry.client, entry.at_s
            alike.count += 1
            self.entries.appendleft(alike)
            return
        entry.number = self._count
        self._count += 1
        self.entries.appendleft(entry)
        while len(self.entries) > longest:
            self.entries.pop()

    def _newest(self) -> Iterator[LogEntry]:
        return iter(list(self.entries)[:_LOOKED_AT])

    def lines(self, *, has_databases: bool) -> Iterator[str]:
        """The counts as INFO shows them."""
        short = {Reason.AUTH: "auth", Reason.COMMAND: "cmd", Reason.KEY: "key",
                 Reason.CHANNEL: "channel"}  # fmt: skip
        for reason, word in short.items():
            yield f"acl_access_denied_{word}:{self.refused[reason]}"
        if has_databases:
            yield "acl_access_denied_tls_cert:0"
            yield f"acl_access_denied_db:{self.refused[Reason.DATABASE]}"

"""What rules of users may name: commands, served here or not, and kinds of commands."""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.command_table.table import table_of

CATEGORIES: Final = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
    "connection", "transaction", "scripting",
)  # fmt: skip
"""The kinds, in the order in which servers tell them."""

# A line is: kinds, then the names of commands that are of these and that this node does not serve.
_NOT_SERVED: Final = """
admin,dangerous,slow bgsave failover latency|graph latency|histogram module|list module|load module|loadex module|unload save
admin,dangerous,hyperloglog,slow pfselftest
fast,keyspace,write move
dangerous,fast,keyspace,write swapdb
bitmap,fast,read bitfield_ro
slow config|help function module module|help
connection,slow command|help
scripting,slow fcall fcall_ro function|dump function|help function|kill function|list function|stats script|debug script|help
slow,stream xgroup|help xinfo|help
admin,dangerous,hyperloglog,slow,write pfdebug
scripting,slow,write function|delete function|flush function|load function|restore
"""  # noqa: E501 - a line for each

_LATER: Final = """
blocking,connection,slow waitaof
"""

_VALKEY_8: Final = """
admin,dangerous,slow commandlog|get commandlog|len commandlog|reset
slow commandlog commandlog|help
connection,slow client|capa client|import-source
scripting,slow script|show
"""

_FIELDS_EXPIRE: Final = """
fast,hash,read hexpiretime hpexpiretime hpttl httl
fast,hash,write hexpire hexpireat hgetdel hgetex hpersist hpexpire hpexpireat hsetex
"""

_VALKEY_9: Final = """
keyspace,read,slow clusterscan
fast,string,write delifeq
slow,string,write msetex
"""

_ROWS: Final[Mapping[str, str]] = {
    "redis-7.0": _NOT_SERVED,
    "redis-8.0": _NOT_SERVED + _LATER + _FIELDS_EXPIRE,
    "valkey-8.1": _NOT_SERVED + _LATER + _VALKEY_8,
    "valkey-9.1": _NOT_SERVED + _LATER + _VALKEY_8 + _FIELDS_EXPIRE + _VALKEY_9,
}
"""By dialect; those of releases of which no server was at hand are as far as they are known."""


@attrs.frozen
class Names:
    """Every command of a release with its kinds; a subcommand is called ``config|get``."""

    kinds: Mapping[str, frozenset[str]]

    @cached_property
    def all(self) -> frozenset[str]:
        """Every name."""
        return frozenset(self.kinds)

    @cached_property
    def _parts(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for name in self.kinds:
            container, bar, _ = name.partition("|")
            if bar:
                found.setdefault(container, set()).add(name)
        return {name: frozenset(parts) for name, parts in found.items()}

    def parts_of(self, name: str) -> frozenset[str]:
        """The subcommands of the command, by their whole names."""
        return self._parts.get(name, frozenset())

    @cached_property
    def _of_kind(self) -> Mapping[str, tuple[str, ...]]:
        return {
            kind: tuple(name for name, kinds in self.kinds.items() if kind in kinds)
            for kind in CATEGORIES
        }

    def of_kind(self, kind: str) -> tuple[str, ...] | None:
        """The commands of the kind, None if there is no such kind."""
        return self._of_kind.get(kind)

    @cached_property
    def _reached(self) -> Mapping[str, frozenset[str]]:
        return {
            kind: frozenset(names).union(*(self.parts_of(name) for name in names))
            for kind, names in self._of_kind.items()
        }

    @clause("US-2")
    def reached_by(self, kind: str) -> frozenset[str]:
        """Those that a rule about the kind is about: a command's subcommands go with it.

        Counterpart: `ACLSetSelectorCommandBitsForCategory`.
        """
        return self._reached[kind]


@cache
def names_of(dialect: str) -> Names:
    """The commands of the dialect's table, and those that its release has besides."""
    kinds: dict[str, frozenset[str]] = {}
    for info in table_of(dialect).commands.values():
        kinds[info.name] = frozenset(info.categories)
        kinds |= {part.name: frozenset(part.categories) for part in info.subcommands}
    others = dict(_others(dialect))
    return Names(kinds | {name: found for name, found in others.items() if name not in kinds})


def _others(dialect: str) -> Iterator[tuple[str, frozenset[str]]]:
    for row in _ROWS.get(dialect, _ROWS["valkey-9.1"]).strip().splitlines():
        kinds, *names = row.split() or [""]
        yield from ((name, frozenset(kinds.split(","))) for name in names)

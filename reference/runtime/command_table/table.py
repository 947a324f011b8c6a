"""The commands a node serves, with the facts that clients route by (COMMAND, arity, keys).

Everything a client may send is one row here; what has no row is an unknown command.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.command_table.key_specs import KeySpec, parse_key_spec
from reference.runtime.command_table.rows import DATA_ROWS, NODE_ROWS, RELEASE_ROWS
from reference.runtime.command_table.rows_more import (
    MORE_DATA_ROWS,
    MORE_NODE_ROWS,
    MORE_RELEASE_ROWS,
)
from reference.runtime.replies import ClientReply, SetReply
from reference.wire.resp import SimpleString


@attrs.frozen(kw_only=True)
class CommandInfo:
    """What clients and the node itself know of a command (`redisCommand`)."""

    name: str  # a subcommand is called "cluster|info"
    arity: int  # with the name; negative: at least
    flags: tuple[str, ...]
    categories: tuple[str, ...]
    tips: tuple[str, ...]
    key_specs: tuple[KeySpec, ...]
    subcommands: tuple["CommandInfo", ...] = ()

    @cached_property
    def writes(self) -> bool:
        """Whether it may change data."""
        return "write" in self.flags

    @cached_property
    def lone_key(self) -> int:
        """Where its one key stands, 0 if it has none, several, or one that has to be found."""
        if len(self.key_specs) != 1:
            return 0
        [spec] = self.key_specs
        return spec.first if spec.is_range and spec.last == 0 else 0

    @property
    def is_sharded_pubsub(self) -> bool:
        """Whether its keys are channels that are in slots."""
        return any("not_key" in spec.flags for spec in self.key_specs)

    @property
    def legacy_range(self) -> tuple[int, int, int]:
        """First key, last key and step as one range; zeros if no range comes near.

        Counterpart: `populateCommandLegacyRangeSpec`.
        """
        ranges = [spec for spec in self.key_specs if spec.is_range]
        if not ranges:
            return 0, 0, 0
        lasts = [
            spec.last + spec.first if spec.last >= 0 else spec.last
            for spec in ranges
            if spec.last is not None
        ]
        last = min(lasts) if min(lasts) < 0 else max(lasts)
        return ranges[0].first, last, ranges[0].step

    def takes(self, count: int) -> bool:
        """Whether a request of this many arguments, the name included, has the right number."""
        return count == self.arity if self.arity >= 0 else count >= -self.arity

    def describe(self) -> ClientReply:
        """The ten elements of a COMMAND reply. Counterpart: `addReplyCommandInfo`."""
        return [
            self.name,
            self.arity,
            SetReply([SimpleString(flag) for flag in self.flags]),
            *self.legacy_range,
            SetReply([SimpleString(f"@{category}") for category in self.categories]),
            SetReply(self.tips),
            SetReply([spec.describe() for spec in self.key_specs]),
            [subcommand.describe() for subcommand in self.subcommands],
        ]


def _words(column: str) -> tuple[str, ...]:
    return () if column == "-" else tuple(column.split(","))


def _tip(word: str) -> str:
    kind, colon, policy = word.partition(":")
    return f"{kind}_policy:{policy}" if colon else word


def _categories(group: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    """The categories of a row, with those that servers derive from the flags."""
    reads = ("read",) if "readonly" in flags and "scripting" not in group else ()
    writes = ("write",) if "write" in flags else ()
    return (*group, *reads, *writes, "fast" if "fast" in flags else "slow")


def _command(row: str) -> CommandInfo:
    name, arity, flags_column, group, tips, *specs = row.split()
    flags = _words(flags_column)
    optional = "no_mandatory_keys" in flags
    key_specs = tuple(parse_key_spec(word, optional=optional) for word in specs)
    movable = not all(spec.is_range for spec in key_specs)
    return CommandInfo(
        name=name,
        arity=int(arity),
        flags=(*flags, "movablekeys") if movable else flags,
        categories=_categories(_words(group), flags),
        tips=tuple(_tip(word) for word in _words(tips)),
        key_specs=key_specs,
    )


def _commands(rows: str) -> dict[str, CommandInfo]:
    """The commands of the rows by name, each with the subcommands that have rows of their own."""
    parsed = {info.name: info for info in (_command(row) for row in rows.splitlines() if row)}
    return {
        name: attrs.evolve(info, subcommands=tuple(_subcommands(parsed, name)))
        for name, info in parsed.items()
        if "|" not in name
    }


def _subcommands(parsed: Mapping[str, CommandInfo], name: str) -> Iterator[CommandInfo]:
    subcommands = (info for key, info in parsed.items() if key.startswith(f"{name}|"))
    return iter(sorted(subcommands, key=lambda info: info.name))


@attrs.frozen(kw_only=True)
class CommandTable:
    """The commands and the subcommands of one dialect, by their lower-case names."""

    commands: Mapping[str, CommandInfo]
    subcommands: Mapping[str, CommandInfo]

    def lookup(self, arguments: Sequence[bytes]) -> CommandInfo | None:
        """The command or subcommand of a request, None if there is none of that name.

        Counterpart: `lookupCommand`.
        """
        info = self.commands.get(_name(arguments[0]))
        if info is None or not info.subcommands or len(arguments) == 1:
            return info
        return self.subcommands.get(f"{info.name}|{_name(arguments[1])}")


DATA_COMMANDS: Final = _commands(DATA_ROWS + MORE_DATA_ROWS)
"""What the keyspace answers, by name: the only commands that may ever reach it."""

_NEWEST: Final = "valkey-9.1"


@cache
@clause("CM-40")
def table_of(dialect: str) -> CommandTable:
    """The commands of this dialect, or of the newest one if it is our own.

    Counterpart: `populateCommandTable`.
    """
    known = dialect if dialect in RELEASE_ROWS else _NEWEST
    rows = MORE_NODE_ROWS + NODE_ROWS + RELEASE_ROWS[known] + MORE_RELEASE_ROWS[known]
    commands = DATA_COMMANDS | _commands(rows)
    subcommands = {sub.name: sub for info in commands.values() for sub in info.subcommands}
    return CommandTable(commands=commands, subcommands=subcommands)


def _name(argument: bytes) -> str:
    return argument.decode("latin-1").lower()


@clause("CM-10")
def keys_of(
    info: CommandInfo, arguments: Sequence[bytes], *, channels: bool = True
) -> tuple[bytes, ...] | None:
    """The keys in a request of this command, None if one of its parts is missing.

    A key that stands in two places is given twice; channels that are in slots count as keys if
    they are asked for. Counterpart: `getKeysFromCommand`.
    """
    if info.lone_key and channels and len(arguments) > info.lone_key:
        return (arguments[info.lone_key],)
    keys: list[bytes] = []
    for spec in info.key_specs:
        if not channels and "not_key" in spec.flags:
            continue
        positions = spec.positions(arguments)
        if positions is None:
            return None
        keys += [arguments[position] for position in positions]
    if info.name == "sort":  # the last STORE counts, wherever it stands
        keys += _kept_under(arguments)
    if info.name == "migrate":  # an empty key says that the keys follow later
        keys = [key for key in keys if key]
    return tuple(keys)


def _kept_under(arguments: Sequence[bytes]) -> list[bytes]:
    """The key under which SORT keeps what it has sorted, if any. Counterpart: `sortGetKeys`."""
    found: list[bytes] = []
    at = 2
    while at < len(arguments) - 1:
        word = arguments[at].upper()
        if word == b"STORE":
            found = [arguments[at + 1]]
        at += {b"LIMIT": 3, b"GET": 2, b"BY": 2, b"STORE": 2}.get(word, 1)
    return found

"""The commands a node serves, with the facts that clients route by (COMMAND, arity, keys).

Everything a client may send is one row here; what has no row is an unknown command.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.client_replies import ClientReply, SetReply
from reference.runtime.command_rows import DATA_ROWS, NODE_ROWS, RELEASE_ROWS
from reference.wire.resp import SimpleString


@attrs.frozen(kw_only=True)
class KeySpec:
    """Where keys stand in a request; argument 0 is the command's name (`keySpec`)."""

    first: int
    last: int | None  # from the first key, or from the end if negative; None: a number says it
    step: int
    flags: tuple[str, ...]

    def positions(self, arguments: Sequence[bytes]) -> range | None:
        """The positions of the keys, None if the request has none where it should."""
        if self.last is None:
            return self._counted(arguments)
        last = self.first + self.last if self.last >= 0 else len(arguments) + self.last
        if last < self.first or last >= len(arguments):
            return None
        return range(self.first, last + 1, self.step)

    def _counted(self, arguments: Sequence[bytes]) -> range | None:
        count = arguments[self.first] if self.first < len(arguments) else b""
        if not count.isdigit() or len(count) > len(b"%d" % len(arguments)):
            return None
        end = self.first + 1 + int(count)
        return range(self.first + 1, end) if self.first + 1 < end <= len(arguments) else None

    def describe(self) -> ClientReply:
        """The specification as COMMAND shows it."""
        found: dict[bytes | str, ClientReply] = {"lastkey": self.last, "keystep": self.step}
        kind, spec = "range", found | {"limit": 0}
        if self.last is None:
            kind, spec = "keynum", {"keynumidx": 0, "firstkey": 1, "keystep": self.step}
        return {
            "flags": SetReply([SimpleString(flag) for flag in self.flags]),
            "begin_search": {"type": "index", "spec": {"index": self.first}},
            "find_keys": {"type": kind, "spec": spec},
        }


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

    @property
    def writes(self) -> bool:
        """Whether it may change data."""
        return "write" in self.flags

    @property
    def legacy_range(self) -> tuple[int, int, int]:
        """First key, last key and step as one range; zeros if no range comes near.

        Counterpart: `populateCommandLegacyRangeSpec`.
        """
        ranges = [spec for spec in self.key_specs if spec.last is not None]
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


def _key_spec(word: str) -> KeySpec:
    first, last, step, flags = word.split("/")
    return KeySpec(
        first=int(first),
        last=None if last == "n" else int(last),
        step=int(step),
        flags=_words(flags),
    )


def _tip(word: str) -> str:
    kind, colon, policy = word.partition(":")
    return f"{kind}_policy:{policy}" if colon else word


def _categories(group: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    """The categories of a row, with those that servers derive from the flags."""
    reads = ("read",) if "readonly" in flags else ()
    writes = ("write",) if "write" in flags else ()
    return (*group, *reads, *writes, "fast" if "fast" in flags else "slow")


def _command(row: str) -> CommandInfo:
    name, arity, flags_column, group, tips, *specs = row.split()
    flags = _words(flags_column)
    key_specs = tuple(_key_spec(word) for word in specs)
    movable = any(spec.last is None for spec in key_specs)
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


DATA_COMMANDS: Final = _commands(DATA_ROWS)
"""What the keyspace answers, by name: the only commands that may ever reach it."""

_NEWEST: Final = "valkey-9.1"


@cache
@clause("CM-40")
def table_of(dialect: str) -> CommandTable:
    """The commands of this dialect, or of the newest one if it is our own.

    Counterpart: `populateCommandTable`.
    """
    rows = RELEASE_ROWS.get(dialect, RELEASE_ROWS[_NEWEST])
    commands = _commands(NODE_ROWS + rows) | DATA_COMMANDS
    subcommands = {sub.name: sub for info in commands.values() for sub in info.subcommands}
    return CommandTable(commands=commands, subcommands=subcommands)


def _name(argument: bytes) -> str:
    return argument.decode("latin-1").lower()


@clause("CM-10")
def keys_of(info: CommandInfo, arguments: Sequence[bytes]) -> tuple[bytes, ...] | None:
    """The keys in a request of this command, None if one of its parts is missing.

    A key that stands in two places is given twice. Counterpart: `getKeysFromCommand`.
    """
    keys: list[bytes] = []
    for spec in info.key_specs:
        positions = spec.positions(arguments)
        if positions is None:
            return None
        keys += [arguments[position] for position in positions]
    return tuple(keys)

"""Whether a user may do what a request asks for: its command, database, keys and channels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.command_table.table import CommandInfo
from reference.runtime.patterns import glob
from reference.runtime.users.rules import KeyPattern, Selector, User

_WRITES: Final = frozenset({"insert", "delete", "update"})
_DATABASE: Final = 0
"""The one that there is."""
_OF_ALL_DATABASES: Final = frozenset({"cluster|migrateslots", "cluster|cancelslotmigrations"})
_OF_NO_DATABASE: Final = frozenset({"swapdb"})


class Reason(IntEnum):
    """Why a request is refused; a higher one is told rather than a lower one."""

    DATABASE = 0
    COMMAND = 1
    KEY = 2
    CHANNEL = 3
    AUTH = 4  # a password that is wrong

    @property
    def word(self) -> str:
        """What ACL LOG calls it."""
        return self.name.lower()


@attrs.frozen
class Refusal:
    """Why a request is refused, and which of its arguments is to blame."""

    reason: Reason
    at: int = 0


@attrs.frozen(kw_only=True)
class _Use:
    """What a request does with one key."""

    at: int
    reads: bool
    writes: bool


@clause("US-4")
def why_refused(user: User, info: CommandInfo, arguments: Sequence[bytes]) -> Refusal | None:
    """Why none of the user's selectors allows the request, None if one does.

    Of several reasons the highest, and of its arguments the last. Counterpart:
    `ACLCheckAllUserCommandPerm`.
    """
    if user.unrestricted:
        return None
    uses = tuple(key_uses(info, arguments))
    worst = Refusal(Reason.DATABASE)
    for selector in user.selectors:
        found = _why_refused(selector, info, arguments, uses)
        if found is None:
            return None
        if (found.reason, found.at) > (worst.reason, worst.at):
            worst = found
    return worst


def _why_refused(
    selector: Selector, info: CommandInfo, arguments: Sequence[bytes], uses: Sequence[_Use]
) -> Refusal | None:
    """Why the selector does not allow the request. Counterpart: `ACLSelectorCheckCmd`."""
    at = _refused_database(selector, info, arguments)
    if at is not None:
        return Refusal(Reason.DATABASE, at)
    if not _allows(selector, info, arguments):
        return Refusal(Reason.COMMAND)
    if not selector.all_keys:
        for use in uses:
            if not any(_fits(key, use, arguments[use.at]) for key in selector.keys):
                return Refusal(Reason.KEY, use.at)
    if not selector.all_channels:
        for at, is_pattern in channels_of(info, arguments):
            if not hears(selector.channels, arguments[at], is_pattern=is_pattern):
                return Refusal(Reason.CHANNEL, at)
    return None


def _refused_database(
    selector: Selector, info: CommandInfo, arguments: Sequence[bytes]
) -> int | None:
    """The argument that asks for a database that may not be used, None if none does."""
    if selector.databases is None:
        return None
    if info.name == "select":
        return 1 if arguments[1] == b"0" and _DATABASE not in selector.databases else None
    if info.name in _OF_ALL_DATABASES:
        return 0
    return 0 if _needs_database(info) and _DATABASE not in selector.databases else None


def _needs_database(info: CommandInfo) -> bool:
    keyed = any("not_key" not in spec.flags for spec in info.key_specs)
    kinds = {"readonly", "write"}.intersection(info.flags) or "keyspace" in info.categories
    return (keyed or bool(kinds)) and info.name not in _OF_NO_DATABASE


def _allows(selector: Selector, info: CommandInfo, arguments: Sequence[bytes]) -> bool:
    if info.name in selector.allowed or "no_auth" in info.flags:
        return True
    words = selector.words_of(info.name) if selector.first_words else ()
    return len(arguments) > 1 and arguments[1].lower() in {word.lower() for word in words}


def _fits(key: KeyPattern, use: _Use, name: bytes) -> bool:
    if (use.reads and not key.reads) or (use.writes and not key.writes):
        return False
    return glob(key.pattern).fullmatch(name) is not None


@clause("US-5")
def key_uses(info: CommandInfo, arguments: Sequence[bytes]) -> Iterator[_Use]:
    """What the request does with each of its keys; none if they are not where they should be.

    What only the arguments say of SET, BITFIELD, SORT and MIGRATE is looked up there. Counterpart:
    `getKeysFromCommandWithSpecs`.
    """
    special = _SPECIAL.get(info.name)
    if special is not None:
        yield from special(arguments)
        return
    found: list[_Use] = []
    for spec in info.key_specs:
        if "not_key" in spec.flags or spec.unknown:
            continue
        positions = spec.positions(arguments)
        if positions is None:
            return
        reads, writes = "access" in spec.flags, not _WRITES.isdisjoint(spec.flags)
        if "variable_flags" in spec.flags:
            reads, writes = _meant(info.name, arguments)
        found += [_Use(at=at, reads=reads, writes=writes) for at in positions]
    yield from found


def _meant(name: str, arguments: Sequence[bytes]) -> tuple[bool, bool]:
    """Whether SET or BITFIELD reads, and whether it writes. (`setGetKeys`, `bitfieldGetKeys`)."""
    words = [word.upper() for word in arguments]
    if name == "set":
        return b"GET" in words[3:], True
    at = 2
    while at < len(words):
        left = len(words) - at - 1
        if words[at] == b"GET" and left >= 2:
            at += 3
        elif words[at] == b"OVERFLOW" and left >= 1:
            at += 2
        else:
            return True, True
    return True, False


def _uses_of_sort(arguments: Sequence[bytes]) -> Iterator[_Use]:
    """The key that is sorted, and the last one that what was sorted is kept under."""
    yield _Use(at=1, reads=True, writes=False)
    kept, at = 0, 2
    while at < len(arguments) - 1:
        word = arguments[at].upper()
        kept = at + 1 if word == b"STORE" else kept
        at += {b"LIMIT": 3, b"GET": 2, b"BY": 2, b"STORE": 2}.get(word, 1)
    if kept:
        yield _Use(at=kept, reads=False, writes=True)


def _uses_of_migrate(arguments: Sequence[bytes]) -> Iterator[_Use]:
    """The one key, or those that follow KEYS; none if both are there. (`migrateGetKeys`)."""
    begin, end, at = 3, 4, 6
    while at < len(arguments):
        word = arguments[at].upper()
        if word == b"KEYS":
            begin, end = at + 1, at + 1 if arguments[3] else len(arguments)
            break
        at += {b"AUTH": 2, b"AUTH2": 3}.get(word, 1)
    yield from (_Use(at=each, reads=True, writes=True) for each in range(begin, end))


_SPECIAL: Final[Mapping[str, Callable[[Sequence[bytes]], Iterator[_Use]]]] = {
    "migrate": _uses_of_migrate,
    "sort": _uses_of_sort,
}


def channels_of(info: CommandInfo, arguments: Sequence[bytes]) -> Iterator[tuple[int, bool]]:
    """Where the channels stand that the request speaks or listens to, and whether as patterns.

    Counterpart: `getChannelsFromCommand`.
    """
    if info.name in ("publish", "spublish"):
        yield 1, False
    elif info.name in ("subscribe", "ssubscribe", "psubscribe"):
        yield from ((at, info.name == "psubscribe") for at in range(1, len(arguments)))


@clause("US-6")
def hears(allowed: Sequence[bytes], channel: bytes, *, is_pattern: bool) -> bool:
    """Whether the channel fits one of the patterns, or is the very same pattern.

    Counterpart: `ACLCheckChannelAgainstList`.
    """
    if is_pattern:
        return channel in allowed
    return any(glob(pattern).fullmatch(channel) for pattern in allowed)

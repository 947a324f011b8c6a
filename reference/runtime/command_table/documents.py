"""What each command is for and which arguments it takes, as a dialect tells it (COMMAND DOCS)."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import attrs

from reference.runtime.command_table.argument_rows import ARGUMENT_ROWS
from reference.runtime.command_table.argument_rows_of_redis import (
    ARGUMENT_ROWS_OF_REDIS,
    COMPLEXITY_OF_REDIS,
    DEPRECATED_ROWS,
)
from reference.runtime.command_table.doc_rows import COMMAND_DOC_ROWS

_TYPES: Final = {
    "k": "key",
    "s": "string",
    "i": "integer",
    "d": "double",
    "p": "pattern",
    "u": "unix-time",
    "t": "pure-token",
    "1": "oneof",
    "b": "block",
}
_NO_WORD: Final = {"''": ""}
"""How the word of no letters is written."""

_FLAGS: Final = {"?": "optional", "*": "multiple", "+": "multiple_token"}
_ARGUMENT: Final = re.compile(
    r" ?(?P<name>[^ :~()]+(?::[^ :~()]+)?)(?:~(?P<shown>[^ :]+(?::[^ :]+)?))?"
    r":(?P<type>[ksidput1b])(?P<spec>[0-9]?)"
    r"(?:=(?P<token>''|==?|[*]|[^ @!?*+()]+))?"
    r"(?:@(?P<since>[0-9.]+))?(?:!(?P<deprecated>[0-9.]+))?(?P<flags>[?*+]*)"
)
_RENAMED: Final = frozenset({"slaveof", "cluster|slaves"})
"""What Valkey, too, says that there is a better one for."""

_SYSTEM: Final = frozenset({"replconf", "debug", "restore-asking", "cluster|syncslots"})
"""What is not for people."""

_NEWEST: Final = {"redis-7.0": (7, 0), "redis-8.0": (7, 2), "valkey-8.1": (8, 1)}
"""The releases whose arguments a dialect knows; Redis has none of those that came with Valkey."""


@attrs.frozen(kw_only=True)
class Argument:
    """One argument (`redisCommandArg`)."""

    name: str
    kind: str
    shown: str
    key_spec: int | None
    token: str | None
    since: str
    deprecated_since: str
    flags: tuple[str, ...]
    parts: tuple["Argument", ...]


@attrs.frozen(kw_only=True)
class Document:
    """What is told of one command."""

    summary: str
    since: str
    group: str
    complexity: str  # empty if it depends
    arguments: tuple[Argument, ...]
    flags: tuple[str, ...] = ()
    deprecated_since: str = ""
    replaced_by: str = ""


def _lines(rows: str) -> Iterator[tuple[str, str]]:
    """Each row as the command and the rest of it."""
    for row in rows.strip().replace("\n ", " ").splitlines():
        name, _, rest = row.partition(" ")
        yield name, rest


class _Reader:
    """Reads the arguments of a row."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def all(self) -> tuple[Argument, ...]:
        """The arguments up to the end, or to the parenthesis that closes them."""
        found: list[Argument] = []
        while self._at < len(self._text) and self._text[self._at] != ")":
            found.append(self._one())
        return tuple(found)

    def _one(self) -> Argument:
        match = _ARGUMENT.match(self._text, self._at)
        if match is None:
            raise ValueError(f"no argument: {self._text[self._at :]!r}")
        self._at = match.end()
        parts: tuple[Argument, ...] = ()
        if self._text[self._at : self._at + 1] == "(":
            self._at += 1
            parts = self.all()
            self._at += 1
        name, kind, token = match["name"], _TYPES[match["type"]], match["token"]
        if token is None and kind == "pure-token":
            token = name.upper()
        return Argument(
            name=name,
            kind=kind,
            shown=match["shown"] or name,
            key_spec=int(match["spec"]) if match["spec"] else None,
            token=_NO_WORD.get(token or "", token),
            since=match["since"] or "",
            deprecated_since=match["deprecated"] or "",
            flags=tuple(_FLAGS[flag] for flag in match["flags"]),
            parts=parts,
        )


def _known(arguments: tuple[Argument, ...], newest: tuple[int, int]) -> tuple[Argument, ...]:
    """Those that the release has."""
    return tuple(
        attrs.evolve(each, parts=_known(each.parts, newest))
        for each in arguments
        if not each.since or _release(each.since) <= newest
    )


def _release(version: str) -> tuple[int, int]:
    first, second = version.split(".")[:2]
    return int(first), int(second)


@cache
def documents_of(dialect: str) -> Mapping[str, Document]:
    """What the dialect tells of each command and subcommand that any of them has, by name."""
    redis = dialect.startswith("redis")
    rows = dict(_lines(ARGUMENT_ROWS)) | (dict(_lines(ARGUMENT_ROWS_OF_REDIS)) if redis else {})
    slower = dict(_lines(COMPLEXITY_OF_REDIS)) if redis else {}
    replaced = {
        name: row.split(" ", 1)
        for name, row in _lines(DEPRECATED_ROWS)
        if redis or name in _RENAMED
    }
    found = {}
    for name, row in _lines(COMMAND_DOC_ROWS):
        since, group, complexity, summary = row.split(" ", 3)
        arguments = _Reader(rows.get(name, "")).all()
        deprecated_since, replaced_by = replaced.get(name, ("", ""))
        found[name] = Document(
            summary=summary,
            since=since,
            group=group,
            complexity="" if (told := slower.get(name, complexity)) == "-" else told,
            arguments=_known(arguments, _NEWEST.get(dialect, (99, 0))),
            flags=("deprecated",) * bool(replaced_by) + ("syscmd",) * (name in _SYSTEM),
            deprecated_since=deprecated_since,
            replaced_by=replaced_by,
        )
    return found

"""Directives that are real, but mean nothing to this node: they are read, kept and shown."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.directive_rows import DIRECTIVE_ROWS
from reference.runtime.configuration.event_classes import in_order

_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2,
                 "g": 1000**3, "gb": 1024**3}  # fmt: skip
_MEMORY: Final = re.compile(r"([0-9]+)([a-z]*)")
_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_OTHER_WORDS: Final = (
    ("slave", "replica"),
    ("ziplist", "listpack"),
    ("master", "primary"),
    ("_", "-"),
)


@attrs.frozen(kw_only=True)
class KeptDirective:
    """What servers say of one directive."""

    name: str
    kind: str
    default: str
    hidden: bool
    fixed: bool
    protected: bool

    def text(self, words: list[str]) -> str:
        """The value as it is shown; ValueError with the servers' reason if it is none."""
        if self.kind == "words":
            return " ".join(words)
        if self.kind.startswith("any:"):
            return self._several(" ".join(words).split())
        if len(words) != 1:
            raise ValueError("wrong number of arguments")
        return self._single(words[0])

    def _single(self, text: str) -> str:
        if self.kind == "text":
            return text
        if self.kind == "memory":
            return _memory(text)
        if self.kind == "events":
            return in_order(text)
        if self.kind == "yes-no":
            if text.lower() not in ("yes", "no"):
                raise ValueError("argument must be 'yes' or 'no'")
            return text.lower()
        if ".." in self.kind:
            return self._number(text)
        choices = self.kind.split("|")
        if text.lower() not in choices:
            raise ValueError(f"argument(s) must be one of the following: {', '.join(choices)}")
        return text.lower()

    def _several(self, words: list[str]) -> str:
        """The words in their own order, without the first, which stands for none of the others."""
        choices = self.kind.removeprefix("any:").split("|")
        chosen = {word.lower() for word in words}
        if not chosen or not chosen <= set(choices):
            raise ValueError(f"argument(s) must be one of the following: {', '.join(choices)}")
        if chosen >= {"save", "nosave"}:
            raise ValueError("shutdown options SAVE and NOSAVE can't be used simultaneously")
        return " ".join(word for word in choices[1:] if word in chosen) or choices[0]

    def _number(self, text: str) -> str:
        least, _, largest = self.kind.partition("..")
        if not _NUMBER.fullmatch(text):
            raise ValueError("argument couldn't be parsed into an integer")
        if not int(least) <= int(text) <= int(largest):
            raise ValueError(f"argument must be between {least} and {largest} inclusive")
        return text


def _memory(text: str) -> str:
    found = _MEMORY.fullmatch(text.lower())
    if found is None or found[2] not in _UNITS:
        if re.fullmatch(r"[0-9]+%", text):
            return text
        raise ValueError("argument must be a memory value")
    return str(int(found[1]) * _UNITS[found[2]])


@lru_cache
@clause("RT-30")
def kept_directives(dialect: str) -> Mapping[str, KeptDirective]:
    """Every directive of the release's kin, by name. Counterpart: `standardConfig`."""
    server = "r" if dialect.startswith("redis") else "v"
    found = {}
    for row in DIRECTIVE_ROWS.strip().split("\n"):
        servers, flags, name, kind, *default = row.split(" ", 4)
        if server in servers:
            found[name] = KeptDirective(
                name=name,
                kind=kind,
                default="".join(default),
                hidden="h" in flags,
                fixed="i" in flags,
                protected="p" in flags,
            )
    return found


def list_names(dialect: str) -> set[str]:
    """The directives whose values are several words."""
    return {
        name
        for name, kept in kept_directives(dialect).items()
        if kept.kind == "words" or kept.kind.startswith("any:")
    }


def main_name(dialect: str, name: str) -> str:
    """The name under which the directive is kept: an alias is another word for it."""
    known = kept_directives(dialect)
    for old, new in _OTHER_WORDS:
        if old in name and name.replace(old, new) in known:
            name = name.replace(old, new)
    return name

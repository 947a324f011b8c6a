"""The configuration files of TLC, as far as yardsticks need them: constants and invariants."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

_TOKEN: Final = re.compile(
    r"(?P<comment>\\\*.*)|(?P<space>\s+)|(?P<number>-?\d+)|\"(?P<string>[^\"]*)\""
    r"|(?P<name>\w+)|(?P<sign>[{},=])|(?P<other>.)"
)
_SECTIONS: Final = {
    "SPECIFICATION": "SPECIFICATION",
    "CONSTANT": "CONSTANTS",
    "CONSTANTS": "CONSTANTS",
    "INVARIANT": "INVARIANTS",
    "INVARIANTS": "INVARIANTS",
    "CHECK_DEADLOCK": "CHECK_DEADLOCK",
}
_KEYWORDS: Final = {
    *_SECTIONS,
    *("ACTION_CONSTRAINT", "ACTION_CONSTRAINTS", "ALIAS", "CONSTRAINT", "CONSTRAINTS", "INIT"),
    *("NEXT", "POSTCONDITION", "PROPERTIES", "PROPERTY", "SYMMETRY", "VIEW"),
}


class CfgError(ValueError):
    """The file says something that is not understood; the text names its line."""


@attrs.frozen
class ModelValue:
    """A value that is equal to itself only."""

    name: str


Value = int | bool | str | ModelValue | frozenset[object]


@attrs.frozen
class _Token:
    kind: str
    text: str
    line: int


@attrs.define
class Cfg:
    """The constants of a file, each to be asked for once, and the invariants that it names."""

    path: Path
    _lines: list[str]
    constants: dict[str, tuple[Value, int]]  # value, line
    invariants: dict[str, int]  # line

    def integer(self, name: str, *, least: int, most: int = 255) -> int:
        """The whole number that the constant is."""
        value, line = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._error(line, f"{name} must be a whole number from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        """The truth value that the constant is."""
        value, line = self._take(name)
        if not isinstance(value, bool):
            raise self._error(line, f"{name} must be TRUE or FALSE")
        return value

    def choice(self, name: str, *choices: str) -> str:
        """The string that the constant is, one of these."""
        value, line = self._take(name)
        if not isinstance(value, str) or value not in choices:
            expected = " or ".join(f'"{choice}"' for choice in choices)
            raise self._error(line, f"{name} must be {expected}")
        return value

    def numbers(self, name: str, *, most: int) -> frozenset[int]:
        """The set of whole numbers from 1 to `most` that the constant is."""
        members, line = self._set(name)
        numbers = frozenset(each for each in members if type(each) is int and 1 <= each <= most)
        if numbers != members:
            raise self._error(line, f"{name} must be a set of whole numbers from 1 to {most}")
        return numbers

    def size(self, name: str, *, most: int) -> int:
        """How many elements the set has that the constant is."""
        members, line = self._set(name)
        if not 1 <= len(members) <= most:
            raise self._error(line, f"{name} must have from 1 to {most} elements")
        return len(members)

    def finish(self, invariants: set[str]) -> None:
        """Everything in the file has been used; raises CfgError if anything was not."""
        for name, (_, line) in self.constants.items():
            raise self._error(line, f"there is no constant {name}")
        for name, line in self.invariants.items():
            if name not in invariants:
                known = ", ".join(sorted(invariants))
                raise self._error(line, f"there is no invariant {name}, only {known}")

    def _set(self, name: str) -> tuple[frozenset[object], int]:
        value, line = self._take(name)
        if not isinstance(value, frozenset):
            raise self._error(line, f"{name} must be a set")
        return value, line

    def _take(self, name: str) -> tuple[Value, int]:
        if name not in self.constants:
            raise CfgError(f"{self.path}: the constant {name} is missing")
        return self.constants.pop(name)

    def _error(self, line: int, complaint: str) -> CfgError:
        return _error(self.path, self._lines, line, complaint)


def read_cfg(path: Path) -> Cfg:
    """What the file says.

    Raises CfgError, naming the line, for what is not understood; OSError if it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CfgError(f"{path}: not a text file") from error
    return _Parser(path, lines).parse()


class _Parser:
    """The tokens of a file, from the first to the last."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines
        self._tokens = [*_tokens(lines), _Token("end", "", len(lines))]
        self._at = 0

    def parse(self) -> Cfg:
        cfg = Cfg(self._path, self._lines, {}, {})
        while self._next.kind != "end":
            token = self._advance()
            match _SECTIONS.get(token.text) if token.kind == "name" else None:
                case "SPECIFICATION":
                    self._expect("name", "the name of a specification")
                case "CONSTANTS":
                    self._assignments(cfg)
                case "INVARIANTS":
                    while self._next.kind == "name" and self._next.text not in _KEYWORDS:
                        invariant = self._advance()
                        cfg.invariants[invariant.text] = invariant.line
                case "CHECK_DEADLOCK":
                    if self._advance().text != "FALSE":
                        raise self._error(token, "only FALSE is known, deadlocks are no fault")
                case _:
                    known = ", ".join(sorted(set(_SECTIONS.values())))
                    raise self._error(token, f"{token.text!r} is not understood here, only {known}")
        return cfg

    def _assignments(self, cfg: Cfg) -> None:
        while self._next.kind == "name" and self._next.text not in _KEYWORDS:
            name = self._advance()
            if self._advance().text != "=":
                raise self._error(name, f"{name.text} must be followed by = and a value")
            if name.text in cfg.constants:
                raise self._error(name, f"{name.text} has a value already")
            cfg.constants[name.text] = (self._value(), name.line)

    def _value(self) -> Value:
        token = self._advance()
        match token.kind:
            case "number":
                return int(token.text)
            case "string":
                return token.text
            case "name" if token.text not in _KEYWORDS:
                truth = {"TRUE": True, "FALSE": False}
                return truth.get(token.text, ModelValue(token.text))
            case "sign" if token.text == "{":
                return self._members()
            case _:
                raise self._error(token, "a value is missing: a number, a string, a name or a set")

    def _members(self) -> Value:
        members: set[object] = set()
        if self._next.text == "}":
            self._advance()
            return frozenset()
        while True:
            members.add(self._value())
            sign = self._advance()
            if sign.text == "}":
                return frozenset(members)
            if sign.text != ",":
                raise self._error(sign, "a set must go on with , or end with }")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _advance(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _expect(self, kind: str, what: str) -> None:
        token = self._advance()
        if token.kind != kind:
            raise self._error(token, f"{what} is missing")

    def _error(self, token: _Token, complaint: str) -> CfgError:
        return _error(self._path, self._lines, token.line, complaint)


def _error(path: Path, lines: list[str], line: int, complaint: str) -> CfgError:
    text = lines[line - 1].strip() if lines else ""
    return CfgError(f"{path}:{line}: {text}: {complaint}")


def _tokens(lines: list[str]) -> Iterator[_Token]:
    for number, line in enumerate(lines, 1):
        for found in _TOKEN.finditer(line):
            kind = str(found.lastgroup)
            if kind not in {"space", "comment"}:
                yield _Token(kind, found[kind], number)

"""TLA+ values as TLC prints them, read into Python values that can be compared and hashed.

A set is a frozenset, a string a str, a number an int, and a function, so also a record or a
sequence, a `Function`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

_TOKEN: Final = re.compile(
    r"\"(?P<string>[^\"]*)\"|(?P<number>-?\d+)|(?P<name>\w+)"
    r"|(?P<sign>\|->|:>|@@|<<|>>|[\[\]{}(),])|(?P<other>\S)"
)
_TRUTH: Final = {"TRUE": True, "FALSE": False}


@attrs.frozen(cache_hash=True)
class Function:
    """A function, as pairs in the order of its arguments."""

    pairs: tuple[tuple[Any, Any], ...]

    @classmethod
    def of(cls, values: Mapping[Any, Any]) -> "Function":
        """The function that has these values."""
        return cls(tuple(sorted(values.items())))

    def __getitem__(self, argument: str | int) -> Any:  # noqa: ANN401  any value
        for key, value in self.pairs:
            if key == argument:
                return value
        raise KeyError(argument)

    def as_dict(self) -> dict[Any, Any]:
        """The values by their arguments."""
        return dict(self.pairs)


def read_value(text: str) -> Any:  # noqa: ANN401  any value
    """The value that TLC printed so.

    Raises ValueError, naming the place, for what is not understood.
    """
    reader = _Reader(text)
    value = reader.value()
    reader.expect("")
    return value


class _Reader:
    """The tokens of a value, from the first to the last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(str(each.lastgroup), each) for each in _TOKEN.finditer(text)]
        self._at = 0

    def value(self) -> Any:  # noqa: ANN401  any value
        kind, text = self._advance()
        match kind, text:
            case "string", _:
                return text
            case "number", _:
                return int(text)
            case "name", "TRUE" | "FALSE":
                return _TRUTH[text]
            case "sign", "{":
                return frozenset(self._until("}"))
            case "sign", "<<":
                return Function.of(dict(enumerate(self._until(">>"), 1)))
            case "sign", "[":
                return self._record()
            case "sign", "(":
                return self._function()
            case _:
                raise self._error(f"{text!r} begins no value")

    def expect(self, sign: str) -> None:
        """The next token is this one and has been read; an empty one is the end."""
        _, text = self._advance()
        if text != sign:
            raise self._error(f"{text!r} stands where {sign or 'the end'!r} should")

    def _until(self, closing: str) -> list[Any]:
        members: list[Any] = []
        if self._peek() == closing:
            self._at += 1
            return members
        while True:
            members.append(self.value())
            if self._peek() == closing:
                self._at += 1
                return members
            self.expect(",")

    def _record(self) -> Function:
        fields: dict[Any, Any] = {}
        while True:
            _, name = self._advance()
            self.expect("|->")
            fields[name] = self.value()
            if self._peek() == "]":
                self._at += 1
                return Function.of(fields)
            self.expect(",")

    def _function(self) -> Function:
        values: dict[Any, Any] = {}
        while True:
            argument = self.value()
            self.expect(":>")
            values[argument] = self.value()
            if self._peek() == ")":
                self._at += 1
                return Function.of(values)
            self.expect("@@")

    def _peek(self) -> str:
        return self._tokens[self._at][1][0] if self._at < len(self._tokens) else ""

    def _advance(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            self._at += 1
            return "end", ""
        kind, found = self._tokens[self._at]
        self._at += 1
        return kind, found[kind]

    def _error(self, complaint: str) -> ValueError:
        at = self._tokens[self._at - 1][1].start() if self._at <= len(self._tokens) else None
        where = "at the end" if at is None else f"at {self._text[at : at + 20]!r}"
        return ValueError(f"not a TLA+ value {where}: {complaint}")

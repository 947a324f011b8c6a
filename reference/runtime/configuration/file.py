"""The configuration as servers read it: a file, standard input, and the words of a command line."""

import os
import string
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause

_BLANKS: Final = " \t\r\n"
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"}


class ConfigLineError(Exception):
    """Why a line of the configuration cannot be meant."""


@attrs.frozen(kw_only=True)
class ConfigLine:
    """One line, with the number that errors tell."""

    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """What it says; ConfigLineError if its quotes do not match."""
        return split_words(self.text)


@clause("RT-31")
def split_words(text: str) -> list[str]:
    """The words of a line, with quotes taken off; ConfigLineError if these do not match.

    Counterpart: `sdssplitargs`.
    """
    words: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        if at == len(text):
            return words
        word, at = _word(text, at)
        words.append(word)


def _word(text: str, at: int) -> tuple[str, int]:
    """The word that begins here, and where it ends."""
    parts: list[str] = []
    while at < len(text) and text[at] not in _BLANKS:
        if text[at] not in "\"'":
            parts.append(text[at])
            at += 1
            continue
        quoted, at = _quoted(text, at + 1, text[at])
        if at < len(text) and text[at] not in _BLANKS:
            raise ConfigLineError("Unbalanced quotes in configuration line")
        parts.append(quoted)
    return "".join(parts), at


def _quoted(text: str, at: int, quote: str) -> tuple[str, int]:
    """What stands before the closing quote, and the place after it."""
    parts: list[str] = []
    while at < len(text) and text[at] != quote:
        if text[at] != "\\":
            parts.append(text[at])
            at += 1
        elif quote == '"':
            part, at = _escaped(text, at + 1)
            parts.append(part)
        else:
            is_quote = text[at + 1 : at + 2] == "'"
            parts.append("'" if is_quote else "\\")
            at += 2 if is_quote else 1
    if at == len(text):
        raise ConfigLineError("Unbalanced quotes in configuration line")
    return "".join(parts), at + 1


def _escaped(text: str, at: int) -> tuple[str, int]:
    digits = text[at + 1 : at + 3]
    if text[at : at + 1] == "x" and len(digits) == 2 and set(digits) <= set(string.hexdigits):
        return chr(int(digits, 16)), at + 3
    return _ESCAPES.get(text[at : at + 1], text[at : at + 1]), at + 1


def quoted(text: str) -> str:
    """The text as one word of a line. Counterpart: `sdscatrepr`."""
    named = {value: f"\\{letter}" for letter, value in _ESCAPES.items()} | {'"': '\\"', "\\": r"\\"}
    parts = [
        named.get(
            char, char if char.isprintable() else "".join(f"\\x{b:02x}" for b in char.encode())
        )
        for char in text
    ]
    return f'"{"".join(parts)}"'


@clause("RT-31")
def config_text(words: Sequence[str], stdin: str = "") -> tuple[Path | None, str]:
    """The file that a command line names, and the whole configuration: file, stdin, arguments.

    OSError if the file cannot be read. Counterpart: `main`, `loadServerConfig`.
    """
    rest = list(words)
    path = Path(rest.pop(0)) if rest and not rest[0].startswith("-") else None
    text = path.read_text(encoding="utf-8") if path is not None else ""
    if "-" in rest[:1] or "-" in rest[-1:]:
        rest.remove("-")
        text += stdin
    return path, f"{text}\n{''.join(_option_lines(rest))}"


def reads_stdin(words: Sequence[str]) -> bool:
    """Whether such a command line has `-` for standard input."""
    begin = 1 if words and not words[0].startswith("-") else 0
    return "-" in words[begin : begin + 1] or (len(words) > begin and words[-1] == "-")


def _option_lines(words: Sequence[str]) -> Iterator[str]:
    """The lines that arguments stand for: one for each name and what follows it."""
    line: list[str] = []
    for word in words:
        # The first word after a name is its value, even if it begins with dashes.
        if word.startswith("--") and len(line) != 1:
            if line:
                yield " ".join(line) + "\n"
            line = [word[2:]]
            if " " in word:
                yield word[2:] + "\n"
                line = []
        else:
            line.append(quoted("" if word == "''" else word))
    if line:
        yield " ".join(line) + "\n"


def config_lines(text: str) -> Iterator[ConfigLine]:
    """The lines that say something."""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(_BLANKS)
        if stripped and not stripped.startswith("#"):
            yield ConfigLine(number=number, text=stripped)


@clause("RT-34")
def rewritten(
    text: str,
    values: Mapping[str, str],
    given: AbstractSet[str],
    lists: AbstractSet[str] = frozenset(),
) -> str:
    """The text of a file with these values: lines are replaced where they stand, others follow.

    Of the names that it does not have yet only those of `given` are written; values of `lists` are
    several words. Counterpart: `rewriteConfig`.
    """
    left = dict(values)
    lines: list[str] = []
    for line in text.rstrip("\n").split("\n"):
        words = line.split()
        name = words[0].lower() if words else ""
        if name not in values or name.startswith("#"):
            lines.append(line)
        elif name in left:
            lines.append(_line(name, left.pop(name), lists))
    mark = "# Generated by CONFIG REWRITE"
    new = [_line(name, left[name], lists) for name in sorted(given & left.keys())]
    if new and mark not in lines:
        lines += ["", mark]
    return "\n".join([*lines, *new]) + "\n"


@clause("RT-34")
def with_users(text: str, users: Sequence[str]) -> str:
    """The text of a file with these lines about users: in the places of the old ones, or behind.

    Counterpart: `rewriteConfigUserOption`.
    """
    left = list(users)
    lines: list[str] = []
    for line in text.rstrip("\n").split("\n"):
        words = line.split(maxsplit=1)
        if not words or words[0].lower() != "user":
            lines.append(line)
        elif left:
            lines.append(left.pop(0))
    return "\n".join([*lines, *left]) + "\n"


def _line(name: str, text: str, lists: AbstractSet[str]) -> str:
    return f"{name} {text}" if text and name in lists else f"{name} {_value(text)}"


def _value(text: str) -> str:
    return (
        text if text and all(char.isalnum() or char in "-_.:/*" for char in text) else quoted(text)
    )


def replace_file(path: Path, text: str) -> None:
    """The file has this text, or still the old one; OSError if it cannot be written."""
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

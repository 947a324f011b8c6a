"""The clauses of the chapters, as they are written there.

A clause is a heading `### EL-4 One vote per epoch`, its normative text, and a block quote with
notes. spec/README.md gives the grammar; this module is what reads it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

import attrs

_PACKAGE: Final = Path(__file__).parents[1]
INSTALLED: Final = _PACKAGE / "spec" / "text"
"""Where pyproject.toml puts the chapters in a wheel."""

SPEC: Final = INSTALLED if INSTALLED.is_dir() else _PACKAGE.parent / "spec"
"""The folder of the chapters: inside the package if it came from a wheel, else in the source."""

CLAUSE_ID: Final = re.compile(r"\b[A-Z]{2}-[PAD]?[0-9]+\b")
_HEADING: Final = re.compile(r"### ([A-Z]{2}-[PAD]?[0-9]+) (.+)")
_KEY_WORD: Final = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b")
_NOTE: Final = re.compile(r"(Why|Counterpart|Switch|Not realised|Not shown|Withdrawn): *(.*)")
_QUOTED: Final = re.compile(r"`(\w+)`")
_KINDS: Final = {"P": "property", "A": "assumption", "D": "difference"}


@attrs.frozen(kw_only=True)
class Clause:
    """One clause of a chapter, as it is written there."""

    clause_id: str
    title: str
    chapter: str  # the name of its file
    line: int
    body: str  # the normative text, with its line breaks
    notes: dict[str, str]  # by the word that opens them: Why, Counterpart, Switch, Not realised

    @property
    def text(self) -> str:
        """The normative text, in one line."""
        return " ".join(self.body.split())

    @property
    def kind(self) -> str:
        """A rule, property, assumption or (deliberate) difference, by the letter in the id."""
        return _KINDS.get(self.clause_id[3], "rule")

    @property
    def place(self) -> str:
        """Where a reader finds it, for messages."""
        return f"spec/{self.chapter}:{self.line} {self.clause_id}"

    @property
    def link(self) -> str:
        """What leads to it from another file of the folder."""
        return f"{self.chapter}#{anchor(f'{self.clause_id} {self.title}')}"

    @property
    def key_words(self) -> list[str]:
        """The words that make it normative, in the order of the text."""
        return _KEY_WORD.findall(self.text)

    @property
    def counterpart(self) -> str:
        """The functions of the servers that do the same, empty if the clause names none."""
        return self.notes.get("Counterpart", "").partition("Differs:")[0].strip()

    @property
    def differs(self) -> str:
        """Which release differs, and how; empty if the clause does not say."""
        return self.notes.get("Counterpart", "").partition("Differs:")[2].strip()

    @property
    def switches(self) -> list[str]:
        """The fields of `Rules` that turn it on and off."""
        return _QUOTED.findall(self.notes.get("Switch", ""))

    @property
    def digest(self) -> str:
        """Changes if the title or the normative text changes, but not with its line breaks."""
        return hashlib.sha256(f"{self.title}\n{self.text}".encode()).hexdigest()[:8]

    @property
    def is_to_be_realised(self) -> bool:
        """A rule or difference that neither says why it is not realised nor was withdrawn."""
        return self.kind in {"rule", "difference"} and not self.notes.keys() & {
            "Not realised",
            "Withdrawn",
        }


@attrs.frozen
class Chapter:
    """A numbered file of the specification."""

    name: str  # of the file
    title: str
    clauses: tuple[Clause, ...]  # in the order of the file

    @property
    def prefixes(self) -> list[str]:
        """The two letters with which its clauses begin; several in the chapter of properties."""
        return list(dict.fromkeys(clause.clause_id[:2] for clause in self.clauses))


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def parse_chapter(name: str, content: str) -> Iterator[Clause]:
    """The clauses of a chapter of this file name, in order."""
    lines = [*content.splitlines(), "# end"]
    starts = [n for n, line in enumerate(lines) if _HEADING.fullmatch(line)]
    for start in starts:
        heading = _HEADING.fullmatch(lines[start])
        end = next(n for n in range(start + 1, len(lines)) if re.match(r"#{1,3} ", lines[n]))
        body = lines[start + 1 : end]
        if heading is not None:
            yield Clause(
                clause_id=heading[1],
                title=heading[2],
                chapter=name,
                line=start + 1,
                body="\n".join(takewhile(_is_normative, body)).strip(),
                notes=_notes(line[1:].strip() for line in body if line.startswith(">")),
            )


def _is_normative(line: str) -> bool:
    return not line.startswith(">")


def _notes(lines: Iterable[str]) -> dict[str, str]:
    """The notes by their first word; a line that opens none continues the one before."""
    notes: dict[str, str] = {}
    current = ""
    for line in lines:
        note = _NOTE.fullmatch(line)
        if note is not None:
            current = note[1]
            notes[current] = note[2]
        elif current:
            notes[current] = f"{notes[current]} {line}".strip()
    return notes


def read_chapter(path: Path) -> Chapter:
    """The chapter in this file; its title is the first heading."""
    content = path.read_text(encoding="utf-8")
    title = content.partition("\n")[0].removeprefix("# ")
    return Chapter(path.name, title, tuple(parse_chapter(path.name, content)))


def read_chapters(folder: Path = SPEC) -> list[Chapter]:
    """The chapters in order, those without clauses included."""
    return [read_chapter(path) for path in sorted(folder.glob("[0-9][0-9]-*.md"))]

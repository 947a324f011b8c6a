"""The clauses of spec/, who realises them and who shows them; `--write` renews spec/TRACE.md.

A clause is a heading `### EL-4 One vote per epoch`, its normative text, and a block quote with
notes. spec/README.md gives the grammar; this module is what reads it.
"""

import ast
import hashlib
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parent.parent
SPEC: Final = ROOT / "spec"
TRACE: Final = SPEC / "TRACE.md"

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
    text: str  # the normative text, in one line
    notes: dict[str, str]  # by the word that opens them: Why, Counterpart, Switch, Not realised

    @property
    def kind(self) -> str:
        """A rule, property, assumption or (deliberate) difference, by the letter in the id."""
        return _KINDS.get(self.clause_id[3], "rule")

    @property
    def place(self) -> str:
        """Where a reader finds it, for messages."""
        return f"spec/{self.chapter}:{self.line} {self.clause_id}"

    @property
    def key_words(self) -> list[str]:
        """The words that make it normative, in the order of the text."""
        return _KEY_WORD.findall(self.text)

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
                text=" ".join(" ".join(takewhile(_is_normative, body)).split()),
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


def chapters() -> list[Path]:
    """The numbered files of the specification, in order."""
    return sorted(SPEC.glob("[0-9][0-9]-*.md"))


def read_clauses() -> list[Clause]:
    """Every clause of the specification, in the order of the chapters."""
    return [
        clause
        for path in chapters()
        for clause in parse_chapter(path.name, path.read_text(encoding="utf-8"))
    ]


@attrs.frozen
class Function:
    """A function or method of the code, and the clauses it is tied to."""

    module: str  # dotted
    name: str  # qualified within the module
    line: int
    ties: tuple[tuple[str, ...], ...]  # the ids of each @clause; there should be one at most

    @property
    def clauses(self) -> tuple[str, ...]:
        """The ids of the clauses that it realises."""
        return tuple(clause_id for ids in self.ties for clause_id in ids)

    @property
    def place(self) -> str:
        """Where a reader finds it, for messages."""
        return f"{self.module.replace('.', '/')}.py:{self.line} {self.name}"

    @property
    def is_public(self) -> bool:
        """Whether other modules may call it."""
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def short(self) -> str:
        """Its name with the module's last word, as the table shows it."""
        return f"{self.module.split('.')[-1]}.{self.name}"


def functions_of(module: str, source: str) -> Iterator[Function]:
    """The functions that a module defines, with the methods and properties of its classes.

    Read from the text, so that nothing has to be installed to import it.
    """
    for node in ast.parse(source, filename=module).body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = f"{node.name}.{member.name}"
                    yield Function(module, name, member.lineno, _ties(member))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(module, node.name, node.lineno, _ties(node))


def _ties(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(str(ast.literal_eval(argument)) for argument in decorator.args)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "clause"
    )


def read_functions() -> list[Function]:
    """Every function of the package `reference`."""
    return [
        function
        for path in sorted((ROOT / "reference").rglob("*.py"))
        for function in functions_of(
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
            path.read_text(encoding="utf-8"),
        )
    ]


@attrs.frozen
class Witness:
    """Something that shows clauses: a test file or a model."""

    name: str
    clauses: tuple[str, ...]
    excused: bool = False  # a test file that says why it shows none


def read_tests() -> list[Witness]:
    """Every test file, with the clauses that its module docstring names after `Clauses:`."""
    return [_read_test(path) for path in sorted((ROOT / "tests").rglob("test_*.py"))]


def _read_test(path: Path) -> Witness:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    named = re.search(r"^Clauses:(.*?)(?:\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    text = named[1] if named else ""
    name = path.relative_to(ROOT).as_posix()
    ids = tuple(dict.fromkeys(CLAUSE_ID.findall(text)))
    return Witness(name, ids, excused=text.strip().startswith("none"))


def read_models() -> list[Witness]:
    """Every model by its name, with the clauses that it or one of its properties names."""
    try:
        registry = importlib.import_module("model_check.models")
    except ModuleNotFoundError:
        return []
    return [
        Witness(
            f"model {name}",
            tuple(
                dict.fromkeys(
                    [
                        *getattr(model, "clauses", ()),
                        *(p.clause for p in model.properties if getattr(p, "clause", "")),
                    ]
                )
            ),
        )
        for name, model in getattr(registry, "MODELS", {}).items()
    ]


@attrs.frozen
class Trace:
    """The specification with everything that is tied to it."""

    clauses: list[Clause]
    functions: list[Function]
    tests: list[Witness]
    models: list[Witness]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all clauses."""
        return frozenset(clause.clause_id for clause in self.clauses)

    def realised_by(self, clause: Clause) -> list[Function]:
        """The functions tied to the clause, by name."""
        tied = {f.short: f for f in self.functions if clause.clause_id in f.clauses}
        return [tied[name] for name in sorted(tied)]

    def shown_by(self, clause: Clause) -> list[Witness]:
        """The test files and the models that name the clause."""
        return [w for w in (*self.tests, *self.models) if clause.clause_id in w.clauses]

    def table(self) -> str:
        """What spec/TRACE.md must contain."""
        parts = [_PREFACE]
        for path in chapters():
            clauses = [clause for clause in self.clauses if clause.chapter == path.name]
            if clauses:
                parts.append(self._chapter_table(path.name, clauses))
        return "\n".join(parts)

    def _chapter_table(self, name: str, clauses: list[Clause]) -> str:
        rows = [
            f"## [{name}]({name})",
            "",
            "| clause | title | realised by | shown by | digest |",
            "|-|-|-|-|-|",
        ]
        for clause in clauses:
            realised = ", ".join(f"`{f.short}`" for f in self.realised_by(clause))
            if "Not realised" in clause.notes:
                realised = "*not realised*"
            shown = ", ".join(_witness_name(w.name) for w in self.shown_by(clause))
            cells = (clause.clause_id, clause.title, realised, shown, f"`{clause.digest}`")
            rows.append(f"| {' | '.join(cells)} |")
        return "\n".join([*rows, ""])


def _witness_name(name: str) -> str:
    return name.removeprefix("tests/").removesuffix(".py")


def read_trace() -> Trace:
    """The specification with everything that is tied to it, as it stands in the repository."""
    return Trace(read_clauses(), read_functions(), read_tests(), read_models())


_PREFACE: Final = """\
# Trace

Generated by `python -m tests.traceability --write`; a test compares it. One row for each clause:
the functions of `reference` that realise it, the test files and models that show it, and a digest
of its title and normative text. A digest that changes in a diff says that the functions and tests
beside it have to be read again.
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        TRACE.write_text(read_trace().table(), encoding="utf-8")
    elif sys.argv[1:]:
        sys.exit("usage: python -m tests.traceability [--write]")
    else:
        sys.stdout.write(read_trace().table())

"""How clauses, chapters and dialects look on a terminal, and as JSON."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from reference.core.rules import DIALECTS
from reference.spec.chapters import Chapter, Clause
from reference.spec.dialects import Row
from reference.spec.ties import Function
from reference.spec.trace import Trace

_WIDTH: Final = 100
_LABEL: Final = 14  # columns before what a label labels


def clause_lines(trace: Trace, clause: Clause) -> list[str]:
    """The clause, its notes, and everything that is tied to it."""
    functions = [(f"{f.module}.{f.name}", place(f)) for f in trace.realised_by(clause)]
    width = max((len(name) for name, _ in functions), default=0)
    lines = [
        click.style(f"{clause.clause_id}  {clause.title}", bold=True)
        + f"  ({clause.kind}, spec/{clause.chapter}:{clause.line})",
        "",
        *(f"  {line}".rstrip() for line in clause.body.splitlines()),
        "",
        *_prose("Why", clause.notes.get("Why", "")),
        *_prose("Counterpart", clause.counterpart),
        *_prose("Differs", clause.differs),
        *_labelled("Switch", [_switch(switch) for switch in clause.switches]),
    ]
    for word in ("Withdrawn", "Not realised", "Not shown"):
        lines += _prose(word, clause.notes.get(word, ""))
    return [
        *lines,
        *_labelled("Realised by", [f"{name:{width}}  {where}" for name, where in functions]),
        *_labelled("Shown by", [test.name for test in trace.shown_by(clause)]),
        *_labelled("Models", [_model(model.name) for model in trace.exercised_by(clause)]),
    ]


def _prose(label: str, text: str) -> list[str]:
    """The text beside its label, wrapped; nothing if it is empty."""
    return _labelled(label, textwrap.wrap(text, _WIDTH - _LABEL - 2, break_on_hyphens=False))


def _labelled(label: str, lines: Iterable[str]) -> list[str]:
    """The lines below each other beside their label; nothing if there are none."""
    return [f"  {label if n == 0 else '':{_LABEL}}{line}" for n, line in enumerate(lines)]


def _switch(switch: str) -> str:
    values = [
        f"{name} {'on' if getattr(rules, switch) else 'off'}" for name, rules in DIALECTS.items()
    ]
    return f"{switch}: {', '.join(values)}"


def _model(name: str) -> str:
    return name.removeprefix("model ")


def place(function: Function) -> str:
    """File and line, from where the reader is if the file is below."""
    path, here = function.path, Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{function.line}"


def chapter_lines(chapters: Sequence[Chapter]) -> list[str]:
    """One line for each chapter: its file, the letters of its ids, how many clauses, its title."""
    rows = [
        # Only the chapter of properties has ids of several letters: those of all the others.
        (c.name, "-P" if len(c.prefixes) > 1 else "".join(c.prefixes), str(len(c.clauses)), c.title)
        for c in chapters
    ]
    total = ("", "", str(sum(len(c.clauses) for c in chapters)), "in all")
    return _columns([("chapter", "ids", "clauses", "title"), *rows, total], right=2)


def dialect_lines(rows: Iterable[Row]) -> list[str]:
    """One line for each switch: its clause, and `on` or `off` in each dialect."""
    return _columns(
        [
            ("switch", "clause", *DIALECTS),
            *((row.switch, row.clause_id, *row.words) for row in rows),
        ]
    )


def found_lines(clauses: Iterable[Clause], text: str) -> list[str]:
    """One line for each clause that was found, or that there is none."""
    rows = [(c.clause_id, c.title, f"spec/{c.chapter}:{c.line}") for c in clauses]
    return _columns(rows) if rows else [f"no clause says {text!r}"]


def _columns(rows: Sequence[Sequence[str]], *, right: int | None = None) -> list[str]:
    """The rows with their cells below each other, the one column flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if n == right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def as_value(trace: Trace, clause: Clause) -> dict[str, object]:
    """The clause and everything that is tied to it, as JSON knows it."""
    return {
        "id": clause.clause_id,
        "title": clause.title,
        "kind": clause.kind,
        "chapter": clause.chapter,
        "line": clause.line,
        "text": clause.body,
        "notes": clause.notes,
        "counterpart": clause.counterpart,
        "differs": clause.differs,
        "switches": {
            switch: {name: getattr(rules, switch) for name, rules in DIALECTS.items()}
            for switch in clause.switches
        },
        "digest": clause.digest,
        "realised_by": [
            {"function": f"{f.module}.{f.name}", "file": str(f.path), "line": f.line}
            for f in trace.realised_by(clause)
        ],
        "shown_by": [test.name for test in trace.shown_by(clause)],
        "models": [_model(model.name) for model in trace.exercised_by(clause)],
    }

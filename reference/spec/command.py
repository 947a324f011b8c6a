"""The subcommand `slotproof spec`."""

import difflib
import json
from typing import Final

import click

from reference.spec import dialects
from reference.spec.chapters import Clause
from reference.spec.report import (
    as_value,
    chapter_lines,
    clause_lines,
    dialect_lines,
    found_lines,
)
from reference.spec.trace import Trace, read_trace

_NEAR: Final = 6  # how many ids an error names at most


@click.command("spec")
@click.argument("ids", metavar="[CLAUSE]...", nargs=-1)
@click.option("--dialects", "by_dialect", is_flag=True, help="What each release does, by switch.")
@click.option("--search", metavar="TEXT", help="The clauses that say TEXT, in any case.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(ids: tuple[str, ...], search: str | None, *, by_dialect: bool, as_json: bool) -> None:
    """Print clauses of the specification with their code, tests and models.

    Without arguments, the chapters. Exit codes: 0 printed, 1 nothing says TEXT, 2 usage, an unknown
    clause included.
    """
    if (bool(ids) + (search is not None) + by_dialect) > 1:
        raise click.UsageError("give clauses, --search or --dialects, only one of them")
    trace = read_trace()
    if by_dialect:
        lines, value = _dialects(trace)
    elif search is not None:
        lines, value = _found(trace, search)
    elif ids:
        lines, value = _clauses(trace, [clause_of(trace, name) for name in ids])
    else:
        lines, value = _chapters(trace)
    click.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
    if search is not None and not value["clauses"]:
        raise click.exceptions.Exit(1)


_Printed = tuple[list[str], dict[str, list[dict[str, object]]]]


def clause_of(trace: Trace, name: str) -> Clause:
    """The clause of this id, in any case; UsageError with the nearest ids if there is none."""
    found = trace.by_id.get(name.upper())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.upper(), trace.by_id, n=_NEAR, cutoff=0.7)
    same = [key for key in trace.by_id if key[:2] == name[:2].upper()]
    hint = f"; near it: {', '.join(near or same[:_NEAR])}" if near or same else ""
    raise click.UsageError(f"no clause {name}{hint}; `slotproof spec --search` finds by words")


def _dialects(trace: Trace) -> _Printed:
    rows = dialects.rows(trace.clauses)
    return dialect_lines(rows), {
        "switches": [
            {
                "switch": row.switch,
                "clause": row.clause_id,
                "title": row.clause.title if row.clause else "",
                "dialects": row.on,
            }
            for row in rows
        ]
    }


def _found(trace: Trace, text: str) -> _Printed:
    found = trace.saying(text)
    return found_lines(found, text), {"clauses": [as_value(trace, clause) for clause in found]}


def _clauses(trace: Trace, clauses: list[Clause]) -> _Printed:
    parts = ["\n".join(clause_lines(trace, clause)) for clause in clauses]
    return ["\n\n".join(parts)], {"clauses": [as_value(trace, clause) for clause in clauses]}


def _chapters(trace: Trace) -> _Printed:
    return chapter_lines(trace.chapters), {
        "chapters": [
            {
                "file": chapter.name,
                "title": chapter.title,
                "ids": chapter.prefixes,
                "clauses": len(chapter.clauses),
            }
            for chapter in trace.chapters
        ]
    }

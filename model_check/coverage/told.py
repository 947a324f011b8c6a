"""What a coverage leaves out, with the reason where there is one; as a table and as JSON."""

from functools import cache
from typing import Any, Final

import attrs
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from model_check.coverage.exclusions import EXCLUSIONS, KINDS, Exclusion, Kind
from model_check.coverage.record import Coverage
from model_check.coverage.tied import tied_functions
from reference.core.effects import Happening, Refusal
from reference.core.rules import SWITCHES

TITLES: Final[dict[Kind, str]] = {
    "functions": "rules (functions with a clause)",
    "refusals": "refusals (named reasons)",
    "happenings": "happenings",
    "switches": "switches of the rules",
}
"""What each kind is called."""

_FIRED: Final[dict[Kind, str]] = {
    "functions": "fired",
    "refusals": "refusals",
    "happenings": "happenings",
    "switches": "decided",
}
_TRIED: Final[dict[Kind, str]] = {"functions": "called", "switches": "read"}


@cache
def known(kind: Kind) -> tuple[str, ...]:
    """The names of all that there is to exercise."""
    match kind:
        case "functions":
            return tuple(function.short for function in tied_functions().values())
        case "refusals":
            return tuple(refusal.name for refusal in Refusal)
        case "happenings":
            return tuple(happening.name for happening in Happening)
        case "switches":
            return SWITCHES


@attrs.frozen(kw_only=True)
class Summary:
    """Of one kind: what was exercised, what is out of scope by which reason, and what is left."""

    kind: Kind
    exercised: dict[str, str]  # and the first run in which it was
    tried: dict[str, str]  # called without any effect, read without deciding anything
    excluded: dict[str, str]  # and the reason
    never: tuple[str, ...]  # exercised by no run, and out of scope for no reason
    mistaken: tuple[str, ...]  # exercised though said to be out of scope


def summary(
    coverage: Coverage, kind: Kind, exclusions: tuple[Exclusion, ...] = EXCLUSIONS
) -> Summary:
    """What the coverage says of this kind, judged by what is out of scope."""
    exercised: dict[str, str] = getattr(coverage, _FIRED[kind])
    tried: dict[str, str] = getattr(coverage, _TRIED[kind]) if kind in _TRIED else {}
    names = known(kind)
    excluded = {name: each.reason for each in exclusions for name in each.names(kind, names)}
    return Summary(
        kind=kind,
        exercised=dict(exercised),
        tried={name: run for name, run in tried.items() if name not in exercised},
        excluded={name: why for name, why in excluded.items() if name not in exercised},
        never=tuple(name for name in names if name not in exercised and name not in excluded),
        mistaken=tuple(
            name for each in exclusions for name in each.names(kind, names) if name in exercised
        ),
    )


def show_coverage(coverage: Coverage, console: Console) -> None:
    """A table of counts is printed, then each name that was never exercised."""
    summaries = [summary(coverage, kind) for kind in KINDS]
    console.print()
    console.print(f"[bold]Coverage[/bold] of {len(coverage.runs)} runs", highlight=False)
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in ("all", "exercised", "out of scope", "never exercised"):
        table.add_column(name, justify="right")
    for each in summaries:
        left = len(each.never)
        table.add_row(
            TITLES[each.kind],
            str(len(known(each.kind))),
            str(len(each.exercised)),
            str(len(each.excluded)),
            f"[yellow]{left}[/yellow]" if left else "0",
        )
    console.print(table)
    for each in summaries:
        _show_never(each, console)
    _show_excluded(summaries, console)


def _show_never(each: Summary, console: Console) -> None:
    tried, untried = {
        "functions": ("called, but changed nothing and said no each time", "never called"),
        "switches": ("read, but no step would have been another without", "never read"),
    }.get(each.kind, ("", "never"))
    for text, names in (
        (tried, [name for name in each.never if name in each.tried]),
        (untried, [name for name in each.never if name not in each.tried]),
    ):
        if names:
            heading = f"[yellow]{TITLES[each.kind]}: {text}[/yellow]"
            console.print(f"{heading} ({len(names)})", highlight=False)
            console.print(Padding(escape(", ".join(map(_named, names))), (0, 0, 0, 2)))
    if each.mistaken:
        names = sorted(each.mistaken)
        console.print(
            f"[red]{TITLES[each.kind]}: exercised, though said to be out of scope[/red]: "
            f"{escape(', '.join(names))}",
            highlight=False,
        )


def _show_excluded(summaries: list[Summary], console: Console) -> None:
    console.print("out of scope", highlight=False)
    for exclusion in EXCLUSIONS:
        names = [
            name
            for each in summaries
            for name in exclusion.names(each.kind, known(each.kind))
            if name in each.excluded
        ]
        if names:
            console.print(
                Padding(
                    f"{escape(exclusion.reason)}: [dim]{escape(', '.join(names))}[/dim]",
                    (0, 0, 0, 2),
                ),
                highlight=False,
            )


@cache
def _clauses() -> dict[str, str]:
    return {each.short: " ".join(each.clauses) for each in tied_functions().values()}


def _named(name: str) -> str:
    """The name, with the clauses of a function."""
    clauses = _clauses().get(name)
    return name if clauses is None else f"{name} ({clauses})"


def coverage_as_json(coverage: Coverage) -> dict[str, Any]:
    """The coverage as JSON: for each kind what `Summary` says, and the runs."""
    kinds: dict[str, Any] = {
        each.kind: {
            "exercised": each.exercised,
            "tried": each.tried,
            "out_of_scope": each.excluded,
            "never": list(each.never),
            "mistaken": list(each.mistaken),
        }
        for each in (summary(coverage, kind) for kind in KINDS)
    }
    return {"runs": coverage.runs, **kinds}

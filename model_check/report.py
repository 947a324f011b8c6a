"""What a run shows: on a terminal, and as JSON for machines."""

import json
from collections import Counter
from typing import Any

from rich.console import Console
from rich.markup import escape

from model_check.chance import chance
from model_check.counted import states
from model_check.coverage import Coverage, coverage_as_json
from model_check.engine import PropertyResult
from model_check.reasons import reasons
from model_check.reasons_shown import show_reasons, show_strays
from model_check.run import Run
from model_check.story import tell
from model_check.story_table import story_table
from model_check.trace import Trace

SCHEMA = 1
_COLOUR = {"holds": "green", "violated": "red", "incomplete": "yellow"}


def show(run: Run, console: Console) -> None:
    """The verdict, the counts and each property are printed, with the story of each violation."""
    found = run.found
    title = f"{run.model.name} · {run.rules.dialect} · {found.links}"
    if run.without:
        title += f" · without {', '.join(run.without)}"
    console.print(
        f"[bold]{escape(title)}[/bold]  {escape(run.model.text)}", highlight=False, soft_wrap=True
    )
    console.print(
        f"  {_verdict(run.verdict)}: {states(found)}, "
        f"{found.transitions:,} transitions, depth {found.depth}, {found.seconds:.1f} s "
        f"({found.transitions / max(found.seconds, 1e-9):,.0f}/s), "
        f"{found.step_calls:,} steps of the core",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"  [dim]within {escape(_bounds(run))}[/dim]", highlight=False, soft_wrap=True)
    for line in run.reduced:
        console.print(f"  [dim]{escape(line)}[/dim]", highlight=False, soft_wrap=True)
    for result in found.properties:
        each = run.property_of(result.id)
        word = "reached" if each.kind == "sometimes" and result.verdict == "holds" else ""
        known = _known(run, result)
        console.print(
            f"  {_verdict(result.verdict, word)}{known}  {result.id}  {escape(each.text)}",
            highlight=False,
            soft_wrap=True,
        )
    for unheard in run.vacuous:
        console.print(
            f"  [red]vacuous[/red]  it never happens here: {escape(unheard)}", highlight=False
        )
    for trace, ids in _violations(run):
        _show_story(run, trace, ids, console)
    show_strays(run, console)
    if found.stopped_by is not None:
        console.print(
            f"  [yellow]stopped by the limit on {found.stopped_by} before the scope was "
            "exhausted: this is no pass[/yellow]",
            highlight=False,
        )
    console.print()


def _show_story(run: Run, trace: Trace, ids: list[str], console: Console) -> None:
    """A counterexample to the properties with these ids, and what it goes against."""
    claims = " and ".join(f"{each} ({run.property_of(each).text})" for each in ids)
    console.print()
    console.print(
        f"[bold]{_superlative(run)} story that breaks[/bold] {escape(claims)}:",
        highlight=False,
        soft_wrap=True,
    )
    console.print(story_table(tell(trace, run.system.processes)))
    show_reasons(reasons(run, ids, trace), console)


def show_total(runs: list[Run], console: Console) -> None:
    """One line for all runs, if there are several."""
    if len(runs) < 2:
        return
    counts = Counter(_outcome(run) for run in runs)
    verdicts = ", ".join(
        f"{count} {_verdict(verdict)}{note}" for (verdict, note), count in counts.items()
    )
    transitions = sum(run.found.transitions for run in runs)
    seconds = sum(run.found.seconds for run in runs)
    console.print(
        f"{len(runs)} runs: {verdicts}; {transitions:,} transitions in {seconds:.1f} s",
        highlight=False,
    )


def _superlative(run: Run) -> str:
    return "A" if run.reduced else "The shortest"


def _outcome(run: Run) -> tuple[str, str]:
    """The verdict of the run, and whether it is the one that is expected."""
    if run.vacuous:
        return run.verdict, " but vacuous"
    if run.astray:
        return run.verdict, f" but {', '.join(run.astray)} not kept"
    if run.verdict == "violated" and not run.surprises:
        return run.verdict, " as expected"
    return run.verdict, ""


def _violations(run: Run) -> list[tuple[Trace, list[str]]]:
    """Each counterexample, with the ids of all properties it is the shortest for."""
    stories: list[tuple[Trace, list[str]]] = []
    for result in run.found.properties:
        if result.verdict != "violated" or result.trace is None:
            continue
        same = next((ids for trace, ids in stories if trace == result.trace), None)
        if same is None:
            stories.append((result.trace, [result.id]))
        else:
            same.append(result.id)
    return stories


def _known(run: Run, result: PropertyResult) -> str:
    """What is said of a property that is known not to hold here."""
    known = run.expects(result.id)
    if known is None:
        return ""
    if result.verdict == "violated":
        return escape(f", as expected ({known.told}; {known.clause})")
    if result.id in run.surprises:
        return escape(f", though known not to ({known.told}; {known.clause})")
    return ""


def _verdict(verdict: str, word: str = "") -> str:
    return f"[{_COLOUR[verdict]}]{word or verdict}[/{_COLOUR[verdict]}]"


def _bounds(run: Run) -> str:
    bounds = f"{run.scope.describe()}; links {run.found.links}"
    if run.found.bounds_hit:
        bounds += "; a full channel cut transitions off"
    return f"{bounds}; {chance(run.found)}"


def as_json(runs: list[Run], coverage: Coverage | None = None) -> str:
    """All runs as one JSON document (`schema` 1), with what they exercised if that is known."""
    document: dict[str, Any] = {"schema": SCHEMA, "runs": [_run(run) for run in runs]}
    if coverage is not None:
        document["coverage"] = coverage_as_json(coverage)
    return json.dumps(document, indent=2)


def _run(run: Run) -> dict[str, Any]:
    found = run.found
    return {
        "model": run.model.name,
        "dialect": run.rules.dialect,
        "without": list(run.without),
        "links": found.links,
        "verdict": run.verdict,
        "surprises": list(run.surprises),
        "vacuous": list(run.vacuous),
        "not_kept": [
            {"clause": stray.breach.clause_id, "text": stray.breach.text}
            for stray in run.strays
            if stray.breach.clause_id in run.astray
        ],
        "stopped_by": found.stopped_by,
        "bounds": run.scope.describe(),
        "bounds_hit": found.bounds_hit,
        "distinct_states": found.distinct_states,
        "states_of_orbits": found.states_of_orbits,
        "transitions": found.transitions,
        "depth": found.depth,
        "seconds": round(found.seconds, 3),
        "step_calls": found.step_calls,
        **({"reduced": list(run.reduced)} if run.reduced else {}),
        "missed_probability": found.missed_probability,
        "properties": [
            {
                "id": result.id,
                "kind": result.kind,
                "text": run.property_of(result.id).text,
                "clause": run.property_of(result.id).clause,
                "verdict": result.verdict,
                "expected": None if (known := run.expects(result.id)) is None else known.told,
                "trace": _trace(result.trace, run),
            }
            for result in found.properties
        ],
    }


def _trace(trace: Trace | None, run: Run) -> list[dict[str, Any]] | None:
    if trace is None:
        return None
    return [
        {"step": number, "who": line.who, "what": line.what, "changes": list(line.changes)}
        for number, line in enumerate(tell(trace, run.system.processes), 1)
    ]

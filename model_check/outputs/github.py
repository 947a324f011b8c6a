"""What GitHub Actions shows: annotations at the clauses, and a summary of the job."""

import os
from pathlib import Path
from typing import Final

import click

from model_check.coverage import Coverage
from model_check.judged import JudgedRun, Judgement, Standing
from model_check.outputs.coverage_table import coverage_table
from model_check.outputs.markdown import summary
from model_check.outputs.places import Place, place_of_clause, place_of_rule
from model_check.outputs.text import (
    counts,
    headline,
    reason_lines,
    story_lines,
    story_of,
    stray_headline,
)
from model_check.reasons import rules_of
from model_check.strays import Stray

SUMMARY_FILE: Final = "GITHUB_STEP_SUMMARY"
"""The variable of the environment that names the file of the summary."""

_COMMANDS: Final[dict[Standing, str]] = {
    "violated": "error",
    "mended": "error",
    "expected": "notice",
}


def annotate(runs: list[JudgedRun]) -> None:
    """A workflow command is printed for each property that is violated, and each unfinished run.

    GitHub shows the first ten of each level; the summary has all.
    """
    for run in runs:
        if run.unfinished is not None:
            click.echo(_incomplete(run, run.unfinished))
        for judgement in run.judgements:
            if judgement.standing in _COMMANDS:
                click.echo(_annotation(run, judgement))
        for stray in run.astray:
            click.echo(_stray(run, stray))
        for each in run.vacuous:
            told = f"it never happens here: {each}"
            click.echo(workflow_command("error", told, {"title": f"vacuous: {run.title}"}))


def _incomplete(run: JudgedRun, why: str) -> str:
    """One for the run, at the clause of the first property that was not decided."""
    open_ones = [each for each in run.judgements if each.standing == "incomplete"]
    ids = ", ".join(each.result.id for each in open_ones)
    told = [f"{why}: this is no pass", counts(run.run), f"not decided: {ids}"]
    first = open_ones[0] if open_ones else run.judgements[0]
    place = place_of_clause(first.prop.clause)
    title = f"incomplete: {run.title}"
    return workflow_command("error", "\n".join(told), _at(place, title))


def _annotation(run: JudgedRun, judgement: Judgement) -> str:
    trace = story_of(judgement)
    told = [headline(judgement), *reason_lines(run.run, [judgement.result.id], trace)]
    told += story_lines(run.run, trace)
    place = place_of_clause(judgement.prop.clause)
    title = f"{judgement.result.id} {judgement.standing}: {run.title}"
    return workflow_command(_COMMANDS[judgement.standing], "\n".join(told), _at(place, title))


def _stray(run: JudgedRun, stray: Stray) -> str:
    """At the function that did it, if one that realises the clause was called."""
    clause_id = stray.breach.clause_id
    rules = rules_of(run.run, stray.step, clause_id)
    place = place_of_rule(rules[0]) if rules else place_of_clause(clause_id)
    told = [stray_headline(run.run, stray), *reason_lines(run.run, [], stray.trace)]
    told += story_lines(run.run, stray.trace)
    title = f"{clause_id} not kept: {run.title}"
    return workflow_command("error", "\n".join(told), _at(place, title))


def _at(place: Place, title: str) -> dict[str, str]:
    return {"file": place.file, "line": str(place.line), "title": title}


def workflow_command(name: str, message: str, properties: dict[str, str]) -> str:
    """The line that makes GitHub do this, with all that would end it early escaped."""
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(runs: list[JudgedRun], coverage: Coverage | None = None) -> None:
    """The summary stands at the end of the file that GitHub names, if it names one."""
    file = os.environ.get(SUMMARY_FILE)
    if file:
        with Path(file).open("a", encoding="utf-8") as written:
            written.write(summary(runs))
            if coverage is not None:
                written.write(coverage_table(coverage))

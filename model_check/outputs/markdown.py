"""The results as the Markdown of a job summary: a table of runs, and each story."""

from collections.abc import Iterator
from html import escape as html
from typing import Final

import attrs

from model_check.diagram import diagram
from model_check.judged import JudgedRun
from model_check.mermaid import mermaid
from model_check.outputs.text import (
    bounds,
    headline,
    reason_lines,
    story_of,
    stray_headline,
    totals,
)
from model_check.reasons import clauses
from model_check.story import tell
from model_check.trace import Trace

MOST_BYTES: Final = 1000 * 1000
"""GitHub refuses a summary of more than 1 MiB, whole; some is left to what else is told there."""

_MARKS: Final = {"failed": "❌", "incomplete": "⚠️", "expected": "☑️", "passed": "✅"}


@attrs.frozen(kw_only=True)
class _Story:
    """What can be unfolded."""

    judged: JudgedRun
    told: str
    clause_id: str
    property_ids: list[str]
    trace: Trace | None
    is_failure: bool


def summary(runs: list[JudgedRun], most_bytes: int = MOST_BYTES) -> str:
    """The summary, with as many of the stories as there is room for, failures first."""
    text = _table(runs)
    stories = [story for run in runs for story in _stories(run)]
    stories.sort(key=lambda story: not story.is_failure)
    room = most_bytes - len(text.encode()) - 200
    left_out = 0
    for story in stories:
        told = _unfolded(story)
        if len(told.encode()) > room:
            left_out += 1
        else:
            room -= len(told.encode())
            text += told
    if left_out:
        text += f"\n{left_out} more stories had no room here: `--sarif` and `--story` have all.\n"
    return text


def _table(runs: list[JudgedRun]) -> str:
    lines = [
        "## slotproof",
        "",
        totals(runs),
        "",
        "| | model | dialect | links | verdict | states | transitions | depth | seconds |",
        "|-|-|-|-|-|-:|-:|-:|-:|",
        *(_row(run) for run in runs),
        "",
    ]
    return "\n".join(lines)


def _row(judged: JudgedRun) -> str:
    run, found = judged.run, judged.run.found
    without = f" without {', '.join(run.without)}" if run.without else ""
    cells = (
        _MARKS[_mark(judged)],
        run.model.name,
        f"{run.rules.dialect}{without}",
        found.links,
        "; ".join(_told(judged)) or "holds",
        f"{found.distinct_states:,}",
        f"{found.transitions:,}",
        str(found.depth),
        f"{found.seconds:.1f}",
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _mark(judged: JudgedRun) -> str:
    if judged.is_failure:
        return "failed"
    if judged.unfinished is not None:
        return "incomplete"
    expected = any(each.standing == "expected" for each in judged.judgements)
    return "expected" if expected else "passed"


def _told(judged: JudgedRun) -> list[str]:
    """What there is to say of the run, property by property; nothing if all hold."""
    told = [
        f"{each.result.id} {each.phrase}"
        for each in judged.judgements
        if each.standing not in {"passed", "incomplete"}
    ]
    told += [f"{stray.breach.clause_id} is not kept" for stray in judged.astray]
    told += [f"it never happens here: {each}" for each in judged.vacuous]
    if judged.unfinished is not None:
        told.append(f"incomplete: {judged.unfinished}")
    return told


def _stories(judged: JudgedRun) -> Iterator[_Story]:
    for each in judged.judgements:
        if each.standing in {"violated", "expected"}:
            yield _Story(
                judged=judged,
                told=headline(each),
                clause_id=each.prop.clause,
                property_ids=[each.result.id],
                trace=story_of(each),
                is_failure=each.is_failure,
            )
    for stray in judged.astray:
        yield _Story(
            judged=judged,
            told=stray_headline(judged.run, stray),
            clause_id=stray.breach.clause_id,
            property_ids=[],
            trace=stray.trace,
            is_failure=True,
        )


def _unfolded(story: _Story) -> str:
    """The clause, the sequence diagram and the table of steps, behind a line to click on."""
    run, clause = story.judged.run, clauses()[story.clause_id]
    opened = " open" if story.is_failure else ""
    count = 0 if story.trace is None else len(story.trace.steps)
    steps = f", {count} step{'s' * (count != 1)}" if count else ""
    where = html(f"{story.judged.title}{steps}")
    lines = [
        "",
        f"<details{opened}><summary><b>{html(story.told)}</b> ({where})</summary>",
        "",
        f"> **{clause.clause_id} {_inline(clause.title)}** {_inline(clause.text)}",
        "",
        *(f"- {_cell(line)}" for line in reason_lines(run, story.property_ids, story.trace)),
        "",
        f"Within {_cell(bounds(run))}.",
        "",
    ]
    if story.trace is not None:
        lines += _drawn(story, story.trace)
        lines += ["| step | who | what happened | what changed there |", "|-:|-|-|-|"]
        lines += [
            f"| {number} | {_cell(line.who)} | {_cell(line.what)} | "
            f"{'<br>'.join(map(_cell, line.changes))} |"
            for number, line in enumerate(tell(story.trace, run.system.processes), 1)
        ]
        lines.append("")
    lines += ["</details>", ""]
    return "\n".join(lines)


def _drawn(story: _Story, trace: Trace) -> list[str]:
    """The sequence diagram; a rule that is not kept is no property to end one with."""
    if not story.property_ids:
        return []
    drawn = diagram(story.judged.run, story.property_ids[0], trace)
    return ["```mermaid", mermaid(drawn).rstrip("\n"), "```", ""]


def _inline(text: str) -> str:
    """Text in which nothing is HTML; the specification's own Markdown stays."""
    return html(text, quote=False)


def _cell(text: str) -> str:
    """Plain text in which nothing is Markdown or HTML, as a table's cell can have it."""
    told = html(text, quote=False).replace("\\", "\\\\")
    for sign in "|*_`[]~":
        told = told.replace(sign, f"\\{sign}")
    return told.replace("\n", "<br>")

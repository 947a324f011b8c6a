"""The results as SARIF 2.1.0: what is violated, not kept or undecided, at the clause that says so.

A rule of SARIF is a property of a model, or a clause that some step does not keep. A result lies at
the clause; the functions of the core that its story goes through are related locations, and the
story itself is a code flow. The keys are SARIF's own (OASIS, Static Analysis Results Interchange
Format 2.1.0, section 3).
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from model_check.applied import Rule
from model_check.judged import JudgedRun, Standing
from model_check.outputs.places import Place, place_of_clause, place_of_rule, rules_of_story
from model_check.outputs.text import (
    bounds,
    counts,
    headline,
    own_version,
    reason_lines,
    story_lines,
    story_of,
    stray_headline,
)
from model_check.reasons import clauses
from model_check.run import Run
from model_check.trace import Trace

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_LEVELS: Final[dict[Standing, str]] = {
    "violated": "error",
    "mended": "error",
    "incomplete": "warning",
    "expected": "note",
}

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class _Finding:
    """What becomes a result."""

    judged: JudgedRun
    rule_id: str  # of a property, or of a clause that is not kept
    text: str  # what the property or the clause says
    clause_id: str
    standing: str
    level: str
    told: str
    trace: Trace | None


def write_sarif(runs: list[JudgedRun], path: Path, exit_code: int) -> None:
    """All that is not simply as it should be stands in the file."""
    log = _log(runs, exit_code)
    path.write_text(json.dumps(log, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _findings(judged: JudgedRun) -> Iterator[_Finding]:
    for each in judged.judgements:
        if each.standing in _LEVELS:
            yield _Finding(
                judged=judged,
                rule_id=each.result.id,
                text=each.prop.text,
                clause_id=each.prop.clause,
                standing=each.standing,
                level=_LEVELS[each.standing],
                told=headline(each),
                trace=story_of(each),
            )
    for stray in judged.astray:
        clause = clauses()[stray.breach.clause_id]
        yield _Finding(
            judged=judged,
            rule_id=clause.clause_id,
            text=clause.title,
            clause_id=clause.clause_id,
            standing="not kept",
            level="error",
            told=stray_headline(judged.run, stray),
            trace=stray.trace,
        )


def _log(runs: list[JudgedRun], exit_code: int) -> Json:
    findings = [finding for run in runs for finding in _findings(run)]
    rules = {finding.rule_id: _rule(finding) for finding in findings}
    numbers = {name: number for number, name in enumerate(rules)}
    driver = {
        "name": "slotproof",
        "version": own_version(),
        "fullName": "slotproof: a model checker of the Redis Cluster protocol",
        "rules": list(rules.values()),
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"description": _text("the slotproof repository")}},
                "invocations": [_invocation(runs, exit_code)],
                "results": [_result(finding, numbers[finding.rule_id]) for finding in findings],
            }
        ],
    }


def _text(text: str) -> Json:
    return {"text": text}


def _rule(finding: _Finding) -> Json:
    clause = clauses()[finding.clause_id]
    notes = "".join(f"\n\n{word}: {note}" for word, note in clause.notes.items())
    told = f"{clause.clause_id} {clause.title}. {clause.text}"
    return {
        "id": finding.rule_id,
        "name": clause.title,
        "shortDescription": _text(finding.text),
        "fullDescription": _text(told),
        "help": {
            "text": f"{told}{notes}",
            "markdown": f"**{clause.clause_id} {clause.title}**\n\n{clause.text}{notes}\n\n"
            f"`slotproof spec {clause.clause_id}` shows it.",
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"clause": clause.clause_id},
    }


def _invocation(runs: list[JudgedRun], exit_code: int) -> Json:
    """That the command ended, and which of its runs did not, or were about nothing."""
    ended: Json = {"executionSuccessful": True, "exitCode": exit_code}
    notes = [
        {"level": "warning", "message": _text(f"{run.title}: {run.unfinished}; {counts(run.run)}")}
        for run in runs
        if run.unfinished is not None
    ]
    notes += [
        {"level": "error", "message": _text(f"{run.title}: it never happens here: {each}")}
        for run in runs
        for each in run.vacuous
    ]
    return ended | ({"toolExecutionNotifications": notes} if notes else {})


def _result(finding: _Finding, rule: int) -> Json:
    run = finding.judged.run
    lines = [finding.told, f"{finding.judged.title}, within {bounds(run)}"]
    lines += reason_lines(run, _property_ids(finding), finding.trace)
    lines += story_lines(run, finding.trace)
    clause = place_of_clause(finding.clause_id)
    result: Json = {
        "ruleId": finding.rule_id,
        "ruleIndex": rule,
        "level": finding.level,
        "message": _text("\n".join(lines)),
        "locations": [_location(clause)],
        "partialFingerprints": {"slotproof/v1": _fingerprint(finding)},
        "properties": {
            "model": run.model.name,
            "dialect": run.rules.dialect,
            "links": run.found.links,
            "without": list(run.without),
            "standing": finding.standing,
        },
    }
    if finding.trace is not None:
        rules = rules_of_story(run.system, finding.trace)
        flow = _flow(run, finding.trace, rules, clause)
        result["relatedLocations"] = _related(rules)
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    return result


def _property_ids(finding: _Finding) -> list[str]:
    return [] if finding.standing == "not kept" else [finding.rule_id]


def _fingerprint(finding: _Finding) -> str:
    """The same for the same finding, however its story goes."""
    told = f"{finding.judged.title} {finding.rule_id} {finding.standing}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _location(place: Place, message: str | None = None, number: int | None = None) -> Json:
    location: Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": place.file, "uriBaseId": _ROOT},
            "region": {"startLine": place.line},
        }
    }
    if number is not None:
        location["id"] = number
    if message is not None:
        location["message"] = _text(message)
    return location


def _related(story: list[list[Rule]]) -> list[Json]:
    """Each function that the story goes through, with the steps that do."""
    steps: dict[Rule, list[int]] = {}
    for number, rules in enumerate(story, 1):
        for rule in rules:
            steps.setdefault(rule, []).append(number)
    return [
        _location(
            place_of_rule(rule),
            f"{_named(rule)}, step{'s' * (len(at) > 1)} {', '.join(map(str, at))}",
            number,
        )
        for number, (rule, at) in enumerate(steps.items(), 1)
    ]


def _named(rule: Rule) -> str:
    return f"{rule.name} ({', '.join(rule.clauses)})"


def _flow(run: Run, trace: Trace, story: list[list[Rule]], clause: Place) -> list[Json]:
    """The story: each step where the first of its rules is, with the others below it.

    What happens in no rule, such as a crash, or that a message is lost, lies at the clause.
    """
    locations: list[Json] = []
    told = story_lines(run, trace)
    for line, rules in zip(told, story, strict=True):
        place = place_of_rule(rules[0]) if rules else clause
        locations.append({"location": _location(place, line.strip()), "nestingLevel": 0})
        locations += [
            {"location": _location(place_of_rule(rule), _named(rule)), "nestingLevel": 1}
            for rule in rules[1:]
        ]
    for order, location in enumerate(locations, 1):
        location["executionOrder"] = order
    return locations

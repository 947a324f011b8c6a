"""The results as JUnit XML: a suite for each run, a case for each property and one for the run.

What is incomplete is an error, never a pass; what is violated as expected passes, and says so.
"""

from pathlib import Path
from typing import Final

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from model_check.judged import JudgedRun, Judgement
from model_check.outputs.text import (
    bounds,
    counts,
    headline,
    reason_lines,
    story_lines,
    story_of,
    stray_headline,
)
from model_check.strays import Stray

ALL_DECIDED: Final = "every property was decided"
"""The name of the case that is about the run itself."""


def write_junit(runs: list[JudgedRun], path: Path) -> None:
    """The results stand in the file."""
    document = JUnitXml("slotproof")
    for run in runs:
        document.add_testsuite(_suite(run))
    document.update_statistics()  # type: ignore[no-untyped-call]
    document.write(str(path), pretty=True)


def _suite(judged: JudgedRun) -> TestSuite:
    run = judged.run
    suite = TestSuite(judged.title)
    for name, value in (
        ("model", run.model.text),
        ("dialect", run.rules.dialect),
        ("links", run.found.links),
        ("without", ", ".join(run.without)),
        ("bounds", bounds(run)),
        ("distinct states", str(run.found.distinct_states)),
        ("transitions", str(run.found.transitions)),
        ("depth", str(run.found.depth)),
    ):
        suite.add_property(name, value)
    suite.add_testcase(_run(judged))
    for judgement in judged.judgements:
        suite.add_testcase(_property(judged, judgement))
    for stray in judged.astray:
        suite.add_testcase(_stray(judged, stray))
    suite.update_statistics()  # type: ignore[no-untyped-call]
    return suite


def _case(judged: JudgedRun, name: str, text: str, result: FinalResult | None) -> TestCase:
    run = judged.run
    where = "-without-".join((run.rules.dialect, *run.without))
    # A dot would be taken for the end of a package's name.
    case = TestCase(name, f"slotproof.{run.model.name}.{where.replace('.', '_')}", time=0.0)
    if result is None:
        case.system_out = text
    else:
        result.text = text
        case.result = [result]
    return case


def _run(judged: JudgedRun) -> TestCase:
    """The run itself; it took all the time, since the properties are judged together."""
    run = judged.run
    result: FinalResult | None = None
    text = f"{counts(run)}\nwithin {bounds(run)}"
    if judged.unfinished is not None:
        result = Error(f"{judged.unfinished}: this is no pass", "incomplete")
    elif judged.vacuous:
        text = "\n".join([text, *(f"it never happens here: {each}" for each in judged.vacuous)])
        result = Failure(f"it never happens here: {'; '.join(judged.vacuous)}", "vacuous")
    case = _case(judged, ALL_DECIDED, text, result)
    case.time = round(run.found.seconds, 3)
    return case


def _property(judged: JudgedRun, judgement: Judgement) -> TestCase:
    told = headline(judgement)
    trace = story_of(judgement)
    why = reason_lines(judged.run, [judgement.result.id], trace)
    text = "\n".join([told, *why, *story_lines(judged.run, trace)])
    match judgement.standing:
        case "violated" | "mended":
            result: FinalResult | None = Failure(told, judgement.standing)
        case "incomplete":
            result = Error(told, "incomplete")
        case _:
            result = None
    return _case(judged, f"{judgement.result.id} {judgement.prop.text}", text, result)


def _stray(judged: JudgedRun, stray: Stray) -> TestCase:
    """A rule that is not kept; those that are have no case."""
    told = stray_headline(judged.run, stray)
    why = reason_lines(judged.run, [], stray.trace)
    text = "\n".join([told, *why, *story_lines(judged.run, stray.trace)])
    return _case(judged, f"{stray.breach.clause_id} is kept", text, Failure(told, "not kept"))

"""What `slotproof check` and `slotproof bugs` tell to JUnit's readers, SARIF's readers and GitHub.

Clauses: EL-P1, SC-P1, EL-4.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest
from click.testing import CliRunner

from model_check import __main__ as cli
from model_check import bugs
from model_check.coverage import Coverage
from model_check.engine import Limits
from model_check.gallery import GALLERY
from model_check.judged import JudgedRun, judged
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.model import Expected
from model_check.outputs.github import annotate, append_summary, workflow_command
from model_check.outputs.junit import ALL_DECIDED, write_junit
from model_check.outputs.markdown import summary
from model_check.outputs.sarif import write_sarif
from model_check.run import check
from reference.core.rules import DIALECTS, SWITCHES
from tests.traceability import ROOT

# What the readers of JUnit's XML agree on: what may stand in what, and with which attributes.
JUNIT = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "skipped", "time"}),
    "testsuite": (
        {"properties", "testcase"},
        {"name", "tests", "failures", "errors", "skipped", "time"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "testcase": ({"failure", "error", "system-out"}, {"name", "classname", "time"}),
    "failure": (set(), {"message", "type"}),
    "error": (set(), {"message", "type"}),
    "system-out": (set(), set()),
}


def explored(model: str, dialect: str, *without: str, **limits: int) -> JudgedRun:
    links = parse_links("held(0)")
    rules = DIALECTS[dialect]
    return judged(
        check(
            MODELS[model],
            rules,
            links,
            without=without,
            limits=Limits(**limits),
            states_after_violation=1_000_000,
        )
    )


@pytest.fixture(scope="module")
def holding() -> JudgedRun:
    return explored("split", "redis-7.0")


@pytest.fixture(scope="module")
def expected() -> JudgedRun:
    return explored("take-back", "redis-7.0")


@pytest.fixture(scope="module")
def unfinished() -> JudgedRun:
    return explored("failover", "valkey-9.1", states=200)


@pytest.fixture(scope="module")
def violated() -> JudgedRun:
    """A voter votes twice; the steps in which it does count as mistakes of the core."""
    found = explored("two-replicas", "valkey-9.1", "one_vote_per_epoch")
    return attrs.evolve(found, astray=found.run.strays)


@pytest.fixture(scope="module")
def all_of_them(
    holding: JudgedRun, expected: JudgedRun, unfinished: JudgedRun, violated: JudgedRun
) -> list[JudgedRun]:
    return [holding, expected, unfinished, violated]


def mended() -> JudgedRun:
    """A property that holds, and that somebody takes for violated."""
    rules = DIALECTS["redis-7.0"]
    wrong = Expected(property_id="SC-P2", dialects=(rules.dialect,), told="Z1", clause="SC-1")
    model = attrs.evolve(MODELS["split"], expected=(wrong,))
    return judged(check(model, rules, model.usual_links(rules)))


# JUnit


def junit(runs: list[JudgedRun], tmp_path: Path) -> ET.Element:
    file = tmp_path / "junit.xml"
    write_junit(runs, file)
    return ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - written here


def cases(suite: ET.Element) -> dict[str, ET.Element]:
    """By the id of the property, or of the rule that is not kept."""
    return {case.attrib["name"].partition(" ")[0]: case for case in suite.iter("testcase")}


def test_junit_is_of_the_form_that_its_readers_know(
    all_of_them: list[JudgedRun], tmp_path: Path
) -> None:
    root = junit([*all_of_them, mended()], tmp_path)

    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = JUNIT[element.tag]
        assert {child.tag for child in element} <= children
        assert element.attrib.keys() <= attributes
    for suite in root:
        outcomes = [child.tag for case in suite.iter("testcase") for child in case]
        assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
        assert int(suite.attrib["failures"]) == outcomes.count("failure")
        assert int(suite.attrib["errors"]) == outcomes.count("error")


def test_junit_has_a_suite_for_each_run_and_a_case_for_each_property(
    all_of_them: list[JudgedRun], tmp_path: Path
) -> None:
    root = junit(all_of_them, tmp_path)

    assert [suite.attrib["name"] for suite in root] == [run.title for run in all_of_them]
    for suite, run in zip(root, all_of_them, strict=True):
        names = [case.attrib["name"] for case in suite.iter("testcase")]
        properties = [f"{each.result.id} {each.prop.text}" for each in run.judgements]
        astray = [f"{each.breach.clause_id} is kept" for each in run.astray]
        assert names == [ALL_DECIDED, *properties, *astray]


def test_junit_fails_with_the_story_where_a_property_is_violated_or_a_rule_not_kept(
    violated: JudgedRun, tmp_path: Path
) -> None:
    (suite,) = junit([violated], tmp_path)

    failure = cases(suite)["EL-P1"].find("failure")
    astray = cases(suite)["EL-4"].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "violated"
    assert " 12. E receives the AUTH_ACK for epoch 4 from C" in (failure.text or "")
    assert "not kept in step 8: EL-4 One vote per epoch" in (failure.text or "")
    assert "reference/core/election.py:" in (failure.text or "")
    assert astray is not None
    assert astray.attrib["message"].startswith("EL-4 One vote per epoch is not kept: ")


def test_junit_fails_where_a_known_violation_is_gone(tmp_path: Path) -> None:
    (suite,) = junit([mended()], tmp_path)

    failure = cases(suite)["SC-P2"].find("failure")
    assert failure is not None
    assert "holds, though it is known not to (Z1; SC-1)" in failure.attrib["message"]


def test_junit_passes_an_expected_violation_and_says_so(
    expected: JudgedRun, tmp_path: Path
) -> None:
    (suite,) = junit([expected], tmp_path)

    case = cases(suite)["SC-P1"]
    assert [child.tag for child in case] == ["system-out"]
    assert "is violated, as expected (F-2, valkey#974; EP-4)" in (case.findtext("system-out") or "")
    assert "  1. A receives the PONG" in (case.findtext("system-out") or "")


def test_junit_never_passes_what_is_incomplete(unfinished: JudgedRun, tmp_path: Path) -> None:
    (suite,) = junit([unfinished], tmp_path)

    open_ones = {each.result.id for each in unfinished.judgements if each.standing == "incomplete"}
    errors = {name for name, case in cases(suite).items() if case.find("error") is not None}
    assert "EL-P1" in open_ones
    assert errors == {*open_ones, ALL_DECIDED.partition(" ")[0]}


# SARIF


def sarif(runs: list[JudgedRun], tmp_path: Path, exit_code: int = 1) -> dict[str, Any]:
    file = tmp_path / "found.sarif"
    write_sarif(runs, file, exit_code)
    log: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    found: dict[str, Any] = run
    return found


def locations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from result["locations"]
    yield from result.get("relatedLocations", [])
    for flow in result.get("codeFlows", []):
        for thread in flow["threadFlows"]:
            yield from (each["location"] for each in thread["locations"])


def line_of(location: dict[str, Any]) -> str:
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    file: str = place["artifactLocation"]["uri"]
    line: int = place["region"]["startLine"]
    return (ROOT / file).read_text(encoding="utf-8").splitlines()[line - 1]


def test_sarif_has_what_the_standard_requires(all_of_them: list[JudgedRun], tmp_path: Path) -> None:
    run = sarif([*all_of_them, mended()], tmp_path)

    driver = run["tool"]["driver"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] == "slotproof"
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
    prints = [result["partialFingerprints"]["slotproof/v1"] for result in run["results"]]
    assert len(prints) == len(set(prints))
    assert run["invocations"][0]["exitCode"] == 1


def test_sarif_lies_at_clauses_and_at_functions_of_the_core(
    all_of_them: list[JudgedRun], tmp_path: Path
) -> None:
    run = sarif(all_of_them, tmp_path)

    for result in run["results"]:
        (first, *others) = locations(result)
        assert line_of(first).startswith(f"### {result['ruleId'].partition(':')[0]} ")
        for location in others:
            assert re.match(r"### |\s*def ", line_of(location))


def test_sarif_has_levels_by_how_a_property_stands(
    all_of_them: list[JudgedRun], tmp_path: Path
) -> None:
    run = sarif([*all_of_them, mended()], tmp_path)

    levels = {
        (result["properties"]["model"], result["ruleId"]): result["level"]
        for result in run["results"]
    }
    assert levels["two-replicas", "EL-P1"] == "error"
    assert levels["two-replicas", "EL-4"] == "error"
    assert levels["take-back", "SC-P1"] == "note"
    assert levels["failover", "EL-P1"] == "warning"
    assert levels["split", "SC-P2"] == "error"
    assert ("split", "SC-P1") not in levels


def test_sarif_tells_the_story_as_a_flow_through_the_core(
    violated: JudgedRun, tmp_path: Path
) -> None:
    run = sarif([violated], tmp_path)

    result = next(each for each in run["results"] if each["ruleId"] == "EL-P1")
    (thread,) = result["codeFlows"][0]["threadFlows"]
    steps = [each for each in thread["locations"] if each["nestingLevel"] == 0]
    trace = next(e.result.trace for e in violated.judgements if e.result.id == "EL-P1")
    assert trace is not None
    assert len(steps) == len(trace.steps)
    assert [each["executionOrder"] for each in thread["locations"]] == list(
        range(1, len(thread["locations"]) + 1)
    )
    related = {each["message"]["text"].partition(" ")[0] for each in result["relatedLocations"]}
    assert {"start_election", "grant_vote", "count_vote", "win_election_if_quorum"} <= related


def test_sarif_says_which_runs_did_not_end(unfinished: JudgedRun, tmp_path: Path) -> None:
    run = sarif([unfinished], tmp_path, exit_code=3)

    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning"
    assert "stopped by the limit on states" in note["message"]["text"]


# GitHub


def unescaped(text: str) -> str:
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@pytest.mark.parametrize("text", ["a:b,c", "100%", "%0A", "one\ntwo\r\n", "::error::"])
def test_a_workflow_command_is_one_line_from_which_the_text_can_be_had_again(text: str) -> None:
    line = workflow_command("error", text, {"file": text, "title": text})

    form = re.fullmatch(r"::error file=([^:,]*),title=([^:,]*)::(.*)", line)
    assert form is not None
    assert [unescaped(part) for part in form.groups()] == [text, text, text]


def test_annotations_are_errors_for_what_is_wrong_and_notices_for_what_is_expected(
    all_of_them: list[JudgedRun], capsys: pytest.CaptureFixture[str]
) -> None:
    annotate(all_of_them)

    lines = capsys.readouterr().out.splitlines()
    told = [re.match(r"::(\w+) file=(.+),line=(\d+),title=(\S+) (.+?)::", line) for line in lines]
    found = {(each[1], each[4]) for each in told if each is not None}
    assert None not in told
    assert ("error", "EL-P1") in found
    assert ("error", "EL-4") in found
    assert ("notice", "SC-P1") in found
    assert sum(line.startswith("::error") and "incomplete%3A" in line for line in lines) == 1
    assert not any("split" in line for line in lines)


def test_a_rule_that_is_not_kept_is_annotated_at_the_function_that_did_it(
    violated: JudgedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    annotate([violated])

    line = next(each for each in capsys.readouterr().out.splitlines() if "title=EL-4" in each)
    form = re.match(r"::error file=(.+),line=(\d+),", line)
    assert form is not None
    lines = (ROOT / form[1]).read_text(encoding="utf-8").splitlines()
    assert lines[int(form[2]) - 1].startswith("def grant_vote(")


def test_summary_is_a_table_of_runs_and_a_story_for_each_violation(
    all_of_them: list[JudgedRun],
) -> None:
    text = summary(all_of_them)

    rows = [line for line in text.splitlines() if re.match(r"\| (✅|☑️|⚠️|❌) ", line)]
    assert len(rows) == len(all_of_them)
    assert [row.split(" | ")[0] for row in rows] == ["| ✅", "| ☑️", "| ⚠️", "| ❌"]
    assert text.count("<details>") + text.count("<details open>") == text.count("</details>")
    assert text.count("```mermaid\n---\ntitle: ") == text.count("sequenceDiagram")
    assert "<summary><b>EL-P1 is violated" in text


def test_cells_of_the_summary_hold_plain_text(expected: JudgedRun) -> None:
    text = summary([expected])

    steps = [line for line in text.splitlines() if re.match(r"\| \d+ \| ", line)]
    assert steps
    for line in steps:
        assert len(re.findall(r"(?<!\\)\|", line)) == 5
        assert "<" not in line.replace("<br>", "")
        assert "current\\_epoch" in line


def test_a_summary_that_is_too_long_for_github_keeps_the_failures(
    expected: JudgedRun, violated: JudgedRun
) -> None:
    whole = summary([expected, violated])
    size = len(summary([violated]).encode()) + 600

    short = summary([expected, violated], size)

    assert len(short.encode()) <= size < len(whole.encode())
    assert "EL-P1 is violated" in short
    assert "SC-P8 is violated, as expected" not in short.partition("<details")[2]
    assert "more stories had no room here" in short


def test_summary_is_put_behind_what_stands_there(
    holding: JudgedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "summary.md"
    file.write_text("# Before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))

    append_summary([holding])

    assert file.read_text(encoding="utf-8").startswith("# Before\n## slotproof\n\n1 run, 1 as")


def test_summary_ends_with_what_was_exercised_if_that_is_known(
    holding: JudgedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    coverage = Coverage(runs=["split redis-7.0"], called={"election.grant_vote": "split redis-7.0"})

    append_summary([holding], coverage)

    text = file.read_text(encoding="utf-8").partition("### Coverage of 1 runs")[2]
    assert f"| switches of the rules | {len(SWITCHES)} | 0 | " in text
    assert "_`election.grant_vote`_, `" in text
    assert "`ALREADY_VOTED`" in text
    assert "redirection.decide" not in text


def test_the_end_of_a_run_that_never_settles_is_told(tmp_path: Path) -> None:
    found = explored("meeting", "redis-7.0")
    (suite,) = junit([found], tmp_path)

    told = cases(suite)["HS-P1"].findtext("system-out") or ""
    assert "\nat the end: the last " in told
    assert "from here no run without further faults comes to where it holds for good\n" in told


def test_without_github_there_is_no_summary(
    holding: JudgedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)

    append_summary([holding])

    assert not list(tmp_path.iterdir())


# The commands


def test_check_writes_all_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    files = ["--junit", str(tmp_path / "new" / "j.xml"), "--sarif", str(tmp_path / "s.sarif")]

    result = CliRunner().invoke(
        cli.command, ["take-back", "--dialect", "redis-7.0", *files, "--github"]
    )

    assert result.exit_code == 0
    assert result.output.count("::notice file=spec/20-properties.md,line=") == 2
    assert "::error" not in result.output
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"j.xml", "s.sarif", "summary.md"}


def test_bugs_that_are_where_they_should_be_pass_and_others_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(each for each in GALLERY if each.id == "K14")
    swapped = attrs.evolve(case, found=case.absent[:1], absent=case.found[:1])
    file = tmp_path / "bugs.xml"
    seen: list[set[str]] = []
    for each in (case, swapped):
        monkeypatch.setattr(bugs, "GALLERY", (each,))
        CliRunner().invoke(bugs.command, ["--junit", str(file)])
        root = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - written here
        seen.append({failure.attrib["type"] for failure in root.iter("failure")})

    assert seen == [set(), {"violated", "mended"}]

"""What `slotproof spec` prints.

Clauses: none, this is about how the specification is read.
"""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from reference.__main__ import main
from reference.core.rules import DIALECTS, SWITCHES
from reference.spec.report import clause_lines
from reference.spec.ties import read_functions
from reference.spec.trace import read_trace


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["spec", *arguments])


def read(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    return json.loads(result.output)


def _line_of(module: str, name: str) -> int:
    return next(f.line for f in read_functions() if (f.module, f.name) == (module, name))


def test_a_clause_is_printed_with_all_that_is_tied_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(read_functions()[0].path).parents[1])
    line = _line_of("reference.core.failure", "take_report")

    result = run("FD-3")

    assert result.exit_code == 0
    title, _, *body = result.output.splitlines()
    assert title.startswith("FD-3  Who reports  (rule, spec/07-failure.md:")
    assert body[0].startswith("  Gossip of a master that another node is in PFAIL or FAIL MUST")
    words = " ".join(result.output.split())
    assert "Why the majority is one of masters." in words
    assert "Counterpart `clusterProcessGossipSection`. Differs in Redis masters" in words
    assert "Switch empty_masters_report: redis-7.0 on, " in words
    where = f"reference/core/failure.py:{line}"
    assert f"Realised by reference.core.failure.take_report {where}" in words
    assert "Shown by tests/unit/test_failure.py" in words


def test_from_elsewhere_files_are_named_by_their_whole_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    path = next(f.path for f in read_functions() if f.module == "reference.core.failure")

    assert f" {path}:" in run("FD-3").output


def test_several_clauses_are_printed_in_the_order_asked_for() -> None:
    headings = [line for line in run("EL-P1", "fd-1").output.splitlines() if "spec/" in line]

    assert [line.split()[0] for line in headings] == ["EL-P1", "FD-1"]
    assert "failover" in run("EL-P1").output.partition("Models")[2].split()


def test_what_is_not_realised_is_said() -> None:
    trace = read_trace()
    clause = attrs.evolve(
        trace.by_id["FD-3"], clause_id="FD-99", notes={"Not realised": "nobody needs it"}
    )

    output = "\n".join(clause_lines(trace, clause))

    assert "  Not realised  nobody needs it" in output
    assert "Realised by" not in output


def test_every_clause_can_be_printed() -> None:
    ids = list(read_trace().by_id)

    result = run(*ids)

    assert result.exit_code == 0
    assert [c["id"] for c in read(*ids)["clauses"]] == ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FD-33"], "no clause FD-33; near it: FD-3"),
        (["FD3"], "near it: FD-3"),
        (["XX-999"], "no clause XX-999"),
        (["FD-3", "FD-99999"], "no clause FD-99999; near it: FD-"),
        (["FD-3", "--dialects"], "only one of them"),
        (["--search", "x", "--dialects"], "only one of them"),
    ],
)
def test_bad_usage_is_told_and_exits_with_2(arguments: list[str], message: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.output
    assert "Who reports" not in result.output


def test_alone_it_lists_the_chapters() -> None:
    trace = read_trace()

    lines = run().output.splitlines()

    assert lines[0].split() == ["chapter", "ids", "clauses", "title"]
    assert [line.split()[0] for line in lines[1:-1]] == [c.name for c in trace.chapters]
    (failure,) = (line.split() for line in lines if line.startswith("07-failure.md"))
    (count,) = (len(c.clauses) for c in trace.chapters if c.name == "07-failure.md")
    assert failure == ["07-failure.md", "FD", str(count), "Failure", "detection"]
    assert lines[-1].split() == [str(len(trace.clauses)), "in", "all"]


def test_dialects_are_a_row_for_each_switch() -> None:
    head, *rows = (line.split() for line in run("--dialects").output.splitlines())

    assert head == ["switch", "clause", *DIALECTS]
    assert [row[0] for row in rows] == list(SWITCHES)
    assert rows[0][:3] == ["empty_masters_report", "FD-3", "on"]


def test_search_names_the_clauses_that_say_it() -> None:
    result = run("--search", "who REPORTS")

    assert result.exit_code == 0
    assert "FD-3  Who reports  spec/07-failure.md:" in result.output


def test_search_that_finds_nothing_exits_with_1() -> None:
    result = run("--search", "zookeeper")

    assert result.exit_code == 1
    assert result.output == "no clause says 'zookeeper'\n"


def test_json_of_a_clause_has_the_same() -> None:
    (clause,) = read("FD-3")["clauses"]

    assert (clause["id"], clause["kind"], clause["chapter"]) == ("FD-3", "rule", "07-failure.md")
    assert clause["text"].startswith("Gossip of a master")
    assert clause["switches"]["empty_masters_report"]["redis-7.0"] is True
    (function,) = clause["realised_by"]
    assert function["function"] == "reference.core.failure.take_report"
    assert function["line"] == _line_of("reference.core.failure", "take_report")
    assert Path(function["file"]).is_file()
    assert "tests/unit/test_failure.py" in clause["shown_by"]
    assert "failover" in read("EL-P1")["clauses"][0]["models"]


def test_json_of_chapters_dialects_and_searches() -> None:
    chapters = {chapter["file"]: chapter for chapter in read()["chapters"]}
    first, *_ = read("--dialects")["switches"]

    assert chapters["07-failure.md"]["ids"] == ["FD"]
    assert first["clause"] == "FD-3"
    assert first["dialects"].keys() == DIALECTS.keys()
    assert [clause["id"] for clause in read("--search", "Who reports")["clauses"]] == ["FD-3"]

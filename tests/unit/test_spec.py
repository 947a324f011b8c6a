"""Chapters, ties and the generated tables are read back as they are written.

Clauses: none, this is about how the specification is read.
"""

import tomllib
from pathlib import Path

import pytest

from reference.core.rules import DIALECTS, REDIS_7_0, SWITCHES
from reference.spec import dialects
from reference.spec.chapters import INSTALLED, Chapter, parse_chapter, read_chapter
from reference.spec.ties import functions_of, read_functions
from reference.spec.trace import Trace, Witness, parse_witnesses, read_trace
from tests.traceability import ROOT

CHAPTER = """# Elections

### EL-4 One vote per epoch

A node MUST NOT vote
twice.

> Why: two majorities
> share a voter.
> Counterpart: `f`. Differs: `redis-7.0`
> asks first.
> Switch: `one_vote_per_epoch`.

This binds nobody: it MAY say more.

## Next

### EL-P1 Safety

> Why: x.
"""

SOURCE = """
@clause("EL-4", "EL-5")
async def vote(state): ...

class Ballot:
    @clause("EL-4")
    def _count(self): ...
    size = 1

@final
def free(): ...
"""


def test_a_clause_is_read_with_its_text_and_its_notes() -> None:
    first, second = parse_chapter("10-election.md", CHAPTER)

    assert (first.clause_id, first.title) == ("EL-4", "One vote per epoch")
    assert first.body == "A node MUST NOT vote\ntwice."
    assert first.text == "A node MUST NOT vote twice."
    assert first.key_words == ["MUST NOT"]
    assert first.notes["Why"] == "two majorities share a voter."
    assert (first.counterpart, first.differs) == ("`f`.", "`redis-7.0` asks first.")
    assert first.switches == ["one_vote_per_epoch"]
    assert first.place == "spec/10-election.md:3 EL-4"
    assert first.link == "10-election.md#el-4-one-vote-per-epoch"
    assert (first.kind, second.kind) == ("rule", "property")
    assert (second.counterpart, second.differs) == ("", "")


def test_digest_follows_the_words_and_not_the_line_breaks() -> None:
    one, other, third = (
        next(parse_chapter("x.md", f"### EL-4 Votes\n\n{text}\n\n> Why: {why}\n"))
        for text, why in [("A b.", "c"), ("A\nb.", "d"), ("A c.", "c")]
    )

    assert one.digest == other.digest
    assert one.digest != third.digest


def test_a_chapter_has_the_title_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "10-election.md"
    path.write_text(CHAPTER, encoding="utf-8")

    chapter = read_chapter(path)

    assert (chapter.name, chapter.title) == ("10-election.md", "Elections")
    assert chapter.prefixes == ["EL"]
    assert [clause.clause_id for clause in chapter.clauses] == ["EL-4", "EL-P1"]


def test_functions_are_read_with_their_ties() -> None:
    vote, count, free = functions_of("reference.core.election", SOURCE)

    assert (vote.name, vote.line, vote.clauses) == ("vote", 3, ("EL-4", "EL-5"))
    assert (count.short, count.clauses) == ("election.Ballot._count", ("EL-4",))
    assert (vote.is_public, count.is_public) == (True, False)
    assert (free.place, free.clauses) == ("reference/core/election.py:11 free", ())


def test_functions_of_the_package_are_where_they_say() -> None:
    for function in read_functions():
        line = function.path.read_text(encoding="utf-8").splitlines()[function.line - 1]
        assert f"def {function.name.split('.')[-1]}" in line


@pytest.fixture
def trace() -> Trace:
    clauses = tuple(parse_chapter("10-election.md", CHAPTER))
    return Trace(
        [Chapter("00-terms.md", "Terms", ()), Chapter("10-election.md", "Elections", clauses)],
        list(functions_of("reference.core.election", SOURCE)),
        [
            Witness("tests/test_x.py", (), excused=True),
            Witness("tests/unit/test_election.py", ("EL-4", "EL-P1")),
        ],
        [Witness("model claims", ("EL-P1",))],
    )


def test_table_names_code_tests_and_models(trace: Trace) -> None:
    first, second = trace.clauses
    functions = "`election.Ballot._count`, `election.vote`"

    assert [f.short for f in trace.realised_by(first)] == [
        "election.Ballot._count",
        "election.vote",
    ]
    assert "00-terms.md" not in trace.table()
    assert trace.table().partition("## ")[2].splitlines() == [
        "[10-election.md](10-election.md)",
        "",
        "| clause | title | realised by | shown by | digest |",
        "|-|-|-|-|-|",
        f"| EL-4 | One vote per epoch | {functions} | unit/test_election | `{first.digest}` |",
        f"| EL-P1 | Safety |  | unit/test_election, model claims | `{second.digest}` |",
    ]


def test_witnesses_are_read_back_from_the_table(trace: Trace) -> None:
    tests, models = parse_witnesses(trace.table())

    assert tests == [test for test in trace.tests if test.clauses]
    assert models == trace.models


@pytest.mark.parametrize("text", ["VOTE\ntwice", "one vote", "share a voter", "one_vote_per"])
def test_a_clause_is_found_by_its_title_words_notes_and_switch(trace: Trace, text: str) -> None:
    assert [clause.clause_id for clause in trace.saying(text)] == ["EL-4"]


def test_installed_specification_is_whole() -> None:
    trace = read_trace()

    assert {model.name for model in trace.models} >= {"model claims", "model failover"}
    assert trace.by_id["EL-4"].switches == ["one_vote_per_epoch"]
    assert "reference.core.election" in {f.module for f in trace.realised_by(trace.by_id["EL-4"])}


def test_a_wheel_has_the_chapters_where_they_are_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert "spec" in wheel["only-include"]
    assert ROOT / wheel["sources"]["spec"] == INSTALLED


def test_each_switch_has_a_row_with_what_each_dialect_does() -> None:
    rows = dialects.rows(read_trace().clauses)

    assert tuple(row.switch for row in rows) == SWITCHES
    for name, rules in DIALECTS.items():
        assert {row.switch: row.on[name] for row in rows} == {
            switch: getattr(rules, switch) for switch in SWITCHES
        }
    first = rows[0]
    assert (first.switch, first.clause_id) == ("empty_masters_report", "FD-3")
    assert first.words[list(DIALECTS).index(REDIS_7_0.dialect)] == "on"


def test_a_switch_without_clause_has_a_row_too() -> None:
    row, *_ = dialects.rows([])

    assert row.clause_id == ""
    assert f"| `{row.switch}` |  |  | on |" in dialects.table([])

"""Specification, code, tests and models name each other, and nothing is named that is not there.

Clauses: none, this is about how clauses are tied.
"""

import inspect
import re
from pathlib import Path
from typing import Final

import pytest

import reference.core.rules
from reference.core.rules import SWITCHES
from reference.spec.chapters import CLAUSE_ID, anchor
from reference.spec.trace import Trace, Witness
from tests.traceability import ROOT, SPEC, generated, read_trace

WITHOUT_CLAUSE: Final = {
    "announce.ping": "puts a header and gossip together, which have clauses",
    "announce.pong": "puts a header and gossip together, which have clauses",
    "announce.meet": "puts a header and gossip together, which have clauses",
    "roles.in_same_shard": "reads two entries of the table",
    "state.node_epoch": "reads an entry of the table",
}
"""Public functions of the core that realise no clause of their own, and why."""

PAGES: Final = ("model_check/README.md", "reference/runtime/README.md")
"""What is read besides the specification and what lies at the top."""
NO_RULES: Final = {"types", "nodes", "messages", "events", "effects", "rules"}
"""The modules of the core that hold values only."""


@pytest.fixture(scope="module")
def trace() -> Trace:
    return read_trace()


def _complain(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


def test_ids_are_unique(trace: Trace) -> None:
    seen: dict[str, str] = {}
    complaints = []
    for clause in trace.clauses:
        if clause.clause_id in seen:
            complaints.append(f"{clause.place}: also at {seen[clause.clause_id]}")
        seen[clause.clause_id] = clause.place

    _complain(complaints)


def test_each_clause_has_exactly_one_key_word(trace: Trace) -> None:
    _complain(
        [
            f"{c.place}: key words {', '.join(c.key_words) or 'none'}, expected one"
            for c in trace.clauses
            if len(c.key_words) != 1 and "Withdrawn" not in c.notes
        ]
    )


def test_each_clause_says_why_and_names_its_counterpart(trace: Trace) -> None:
    _complain(
        [
            f"{c.place}: no line '> {note}: ...'"
            for c in trace.clauses
            for note in ("Why", "Counterpart")
            if not c.notes.get(note) and "Withdrawn" not in c.notes
        ]
    )


def test_code_names_only_clauses_that_exist(trace: Trace) -> None:
    _complain(
        [
            f"{function.place}: no clause {clause_id} in spec/"
            for function in trace.functions
            for clause_id in function.clauses
            if clause_id not in trace.by_id
        ]
    )


def _unknown(witnesses: list[Witness], trace: Trace) -> list[str]:
    return [
        f"{witness.name}: no clause {clause_id} in spec/"
        for witness in witnesses
        for clause_id in witness.clauses
        if clause_id not in trace.by_id
    ]


def test_tests_name_only_clauses_that_exist(trace: Trace) -> None:
    _complain(_unknown(trace.tests, trace))


def test_models_name_only_clauses_that_exist(trace: Trace) -> None:
    _complain(_unknown(trace.models, trace))


def test_each_rule_is_realised_by_a_function_or_says_why_not(trace: Trace) -> None:
    _complain(
        [
            f"{c.place}: no function bears it, and no line '> Not realised: ...'"
            for c in trace.clauses
            if c.is_to_be_realised and not trace.realised_by(c)
        ]
    )


def test_what_is_said_not_to_be_realised_is_not(trace: Trace) -> None:
    _complain(
        [
            f"{c.place}: not realised, but borne by {function.place}"
            for c in trace.clauses
            if "Not realised" in c.notes
            for function in trace.realised_by(c)
        ]
    )


def test_each_rule_is_shown_by_a_test_or_says_why_not(trace: Trace) -> None:
    _complain(
        [
            f"{c.place}: no test file names it, and no line '> Not shown: ...'"
            for c in trace.clauses
            if c.is_to_be_realised
            and "Not shown" not in c.notes
            and not any(c.clause_id in test.clauses for test in trace.tests)
        ]
    )


def test_each_property_is_checked_by_a_model(trace: Trace) -> None:
    if not trace.models:
        pytest.skip("there are no models yet")
    _complain(
        [
            f"{c.place}: no model checks it"
            for c in trace.clauses
            if c.kind == "property"
            and "Not realised" not in c.notes
            and not any(c.clause_id in model.clauses for model in trace.models)
        ]
    )


def test_each_public_function_of_a_rule_module_bears_a_clause(trace: Trace) -> None:
    _complain(
        [
            f"{f.place}: no @clause, and no reason in WITHOUT_CLAUSE"
            for f in trace.functions
            if f.module.startswith("reference.core.")
            and f.module.split(".")[-1] not in NO_RULES
            and f.is_public
            and "." not in f.name
            and not f.clauses
            and f.short not in WITHOUT_CLAUSE
        ]
    )


def test_each_function_bears_its_clauses_in_one_decorator(trace: Trace) -> None:
    _complain([f"{f.place}: more than one @clause" for f in trace.functions if len(f.ties) > 1])


def test_exceptions_are_functions_without_clause(trace: Trace) -> None:
    without = {f.short for f in trace.functions if not f.clauses}

    assert WITHOUT_CLAUSE.keys() - without == set()


def test_each_test_file_names_a_clause_or_says_why_not(trace: Trace) -> None:
    _complain(
        [
            f"{test.name}: no line 'Clauses: ...' in its docstring"
            for test in trace.tests
            if not test.clauses and not test.excused
        ]
    )


def test_each_switch_belongs_to_exactly_one_clause(trace: Trace) -> None:
    named = [(switch, clause) for clause in trace.clauses for switch in clause.switches]
    complaints = [
        f"{clause.place}: no switch {switch} in Rules"
        for switch, clause in named
        if switch not in SWITCHES
    ]
    for switch in SWITCHES:
        places = [clause.place for name, clause in named if name == switch]
        if len(places) != 1:
            complaints.append(f"reference/core/rules.py {switch}: clauses {places}, expected one")

    _complain(complaints)


def test_comment_beside_a_switch_names_its_clause(trace: Trace) -> None:
    source = inspect.getsource(reference.core.rules)
    complaints = []
    for clause in trace.clauses:
        for switch in clause.switches:
            field = re.search(rf"^    {switch}: bool.*?#(.*)$", source, re.MULTILINE)
            if field is None or CLAUSE_ID.findall(field[1]) != [clause.clause_id]:
                complaints.append(f"reference/core/rules.py {switch}: say # {clause.clause_id} ...")

    _complain(complaints)


def test_chapters_mention_only_clauses_that_exist(trace: Trace) -> None:
    _complain(
        [
            f"spec/{path.relative_to(SPEC)}: no clause {clause_id}"
            for path in sorted(SPEC.rglob("*.md"))
            for clause_id in sorted(set(CLAUSE_ID.findall(path.read_text(encoding="utf-8"))))
            if clause_id not in trace.by_id
        ]
    )


def test_each_chapter_is_listed(trace: Trace) -> None:
    contents = (SPEC / "README.md").read_text(encoding="utf-8")

    _complain(
        [f"spec/README.md: no row for {c.name}" for c in trace.chapters if c.name not in contents]
    )


def test_links_between_chapters_and_pages_lead_somewhere() -> None:
    pages = (*ROOT.glob("*.md"), *(ROOT / name for name in PAGES), *SPEC.rglob("*.md"))
    _complain(
        [
            f"{path.relative_to(ROOT)}: dead link {target}"
            for path in sorted(pages)
            for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
            if not target.startswith(("http:", "https:")) and not _leads_somewhere(path, target)
        ]
    )


def _leads_somewhere(path: Path, target: str) -> bool:
    name, _, fragment = target.partition("#")
    aim = (path.parent / name).resolve() if name else path
    if not aim.is_file():
        return aim.is_dir() and not fragment
    headings = re.findall(r"^#+ (.+)$", aim.read_text(encoding="utf-8"), re.MULTILINE)
    return not fragment or fragment in {anchor(heading) for heading in headings}


@pytest.mark.parametrize("name", ["TRACE.md", "dialects.md", "claims.md"])
def test_generated_file_is_up_to_date(name: str) -> None:
    path = SPEC / name

    assert path.exists(), "run: python -m tests.traceability --write"
    assert path.read_text(encoding="utf-8") == generated()[path], (
        f"spec/{name} is out of date: read again what changed, then run "
        "python -m tests.traceability --write"
    )

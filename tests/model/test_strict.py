"""In `strict` every model holds, and each of its rules is there for a story.

Clauses: EL-27, EP-13, EP-14, HB-17, NO-13, SC-33, SC-34, SC-35, SC-36, SC-37, SC-38, SC-39,
SC-40, EL-21.
"""

import pytest

from model_check.engine import Limits
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import system_of
from model_check.models.silent import SilentSystem
from model_check.run import Run, check
from reference.core.rules import STRICT, SWITCHES, VALKEY_9_1
from tests.model.strict_reasons import NOT_ASKED, PARTED, SILENT
from tests.model.strict_runs import LARGE, asked, line_of, read_lines, table
from tests.model.strict_runs import explored as explored_for_all
from tests.model.strict_scopes import ALL, UNFINISHED
from tests.traceability import SPEC

LINES = read_lines()


def explored(model: str, *without: str, links: str = "") -> Run:
    chosen = MODELS[model]
    kind = parse_links(links) if links else chosen.usual_links(STRICT)
    return check(
        chosen,
        STRICT,
        kind,
        without=without,
        limits=Limits(seconds=120),
        states_after_violation=1_000_000,
    )


def violated(run: Run) -> dict[str, int]:
    return {
        result.id: len(result.trace.steps) if result.trace else 0
        for result in run.found.properties
        if result.verdict == "violated" and result.kind != "sometimes"
    }


@pytest.mark.parametrize(
    "model", [name for name, line in LINES.items() if line["transitions"] <= LARGE]
)
def test_all_that_is_claimed_anywhere_holds_in_every_model(model: str) -> None:
    run = explored_for_all(model)
    line = line_of(run)

    assert line == LINES[model]
    assert set(run.surprises) == set(line["violated"])
    assert run.vacuous == ()
    assert run.strays == ()


def test_all_is_decided_but_in_scopes_that_are_too_large() -> None:
    """Also in the runs that are too large to be made here."""
    broken = {(name, each) for name, line in LINES.items() for each in line["violated"]}

    assert list(LINES) == list(ALL)
    assert broken == NOT_ASKED.keys()
    assert {name for name, line in LINES.items() if "stopped" in line} == set(UNFINISHED)
    for name, line in LINES.items():
        left = {prop.id for prop in asked(ALL[name]) if prop.kind != "sometimes"}
        assert left == {*line["holds"], *line["violated"], *line["undecided"]}, name
        assert bool(line["undecided"]) == ("stopped" in line), name


@pytest.mark.parametrize(("model", "name"), NOT_ASKED)
def test_what_cannot_be_asked_is_for_the_reason_that_is_given(model: str, name: str) -> None:
    scope = ALL[model].scope(STRICT)
    silent = isinstance(system_of(scope), SilentSystem)
    reason = NOT_ASKED[model, name]

    assert silent or reason != SILENT
    assert scope.parted or reason != PARTED


def test_the_table_is_what_was_decided() -> None:
    assert (SPEC / "strict-runs.md").read_text("utf-8") == table()


def test_nothing_is_expected_to_fail_but_a_witness_of_what_strict_prevents() -> None:
    expected = {
        (model.name, each.property_id)
        for model in MODELS.values()
        for each in model.expected
        if STRICT.dialect in each.dialects
    }

    assert expected == {("take-back", "SC-P1:witness-lost")}


TWINS = [
    ("unique_epochs", "takeover-collision", "held(0)", {"SC-P1": 2, "SC-P8": 4}),
    ("unique_epochs", "import-election", "held(0)", {"SC-P1": 7}),
    ("unique_epochs", "granted-and-replaced", "held(0)", {"SC-P1": 11}),
    ("unique_epochs", "views", "held(1)", {"EL-P1": 8}),
    ("taken_slots_are_kept", "take-back", "held(1)", {"SC-P8": 2}),
    ("taken_slots_are_kept", "takeover-collision", "held(0)", {"SC-P8": 3}),
    ("taken_slots_are_kept", "takeover-and-crash", "held(0)", {"SC-P8": 3}),
    ("taken_slots_are_kept", "import-stays", "held(0)", {"SM-P1": 8}),
    ("learnt_epoch_is_saved", "learnt-epoch", "held(0)", {"EP-P2": 2}),
    ("owners_are_not_forgotten", "forget", "held(0)", {"SC-P2": 4}),
    ("reset_owners_take_back", "reset-owner", "held(0)", {"SC-P2": 9}),
    ("empty_master_follows_shard", "return", "held(0)", {"SC-P7": 2}),
    ("demoted_keep_no_slots", "demoted", "held(1)", {"SC-P5": 6}),
    ("old_headers_are_ignored", "late-role", "held(1)", {"SC-P4": 15}),
    ("old_headers_are_ignored", "circle", "held(1)", {"SC-P6": 7}),
    ("named_masters_are_masters", "circle", "held(1)", {"SC-P6": 8}),
    ("updates_add_slots", "successor-dies", "held(0)", {"SC-P2": 9}),
    ("told_imports_are_kept", "late-claim", "held(1)", {"SC-P3": 10}),
]


@pytest.mark.parametrize(("switch", "model", "links", "stories"), TWINS)
def test_without_a_rule_its_story_is_back(
    switch: str, model: str, links: str, stories: dict[str, int]
) -> None:
    assert violated(explored(model, switch, links=links)) == stories


def test_each_rule_of_strict_has_a_story() -> None:
    own = {name for name in SWITCHES if getattr(STRICT, name) and not getattr(VALKEY_9_1, name)}

    assert own == {switch for switch, *_ in TWINS}


@pytest.mark.parametrize("links", ["held(1)", "held(2)"])
@pytest.mark.parametrize("model", ["take-back", "takeover-collision", "role-switch", "return"])
def test_more_delay_changes_nothing(model: str, links: str) -> None:
    assert explored(model, links=links).surprises == ()

"""Known bugs are found where they are and absent where they are mended, and nothing else is new.

Clauses: SC-P2, SC-P3, SC-P4, SC-P5, SC-P6, SC-P7, SC-P8, EL-P1, EL-P2, EL-P3, HS-P1.
"""

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from model_check import bugs, gallery
from model_check.gallery import GALLERY, Case, Outcome, Place, look, places, visits
from model_check.models import MODELS
from model_check.models.at_rest import ELECTABLE
from model_check.models.cluster import Process
from model_check.models.start import three_masters, without_dead
from reference.core.rules import DIALECTS

STEPS = {
    "K1": {0},
    "K2": {16},
    "K3": {12},
    "K4": {6},
    "K5": {4},
    "K6": {9},
    "K7": {3},
    "K8": {4},
    "K9": {4},
    "K10": {15},
    "K10b": {15, 20},
    "K11": {2},
    "K12": {10, 11},
    "K13": {13},
    "K14": {9},
    "K15": {7},
}
"""How long the shortest story of each is, in whatever dialect."""

QUICK = [case for case in GALLERY if case.id not in {"K2", "K3", "K10", "K10b", "K12"}]
SLOW = [
    (case, place, expected)
    for case in GALLERY
    if case not in QUICK
    for place, expected in visits(case, ("valkey-8.1", "valkey-9.1"))
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bugs.command, list(arguments))


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.id)
def test_bug_is_found_where_it_is_and_absent_where_it_is_mended(case: Case) -> None:
    for place, expected in visits(case, DIALECTS):
        seen = look(case, place, expected)

        assert (place, seen.outcome) == (place, expected)
        assert expected == "absent" or seen.steps in STEPS[case.id]


@pytest.mark.parametrize(
    ("case", "place", "expected"),
    SLOW,
    ids=[f"{case.id}-{place.describe()}" for case, place, _ in SLOW],
)
def test_bug_of_a_larger_scope_is_found_or_absent(
    case: Case, place: Place, expected: Outcome
) -> None:
    seen = look(case, place, expected)

    assert seen.outcome == expected
    assert expected == "absent" or seen.steps in STEPS[case.id]


def test_every_known_bug_is_looked_for_or_said_to_be_missing() -> None:
    assert {case.id.removesuffix("b") for case in GALLERY} == {f"K{n}" for n in range(1, 16)}


def test_every_case_is_found_somewhere_and_says_why_if_it_is_mended_nowhere() -> None:
    for case in GALLERY:
        assert case.found
        assert case.absent or case.note


def test_no_case_starts_with_messages_on_their_way() -> None:
    for case in GALLERY:
        for rules in DIALECTS.values():
            assert MODELS[case.model].scope(rules).stale == ()


def test_what_is_expected_of_models_is_what_the_gallery_shows() -> None:
    for case in GALLERY:
        model = MODELS[case.model]
        for place in (place for place in case.found if not place.without):
            assert model.expects(case.property_id, DIALECTS[place.dialect]) is not None
        for place in case.absent:
            assert model.expects(case.property_id, DIALECTS[place.dialect]) is None


def test_command_shows_a_table_and_tells_the_story(tmp_path: Path) -> None:
    file = tmp_path / "bugs.json"

    result = run("K8", "--dialect", "redis-8.0", "--story", "--json", str(file))

    assert result.exit_code == 0
    assert "receives the late PONG (replica of A" in result.output
    (row,) = json.loads(file.read_text())["bugs"]
    assert (row["id"], row["verdict"], row["steps"]) == ("K8", "found", 4)


def test_command_writes_stories_that_can_be_replayed(tmp_path: Path) -> None:
    result = run("K4", "--dialect", "valkey-9.1", "--stories", str(tmp_path))

    assert result.exit_code == 0
    assert (tmp_path / "observer-valkey-9.1-SC-P2.json").exists()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (attrs.evolve(QUICK[0], found=places("redis-7.0")), 1),
        (attrs.evolve(QUICK[0], absent=(), found=QUICK[0].found), 0),
    ],
)
def test_exit_code_is_1_unless_all_is_as_expected(
    monkeypatch: pytest.MonkeyPatch, case: Case, code: int
) -> None:
    monkeypatch.setattr(bugs, "GALLERY", (case,))

    assert run().exit_code == code


def test_a_limit_is_neither_found_nor_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "SECONDS", 1e-9)

    result = run("K6", "--dialect", "valkey-9.1")

    assert result.exit_code == 3
    assert "incomplete (expected: absent)" in result.output


def test_exit_code_is_2_for_a_bug_that_nobody_knows() -> None:
    result = run("K99")

    assert result.exit_code == 2
    assert "'K99' is not one of" in result.output


def test_a_replica_of_a_dead_master_is_electable_if_a_majority_can_vote() -> None:
    nodes = without_dead(three_masters(DIALECTS["redis-7.0"], "D"), "A")
    up = [Process(state=node, saved=None) for node in nodes]
    alone = [up[0], Process(state=None, saved=None), up[2]]

    assert ELECTABLE.judge(tuple(ELECTABLE.project(*each) for each in enumerate(up)))
    assert not ELECTABLE.judge(tuple(ELECTABLE.project(*each) for each in enumerate(alone)))

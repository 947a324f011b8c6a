"""The models with operators and returns: each rule is there for a reason, and what is expected.

Clauses: SC-P1, SC-P2, SC-P3, SC-P4, SC-P5, SC-P6, SC-P7, SC-P8, EP-P1, EL-P2, HS-P1.
"""

import attrs
import pytest
from click.testing import CliRunner

from model_check import __main__ as cli
from model_check.engine import Limits
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.model import Expected
from model_check.run import Run, check
from reference.core.rules import DIALECTS


def explored(model: str, dialect: str, *without: str) -> Run:
    return check(
        MODELS[model],
        DIALECTS[dialect],
        MODELS[model].usual_links(DIALECTS[dialect]),
        without=without,
        states_after_violation=2_000_000,
        limits=Limits(seconds=120),
    )


def violated(run: Run) -> dict[str, int]:
    """The violated properties with the length of their shortest story."""
    return {
        result.id: len(result.trace.steps) if result.trace else 0
        for result in run.found.properties
        if result.verdict == "violated"
    }


@pytest.mark.parametrize(
    ("model", "without", "expected"),
    [
        ("split", ("collision_resolution",), {"SC-P2": 0}),
        ("observer", ("not_claiming_slots",), {"SC-P2": 6}),
        ("importer-dies", ("setslot_is_replicated",), {"SC-P3"}),
        ("takeover", ("sub_replica_guard_at_role_change",), {"SC-P4"}),
        ("role-switch", ("role_switch_hands_over",), {"SC-P5"}),
        ("role-switch", ("stale_role_switch_is_ignored",), {"SC-P5", "SC-P6"}),
        ("dead-epoch", ("refused_candidate_is_updated",), {"EL-P2"}),
        ("meeting", ("reliable_meet", "meet_is_repeated"), {"HS-P1"}),
        ("meeting", ("reliable_meet",), set()),
        ("meeting", ("meet_is_repeated",), set()),
        ("return", ("only_own_shard_is_followed",), set()),
        ("restarts", ("claims_need_newer_epoch",), {"SC-P8"}),
        ("restarts", ("stale_role_switch_is_ignored",), {"SC-P6"}),
        ("second-failover", ("merge_current_epoch",), {"SC-P1"}),
        ("reset", ("meet_is_repeated",), {"SC-P2", "HS-P1"}),
        ("reset-hard", ("reliable_meet", "meet_is_repeated"), {"HS-P1"}),
        ("forget-and-meet", ("meet_is_repeated",), {"HS-P1"}),
        ("introduced", ("meet_introduces",), {"HS-8:witness"}),
        ("tracked", ("atomic_slot_migration",), {"SM-31:witness"}),
        ("partition", ("merge_current_epoch",), {"SC-P1:witness-follow"}),
    ],
)
def test_each_rule_is_there_for_a_reason(
    model: str, without: tuple[str, ...], expected: set[str] | dict[str, int]
) -> None:
    broken = set(violated(explored(model, "valkey-9.1", *without)))

    assert set(expected) <= broken if model == "partition" else set(expected) == broken


def test_every_property_of_a_model_has_a_witness_in_it_or_in_another() -> None:
    ids = {each.id for model in MODELS.values() for each in model.properties}

    claimed = {each.split(":", maxsplit=1)[0] for each in ids}
    assert {each for each in claimed if f"{each}:witness" not in ids} == {"EP-P2"}


def test_expectations_name_properties_and_dialects_that_there_are() -> None:
    for model in MODELS.values():
        for each in model.expected:
            assert each.property_id in {prop.id for prop in model.properties}
            assert set(each.dialects) <= DIALECTS.keys()
            assert each.told


def test_exit_code_is_0_for_an_expected_violation_and_the_reason_is_shown() -> None:
    result = CliRunner().invoke(cli.command, ["importer-dies", "--dialect", "redis-7.0"])

    assert result.exit_code == 0
    assert "violated, as expected (K6, redis#6339; SM-7)  SC-P3" in result.output


def test_exit_code_is_1_if_an_expected_violation_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Expected(property_id="SC-P2", dialects=("redis-7.0",), told="Z1", clause="SC-1")
    model = attrs.evolve(MODELS["split"], expected=(wrong,))
    monkeypatch.setitem(MODELS, "split", model)

    result = CliRunner().invoke(cli.command, ["split", "--dialect", "redis-7.0"])

    assert result.exit_code == 1
    assert "holds, though known not to (Z1; SC-1)  SC-P2" in result.output


def test_with_a_rule_turned_off_nothing_is_missed() -> None:
    run = explored("importer-dies", "redis-7.0", "importing_slots_are_guarded")

    assert run.surprises == ()


def test_other_links_may_hide_what_is_expected() -> None:
    run = check(MODELS["role-switch"], DIALECTS["redis-8.0"], parse_links("held(0)"))

    assert violated(run) == {}
    assert run.surprises == ()

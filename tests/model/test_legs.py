"""Faults by leg: what spec/legs.md says is found, and by each leg that models the fault.

Clauses: EL-P1, SC-P1, SC-P2, EP-P1, EL-P4.
"""

import subprocess
import sys

import attrs
import pytest
from click.testing import CliRunner

from model_check.induction.setting import FREE, MODELLED
from model_check.legs import command as cli
from model_check.legs.faults import FAULTS, LEGS, Fault
from model_check.legs.page import cells_of, page, way_of
from model_check.legs.ways import (
    RULES,
    Checked,
    InTlc,
    NotFoundError,
    NotModelled,
    Proved,
    steps_as_the_core_has_them,
    told_of_tlc,
)
from reference.core.rules import SWITCHES
from tests.traceability import ROOT

PAGE = (ROOT / "spec" / "legs.md").read_text(encoding="utf-8")
WRITTEN = cells_of(PAGE)

LONG = {"late_votes_count", "vote_checks_request_epoch"}
"""Faults that need millions of states in a model; other tests find both, in other ways."""

MODELS_OF_ALL = 11
"""So many faults at least are seeded in all three legs."""


WITHOUT_Z3 = """
import sys
sys.modules["z3"] = None  # as if it were not installed
from reference.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["bumps", "--leg", "check"], 0, "SC-P1"),
        (["bumps", "--leg", "prove"], 2, "pip install 'slotproof[prove]'"),
        (["--help"], 0, "Seed FAULTs"),
    ],
)
def test_without_z3_the_other_legs_go_on(arguments: list[str], code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_Z3, "legs", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert said in done.stdout + done.stderr


def test_the_page_is_of_these_faults() -> None:
    assert page(WRITTEN) == PAGE
    assert list(WRITTEN) == list(FAULTS)


def test_there_are_enough_faults_and_most_are_in_all_legs() -> None:
    everywhere = [
        fault
        for fault in FAULTS.values()
        if not any(isinstance(way_of(fault, leg), NotModelled) for leg in LEGS)
    ]

    assert len(FAULTS) >= 12
    assert len(everywhere) >= MODELS_OF_ALL


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in LONG])
def test_the_checker_finds_what_the_page_says(name: str) -> None:
    assert FAULTS[name].check.find() == WRITTEN[name]["check"]


@pytest.mark.parametrize("name", FAULTS)
def test_the_proof_finds_what_the_page_says(name: str) -> None:
    assert FAULTS[name].prove.find() == WRITTEN[name]["prove"]


@pytest.mark.parametrize("name", FAULTS)
def test_tlc_finds_what_the_page_says(name: str) -> None:
    """That TLC needs as many steps as the checker in each configuration is a test of the twin."""
    way = FAULTS[name].tlc
    assert isinstance(way, InTlc)
    steps = steps_as_the_core_has_them(way)

    assert WRITTEN[name]["tlc"] == (way.find() if steps is None else told_of_tlc(way, steps))


def test_what_the_proof_does_not_model_is_none_of_its_rules_or_free_in_it() -> None:
    for fault in FAULTS.values():
        if isinstance(fault.prove, NotModelled):
            agreement = "agreement" in fault.prove.why
            assert fault.name in FREE or fault.name not in MODELLED or agreement


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_switch_is_off_in_every_leg(fault: Fault) -> None:
    if fault.name not in SWITCHES or fault.name == "late_votes_count":
        return
    assert isinstance(fault.check, Checked)
    assert fault.check.off == (fault.name,)
    assert isinstance(fault.prove, NotModelled | Proved)
    assert isinstance(fault.prove, NotModelled) or fault.prove.off == (fault.name,)


@pytest.mark.parametrize(
    "way",
    [
        Checked(model="two-replicas", property_id="EL-P1", links="held(0)"),
        Proved(property_id="EL-P1", conjunct="one-vote"),
        InTlc(negative="nobody_wins", gone=True),
    ],
)
def test_a_leg_that_does_not_notice_says_so(way: Checked | Proved | InTlc) -> None:
    with pytest.raises(NotFoundError):
        way.find()


def test_the_command_ends_with_1_if_a_leg_does_not_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = attrs.evolve(
        FAULTS["one_vote_per_epoch"], prove=Proved(property_id="EL-P1", conjunct="one-vote")
    )
    monkeypatch.setitem(FAULTS, fault.name, fault)

    done = CliRunner().invoke(cli.command, [fault.name, "--leg", "prove"])

    assert done.exit_code == 1
    assert "NOT FOUND: slotproof prove" in done.output


def test_the_command_tells_what_a_leg_finds() -> None:
    done = CliRunner().invoke(cli.command, ["bumps", "--leg", "check"])

    assert done.exit_code == 0, done.output
    assert "`take-back`, `held(1)`: SC-P1, 1 step" in done.output
    assert RULES.dialect == "valkey-9.1"


def test_a_page_is_of_all_faults() -> None:
    done = CliRunner().invoke(cli.command, ["bumps", "--markdown", "x.md"])

    assert done.exit_code == 2

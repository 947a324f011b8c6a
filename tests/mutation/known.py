"""What is mutated, which tests must notice, and which mutants are known to be no change at all."""

import tomllib
from pathlib import Path
from typing import Final

import attrs

from tests.traceability import ROOT

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

TESTS = {
    "election": (
        "test_election.py",
        "test_election_dialects.py",
        "test_election_edges.py",
        "test_strict.py",
    ),
    "epochs": ("test_epochs.py", "test_epochs_edges.py", "test_strict.py"),
    "epoch_kinds": ("test_epoch_kinds.py",),
    "slot_config": (
        "test_slot_config.py",
        "test_slot_config_open_slots.py",
        "test_slot_config_edges.py",
        "test_strict.py",
        "test_taken_slots.py",
    ),
    "roles": ("test_roles.py", "test_roles_edges.py", "test_strict.py"),
    "failure": ("test_failure.py", "test_failure_edges.py"),
}
"""The tests of each module of reference/core, in tests/unit: its own, and those of `strict`."""


@attrs.frozen(kw_only=True)
class Known:
    """A mutant that does what the code does, and why."""

    module: str
    function: str
    before: str
    after: str
    why: str


def read_known() -> list[Known]:
    """What is written down about survivors."""
    return [Known(**row) for row in tomllib.loads(EQUIVALENT.read_text()).get("mutant", ())]


def source_of(module: str) -> str:
    """The text of the module."""
    return (ROOT / "reference" / "core" / f"{module}.py").read_text()

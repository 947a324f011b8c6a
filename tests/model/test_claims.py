"""What chapter 20 says of each property is complete, and is what models, proof and TLA+ say.

Clauses: EL-P1, EL-P2, EL-P3, EL-P4, EL-P5, EP-P1, EP-P2, HS-P1, SC-P1, SC-P2, SC-P3, SC-P4, SC-P5,
SC-P6, SC-P7, SC-P8, SM-P1.
"""

import re

import pytest

from model_check.induction.invariant import PROPERTIES
from model_check.legs.claims import claimed
from reference.core.rules import DIALECTS
from tests.traceability import SPEC

LABELS = ("Legs", "Assumes", "Holds in", "Not claimed")
"""What is said of every property, in this order."""


def blocks() -> dict[str, str]:
    """What stands of each property, by its id."""
    chapters = [(SPEC / name).read_text("utf-8") for name in _CHAPTERS]
    found = (
        re.findall(r"^### ([A-Z]{2}-P\d+) (.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
        for text in chapters
    )
    return {name: block for each in found for name, block in each}


_CHAPTERS = ("20-properties.md", "15-slot-migration.md")
BLOCKS = blocks()


def said(name: str, label: str) -> str:
    """What stands behind a label, in one line."""
    found = re.search(rf"^- {label}: (.*?)(?=^- |\Z)", BLOCKS[name], re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def test_the_properties_of_the_models_are_those_of_the_chapters() -> None:
    assert BLOCKS.keys() == claimed().keys()


@pytest.mark.parametrize("name", BLOCKS)
def test_each_property_says_all_that_a_reader_needs(name: str) -> None:
    at = [BLOCKS[name].find(f"\n- {label}: ") for label in LABELS]

    assert -1 not in at, dict(zip(LABELS, at, strict=True))
    assert at == sorted(at)
    assert f"claims.md#{name.lower()}" in said(name, "Holds in")


@pytest.mark.parametrize("name", BLOCKS)
def test_the_legs_of_a_property_are_those_that_have_it(name: str) -> None:
    module = (SPEC / "tla" / "RedisCluster.tla").read_text("utf-8")
    legs = ["check"]
    legs += ["prove"] * (name in {each.id for each in PROPERTIES})
    legs += ["TLC"] * bool(re.search(rf"\\\* INV: {name}\b", module))

    assert re.findall(r"\b(?:check|prove|TLC)\b", said(name, "Legs")) == legs


@pytest.mark.parametrize("name", BLOCKS)
def test_what_is_named_as_an_exception_is_one(name: str) -> None:
    """A model that the text names beside a dialect is one that claims the property."""
    claiming = {model.name for model, _ in claimed()[name]}
    words = set(re.findall(r"`([a-z-]+)`", said(name, "Holds in")))

    assert words - {"strict", "late_votes_count"} - DIALECTS.keys() <= claiming

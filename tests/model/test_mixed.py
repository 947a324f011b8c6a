"""Who has to be strict in a cluster of strict nodes and nodes of Valkey 9.1, as chapter 22 says.

Clauses: EL-P1, SC-P1, EP-P2, SC-P2, SC-P5, SC-P7, SC-P8, EP-13, SC-33, SC-34, SC-35, SC-38, SC-40.
"""

import re

import pytest

from tests.model.mixed import QUICK, SLOW, Row, explored
from tests.traceability import SPEC


@pytest.mark.parametrize("row", QUICK, ids=lambda row: f"{row.model}-{row.property_id}")
def test_these_nodes_have_to_be_strict_and_no_others(row: Row) -> None:
    assert explored(row.model, row.property_id) == row


def test_chapter_22_has_a_row_for_each() -> None:
    text = (SPEC / "22-strict.md").read_text(encoding="utf-8")

    told = re.findall(r"^\| `([a-z-]+)`, ([A-Z]{2}-P\d) \|", text, re.MULTILINE)

    assert sorted(told) == sorted((row.model, row.property_id) for row in (*QUICK, *SLOW))

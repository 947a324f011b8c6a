"""What leads to what under fairness: the engine judges as a plain search does, by chance systems.

Clauses: none, the engine knows no protocol.
"""

import pytest
from hypothesis import assume, given, settings

from model_check.engine import Limits, explore
from model_check.engine.oracle import explore_plainly
from model_check.links import parse_links
from model_check.properties import LeadsTo, Property
from tests.property.test_engine_oracle import KINDS, TableSystem, compare, systems

LIVELY: tuple[Property, ...] = (
    LeadsTo(id="q comes to 2", project=lambda _, state: state, then=lambda all_: all_[1] == 2),
    LeadsTo(
        id="p in 1 leads to q in 1",
        project=lambda _, state: state == 1,
        when=lambda in_one: in_one[0],
        then=lambda in_one: in_one[1],
        late=lambda process, event: (lambda in_one: in_one[0]) if event == process else None,
    ),
    LeadsTo(
        id="p in 0 leads to q not in 0, budgets apart",
        project=lambda _, state: state,
        when=lambda all_: all_[0] == 0,
        then=lambda all_: all_[1] != 0,
        beyond=lambda all_: all_[0] != 2,
    ),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(system=systems())
def test_engine_and_oracle_agree_on_what_leads_to_what(kind: str, system: TableSystem) -> None:
    links = parse_links(kind)
    whole = explore(system, links, (), Limits(states=300))
    assume(whole.verdict != "incomplete")  # too large for the oracle to be quick

    found = explore(system, links, LIVELY, Limits())

    compare(found, explore_plainly(system, links, LIVELY), system)

"""Reductions are refused, with the reason, for what is judged on the whole graph.

Clauses: none, the engine knows no protocol.
"""

from itertools import combinations
from typing import Any, get_args

import pytest

from model_check.engine.soundness import Reduction, why_unsound
from model_check.properties import (
    ON_GRAPHS,
    Invariant,
    LeadsTo,
    Property,
    Settles,
    Sometimes,
    StepProperty,
)

REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
SHOWN: dict[str, Any] = {"project": lambda _, state: state}
PROPERTIES: tuple[Property, ...] = (
    Invariant(id="invariant", judge=all, **SHOWN),
    StepProperty(id="step", judge=lambda *_: True),
    Sometimes(id="sometimes", judge=any, **SHOWN),
    Settles(id="settles", judge=all, **SHOWN),
    LeadsTo(id="leads_to", then=all, **SHOWN),
)


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.kind)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_what_is_judged_on_the_graph_takes_no_reduction(
    prop: Property, reduction: Reduction
) -> None:
    reasons = why_unsound([prop], [reduction])

    assert bool(reasons) == (prop.kind in ON_GRAPHS)
    assert all(reason.startswith(f"{prop.id} with {reduction}: ") for reason in reasons)


def test_each_property_is_told_of_with_each_reduction() -> None:
    for count in range(4):
        for chosen in combinations(REDUCTIONS, count):
            assert len(why_unsound(PROPERTIES, (*chosen, *chosen))) == 2 * count

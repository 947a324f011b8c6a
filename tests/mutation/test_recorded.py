"""A run that is recorded tells whether a change of the code changes it, and whether it is noticed.

Clauses: none, this is about the tests.
"""

import attrs
import pytest

from model_check.models import MODELS
from reference.core import epochs
from reference.core.rules import DIALECTS
from tests.mutation.recorded import Recorded, amiss, changed, changed_by_switch, flipped, record


@pytest.fixture(scope="module")
def split() -> Recorded:
    return record(MODELS["split"], DIALECTS["valkey-9.1"])


def test_the_code_as_it_is_changes_no_step_and_nothing_is_amiss(split: Recorded) -> None:
    assert "epochs.merge_epochs" in split.made_by
    assert not any(changed(split, name) for name in split.made_by if name not in split.judged_by)
    assert amiss(split, split.scope) == ()


def test_a_function_that_does_nothing_changes_steps_and_is_noticed(
    split: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def merge_nothing(state: object, *_: object) -> object:
        return state

    monkeypatch.setattr(epochs.merge_epochs, "__code__", merge_nothing.__code__)

    assert changed(split, "epochs.merge_epochs")
    assert amiss(split, split.scope) != ()


def test_a_switch_that_is_turned_changes_steps_and_is_noticed(split: Recorded) -> None:
    assert changed_by_switch(split, "config_epoch_only_rises")
    assert not changed_by_switch(split, "late_votes_count")

    rules = flipped(split.rules, "config_epoch_only_rises")
    nodes = tuple(attrs.evolve(node, rules=rules) for node in split.scope.nodes)

    assert amiss(split, attrs.evolve(split.scope, nodes=nodes)) != ()

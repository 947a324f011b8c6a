"""CLUSTER FAILOVER in the stream of a master that ends: who is named, and who is not.

Clauses: MF-11.
"""

from typing import Final

import attrs
import pytest

from reference.core.effects import Happening, Refusal
from reference.core.events import ClusterFailover, FailoverOption
from reference.core.rules import RELEASES, VALKEY_9_1, Rules
from reference.core.step import step
from tests.builders import A1, A2, replies, told, view

FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)


@pytest.mark.parametrize("rules", RELEASES.values(), ids=lambda rules: rules.dialect)
def test_who_is_named_by_its_master_takes_over_where_the_release_does_so(rules: Rules) -> None:
    named = attrs.evolve(FORCE, named=A1, master_link_up=False)

    after, effects = step(view(A1, rules=rules), named)

    if rules.master_names_successor:
        assert after == step(view(A1, rules=rules), FORCE)[0]
        assert Happening.MANUAL_FAILOVER_CAN_START in told(effects)
    else:
        assert told(effects) == [Refusal.NOT_NAMED]


def test_other_replicas_than_the_one_named_do_nothing() -> None:
    state, _ = step(view(A1, rules=VALKEY_9_1), FORCE)

    after, effects = step(state, attrs.evolve(FORCE, named=A2))

    assert after is state
    assert told(effects) == [Refusal.NOT_NAMED]
    assert replies(effects) == [None]

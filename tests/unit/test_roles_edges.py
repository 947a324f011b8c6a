"""Edges of the rules on roles that decide only rarely: each test kills a mutant of the code.

Clauses: SC-12, SC-13, SC-18, SC-28.
"""

import attrs
import pytest

from reference.core.effects import Effect, Notice, Refusal
from reference.core.open_slots import open_slots
from reference.core.roles import leave_sub_replica_chain, switch_role
from reference.core.rules import VALKEY_8_1, VALKEY_9_1
from reference.core.types import NodeId
from tests.builders import A1, A2, A, B, C, E, change, says, view


@pytest.mark.parametrize("grandmaster", [A, B, C])
def test_a_chain_is_left_whatever_the_nodes_are_called(grandmaster: NodeId) -> None:
    state = change(view(A2, replicas=2), A1, replicaof=grandmaster)
    state = change(state, A2, replicaof=A1)

    assert leave_sub_replica_chain(state, []).myself.replicaof == grandmaster


def test_a_circle_is_not_left() -> None:
    state = change(change(view(A2, replicas=2), A1, replicaof=A2), A2, replicaof=A1)

    assert leave_sub_replica_chain(state, []) is state


def test_whose_change_of_role_is_too_old_is_named() -> None:
    state, out = change(view(B, rules=VALKEY_8_1), A, config_epoch=9), list[Effect]()
    said = says(A, replicaof=A1, config_epoch=8, shard_id=state.nodes[A].shard_id)

    switch_role(state, A, said, out)

    assert Notice(what=Refusal.STALE_ROLE_SWITCH, subject=A) in out


def test_only_what_was_open_to_the_old_master_is_open_to_the_new_one() -> None:
    state = view(B, masters=5, rules=VALKEY_9_1)
    state = change(state, C, shard_id=state.nodes[A].shard_id)
    opened = open_slots([(1, A), (2, C), (3, E)])
    state = attrs.evolve(state, migrating_slots_to=opened, importing_slots_from=opened)
    said = says(C, replicaof=A1, config_epoch=9, shard_id=state.nodes[A].shard_id)

    after = switch_role(state, C, said, [])

    moved = open_slots([(1, A), (2, A1), (3, E)])
    assert after is not None
    assert (after.migrating_slots_to, after.importing_slots_from) == (moved, moved)

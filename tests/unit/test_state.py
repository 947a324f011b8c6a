"""The state of a node, what of it survives a crash, and how it starts again.

Clauses: MO-4, MO-6, EL-9, EP-7, EP-8, FD-12, SC-2.
"""

import attrs
import pytest

from reference.core.nodes import NodeTable
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import bind_slots, durable, new_node, node_epoch, restarted
from reference.core.types import Health, Role, ShardId
from tests.builders import A1, STRANGER, A, B, C, add, address_of, candidate, change, slots, view


@pytest.mark.parametrize(("rules", "shard"), [(REDIS_7_0, None), (VALKEY_9_1, ShardId("x"))])
def test_a_new_node_is_a_master_that_knows_nobody(rules: Rules, shard: ShardId | None) -> None:
    state = new_node(rules, A, shard_id=ShardId("x"), address=address_of(A))

    assert [node.node_id for node in state.nodes] == [A]
    assert state.myself.is_master
    assert not state.myself.slots
    assert shard == state.myself.shard_id
    assert state.current_epoch == state.last_vote_epoch == 0


@pytest.mark.parametrize(("masters", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_quorum_is_the_smallest_majority_of_the_masters_with_slots(
    masters: int, quorum: int
) -> None:
    state = add(view(A, masters=masters), STRANGER)

    assert masters == state.size
    assert quorum == state.needed_quorum


def test_failed_masters_count_for_the_size() -> None:
    state = change(view(A), B, health=Health.FAIL)

    assert state.size == 3


def test_a_node_in_handshake_is_not_known_yet() -> None:
    state = add(view(A), STRANGER, role=Role.UNKNOWN, handshake=True)

    assert state.known(STRANGER) is None
    assert state.known(None) is None
    assert state.nodes[B] == state.known(B)


def test_the_owner_of_a_slot_is_the_node_it_is_bound_to() -> None:
    assert view(A).owner(1) == view(A).nodes[B]
    assert view(A).owner(3) is None


def test_a_replica_has_the_config_epoch_of_its_master() -> None:
    state = change(view(A), A1, config_epoch=9)

    assert node_epoch(state, state.nodes[A1]) == 1
    assert node_epoch(state, state.nodes[C]) == 3


def test_bound_slots_leave_their_former_owners() -> None:
    state = bind_slots(view(A), A, slots(1, 7))

    assert slots(0, 1, 7) == state.nodes[A].slots
    assert state.nodes[B].slots == NO_SLOTS
    assert slots(2) == state.nodes[C].slots


@pytest.mark.parametrize(("rules", "left"), [(REDIS_7_0, slots(1, 2)), (VALKEY_9_1, slots(2))])
def test_whether_binding_a_slot_clears_its_mark_depends_on_the_release(
    rules: Rules, left: object
) -> None:
    state = attrs.evolve(view(A, rules=rules), owner_not_claiming_slot=slots(1, 2))

    state = bind_slots(state, A, slots(1))

    assert left == state.owner_not_claiming_slot


def test_elections_reports_marks_and_handshakes_do_not_survive_a_crash() -> None:
    state = change(candidate(voters=[B]), B, fail_reports=frozenset({C}))
    state = attrs.evolve(state, owner_not_claiming_slot=slots(1), last_vote_epoch=2)
    state = add(state, STRANGER, handshake=True)

    saved = durable(state)

    assert saved.election is None
    assert not saved.owner_not_claiming_slot
    assert not saved.nodes[B].fail_reports
    assert STRANGER not in saved.nodes
    assert saved.current_epoch == 4
    assert saved.last_vote_epoch == 2
    assert saved.nodes[A].health is Health.FAIL


def test_without_persist_vote_the_vote_does_not_survive_a_crash() -> None:
    state = attrs.evolve(view(A, rules=REDIS_7_0.without("persist_vote")), last_vote_epoch=2)

    assert durable(state).last_vote_epoch == 0


def test_replicas_start_without_a_config_epoch_of_their_own() -> None:
    state = change(view(A), A1, config_epoch=7)

    started = restarted(durable(state))

    assert started.nodes[A1].config_epoch == 0
    assert started.nodes[C].config_epoch == 3


def test_a_replica_of_an_unknown_master_starts_with_the_config_epoch_it_had() -> None:
    state = change(view(A), A1, config_epoch=7, replicaof=None)

    assert restarted(state).nodes[A1].config_epoch == 7


def test_the_current_epoch_is_never_behind_a_config_epoch_at_the_start() -> None:
    assert restarted(attrs.evolve(view(A), current_epoch=1)).current_epoch == 3
    assert restarted(attrs.evolve(view(A), current_epoch=8)).current_epoch == 8


def test_putting_an_equal_entry_gives_the_very_same_state() -> None:
    state = view(A)

    assert state is state.put(state.nodes[B])
    assert NodeTable(state.nodes) == state.nodes

"""The node table, and who follows whom in it.

Clauses: FD-12, NO-9, NO-10, NO-11.
"""

import attrs
import pytest

from reference.core.messages import Gossip
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.rules import VALKEY_9_1
from reference.core.slots import NO_SLOTS
from reference.core.state import (
    ClusterState,
    bind_slots,
    durable,
    follow,
    lead,
    new_node,
    restarted,
)
from reference.core.types import Health, NodeId, Role
from tests.builders import A1, A2, STRANGER, A, B, C, add, change, slots, view

MASTER = ClusterNode(node_id=A, slots=slots(0))
EMPTY = ClusterNode(node_id=B)
REPLICA = ClusterNode(node_id=A1, role=Role.REPLICA, slots=slots(1))


@pytest.mark.parametrize(("node", "votes"), [(MASTER, True), (EMPTY, False), (REPLICA, False)])
def test_only_a_master_with_slots_votes(node: ClusterNode, *, votes: bool) -> None:
    assert votes == node.is_voting_master


def test_a_node_before_its_first_pong_is_neither_master_nor_replica() -> None:
    unknown = ClusterNode(node_id=A, role=Role.UNKNOWN)

    assert not unknown.is_master
    assert not unknown.is_replica


def test_nodes_come_in_the_order_of_their_ids() -> None:
    table = NodeTable([EMPTY, REPLICA, MASTER])

    assert list(table) == [MASTER, REPLICA, EMPTY]


def test_of_two_entries_with_one_id_the_later_counts() -> None:
    later = attrs.evolve(MASTER, config_epoch=5)

    assert later == NodeTable([MASTER, later])[A]


def test_a_table_tells_to_whom_a_replica_may_move() -> None:
    table = NodeTable([MASTER, EMPTY])
    changed = table.put(attrs.evolve(EMPTY, migrate_to=True))

    for _ in range(2):
        assert table.targets == frozenset()
        assert changed.targets == {B}


def test_equal_nodes_are_told_of_with_the_same_words() -> None:
    assert MASTER.told is attrs.evolve(MASTER).told
    assert MASTER.told == Gossip(node_id=A, health=Health.OK, role=Role.MASTER)


def test_putting_an_equal_entry_changes_nothing() -> None:
    table = NodeTable([MASTER, EMPTY])

    assert table is table.put(attrs.evolve(MASTER))


def test_putting_a_changed_entry_leaves_the_old_table_alone() -> None:
    table = NodeTable([MASTER, EMPTY])

    changed = table.put(attrs.evolve(MASTER, config_epoch=9))

    assert table[A].config_epoch == 0
    assert changed[A].config_epoch == 9
    assert [node.node_id for node in changed] == [A, B]


def test_a_new_entry_takes_its_place_in_the_order() -> None:
    table = NodeTable([MASTER, EMPTY]).put(REPLICA)

    assert [node.node_id for node in table] == [A, A1, B]


def test_a_removed_node_is_not_in_the_table() -> None:
    table = NodeTable([MASTER, EMPTY]).remove(A)

    assert A not in table
    assert table.get(A) is None
    assert len(table) == 1


def test_no_id_names_no_node() -> None:
    assert NodeTable([MASTER]).get(None) is None


def test_equal_tables_have_equal_hashes() -> None:
    one, other = NodeTable([MASTER, EMPTY]), NodeTable([EMPTY]).put(MASTER)

    assert one == other
    assert hash(one) == hash(other)
    assert one != NodeTable([MASTER])


def test_a_table_equals_only_tables() -> None:
    assert NodeTable([MASTER]) != {A: MASTER}


def test_a_table_shows_its_entries() -> None:
    assert repr(NodeTable([EMPTY])) == f"NodeTable([{EMPTY!r}])"


def marks(state: ClusterState) -> set[NodeId]:
    """The nodes to which a replica may move."""
    return {node.node_id for node in state.nodes if node.migrate_to}


def test_a_master_that_gets_a_replica_is_a_place_to_move_to() -> None:
    state = follow(change(view(C), A1, replicaof=None), A1, B)

    assert state.nodes[A1].is_replica
    assert state.nodes[A1].replicaof == B
    assert marks(state) == {B}


def test_a_master_that_loses_its_last_replica_is_none_any_more() -> None:
    state = change(view(C, replicas=2), A, migrate_to=True)

    one_left = follow(state, A1, B)
    none_left = follow(one_left, A2, B)

    assert marks(one_left) == {A, B}
    assert marks(none_left) == {B}


def test_to_follow_the_same_master_again_changes_nothing() -> None:
    state = view(C)

    assert follow(state, A1, A) is state


def test_a_replica_of_an_unknown_master_marks_nobody() -> None:
    state = change(view(C), A, migrate_to=True)

    for master in (None, STRANGER):
        after = follow(state, A1, master)

        assert after.nodes[A1].replicaof == master
        assert marks(after) == set()


def test_a_master_that_becomes_a_replica_loses_its_mark() -> None:
    state = follow(change(view(C), A, migrate_to=True), A, B)

    assert state.nodes[A].is_replica
    assert marks(state) == {B}


def test_a_replica_that_has_replicas_keeps_its_mark() -> None:
    state = change(view(C, replicas=2), A1, migrate_to=True)
    state = follow(change(state, A2, replicaof=A1), A1, B)

    assert marks(state) == {A1, B}


def test_a_replica_that_becomes_master_inherits_the_place() -> None:
    state = lead(change(view(C), A, migrate_to=True), A1)

    assert state.nodes[A1].is_master
    assert state.nodes[A1].replicaof is None
    assert marks(state) == {A1}


def test_a_node_does_not_mark_itself_when_it_becomes_master() -> None:
    state = lead(view(A1), A1)

    assert state.myself.is_master
    assert state.myself.replicaof is None
    assert marks(state) == set()


def test_a_node_that_becomes_master_keeps_the_mark_it_had() -> None:
    assert marks(lead(change(view(A1), A1, migrate_to=True), A1)) == {A1}


def test_a_replica_without_a_known_master_has_nothing_to_inherit() -> None:
    state = lead(change(view(C), A1, replicaof=None), A1)

    assert state.nodes[A1].is_master
    assert marks(state) == set()


def test_a_master_that_becomes_master_is_as_before() -> None:
    state = view(C)

    assert lead(state, A) is state


def test_a_first_slot_makes_a_place_where_any_master_has_replicas() -> None:
    state = add(view(C), STRANGER)
    alone = add(view(C, replicas=0), STRANGER)

    assert marks(bind_slots(state, STRANGER, slots(7))) == {STRANGER}
    assert marks(bind_slots(alone, STRANGER, slots(7))) == set()
    assert marks(bind_slots(state, B, slots(7))) == set()
    assert marks(bind_slots(state, STRANGER, NO_SLOTS)) == set()


def test_replicas_of_replicas_and_of_the_unknown_are_no_reason_for_a_place() -> None:
    state = add(view(C, replicas=2), STRANGER)

    for replicaof in (None, NodeId("gone"), A1):
        lost = change(change(state, A1, replicaof=None), A2, replicaof=replicaof)

        assert marks(bind_slots(lost, STRANGER, slots(7))) == set()


def test_a_mark_stays_when_slots_are_bound() -> None:
    state = change(view(C), B, migrate_to=True)

    assert marks(bind_slots(state, B, slots(7))) == {B}


def test_a_restart_finds_the_places_anew() -> None:
    state = add(change(view(C), C, migrate_to=True), STRANGER)
    alone = add(change(view(C, replicas=0), C, migrate_to=True), STRANGER)

    assert marks(durable(state)) == set()
    assert marks(restarted(durable(state))) == {A, B, C}
    assert marks(restarted(durable(alone))) == set()


def test_a_master_without_slots_is_a_place_after_a_restart_if_it_has_a_replica() -> None:
    state = change(view(C), A, slots=NO_SLOTS)

    assert marks(restarted(durable(state))) == {A, B, C}


def test_greetings_and_marks_do_not_outlive_a_restart() -> None:
    state = change(view(A1), A1, my_master_failed=True)
    state = attrs.evolve(change(state, B, meet=True), nodes_black_list=frozenset({STRANGER}))

    saved = durable(state)

    assert not saved.myself.my_master_failed
    assert not saved.nodes[B].meet
    assert not saved.nodes_black_list


def test_a_node_starts_as_a_master_without_slots_that_knows_nobody() -> None:
    state = new_node(VALKEY_9_1, A)

    assert [node.node_id for node in state.nodes] == [A]
    assert state.myself.is_master
    assert not state.myself.slots
    assert marks(state) == set()

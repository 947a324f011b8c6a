"""The node table: an immutable map in the order of the ids.

Clauses: FD-12.
"""

import attrs
import pytest

from reference.core.nodes import ClusterNode, NodeTable
from reference.core.types import Role
from tests.builders import A1, A, B, slots

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

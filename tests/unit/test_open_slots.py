"""The slots that are on their way to another node, or from one.

Clauses: SM-3.
"""

from reference.core.open_slots import NO_OPEN_SLOTS, OpenSlots, open_slots
from reference.core.slots import NO_SLOTS
from tests.builders import A, B, slots


def test_slots_are_kept_in_order_with_one_node_each() -> None:
    opened = NO_OPEN_SLOTS.open(7, A).open(1, B).open(7, B)

    assert list(opened) == [(1, B), (7, B)]
    assert opened == open_slots([(7, B), (1, B)])
    assert hash(opened) == hash(open_slots([(7, B), (1, B)]))
    assert (opened.get(7), opened.get(0)) == (B, None)
    assert opened.slots == slots(1, 7)


def test_slots_are_closed_by_number_and_by_node() -> None:
    opened = open_slots([(1, A), (2, B), (3, A)])

    assert opened.close(slots(1, 9)) == open_slots([(2, B), (3, A)])
    assert opened.close(slots(9)) is opened
    assert opened.without_node(A) == open_slots([(2, B)])
    assert open_slots([(2, B)]).without_node(A) == OpenSlots(((2, B),))


def test_nothing_open_is_the_same_as_no_slot() -> None:
    assert not NO_OPEN_SLOTS
    assert open_slots([(1, A)])
    assert NO_OPEN_SLOTS.slots == NO_SLOTS
    assert open_slots([(1, A)]).close(slots(1)) == NO_OPEN_SLOTS
    assert NO_OPEN_SLOTS.without_node(A) is NO_OPEN_SLOTS

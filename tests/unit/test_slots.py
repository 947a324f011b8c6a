"""Sets of slots, and the slot of a key.

Clauses: SL-1, SL-2.
"""

import pytest

from reference.core.slots import NO_SLOTS, SlotSet, key_hash_slot
from reference.core.types import SLOT_COUNT


def test_a_set_holds_exactly_the_slots_it_was_made_of() -> None:
    held = SlotSet.of([5, 0, 16383, 5])

    assert list(held) == [0, 5, 16383]
    assert len(held) == 3
    assert 5 in held
    assert 6 not in held


def test_a_negative_slot_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        SlotSet.of([-1])


def test_a_range_includes_both_ends() -> None:
    assert list(SlotSet.between(3, 5)) == [3, 4, 5]
    assert list(SlotSet.between(3, 3)) == [3]
    assert not SlotSet.between(5, 3)


def test_all_slots_are_one_range() -> None:
    every = SlotSet.between(0, SLOT_COUNT - 1)

    assert len(every) == 16384
    assert every.ranges == ((0, 16383),)


def test_union_intersection_and_difference_are_those_of_sets() -> None:
    low, high = SlotSet.of([1, 2]), SlotSet.of([2, 3])

    assert SlotSet.of([1, 2, 3]) == low | high
    assert SlotSet.of([2]) == low & high
    assert SlotSet.of([1]) == low - high


def test_only_the_empty_set_is_false() -> None:
    assert not NO_SLOTS
    assert SlotSet.of([0])


def test_a_set_is_printed_as_cluster_nodes_prints_it() -> None:
    assert str(SlotSet.of([0, 1, 2, 7, 9, 10])) == "0-2 7 9-10"
    assert not str(NO_SLOTS)


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        (b"", 0),
        (b"foo", 12182),
        (b"123456789", 0x31C3),
        (b"{foo}bar", 12182),
        (b"bar{foo}{baz}", 12182),
        (b"{}foo", 9500),
        (b"foo{}{bar}", 8363),
        (b"foo{bar", 15278),
    ],
)
def test_the_slot_of_a_key_is_the_hash_of_its_tag_or_of_all_of_it(key: bytes, slot: int) -> None:
    assert slot == key_hash_slot(key)

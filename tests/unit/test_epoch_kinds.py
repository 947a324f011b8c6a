"""Epochs that no two nodes take, and that say how they were come by.

Clauses: EP-13, EL-27.
"""

import pytest

from reference.core.epoch_kinds import LAST_EPOCH, EpochKind, kind_of, round_of, unique_epoch
from reference.core.types import NodeId
from tests.builders import A1, A, B, C

ROUND = 2**32


@pytest.mark.parametrize("kind", EpochKind)
@pytest.mark.parametrize("newest", [0, 1, ROUND - 1, ROUND, 7 * ROUND + 5])
def test_an_epoch_is_newer_than_the_newest_and_in_the_next_round(
    kind: EpochKind, newest: int
) -> None:
    epoch = unique_epoch(newest, A, kind)

    assert epoch // ROUND == newest // ROUND + 1


def test_no_two_nodes_and_no_two_kinds_have_one_epoch() -> None:
    taken = [unique_epoch(3, node, kind) for node in (A, B, C, A1) for kind in EpochKind]

    assert len(set(taken)) == len(taken)


def test_all_that_start_from_one_epoch_are_in_one_round() -> None:
    taken = [unique_epoch(7 * ROUND + 3, node, EpochKind.ELECTED) for node in (A, B, C)]

    assert {round_of(epoch) for epoch in taken} == {8}
    assert len(set(taken)) == 3


def test_the_last_round_is_the_last() -> None:
    last = LAST_EPOCH - LAST_EPOCH % ROUND

    assert round_of(unique_epoch(last - 1, A, EpochKind.ELECTED)) == round_of(last)
    assert unique_epoch(last, A, EpochKind.KEPT) == last
    assert unique_epoch(LAST_EPOCH, A, EpochKind.ELECTED) == LAST_EPOCH


@pytest.mark.parametrize("kind", EpochKind)
def test_an_epoch_says_how_its_owner_came_by_it(kind: EpochKind) -> None:
    assert kind_of(unique_epoch(5, A, kind), A) is kind


OTHERS = unique_epoch(5, A, EpochKind.KEPT)


@pytest.mark.parametrize("epoch", [1, 2, 3, ROUND, ROUND + 1, OTHERS, OTHERS + 1])
def test_an_epoch_of_a_release_says_nothing(epoch: int) -> None:
    assert kind_of(epoch, B) is None


def test_an_epoch_of_another_node_says_nothing() -> None:
    assert kind_of(unique_epoch(5, A, EpochKind.TAKEN_OVER), B) is None


def test_names_are_told_apart_by_all_of_their_text() -> None:
    one, other = NodeId("07c37dfeb235213a872192d90877d0cd55635b91"), NodeId("0" * 40)

    assert unique_epoch(0, one, EpochKind.KEPT) != unique_epoch(0, other, EpochKind.KEPT)


def test_what_others_have_to_read_is_so_to_the_bit() -> None:
    """The checksum of "a" is 0xE8B7BE43."""
    kinds = (EpochKind.ELECTED, EpochKind.KEPT, EpochKind.TAKEN_OVER, EpochKind.DEFENDED)

    assert [unique_epoch(0, A, kind) for kind in kinds] == [
        0x1_E8B7BE40, 0x1_E8B7BE41, 0x1_E8B7BE42, 0x1_E8B7BE43,
    ]  # fmt: skip
    assert LAST_EPOCH == 0xFFFF_FFFF_FFFF_FFFF

"""Edges of the epoch rules that decide only rarely: each test kills a mutant of the code.

Clauses: EP-4, EP-D1, EL-14.
"""

import pytest

from reference.core.effects import Effect, Happening, Notice
from reference.core.epoch_kinds import LAST_EPOCH
from reference.core.epochs import merge_epochs, resolve_collision
from reference.core.rules import VALKEY_9_1
from tests.builders import A, B, candidate, change, says, view


def test_an_epoch_has_64_bits() -> None:
    assert LAST_EPOCH == 0xFFFF_FFFF_FFFF_FFFF


def test_who_ended_an_election_is_named_with_its_epoch() -> None:
    state, out = candidate(rules=VALKEY_9_1), list[Effect]()

    merge_epochs(state, B, says(B, current_epoch=4, config_epoch=4), out)

    assert Notice(what=Happening.ELECTION_RESET, subject=B, epoch=4) in out


@pytest.mark.parametrize(
    ("mine", "known", "announced"), [(5, 2, 2), (1, 2, 2), (2, 2, 3), (2, 3, 3), (2, 2, 1)]
)
def test_epochs_that_are_not_all_three_equal_do_not_collide(
    mine: int, known: int, announced: int
) -> None:
    state = change(change(view(A), A, config_epoch=mine), B, config_epoch=known)
    out: list[Effect] = []

    assert resolve_collision(state, B, announced, out) is state
    assert not out

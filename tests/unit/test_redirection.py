"""Which node serves a command.

Clauses: RD-1, RD-2, RD-3, RD-4, RD-5, RD-6, RD-7.
"""

import attrs
import pytest

from reference.core.redirection import (
    SERVE,
    Asked,
    ClusterDown,
    CrossSlot,
    Decision,
    Moved,
    Unserved,
    decide,
)
from reference.core.state import ClusterState
from reference.core.types import NodeId
from tests.builders import A1, A2, A, B, view

READ = Asked(slots=[0], writes=False)
WRITE = Asked(slots=[0], writes=True)


def _decide(
    asked: Asked, me: NodeId = A, *, state_ok: bool = True, reads_when_down: bool = False
) -> Decision:
    state = view(me, replicas=2)
    return decide(state, asked, state_ok=state_ok, reads_when_down=reads_when_down)


def _at(asked: Asked, *slots: int) -> Asked:
    return attrs.evolve(asked, slots=slots)


@pytest.mark.parametrize("asked", [READ, WRITE])
def test_owner_serves(asked: Asked) -> None:
    assert _decide(asked) == SERVE


@pytest.mark.parametrize("asked", [READ, WRITE])
@pytest.mark.parametrize("me", [B, A1])
def test_others_send_the_client_to_the_owner(asked: Asked, me: NodeId) -> None:
    assert _decide(asked, me) == Moved(slot=0, owner=A)


def test_keys_of_one_slot_are_one_slot() -> None:
    assert _decide(_at(READ, 0, 0, 0)) == SERVE


@pytest.mark.parametrize("slots", [(0, 1), (1, 0), (0, 0, 7)])
def test_keys_of_different_slots_are_refused_before_anything_else(slots: tuple[int, ...]) -> None:
    assert _decide(_at(READ, *slots), state_ok=False) == CrossSlot()


def test_command_without_keys_is_served_even_when_the_cluster_is_down() -> None:
    assert _decide(_at(WRITE), B, state_ok=False) == SERVE


@pytest.mark.parametrize("state_ok", [True, False])
def test_unbound_slot_is_named_before_the_state(state_ok: bool) -> None:  # noqa: FBT001
    decision = _decide(_at(READ, 7), state_ok=state_ok)

    assert decision == ClusterDown(reason=Unserved.SLOT_UNBOUND)


@pytest.mark.parametrize("asked", [READ, WRITE])
@pytest.mark.parametrize("me", [A, B])
def test_nobody_is_served_or_sent_away_when_the_cluster_is_down(asked: Asked, me: NodeId) -> None:
    assert _decide(asked, me, state_ok=False) == ClusterDown(reason=Unserved.STATE_FAIL)


def test_reads_may_be_allowed_when_the_cluster_is_down() -> None:
    assert _decide(READ, state_ok=False, reads_when_down=True) == SERVE


def test_writes_are_then_refused_for_another_reason() -> None:
    decision = _decide(WRITE, state_ok=False, reads_when_down=True)

    assert decision == ClusterDown(reason=Unserved.READ_ONLY_STATE)


def test_replica_serves_reads_of_its_master_to_who_asked_for_it() -> None:
    asked = attrs.evolve(READ, readonly_session=True)

    assert _decide(asked, A1) == SERVE


@pytest.mark.parametrize(
    ("asked", "me", "owner"),
    [(_at(READ, 1), A1, B), (WRITE, A1, A), (READ, B, A)],
    ids=["another master's slot", "a write", "a master"],
)
def test_readonly_changes_nothing_else(asked: Asked, me: NodeId, owner: NodeId) -> None:
    asked = attrs.evolve(asked, readonly_session=True)

    assert _decide(asked, me) == Moved(slot=next(iter(asked.slots)), owner=owner)


def test_replica_of_a_replica_serves_no_reads() -> None:
    state: ClusterState = view(A2, replicas=2)
    chained = state.put(attrs.evolve(state.myself, replicaof=A1))

    decision = decide(chained, attrs.evolve(READ, readonly_session=True), state_ok=True)

    assert decision == Moved(slot=0, owner=A)

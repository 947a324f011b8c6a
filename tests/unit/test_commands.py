"""What operators may change at a node.

Clauses: CM-1, CM-2.
"""

import pytest

from reference.core.effects import Happening, Notice, Reply, SaveConfig
from reference.core.events import ClusterAddSlots, ClusterReplicate
from reference.core.rules import Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Role
from tests.builders import (
    A1,
    A2,
    EITHER,
    STRANGER,
    A,
    B,
    add,
    change,
    replies,
    slots,
    told,
    view,
)


@pytest.mark.parametrize("rules", EITHER)
def test_free_slots_belong_to_the_node_without_a_new_epoch(rules: Rules) -> None:
    state, effects = step(view(A, rules=rules), ClusterAddSlots(slots=slots(7, 8)))

    assert slots(0, 7, 8) == state.myself.slots
    assert state.myself.config_epoch == 1
    assert state.current_epoch == 3
    assert effects == (SaveConfig(fsync=False), Reply())


@pytest.mark.parametrize(("wanted", "busy"), [((2, 1, 7), 1), ((0, 7), 0)])
def test_no_slot_is_added_if_one_is_taken(wanted: tuple[int, ...], busy: int) -> None:
    state = view(A)

    after, effects = step(state, ClusterAddSlots(slots=slots(*wanted)))

    assert after is state
    assert replies(effects) == [f"ERR Slot {busy} is already busy"]


@pytest.mark.parametrize("rules", EITHER)
def test_an_empty_master_becomes_a_replica(rules: Rules) -> None:
    state = change(view(A, rules=rules), A, slots=NO_SLOTS)

    state, effects = step(state, ClusterReplicate(master=B))

    assert state.myself.replicaof == B
    assert state.myself.is_replica
    assert effects[0] == SaveConfig(fsync=True)
    assert Notice(what=Happening.FOLLOWED, subject=B) in effects
    assert replies(effects) == [None]


def test_a_replica_changes_its_master_even_with_keys() -> None:
    state, effects = step(view(A1), ClusterReplicate(master=B, holds_keys=True))

    assert state.myself.replicaof == B
    assert replies(effects) == [None]


EMPTY = change(view(A, replicas=2), A, slots=NO_SLOTS)


@pytest.mark.parametrize(
    ("state", "command", "error"),
    [
        (EMPTY, ClusterReplicate(master=STRANGER), "ERR Unknown node s"),
        (EMPTY, ClusterReplicate(master=A), "ERR Can't replicate myself"),
        (
            EMPTY,
            ClusterReplicate(master=A2),
            "ERR I can only replicate a master, not a replica.",
        ),
        (
            add(EMPTY, STRANGER, role=Role.UNKNOWN, handshake=True),
            ClusterReplicate(master=STRANGER),
            "ERR I can only replicate a master, not a replica.",
        ),
        (
            view(A),
            ClusterReplicate(master=B),
            "ERR To set a master the node must be empty and without assigned slots.",
        ),
        (
            EMPTY,
            ClusterReplicate(master=B, holds_keys=True),
            "ERR To set a master the node must be empty and without assigned slots.",
        ),
    ],
)
def test_a_node_that_cannot_be_a_replica_says_why(
    state: ClusterState, command: ClusterReplicate, error: str
) -> None:
    after, effects = step(state, command)

    assert after is state
    assert replies(effects) == [error]
    assert not told(effects)

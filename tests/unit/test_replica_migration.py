"""A spare replica moves to a master that has none.

Clauses: RM-1, RM-2, RM-3, RM-4, RM-5, RM-6, RM-7.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.effects import Happening, Notice, Refusal, SaveConfig
from reference.core.events import ReplicaMigrationDue
from reference.core.replica_migration import (
    orphans,
    possible_migrations,
    why_no_migration,
    why_not_spared,
)
from reference.core.rules import DIALECTS, Rules
from reference.core.settings import Settings
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Health, NodeId, Role
from tests.builders import A1, A2, STRANGER, A, B, C, add, change, told, view

ALL: Final = tuple(DIALECTS.values())
B1: Final = NodeId("b1")
SOME_SLOTS: Final = Settings(require_full_coverage=False)


def _state(me: NodeId = A1, **settings: Any) -> ClusterState:
    """A master with two replicas and two without, of which b once had some."""
    state = change(view(me, replicas=2), B, migrate_to=True)
    return attrs.evolve(state, settings=attrs.evolve(SOME_SLOTS, **settings))


def _with_rules(state: ClusterState, rules: Rules) -> ClusterState:
    return attrs.evolve(state, rules=rules)


@pytest.mark.parametrize("rules", ALL)
def test_the_replica_with_the_smallest_id_moves(rules: Rules) -> None:
    state = _with_rules(_state(), rules)
    assert timers(state)[-1] == ReplicaMigrationDue(orphan=B)

    state, effects = step(state, ReplicaMigrationDue(orphan=B))

    assert state.myself.replicaof == B
    assert effects[0] == SaveConfig(fsync=True)
    assert Happening.FOLLOWED in told(effects)
    assert not any(isinstance(timer, ReplicaMigrationDue) for timer in timers(state))


@pytest.mark.parametrize(
    ("fields", "orphaned"),
    [
        ({}, True),
        ({"health": Health.PFAIL}, True),
        ({"health": Health.FAIL}, False),
        ({"migrate_to": False}, False),
        ({"slots": NO_SLOTS}, False),
        ({"role": Role.REPLICA, "replicaof": C}, False),
        ({"noaddr": True}, False),
        ({"handshake": True}, False),
    ],
)
def test_an_orphan_has_slots_and_is_to_have_replicas(
    fields: dict[str, Any], *, orphaned: bool
) -> None:
    assert orphans(change(_state(), B, **fields)) == ((B,) if orphaned else ())


@pytest.mark.parametrize(
    ("health", "expected"), [(Health.OK, ()), (Health.PFAIL, ()), (Health.FAIL, (B,))]
)
def test_an_orphan_has_no_working_replica(health: Health, expected: tuple[NodeId, ...]) -> None:
    state = add(_state(), B1, role=Role.REPLICA, replicaof=B, health=health)

    assert orphans(state) == expected


def test_every_orphan_may_be_the_one() -> None:
    state = change(_state(), C, migrate_to=True)

    assert possible_migrations(state) == (B, C)
    assert [t.orphan for t in timers(state) if isinstance(t, ReplicaMigrationDue)] == [B, C]


def _master_with_replicas(state: ClusterState, *names: str) -> ClusterState:
    for name in names:
        state = add(state, NodeId(name), role=Role.REPLICA, replicaof=C)
    return state


REFUSED: Final[list[tuple[str, ClusterState, Refusal]]] = [
    ("a master", _state(A), Refusal.NO_REPLICA_TO_MOVE),
    ("its master is unknown", change(_state(), A1, replicaof=STRANGER), Refusal.NO_REPLICA_TO_MOVE),
    ("told to stay", _state(allow_replica_migration=False), Refusal.MAY_NOT_MOVE),
    ("no orphan", change(_state(), B, migrate_to=False), Refusal.NOT_ORPHANED),
    (
        "one replica for each master",
        change(_state(), A2, health=Health.FAIL),
        Refusal.TOO_FEW_REPLICAS,
    ),
    ("its master is in FAIL", change(_state(), A, health=Health.FAIL), Refusal.TOO_FEW_REPLICAS),
    (
        "its master is in FAIL and another has two",
        _master_with_replicas(change(_state(), A, health=Health.FAIL), "c1", "c2"),
        Refusal.OTHERS_HAVE_MORE,
    ),
    (
        "its master has one and another two",
        _master_with_replicas(change(_state(), A2, health=Health.FAIL), "c1", "c2"),
        Refusal.OTHERS_HAVE_MORE,
    ),
    (
        "another master has three",
        _master_with_replicas(_state(), "c1", "c2", "c3"),
        Refusal.OTHERS_HAVE_MORE,
    ),
    ("slots are missing", _state(require_full_coverage=True), Refusal.CLUSTER_DOWN),
    (
        "a minority",
        change(change(_state(), C, health=Health.FAIL), B, health=Health.PFAIL),
        Refusal.CLUSTER_DOWN,
    ),
    ("the barrier", _state(migration_barrier=2), Refusal.TOO_FEW_REPLICAS),
    (
        "a replica in PFAIL is not one to keep",
        change(_state(), A2, health=Health.PFAIL),
        Refusal.TOO_FEW_REPLICAS,
    ),
    (
        "those of another master are not its own",
        _master_with_replicas(change(_state(), A2, health=Health.PFAIL), "c1", "c2"),
        Refusal.TOO_FEW_REPLICAS,
    ),
    ("not the smallest id", _state(A2), Refusal.ANOTHER_MOVES),
    (
        "not the smallest id of two masters",
        _master_with_replicas(_state(), "a0", "c2"),
        Refusal.ANOTHER_MOVES,
    ),
]


@pytest.mark.parametrize(
    ("state", "refusal"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_replica_that_does_not_move_says_why(state: ClusterState, refusal: Refusal) -> None:
    after, effects = step(state, ReplicaMigrationDue(orphan=B))

    assert why_no_migration(state, B) is refusal
    assert after is state
    assert effects == (Notice(what=refusal, subject=B),)
    assert possible_migrations(state) == ()


def test_a_smaller_id_counts_only_beside_the_most_replicas() -> None:
    state = _master_with_replicas(_state(), "a0")

    assert why_not_spared(state) is None


@pytest.mark.parametrize("names", [("a0", "a3"), ("a0", "a3", "a4")])
def test_replicas_of_a_replica_are_no_replicas_of_a_master(names: tuple[str, ...]) -> None:
    state = _state()
    for name in names:
        state = add(state, NodeId(name), role=Role.REPLICA, replicaof=A2)

    assert why_not_spared(state) is None


@pytest.mark.parametrize("master", [None, STRANGER])
def test_replicas_of_nobody_are_left_out(master: NodeId | None) -> None:
    state = add(_state(), NodeId("a0"), role=Role.REPLICA, replicaof=master)

    assert why_not_spared(state) is None


def test_a_dead_replica_with_the_smallest_id_is_waited_for() -> None:
    state = add(_state(A2), NodeId("a3"), role=Role.REPLICA, replicaof=A)

    dead = change(state, A1, health=Health.FAIL)

    assert why_no_migration(dead, B) is Refusal.ANOTHER_MOVES


def test_replicas_of_a_dead_master_with_as_many_replicas_are_waited_for() -> None:
    state = change(_state(), C, health=Health.FAIL)

    assert why_not_spared(_master_with_replicas(state, "c1", "c2")) is None
    assert why_not_spared(_master_with_replicas(state, "a0", "c2")) is Refusal.ANOTHER_MOVES


@pytest.mark.parametrize(("barrier", "moves"), [(0, True), (1, True), (2, False)])
def test_the_master_keeps_as_many_replicas_as_the_barrier_says(
    barrier: int, *, moves: bool
) -> None:
    assert (why_no_migration(_state(migration_barrier=barrier), B) is None) is moves


def test_nobody_moves_to_a_node_that_is_unknown_or_has_replicas() -> None:
    assert why_no_migration(_state(), STRANGER) is Refusal.NOT_ORPHANED
    assert why_no_migration(_state(), A) is Refusal.NOT_ORPHANED

"""Edges of the rules on claims that decide only rarely: each test kills a mutant of the code.

Clauses: SC-4, SC-8, SC-13, SC-21, SC-22, SC-23, SC-25, SM-33.
"""

import attrs
import pytest

from reference.core.effects import Effect, Notice, Refusal
from reference.core.migration_jobs import JobName, MigrationStage, SlotMigration
from reference.core.open_slots import open_slots
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slot_config import Claim, claimable, newer_owner, update_slots_config_with
from reference.core.state import ClusterState
from reference.core.types import NodeId
from tests.builders import A1, A2, A, B, C, D, add, change, says, slots, view


def claimed(state: ClusterState, owner: NodeId, config_epoch: int, *numbers: int) -> ClusterState:
    """The state after the owner's claim to these slots."""
    claim = Claim(owner=owner, config_epoch=config_epoch, slots=slots(*numbers))
    return update_slots_config_with(state, claim, [])


@pytest.mark.parametrize("stage", MigrationStage)
def test_a_slot_that_was_granted_needs_no_newer_epoch(stage: MigrationStage) -> None:
    job = SlotMigration(name=JobName("1"), slots=slots(0), source=A, target=B, stage=stage)
    state = attrs.evolve(view(A, rules=VALKEY_9_1), slot_migrations=(job,))
    granted = slots(0) if stage is MigrationStage.FAILOVER_GRANTED else slots()

    assert claimable(state, Claim(owner=B, config_epoch=1, slots=slots(0, 1))) == granted
    assert claimable(state, Claim(owner=C, config_epoch=1, slots=slots(0, 2))) == slots()


def test_whose_claim_about_this_node_is_refused_is_named() -> None:
    out: list[Effect] = []

    update_slots_config_with(view(A), Claim(owner=A, config_epoch=9, slots=slots(1)), out)

    assert out == [Notice(what=Refusal.ABOUT_MYSELF, subject=A)]


@pytest.mark.parametrize(
    ("rules", "master"),
    [
        (REDIS_7_0, A),
        (VALKEY_9_1, A1),
        (VALKEY_9_1.without("sub_replica_guard_at_role_change"), A),
    ],
)
def test_a_claim_moves_a_replica_of_a_replica_only_where_no_role_change_does(
    rules: Rules, master: NodeId
) -> None:
    state = change(view(A2, replicas=2, rules=rules), A2, replicaof=A1)

    assert claimed(state, B, 5, 1, 7).myself.replicaof == master


def test_a_slot_right_after_one_that_is_taken_meets_the_new_epoch() -> None:
    state = change(change(view(A, rules=VALKEY_9_1), A, slots=slots(0, 7, 9)), B, slots=slots(1, 8))
    state = attrs.evolve(state, importing_slots_from=open_slots([(8, B)]))

    state = claimed(state, B, 2, 1, 7, 9)

    assert state.nodes[A].slots == slots(0, 8, 9)
    assert state.nodes[A].config_epoch == 4


def test_each_import_is_looked_at_although_the_claim_is_not_about_the_first() -> None:
    state = attrs.evolve(
        view(A, rules=VALKEY_9_1), importing_slots_from=open_slots([(7, C), (8, C)])
    )

    assert claimed(state, B, 5, 1, 8).importing_slots_from == open_slots([(7, C)])


@pytest.mark.parametrize(("target_epoch", "target"), [(4, B), (5, D), (9, D)])
def test_a_slot_goes_on_to_a_master_as_new_as_the_claim(target_epoch: int, target: NodeId) -> None:
    state = view(A, rules=VALKEY_9_1)
    state = add(state, D, config_epoch=target_epoch, shard_id=state.nodes[B].shard_id)
    state = attrs.evolve(state, migrating_slots_to=open_slots([(0, D)]))

    assert claimed(state, B, 5, 1).migrating_slots_to == open_slots([(0, target)])


@pytest.mark.parametrize(("mine", "follows"), [(4, True), (5, False), (6, False)])
def test_an_empty_master_follows_only_a_newer_one_of_its_shard(mine: int, follows: bool) -> None:  # noqa: FBT001
    state = view(A, rules=VALKEY_9_1)
    state = change(state, A, slots=slots(), config_epoch=mine)
    state = change(state, B, slots=slots(), shard_id=state.myself.shard_id)

    assert claimed(state, B, 5).myself.replicaof == (B if follows else None)


@pytest.mark.parametrize(("announced", "owner"), [(0, A), (1, None), (2, None)])
def test_only_an_owner_with_a_newer_epoch_is_in_the_way(announced: int, owner: NodeId) -> None:
    assert newer_owner(view(C), says(B, config_epoch=announced, claims=slots(0))) == owner

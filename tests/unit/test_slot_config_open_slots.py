"""What claims do to slots on their way from one node to another.

Clauses: SC-21, SC-22, SC-23, SC-24, SC-25.
"""

import attrs
import pytest

from reference.core.announce import pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, SaveConfig
from reference.core.messages import Pong
from reference.core.open_slots import NO_OPEN_SLOTS, OpenSlots, open_slots
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import Link, NodeId, Role, ShardId
from tests.builders import A1, STRANGER, A, B, C, D, add, change, hear, says, slots, told, view

ALL = tuple(RELEASES.values())
REDIS = (REDIS_7_0, REDIS_8_0, VALKEY_9_1.without("open_slots_follow_claims"))
VALKEY = (VALKEY_8_1, VALKEY_9_1)


def claims(
    state: ClusterState, owner: NodeId, config_epoch: int, *numbers: int
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which a master claims these slots in an announcement."""
    said = says(
        owner,
        config_epoch=config_epoch,
        claims=slots(*numbers),
        shard_id=state.nodes[owner].shard_id,
    )
    return hear(state, Pong(header=said), link=Link.INBOUND)


def importing(rules: Rules, *entries: tuple[int, NodeId], me: NodeId = A) -> ClusterState:
    """The view of a node that is importing these slots."""
    return attrs.evolve(view(me, rules=rules), importing_slots_from=open_slots(entries))


def migrating(rules: Rules, *entries: tuple[int, NodeId], me: NodeId = A) -> ClusterState:
    """The view of a node that gives these slots away."""
    return attrs.evolve(view(me, rules=rules), migrating_slots_to=open_slots(entries))


@pytest.mark.parametrize("number", [2, 7])
def test_whether_a_slot_that_is_being_imported_can_be_taken_depends_on_the_release(
    number: int,
) -> None:
    unguarded = REDIS_7_0.without("importing_slots_are_guarded")
    for rules, taken in (
        (REDIS_7_0, False),
        (REDIS_8_0, False),
        (unguarded, True),
        (VALKEY_8_1, True),
        (VALKEY_9_1, True),
    ):
        state, _ = claims(importing(rules, (number, C)), B, 5, 1, number, 9)

        assert (number in state.nodes[B].slots) is taken
        assert 9 in state.nodes[B].slots


@pytest.mark.parametrize("rules", REDIS)
def test_where_open_slots_do_not_follow_claims_they_stay_as_they_are(rules: Rules) -> None:
    state = importing(rules, (2, C))
    state = attrs.evolve(state, migrating_slots_to=open_slots([(0, C)]))
    state = change(state, A, slots=slots(0, 8))

    state, _ = claims(state, B, 5, 0, 1, 2)

    assert state.importing_slots_from == open_slots([(2, C)])
    assert state.migrating_slots_to == open_slots([(0, C)])


def with_d(state: ClusterState, *, of: NodeId, config_epoch: int = 5) -> ClusterState:
    """The table with one more master, in the shard of that node."""
    return add(state, D, config_epoch=config_epoch, shard_id=state.nodes[of].shard_id)


@pytest.mark.parametrize("rules", VALKEY)
def test_an_import_goes_on_from_the_new_master_of_its_source(rules: Rules) -> None:
    state = with_d(importing(rules, (1, B), (9, B)), of=B)

    state, _ = claims(state, D, 5, 1)

    assert state.importing_slots_from == open_slots([(1, D), (9, B)])


@pytest.mark.parametrize("rules", VALKEY)
@pytest.mark.parametrize("source", [B, STRANGER])
def test_an_import_of_a_slot_that_another_shard_took_is_over(rules: Rules, source: NodeId) -> None:
    state, _ = claims(importing(rules, (1, source), (9, B)), C, 5, 1, 2)

    assert state.importing_slots_from == open_slots([(9, B)])


@pytest.mark.parametrize("shard_id", [None, ShardId("shard-b")])
def test_an_import_from_the_claimant_itself_goes_on(shard_id: ShardId | None) -> None:
    state = change(importing(VALKEY_9_1, (7, B)), B, shard_id=shard_id)

    state, _ = claims(state, B, 2, 1, 7)

    assert state.nodes[B].slots == slots(1, 7)
    assert state.importing_slots_from == open_slots([(7, B)])


@pytest.mark.parametrize("rules", VALKEY)
def test_a_claim_that_wins_nothing_moves_no_import(rules: Rules) -> None:
    state = importing(rules, (1, B))

    assert claims(state, C, 1, 1, 2)[0] is state


@pytest.mark.parametrize("rules", VALKEY)
def test_a_slot_that_is_given_away_and_taken_by_another_shard_is_open_no_longer(
    rules: Rules,
) -> None:
    state = change(migrating(rules, (0, C), (8, C)), A, slots=slots(0, 8))

    state, _ = claims(state, B, 5, 0, 1)

    assert state.migrating_slots_to == open_slots([(8, C)])


@pytest.mark.parametrize("rules", ALL)
def test_slots_stay_open_at_a_master_that_was_replaced_where_they_follow_claims(
    rules: Rules,
) -> None:
    state = attrs.evolve(migrating(rules, (0, C)), importing_slots_from=open_slots([(1, B)]))

    state, _ = claims(state, A1, 5, 0)

    stays = rules in VALKEY
    assert state.myself.replicaof == A1
    assert state.migrating_slots_to == (open_slots([(0, C)]) if stays else NO_OPEN_SLOTS)
    assert state.importing_slots_from == (open_slots([(1, B)]) if stays else NO_OPEN_SLOTS)


@pytest.mark.parametrize("rules", ALL)
def test_no_slot_stays_open_at_a_master_that_moves_to_another_shard(rules: Rules) -> None:
    state = attrs.evolve(migrating(rules, (0, B)), importing_slots_from=open_slots([(2, C)]))

    state, _ = claims(state, B, 5, 0, 1)

    assert state.myself.replicaof == B
    assert not state.migrating_slots_to
    assert not state.importing_slots_from


TO_D = open_slots([(0, D)])
TO_B = open_slots([(0, B)])


@pytest.mark.parametrize(
    ("rules", "redirected"),
    [(rules, TO_B) for rules in REDIS] + [(rules, TO_D) for rules in VALKEY],
)
def test_whether_a_slot_goes_to_the_new_master_of_its_target_depends_on_the_release(
    rules: Rules, redirected: OpenSlots
) -> None:
    if not rules.shards:
        state = with_d(change(migrating(rules, (0, B)), B, shard_id=ShardId("x")), of=B)
    else:
        state = with_d(migrating(rules, (0, B)), of=B)

    state, effects = claims(state, D, 5, 9)

    assert state.migrating_slots_to == redirected
    assert effects == (SaveConfig(fsync=True),)


def test_a_redirection_alone_is_saved() -> None:
    """The claimant was a replica until now, so that its empty claim is looked at."""
    state = change(with_d(migrating(VALKEY_9_1, (0, B)), of=B), D, role=Role.REPLICA, replicaof=B)

    state, effects = claims(state, D, 5)

    assert state.migrating_slots_to == TO_D
    assert effects == (SaveConfig(fsync=True),)


@pytest.mark.parametrize(
    ("config_epoch", "target", "redirected"),
    [
        (2, {}, TO_B),
        (3, {}, TO_D),
        (2, {"role": Role.REPLICA}, TO_D),
        (1, {"role": Role.REPLICA}, TO_D),
        (3, {"shard_id": ShardId("other")}, TO_B),
        (3, {"role": Role.REPLICA, "shard_id": None}, TO_B),
    ],
)
def test_only_a_newer_master_of_its_shard_replaces_a_target_or_any_if_that_is_a_replica(
    config_epoch: int, target: dict[str, object], redirected: OpenSlots
) -> None:
    state = with_d(migrating(VALKEY_9_1, (0, B)), of=B, config_epoch=config_epoch)
    state = change(state, B, **target)

    state, _ = claims(state, D, config_epoch, 9)

    assert state.migrating_slots_to == redirected


def test_a_slot_that_the_new_master_claims_already_is_not_redirected() -> None:
    """The claim is too old to win it, and what the claimant has, it need not be given."""
    state = with_d(change(migrating(VALKEY_9_1, (0, B), (8, B)), A, config_epoch=9), of=B)

    state, _ = claims(state, D, 5, 0, 9)

    assert state.migrating_slots_to == open_slots([(0, B), (8, D)])


def test_a_claim_that_concerns_no_open_slot_is_nothing_to_save() -> None:
    state, effects = claims(migrating(VALKEY_9_1, (0, C)), B, 2)

    assert state.migrating_slots_to == open_slots([(0, C)])
    assert not effects


def test_an_unknown_target_is_not_replaced() -> None:
    state = with_d(migrating(VALKEY_9_1, (0, STRANGER)), of=B)

    state, _ = claims(state, D, 5, 9)

    assert state.migrating_slots_to == open_slots([(0, STRANGER)])


@pytest.mark.parametrize("rules", VALKEY)
@pytest.mark.parametrize("owner", [B, C])
def test_an_importer_takes_what_its_source_no_longer_claims(rules: Rules, owner: NodeId) -> None:
    """Whoever owns it here: the source may have given it to somebody else."""
    state = importing(rules, (5, B), (6, C), me=A)
    state = change(state, owner, slots=state.nodes[owner].slots | slots(5))

    state, effects = claims(state, B, 2, 1, 9)

    assert state.myself.slots == slots(0, 5)
    assert (state.current_epoch, state.myself.config_epoch) == (4, 4)
    assert state.importing_slots_from == open_slots([(6, C)])
    assert not state.owner_not_claiming_slot
    assert effects[:3] == (
        SaveConfig(fsync=True),
        Notice(what=Happening.TOOK_IMPORTED, subject=B),
        Notice(what=Happening.NEW_EPOCH, epoch=4),
    )
    broadcast = [effect for effect in effects if isinstance(effect, Broadcast)]
    assert len(broadcast) == (1 if rules.bump_is_broadcast else 0)


def test_what_is_announced_has_the_imported_slot() -> None:
    state = change(importing(VALKEY_9_1, (1, B)), C, config_epoch=3)

    state, effects = claims(state, B, 2)

    assert effects[-1] == Broadcast(message=pong(state))
    assert state.myself.slots == slots(0, 1)


def test_who_has_the_newest_config_epoch_imports_with_it() -> None:
    state = change(importing(VALKEY_9_1, (1, B)), A, config_epoch=3)

    state, effects = claims(state, B, 2)

    assert state.myself.slots == slots(0, 1)
    assert state.myself.config_epoch == 3
    assert effects == (
        SaveConfig(fsync=True),
        Notice(what=Happening.TOOK_IMPORTED, subject=B),
    )


@pytest.mark.parametrize(
    "rules", [REDIS_7_0, REDIS_8_0, VALKEY_9_1.without("importing_slots_are_claimed")]
)
def test_where_imports_are_closed_by_hand_the_slot_is_only_marked(rules: Rules) -> None:
    state, effects = claims(importing(rules, (1, B)), B, 2)

    assert state.nodes[B].slots == slots(1)
    assert state.owner_not_claiming_slot == slots(1)
    assert state.importing_slots_from == open_slots([(1, B)])
    assert not effects


@pytest.mark.parametrize(("source", "me", "claimed"), [(C, A, ()), (B, A1, ()), (B, A, (1, 9))])
def test_only_a_master_takes_and_only_what_its_own_source_gave_up(
    source: NodeId, me: NodeId, claimed: tuple[int, ...]
) -> None:
    before = importing(VALKEY_9_1, (1, source), me=me)

    state, effects = claims(before, B, 2, *claimed)

    assert state.importing_slots_from == before.importing_slots_from
    assert 1 in state.nodes[B].slots
    assert Happening.TOOK_IMPORTED not in told(effects)


def test_an_import_of_what_this_node_owns_already_is_closed_and_not_saved() -> None:
    state = importing(VALKEY_9_1, (0, B))

    after, effects = claims(state, B, 2)

    assert not after.importing_slots_from
    assert after.myself == state.myself
    assert not effects


@pytest.mark.parametrize(
    ("imported", "kept"),
    [((5,), slots(5, 6)), ((3,), slots(3, 4, 6)), ((8,), slots(8)), ((5, 8), slots(5, 6, 8))],
)
def test_claims_beyond_the_first_slot_that_is_taken_meet_the_new_config_epoch(
    imported: tuple[int, ...], kept: SlotSet
) -> None:
    """The servers go from slot to slot; only what comes before is lost to an epoch of 2."""
    state = importing(VALKEY_9_1, *((slot, B) for slot in imported))
    state = change(state, A, slots=slots(4, 6))

    state, _ = claims(state, B, 2, 1, 4, 6, 9)

    assert state.myself.slots == kept
    assert state.nodes[B].slots == slots(1, 4, 6, 9) - kept


def test_who_takes_a_slot_while_it_loses_its_last_follows_nobody() -> None:
    state = importing(VALKEY_9_1, (3, B))

    state, effects = claims(state, B, 2, 0)

    assert state.myself.is_master
    assert state.myself.slots == slots(3)
    assert Happening.FOLLOWED not in told(effects)

"""Claims of slots: which are good, what they change, and how outdated ones are answered.

Clauses: SC-1, SC-2, SC-3, SC-4, SC-5, SC-6, SC-7, SC-8, SC-9, SC-16, SC-17, SC-20, SC-26,
SC-27.
"""

import attrs
import pytest

from reference.core.announce import header, pong
from reference.core.effects import (
    DeleteKeys,
    Effect,
    Happening,
    Notice,
    Refusal,
    SaveConfig,
    Send,
)
from reference.core.messages import Pong, Update
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.settings import Settings
from reference.core.slot_config import Claim, claimable
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState
from reference.core.types import Link, NodeId, ShardId
from tests.builders import (
    A1,
    A2,
    STRANGER,
    A,
    B,
    C,
    D,
    add,
    change,
    hear,
    says,
    sent,
    slots,
    told,
    view,
)

ALL = tuple(RELEASES.values())


def claims(
    state: ClusterState, owner: NodeId, config_epoch: int, *numbers: int
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which a master claims these slots in an announcement."""
    shard_id = state.nodes[owner].shard_id
    said = says(owner, config_epoch=config_epoch, claims=slots(*numbers), shard_id=shard_id)
    return hear(state, Pong(header=said), link=Link.INBOUND)


def good(state: ClusterState, config_epoch: int, *numbers: int) -> SlotSet:
    """The slots that b gets of a claim to these."""
    return claimable(state, Claim(owner=B, config_epoch=config_epoch, slots=slots(*numbers)))


@pytest.mark.parametrize(
    ("config_epoch", "won"), [(0, slots(7)), (1, slots(7)), (2, slots(0, 7)), (4, slots(0, 2, 7))]
)
def test_a_claim_is_good_for_free_slots_and_those_of_older_owners(
    config_epoch: int, won: SlotSet
) -> None:
    assert won == good(view(A), config_epoch, 0, 1, 2, 7)


def test_a_claim_is_good_for_slots_whose_owner_no_longer_claims_them() -> None:
    state = attrs.evolve(view(A), owner_not_claiming_slot=slots(2))

    assert slots(2, 7) == good(state, 0, 0, 2, 7)


def test_a_claim_is_not_needed_for_what_is_bound_already() -> None:
    state = attrs.evolve(view(A), owner_not_claiming_slot=slots(1))

    assert slots(7) == good(state, 5, 1, 7)
    assert not good(state, 0, 0)


def test_any_claim_is_good_where_epochs_are_not_compared() -> None:
    state = view(A, rules=REDIS_7_0.without("claims_need_newer_epoch"))

    assert slots(0, 2) == good(state, 0, 0, 1, 2)


@pytest.mark.parametrize("rules", ALL)
def test_a_newer_claim_moves_the_slot_and_is_saved(rules: Rules) -> None:
    state, effects = claims(change(view(C, rules=rules), B, config_epoch=5), B, 5, 0, 1)

    assert slots(0, 1) == state.nodes[B].slots
    assert not state.nodes[A].slots
    assert effects == (SaveConfig(fsync=True),)


@pytest.mark.parametrize("rules", ALL)
def test_an_older_claim_is_answered_with_the_newer_owner(rules: Rules) -> None:
    before = view(A, rules=rules)

    state, effects = claims(before, B, 2, 1, 2)

    update = Update(header=header(state), subject=C, config_epoch=3, slots=slots(2))
    assert state is before
    assert effects == (
        Notice(what=Happening.SENT_UPDATE, subject=B),
        Send(to=B, message=update),
    )


def test_of_several_newer_owners_only_that_of_the_lowest_slot_is_told() -> None:
    state = change(change(view(B), B, slots=slots(1, 3)), C, slots=slots(2, 9))

    _, effects = claims(state, A, 1, 0, 2, 3, 9)

    assert [(C, slots(2, 9))] == [
        (message.subject, message.slots) for message in sent(effects) if isinstance(message, Update)
    ]


def test_a_marked_slot_that_is_not_claimed_is_not_corrected() -> None:
    state = attrs.evolve(view(A), owner_not_claiming_slot=slots(2))

    _, effects = claims(state, B, 2, 1, 7)

    assert not sent(effects)


def test_an_equal_config_epoch_neither_takes_a_slot_nor_is_corrected() -> None:
    state = change(view(A), B, config_epoch=3)

    assert claims(state, B, 3, 1, 2) == (state, ())


def test_slots_that_their_owner_leaves_out_are_marked_and_stay_bound() -> None:
    state, effects = claims(view(A), B, 2)

    assert slots(1) == state.nodes[B].slots
    assert slots(1) == state.owner_not_claiming_slot
    assert not effects

    state, _ = claims(state, B, 2, 1, 7)

    assert not state.owner_not_claiming_slot


@pytest.mark.parametrize("rules", ALL)
def test_a_mark_outlives_a_claim_of_just_the_slots_that_are_bound(rules: Rules) -> None:
    """Such a claim is not looked at, and the slot stays free for anybody, as in the servers."""
    state, _ = claims(view(A, rules=rules), B, 2)

    state, _ = claims(state, B, 2, 1)

    assert slots(1) == state.owner_not_claiming_slot


def test_a_mark_of_another_owner_stays() -> None:
    state = attrs.evolve(view(A), owner_not_claiming_slot=slots(2))

    state, _ = claims(state, B, 2)

    assert slots(1, 2) == state.owner_not_claiming_slot


@pytest.mark.parametrize("rules", ALL)
def test_a_marked_slot_that_is_taken_is_marked_no_longer(rules: Rules) -> None:
    state = attrs.evolve(view(A, rules=rules), owner_not_claiming_slot=slots(2))

    state, _ = claims(state, B, 2, 1, 2)

    assert not state.owner_not_claiming_slot


def test_without_marks_a_slot_left_out_is_kept_like_any_other() -> None:
    state = view(A, rules=REDIS_7_0.without("not_claiming_slots"))

    assert claims(state, B, 2) == (state, ())


def test_marked_slots_are_not_told_of() -> None:
    state = change(view(A), C, slots=slots(2, 3))
    state = attrs.evolve(state, owner_not_claiming_slot=slots(3))

    _, effects = claims(state, B, 2, 1, 2)

    assert [slots(2)] == [message.slots for message in sent(effects) if isinstance(message, Update)]


def test_an_older_claim_to_a_marked_slot_is_not_corrected_but_taken() -> None:
    state = attrs.evolve(view(A), owner_not_claiming_slot=slots(2))

    state, effects = claims(state, B, 2, 1, 2)

    assert slots(1, 2) == state.nodes[B].slots
    assert not sent(effects)


@pytest.mark.parametrize("rules", ALL)
def test_a_master_that_lost_its_last_slot_follows_the_new_owner(rules: Rules) -> None:
    state, effects = claims(view(A, rules=rules), B, 5, 0, 1)

    assert state.myself.replicaof == B
    assert state.myself.is_replica
    assert told(effects) == [Happening.FOLLOWED]


@pytest.mark.parametrize("rules", ALL)
def test_a_master_that_keeps_a_slot_follows_nobody_and_deletes_what_it_lost(rules: Rules) -> None:
    state, effects = claims(change(view(A, rules=rules), A, slots=slots(0, 7)), B, 5, 0, 1)

    assert state.myself.is_master
    assert slots(7) == state.myself.slots
    assert effects == (SaveConfig(fsync=True), DeleteKeys(slots=slots(0)))


def test_who_follows_deletes_nothing_by_slot() -> None:
    _, effects = claims(view(A), B, 5, 0, 1)

    assert not [effect for effect in effects if isinstance(effect, DeleteKeys)]


def test_a_replica_deletes_nothing_of_what_its_master_lost() -> None:
    state = change(view(A1), A, slots=slots(0, 7))

    assert claims(state, B, 5, 0, 1)[1] == (SaveConfig(fsync=True),)


def settled(state: ClusterState) -> ClusterState:
    """The state of a node whose operator wants replicas to stay in their shard."""
    return attrs.evolve(state, settings=Settings(allow_replica_migration=False))


@pytest.mark.parametrize("rules", ALL)
def test_a_master_that_may_not_move_stays_without_slots_and_deletes_its_keys(rules: Rules) -> None:
    state, effects = claims(settled(view(A, rules=rules)), B, 5, 0, 1)

    assert state.myself.is_master
    assert not state.myself.slots
    assert effects == (
        SaveConfig(fsync=True),
        DeleteKeys(slots=slots(0)),
        Notice(what=Happening.EMPTIED, subject=B),
    )


@pytest.mark.parametrize("rules", ALL)
def test_a_replica_that_may_not_move_stays_with_its_master(rules: Rules) -> None:
    state, effects = claims(settled(view(A1, rules=rules)), B, 5, 0, 1)

    assert state.myself.replicaof == A
    assert not told(effects)


@pytest.mark.parametrize("rules", ALL)
def test_the_new_master_of_the_shard_is_followed_in_any_case(rules: Rules) -> None:
    for me in (A, A2):
        state = settled(view(me, replicas=2, rules=rules))

        state, _ = claims(state, A1, 5, 0)

        assert state.myself.replicaof == A1


def test_where_shards_decide_the_new_master_may_have_more_than_was_lost() -> None:
    redis_like = VALKEY_9_1.without("only_own_shard_is_followed")
    for rules, master in (
        (REDIS_7_0, None),
        (REDIS_8_0, None),
        (redis_like, None),
        (VALKEY_8_1, A1),
        (VALKEY_9_1, A1),
    ):
        state, _ = claims(settled(view(A, rules=rules)), A1, 5, 0, 9)

        assert state.myself.replicaof == master


def test_without_shards_another_master_is_followed_if_it_claims_just_what_was_lost() -> None:
    redis_like = VALKEY_9_1.without("only_own_shard_is_followed")
    for rules, master in (
        (REDIS_7_0, B),
        (REDIS_8_0, B),
        (redis_like, B),
        (VALKEY_8_1, None),
        (VALKEY_9_1, None),
    ):
        state = settled(change(view(A, rules=rules), B, slots=NO_SLOTS))

        state, _ = claims(state, B, 5, 0)

        assert state.myself.replicaof == master


@pytest.mark.parametrize("rules", ALL)
def test_a_replica_follows_whoever_took_its_masters_last_slot(rules: Rules) -> None:
    state, _ = claims(view(A1, rules=rules), B, 5, 0, 1)

    assert state.myself.replicaof == B


def test_a_replica_of_a_master_that_lost_nothing_stays() -> None:
    state, _ = claims(view(A1), C, 5, 1, 2)

    assert state.myself.replicaof == A


def test_a_replica_of_an_unknown_master_is_there_for_its_own_slots() -> None:
    state = change(view(A1), A1, replicaof=STRANGER)

    state, _ = claims(state, B, 5, 0, 1)

    assert state.myself.replicaof == STRANGER


def empty_shard(rules: Rules, me: NodeId = A) -> ClusterState:
    """A shard without slots, of which d says that it is a master with a newer configEpoch."""
    state = change(view(me, rules=rules), A, slots=NO_SLOTS)
    return add(state, D, config_epoch=5, shard_id=state.nodes[A].shard_id, slots=slots(9))


@pytest.mark.parametrize("me", [A, A1])
def test_whether_an_empty_shard_follows_its_newest_master_depends_on_the_release(
    me: NodeId,
) -> None:
    stays, lax = view(me).myself.replicaof, VALKEY_9_1.without("empty_shard_follows")
    for rules, master in (
        (REDIS_7_0, stays),
        (REDIS_8_0, stays),
        (VALKEY_8_1, D),
        (VALKEY_9_1, D),
        (lax, stays),
    ):
        state, _ = claims(empty_shard(rules, me), D, 6)

        assert state.myself.replicaof == master


@pytest.mark.parametrize(
    "state",
    [
        change(empty_shard(VALKEY_9_1), D, shard_id=ShardId("other")),
        change(empty_shard(VALKEY_9_1), D, shard_id=None),
        change(change(empty_shard(VALKEY_9_1), D, shard_id=None), A, shard_id=None),
        change(empty_shard(VALKEY_9_1), A, config_epoch=6),
        change(empty_shard(VALKEY_9_1), A, slots=slots(0)),
        change(empty_shard(VALKEY_9_1, A1), A, slots=slots(0)),
        change(empty_shard(VALKEY_9_1, A1), A1, replicaof=D),
        change(empty_shard(VALKEY_9_1, A1), A1, slots=slots(0)),
    ],
)
def test_only_a_shard_without_slots_follows_only_a_newer_master_of_its_own(
    state: ClusterState,
) -> None:
    after, effects = claims(state, D, 6)

    assert after.myself.replicaof == state.myself.replicaof
    assert Happening.FOLLOWED not in told(effects)


def test_a_master_of_the_empty_shard_that_claims_slots_is_not_followed_for_that() -> None:
    state, _ = claims(empty_shard(VALKEY_9_1), D, 6, 9, 10)

    assert state.myself.is_master


def test_nothing_is_looked_at_if_the_claim_is_what_is_known() -> None:
    state = view(A)

    assert claims(state, B, 2, 1) == (state, ())


def test_a_former_replica_is_looked_at_even_so_where_the_release_does() -> None:
    """It has nothing, as before, but the shard without slots has a new master."""
    for rules, master in (
        (REDIS_7_0, None),
        (REDIS_8_0, None),
        (VALKEY_8_1, A1),
        (VALKEY_9_1, A1),
    ):
        state = change(view(A, rules=rules), A, slots=NO_SLOTS)

        state, _ = claims(state, A1, 6)

        assert state.myself.replicaof == master


def test_whether_a_replica_with_outdated_claims_is_corrected_depends_on_the_release() -> None:
    for rules, updates in (
        (REDIS_7_0, [A]),
        (REDIS_8_0, [A]),
        (VALKEY_8_1, []),
        (VALKEY_9_1, []),
    ):
        state = change(view(B, rules=rules), A, config_epoch=5, slots=slots(0, 7))

        _, effects = hear(state, pong(view(A1, rules=rules)), link=Link.INBOUND)

        assert updates == [msg.subject for msg in sent(effects) if isinstance(msg, Update)]


def test_a_late_claim_is_not_corrected_by_what_is_newer_of_the_claimant_itself() -> None:
    state = change(view(A), B, config_epoch=5)

    assert not sent(claims(state, B, 2, 1, 7)[1])


@pytest.mark.parametrize("rules", ALL)
def test_a_replica_gets_no_slot_by_what_it_announces(rules: Rules) -> None:
    said = says(A1, replicaof=A, config_epoch=1, claims=slots(0, 7))

    state, _ = hear(view(B, rules=rules), Pong(header=said), link=Link.INBOUND)

    assert state.owner(7) is None


def test_a_replica_of_an_unknown_master_is_not_corrected() -> None:
    state = change(view(B), A1, replicaof=None)
    said = says(A1, replicaof=STRANGER, config_epoch=1, claims=slots(0, 1))

    _, effects = hear(state, Pong(header=said), link=Link.INBOUND)

    assert not sent(effects)


def update(subject: NodeId, config_epoch: int, *numbers: int) -> Update:
    """An UPDATE from c."""
    return Update(
        header=header(view(C)), subject=subject, config_epoch=config_epoch, slots=slots(*numbers)
    )


@pytest.mark.parametrize("rules", ALL)
def test_an_update_makes_its_subject_the_master_of_its_claim(rules: Rules) -> None:
    state, effects = hear(view(B, replicas=2, rules=rules), update(A1, 5, 0))

    assert state.nodes[A1].is_master
    assert state.nodes[A1].replicaof is None
    assert state.nodes[A1].config_epoch == 5
    assert slots(0) == state.nodes[A1].slots
    assert effects == (SaveConfig(fsync=True),)


@pytest.mark.parametrize("rules", ALL)
def test_a_master_follows_the_subject_of_an_update_that_took_its_last_slot(rules: Rules) -> None:
    state, _ = hear(view(A, rules=rules), update(A1, 5, 0))

    assert state.myself.replicaof == A1


@pytest.mark.parametrize("config_epoch", [1, 2])
def test_an_update_that_is_not_newer_is_refused(config_epoch: int) -> None:
    state = view(A)

    after, effects = hear(state, update(B, config_epoch, 0))

    assert after is state
    assert effects == (Notice(what=Refusal.NOTHING_NEW, subject=B),)


def test_an_update_that_only_raises_the_epoch_is_saved() -> None:
    state, effects = hear(view(A), update(B, 5, 1))

    assert state.nodes[B].config_epoch == 5
    assert effects == (SaveConfig(fsync=True),)


def test_an_update_about_an_unknown_node_is_refused() -> None:
    state = view(A)

    after, effects = hear(state, update(STRANGER, 5, 0))

    assert after is state
    assert effects == (Notice(what=Refusal.UNKNOWN_SUBJECT, subject=STRANGER),)


def test_an_update_about_oneself_gives_its_epoch_and_the_role_of_a_master_but_no_slot() -> None:
    state, effects = hear(view(A2, replicas=2), update(A2, 5, 0))

    assert state.myself.is_master
    assert state.myself.config_epoch == 5
    assert not state.myself.slots
    assert told(effects) == [Refusal.ABOUT_MYSELF]

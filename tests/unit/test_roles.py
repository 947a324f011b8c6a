"""Changes of role: another node's as it announces them, and one's own.

Clauses: SC-10, SC-11, SC-12, SC-13, SC-14, SC-15, SC-18, SC-19, SC-24, SC-28, SC-29, SC-30, SC-31,
SC-32, EL-16.
"""

import attrs
import pytest

from reference.core.announce import pong
from reference.core.effects import (
    Broadcast,
    Effect,
    Happening,
    Notice,
    Refusal,
    ResumeWrites,
    SaveConfig,
)
from reference.core.messages import Pong
from reference.core.open_slots import NO_OPEN_SLOTS, open_slots
from reference.core.roles import (
    adopt_shard,
    close_all_slots,
    in_same_shard,
    leave_sub_replica_chain,
    reset_manual_failover,
    set_master,
    set_node_as_master,
    switch_role,
)
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, Election, ManualFailover, ManualFailoverStage
from reference.core.types import Epoch, Link, NodeId, Role, ShardId
from tests.builders import A1, A2, STRANGER, A, B, C, change, hear, says, slots, told, view

ALL = tuple(RELEASES.values())
WITH_SHARDS = (REDIS_8_0, VALKEY_8_1, VALKEY_9_1)


def gives_up(
    state: ClusterState, config_epoch: Epoch = 5, *, master: NodeId = A1
) -> tuple[ClusterState | None, list[Effect]]:
    """What is known when master a says that it is a replica, and the effects."""
    out: list[Effect] = []
    header = says(A, replicaof=master, config_epoch=config_epoch)
    return switch_role(state, A, header, out), out


def believed(
    state: ClusterState, config_epoch: Epoch = 5, *, master: NodeId = A1
) -> tuple[ClusterState, list[Effect]]:
    """The same where the rest of the message counts."""
    after, out = gives_up(state, config_epoch, master=master)
    assert after is not None
    return after, out


def owner_of_0(state: ClusterState) -> NodeId | None:
    owner = state.owner(0)
    return None if owner is None else owner.node_id


@pytest.mark.parametrize(
    ("rules", "owner", "role", "epoch"),
    [
        (REDIS_7_0, None, Role.REPLICA, 0),
        (REDIS_8_0, A1, Role.MASTER, 5),
        (REDIS_8_0.without("role_switch_hands_over"), A, Role.MASTER, 5),
        (VALKEY_8_1, A, Role.MASTER, 5),
        (VALKEY_9_1, A1, Role.MASTER, 5),
        (VALKEY_9_1.without("role_switch_hands_over"), A, Role.MASTER, 5),
    ],
)
def test_what_becomes_of_the_slots_of_a_master_that_was_replaced(
    rules: Rules, owner: NodeId | None, role: Role, epoch: Epoch
) -> None:
    state, out = believed(change(view(B, rules=rules), A, migrate_to=True))

    assert state.nodes[A].is_replica
    assert not state.nodes[A].migrate_to
    assert state.nodes[A].replicaof == A1
    assert owner_of_0(state) == owner
    assert state.nodes[A1].role is role
    assert state.nodes[A1].replicaof == (A if role is Role.REPLICA else None)
    assert state.nodes[A1].config_epoch == epoch
    assert (SaveConfig(fsync=True) in out) == (role is Role.MASTER)


def with_new_master(rules: Rules, *, old: Epoch, new: Epoch) -> ClusterState:
    """A table in which a and a1 are both masters with these configEpochs."""
    state = change(view(B, rules=rules), A, config_epoch=old)
    return change(state, A1, role=Role.MASTER, replicaof=None, config_epoch=new)


@pytest.mark.parametrize(
    ("rules", "owner", "role"),
    [
        (REDIS_7_0, None, Role.REPLICA),
        (REDIS_8_0, A, Role.REPLICA),
        (REDIS_8_0.without("role_switch_heeds_sender"), A1, Role.REPLICA),
        (VALKEY_8_1, A, Role.REPLICA),
        (VALKEY_9_1, A, Role.MASTER),
        (VALKEY_9_1.without("role_switch_heeds_sender"), A, Role.REPLICA),
    ],
)
def test_a_switch_that_is_older_than_the_sender_is_known(
    rules: Rules, owner: NodeId | None, role: Role
) -> None:
    """In redis-8.0 the role changes and the slots stay: then a replica owns them."""
    state = with_new_master(rules, old=6, new=2)

    after, out = gives_up(state)

    ignored = role is Role.MASTER
    assert (after is None) is ignored
    assert owner_of_0(after or state) == owner
    assert (after or state).nodes[A].role is role
    outdated = rules.role_switch_heeds_sender
    assert told(out) == ([Refusal.STALE_ROLE_SWITCH] if outdated else [])
    assert (SaveConfig(fsync=False) in out) is not ignored


@pytest.mark.parametrize(
    ("rules", "owner", "role", "epoch"),
    [
        (REDIS_7_0, None, Role.REPLICA, 6),
        (REDIS_8_0, A1, Role.REPLICA, 5),
        (VALKEY_8_1, A, Role.MASTER, 6),
        (VALKEY_8_1.without("role_switch_heeds_master"), A, Role.REPLICA, 5),
        (VALKEY_9_1, A, Role.MASTER, 6),
        (VALKEY_9_1.without("role_switch_heeds_master"), A, Role.REPLICA, 6),
        (VALKEY_9_1.without("stale_role_switch_is_ignored"), A, Role.REPLICA, 6),
    ],
)
def test_a_switch_that_is_older_than_the_new_master_is_known(
    rules: Rules, owner: NodeId | None, role: Role, epoch: Epoch
) -> None:
    """In redis-8.0 the configEpoch that is recorded of the new master falls."""
    state = with_new_master(rules, old=1, new=6)

    after, out = gives_up(state)

    assert (after is None) is (role is Role.MASTER)
    assert owner_of_0(after or state) == owner
    assert (after or state).nodes[A].role is role
    assert (after or state).nodes[A1].config_epoch == epoch
    outdated = rules.role_switch_heeds_master
    assert told(out) == ([Refusal.STALE_ROLE_SWITCH] if outdated else [])


@pytest.mark.parametrize(("old", "new"), [(5, 2), (2, 5)])
def test_a_switch_as_new_as_what_is_known_is_not_stale(old: Epoch, new: Epoch) -> None:
    for rules in WITH_SHARDS:
        state, out = believed(with_new_master(rules, old=old, new=new))

        assert state.nodes[A].is_replica
        assert not told(out)


@pytest.mark.parametrize(
    ("rules", "owner", "epoch"),
    [
        (REDIS_8_0, A1, 5),
        (VALKEY_8_1, A, 5),
        (VALKEY_9_1, A, 4),
        (VALKEY_9_1.without("role_switch_spares_masters"), A1, 5),
    ],
)
def test_whether_a_known_master_is_left_as_it_is_depends_on_the_release(
    rules: Rules, owner: NodeId, epoch: Epoch
) -> None:
    state, _ = believed(with_new_master(rules, old=1, new=4))

    assert owner_of_0(state) == owner
    assert state.nodes[A1].config_epoch == epoch
    assert state.nodes[A].replicaof == A1


@pytest.mark.parametrize(
    ("rules", "role", "owner"),
    [
        (REDIS_7_0, Role.REPLICA, None),
        (REDIS_8_0, Role.MASTER, A1),
        (VALKEY_8_1, Role.MASTER, A),
        (VALKEY_9_1, Role.MASTER, A1),
    ],
)
def test_a_replica_whose_master_says_that_it_follows_it_is_master_where_there_are_shards(
    rules: Rules, role: Role, owner: NodeId | None
) -> None:
    """Measured with valkey-9.1: the node does not ask whether it is itself that is named."""
    state, _ = believed(view(A1, rules=rules))

    assert state.myself.role is role
    assert state.myself.config_epoch == (5 if role is Role.MASTER else 0)
    assert owner_of_0(state) == owner
    assert state.nodes[A].replicaof == A1


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("master", [B, STRANGER])
def test_outside_its_shard_a_replica_leaves_its_slots_to_nobody(
    rules: Rules, master: NodeId
) -> None:
    state = attrs.evolve(view(C, rules=rules), owner_not_claiming_slot=slots(0, 1))

    state, out = believed(state, 0, master=master)

    assert owner_of_0(state) is None
    assert state.nodes[A].slots == NO_SLOTS
    assert state.nodes[A].replicaof == (B if master == B else None)
    assert state.owner_not_claiming_slot == (slots(0, 1) if rules is REDIS_7_0 else slots(1))
    assert SaveConfig(fsync=True) not in out
    assert out[0] == SaveConfig(fsync=False)


@pytest.mark.parametrize(
    ("rules", "other_end"),
    [
        (REDIS_8_0, A),
        (VALKEY_8_1, A),
        (VALKEY_9_1, A1),
        (VALKEY_9_1.without("open_slots_follow_claims"), A),
        (VALKEY_9_1.without("role_switch_hands_over"), A),
    ],
)
def test_whether_slots_on_their_way_are_handed_over_depends_on_the_release(
    rules: Rules, other_end: NodeId
) -> None:
    state = attrs.evolve(
        view(B, rules=rules),
        migrating_slots_to=open_slots([(1, A), (3, C)]),
        importing_slots_from=open_slots([(5, A), (6, C)]),
    )

    state, _ = believed(state)

    assert state.migrating_slots_to == open_slots([(1, other_end), (3, C)])
    assert state.importing_slots_from == open_slots([(5, other_end), (6, C)])


def test_a_node_of_unknown_role_that_says_it_is_a_replica_is_one() -> None:
    state, _ = believed(change(view(C), A, role=Role.UNKNOWN), master=B)

    assert state.nodes[A].is_replica


@pytest.mark.parametrize("rules", ALL)
def test_a_replica_is_recorded_under_the_master_it_names_and_in_its_shard(rules: Rules) -> None:
    out: list[Effect] = []

    state = switch_role(view(B, rules=rules), A1, says(A1, replicaof=C), out)

    assert state is not None
    assert state.nodes[A1].replicaof == C
    assert state.nodes[A1].shard_id == state.nodes[C].shard_id
    assert state.nodes[C].migrate_to
    assert set(out) == {SaveConfig(fsync=False)}


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("master", [A, STRANGER])
def test_a_replica_that_names_its_master_or_one_unknown_changes_nothing(
    rules: Rules, master: NodeId
) -> None:
    state, out = view(B, rules=rules), list[Effect]()

    assert switch_role(state, A1, says(A1, replicaof=master), out) is state
    assert not out


@pytest.mark.parametrize("rules", ALL)
def test_a_replica_that_names_no_master_is_one(rules: Rules) -> None:
    out: list[Effect] = []

    state = switch_role(view(B, rules=rules), A1, says(A1), out)

    assert state is not None
    assert state.nodes[A1].is_master
    assert state.nodes[A1].replicaof is None
    assert out == [SaveConfig(fsync=False)]
    assert set_node_as_master(state, A1, out) is state
    assert out == [SaveConfig(fsync=False)]


@pytest.mark.parametrize("rules", ALL)
def test_when_a_replica_whose_master_follows_another_moves_on_depends_on_the_release(
    rules: Rules,
) -> None:
    early = rules in {VALKEY_8_1, VALKEY_9_1}
    state = attrs.evolve(view(A1, rules=rules), importing_slots_from=open_slots([(1, B)]))

    state, out = believed(state, 0, master=B)

    assert state.myself.replicaof == (B if early else A)
    assert (Notice(what=Happening.FOLLOWED, subject=B) in out) is early
    assert state.myself.shard_id == (ShardId("shard-b") if rules.shards else None)
    assert bool(state.importing_slots_from) is not early


@pytest.mark.parametrize("rules", ALL)
def test_whether_claims_show_a_replica_that_its_master_follows_another_depends_on_the_release(
    rules: Rules,
) -> None:
    state = change(view(A1, rules=rules), A, role=Role.REPLICA, replicaof=B, slots=NO_SLOTS)
    claim = Pong(header=says(C, config_epoch=3, claims=slots(2, 9)))

    state, effects = hear(state, claim, link=Link.INBOUND)

    late = rules in {REDIS_7_0, REDIS_8_0}
    assert state.myself.replicaof == (B if late else A)
    assert told(effects) == ([Happening.FOLLOWED] if late else [])
    assert 9 in state.nodes[C].slots


@pytest.mark.parametrize("rules", ALL)
def test_a_circle_of_replicas_and_a_chain_that_is_not_known_are_left(rules: Rules) -> None:
    view_of_a1 = view(A1, rules=rules)
    for state in (
        view_of_a1,
        change(view_of_a1, A1, replicaof=None),
        change(view_of_a1, A1, replicaof=STRANGER),
        change(view_of_a1, A, role=Role.REPLICA, replicaof=STRANGER),
        change(view_of_a1, A, role=Role.REPLICA, replicaof=A1),
    ):
        out: list[Effect] = []

        assert leave_sub_replica_chain(state, out) is state
        assert not out


@pytest.mark.parametrize("rules", ALL)
def test_who_follows_a_master_is_a_replica_in_its_shard_and_has_it_saved(rules: Rules) -> None:
    out: list[Effect] = []

    state = set_master(change(view(A, rules=rules), A, slots=NO_SLOTS), B, out)

    assert state.myself.is_replica
    assert state.myself.replicaof == B
    assert state.myself.shard_id == state.nodes[B].shard_id
    assert out[:2] == [Notice(what=Happening.FOLLOWED, subject=B), SaveConfig(fsync=True)]
    assert state.nodes[B].migrate_to
    announced = rules in {VALKEY_8_1, VALKEY_9_1}
    assert (Broadcast(message=pong(state)) in out) is announced


@pytest.mark.parametrize("rules", ALL)
def test_whether_following_ends_an_election_depends_on_the_release(rules: Rules) -> None:
    election = Election(failover_auth_epoch=4)
    state = attrs.evolve(view(A1, rules=rules), election=election, last_election=election)

    state = set_master(state, B, [])

    left = None if rules in {VALKEY_8_1, VALKEY_9_1} else election
    assert (state.election, state.last_election) == (left, left)


@pytest.mark.parametrize(
    ("me", "keeps", "rules", "stays_open"),
    [
        (A, False, REDIS_7_0, False),
        (A, True, REDIS_8_0, False),
        (A1, False, REDIS_7_0, True),
        (A, False, VALKEY_8_1, False),
        (A1, False, VALKEY_9_1, False),
        (A, True, VALKEY_8_1, True),
        (A1, True, VALKEY_9_1, True),
        (A, True, VALKEY_9_1.without("open_slots_follow_claims"), False),
    ],
)
def test_whether_slots_stay_open_when_a_node_follows(
    me: NodeId, rules: Rules, *, keeps: bool, stays_open: bool
) -> None:
    state = attrs.evolve(
        view(me, rules=rules),
        migrating_slots_to=open_slots([(0, B)]),
        importing_slots_from=open_slots([(2, C)]),
    )

    state = set_master(state, B, [], keeps_open_slots=keeps)

    assert bool(state.migrating_slots_to) is stays_open
    assert bool(state.importing_slots_from) is stays_open
    assert close_all_slots(state).migrating_slots_to == NO_OPEN_SLOTS


@pytest.mark.parametrize("rules", ALL)
def test_following_ends_a_manual_failover(rules: Rules) -> None:
    for stage, replica in (
        (ManualFailoverStage.PAUSED, A1),
        (ManualFailoverStage.CAN_START, None),
    ):
        failover = ManualFailover(stage=stage, replica=replica)
        out: list[Effect] = []

        state = set_master(attrs.evolve(view(A, rules=rules), manual_failover=failover), B, out)

        assert state.manual_failover is None
        assert out.count(ResumeWrites()) == (1 if replica else 0)


def test_without_a_manual_failover_there_is_none_to_end() -> None:
    state, out = view(A), list[Effect]()

    assert reset_manual_failover(state, out) is state
    assert not out


@pytest.mark.parametrize(
    ("shard_id", "saves"),
    [
        ("new", [SaveConfig(fsync=False), SaveConfig(fsync=True)]),
        ("shard-a", []),
        (None, []),
    ],
)
def test_a_replica_goes_with_its_master_to_another_shard(
    shard_id: ShardId | None, saves: list[SaveConfig]
) -> None:
    state, out = view(A1, rules=VALKEY_9_1), list[Effect]()

    after = adopt_shard(state, A, shard_id, out)

    assert out == saves
    assert (after is state) is not bool(saves)
    assert after.nodes[A].shard_id == after.myself.shard_id == (shard_id or "shard-a")


def test_a_replica_left_behind_by_its_master_catches_up() -> None:
    state, out = change(view(A1, rules=REDIS_8_0), A1, shard_id=ShardId("old")), list[Effect]()

    assert adopt_shard(state, A, ShardId("shard-a"), out).myself.shard_id == "shard-a"
    assert out == [SaveConfig(fsync=True)]


def test_who_follows_another_stays_in_its_shard() -> None:
    out: list[Effect] = []

    state = adopt_shard(view(A1, rules=VALKEY_9_1), B, ShardId("new"), out)

    assert (state.nodes[B].shard_id, state.myself.shard_id) == ("new", "shard-a")
    assert out == [SaveConfig(fsync=False)]


def test_where_there_are_no_shards_none_is_adopted() -> None:
    state = view(A1)

    assert adopt_shard(state, A, ShardId("new"), []) is state


def test_nodes_without_a_shard_have_none_in_common() -> None:
    nodes = view(A, replicas=2, rules=VALKEY_9_1).nodes
    shardless = view(A).nodes

    assert in_same_shard(nodes[A1], nodes[A2])
    assert not in_same_shard(nodes[A], nodes[B])
    assert not in_same_shard(shardless[A], shardless[A1])


def test_slots_that_are_handed_over_are_those_of_the_sender_only() -> None:
    state = change(view(B, rules=VALKEY_9_1), A, slots=slots(0, 8))

    state, _ = believed(state)

    assert state.nodes[A1].slots == SlotSet.of([0, 8])
    assert state.nodes[B].slots == slots(1)

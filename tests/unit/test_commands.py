"""What operators may change at a node.

Clauses: CM-1, CM-2, CM-27, CM-28, CM-29, CM-30, CM-31, CM-32, CM-33, CM-34, CM-35, CM-36.
"""

from typing import Final

import attrs
import pytest

from reference.core.effects import FlushData, Happening, Notice, Reply, ResumeWrites, SaveConfig
from reference.core.events import (
    ClusterAddSlots,
    ClusterDelSlots,
    ClusterFlushSlots,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterReset,
    ClusterSaveConfig,
    SettingsChanged,
)
from reference.core.open_slots import open_slots
from reference.core.rules import REDIS_7_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.settings import DEFAULT_SETTINGS, Settings
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import NodeId, Role, ShardId
from tests.builders import (
    A1,
    A2,
    STRANGER,
    A,
    B,
    add,
    change,
    replies,
    sent,
    slots,
    told,
    view,
)

ALL: Final = tuple(RELEASES.values())
NO_ONE: Final = ClusterReplicateNoOne(new_shard_id=ShardId("new"))
IMPORTING: Final = open_slots([(0, B), (5, B), (7, B)])


@pytest.mark.parametrize("rules", ALL)
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


@pytest.mark.parametrize("rules", ALL)
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


@pytest.mark.parametrize("rules", ALL)
def test_slots_that_are_added_or_deleted_are_no_longer_imported(rules: Rules) -> None:
    state = attrs.evolve(
        view(A, rules=rules),
        importing_slots_from=IMPORTING,
        migrating_slots_to=open_slots([(0, B)]),
    )

    added, _ = step(state, ClusterAddSlots(slots=slots(7, 8)))
    deleted, _ = step(state, ClusterDelSlots(slots=slots(0, 1)))

    assert open_slots([(0, B), (5, B)]) == added.importing_slots_from
    assert open_slots([(5, B), (7, B)]) == deleted.importing_slots_from
    assert open_slots([(0, B)]) == deleted.migrating_slots_to


@pytest.mark.parametrize("rules", ALL)
def test_deleted_slots_have_no_owner_here_whoever_it_was(rules: Rules) -> None:
    state = attrs.evolve(view(A, rules=rules), owner_not_claiming_slot=slots(1, 2))

    state, effects = step(state, ClusterDelSlots(slots=slots(0, 1)))

    assert [node.slots for node in state.nodes if node.is_master] == [NO_SLOTS, NO_SLOTS, slots(2)]
    assert state.myself.is_master
    assert effects == (SaveConfig(fsync=False), Reply())
    assert state.owner_not_claiming_slot == (slots(1, 2) if rules is REDIS_7_0 else slots(2))


@pytest.mark.parametrize(("unwanted", "missing"), [((0, 9, 7), 7), ((7,), 7)])
def test_no_slot_is_deleted_if_one_has_no_owner(unwanted: tuple[int, ...], missing: int) -> None:
    state = view(A)

    after, effects = step(state, ClusterDelSlots(slots=slots(*unwanted)))

    assert after is state
    assert replies(effects) == [f"ERR Slot {missing} is already unassigned"]


@pytest.mark.parametrize("rules", ALL)
def test_flushing_gives_up_the_nodes_own_slots(rules: Rules) -> None:
    state = change(view(A, rules=rules), A, slots=slots(0, 7))

    after, effects = step(state, ClusterFlushSlots())
    at_replica, _ = step(view(A1, rules=rules), ClusterFlushSlots())

    assert after.myself.slots == NO_SLOTS
    assert slots(1) == after.nodes[B].slots
    assert after.myself.is_master
    assert effects == (SaveConfig(fsync=False), Reply())
    assert slots(0) == at_replica.nodes[A].slots


def test_a_node_with_keys_does_not_flush_its_slots() -> None:
    state = view(A)

    after, effects = step(state, ClusterFlushSlots(holds_keys=True))

    assert after is state
    assert replies(effects) == ["ERR DB must be empty to perform CLUSTER FLUSHSLOTS."]


@pytest.mark.parametrize("rules", ALL)
def test_to_follow_the_present_master_again(rules: Rules) -> None:
    state = view(A1, rules=rules)

    after, effects = step(state, ClusterReplicate(master=A))

    assert after.myself.replicaof == A
    assert replies(effects) == [None]
    valkey = rules in {VALKEY_8_1, VALKEY_9_1}
    assert told(effects) == ([] if valkey else [Happening.FOLLOWED])
    assert (after is state) or not valkey


def test_a_detached_replica_is_an_empty_master_in_a_shard_of_its_own() -> None:
    state = attrs.evolve(
        view(A1, rules=VALKEY_9_1),
        migrating_slots_to=open_slots([(0, B)]),
        manual_failover=ManualFailover(stage=ManualFailoverStage.CATCHING_UP),
    )

    state, effects = step(state, NO_ONE)

    assert state.myself.is_master
    assert state.my_master is None
    assert state.myself.shard_id == ShardId("new")
    assert slots(0) == state.nodes[A].slots
    assert not state.migrating_slots_to
    assert state.manual_failover is None
    assert effects[0] == SaveConfig(fsync=True)
    assert FlushData() in effects
    (announcement,) = sent(effects)
    assert announcement.header.replicaof is None
    assert announcement.header.shard_id == ShardId("new")
    assert replies(effects) == [None]


def test_a_master_has_nobody_to_be_detached_from() -> None:
    state = view(A, rules=VALKEY_9_1)

    after, effects = step(state, NO_ONE)

    assert after is state
    assert effects == (Reply(),)


@pytest.mark.parametrize("rules", [rules for rules in ALL if rules is not VALKEY_9_1])
def test_other_releases_do_not_know_replicate_no_one(rules: Rules) -> None:
    state = view(A1, rules=rules)

    after, effects = step(state, NO_ONE)

    assert after is state
    assert replies(effects) == ["ERR wrong number of arguments for 'cluster|replicate' command"]


def _used(me: NodeId, rules: Rules) -> ClusterState:
    """A node in the midst of everything."""
    state = change(view(me, replicas=2, rules=rules), me, config_epoch=3, migrate_to=True)
    return attrs.evolve(
        change(state, me, fail_reports=frozenset({B})),
        last_vote_epoch=2,
        owner_not_claiming_slot=slots(1),
        migrating_slots_to=open_slots([(0, B)]),
        importing_slots_from=open_slots([(1, B)]),
        manual_failover=ManualFailover(stage=ManualFailoverStage.PAUSED, replica=A1),
        nodes_black_list=frozenset({STRANGER}),
    )


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("me", [A, A1])
def test_a_reset_node_is_a_master_that_knows_nobody(me: NodeId, rules: Rules) -> None:
    shard_id = view(me, rules=rules).myself.shard_id

    state, effects = step(_used(me, rules), ClusterReset(new_shard_id=ShardId("new")))

    assert len(state.nodes) == 1
    assert state.myself.node_id == me
    assert state.myself.is_master
    assert state.my_master is None
    assert state.myself.slots == NO_SLOTS
    assert not state.myself.fail_reports
    assert not state.migrating_slots_to
    assert not state.importing_slots_from
    assert state.manual_failover is None
    assert (state.current_epoch, state.last_vote_epoch, state.myself.config_epoch) == (3, 2, 3)
    assert state.myself.shard_id == (ShardId("new") if rules is VALKEY_9_1 else shard_id)
    assert state.nodes_black_list == (frozenset({STRANGER}) if rules is REDIS_7_0 else frozenset())
    assert (FlushData() in effects) is (me == A1)
    assert ResumeWrites() in effects
    assert effects[0] == SaveConfig(fsync=True)
    assert effects[-1] == Reply()


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("me", [A, A1])
def test_after_a_hard_reset_it_is_another_node_without_epochs(me: NodeId, rules: Rules) -> None:
    command = ClusterReset(new_id=STRANGER, new_shard_id=ShardId("new"))

    state, effects = step(_used(me, rules), command)

    assert state.myself_id == state.myself.node_id == STRANGER
    assert len(state.nodes) == 1
    assert (state.current_epoch, state.last_vote_epoch, state.myself.config_epoch) == (0, 0, 0)
    assert state.myself.shard_id == (ShardId("new") if rules.shards else None)
    assert state.myself.address == view(me).myself.address
    assert effects[-1] == Reply()


def test_a_hard_reset_keeps_the_shard_if_no_other_is_given() -> None:
    state = view(A, rules=VALKEY_9_1)

    after, _ = step(state, ClusterReset(new_id=STRANGER))

    assert after.myself.shard_id == state.myself.shard_id


@pytest.mark.parametrize("new_id", [None, STRANGER])
def test_only_a_master_with_keys_refuses_a_reset(new_id: NodeId | None) -> None:
    command = ClusterReset(new_id=new_id, holds_keys=True)
    state = view(A)

    after, effects = step(state, command)

    assert after is state
    assert replies(effects) == [
        "ERR CLUSTER RESET can't be called with master nodes containing keys"
    ]
    assert replies(step(view(A1), command)[1]) == [None]


@pytest.mark.parametrize("rules", ALL)
def test_the_configuration_is_saved_on_demand(rules: Rules) -> None:
    state = view(A, rules=rules)

    after, effects = step(state, ClusterSaveConfig())

    assert after is state
    assert effects == (SaveConfig(fsync=True), Reply())


def test_new_settings_are_read_by_the_rules() -> None:
    state = view(A)
    settings = Settings(migration_barrier=3)

    changed, effects = step(state, SettingsChanged(settings=settings))
    again, _ = step(changed, SettingsChanged(settings=settings))

    assert changed.settings == settings
    assert again is changed
    assert not effects


def test_a_node_that_must_not_stand_says_so() -> None:
    state, effects = step(view(A1), SettingsChanged(settings=DEFAULT_SETTINGS, nofailover=True))
    assert state.myself.nofailover
    assert effects == (SaveConfig(fsync=False),)

    state, effects = step(state, SettingsChanged(settings=DEFAULT_SETTINGS))
    assert not state.myself.nofailover
    assert effects == (SaveConfig(fsync=False),)

"""Moving slots by hand, and keys in the wrong place.

Clauses: SM-1, SM-2, SM-3, SM-4, SM-5, SM-6, SM-7, SM-8, SM-9, SM-10,
SM-11.
"""

from collections.abc import Iterable
from typing import Final

import attrs
import pytest

from reference.core.effects import (
    Broadcast,
    DeleteKeys,
    Effect,
    Happening,
    ReplicateFirst,
    Reply,
    SaveConfig,
)
from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
    DatasetLoaded,
    SetslotAcknowledged,
    SetslotFromMaster,
)
from reference.core.open_slots import NO_OPEN_SLOTS, open_slots
from reference.core.rules import (
    REDIS_7_0,
    REDIS_8_0,
    RELEASES,
    VALKEY_8_1,
    VALKEY_9_1,
    Rules,
)
from reference.core.settings import Settings
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, NodeId, Role
from tests.builders import A1, A2, STRANGER, A, B, C, add, change, replies, sent, slots, told, view

ALL: Final = tuple(RELEASES.values())
REDIS: Final = (REDIS_7_0, REDIS_8_0)
VALKEY: Final = (VALKEY_8_1, VALKEY_9_1)
STAYS: Final = Settings(allow_replica_migration=False)
KEYS_LEFT: Final = (
    "ERR Can't assign hashslot 0 to a different node while I still hold keys for this hash slot."
)


def _alone(me: NodeId = A, rules: Rules = REDIS_7_0) -> ClusterState:
    """A node of a cluster without replicas."""
    return view(me, replicas=0, rules=rules)


def _two_slots(me: NodeId, rules: Rules) -> ClusterState:
    """A node of a cluster in which a owns slot 7 as well, and has a replica."""
    state = view(A, rules=rules)
    return attrs.evolve(change(state, A, slots=slots(0, 7)), myself_id=me)


def _migrating(state: ClusterState, slot: int = 0, to: NodeId = B) -> ClusterState:
    return attrs.evolve(state, migrating_slots_to=open_slots([(slot, to)]))


def _importing(state: ClusterState, slot: int = 0, origin: NodeId = A) -> ClusterState:
    return attrs.evolve(state, importing_slots_from=open_slots([(slot, origin)]))


def _statuses(effects: Iterable[Effect]) -> list[str]:
    return [effect.status for effect in effects if isinstance(effect, Reply)]


COMMANDS: Final[tuple[ClusterSetslot, ...]] = (
    ClusterSetslotMigrating(slot=0, node=B),
    ClusterSetslotImporting(slot=1, node=B),
    ClusterSetslotStable(slot=0),
    ClusterSetslotNode(slot=0, node=A),
)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_replica_refuses_setslot(command: ClusterSetslot, rules: Rules) -> None:
    state = view(A1, rules=rules)

    after, effects = step(state, command)

    assert after is state
    assert effects == (Reply(error="ERR Please use SETSLOT only with masters."),)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("command", "error"),
    [
        (ClusterSetslotMigrating(slot=1, node=B), "ERR I'm not the owner of hash slot 1"),
        (ClusterSetslotMigrating(slot=7, node=STRANGER), "ERR I'm not the owner of hash slot 7"),
        (ClusterSetslotMigrating(slot=0, node=STRANGER), "ERR I don't know about node s"),
        (ClusterSetslotMigrating(slot=0, node=A1), "ERR Target node is not a master"),
        (ClusterSetslotImporting(slot=0, node=B), "ERR I'm already the owner of hash slot 0"),
        (
            ClusterSetslotImporting(slot=0, node=STRANGER),
            "ERR I'm already the owner of hash slot 0",
        ),
        (ClusterSetslotImporting(slot=1, node=STRANGER), "ERR I don't know about node s"),
        (ClusterSetslotImporting(slot=1, node=A1), "ERR Target node is not a master"),
        (ClusterSetslotNode(slot=0, node=STRANGER, holds_keys=True), "ERR Unknown node s"),
        (ClusterSetslotNode(slot=0, node=A1, holds_keys=True), "ERR Target node is not a master"),
        (ClusterSetslotNode(slot=0, node=B, holds_keys=True), KEYS_LEFT),
    ],
)
def test_setslot_names_the_first_thing_that_is_wrong(
    command: ClusterSetslot, error: str, rules: Rules
) -> None:
    state = view(A, rules=rules)

    after, effects = step(state, command)

    assert after is state
    assert effects == (Reply(error=error),)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("command", [ClusterSetslotMigrating, ClusterSetslotImporting])
def test_whether_a_slot_may_be_opened_to_the_node_itself(
    command: type[ClusterSetslotMigrating | ClusterSetslotImporting], rules: Rules
) -> None:
    slot = 0 if command is ClusterSetslotMigrating else 1

    _, effects = step(_alone(rules=rules), command(slot=slot, node=A))

    assert replies(effects) == ["ERR Target node is myself" if rules in VALKEY else None]


def test_a_node_in_handshake_is_no_master_yet() -> None:
    state = add(_alone(), STRANGER, role=Role.UNKNOWN, handshake=True)

    for command in (
        ClusterSetslotMigrating(slot=0, node=STRANGER),
        ClusterSetslotNode(slot=0, node=STRANGER),
    ):
        assert replies(step(state, command)[1]) == ["ERR Target node is not a master"]


@pytest.mark.parametrize("rules", ALL)
def test_a_slot_is_opened_moved_elsewhere_and_closed(rules: Rules) -> None:
    state, effects = step(_alone(rules=rules), ClusterSetslotMigrating(slot=0, node=B))
    assert effects == (SaveConfig(fsync=False), Reply())
    assert open_slots([(0, B)]) == state.migrating_slots_to

    state, _ = step(state, ClusterSetslotMigrating(slot=0, node=C))
    state, _ = step(state, ClusterSetslotImporting(slot=2, node=B))
    state, _ = step(state, ClusterSetslotImporting(slot=7, node=B))
    assert open_slots([(0, C)]) == state.migrating_slots_to
    assert open_slots([(2, B), (7, B)]) == state.importing_slots_from

    state, _ = step(state, ClusterSetslotStable(slot=0))
    state, effects = step(state, ClusterSetslotStable(slot=2))
    assert state.migrating_slots_to == NO_OPEN_SLOTS
    assert open_slots([(7, B)]) == state.importing_slots_from
    assert effects == (SaveConfig(fsync=False), Reply())


@pytest.mark.parametrize("rules", ALL)
def test_a_third_node_takes_note_without_a_new_epoch(rules: Rules) -> None:
    before = view(C, rules=rules)

    state, effects = step(before, ClusterSetslotNode(slot=0, node=B))

    assert slots(0, 1) == state.nodes[B].slots
    assert state.nodes[A].slots == NO_SLOTS
    assert state.myself == before.myself
    assert state.current_epoch == before.current_epoch
    assert effects == (SaveConfig(fsync=False), Reply())


@pytest.mark.parametrize("rules", ALL)
def test_the_source_gives_the_slot_away_and_stays_a_master_with_others(rules: Rules) -> None:
    state = change(_alone(rules=rules), A, slots=slots(0, 7))

    state, effects = step(_migrating(state), ClusterSetslotNode(slot=0, node=B))

    assert slots(7) == state.myself.slots
    assert slots(0, 1) == state.nodes[B].slots
    assert state.migrating_slots_to == NO_OPEN_SLOTS
    assert state.myself.is_master
    assert not sent(effects)
    assert replies(effects) == [None]


def test_a_slot_with_keys_stays_open_when_it_is_given_to_its_owner() -> None:
    state, effects = step(_migrating(_alone()), ClusterSetslotNode(slot=0, node=A, holds_keys=True))

    assert open_slots([(0, B)]) == state.migrating_slots_to
    assert slots(0) == state.myself.slots
    assert replies(effects) == [None]


@pytest.mark.parametrize("rules", ALL)
def test_who_gives_its_last_slot_away_follows_the_new_owner(rules: Rules) -> None:
    state, effects = step(_migrating(_alone(rules=rules)), ClusterSetslotNode(slot=0, node=B))

    assert state.myself.is_replica
    assert state.myself.replicaof == B
    assert state.migrating_slots_to == NO_OPEN_SLOTS
    assert effects[0] == SaveConfig(fsync=True)
    assert Happening.FOLLOWED in told(effects)
    assert replies(effects) == [None]


@pytest.mark.parametrize("rules", ALL)
def test_it_stays_an_empty_master_if_it_may_not_move(rules: Rules) -> None:
    state = attrs.evolve(_alone(rules=rules), settings=STAYS)

    state, effects = step(_migrating(state), ClusterSetslotNode(slot=0, node=B))

    assert state.myself.is_master
    assert state.myself.slots == NO_SLOTS
    assert told(effects) == [Happening.EMPTIED]
    assert replies(effects) == [None]


@pytest.mark.parametrize("rules", ALL)
def test_an_empty_master_follows_nobody_because_of_others_slots(rules: Rules) -> None:
    state = change(_alone(rules=rules), A, slots=NO_SLOTS)

    state, effects = step(state, ClusterSetslotNode(slot=1, node=C))

    assert state.myself.is_master
    assert slots(1, 2) == state.nodes[C].slots
    assert not told(effects)


@pytest.mark.parametrize("rules", ALL)
def test_the_importer_has_a_new_epoch_and_tells_everybody(rules: Rules) -> None:
    state, effects = step(_importing(_alone(B, rules)), ClusterSetslotNode(slot=0, node=B))

    assert slots(0, 1) == state.myself.slots
    assert state.importing_slots_from == NO_OPEN_SLOTS
    assert state.current_epoch == state.myself.config_epoch == 4
    assert effects[0] == SaveConfig(fsync=True)
    (announcement,) = sent(effects)
    assert announcement.header.slots == slots(0, 1)
    assert announcement.header.config_epoch == 4
    assert replies(effects) == [None]


@pytest.mark.parametrize("rules", ALL)
def test_the_importer_keeps_the_largest_epoch_it_knows(rules: Rules) -> None:
    state = _importing(_alone(C, rules))

    state, effects = step(state, ClusterSetslotNode(slot=0, node=C))

    assert state.current_epoch == state.myself.config_epoch == 3
    assert effects[0] == SaveConfig(fsync=False)
    assert [message.header.slots for message in sent(effects)] == [slots(0, 2)]


@pytest.mark.parametrize("rules", ALL)
def test_a_slot_that_is_not_imported_is_taken_without_a_new_epoch(rules: Rules) -> None:
    state, effects = step(_alone(B, rules), ClusterSetslotNode(slot=0, node=B))

    assert slots(0, 1) == state.myself.slots
    assert state.myself.config_epoch == 2
    assert effects == (SaveConfig(fsync=False), Reply())


@pytest.mark.parametrize("rules", ALL)
def test_an_import_stays_open_if_the_slot_goes_to_somebody_else(rules: Rules) -> None:
    state, _ = step(_importing(_alone(B, rules)), ClusterSetslotNode(slot=0, node=C))

    assert slots(0, 2) == state.nodes[C].slots
    assert open_slots([(0, A)]) == state.importing_slots_from


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("command", COMMANDS)
def test_replicas_execute_setslot_before_their_master(
    command: ClusterSetslot, rules: Rules
) -> None:
    state = view(A, rules=rules)

    after, effects = step(state, command)

    if rules in REDIS:
        assert replies(effects) == [None]
    else:
        assert after is state
        assert effects == (ReplicateFirst(command=command),)


@pytest.mark.parametrize("rules", VALKEY)
def test_replicas_in_fail_are_not_waited_for(rules: Rules) -> None:
    state = view(A, replicas=2, rules=rules)
    command = ClusterSetslotMigrating(slot=0, node=B)
    one_failed = change(state, A1, health=Health.FAIL)
    suspected = change(one_failed, A2, health=Health.PFAIL)
    none_left = change(one_failed, A2, health=Health.FAIL)
    elsewhere = change(one_failed, A2, replicaof=B)

    assert step(suspected, command)[1] == (ReplicateFirst(command=command),)
    assert replies(step(none_left, command)[1]) == [None]
    assert replies(step(elsewhere, command)[1]) == [None]


@pytest.mark.parametrize("rules", VALKEY)
def test_the_master_executes_what_its_replicas_have(rules: Rules) -> None:
    state, effects = step(
        view(A, rules=rules),
        SetslotAcknowledged(command=ClusterSetslotMigrating(slot=0, node=B)),
    )

    assert open_slots([(0, B)]) == state.migrating_slots_to
    assert effects == (SaveConfig(fsync=False), Reply())


@pytest.mark.parametrize("rules", VALKEY)
def test_the_master_looks_again_when_its_replicas_have_it(rules: Rules) -> None:
    acknowledged = SetslotAcknowledged(command=ClusterSetslotNode(slot=0, node=B, holds_keys=True))

    with_keys = step(view(A, rules=rules), acknowledged)
    demoted = step(view(A1, rules=rules), acknowledged)

    assert with_keys[1] == (Reply(error=KEYS_LEFT),)
    assert demoted[1] == (Reply(error="ERR Please use SETSLOT only with masters."),)


@pytest.mark.parametrize("rules", VALKEY)
def test_a_replica_opens_and_closes_slots_as_its_master_does(rules: Rules) -> None:
    state = view(A1, rules=rules)

    state, effects = step(state, SetslotFromMaster(command=ClusterSetslotMigrating(slot=0, node=B)))
    assert open_slots([(0, B)]) == state.migrating_slots_to
    assert effects == (SaveConfig(fsync=False),)

    state, _ = step(state, SetslotFromMaster(command=ClusterSetslotImporting(slot=1, node=B)))
    assert open_slots([(1, B)]) == state.importing_slots_from

    state, _ = step(state, SetslotFromMaster(command=ClusterSetslotStable(slot=0)))
    assert state.migrating_slots_to == NO_OPEN_SLOTS


@pytest.mark.parametrize("rules", VALKEY)
def test_a_replica_of_the_importer_learns_the_owner_without_an_epoch(rules: Rules) -> None:
    state = _importing(view(A1, rules=rules), slot=1, origin=B)

    state, effects = step(
        state, SetslotFromMaster(command=ClusterSetslotNode(slot=1, node=A, holds_keys=True))
    )

    assert slots(0, 1) == state.nodes[A].slots
    assert state.importing_slots_from == NO_OPEN_SLOTS
    assert state.current_epoch == 3
    assert effects == (SaveConfig(fsync=False),)


@pytest.mark.parametrize("rules", VALKEY)
@pytest.mark.parametrize("settings", [Settings(), STAYS])
def test_a_replica_goes_with_its_masters_last_slot(rules: Rules, settings: Settings) -> None:
    state = attrs.evolve(_migrating(view(A1, rules=rules)), settings=settings)

    state, effects = step(state, SetslotFromMaster(command=ClusterSetslotNode(slot=0, node=B)))

    assert state.myself.replicaof == (B if settings.allow_replica_migration else A)
    assert slots(0, 1) == state.nodes[B].slots
    assert not replies(effects)


@pytest.mark.parametrize("rules", VALKEY)
def test_a_replica_stays_while_its_master_has_another_slot(rules: Rules) -> None:
    state, _ = step(
        _migrating(_two_slots(A1, rules)),
        SetslotFromMaster(command=ClusterSetslotNode(slot=0, node=B)),
    )

    assert state.myself.replicaof == A
    assert slots(7) == state.nodes[A].slots
    assert state.migrating_slots_to == NO_OPEN_SLOTS


@pytest.mark.parametrize(
    ("rules", "me", "command"),
    [
        (REDIS_7_0, A1, ClusterSetslotMigrating(slot=0, node=B)),
        (REDIS_8_0, A1, ClusterSetslotMigrating(slot=0, node=B)),
        (VALKEY_9_1, A, ClusterSetslotMigrating(slot=0, node=B)),
        (VALKEY_9_1, A1, ClusterSetslotMigrating(slot=0, node=STRANGER)),
        (VALKEY_9_1, A1, ClusterSetslotImporting(slot=1, node=A1)),
    ],
    ids=["redis-7.0", "redis-8.0", "a master", "an unknown node", "itself"],
)
def test_what_a_replica_cannot_execute_is_ignored(
    rules: Rules, me: NodeId, command: ClusterSetslot
) -> None:
    state = view(me, rules=rules)

    after, effects = step(state, SetslotFromMaster(command=command))

    assert after is state
    assert not effects


@pytest.mark.parametrize("rules", ALL)
def test_slots_of_keys_without_owner_are_taken_at_start(rules: Rules) -> None:
    state, effects = step(view(A, rules=rules), DatasetLoaded(slots=slots(0, 7, 8)))

    assert slots(0, 7, 8) == state.myself.slots
    assert effects[0] == SaveConfig(fsync=True)
    assert told(effects) == [Happening.TOOK_SLOTS_OF_KEYS]
    assert not any(isinstance(effect, DeleteKeys) for effect in effects)


@pytest.mark.parametrize("rules", ALL)
def test_keys_of_other_nodes_slots_are_imported_or_deleted_at_start(rules: Rules) -> None:
    state, effects = step(view(A, rules=rules), DatasetLoaded(slots=slots(0, 1, 2)))

    assert slots(0) == state.myself.slots
    if rules in REDIS:
        assert open_slots([(1, B), (2, C)]) == state.importing_slots_from
        assert effects == (SaveConfig(fsync=True),)
    else:
        assert state.importing_slots_from == NO_OPEN_SLOTS
        assert effects == (SaveConfig(fsync=True), DeleteKeys(slots=slots(1, 2)))


@pytest.mark.parametrize("rules", ALL)
def test_both_kinds_of_keys_may_be_found_at_start(rules: Rules) -> None:
    state, effects = step(view(A, rules=rules), DatasetLoaded(slots=slots(1, 7)))

    assert slots(0, 7) == state.myself.slots
    assert [effect.slots for effect in effects if isinstance(effect, DeleteKeys)] == (
        [] if rules in REDIS else [slots(1)]
    )


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("me", "imported", "loaded"),
    [(A, (), (0,)), (A, (1, 7), (0, 1, 7)), (A1, (), (0, 1, 7)), (A, (), ())],
    ids=["its own", "imported", "a replica", "nothing"],
)
def test_keys_in_their_place_change_nothing_at_start(
    me: NodeId, imported: tuple[int, ...], loaded: tuple[int, ...], rules: Rules
) -> None:
    state = attrs.evolve(
        view(me, rules=rules), importing_slots_from=open_slots((slot, B) for slot in imported)
    )

    after, effects = step(state, DatasetLoaded(slots=slots(*loaded)))

    assert after is state
    assert not effects


def test_every_executed_command_is_answered_with_ok() -> None:
    for command in COMMANDS:
        assert _statuses(step(_alone(), command)[1]) == ["OK"]


def test_an_announcement_is_made_once() -> None:
    _, effects = step(_importing(_alone(B, VALKEY_9_1)), ClusterSetslotNode(slot=0, node=B))

    assert sum(isinstance(effect, Broadcast) for effect in effects) == 1

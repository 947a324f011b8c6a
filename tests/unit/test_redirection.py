"""Which node serves a command.

Clauses: RD-1, RD-2, RD-3, RD-4, RD-5, RD-6, RD-7, RD-9, RD-10, RD-11, RD-12, RD-13, RD-14, RD-15,
RD-16, RD-17.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.open_slots import open_slots
from reference.core.redirection import (
    SERVE,
    Ask,
    Asked,
    ClusterDown,
    CrossSlot,
    Decision,
    Moved,
    TryAgain,
    Unserved,
    decide,
    is_open,
)
from reference.core.rules import (
    REDIS_7_0,
    REDIS_8_0,
    RELEASES,
    VALKEY_8_1,
    VALKEY_9_1,
    Rules,
)
from reference.core.settings import Settings
from reference.core.state import ClusterState
from reference.core.types import NodeId, Role
from tests.builders import A1, A2, A, B, add, view

READ: Final = Asked(slots=[0], writes=False)
WRITE: Final = Asked(slots=[0], writes=True)
B1: Final = NodeId("b1")
ALL: Final = tuple(RELEASES.values())
REDIS: Final = (REDIS_7_0, REDIS_8_0)
VALKEY: Final = (VALKEY_8_1, VALKEY_9_1)
READS_WHEN_DOWN: Final = Settings(allow_reads_when_down=True)


def _decide(asked: Asked, me: NodeId = A, *, state_ok: bool = True, **settings: Any) -> Decision:
    state = attrs.evolve(view(me, replicas=2), settings=Settings(**settings))
    return decide(state, asked, state_ok=state_ok)


def _at(asked: Asked, *slots: int) -> Asked:
    return attrs.evolve(asked, slots=slots)


def _keys(count: int, missing: int, **facts: Any) -> Asked:
    """A command with so many different keys of slot 0, of which this node misses some."""
    several = count > 1
    asked = Asked(slots=[0] * count, writes=False, missing_keys=missing, multiple_keys=several)
    return attrs.evolve(asked, **facts)


def _moving(me: NodeId, rules: Rules = REDIS_7_0) -> ClusterState:
    """A node while slot 0 is on its way from a to b, of which their replicas know as well."""
    state = view(A, replicas=2, rules=rules)
    shard_id = state.nodes[B].shard_id
    state = add(state, B1, role=Role.REPLICA, replicaof=B, shard_id=shard_id)
    state = attrs.evolve(state, myself_id=me)
    if me in {A, A1}:
        return attrs.evolve(state, migrating_slots_to=open_slots([(0, B)]))
    return attrs.evolve(state, importing_slots_from=open_slots([(0, A)]))


@pytest.mark.parametrize("asked", [READ, WRITE])
def test_owner_serves(asked: Asked) -> None:
    assert _decide(asked) == SERVE


@pytest.mark.parametrize("asked", [READ, WRITE])
@pytest.mark.parametrize("me", [B, A1])
def test_others_send_the_client_to_the_owner(asked: Asked, me: NodeId) -> None:
    assert _decide(asked, me) == Moved(slot=0, owner=A)


def test_keys_of_one_slot_are_one_slot() -> None:
    assert _decide(_at(READ, 0, 0, 0)) == SERVE


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("slots", [(0, 1), (1, 0), (0, 0, 7)])
def test_keys_of_different_slots_are_refused_before_the_state_is_looked_at(
    slots: tuple[int, ...], rules: Rules
) -> None:
    decision = decide(view(A, rules=rules), _at(READ, *slots), state_ok=False)

    assert decision == CrossSlot()


@pytest.mark.parametrize("rules", ALL)
def test_a_first_slot_without_owner_is_named_before_a_second_slot(rules: Rules) -> None:
    decision = decide(view(A, rules=rules), _at(READ, 7, 0), state_ok=True)

    unbound = ClusterDown(reason=Unserved.SLOT_UNBOUND)
    assert decision == (CrossSlot() if rules is VALKEY_9_1 else unbound)


@pytest.mark.parametrize("transaction", [True, False])
def test_command_without_keys_is_served_even_when_the_cluster_is_down(transaction: bool) -> None:  # noqa: FBT001
    asked = attrs.evolve(_at(WRITE), transaction=transaction)

    assert _decide(asked, B, state_ok=False) == SERVE


@pytest.mark.parametrize("state_ok", [True, False])
def test_unbound_slot_is_named_before_the_state(state_ok: bool) -> None:  # noqa: FBT001
    decision = _decide(_at(READ, 7), state_ok=state_ok)

    assert decision == ClusterDown(reason=Unserved.SLOT_UNBOUND)


@pytest.mark.parametrize("asked", [READ, WRITE])
@pytest.mark.parametrize("me", [A, B])
def test_nobody_is_served_or_sent_away_when_the_cluster_is_down(asked: Asked, me: NodeId) -> None:
    assert _decide(asked, me, state_ok=False) == ClusterDown(reason=Unserved.STATE_FAIL)


@pytest.mark.parametrize("me", [A, A1])
def test_a_slot_on_its_way_is_not_served_when_the_cluster_is_down(me: NodeId) -> None:
    decision = decide(_moving(me), _keys(1, 1, migrate=True), state_ok=False)

    assert decision == ClusterDown(reason=Unserved.STATE_FAIL)


def test_reads_may_be_allowed_when_the_cluster_is_down() -> None:
    assert _decide(READ, state_ok=False, allow_reads_when_down=True) == SERVE


def test_writes_are_then_refused_for_another_reason() -> None:
    decision = _decide(WRITE, state_ok=False, allow_reads_when_down=True)

    assert decision == ClusterDown(reason=Unserved.READ_ONLY_STATE)


def test_a_transaction_that_writes_is_then_carried_out() -> None:
    asked = attrs.evolve(WRITE, transaction=True)

    assert _decide(asked, state_ok=False, allow_reads_when_down=True) == SERVE
    assert _decide(asked, state_ok=False) == ClusterDown(reason=Unserved.STATE_FAIL)


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("reads", [True, False])
def test_sharded_pubsub_has_a_setting_of_its_own_when_the_cluster_is_down(
    writes: bool,  # noqa: FBT001
    reads: bool,  # noqa: FBT001
) -> None:
    asked = Asked(slots=[0], writes=writes, sharded_pubsub=True)
    refused = ClusterDown(reason=Unserved.STATE_FAIL)

    assert _decide(asked, state_ok=False, allow_reads_when_down=reads) == SERVE
    assert _decide(asked, state_ok=False, allow_pubsubshard_when_down=False) == refused


def test_replica_serves_reads_of_its_master_to_who_asked_for_it() -> None:
    asked = attrs.evolve(READ, readonly_session=True)

    assert _decide(asked, A1) == SERVE


def test_replica_serves_sharded_pubsub_of_its_master_to_all() -> None:
    asked = attrs.evolve(READ, sharded_pubsub=True)

    assert _decide(asked, A1) == SERVE
    assert _decide(asked, B) == Moved(slot=0, owner=A)
    assert _decide(attrs.evolve(asked, writes=True), A1) == Moved(slot=0, owner=A)


@pytest.mark.parametrize("rules", ALL)
def test_whether_a_transaction_is_of_sharded_pubsub(rules: Rules) -> None:
    asked = attrs.evolve(READ, sharded_pubsub=True, transaction=True)

    decision = decide(view(A1, rules=rules), asked, state_ok=True)

    assert decision == (SERVE if rules in VALKEY else Moved(slot=0, owner=A))


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


@pytest.mark.parametrize("me", [A, B])
def test_only_slots_on_their_way_need_to_be_looked_up(me: NodeId) -> None:
    state = _moving(me)

    assert is_open(state, 0)
    assert not is_open(state, 1)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("count", "missing", "expected"),
    [
        (1, 0, SERVE),
        (1, 1, Ask(slot=0, target=B)),
        (2, 0, SERVE),
        (2, 1, TryAgain()),
        (2, 2, Ask(slot=0, target=B)),
    ],
)
def test_source_serves_what_it_has_and_asks_for_what_has_gone(
    count: int, missing: int, expected: Decision, rules: Rules
) -> None:
    assert decide(_moving(A, rules), _keys(count, missing), state_ok=True) == expected


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (_keys(1, 1), Moved(slot=0, owner=A)),
        (_keys(1, 0), Moved(slot=0, owner=A)),
        (_keys(1, 1, asking=True), SERVE),
        (_keys(2, 0, asking=True), SERVE),
        (_keys(2, 1, asking=True), TryAgain()),
        (_keys(2, 2, asking=True), TryAgain()),
        (_keys(2, 2, asking=True, multiple_keys=False), SERVE),
    ],
)
def test_importer_serves_only_those_who_were_sent_and_only_what_it_has(
    asked: Asked, expected: Decision, rules: Rules
) -> None:
    assert decide(_moving(B, rules), asked, state_ok=True) == expected


def test_no_key_is_missing_or_another_one_unless_it_is_said() -> None:
    asked = Asked(slots=[0], writes=True, asking=True)

    assert decide(_moving(A), asked, state_ok=True) == SERVE
    assert decide(_moving(B), attrs.evolve(asked, missing_keys=1), state_ok=True) == SERVE


def test_asking_means_nothing_where_no_slot_is_imported() -> None:
    asked = _keys(1, 1, asking=True)

    assert decide(view(B), asked, state_ok=True) == Moved(slot=0, owner=A)
    assert decide(_moving(A), asked, state_ok=True) == Ask(slot=0, target=B)


def test_a_slot_that_the_owner_moves_is_no_longer_on_its_way_elsewhere() -> None:
    state = attrs.evolve(view(B), migrating_slots_to=open_slots([(0, A)]))

    assert decide(state, _keys(1, 1), state_ok=True) == Moved(slot=0, owner=A)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("me", [A, B])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_migrate_is_served_at_both_ends(me: NodeId, missing: int, rules: Rules) -> None:
    asked = _keys(2, missing, migrate=True, writes=True)

    assert decide(_moving(me, rules), asked, state_ok=True) == SERVE


def test_migrate_is_like_others_where_no_slot_is_on_its_way() -> None:
    asked = _keys(1, 1, migrate=True, writes=True)

    assert decide(view(B), asked, state_ok=True) == Moved(slot=0, owner=A)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("me", "asked", "expected"),
    [
        (A1, _keys(1, 1), Ask(slot=0, target=B)),
        (A1, _keys(2, 1), TryAgain()),
        (A1, _keys(1, 0), SERVE),
        (A1, _keys(1, 1, migrate=True, writes=True), Ask(slot=0, target=B)),
        (A1, _keys(1, 0, writes=True), Moved(slot=0, owner=A)),
        (B1, _keys(1, 1), Moved(slot=0, owner=A)),
        (B1, _keys(1, 1, asking=True), SERVE),
        (B1, _keys(2, 1, asking=True), TryAgain()),
    ],
)
def test_replicas_send_readers_after_the_slot_as_their_masters_do(
    me: NodeId, asked: Asked, expected: Decision, rules: Rules
) -> None:
    asked = attrs.evolve(asked, readonly_session=True)
    state = _moving(me, rules)
    if rules in REDIS and me == A1:
        expected = Moved(slot=0, owner=A) if asked.writes else SERVE

    assert decide(state, asked, state_ok=True) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [(rules, SERVE if rules in REDIS else Moved(slot=0, owner=A)) for rules in ALL],
)
@pytest.mark.parametrize(
    "asked", [_keys(1, 1, asking=True), _keys(1, 1, migrate=True)], ids=["asking", "migrate"]
)
def test_an_importing_replica_serves_no_clients_that_did_not_say_readonly(
    asked: Asked, rules: Rules, expected: Decision
) -> None:
    assert decide(_moving(B1, rules), asked, state_ok=True) == expected


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("me", [A, B])
def test_channels_are_not_missed_while_a_slot_is_on_its_way(me: NodeId, rules: Rules) -> None:
    asked = _keys(2, 2, sharded_pubsub=True, asking=True)

    assert decide(_moving(me, rules), asked, state_ok=True) == SERVE


@pytest.mark.parametrize("rules", ALL)
def test_channels_of_a_transaction_may_be_missed(rules: Rules) -> None:
    asked = _keys(1, 1, sharded_pubsub=True, transaction=True)

    decision = decide(_moving(A, rules), asked, state_ok=True)

    assert decision == (SERVE if rules in VALKEY else Ask(slot=0, target=B))


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("me", [A, B])
def test_keys_of_a_slot_on_its_way_may_have_to_stay_in_their_database(
    me: NodeId, rules: Rules
) -> None:
    asked = _keys(1, 0, writes=True, other_database=True)
    otherwise: Decision = SERVE if me == A else Moved(slot=0, owner=A)

    decision = decide(_moving(me, rules), asked, state_ok=True)

    assert decision == (TryAgain() if rules is VALKEY_9_1 else otherwise)
    assert decide(view(me, rules=rules), asked, state_ok=True) == otherwise


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("me", "asked", "otherwise"),
    [
        (A, _keys(1, 1, queued=True), Ask(slot=0, target=B)),
        (A, _keys(2, 1, queued=True), TryAgain()),
        (B, _keys(2, 1, queued=True, asking=True), TryAgain()),
    ],
)
def test_whether_the_keys_of_a_queued_command_are_looked_up(
    me: NodeId, asked: Asked, otherwise: Decision, rules: Rules
) -> None:
    decision = decide(_moving(me, rules), asked, state_ok=True)

    assert decision == (SERVE if rules is VALKEY_9_1 else otherwise)


@pytest.mark.parametrize("rules", ALL)
def test_a_queued_command_is_sent_away_from_the_wrong_node(rules: Rules) -> None:
    asked = _keys(1, 1, queued=True)

    assert decide(_moving(B, rules), asked, state_ok=True) == Moved(slot=0, owner=A)


@pytest.mark.parametrize("rules", ALL)
def test_a_transaction_is_decided_by_all_its_keys(rules: Rules) -> None:
    state = _moving(A, rules)

    some = decide(state, _keys(3, 2, transaction=True), state_ok=True)
    none = decide(state, _keys(3, 3, transaction=True), state_ok=True)
    crossing = decide(state, _at(attrs.evolve(READ, transaction=True), 0, 1), state_ok=True)

    assert (some, none, crossing) == (TryAgain(), Ask(slot=0, target=B), CrossSlot())

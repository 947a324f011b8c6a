"""What a node says of itself and of others.

Clauses: HB-1, HB-2, HB-3, HB-13, HB-14, HB-16, NO-4.
"""

import attrs
import pytest

from reference.core.announce import forgotten, gossip, header, meet, ping, pong
from reference.core.events import FailUndoAllowed
from reference.core.messages import Fail, Gossip, Meet, Ping, Pong
from reference.core.rules import REDIS_7_0, RELEASES, VALKEY_9_1, Rules
from reference.core.state import ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import Health, Role
from tests.builders import (
    A1,
    STRANGER,
    A,
    B,
    C,
    add,
    address_of,
    change,
    failed,
    hear,
    slots,
    view,
)


def test_a_master_announces_its_own_slots_and_config_epoch() -> None:
    said = header(view(B))

    assert said.sender == B
    assert said.replicaof is None
    assert said.config_epoch == 2
    assert said.current_epoch == 3
    assert slots(1) == said.slots
    assert address_of(B) == said.address


def test_a_replica_announces_the_slots_and_config_epoch_of_its_master() -> None:
    said = header(change(view(A1), A1, config_epoch=9))

    assert said.sender == A1
    assert said.replicaof == A
    assert said.config_epoch == 1
    assert slots(0) == said.slots


def test_a_replica_that_does_not_know_its_master_announces_itself() -> None:
    said = header(change(view(A1), A1, replicaof=STRANGER, config_epoch=9))

    assert said.config_epoch == 9
    assert not said.slots


def test_shards_are_announced_where_there_are_shards() -> None:
    assert header(view(A1, rules=VALKEY_9_1)).shard_id == "shard-a"
    assert header(view(A1)).shard_id is None


def test_the_nofailover_flag_is_announced() -> None:
    assert header(change(view(A1), A1, nofailover=True)).nofailover


def test_gossip_is_about_the_chosen_nodes_and_those_in_pfail() -> None:
    state = change(view(A), C, health=Health.PFAIL)

    said = gossip(state, [A1])

    assert said == (
        Gossip(node_id=A1, health=Health.OK, role=Role.REPLICA, address=address_of(A1)),
        Gossip(node_id=C, health=Health.PFAIL, role=Role.MASTER, address=address_of(C)),
    )


def test_gossip_is_never_about_oneself_or_nodes_without_a_name_or_an_address() -> None:
    state = change(view(A), B, health=Health.PFAIL, noaddr=True)
    state = add(state, STRANGER, handshake=True)

    assert gossip(state, [A, B, STRANGER]) == ()


def test_a_node_in_fail_is_gossiped_only_if_chosen() -> None:
    state = change(view(A), C, health=Health.FAIL)

    assert gossip(state, []) == ()
    assert [entry.health for entry in gossip(state, [C])] == [Health.FAIL]


def test_heartbeats_differ_only_in_their_type() -> None:
    state = attrs.evolve(view(A), current_epoch=8)
    said, about = header(state), gossip(state, [B])

    assert Ping(header=said, gossip=about) == ping(state, [B])
    assert Pong(header=said, gossip=about) == pong(state, [B])
    assert Meet(header=said, gossip=about) == meet(state, [B])


@pytest.mark.parametrize("stage", ManualFailoverStage)
def test_only_a_master_that_waits_for_its_replica_says_that_it_is_paused(
    stage: ManualFailoverStage,
) -> None:
    state = attrs.evolve(view(A), manual_failover=ManualFailover(stage=stage, replica=A1))

    assert header(state).paused == (stage is ManualFailoverStage.PAUSED)
    assert not header(view(A)).paused


STICKY = VALKEY_9_1
HONEST = VALKEY_9_1.without("failed_master_mark_sticks")


def test_whether_a_replica_says_that_its_master_is_in_fail_depends_on_the_release() -> None:
    for rules in (*RELEASES.values(), HONEST, VALKEY_9_1.without("failed_master_is_announced")):
        state, _ = hear(view(A1, rules=rules), Fail(header=header(view(B)), subject=A))

        assert header(state).my_master_failed == (rules in (STICKY, HONEST))


@pytest.mark.parametrize("rules", [STICKY, HONEST])
def test_nothing_is_said_of_a_master_that_is_well_or_of_other_masters(rules: Rules) -> None:
    state, _ = hear(view(A1, rules=rules), Fail(header=header(view(C)), subject=B))

    assert not header(state).my_master_failed
    assert not header(view(A1, rules=rules)).my_master_failed
    assert not header(change(view(A1, rules=rules), A, health=Health.PFAIL)).my_master_failed


@pytest.mark.parametrize(("rules", "sticks"), [(STICKY, True), (HONEST, False)])
def test_whether_it_is_said_of_a_master_that_is_well_again_depends_on_the_release(
    rules: Rules, *, sticks: bool
) -> None:
    state, _ = hear(view(A1, rules=rules), Fail(header=header(view(B)), subject=A))

    state, _ = step(state, FailUndoAllowed(peer=A))

    assert state.nodes[A].health is Health.OK
    assert header(state).my_master_failed == sticks


@pytest.mark.parametrize(("rules", "sticks"), [(STICKY, True), (HONEST, False)])
def test_whether_it_is_said_by_a_replica_that_became_master_depends_on_the_release(
    rules: Rules, *, sticks: bool
) -> None:
    state, _ = hear(view(A1, rules=rules), Fail(header=header(view(B)), subject=A))

    state = change(state, A1, role=Role.MASTER, replicaof=None)

    assert header(state).my_master_failed == sticks


def test_a_mark_that_would_stick_is_not_looked_at_where_it_does_not() -> None:
    assert not header(change(view(A1, rules=HONEST), A1, my_master_failed=True)).my_master_failed
    assert not header(change(view(A1, rules=REDIS_7_0), A1, my_master_failed=True)).my_master_failed
    assert not header(failed(view(A1, rules=STICKY), A)).my_master_failed


def test_a_replica_of_an_unknown_master_says_nothing_of_it() -> None:
    assert not header(change(view(A1, rules=HONEST), A1, replicaof=STRANGER)).my_master_failed


@pytest.mark.parametrize("rules", RELEASES.values())
def test_the_forgotten_are_named_where_forgetting_is_gossiped(rules: Rules) -> None:
    listed = frozenset({STRANGER, B})

    said = forgotten(attrs.evolve(view(A, rules=rules), nodes_black_list=listed))

    assert said == (listed if rules is not REDIS_7_0 else frozenset())

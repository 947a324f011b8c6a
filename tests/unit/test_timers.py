"""Which timers are pending.

Clauses: MO-5.
"""

import attrs
import pytest

from reference.core.events import (
    BlacklistExpired,
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HandshakeExpired,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
)
from reference.core.slots import SlotSet
from reference.core.state import ManualFailover, ManualFailoverStage
from reference.core.timers import timers
from reference.core.types import Health, NodeId
from tests.builders import A1, A2, STRANGER, A, B, C, add, candidate, change, failed, view


def test_a_node_at_rest_waits_for_the_pongs_of_all_others() -> None:
    assert timers(view(A)) == (PongOverdue(peer=A1), PongOverdue(peer=B), PongOverdue(peer=C))


def test_a_node_in_pfail_is_waited_for_no_longer() -> None:
    state = change(view(B, masters=2, replicas=0), A, health=Health.PFAIL)

    assert timers(state) == ()


def test_a_node_without_a_known_address_is_not_waited_for() -> None:
    assert timers(change(view(B, masters=2, replicas=0), A, noaddr=True)) == ()


def test_only_a_voting_master_in_fail_is_held_there_for_a_while() -> None:
    state = failed(failed(view(B, masters=2)), A1)

    assert timers(state) == (FailUndoAllowed(peer=A),)


def test_each_report_expires_by_itself() -> None:
    state = change(view(A, masters=4, replicas=0), B, fail_reports=frozenset("dc"))
    state = change(state, B, health=Health.PFAIL)

    assert timers(state)[:2] == (
        ReportExpired(subject=B, reporter=C),
        ReportExpired(subject=B, reporter=state.nodes[type(B)("d")].node_id),
    )


def test_a_node_in_handshake_has_only_so_much_time() -> None:
    state = add(view(A, masters=1, replicas=0), STRANGER, handshake=True)

    assert timers(state) == (HandshakeExpired(peer=STRANGER),)


def test_a_replica_of_a_failed_master_waits_for_its_election() -> None:
    assert timers(failed(view(A1, masters=1))) == (FailUndoAllowed(peer=A), ElectionDue())


def test_a_running_election_may_only_expire() -> None:
    assert ElectionExpired() in timers(candidate())
    assert ElectionDue() not in timers(candidate())


@pytest.mark.parametrize("me", [A, A1])
@pytest.mark.parametrize("stage", ManualFailoverStage)
def test_a_manual_failover_has_only_so_much_time(me: NodeId, stage: ManualFailoverStage) -> None:
    under_way = ManualFailover(stage=stage)
    state = attrs.evolve(view(me, masters=1), manual_failover=under_way)
    waits = me == A1 and stage is ManualFailoverStage.CATCHING_UP

    assert ManualFailoverExpired() in timers(state)
    assert (ManualFailoverOffsetReached() in timers(state)) is waits
    assert ManualFailoverExpired() not in timers(view(me))


def test_a_replica_that_an_operator_lets_stand_waits_for_its_election() -> None:
    can_start = ManualFailover(stage=ManualFailoverStage.CAN_START)

    assert ElectionDue() in timers(attrs.evolve(view(A1), manual_failover=can_start))
    assert ElectionDue() not in timers(view(A1))


def test_forgotten_nodes_may_come_back_one_by_one() -> None:
    state = attrs.evolve(view(A, masters=1, replicas=0), nodes_black_list=frozenset({C, B}))

    assert timers(state) == (BlacklistExpired(node=B), BlacklistExpired(node=C))


def test_a_spare_replica_may_move_to_a_master_without_one() -> None:
    state = change(view(A1, masters=2, replicas=2), B, migrate_to=True)
    whole = change(state, A, slots=SlotSet.between(2, 16383) | state.nodes[A].slots)

    assert ReplicaMigrationDue(orphan=B) in timers(whole)
    assert ReplicaMigrationDue(orphan=B) not in timers(change(whole, A2, health=Health.FAIL))

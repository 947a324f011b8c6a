"""When the timers of the core fire.

Clauses: PA-8, PA-10, PA-11, PA-12, PA-13, PA-14, PA-15, PA-16, PA-19, PA-21, PA-22, PA-23.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.events import (
    ClusterMeet,
    ElectionDue,
    ElectionExpired,
    Event,
    FailUndoAllowed,
    HandshakeExpired,
    PongOverdue,
    Received,
    ReportExpired,
)
from reference.core.messages import FailoverAuthRequest, Gossip, Ping, Pong
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, Link, NodeId, ShardId
from reference.pacing.availability import Availability, judge
from reference.pacing.deadlines import deadline
from reference.pacing.elections import (
    failed_master_rank,
    note_vote,
    replica_rank,
    voted_recently,
)
from reference.pacing.pace import Candidacy, Pace, WaitsFor
from reference.pacing.pacemaker import after_step, begin, due, hear_data, hear_offset
from tests.builders import A1, A2, EITHER, A, B, C, address_of, change, failed, says, view

NT: Final = 3000


def _begin(state: ClusterState, now: int = 0, node_timeout: int = NT) -> Pace:
    return begin(state, now=now, node_timeout=node_timeout, entropy=1)


def _with(pace: Pace, peer: NodeId, **instants: Any) -> Pace:
    return pace.with_peer(peer, attrs.evolve(pace.peer(peer), **instants))


def _step(pace: Pace, state: ClusterState, event: Event, now: int) -> tuple[Pace, ClusterState]:
    after, _ = step(state, event)
    return after_step(pace, state, after, event, now=now, entropy=1), after


def _fires(pace: Pace, state: ClusterState, event: Event, now: int) -> bool:
    return event in due(pace, state, now, 1)[1]


def test_a_pong_is_not_overdue_before_it_was_asked_for() -> None:
    assert deadline(_begin(view(A)), PongOverdue(peer=B)) is WaitsFor.PING


@pytest.mark.parametrize(("data_received", "overdue"), [(None, 3101), (50, 3101), (900, 3901)])
def test_a_pong_is_overdue_after_the_node_timeout_without_data(
    data_received: int | None, overdue: int
) -> None:
    pace = _with(_begin(view(A)), B, ping_sent=100, data_received=data_received)

    assert deadline(pace, PongOverdue(peer=B)) == overdue
    assert not _fires(pace, view(A), PongOverdue(peer=B), overdue - 1)
    assert _fires(pace, view(A), PongOverdue(peer=B), overdue)


def test_data_that_no_rule_reads_is_a_sign_of_life() -> None:
    state = view(A)
    pace = _begin(state)

    assert hear_data(pace, state, B, 40).peer(B).data_received == 40
    assert hear_data(pace, state, None, 40) is pace
    assert hear_data(pace, state, A, 40) is pace


def _gossips(reporter: NodeId, health: Health) -> Received:
    ping = Ping(header=says(reporter), gossip=(Gossip(node_id=C, health=health),))
    return Received(message=ping, link=Link.INBOUND, link_node=reporter)


def test_a_report_expires_two_timeouts_after_it_was_repeated() -> None:
    report = ReportExpired(subject=C, reporter=B)
    pace, state = _step(_begin(view(A)), view(A), _gossips(B, Health.PFAIL), 10)
    assert deadline(pace, report) == 10 + 2 * NT + 1

    pace, state = _step(pace, state, _gossips(B, Health.PFAIL), 500)

    assert deadline(pace, report) == 500 + 2 * NT + 1


def test_what_is_no_report_is_not_renewed() -> None:
    """A replica says so, or it is about a node that nobody knows."""
    ping = Ping(
        header=says(A1, replicaof=A),
        gossip=tuple(Gossip(node_id=n, health=Health.FAIL) for n in (B, NodeId("x"))),
    )
    event = Received(message=ping, link=Link.INBOUND, link_node=A1)

    pace, _ = _step(_begin(view(A)), view(A), event, 10)

    assert not [timer for timer in pace.pending if isinstance(timer, ReportExpired)]


def test_a_report_that_was_taken_back_is_not_pending() -> None:
    pace, state = _step(_begin(view(A)), view(A), _gossips(B, Health.PFAIL), 10)

    pace, state = _step(pace, state, _gossips(B, Health.OK), 20)

    assert ReportExpired(subject=C, reporter=B) not in pace.pending


def _pong(state: ClusterState, sender: NodeId) -> Received:
    said = says(sender, config_epoch=2, claims=state.nodes[sender].slots)
    return Received(message=Pong(header=said), link=Link.OUTBOUND, link_node=sender)


@pytest.mark.parametrize(("at", "undone"), [(6000, False), (6001, True)])
def test_fail_is_undone_by_a_pong_after_two_timeouts(at: int, undone: bool) -> None:  # noqa: FBT001
    state = failed(view(A), B)
    pace = _begin(state)
    assert deadline(pace, FailUndoAllowed(peer=B)) is WaitsFor.PONG

    pace, state = _step(pace, state, _pong(state, B), at)

    assert _fires(pace, state, FailUndoAllowed(peer=B), at) is undone


def test_a_handshake_expires_after_the_node_timeout_but_not_within_a_second() -> None:
    meet = ClusterMeet(address=address_of(NodeId("x")), new_id=NodeId("x"))
    for node_timeout, expected in [(NT, NT), (200, 1000)]:
        pace, _ = _step(_begin(view(A), node_timeout=node_timeout), view(A), meet, 10)

        assert deadline(pace, HandshakeExpired(peer=NodeId("x"))) == 10 + expected + 1


def test_a_node_that_tells_its_name_keeps_its_instants() -> None:
    temporary, named = NodeId("x"), NodeId("n")
    meet = ClusterMeet(address=address_of(temporary), new_id=temporary)
    pace, state = _step(_begin(view(A)), view(A), meet, 10)
    pong = Received(message=Pong(header=says(named)), link=Link.OUTBOUND, link_node=temporary)

    pace, state = _step(_with(pace, temporary, linked_since=11), state, pong, 20)

    assert temporary not in pace.peers
    assert pace.peer(named).linked_since == 11
    assert pace.peer(named).answered == 20


def _replica(rules: Rules, offset: int = 0) -> tuple[Pace, ClusterState]:
    """A replica that has just heard that its master is in FAIL, at 0."""
    state = view(A1, replicas=2, rules=rules)
    pace = attrs.evolve(_begin(state), repl_offset=offset)
    after = failed(state)
    fail = PongOverdue(peer=A)
    return after_step(pace, state, after, fail, now=0, entropy=1), after


@pytest.mark.parametrize(
    ("rules", "offset", "least", "most"),
    [
        (REDIS_7_0, 0, 500, 999),
        (REDIS_7_0, 9, 500, 999),
        (VALKEY_9_1, 9, 100, 199),
        (VALKEY_9_1, 0, 600, 699),
    ],
)
def test_an_election_waits_for_its_delay(rules: Rules, offset: int, least: int, most: int) -> None:
    pace, _ = _replica(rules, offset)

    due_at = deadline(pace, ElectionDue())

    assert isinstance(due_at, int)
    assert least <= due_at <= most


def test_chance_decides_who_goes_first() -> None:
    state = failed(view(A1, replicas=2))

    delays = {
        deadline(begin(state, now=0, node_timeout=NT, entropy=n), ElectionDue()) for n in range(40)
    }

    assert len(delays) > 20


def test_a_better_replica_moves_the_election_back() -> None:
    for rules, step_ms in [(REDIS_7_0, 1000), (VALKEY_9_1, 200)]:
        pace, state = _replica(rules, 5)
        first = deadline(pace, ElectionDue())

        pace = hear_offset(pace, state, A2, 6, now=1, entropy=2)

        assert isinstance(first, int)
        assert deadline(pace, ElectionDue()) == first + step_ms


def test_only_in_valkey_a_worse_rival_moves_the_election_forward() -> None:
    for rules, moved in [(REDIS_7_0, 0), (VALKEY_9_1, 200)]:
        pace, state = _replica(rules, 5)
        ahead = hear_offset(pace, state, A2, 6, now=1, entropy=2)

        behind = hear_offset(ahead, state, A2, 4, now=2, entropy=2)

        assert ahead.candidacy is not None
        assert behind.candidacy is not None
        assert ahead.candidacy.auth_time - behind.candidacy.auth_time == moved


def test_an_offset_of_a_stranger_is_not_kept() -> None:
    pace, state = _replica(REDIS_7_0)

    assert hear_offset(pace, state, NodeId("x"), 6, now=1, entropy=2) is pace


@pytest.mark.parametrize(("rules", "rank"), [(REDIS_7_0, 0), (VALKEY_9_1, 1)])
def test_equal_offsets_are_ranked_by_id_in_valkey_only(rules: Rules, rank: int) -> None:
    state = view(A2, replicas=2, rules=rules)

    assert replica_rank(_begin(state), state) == rank


def test_who_does_not_stand_has_no_rank() -> None:
    state = change(view(A2, replicas=2, rules=VALKEY_9_1), A1, nofailover=True)

    assert replica_rank(_begin(state), state) == 0


def test_failed_shards_with_smaller_ids_go_first() -> None:
    state = failed(failed(view(A1, replicas=1, rules=VALKEY_9_1)), B)
    follower = change(state, C, slots=SlotSet(), replicaof=B)
    follower = change(follower, C, role=state.myself.role)
    smaller = change(follower, B, shard_id=ShardId("shard-0"))

    assert failed_master_rank(_begin(follower), follower, 0) == 0
    assert failed_master_rank(_begin(smaller), smaller, 0) == 1


def test_an_election_expires_after_its_time_and_the_next_waits_twice_as_long() -> None:
    for rules in EITHER:
        pace, state = _replica(rules)
        pace, state = _step(pace, state, ElectionDue(), 700)
        assert deadline(pace, ElectionExpired()) == 700 + 2 * NT + 1

        pace, state = _step(pace, state, ElectionExpired(), 700 + 2 * NT + 1)

        again = deadline(pace, ElectionDue())
        assert isinstance(again, int)
        assert again >= 700 + 4 * NT + 100


def test_an_election_takes_two_seconds_at_least() -> None:
    assert _begin(view(A), node_timeout=100).auth_timeout == 2000


def test_an_election_that_was_ended_early_is_followed_by_the_next_at_once() -> None:
    pace, state = _replica(VALKEY_9_1)
    pace, state = _step(pace, state, ElectionDue(), 700)
    newer = says(B, config_epoch=99, claims=state.nodes[B].slots)
    event = Received(message=Ping(header=newer), link=Link.INBOUND, link_node=B)

    pace, state = _step(pace, state, event, 800)

    assert state.election is None
    again = deadline(pace, ElectionDue())
    assert isinstance(again, int)
    assert again < 800 + 1000


def test_a_refused_election_is_asked_for_again_in_the_next_round() -> None:
    pace, state = _replica(REDIS_7_0)

    pace, state = _step(pace, state, ElectionDue(data_too_old=True), 900)

    assert deadline(pace, ElectionDue()) == 1000


def test_an_election_that_nobody_waits_for_is_not_asked_for_again() -> None:
    state = view(B)
    pace = _begin(state)

    assert _step(pace, state, ElectionDue(), 900) == (pace, state)


def test_a_scheduled_election_keeps_its_instant_when_fail_comes_and_goes() -> None:
    pace, state = _replica(REDIS_7_0)
    first = deadline(pace, ElectionDue())
    well = change(state, A, health=Health.OK)
    gone = after_step(pace, state, well, PongOverdue(peer=A), now=100, entropy=3)

    back = after_step(gone, well, state, PongOverdue(peer=A), now=200, entropy=4)

    assert ElectionDue() not in gone.pending
    assert deadline(back, ElectionDue()) == first


def test_an_election_that_nobody_scheduled_is_due_since_it_is_pending() -> None:
    pace, _ = _replica(REDIS_7_0)

    assert deadline(attrs.evolve(pace, candidacy=None), ElectionDue()) == 0
    assert pace.candidacy != Candidacy(auth_time=0, earliest=0)


def test_a_vote_is_recent_for_two_timeouts() -> None:
    state = failed(view(B))
    request = Received(
        message=FailoverAuthRequest(
            header=says(A1, replicaof=A, current_epoch=4, config_epoch=1, claims=SlotSet(1))
        ),
        link=Link.INBOUND,
        link_node=A1,
    )
    pace = _begin(state)
    assert not voted_recently(pace, state, A1, 50)

    pace, state = _step(pace, state, request, 50)

    assert state.last_vote_epoch == 4
    assert voted_recently(pace, state, A1, 50 + 2 * NT - 1)
    assert not voted_recently(pace, state, A1, 50 + 2 * NT)
    assert not voted_recently(pace, state, C, 51)


def test_a_vote_for_nobody_we_know_is_not_kept() -> None:
    pace, state = _begin(view(B)), view(B)

    assert note_vote(pace, state, NodeId("x"), 5) is pace
    assert note_vote(pace, state, None, 5) is pace
    assert note_vote(pace, state, C, 5) is pace


def _whole(state: ClusterState) -> ClusterState:
    """The state with all slots, so that the cluster is ok."""
    return change(state, A, slots=SlotSet.between(3, 16383) | state.nodes[A].slots)


def _judged(
    state: ClusterState, now: int, availability: Availability | None = None
) -> Availability:
    return judge(availability or Availability(began=0), state, now=now, node_timeout=NT)


def test_a_master_that_starts_serves_after_two_seconds() -> None:
    state = _whole(view(B))

    assert not _judged(state, 1999).serving
    assert _judged(state, 2000).serving


def test_a_replica_serves_at_once() -> None:
    assert _judged(_whole(view(A1)), 0).serving


def test_a_whole_cluster_that_starts_need_not_wait() -> None:
    state = _whole(view(B))

    started = judge(Availability(began=0), state, now=0, node_timeout=NT, writable_delay=0)

    assert started.serving


def test_a_master_that_was_alone_waits_before_it_serves_again() -> None:
    whole = _whole(view(B))
    alone = change(change(whole, A, health=Health.PFAIL), C, health=Health.PFAIL)
    served = _judged(whole, 10_000)

    cut_off = _judged(alone, 11_000, served)
    returned = _judged(whole, 11_000 + NT - 1, cut_off)

    assert served.serving
    assert not cut_off.serving
    assert not returned.serving
    assert _judged(whole, 11_000 + NT, returned).serving


def test_a_slot_without_owner_stops_service_at_once() -> None:
    served = _judged(_whole(view(B)), 10_000)

    assert not _judged(view(B), 10_001, served).serving

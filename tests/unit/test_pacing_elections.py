"""When a replica stands: delays and ranks of each release, the age of its data, and operators.

Clauses: PA-11, PA-12, PA-14, PA-24, PA-26, PA-27, PA-29, PA-30.
"""

from typing import Final

import attrs
import pytest

from reference.core.events import (
    ClusterFailover,
    ClusterReplicate,
    ElectionDue,
    ElectionExpired,
    Event,
    FailoverOption,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    PongOverdue,
    Received,
    ReportExpired,
)
from reference.core.messages import ManualFailoverStart, Ping
from reference.core.rules import (
    DIALECTS,
    REDIS_7_0,
    REDIS_8_0,
    RELEASES,
    VALKEY_8_1,
    VALKEY_9_1,
    Rules,
)
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import Health, Link, NodeId, Role, ShardId
from reference.pacing.deadlines import deadline
from reference.pacing.elections import (
    failed_master_rank,
    goes_first,
    is_best_ranked,
    replica_rank,
)
from reference.pacing.habits import HABITS, Habits
from reference.pacing.pace import Candidacy, Directives, MasterLink, Pace, WaitsFor
from reference.pacing.pacemaker import after_step, begin, due, hear_offset
from reference.pacing.replication import (
    advance_offset,
    data_too_old,
    hear_master,
    lose_master,
    never_heard_master,
)
from tests.builders import A1, A2, A, B, C, change, failed, says, slots, view

NT: Final = 3000
EACH: Final = pytest.mark.parametrize("rules", RELEASES.values(), ids=lambda rules: rules.dialect)
FORCE: Final = ClusterFailover(option=FailoverOption.FORCE)


def _begin(state: ClusterState, now: int = 0, **directives: int) -> Pace:
    return begin(state, now=now, node_timeout=NT, entropy=1, directives=Directives(**directives))


def _step(pace: Pace, state: ClusterState, event: Event, now: int) -> tuple[Pace, ClusterState]:
    after, _ = step(state, event)
    return after_step(pace, state, after, event, now=now, entropy=1), after


def _replica(
    rules: Rules, offset: int = 9, *, me: NodeId = A1, now: int = 0
) -> tuple[Pace, ClusterState]:
    """A replica with some data that hears at this instant that its master is in FAIL."""
    state = view(me, replicas=2, rules=rules)
    pace = attrs.evolve(_begin(state, now), repl_offset=offset)
    after = failed(state)
    return after_step(pace, state, after, PongOverdue(peer=A), now=now, entropy=1), after


def _due_at(pace: Pace) -> int:
    instant = deadline(pace, ElectionDue())
    assert isinstance(instant, int)
    return instant


def _failed_shard(state: ClusterState, shard: str) -> ClusterState:
    """The state with b in FAIL, its shard of this name, and with c as its replica."""
    state = change(failed(state, B), C, slots=SlotSet(), replicaof=B, role=Role.REPLICA)
    return change(state, B, shard_id=ShardId(shard))


def test_each_dialect_has_habits() -> None:
    assert set(HABITS) == set(DIALECTS)
    assert {len({getattr(h, f.name) for h in HABITS.values()}) for f in attrs.fields(Habits)} == {2}


@pytest.mark.parametrize(
    ("rules", "offset", "least", "most", "rank_step", "turn_step"),
    [
        (REDIS_7_0, 9, 500, 999, 1000, 0),
        (REDIS_8_0, 0, 500, 999, 1000, 0),
        (VALKEY_8_1, 0, 500, 999, 1000, 500),
        (VALKEY_9_1, 9, 100, 199, 200, 100),
        (VALKEY_9_1, 0, 600, 699, 200, 100),
    ],
)
def test_the_delay_of_an_election(
    rules: Rules, offset: int, least: int, most: int, rank_step: int, turn_step: int
) -> None:
    pace, state = _replica(rules, offset)
    later = hear_offset(pace, state, A2, offset + 1, now=0, entropy=1)
    turn = _failed_shard(state, "shard-0")
    waits = after_step(pace, state, turn, PongOverdue(peer=B), now=0, entropy=1)

    assert least <= _due_at(pace) <= most
    assert _due_at(later) - _due_at(pace) == rank_step
    assert _due_at(waits) - _due_at(pace) == turn_step


@EACH
def test_delays_of_a_new_election_have_the_same_parts_as_those_that_moved(rules: Rules) -> None:
    pace, state = _replica(rules)
    moved = hear_offset(pace, state, A2, 10, now=0, entropy=1)
    fresh = attrs.evolve(pace, candidacy=None)

    again = hear_offset(fresh, state, A2, 10, now=0, entropy=1)

    assert _due_at(again) == _due_at(moved)


@pytest.mark.parametrize(
    ("node_timeout", "short"), [(0, 0), (3000, 100), (15_000, 500), (60_000, 500)]
)
def test_the_scaled_delay_has_an_upper_bound(node_timeout: int, short: int) -> None:
    state = failed(view(A1, replicas=2, rules=VALKEY_9_1))
    delays = {
        _due_at(begin(state, now=0, node_timeout=node_timeout, entropy=n)) - 500 for n in range(80)
    }

    assert min(delays) >= short
    assert max(delays) <= max(2 * short - 1, 0)


@EACH
def test_ranks_that_fall_bring_the_election_forward_in_valkey_only(rules: Rules) -> None:
    pace, state = _replica(rules)
    behind = hear_offset(pace, state, A2, 10, now=0, entropy=1)

    caught_up = advance_offset(behind, state, 11, now=1, entropy=1)

    assert (_due_at(caught_up) == _due_at(pace)) is pace.habits.rank_may_fall


@EACH
def test_equal_offsets_go_by_id_in_valkey_only(rules: Rules) -> None:
    state = view(A2, replicas=2, rules=rules)
    pace = _begin(state)

    assert replica_rank(pace, state) == int(pace.habits.equal_offsets_go_by_id)
    assert replica_rank(_begin(view(A1, replicas=2, rules=rules)), view(A1, replicas=2)) == 0


def test_an_own_offset_that_did_not_change_changes_nothing() -> None:
    pace, state = _replica(VALKEY_9_1)

    assert advance_offset(pace, state, 9, now=1, entropy=5) is pace


def test_without_an_election_offsets_are_only_kept() -> None:
    state = view(A1)
    pace = _begin(state)

    assert advance_offset(pace, state, 7, now=1, entropy=5).repl_offset == 7
    assert hear_offset(pace, state, A, 7, now=1, entropy=5).peer(A).repl_offset == 7
    assert hear_offset(pace, state, A, 7, now=1, entropy=5).candidacy is None


@EACH
def test_shards_take_turns_by_id_in_valkey_only(rules: Rules) -> None:
    state = _failed_shard(failed(view(A1, rules=rules)), "shard-0")
    pace = _begin(state)

    assert failed_master_rank(pace, state, 0) == int(pace.habits.failed_masters_take_turns)
    assert failed_master_rank(pace, change(state, B, shard_id=ShardId("shard-z")), 0) == 0


@pytest.mark.parametrize(
    "fields", [{"health": Health.OK}, {"slots": SlotSet()}, {"role": Role.REPLICA}]
)
def test_only_failed_masters_with_slots_and_replicas_go_first(fields: dict[str, object]) -> None:
    state = _failed_shard(failed(view(A1, rules=VALKEY_9_1)), "shard-0")
    alone = change(state, C, replicaof=A)

    assert failed_master_rank(_begin(state), change(state, B, **fields), 0) == 0
    assert failed_master_rank(_begin(state), alone, 0) == 0


@pytest.mark.parametrize(("factor", "bound"), [(10, 10 * NT), (1, NT), (0, None)])
def test_a_master_that_failed_long_ago_is_not_waited_for(factor: int, bound: int | None) -> None:
    state = _failed_shard(failed(view(A1, rules=VALKEY_9_1)), "shard-0")
    pace = _begin(state, replica_validity_factor=factor)

    assert failed_master_rank(pace, state, bound or 10**9) == 1
    if bound is not None:
        assert failed_master_rank(pace, state, bound + 1) == 0


def test_the_age_of_data_that_nobody_tells_of_does_not_matter() -> None:
    assert not data_too_old(_begin(view(A1)), 10**9)


def test_a_replica_that_never_had_data_does_not_stand() -> None:
    pace = never_heard_master(_begin(view(A1)))

    assert data_too_old(pace, 0)
    assert not data_too_old(_begin(view(A1), replica_validity_factor=0), 0)
    assert not data_too_old(never_heard_master(_begin(view(A1), replica_validity_factor=0)), 10**9)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize(
    ("factor", "period", "most"),
    [(10, 10_000, 11 * NT + 10_000), (1, 0, 2 * NT), (2, 500, 3 * NT + 500)],
)
def test_data_may_be_as_old_as_configured_and_one_node_timeout_more(
    up: bool,  # noqa: FBT001
    factor: int,
    period: int,
    most: int,
) -> None:
    pace = _begin(view(A1), replica_validity_factor=factor, repl_ping_period=period)
    pace = hear_master(pace, 100)
    pace = pace if up else lose_master(pace, 100)

    assert not data_too_old(pace, 100 + most)
    assert data_too_old(pace, 100 + most + 1)


def test_within_the_first_node_timeout_nothing_is_taken_off_the_age() -> None:
    pace = hear_master(_begin(view(A1), replica_validity_factor=1, repl_ping_period=-1), 0)

    assert not data_too_old(pace, NT - 1)
    assert data_too_old(pace, NT)
    assert not data_too_old(pace, NT + 1)


def test_a_lost_link_is_lost_once() -> None:
    pace = _begin(view(A1))

    assert lose_master(pace, 5) is pace
    lost = lose_master(hear_master(pace, 1), 5)
    assert lost.master_link == MasterLink(up=False, since=5)
    assert lose_master(lost, 9) is lost


def test_the_election_comes_with_what_the_core_cannot_know() -> None:
    pace, state = _replica(REDIS_7_0)
    old = never_heard_master(pace)

    for told, too_old in ((pace, False), (old, True)):
        due_at = _due_at(told)
        assert ElectionDue(data_too_old=too_old, best_ranked=True) in due(told, state, due_at, 1)[1]


def _all_announce(state: ClusterState) -> ClusterState:
    return change(change(state, A1, my_master_failed=True), A2, my_master_failed=True)


@EACH
def test_the_best_ranked_replica_goes_at_once_when_all_know(rules: Rules) -> None:
    pace, state = _replica(rules)
    known = _all_announce(state)

    after = after_step(pace, state, known, PongOverdue(peer=A), now=40, entropy=1)

    assert (_due_at(after) == 40) is rules.best_ranked_goes_first
    assert (_due_at(after) == _due_at(pace)) is not rules.best_ranked_goes_first


def test_a_replica_that_all_know_about_from_the_start_does_not_wait() -> None:
    state = _all_announce(failed(view(A1, replicas=2, rules=VALKEY_9_1)))
    pace = attrs.evolve(_begin(state, 70), repl_offset=9, candidacy=None)

    assert _due_at(hear_offset(pace, state, A2, 1, now=70, entropy=1)) == 70


@pytest.mark.parametrize("better", [10, 9])
def test_a_replica_with_a_better_one_beside_it_waits(better: int) -> None:
    pace, state = _replica(VALKEY_9_1, me=A2)
    pace = hear_offset(pace, state, A1, better, now=0, entropy=1)

    after = after_step(pace, state, _all_announce(state), PongOverdue(peer=A), now=4, entropy=1)

    assert _due_at(after) == _due_at(pace)
    assert not is_best_ranked(after, state)


def test_who_is_best_ranked() -> None:
    pace, state = _replica(VALKEY_9_1)
    later = Candidacy(auth_time=5, earliest=0)
    manual = ManualFailover(stage=ManualFailoverStage.CAN_START)

    assert is_best_ranked(pace, state)
    assert not is_best_ranked(attrs.evolve(pace, candidacy=None), state)
    assert not is_best_ranked(attrs.evolve(pace, repl_offset=0), state)
    assert not is_best_ranked(attrs.evolve(pace, candidacy=attrs.evolve(later, rank=1)), state)
    behind = attrs.evolve(later, failed_master_rank=1)
    assert not is_best_ranked(attrs.evolve(pace, candidacy=behind), state)
    assert not is_best_ranked(pace, attrs.evolve(state, manual_failover=manual))
    assert not goes_first(pace, state, later)


def test_the_best_ranked_replica_does_not_skip_the_time_after_a_failed_election() -> None:
    pace, state = _replica(VALKEY_9_1)
    state = _all_announce(state)
    pace, state = _step(pace, state, ElectionDue(), 200)

    pace, state = _step(pace, state, ElectionExpired(), 200 + 2 * NT + 1)

    assert _due_at(pace) == 200 + 4 * NT


@EACH
def test_an_operator_does_not_wait(rules: Rules) -> None:
    state = view(A1, replicas=2, rules=rules)
    ahead = hear_offset(_begin(state), state, A2, 5, now=0, entropy=1)

    pace, state = _step(ahead, state, FORCE, 70)

    assert _due_at(pace) == 70
    assert deadline(pace, ManualFailoverExpired()) == 70 + 5000 + 1


@EACH
def test_a_rank_that_changes_does_not_move_the_election_of_an_operator(rules: Rules) -> None:
    state = view(A1, replicas=2, rules=rules)
    pace, state = _step(_begin(state), state, FORCE, 70)

    assert _due_at(hear_offset(pace, state, A2, 5, now=80, entropy=1)) == 70


@EACH
def test_whether_an_operator_waits_for_the_election_before(rules: Rules) -> None:
    pace, state = _replica(rules)
    pace, state = _step(pace, state, ElectionDue(), 700)
    expired = 700 + 2 * NT + 1
    pace, state = _step(pace, state, ElectionExpired(), expired)

    pace, state = _step(pace, state, FORCE, expired + 10)

    at_once = rules.failover_restarts_election
    assert _due_at(pace) == (expired + 10 if at_once else 700 + 4 * NT)


@EACH
def test_a_second_command_does_not_wait_for_the_first(rules: Rules) -> None:
    state = view(A1, replicas=2, rules=rules)
    pace, state = _step(_begin(state), state, FORCE, 0)
    pace, state = _step(pace, state, ElectionDue(), 10)
    pace, state = _step(pace, state, ElectionExpired(), 10 + 2 * NT + 1)

    pace, state = _step(pace, state, FORCE, 7000)

    at_once = rules.failover_restarts_election
    assert _due_at(pace) == (7000 if at_once else 10 + 4 * NT)
    assert deadline(pace, ManualFailoverExpired()) == 7000 + 5001


def test_an_election_goes_on_though_the_master_has_named_another_replica() -> None:
    state = view(A1, replicas=2, rules=VALKEY_9_1)
    pace, state = _step(_begin(state), state, FORCE, 0)
    pace, state = _step(pace, state, ElectionDue(), 10)
    before = pace.candidacy

    pace, state = _step(pace, state, attrs.evolve(FORCE, named=A2), 20)

    assert pace.candidacy == before
    assert deadline(pace, ManualFailoverExpired()) == 5001


def test_a_refused_command_gives_no_more_time() -> None:
    state = view(A1, rules=VALKEY_9_1)
    pace, state = _step(_begin(state), state, FORCE, 0)
    pace, state = _step(pace, state, ElectionDue(), 5)

    pace, state = _step(pace, state, ClusterFailover(master_link_up=False), 900)

    assert deadline(pace, ManualFailoverExpired()) == 5001
    assert deadline(pace, ElectionExpired()) == 5 + 2 * NT + 1


@EACH
def test_an_election_that_was_planned_before_the_command(rules: Rules) -> None:
    """In Redis it keeps its instant; in Valkey it is thought of anew."""
    pace, state = _replica(rules)
    planned = _due_at(pace)

    pace, state = _step(pace, state, FORCE, 20)

    assert _due_at(pace) == (20 if rules.failover_restarts_election else planned)


def _paused(state: ClusterState) -> Received:
    said = says(A, config_epoch=1, claims=slots(0), paused=True)
    if state.rules.shards:
        said = attrs.evolve(said, shard_id=state.nodes[A].shard_id)
    return Received(message=Ping(header=said), link=Link.INBOUND, link_node=A)


@EACH
def test_the_replica_waits_for_the_offset_its_master_had_when_it_paused(rules: Rules) -> None:
    state = view(A1, replicas=2, rules=rules)
    pace, state = _step(attrs.evolve(_begin(state), repl_offset=5), state, ClusterFailover(), 10)
    pace = hear_offset(pace, state, A, 8, now=20, entropy=1)
    pace, state = _step(pace, state, _paused(state), 20)
    waits = ManualFailoverOffsetReached()
    assert pace.paused_offset == 8
    assert deadline(pace, waits) is WaitsFor.OFFSET

    pace = hear_offset(pace, state, A, 12, now=25, entropy=1)
    pace = advance_offset(pace, state, 8, now=30, entropy=1)

    assert deadline(pace, waits) == 20
    assert waits in due(pace, state, 30, 1)[1]
    pace, state = _step(pace, state, waits, 30)
    assert _due_at(pace) == 30
    pace, state = _step(pace, state, ManualFailoverExpired(), 5011)
    assert pace.paused_offset is None


def test_a_replica_that_is_further_than_its_master_never_stands() -> None:
    state = view(A1)
    pace, state = _step(attrs.evolve(_begin(state), repl_offset=9), state, ClusterFailover(), 10)
    pace = hear_offset(pace, state, A, 8, now=20, entropy=1)

    pace, state = _step(pace, state, _paused(state), 20)

    assert deadline(pace, ManualFailoverOffsetReached()) is WaitsFor.OFFSET


def test_a_pause_lasts_as_configured_from_the_last_request_on() -> None:
    state = view(A)
    pace = _begin(state, manual_failover_timeout=800)
    start = Received(
        message=ManualFailoverStart(header=says(A1, replicaof=A, claims=slots(0))),
        link=Link.INBOUND,
        link_node=A1,
    )

    pace, state = _step(pace, state, start, 10)
    again, _ = _step(pace, state, start, 90)

    assert pace.pause_timeout == 1600
    assert deadline(pace, ManualFailoverExpired()) == 811
    assert deadline(again, ManualFailoverExpired()) == 891


def test_nobody_else_makes_a_pause_last_longer() -> None:
    state = view(A, replicas=2)
    mine = ManualFailoverStart(header=says(A1, replicaof=A, claims=slots(0)))
    others = ManualFailoverStart(header=says(B, config_epoch=2, claims=slots(1)))
    stranger = ManualFailoverStart(header=says(NodeId("x")))
    pace, state = _step(_begin(state), state, Received(message=mine), 10)

    for message in (others, stranger, Ping(header=mine.header)):
        after, _ = _step(pace, state, Received(message=message), 90)

        assert deadline(after, ManualFailoverExpired()) == 5011


@EACH
def test_a_replica_that_follows_another_master_forgets_when_it_stood(rules: Rules) -> None:
    pace, state = _replica(rules)
    assert pace.candidacy is not None

    pace, state = _step(pace, state, ClusterReplicate(master=B), 20)

    assert (pace.candidacy is None) is rules.election_ends_with_role_change


@EACH
def test_reports_last_whole_seconds_in_the_newest_release_only(rules: Rules) -> None:
    state = view(A, rules=rules)
    pace = _begin(state, now=300)
    report = ReportExpired(subject=B, reporter=C)

    for since, whole in ((300, 300), (301, 1300), (1299, 1300), (1301, 2300)):
        pending = attrs.evolve(pace, pending={report: since})
        rounded = whole if rules is VALKEY_9_1 else since
        assert deadline(pending, report) == rounded + 2 * NT + 1

"""Links: how often one is dialled, who is greeted again, and what an operator changes of it.

Clauses: PA-2, PA-3, PA-17, PA-25, PA-28, PA-31, PA-32, PA-34, MF-4.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.events import (
    BlacklistExpired,
    Event,
    HeartbeatDue,
    MeetRepeated,
    PongOverdue,
    ReplicaMigrationDue,
)
from reference.core.rules import DIALECTS, REDIS_7_0, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import Health, NodeId
from reference.pacing.availability import Availability, judge
from reference.pacing.deadlines import deadline
from reference.pacing.heartbeat import (
    gossip_about,
    learn_abilities,
    link_dialled,
    link_inbound,
    link_lost,
    meet_sent,
    ping_overdue,
    to_dial,
    to_greet_again,
    to_tell_of_pause,
)
from reference.pacing.pace import Directives, Pace
from reference.pacing.pacemaker import Dial, after_step, begin, due
from tests.builders import A1, A2, STRANGER, A, B, C, add, change, cluster, view

NT: Final = 3000
EACH: Final = pytest.mark.parametrize("rules", DIALECTS.values(), ids=lambda rules: rules.dialect)


def _begin(state: ClusterState, now: int = 0, **directives: int) -> Pace:
    return begin(state, now=now, node_timeout=NT, entropy=1, directives=Directives(**directives))


def _with(pace: Pace, peer: NodeId, **facts: Any) -> Pace:
    return pace.with_peer(peer, attrs.evolve(pace.peer(peer), **facts))


def _linked(pace: Pace, **facts: Any) -> Pace:
    for peer in pace.peers:
        pace = _with(pace, peer, **{"linked_since": 0, "pong_received": 0, **facts})
    return pace


def _step(pace: Pace, state: ClusterState, event: Event, now: int) -> tuple[Pace, ClusterState]:
    after, _ = step(state, event)
    return after_step(pace, state, after, event, now=now, entropy=1), after


def _all_gone(rules: Rules, nodes: int, at: int) -> tuple[Pace, ClusterState]:
    """So many nodes, and each of the others was dialled in vain at this instant."""
    state = cluster(masters=1, replicas=nodes - 1, rules=rules)[A]
    pace = _begin(state)
    for peer in pace.peers:
        pace = link_lost(link_dialled(pace, peer, at), peer, at)
    return pace, state


@EACH
def test_many_nodes_that_are_gone_are_dialled_by_and_by_where_redials_are_rationed(
    rules: Rules,
) -> None:
    pace, state = _all_gone(rules, 40, 1000)
    rationed = pace.habits.redials_are_rationed

    assert len(to_dial(pace, state, 1000 + NT // 20 - 1)) == (20 if rationed else 39)
    assert len(to_dial(pace, state, 1000 + NT // 20)) == 39


@pytest.mark.parametrize(("nodes", "ration"), [(2, 0), (14, 0), (15, 10), (29, 10), (30, 20)])
def test_the_ration_grows_with_the_cluster(nodes: int, ration: int) -> None:
    pace, state = _all_gone(VALKEY_9_1, nodes, 1000)

    assert len(to_dial(pace, state, 1001)) == ration


def test_who_has_a_link_to_us_or_was_never_dialled_is_dialled_at_once() -> None:
    pace, state = _all_gone(VALKEY_9_1, 3, 1000)

    assert to_dial(pace, state, 1001) == []
    assert to_dial(link_inbound(pace, A2, 5, up=True), state, 1001) == [A2]
    assert to_dial(_with(pace, A2, dialled=None), state, 1001) == [A2]


def test_a_dial_beyond_the_ration_lifts_it() -> None:
    pace, state = _all_gone(VALKEY_9_1, 3, 1000)

    assert to_dial(_with(pace, A1, dialled=None), state, 1001) == [A1, A2]


def test_a_node_timeout_of_nothing_rations_nothing() -> None:
    pace, state = _all_gone(VALKEY_9_1, 3, 1000)

    assert to_dial(attrs.evolve(pace, node_timeout=0), state, 1000) == [A1, A2]


def test_an_inbound_link_is_missed_since_it_was_lost() -> None:
    pace = _begin(view(A), now=7)
    assert pace.peer(B).inbound_lost == 7

    up = link_inbound(pace, B, 20, up=True)
    down = link_inbound(up, B, 50, up=False)

    assert up.peer(B).inbound
    assert up.peer(B).inbound_lost == 7
    assert not down.peer(B).inbound
    assert down.peer(B).inbound_lost == 50
    assert link_inbound(down, B, 60, up=False) is down
    assert link_inbound(up, B, 60, up=True) is up
    assert link_inbound(pace, STRANGER, 60, up=True) is pace
    assert learn_abilities(pace, STRANGER, takes_meet_again=True) is pace
    assert meet_sent(pace, STRANGER, 60) is pace


def _unheard(rules: Rules, **facts: Any) -> tuple[Pace, ClusterState]:
    """All others have a link from us and none to us, since 0, and take a MEET again."""
    state = view(A, rules=rules)
    return _linked(_begin(state), **{"takes_meet_again": True, **facts}), state


@EACH
def test_who_has_no_link_to_us_is_greeted_again_in_valkey(rules: Rules) -> None:
    pace, state = _unheard(rules)

    assert to_greet_again(pace, state, NT) == []
    greeted = to_greet_again(pace, state, NT + 1)
    assert greeted == ([A1, B, C] if rules.meet_is_repeated else [])


@pytest.mark.parametrize(
    "facts",
    [
        {"inbound": True},
        {"takes_meet_again": False},
        {"linked_since": None},
        {"inbound_lost": 1},
        {"meet_sent": 1},
    ],
)
def test_who_is_not_greeted_again(facts: dict[str, Any]) -> None:
    pace, state = _unheard(VALKEY_8_1)

    assert to_greet_again(_with(pace, B, **facts), state, NT + 1) == [A1, C]


@pytest.mark.parametrize("facts", [{"inbound_lost": None}, {"meet_sent": 0}, {"inbound_lost": 0}])
def test_who_is_greeted_again_all_the_same(facts: dict[str, Any]) -> None:
    pace, state = _unheard(VALKEY_8_1)

    assert to_greet_again(_with(pace, B, **facts), state, NT + 1) == [A1, B, C]


@pytest.mark.parametrize(
    "fields",
    [
        {"handshake": True},
        {"meet": True},
        {"noaddr": True},
        {"health": Health.PFAIL},
        {"health": Health.FAIL},
    ],
)
def test_only_a_node_that_is_well_and_known_is_greeted_again(fields: dict[str, Any]) -> None:
    pace, state = _unheard(VALKEY_8_1)

    assert to_greet_again(pace, change(state, B, **fields), NT + 1) == [A1, C]


def test_greeting_comes_before_dialling_and_is_remembered() -> None:
    pace, state = _unheard(VALKEY_9_1)
    pace = learn_abilities(_with(pace, B, linked_since=None), C, takes_meet_again=False)

    pace, actions = due(attrs.evolve(pace, next_round=NT + 1), state, NT + 1, 1)
    assert actions[0] == MeetRepeated(peer=A1)
    assert Dial(peer=B) in actions[1:]
    assert MeetRepeated(peer=C) not in actions

    pace, state = _step(pace, state, MeetRepeated(peer=A1), NT + 1)
    assert pace.peer(A1).meet_sent == NT + 1


def test_a_meet_in_the_place_of_a_ping_is_remembered_too() -> None:
    state = change(view(A), B, meet=True)

    pace, _ = _step(_begin(state), state, HeartbeatDue(peer=B), 40)

    assert pace.peer(B).meet_sent == 40
    assert pace.peer(B).ping_sent is None


@pytest.mark.parametrize(("interval", "pinged_after"), [(0, NT // 2), (100, 100), (2000, 2000)])
def test_how_often_nodes_are_pinged_may_be_configured(interval: int, pinged_after: int) -> None:
    state = view(A)
    pace = _linked(_begin(state, ping_interval=interval))

    assert ping_overdue(pace, state, pinged_after) == []
    assert ping_overdue(pace, state, pinged_after + 1) == [A1, B, C]


@pytest.mark.parametrize(("percent", "entries"), [(10, 5), (0, 3), (20, 10), (100, 48)])
def test_how_much_gossip_there_is_may_be_configured(percent: int, entries: int) -> None:
    state = cluster(masters=1, replicas=49)[A]

    assert len(gossip_about(_linked(_begin(state, gossip_percent=percent)), state, 1)) == entries


@EACH
def test_whether_a_node_may_be_told_of_itself(rules: Rules) -> None:
    state = cluster(masters=6, replicas=0, rules=rules)[A]
    pace = _linked(_begin(state))

    told = {node for n in range(60) for node in gossip_about(pace, state, n, receiver=B)}

    assert (B not in told) is pace.habits.gossip_spares_receiver
    assert told | {B} == set("bcdef")


def _pausing(me: NodeId = A, replica: NodeId = A1) -> ClusterState:
    paused = ManualFailover(stage=ManualFailoverStage.PAUSED, replica=replica)
    return attrs.evolve(view(me), manual_failover=paused)


def test_the_replica_that_is_waited_for_is_pinged_in_every_round() -> None:
    state = _pausing()
    pace = _linked(_begin(state), ping_sent=1)

    for _ in range(3):
        pace, actions = due(pace, state, pace.next_round, 1)

        assert HeartbeatDue(peer=A1) in [
            attrs.evolve(action, gossip_about=())
            for action in actions
            if isinstance(action, HeartbeatDue)
        ]


def test_who_is_not_pinged_for_a_pause() -> None:
    state = _pausing()
    waiting = ManualFailover(stage=ManualFailoverStage.WAITING_FOR_OFFSET)
    pace = _linked(_begin(state))

    assert to_tell_of_pause(pace, state) == [A1]
    assert to_tell_of_pause(pace, view(A)) == []
    assert to_tell_of_pause(pace, attrs.evolve(state, manual_failover=waiting)) == []
    assert to_tell_of_pause(pace, _pausing(me=A1)) == []
    assert to_tell_of_pause(pace, _pausing(replica=STRANGER)) == []
    assert to_tell_of_pause(_with(pace, A1, linked_since=None), state) == []


def test_a_forgotten_node_may_come_back_after_a_minute() -> None:
    state = attrs.evolve(view(A), nodes_black_list=frozenset({STRANGER}))

    assert deadline(_begin(state, 5), BlacklistExpired(node=STRANGER)) == 60_006
    short = _begin(state, 5, blacklist_ttl=10)
    assert deadline(short, BlacklistExpired(node=STRANGER)) == 16


def test_a_master_is_an_orphan_for_a_while_before_a_replica_moves_to_it() -> None:
    orphan = ReplicaMigrationDue(orphan=B)
    state = change(view(A1, replicas=2), B, migrate_to=True)
    spare = add(state, NodeId("b1"), role=state.myself.role, replicaof=B)
    pace = _begin(spare)
    assert pace.peer(B).orphaned_since is None

    pace = after_step(pace, spare, state, PongOverdue(peer=C), now=30, entropy=1)
    assert pace.peer(B).orphaned_since == 30
    assert deadline(pace, orphan) == 30 + 5001
    assert deadline(_with(pace, B, orphaned_since=None), orphan) == pace.next_round + 5001

    pace = after_step(pace, state, spare, PongOverdue(peer=C), now=60, entropy=1)
    assert pace.peer(B).orphaned_since is None


def test_an_orphan_is_one_since_it_was_one_even_if_nobody_could_move_to_it() -> None:
    orphan = ReplicaMigrationDue(orphan=B)
    full = SlotSet.between(3, 16383)
    state = change(view(A1, replicas=2), B, migrate_to=True)
    pace = _begin(state)
    assert orphan not in pace.pending

    whole = change(state, A, slots=full | state.nodes[A].slots)
    pace = after_step(pace, state, whole, PongOverdue(peer=C), now=3000, entropy=1)

    assert orphan in pace.pending
    assert deadline(pace, orphan) == 5001


def test_a_master_is_a_newcomer_until_it_has_been_there_for_the_writable_delay() -> None:
    state = view(B)
    began = Availability(began=100)
    assert began.newcomer

    early = judge(began, state, now=2099, node_timeout=NT)
    joined = judge(early, state, now=2100, node_timeout=NT)

    assert early.newcomer
    assert not joined.newcomer
    assert not judge(joined, state, now=0, node_timeout=NT).newcomer
    assert not judge(began, view(A1), now=100, node_timeout=NT).newcomer
    assert not judge(began, state, now=100, node_timeout=NT, writable_delay=0).newcomer


def test_the_rules_are_those_of_the_state() -> None:
    assert _begin(view(A, rules=REDIS_7_0)).habits != _begin(view(A, rules=VALKEY_9_1)).habits

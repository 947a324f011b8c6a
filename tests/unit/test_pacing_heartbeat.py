"""Whom to dial, ping, reconnect and speak of.

Clauses: PA-1, PA-2, PA-3, PA-4, PA-5, PA-6, PA-7, PA-9, PA-17, PA-18.
"""

from typing import Any, Final

import attrs
import pytest

from reference.core.events import HeartbeatDue, Received
from reference.core.messages import Ping, Pong
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, Link, NodeId
from reference.pacing.draws import below, shuffled
from reference.pacing.heartbeat import (
    gossip_about,
    learn_pongs,
    link_dialled,
    link_lost,
    not_quiet,
    ping_overdue,
    random_ping,
    to_dial,
    to_reconnect,
    without_random_ping,
)
from reference.pacing.pace import Pace, PeerPace
from reference.pacing.pacemaker import Dial, Drop, after_step, begin, due, next_deadline
from tests.builders import A1, A, B, C, add, change, cluster, says, view

NT: Final = 1000


def _begin(state: ClusterState, now: int = 0) -> Pace:
    return begin(state, now=now, node_timeout=NT, entropy=1)


def _with(pace: Pace, peer: NodeId, **instants: Any) -> Pace:
    return pace.with_peer(peer, attrs.evolve(pace.peer(peer), **instants))


def _linked(state: ClusterState, **instants: Any) -> Pace:
    """A pace in which all others have a link, and the same instants."""
    pace = _begin(state)
    for peer in pace.peers:
        pace = _with(pace, peer, **{"linked_since": 0, "pong_received": 0, **instants})
    return pace


def test_every_node_without_link_is_dialled_in_the_first_round() -> None:
    state = view(A)

    pace, actions = due(_begin(state), state, 0, 1)

    assert actions == tuple(Dial(peer=peer) for peer in (A1, B, C))
    assert next_deadline(pace) == 100


def test_nothing_is_due_between_rounds() -> None:
    state = view(A)
    pace, _ = due(_begin(state), state, 0, 1)

    assert due(pace, state, 99, 1) == (pace, ())


def test_late_rounds_are_not_made_up_for() -> None:
    state = view(A)

    pace, _ = due(_begin(state), state, 5000, 1)

    assert next_deadline(pace) == 5100


@pytest.mark.parametrize("fields", [{"address": None}, {"noaddr": True}])
def test_a_node_without_address_is_not_dialled(fields: dict[str, Any]) -> None:
    state = change(view(A), B, **fields)

    assert to_dial(_begin(state), state, 0) == [A1, C]


def test_a_dialled_node_is_not_dialled_again_until_its_link_is_lost() -> None:
    state = view(A)
    pace = link_dialled(_begin(state), B, 0)

    assert to_dial(pace, state, 5) == [A1, C]
    assert to_dial(link_lost(pace, B, 5), state, 5) == [A1, B, C]


def test_a_dial_that_failed_counts_as_a_ping() -> None:
    pace = link_dialled(_begin(view(A)), B, 0)

    assert link_lost(pace, B, 7, never_opened=True).peer(B).ping_sent == 7
    assert link_lost(pace, B, 7).peer(B).ping_sent is None


def test_a_failed_dial_does_not_renew_the_ping_in_flight() -> None:
    pace = _with(_begin(view(A)), B, ping_sent=3)

    assert link_lost(pace, B, 7, never_opened=True).peer(B).ping_sent == 3


def test_the_link_of_a_node_that_is_gone_is_nobodys() -> None:
    pace = _begin(view(A))

    assert link_lost(pace, NodeId("gone"), 7) is pace


@pytest.mark.parametrize(("age", "pinged"), [(500, []), (501, [A1, B, C])])
def test_a_pong_older_than_half_the_timeout_is_asked_for_again(
    age: int, pinged: list[NodeId]
) -> None:
    state = view(A)

    assert ping_overdue(_linked(state), state, age) == pinged


@pytest.mark.parametrize(
    ("instants", "quiet"),
    [
        ({}, True),
        ({"inbound": False}, False),
        ({"linked_since": None}, False),
        ({"ping_sent": 7}, False),
        ({"pong_received": None}, False),
        ({"pong_received": 99}, False),
    ],
)
def test_a_round_is_about_nodes_that_are_not_quiet(
    instants: dict[str, Any], *, quiet: bool
) -> None:
    state = view(A)
    pace = _with(_linked(state, inbound=True, pong_received=100), B, **instants)

    assert [node.node_id for node in not_quiet(pace, state, 600)] == ([] if quiet else [B])


def test_a_node_that_never_answered_is_pinged() -> None:
    state = view(A)

    assert ping_overdue(_linked(state, pong_received=None), state, 0) == [A1, B, C]


@pytest.mark.parametrize("instants", [{"ping_sent": 1}, {"linked_since": None}])
def test_a_node_that_cannot_be_pinged_is_not(instants: dict[str, Any]) -> None:
    state = view(A)
    pace = _with(_linked(state), B, **instants)

    assert ping_overdue(pace, state, 600) == [A1, C]


@pytest.mark.parametrize("fields", [{"handshake": True}, {"noaddr": True}])
def test_a_node_without_name_or_address_is_not_pinged(fields: dict[str, Any]) -> None:
    state = change(view(A), B, **fields)

    assert ping_overdue(_linked(state), state, 600) == [A1, C]


def test_only_every_tenth_round_pings_at_random() -> None:
    state = view(A)
    pace = _linked(state)

    rounds = [n for n in range(21) if random_ping(attrs.evolve(pace, round_number=n), state, 5)]

    assert rounds == [0, 10, 20]


def test_a_round_can_be_one_without_a_random_ping() -> None:
    pace = attrs.evolve(_linked(view(A), pong_received=50), round_number=9)

    _, with_ping = due(pace, view(A), 100, 1)
    _, without = due(without_random_ping(pace), view(A), 100, 1)

    assert sum(isinstance(action, HeartbeatDue) for action in with_ping) == 1
    assert not any(isinstance(action, HeartbeatDue) for action in without)


def test_of_the_sample_the_oldest_pong_is_pinged() -> None:
    state = view(A)
    pace = _with(_with(_linked(state, pong_received=50), B, pong_received=20), C, ping_sent=1)

    chosen = {random_ping(pace, state, chance) for chance in range(200)}

    assert chosen == {B, A1, None}  # where the sample did not hold B, and then not A1 either
    assert sum(random_ping(pace, state, chance) == B for chance in range(200)) > 100


def test_a_node_that_never_answered_comes_first() -> None:
    state = view(A)
    pace = _with(_linked(state), B, pong_received=None)

    assert B in {random_ping(pace, state, chance) for chance in range(50)}


def test_nobody_is_pinged_if_the_sample_is_of_no_use() -> None:
    state = view(A)

    assert random_ping(_linked(state, ping_sent=1), state, 5) is None


def test_a_node_is_pinged_once_in_a_round() -> None:
    state = view(A)
    pace = attrs.evolve(_linked(state), round_number=9)

    _, actions = due(pace, state, 600, 1)

    pinged = [action.peer for action in actions if isinstance(action, HeartbeatDue)]
    assert sorted(pinged) == [A1, B, C]


@pytest.mark.parametrize(
    ("instants", "dropped"),
    [
        ({"ping_sent": 400, "data_received": 400}, [A1, B, C]),
        ({"ping_sent": 400, "data_received": None}, [A1, B, C]),
        ({"ping_sent": 700, "data_received": 400}, []),
        ({"ping_sent": 400, "data_received": 700}, []),
        ({"ping_sent": None, "data_received": 400}, []),
        ({"ping_sent": 400, "data_received": 400, "linked_since": 300}, []),
        ({"ping_sent": 400, "data_received": 400, "linked_since": None}, []),
    ],
)
def test_a_silent_old_link_is_given_up(instants: dict[str, Any], dropped: list[NodeId]) -> None:
    state = view(A)

    assert to_reconnect(_linked(state, **instants), state, 1200) == dropped


def test_a_link_in_handshake_is_not_given_up() -> None:
    state = change(view(A), B, handshake=True)

    assert to_reconnect(_linked(state, ping_sent=0), state, 1200) == [A1, C]


def test_a_link_that_is_given_up_is_not_pinged() -> None:
    state = view(A)
    pace = attrs.evolve(_linked(state, ping_sent=0), next_round=1001)

    _, actions = due(pace, state, 1200, 1)

    assert [a for a in actions if isinstance(a, Drop)] == [Drop(peer=p) for p in (A1, B, C)]
    assert not [a for a in actions if isinstance(a, HeartbeatDue)]


def _after(pace: Pace, state: ClusterState, event: HeartbeatDue | Received, now: int) -> Pace:
    after, _ = step(state, event)
    return after_step(pace, state, after, event, now=now, entropy=1)


def test_the_first_unanswered_ping_counts() -> None:
    state = view(A)
    pace = _after(_linked(state), state, HeartbeatDue(peer=B), 100)

    pace = _after(link_dialled(link_lost(pace, B, 200), B, 200), state, HeartbeatDue(peer=B), 250)

    assert pace.peer(B).ping_sent == 100


def test_nobody_waits_for_a_node_that_is_gone() -> None:
    state = view(A)
    pace = _linked(state)

    assert _after(pace, state, HeartbeatDue(peer=NodeId("gone")), 100) is pace


def test_a_meet_is_not_waited_for() -> None:
    state = change(view(A), B, meet=True)

    assert _after(_linked(state), state, HeartbeatDue(peer=B), 100).peer(B).ping_sent is None


@pytest.mark.parametrize(("link", "in_flight"), [(Link.OUTBOUND, None), (Link.INBOUND, 10)])
def test_only_a_pong_on_our_link_answers(link: Link, in_flight: int | None) -> None:
    state = view(A)
    pong = Received(
        message=Pong(header=says(B, config_epoch=2, claims=state.nodes[B].slots)),
        link=link,
        link_node=B,
    )

    pace = _after(_linked(state, ping_sent=10), state, pong, 90)

    assert pace.peer(B).ping_sent == in_flight
    assert pace.peer(B).data_received == 90


def test_a_ping_of_the_peer_is_data_and_no_answer() -> None:
    state = view(A)
    ping = Received(message=Ping(header=says(B)), link=Link.INBOUND, link_node=B)

    pace = _after(_linked(state, ping_sent=10), state, ping, 90)

    assert pace.peer(B) == PeerPace(
        ping_sent=10, pong_received=0, data_received=90, linked_since=0, inbound_lost=0
    )


def test_gossip_is_about_at_least_three() -> None:
    state = cluster(masters=8, replicas=0)[A]

    chosen = {gossip_about(_linked(state), state, chance, receiver=B) for chance in range(60)}

    assert {len(nodes) for nodes in chosen} == {3}
    assert {node for nodes in chosen for node in nodes} == set("bcdefgh")


def test_gossip_is_about_a_tenth_of_a_large_table() -> None:
    state = cluster(masters=1, replicas=49)[A]

    assert len(gossip_about(_linked(state), state, 1)) == 5


def test_two_nodes_have_nobody_to_speak_of() -> None:
    state = cluster(masters=2, replicas=0)[A]

    assert gossip_about(_linked(state), state, 1) == ()


@pytest.mark.parametrize(
    "fields", [{"handshake": True}, {"noaddr": True}, {"health": Health.PFAIL}]
)
def test_gossip_is_not_about_nodes_nobody_could_reach(fields: dict[str, Any]) -> None:
    state = change(cluster(masters=6, replicas=0)[A], C, **fields)

    assert all(C not in gossip_about(_linked(state), state, n) for n in range(30))


def test_gossip_is_not_about_a_node_without_link_and_slots() -> None:
    state = add(cluster(masters=6, replicas=0)[A], NodeId("x"))
    unlinked = _with(_linked(state), NodeId("x"), linked_since=None)

    assert any("x" in gossip_about(_linked(state), state, n) for n in range(30))
    assert not any("x" in gossip_about(unlinked, state, n) for n in range(30))


def test_gossip_is_about_fewer_where_fewer_can_be_reached() -> None:
    state = cluster(masters=6, replicas=0)[A]
    for peer in "bcde":
        state = change(state, NodeId(peer), noaddr=True)

    assert {gossip_about(_linked(state), state, chance) for chance in range(9)} == {("f",)}


def test_the_pong_that_another_heard_counts() -> None:
    state = view(A)

    pace = learn_pongs(_linked(state), state, [(B, 300)], 400)

    assert pace.peer(B).pong_received == 300
    assert pace.peer(B).answered is None


@pytest.mark.parametrize("heard", [-1, 0, 901])
def test_an_older_or_a_future_pong_does_not_count(heard: int) -> None:
    state = view(A)
    pace = _linked(state)

    assert learn_pongs(pace, state, [(B, heard)], 400) is pace


@pytest.mark.parametrize("fields", [{"handshake": True}, {"fail_reports": frozenset({C})}])
def test_a_pong_does_not_count_against_what_we_know(fields: dict[str, Any]) -> None:
    state = change(view(A), B, **fields)
    pace = _linked(state)

    assert learn_pongs(pace, state, [(B, 300)], 400) is pace
    assert learn_pongs(pace, state, [(A, 300)], 400) is pace


def test_a_pong_does_not_count_while_we_ask_ourselves() -> None:
    state = view(A)
    pace = _with(_linked(state), B, ping_sent=200)

    assert learn_pongs(pace, state, [(B, 300)], 400) is pace


def test_shuffling_draws_all_and_nothing_twice() -> None:
    assert sorted(shuffled("abcde", 4)) == list("abcde")
    assert len({tuple(shuffled("abc", chance)) for chance in range(99)}) == 6
    assert list(shuffled("", 4)) == []


def test_draws_reach_every_number_below_the_limit() -> None:
    assert {below(3, chance) for chance in range(50)} == {0, 1, 2}
    assert below(0, 5) == 0

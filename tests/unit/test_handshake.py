"""How nodes come to know each other, and where they are.

Clauses: HS-1, HS-2, HS-3, HS-4, HS-5, HS-6, HS-7, HS-8, HS-9, HS-10, HS-13.
"""

from typing import Any

import attrs
import pytest

from reference.core.announce import header, meet, ping, pong
from reference.core.effects import (
    Broadcast,
    CloseLink,
    Effect,
    Happening,
    Notice,
    Refusal,
    Reply,
    SaveConfig,
    Send,
)
from reference.core.events import ClusterMeet, HandshakeExpired, Received
from reference.core.messages import Fail, Gossip, Meet
from reference.core.nodes import ClusterNode
from reference.core.rules import REDIS_7_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Address, Health, Link, NodeId, Role, ShardId
from tests.builders import (
    A1,
    EITHER,
    STRANGER,
    A,
    B,
    C,
    add,
    address_of,
    change,
    failed,
    hear,
    told,
    view,
)

ALL = tuple(RELEASES.values())
TEMPORARY = NodeId("temporary")
ELSEWHERE = Address(ip="10.0.0.9", port=1, cport=2)


def lonely(node_id: NodeId = STRANGER, rules: Rules = REDIS_7_0) -> ClusterState:
    """A node that knows nobody."""
    shard = ShardId(f"shard-{node_id}")
    return new_node(rules, node_id, shard_id=shard, address=address_of(node_id))


def greeting(rules: Rules = REDIS_7_0) -> ClusterState:
    """Node a while it greets the stranger."""
    command = ClusterMeet(address=address_of(STRANGER), new_id=TEMPORARY)
    return step(view(A, rules=rules), command)[0]


def test_a_node_to_meet_has_a_made_up_name_until_it_says_its_own() -> None:
    command = ClusterMeet(address=address_of(STRANGER), new_id=TEMPORARY)

    state, effects = step(view(A), command)

    assert state.nodes[TEMPORARY] == ClusterNode(
        node_id=TEMPORARY,
        role=Role.UNKNOWN,
        address=address_of(STRANGER),
        handshake=True,
        meet=True,
    )
    assert effects == (Reply(),)


@pytest.mark.parametrize(
    "again",
    [
        ClusterMeet(address=address_of(STRANGER), new_id=NodeId("another")),
        ClusterMeet(address=ELSEWHERE, new_id=TEMPORARY),
        ClusterMeet(address=ELSEWHERE, new_id=A),
    ],
)
def test_a_handshake_with_an_address_or_a_name_in_use_is_not_begun(again: ClusterMeet) -> None:
    state = greeting()

    after, effects = step(state, again)

    assert after is state
    assert effects == (Reply(), Notice(what=Refusal.ALREADY_MET, subject=again.new_id))


def test_a_second_meet_need_not_know_the_other_port_of_the_node_in_handshake() -> None:
    state, _ = met(view(A), meet(lonely()))
    stranger = state.nodes[TEMPORARY]
    assert stranger.address is not None
    both = attrs.evolve(stranger, address=attrs.evolve(stranger.address, pport=9))
    again = ClusterMeet(address=stranger.address, new_id=NodeId("another"))

    after, _ = step(state.put(both), again)

    assert again.new_id not in after.nodes


def met(
    state: ClusterState, message: Meet, **fields: Any
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which a MEET arrives, and the unknown sender gets a made-up name."""
    return hear(state, message, link=Link.INBOUND, **({"new_id": TEMPORARY} | fields))


@pytest.mark.parametrize("rules", EITHER)
def test_the_unknown_sender_of_a_meet_is_dialled_to_learn_its_name(rules: Rules) -> None:
    state, effects = met(view(A, rules=rules), meet(lonely()))

    assert state.nodes[TEMPORARY] == ClusterNode(
        node_id=TEMPORARY, role=Role.UNKNOWN, address=address_of(STRANGER), handshake=True
    )
    assert effects == (
        SaveConfig(fsync=False),
        Send(to=None, message=pong(state), reply=True),
        Notice(what=Refusal.UNKNOWN_SENDER, subject=STRANGER),
    )


def test_a_sender_that_announces_no_ip_is_where_its_connection_comes_from() -> None:
    away = attrs.evolve(address_of(STRANGER), ip="")
    message = Meet(header=attrs.evolve(header(lonely()), address=away))

    for observed_ip, ip in (("10.1.1.1", "10.1.1.1"), (None, "")):
        state, _ = met(view(A), message, observed_ip=observed_ip)

        assert attrs.evolve(away, ip=ip) == state.nodes[TEMPORARY].address


def test_an_announced_ip_counts_more_than_the_connections() -> None:
    state, _ = met(view(A), meet(lonely()), observed_ip="10.1.1.1")

    assert address_of(STRANGER) == state.nodes[TEMPORARY].address


@pytest.mark.parametrize("rules", ALL)
def test_each_meet_of_a_stranger_begins_a_handshake(rules: Rules) -> None:
    """Even if one with its address is under way: those too many are dropped again."""
    again = NodeId("again")
    state, _ = met(view(A, rules=rules), meet(lonely(rules=rules)))

    state, effects = met(state, meet(lonely(rules=rules)), new_id=again)

    assert state.nodes[again].address == state.nodes[TEMPORARY].address
    assert effects[0] == SaveConfig(fsync=False)


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize("link", Link)
def test_whether_a_second_meet_of_one_link_is_dropped_depends_on_the_release(
    rules: Rules, link: Link
) -> None:
    state, _ = met(view(A, rules=rules), meet(lonely(rules=rules)))
    again = Received(
        message=meet(lonely(rules=rules)),
        link=link,
        link_node=TEMPORARY,
        new_id=NodeId("again"),
    )

    after, effects = step(state, again)

    dropped = effects == (Notice(what=Refusal.ALREADY_MET, subject=STRANGER),) and after is state
    assert dropped == rules.second_meet_is_ignored
    assert rules.second_meet_is_ignored == (rules in (VALKEY_8_1, VALKEY_9_1))


@pytest.mark.parametrize(
    ("state", "link_node"),
    [(view(A, rules=VALKEY_9_1), B), (view(A, rules=VALKEY_9_1), NodeId("gone"))],
)
def test_a_meet_on_a_link_of_a_node_past_its_handshake_is_answered(
    state: ClusterState, link_node: NodeId
) -> None:
    _, effects = met(state, meet(view(B, rules=VALKEY_9_1)), link_node=link_node)

    assert Send(to=B, message=pong(state), reply=True) in effects


def test_a_ping_on_a_link_of_a_node_in_handshake_is_answered() -> None:
    state, _ = met(view(A, rules=VALKEY_9_1), meet(lonely(rules=VALKEY_9_1)))

    _, effects = hear(state, ping(lonely(rules=VALKEY_9_1)), link=Link.INBOUND, link_node=TEMPORARY)

    assert effects[0] == Send(to=None, message=pong(state), reply=True)


@pytest.mark.parametrize("new_id", [None, B])
def test_a_stranger_is_not_met_without_a_new_name(new_id: NodeId | None) -> None:
    state = view(A)

    after, effects = met(state, meet(lonely()), new_id=new_id)

    assert after is state
    assert told(effects) == [Refusal.ALREADY_MET, Refusal.UNKNOWN_SENDER]


def test_a_stranger_without_an_address_is_met_nevertheless() -> None:
    state, _ = met(view(A), Meet(header=attrs.evolve(header(lonely()), address=None)))

    assert state.nodes[TEMPORARY].address is None


def test_a_node_that_greets_itself_does_not_meet_itself() -> None:
    state = view(A)

    after, effects = met(state, meet(state))

    assert after is state
    assert effects == (
        Send(to=None, message=pong(state), reply=True),
        Notice(what=Refusal.UNKNOWN_SENDER, subject=A),
    )


def test_the_meet_of_a_known_node_is_like_a_ping() -> None:
    state = view(A)

    after, effects = met(state, meet(view(B)))

    assert after is state
    assert effects == (Send(to=B, message=pong(state), reply=True),)


def test_whether_a_strangers_meet_introduces_others_depends_on_the_release() -> None:
    for rules, known in zip(ALL, (False, False, True, True), strict=True):
        state, _ = met(view(A, rules=rules), meet(add(lonely(), NodeId("o")), [NodeId("o")]))

        assert known == (NodeId("o") in state.nodes)


def test_a_stranger_cannot_report_a_failure() -> None:
    about = (Gossip(node_id=B, health=Health.PFAIL),)

    state, _ = met(view(A), Meet(header=header(lonely()), gossip=about))

    assert not state.nodes[B].fail_reports


@pytest.mark.parametrize("rules", EITHER)
def test_the_first_pong_tells_the_name_and_the_role(rules: Rules) -> None:
    answer = pong(lonely(rules=rules))

    state, effects = hear(greeting(rules), answer, link_node=TEMPORARY)

    assert TEMPORARY not in state.nodes
    assert state.nodes[STRANGER] == ClusterNode(
        node_id=STRANGER, address=address_of(STRANGER), shard_id=answer.header.shard_id
    )
    assert effects == (SaveConfig(fsync=False), Notice(what=Happening.MET, subject=STRANGER))


def test_shards_are_learned_only_where_there_are_shards() -> None:
    answer = pong(lonely(rules=VALKEY_9_1))

    state, _ = hear(greeting(REDIS_7_0), answer, link_node=TEMPORARY)

    assert state.nodes[STRANGER].shard_id is None


def test_a_replica_is_met_as_a_replica() -> None:
    answer = pong(change(lonely(), STRANGER, role=Role.REPLICA, replicaof=B))

    state, _ = hear(greeting(), answer, link_node=TEMPORARY)

    assert state.nodes[STRANGER].is_replica


@pytest.mark.parametrize("known", [A, B])
def test_a_handshake_with_a_node_known_by_name_leaves_the_old_entry(known: NodeId) -> None:
    state = add(view(A), TEMPORARY, role=Role.UNKNOWN, address=address_of(known), handshake=True)

    after, effects = hear(state, pong(view(known)), link_node=TEMPORARY)

    assert after == view(A)
    assert not [effect for effect in effects if not isinstance(effect, Notice)]


def test_a_node_known_by_name_is_where_the_handshake_reached_it() -> None:
    state = add(view(A), TEMPORARY, role=Role.UNKNOWN, address=ELSEWHERE, handshake=True)
    answer = attrs.evolve(pong(view(B)), header=attrs.evolve(header(view(B)), address=ELSEWHERE))

    after, effects = hear(state, answer, link_node=TEMPORARY)

    assert after == change(view(A), B, address=ELSEWHERE)
    assert effects == (SaveConfig(fsync=False), CloseLink(peer=B))


def test_a_name_is_learned_only_from_the_link_that_was_dialled() -> None:
    state, effects = hear(greeting(), pong(lonely()), link_node=TEMPORARY, link=Link.INBOUND)

    assert TEMPORARY in state.nodes
    assert told(effects) == [Refusal.UNKNOWN_SENDER]


def test_a_node_in_whose_place_another_answers_has_no_address() -> None:
    for rules, health in zip(ALL, (Health.OK, Health.OK, Health.FAIL, Health.FAIL), strict=True):
        state, effects = hear(view(A, rules=rules), pong(lonely()), link_node=B)

        assert state.nodes[B].noaddr
        assert state.nodes[B].address is None
        assert state.nodes[B].health is health
        assert effects[:3] == (
            SaveConfig(fsync=False),
            Notice(what=Refusal.SENDER_MISMATCH, subject=B),
            CloseLink(peer=B),
        )
        told_all = Broadcast(message=Fail(header=header(state), subject=B)) in effects
        assert told_all == (health is Health.FAIL)


def test_a_failed_node_in_whose_place_another_answers_is_not_told_of_again() -> None:
    _, effects = hear(failed(view(A, rules=VALKEY_9_1), B), pong(lonely()), link_node=B)

    assert told(effects) == [Refusal.SENDER_MISMATCH]


def test_a_handshake_without_an_answer_is_forgotten() -> None:
    state, effects = step(greeting(), HandshakeExpired(peer=TEMPORARY))

    assert state == view(A)
    assert not effects


@pytest.mark.parametrize("peer", [B, STRANGER])
def test_only_a_handshake_expires(peer: NodeId) -> None:
    state = greeting()

    assert step(state, HandshakeExpired(peer=peer)) == (state, ())


def gossiped(state: ClusterState, **fields: Any) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which c gossips about a node."""
    return hear(state, attrs.evolve(pong(view(C)), gossip=(Gossip(**fields),)), link=Link.INBOUND)


@pytest.mark.parametrize("rules", EITHER)
def test_a_node_that_a_known_node_speaks_of_is_known(rules: Rules) -> None:
    state, effects = gossiped(
        view(A, rules=rules),
        node_id=STRANGER,
        health=Health.PFAIL,
        role=Role.REPLICA,
        address=ELSEWHERE,
    )

    assert state.nodes[STRANGER] == ClusterNode(
        node_id=STRANGER, role=Role.REPLICA, health=Health.PFAIL, address=ELSEWHERE
    )
    assert not effects


def test_a_node_of_which_no_address_is_known_stays_unknown() -> None:
    state = view(A)

    assert gossiped(state, node_id=STRANGER, health=Health.OK, noaddr=True) == (state, ())


def test_a_ping_from_elsewhere_moves_its_sender_there() -> None:
    state = change(view(A), B, address=ELSEWHERE, noaddr=True)

    state, effects = hear(state, ping(view(B)), link=Link.INBOUND)

    assert address_of(B) == state.nodes[B].address
    assert not state.nodes[B].noaddr
    assert effects[0] == SaveConfig(fsync=False)
    assert CloseLink(peer=B) in effects


@pytest.mark.parametrize("address", [None, attrs.evolve(ELSEWHERE, ip="")])
def test_a_ping_from_nowhere_moves_nobody(address: Address | None) -> None:
    state = view(A)
    said = attrs.evolve(header(view(B)), address=address)

    after, effects = hear(state, attrs.evolve(ping(view(B)), header=said), link=Link.INBOUND)

    assert after is state
    assert effects == (Send(to=B, message=pong(state), reply=True),)


def test_only_a_ping_on_the_senders_own_link_moves_it() -> None:
    state = change(view(A), B, address=ELSEWHERE)

    for message, link in ((pong(view(B)), Link.INBOUND), (ping(view(B)), Link.OUTBOUND)):
        after, _ = hear(state, message, link=link)

        assert after is state


@pytest.mark.parametrize("health", [Health.PFAIL, Health.FAIL])
def test_a_node_that_others_reach_elsewhere_is_dialled_there(health: Health) -> None:
    state = change(view(A), B, health=health, noaddr=True)

    state, effects = gossiped(state, node_id=B, health=Health.OK, address=ELSEWHERE)

    assert state.nodes[B].address == ELSEWHERE
    assert not state.nodes[B].noaddr
    assert effects == (CloseLink(peer=B),)


def test_a_strangers_meet_tells_where_others_are() -> None:
    about = (Gossip(node_id=B, health=Health.OK, address=ELSEWHERE),)

    state, _ = met(failed(view(A), B), Meet(header=header(lonely()), gossip=about))

    assert state.nodes[B].address == ELSEWHERE


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (view(A), {"health": Health.OK, "address": ELSEWHERE}),
        (failed(view(A), B), {"health": Health.PFAIL, "address": ELSEWHERE}),
        (failed(view(A), B), {"health": Health.OK, "address": ELSEWHERE, "noaddr": True}),
        (failed(view(A), B), {"health": Health.OK, "address": address_of(B)}),
        (failed(view(A), B), {"health": Health.OK, "address": None}),
    ],
)
def test_otherwise_gossip_moves_nobody(state: ClusterState, fields: dict[str, Any]) -> None:
    after, effects = gossiped(state, node_id=B, **fields)

    assert after.nodes[B].address == state.nodes[B].address
    assert not effects


def test_a_replica_is_moved_like_a_master() -> None:
    state, _ = hear(change(view(A), A1, address=ELSEWHERE), ping(view(A1)), link=Link.INBOUND)

    assert address_of(A1) == state.nodes[A1].address


def test_a_greeting_that_reaches_a_known_node_by_a_handshake_is_over() -> None:
    state = add(change(view(A), B, meet=True), TEMPORARY, address=address_of(B), handshake=True)

    after, _ = hear(state, pong(view(B)), link_node=TEMPORARY)

    assert after == view(A)


@pytest.mark.parametrize(("state", "address"), [(greeting(), ELSEWHERE), (view(A), address_of(B))])
def test_only_a_handshake_with_the_same_address_is_in_the_way(
    state: ClusterState, address: Address
) -> None:
    state, effects = step(state, ClusterMeet(address=address, new_id=NodeId("n")))

    assert state.nodes[NodeId("n")].address == address
    assert effects == (Reply(),)

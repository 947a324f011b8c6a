"""Sending and taking in heartbeats, and the roles, shards and gossip that they tell.

Clauses: HB-4, HB-5, HB-6, HB-7, HB-8, HB-9, HB-10, HB-11, HB-12, SC-10, SC-11, SC-12, SC-13,
SC-14, SC-15, SC-18, SC-19.
"""

from typing import Any

import attrs
import pytest

from reference.core.announce import header, meet, ping, pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Refusal, SaveConfig, Send
from reference.core.events import HeartbeatDue
from reference.core.messages import Fail, FailoverAuthAck, Gossip, Meet, Ping, Pong
from reference.core.rules import REDIS_7_0, REDIS_8_0, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, ManualFailover, ManualFailoverStage
from reference.core.step import step
from reference.core.types import Health, Link, NodeId, Role, ShardId
from tests.builders import (
    A1,
    A2,
    EITHER,
    STRANGER,
    A,
    B,
    C,
    add,
    address_of,
    candidate,
    change,
    hear,
    says,
    sent,
    slots,
    told,
    view,
)


@pytest.mark.parametrize("rules", EITHER)
def test_a_heartbeat_is_a_ping_with_gossip_about_the_chosen(rules: Rules) -> None:
    state = view(A, rules=rules)

    after, effects = step(state, HeartbeatDue(peer=B, gossip_about=(C,)))

    assert after is state
    assert effects == (Send(to=B, message=ping(state, [C])),)


@pytest.mark.parametrize("peer", [A, STRANGER])
def test_no_heartbeat_goes_to_oneself_or_to_an_unknown_node(peer: NodeId) -> None:
    state = view(A)

    assert step(state, HeartbeatDue(peer=peer)) == (state, ())


def test_whether_meet_is_repeated_depends_on_the_release() -> None:
    for rules, again in ((REDIS_7_0, Ping), (VALKEY_9_1, Meet)):
        state = change(view(A, rules=rules), B, meet=True)

        state, first = step(state, HeartbeatDue(peer=B))
        state, second = step(state, HeartbeatDue(peer=B))

        assert sent(first) == [meet(state)]
        assert isinstance(sent(second)[0], again)


def test_any_heartbeat_of_a_node_ends_its_greeting() -> None:
    state, _ = hear(change(view(A), B, meet=True), pong(view(B)), link=Link.INBOUND)

    assert not state.nodes[B].meet


@pytest.mark.parametrize("rules", EITHER)
def test_a_ping_that_tells_nothing_new_is_answered_and_changes_nothing(rules: Rules) -> None:
    state = view(A, rules=rules)

    after, effects = hear(
        state, ping(view(B, rules=rules)), link=Link.INBOUND, gossip_about=(C,), link_node=B
    )

    assert after is state
    assert effects == (Send(to=B, message=pong(state, [C]), reply=True),)


@pytest.mark.parametrize("rules", EITHER)
def test_a_pong_that_tells_nothing_new_changes_nothing(rules: Rules) -> None:
    state = view(A, rules=rules)

    assert hear(state, pong(view(B, rules=rules)), link_node=B) == (state, ())


@pytest.mark.parametrize("rules", EITHER)
def test_a_replica_that_tells_nothing_new_changes_nothing(rules: Rules) -> None:
    state = change(view(B, rules=rules), A1, config_epoch=1)

    assert hear(state, pong(view(A1, rules=rules))) == (state, ())


def test_an_unknown_node_is_answered_and_otherwise_ignored() -> None:
    state = view(A)
    said = says(STRANGER, current_epoch=9, config_epoch=9, claims=slots(0, 1))
    about = (Gossip(node_id=NodeId("other"), health=Health.OK),)

    after, effects = hear(state, Ping(header=said, gossip=about), link=Link.INBOUND)

    assert after is state
    assert effects == (
        Send(to=None, message=pong(state), reply=True),
        Notice(what=Refusal.UNKNOWN_SENDER, subject=STRANGER),
    )


def test_a_message_in_ones_own_name_is_ignored() -> None:
    state = view(A)

    after, effects = hear(state, Pong(header=says(A, config_epoch=9, current_epoch=9)))

    assert after is state
    assert told(effects) == [Refusal.UNKNOWN_SENDER]


def test_other_messages_of_an_unknown_node_are_ignored() -> None:
    state = view(A)

    for message in (Fail(header=says(STRANGER), subject=B), FailoverAuthAck(header=says(STRANGER))):
        after, effects = hear(state, message)

        assert after is state
        assert effects == (Notice(what=Refusal.UNKNOWN_SENDER, subject=STRANGER),)


def test_a_message_is_from_the_node_of_its_link_whatever_name_it_bears() -> None:
    """A node that got a new name (CLUSTER RESET HARD) still uses the links of the old one."""
    said = says(STRANGER, current_epoch=9, config_epoch=5, claims=slots(1, 7))

    state, effects = hear(view(A), Ping(header=said), link=Link.INBOUND, link_node=B)

    assert state.nodes[B].config_epoch == 5
    assert slots(1, 7) == state.nodes[B].slots
    assert STRANGER not in state.nodes
    assert isinstance(effects[1], Send)
    assert effects[1].to == B


def test_a_vote_is_from_the_node_of_its_link_whatever_name_it_bears() -> None:
    said = says(STRANGER, current_epoch=4, config_epoch=2, claims=slots(1))

    state, _ = hear(candidate(), FailoverAuthAck(header=said), link=Link.INBOUND, link_node=B)

    assert state.election is not None
    assert state.election.voters == {B}


def test_the_answer_is_made_before_roles_and_slots_are_looked_at() -> None:
    state = view(A)
    said = says(B, current_epoch=9, config_epoch=9, claims=slots(0, 1))

    after, effects = hear(state, Ping(header=said), link=Link.INBOUND)

    answer = pong(attrs.evolve(state, current_epoch=9))
    assert after.myself.replicaof == B
    assert Send(to=B, message=answer, reply=True) in effects
    assert answer.header.replicaof is None
    assert answer.header.current_epoch == 9


def test_the_nofailover_flag_is_the_one_announced_last() -> None:
    state, _ = hear(view(B), Pong(header=attrs.evolve(header(view(A1)), nofailover=True)))

    assert state.nodes[A1].nofailover

    state, _ = hear(state, pong(view(A1)))

    assert not state.nodes[A1].nofailover


def becomes_replica(
    state: ClusterState, sender: NodeId, master: NodeId, **fields: Any
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which the sender announces itself as replica of that master."""
    return hear(state, Pong(header=says(sender, replicaof=master, **fields)), link=Link.INBOUND)


def test_a_replica_that_announces_itself_as_master_is_one() -> None:
    state, effects = hear(view(B), Pong(header=says(A1)), link=Link.INBOUND)

    assert state.nodes[A1].is_master
    assert state.nodes[A1].replicaof is None
    assert effects == (SaveConfig(fsync=False),)


@pytest.mark.parametrize(("rules", "marked"), [(REDIS_7_0, slots(0, 1)), (VALKEY_9_1, slots(1))])
def test_a_master_that_became_a_replica_elsewhere_loses_its_slots(
    rules: Rules, marked: SlotSet
) -> None:
    state = attrs.evolve(view(C, rules=rules), owner_not_claiming_slot=slots(0, 1))

    state, effects = becomes_replica(state, A, B, config_epoch=2)

    assert state.nodes[A].is_replica
    assert state.nodes[A].replicaof == B
    assert not state.nodes[A].slots
    assert state.owner(0) is None
    assert marked == state.owner_not_claiming_slot
    assert isinstance(effects[0], SaveConfig)


@pytest.mark.parametrize("rules", EITHER)
def test_a_master_that_became_a_replica_of_an_unknown_node_loses_its_slots(rules: Rules) -> None:
    state, _ = becomes_replica(view(C, rules=rules), A, STRANGER, config_epoch=2)

    assert state.nodes[A].is_replica
    assert state.nodes[A].replicaof is None
    assert state.owner(0) is None


def test_a_master_without_slots_that_became_a_replica_has_none_to_lose() -> None:
    state, _ = becomes_replica(change(view(C), A, slots=NO_SLOTS), A, B, config_epoch=2)

    assert state.nodes[A].replicaof == B


def test_a_replica_of_an_unknown_master_keeps_the_master_it_had() -> None:
    state, effects = becomes_replica(view(B), A1, STRANGER, config_epoch=0)

    assert state.nodes[A1].replicaof == A
    assert not effects


def test_a_replica_that_changed_its_master_is_a_replica_of_the_new_one() -> None:
    for rules, shard_id in ((REDIS_7_0, None), (VALKEY_9_1, "shard-c")):
        state, _ = becomes_replica(view(B, rules=rules), A1, C, config_epoch=3, claims=slots(2))

        assert state.nodes[A1].replicaof == C
        assert state.nodes[A1].shard_id == shard_id


def test_a_demotion_hands_the_slots_over_within_a_shard_where_there_are_shards() -> None:
    """Before, the slots had no owner until the new master was heard."""
    for rules, owner in ((REDIS_7_0, None), (VALKEY_9_1, A1)):
        before = view(B, rules=rules)

        state, effects = becomes_replica(before, A, A1, config_epoch=5, claims=slots(0))

        assert owner == (node.node_id if (node := state.owner(0)) else None)
        assert state.nodes[A].replicaof == A1
        assert bool(owner) == state.nodes[A1].is_master
        assert state.nodes[A1].config_epoch == (5 if owner else 0)
        assert isinstance(effects[0], SaveConfig)


def test_a_change_of_role_or_master_is_saved() -> None:
    """Each of these tells no new epoch, which would be saved as well."""
    demoted = change(view(C), A, slots=NO_SLOTS)
    for state, replicaof, config_epoch, fsync in (
        (demoted, STRANGER, 1, False),
        (view(B), C, 0, False),
        (view(B, rules=VALKEY_9_1), A1, 1, True),
    ):
        sender = A1 if replicaof == C else A

        _, effects = becomes_replica(state, sender, replicaof, config_epoch=config_epoch)

        assert effects[0] == SaveConfig(fsync=fsync)


def test_a_demotion_in_favour_of_a_known_master_moves_no_slot() -> None:
    state = change(view(B, rules=VALKEY_9_1), A1, role=Role.MASTER, replicaof=None, config_epoch=4)

    state, _ = becomes_replica(state, A, A1, config_epoch=5)

    assert slots(0) == state.nodes[A].slots
    assert state.nodes[A1].config_epoch == 4


def test_a_master_known_by_hearsay_has_the_epoch_of_the_message_even_if_that_is_older() -> None:
    """So a recorded configEpoch can fall, as in the servers: its master's is what is compared."""
    state = change(view(B, rules=VALKEY_9_1), A1, config_epoch=7)

    state, _ = becomes_replica(state, A, A1, config_epoch=5)

    assert state.nodes[A1].config_epoch == 5


def test_a_demotion_in_favour_of_oneself_makes_one_master() -> None:
    state, _ = becomes_replica(view(A1, rules=VALKEY_9_1), A, A1, config_epoch=5)

    assert state.myself.is_master
    assert state.nodes[A].replicaof == A1


@pytest.mark.parametrize("newer", [A, A1])
def test_whether_an_outdated_demotion_is_ignored_depends_on_the_release(newer: NodeId) -> None:
    for rules, role in (
        (VALKEY_9_1, Role.MASTER),
        (VALKEY_9_1.without("stale_role_switch_is_ignored"), Role.REPLICA),
    ):
        state = change(view(B, rules=rules), newer, config_epoch=6)
        if newer == A1:
            state = change(state, A1, role=Role.MASTER, replicaof=None)

        state, effects = becomes_replica(state, A, A1, config_epoch=5)

        assert state.nodes[A].role is role
        assert Refusal.STALE_ROLE_SWITCH in told(effects)


def test_a_demotion_as_new_as_what_is_known_counts() -> None:
    state, effects = becomes_replica(view(B, rules=VALKEY_9_1), A, A1, config_epoch=1)

    assert state.nodes[A].is_replica
    assert Refusal.STALE_ROLE_SWITCH not in told(effects)


@pytest.mark.parametrize("rules", EITHER)
def test_a_replica_of_a_replica_follows_the_master_of_both(rules: Rules) -> None:
    """The servers of the one kind see it with the role, the others with the next claims."""
    state, _ = becomes_replica(view(A1, rules=rules), A, B, config_epoch=2, claims=slots(1))
    early = state.myself.replicaof

    state, _ = hear(state, Pong(header=says(B, config_epoch=2, claims=slots(1, 7))))

    assert early == (B if rules.sub_replica_guard_at_role_change else A)
    assert state.myself.replicaof == B


def test_a_circle_of_two_replicas_is_left_alone() -> None:
    state, _ = becomes_replica(view(A1), A, A1, config_epoch=1)
    state, _ = hear(state, Pong(header=says(B, config_epoch=2, claims=slots(1, 7))))

    assert state.myself.replicaof == A


def test_whether_following_is_announced_depends_on_the_release() -> None:
    for rules, broadcasts in ((REDIS_7_0, 0), (VALKEY_9_1, 1)):
        said = says(B, config_epoch=9, claims=slots(0, 1))

        state, effects = hear(view(A, rules=rules), Pong(header=said))

        assert told(effects) == [Happening.FOLLOWED]
        assert broadcasts == effects.count(Broadcast(message=pong(state)))


def test_whether_following_ends_an_election_depends_on_the_release() -> None:
    for rules, ends in ((REDIS_7_0, False), (VALKEY_9_1, True)):
        state = attrs.evolve(candidate(rules=rules), current_epoch=9)
        if state.election is not None:
            state = attrs.evolve(
                state, election=attrs.evolve(state.election, failover_auth_epoch=9)
            )

        state, _ = hear(state, Pong(header=says(B, config_epoch=5, claims=slots(0, 1))))

        assert state.myself.replicaof == B
        assert ends == (state.election is None)


def test_a_follower_is_of_the_shard_of_its_master() -> None:
    for rules, shard_id in ((REDIS_7_0, None), (VALKEY_9_1, "shard-b")):
        said = says(B, config_epoch=9, claims=slots(0, 1))

        state, _ = hear(view(A, rules=rules), Pong(header=said))

        assert state.myself.shard_id == shard_id


def test_a_master_is_of_the_shard_it_announces_where_there_are_shards() -> None:
    for rules, shard_id in ((REDIS_7_0, None), (VALKEY_9_1, "new")):
        said = says(B, config_epoch=2, claims=slots(1), shard_id=ShardId("new"))

        state, effects = hear(view(A, rules=rules), Pong(header=said))

        assert state.nodes[B].shard_id == shard_id
        assert effects == ((SaveConfig(fsync=False),) if shard_id else ())


@pytest.mark.parametrize(
    ("of_master", "shard_id"), [(ShardId("shard-a"), "shard-a"), (None, "said")]
)
def test_a_replica_is_of_the_shard_of_its_master_if_that_is_known(
    of_master: ShardId | None, shard_id: str
) -> None:
    state = change(view(B, rules=VALKEY_9_1), A, shard_id=of_master)
    said = attrs.evolve(header(view(A1, rules=VALKEY_9_1)), shard_id=ShardId("said"))

    state, _ = hear(change(state, A1, shard_id=None), Pong(header=said))

    assert state.nodes[A1].shard_id == shard_id


def test_a_sender_without_a_shard_keeps_the_one_it_had() -> None:
    state = view(A, rules=VALKEY_9_1)

    assert hear(state, pong(view(B))) == (state, ())


def test_reports_of_several_nodes_are_taken_in_from_one_message() -> None:
    about = tuple(Gossip(node_id=node, health=Health.PFAIL) for node in (A1, A2, C))
    message = attrs.evolve(pong(view(B, replicas=2)), gossip=about)

    state, _ = hear(view(A, replicas=2), message)

    assert [{B}] * 3 == [state.nodes[node].fail_reports for node in (A1, A2, C)]


def test_the_address_in_the_answer_is_ones_own() -> None:
    _, effects = hear(view(A), ping(view(B)), link=Link.INBOUND)

    assert [address_of(A)] == [message.header.address for message in sent(effects)]


@pytest.mark.parametrize(
    ("rules", "shard_id"),
    [
        (REDIS_7_0, None),
        (REDIS_8_0, "said"),
        (VALKEY_8_1, "shard-a"),
        (VALKEY_9_1, "shard-a"),
        (VALKEY_9_1.without("replica_shard_must_agree"), "said"),
    ],
)
def test_whether_a_replica_that_contradicts_its_master_is_believed_depends_on_the_release(
    rules: Rules, shard_id: str | None
) -> None:
    state = view(B, rules=rules)
    said = attrs.evolve(header(view(A1, rules=rules)), shard_id=ShardId("said"))

    state, _ = hear(state, Pong(header=said))

    assert state.nodes[A1].shard_id == shard_id


@pytest.mark.parametrize("rules", [REDIS_8_0, VALKEY_8_1, VALKEY_9_1])
def test_a_replica_that_says_no_shard_is_of_its_masters(rules: Rules) -> None:
    state = change(view(B, rules=rules), A1, shard_id=ShardId("old"))
    said = attrs.evolve(header(view(A1, rules=rules)), shard_id=None)

    state, _ = hear(state, Pong(header=said))

    assert state.nodes[A1].shard_id == "shard-a"


def test_a_node_is_of_the_shard_that_its_master_says() -> None:
    state = view(A1, rules=VALKEY_9_1)
    said = attrs.evolve(header(view(A, rules=VALKEY_9_1)), shard_id=ShardId("new"))

    state, effects = hear(state, Pong(header=said))

    assert state.myself.shard_id == "new"
    assert effects == (SaveConfig(fsync=True),)


def test_who_is_introduced_and_named_as_forgotten_at_once_is_forgotten() -> None:
    state = view(A, rules=VALKEY_9_1)
    about = (Gossip(node_id=STRANGER, health=Health.OK, role=Role.MASTER),)
    said = header(view(B, rules=VALKEY_9_1))

    state, _ = hear(state, Pong(header=said, gossip=about, forgotten=frozenset({STRANGER})))

    assert STRANGER not in state.nodes
    assert state.nodes_black_list == {STRANGER}


def test_a_second_greeting_of_a_stranger_is_refused_by_name() -> None:
    state = add(view(A, rules=VALKEY_9_1), NodeId("temporary"), handshake=True)

    after, effects = hear(
        state, Meet(header=says(STRANGER)), link=Link.INBOUND, link_node=NodeId("temporary")
    )

    assert after is state
    assert effects == (Notice(what=Refusal.ALREADY_MET, subject=STRANGER),)


def test_a_heartbeat_of_a_paused_master_says_how_far_it_got() -> None:
    waiting = ManualFailover(stage=ManualFailoverStage.WAITING_FOR_OFFSET)
    state = attrs.evolve(view(A1), manual_failover=waiting)

    state, _ = hear(state, Pong(header=attrs.evolve(header(view(A)), paused=True)))

    assert state.manual_failover == ManualFailover(stage=ManualFailoverStage.CATCHING_UP)

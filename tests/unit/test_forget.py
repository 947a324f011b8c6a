"""How nodes leave the table, and what goes with them.

Clauses: NO-1, NO-2, NO-3, NO-4, NO-5, NO-6, NO-7, NO-8, NO-12.
"""

from typing import Any

import attrs
import pytest

from reference.core.announce import meet, ping, pong
from reference.core.effects import (
    CloseLink,
    Effect,
    Happening,
    Notice,
    Reply,
    SaveConfig,
    Send,
)
from reference.core.events import BlacklistExpired, ClusterForget, HandshakeExpired
from reference.core.messages import Gossip, Meet, Ping, Pong
from reference.core.open_slots import open_slots
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState, new_node, remove_node, unbind_slots
from reference.core.step import step
from reference.core.timers import timers
from reference.core.types import Health, Link, NodeId, Role
from tests.builders import (
    A1,
    A2,
    STRANGER,
    A,
    B,
    C,
    add,
    address_of,
    change,
    hear,
    replies,
    slots,
    told,
    view,
)

ALL = tuple(RELEASES.values())
MARKED = slots(1, 2)


def listing(state: ClusterState, *names: NodeId) -> ClusterState:
    """The state with these names on the blacklist."""
    return attrs.evolve(state, nodes_black_list=frozenset(names))


def forgetting(state: ClusterState, node_id: NodeId) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which an operator has a node forget another."""
    return step(state, ClusterForget(node=node_id))


@pytest.mark.parametrize("rules", ALL)
def test_a_forgotten_node_is_out_of_the_table_and_on_the_list(rules: Rules) -> None:
    state, effects = forgetting(view(A, rules=rules), B)

    assert B not in state.nodes
    assert state.nodes_black_list == {B}
    assert state.owner(1) is None
    assert effects == (
        SaveConfig(fsync=False),
        Notice(what=Happening.FORGOT, subject=B),
        Reply(),
    )


def test_several_nodes_can_be_forgotten() -> None:
    state, _ = forgetting(view(A), B)
    state, _ = forgetting(state, C)

    assert state.nodes_black_list == {B, C}
    assert [node.node_id for node in state.nodes] == [A, A1]


@pytest.mark.parametrize("rules", ALL)
@pytest.mark.parametrize(
    ("me", "other", "error"),
    [
        (A, A, "ERR I tried hard but I can't forget myself..."),
        (A1, A1, "ERR I tried hard but I can't forget myself..."),
        (A1, A, "ERR Can't forget my master!"),
        (A, STRANGER, "ERR Unknown node s"),
    ],
)
def test_oneself_ones_master_and_the_unknown_cannot_be_forgotten(
    rules: Rules, me: NodeId, other: NodeId, error: str
) -> None:
    state = view(me, rules=rules)

    after, effects = forgetting(state, other)

    assert after is state
    assert effects == (Reply(error=error),)


def test_a_master_can_forget_the_node_it_would_follow_if_it_were_a_replica() -> None:
    """The name is left over only in states that no run reaches, and no role goes with it."""
    state = change(view(A), A, replicaof=B)

    after, effects = forgetting(state, B)

    assert B not in after.nodes
    assert replies(effects) == [None]


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        (REDIS_7_0, "ERR Unknown node s"),
        (REDIS_8_0, None),
        (VALKEY_8_1, None),
        (VALKEY_9_1, None),
        (VALKEY_9_1.without("forget_may_be_repeated"), "ERR Unknown node s"),
    ],
)
def test_whether_a_node_can_be_forgotten_twice_depends_on_the_release(
    rules: Rules, error: str | None
) -> None:
    state = listing(view(A, rules=rules), STRANGER)

    after, effects = forgetting(state, STRANGER)

    assert after is state
    assert effects == (Reply(error=error),)


def test_a_node_that_came_back_can_be_forgotten_again() -> None:
    state, effects = forgetting(listing(view(A), B), B)

    assert B not in state.nodes
    assert state.nodes_black_list == {B}
    assert told(effects) == [Happening.FORGOT]


def full() -> ClusterState:
    """Node a with something of b's in every place that can hold it."""
    state = change(view(A, replicas=2), C, fail_reports=frozenset({A, B}))
    state = change(state, A2, replicaof=B, fail_reports=frozenset({B}))
    return attrs.evolve(
        state,
        migrating_slots_to=open_slots([(0, B), (5, C)]),
        importing_slots_from=open_slots([(1, B), (2, C)]),
        owner_not_claiming_slot=MARKED,
    )


def test_all_that_refers_to_a_node_goes_with_it() -> None:
    state = remove_node(full(), B)

    assert B not in state.nodes
    assert state.owner(1) is None
    assert state.nodes[C].fail_reports == {A}
    assert not state.nodes[A2].fail_reports
    assert state.nodes[A2].is_replica
    assert state.nodes[A2].replicaof is None
    assert state.migrating_slots_to == open_slots([(5, C)])
    assert state.importing_slots_from == open_slots([(2, C)])


def test_what_does_not_refer_to_a_node_stays() -> None:
    state = remove_node(full(), B)

    assert state.nodes[A1].replicaof == A
    assert slots(0) == state.nodes[A].slots
    assert slots(2) == state.nodes[C].slots
    assert state.nodes[C].config_epoch == 3


@pytest.mark.parametrize(
    ("rules", "marked"),
    [(REDIS_7_0, MARKED), (REDIS_8_0, slots(2)), (VALKEY_8_1, slots(2)), (VALKEY_9_1, slots(2))],
)
def test_whether_the_mark_of_a_slot_without_owner_stays_depends_on_the_release(
    rules: Rules, marked: Any
) -> None:
    state = attrs.evolve(view(A, rules=rules), owner_not_claiming_slot=MARKED)

    state = remove_node(state, B)

    assert marked == state.owner_not_claiming_slot


def test_slots_without_owner_cannot_be_taken_away() -> None:
    state = attrs.evolve(view(A, rules=VALKEY_9_1), owner_not_claiming_slot=slots(7))

    assert unbind_slots(state, slots(7, 9)) is state


def test_slots_are_taken_from_several_owners() -> None:
    state = unbind_slots(view(A), slots(0, 2))

    assert state.owner(0) is None
    assert state.owner(2) is None
    assert slots(1) == state.nodes[B].slots


def test_a_node_does_not_remove_itself_nor_whom_it_does_not_know() -> None:
    state = view(A)

    assert remove_node(state, A) is state
    assert remove_node(state, STRANGER) is state


def test_a_master_whose_last_replica_is_removed_is_no_place_to_move_to() -> None:
    state = change(view(B, replicas=2), A, migrate_to=True)

    one_left = remove_node(state, A1)
    none_left = remove_node(one_left, A2)

    assert one_left.nodes[A].migrate_to
    assert not none_left.nodes[A].migrate_to


def test_a_handshake_that_expires_is_removed_with_all_that_refers_to_it() -> None:
    state = add(view(A), STRANGER, handshake=True)
    state = change(state, B, fail_reports=frozenset({STRANGER, C}))

    state, _ = step(state, HandshakeExpired(peer=STRANGER))

    assert STRANGER not in state.nodes
    assert state.nodes[B].fail_reports == {C}


@pytest.mark.parametrize("kind", [ping, pong, meet])
@pytest.mark.parametrize("rules", ALL)
def test_whether_heartbeats_name_the_forgotten_depends_on_the_release(
    rules: Rules, kind: Any
) -> None:
    state = listing(view(A, rules=rules), STRANGER)

    assert kind(state).forgotten == ({STRANGER} if rules is not REDIS_7_0 else set())


def hearing(
    state: ClusterState, *names: NodeId, sender: NodeId = C, kind: type[Ping | Pong | Meet] = Pong
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step in which a heartbeat of the sender says that it forgot these nodes."""
    said = pong(view(sender, rules=state.rules)).header
    return hear(state, kind(header=said, forgotten=frozenset(names)), link=Link.INBOUND)


@pytest.mark.parametrize("kind", [Ping, Pong, Meet])
@pytest.mark.parametrize("rules", ALL[1:])
def test_whom_others_forgot_is_forgotten_here_too(
    rules: Rules, kind: type[Ping | Pong | Meet]
) -> None:
    state, effects = hearing(view(A, rules=rules), B, STRANGER, kind=kind)

    assert B not in state.nodes
    assert state.nodes_black_list == {B}
    assert [effect for effect in effects if not isinstance(effect, Send)] == [
        SaveConfig(fsync=False),
        Notice(what=Happening.FORGOT, subject=B),
    ]


@pytest.mark.parametrize("rules", [REDIS_7_0, VALKEY_9_1.without("forget_is_gossiped")])
def test_where_it_is_not_gossiped_only_the_operator_makes_a_node_forget(rules: Rules) -> None:
    state = view(A, rules=rules)

    assert hearing(state, B) == (state, ())


def test_a_node_forgets_neither_itself_nor_its_master_on_hearsay() -> None:
    state = view(A1, rules=VALKEY_9_1)

    assert hearing(state, A, A1) == (state, ())


def test_a_master_forgets_other_masters_on_hearsay() -> None:
    state, _ = hearing(view(A, rules=VALKEY_9_1), B, A1)

    assert state.nodes_black_list == {B, A1}


def test_a_sender_that_says_it_forgot_itself_is_forgotten_and_learnt_no_more_of() -> None:
    state, effects = hearing(view(A, rules=VALKEY_9_1), C)

    assert C not in state.nodes
    assert told(effects) == [Happening.FORGOT]


def test_a_stranger_cannot_make_a_node_forget() -> None:
    state = view(A, rules=VALKEY_9_1)
    stranger = new_node(VALKEY_9_1, STRANGER, address=address_of(STRANGER))
    message = Ping(header=ping(stranger).header, forgotten=frozenset({B}))

    after, _ = hear(state, message, link=Link.INBOUND)

    assert after is state


def gossiped(state: ClusterState) -> ClusterState:
    """Node c gossips about the stranger."""
    entry = Gossip(node_id=STRANGER, health=Health.OK, role=Role.MASTER)
    return hear(state, attrs.evolve(pong(view(C)), gossip=(entry,)), link=Link.INBOUND)[0]


@pytest.mark.parametrize("rules", ALL)
def test_gossip_does_not_bring_back_a_forgotten_node_before_its_time(rules: Rules) -> None:
    state = listing(view(A, rules=rules), STRANGER, B)
    later, effects = step(state, BlacklistExpired(node=STRANGER))

    assert gossiped(state) is state
    assert STRANGER in gossiped(later).nodes
    assert later.nodes_black_list == {B}
    assert not effects


def test_only_a_name_on_the_list_leaves_it() -> None:
    state = listing(view(A), STRANGER)

    assert step(state, BlacklistExpired(node=B)) == (state, ())


def test_each_name_on_the_list_waits_for_its_end() -> None:
    state = listing(change(view(A), A1, noaddr=True), STRANGER, NodeId("r"))

    assert [timer for timer in timers(state) if isinstance(timer, BlacklistExpired)] == [
        BlacklistExpired(node=NodeId("r")),
        BlacklistExpired(node=STRANGER),
    ]


@pytest.mark.parametrize("rules", ALL)
def test_a_forgotten_node_that_greets_us_is_met_all_the_same(rules: Rules) -> None:
    state = listing(view(A, rules=rules), STRANGER)
    stranger = new_node(rules, STRANGER, address=address_of(STRANGER))

    state, _ = hear(state, meet(stranger), link=Link.INBOUND, new_id=NodeId("temporary"))
    state, effects = hear(state, pong(stranger), link_node=NodeId("temporary"))

    assert state.known(STRANGER) is not None
    assert state.nodes_black_list == {STRANGER}
    assert told(effects) == [Happening.MET]


def test_a_removed_node_without_slots_leaves_the_slots_alone() -> None:
    state = change(view(A), B, slots=NO_SLOTS)

    assert remove_node(state, B).nodes[C] == state.nodes[C]


def test_no_link_is_closed_for_a_node_that_is_gone() -> None:
    """The bus drops the links of whoever is not in the table; `CloseLink` would dial anew."""
    _, effects = forgetting(view(A), B)

    assert not [effect for effect in effects if isinstance(effect, CloseLink)]

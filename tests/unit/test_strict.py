"""What `strict` does and no release does, rule by rule, each with the rule off as well.

Clauses: EL-27, EP-13, EP-14, HB-17, NO-13, SC-34, SC-35, SC-37, SC-38, SC-39, SC-40.
"""

from typing import Any

import attrs
import pytest

from reference.core.effects import Effect, Happening, Refusal, SaveConfig, Send
from reference.core.election import why_no_vote
from reference.core.epoch_kinds import EpochKind, kind_of, round_of, unique_epoch
from reference.core.epochs import bump_epoch, merge_epochs, next_epoch, resolve_collision
from reference.core.events import ClusterFailover, ClusterReset, FailoverOption, Received
from reference.core.forget import hear_forgotten
from reference.core.heartbeat import is_old
from reference.core.messages import FailoverAuthRequest, Pong, Update
from reference.core.open_slots import open_slots
from reference.core.roles import follow_own_shard, learn_told_epoch, switch_role
from reference.core.rules import STRICT, Rules
from reference.core.slot_config import update_about
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, bind_slots, durable, unbind_slots
from reference.core.step import step
from reference.core.types import NodeId, Role, ShardId
from tests.builders import A1, A2, A, B, C, change, failed, hear, says, slots, told, view

ROUND = 2**32
SHARD_A = ShardId("shard-a")


def strict(me: NodeId, **fields: Any) -> ClusterState:
    return view(me, replicas=2, rules=STRICT, **fields)


def test_an_election_is_for_the_next_round_after_all_that_is_known() -> None:
    state = change(strict(A1), B, config_epoch=5 * ROUND + 7)

    assert round_of(next_epoch(state)) == 6
    assert kind_of(next_epoch(state), A1) is EpochKind.ELECTED
    assert next_epoch(attrs.evolve(state, rules=STRICT.without("unique_epochs"))) == 4


def test_who_moves_on_after_a_collision_takes_an_epoch_of_its_own() -> None:
    states = [change(strict(me), C, config_epoch=1 if me == A else 2) for me in (A, B)]

    moved = [resolve_collision(s, C, s.nodes[C].config_epoch, []).myself for s in states]

    assert {kind_of(each.config_epoch, each.node_id) for each in moved} == {EpochKind.KEPT}
    assert len({each.config_epoch for each in moved}) == 2


def test_what_an_operator_asks_for_is_told_apart() -> None:
    bumped = bump_epoch(strict(A), [])
    taken, _ = step(strict(A1), ClusterFailover(option=FailoverOption.TAKEOVER))

    assert kind_of(bumped.myself.config_epoch, A) is EpochKind.KEPT
    assert kind_of(taken.myself.config_epoch, A1) is EpochKind.TAKEN_OVER
    assert taken.taken_from == ((A, slots(0)),)


def asks(state: ClusterState, candidate: NodeId, epoch: int) -> Refusal | None:
    """What is wrong with the candidate's request, whose epoch has been merged."""
    state = attrs.evolve(state, current_epoch=max(state.current_epoch, epoch))
    request = FailoverAuthRequest(
        header=says(candidate, replicaof=A, current_epoch=epoch, config_epoch=1, claims=slots(0))
    )
    return why_no_vote(state, candidate, Received(message=request), request)


def voter(**fields: Any) -> ClusterState:
    return attrs.evolve(failed(strict(B)), **fields)


FIRST, SECOND = (unique_epoch(3, node, EpochKind.ELECTED) for node in (A1, A2))


def test_one_vote_a_round_whoever_has_the_larger_epoch() -> None:
    assert asks(voter(), A1, FIRST) is asks(voter(), A2, SECOND) is None
    for candidate, asked, other in ((A1, FIRST, SECOND), (A2, SECOND, FIRST)):
        voted = voter(current_epoch=other, last_vote_epoch=other)
        assert asks(voted, candidate, asked) is Refusal.ALREADY_VOTED


def test_who_stands_in_the_same_round_is_not_late() -> None:
    late, early = max(FIRST, SECOND), min(FIRST, SECOND)
    candidate = A1 if early == FIRST else A2

    assert asks(voter(current_epoch=late), candidate, early) is None
    assert asks(voter(current_epoch=late + ROUND), candidate, early) is Refusal.REQUEST_EPOCH_OLD


def test_candidates_of_releases_are_judged_as_ever() -> None:
    state = voter(current_epoch=FIRST, last_vote_epoch=FIRST)

    assert asks(state, A2, FIRST) is Refusal.ALREADY_VOTED
    assert asks(state, A2, FIRST - 1) is Refusal.REQUEST_EPOCH_OLD
    assert asks(state, A2, FIRST + 1) is None
    assert asks(voter(last_vote_epoch=3), A2, 4) is None


def test_without_the_rule_so_is_everybody() -> None:
    rules = STRICT.without("unique_epochs")

    early, late = sorted((FIRST, SECOND))
    candidate = A1 if early == FIRST else A2

    assert asks(voter(rules=rules, last_vote_epoch=FIRST), A1, FIRST) is Refusal.ALREADY_VOTED
    outrun = voter(rules=rules, current_epoch=late)
    assert asks(outrun, candidate, early) is Refusal.REQUEST_EPOCH_OLD


@pytest.mark.parametrize("saved", [True, False])
def test_an_epoch_that_was_only_heard_of_is_saved(*, saved: bool) -> None:
    rules = STRICT if saved else STRICT.without("learnt_epoch_is_saved")
    out: list[Effect] = []

    merge_epochs(view(A, rules=rules), B, says(B, current_epoch=9, config_epoch=2), out)

    assert out == [SaveConfig(fsync=False)] * saved


@pytest.mark.parametrize("spared", [True, False])
def test_an_owner_is_not_forgotten_by_hearsay(*, spared: bool) -> None:
    state = strict(A)
    if not spared:
        state = attrs.evolve(state, rules=STRICT.without("owners_are_not_forgotten"))

    after = hear_forgotten(state, {B, A2, NodeId("nobody")}, [])

    assert (B in after.nodes) is spared
    assert A2 not in after.nodes


def test_a_header_from_before_an_epoch_of_its_sender_is_old() -> None:
    state = change(strict(A), B, config_epoch=9)
    known, told_of = state.nodes[B], attrs.evolve(state.nodes[C], told_epoch=9)

    assert is_old(known, says(B, current_epoch=8), STRICT)
    assert not is_old(known, says(B, current_epoch=9), STRICT)
    assert is_old(told_of, says(C, current_epoch=8), STRICT)
    assert not is_old(known, says(B, current_epoch=8), STRICT.without("old_headers_are_ignored"))


def test_an_old_header_changes_neither_roles_nor_slots() -> None:
    state = change(strict(C), A1, role=Role.MASTER, replicaof=None, config_epoch=9)
    late = Pong(header=says(A1, replicaof=A, current_epoch=3, config_epoch=1, shard_id=SHARD_A))

    after, out = hear(state, late, link_node=A1)

    assert after.nodes[A1].is_master
    assert told(out) == [Refusal.OLD_HEADER]


def test_a_replica_tells_of_its_masters_epoch_until_the_master_does() -> None:
    state = strict(C)
    said = says(A2, replicaof=A, current_epoch=9, config_epoch=9, claims=slots(0))

    told_of = learn_told_epoch(state, said)

    assert (told_of.nodes[A].told_epoch, told_of.nodes[A].config_epoch) == (9, 1)
    assert durable(told_of).nodes[A].told_epoch == 0
    for epoch, left in ((8, 9), (9, 0)):
        heard = merge_epochs(told_of, A, says(A, current_epoch=9, config_epoch=epoch), [])
        assert heard.nodes[A].told_epoch == left


def test_what_a_replica_tells_that_is_known_changes_nothing() -> None:
    state = strict(C)
    said = says(A2, replicaof=A, config_epoch=1)

    assert learn_told_epoch(state, said) is state
    assert switch_role(state, A2, said, []) is state


@pytest.mark.parametrize("gave_up", [True, False])
def test_who_gave_up_its_role_too_long_ago_still_tells_of_its_masters_epoch(
    *, gave_up: bool
) -> None:
    """A1 leads the shard, after A2, of whose election only A tells, which follows it."""
    state = change(strict(C), A1, role=Role.MASTER, replicaof=None, config_epoch=20)
    state = attrs.evolve(change(state, A2, replicaof=A1), current_epoch=20)
    if not gave_up:
        state = change(state, A, role=Role.REPLICA, replicaof=A1, slots=NO_SLOTS)
    tells = Pong(header=says(A, replicaof=A2, current_epoch=9, config_epoch=9, shard_id=SHARD_A))
    late = Pong(header=says(A2, replicaof=A, current_epoch=3, config_epoch=1, shard_id=SHARD_A))

    after, out = hear(state, tells, link_node=A)
    _, then = hear(after, late, link_node=A2)

    assert (Refusal.STALE_ROLE_SWITCH in told(out)) == gave_up
    assert after.nodes[A2].told_epoch == 9
    assert told(then) == [Refusal.OLD_HEADER]


def emptied() -> ClusterState:
    """A has lost its slot to C, which leads its shard by now."""
    state = change(strict(A), A, slots=NO_SLOTS)
    return change(state, C, slots=slots(0, 2), shard_id=SHARD_A)


@pytest.mark.parametrize("theirs", [slots(0), NO_SLOTS])
def test_a_master_without_slots_follows_the_one_of_its_shard(theirs: SlotSet) -> None:
    out: list[Effect] = []

    state = follow_own_shard(change(emptied(), C, slots=theirs), C, out)

    assert state.myself.replicaof == C
    assert told(out) == [Happening.FOLLOWED]


@pytest.mark.parametrize(
    ("node", "fields"),
    [
        (A, {"slots": slots(0)}),
        (A, {"role": Role.REPLICA, "replicaof": B}),
        (A, {"config_epoch": 3}),
        (C, {"role": Role.REPLICA, "replicaof": B, "slots": NO_SLOTS}),
        (C, {"shard_id": ShardId("another")}),
    ],
)
def test_otherwise_it_stays(node: NodeId, fields: dict[str, Any]) -> None:
    state = change(emptied(), node, **fields)

    assert follow_own_shard(state, C, []) is state


def test_it_follows_nobody_unknown_and_nobody_without_the_rule() -> None:
    state = emptied()
    without = attrs.evolve(state, rules=STRICT.without("empty_master_follows_shard"))

    assert follow_own_shard(state, NodeId("nobody"), []) is state
    assert follow_own_shard(without, C, []) is without


def successor_known(rules: Rules = STRICT) -> ClusterState:
    """A1 is known as a master already, and A's slots are still A's."""
    state = change(view(C, replicas=2, rules=rules), A1, role=Role.MASTER, replicaof=None)
    state = change(state, A, slots=slots(0, 1))
    state = change(state, B, slots=NO_SLOTS)
    return change(state, A1, config_epoch=2)


GAVE_UP = says(A, replicaof=A1, current_epoch=9, config_epoch=5, claims=slots(0), shard_id=SHARD_A)


def test_a_demoted_master_leaves_what_its_master_has_to_it_and_the_rest_to_nobody() -> None:
    opened = open_slots([(2, A)])
    state = attrs.evolve(successor_known(), migrating_slots_to=opened)

    after = switch_role(state, A, GAVE_UP, [])

    assert after is not None
    assert (after.nodes[A].slots, after.nodes[A1].slots) == (NO_SLOTS, slots(0))
    assert after.nodes[A1].config_epoch == 5
    assert after.owner(1) is None
    assert after.migrating_slots_to == open_slots([(2, A1)])


def test_its_masters_epoch_does_not_sink() -> None:
    state = change(successor_known(), A1, config_epoch=5)
    replica = change(state, A1, role=Role.REPLICA, replicaof=B)

    after = switch_role(replica, A, GAVE_UP, [])

    assert after is not None
    assert after.nodes[A1].config_epoch == 5
    assert after.nodes[A1].is_master


def test_without_the_rule_the_slots_stay_with_the_replica() -> None:
    after = switch_role(successor_known(STRICT.without("demoted_keep_no_slots")), A, GAVE_UP, [])

    assert after is not None
    assert after.nodes[A].is_replica
    assert after.nodes[A].slots == slots(0, 1)


def test_nobody_becomes_a_master_because_another_says_so() -> None:
    after = switch_role(strict(A1), A, GAVE_UP, [])

    assert after is not None
    assert after.myself.is_replica
    assert after.myself.slots == after.nodes[A].slots == NO_SLOTS


@pytest.mark.parametrize(
    ("epoch", "claimed", "taken"), [(2, slots(0), True), (2, slots(1), False), (1, slots(0), False)]
)
def test_an_update_of_a_known_epoch_tells_of_more_slots(
    epoch: int, claimed: SlotSet, *, taken: bool
) -> None:
    update = Update(header=says(B), subject=B, config_epoch=epoch, slots=claimed)

    after, out = hear(strict(C), update, link_node=B)

    assert after.nodes[B].slots == (slots(0, 1) if taken else slots(1))
    assert after.owner_not_claiming_slot == (slots(1) if taken else NO_SLOTS)
    assert (told(out) == [Refusal.NOTHING_NEW]) is not taken


def test_without_the_rule_it_tells_nothing_new() -> None:
    state = attrs.evolve(strict(C), rules=STRICT.without("updates_add_slots"))
    update = Update(header=says(B), subject=B, config_epoch=2, slots=slots(0))

    assert told(hear(state, update, link_node=B)[1]) == [Refusal.NOTHING_NEW]


@pytest.mark.parametrize("believed", [True, False])
def test_who_is_named_as_a_master_is_one(*, believed: bool) -> None:
    state = strict(C)
    if not believed:
        state = attrs.evolve(state, rules=STRICT.without("named_masters_are_masters"))

    after = switch_role(state, A2, says(A2, replicaof=A1, current_epoch=9, config_epoch=9), [])

    assert after is not None
    assert after.nodes[A1].is_master is believed


def test_not_if_its_shard_has_a_newer_epoch() -> None:
    state = change(strict(C), A, config_epoch=9)

    after = switch_role(state, A2, says(A2, replicaof=A1, current_epoch=9, config_epoch=8), [])

    assert after is not None
    assert after.nodes[A1].is_replica


def test_nor_if_it_is_the_node_itself() -> None:
    after = switch_role(strict(A1), A2, says(A2, replicaof=A1, current_epoch=9, config_epoch=9), [])

    assert after is not None
    assert after.myself.is_replica


def was_reset(**fields: Any) -> ClusterState:
    """A, which owned slot 0, was told RESET, and has met B again."""
    after, _ = step(strict(A), ClusterReset(new_shard_id=ShardId("new")))
    return attrs.evolve(after.put(strict(A).nodes[B]), **fields)


def reminder(claimed: SlotSet, *, epoch: int = 1) -> Update:
    return Update(header=says(B), subject=A, config_epoch=epoch, slots=claimed)


def test_who_was_reset_takes_back_what_it_is_reminded_of() -> None:
    state = was_reset()

    after, out = hear(state, reminder(slots(0, 3)), link_node=B)

    assert state.owned_before_reset == slots(0)
    assert state.myself.slots == NO_SLOTS
    assert after.myself.slots == slots(0)
    assert after.myself.config_epoch == state.myself.config_epoch
    assert after.owned_before_reset == NO_SLOTS
    assert told(out) == [Happening.TOOK_BACK]
    assert SaveConfig(fsync=True) in out


@pytest.mark.parametrize(
    "state",
    [
        bind_slots(was_reset(), B, slots(0)),
        unbind_slots(bind_slots(was_reset(), B, slots(0)), slots(0)),
        durable(was_reset()),
        was_reset().put(attrs.evolve(was_reset().myself, role=Role.REPLICA, replicaof=B)),
    ],
    ids=["owned by another", "since then", "after a crash", "a replica"],
)
def test_it_takes_back_nothing_that_is_not_its_own_any_more(state: ClusterState) -> None:
    after, out = hear(state, reminder(slots(0)), link_node=B)

    assert after.myself == state.myself
    assert told(out) == [Refusal.NOTHING_NEW]


def test_nor_does_who_was_never_reset_or_is_another_node_since() -> None:
    hard = ClusterReset(new_id=NodeId("0" * 40), new_shard_id=ShardId("new"))
    other, _ = step(strict(A), hard)
    loose = attrs.evolve(strict(A), rules=STRICT.without("reset_owners_take_back"))
    released, _ = step(loose, ClusterReset(new_shard_id=ShardId("new")))

    assert other.owned_before_reset == released.owned_before_reset == NO_SLOTS
    after, out = hear(unbind_slots(strict(A), slots(0)), reminder(slots(0)), link_node=B)
    assert after.myself.slots == NO_SLOTS
    assert told(out) == [Refusal.NOTHING_NEW]


def test_an_owner_that_claims_nothing_is_reminded() -> None:
    after, out = hear(strict(C), Pong(header=says(A, config_epoch=1)), link_node=A)

    assert after.owner_not_claiming_slot == slots(0)
    assert [effect.message for effect in out if isinstance(effect, Send)] == [
        attrs.evolve(update_about(after, A), slots=slots(0))
    ]


@pytest.mark.parametrize(
    "state",
    [
        attrs.evolve(strict(C), rules=STRICT.without("reset_owners_take_back")),
        unbind_slots(strict(C), slots(0)),
    ],
    ids=["without the rule", "owns nothing"],
)
def test_others_are_not(state: ClusterState) -> None:
    _, out = hear(state, Pong(header=says(A, config_epoch=1)), link_node=A)

    assert not any(isinstance(effect, Send) for effect in out)


def test_nor_is_one_that_claims_some_of_its_slots() -> None:
    state = bind_slots(strict(C), A, slots(3))

    _, out = hear(state, Pong(header=says(A, config_epoch=1, claims=slots(3))), link_node=A)

    assert not any(isinstance(effect, Send) for effect in out)

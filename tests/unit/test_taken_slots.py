"""What a master took from another it keeps against those who have not heard of it.

Clauses: SC-33, SC-36.
"""

import attrs
import pytest

from reference.core.effects import Broadcast, Effect, Happening
from reference.core.epoch_kinds import LAST_EPOCH, EpochKind, kind_of, unique_epoch
from reference.core.messages import Pong, Update
from reference.core.open_slots import open_slots
from reference.core.rules import STRICT
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, bind_slots, durable, restarted
from reference.core.taken_slots import (
    confirm_import,
    contested,
    defend,
    forget_lost,
    note_taken,
    unconfirmed,
)
from reference.core.types import Epoch, NodeId, Role, ShardId
from tests.builders import A1, A, B, C, change, hear, says, slots, told, view

TOOK_OVER = unique_epoch(3, A1, EpochKind.TAKEN_OVER)


def newer(node: NodeId, kind: EpochKind, newest: Epoch = TOOK_OVER) -> Epoch:
    return unique_epoch(newest, node, kind)


def successor() -> ClusterState:
    """The replica of a has taken over from it."""
    state = change(view(A1, rules=STRICT), A1, role=Role.MASTER, replicaof=None)
    state = bind_slots(state, A1, slots(0))
    state = change(attrs.evolve(state, current_epoch=TOOK_OVER), A1, config_epoch=TOOK_OVER)
    return note_taken(state, slots(0), A)


def importer() -> ClusterState:
    """B has imported slot 0 of A, of which A1 is the replica."""
    state = bind_slots(view(B, rules=STRICT), B, slots(0))
    return note_taken(state, slots(0), A)


def claims(node: NodeId, epoch: Epoch, claimed: SlotSet, **fields: NodeId | None) -> Pong:
    return Pong(
        header=says(
            node,
            current_epoch=epoch,
            config_epoch=epoch,
            claims=claimed,
            shard_id=ShardId("shard-a"),
            **fields,
        )
    )


def test_what_was_taken_is_noted_once_by_its_source() -> None:
    state = note_taken(importer(), slots(0, 1), C)

    assert state.taken_from == ((A, slots(0)), (C, slots(1)))
    assert note_taken(state, slots(0), C) is state


def test_nothing_is_noted_of_a_source_whose_shard_is_not_known() -> None:
    state = change(view(B, rules=STRICT), A, shard_id=None)

    assert note_taken(state, slots(0), A) is state
    assert note_taken(state, slots(0), NodeId("nobody")) is state


def test_a_release_notes_nothing() -> None:
    rules = STRICT.without("taken_slots_are_kept", "told_imports_are_kept")
    state = view(B, rules=rules)

    assert note_taken(state, slots(0), A) is state


@pytest.mark.parametrize("name", ["taken_slots_are_kept", "told_imports_are_kept"])
def test_either_rule_needs_the_notes(name: str) -> None:
    state = view(B, rules=STRICT.without(name))

    assert note_taken(state, slots(0), A).taken_from == ((A, slots(0)),)


def test_what_is_no_longer_owned_is_forgotten() -> None:
    state = importer()

    assert forget_lost(state) is state
    assert forget_lost(bind_slots(state, C, slots(0))).taken_from == ()


def test_a_replica_notes_what_its_master_owns() -> None:
    state = note_taken(view(A1, rules=STRICT), slots(0, 1), B)

    assert forget_lost(state).taken_from == ((B, slots(0)),)


def test_the_notes_survive_a_crash() -> None:
    assert restarted(durable(importer())).taken_from == ((A, slots(0)),)


def test_the_old_master_that_bumped_its_epoch_gets_nothing_back() -> None:
    state = change(successor(), A, config_epoch=newer(A, EpochKind.KEPT))
    epoch = state.nodes[A].config_epoch

    assert contested(state, A, epoch, slots(0), new_master=False) == slots(0)


def test_an_old_master_gets_none_of_the_slots_of_its_successor() -> None:
    state = bind_slots(successor(), A1, slots(2))

    kept = contested(state, A, newer(A, EpochKind.KEPT), slots(0, 2), new_master=False)

    assert kept == slots(0, 2)


@pytest.mark.parametrize("kind", [EpochKind.ELECTED, EpochKind.TAKEN_OVER])
def test_whom_somebody_asked_to_lead_is_followed(kind: EpochKind) -> None:
    assert contested(successor(), A, newer(A, kind), slots(0), new_master=False) == NO_SLOTS


def test_an_epoch_of_a_release_is_believed() -> None:
    assert contested(successor(), A, TOOK_OVER + 1, slots(0), new_master=False) == NO_SLOTS


def test_who_was_a_replica_is_followed_however_it_came_by_its_epoch() -> None:
    epoch = newer(A, EpochKind.KEPT)

    assert contested(successor(), A, epoch, slots(0), new_master=True) == NO_SLOTS


def test_of_two_that_defend_themselves_the_later_one_is_believed() -> None:
    state, epoch = successor(), newer(A, EpochKind.DEFENDED)
    defended = change(state, A1, config_epoch=unique_epoch(3, A1, EpochKind.DEFENDED))

    assert contested(state, A, epoch, slots(0), new_master=False) == slots(0)
    assert contested(defended, A, epoch, slots(0), new_master=False) == NO_SLOTS


@pytest.mark.parametrize("kind", EpochKind)
def test_nobody_of_another_shard_gets_back_what_was_imported(kind: EpochKind) -> None:
    state = importer()

    kept = contested(state, A1, newer(A1, kind), slots(0, 1), new_master=True)

    assert kept == slots(0)


def test_a_third_shard_gets_what_it_claims() -> None:
    epoch = newer(C, EpochKind.KEPT)

    assert contested(importer(), C, epoch, slots(0), new_master=False) == NO_SLOTS


def test_what_is_on_its_way_back_is_let_go() -> None:
    state = attrs.evolve(importer(), migrating_slots_to=open_slots([(0, A), (1, NodeId("x"))]))

    assert contested(state, A1, newer(A1, EpochKind.KEPT), slots(0), new_master=False) == NO_SLOTS


def test_a_source_that_is_forgotten_is_in_no_shard() -> None:
    state = importer()
    forgotten = attrs.evolve(state, nodes=state.nodes.remove(A))
    epoch = newer(A1, EpochKind.KEPT)

    assert contested(forgotten, A1, epoch, slots(0), new_master=False) == NO_SLOTS


def test_replicas_and_nodes_without_the_rule_contest_nothing() -> None:
    replica = note_taken(view(A1, rules=STRICT), slots(0), B)
    without = attrs.evolve(importer(), rules=STRICT.without("taken_slots_are_kept"))
    epoch = newer(A, EpochKind.KEPT)

    assert contested(replica, B, epoch, slots(0), new_master=False) == NO_SLOTS
    assert contested(without, A, epoch, slots(0), new_master=False) == NO_SLOTS


def test_who_defends_what_it_took_has_the_newest_epoch_and_says_so() -> None:
    out: list[Effect] = []

    state = defend(change(successor(), A, config_epoch=7 * TOOK_OVER), A, out)

    assert state.myself.config_epoch == state.current_epoch > 7 * TOOK_OVER
    assert kind_of(state.current_epoch, A1) is EpochKind.DEFENDED
    assert told(out) == [Happening.KEPT_TAKEN]
    assert any(isinstance(effect, Broadcast) for effect in out)


def test_after_the_last_round_nothing_is_newer() -> None:
    out: list[Effect] = []
    last = attrs.evolve(change(successor(), A1, config_epoch=LAST_EPOCH), current_epoch=LAST_EPOCH)

    assert defend(last, A, out).myself.config_epoch == LAST_EPOCH
    assert told(out) == []


def test_the_slots_stay_and_the_claimant_is_told_so() -> None:
    epoch = newer(A, EpochKind.KEPT)

    state, out = hear(successor(), claims(A, epoch, slots(0)), link_node=A)

    assert state.myself.slots == slots(0)
    assert state.myself.config_epoch > epoch
    assert told(out) == [Happening.KEPT_TAKEN, Happening.SENT_UPDATE]


def test_an_update_about_the_old_master_is_answered_likewise() -> None:
    epoch = newer(A, EpochKind.KEPT)
    update = Update(header=says(B, config_epoch=2), subject=A, config_epoch=epoch, slots=slots(0))

    state, out = hear(successor(), update, link_node=B)

    assert state.myself.slots == slots(0)
    assert state.myself.config_epoch > epoch
    assert told(out) == [Happening.KEPT_TAKEN]


def test_a_replica_that_is_elected_in_turn_gets_the_slots() -> None:
    state = change(successor(), A, role=Role.REPLICA, replicaof=A1)
    epoch = newer(A, EpochKind.ELECTED)

    state, _ = hear(state, claims(A, epoch, slots(0)), link_node=A)

    assert state.myself.replicaof == A
    assert state.taken_from == ()


def test_a_replica_keeps_what_its_master_was_told_to_take_until_it_claims_that() -> None:
    state = bind_slots(note_taken(view(A1, rules=STRICT), slots(1), B), A, slots(1))

    assert unconfirmed(state, A) == slots(1)
    assert unconfirmed(state, B) == NO_SLOTS
    assert confirm_import(state, B, slots(1)) is state
    assert unconfirmed(confirm_import(state, A, slots(0, 1)), A) == NO_SLOTS


def test_an_old_claim_of_its_master_marks_nothing_that_it_was_told_to_take() -> None:
    state = bind_slots(note_taken(view(A1, rules=STRICT), slots(1), B), A, slots(1))
    state = change(state, B, slots=NO_SLOTS)
    late, now = (claims(A, 3, claimed) for claimed in (slots(0), slots(0, 1)))

    early, _ = hear(state, late, link_node=A)
    confirmed, _ = hear(early, now, link_node=A)
    given_up, _ = hear(confirmed, late, link_node=A)

    assert early.owner_not_claiming_slot == confirmed.owner_not_claiming_slot == NO_SLOTS
    assert given_up.owner_not_claiming_slot == slots(1)


def test_without_the_rule_an_old_claim_marks_it() -> None:
    state = bind_slots(note_taken(view(A1, rules=STRICT), slots(1), B), A, slots(1))
    state = attrs.evolve(state, rules=STRICT.without("told_imports_are_kept"))

    after, _ = hear(state, claims(A, 3, slots(0)), link_node=A)

    assert after.owner_not_claiming_slot == slots(1)

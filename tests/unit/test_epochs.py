"""Merging epochs, resolving collisions, and the epochs that operators set or ask for.

Clauses: EP-1, EP-2, EP-3, EP-4, EP-5, EP-6, EP-9, EP-10, EP-11, EP-12, EP-D1, EL-14.
"""

import attrs
import pytest

from reference.core.announce import pong
from reference.core.effects import Broadcast, Effect, Happening, Notice, Reply, SaveConfig
from reference.core.epoch_kinds import LAST_EPOCH
from reference.core.epochs import (
    bump_config_epoch_without_consensus,
    merge_epochs,
    next_epoch,
    resolve_collision,
)
from reference.core.events import ClusterBumpEpoch, ClusterSetConfigEpoch
from reference.core.messages import Pong
from reference.core.rules import REDIS_7_0, REDIS_8_0, RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Link, NodeId, Role
from tests.builders import (
    A1,
    A,
    B,
    candidate,
    change,
    hear,
    replies,
    says,
    slots,
    told,
    view,
)

ALL = tuple(RELEASES.values())


def from_b(*, config_epoch: int = 2, current_epoch: int = 3) -> Pong:
    """An announcement of master b that claims what everybody knows."""
    return Pong(
        header=says(B, claims=slots(1), config_epoch=config_epoch, current_epoch=current_epoch)
    )


@pytest.mark.parametrize("rules", ALL)
def test_the_current_epoch_follows_the_highest_announced_and_is_not_saved_for_it(
    rules: Rules,
) -> None:
    state, effects = hear(view(A, rules=rules), from_b(current_epoch=9), link=Link.INBOUND)

    assert state.current_epoch == 9
    assert not effects


def test_an_older_current_epoch_changes_nothing() -> None:
    state = view(A)

    assert hear(state, from_b(current_epoch=2), link=Link.INBOUND) == (state, ())


def test_without_merging_the_current_epoch_stays() -> None:
    state = view(A, rules=REDIS_7_0.without("merge_current_epoch"))

    assert hear(state, from_b(current_epoch=9), link=Link.INBOUND)[0].current_epoch == 3


@pytest.mark.parametrize("rules", ALL)
def test_a_newer_config_epoch_is_recorded_and_saved(rules: Rules) -> None:
    state, effects = hear(view(A, rules=rules), from_b(config_epoch=5), link=Link.INBOUND)

    assert state.nodes[B].config_epoch == 5
    assert effects == (SaveConfig(fsync=True),)


def test_an_older_config_epoch_is_recorded_only_where_epochs_may_fall() -> None:
    falling = REDIS_7_0.without("config_epoch_only_rises")
    for rules, recorded in ((REDIS_7_0, 2), (falling, 1)):
        state, _ = hear(view(A, rules=rules), from_b(config_epoch=1), link=Link.INBOUND)

        assert recorded == state.nodes[B].config_epoch


def test_an_equal_config_epoch_is_nothing_new_even_where_epochs_may_fall() -> None:
    state = view(A, rules=REDIS_7_0.without("config_epoch_only_rises"))

    assert hear(state, from_b(), link=Link.INBOUND) == (state, ())


def test_whether_a_replica_has_its_masters_config_epoch_recorded_depends_on_the_release() -> None:
    for rules, recorded in ((REDIS_7_0, 1), (REDIS_8_0, 1), (VALKEY_8_1, 0), (VALKEY_9_1, 0)):
        state, _ = hear(view(B, rules=rules), pong(view(A1, rules=rules)), link=Link.INBOUND)

        assert recorded == state.nodes[A1].config_epoch


@pytest.mark.parametrize(("config_epoch", "gives_up"), [(3, False), (4, True), (5, True)])
def test_a_master_with_the_elections_epoch_ends_it_where_the_release_looks(
    config_epoch: int, *, gives_up: bool
) -> None:
    message = from_b(config_epoch=config_epoch, current_epoch=5)

    for rules, ends in (
        (REDIS_7_0, False),
        (REDIS_8_0, False),
        (VALKEY_8_1, gives_up),
        (VALKEY_9_1, gives_up),
    ):
        state, effects = hear(candidate(rules=rules), message, link=Link.INBOUND)

        assert ends == (state.election is None)
        assert ends == (Happening.ELECTION_RESET in told(effects))


def test_without_an_election_there_is_nothing_to_end() -> None:
    state = attrs.evolve(candidate(rules=VALKEY_9_1), election=None)

    _, effects = hear(state, from_b(config_epoch=5), link=Link.INBOUND)

    assert not told(effects)


def colliding(me: NodeId, rules: Rules = REDIS_7_0) -> ClusterState:
    """The view of a or b when both have configEpoch 2 and currentEpoch is 3."""
    return change(view(me, rules=rules), A, config_epoch=2)


@pytest.mark.parametrize("rules", ALL)
def test_of_two_masters_with_one_config_epoch_the_smaller_id_moves(rules: Rules) -> None:
    state, effects = hear(colliding(A, rules), from_b(), link=Link.INBOUND)

    assert state.current_epoch == 4
    assert state.myself.config_epoch == 4
    assert effects[:2] == (
        SaveConfig(fsync=True),
        Notice(what=Happening.EPOCH_COLLISION, subject=B, epoch=4),
    )


def test_whether_the_new_epoch_is_announced_at_once_depends_on_the_release() -> None:
    for rules, broadcasts in ((REDIS_7_0, 0), (REDIS_8_0, 0), (VALKEY_8_1, 0), (VALKEY_9_1, 1)):
        state, effects = hear(colliding(A, rules), from_b(), link=Link.INBOUND)

        assert broadcasts == effects.count(Broadcast(message=pong(state)))


def test_the_larger_id_moves_only_where_whoever_sees_the_collision_moves() -> None:
    message = pong(colliding(A))
    anybody = REDIS_7_0.without("collision_moves_smaller_id_only")

    for rules, config_epoch in ((REDIS_7_0, 2), (anybody, 4)):
        state, _ = hear(colliding(B, rules), message, link=Link.INBOUND)

        assert config_epoch == state.myself.config_epoch


def test_without_collision_resolution_both_stay() -> None:
    state = colliding(A, REDIS_7_0.without("collision_resolution"))

    assert hear(state, from_b(), link=Link.INBOUND) == (state, ())


def test_different_config_epochs_do_not_collide() -> None:
    state = view(A)

    assert hear(state, from_b(), link=Link.INBOUND) == (state, ())


def test_an_outdated_announcement_does_not_collide() -> None:
    state = change(view(A), B, config_epoch=3)
    state = change(state, A, config_epoch=2)

    assert hear(state, from_b(config_epoch=2), link=Link.INBOUND)[0].myself.config_epoch == 2


def test_an_epoch_known_but_not_announced_now_does_not_collide() -> None:
    state = change(colliding(A), A, config_epoch=3)
    state = change(state, B, config_epoch=3)

    assert hear(state, from_b(config_epoch=2), link=Link.INBOUND)[0].myself.config_epoch == 3


def test_a_replica_does_not_collide() -> None:
    state = change(view(A1), A1, config_epoch=2)

    assert hear(state, from_b(), link=Link.INBOUND) == (state, ())


@pytest.mark.parametrize(
    ("epoch", "current_epoch"), [(0, 3), (1, 3), (7, 7), (LAST_EPOCH, LAST_EPOCH)]
)
def test_a_lonely_node_gets_its_first_config_epoch(epoch: int, current_epoch: int) -> None:
    state = attrs.evolve(new_node(REDIS_7_0, A), current_epoch=3)

    state, effects = step(state, ClusterSetConfigEpoch(config_epoch=epoch))

    assert state.myself.config_epoch == epoch
    assert state.current_epoch == current_epoch
    assert effects[0] == SaveConfig(fsync=False)
    assert replies(effects) == [None]


NOT_ALONE = (
    "ERR The user can assign a config epoch only when the node does not know any other node."
)


@pytest.mark.parametrize(
    ("state", "epoch", "error"),
    [
        (new_node(REDIS_7_0, A), -1, "ERR Invalid config epoch specified: -1"),
        (
            new_node(REDIS_7_0, A),
            LAST_EPOCH + 1,
            f"ERR Invalid config epoch specified: {LAST_EPOCH + 1}",
        ),
        (
            view(A, masters=2, replicas=0),
            7,
            NOT_ALONE,
        ),
        (
            change(new_node(REDIS_7_0, A), A, config_epoch=1),
            7,
            "ERR Node config epoch is already non-zero",
        ),
    ],
)
def test_a_config_epoch_is_set_once_and_alone(state: ClusterState, epoch: int, error: str) -> None:
    after, effects = step(state, ClusterSetConfigEpoch(config_epoch=epoch))

    assert state is after
    assert replies(effects) == [error]


def asked(state: ClusterState) -> tuple[ClusterState, list[str], tuple[Effect, ...]]:
    """The state after CLUSTER BUMPEPOCH, the answers, and the other effects."""
    after, effects = step(state, ClusterBumpEpoch())
    answers = [effect for effect in effects if isinstance(effect, Reply)]
    assert all(answer.error is None for answer in answers)
    others = tuple(effect for effect in effects if not isinstance(effect, Reply))
    return after, [answer.status for answer in answers], others


@pytest.mark.parametrize("rules", ALL)
def test_an_operator_gives_a_node_the_newest_config_epoch(rules: Rules) -> None:
    state, answers, effects = asked(view(A, rules=rules))

    assert answers == ["BUMPED 4"]
    assert (state.current_epoch, state.myself.config_epoch) == (4, 4)
    assert effects[:2] == (
        SaveConfig(fsync=True),
        Notice(what=Happening.NEW_EPOCH, epoch=4),
    )
    assert effects[2:] == ((Broadcast(message=pong(state)),) if rules is VALKEY_9_1 else ())


def test_whether_a_new_epoch_is_announced_is_a_switch() -> None:
    _, _, effects = asked(view(A, rules=VALKEY_9_1.without("bump_is_broadcast")))

    assert not [effect for effect in effects if isinstance(effect, Broadcast)]


@pytest.mark.parametrize("rules", ALL)
def test_who_has_the_newest_config_epoch_keeps_it(rules: Rules) -> None:
    """So does another that has the same: the two stay equal until they hear of each other."""
    state = change(view(A, rules=rules), A, config_epoch=3)

    after, answers, effects = asked(state)

    assert after is state
    assert answers == ["STILL 3"]
    assert not effects


def test_a_newer_current_epoch_is_enough_for_a_new_config_epoch() -> None:
    state, answers, _ = asked(attrs.evolve(change(view(A), A, config_epoch=3), current_epoch=4))

    assert answers == ["BUMPED 5"]
    assert state.current_epoch == 5


def test_the_config_epoch_of_any_node_is_enough_for_a_new_one() -> None:
    state = change(change(view(A), A, config_epoch=3), A1, config_epoch=4)

    assert asked(state)[1] == ["BUMPED 4"]


def test_a_node_without_config_epoch_gets_one_even_if_nobody_has_a_newer() -> None:
    state, answers, _ = asked(new_node(REDIS_7_0, A))

    assert answers == ["BUMPED 1"]
    assert state.current_epoch == 1


def test_a_config_epoch_ahead_of_the_current_epoch_is_the_newest() -> None:
    state = change(view(A), A, config_epoch=4)

    assert asked(state)[1] == ["STILL 4"]


def test_the_epoch_after_the_last_is_the_last() -> None:
    state = view(A)

    assert next_epoch(state) == 4
    assert next_epoch(attrs.evolve(state, current_epoch=LAST_EPOCH - 1)) == LAST_EPOCH
    assert next_epoch(attrs.evolve(state, current_epoch=LAST_EPOCH)) == LAST_EPOCH


def test_at_the_last_epoch_a_node_takes_it_and_no_more() -> None:
    state = attrs.evolve(view(A), current_epoch=LAST_EPOCH)

    state, answers, _ = asked(state)

    assert answers == [f"BUMPED {LAST_EPOCH}"]
    assert bump_config_epoch_without_consensus(state, []) is state


@pytest.mark.parametrize(("mine", "moves"), [(LAST_EPOCH - 1, True), (LAST_EPOCH, False)])
def test_a_collision_in_the_last_epoch_cannot_be_resolved(mine: int, *, moves: bool) -> None:
    state = attrs.evolve(view(A, rules=VALKEY_9_1), current_epoch=LAST_EPOCH)
    state = change(change(state, A, config_epoch=mine), B, config_epoch=mine)

    after, effects = hear(
        state, from_b(config_epoch=mine, current_epoch=LAST_EPOCH), link=Link.INBOUND
    )

    assert after.myself.config_epoch == LAST_EPOCH
    assert after.current_epoch == LAST_EPOCH
    assert bool(effects) is moves


def test_a_collision_ahead_of_the_current_epoch_is_resolved_by_going_on() -> None:
    """It takes two rounds, since only what is announced as current_epoch is merged."""
    state = change(change(view(A), A, config_epoch=4), B, config_epoch=4)

    state, _ = hear(state, from_b(config_epoch=4), link=Link.INBOUND)
    assert state.current_epoch == 4

    state, _ = hear(state, from_b(config_epoch=4), link=Link.INBOUND)
    assert state.myself.config_epoch == 5


def test_epochs_that_are_known_give_the_very_same_state() -> None:
    state = view(A)

    assert merge_epochs(state, B, from_b().header, []) is state


@pytest.mark.parametrize("sender", [A, B])
def test_neither_oneself_nor_a_replica_collides(sender: NodeId) -> None:
    """Nobody asks for these today; the rule does not rest on that."""
    state = change(colliding(A), B, role=Role.REPLICA)

    assert resolve_collision(state, sender, 2, []) is state

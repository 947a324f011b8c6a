"""Merging epochs, resolving collisions, and setting the first configEpoch.

Clauses: EP-1, EP-2, EP-3, EP-4, EP-5, EP-6, EP-9, EP-10, EL-14.
"""

import attrs
import pytest

from reference.core.announce import pong
from reference.core.effects import Broadcast, Happening, Notice, SaveConfig
from reference.core.events import ClusterSetConfigEpoch
from reference.core.messages import Pong
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Link, NodeId
from tests.builders import (
    A1,
    EITHER,
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


def from_b(*, config_epoch: int = 2, current_epoch: int = 3) -> Pong:
    """An announcement of master b that claims what everybody knows."""
    return Pong(
        header=says(B, claims=slots(1), config_epoch=config_epoch, current_epoch=current_epoch)
    )


@pytest.mark.parametrize("rules", EITHER)
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


@pytest.mark.parametrize("rules", EITHER)
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
    for rules, recorded in ((REDIS_7_0, 1), (VALKEY_9_1, 0)):
        state, _ = hear(view(B, rules=rules), pong(view(A1, rules=rules)), link=Link.INBOUND)

        assert recorded == state.nodes[A1].config_epoch


@pytest.mark.parametrize(("config_epoch", "gives_up"), [(3, False), (4, True), (5, True)])
def test_a_master_with_the_elections_epoch_ends_it_where_the_release_looks(
    config_epoch: int, *, gives_up: bool
) -> None:
    message = from_b(config_epoch=config_epoch, current_epoch=5)

    for rules, ends in ((REDIS_7_0, False), (VALKEY_9_1, gives_up)):
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


@pytest.mark.parametrize("rules", EITHER)
def test_of_two_masters_with_one_config_epoch_the_smaller_id_moves(rules: Rules) -> None:
    state, effects = hear(colliding(A, rules), from_b(), link=Link.INBOUND)

    assert state.current_epoch == 4
    assert state.myself.config_epoch == 4
    assert effects[:2] == (
        SaveConfig(fsync=True),
        Notice(what=Happening.EPOCH_COLLISION, subject=B, epoch=4),
    )


def test_whether_the_new_epoch_is_announced_at_once_depends_on_the_release() -> None:
    for rules, broadcasts in ((REDIS_7_0, 0), (VALKEY_9_1, 1)):
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


@pytest.mark.parametrize(("epoch", "current_epoch"), [(0, 3), (1, 3), (7, 7)])
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

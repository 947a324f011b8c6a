"""Greetings between nodes that know each other, or think that they do.

Clauses: HS-11, HS-12.
"""

from typing import Any

import pytest

from reference.core.announce import meet, ping, pong
from reference.core.effects import CloseLink, Effect, Send
from reference.core.events import MeetRepeated
from reference.core.rules import RELEASES, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.state import ClusterState, new_node
from reference.core.step import step
from reference.core.types import Health, Link, NodeId
from tests.builders import STRANGER, A, B, C, address_of, change, hear, view

ALL = tuple(RELEASES.values())


def repeated(
    state: ClusterState, peer: NodeId = B, *about: NodeId
) -> tuple[ClusterState, tuple[Effect, ...]]:
    """The step at the time to greet a node that never dialled us."""
    return step(state, MeetRepeated(peer=peer, gossip_about=about))


@pytest.mark.parametrize("rules", ALL)
def test_whether_a_node_that_does_not_dial_us_is_greeted_depends_on_the_release(
    rules: Rules,
) -> None:
    state = view(A, rules=rules)

    after, effects = repeated(state, B, C)

    assert rules.meet_is_repeated == (rules in (VALKEY_8_1, VALKEY_9_1))
    if rules.meet_is_repeated:
        assert after == change(state, B, meet=True)
        assert effects == (Send(to=B, message=meet(state, [C])),)
    else:
        assert (after, effects) == (state, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"handshake": True},
        {"noaddr": True},
        {"meet": True},
        {"health": Health.PFAIL},
        {"health": Health.FAIL},
    ],
)
def test_a_node_that_is_not_well_or_is_being_greeted_is_not_greeted_again(
    fields: dict[str, Any],
) -> None:
    state = change(view(A, rules=VALKEY_9_1), B, **fields)

    assert repeated(state) == (state, ())


@pytest.mark.parametrize("peer", [A, STRANGER])
def test_neither_oneself_nor_a_stranger_is_greeted_again(peer: NodeId) -> None:
    state = view(A, rules=VALKEY_9_1)

    assert repeated(state, peer) == (state, ())


@pytest.mark.parametrize("rules", ALL)
def test_whether_a_greeting_by_a_node_long_known_closes_our_link_depends_on_the_release(
    rules: Rules,
) -> None:
    state = view(A, rules=rules)
    answer = Send(to=B, message=pong(state), reply=True)

    for long in (False, True):
        after, effects = hear(
            state, meet(view(B, rules=rules)), link=Link.INBOUND, sender_known_long=long
        )

        assert after is state
        expected = (CloseLink(peer=B), answer) if long and rules.meet_is_repeated else (answer,)
        assert effects == expected


def test_a_ping_of_a_node_long_known_closes_no_link() -> None:
    state = view(A, rules=VALKEY_9_1)

    _, effects = hear(
        state, ping(view(B, rules=VALKEY_9_1)), link=Link.INBOUND, sender_known_long=True
    )

    assert effects == (Send(to=B, message=pong(state), reply=True),)


def test_a_stranger_has_no_link_to_close() -> None:
    _, effects = hear(
        view(A, rules=VALKEY_9_1),
        meet(new_node(VALKEY_9_1, STRANGER, address=address_of(STRANGER))),
        link=Link.INBOUND,
        new_id=NodeId("temporary"),
        sender_known_long=True,
    )

    assert not [effect for effect in effects if isinstance(effect, CloseLink)]

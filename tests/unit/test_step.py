"""One step: the same object if nothing changed, and what is saved before what is sent.

Clauses: MO-1, MO-2, MO-3, MO-7.
"""

import attrs
import pytest

from reference.core.effects import Broadcast, Happening, Notice, Refusal, SaveConfig, Send
from reference.core.events import ElectionDue, PongOverdue
from reference.core.messages import Ping, Pong
from reference.core.rules import REDIS_7_0
from reference.core.step import step
from reference.core.types import Link
from tests.builders import A1, A, B, failed, hear, says, sent, slots, view


def test_an_event_that_changes_nothing_gives_the_very_same_state() -> None:
    state = failed(view(B))

    assert step(state, PongOverdue(peer=A))[0] is state


def test_a_change_and_its_undoing_within_one_event_give_the_very_same_state() -> None:
    """The sender's configEpoch falls and its slots are claimed again: all as it was."""
    state = view(A, rules=REDIS_7_0.without("config_epoch_only_rises"))

    after, _ = hear(state, Pong(header=says(B, config_epoch=2, claims=slots(1))))

    assert after is state


def test_all_saves_of_an_event_are_one_before_the_first_message() -> None:
    """The PONG that answers comes first in the protocol, the demotion that is saved after it."""
    said = Ping(header=says(B, config_epoch=9, claims=slots(0, 1)))

    _, effects = hear(view(A), said, link=Link.INBOUND)

    assert [SaveConfig, Send, Notice] == [type(effect) for effect in effects]
    assert effects[0] == SaveConfig(fsync=True)


def test_without_save_before_send_the_save_comes_last() -> None:
    state = failed(view(A1, rules=REDIS_7_0.without("save_before_send")))

    _, effects = step(state, ElectionDue())

    assert [Notice, Broadcast, SaveConfig] == [type(effect) for effect in effects]


def test_an_event_without_a_save_keeps_the_order_of_its_effects() -> None:
    said = Ping(header=says(type(B)("s")))

    _, effects = hear(view(A), said, link=Link.INBOUND)

    assert [Send, Notice] == [type(effect) for effect in effects]


def test_the_state_and_the_effects_agree_with_each_other() -> None:
    state, effects = step(failed(view(A1)), ElectionDue())

    assert [state.current_epoch] == [message.header.current_epoch for message in sent(effects)]


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (
            Notice(what=Happening.VOTED, subject=A1, epoch=4),
            "voted for a1 in epoch 4",
        ),
        (
            Notice(what=Refusal.ALREADY_VOTED, subject=A1),
            "refused a1: the voter has voted in this epoch",
        ),
        (Notice(what=Refusal.NO_ELECTION), "refused: there is no election to count for"),
    ],
)
def test_a_notice_speaks_in_the_words_of_the_protocol(notice: Notice, text: str) -> None:
    assert text == notice.text


def test_states_are_values() -> None:
    assert view(A) == view(A)
    assert hash(view(A)) == hash(view(A))
    assert view(A) != attrs.evolve(view(A), current_epoch=9)

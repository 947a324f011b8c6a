"""Channels, patterns and channels of slots: who listens, and what is heard.

Clauses: CM-71, CM-72, CM-73, CM-74, CM-75, CM-76, CM-77, RD-13.
"""

import attrs
import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import SlotSet
from reference.core.state import bind_slots
from reference.core.types import SLOT_COUNT
from reference.runtime.clients.session import Replies
from reference.runtime.limits import OutputClass
from reference.runtime.patterns import glob
from tests.runtime.node_double import MASTERS, REPLICA, three_masters
from tests.runtime.room import Room


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("*", ["", "a", "a\nb"], []),
        ("h?llo", ["hello", "h\nllo"], ["hllo", "heello"]),
        ("h*o", ["ho", "hello"], ["hell"]),
        ("h**o", ["ho"], ["h"]),
        ("h[ae]llo", ["hello", "hallo"], ["hillo"]),
        ("h[^e]llo", ["hallo"], ["hello"]),
        ("h[a-c]llo", ["hbllo"], ["hdllo"]),
        ("h[c-a]llo", ["hbllo"], ["hdllo"]),
        (r"h[\]a]llo", ["h]llo", "hallo"], ["hbllo"]),
        ("a[b", ["ab"], ["a"]),
        ("a[]", [], ["a", "a]"]),
        ("a[^]", ["ab"], ["a"]),
        (r"a\*", ["a*"], ["ab"]),
        ("a\\", ["a\\"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a*b*ab", ["abab", "aabbab"], ["ab", "aab"]),
        ("*ab*ba", ["abba"], ["aba"]),
        ("*a" * 100 + "b", ["a" * 100 + "b"], ["a" * 2000]),
    ],
)
def test_patterns_fit_as_in_servers(pattern: str, names: list[str], others: list[str]) -> None:
    assert all(glob(pattern.encode()).fullmatch(name.encode()) for name in names)
    assert not any(glob(pattern.encode()).fullmatch(name.encode()) for name in others)


def test_listening_begins_and_ends_with_a_count(room: Room) -> None:
    assert room(1, "SUBSCRIBE a b a") == ("*3 subscribe a :1 *3 subscribe b :2 *3 subscribe a :2")
    assert room(1, "PSUBSCRIBE p*") == "*3 psubscribe p* :3"
    assert room(1, "SSUBSCRIBE bar") == "*3 ssubscribe bar :1"
    assert room(1, "UNSUBSCRIBE b x") == "*3 unsubscribe b :2 *3 unsubscribe x :2"
    assert room(1, "PUNSUBSCRIBE") == "*3 punsubscribe p* :1"
    assert room(1, "SUNSUBSCRIBE") == "*3 sunsubscribe bar :0"
    assert room.session(1).output_class is OutputClass.PUBSUB
    assert room(1, "UNSUBSCRIBE") == "*3 unsubscribe a :0"
    assert room.session(1).output_class is OutputClass.NORMAL
    assert room(1, "UNSUBSCRIBE") == "*3 unsubscribe $-1 :0"


def test_a_message_is_heard_once_for_each_way_of_listening(room: Room) -> None:
    room(1, "SUBSCRIBE news")
    room(2, "PSUBSCRIBE n* x* *s")

    assert room(3, "PUBLISH news hello") == ":3"

    assert room.heard(1) == "*3 message news hello"
    assert room.heard(2) == "*4 pmessage n* news hello *4 pmessage *s news hello"
    assert room(3, "PUBLISH other hello") == ":0"
    assert room.node.published == [(b"news", b"hello", False), (b"other", b"hello", False)]


def test_a_message_of_a_slot_is_for_those_who_listen_to_slots(room: Room) -> None:
    room(1, "SSUBSCRIBE bar")
    room(2, "SUBSCRIBE bar")

    assert room(3, "SPUBLISH bar hi") == ":1"

    assert room.heard(1) == "*3 smessage bar hi"
    assert room.heard(2) == ""
    assert room.node.published == [(b"bar", b"hi", True)]


def test_channels_of_slots_are_found_where_the_slots_are(room: Room) -> None:
    assert room(1, "SSUBSCRIBE foo") == "-MOVED 12182 127.0.0.1:7002"
    assert room(1, "SPUBLISH foo x") == "-MOVED 12182 127.0.0.1:7002"
    assert room(1, "SSUBSCRIBE bar hello{x}").startswith("-CROSSSLOT")
    assert room(1, "SUNSUBSCRIBE foo").startswith("-MOVED")
    replica = Room(replica=True)
    assert replica(1, "SSUBSCRIBE bar") == "*3 ssubscribe bar :1"
    assert replica(2, "SPUBLISH bar x") == ":1"
    assert replica(1, "SSUBSCRIBE foo").startswith("-MOVED")


def test_a_channel_leaves_with_its_slot(room: Room) -> None:
    room(1, "SSUBSCRIBE bar")
    room(1, "SSUBSCRIBE hello")
    room(2, "SSUBSCRIBE bar")
    slot = 5061

    room.node.change(bind_slots(room.node.state, REPLICA, SlotSet.of([SLOT_COUNT - 1])))
    assert room.heard(1) == ""
    room.node.change(bind_slots(room.node.state, MASTERS[1], SlotSet.of([slot])))

    assert room.heard(1) == "*3 sunsubscribe bar :1"
    assert room.heard(2) == "*3 sunsubscribe bar :0"
    assert room(3, "PUBSUB SHARDCHANNELS") == "*1 hello"
    room.node.change(attrs.evolve(three_masters(MASTERS[1], rules=VALKEY_9_1)))
    assert room.heard(1) == "*3 sunsubscribe hello :0"


@pytest.mark.parametrize("subscribe", ["SUBSCRIBE a", "PSUBSCRIBE a", "SSUBSCRIBE bar"])
def test_a_listening_client_of_version_2_may_do_little_else(room: Room, subscribe: str) -> None:
    room(1, subscribe)

    refused = room(1, "GET bar")
    assert refused == (
        "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
        "are allowed in this context"
    )
    assert room(1, "CLIENT ID").startswith("-ERR Can't execute 'client|id'")
    assert room(1, "GET foo").startswith("-MOVED")
    assert room(1, "PING") == "*2 pong"
    assert room(1, "PING x") == "*2 pong x"
    assert room(1, "RESET") == "+RESET"
    assert room(1, "PING") == "+PONG"
    assert room(1, "GET bar") == "$-1"


def test_a_listening_client_of_version_3_may_do_all(room: Room) -> None:
    room(1, "HELLO 3")

    assert room(1, "SUBSCRIBE a") == ">3 subscribe a :1"
    assert room(1, "GET bar") == "_"
    assert room(1, "PING") == "+PONG"
    room(2, "PUBLISH a x")
    assert room.heard(1) == ">3 message a x"


@pytest.mark.parametrize(("rules", "at_once"), [(REDIS_7_0, True), (VALKEY_9_1, False)])
def test_messages_to_oneself_come_before_or_after_the_reply(
    rules: Rules,
    at_once: bool,  # noqa: FBT001 - of the table above
) -> None:
    room = Room(rules)
    room(1, "HELLO 3")
    room(1, "SUBSCRIBE a")
    session = room.session(1)
    session.running = True

    room(1, "PUBLISH a x")

    assert (room.heard(1) == ">3 message a x") == at_once
    assert bool(session.pushed) != at_once


def test_commands_about_channels(room: Room) -> None:
    room(1, "SUBSCRIBE a b")
    room(2, "SUBSCRIBE a")
    room(2, "PSUBSCRIBE a* b*")
    room(1, "SSUBSCRIBE bar")

    assert room(3, "PUBSUB CHANNELS") == "*2 a b"
    assert room(3, "PUBSUB CHANNELS [b-z]") == "*1 b"
    assert room(3, "PUBSUB NUMSUB a b c") == "*6 a :2 b :1 c :0"
    assert room(3, "PUBSUB NUMPAT") == ":2"
    assert room(3, "PUBSUB SHARDCHANNELS b*") == "*1 bar"
    assert room(3, "PUBSUB SHARDNUMSUB bar a") == "*4 bar :1 a :0"
    assert "CHANNELS [<pattern>]" in room(3, "PUBSUB HELP")
    assert room(3, "PUBSUB CHANNELS a b").startswith("-ERR unknown subcommand or wrong number")
    assert "pubsub_channels:2 pubsub_patterns:2 pubsubshard_channels:1" in room(3, "INFO stats")


def test_who_is_gone_hears_nothing(room: Room) -> None:
    room(1, "SUBSCRIBE a")
    room(1, "PSUBSCRIBE a")
    room(1, "SSUBSCRIBE bar")

    room.session(1).end()

    assert room(2, "PUBLISH a x") == ":0"
    assert room(2, "SPUBLISH bar x") == ":0"
    assert room(2, "PUBSUB CHANNELS") == "*0"
    assert not room.service.channels.listens(room.session(1))


def test_reset_makes_the_connection_new(room: Room) -> None:
    room(1, "HELLO 3 SETNAME bob")
    for line in ("SUBSCRIBE a", "READONLY", "WATCH bar", "MULTI", "SET bar 1"):
        room(1, line)
    session = room.session(1)
    session.mode = Replies.OFF

    assert room(1, "RESET") == "+RESET"

    assert (session.protocol, session.name, session.readonly) == (2, "", False)
    assert session.transaction is None
    assert session.watch is None
    assert session.replies
    assert room(2, "PUBLISH a x") == ":0"


def test_subscriptions_may_be_queued(room: Room) -> None:
    room(1, "MULTI")
    assert room(1, "SUBSCRIBE a") == "+QUEUED"
    assert room(1, "EXEC") == "*1 *3 subscribe a :1"

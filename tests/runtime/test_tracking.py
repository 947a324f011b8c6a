"""Clients that are told when keys that they have read change.

Clauses: CM-110, CM-111, CM-112, CM-113, CM-114.
"""

import asyncio
from collections.abc import Iterator

import attrs
import pytest

from reference.core.slots import SlotSet, key_hash_slot
from reference.runtime.commands.clients import describe_client
from reference.runtime.commands.dispatch import execute
from reference.runtime.replies import Verbatim
from reference.runtime.serving.plain import is_plain
from tests.runtime.node_double import MASTERS
from tests.runtime.room import Room

READER, WRITER, OTHER = 1, 2, 3
TOLD = ">2 invalidate *1 {}"


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    for number in (READER, WRITER, OTHER):
        made(number, "HELLO 3" if number != WRITER else "PING")
    yield made
    made.service.keyspace.close()


def test_a_key_that_was_read_is_told_of_once(room: Room) -> None:
    room(READER, "CLIENT TRACKING on")
    room(READER, "GET bar")

    room(WRITER, "SET bar 1")
    room(WRITER, "SET bar 2")

    assert room.heard(READER) == TOLD.format("bar")
    assert not is_plain(room.session(READER))


def test_a_key_that_ends_by_itself_is_told_of(room: Room) -> None:
    room(WRITER, "SET bar 1 PXAT 4102444800000")
    room(READER, "CLIENT TRACKING on")
    room(READER, "GET bar")
    data = room.service.keyspace.database()
    data.whole[b"bar"].expireat = 1.0
    data.schedule_expiry(b"bar", 1.0)

    room.service.keyspace.expire()

    assert room.heard(READER) == TOLD.format("bar")


def test_what_a_master_changes_is_told_of(room: Room) -> None:
    room(READER, "CLIENT TRACKING on")
    room(READER, "GET bar")

    room.service.keyspace.apply([b"SET", b"bar", b"1"])

    assert room.heard(READER) == TOLD.format("bar")


def test_all_keys_of_a_kind_are_told_of_in_one_message(room: Room) -> None:
    async def story() -> None:
        room(READER, "CLIENT TRACKING on BCAST PREFIX {bar}")
        room(OTHER, "CLIENT TRACKING on BCAST NOLOOP")
        room(WRITER, "MSET {bar}1 1 {bar}2 2")
        room(OTHER, "SET bar 3")
        assert not room.heard(READER)
        await asyncio.sleep(0)

    asyncio.run(story())

    assert room.heard(READER) == ">2 invalidate *2 {bar}1 {bar}2"
    assert room.heard(OTHER) == ">2 invalidate *2 {bar}1 {bar}2"


def test_whoever_changed_a_key_hears_of_it_if_it_ended_by_itself_too(room: Room) -> None:
    async def story() -> None:
        room(OTHER, "CLIENT TRACKING on BCAST NOLOOP")
        tracking = room.service.tracking
        tracking.current = room.session(OTHER)
        tracking.changed(b"{bar}1", by_itself=True)  # its time was over at once
        tracking.changed(b"{bar}1", by_itself=False)
        tracking.changed(b"{bar}2", by_itself=False)
        tracking.changed(b"{bar}2", by_itself=False)
        tracking.current = None
        await asyncio.sleep(0)

    asyncio.run(story())

    assert room.heard(OTHER) == ">2 invalidate *1 {bar}1"


def test_everybody_hears_when_all_keys_may_have_changed(room: Room) -> None:
    room(READER, "CLIENT TRACKING on")
    room(OTHER, "CLIENT TRACKING on BCAST")

    room(WRITER, "FLUSHALL")

    assert room.heard(READER) == room.heard(OTHER) == ">2 invalidate _"
    room(READER, "GET bar")
    room.service.keyspace.replace(room.service.keyspace.__class__())
    assert room.heard(READER).endswith(">2 invalidate _")


def test_the_table_has_an_end(room: Room) -> None:
    kept = {"tracking-table-max-keys": "2"}
    room.node.options = attrs.evolve(room.node.options, kept=kept)
    room(READER, "CLIENT TRACKING on")
    for key in ("{bar}1", "{bar}2", "{bar}3"):
        room(READER, f"GET {key}")
    room.session(READER).pushed.clear()

    assert room.heard(READER) == TOLD.format("{bar}1")
    assert room.service.tracking.counts() == (2, 2, 0)


def test_keys_of_slots_that_leave_the_node_are_told_of(room: Room) -> None:
    room.service.follow_node()
    room(READER, "CLIENT TRACKING on")
    room(READER, "GET bar")
    room(READER, "GET hello")
    state = room.node.state
    gone = SlotSet.of({key_hash_slot(b"bar")})
    myself, other = state.myself, state.nodes[MASTERS[1]]
    state = state.put(attrs.evolve(myself, slots=myself.slots - gone))

    room.node.change(state.put(attrs.evolve(other, slots=other.slots | gone)))

    assert room.heard(READER) == TOLD.format("bar")


def test_nothing_is_kept_of_clients_that_have_gone(room: Room) -> None:
    tracking = room.service.tracking
    room(READER, "CLIENT TRACKING on")
    room(READER, "GET bar")
    room(OTHER, "CLIENT TRACKING on BCAST")
    room(OTHER, "RESET")
    assert tracking.counts() == (1, 1, 0)

    room.session(READER).end()

    assert tracking.counts() == (0, 0, 0)
    assert room.service.keyspace.database().observer is None


def test_another_that_is_told_may_go(room: Room) -> None:
    room(READER, "CLIENT TRACKING on REDIRECT 3")
    room(READER, "GET bar")
    room(WRITER, "SET bar 1")
    assert room.heard(OTHER) == TOLD.format("bar")
    room(READER, "GET bar")
    room.service.sessions.discard(room.session(OTHER))

    room(WRITER, "SET bar 2")

    assert room.heard(READER) == ">2 tracking-redir-broken :3"
    assert "flags=tR" in describe_client(room.session(READER))
    assert "redir=3" in describe_client(room.session(READER))


def test_it_is_counted(room: Room) -> None:
    room(READER, "CLIENT TRACKING on BCAST PREFIX a PREFIX b")
    room(OTHER, "CLIENT TRACKING on")
    room(OTHER, "GET bar")

    reply = execute(room.session(WRITER), [b"INFO"])

    assert isinstance(reply, Verbatim)
    for line in ("tracking_clients:2", "tracking_total_keys:1", "tracking_total_items:1",
                 "tracking_total_prefixes:2"):  # fmt: skip
        assert line in reply.text


def test_a_prefix_of_another_is_refused_wherever_it_stands(room: Room) -> None:
    reply = room(READER, "CLIENT TRACKING on BCAST PREFIX z PREFIX a PREFIX ab")

    assert reply.startswith("-ERR Prefix 'a' overlaps with another provided prefix 'ab'.")
    assert room(READER, "CLIENT GETREDIR") == ":-1"

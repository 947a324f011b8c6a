"""What is told of streams and their groups, and strings whose time ends at a millisecond.

Clauses: CM-93, CM-116, CM-118.
"""

import time
from typing import Any

import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.as_commands import restored
from reference.runtime.data.keyspace import Keyspace
from reference.wire.rdb_values import RdbStream, StreamId
from tests.runtime.room import Room


def ask(room: Room, line: str) -> Any:
    return execute(room.session(1), line.encode().split())


@pytest.mark.parametrize("rules", [REDIS_7_0, VALKEY_9_1])
def test_a_group_is_told_of_with_what_it_waits_for(rules: Rules) -> None:
    room = Room(rules)
    for line in ("XADD bar 1-1 f v", "XADD bar 2-1 f v", "XADD bar 3-1 f v",
                 "XGROUP CREATE bar g 0", "XREADGROUP GROUP g zoe COUNT 1 STREAMS bar >",
                 "XREADGROUP GROUP g amy STREAMS bar >"):  # fmt: skip
        ask(room, line)

    [group] = ask(room, "XINFO STREAM bar FULL COUNT 2")["groups"]

    assert (group["name"], group["pel-count"], group["lag"]) == (b"g", 3, 0)
    assert [each[:2] for each in group["pending"]] == [["1-1", b"zoe"], ["2-1", b"amy"]]
    assert [each[3] for each in group["pending"]] == [1, 1]
    amy, zoe = group["consumers"]
    assert (amy["name"], amy["pel-count"], zoe["pel-count"]) == (b"amy", 2, 1)
    assert [each[0] for each in amy["pending"]] == ["2-1", "3-1"]
    assert ("active-time" in amy) is (rules is VALKEY_9_1)


def test_all_is_told_of_if_it_is_asked_for() -> None:
    room = Room(REDIS_7_0)
    for number in range(1, 121):
        ask(room, f"XADD bar {number}-1 f v")

    assert len(ask(room, "XINFO STREAM bar FULL")["entries"]) == 10
    assert len(ask(room, "XINFO STREAM bar FULL COUNT 0")["entries"]) == 120
    assert ask(room, "XINFO STREAM bar")["radix-tree-keys"] == 2


def test_a_time_to_live_is_told_to_replicas_as_an_instant_at_the_millisecond() -> None:
    room, heard = Room(REDIS_7_0), list[Any]()
    ask(room, "SET bar v")
    room.service.keyspace.listener = heard.append

    assert ask(room, "GETEX bar PXAT 4102444800001") == b"v"

    [requests] = heard
    assert requests[-1] == [b"PEXPIREAT", b"bar", b"4102444800001"]
    before = time.time_ns() // 1_000_000
    ask(room, "GETEX bar EX 60")
    assert before <= ask(room, "PEXPIRETIME bar") - 60_000 <= time.time_ns() // 1_000_000


def test_ids_that_are_set_reach_who_follows_the_data() -> None:
    room = Room()
    told: list[list[bytes]] = []
    for line in ("XADD bar 1-1 f v", "XADD bar 2-1 f v"):
        ask(room, line)
    room.service.keyspace.listener = told.extend
    ask(room, "XSETID bar 9-0 ENTRIESADDED 7 MAXDELETEDID 3-1")
    other = Keyspace()

    for request in told:
        other.put(restored(request))

    assert other.entry(b"bar") == room.service.keyspace.entry(b"bar")
    entry = other.entry(b"bar")
    assert entry is not None
    assert isinstance(entry.value, RdbStream)
    assert (entry.value.last_id, entry.value.entries_added) == (StreamId(9, 0), 7)
    assert entry.value.max_deleted_id == StreamId(3, 1)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("XAUTOCLAIM bar g d 0 -", "*3 0-0 *1 *2 1-1 *2 f v *0"),
        ("XAUTOCLAIM bar g d 0 (0", "*3 0-0 *1 *2 1-1 *2 f v *0"),
        ("XAUTOCLAIM bar g d 0 (1-1", "*3 0-0 *0 *0"),
        ("XAUTOCLAIM bar g d 0 (1-18446744073709551615 JUSTID", "*3 0-0 *0 *0"),
        ("XAUTOCLAIM bar g d 0 + COUNT 1", "*3 0-0 *0 *0"),
        ("XAUTOCLAIM bar g d 0 - COUNT 0", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM bar g d 0 - FOO", "-ERR syntax error"),
        ("XAUTOCLAIM bar g d x -", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"),
        ("XAUTOCLAIM bar g d 0 x",
         "-ERR Invalid stream ID specified as stream command argument"),
        ("XAUTOCLAIM bar g d 0 (18446744073709551615-18446744073709551615",
         "-ERR invalid start ID for the interval"),
        ("XACK bar g 1-1 x", "-ERR Invalid stream ID specified as stream command argument"),
        ("XACK bar g 1-1", ":1"),
        ("XACK {bar}n g x", ":0"),
        ("XREAD STREAMS {bar}k 0",
         "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ],
)  # fmt: skip
def test_wrong_forms_are_answered_as_by_servers(line: str, reply: str) -> None:
    room = Room(VALKEY_9_1)
    for before in ("XADD bar 1-1 f v", "XGROUP CREATE bar g 0", "SET {bar}k v",
                   "XREADGROUP GROUP g c STREAMS bar >"):  # fmt: skip
        room(1, before)

    assert room(1, line) == reply


def test_who_waits_for_a_group_is_told_that_its_stream_is_gone() -> None:
    room = Room(VALKEY_9_1)
    room(1, "XGROUP CREATE bar g $ MKSTREAM")
    room(1, "XREADGROUP GROUP g c BLOCK 0 STREAMS bar >")

    room(2, "DEL bar")
    room(2, "XADD bar 1-1 f v")

    assert room.heard(1) == (
        "-NOGROUP No such key 'bar' or consumer group 'g' in XREADGROUP with GROUP option"
    )

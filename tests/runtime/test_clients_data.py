"""Data commands that the engine does not have, or has with a flaw.

Clauses: CM-3, CM-5, CM-18, CM-115, CM-117.
"""

import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from tests.runtime.room import Room


@pytest.fixture
def room() -> Room:
    return Room()


def test_touched_keys_are_counted(room: Room) -> None:
    room(1, "MSET {bar}1 a {bar}2 b")

    assert room(1, "TOUCH {bar}1 {bar}2 {bar}3 {bar}1") == ":3"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("SINTERCARD 2 {bar}1 {bar}2", ":2"),
        ("SINTERCARD 2 {bar}1 {bar}2 LIMIT 1", ":1"),
        ("SINTERCARD 2 {bar}1 {bar}2 LIMIT 0", ":2"),
        ("SINTERCARD 1 {bar}none", ":0"),
        ("SINTERCARD 1 bar", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SINTERCARD 1 {bar}1 LIMIT", "-ERR syntax error"),
        ("SINTERCARD 1 {bar}1 LIMIT -1", "-ERR LIMIT can't be negative"),
        ("ZRANDMEMBER {bar}none", "$-1"),
        ("ZRANDMEMBER {bar}none 2", "*0"),
        ("ZRANDMEMBER {bar}z", "m"),
        ("HRANDFIELD {bar}none 2", "*0"),
        ("HRANDFIELD {bar}none", "$-1"),
        ("ZRANDMEMBER {bar}z -1000001", "-ERR no more than 1000000 choices are made at once here"),
        ("ZMPOP 2 {bar}none {bar}z MIN", "*2 {bar}z *1 *2 m 1"),
        ("ZMPOP 1 {bar}none MIN", "*-1"),
        ("LMPOP 1 {bar}none LEFT", "*-1"),
    ],
)
def test_replies_are_those_of_the_servers(room: Room, line: str, reply: str) -> None:
    room(1, "SADD {bar}1 a b c")
    room(1, "SADD {bar}2 b c d")
    room(1, "SET bar 1")
    room(1, "ZADD {bar}z 1 m")

    assert room(1, line) == reply


@pytest.mark.parametrize(
    ("rules", "word"), [(REDIS_7_0, "Unbalanced XREAD list"), (VALKEY_9_1, "Unbalanced 'xread' li")]
)
def test_keys_without_ids_are_told_in_the_words_of_the_release(rules: Rules, word: str) -> None:
    assert word in Room(rules)(1, "XREAD BLOCK 0 STREAMS {bar}1 {bar}2 0")


@pytest.mark.parametrize(("protocol", "nothing"), [(2, "*-1"), (3, "_")])
def test_nothing_in_the_place_of_an_array_has_a_form_of_its_own(
    room: Room, protocol: int, nothing: str
) -> None:
    room(1, f"HELLO {protocol}")

    assert room(1, "XREAD STREAMS bar 0") == nothing


@pytest.mark.parametrize(
    ("size", "shown"),
    [("0", "0B"), ("1023", "1023B"), ("1kb", "1.00K"), ("100mb", "100.00M"), ("3gb", "3.00G")],
)
def test_information_tells_the_limit_of_memory(room: Room, size: str, shown: str) -> None:
    room(1, f"CONFIG SET maxmemory {size} maxmemory-policy allkeys-lru")

    lines = room(1, "INFO memory").split()

    assert f"maxmemory_human:{shown}" in lines
    assert "maxmemory_policy:allkeys-lru" in lines


@pytest.mark.parametrize(
    ("rules", "text"), [(REDIS_7_0, "Redis ver. 7.0.15"), (VALKEY_9_1, "Valkey ver. 9.1.2")]
)
def test_the_release_is_named(rules: Rules, text: str) -> None:
    assert Room(rules)(1, "LOLWUT").strip() == text
    assert Room(rules)(1, "LOLWUT VERSION 5 1 2").strip() == text

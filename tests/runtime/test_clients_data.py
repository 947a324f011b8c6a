"""Data commands that the engine does not have, or has with a flaw.

Clauses: CM-3, CM-5, CM-18, CM-93, CM-115, CM-117, CM-118, CM-119.
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


@pytest.mark.parametrize(
    ("rules", "line", "reply"),
    [
        (VALKEY_9_1, "BITCOUNT {bar}none a b", "-ERR value is not an integer or out of range"),
        (REDIS_7_0, "BITCOUNT {bar}none a b", ":0"),
        (REDIS_7_0, "BITPOS {bar}none 1 a b", ":-1"),
        (REDIS_7_0, "BITPOS {bar}none 2", "-ERR The bit argument must be 1 or 0."),
        (VALKEY_9_1, "BITPOS {bar}1 1 0 1 FOO", "-ERR syntax error"),
        (VALKEY_9_1, "BITPOS {bar}1 1 0 1 BIT x", "-ERR syntax error"),
        (VALKEY_9_1, "BITCOUNT {bar}1 0", ":4"),
        (VALKEY_9_1, "BITCOUNT {bar}1 0 -1", ":4"),
        (VALKEY_9_1, "EXPIRE {bar}none 1 FOO", "-ERR Unsupported option FOO"),
        (VALKEY_9_1, "PEXPIRE {bar}1 9223372036854775807",
         "-ERR invalid expire time in 'pexpire' command"),
        (VALKEY_9_1, "SET {bar}1 1 EX -1", "-ERR invalid expire time in 'set' command"),
        (VALKEY_9_1, "MSET {bar}1", "-ERR wrong number of arguments for 'mset' command"),
        (VALKEY_9_1, "LPOP {bar}1 1 2", "-ERR wrong number of arguments for 'lpop' command"),
        (VALKEY_9_1, "RPOP {bar}none 2", "*-1"),
        (VALKEY_9_1, "ZPOPMAX {bar}none 1 2", "-ERR syntax error"),
        (VALKEY_9_1, "LPOS {bar}none c RANK 0", ("-ERR RANK can't be zero: use 1 to start from the "
         "first match, 2 from the second ... or use negative to start from the end of the list")),
        (VALKEY_9_1, "LPOS {bar}none c RANK -9223372036854775808", ("-ERR value is out of range, "
         "value must between -9223372036854775807 and 9223372036854775807")),
        (REDIS_7_0, "LPOS {bar}none c RANK -9223372036854775808", "$-1"),
        (VALKEY_9_1, "ZMPOP 1 {bar}1 MIN",
         "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        (VALKEY_9_1, "LMPOP 1 {bar}1 LEFT FOO 1", "-ERR syntax error"),
        (VALKEY_9_1, "ZINTERCARD 1 {bar}none LIMIT -1", "-ERR LIMIT can't be negative"),
        (VALKEY_9_1, "ZRANGESTORE {bar}d {bar}none 0 1 WITHSCORES", "-ERR syntax error"),
        (VALKEY_9_1, "ZRANGE {bar}none 0 1 LIMIT 0 1", ("-ERR syntax error, LIMIT is only "
         "supported in combination with either BYSCORE or BYLEX")),
        (VALKEY_9_1, "ZRANGE {bar}none [a [b BYLEX WITHSCORES", ("-ERR syntax error, WITHSCORES "
         "not supported in combination with BYLEX")),
        (VALKEY_9_1, "ZRANGE {bar}none 0 1 BYLEX BYSCORE", "-ERR syntax error"),
        (VALKEY_9_1, "ZRANGE {bar}none 0 1 BYSCORE LIMIT 0 1", "*0"),
        (VALKEY_9_1, "SINTERCARD 2 {bar}1",
         "-ERR Number of keys can't be greater than number of args"),
        (VALKEY_9_1, "ZUNION 0 {bar}1", "-ERR at least 1 input key is needed for 'zunion' command"),
        (VALKEY_9_1, "ZUNION x {bar}1", "-ERR value is not an integer or out of range"),
        (VALKEY_9_1, "MSETEX x {bar}1 1", "-ERR invalid numkeys value or out of range"),
        (VALKEY_9_1, "XREAD COUNT 1", "-ERR wrong number of arguments for 'xread' command"),
        (VALKEY_9_1, "LCS {bar}2 {bar}3 IDX", "*4 matches *1 *2 *2 :1 :1 *2 :1 :1 len :1"),
        (VALKEY_9_1, "LCS {bar}2 {bar}3", "a"),
    ],
)  # fmt: skip
def test_wrong_forms_are_answered_as_by_servers(rules: Rules, line: str, reply: str) -> None:
    room = Room(rules)
    room(1, "MSET {bar}1 3 {bar}2 xay {bar}3 bac")

    assert room(1, line) == reply


@pytest.mark.parametrize(
    ("line", "reply", "then"),
    [
        ("SET {bar}1 b IFEQ a", "+OK", "b"),
        ("SET {bar}1 b IFEQ a GET EX 100", "a", "b"),
        ("SET {bar}1 b IFEQ x", "$-1", "a"),
        ("SET {bar}1 b IFEQ x GET", "a", "a"),
        ("SET {bar}1 b IFEQ a NX", "-ERR syntax error", "a"),
        ("SET {bar}1 b KEEPTTL IFEQ a EX 1", "-ERR syntax error", "a"),
        ("SET {bar}1 b IFEQ a KEEPTTL", "+OK", "b"),
        ("SET {bar}1 b IFEQ a EX 0", "-ERR invalid expire time in 'set' command", "a"),
        ("SET {bar}1 b EX IFEQ 1", "-ERR value is not an integer or out of range", "a"),
        ("DELIFEQ {bar}1 a", ":1", "$-1"),
        ("DELIFEQ {bar}1 b", ":0", "a"),
        ("MSETEX 2 {bar}1 b {bar}2 c", ":1", "b"),
        ("MSETEX 2 {bar}1 b {bar}2 c NX", ":0", "a"),
        ("MSETEX 2 {bar}1 b {bar}2 c XX", ":0", "a"),
        ("MSETEX 1 {bar}1 b XX KEEPTTL", ":1", "b"),
        ("MSETEX 1 {bar}1 b PXAT 1", ":1", "$-1"),
        ("MSETEX 1 {bar}1 b FOO", "-ERR syntax error", "a"),
        ("MSETEX 2 {bar}1 b", "-ERR syntax error", "a"),
        ("HGETDEL {bar}h FIELDS 1 f", "*1 v", "a"),
        ("HGETDEL {bar}h FIELDS 2 f", ("-ERR numfields should be greater than 0 and match the "
         "provided number of fields"), "a"),
        ("HGETDEL {bar}h FOO 1 f", "-ERR syntax error", "a"),
        ("HSCAN {bar}h 0 MATCH * NOVALUES", "*2 0 *1 f", "a"),
        ("ZSCAN {bar}z 0 NOSCORES", "*2 0 *1 m", "a"),
        ("SCAN 0 TYPE foo", "-ERR unknown type name 'foo'", "a"),
    ],
)  # fmt: skip
def test_what_later_releases_know(room: Room, line: str, reply: str, then: str) -> None:
    room(1, "SET {bar}1 a")
    room(1, "HSET {bar}h f v")
    room(1, "ZADD {bar}z 1 m")

    assert room(1, line) == reply
    assert room(1, "GET {bar}1") == then


def test_a_string_of_another_type_is_not_compared(room: Room) -> None:
    room(1, "ZADD {bar}z 1 m")
    error = "-WRONGTYPE Operation against a key holding the wrong kind of value"

    for line in ("SET {bar}z b IFEQ a", "DELIFEQ {bar}z a", "HGETDEL {bar}z FIELDS 1 a"):
        assert room(1, line) == error


@pytest.mark.parametrize("line", ["DELIFEQ bar a", "MSETEX 1 bar a", "HGETDEL bar FIELDS 1 a"])
def test_what_redis_does_not_have(line: str) -> None:
    assert Room(REDIS_7_0)(1, line).startswith("-ERR unknown command")


def test_redis_7_knows_no_later_options() -> None:
    room = Room(REDIS_7_0)
    room(1, "HSET {bar}h f v")

    assert room(1, "SET bar a IFEQ b") == "-ERR syntax error"
    assert room(1, "HSCAN {bar}h 0 NOVALUES") == "-ERR syntax error"
    assert room(1, "HSCAN {bar}n 0 NOVALUES") == "*2 0 *0"
    assert room(1, "SCAN 0 TYPE foo") == "*2 0 *0"


@pytest.mark.parametrize(
    ("line", "least", "most"),
    [("PSETEX bar 100500 v", 99_500, 100_500), ("SETEX bar 100 v", 99_000, 100_000)],
)
def test_strings_are_kept_to_the_millisecond(
    room: Room, line: str, least: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_800_000_000.75  # far from a whole second
    monkeypatch.setattr("time.time", lambda: now)
    monkeypatch.setattr("time.time_ns", lambda: int(now * 1e9))

    assert room(1, line) == "+OK"
    left_ms = int(room(1, "PTTL bar").removeprefix(":"))

    assert least < left_ms <= most
    assert left_ms == most
    assert room(1, "GET bar") == "v"
    for wrong in ("PSETEX bar 0 v", "SETEX bar -1 v", "SETEX bar 9223372036854775 v"):
        name = wrong.split()[0].lower()
        assert room(1, wrong) == f"-ERR invalid expire time in '{name}' command"
    assert room(1, "SETEX bar x v") == "-ERR value is not an integer or out of range"

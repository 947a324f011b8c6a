"""SHUTDOWN SAFE: a master that votes stays.

Clauses: CM-90.
"""

import pytest

from reference.core.rules import REDIS_7_0
from tests.runtime.room import Room


@pytest.mark.parametrize("line", ["SHUTDOWN SAFE", "SHUTDOWN SAFE NOW"])
def test_a_voter_does_not_end_where_that_is_not_safe(line: str) -> None:
    room = Room()

    assert room(1, line) == "-ERR Errors trying to SHUTDOWN. Check logs."
    assert not room.node.ended


def test_a_voter_ends_if_it_is_forced() -> None:
    room = Room()

    assert room(1, "SHUTDOWN SAFE FORCE") == ""
    assert room.node.ended


def test_a_replica_ends_safely() -> None:
    room = Room(replica=True)

    assert room(1, "SHUTDOWN SAFE") == ""
    assert room.node.ended


@pytest.mark.parametrize("word", ["SAFE", "FAILOVER"])
def test_redis_knows_neither_word(word: str) -> None:
    assert Room(REDIS_7_0)(1, f"SHUTDOWN {word}") == "-ERR syntax error"

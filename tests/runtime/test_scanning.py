"""Scans that go on while others scan, add and remove.

Clauses: CM-121.
"""

import zlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from reference.core.rules import VALKEY_9_1
from reference.runtime.data.scanning import Scans
from tests.runtime.room import Room

NAMES = [b"%d" % number for number in range(40)]
MANY = [b"%d" % number for number in range(200)]
WITH_ONE_CHECKSUM = (b"plumless", b"buckeroo")
"""Two words that CRC-32 does not tell apart."""


class Client:
    """Who scans a collection step by step."""

    def __init__(self, scans: Scans, names: set[bytes]) -> None:
        self._scans, self._names = scans, names
        self.told: list[bytes] = []
        self.stayed = set(names)
        self._cursor = 0
        self.over = False

    def go_on(self, count: int) -> None:
        """It is told the next ones, if there are any."""
        if not self.over:
            self._cursor, more = self._scans.batch(None, self._names, self._cursor, count)
            self.told += more
            self.over = self._cursor == 0


class Story:
    """A collection, its clients, and what happens to both."""

    def __init__(self, there: set[bytes]) -> None:
        self._there = there
        self._scans = Scans()
        self.clients: list[Client] = []

    def begin(self, number: int) -> None:
        """One more client scans."""
        self.clients.append(Client(self._scans, self._there))
        self.clients[-1].go_on(1 + number % 7)

    def scan(self, number: int) -> None:
        """One of them goes on."""
        for client in self.clients[number % 3 :: 3]:
            client.go_on(1 + number % 5)

    def others(self, number: int) -> None:
        """Other collections are scanned: so many that the order of this one may be forgotten."""
        for each in range(number):
            self._scans.batch(b"%d" % each, MANY, 0, 1)

    def add(self, number: int) -> None:
        """A name comes."""
        self._there.add(NAMES[number])

    def remove(self, number: int) -> None:
        """A name goes."""
        self._there.discard(NAMES[number])
        for client in self.clients:
            client.stayed.discard(NAMES[number])


STEPS = st.sampled_from([Story.begin, Story.scan, Story.others, Story.add, Story.remove])


@given(
    st.sets(st.sampled_from(NAMES), min_size=15),
    st.lists(st.tuples(STEPS, st.integers(0, 39)), min_size=15),
)
def test_each_scan_tells_once_what_stays_whatever_happens(
    there: set[bytes], steps: list[tuple[Callable[[Story, int], None], int]]
) -> None:
    story = Story(there)
    for step, number in steps:
        step(story, number)
    for client in story.clients:
        while not client.over:
            client.go_on(3)
        assert len(client.told) == len(set(client.told))
        assert client.stayed <= set(client.told)


def test_names_with_one_checksum_are_told_at_once() -> None:
    assert zlib.crc32(WITH_ONE_CHECKSUM[0]) == zlib.crc32(WITH_ONE_CHECKSUM[1])
    names = {*WITH_ONE_CHECKSUM, *NAMES}
    scans, cursor, sizes, told = Scans(), 0, set(), list[bytes]()
    while True:
        cursor, more = scans.batch(None, names, cursor, 1)
        sizes.add(len(more))
        told += more
        if cursor == 0:
            break
    assert sizes == {1, 2}
    assert sorted(told) == sorted(names)


def test_clients_who_scan_at_the_same_time_do_not_disturb_each_other() -> None:
    room = Room(VALKEY_9_1)
    for number in range(20):
        room(1, f"SET {{b}}{number:02} 1")
    first = room(1, "SCAN 0 COUNT 10").split()
    for number in range(10):
        room(1, f"SET {{b}}!{number:02} 1")
    room(2, "SCAN 0 COUNT 10")  # others, to the same number of names
    told = first[3:]
    cursor = first[1].removeprefix("$")
    while cursor != "0":
        reply = room(1, f"SCAN {cursor} COUNT 10").split()
        cursor, told = reply[1].removeprefix("$"), told + reply[3:]
    stayed = {f"{{b}}{number:02}" for number in range(20)}
    assert stayed <= {word.removeprefix("$") for word in told}
    assert len(told) == len(set(told))


def test_a_small_collection_is_told_at_once_and_a_larger_one_is_not() -> None:
    room = Room(VALKEY_9_1)
    room(1, "ZADD {b}z 2 a 1 b")
    assert room(1, "ZSCAN {b}z 0 COUNT 1") == "*2 0 *4 b 1 a 2"
    room(1, f"SADD {{b}}s {' '.join(f'{number}' for number in range(129))}")
    assert room(1, "SSCAN {b}s 0 COUNT 3").split()[2] == "*3"


def test_names_that_are_told_fit_what_is_asked_for() -> None:
    room = Room(VALKEY_9_1)
    room(1, "SET {b}one 1")
    room(1, "SADD {b}two x y")
    assert room(1, "SCAN 0 TYPE SET") == "*2 0 *1 {b}two"
    assert room(1, "SCAN 0 TYPE string MATCH *o*") == "*2 0 *1 {b}one"
    assert room(1, "SSCAN {b}two 0 MATCH x COUNT 5") == "*2 0 *1 x"
    assert room(1, "SCAN 0 COUNT 0") == "-ERR syntax error"
    assert room(1, "SCAN 0 COUNT x") == "-ERR value is not an integer or out of range"

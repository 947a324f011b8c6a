"""MULTI, EXEC, DISCARD, WATCH and UNWATCH.

Clauses: CM-42, CM-43, CM-10.
"""

from collections.abc import Callable, Iterator

import attrs
import pytest

from reference.core.open_slots import open_slots
from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.runtime.clients.session import Session
from reference.runtime.commands.dispatch import execute, writes
from reference.runtime.debugging import Debugging
from reference.runtime.replies import NULL_ARRAY
from reference.wire.resp import OK
from tests.runtime.node_double import MASTERS, REPLICA, Client, NodeDouble, three_masters
from tests.runtime.room import Room
from tests.support import wait_until

ABORT = "EXECABORT Transaction discarded because of previous errors."
CROSSING = "CROSSSLOT Keys in request don't hash to the same slot"
A, B, C = MASTERS


@pytest.fixture(params=[REDIS_7_0, VALKEY_9_1], ids=lambda rules: rules.dialect)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    client = Client(NodeDouble(three_masters(rules=request.param)))
    yield client
    client.keyspace.close()


@pytest.fixture
def other(client: Client) -> Session:
    return Session(service=client.session.service, client_id=8)


def _ask(session: Session, line: str) -> object:
    return execute(session, line.encode().split())


def test_commands_wait_for_exec_and_are_answered_together(client: Client) -> None:
    replies = [client(line) for line in ("MULTI", "SET bar 1", "GET bar", "CLUSTER MYID")]

    assert replies == ["OK", "QUEUED", "QUEUED", "QUEUED"]
    assert client("EXEC") == [OK, b"1", A]
    assert client("EXEC") == "ERR EXEC without MULTI"


def test_discard_forgets_what_was_queued(client: Client) -> None:
    for line in ("MULTI", "SET bar 1"):
        client(line)

    assert client("DISCARD") == "OK"

    assert client("GET bar") is None
    assert client("DISCARD") == "ERR DISCARD without MULTI"


@pytest.mark.parametrize(
    "bad", ["FOO", "GET", "GET foo", "MGET foo bar", "CLUSTER FOO", "ZUNION 9 bar"]
)
def test_one_refused_command_spoils_the_transaction(client: Client, bad: str) -> None:
    client("MULTI")
    client("SET bar 1")
    assert client(bad) != "QUEUED"

    assert client("EXEC") == ABORT

    assert client("GET bar") is None


def test_errors_while_it_runs_stand_in_their_place(client: Client) -> None:
    for line in ("MULTI", "SET bar x", "INCR bar", "GET bar"):
        client(line)

    first, second, third = client("EXEC")

    assert (first.text, third) == ("OK", b"x")
    assert second.text.startswith("ERR value is not an integer")


def test_a_transaction_belongs_to_one_slot(client: Client) -> None:
    for line in ("MULTI", "SET bar 1", "SET hello 1"):
        assert client(line) in ("OK", "QUEUED")

    assert client("EXEC") == CROSSING

    assert client("DISCARD") == "ERR DISCARD without MULTI"
    assert client("GET bar") is None


def test_a_transaction_follows_its_slot(client: Client) -> None:
    for line in ("MULTI", "SET bar 1"):
        client(line)
    client.node.state = attrs.evolve(client.node.state, migrating_slots_to=open_slots([(5061, B)]))

    assert client("EXEC") == "ASK 5061 127.0.0.1:7001"


@pytest.mark.parametrize(
    ("rules", "queued", "executed"),
    [
        (REDIS_7_0, "ASK 5061 127.0.0.1:7001", ABORT),
        (VALKEY_9_1, "QUEUED", "ASK 5061 127.0.0.1:7001"),
    ],
)
def test_keys_are_looked_for_when_queued_or_by_exec(
    rules: Rules, queued: str, executed: str
) -> None:
    state = attrs.evolve(three_masters(rules=rules), migrating_slots_to=open_slots([(5061, B)]))
    client = Client(NodeDouble(state))
    client("MULTI")

    assert client("GET bar") == queued
    assert client("EXEC") == executed
    client.keyspace.close()


@pytest.mark.parametrize(("rules", "told"), [(REDIS_7_0, CROSSING), (VALKEY_9_1, ABORT)])
def test_a_mistake_may_end_the_routing_of_a_transaction(rules: Rules, told: str) -> None:
    client = Client(NodeDouble(three_masters(rules=rules)))
    for line in ("MULTI", "SET bar 1", "SET hello 1", "FOO"):
        client(line)

    assert client("EXEC") == told
    client.keyspace.close()


def test_what_follows_a_mistake_does_not_route_the_transaction(client: Client) -> None:
    for line in ("MULTI", "FOO", "SET bar 1", "SET hello 1"):
        client(line)

    assert client("EXEC") == ABORT


def test_a_changed_key_stops_who_watches_it(client: Client, other: Session) -> None:
    client("WATCH bar {bar}1")
    _ask(other, "SET {bar}1 2")
    for line in ("MULTI", "SET bar 1"):
        client(line)

    assert client("EXEC") == NULL_ARRAY

    assert client("GET bar") is None
    client("MULTI")
    client("SET bar 1")
    assert len(client("EXEC")) == 1


@pytest.mark.parametrize("end", ["UNWATCH", "DISCARD"])
def test_keys_are_watched_until_the_end(client: Client, other: Session, end: str) -> None:
    client("WATCH bar")
    if end == "DISCARD":
        client("MULTI")
    assert client(end) == "OK"
    _ask(other, "SET bar 2")
    for line in ("MULTI", "GET bar"):
        client(line)

    assert client("EXEC") == [b"2"]


def test_a_key_that_expires_counts_as_changed(client: Client) -> None:
    client("SET bar 1 PX 20")
    client("WATCH bar")
    wait_until(lambda: b"bar" not in client.keyspace.database(), 5, every=0.005)
    for line in ("MULTI", "PING"):
        client(line)

    assert client("EXEC") == NULL_ARRAY


def test_watching_is_routed_too(client: Client) -> None:
    assert client("WATCH foo") == "MOVED 12182 127.0.0.1:7002"


@pytest.mark.parametrize("command", ["MULTI", "WATCH bar"])
def test_some_commands_have_no_place_inside(command: str) -> None:
    name = command.split(maxsplit=1)[0]
    old = Client(NodeDouble(three_masters()))
    new = Client(NodeDouble(three_masters(rules=VALKEY_9_1)))
    texts = {
        "MULTI": "ERR MULTI calls can not be nested",
        "WATCH": "ERR WATCH inside MULTI is not allowed",
    }
    for client in (old, new):
        client("MULTI")

    assert old(command) == texts[name]
    assert new(command) == f"ERR Command '{name.lower()}' not allowed inside a transaction"

    assert old("EXEC") == []
    assert new("EXEC") == ABORT
    for client in (old, new):
        client.keyspace.close()


def test_a_replica_reads_in_transactions_after_readonly() -> None:
    client = Client(NodeDouble(three_masters(REPLICA)))
    client("READONLY")
    client("MULTI")

    assert client("GET bar") == "QUEUED"
    assert client("EXEC") == [None]
    client("MULTI")
    assert client("SET bar 1") == "MOVED 5061 127.0.0.1:7000"
    assert client("EXEC") == ABORT
    client.keyspace.close()


def test_exec_writes_if_what_is_queued_does(client: Client) -> None:
    assert writes(client.session, [b"SET", b"a", b"1"])
    assert not writes(client.session, [b"GET", b"a"])
    assert not writes(client.session, [b"FOO"])
    client("MULTI")
    assert not writes(client.session, [b"EXEC"])
    client("SET bar 1")
    assert writes(client.session, [b"EXEC"])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_answered_later_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    room = Room()
    wakings: list[Callable[[], None]] = []
    monkeypatch.setattr(Debugging, "sleep", lambda _, __, then: wakings.append(then))
    room.node.options = attrs.evolve(room.node.options, kept={"enable-debug-command": "yes"})
    lines = ["ECHO a", "ECHO b", "ECHO c"]
    lines[place] = "DEBUG SLEEP 9"
    for line in ("MULTI", *lines, "EXEC"):
        room(1, line)
    assert room.session(1).held
    room.heard(1)

    wakings.pop()()

    expected = [line[-1] for line in lines]
    expected[place] = "+OK"
    assert room.heard(1).split() == ["*3", *expected]
    assert not room.session(1).held

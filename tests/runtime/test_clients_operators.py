"""What operators may do to a node, and how it answers them.

Clauses: CM-8, CM-9, CM-40, CM-45, CM-46, CM-47, CM-48, CM-49, CM-51, CM-52,
CM-D1, RT-23, SM-23.
"""

from collections.abc import Iterator

import attrs
import pytest

from reference.core.events import ClusterFailover, ClusterReset, FailoverOption
from reference.core.migration_jobs import MigrationStage
from reference.core.open_slots import open_slots
from reference.core.rules import DIALECTS, REDIS_7_0, REDIS_8_0, VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.types import NodeId
from reference.runtime.clients.view import RELEASES
from reference.wire.announced import Announced
from tests.runtime.node_double import MASTERS, REPLICA, Client, NodeDouble, alone, three_masters
from tests.slot_migrations import job, with_jobs

A, B, C = MASTERS
BAR, HELLO, FOO = 5061, 866, 12182
OF_B = "bee1"  # in a slot of that master


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    made: list[Client] = []
    yield made
    for client in made:
        client.keyspace.close()


def _client(clients: list[Client], rules: Rules = VALKEY_9_1, me: NodeId = A) -> Client:
    clients.append(Client(NodeDouble(three_masters(me, rules=rules))))
    return clients[-1]


@pytest.mark.parametrize(
    ("dialect", "missing", "replicate"),
    [
        ("redis-7.0", {"myshardid", "slot-stats", "flushslot"}, 3),
        ("redis-8.0", {"slot-stats", "flushslot"}, 3),
        ("valkey-8.1", {"flushslot"}, 3),
        ("valkey-9.1", set(), -3),
    ],
)
def test_each_dialect_has_its_own_subcommands(
    clients: list[Client], dialect: str, missing: set[str], replicate: int
) -> None:
    client = _client(clients, DIALECTS[dialect])
    table = RELEASES[dialect].table

    absent = {
        name for name in ("myshardid", "slot-stats", "flushslot")
        if client(f"CLUSTER {name}") == f"ERR unknown subcommand '{name}'. Try CLUSTER HELP."
    }  # fmt: skip

    assert absent == missing
    assert table.subcommands["cluster|replicate"].arity == replicate
    told = {line.text.split()[0].lower() for line in client("CLUSTER HELP")[1::2]}
    assert told == {name.split("|")[1] for name in table.subcommands if "cluster|" in name} - {
        "slaves",
        "syncslots",
    }


# Redis 7.0.15 and Valkey 9.1.2 were seen to answer so.
@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("CLUSTER ADDSLOTS 5461 5", "ERR Slot 5461 is already busy"),
        ("CLUSTER ADDSLOTS x 5461", "ERR Invalid or out of range slot"),
        ("CLUSTER DELSLOTS 5 5", "ERR Slot 5 specified multiple times"),
        ("CLUSTER DELSLOTSRANGE 5 6 7", "ERR wrong number of arguments for 'cluster|delslotsrange' command"),  # noqa: E501
        ("CLUSTER DELSLOTSRANGE 6 5", "ERR start slot number 6 is greater than end slot number 5"),
        ("CLUSTER SETSLOT x STABLE", "ERR Invalid or out of range slot"),
        ("CLUSTER SETSLOT 5 NODE", "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"),  # noqa: E501
        ("CLUSTER SETSLOT 5 MIGRATING x", "ERR I don't know about node x"),
        ("CLUSTER SETSLOT 5 IMPORTING x", "ERR I'm already the owner of hash slot 5"),
        ("CLUSTER SETSLOT 5 NODE x", "ERR Unknown node x"),
        ("CLUSTER RESET x", "ERR syntax error"),
        ("CLUSTER RESET soft x", "ERR unknown subcommand or wrong number of arguments for 'RESET'. Try CLUSTER HELP."),  # noqa: E501
        ("CLUSTER FAILOVER x", "ERR syntax error"),
        ("CLUSTER FAILOVER FORCE", "ERR You should send CLUSTER FAILOVER to a replica"),
        ("CLUSTER FORGET x", "ERR Unknown node x"),
        ("CLUSTER COUNT-FAILURE-REPORTS x", "ERR Unknown node x"),
        ("CLUSTER BUMPEPOCH", "BUMPED 4"),
        ("CLUSTER SAVECONFIG", "OK"),
        ("CLUSTER SET-CONFIG-EPOCH -1", "ERR Invalid config epoch specified: -1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rules", [REDIS_7_0, VALKEY_9_1])
def test_operators_get_the_texts_of_the_servers(
    clients: list[Client], rules: Rules, line: str, reply: str
) -> None:
    assert _client(clients, rules)(line) == reply


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        ("SETSLOT 5 STABLE x", "Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP", None),  # noqa: E501
        ("SETSLOT 5 STABLE TIMEOUT", "Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP", "Missing timeout value"),  # noqa: E501
        ("MEET 127.0.0.1 0", "Invalid node address specified: 127.0.0.1:0", "Port number is out of range"),  # noqa: E501
        ("MEET 127.0.0.1 60000", "Invalid node address specified: 127.0.0.1:60000", "Cluster bus port number is out of range"),  # noqa: E501
        ("FAILOVER x y", "unknown subcommand or wrong number of arguments for 'FAILOVER'. Try CLUSTER HELP.", "syntax error"),  # noqa: E501
        ("REPLICATE NO TWO", "wrong number of arguments for 'cluster|replicate' command", "unknown subcommand or wrong number of arguments for 'REPLICATE'. Try CLUSTER HELP."),  # noqa: E501
    ],
)  # fmt: skip
def test_releases_differ_in_what_they_judge_first(
    clients: list[Client], line: str, old: str, new: str | None
) -> None:
    assert _client(clients, REDIS_7_0)(f"CLUSTER {line}") == f"ERR {old}"
    assert _client(clients)(f"CLUSTER {line}") == ("OK" if new is None else f"ERR {new}")


def test_mistakes_in_the_command_come_before_those_in_its_options(clients: list[Client]) -> None:
    client = _client(clients)

    assert client("CLUSTER SETSLOT 5 NODE x TIMEOUT y") == "ERR Unknown node x"
    assert client("CLUSTER SETSLOT 5 STABLE TIMEOUT -1") == "ERR timeout is negative"
    bad = "ERR timeout is not an integer or out of range"
    assert client("CLUSTER SETSLOT 5 STABLE TIMEOUT x") == bad
    assert client("CLUSTER SETSLOT 5 STABLE x TIMEOUT 5") == "OK"


def test_a_replica_does_not_look_at_setslot_at_all(clients: list[Client]) -> None:
    reply = _client(clients, me=REPLICA)("CLUSTER SETSLOT x")

    assert reply == "ERR wrong number of arguments for 'cluster|setslot' command"
    only_masters = "ERR Please use SETSLOT only with masters."
    assert clients[-1]("CLUSTER SETSLOT x STABLE") == only_masters


@pytest.mark.parametrize("rules", [REDIS_7_0, VALKEY_9_1])
def test_a_slot_on_its_way_is_shown_and_its_clients_are_sent_after_it(
    clients: list[Client], rules: Rules
) -> None:
    client = _client(clients, rules)
    client("SET {bar}1 x")

    assert client(f"CLUSTER SETSLOT {BAR} MIGRATING {B}") == "OK"

    assert f"[{BAR}->-{B}]" in client("CLUSTER NODES")
    assert client("GET {bar}1") == b"x"
    assert client("GET {bar}2") == f"ASK {BAR} 127.0.0.1:7001"
    assert client("MGET {bar}1 {bar}2").startswith("TRYAGAIN ")
    holds = "ERR Can't assign hashslot 5061 to a different node while I still hold keys"
    assert client(f"CLUSTER SETSLOT {BAR} NODE {B}").startswith(holds)
    client("DEL {bar}1")
    assert client(f"CLUSTER SETSLOT {BAR} NODE {B}") == "OK"
    assert client("GET {bar}1") == f"MOVED {BAR} 127.0.0.1:7001"
    assert "->-" not in client("CLUSTER NODES")


def test_who_asks_may_reach_a_slot_that_is_received_once(clients: list[Client]) -> None:
    client = _client(clients)
    client.node.state = attrs.evolve(client.node.state, importing_slots_from=open_slots([(FOO, C)]))
    moved = f"MOVED {FOO} 127.0.0.1:7002"

    replies = [client(line) for line in ("ASKING", "SET {foo}1 x", "GET {foo}1", "PING")]

    assert replies == ["OK", "OK", moved, "PONG"]
    client("ASKING")
    assert client("FOO").startswith("ERR unknown command")
    assert client("GET {foo}1") == moved
    client("ASKING")
    assert client("MGET {foo}1 {foo}2").startswith("TRYAGAIN ")
    for line in ("ASKING", "MULTI"):
        client(line)
    assert [client("GET {foo}1"), client("GET {foo}1")] == ["QUEUED", "QUEUED"]
    assert client("EXEC") == [b"x", b"x"]
    assert client("GET {foo}1") == moved


def test_reset_gives_new_names_only_where_it_is_hard(clients: list[Client]) -> None:
    client = _client(clients)

    client("CLUSTER RESET")
    client("CLUSTER RESET hard")

    soft, hard = client.node.commands
    assert isinstance(soft, ClusterReset)
    assert isinstance(hard, ClusterReset)
    assert (soft.new_id, hard.new_id) == (None, NodeId("e" * 40))
    assert client("CLUSTER MYID") == "e" * 40
    assert client("CLUSTER MYSHARDID") == "6" * 40


def test_reset_looks_for_keys(clients: list[Client]) -> None:
    client = _client(clients)
    client("SET bar 1")

    refused = "ERR CLUSTER RESET can't be called with master nodes containing keys"
    assert client("CLUSTER RESET") == refused
    assert client("CLUSTER FLUSHSLOTS") == "ERR DB must be empty to perform CLUSTER FLUSHSLOTS."


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("", FailoverOption.PLAIN),
        (" force", FailoverOption.FORCE),
        (" TAKEOVER", FailoverOption.TAKEOVER),
        (" takeover force", FailoverOption.TAKEOVER),
    ],
)
def test_failover_says_what_is_left_out_and_whether_there_is_a_link(
    clients: list[Client], words: str, option: FailoverOption
) -> None:
    client = _client(clients, me=REPLICA)

    assert client(f"CLUSTER FAILOVER{words}") == "OK"

    assert client.node.commands == [ClusterFailover(option=option, master_link_up=True)]


def test_a_replica_may_be_detached(clients: list[Client]) -> None:
    client = _client(clients, me=REPLICA)

    assert client("CLUSTER REPLICATE no one") == "OK"

    assert client.node.state.myself.is_master
    assert client("CLUSTER MYSHARDID") == "6" * 40


def test_the_keys_of_one_slot_are_deleted(clients: list[Client]) -> None:
    client = _client(clients)
    for key in ("bar", "{bar}1", "hello"):
        client(f"SET {key} 1")

    assert client(f"CLUSTER FLUSHSLOT {BAR} SYNC") == "OK"

    assert client(f"CLUSTER COUNTKEYSINSLOT {BAR}") == 0
    assert client("GET hello") == b"1"
    assert client("CLUSTER FLUSHSLOT 1 x") == "ERR syntax error"
    assert client("CLUSTER FLUSHSLOT 1 sync x").startswith("ERR unknown subcommand or wrong")


def test_slots_are_counted_by_their_keys(clients: list[Client]) -> None:
    client = _client(clients, VALKEY_8_1)
    for key in ("bar", "{bar}1", "hello"):
        client(f"SET {key} 1")

    best = client("CLUSTER SLOT-STATS ORDERBY key-count LIMIT 2")
    worst = client("CLUSTER SLOT-STATS ORDERBY KEY-COUNT ASC limit 1")
    some = client("CLUSTER SLOT-STATS SLOTSRANGE 5060 5461")

    assert best == [[BAR, {"key-count": 2}], [HELLO, {"key-count": 1}]]
    assert worst == [[0, {"key-count": 0}]]
    assert [slot for slot, _ in some] == list(range(5060, 5461))
    assert some[1] == [BAR, {"key-count": 2}]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("SLOTSRANGE 5 1", "ERR Start slot number 5 is greater than end slot number 1"),
        ("ORDERBY x", "ERR Unrecognized sort metric for ORDERBY."),
        ("ORDERBY KEY-COUNT LIMIT", "ERR syntax error"),
        ("ORDERBY KEY-COUNT ASC DESC", "ERR Multiple filters of the same type are disallowed."),
        (
            "ORDERBY KEY-COUNT LIMIT 0",
            "ERR Limit has to lie in between 1 and 16384 (maximum number of slots).",
        ),
    ],
)
def test_questions_about_slots_are_judged(clients: list[Client], words: str, error: str) -> None:
    assert _client(clients)(f"CLUSTER SLOT-STATS {words}") == error


def test_failure_reports_are_counted(clients: list[Client]) -> None:
    client = _client(clients)
    entry = client.node.state.nodes[B]
    reporters = frozenset({A, C})
    client.node.state = client.node.state.put(attrs.evolve(entry, fail_reports=reporters))

    assert client(f"CLUSTER COUNT-FAILURE-REPORTS {B}") == 2
    assert client(f"CLUSTER COUNT-FAILURE-REPORTS {C}") == 0


def test_links_are_told_both_ways(clients: list[Client]) -> None:
    to, back = _client(clients)("CLUSTER LINKS")

    assert (to["direction"], to["node"], to["events"]) == ("to", REPLICA, "r")
    assert (back["direction"], back["events"], back["send-buffer-used"]) == ("from", "rw", 9)


SAID = Announced(
    hostname="b.example",
    client_ipv4="10.1.1.1",
    client_port=99,
    availability_zone="z1",
    human_nodename="bee",
)


# Valkey 9.1.2 was seen to tell its clients so.
@pytest.mark.parametrize(
    ("kind", "endpoint", "moved", "more"),
    [
        ("ip", "10.1.1.1", "10.1.1.1:99", {"hostname": "b.example"}),
        ("hostname", "b.example", "b.example:99", {"ip": "10.1.1.1"}),
        ("unknown-endpoint", None, ":99", {"ip": "10.1.1.1", "hostname": "b.example"}),
    ],
)
def test_clients_are_told_what_a_node_announces_for_them(
    clients: list[Client], kind: str, endpoint: str | None, moved: str, more: dict[str, str]
) -> None:
    client = _client(clients)
    client.node.said[B] = SAID
    assert client(f"CONFIG SET cluster-preferred-endpoint-type {kind}") == "OK"

    second = client("CLUSTER SLOTS")[1]

    assert second[2] == [endpoint, 99, B, more | {"availability-zone": "z1"}]
    assert client(f"GET {OF_B}") == f"MOVED 5772 {moved}"
    assert client("GET {x}1") == f"MOVED 16287 {_elsewhere(kind)}:7002"
    line = next(row for row in client("CLUSTER NODES").splitlines() if row.startswith(B))
    assert line.split()[1] == "10.1.1.1:99@17001,b.example"
    member = next(
        node for shard in client("CLUSTER SHARDS") for node in shard["nodes"] if node["id"] == B
    )
    assert (member["port"], member["ip"], member["endpoint"]) == (99, "10.1.1.1", endpoint or "")
    assert (member["hostname"], member["availability-zone"]) == ("b.example", "z1")


@pytest.mark.parametrize(("reached", "ip"), [("127.0.0.1", "10.1.1.1"), ("::1", "cafe::1")])
def test_nodes_are_told_with_the_address_of_the_clients_own_kind(
    clients: list[Client], reached: str, ip: str
) -> None:
    client = _client(clients)
    client.session.local_ip = reached
    client.node.said[B] = attrs.evolve(SAID, client_ipv6="cafe::1", hostname="")

    line = next(row for row in client("CLUSTER NODES").splitlines() if row.startswith(B))
    moved = client(f"GET {OF_B}")

    assert line.split()[1] == f"{ip}:99@17001"
    assert moved == f"MOVED 5772 {ip}:99"


def _elsewhere(kind: str) -> str:
    return {"ip": "127.0.0.1", "hostname": "?", "unknown-endpoint": ""}[kind]


@pytest.mark.parametrize("rules", [REDIS_8_0, VALKEY_8_1, VALKEY_9_1])
def test_a_shard_is_shown_without_its_master_too(clients: list[Client], rules: Rules) -> None:
    client = _client(clients, rules, me=B)
    state = client.node.state
    client.node.state = attrs.evolve(state, nodes=state.nodes.remove(A))

    shards = client("CLUSTER SHARDS")

    alone_there = [shard for shard in shards if [n["id"] for n in shard["nodes"]] == [REPLICA]]
    assert [shard["slots"] for shard in alone_there] == [[]]
    assert ("id" in alone_there[0]) is (rules is not REDIS_8_0)


@pytest.mark.parametrize(
    ("rules", "shown"), [(REDIS_7_0, []), (REDIS_8_0, []), (VALKEY_9_1, [3, 4])]
)
def test_slots_of_a_replica_are_shown_by_some(
    clients: list[Client], rules: Rules, shown: list[int]
) -> None:
    client = _client(clients, rules, me=REPLICA)
    nodes = client.node.state.nodes
    for node_id, slots in ((A, NO_SLOTS), (REPLICA, SlotSet.of([3, 4]))):
        nodes = nodes.put(attrs.evolve(nodes[node_id], slots=slots))
    client.node.state = attrs.evolve(client.node.state, nodes=nodes)

    [shard] = [each for each in client("CLUSTER SHARDS") if len(each["nodes"]) == 2]

    assert shard["slots"] == shown


def test_a_node_alone_flushes_its_slots(clients: list[Client]) -> None:
    clients.append(Client(NodeDouble(alone())))
    client = clients[-1]
    client("CLUSTER ADDSLOTSRANGE 0 9")
    assert client.node.state.myself.slots == SlotSet.between(0, 9)

    assert client("CLUSTER DELSLOTS 3 4") == "OK"
    assert client("CLUSTER DELSLOTS 4 9") == "ERR Slot 4 is already unassigned"
    assert client("CLUSTER DELSLOTSRANGE 5 9") == "OK"
    assert client("CLUSTER FLUSHSLOTS") == "OK"

    assert client.node.state.myself.slots == NO_SLOTS


@pytest.mark.parametrize("words", ["x STABLE", "5 FOO", f"5 MIGRATING {B}", f"5 IMPORTING {B}"])
@pytest.mark.parametrize(
    ("stage", "error"),
    [
        (MigrationStage.CONNECTING, "ERR Slot export in progress."),
        (MigrationStage.RECEIVING_SNAPSHOT, "ERR Slot import in progress."),
    ],
)
def test_no_slot_is_set_by_hand_while_one_moves_by_itself(
    clients: list[Client], words: str, stage: MigrationStage, error: str
) -> None:
    client = _client(clients)
    client.node.change(with_jobs(client.node.state, job(stage)))

    assert client(f"CLUSTER SETSLOT {words}") == error

"""What a node answers to the commands of clients and operators.

Clauses: CM-1, CM-2, CM-6, CM-7, CM-8, CM-9, CM-11, CM-12, CM-13, CM-14, CM-15, CM-16, CM-17, CM-18,
CM-19, CM-20, CM-21, CM-22, CM-23, RD-8.
"""

from collections.abc import Iterator

import attrs
import pytest

from reference.core.rules import VALKEY_9_1
from reference.core.slots import NO_SLOTS
from reference.core.types import Health, NodeId
from reference.runtime.command_table.table import table_of
from reference.runtime.commands.dispatch import execute
from reference.wire.resp import OK
from tests.runtime.node_double import MASTERS, REPLICA, Client, NodeDouble, alone, three_masters

A, B, C = MASTERS
COMMANDS = table_of("redis-7.0").commands


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(NodeDouble())
    yield client
    client.keyspace.close()


@pytest.fixture
def newborn() -> Iterator[Client]:
    client = Client(NodeDouble(alone()))
    yield client
    client.keyspace.close()


@pytest.fixture
def replica() -> Iterator[Client]:
    client = Client(NodeDouble(three_masters(REPLICA)))
    yield client
    client.keyspace.close()


@pytest.fixture
def valkey() -> Iterator[Client]:
    client = Client(NodeDouble(three_masters(rules=VALKEY_9_1)))
    yield client
    client.keyspace.close()


def test_owner_serves_keys_and_sends_others_away(client: Client) -> None:
    assert client("SET bar 1") == "OK"
    assert client("GET bar") == b"1"
    assert client("GET foo") == "MOVED 12182 127.0.0.1:7002"
    assert client("MGET foo bar") == "CROSSSLOT Keys in request don't hash to the same slot"
    assert client("ZUNION 9 bar foo") == "ERR syntax error"


def test_slot_without_owner_is_not_served(newborn: Client) -> None:
    assert newborn("GET bar") == "CLUSTERDOWN Hash slot not served"


def test_nothing_is_served_while_the_cluster_is_down(client: Client) -> None:
    entry = client.node.state.nodes[B]
    client.node.state = client.node.state.put(attrs.evolve(entry, health=Health.FAIL))

    assert client("GET bar") == "CLUSTERDOWN The cluster is down"
    assert client("GET foo") == "CLUSTERDOWN The cluster is down"
    assert client("DBSIZE") == 0


def test_owner_whose_address_is_lost_is_named_without_one(client: Client) -> None:
    entry = client.node.state.nodes[C]
    client.node.state = client.node.state.put(attrs.evolve(entry, address=None, noaddr=True))

    assert client("GET foo") == "MOVED 12182 :0"


def test_replica_serves_reads_after_readonly_until_readwrite(replica: Client) -> None:
    moved = "MOVED 5061 127.0.0.1:7000"

    assert replica("GET bar") == moved
    assert replica("READONLY") == "OK"
    assert replica("GET bar") is None
    assert replica("SET bar 1") == moved
    assert replica("READWRITE") == "OK"
    assert replica("GET bar") == moved


def test_replica_refuses_writes_without_keys(replica: Client) -> None:
    assert replica("FLUSHALL") == "READONLY You can't write against a read only replica."
    assert replica("DBSIZE") == 0


def test_cluster_nodes_has_a_line_for_each_node(client: Client) -> None:
    assert client("CLUSTER NODES").splitlines() == [
        f"{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460",
        f"{B} 127.0.0.1:7001@17001 master - 0 1000 2 connected 5461-10922",
        f"{C} 127.0.0.1:7002@17002 master - 1500 1000 3 disconnected 10923-16383",
        f"{REPLICA} 127.0.0.1:7003@17003 slave {A} 0 1000 1 connected",
    ]


def test_cluster_replicas_has_their_lines(client: Client) -> None:
    assert client(f"CLUSTER REPLICAS {A}") == [
        f"{REPLICA} 127.0.0.1:7003@17003 slave {A} 0 1000 1 connected"
    ]
    assert client(f"CLUSTER SLAVES {B}") == []


def test_cluster_slots_has_each_run_with_master_and_replicas(client: Client) -> None:
    entry = client.node.state.nodes[B]
    scattered = attrs.evolve(entry, slots=entry.slots - entry.slots.between(6000, 6000))
    client.node.state = client.node.state.put(scattered)

    assert client("CLUSTER SLOTS") == [
        [0, 5460, ["127.0.0.1", 7000, A, {}], ["127.0.0.1", 7003, REPLICA, {}]],
        [5461, 5999, ["127.0.0.1", 7001, B, {}]],
        [6001, 10922, ["127.0.0.1", 7001, B, {}]],
        [10923, 16383, ["127.0.0.1", 7002, C, {}]],
    ]


def test_cluster_slots_hides_failed_replicas(client: Client) -> None:
    entry = client.node.state.nodes[REPLICA]
    client.node.state = client.node.state.put(attrs.evolve(entry, health=Health.FAIL))

    assert client("CLUSTER SLOTS")[0] == [0, 5460, ["127.0.0.1", 7000, A, {}]]


def test_node_that_does_not_know_its_address_gives_the_one_it_was_reached_by(
    client: Client,
) -> None:
    myself = client.node.state.myself
    assert myself.address is not None
    nowhere = attrs.evolve(myself.address, ip="")
    client.node.state = client.node.state.put(attrs.evolve(myself, address=nowhere))

    assert client("CLUSTER SLOTS")[0][2] == ["127.0.0.9", 7000, A, {}]


def test_cluster_shards_has_each_master_with_its_replicas(client: Client, valkey: Client) -> None:
    member = {
        "id": A,
        "port": 7000,
        "ip": "127.0.0.1",
        "endpoint": "127.0.0.1",
        "role": "master",
        "replication-offset": 0,
        "health": "online",
    }
    follower = member | {"id": REPLICA, "port": 7003, "role": "replica"}

    shard = client("CLUSTER SHARDS")[0]

    assert shard == {"slots": [0, 5460], "nodes": [member, follower]}
    assert valkey("CLUSTER SHARDS")[0] == shard | {"id": "a" * 40}
    assert len(client("CLUSTER SHARDS")) == 3


def test_cluster_shards_leaves_out_nodes_in_handshake(client: Client) -> None:
    client("CLUSTER MEET 127.0.0.1 7005")

    assert len(client("CLUSTER NODES").splitlines()) == 5
    assert len(client("CLUSTER SHARDS")) == 3


def test_cluster_info_has_its_lines_in_the_order_of_servers(client: Client) -> None:
    entry = client.node.state.nodes[C]
    client.node.state = client.node.state.put(attrs.evolve(entry, health=Health.PFAIL))

    assert client("CLUSTER INFO") == "".join(
        f"{line}\r\n"
        for line in [
            "cluster_state:ok",
            "cluster_slots_assigned:16384",
            "cluster_slots_ok:10923",
            "cluster_slots_pfail:5461",
            "cluster_slots_fail:0",
            "cluster_known_nodes:4",
            "cluster_size:3",
            "cluster_current_epoch:3",
            "cluster_my_epoch:1",
            "cluster_stats_messages_ping_sent:3",
            "cluster_stats_messages_pong_sent:2",
            "cluster_stats_messages_sent:5",
            "cluster_stats_messages_ping_received:2",
            "cluster_stats_messages_auth-req_received:1",
            "cluster_stats_messages_received:3",
            "total_cluster_links_buffer_limit_exceeded:0",
        ]
    )


def test_cluster_info_of_valkey_counts_nodes_that_fail(valkey: Client) -> None:
    for name, health in ((B, Health.PFAIL), (REPLICA, Health.FAIL)):
        entry = valkey.node.state.nodes[name]
        valkey.node.state = valkey.node.state.put(attrs.evolve(entry, health=health))

    text = valkey("CLUSTER INFO")

    assert (
        "cluster_nodes_pfail:1\r\ncluster_nodes_fail:1\r\n"
        "cluster_voting_nodes_pfail:1\r\ncluster_voting_nodes_fail:0\r\n"
    ) in text


def test_cluster_info_of_a_new_node_says_fail(newborn: Client) -> None:
    assert newborn("CLUSTER INFO").startswith("cluster_state:fail\r\ncluster_slots_assigned:0\r\n")


def test_replica_shows_the_epoch_of_its_master(replica: Client) -> None:
    assert "cluster_my_epoch:1\r\n" in replica("CLUSTER INFO")


@pytest.mark.parametrize("line", ["CLUSTER ADDSLOTS 0 1 2", "CLUSTER ADDSLOTSRANGE 0 1 2 2"])
def test_free_slots_are_taken(newborn: Client, line: str) -> None:
    assert newborn(line) == "OK"
    assert list(newborn.node.state.myself.slots) == [0, 1, 2]


def test_ranges_that_repeat_every_slot_are_cut_short(newborn: Client) -> None:
    line = "CLUSTER ADDSLOTSRANGE" + " 0 16383" * 1000

    assert newborn(line) == "ERR Slot 0 specified multiple times"
    assert newborn.node.state.myself.slots == NO_SLOTS


def test_first_config_epoch_is_set_once(newborn: Client) -> None:
    assert newborn("CLUSTER SET-CONFIG-EPOCH 5") == "OK"
    assert newborn("CLUSTER SET-CONFIG-EPOCH 6") == "ERR Node config epoch is already non-zero"
    assert newborn.node.state.myself.config_epoch == 5


@pytest.mark.parametrize(
    ("ports", "cport"), [("7005", 17005), ("7005 7777", 7777)], ids=["default", "given"]
)
def test_greeted_node_is_in_handshake(newborn: Client, ports: str, cport: int) -> None:
    assert newborn(f"CLUSTER MEET 127.0.0.1 {ports}") == "OK"

    greeted = newborn.node.state.nodes[NodeId("e" * 40)]
    assert greeted.handshake
    assert greeted.address is not None
    assert greeted.address.cport == cport


def test_master_with_slots_or_keys_becomes_no_replica(client: Client) -> None:
    text = "ERR To set a master the node must be empty and without assigned slots."

    assert client(f"CLUSTER REPLICATE {B}") == text
    client("SET bar 1")
    myself = client.node.state.myself
    client.node.state = client.node.state.put(attrs.evolve(myself, slots=NO_SLOTS))
    assert client(f"CLUSTER REPLICATE {B}") == text
    assert client(f"CLUSTER REPLICATE {A}") == "ERR Can't replicate myself"
    assert client(f"CLUSTER REPLICATE {REPLICA}") == (
        "ERR I can only replicate a master, not a replica."
    )


def test_empty_master_becomes_a_replica(client: Client) -> None:
    myself = client.node.state.myself
    client.node.state = client.node.state.put(attrs.evolve(myself, slots=NO_SLOTS))

    assert client(f"CLUSTER REPLICATE {B}") == "OK"
    assert client.node.state.myself.replicaof == B


def test_keys_of_a_slot_are_counted_and_listed(client: Client) -> None:
    client("MSET {bar}1 a {bar}2 b")

    assert client("CLUSTER COUNTKEYSINSLOT 5061") == 2
    assert client("CLUSTER GETKEYSINSLOT 5061 1") == [b"{bar}1"]
    assert client("CLUSTER GETKEYSINSLOT 5061 9") == [b"{bar}1", b"{bar}2"]


def test_help_names_every_subcommand_but_the_old_name(client: Client) -> None:
    text = "\n".join(line.text for line in client("CLUSTER HELP"))
    names = {sub.name.split("|")[1].upper() for sub in COMMANDS["cluster"].subcommands}

    assert {name for name in names if f"\n{name}" not in text} == {"SLAVES"}


@pytest.mark.parametrize("protocol", [2, 3])
def test_hello_switches_the_protocol(client: Client, protocol: int) -> None:
    assert client(f"HELLO {protocol} AUTH default x SETNAME bob") == {
        "server": "redis",
        "version": "7.0.15",
        "proto": protocol,
        "id": 7,
        "mode": "cluster",
        "role": "master",
        "modules": [],
    }
    assert client.session.protocol == protocol
    assert client("CLIENT GETNAME") == "bob"


def test_hello_that_is_refused_changes_nothing(client: Client) -> None:
    client("HELLO 3 SETNAME bob FOO")

    assert (client.session.protocol, client.session.name) == (2, "")


def test_hello_of_a_replica_of_valkey_says_so() -> None:
    client = Client(NodeDouble(three_masters(REPLICA, rules=VALKEY_9_1)))

    reply = client("HELLO")

    assert (reply["server"], reply["version"], reply["role"]) == ("valkey", "9.1.2", "replica")
    client.keyspace.close()


def test_name_of_a_client_is_kept(client: Client) -> None:
    assert client("CLIENT SETNAME bob") == "OK"
    assert client("CLIENT GETNAME") == "bob"


def test_quit_closes_after_the_reply(client: Client) -> None:
    assert execute(client.session, [b"QUIT"]) == OK
    assert client.session.closing


def test_a_replica_that_gets_its_data_says_so_where_it_swaps_it() -> None:
    client = Client(NodeDouble(three_masters(REPLICA)))
    said = []
    for client.node.master_sends_all in (False, True):
        for load in ("disabled", "swapdb"):
            kept = {"repl-diskless-load": load}
            client.node.options = attrs.evolve(client.node.options, kept=kept)
            said.append("async_loading:1\r\n" in client("INFO persistence"))

    assert said == [False, False, False, True]


def test_info_has_what_clients_look_for(client: Client) -> None:
    client("SET bar 1 EX 100")
    text = client("INFO")

    for line in (
        "redis_version:7.0.15",
        "redis_mode:cluster",
        "arch_bits:64",
        "tcp_port:7000",
        "connected_clients:1",
        "loading:0",
        "role:master",
        "connected_slaves:0",  # the replica has not asked for the data
        "cluster_enabled:1",
        "db0:keys=1,expires=1,avg_ttl=0",
    ):
        assert f"{line}\r\n" in text
    again, _, rest = client("INFO everything").partition("# Commandstats\r\n")
    counts, _, rest = rest.partition("\r\n\r\n")
    assert (again + rest).replace("processed:2", "processed:1") == text
    assert [line.split(",")[0] for line in counts.split("\r\n")] == [
        "cmdstat_set:calls=1",
        "cmdstat_info:calls=1",
    ]


def test_a_command_that_was_refused_counts_apart_from_one_that_failed(client: Client) -> None:
    client("SET foo 1")  # another node's
    client("SET bar 1 EX 0")

    [line] = client("INFO commandstats").splitlines()[1:2]

    assert line.startswith("cmdstat_set:calls=1,")
    assert line.endswith(",rejected_calls=1,failed_calls=1")


def test_info_of_an_empty_node_names_no_database(client: Client) -> None:
    assert client("INFO keyspace") == "# Keyspace\r\n"


def test_info_gives_the_sections_that_were_asked_for(client: Client) -> None:
    assert client("INFO cluster KEYSPACE nothing") == (
        "# Cluster\r\ncluster_enabled:1\r\n\r\n# Keyspace\r\n"
    )


def test_info_of_a_replica_names_its_master(replica: Client) -> None:
    lines = replica("INFO replication").splitlines()
    assert lines[1:5] + lines[8:9] == [
        "role:slave",
        "master_host:127.0.0.1",
        "master_port:7000",
        "master_link_status:down",  # no data follows
        "slave_repl_offset:0",
    ]


def test_info_of_valkey_names_both_versions(valkey: Client) -> None:
    assert valkey("INFO server").splitlines()[1:5] == [
        "redis_version:7.2.4",
        "server_name:valkey",
        "valkey_version:9.1.2",
        "server_mode:cluster",
    ]


def test_command_gives_the_whole_table(client: Client) -> None:
    entries = client("COMMAND")

    assert [entry[0] for entry in entries] == list(COMMANDS)
    assert {len(entry) for entry in entries} == {10}
    assert client("COMMAND INFO") == entries


def test_command_info_has_nothing_for_unknown_names(client: Client) -> None:
    found, unknown, sub = client("COMMAND INFO get nothing cluster|info")

    assert (found[0], unknown, sub[0]) == ("get", None, "cluster|info")


def test_command_list_has_commands_and_subcommands(client: Client) -> None:
    assert {"get", "cluster", "cluster|info"} <= set(client("COMMAND LIST"))

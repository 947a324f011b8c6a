"""The texts that tools compare, as the servers were seen to answer.

Clauses: CM-6, CM-7, CM-8, CM-9, CM-15, CM-16, CM-17, CM-19, CM-21, CM-22, CM-23.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from reference.core.rules import VALKEY_9_1
from reference.runtime.command_table.table import table_of
from tests.runtime.node_double import MASTERS, REPLICA, Client, NodeDouble, three_masters

A = MASTERS[0]
COMMANDS = table_of("redis-7.0").commands


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(NodeDouble())
    yield client
    client.keyspace.close()


@pytest.fixture
def valkey() -> Iterator[Client]:
    client = Client(NodeDouble(three_masters(rules=VALKEY_9_1)))
    yield client
    client.keyspace.close()


# Texts that Redis 7.0.15 was seen to answer.
@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("PING", "PONG"),
        ("PING a", b"a"),
        ("PING a b", "ERR wrong number of arguments for 'ping' command"),
        ("ECHO", "ERR wrong number of arguments for 'echo' command"),
        ("ECHO a", b"a"),
        ("SELECT 0", "OK"),
        ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
        ("SELECT x", "ERR value is not an integer or out of range"),
        ("READONLY x", "ERR wrong number of arguments for 'readonly' command"),
        ("ASKING", "OK"),
        ("READWRITE", "OK"),
        ("FOO bar", "ERR unknown command 'FOO', with args beginning with: 'bar' "),
        ("CLUSTER", "ERR wrong number of arguments for 'cluster' command"),
        ("cluster foo x", "ERR unknown subcommand 'foo'. Try CLUSTER HELP."),
        ("CLUSTER MEET", "ERR wrong number of arguments for 'cluster|meet' command"),
        (
            "CLUSTER MEET 127.0.0.1 1 2 3",
            "ERR unknown subcommand or wrong number of arguments for 'MEET'. Try CLUSTER HELP.",
        ),
        ("CLUSTER MEET a 1", "ERR Invalid node address specified: a:1"),
        ("CLUSTER MEET 127.0.0.1 99999", "ERR Invalid node address specified: 127.0.0.1:99999"),
        ("CLUSTER MEET 127.0.0.1 60000", "ERR Invalid node address specified: 127.0.0.1:60000"),
        ("CLUSTER MEET 127.0.0.1 0", "ERR Invalid node address specified: 127.0.0.1:0"),
        ("CLUSTER MEET 127.0.0.1 a", "ERR Invalid TCP base port specified: a"),
        ("CLUSTER MEET 127.0.0.1 7000 b", "ERR Invalid TCP bus port specified: b"),
        ("CLUSTER MEET 127.0.0.1 7000 0", "ERR Invalid node address specified: 127.0.0.1:7000"),
        ("CLUSTER MEET localhost 7000", "ERR Invalid node address specified: localhost:7000"),
        ("CLUSTER ADDSLOTS a", "ERR Invalid or out of range slot"),
        ("CLUSTER ADDSLOTS 01", "ERR Invalid or out of range slot"),
        ("CLUSTER ADDSLOTS -0", "ERR Invalid or out of range slot"),
        ("CLUSTER ADDSLOTS 16384", "ERR Invalid or out of range slot"),
        ("CLUSTER ADDSLOTS 6000 6000", "ERR Slot 6000 is already busy"),
        ("CLUSTER ADDSLOTS 5", "ERR Slot 5 is already busy"),
        (
            "CLUSTER ADDSLOTSRANGE 1",
            "ERR wrong number of arguments for 'cluster|addslotsrange' command",
        ),
        (
            "CLUSTER ADDSLOTSRANGE 1 2 7",
            "ERR wrong number of arguments for 'cluster|addslotsrange' command",
        ),
        (
            "CLUSTER ADDSLOTSRANGE 3 2",
            "ERR start slot number 3 is greater than end slot number 2",
        ),
        ("CLUSTER ADDSLOTSRANGE 1 2 2 3", "ERR Slot 1 is already busy"),
        ("CLUSTER ADDSLOTSRANGE 1 x", "ERR Invalid or out of range slot"),
        ("CLUSTER ADDSLOTSRANGE 7 9", "ERR Slot 7 is already busy"),
        ("CLUSTER REPLICATE foo", "ERR Unknown node foo"),
        ("CLUSTER SET-CONFIG-EPOCH -1", "ERR Invalid config epoch specified: -1"),
        ("CLUSTER SET-CONFIG-EPOCH x", "ERR value is not an integer or out of range"),
        (
            "CLUSTER SET-CONFIG-EPOCH 9",
            (
                "ERR The user can assign a config epoch only when the node does not know any other"
                " node."
            ),
        ),
        ("CLUSTER KEYSLOT foo", 12182),
        ("CLUSTER COUNTKEYSINSLOT 99999", "ERR Invalid slot"),
        ("CLUSTER COUNTKEYSINSLOT x", "ERR value is not an integer or out of range"),
        ("CLUSTER GETKEYSINSLOT 1 -1", "ERR Invalid slot or number of keys"),
        ("CLUSTER GETKEYSINSLOT 99999 1", "ERR Invalid slot or number of keys"),
        ("CLUSTER REPLICAS foo", "ERR Unknown node foo"),
        (f"CLUSTER SLAVES {REPLICA}", "ERR The specified node is not a master"),
        ("CLUSTER MYSHARDID", "ERR unknown subcommand 'MYSHARDID'. Try CLUSTER HELP."),
        ("CLUSTER MYID", A),
        ("HELLO 4", "NOPROTO unsupported protocol version"),
        ("HELLO x", "ERR Protocol version is not an integer or out of range"),
        ("HELLO 2 FOO", "ERR Syntax error in HELLO option 'FOO'"),
        ("HELLO 2 AUTH default", "ERR Syntax error in HELLO option 'AUTH'"),
        ("HELLO 2 AUTH a b", "WRONGPASS invalid username-password pair or user is disabled."),
        ("CLIENT FOO", "ERR unknown subcommand 'FOO'. Try CLIENT HELP."),
        ("CLIENT ID", 7),
        ("CLIENT GETNAME", None),
        ("CLIENT SETINFO lib-name x", "ERR unknown subcommand 'SETINFO'. Try CLIENT HELP."),
        (
            "CLIENT SETNAME a\tb\x01",
            "ERR wrong number of arguments for 'client|setname' command",
        ),
        (
            "CLIENT SETNAME a\x01",
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ),
        (
            "CLIENT MAINT_NOTIFICATIONS ON",
            "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.",
        ),
        ("COMMAND COUNT", len(COMMANDS)),
        ("COMMAND FOO", "ERR unknown subcommand 'FOO'. Try COMMAND HELP."),
        ("COMMAND DOCS foo", {}),
        (
            "COMMAND DOCS get",
            {"get": {
                "summary": "The string of a key.", "since": "1.0.0", "group": "string",
                "complexity": "O(1)",
                "arguments": [{"name": "key", "type": "key",
                               "key_spec_index": 0}],
            }},
        ),
        ("COMMAND LIST x", "ERR syntax error"),
        ("COMMAND GETKEYS mset a 1 b 2", (b"a", b"b")),
        ("COMMAND GETKEYS foo x", "ERR Invalid command specified"),
        ("COMMAND GETKEYS ping x", "ERR The command has no key arguments"),
        ("COMMAND GETKEYS get x y", "ERR Invalid number of arguments specified for command"),
        ("COMMAND GETKEYS zunion 5 a", "ERR Invalid arguments specified for command"),
        ("CONFIG GET", "ERR wrong number of arguments for 'config|get' command"),
        ("CONFIG GET save appendonly", {"appendonly": "no", "save": ""}),
        ("CONFIG GET cluster-node-*", {"cluster-node-timeout": "1500"}),
    ],
)  # fmt: skip
def test_replies_are_those_of_the_servers(client: Client, line: str, reply: Any) -> None:
    assert client(line) == reply


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("SELECT 1", "ERR DB index is out of range"),
        ("CLUSTER MEET 127.0.0.1 a", "ERR Invalid base port specified: a"),
        ("CLUSTER MEET 127.0.0.1 7000 b", "ERR Invalid bus port specified: b"),
        ("CLUSTER MYSHARDID", "a" * 40),
    ],
)
def test_texts_follow_the_dialect(valkey: Client, line: str, reply: str) -> None:
    assert valkey(line) == reply

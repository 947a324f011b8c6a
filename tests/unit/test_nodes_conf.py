"""nodes.conf is read and written as servers do, and refused where it is damaged.

Clauses: NC-1, NC-2, NC-3, NC-4, NC-5, NC-6, NC-7, NC-8.
"""

from pathlib import Path
from typing import Final

import pytest

from reference.core.slots import SlotSet
from reference.core.types import NodeId
from reference.wire.nodes_conf import NodeLine, NodesConf, format_node_line, format_nodes_conf
from reference.wire.nodes_conf_parse import NodesConfError, parse_node_line, parse_nodes_conf
from tests.traceability import SPEC

A, B, C = (NodeId(digit * 40) for digit in "abc")

MASTER: Final = NodeLine(
    node_id=A,
    ip="::1",
    port=7000,
    cport=17000,
    aux=(("tls-port", "0"), ("shard-id", C)),
    flags=("myself", "master"),
    pong_received=5,
    config_epoch=3,
    slots=SlotSet.of([0, 1, 2, 7, 16383]),
    migrating=((1, B), (16383, B)),
    importing=((9, B),),
)
REPLICA: Final = NodeLine(
    node_id=B,
    ip="",
    port=0,
    cport=0,
    hostname="b.example.org",
    flags=("slave", "fail?"),
    replicaof=A,
    ping_sent=4,
    link_state="disconnected",
)
MASTER_LINE: Final = (
    f"{A} ::1:7000@17000,,tls-port=0,shard-id={C} myself,master - 0 5 3 connected"
    f" 0-2 7 16383 [1->-{B}] [9-<-{B}] [16383->-{B}]"
)
REPLICA_LINE: Final = f"{B} :0@0,b.example.org slave,fail? {A} 4 0 0 disconnected"
VARS: Final = "vars currentEpoch 7 lastVoteEpoch 6"
FILE: Final = f"{MASTER_LINE}\n{REPLICA_LINE}\n{VARS}\n"
CONF: Final = NodesConf(nodes=(MASTER, REPLICA), current_epoch=7, last_vote_epoch=6)


def test_file_is_written_as_servers_do() -> None:
    assert FILE.encode() == format_nodes_conf(CONF)


def test_file_is_read_back() -> None:
    assert parse_nodes_conf(FILE.encode()) == CONF


def test_cluster_nodes_shows_no_auxiliary_fields() -> None:
    line = format_node_line(MASTER)

    assert line == MASTER_LINE.replace(f",,tls-port=0,shard-id={C}", "")


def test_line_of_cluster_nodes_is_read() -> None:
    assert parse_node_line(REPLICA_LINE) == REPLICA


@pytest.mark.parametrize("path", sorted((SPEC / "vectors").glob("*.conf")), ids=lambda p: p.name)
def test_file_of_a_real_server_is_reprinted_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()

    conf = parse_nodes_conf(data)

    assert data == format_nodes_conf(conf)
    assert [slot for slot, _ in conf.myself.migrating] == [7]
    assert [slot for slot, _ in conf.myself.importing] == [6000]
    assert "b.example.org" in {node.hostname for node in conf.nodes}


def test_blank_lines_and_unknown_variables_are_skipped() -> None:
    data = f"\n \n{MASTER_LINE}\n{REPLICA_LINE}\nvars newer 1 {VARS[5:]}\n\n\r\n\0\0".encode()

    assert parse_nodes_conf(data) == CONF


def test_words_are_read_in_either_case_and_vocabulary() -> None:
    text = FILE.replace("master", "PRIMARY").replace("slave", "replica").replace("vars", "VARS")

    assert parse_nodes_conf(text.encode()) == CONF


def test_bus_port_may_be_left_to_the_client_port() -> None:
    assert parse_node_line(MASTER_LINE.replace("@17000", "")) == MASTER


@pytest.mark.parametrize(
    ("old", "new", "line_number", "reason"),
    [
        (REPLICA_LINE, "x" * 200, 2, "1 fields, a node has at least 8"),
        (f"{B} :0", f"{B[1:]} :0", 2, "bad node id"),
        (f"{B} :0", f"{A} :0", 2, f"duplicate node id {A}"),
        ("slave,fail?", "slave,myself", 2, f"two nodes are flagged myself, the first is {A}"),
        ("slave,fail?", "slave,sick", 2, "unknown flag 'sick'"),
        ("slave,fail?", "slave,", 2, "unknown flag ''"),
        (f"fail? {A}", "fail? -x", 2, "bad node id '-x'"),
        (":0@0", "0@0", 2, "address without a port"),
        (":0@0", ":0@99999", 2, "bad bus port '99999'"),
        (":0@0", ":x@0", 2, "bad port 'x'"),
        ("4 0 0 dis", "4x 0 0 dis", 2, "bad time '4x'"),
        ("4 0 0 dis", "4 0 18446744073709551616 dis", 2, "bad epoch"),
        ("0 0 disconnected", "0 0 perhaps", 2, "unknown link state 'perhaps'"),
        ("disconnected", "disconnected 16384", 2, "bad slot '16384'"),
        ("disconnected", "disconnected 9-8", 2, "bad slot range '9-8'"),
        ("disconnected", "disconnected 9-", 2, "bad slot ''"),
        ("disconnected", "disconnected 2-4", 2, "slots 2 have an owner already"),
        (f"[9-<-{B}]", f"[9-<-{B}", 1, "bad open slot"),
        (f"[9-<-{B}]", f"[16384-<-{B}]", 1, "bad slot '16384'"),
        ("tls-port=0", "colour=0", 1, "unknown auxiliary field 'colour=0'"),
        ("tls-port=0", "tls-port", 1, "unknown auxiliary field 'tls-port'"),
        ("tls-port=0", "tls-port=0=0", 1, "unknown auxiliary field"),
        ("lastVoteEpoch 6", "lastVoteEpoch", 3, "a variable has no value"),
        ("lastVoteEpoch 6", "lastVoteEpoch -6", 3, "bad epoch '-6'"),
        ("Epoch 6\n", "Epoch 6", 3, "the line does not end"),
        (f"{VARS}\n", "", 0, "currentEpoch or lastVoteEpoch is missing"),
        (" lastVoteEpoch 6", "", 0, "currentEpoch or lastVoteEpoch is missing"),
        ("currentEpoch 7 ", "", 0, "currentEpoch or lastVoteEpoch is missing"),
        ("myself,", "", 0, "no node is flagged myself"),
        (FILE, "", 0, "no node is flagged myself"),
    ],
)
def test_damaged_file_is_refused(old: str, new: str, line_number: int, reason: str) -> None:
    assert old in FILE
    with pytest.raises(NodesConfError) as caught:
        parse_nodes_conf(FILE.replace(old, new).encode())

    assert caught.value.line_number == line_number
    assert caught.value.reason.startswith(reason)
    assert caught.value.reason in str(caught.value)
    assert len(caught.value.text) <= 120


def test_damaged_line_is_refused() -> None:
    with pytest.raises(NodesConfError, match="line 1: 2 fields, a node has at least 8: 'no node'"):
        parse_node_line("no node")


def test_file_cut_off_anywhere_is_refused() -> None:
    for length in range(len(FILE)):
        with pytest.raises(NodesConfError):
            parse_nodes_conf(FILE[:length].encode())

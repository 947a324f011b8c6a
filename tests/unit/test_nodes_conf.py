"""nodes.conf is read and written as servers do, and refused where it is damaged.

Clauses: NC-1, NC-2, NC-3, NC-4, NC-5, NC-6, NC-7, NC-8, NC-9, NC-10, NC-11, NC-12, NC-13, NC-D1.
"""

import re
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.slots import SlotSet
from reference.core.types import NodeId, ShardId
from reference.wire.announced import (
    NOTHING_ANNOUNCED,
    Announced,
    announced_in,
    other_port_in,
    to_aux,
)
from reference.wire.dialects import AUX_FIELDS, COMMON, WIRE_DIALECTS, wire_dialect
from reference.wire.nodes_conf import NodeLine, NodesConf, format_node_line, format_nodes_conf
from reference.wire.nodes_conf_parse import (
    MAX_FILE,
    NodesConfError,
    parse_node_line,
    parse_nodes_conf,
)
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


@pytest.mark.parametrize("path", sorted((SPEC / "vectors").glob("*.conf")), ids=lambda p: p.name)
def test_values_of_a_real_file_make_the_same_file(path: Path) -> None:
    dialect = WIRE_DIALECTS[path.stem.removeprefix("nodes-")]
    conf = parse_nodes_conf(path.read_bytes(), dialect)

    nodes = [
        attrs.evolve(node, hostname=said.hostname, aux=to_aux(said, dialect))
        for node in conf.nodes
        for said in [announced_in(node)]
    ]

    assert path.read_bytes() == format_nodes_conf(attrs.evolve(conf, nodes=tuple(nodes)))


ALL_SAID: Final = Announced(
    hostname="h.example",
    human_nodename="first",
    client_ipv4="192.0.2.1",
    client_ipv6="2001:db8::1",
    client_port=1234,
    client_tls_port=2345,
    availability_zone="zone-1",
    shard_id=ShardId(C),
)


@pytest.mark.parametrize("name", WIRE_DIALECTS)
@pytest.mark.parametrize("tls", [False, True])
def test_dialect_writes_its_own_fields_and_reads_them_back(name: str, *, tls: bool) -> None:
    dialect = WIRE_DIALECTS[name]
    aux = to_aux(ALL_SAID, dialect, tls=tls, other_port=99)
    line = attrs.evolve(REPLICA, hostname="h.example", aux=aux)

    read = parse_node_line(format_node_line(line, with_aux=True), dialect)

    absent = {"tls-port" if tls else "tcp-port"}
    assert [field for field, _ in read.aux] == [f for f in dialect.aux_fields if f not in absent]
    heard = {field: value for field, value in attrs.asdict(announced_in(read)).items() if value}
    assert heard.items() <= attrs.asdict(ALL_SAID).items()
    assert other_port_in(read) == ((False, 0) if name == "redis-7.0" else (tls, 99))


def test_specified_fields_are_those_of_the_codec() -> None:
    text = (SPEC / "17-nodes-conf.md").read_text(encoding="utf-8").partition("### NC-11 ")[2]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", text.partition("\n### ")[0], re.MULTILINE)
    ]
    header, _, *body = rows

    assert {
        dialect: tuple(row[0] for row in body if row[column] == "x")
        for column, dialect in enumerate(header)
        if column >= 2
    } == {name: dialect.aux_fields for name, dialect in WIRE_DIALECTS.items()}
    assert {row[0] for row in body} == AUX_FIELDS


def test_who_announces_nothing_has_no_fields_but_the_port() -> None:
    assert to_aux(NOTHING_ANNOUNCED, WIRE_DIALECTS["valkey-9.1"]) == (("tls-port", "0"),)
    assert announced_in(REPLICA) == Announced(hostname="b.example.org")


@pytest.mark.parametrize("name", WIRE_DIALECTS)
@pytest.mark.parametrize("field", sorted(AUX_FIELDS))
def test_field_of_another_dialect_is_refused(name: str, field: str) -> None:
    dialect = WIRE_DIALECTS[name]
    values = {"shard-id": C, "client-ipv4": "1.2.3.4", "client-ipv6": "::1"}
    line = f"{B} :0@0,,{field}={values.get(field, '7')} master - 4 0 0 connected"

    if field in dialect.aux_fields:
        assert parse_node_line(line, dialect).aux == ((field, values.get(field, "7")),)
    else:
        with pytest.raises(NodesConfError, match="unknown auxiliary field"):
            parse_node_line(line, dialect)


@pytest.mark.parametrize("name", [*WIRE_DIALECTS, COMMON.name])
def test_valkey_reads_the_newer_words_for_roles(name: str) -> None:
    line = f"{B} :0@0 Primary - 4 0 0 connected"

    if name.startswith("redis"):
        with pytest.raises(NodesConfError, match="unknown flag 'Primary'"):
            parse_node_line(line, wire_dialect(name))
    else:
        assert parse_node_line(line, wire_dialect(name)).flags == ("master",)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("shard-id=abc", "bad shard-id 'abc'"),
        ("shard-id=", "bad shard-id ''"),
        ("client-ipv4=1.2.3", "bad client-ipv4"),
        (f"client-ipv4={C}", "bad client-ipv4"),  # the secret that Valkey saves and then refuses
        ("client-ipv4=::1", "bad client-ipv4"),
        ("client-ipv6=1.2.3.4", "bad client-ipv6"),
        ("client-tcp-port=65536", "bad client-tcp-port"),
        ("client-tls-port=", "bad client-tls-port"),
        ("tcp-port=000080", "bad tcp-port"),
        ("tls-port=1x", "bad tls-port"),
        ("nodename=a!b", "bad nodename"),
        ("nodename=a{b", "bad nodename"),
        ("availability-zone=<", "bad availability-zone"),
        ("tls-port=1,tls-port=1", "tls-port is given twice"),
        ("nodename=a=b", "unknown auxiliary field"),
        ("", "unknown auxiliary field ''"),
    ],
)
def test_value_that_no_node_writes_is_refused(field: str, reason: str) -> None:
    line = f"{B} :0@0,,{field} master - 4 0 0 connected"

    with pytest.raises(NodesConfError) as caught:
        parse_node_line(line)

    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "field",
    [
        "client-ipv4=", "client-ipv6=", "client-ipv6=::ffff:1.2.3.4", "client-tcp-port=0",
        "nodename=", "nodename=a:b/c", "availability-zone=\xe9",
    ],
)  # fmt: skip
def test_odd_value_that_servers_take_is_kept(field: str) -> None:
    line = f"{B} :0@0,,{field} master - 4 0 0 connected"

    assert format_node_line(parse_node_line(line), with_aux=True) == line


@pytest.mark.parametrize(
    "line",
    [
        attrs.evolve(MASTER, hostname="a b"),
        attrs.evolve(MASTER, hostname="a,tls-port=1"),
        attrs.evolve(MASTER, hostname=f"a\nvars currentEpoch 0 lastVoteEpoch 0\n{B}"),
        attrs.evolve(MASTER, hostname="'a"),
        attrs.evolve(MASTER, ip="1.2.3.4\r"),
        attrs.evolve(MASTER, aux=(("nodename", "a b"),)),
        attrs.evolve(MASTER, aux=(("nodename", "a=b"),)),
        attrs.evolve(MASTER, aux=(("nodename", "a,shard-id=1"),)),
        attrs.evolve(MASTER, aux=(("availability-zone", "(x)"),)),
    ],
)
def test_what_would_be_read_as_something_else_is_not_written(line: NodeLine) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        format_nodes_conf(NodesConf(nodes=(line,)))


def test_longest_file_is_limited() -> None:
    with pytest.raises(NodesConfError, match="more than the limit"):
        parse_nodes_conf(bytes(MAX_FILE + 1))


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
        (":0@0", ":60000", 2, "bad bus port '70000'"),
        (",b.example.org", ",'b.example.org'", 2, '"\'" does not belong into a line'),
        (",b.example.org", ",b\0.example.org", 2, r"'\x00' does not belong into a line"),
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
        ("lastVoteEpoch 6", f"lastVoteEpoch 6 takenFrom {B[1:]}:5", 3, "bad node id"),
        ("lastVoteEpoch 6", f"lastVoteEpoch 6 takenFrom {B}", 3, "bad slot ''"),
        ("lastVoteEpoch 6", f"lastVoteEpoch 6 takenFrom {B}:7-5", 3, "bad slot range '7-5'"),
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


def test_from_whom_slots_were_taken_is_written_and_read() -> None:
    taken = ((B, SlotSet.of([0, 1, 2, 16383])), (C, SlotSet.of([7])))
    conf = NodesConf(nodes=(MASTER,), current_epoch=7, last_vote_epoch=6, taken_from=taken)

    text = format_nodes_conf(conf)

    assert text.endswith(f"{VARS} takenFrom {B}:0-2,16383 takenFrom {C}:7\n".encode())
    assert parse_nodes_conf(text) == conf

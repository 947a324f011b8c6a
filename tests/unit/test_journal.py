"""The lines of a journal, there and back; what is no such line.

Clauses: RT-40.
"""

import json
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference.core import events
from reference.core.messages import Header, Meet, Ping, SyncSlotsFinish
from reference.core.migration_jobs import JobName, MigrationOutcome
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.open_slots import open_slots
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import Address, NodeId, Role
from reference.wire.journal import (
    SCHEMA,
    Adjusted,
    Ended,
    Entry,
    Happened,
    JournalError,
    Opened,
    Started,
    read_entry,
    write_entry,
)

A, B = NodeId("a"), NodeId("b")
STATE = ClusterState(
    rules=DIALECTS["valkey-9.1"],
    myself_id=A,
    nodes=NodeTable(
        [
            ClusterNode(node_id=A, slots=SlotSet.of([0, 5, 6]), config_epoch=3),
            ClusterNode(
                node_id=B,
                role=Role.REPLICA,
                replicaof=A,
                fail_reports=frozenset({A}),
                address=Address(ip="127.0.0.1", port=1, cport=2),
            ),
        ]
    ),
    migrating_slots_to=open_slots([(5, B)]),
    nodes_black_list=frozenset({NodeId("c"), NodeId("d")}),
)
PING = Ping(
    header=Header(
        sender=B, replicaof=A, current_epoch=2**64 - 1, config_epoch=0, slots=SlotSet.of([16383])
    ),
    forgotten=frozenset({A, B}),
)
st.register_type_strategy(
    SlotSet, st.builds(SlotSet.of, st.sets(st.integers(0, 16383), max_size=4))
)


@pytest.mark.parametrize(
    "entry",
    [
        Opened(schema=SCHEMA, version="0.1.0"),
        Started(node=7000, state=STATE),
        Adjusted(node=7000, state=STATE),
        Ended(node=7000, state=STATE),
        Happened(node=7001, event=events.Received(message=PING, link_node=B, newcomer=True)),
        Happened(node=7001, event=events.ClusterFailover(option=events.FailoverOption.TAKEOVER)),
        Happened(
            node=7001,
            event=events.SetslotAcknowledged(command=events.ClusterSetslotStable(slot=7)),
        ),
    ],
)
def test_what_is_written_is_read(entry: Entry) -> None:
    line = write_entry(entry)

    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    assert read_entry(line) == entry


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_has_a_line(kind: type, data: st.DataObject) -> None:
    event = data.draw(st.from_type(kind))

    assert read_entry(write_entry(Happened(node=1, event=event))) == Happened(node=1, event=event)


def test_order_within_sets_does_not_matter() -> None:
    one, other = (
        write_entry(Happened(node=1, event=events.Received(message=Meet(
            header=PING.header, forgotten=frozenset(names))))) for names in ((A, B), (B, A))
    )  # fmt: skip

    assert one == other


def _line(**changed: object) -> str:
    told = json.loads(write_entry(Happened(node=1, event=events.HeartbeatDue(peer=A))))
    return json.dumps(told | changed)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "is no object"),
        ("7", "is no object"),
        ("{}", "is"),
        ("[" * 100_000, "recursion"),
        ('{"is":"Popen","args":["true"]}', "Popen"),
        ('{"is":"Opened","schema":2,"version":"9"}', "schema 2"),
        ('{"is":"Opened","schema":1}', "version"),
        (_line(node=True), "is not of type int"),
        (_line(node="7000"), "is not of type int"),
        (_line(at=5), "at"),
        (_line(event={"is": "HeartbeatDue", "peer": 5}), "is not of type str"),
        (_line(event={"is": "Opened"}), "Opened"),
        (_line(event=[]), "event"),
        (_line(event={"is": "ClusterAddSlots", "slots": "16384"}), "are no slots"),
        (_line(event={"is": "ClusterAddSlots", "slots": "-1"}), "invalid literal"),
        (_line(event={"is": "ClusterAddSlots", "slots": 1}), "says no slots"),
        (_line(event={"is": "ClusterFailover", "option": "SOME"}), "is none of PLAIN"),
        (_line(event={"is": "ClusterFailover", "option": 1}), "is none of PLAIN"),
    ],
)
def test_what_is_no_line_is_refused(line: str, reason: str) -> None:
    with pytest.raises(JournalError, match=rf"(?i){reason}"):
        read_entry(line)


def test_ends_of_migrations_are_told_apart_from_their_beginnings() -> None:
    finish = SyncSlotsFinish(name=JobName("job"), outcome=MigrationOutcome.FAILED, reason="why")
    entry = Happened(node=1, event=events.SyncSlotsFromMaster(message=finish))

    assert read_entry(write_entry(entry)) == entry

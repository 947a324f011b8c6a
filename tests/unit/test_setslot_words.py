"""SETSLOT as words, and open slots as the text that comes with a master's data.

Clauses: CM-46, RE-24.
"""

import attrs
import pytest

from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
)
from reference.core.open_slots import OpenSlots
from reference.core.rules import VALKEY_9_1
from reference.core.state import new_node
from reference.core.types import NodeId, ShardId
from reference.wire.setslot import (
    OpenSlotsError,
    format_open_slots,
    parse_open_slots,
    parse_setslot,
)

A, B = NodeId("a" * 40), NodeId("b" * 40)


@pytest.mark.parametrize(
    ("words", "command", "rest"),
    [
        ("MIGRATING b", ClusterSetslotMigrating(slot=7, node=NodeId("b")), ""),
        ("importing b TIMEOUT 5", ClusterSetslotImporting(slot=7, node=NodeId("b")), "TIMEOUT 5"),
        ("STABLE", ClusterSetslotStable(slot=7), ""),
        ("stable x", ClusterSetslotStable(slot=7), "x"),
        ("NODE b", ClusterSetslotNode(slot=7, node=NodeId("b"), holds_keys=True), ""),
        ("NODE", None, ""),
        ("MIGRATING", None, ""),
        ("AWAY b", None, ""),
    ],
)
def test_words_behind_the_slot_are_a_command_and_what_follows(
    words: str, command: ClusterSetslot | None, rest: str
) -> None:
    parsed, left = parse_setslot(7, words.encode().split(), lambda: True)
    assert (parsed, b" ".join(left).decode()) == (command, rest)


def test_open_slots_are_told_and_read_again() -> None:
    state = new_node(VALKEY_9_1, A, shard_id=ShardId("5" * 40))
    assert format_open_slots(state) == b""
    nothing: OpenSlots = state.migrating_slots_to
    state = attrs.evolve(
        state,
        migrating_slots_to=nothing.open(16383, B),
        importing_slots_from=nothing.open(9, B).open(0, B),
    )

    text = format_open_slots(state)

    name = B.encode()
    assert text == b"0<%b,9<%b,16383>%b," % (name, name, name)
    assert list(parse_open_slots(text)) == [
        ClusterSetslotImporting(slot=0, node=B),
        ClusterSetslotImporting(slot=9, node=B),
        ClusterSetslotMigrating(slot=16383, node=B),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"1<" + b"b" * 40,
        b"1<" + b"b" * 39 + b",",
        b"1=" + b"b" * 40 + b",",
        b"16384>" + b"b" * 40 + b",",
        b"<" + b"b" * 40 + b",",
        b"1<" + b"b" * 40 + b",,",
    ],
)
def test_damaged_text_is_refused(text: bytes) -> None:
    with pytest.raises(OpenSlotsError):
        list(parse_open_slots(text))

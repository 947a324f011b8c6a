"""The words of SYNCSLOTS: written, read, and refused as servers refuse them.

Clauses: SM-21, SM-31, SM-36, SM-37.
"""

import pytest

from reference.core.messages import (
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsEstablish,
    SyncSlotsFinish,
)
from reference.core.migration_jobs import JobName, MigrationOutcome
from reference.core.slots import SlotSet
from reference.core.types import NodeId
from reference.wire.rdb import RdbKey, RdbSlotImport, WritableEntry, format_rdb, parse_rdb
from reference.wire.rdb_encode import VALKEY_VERSION
from reference.wire.rdb_values import RdbString
from reference.wire.sync_slots import (
    SyncSlotsError,
    format_sync_slots,
    parse_call,
    parse_establish,
    parse_finish,
    parse_slot_ranges,
)

NAME = JobName("ab" * 20)
SOURCE = NodeId("c" * 40)
SLOTS = SlotSet.of([0, 3, 4, 5])
HEAD = "CLUSTER SYNCSLOTS"


def words(text: str) -> list[bytes]:
    return text.encode().split()


@pytest.mark.parametrize("call", SyncSlotsCall)
def test_each_call_is_a_word(call: SyncSlotsCall) -> None:
    written = format_sync_slots(SyncSlots(name=NAME, call=call))

    assert written == [b"CLUSTER", b"SYNCSLOTS", call.value.encode()]
    assert parse_call(written[2].lower()) is call


def test_other_words_are_no_calls() -> None:
    assert parse_call(b"CAPA") is None


def test_establish_is_read_as_it_is_written() -> None:
    asked = SyncSlotsEstablish(name=NAME, source=SOURCE, slots=SLOTS)

    written = format_sync_slots(asked)

    assert written == words(f"{HEAD} ESTABLISH SOURCE {SOURCE} NAME {NAME} SLOTSRANGE 0 0 3 5")
    assert parse_establish(written[3:]) == asked


def test_establish_is_read_in_any_order_and_without_source_from_a_master() -> None:
    asked = SyncSlotsEstablish(name=NAME, source=NodeId(""), slots=SLOTS)

    assert parse_establish(words(f"slotsrange 3 5 0 0 name {NAME}"), from_master=True) == asked


@pytest.mark.parametrize(
    "text",
    [
        f"NAME {NAME} SLOTSRANGE 0 0",
        f"SOURCE {SOURCE} SLOTSRANGE 0 0",
        f"SOURCE {SOURCE} NAME {NAME}",
        f"SOURCE {SOURCE} NAME {NAME} SLOTSRANGE 0 0 SLOTSRANGE 1 1",
        f"SOURCE {SOURCE} NAME {NAME} NAME {NAME} SLOTSRANGE 0 0",
        f"SOURCE {SOURCE} NAME",
        f"SOURCE x NAME {NAME} SLOTSRANGE 0 0",
        f"SOURCE {SOURCE} NAME {NAME} SLOTSRANGE 0 0 MORE",
    ],
)
def test_establish_in_another_form_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SyncSlotsError, match="syntax error"):
        parse_establish(words(text))


@pytest.mark.parametrize("outcome", [MigrationOutcome.SUCCESS, MigrationOutcome.FAILED])
def test_finish_is_read_as_it_is_written(outcome: MigrationOutcome) -> None:
    told = SyncSlotsFinish(name=NAME, outcome=outcome, reason="Data was flushed")

    written = format_sync_slots(told)

    state = outcome.value.upper().encode()
    head = [*words(f"{HEAD} FINISH STATE"), state, b"NAME", NAME.encode()]
    assert written == [*head, b"MESSAGE", b"Data was flushed"]
    assert parse_finish(written[3:]) == told


def test_a_replica_hears_of_a_cancelled_import_as_of_one_that_failed() -> None:
    told = SyncSlotsFinish(name=NAME, outcome=MigrationOutcome.CANCELLED)

    assert format_sync_slots(told)[4] == b"FAILED"


@pytest.mark.parametrize(
    "text",
    [
        "STATE",
        f"STATE SUCCESS NAME {NAME} MORE x",
        f"STATE OVER NAME {NAME}",
        "STATE SUCCESS NAME x",
        f"NAME {NAME}",
        "STATE SUCCESS",
    ],
)
def test_finish_in_another_form_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SyncSlotsError, match="syntax error"):
        parse_finish(words(text))


def test_ranges_end_at_the_first_word_that_is_no_number() -> None:
    assert parse_slot_ranges(words("0 0 3 5 NODE x")) == (SLOTS, [b"NODE", b"x"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("NODE x", "No slot ranges specified"),
        ("0", "No end slot for final slot range"),
        ("0 NODE", "Invalid or out of range slot"),
        ("0 16384", "Invalid or out of range slot"),
        ("-1 5", "Invalid or out of range slot"),
        ("5 0", "Start slot number 5 is greater than end slot number 0."),
        ("0 5 5 6", "Slot range 5-6 overlaps with previous range 0-5."),
    ],
)
def test_ranges_that_make_no_sense_are_refused(text: str, error: str) -> None:
    with pytest.raises(SyncSlotsError) as caught:
        parse_slot_ranges(words(text))
    assert str(caught.value) == error


def test_a_file_says_which_imports_are_under_way() -> None:
    entries: list[WritableEntry] = [
        RdbSlotImport(NAME.encode(), ((0, 0), (3, 5))),
        RdbKey(key=b"{06S}k", value=RdbString(b"v")),
    ]

    assert parse_rdb(b"".join(format_rdb(entries, VALKEY_VERSION))) == entries

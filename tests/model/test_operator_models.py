"""The models with operators and returns: verdicts, counts, and what happens in their scopes.

Clauses: SC-P1, SC-P2, SC-P3, SC-P4, SC-P5, SC-P6, SC-P7, SC-P8, EP-P1, EL-P2, HS-P1.
"""

import attrs
import pytest
from click.testing import CliRunner

from model_check import __main__ as cli
from model_check.engine import Limits
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import Crash, Death, Executed, Restart, Streamed
from model_check.models.model import Expected
from model_check.run import Run, check
from reference.core.events import (
    BlacklistExpired,
    ClusterBumpEpoch,
    ClusterFailover,
    ClusterForget,
    ClusterMeet,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ElectionDue,
    ElectionExpired,
    FailUndoAllowed,
    HeartbeatDue,
    ManualFailoverExpired,
    ManualFailoverOffsetReached,
    MeetRepeated,
    PongOverdue,
    ReplicaMigrationDue,
    ReportExpired,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    ManualFailoverStart,
    Meet,
    Ping,
    Pong,
    Update,
)
from reference.core.rules import DIALECTS

TELLING = {HeartbeatDue, Pong}
VOTING = {ElectionDue, ElectionExpired, FailoverAuthRequest, FailoverAuthAck}
FAILING = {PongOverdue, ReportExpired, Fail}


def explored(model: str, dialect: str, *without: str) -> Run:
    return check(
        MODELS[model],
        DIALECTS[dialect],
        MODELS[model].usual_links(DIALECTS[dialect]),
        without=without,
        states_after_violation=2_000_000,
        limits=Limits(seconds=120),
    )


def violated(run: Run) -> dict[str, int]:
    """The violated properties with the length of their shortest story."""
    return {
        result.id: len(result.trace.steps) if result.trace else 0
        for result in run.found.properties
        if result.verdict == "violated"
    }


@pytest.mark.parametrize(
    ("model", "dialect", "counts", "expected"),
    [
        ("role-switch", "redis-7.0", (816, 2_784, 11), {"SC-P6": 3}),
        ("role-switch", "redis-8.0", (609, 2_027, 10), {"SC-P5": 4, "SC-P6": 4}),
        ("role-switch", "valkey-8.1", (511, 1_618, 9), {"SC-P5": 3}),
        ("role-switch", "valkey-9.1", (342, 1_047, 8), {}),
        ("takeover", "redis-7.0", (44_493, 243_446, 17), {"SC-P6": 3}),
        ("takeover", "redis-8.0", (19_285, 96_483, 15), {"SC-P4": 10}),
        ("takeover", "valkey-8.1", (10_486, 54_701, 15), {}),
        ("takeover", "valkey-9.1", (5_702, 27_475, 13), {}),
        ("resharding", "redis-7.0", (11_268, 41_508, 16), {}),
        ("resharding", "redis-8.0", (11_268, 41_508, 16), {}),
        ("resharding", "valkey-8.1", (9_362, 35_009, 16), {}),
        ("resharding", "valkey-9.1", (9_362, 35_009, 16), {}),
        ("observer", "redis-7.0", (182, 445, 9), {}),
        ("observer", "valkey-9.1", (182, 445, 9), {}),
        ("split", "redis-7.0", (45, 104, 7), {}),
        ("split", "valkey-9.1", (40, 92, 6), {}),
        ("replica-migration", "redis-7.0", (2_407, 8_563, 14), {}),
        ("replica-migration", "redis-8.0", (1_608, 5_500, 13), {"SC-P4": 8}),
        ("replica-migration", "valkey-8.1", (1_459, 5_358, 11), {}),
        ("replica-migration", "valkey-9.1", (1_001, 3_459, 11), {}),
        ("meeting", "redis-7.0", (152, 370, 11), {"HS-P1": 9}),
        ("meeting", "redis-8.0", (152, 370, 11), {"HS-P1": 9}),
        ("meeting", "valkey-8.1", (486, 1_336, 13), {}),
        ("meeting", "valkey-9.1", (486, 1_336, 13), {}),
        ("forget", "redis-7.0", (35, 76, 7), {}),
        ("forget", "redis-8.0", (55, 108, 7), {"SC-P2": 4}),
        ("forget", "valkey-8.1", (55, 108, 7), {"SC-P2": 4}),
        ("forget", "valkey-9.1", (55, 108, 7), {"SC-P2": 4}),
        ("manual-failover", "valkey-9.1", (355_880, 1_770_160, 30), {}),
        ("importer-dies", "redis-7.0", (608, 2_010, 10), {"SC-P3": 9}),
        ("importer-dies", "redis-8.0", (608, 2_010, 10), {"SC-P3": 9}),
        ("importer-dies", "valkey-8.1", (144, 394, 9), {}),
        ("importer-dies", "valkey-9.1", (144, 394, 9), {}),
        ("import-election", "redis-7.0", (502, 867, 7), {"SC-P1": 7}),
        ("import-election", "redis-8.0", (502, 867, 7), {"SC-P1": 7}),
        ("import-election", "valkey-8.1", (370, 637, 7), {"SC-P1": 7}),
        ("import-election", "valkey-9.1", (442, 718, 7), {"SC-P1": 7}),
        ("takeover-collision", "redis-7.0", (278, 690, 10), {"SC-P8": 4, "SC-P1": 2}),
        ("takeover-collision", "redis-8.0", (258, 650, 10), {"SC-P8": 4, "SC-P1": 2}),
        ("takeover-collision", "valkey-8.1", (241, 580, 10), {"SC-P8": 4, "SC-P1": 2}),
        ("takeover-collision", "valkey-9.1", (230, 555, 10), {"SC-P8": 4, "SC-P1": 2}),
        ("return", "redis-7.0", (14, 31, 4), {"SC-P7:witness": 0}),
        ("return", "redis-8.0", (18, 41, 5), {}),
        ("return", "valkey-8.1", (12, 26, 4), {"SC-P7": 2}),
        ("return", "valkey-9.1", (12, 26, 4), {"SC-P7": 2}),
        ("dead-epoch", "redis-7.0", (31_248, 164_800, 19), {"EL-P2": 11}),
        ("dead-epoch", "redis-8.0", (31_248, 164_800, 19), {"EL-P2": 11}),
        ("dead-epoch", "valkey-8.1", (12_768, 52_616, 18), {"EL-P2": 11}),
        ("dead-epoch", "valkey-9.1", (12_768, 49_352, 18), {}),
    ],
)
def test_what_is_known_not_to_hold_is_violated_and_nothing_else(
    model: str, dialect: str, counts: tuple[int, int, int], expected: dict[str, int]
) -> None:
    run = explored(model, dialect)

    assert expected == violated(run)
    assert run.surprises == ()
    assert {result.verdict for result in run.found.properties} <= {"holds", "violated"}
    assert counts == (run.found.distinct_states, run.found.transitions, run.found.depth)


@pytest.mark.parametrize(
    ("model", "happens"),
    [
        ("role-switch", {*TELLING, ClusterFailover, Update}),
        ("takeover", {*TELLING, ClusterFailover, Crash, Restart, Update}),
        (
            "resharding",
            {
                *TELLING,
                ClusterSetslotImporting,
                ClusterSetslotMigrating,
                ClusterSetslotNode,
                Crash,
                Restart,
                Update,
            },
        ),
        ("observer", {*TELLING, ClusterBumpEpoch, ClusterSetslotNode, Update}),
        ("replica-migration", {*TELLING, ClusterFailover, ReplicaMigrationDue, Update}),
        ("meeting", {*TELLING, ClusterMeet, Meet, MeetRepeated, Ping}),
        ("forget", {*TELLING, BlacklistExpired, ClusterBumpEpoch, ClusterForget}),
        (
            "manual-failover",
            {
                *TELLING,
                *VOTING,
                *FAILING,
                ClusterFailover,
                FailUndoAllowed,
                ManualFailoverExpired,
                ManualFailoverOffsetReached,
                ManualFailoverStart,
                Ping,
                Update,
            },
        ),
        ("importer-dies", {*TELLING, ClusterSetslotNode, Death, Streamed, Executed, Update}),
        ("import-election", {*TELLING, *VOTING, ClusterSetslotNode, Update}),
        ("takeover-collision", {*TELLING, ClusterBumpEpoch, ClusterFailover, Update}),
        ("dead-epoch", {*TELLING, *FAILING, ClusterBumpEpoch, Death}),
    ],
)
def test_everything_that_a_scope_allows_happens(model: str, happens: set[type]) -> None:
    found = explored(model, "valkey-9.1").found

    assert {type(what) for _, what in (*found.fired, *found.delivered)} == happens


@pytest.mark.parametrize(
    ("model", "without", "expected"),
    [
        ("split", ("collision_resolution",), {"SC-P2": 0}),
        ("observer", ("not_claiming_slots",), {"SC-P2": 6}),
        ("importer-dies", ("setslot_is_replicated",), {"SC-P3"}),
        ("takeover", ("sub_replica_guard_at_role_change",), {"SC-P4"}),
        ("role-switch", ("role_switch_hands_over",), {"SC-P5"}),
        ("role-switch", ("stale_role_switch_is_ignored",), {"SC-P5", "SC-P6"}),
        ("dead-epoch", ("refused_candidate_is_updated",), {"EL-P2"}),
        ("meeting", ("reliable_meet", "meet_is_repeated"), {"HS-P1"}),
        ("meeting", ("reliable_meet",), set()),
        ("meeting", ("meet_is_repeated",), set()),
        ("return", ("only_own_shard_is_followed",), set()),
    ],
)
def test_each_rule_is_there_for_a_reason(
    model: str, without: tuple[str, ...], expected: set[str] | dict[str, int]
) -> None:
    assert set(violated(explored(model, "valkey-9.1", *without))) == set(expected)


def test_every_property_of_a_model_has_a_witness_in_it_or_in_another() -> None:
    ids = {each.id for model in MODELS.values() for each in model.properties}

    claimed = {each.split(":", maxsplit=1)[0] for each in ids}
    assert {each for each in claimed if f"{each}:witness" not in ids} == {"EP-P2"}


def test_expectations_name_properties_and_dialects_that_there_are() -> None:
    for model in MODELS.values():
        for each in model.expected:
            assert each.property_id in {prop.id for prop in model.properties}
            assert set(each.dialects) <= DIALECTS.keys()
            assert each.told


def test_exit_code_is_0_for_an_expected_violation_and_the_reason_is_shown() -> None:
    result = CliRunner().invoke(cli.command, ["importer-dies", "--dialect", "redis-7.0"])

    assert result.exit_code == 0
    assert "violated, as expected (K6, redis#6339; SM-7)  SC-P3" in result.output


def test_exit_code_is_1_if_an_expected_violation_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Expected(property_id="SC-P2", dialects=("redis-7.0",), told="Z1", clause="SC-1")
    model = attrs.evolve(MODELS["split"], expected=(wrong,))
    monkeypatch.setitem(MODELS, "split", model)

    result = CliRunner().invoke(cli.command, ["split", "--dialect", "redis-7.0"])

    assert result.exit_code == 1
    assert "holds, though known not to (Z1; SC-1)  SC-P2" in result.output


def test_with_a_rule_turned_off_nothing_is_missed() -> None:
    run = explored("importer-dies", "redis-7.0", "importing_slots_are_guarded")

    assert run.surprises == ()


def test_other_links_may_hide_what_is_expected() -> None:
    run = check(MODELS["role-switch"], DIALECTS["redis-8.0"], parse_links("held(0)"))

    assert violated(run) == {}
    assert run.surprises == ()

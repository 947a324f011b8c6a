"""`slotproof check --coverage`: which rules, refusals and switches were exercised.

Clauses: EL-1, EL-2, EL-4, EL-25.
"""

import io
import json
import sys
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from rich.console import Console

from model_check import __main__ as cli
from model_check.coverage import Coverage, coverage_as_json, show_coverage, summary
from model_check.coverage.calls import calls_of
from model_check.coverage.exclusions import EXCLUSIONS, KINDS, Exclusion, Kind
from model_check.coverage.switches import decides, read_by
from model_check.coverage.tied import tied_functions
from model_check.coverage.told import known
from model_check.models import MODELS
from model_check.models.cluster import ClusterSystem, ModelMessage, Process
from model_check.run import Run, check
from model_check.system import Move, Step
from reference.core.effects import Refusal
from reference.core.events import ElectionDue
from reference.core.rules import DIALECTS
from reference.core.step import step

RULES = DIALECTS["valkey-9.1"]


def explored(model: str, dialect: str, coverage: Coverage | None) -> Run:
    rules = DIALECTS[dialect]
    watcher = None if coverage is None else coverage.watcher(f"{model} {dialect}")
    return check(MODELS[model], rules, MODELS[model].usual_links(rules), seen_by=watcher)


def two_replicas() -> tuple[ClusterSystem, tuple[Process, ...]]:
    """The voters B and C, and the replicas D and E of A, which has failed."""
    system = ClusterSystem(MODELS["two-replicas"].scope(RULES))
    return system, system.initial()


# Calls


def test_a_rule_that_refuses_is_called_and_does_not_fire() -> None:
    _, (voter, *_) = two_replicas()
    state = voter.state
    assert state is not None

    _, calls = calls_of(lambda: step(state, ElectionDue()))

    told = {call.function.short: call for call in calls}
    assert not told["election.start_election"].fired
    assert told["election.why_no_failover"].refusal is Refusal.NOT_A_REPLICA
    assert told["election.why_no_failover"].fired


def test_a_rule_that_changes_the_state_fires_and_so_do_those_around_it() -> None:
    _, (_, _, replica, _) = two_replicas()
    state = replica.state
    assert state is not None

    (after, _), calls = calls_of(lambda: step(state, ElectionDue()))

    fired = [call.function.short for call in calls if call.fired]
    assert after.election is not None
    assert fired[0] == "step.step"
    assert "election.start_election" in fired
    assert "election.why_no_failover" not in fired


def test_a_profiler_that_was_there_is_there_again() -> None:
    before = sys.getprofile()

    calls_of(lambda: None)

    assert sys.getprofile() is before


def test_every_function_of_the_core_with_a_clause_is_known_by_its_code() -> None:
    found = tied_functions()

    assert {"election.why_no_vote", "state.ClusterState.size"} <= {
        function.short for function in found.values()
    }
    assert {code.co_name for code in found} == {
        function.name.rpartition(".")[2] for function in found.values()
    }


# Switches


def test_a_switch_that_is_read_need_not_decide() -> None:
    system, (voter, *_) = two_replicas()
    _, (_, _, replica, _) = two_replicas()
    request = next(
        send
        for send in system.act(2, replica, Move(ElectionDue(), cost="election")).sends
        if send.dest == 0
    )

    def hear(process: Process) -> Step[Process, ModelMessage] | None:
        return system.receive(0, process, request.message, request.lane)

    read = read_by(hear, voter)
    deciding = {name for name in read if decides(name, hear, voter, hear(voter))}

    assert {"one_vote_per_epoch", "vote_checks_claims", "persist_vote"} <= read
    assert "winner_deletes_keys" not in read
    assert "persist_vote" in deciding
    assert "one_vote_per_epoch" not in deciding


def test_a_dead_process_reads_nothing() -> None:
    dead = Process(state=None, saved=None)

    assert read_by(lambda _: None, dead) == set()
    assert not decides("persist_vote", lambda _: None, dead, None)


# Whole runs


def test_to_be_watched_changes_nothing() -> None:
    plain = explored("replica-migration", "valkey-9.1", None)
    watched = explored("replica-migration", "valkey-9.1", Coverage())

    def told(run: Run) -> tuple[object, ...]:
        found = run.found
        verdicts = tuple((each.id, each.verdict) for each in found.properties)
        return found.distinct_states, found.transitions, found.depth, found.step_calls, verdicts

    assert told(watched) == told(plain)


def test_runs_add_up_and_the_first_is_named() -> None:
    coverage = Coverage()
    explored("split", "redis-7.0", coverage)
    alone = set(coverage.fired)
    explored("meeting", "valkey-9.1", coverage)

    assert coverage.runs == ["split redis-7.0", "meeting valkey-9.1"]
    assert coverage.models == {"split", "meeting"}
    assert alone < coverage.fired.keys()
    assert {coverage.fired[name] for name in alone} == {"split redis-7.0"}
    assert coverage.fired["handshake.start_handshake"] == "meeting valkey-9.1"
    assert coverage.decided.keys() <= coverage.read.keys()
    assert coverage.decided["collision_resolution"] == "split redis-7.0"
    assert coverage.decided["reliable_meet"] == "meeting valkey-9.1"
    assert coverage.happenings["MET"] == "meeting valkey-9.1"


def test_what_was_not_exercised_is_named_unless_it_is_out_of_scope() -> None:
    coverage = Coverage()
    explored("split", "redis-7.0", coverage)
    console = Console(file=io.StringIO(), record=True, width=200)

    show_coverage(coverage, console)

    text = " ".join(console.export_text().split())
    assert "Coverage of 1 runs" in text
    assert "election.grant_vote (EL-4 EL-10 EL-15)" in text
    assert "ALREADY_VOTED" in text
    assert "clients are not modelled: what they are answered changes no node: " in text
    assert "redirection.decide (RD" not in text
    found = summary(coverage, "functions")
    everything = {*found.exercised, *found.excluded, *found.never}
    assert everything == set(known("functions"))
    assert not found.mistaken


def test_an_entry_that_is_exercised_all_the_same_is_a_mistake() -> None:
    coverage = Coverage()
    explored("split", "redis-7.0", coverage)
    wrong = (Exclusion(reason="wrong", functions=("epochs.*",), switches=("persist_vote",)),)

    assert "epochs.merge_epochs" in summary(coverage, "functions", wrong).mistaken
    assert not summary(coverage, "switches", wrong).mistaken


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_out_of_scope_exists_and_has_one_reason(kind: Kind) -> None:
    names = known(kind)
    listed = [name for each in EXCLUSIONS for name in getattr(each, kind)]
    meant = [name for each in EXCLUSIONS for name in each.names(kind, names)]

    assert len(meant) == len(set(meant))
    for name in listed:
        assert name in names or any(n.startswith(name.removesuffix("*")) for n in names), name


def test_json_has_the_coverage_if_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    arguments = ["split", "--dialect", "redis-7.0", "--json", str(file)]

    CliRunner().invoke(cli.command, arguments)
    without = json.loads(file.read_text(encoding="utf-8"))
    result = CliRunner().invoke(cli.command, [*arguments, "--coverage"])
    found = json.loads(file.read_text(encoding="utf-8"))

    assert "coverage" not in without
    assert found["coverage"]["runs"] == ["split redis-7.0"]
    assert found["coverage"]["functions"]["exercised"]["epochs.merge_epochs"] == "split redis-7.0"
    assert "grant_vote" in result.output
    empty = coverage_as_json(attrs.evolve(Coverage()))
    assert empty["refusals"]["exercised"] == {}

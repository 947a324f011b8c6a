"""Whether a failed master is replaced: in which dialects, and how it fails.

Clauses: EL-P4, EL-P5, EL-7, EL-15, EP-6.
"""

import pytest

from model_check.links import parse_links
from model_check.models import MODELS
from model_check.run import Run, check
from model_check.story import tell
from reference.core.rules import DIALECTS


def explored(model: str, dialect: str, *without: str) -> Run:
    return check(MODELS[model], DIALECTS[dialect], parse_links("held(0)"), without=without)


def verdicts(run: Run) -> dict[str, str]:
    return {each.id: each.verdict for each in run.found.properties if each.id.startswith("EL-P")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_whoever_is_known_to_have_failed_is_replaced(dialect: str) -> None:
    assert verdicts(explored("two-replicas", dialect))["EL-P4"] == "holds"
    assert verdicts(explored("failover", dialect))["EL-P5"] == "holds"


def test_who_fails_is_found_to_have_failed_and_replaced() -> None:
    run = explored("replacement", "valkey-9.1")

    assert verdicts(run) == {"EL-P4": "holds", "EL-P4:witness": "holds"}
    assert (run.found.distinct_states, run.found.transitions) == (411_169, 1_584_990)


def test_voters_that_know_a_newer_epoch_of_the_dead_refuse_for_ever() -> None:
    run = explored("refused-for-ever", "valkey-8.1")

    trace = next(each.trace for each in run.found.properties if each.id == "EL-P5")
    assert trace is not None
    told = [line.what for line in tell(trace, run.system.processes)]
    refused = "refused D: a claimed slot has an owner with a newer configEpoch"
    assert sum(refused in what for what in told) == 2
    assert not any(
        "AUTH_REQUEST" in what and "is lost" in what for what in told if "to A" not in what
    )
    assert trace.loop == 0
    assert run.surprises == ()


def test_they_tell_the_candidate_in_the_newest_release() -> None:
    run = explored("refused-for-ever", "valkey-9.1")

    assert verdicts(run) == {"EL-P5": "holds", "EL-P5:witness": "holds"}
    assert (run.found.distinct_states, run.found.transitions) == (342_188, 1_429_880)


@pytest.mark.parametrize(
    ("model", "rule", "broken", "steps"),
    [
        ("refused-for-ever", "refused_candidate_is_updated", "EL-P5", 15),
        ("two-replicas", "merge_current_epoch", "EL-P4", 10),
        ("failover", "merge_current_epoch", "EL-P5", 12),
    ],
)
def test_without_a_rule_it_is_not(model: str, rule: str, broken: str, steps: int) -> None:
    run = explored(model, "valkey-9.1", rule)

    found = {each.id: each for each in run.found.properties}[broken]
    assert found.verdict == "violated"
    assert found.trace is not None
    assert len(found.trace.steps) - found.trace.loop == steps

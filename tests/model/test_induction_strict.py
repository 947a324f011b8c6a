"""The proof of `strict`: with fewer assumptions, what it needs, and that it is about the real core.

Clauses: EL-P1, SC-P1, EP-P1, EP-P2, EP-13, EP-14, EL-27, SC-35.
"""

import attrs
import pytest

from model_check.induction.confirm import HUNTS, confirm, hunt_for
from model_check.induction.reading import Reading
from model_check.induction.start import starts
from model_check.induction.telling import told_of
from model_check.induction.witnesses import witnesses
from model_check.models import MODELS
from model_check.models.cluster import ClusterSystem
from reference.core.rules import STRICT
from tests.model.proofs import (
    Judge,
    Sent,
    counterexample,
    judged_on_walks,
    refuted,
    run,
    strict,
    walks,
)


def test_strict_is_safe_without_the_assumptions_of_the_releases() -> None:
    setting = strict()

    assert (setting.bumps, setting.marks, setting.hearsay) == (True, True, True)
    assert refuted(setting) == {}


@pytest.mark.parametrize(
    ("without", "only", "broken"),
    [
        (
            "unique_epochs",
            None,
            {
                *("one-winner", "exclusive-claim", "one-holder", "given-by-election"),
                *("no-collision", "masters-have-one", "masters-have-one-saved"),
            },
        ),
        ("learnt_epoch_is_saved", "survival", {"current-saved"}),
        ("demoted_keep_no_slots", "epochs", {"recorded-rises"}),
        ("binding_clears_not_claiming", "slots", {"own-not-marked"}),
        ("one_vote_per_epoch", "one-vote", {"one-vote"}),
        ("vote_checks_request_epoch", "vote-not-ahead", {"vote-not-ahead"}),
        ("majority_wins", "one-winner-of-round", {"one-winner-of-round"}),
    ],
)
def test_each_rule_that_strict_rests_on(without: str, only: str | None, broken: set[str]) -> None:
    asked = () if only is None else (only,)

    assert refuted(strict(without), *asked).keys() == broken


def test_strict_rests_on_none_of_these() -> None:
    left_out = ("updates_add_slots", "reset_owners_take_back", "collision_resolution")

    assert refuted(strict(*left_out)) == {}


def test_in_strict_only_one_winner_of_a_round_rests_on_who_counts_whom() -> None:
    assert refuted(strict(dropped=("views",)), "votes") == {"one-winner-of-round": {"win_election"}}


def test_it_is_told_whose_an_epoch_is_and_which_are_of_one_round() -> None:
    found = counterexample(strict("one_vote_per_epoch"), "one-vote", "grant_vote")
    tables = {
        **found.before.tables,
        "takes": {**found.before.tables["takes"], (2, 1): 1},
        "same_round": {**found.before.tables["same_round"], (0, 1): 1, (1, 0): 1},
    }
    before = attrs.evolve(found.before, tables=tables)

    facts = told_of(attrs.evolve(found, before=before)).facts

    assert "epoch 1 is one that only C takes" in facts
    assert "epochs 0 and 1 are of one round" in facts


def test_the_proof_of_strict_is_not_about_nothing() -> None:
    found = witnesses(strict(), seconds=60)

    assert [each.verdict for each in found] == ["holds"] * 3
    assert found[2].text == "each of 28 actions can happen"


@pytest.mark.parametrize(
    ("model", "winners"),
    [("two-replicas", 1), ("takeover-and-crash", 0), ("resharding", 0)],
)
def test_the_states_of_strict_satisfy_its_invariant_also_without_a_vote(
    model: str, winners: int
) -> None:
    setting = strict()
    system = ClusterSystem(MODELS[model].scope(setting.rules))
    assert starts(setting, Reading(system).structure(system.initial(), Sent()).world())

    judge, broken = judged_on_walks(model, setting, count=10)

    assert broken == set()
    assert judge.states > 300
    assert max(judge.winners) == winners


@pytest.mark.parametrize(
    ("model", "without", "broken"),
    [
        ("takeover-and-crash", "learnt_epoch_is_saved", "current-saved"),
        ("takeover-collision", "unique_epochs", "exclusive-claim"),
    ],
)
def test_the_real_core_of_strict_without_a_rule_breaks_it(
    model: str, without: str, broken: str
) -> None:
    """By the invariant with the rule on, as far as the rules decide what is part of it."""
    system = ClusterSystem(MODELS[model].scope(STRICT.without(without)))
    reading, judge, found = Reading(system), Judge(strict()), set[str]()
    for nodes, sent in walks(system, count=10, steps=2000):
        found |= judge.broken(reading.structure(nodes, sent))

    assert broken in found


@pytest.mark.parametrize(
    ("without", "property_id", "steps"),
    [
        ("unique_epochs", "EL-P1", 8),
        ("unique_epochs", "SC-P1", 2),
        ("learnt_epoch_is_saved", "EP-P2", 2),
        ("one_vote_per_epoch", "EL-P1:round", 12),
    ],
)
def test_the_explicit_checker_finds_a_story_in_strict(
    without: str, property_id: str, steps: int
) -> None:
    setting = strict(without)
    hunt = hunt_for(setting, property_id)
    assert hunt is not None

    found = confirm(setting, property_id, hunt)

    assert found is not None
    assert found.steps == steps


def test_in_strict_no_round_has_two_winners() -> None:
    found = confirm(strict(), "EL-P1:round", HUNTS["one_vote_per_epoch"])

    assert found is not None
    assert found.run.found.verdict == "holds"


def test_strict_is_proved_and_says_what_remains_to_be_assumed() -> None:
    result = run("--dialect", "strict")
    words = " ".join(result.output.split())

    assert result.exit_code == 0, result.output
    assert result.output.count("proved") == 6
    assert "although a node may take a configEpoch without a vote" in words
    assert "assuming (for EL-P1:round alone) any two majorities" in words
    assert "assuming no two names have the same 30 bits of CRC-32" in words


def test_a_rule_of_strict_that_the_proof_has_not_is_refused_by_name() -> None:
    result = run("--dialect", "strict", "--without", "meet_introduces")

    assert result.exit_code == 2
    assert "meet_introduces is not modelled by the proof: handshakes" in result.output

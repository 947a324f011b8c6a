"""The proof where nodes come, go, and differ in their rules.

Clauses: EL-P1, SC-P1, EP-P1, EP-13, NO-1, CM-32, CM-34.
"""

import attrs
import pytest

from model_check.induction.conditions import Condition, Prover
from model_check.induction.confirm import confirm, hunt_for
from model_check.induction.invariant import EPOCHS
from model_check.induction.membership import MEMBERSHIP
from model_check.induction.setting import MIXES, Setting, mixed, mixed_of_releases
from model_check.induction.telling import told_of
from tests.model.proofs import LATE, counterexample, judged_on_walks, our, refuted, run, strict

ALL_MIXED = ("config_epoch_from_replicas", *MIXES[0])


def test_what_is_forgotten_may_be_recorded_anew_and_older() -> None:
    """The claim that recorded epochs rise has to leave it out, or it would not be inductive."""
    setting = our("valkey-9.1")
    rises = next(each for each in EPOCHS.steps if each.name == "recorded-rises")
    prover = Prover(setting, seconds=60)
    answers = {
        (action.name, forgets): prover.ask(
            Condition(EPOCHS, rises, attrs.evolve(action, forgets=forgets))
        ).answer
        for action in MEMBERSHIP
        if action.name in {"forget", "reset"}
        for forgets in {action.forgets, 0}
    }

    assert answers == {
        ("forget", 2): "proved",
        ("forget", 0): "refuted",
        ("reset", 1): "proved",
        ("reset", 0): "refuted",
    }


def test_who_is_reset_hard_has_to_have_a_new_name() -> None:
    broken = ("vote-remembered", "vote-saved", "vote-rises", "current-rises")

    found = refuted(our("valkey-9.1", dropped=("names",)), *broken)

    assert found == {name: {"reset (hard, same name)"} for name in broken}


def test_a_vote_that_is_forgotten_may_be_given_again() -> None:
    setting = our("valkey-9.1", dropped=("names",))
    told = told_of(counterexample(setting, "vote-remembered", "reset (hard, same name)"))

    assert told.step == "B is reset hard and keeps its name"
    assert told.facts == ("B voted for A in epoch 1",)
    assert "B: lastVoteEpoch 1 -> 0" in told.changes
    assert "B: role replica -> master, alone" in told.changes


@pytest.mark.parametrize(
    "setting", [our("redis-7.0", dropped=("numbers",)), strict(dropped=("numbers",))]
)
def test_numbers_that_are_given_by_hand_have_to_be_those_of_the_start(setting: Setting) -> None:
    found = refuted(setting, "one-holder", "start-known")

    assert found == {
        "one-holder": {"set_config_epoch"},
        "start-known": {"join", "join (replica)"},
    }


@pytest.mark.parametrize(
    ("dropped", "property_id", "steps"),
    [("numbers", "SC-P1", 2), ("names", "EP-P1", 1), ("names", "EL-P1", 16)],
)
def test_the_explicit_checker_finds_a_story_of_each(
    dropped: str, property_id: str, steps: int
) -> None:
    setting = our("valkey-9.1", dropped=(dropped,))
    hunt = hunt_for(setting, property_id)
    assert hunt is not None

    found = confirm(setting, property_id, hunt)

    assert found is not None
    assert found.steps == steps


def test_in_strict_a_voter_that_keeps_its_name_elects_two_of_one_round() -> None:
    """Each in an epoch of its own, so that EL-P1 holds."""
    setting = strict(dropped=("names",))
    found = {
        name: confirm(setting, name, hunt)
        for name in ("EL-P1", "EL-P1:round")
        if (hunt := hunt_for(setting, name))
    }

    assert {name: each.steps for name, each in found.items() if each} == {
        "EL-P1": None,
        "EL-P1:round": 16,
    }


@pytest.mark.parametrize("model", ["forget", "reset"])
def test_the_states_of_who_forgets_and_is_reset_satisfy_the_invariant(model: str) -> None:
    judge, broken = judged_on_walks(model, strict(), count=10)

    assert broken == set()
    assert judge.states > 50


# Nodes that differ in their rules.


@pytest.mark.parametrize("apart", MIXES)
def test_nodes_of_several_dialects_are_safe_for_any_size(apart: tuple[str, ...]) -> None:
    assert refuted(mixed_of_releases(apart)) == {}


def test_whose_epochs_replicas_tell_has_to_be_common_where_nodes_are_told_their_own() -> None:
    """A replica's header has its master's epoch, and the replica might be told it as its own."""
    assert refuted(mixed_of_releases(ALL_MIXED)) == {"told-is-true": {"announce (replica)"}}


def test_the_explicit_checker_finds_how_a_node_is_told_its_masters_epoch_as_its_own() -> None:
    setting = mixed(our("valkey-9.1"), ("config_epoch_from_replicas",))
    hunt = hunt_for(setting, "SC-P1")
    assert hunt is not None

    found = confirm(setting, "SC-P1", hunt)

    assert found is not None
    assert (hunt.model.name, found.steps) == ("one-redis", 15)


@pytest.mark.parametrize(
    ("apart", "broken"),
    [
        (("unique_epochs",), {"own-running", "exclusive-claim", "one-holder", "given-is-own"}),
        (("learnt_epoch_is_saved",), {"current-saved"}),
        (("demoted_keep_no_slots",), {"recorded-rises"}),
        (("binding_clears_not_claiming",), {"own-not-marked"}),
        (("not_claiming_slots", "reset_owners_take_back", "refused_candidate_is_updated",
          "updates_add_slots"), set()),
    ],
)  # fmt: skip
def test_what_strict_nodes_have_to_have_in_common(apart: tuple[str, ...], broken: set[str]) -> None:
    """Where something breaks it is asked of no more than that."""
    assert refuted(mixed(strict(), apart), *broken).keys() == broken


def test_two_nodes_take_one_epoch_if_one_of_them_takes_any() -> None:
    setting = mixed(strict(), ("unique_epochs",))
    told = told_of(counterexample(setting, "own-running", "start_election"))

    assert told.step.startswith("A stands for election")
    assert "A has unique_epochs" not in told.facts


def test_the_command_mixes_rules_and_says_so() -> None:
    result = run("--dialect", "valkey-9.1", "--without", LATE, "--mixed", "not_claiming_slots")

    assert result.exit_code == 0, result.output
    assert "although nodes may differ in not_claiming_slots" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--mixed", "persist_vote"), "'persist_vote' is not one of"),
        (("--dialect", "redis-7.0", "--mixed", "unique_epochs"), "where it is on: in strict"),
    ],
)
def test_rules_that_cannot_be_mixed_are_refused_by_name(
    arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert complaint in result.output

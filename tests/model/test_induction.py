"""The proof for any size: what it needs, what breaks it, and that it is about the real core.

Clauses: EL-P1, SC-P1, EP-P1, EL-4, EL-5, EL-9, EL-12, EL-21, MO-3, SC-1, EP-2.
"""

from importlib.util import find_spec

import pytest

from model_check.induction import command as cli
from model_check.induction.actions import actions_of
from model_check.induction.conditions import conditions_of
from model_check.induction.confirm import confirm, hunt_for
from model_check.induction.invariant import PROPERTIES
from model_check.induction.reading import Reading
from model_check.induction.setting import FREE, MODELLED, OUTSIDE, setting_of
from model_check.induction.start import starts
from model_check.induction.telling import told_of
from model_check.induction.witnesses import witnesses
from model_check.models import MODELS
from model_check.models.cluster import ClusterSystem
from reference.core.rules import DIALECTS, RELEASES, SWITCHES
from tests.model.proofs import LATE, Sent, counterexample, judged_on_walks, our, refuted, run
from tests.traceability import ROOT


@pytest.mark.parametrize("dialect", RELEASES)
def test_the_rules_of_our_node_are_safe_for_any_size(dialect: str) -> None:
    assert refuted(our(dialect)) == {}


@pytest.mark.parametrize(
    ("without", "broken"),
    [
        ("persist_vote", {"vote-saved", "vote-survives"}),
        ("one_vote_per_epoch", {"one-vote"}),
        ("vote_checks_request_epoch", {"vote-not-ahead"}),
        ("majority_wins", {"one-winner", "elected-by-majority"}),
        (
            "save_before_send",
            {"vote-saved", "stood-saved", "vote-survives", "master-survives", "owned-is-saved"},
        ),
        ("claims_need_newer_epoch", {"newest-claim-kept", "newest-claim-saved"}),
        ("config_epoch_only_rises", {"recorded-rises"}),
    ],
)
def test_each_rule_that_safety_rests_on(without: str, broken: set[str]) -> None:
    assert refuted(our("valkey-9.1", without)).keys() == broken


@pytest.mark.parametrize(
    ("dialect", "without"),
    [
        ("redis-7.0", "merge_current_epoch"),
        ("redis-7.0", "config_epoch_from_replicas"),
        ("valkey-9.1", "collision_resolution"),
        ("valkey-9.1", "refused_candidate_is_updated"),
        ("valkey-9.1", "binding_clears_not_claiming"),
        ("valkey-9.1", "not_claiming_slots"),
    ],
)
def test_each_rule_that_safety_does_not_rest_on(dialect: str, without: str) -> None:
    assert refuted(our(dialect, without)) == {}


def test_epochs_rest_on_merging_where_a_node_is_told_its_own_epoch() -> None:
    assert refuted(our("valkey-9.1", "merge_current_epoch")) == {
        "config-known": {"learn_update"},
        "config-known-saved": {"learn_update"},
    }


@pytest.mark.parametrize("dialect", ["redis-7.0", "valkey-9.1"])
def test_late_votes_break_elections_in_every_release(dialect: str) -> None:
    assert refuted(setting_of(DIALECTS[dialect], ())) == {"counted-were-given": {"start_election"}}


@pytest.mark.parametrize(
    ("dialect", "dropped", "without", "broken"),
    [
        ("valkey-9.1", "bumps", (), {"exclusive-claim", "one-holder", "given-by-election"}),
        ("valkey-9.1", "views", (), {"one-winner"}),
        ("valkey-9.1", "hearsay", (), {"recorded-rises"}),
        ("valkey-9.1", "marks", (), set()),
        ("redis-7.0", "marks", (), {"own-not-marked"}),
        ("valkey-9.1", "marks", ("binding_clears_not_claiming",), {"own-not-marked"}),
        ("redis-7.0", "marks", ("not_claiming_slots",), set()),
    ],
)
def test_each_assumption_is_needed_or_not(
    dialect: str, dropped: str, without: tuple[str, ...], broken: set[str]
) -> None:
    found = refuted(our(dialect, *without, dropped=(dropped,)))

    assert broken <= found.keys()
    assert bool(broken) == bool(found)


def test_every_switch_has_its_place() -> None:
    placed = [*MODELLED, *FREE, *OUTSIDE]

    assert len(placed) == len(set(placed))
    assert set(placed) <= set(SWITCHES)


def test_a_switch_that_changes_nothing_leaves_the_conditions_as_they_are() -> None:
    on = our("valkey-9.1")
    for name in FREE:
        if getattr(on.rules, name):
            off = our("valkey-9.1", name)
            assert actions_of(off) == actions_of(on)
            assert list(conditions_of(off)) == list(conditions_of(on))


def test_the_smallest_counterexample_is_told_with_its_step() -> None:
    told = told_of(counterexample(our("valkey-9.1", "persist_vote"), "vote-saved", "grant_vote"))

    assert told.size == "2 nodes, epochs 0 to 1; the only majority is {B}"
    assert told.step == "A votes for B, which asked for election 1"
    assert "A: lastVoteEpoch 0 -> 1 (saved 0)" in told.changes
    assert "A voted for B in epoch 1" in told.changes
    assert told.broken.startswith("No vote is of a round later than the last_vote_epoch that")


def test_a_late_vote_is_counted_in_an_election_it_was_not_given_in() -> None:
    setting = setting_of(DIALECTS["redis-7.0"], ())
    told = told_of(counterexample(setting, "counted-were-given", "start_election"))

    assert told.rows[1][-1] == "gave 1 up, late votes of B"
    assert told.step == "A stands for election 2"
    assert "A: election gave 1 up, late votes of B -> 2, votes of B" in told.changes


def test_a_bump_takes_an_epoch_that_another_was_elected_with() -> None:
    setting = our("valkey-9.1", dropped=("bumps",))
    told = told_of(counterexample(setting, "exclusive-claim", "bump_epoch_without_consensus"))

    assert told.step == "A takes configEpoch 2 without a vote"
    assert any(fact.startswith("B won election 2") for fact in told.facts)


def test_a_counterexample_needs_no_fewer_nodes() -> None:
    found = counterexample(our("valkey-9.1", "one_vote_per_epoch"), "one-vote", "grant_vote")

    assert found.before.sizes["node"] == 3
    assert len({*found.parameters[:2], found.at[1], found.at[2]}) == 3


@pytest.mark.parametrize("dialect", ["redis-7.0", "valkey-9.1"])
def test_the_proof_is_not_about_nothing(dialect: str) -> None:
    found = witnesses(our(dialect), seconds=60)

    assert [each.verdict for each in found] == ["holds"] * 3
    assert "resolve_collision cannot" in found[2].text


@pytest.mark.parametrize("dialect", ["redis-7.0", "valkey-9.1"])
@pytest.mark.parametrize("model", ["two-replicas", "failover"])
def test_the_states_that_the_real_core_reaches_satisfy_the_invariant(
    dialect: str, model: str
) -> None:
    judge, broken = judged_on_walks(model, our(dialect), count=20)

    assert broken == set()
    assert judge.states > 1000
    assert len(judge.distinct) > 30
    assert max(judge.winners) > 0


@pytest.mark.parametrize(
    ("without", "broken"),
    [("persist_vote", "vote-saved"), ("one_vote_per_epoch", "one-vote")],
)
def test_the_real_core_without_a_rule_breaks_the_invariant(without: str, broken: str) -> None:
    _, found = judged_on_walks("two-replicas", our("valkey-9.1", without), count=10)

    assert broken in found


def test_models_start_as_the_proof_does() -> None:
    setting = our("valkey-9.1")
    for model in ("two-replicas", "failover"):
        system = ClusterSystem(MODELS[model].scope(setting.rules))
        structure = Reading(system).structure(system.initial(), Sent())
        assert starts(setting, structure.world())


def test_exit_code_is_0_if_all_is_proved() -> None:
    result = run("--dialect", "valkey-9.1", "--without", LATE)

    assert result.exit_code == 0, result.output
    assert "assuming any two majorities that nodes count share a voter" in result.output
    assert result.output.count("proved") == 4


def test_exit_code_is_1_with_the_counterexample_and_the_model_that_has_a_story() -> None:
    result = run("--dialect", "redis-7.0")

    assert result.exit_code == 1
    assert "not inductive EL-P1" in result.output
    assert "counted-were-given: start_election" in result.output
    assert "slotproof check late-votes --dialect redis-7.0" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--without", "no_such_rule"), "'no_such_rule' is not one of"),
        (("--without", "reliable_meet"), "reliable_meet is not modelled by the proof: handshakes"),
        (
            ("--dialect", "valkey-9.1", "--without", "vote_cooldown"),
            "vote_cooldown is off in valkey-9.1 already",
        ),
        (("--limit-seconds", "0"), "0.0 is not in the range"),
    ],
)
def test_exit_code_is_2_if_the_command_line_is_wrong(
    arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert complaint in result.output


def test_without_z3_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = find_spec
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "z3" else real(name))

    result = run()

    assert result.exit_code == 2
    assert "pip install 'slotproof[prove]'" in result.output


def test_exit_code_is_3_if_z3_gives_no_answer_in_time() -> None:
    result = run("--dialect", "valkey-9.1", "--without", LATE, "--limit-seconds", "0.001")

    assert result.exit_code == 3
    assert "this is no pass" in result.output


def test_the_invariant_is_printed_in_words() -> None:
    result = run("--invariant")

    assert result.exit_code == 0
    assert "A voter's votes of one epoch all went to the same candidate." in result.output


@pytest.mark.parametrize(
    ("without", "property_id", "steps"),
    [
        ("persist_vote", "EL-P1", 16),
        ("one_vote_per_epoch", "EL-P1", 12),
        ("claims_need_newer_epoch", "SC-P1:kept", 1),
    ],
)
def test_the_explicit_checker_finds_a_story(without: str, property_id: str, steps: int) -> None:
    setting = our("valkey-9.1", without)
    hunt = hunt_for(setting, property_id)
    assert hunt is not None

    found = confirm(setting, property_id, hunt)

    assert found is not None
    assert found.steps == steps


def test_a_bump_has_a_story() -> None:
    setting = our("valkey-9.1", dropped=("bumps",))
    hunt = hunt_for(setting, "SC-P1")
    assert hunt is not None

    found = confirm(setting, "SC-P1", hunt)

    assert found is not None
    assert found.steps == 1


def test_the_specification_has_the_invariant_in_the_same_words() -> None:
    chapter = (ROOT / "spec" / "20-properties.md").read_text(encoding="utf-8")
    words = " ".join(chapter.split())

    groups = dict.fromkeys(group for prop in PROPERTIES for group in prop.group.all_groups())
    parts = [(each.name, each.words) for group in groups for each in group.conjuncts]
    parts += [(each.name, each.words) for group in groups for each in group.steps]
    missing = [name for name, said in parts if f"- `{name}`: {said}" not in words]
    assert missing == []

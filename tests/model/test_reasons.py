"""Why a story breaks a property: the clause with its text, the rule, the step and the function.

Clauses: EL-4, EL-7, EL-9, EL-10, EL-12, EP-1, EP-4.
"""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import attrs
import pytest
from rich.console import Console

from model_check.applied import applied
from model_check.audit import breaches
from model_check.engine import Limits, explore
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import system_of
from model_check.properties import Invariant
from model_check.reasons import clauses, decisive_steps, reasons, words
from model_check.replay import replay
from model_check.report import show
from model_check.run import Run, check
from model_check.shrink_memory import Remembered
from model_check.story_files import read_story
from model_check.trace import Trace, TraceStep
from reference.core.effects import Happening, Notice
from reference.core.rules import DIALECTS

ROOT = Path(__file__).parents[2]
STORIES = ROOT / "tests" / "scenarios" / "stories"
RULES = DIALECTS["valkey-9.1"]


def alone(model: str, *without: str, links: str = "held(0)", only: str = "") -> Run:
    asked = MODELS[model]
    if only:
        wanted = tuple(each for each in asked.properties if each.id == only)
        asked = attrs.evolve(asked, properties=wanted)
    return check(asked, RULES, parse_links(links), without=without)


def asked_of(model: str, dialect: str, links: str) -> Iterator[TraceStep]:
    """Every distinct step of a node in the whole scope."""
    heard = Remembered(system_of(MODELS[model].scope(DIALECTS[dialect])))
    explore(heard, parse_links(links), (), Limits())
    return heard.steps()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("model", ["claims", "takeover", "replica-migration", "dead-epoch"])
def test_no_step_of_the_core_as_it_is_breaks_a_rule(model: str, dialect: str) -> None:
    found = [breaches(step, DIALECTS[dialect]) for step in asked_of(model, dialect, "held(0)")]

    assert len(found) > 50
    assert not any(found)


def test_story_of_a_forgotten_vote_names_the_clauses_the_steps_and_the_functions() -> None:
    run = alone("two-replicas", "persist_vote", only="EL-P1")
    (result,) = run.found.properties
    assert result.trace is not None

    why = reasons(run, ["EL-P1"], result.trace)

    assert [clause.clause_id for clause in why.clauses] == ["EL-P1"]
    assert [(each.step, each.who) for each in why.decisive] == [(6, "D"), (16, "E")]
    assert "win_election_if_quorum" in {rule.name for each in why.decisive for rule in each.rules}
    saved, vote = why.not_kept
    assert (saved.step, saved.who, saved.clause.clause_id) == (2, "B", "EL-10")
    assert saved.what == "saves last_vote_epoch 0, and has voted in epoch 4"
    assert (vote.step, vote.who, vote.clause.clause_id, vote.again) == (12, "B", "EL-9", (13,))
    assert vote.what == (
        "votes in epoch 4: its vote of step 2 is forgotten since it crashed in step 7"
    )
    assert [clause.clause_id for clause in why.turned_off] == ["EL-9"]


def test_table_of_a_clause_is_left_out_of_its_words() -> None:
    said = words(clauses()["SC-22"])

    assert said.startswith("An open slot that a claim takes SHOULD stay open only while")
    assert "|" not in said


def test_place_of_a_rule_is_the_line_of_its_name() -> None:
    story = read_story((STORIES / "two-replicas-valkey-9.1-EL-P1.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    rules = [each.rule for each in applied(system, done.trace.steps[1])]

    assert {"grant_vote", "why_no_vote", "merge_epochs"} <= {rule.name for rule in rules}
    for rule in rules:
        file, line = rule.place.split(":")
        assert f"def {rule.name}(" in (ROOT / file).read_text().splitlines()[int(line) - 1]


def test_step_that_tells_is_told_apart_from_the_steps_that_it_calls() -> None:
    story = read_story((STORIES / "two-replicas-valkey-9.1-EL-P1.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    told = {
        each.rule.name: [note.what for note in each.told]
        for each in applied(system, done.trace.steps[5])
    }

    assert told["win_election_if_quorum"] == [Happening.WON_ELECTION]
    assert told["count_vote"] == [Happening.COUNTED_VOTE]
    assert not told["replace_master"]
    assert applied(system, done.trace.steps[3]) == ()


@pytest.mark.parametrize(
    "name", ["takeover-collision-redis-7.0-SC-P8", "import-election-valkey-9.1-SC-P1"]
)
def test_each_notice_of_a_step_is_told_by_one_rule(name: str) -> None:
    story = read_story((STORIES / f"{name}.json").read_text())
    done = replay(story)
    system = system_of(story.model.scope(story.rules.without(*story.without)))

    for step in done.trace.steps:
        told = [note for each in applied(system, step) for note in each.told]
        notices = [note for note in step.notes if isinstance(note, Notice)]
        assert sorted(map(str, told)) == sorted(map(str, notices))


def test_decisive_steps_are_those_without_which_the_property_holds() -> None:
    steps = tuple(
        TraceStep(kind="move", process=process, before=before, after=after)
        for process, before, after in ((0, 0, 1), (1, 0, 5), (0, 1, 2), (2, 0, 1), (1, 5, 1))
    )
    trace = Trace(initial=(0, 0, 0), initial_messages=(), steps=steps)
    sums = Invariant[int](
        id="sum", project=lambda _, state: state, judge=lambda all_: sum(all_) < 4
    )
    some = Invariant[int](id="p", project=lambda _, state: state, judge=lambda all_: all_[0] != 2)

    assert decisive_steps(sums, trace) == [3, 4, 5]
    assert decisive_steps(some, trace) == [3, 5]


@pytest.mark.parametrize(
    ("switch", "clause_id"),
    [
        ("one_vote_per_epoch", "EL-4"),
        ("majority_wins", "EL-12"),
        ("merge_current_epoch", "EP-1"),
        ("vote_checks_claims", "EL-7"),
    ],
)
def test_check_says_which_rule_is_not_kept(switch: str, clause_id: str) -> None:
    run = alone("two-replicas", switch)
    told = StringIO()

    show(run, Console(width=100, file=told))

    text = told.getvalue()
    assert f"not kept  {clause_id} {clauses()[clause_id].title} (spec/" in text
    assert clause_id in {each.breach.clause_id for each in run.strays}
    assert "reference/core/" in text


def test_check_of_the_core_as_it_is_has_nothing_to_say_of_rules() -> None:
    assert alone("two-replicas").strays == ()
    assert alone("claims").strays == ()


def test_rule_that_is_known_to_let_it_happen_is_named() -> None:
    run = alone("takeover-collision", only="SC-P8")
    (result,) = run.found.properties
    assert result.trace is not None

    why = reasons(run, ["SC-P8"], result.trace)

    assert [clause.clause_id for clause in why.allowed_by] == ["EP-4"]
    assert why.not_kept == ()

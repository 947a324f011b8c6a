"""The models of elections and claims: each property fails without some rule.

Clauses: EL-P1, SC-P1, EP-P1, EP-P2, MO-3, MO-4, MO-5, EL-21.
"""

import pytest

from model_check.engine import Limits
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.run import Run, check
from model_check.story import tell
from reference.core.rules import DIALECTS, RELEASES


def explored(model: str, dialect: str, links: str, *without: str, further: int = 0) -> Run:
    return check(
        MODELS[model],
        DIALECTS[dialect],
        parse_links(links),
        without=without,
        states_after_violation=further,
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
    ("model", "dialect", "links", "counts"),
    [
        ("claims", "redis-7.0", "held(1)", (22_935, 100_062, 15)),
        ("claims", "valkey-9.1", "held(1)", (5_452, 19_676, 14)),
        ("claims", "valkey-9.1", "fifo(1)", (143_650, 811_152, 28)),
        ("two-replicas", "valkey-9.1", "held(0)", (38_631, 151_030, 23)),
    ],
)
def test_all_properties_hold_in_the_whole_scope(
    model: str, dialect: str, links: str, counts: tuple[int, int, int]
) -> None:
    run = explored(model, dialect, links)

    assert run.verdict == "holds"
    assert {result.verdict for result in run.found.properties} == {"holds"}
    assert counts == (run.found.distinct_states, run.found.transitions, run.found.depth)


def test_a_step_of_the_core_serves_a_hundred_transitions() -> None:
    run = explored("two-replicas", "redis-7.0", "held(0)")

    assert run.found.step_calls * 100 <= run.found.transitions


@pytest.mark.parametrize("dialect", RELEASES)
@pytest.mark.parametrize(
    ("model", "links", "without", "expected"),
    [
        # What the servers do is not enough for these: findings, told in chapter 20.
        ("take-back", "held(1)", (), {"SC-P1": 1, "SC-P8": 3}),
        ("learnt-epoch", "held(0)", (), {"EP-P2": 2}),
        # Each rule is there for a reason.
        ("two-replicas", "held(0)", ("persist_vote",), {"EL-P1": 16, "SC-P1": 16, "EP-P1": 6}),
        ("two-replicas", "held(0)", ("save_before_send",), {"EL-P1": 16, "SC-P1": 16, "EP-P1": 6}),
        ("two-replicas", "held(0)", ("one_vote_per_epoch",), {"EL-P1": 12, "SC-P1": 12}),
        ("two-replicas", "held(0)", ("majority_wins",), {"EL-P1": 10, "SC-P1": 10}),
    ],
)
def test_a_broken_rule_has_a_shortest_story(
    dialect: str, model: str, links: str, without: tuple[str, ...], expected: dict[str, int]
) -> None:
    run = explored(model, dialect, links, *without, further=1_000_000)

    assert expected == violated(run)


def test_two_late_votes_make_two_winners_in_a_release() -> None:
    run = explored("late-votes", "valkey-9.1", "held(2)")

    assert violated(run) == {"EL-P1": 16}


@pytest.mark.parametrize(
    ("dialect", "without", "expected"),
    [
        ("redis-7.0", "collision_moves_smaller_id_only", {"SC-P1": 1}),
        ("valkey-9.1", "collision_moves_smaller_id_only", {"SC-P1": 1}),
        ("redis-7.0", "config_epoch_only_rises", {"EP-P1": 2}),
        ("valkey-9.1", "config_epoch_only_rises", {"EP-P1": 7}),
        ("valkey-9.1", "stale_role_switch_is_ignored", {"EP-P1": 6}),
    ],
)
def test_a_broken_rule_of_claims_has_a_shortest_story(
    dialect: str, without: str, expected: dict[str, int]
) -> None:
    run = explored("claims", dialect, "held(1)", without)

    assert expected == violated(run)


def test_the_lost_vote_is_told_in_the_words_of_the_protocol() -> None:
    run = explored("two-replicas", "valkey-9.1", "held(0)", "persist_vote", further=1_000_000)

    trace = next(result.trace for result in run.found.properties if result.id == "EL-P1")
    assert trace is not None
    story = tell(trace, run.system.processes)
    told = [f"{line.who} {line.what}" for line in story]
    assert told[0] == "D its election delay is over: started an election for epoch 4"
    assert "B CRASHES: what was not saved is gone" in told
    assert story[6].changes == ("not saved: last_vote_epoch 0 -> 4",)
    assert told[5].endswith("won the election of epoch 4 and became master")
    assert told[-1].endswith("won the election of epoch 4 and became master")
    assert (story[5].who, story[-1].who) == ("D", "E")


def test_a_limit_is_not_a_pass() -> None:
    run = check(
        MODELS["failover"],
        DIALECTS["valkey-9.1"],
        parse_links("held(0)"),
        limits=Limits(states=1000),
    )

    assert (run.verdict, run.found.stopped_by) == ("incomplete", "states")
    assert "holds" not in {
        result.verdict for result in run.found.properties if result.kind != "sometimes"
    }

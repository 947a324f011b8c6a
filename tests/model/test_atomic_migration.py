"""Atomic slot migration in models: what holds, and what a failover at the same time breaks.

Clauses: SM-P1, SM-26, SM-27, SM-28, SM-30, SM-32, SM-34, SC-P1, SC-P2, EP-P1.
"""

import attrs
import pytest

from model_check.engine import Limits
from model_check.models.atomic_migration import (
    ATOMIC_MIGRATION,
    GRANTED_AND_ORPHANED,
    GRANTED_AND_REPLACED,
)
from model_check.models.cluster import Crash, Restart
from model_check.models.model import Model
from model_check.run import Run, check
from model_check.story import tell
from reference.core.events import (
    HeartbeatDue,
    MigrationCaughtUp,
    MigrationPauseOver,
    MigrationSilent,
)
from reference.core.rules import DIALECTS, VALKEY_9_1


def explored(model: Model, dialect: str = "valkey-9.1") -> Run:
    rules = DIALECTS[dialect]
    return check(
        model,
        rules,
        model.usual_links(rules),
        states_after_violation=1_000_000,
        limits=Limits(seconds=120),
    )


def violated(run: Run) -> dict[str, int]:
    """The violated properties with the length of their shortest story."""
    return {
        result.id: len(result.trace.steps) if result.trace else 0
        for result in run.found.properties
        if result.verdict == "violated"
    }


def story_of(run: Run, property_id: str) -> list[str]:
    trace = next(result.trace for result in run.found.properties if result.id == property_id)
    assert trace is not None
    return [f"{line.who} {line.what}" for line in tell(trace, run.system.processes)]


def test_a_migration_alone_leaves_each_slot_with_one_owner_whoever_crashes() -> None:
    run = explored(ATOMIC_MIGRATION)

    assert run.verdict == "holds"
    assert {result.verdict for result in run.found.properties} == {"holds"}
    assert (
        run.found.distinct_states,
        run.found.transitions,
        run.found.depth,
    ) == (685, 2_317, 13)
    assert {type(event) for _, event in run.found.fired} == {
        Crash,
        Restart,
        HeartbeatDue,
        MigrationCaughtUp,
        MigrationPauseOver,
        MigrationSilent,
    }


def test_a_replica_that_is_elected_meanwhile_takes_the_slot_back() -> None:
    run = explored(GRANTED_AND_REPLACED)

    assert violated(run) == {"SM-P1": 13, "SC-P1": 11, "EP-P1": 16}
    assert run.surprises == ()
    story = story_of(run, "SM-P1")
    endings = (
        "paused, and lets D take the slots",
        "took the slots that A granted; moved to configEpoch 4 without asking anybody",
        "voted for B in epoch 4",
        "won the election of epoch 4 and became master",
        "moved to configEpoch 5: D has the same",
    )
    at = [next(n for n, line in enumerate(story) if line.endswith(each)) for each in endings]
    assert at == sorted(at)
    assert any(line.startswith("A ") and line.endswith(endings[2]) for line in story)


def test_a_slot_can_end_without_an_owner() -> None:
    run = explored(GRANTED_AND_ORPHANED)

    assert violated(run) == {"SC-P2": 23}
    assert run.surprises == ()
    story = story_of(run, "SC-P2")
    assert any("gave D the slots that it was granted" in line for line in story)
    assert "D receives the UPDATE (B owns 0-1 since configEpoch 4) from C" in story


@pytest.mark.parametrize("model", [ATOMIC_MIGRATION, GRANTED_AND_REPLACED, GRANTED_AND_ORPHANED])
def test_a_release_without_atomic_migration_has_no_job_in_the_scope(model: Model) -> None:
    older = attrs.evolve(VALKEY_9_1, atomic_slot_migration=False)

    assert not any(node.slot_migrations for node in model.scope(older).nodes)
    assert sum(bool(node.slot_migrations) for node in model.scope(VALKEY_9_1).nodes) == 2

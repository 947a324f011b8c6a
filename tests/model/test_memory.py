"""What states and transitions take of memory is bounded: the rest is in files, or it ends there.

Clauses: none, the engine knows no protocol.
"""

from pathlib import Path
from typing import Any

from model_check.engine import Exploration, Limits, Options, Progress, Watch, explore
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import system_of
from model_check.properties import LeadsTo, Property, Settles
from reference.core.rules import DIALECTS

SLACK = 400_000
"""What is found from a chunk of states takes at most, before it goes to files."""

UNHEARD = Settles[Any](id="all are down", project=lambda _, node: node.state is None, judge=all)


def run(
    *properties: Property,
    memory: int | None = None,
    folder: Path | None = None,
    watch: Watch | None = None,
) -> Exploration:
    rules = DIALECTS["valkey-9.1"]
    return explore(
        system_of(MODELS["failover"].scope(rules)),
        parse_links("held(0)"),
        properties,
        Limits(),
        watch,
        states_after_violation=1_000_000,
        options=Options(memory=memory, folder=folder, chunk=500),
    )


def of_kind(kind: str) -> list[Property]:
    return [prop for prop in MODELS["failover"].properties if prop.kind == kind]


def told(found: Exploration) -> tuple[Any, ...]:
    return (
        found.verdict,
        found.stopped_by,
        found.distinct_states,
        found.transitions,
        [(each.id, each.verdict, each.trace) for each in found.properties],
    )


def test_where_runs_end_is_judged_on_transitions_in_files() -> None:
    agreement = of_kind("settles")
    ample = run(*agreement, UNHEARD)

    scarce = run(*agreement, UNHEARD, memory=2_500_000)

    assert told(ample) == told(scarce)
    assert [each.verdict for each in scarce.properties] == ["holds"] * len(agreement) + ["violated"]
    assert ample.state_bytes > 4_000_000
    assert scarce.state_bytes < 2_500_000 + SLACK


def test_what_does_not_fit_is_not_decided() -> None:
    found = run(*of_kind("invariant"), *of_kind("settles"), memory=1_000_000)

    verdicts = {each.kind: each.verdict for each in found.properties}
    assert (found.verdict, found.stopped_by) == ("incomplete", "memory")
    assert (verdicts["settles"], verdicts["invariant"]) == ("incomplete", "incomplete")
    assert found.distinct_states > 20_000
    assert found.state_bytes < 1_000_000 + SLACK


def test_where_nothing_fits_it_ends_at_once() -> None:
    found = run(*of_kind("settles"), memory=1)

    assert (found.verdict, found.stopped_by) == ("incomplete", "memory")
    assert found.distinct_states < 100


def test_without_agreement_less_memory_is_enough() -> None:
    found = run(*of_kind("invariant"), memory=1_000_000)

    assert (found.verdict, found.stopped_by) == ("holds", None)
    assert found.state_bytes < 1_000_000 + SLACK


def test_what_fair_runs_take_is_counted() -> None:
    answered = LeadsTo[Any](id="up", project=lambda _, node: node.state is not None, then=any)

    found = run(answered, memory=10_000_000)

    assert (found.verdict, found.stopped_by) == ("incomplete", "memory")
    assert run(answered).verdict == "holds"


def test_files_are_in_no_folder_while_they_are_used(tmp_path: Path) -> None:
    seen: list[Path] = []

    def watch(progress: Progress) -> None:
        seen.extend(path for path in tmp_path.rglob("*") if path.is_file())
        if progress.distinct_states > 20_000:
            raise KeyboardInterrupt

    found = run(*of_kind("settles"), memory=1_000_000, folder=tmp_path, watch=watch)

    assert found.stopped_by == "interrupt"
    assert seen == list(tmp_path.iterdir()) == []

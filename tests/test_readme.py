"""What the README says is so.

Clauses: EL-P1, SC-P1, EP-P1.
"""

import json
import re
from typing import Any

import pytest

from model_check.coverage.exclusions import KINDS
from reference.core.rules import DIALECTS
from tests.begun import BEGUN, DEFAULT_RUN, PATIENCE
from tests.traceability import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", README, flags=re.DOTALL)


def test_ci_calls_exactly_the_test_command() -> None:
    (tests,) = (block for block in blocks("sh") if "pytest" in block)

    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def default_run() -> tuple[int, Any]:
    """What a check without arguments ends with, and what it found and exercised."""
    done = BEGUN.done(DEFAULT_RUN)
    assert done.code == 0, done.output
    kept = json.loads((done.folder / "found.json").read_text(encoding="utf-8"))
    assert kept["found"], kept["output"]
    return kept["code"], kept["found"]


@pytest.mark.timeout(PATIENCE)
def test_default_run_is_as_expected_with_the_counts_of_the_table(
    default_run: tuple[int, Any],
) -> None:
    exit_code, found = default_run

    runs = found["runs"]
    told = {
        (model, dialect): (links, int(states.replace(",", "")), "violated" if star else "holds")
        for model, cells in re.findall(
            r"^\| `([a-z-]+)` \|[^|]*\|(.*)\|$", README, flags=re.MULTILINE
        )
        for dialect, (links, states, star) in zip(
            DIALECTS, re.findall(r"`([a-z0-9()]+)`: ([\d,]+)( \*)?", cells), strict=True
        )
    }
    assert exit_code == 0
    assert told
    assert (
        told.items()
        <= {
            (run["model"], run["dialect"]): (run["links"], run["distinct_states"], run["verdict"])
            for run in runs
        }.items()
    )


@pytest.mark.timeout(PATIENCE)
def test_default_run_exercises_nothing_that_is_said_to_be_out_of_scope(
    default_run: tuple[int, Any],
) -> None:
    _, found = default_run

    kinds = {kind: each for kind, each in found["coverage"].items() if kind != "runs"}
    assert {kind: each["mistaken"] for kind, each in kinds.items()} == {kind: [] for kind in KINDS}
    for each in kinds.values():
        assert len(each["exercised"]) > len(each["never"])


def test_example_in_python_runs() -> None:
    (example,) = blocks("python")
    names: dict[str, object] = {}

    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own text

    assert len(names["graph"]) == names["run"].found.distinct_states  # type: ignore[arg-type, attr-defined]

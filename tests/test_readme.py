"""What the README says is so, and what those of the checker and the node say.

Clauses: EL-P1, SC-P1, EP-P1.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from model_check.coverage.exclusions import KINDS
from reference.core.rules import DIALECTS
from tests.begun import BEGUN, DEFAULT_RUN, PATIENCE
from tests.traceability import ROOT

README: Final = ROOT / "README.md"
CHECKER: Final = ROOT / "model_check" / "README.md"

WIDTH: Final = 104
"""Columns of the terminal that the examples are shown as from."""

OFFLINE: Final = re.compile(r"^\$ (?:slotproof (?:check|bugs)|sed) ")
"""Examples that need no servers and no free ports."""


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)\n```", text, flags=re.DOTALL)


def examples() -> list[str]:
    """The examples that can be run again, with what they are said to print."""
    shown = [block for page in (README, CHECKER) for block in blocks(page, "console")]
    return [block for block in shown if OFFLINE.match(block)]


def test_ci_calls_exactly_the_test_command() -> None:
    (tests,) = (block for block in blocks(README, "sh") if "pytest" in block)

    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("example", examples(), ids=lambda text: text.splitlines()[0][2:60])
def test_examples_print_what_is_shown(example: str, tmp_path: Path) -> None:
    commands = re.findall(r"^\$ (.*)$", example, flags=re.MULTILINE)
    changed = any(not command.startswith("slotproof ") for command in commands)
    tree = _copied(tmp_path) if changed else ROOT

    printed = "".join(f"$ {command}\n{_output(command, tree)}" for command in commands)

    shown, lines = _comparable(example), _comparable(printed)
    assert _in_order(shown, lines) == len(shown), printed


def _copied(folder: Path) -> Path:
    """The folder, with a copy of what the commands consist of, compiled kernels included."""
    for package in ("reference", "model_check", "spec"):
        shutil.copytree(ROOT / package, folder / package)
    return folder


def _output(command: str, tree: Path) -> str:
    name, _, rest = command.partition(" ")
    words = [sys.executable, "-m", "reference", *rest.split()]
    done = subprocess.run(
        words if name == "slotproof" else ["/bin/sh", "-c", command],
        cwd=tree,
        env={**os.environ, "COLUMNS": str(WIDTH)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout


def _comparable(text: str) -> list[str]:
    """The lines without what a clock says, where in a file something stands, and end blanks."""
    for found, instead in ((r"[\d.]+ s \([\d,]+/s\)", "TIME"), (r"(\.(?:md|py)):\d+", r"\1:LINE")):
        text = re.sub(found, instead, text)
    return [re.sub(r"│ +\d+\.\d$", "│ SECONDS", line.rstrip()) for line in text.splitlines()]


def _in_order(shown: list[str], printed: list[str]) -> int:
    """How many of the shown lines were printed so; `...` stands for any lines."""
    at, skips = 0, False
    for number, line in enumerate(shown):
        if line == "...":
            skips = True
        elif (skips and line in printed[at:]) or printed[at : at + 1] == [line]:
            at, skips = printed.index(line, at) + 1, False
        else:
            return number
    return len(shown) if skips or at == len(printed) else len(shown) - 1


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
            r"^\| `([a-z-]+)` \|[^|]*\|(.*)\|$",
            CHECKER.read_text(encoding="utf-8"),
            flags=re.MULTILINE,
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
    (example,) = blocks(CHECKER, "python")
    names: dict[str, object] = {}

    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own text

    assert len(names["graph"]) == names["run"].found.distinct_states  # type: ignore[arg-type, attr-defined]

"""The code is formatted, linted and typed.

Clauses: none, this is about the project's files.
"""

import subprocess
import sys

import pytest

from tests.begun import BEGUN, PATIENCE, TYPES
from tests.traceability import ROOT


def _run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_files_are_formatted() -> None:
    _run("ruff", "format", "--check")


def test_linter_finds_nothing() -> None:
    _run("ruff", "check")


@pytest.mark.timeout(PATIENCE)
def test_types_fit() -> None:
    done = BEGUN.done(TYPES)

    assert done.code == 0, done.output

"""The code is formatted, linted and typed.

Clauses: none, this is about the project's files.
"""

import subprocess
import sys

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


def test_types_fit() -> None:
    _run("mypy")

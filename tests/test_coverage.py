"""Every line and branch of the core, of pacing and of the wire is run by the unit tests alone.

Clauses: none, this is about the project's files.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.traceability import ROOT

COVERED: Final = ("reference.core", "reference.pacing", "reference.wire")
NOT_ABOUT_THEM: Final = ("test_spec*", "test_bus_memory*")
"""Of other modules, or only on how much memory the same calls take, which tracing makes slow."""


@pytest.mark.timeout(900)  # a minute where nothing else runs
def test_unit_tests_cover_all(tmp_path: Path) -> None:
    """Not so the properties: what chance leads to is no proof that a test looks there."""
    command = [sys.executable, "-m", "pytest", "tests/unit", "-q", "-x", "-p", "no:cacheprovider"]
    command += [f"--ignore-glob=*/{pattern}" for pattern in NOT_ABOUT_THEM]
    command += [f"--cov={package}" for package in COVERED]
    command += ["--cov-branch", "--cov-fail-under=100", "--cov-report=term-missing:skip-covered"]
    places = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")}

    done = subprocess.run(
        command, cwd=ROOT, env=places, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, f"{done.stdout}{done.stderr}"

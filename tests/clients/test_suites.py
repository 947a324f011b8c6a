"""The runner of the clients' own tests counts them, and says why one fails.

Clauses: none, this is about a tool.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.clients.__main__ import main

_CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--redis-url")
"""
_TESTS = """
import pytest

def test_address(request):
    assert request.config.getoption("--redis-url") == "redis://here:1/0"

def test_wrong():
    raise ValueError("it went wrong")

@pytest.fixture
def broken():
    raise ValueError("before")

def test_broken(broken):
    pass

def test_skipped():
    pytest.skip("not now")
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of four tests in one file."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it starts much faster
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "tests" / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "tests" / "test_cluster.py").write_text(_TESTS)
    return tmp_path


def test_each_failure_has_its_reason(suite: Path) -> None:
    result = CliRunner().invoke(main, ["--suite", str(suite), "--url", "redis://here:1/0"])

    assert result.output.splitlines() == [
        "tests.test_cluster test_wrong: ValueError: it went wrong",
        'tests.test_cluster test_broken: failed on setup with "ValueError: before"',
        "1 passed, 2 failed, 1 skipped",
    ]
    assert result.exit_code == 1

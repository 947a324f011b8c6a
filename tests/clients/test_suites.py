"""The runner of the clients' own tests knows whose they are, counts them, and says why one fails.

Clauses: none, this is about a tool.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.clients import docker
from tests.clients.__main__ import main
from tests.clients.docker import command_of
from tests.clients.servers import Servers
from tests.clients.suites import SUITES
from tests.support import wait_until

_CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--{scheme}-url")
"""
_TESTS = """
import pytest

def test_address(request):
    assert request.config.getoption("--{scheme}-url") == "{scheme}://127.0.0.1:1/0"

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
_NPX = """#!/bin/sh
test "$1" = mocha || exit 9
file="${5#output=}"
{ echo '<testsuite><testcase classname="a" name="b"/><testcase classname="a" name="c"><failure>'
echo "$NODE_ENV $PWD"; echo 'and more</failure></testcase></testsuite>'; } >"$file"
"""
_DOCKER = ("--init", "-e", "PORT=7", "-d", "--network", "host", "image:7.0")


def _suite_like_redis_py(folder: Path, scheme: str) -> Path:
    """Four tests in one file."""
    (folder / "tests").mkdir()
    (folder / scheme).mkdir()
    (folder / scheme / "cluster.py").touch()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "tests" / "conftest.py").write_text(_CONFTEST.format(scheme=scheme))
    (folder / "tests" / "test_cluster.py").write_text(_TESTS.format(scheme=scheme))
    return folder


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_each_failure_has_its_reason(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it starts much faster
    suite = _suite_like_redis_py(tmp_path, scheme)

    result = CliRunner().invoke(main, ["--suite", str(suite), "--at", "1"])

    assert result.output.splitlines() == [
        "tests.test_cluster test_wrong: ValueError: it went wrong",
        'tests.test_cluster test_broken: failed on setup with "ValueError: before"',
        "1 passed, 2 failed, 1 skipped",
    ]
    assert result.exit_code == 1


def test_the_suites_own_tool_is_told_what_else_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it starts much faster
    suite = _suite_like_redis_py(tmp_path, "redis")

    result = CliRunner().invoke(main, ["--suite", str(suite), "--at", "1", "--also=-x"])

    assert result.output.endswith("\n1 passed, 1 failed, 0 skipped\n")


def test_what_mocha_tells_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, programs = tmp_path / "suite", tmp_path / "bin"
    for folder in (suite, programs):
        folder.mkdir()
    (suite / "package.json").write_text(json.dumps({"name": "ioredis"}))
    (programs / "npx").write_text(_NPX)
    (programs / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    result = CliRunner().invoke(main, ["--suite", str(suite), "--at", "1"])

    assert result.output.splitlines() == [f"a c: test {suite}", "1 passed, 1 failed, 0 skipped"]


def test_strangers_suites_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--suite", str(tmp_path)])

    assert result.exit_code == 2
    assert all(suite.client in result.output for suite in SUITES)


def test_a_container_is_a_server_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_OF_DOCKER", "ours --dialect 'redis-7.0'")
    monkeypatch.setenv("ALONE_OF_DOCKER", "theirs")

    member = command_of([*_DOCKER, "--cluster-enabled", "yes"])
    alone = command_of([*_DOCKER, "--requirepass", "x"])

    assert member == [
        *("ours", "--dialect", "redis-7.0", "--port", "7", "--save", ""),
        *("--cluster-enabled", "yes"),
    ]
    assert alone == ["theirs", "--port", "7", "--save", "", "--requirepass", "x"]
    with pytest.raises(SystemExit, match="TLS_PORT"):
        command_of(["-e", "TLS_PORT=3", *_DOCKER])


def _runs(process: int) -> bool:
    """Whether it does, and has not only left its number behind."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return False
    return not state.startswith(" Z")


def test_containers_end_with_the_suite(tmp_path: Path) -> None:
    """Even those that the suite forgets."""
    sleeper = tmp_path / "server"
    sleeper.write_text("#!/bin/sh\nexec sleep 1000\n")
    sleeper.chmod(0o755)
    programs = {"docker": Path(docker.__file__)}
    servers = Servers(dialect="redis-7.0", binary=str(sleeper))

    with servers.instead_of_docker(programs) as environment:
        words = ["docker", "run", *_DOCKER, "--cluster-enabled", "yes"]
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        process = int(done.stdout)
        assert _runs(process)

    wait_until(lambda: not _runs(process), 60, what="it is gone")

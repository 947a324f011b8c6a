"""The runner of Valkey's own tests says of each file whether it passes, or why not.

Clauses: none, this is about a tool.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.tcl import one_node
from tests.tcl.__main__ import main

_TCLSH = """#!/bin/sh
case "$*" in
*single\\ unit/cluster/base*) src/valkey-server x.conf;;
*) printf '\\033[0;31m[err]: it went wrong\\033[0m in a test\\n'; exit 1;;
esac
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with two files, and a Tcl that knows how they end."""
    programs, files = tmp_path / "bin", tmp_path / "suite" / "tests" / "unit" / "cluster"
    programs.mkdir()
    files.mkdir(parents=True)
    for name in ("base", "info"):
        (files / f"{name}.tcl").touch()
    for name, text in (("tclsh", _TCLSH), ("redis-cli", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return tmp_path / "suite"


def test_each_file_passes_or_has_a_reason(suite: Path, tmp_path: Path) -> None:
    started = tmp_path / "started"
    words = ["--suite", str(suite), "--binary", f"echo >{started}", "base", "info", "links"]

    result = CliRunner().invoke(main, words)

    assert [line.split(maxsplit=1) for line in result.output.splitlines()] == [
        ["base", "passes"],
        ["info", "[err]: it went wrong in a test"],
        ["links", "not in this suite"],
    ]
    assert started.read_text() == "x.conf\n"
    assert result.exit_code == 1


def test_what_is_missing_is_named(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    result = CliRunner().invoke(main, ["--suite", str(suite)])

    assert "not installed: tclsh, redis-cli" in result.output


def test_commands_are_tried_at_one_node(suite: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    (programs / "tclsh").write_text(
        "#!/bin/sh\nprintf '[\\033[0;32;49mok\\033[0m]: a\\n[err]: b\\nThe End\\n[err]: b\\n'\n"
    )
    (programs / "redis-cli").write_text("#!/bin/sh\necho cluster_state:ok\n")
    (programs / "server").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "server").chmod(0o755)
    words = ["--suite", str(suite), "--binary", str(programs / "server"), "unit/bitops"]

    result = CliRunner().invoke(one_node.main, words)

    assert result.output == "unit/bitops                 1 passed,   1 failed\n"
    assert result.exit_code == 1

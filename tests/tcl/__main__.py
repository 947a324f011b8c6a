"""Valkey's own cluster tests, with a slotproof node in the place of valkey-server.

`python -m tests.tcl --suite DIRECTORY [FILE ...]` takes a checkout of Valkey's sources (its folder
`tests` is enough), copies the tests to a place of its own, and runs those files of their folder
tests/unit/cluster that are named, or those of `FILES`, one after another. It needs tclsh and
redis-cli. Its exit code is 0 if every file passes. `--binary` runs another server for comparison.

Clauses: none, this runs the tests of others.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

FILES: Final = (
    "base", "multi-slot-operations", "slot-migration-response", "cluster-nodes-slots", "packet",
    "info", "faildet", "failover", "update-msg", "failure-marking", "links", "pubsub", "hostnames",
    "announced-endpoints", "manual-takeover", "no-failover-option", "noaddr", "shutdown",
    "scripting", "manual-failover", "slave-stop-cond",
)  # fmt: skip
"""What is asked of a node that stands in for a server."""

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_LIMIT_S: Final = 1800


def prepare(suite: Path, place: Path, command: str) -> None:
    """The place has the tests, and programs under the names that they start."""
    shutil.copytree(suite / "tests", place / "tests", ignore=shutil.ignore_patterns("tmp"))
    (place / "tests" / "tmp").mkdir()
    programs = place / "src"
    programs.mkdir()
    server = programs / "valkey-server"
    server.write_text(f"#!/bin/sh\nexec {command}\n")
    server.chmod(0o755)
    for name in ("cli", "benchmark"):
        found = shutil.which(f"redis-{name}")
        if found is not None:
            (programs / f"valkey-{name}").symlink_to(found)


def run(place: Path, name: str) -> tuple[bool, str]:
    """Whether the file passes, and the reasons if it does not."""
    words = ["tclsh", "tests/test_helper.tcl", "--single", f"unit/cluster/{name}", "--clients", "1"]
    try:
        done = subprocess.run(
            words, cwd=place, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"did not end within {_LIMIT_S} s"
    lines = _COLOUR.sub("", done.stdout).splitlines()
    wrong = [line for line in lines if line.startswith(("[err]", "[exception]"))]
    return done.returncode == 0, "; ".join(wrong)


def command_of(binary: str | None, dialect: str) -> str:
    """What starts the server, with `$@` for what it is started with."""
    if binary is not None:
        return f'{binary} "$@"'
    ours = Path(sys.executable).parent / "slotproof-server"
    return f'{ours} "$@" --dialect {dialect}'


@click.command()
@click.option("--suite", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--dialect", default="valkey-9.1", show_default=True)
@click.option("--binary", help="Another server than ours.")
@click.argument("files", nargs=-1)
def main(suite: Path, dialect: str, binary: str | None, files: tuple[str, ...]) -> None:
    """Run Valkey's cluster tests against a slotproof node."""
    missing = [name for name in ("tclsh", "redis-cli") if shutil.which(name) is None]
    if missing:
        raise click.UsageError(f"not installed: {', '.join(missing)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepare(suite, place, command_of(binary, dialect))
        for name in files or FILES:
            if not (suite / "tests" / "unit" / "cluster" / f"{name}.tcl").exists():
                click.echo(f"{name:24} not in this suite")
                continue
            passed, reasons = run(place, name)
            failed += not passed
            click.echo(f"{name:24} {'passes' if passed else reasons or 'fails'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Valkey's own tests of commands, against one slotproof node that is a cluster by itself.

`python -m tests.tcl.one_node --suite DIRECTORY [FILE ...]` takes a checkout of Valkey's sources and
runs the files that are named, such as `unit/type/string`, as the harness runs them against a server
that somebody else has started, in cluster mode: tests that start servers of their own, that need
another database or that take long are left out by it. Each file gets a node of its own. For each
it is said how many tests passed and failed; the exit code is 0 if none failed. It needs tclsh and
redis-cli.

Clauses: none, this runs the tests of others.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from tests.support import free_ports, wait_until
from tests.tcl.__main__ import command_of, prepare

FILES: Final = tuple(
    f"unit/{name}"
    for name in (
        "bitfield", "bitops", "dump", "expire", "functions", "geo", "hyperloglog",
        "info-command", "introspection", "introspection-2", "keyspace", "latency-monitor",
        "multi", "other", "pause", "protocol", "pubsub", "quit", "scan", "scripting", "slowlog",
        "sort", "tracking", "type/hash", "type/incr", "type/list", "type/list-3", "type/set",
        "type/stream", "type/stream-cgroups", "type/string", "type/zset",
    )
)  # fmt: skip
"""What concerns a node of a cluster."""

_RESULT: Final = re.compile(r"^\[(?:\x1b\[[0-9;]*m)?(ok|err|exception)", re.MULTILINE)
_LIMIT_S: Final = 600
_START_S: Final = 60


def _ask(port: int, *words: str) -> str:
    asked = ["redis-cli", "-p", str(port), *words]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _serves(process: "subprocess.Popen[bytes]", port: int) -> bool:
    if process.poll() is not None:
        raise click.ClickException("the server has ended")
    _ask(port, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    return "cluster_state:ok" in _ask(port, "CLUSTER", "INFO")


@contextmanager
def node(place: Path) -> Iterator[int]:
    """The port of a node that serves all slots, and that is gone at the end."""
    [port] = free_ports(1)
    words = [
        str(place / "src" / "valkey-server"), "--port", str(port), "--cluster-enabled", "yes",
        "--save", "", "--enable-debug-command", "yes", "--enable-protected-configs", "yes",
        "--dir", str(place),
    ]  # fmt: skip
    with (place / "node.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        wait_until(lambda: _serves(process, port), _START_S)
        yield port
    finally:
        process.terminate()
        process.wait()


def run(place: Path, name: str, port: int) -> tuple[int, int, str]:
    """How many tests of the file passed and failed, and what else went wrong."""
    [own] = free_ports(1)  # the harness's, which it takes so far below its first for servers
    words = [
        "tclsh", "tests/test_helper.tcl", "--single", name, "--host", "127.0.0.1", "--port",
        str(port), "--baseport", str(own + 32), "--cluster-mode", "--singledb", "--tags", "-slow",
        "--durable",
    ]  # fmt: skip
    trouble = ""
    with (place / "tests.log").open("w") as log:
        try:
            subprocess.run(words, cwd=place, stdout=log, stderr=log, timeout=_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            trouble = f"did not end within {_LIMIT_S} s"
    text = (place / "tests.log").read_text(errors="replace").partition("The End")[0]
    results = _RESULT.findall(text)
    return results.count("ok"), len(results) - results.count("ok"), trouble


@click.command()
@click.option("--suite", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--dialect", default="valkey-9.1", show_default=True)
@click.option("--binary", help="Another server than ours.")
@click.argument("files", nargs=-1)
def main(suite: Path, dialect: str, binary: str | None, files: tuple[str, ...]) -> None:
    """Run Valkey's tests of commands against one slotproof node."""
    missing = [name for name in ("tclsh", "redis-cli") if shutil.which(name) is None]
    if missing:
        raise click.UsageError(f"not installed: {', '.join(missing)}")
    wrong = 0
    for name in files or FILES:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            prepare(suite, place, command_of(binary, dialect))
            with node(place) as port:
                passed, failed, trouble = run(place, name, port)
        wrong += failed + bool(trouble)
        click.echo(f"{name:24} {passed:4} passed, {failed:3} failed {trouble}".rstrip())
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

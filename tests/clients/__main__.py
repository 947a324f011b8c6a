"""The clients' own cluster tests, against a slotproof cluster of three masters with a replica each.

`python -m tests.clients --suite DIRECTORY [FILE ...]` takes a checkout of redis-py or valkey-py and
runs those files of its folder tests that are named, or those of `FILES`, with its own pytest
options. What the suite itself needs (pytest-asyncio and more) is expected beside the interpreter
that `--python` names. `--url` runs it against another cluster, for comparison. Its exit code is 0
if nothing fails.

Clauses: none, this runs the tests of others.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import click

from tests.support import LOOPBACK

FILES: Final = (
    "test_cluster.py", "test_cluster_transaction.py", "test_pubsub.py", "test_commands.py",
    "test_asyncio/test_cluster.py", "test_asyncio/test_cluster_transaction.py",
)  # fmt: skip
"""What has to do with a cluster."""

_PORT: Final = 16379
"""Where these suites look for a cluster, in some tests whatever they are told."""
_NOT_OURS: Final = "not onlynoncluster and not redismod and not ssl and not fixed_client"


@contextlib.contextmanager
def cluster(dialect: str) -> Iterator[str]:
    """The address of a cluster, while it runs."""
    command = [
        sys.executable, "-m", "reference", "cluster", "--port", str(_PORT), "--dialect", dialect,
        "--loglevel", "nothing",
    ]  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdout is not None
        while (line := process.stdout.readline()) and line.strip() != "ready":
            pass
        if not line:
            raise click.ClickException(f"no cluster on the ports from {_PORT} on")
        try:
            yield f"redis://{LOOPBACK}:{_PORT}/0"
        finally:
            process.kill()


def run(suite: Path, python: str, url: str, files: tuple[str, ...]) -> ET.Element:
    """What became of each test, as JUnit has it."""
    option = "--valkey-url" if (suite / "valkey").is_dir() else "--redis-url"
    address = url.replace("redis:", "valkey:") if option == "--valkey-url" else url
    present = [f"tests/{name}" for name in files if (suite / "tests" / name).exists()]
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        words = [
            python, "-m", "pytest", "-q", f"{option}={address}", f"--junitxml={report.name}",
            "-m", _NOT_OURS, "-p", "no:cacheprovider", *present,
        ]  # fmt: skip
        subprocess.run(words, cwd=suite, check=False)
        return ET.parse(report.name).getroot()  # noqa: S314 - pytest's own


def tell(report: ET.Element) -> int:
    """The counts, and each test that does not pass with its reason; how many those are."""
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for case in report.iter("testcase"):
        wrong = [each for each in case if each.tag in ("failure", "error")]
        kind = "failed" if wrong else "skipped" if case.find("skipped") is not None else "passed"
        counts[kind] += 1
        for each in wrong[:1]:
            reason = (each.get("message") or "").splitlines()[:1]
            click.echo(f"{case.get('classname')} {case.get('name')}: {' '.join(reason)}")
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return counts["failed"]


@click.command()
@click.option("--suite", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--dialect", default="redis-7.0", show_default=True)
@click.option("--python", default=sys.executable, help="The interpreter that has what it needs.")
@click.option("--url", help="Another cluster than ours.")
@click.argument("files", nargs=-1)
def main(suite: Path, dialect: str, python: str, url: str | None, files: tuple[str, ...]) -> None:
    """Run a client's own tests against a slotproof cluster."""
    with contextlib.nullcontext(url) if url else cluster(dialect) as address:
        failed = tell(run(suite, python, address, files or FILES))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""The clients' own cluster tests, against a slotproof cluster.

`python -m tests.clients --suite DIRECTORY [FILE ...]` takes a checkout of redis-py, valkey-py,
valkey-glide, ioredis or node-redis, in which its own tests can be run as its own instructions say,
and runs those files that are named, or what has to do with a cluster. The cluster has three masters
with a replica each, made by redis-cli; node-redis starts its own, and those of its servers that are
not in a cluster are Redis. What a Python suite needs (pytest-asyncio and more) is expected beside
the interpreter that `--python` names. `--also` is told to the suite's own tool, as
`--also=--protocol=3` to that of redis-py. For comparison, `--binary` runs it with another server,
and `--at` with a cluster that runs already. Its exit code is 0 if nothing fails.

Clauses: none, this runs the tests of others.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import click

from tests.clients.servers import Servers
from tests.clients.suites import SUITES, Suite, suite_at


def run(
    suite: Suite, folder: Path, python: str, servers: Servers, port: int, files: tuple[str, ...]
) -> ET.Element:
    """What became of each test, as JUnit has it."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        what = suite.prepare(folder.resolve(), python, port, files, report)
        with servers.instead_of_docker(what.programs) as environment:
            surroundings = {**os.environ, **environment, **what.environment}
            words = [*what.words, *suite.also]
            subprocess.run(words, cwd=what.place, check=False, env=surroundings)
        if not report.exists():
            raise click.ClickException(f"{suite.client}'s tests told nothing")
        return ET.parse(report).getroot()  # noqa: S314 - of the suite's own tools


def tell(report: ET.Element) -> int:
    """The counts, and each test that does not pass with its reason; how many those are."""
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for case in report.iter("testcase"):
        wrong = [each for each in case if each.tag in ("failure", "error")]
        kind = "failed" if wrong else "skipped" if case.find("skipped") is not None else "passed"
        counts[kind] += 1
        for each in wrong[:1]:
            text = each.get("message") or (each.text or "").strip()
            reason = " ".join(text.splitlines()[:1])
            click.echo(f"{case.get('classname')} {case.get('name')}: {reason}")
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return counts["failed"]


@click.command()
@click.option("--suite", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--dialect", help="That of our nodes, if not the one that the suite is for.")
@click.option("--python", default=sys.executable, help="The interpreter that has what it needs.")
@click.option("--binary", help="Another server than ours.")
@click.option("--at", type=int, help="The port of a cluster that runs already.")
@click.option("--also", multiple=True, help="What the suite's own tool is told besides.")
@click.argument("files", nargs=-1)
def main(
    suite: Path,
    dialect: str | None,
    python: str,
    binary: str | None,
    at: int | None,
    also: tuple[str, ...],
    files: tuple[str, ...],
) -> None:
    """Run a client's own tests against a slotproof cluster."""
    found = suite_at(suite)
    if found is None:
        known = ", ".join(each.client for each in SUITES)
        raise click.UsageError(f"{suite} is no checkout of one of {known}")
    found = attrs.evolve(found, also=also)
    servers = Servers(dialect=dialect or found.dialect, binary=binary)
    chosen = files or found.files
    if at is not None or found.port is None:
        report = run(found, suite, python, servers, at or 0, chosen)
    else:
        with servers.cluster(found.port):
            report = run(found, suite, python, servers, found.port, chosen)
    sys.exit(1 if tell(report) else 0)


if __name__ == "__main__":
    main()

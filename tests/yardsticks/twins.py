"""TLC beside the checker on the twin scopes, in one run: `python -m tests.yardsticks.twins`.

Both explore the same graphs, which `slotproof twin` compares state by state. For each scope both
are run in turn, several times, each in a process of its own, and judge what the configuration of
the scope names: election safety, exclusive claim, and that epochs never go back (TLC its TypeOK
besides). Printed is the median of the CPU time (user and system, with all threads), of whole runs
and without what a run takes that ends at once, and the ratios. Most of these scopes are so small
that little is left beyond the start.
"""

import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import click

from model_check.engine import Limits, explore
from model_check.models.properties import ELECTION_SAFETY, EPOCHS_MONOTONE, EXCLUSIVE_CLAIM
from model_check.properties import Property
from model_check.tla.scopes import SCOPES
from model_check.tla.tlc import jar, java, modules
from model_check.tla.twin import cfg_of
from reference.core.rules import DIALECTS, RELEASES

IDLE: Final = "---- MODULE Idle ----\nVARIABLE x\nInit == x = 0\nNext == UNCHANGED x\n====\n"
IDLE_CFG: Final = "INIT Init\nNEXT Next\n"
NOTHING: Final = "nothing"
"""Stands for a scope: the checker starts, imports all it needs, and ends."""

JUDGED: Final[dict[str, Property]] = {
    "ElectionSafety": ELECTION_SAFETY,
    "ExclusiveClaim": EXCLUSIVE_CLAIM,
    "EpochsMonotone": EPOCHS_MONOTONE,
}
"""What the module calls each property."""

_CLAIMS: Final = re.compile(r"^(?:INVARIANTS|PROPERTIES) (.*)$", re.MULTILINE)


@attrs.frozen
class Timed:
    """What a run took, and how many distinct states it found."""

    seconds: float
    states: int


def _cpu(command: Sequence[str], place: Path) -> tuple[float, str]:
    """The CPU time of a process with its children, and what it printed.

    Raises SystemExit if it fails otherwise than by finding a violation.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, done.stdout


def tlc(module: str, cfg: str, extra: str | None = None) -> Timed:
    """TLC on a module of spec/tla, or on the text given, as it is run where speed matters."""
    with tempfile.TemporaryDirectory(prefix="slotproof-tlc-") as name:
        place = Path(name)
        for path in modules().glob("*.tla"):
            (place / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        if extra is not None:
            (place / f"{module}.tla").write_text(extra, encoding="utf-8")
        (place / f"{module}.cfg").write_text(cfg, encoding="utf-8")
        options = ("-workers", "1", "-nowarning", "-deadlock", "-metadir", name)
        flags = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={name}")
        line = (java(), *flags, "-cp", str(jar()), "tlc2.TLC", *options, module)
        seconds, said = _cpu(line, place)
    counted = [each for each in said.splitlines() if "distinct states found, 0 states left" in each]
    if not counted:
        raise SystemExit(said[-2000:])
    return Timed(seconds, int(counted[0].split()[3].replace(",", "")))


def ours(scope: str, dialect: str) -> Timed:
    """The checker on the core in the scope."""
    line = (sys.executable, "-m", "tests.yardsticks.twins", "--explore", scope, dialect)
    seconds, said = _cpu(line, Path(__file__).parents[2])
    return Timed(seconds, int(said))


def _explored(scope: str, dialect: str) -> int:
    if scope == NOTHING:
        return 0
    twin, rules = SCOPES[scope], DIALECTS[dialect]
    named = " ".join(_CLAIMS.findall(cfg_of(twin, rules))).split()
    judged = [prop for name, prop in JUDGED.items() if name in named]
    found = explore(twin.system(rules), twin.the_links, judged, Limits())
    return found.distinct_states


def _medians(scope: str, dialect: str, rounds: int) -> tuple[Timed, Timed]:
    """TLC and the checker in turn; ends if they do not find as many states."""
    theirs, mine = list[Timed](), list[Timed]()
    for _ in range(rounds):
        theirs.append(tlc(SCOPES[scope].module, cfg_of(SCOPES[scope], DIALECTS[dialect])))
        mine.append(ours(scope, dialect))
    counts = {each.states for each in (*theirs, *mine)}
    if len(counts) > 1:
        raise SystemExit(f"{scope} {dialect}: the numbers of states differ: {sorted(counts)}")
    slow = statistics.median(each.seconds for each in theirs)
    fast = statistics.median(each.seconds for each in mine)
    return Timed(slow, counts.copy().pop()), Timed(fast, counts.pop())


def row(name: str, states: int, slow: float, fast: float, starts: tuple[float, float]) -> str:
    """A line of the table: whole runs, what is left without the start, and both ratios."""
    left, right = max(slow - starts[0], 0.0), max(fast - starts[1], 0.0)
    beyond = f"{left / right:6.1f}x" if min(left, right) >= LEAST else f"{'-':>7}"
    return (
        f"{name:26}{states:>8,}{slow:>9.2f}{fast:>9.2f}{slow / fast:>7.1f}x"
        f"{left:>9.2f}{right:>9.2f}{beyond}"
    )


LEAST: Final = 0.05
"""Seconds beyond the start below which a ratio would say nothing."""


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each is run.")
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(list(RELEASES)),
    default=("valkey-9.1",),
    show_default=True,
)
@click.option("--explore", "asked", nargs=2, hidden=True, help="What a round of the checker runs.")
@click.argument("scopes", nargs=-1, type=click.Choice(list(SCOPES)))
def main(
    rounds: int, dialects: tuple[str, ...], asked: tuple[str, str] | None, scopes: tuple[str, ...]
) -> None:
    """Time TLC and the checker on twin SCOPES, all if none is named."""
    if asked:
        click.echo(_explored(*asked))
        return
    ours("tie", dialects[0])  # so that all is compiled
    starts = (
        statistics.median(tlc("Idle", IDLE_CFG, IDLE).seconds for _ in range(rounds)),
        statistics.median(ours(NOTHING, dialects[0]).seconds for _ in range(rounds)),
    )
    click.echo(
        f"CPU seconds; a run that ends at once: TLC {starts[0]:.2f}, checker {starts[1]:.2f}"
    )
    click.echo(f"{'':34}{'whole runs':>26}{'without the start':>25}")
    head = f"{'TLC':>9}{'checker':>9}"
    click.echo(f"{'scope':26}{'states':>8}{head}{'ratio':>8}{head}{'ratio':>7}")
    sums, states = [0.0, 0.0], 0
    asked_for = [
        (name, dialect)
        for name in scopes or SCOPES
        for dialect in dialects
        if SCOPES[name].is_for(DIALECTS[dialect])
    ]
    for name, dialect in asked_for:
        slow, fast = _medians(name, dialect, rounds)
        sums = [sums[0] + slow.seconds, sums[1] + fast.seconds]
        states += slow.states
        click.echo(row(f"{name} {dialect}", slow.states, slow.seconds, fast.seconds, starts))
    whole = (starts[0] * len(asked_for), starts[1] * len(asked_for))
    click.echo(row("all", states, sums[0], sums[1], whole))


if __name__ == "__main__":
    main()

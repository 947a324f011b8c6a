"""The checker beside TLC, on the same systems in the same run: `python -m tests.yardsticks`.

For each yardstick both are run in turn, several times. Compared is the time of exploring: of TLC
what a run takes beyond one that ends at once, of the checker what it says itself. Printed are the
medians, the ratio, what the whole command takes, and the memory of the checker for each state.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import attrs
import click

from model_check.engine import Limits, explore
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import read_cfg
from model_check.tla.tlc import jar, java

HERE: Final = Path(__file__).parent
SCOPES: Final = HERE.parent / "model" / "cfg"
IDLE: Final = "---- MODULE Idle ----\nVARIABLE x\nInit == x = 0\nNext == UNCHANGED x\n====\n"
IDLE_CFG: Final = "INIT Init\nNEXT Next\n"
WORKERS: Final = 2


@attrs.frozen
class Case:
    """A system in a scope."""

    yardstick: str
    module: str
    cfg: str  # the text of the file that both read
    tlc_only: str = ""  # what TLC's own has besides


def _cases() -> list[Case]:
    two_phase = (SCOPES / "two_phase_7.cfg").read_text()
    paxos = (SCOPES / "paxos.cfg").read_text()
    return [
        Case("redis-failover", "RedisFailover", (SCOPES / "rf_xs.cfg").read_text()),
        Case("redis-failover", "RedisFailover", (SCOPES / "rf_s.cfg").read_text()),
        Case("two-phase", "TwoPhase", two_phase),
        Case("two-phase", "TwoPhase", two_phase.replace("r7}", "r7, r8}")),
        Case("paxos", "Paxos", paxos, "INIT Init\nNEXT Next\nINVARIANT Agreement\n"),
    ]


def _tlc(module: str, source: str, cfg: str) -> tuple[float, int]:
    """How long TLC takes, start and end included, and the distinct states."""
    with tempfile.TemporaryDirectory(prefix="slotproof-tlc-") as name:
        place = Path(name)
        (place / f"{module}.tla").write_text(source)
        # Older ones do not know the last word; -deadlock says the same.
        (place / f"{module}.cfg").write_text(cfg.replace("CHECK_DEADLOCK FALSE", ""))
        begun = time.perf_counter()
        done = subprocess.run(
            [
                *(java(), "-XX:+UseParallelGC", "-cp", str(jar()), "tlc2.TLC"),
                *("-workers", str(WORKERS), "-nowarning", "-deadlock", "-metadir", name, module),
            ],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begun
    found = re.search(r"([\d,]+) distinct states found, 0 states left", done.stdout)
    if found is None:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return seconds, int(found[1].replace(",", ""))


def _ours(case: Case) -> tuple[float, float, int]:
    """How long the checker explores, how long the command takes, and the distinct states."""
    with tempfile.TemporaryDirectory(prefix="slotproof-") as name:
        cfg, found = Path(name) / "scope.cfg", Path(name) / "found.json"
        cfg.write_text(case.cfg)
        begun = time.perf_counter()
        subprocess.run(
            [
                *(sys.executable, "-m", "model_check", f"yardstick/{case.yardstick}"),
                *("--cfg", str(cfg), "--json", str(found)),
            ],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        whole = time.perf_counter() - begun
        (run,) = json.loads(found.read_text())["runs"]
    return run["seconds"], whole, run["distinct_states"]


def _bytes_a_state(case: Case) -> float:
    """The most that states ever take in memory, for each that there is in the end."""
    yardstick = YARDSTICKS[f"yardstick/{case.yardstick}"]
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(case.cfg)
        file.flush()
        scope = yardstick.scope_of(read_cfg(Path(file.name)))
    found = explore(scope.system, scope.links, (), Limits())
    return found.state_bytes / found.distinct_states


def _compare(case: Case, rounds: int, startup: float) -> str:
    source = (HERE / f"{case.module}.tla").read_text()
    theirs, ours, whole = [], [], []
    counts: set[int] = set()
    for _ in range(rounds):
        seconds, states = _tlc(case.module, source, case.cfg + case.tlc_only)
        theirs.append(seconds - startup)
        counts.add(states)
        explored, command, states = _ours(case)
        ours.append(explored)
        whole.append(command)
        counts.add(states)
    if len(counts) > 1:
        raise SystemExit(f"{case.module}: the numbers of states differ: {sorted(counts)}")
    slow, fast = statistics.median(theirs), statistics.median(ours)
    return (
        f"{case.module:15}{counts.pop():>12,}{slow:>9.2f} s{fast:>9.2f} s{slow / fast:>8.0f}x"
        f"{statistics.median(whole):>11.2f} s{_bytes_a_state(case):>10.1f}"
    )


@click.command()
@click.option("--rounds", default=3, show_default=True, help="How often each is run.")
@click.argument("modules", nargs=-1)
def main(rounds: int, modules: tuple[str, ...]) -> None:
    """Compare the checker with TLC; MODULES are those to be compared, all if none is named."""
    startup = statistics.median(_tlc("Idle", IDLE, IDLE_CFG)[0] for _ in range(3))
    _ours(_cases()[0])  # so that all is compiled
    click.echo(f"TLC with {WORKERS} workers takes {startup:.2f} s to start and end.")
    click.echo(
        f"{'module':15}{'states':>12}{'TLC':>11}{'slotproof':>11}{'ratio':>9}"
        f"{'whole command':>13}{'B/state':>10}"
    )
    for case in _cases():
        if not modules or case.module in modules:
            click.echo(_compare(case, rounds, startup))


if __name__ == "__main__":
    main()

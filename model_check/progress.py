"""How far an exploration is, on standard error: kept up to date on a terminal, else now and then.

A line says how many states there are, at what depth, how many of them wait to be expanded, the
transitions a second since the start, the memory, and how much is left: of a limit that was set, and
of the whole, if that can be told (`estimate`).
"""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from model_check.engine import Limits, Progress, Watch
from model_check.estimate import Estimate

SECONDS_BETWEEN_LINES: Final = 30.0
"""Where there is no terminal: often enough to see that it lives, seldom enough for a log."""

_STATM: Final = Path("/proc/self/statm")


@contextmanager
def watching(title: str, limits: Limits | None = None) -> Iterator[Watch | None]:
    """A function to be told of progress, which shows it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Watcher(title, limits or Limits(), _echo, SECONDS_BETWEEN_LINES)
        return
    with console.status(title) as status:
        yield Watcher(title, limits or Limits(), status.update, 0.0)


def _echo(line: str) -> None:
    click.echo(line, err=True)


class Watcher:
    """Shows a line about each exploration, but not before this many seconds after the last one.

    The seconds are those of the exploration.
    """

    def __init__(
        self, title: str, limits: Limits, show: Callable[[str], object], seconds_between: float
    ) -> None:
        self._title = title
        self._limits = limits
        self._show = show
        self._seconds_between = seconds_between
        self._shown_at = 0.0
        self._estimate = Estimate()

    def __call__(self, progress: Progress) -> None:
        """The progress is shown, unless that was done a moment ago."""
        self._estimate.add(progress)
        if progress.seconds >= self._shown_at + self._seconds_between:
            self._shown_at = progress.seconds
            self._show(f"{self._title}: {', '.join(self._parts(progress))}")

    def _parts(self, progress: Progress) -> Iterator[str]:
        rate = progress.transitions / max(progress.seconds, 1e-9)
        yield f"{progress.distinct_states:,} states"
        yield f"depth {progress.depth}"
        yield f"{progress.waiting:,} waiting"
        yield f"{rate:,.0f} transitions/s"
        yield memory()
        yield f"{progress.seconds:,.0f} s"
        yield from _shares(progress, self._limits)
        yield self._estimate.text()


def _shares(progress: Progress, limits: Limits) -> Iterator[str]:
    if limits.states is not None:
        yield f"{min(progress.distinct_states / limits.states, 1):.0%} of the limit on states"
    if limits.seconds is not None:
        yield f"{min(progress.seconds / limits.seconds, 1):.0%} of the limit on seconds"


def memory() -> str:
    """What this process takes of the memory; where the system does not say, the most it took."""
    if _STATM.exists():
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
        return f"{pages * resource.getpagesize() // 2**20:,} MB"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return f"at most {most // per_mb:,} MB"

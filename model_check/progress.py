"""How far an exploration is, on standard error when that is a terminal."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from model_check.engine import Progress, Watch


@contextmanager
def watching(title: str) -> Iterator[Watch | None]:
    """A function to be told of progress, which shows it; None if nobody would see it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status(title) as status:
        yield _Watch(title, status)


class _Watch:
    """Shows states, rate, depth and memory; the rate is that since the start."""

    def __init__(self, title: str, status: Status) -> None:
        self._title = title
        self._status = status

    def __call__(self, progress: Progress) -> None:
        rate = progress.transitions / max(progress.seconds, 1e-9)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self._status.update(
            f"{self._title}: {progress.distinct_states:,} states, depth {progress.depth}, "
            f"{progress.waiting:,} waiting, {rate:,.0f} transitions/s, {peak_mb:,} MB"
        )

"""The threads of an exploration. Kernels run on several at a time; all else is done by one."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Crew:
    """So many threads, the one that asks among them."""

    def __init__(self, size: int = 1) -> None:
        self.size = size
        self._others = ThreadPoolExecutor(size - 1) if size > 1 else None

    def __enter__(self) -> Self:
        """All threads are there, so that none is started while others are at work."""
        if self._others is not None:
            together = Barrier(self.size)
            for _ in range(self.size - 1):
                self._others.submit(together.wait)
            together.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._others is not None:
            self._others.shutdown()

    def do(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """The results of all jobs, in their order, whoever did which of them.

        Whatever interrupts this thread, no job is being done once it goes on: what the kernels
        work on may be gone then. After that there are no other threads any more.
        """
        if self._others is None or len(jobs) < 2:
            return [job() for job in jobs]
        try:
            return _shared(self._others, jobs)
        except BaseException:
            others, self._others = self._others, None
            others.shutdown(cancel_futures=True)
            raise


def _shared(others: ThreadPoolExecutor, jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Of the jobs the asking thread takes the last ones, the others take the first ones."""
    theirs = [others.submit(job) for job in jobs]
    mine = [
        job() if other.cancel() else None
        for job, other in zip(reversed(jobs), reversed(theirs), strict=True)
    ]
    return [
        own if other.cancelled() else other.result()  # type: ignore[misc]
        for own, other in zip(reversed(mine), theirs, strict=True)
    ]

"""The threads of an exploration. Kernels run on several at a time; all else is done by one."""

from collections import deque
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
        left = deque(enumerate(jobs))
        try:
            return _shared(self._others, self.size - 1, left)
        except BaseException:
            left.clear()
            others, self._others = self._others, None
            others.shutdown(cancel_futures=True)
            raise


def _shared(
    others: ThreadPoolExecutor, most: int, left: deque[tuple[int, Callable[[], T]]]
) -> list[T]:
    """The results of what is left, from which each thread takes the next job until there is none.

    Nobody waits for a thread that has not begun when all is done.
    """
    done: dict[int, T] = {}

    def take_part() -> None:
        while left:
            try:
                rank, job = left.popleft()
            except IndexError:
                return  # another thread was faster
            done[rank] = job()

    count = len(left)
    theirs = [others.submit(take_part) for _ in range(min(most, count - 1))]
    take_part()
    for other in theirs:
        if not other.cancel():
            other.result()
    return [done[rank] for rank in range(count)]

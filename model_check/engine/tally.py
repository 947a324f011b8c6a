"""How often each number occurred."""

import numpy as np

from model_check.engine.arrays import Ints


class Tally:
    """A count for each number that was added."""

    def __init__(self) -> None:
        self._counts: Ints = np.zeros(0, dtype=np.int64)

    def add(self, numbers: Ints) -> None:
        """Each of the numbers has occurred once more."""
        counts = np.bincount(numbers, minlength=len(self._counts)).astype(np.int64)
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def items(self) -> list[tuple[int, int]]:
        """Each number that occurred, in rising order, and how often."""
        return [(number, count) for number, count in enumerate(self._counts.tolist()) if count]

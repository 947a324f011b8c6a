"""The reading of rows by a projector: which tuple of projections each has."""

import numpy as np

from model_check.engine.arrays import Narrow, Wide
from model_check.engine.compiling import kernel
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    BITS,
    CLASSES,
    INPUT,
    OUTPUT,
    POSITION,
    PROCESSES,
    SIZE,
    SPAN,
    TABLE,
    WIDTH,
)
from model_check.engine.memo import Memo
from model_check.engine.projector import Projector


class Reading:
    """Some rows, and what the chain of functions gives for each; one is used for many."""

    def __init__(self, processes: int) -> None:
        self.found: Narrow = np.empty(0, dtype=np.int32)
        self._read = kernel("judge")
        self._directory = Directory()
        self._directory[PROCESSES] = processes

    def begin(self, rows: Narrow) -> None:
        """These rows are to be read. Shape: (n, columns)."""
        self.found = np.empty(len(rows), dtype=np.int32)
        self._directory[SIZE], self._directory[WIDTH] = rows.shape
        self._directory[POSITION] = 0
        self._directory.point(INPUT, np.ascontiguousarray(rows, dtype=np.int32))
        self._directory.point(OUTPUT, self.found)

    @property
    def done(self) -> bool:
        """Whether all rows are read."""
        return self._directory[POSITION] == self._directory[SIZE]

    def describe(self, projector: Projector, memo: Memo) -> None:
        """The kernel will find the functions where they are now."""
        self._directory[TABLE] = projector.first
        self._directory[BITS], self._directory[SPAN] = projector.bits, projector.span
        self._directory.point(CLASSES, projector.classes)
        memo.describe(self._directory.numbers)

    def run(self) -> None:
        """Rows are read as far as the functions are known."""
        self._read(self._directory.address)

    def end(self) -> Narrow:
        """What was found; neither it nor the rows are held on to."""
        found, self.found = self.found, np.empty(0, dtype=np.int32)
        self._directory.forget(INPUT)
        self._directory.forget(OUTPUT)
        return found

    def take_misses(self) -> Wide:
        """What was not known."""
        return self._directory.take_misses()

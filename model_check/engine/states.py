"""All states that are known: their fingerprints, and how each was reached first."""

from typing import Final

import numpy as np

from model_check.engine.compiling import kernel
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    ALL_ROWS,
    COUNT,
    EXACT,
    FOUND,
    INPUT,
    NUMBERED,
    OLD_KEYS,
    OLD_NUMBERS,
    OLD_SLOTS,
    OUTPUT,
    SIZE,
    SLOT_KEYS,
    SLOT_NUMBERS,
    SLOTS,
    WIDTH,
)
from model_check.engine.sheets import Narrow, Tape, Wide

_FIRST_SLOTS: Final = 1 << 12
_FULLEST: Final = 0.7  # of the places; beyond it the table grows
_GROWTH: Final = 1.6


class States:
    """The states found so far, numbered from 0 in the order of their being found.

    An open-addressing table of fingerprints (8 bytes a place), and for each state its parent and
    the code of the transition from it (4 bytes each). With `numbered` the table also says which
    number a state has; with `exact` it keeps all rows and tells states apart by these.
    """

    def __init__(self, *, numbered: bool, exact: bool) -> None:
        self.numbered = numbered or exact
        self.exact = exact
        self.parents = Tape()  # -1 for the initial state
        self.codes = Tape()  # -1 for the initial state
        self._absorb = kernel("absorb")
        self._resettle = kernel("resettle")
        self._directory = Directory()
        self._rows: Narrow = np.zeros(0, dtype=np.int32)  # all of them, if exact
        self._allocate(_FIRST_SLOTS)

    def __len__(self) -> int:
        return len(self.parents)

    @property
    def bytes(self) -> int:
        """The memory that the table and the tapes take."""
        table = self._keys.nbytes + self._numbers.nbytes + self._rows.nbytes
        return table + self.parents.bytes + self.codes.bytes

    def describe(self, directory: Directory) -> None:
        """The directory says where the table is."""
        directory[NUMBERED] = int(self.numbered)
        directory[EXACT] = int(self.exact)
        directory[COUNT] = len(self)
        directory[SLOTS] = len(self._keys)
        directory.point(SLOT_KEYS, self._keys)
        directory.point(SLOT_NUMBERS, self._numbers)
        directory.point(ALL_ROWS, self._rows)

    def absorb(self, directory: Directory, columns: int) -> int:
        """Of what a part found, those states that are new are known; the result is how many."""
        self._reserve(len(self) + directory[FOUND], columns)
        self.describe(directory)
        return int(self._absorb(directory.address))

    def widen(self, before: int, columns: int) -> None:
        """Rows have more columns than before; the new ones are 0."""
        if self.exact:
            rows = self._rows.reshape(-1, before)
            grown = np.zeros((len(rows), columns), dtype=np.int32)
            grown[:, :before] = rows
            self._rows = grown.reshape(-1)

    def fingerprints(self) -> Wide:
        """The fingerprints of all states, in no order."""
        return self._keys[self._keys != 0]

    def _reserve(self, count: int, columns: int) -> None:
        if self.exact and count * columns > len(self._rows):
            grown = np.zeros(max(count * columns, 2 * len(self._rows)), dtype=np.int32)
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        if count > _FULLEST * len(self._keys):
            keys, numbers = self._keys, self._numbers
            self._allocate(max(int(count / _FULLEST) + 1, int(_GROWTH * len(keys))))
            self.describe(self._directory)
            self._directory.point(OLD_KEYS, keys)
            self._directory.point(OLD_NUMBERS, numbers)
            self._directory[OLD_SLOTS] = len(keys)
            self._resettle(self._directory.address)
            self._directory.point(OLD_KEYS, self._numbers)  # so that the old ones are free
            self._directory.point(OLD_NUMBERS, self._numbers)

    def _allocate(self, slots: int) -> None:
        self._keys: Wide = np.zeros(slots, dtype=np.int64)
        self._numbers: Narrow = np.zeros(slots if self.numbered else 1, dtype=np.int32)


def fingerprints(rows: Narrow) -> Wide:
    """The fingerprint of each row. Shapes: (n, columns) -> (n,)."""
    prints: Wide = np.empty(len(rows), dtype=np.int64)
    directory = Directory()
    directory[SIZE], directory[WIDTH] = rows.shape
    directory.point(INPUT, rows)
    directory.point(OUTPUT, prints)
    kernel("print_rows")(directory.address)
    return prints

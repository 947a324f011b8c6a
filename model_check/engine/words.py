"""Fingerprints of states: 64 bits each, the sum of one random word for each column's value.

The words are drawn from generators with fixed seeds, so every run has the same. The word of the
value 0 is 0 in every column: a column that comes to be used late changes no fingerprint.
"""

from typing import Final

import numpy as np

from model_check.engine.arrays import Ints, Words

ORIGIN: Final = np.uint64(0xD6E8FEB86659FD93)
"""The fingerprint of a state with 0 in every column."""

_FIRST_CAPACITY = 1024


class WordTable:
    """The random word of each value in each column. Shape: (columns, values)."""

    def __init__(self) -> None:
        self._words: Words = np.empty((0, _FIRST_CAPACITY), dtype=np.uint64)
        self._generators: list[np.random.PCG64] = []

    def reserve(self, columns: int, values: int) -> None:
        """There are words for so many columns and so many values in each."""
        had_columns, had_values = self._words.shape
        if columns <= had_columns and values <= had_values:
            return
        while values > had_values:
            had_values *= 2
        grown: Words = np.empty((max(columns, had_columns), had_values), dtype=np.uint64)
        for column in range(len(grown)):
            if column == len(self._generators):
                self._generators.append(np.random.PCG64(column))
            drawn = self._words.shape[1] if column < had_columns else 0
            if drawn:
                grown[column, :drawn] = self._words[column]
            grown[column, drawn:] = self._generators[column].random_raw(had_values - drawn)
            grown[column, 0] = 0
        self._words = grown

    def of(self, column: int | Ints, values: Ints) -> Words:
        """The word of each value, in one column or each in its own. Shape: (n,)."""
        words: Words = (
            self._words[column].take(values)
            if isinstance(column, int)
            else self._words.ravel().take(column * self._words.shape[1] + values)
        )
        return words

    def fingerprint(self, row: Ints) -> np.uint64:
        """The fingerprint of one state."""
        words = self.of(np.arange(len(row)), row)
        return np.uint64((int(ORIGIN) + int(words.sum(dtype=np.uint64))) & 0xFFFFFFFFFFFFFFFF)

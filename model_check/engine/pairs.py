"""Functions of two numbers, computed once for each pair and then looked up, an array at a time."""

from collections.abc import Callable

import numpy as np

from model_check.engine.arrays import UNKNOWN, Column, Ints
from model_check.engine.numbering import Numbering

DENSE_CELLS = 1 << 24
"""Up to this size, a table has a cell for every possible pair: 64 MiB of int32."""

_FIRST_SIDE = 16


class PairTable:
    """`compute(a, b)` for arrays of a and b: at least 0, or NOTHING.

    Pairs are computed in rising order among those that one call sees for the first time.
    """

    def __init__(self, compute: Callable[[int, int], int], dense_cells: int = DENSE_CELLS) -> None:
        self._compute = compute
        self._dense_cells = dense_cells
        self._dense = np.full((_FIRST_SIDE, _FIRST_SIDE), UNKNOWN, dtype=np.int32)
        self._sparse: _SparsePairs | None = None
        self._computed = 0

    def __len__(self) -> int:
        return self._computed

    def __call__(self, a: Ints, b: Ints) -> Ints:
        """The value of each pair. Shapes: (n,), (n,) -> (n,)."""
        if not a.size:
            return np.empty(0, dtype=np.int64)
        if self._sparse is None:
            self._make_room(int(a.max()), int(b.max()))
        if self._sparse is not None:
            return self._sparse(a, b, self._computed_value)
        cell = a * self._dense.shape[1] + b
        value = self._dense.ravel().take(cell).astype(np.int64)
        unknown = value == UNKNOWN
        if unknown.any():
            self._fill(np.unique(cell[unknown]))
            value = self._dense.ravel().take(cell).astype(np.int64)
        return value

    def _fill(self, cells: Ints) -> None:
        width = self._dense.shape[1]
        flat = self._dense.ravel()
        for cell in cells.tolist():
            flat[cell] = self._computed_value(*divmod(cell, width))

    def _computed_value(self, a: int, b: int) -> int:
        self._computed += 1
        return self._compute(a, b)

    def _make_room(self, a: int, b: int) -> None:
        rows, columns = self._dense.shape
        if a < rows and b < columns:
            return
        rows, columns = _grown(rows, a), _grown(columns, b)
        if rows * columns > self._dense_cells:
            self._sparse = _SparsePairs(self._dense)
            return
        grown = np.full((rows, columns), UNKNOWN, dtype=np.int32)
        grown[: self._dense.shape[0], : self._dense.shape[1]] = self._dense
        self._dense = grown


class _SparsePairs:
    """The values of the pairs that were asked for, and of no others."""

    def __init__(self, dense: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> None:
        self._numbering = Numbering()
        self._values = Column()
        a, b = np.nonzero(dense != UNKNOWN)
        self._numbering.claim(_keys(a, b))
        self._values.extend(dense[a, b].astype(np.int64))

    def __call__(self, a: Ints, b: Ints, compute: Callable[[int, int], int]) -> Ints:
        numbers, new = self._numbering.claim(_keys(a, b))
        if new.size:
            self._values.extend(
                compute(*pair) for pair in zip(a[new].tolist(), b[new].tolist(), strict=True)
            )
        return self._values.view[numbers]


def _keys(a: Ints, b: Ints) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    # One more than the pair, since the numbering reserves the key 0.
    return (((a << 32) | b) + 1).view(np.uint64)


def _grown(size: int, index: int) -> int:
    return size if index < size else max(2 * size, 1 << index.bit_length())

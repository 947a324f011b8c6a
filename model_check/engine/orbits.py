"""How many states those stand for that an exploration with symmetry has kept."""

from typing import Final

import numpy as np
import numpy.typing as npt

from model_check.engine.arrays import Narrow
from model_check.engine.memo import Memo

_UNKNOWN: Final = -1


class Orbits:
    """The sizes of the orbits of states under the symmetries that are in force.

    The symmetries are a group. An orbit has as many states as there are symmetries, divided by the
    number of those that leave a state of it as it is.
    """

    def __init__(self, memo: Memo, first: int, stride: int, count: int) -> None:
        """Symmetry `s` renames a value of kind `k` by the memo's function first + stride * s + k.

        The symmetry that changes nothing is not among the `count`.
        """
        self._memo = memo
        self._first = first
        self._stride = stride
        self._count = count
        self._renamed: dict[int, Narrow] = {}  # by function

    def states(self, rows: Narrow, kinds: Narrow, images: Narrow) -> int:
        """How many states are in the orbits of these, of which no two share one.

        Shapes: rows (n, columns), kinds (at least columns,), images (symmetries, as kinds).
        """
        full = np.zeros((len(rows), len(kinds)), dtype=np.int32)
        full[:, : rows.shape[1]] = rows
        same = np.ones(len(rows), dtype=np.int64)
        for symmetry in range(self._count):
            same += self._unchanged(full, kinds, images[symmetry], symmetry)
        return int(np.sum((self._count + 1) // same))

    def _unchanged(
        self, rows: Narrow, kinds: Narrow, images: Narrow, symmetry: int
    ) -> npt.NDArray[np.bool_]:
        """Whether each row is its own image."""
        same = np.ones(len(rows), dtype=np.bool_)
        for column, (kind, image) in enumerate(zip(kinds, images, strict=True)):
            values = rows[:, column]
            if kind >= 0:
                values = self._values(self._first + self._stride * symmetry + int(kind), values)
            same &= values == rows[:, image]
        return same

    def _values(self, function: int, values: Narrow) -> Narrow:
        """What the function gives for each."""
        most = int(values.max(initial=0))
        known = self._renamed.get(function, np.empty(0, dtype=np.int32))
        if len(known) <= most:
            more = np.full(2 * most + 1 - len(known), _UNKNOWN, dtype=np.int32)
            known = self._renamed[function] = np.concatenate([known, more])
        for value in np.unique(values[known[values] == _UNKNOWN]):
            known[value] = self._memo.value(function, int(value), 0)
        return known[values]

"""Tuples of small values that local states are projected to, each distinct tuple a number."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from model_check.engine.arrays import Column, Ints
from model_check.engine.interner import Interner
from model_check.engine.pairs import PairTable


class Projector:
    """The projections of all processes, as the number of their tuple.

    `states` grows while it is used; the projection of each is computed once.
    """

    def __init__(
        self,
        states: Interner[tuple[int, Hashable]],
        process_count: int,
        project: Callable[[int, Any], Hashable],
    ) -> None:
        self._states = states
        self._project = project
        self._projections: Interner[Hashable] = Interner()
        self._projection = Column()  # of each local state
        self._prefixes: list[Interner[tuple[int, int]]] = []
        self._longer: list[PairTable] = []
        for _ in range(process_count):
            prefixes: Interner[tuple[int, int]] = Interner()
            self._prefixes.append(prefixes)
            self._longer.append(PairTable(_pairing(prefixes)))

    def __len__(self) -> int:
        return len(self._prefixes[-1])

    def tuples(self, states: Ints) -> Ints:
        """The number of each row's tuple. Shapes: (n, processes) -> (n,)."""
        for process, value in self._states.values[len(self._projection) :]:
            self._projection.append(self._projections.add(self._project(process, value)))
        prefix = np.zeros(len(states), dtype=np.int64)
        for process, longer in enumerate(self._longer):
            prefix = longer(prefix, self._projection.view[states[:, process]])
        return prefix

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        projected: list[Any] = []
        for prefixes in reversed(self._prefixes):
            number, projection = prefixes[number]
            projected.append(self._projections[projection])
        return tuple(reversed(projected))


def _pairing(interner: Interner[tuple[int, int]]) -> Callable[[int, int], int]:
    return lambda a, b: interner.add((a, b))

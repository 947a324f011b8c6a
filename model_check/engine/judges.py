"""The judgement of properties of states: once for each distinct tuple of projections."""

from collections.abc import Callable
from typing import Any

import numpy as np

from model_check.engine.arrays import Column, Ints
from model_check.engine.interner import Interner
from model_check.engine.local import LocalTables
from model_check.engine.pairs import PairTable
from model_check.properties import Invariant, Sometimes


class Judge:
    """One property of states, and what it says of each tuple of projections met so far."""

    def __init__(self, prop: Invariant[Any] | Sometimes[Any], local: LocalTables) -> None:
        self.property = prop
        self._local = local
        self._projections: Interner[Any] = Interner()
        self._projection = Column()  # of each local state
        self._prefixes: list[Interner[tuple[int, int]]] = []
        self._longer: list[PairTable] = []
        for _ in range(local.process_count):
            prefixes: Interner[tuple[int, int]] = Interner()
            self._prefixes.append(prefixes)
            self._longer.append(PairTable(_pairing(prefixes)))
        self._accepts = Column()  # of each complete tuple: 0 or 1

    def __len__(self) -> int:
        return len(self._accepts)

    def accepts(self, states: Ints) -> Ints:
        """1 for each row that the property accepts, else 0. Shapes: (n, processes) -> (n,)."""
        self._project()
        prefix = np.zeros(len(states), dtype=np.int64)
        for process, longer in enumerate(self._longer):
            prefix = longer(prefix, self._projection.view[states[:, process]])
        self._judge()
        return self._accepts.view[prefix]

    def _project(self) -> None:
        for process, value in self._local.states.values[len(self._projection) :]:
            self._projection.append(self._projections.add(self.property.project(process, value)))

    def _judge(self) -> None:
        for number in range(len(self._accepts), len(self._prefixes[-1])):
            self._accepts.append(int(bool(self.property.judge(self._projected(number)))))

    def _projected(self, number: int) -> tuple[Any, ...]:
        projected: list[Any] = []
        for prefixes in reversed(self._prefixes):
            number, projection = prefixes[number]
            projected.append(self._projections[projection])
        return tuple(reversed(projected))


def _pairing(interner: Interner[tuple[int, int]]) -> Callable[[int, int], int]:
    return lambda a, b: interner.add((a, b))

"""The judgement of properties of states: once for each distinct tuple of projections."""

from typing import Any

from model_check.engine.arrays import Column, Ints
from model_check.engine.local import LocalTables
from model_check.engine.projector import Projector
from model_check.properties import Invariant, Settles, Sometimes


class Judge:
    """One property of states, and what it says of each tuple of projections met so far."""

    def __init__(
        self, prop: Invariant[Any] | Sometimes[Any] | Settles[Any], local: LocalTables
    ) -> None:
        self.property = prop
        self._projected = Projector(local.states, local.process_count, prop.project)
        self._accepts = Column()  # of each complete tuple: 0 or 1

    def __len__(self) -> int:
        return len(self._accepts)

    def accepts(self, states: Ints) -> Ints:
        """1 for each row that the property accepts, else 0. Shapes: (n, processes) -> (n,)."""
        tuples = self._projected.tuples(states)
        for number in range(len(self._accepts), len(self._projected)):
            self._accepts.append(int(bool(self.property.judge(self._projected[number]))))
        return self._accepts.view[tuples]

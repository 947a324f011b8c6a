"""The rows and transitions of an exploration, kept for its graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from model_check.engine.arrays import Column, Ints
from model_check.engine.batch import Batch
from model_check.engine.local import LocalTables
from model_check.engine.state_graph import StateGraph
from model_check.system import System


class Recorder:
    """What the graph of an exploration consists of."""

    def __init__(self, system: System[Any, Any, Any], local: LocalTables) -> None:
        self._system = system
        self._local = local
        self._rows: list[Ints] = []
        self._depth = Column()
        self._source = Column()
        self._target = Column()
        self._code = Column()

    def add_states(self, states: Ints, depth: int) -> None:
        """The states, the next ones by their numbers, are kept. Shape: (n, processes)."""
        self._rows.append(states)
        self._depth.extend(np.full(len(states), depth))

    def add_transitions(self, batch: Batch, first: int, targets: Ints) -> None:
        """The transitions are kept; row 0 of the chunk is state `first`."""
        self._source.extend(batch.parent + first)
        self._target.extend(targets)
        self._code.extend(batch.code)

    def graph(self, describe: Callable[[int], str]) -> StateGraph:
        """All that was kept; of a part that was interrupted, only what fits together."""
        rows = np.concatenate(self._rows)
        whole = len(self._code)
        known = np.flatnonzero(self._target.view[:whole] < min(len(rows), len(self._depth)))
        return StateGraph(
            processes=self._system.processes,
            local_states=[value for _, value in self._local.states.values],
            rows=rows[: len(self._depth)],
            depth=self._depth.view,
            source=self._source.view[known],
            target=self._target.view[known],
            code=self._code.view[known],
            describe=describe,
        )

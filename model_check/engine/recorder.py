"""The rows and transitions of an exploration, kept for its graph."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from model_check.engine.arrays import Narrow
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Tape
from model_check.engine.state_graph import StateGraph
from model_check.system import System


class Recorder:
    """What the graph of an exploration consists of."""

    def __init__(self, system: System[Any, Any, Any], local: LocalTables) -> None:
        self._system = system
        self._local = local
        self._rows: list[Narrow] = []
        self._row_bytes = 0
        self._depth = Tape()
        self._source = Tape()
        self._target = Tape()
        self._code = Tape()

    @property
    def bytes(self) -> int:
        """The memory that is taken by what is kept."""
        tapes = (self._depth, self._source, self._target, self._code)
        return self._row_bytes + sum(tape.bytes for tape in tapes)

    def add_states(self, states: Narrow, depth: int) -> None:
        """The states, the next ones by their numbers, are kept. Shape: (n, processes)."""
        self._rows.append(states)
        self._row_bytes += states.nbytes
        self._depth.extend(np.full(len(states), depth, dtype=np.int32))

    def add_transitions(self, sources: Narrow, codes: Narrow, targets: Narrow) -> None:
        """The transitions are kept."""
        self._source.extend(sources)
        self._code.extend(codes)
        self._target.extend(targets)

    def to_save(self) -> dict[str, Narrow]:
        """All that was kept, as arrays."""
        return {
            "graph_rows": np.concatenate(self._rows),
            "graph_depths": self._depth.whole(),
            "graph_sources": self._source.whole(),
            "graph_targets": self._target.whole(),
            "graph_codes": self._code.whole(),
        }

    def restore(self, saved: Mapping[str, Narrow]) -> None:
        """All is kept that was saved."""
        self.add_states(saved["graph_rows"], 0)
        self._depth = Tape()
        self._depth.extend(saved["graph_depths"])
        self.add_transitions(saved["graph_sources"], saved["graph_codes"], saved["graph_targets"])

    def graph(self, describe: Callable[[int], str]) -> StateGraph:
        """All that was kept; of a part that was interrupted, only what fits together."""
        rows = np.concatenate(self._rows)[: len(self._depth)]
        source, target, code = self._source.whole(), self._target.whole(), self._code.whole()
        known = slice(0, min(map(len, (source, target, code))))
        source, target, code = source[known], target[known], code[known]
        if len(target) and target.max() >= len(rows):
            within = target < len(rows)
            source, target, code = source[within], target[within], code[within]
        return StateGraph(
            processes=self._system.processes,
            local_states=[value for _, value in self._local.states.values],
            rows=rows,
            depth=self._depth.whole(),
            source=source,
            target=target,
            code=code,
            describe=describe,
        )

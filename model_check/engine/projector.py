"""Tuples of small values that local states are projected to, each distinct tuple a number."""

from collections.abc import Callable, Hashable
from typing import Any

from model_check.engine.interner import Interner
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Sheet


class Projector:
    """The projections of all processes together, as a chain of functions for the kernels.

    The functions `first`, `first` + 1 ... take the number of what was seen of the processes before
    (0 at first) and the class of the next one. That of the last process gives what `finish` makes
    of the number of the whole tuple.
    """

    def __init__(
        self,
        local: LocalTables,
        project: Callable[[int, Any], Hashable],
        finish: Callable[[tuple[Any, ...]], int] | None = None,
    ) -> None:
        self._project = project
        self._finish = finish
        self._process_count = local.process_count
        self._projections: Interner[Hashable] = Interner()
        self.classes = Sheet()  # of each local state
        self._prefixes: list[Interner[tuple[Any, ...]]] = []
        self.first = local.memo.reserve(local.process_count)
        for process in range(local.process_count):
            self._prefixes.append(Interner())
            local.memo.define(self.first + process, self._longer(process))
        for process, value in local.states.values:
            self._classify(process, value)
        local.on_state.append(self._classify)

    def __len__(self) -> int:
        return len(self._prefixes[-1])

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        return self._prefixes[-1][number]

    def _classify(self, process: int, value: Hashable) -> None:
        self.classes.append(self._projections.add(self._project(process, value)))

    def _longer(self, process: int) -> Callable[[int, int], int]:
        prefixes = self._prefixes[process]
        shorter = self._prefixes[process - 1] if process else None
        last = process == self._process_count - 1

        def longer(prefix: int, projection: int) -> int:
            before = () if shorter is None else shorter[prefix]
            whole = (*before, self._projections[projection])
            number = prefixes.add(whole)
            return self._finish(whole) if last and self._finish is not None else number

        return longer

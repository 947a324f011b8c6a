"""A system on its links, as the tables that kernels read and Python fills."""

from collections.abc import Hashable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from model_check.engine.arrays import Flags, Narrow, Wide
from model_check.engine.boxes import BoxTables
from model_check.engine.budgets import Budgets
from model_check.engine.crew import Crew
from model_check.engine.directory import Directory
from model_check.engine.held import HeldTables
from model_check.engine.layout import STATE_COUNT, STATE_FIRST
from model_check.engine.local import LocalTables
from model_check.engine.memo import Memo, function_of
from model_check.engine.projector import Projector
from model_check.engine.reading import Reading
from model_check.engine.sight import Sight
from model_check.engine.symmetry import Symmetries
from model_check.links import HeldLinks, Links
from model_check.properties import Property, StepProperty
from model_check.system import System


class Tables:
    """Everything about a system that does not depend on which states are reached."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: Links,
        properties: Sequence[Property],
        *,
        symmetry: bool = False,
        crew: Crew | None = None,
    ) -> None:
        self.memo = Memo()
        budgets = Budgets(system.budgets, self.memo)
        self.local = LocalTables(system, self.memo, budgets, step_properties(properties))
        self._links: HeldTables | BoxTables = (
            HeldTables(system, links, self.local)
            if isinstance(links, HeldLinks)
            else BoxTables(system, links, self.local, budgets)
        )
        self.symmetries = Symmetries(system, self.local, self._links) if symmetry else None
        self._crew = crew or Crew()
        self._readings: list[Reading] = []  # as many as were ever needed at a time
        self._sight = Sight(system, self.local) if system.watchers else None

    @property
    def columns(self) -> int:
        """How many columns a row has by now."""
        return self._links.columns

    def initial(self) -> list[int]:
        """The row of the initial state.

        Raises ValueError if there is no room for the initial messages.
        """
        return self._links.initial()

    def describe(self, directory: Directory) -> None:
        """The directory says where all tables are. To be called anew whenever they have grown."""
        if self.symmetries is not None:
            self.symmetries.describe(directory)  # which may find new channels
        self._links.describe(directory)
        self.local.describe(directory)
        if self._sight is not None:
            self._sight.describe(directory)

    def tuples(self, projector: Projector, pieces: Sequence[Narrow]) -> Narrow:
        """What the projector's chain of functions gives for each row of all pieces.

        Shapes: (n, at least processes) of each piece -> (all n together,).
        """
        pieces = [rows for rows in pieces if len(rows)]
        while len(self._readings) < len(pieces):
            self._readings.append(Reading(self.local.process_count))
        readings = self._readings[: len(pieces)]
        for reading, rows in zip(readings, pieces, strict=True):
            reading.begin(rows)
        waiting = readings
        while waiting:
            for reading in waiting:
                reading.describe(projector, self.memo)
            self._crew.do([reading.run for reading in waiting])
            missing = [reading.take_misses() for reading in waiting]
            waiting = [reading for reading in waiting if not reading.done]
            if waiting:
                self.memo.fill(np.unique(np.concatenate(missing)).tolist())
        found = [reading.end() for reading in readings]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int32)

    def offered(self, rows: Narrow, among: Flags) -> Wide:
        """How many of these moves each state offers, whether or not they can be paid for.

        All of the states must have been expanded. Shapes: (n, columns), (moves,) -> (n,).
        """
        total = np.cumsum(np.concatenate([[0], among]))
        first = self.local.state_sheet.column(STATE_FIRST)
        count = np.maximum(self.local.state_sheet.column(STATE_COUNT), 0)
        of_state = total[first + count] - total[first]
        offers: Wide = of_state[rows[:, : self.local.process_count]].sum(axis=1)
        if self._sight is not None:
            offers += self._sight.offered(rows, self.tuples(self._sight.seen, [rows]), among)
        return offers

    def recompute(self, keys: Wide) -> None:
        """What an exploration computed is computed again, in the same order."""
        for _, group in groupby(keys.tolist(), key=function_of):
            self._links.catch_up()
            self.memo.fill(group)
        self._links.catch_up()

    def sizes(self) -> dict[str, int]:
        """How many of each there are."""
        sight = {} if self._sight is None else self._sight.sizes()
        return self.local.sizes() | sight | self._links.sizes()

    def event(self, number: int) -> tuple[int, Hashable]:
        """The process and the event with that number."""
        return self.local.events[number]


def step_properties(properties: Sequence[Property]) -> list[StepProperty[Any]]:
    """Those that judge steps, in the same order."""
    return [prop for prop in properties if isinstance(prop, StepProperty)]

"""A system on its links, as the tables that kernels read and Python fills."""

from collections.abc import Hashable, Sequence
from itertools import groupby
from typing import Any

from model_check.engine.boxes import BoxTables
from model_check.engine.budgets import Budgets
from model_check.engine.directory import Directory
from model_check.engine.held import HeldTables
from model_check.engine.local import LocalTables
from model_check.engine.memo import Memo, function_of
from model_check.engine.sheets import Wide
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

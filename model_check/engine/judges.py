"""The judgement of properties of states: once for each distinct tuple of projections."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from model_check.engine.arrays import Flags, Narrow
from model_check.engine.projector import Projector
from model_check.engine.symmetry import SymmetryError
from model_check.engine.tables import Tables
from model_check.properties import Invariant, Settles, Sometimes

StateProperty = Invariant[Any] | Sometimes[Any] | Settles[Any]


class Panel:
    """Properties with one projection, and what they say of each tuple of projections met so far."""

    def __init__(self, properties: Sequence[StateProperty], tables: Tables) -> None:
        self.properties = properties
        self._tables = tables
        self._projected = Projector(tables.local, properties[0].project, self._verdicts)

    def __len__(self) -> int:
        return len(self._projected)

    def accepts(self, pieces: Sequence[Narrow]) -> Narrow:
        """For each row of all pieces the number with bit i set if property i accepts it.

        Shapes: (n, columns) of each piece -> (all n together,). Raises SymmetryError if one judges
        an image otherwise.
        """
        verdicts = self._tables.tuples(self._projected, pieces)
        if self._tables.symmetries is not None:
            for images in zip(*map(self._tables.symmetries.images, pieces), strict=True):
                if (self._tables.tuples(self._projected, images) != verdicts).any():
                    ids = " or ".join(prop.id for prop in self.properties)
                    raise SymmetryError(f"{ids} looks at names that are interchangeable")
        return verdicts

    def _verdicts(self, projected: tuple[Any, ...]) -> int:
        return sum(bool(prop.judge(projected)) << bit for bit, prop in enumerate(self.properties))


class Judges:
    """Properties of states, and what they say of rows."""

    def __init__(self, properties: Sequence[StateProperty], tables: Tables) -> None:
        together: dict[Callable[[int, Any], Hashable], list[StateProperty]] = {}
        for prop in properties:
            together.setdefault(prop.project, []).append(prop)
        self._panels = [Panel(each, tables) for each in together.values()]

    def judge(
        self, pieces: Sequence[Narrow], wanted: AbstractSet[str]
    ) -> Iterator[tuple[StateProperty, Flags]]:
        """For each property with a wanted id: whether it accepts each row of all pieces.

        Shape: (n, columns) of each piece.
        """
        for panel in self._panels:
            asked = [(bit, prop) for bit, prop in enumerate(panel.properties) if prop.id in wanted]
            if asked:
                verdicts = panel.accepts(pieces)
                for bit, prop in asked:
                    yield prop, (verdicts >> bit & 1).astype(np.bool_)

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of projections there were, by the properties judged on them."""
        return {
            f"projections of {', '.join(prop.id for prop in panel.properties)}": len(panel)
            for panel in self._panels
        }

"""The judgement of properties of states: once for each distinct tuple of projections."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from model_check.engine.compiling import kernel
from model_check.engine.directory import Directory
from model_check.engine.layout import CLASSES, INPUT, OUTPUT, POSITION, SIZE, TABLE, WIDTH
from model_check.engine.local import LocalTables
from model_check.engine.projector import Projector
from model_check.engine.sheets import Flags, Narrow
from model_check.engine.symmetry import SymmetryError
from model_check.engine.tables import Tables
from model_check.properties import Invariant, Settles, Sometimes

StateProperty = Invariant[Any] | Sometimes[Any] | Settles[Any]


class Panel:
    """Properties with one projection, and what they say of each tuple of projections met so far."""

    def __init__(self, properties: Sequence[StateProperty], local: LocalTables) -> None:
        self.properties = properties
        self._local = local
        self._projected = Projector(local, properties[0].project, self._verdicts)
        self._judge = kernel("judge")

    def __len__(self) -> int:
        return len(self._projected)

    def accepts(self, rows: Narrow, directory: Directory) -> Narrow:
        """For each row the number with bit i set if property i accepts it.

        Shapes: (n, columns) -> (n,). The directory describes the tables.
        """
        verdicts: Narrow = np.empty(len(rows), dtype=np.int32)
        directory[SIZE] = len(rows)
        directory[POSITION] = 0
        directory[TABLE] = self._projected.first
        directory.point(INPUT, rows)
        directory.point(OUTPUT, verdicts)
        while directory[POSITION] < len(rows):
            directory[CLASSES] = self._projected.classes.address
            self._judge(directory.address)
            directory.fill_misses(self._local.memo)
        return verdicts

    def _verdicts(self, projected: tuple[Any, ...]) -> int:
        return sum(bool(prop.judge(projected)) << bit for bit, prop in enumerate(self.properties))


class Judges:
    """Properties of states, and what they say of rows."""

    def __init__(self, properties: Sequence[StateProperty], tables: Tables) -> None:
        self.properties = properties
        self._tables = tables
        self._directory = Directory()
        together: dict[Callable[[int, Any], Hashable], list[StateProperty]] = {}
        for prop in properties:
            together.setdefault(prop.project, []).append(prop)
        self._panels = [Panel(each, tables.local) for each in together.values()]

    def judge(
        self, rows: Narrow, wanted: AbstractSet[str]
    ) -> Iterator[tuple[StateProperty, Flags]]:
        """For each property with a wanted id: whether it accepts each row. Shape: (n, columns)."""
        self._tables.describe(self._directory)
        self._directory[WIDTH] = rows.shape[1]
        for panel in self._panels:
            asked = [(bit, prop) for bit, prop in enumerate(panel.properties) if prop.id in wanted]
            if asked:
                verdicts = panel.accepts(rows, self._directory)
                self._check_images(panel, rows, verdicts)
                for bit, prop in asked:
                    yield prop, (verdicts >> bit & 1).astype(np.bool_)

    def _check_images(self, panel: Panel, rows: Narrow, verdicts: Narrow) -> None:
        """Every image of each row is judged like the row.

        Raises SymmetryError if one is not.
        """
        if self._tables.symmetries is None:
            return
        for image in self._tables.symmetries.images(rows):
            self._tables.describe(self._directory)
            self._directory[WIDTH] = image.shape[1]
            if (panel.accepts(image, self._directory) != verdicts).any():
                ids = " or ".join(prop.id for prop in panel.properties)
                raise SymmetryError(f"{ids} looks at names that are interchangeable")
        self._directory[WIDTH] = rows.shape[1]

    def accepts(self, rows: Narrow) -> Flags:
        """Whether the one property there is accepts each row. Shapes: (n, columns) -> (n,)."""
        ((_, accepted),) = self.judge(rows, {prop.id for prop in self.properties})
        return accepted

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of projections there were, by the properties judged on them."""
        return {
            f"projections of {', '.join(prop.id for prop in panel.properties)}": len(panel)
            for panel in self._panels
        }

"""One state written out in tables, which plain Python can judge."""

from collections.abc import Callable, Mapping
from itertools import product

import attrs

from model_check.induction.logic import PlainLogic, SortName, Term
from model_check.induction.vocabulary import SYMBOLS, World

Table = Mapping[tuple[int, ...], int]
"""The value of a symbol for its arguments; of a relation 0 or 1."""


@attrs.frozen
class Structure:
    """So many elements of each sort, and the table of each symbol."""

    sizes: dict[SortName, int]
    tables: Mapping[str, Table]

    def logic(self) -> PlainLogic:
        """How formulas about it are read."""
        return PlainLogic(self.sizes)

    def world(self, logic: PlainLogic | None = None) -> World:
        """The state as formulas see it."""
        reader = logic or self.logic()
        return World(reader, {name: _lookup(table) for name, table in self.tables.items()})

    def elements(self, *sorts: SortName) -> list[tuple[int, ...]]:
        """All tuples of elements of these sorts."""
        return list(product(*(range(self.sizes[sort]) for sort in sorts)))

    def true(self, name: str) -> list[tuple[int, ...]]:
        """Where a relation holds."""
        return [args for args, value in self.tables[name].items() if value]


def tabulate(sizes: dict[SortName, int], world: World) -> Structure:
    """The state written out."""
    tables: dict[str, Table] = {}
    for name, symbol in SYMBOLS.items():
        meaning = world.meaning(name)
        places = product(*(range(sizes[sort]) for sort in symbol.sorts))
        tables[name] = {args: int(meaning(*args)) for args in places}
    return Structure(sizes, tables)


def _lookup(table: Table) -> Callable[..., Term]:
    return lambda *args: table[args]

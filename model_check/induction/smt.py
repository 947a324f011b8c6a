"""Formulas as Z3 reads them: over sorts of any size, or over finite ones, spelt out."""

from collections.abc import Callable, Mapping
from itertools import count, product
from typing import Final

import z3
from typing_extensions import override

from model_check.induction.epochs import rounds
from model_check.induction.logic import Logic, SortName, Term
from model_check.induction.setting import Setting
from model_check.induction.vocabulary import SYMBOLS, World

SORTS: Final[tuple[SortName, ...]] = ("node", "slot", "quorum", "epoch")


_NUMBER: Final = count()


class _Connectives(Logic):
    """What both readings have in common."""

    def __init__(self, sorts: Mapping[SortName, Term]) -> None:
        self.sorts = sorts

    @override
    def both(self, *parts: Term) -> Term:
        return z3.And(*parts)

    @override
    def either(self, *parts: Term) -> Term:
        return z3.Or(*parts)

    @override
    def no(self, part: Term) -> Term:
        return z3.Not(part)

    @override
    def same(self, one: Term, other: Term) -> Term:
        return one == other

    @override
    def pick(self, condition: Term, one: Term, other: Term) -> Term:
        return z3.If(condition, one, other)

    def constant(self, name: str, sort: SortName) -> Term:
        """An element that the solver may choose."""
        return z3.Const(name, self.sorts[sort])

    def world(self, stage: str = "") -> World:
        """A state that the solver may choose."""
        meanings: dict[str, Callable[..., Term]] = {}
        for name, symbol in SYMBOLS.items():
            result = z3.BoolSort() if symbol.result is None else self.sorts[symbol.result]
            label = name if symbol.kind == "fixed" else name + stage
            domain = [self.sorts[sort] for sort in symbol.sorts]
            function = z3.Function(label, *domain, result)
            meanings[name] = function if domain else lambda function=function: function()
        return World(self, meanings)


class AnySize(_Connectives):
    """Nodes, slots, quorums and epochs are whatever fits, as many as there may be."""

    def __init__(self) -> None:
        """Sorts of which only the axioms are known."""
        super().__init__({sort: z3.DeclareSort(sort) for sort in SORTS})
        epoch = self.sorts["epoch"]
        self._at_most = z3.Function("at_most", epoch, epoch, z3.BoolSort())
        self._zero = z3.Const("zero", epoch)

    @property
    @override
    def zero(self) -> Term:
        return self._zero

    @override
    def at_most(self, one: Term, other: Term) -> Term:
        return self._at_most(one, other)

    @override
    def every(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        bound = self._bound(sorts)
        return z3.ForAll(bound, body(*bound))

    @override
    def some(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        bound = self._bound(sorts)
        return z3.Exists(bound, body(*bound))

    def _bound(self, sorts: tuple[SortName, ...]) -> list[Term]:
        return [z3.FreshConst(self.sorts[sort], sort[0]) for sort in sorts]

    def axioms(self) -> list[Term]:
        """Epochs are in a total order that starts with zero."""
        le = self._at_most
        a, b, c = z3.Consts("a b c", self.sorts["epoch"])
        return [
            z3.ForAll([a], le(self._zero, a)),
            z3.ForAll([a, b], z3.Or(le(a, b), le(b, a))),
            z3.ForAll([a, b], z3.Implies(z3.And(le(a, b), le(b, a)), a == b)),
            z3.ForAll([a, b, c], z3.Implies(z3.And(le(a, b), le(b, c)), le(a, c))),
        ]


class Finite(_Connectives):
    """So many nodes, slots, quorums and epochs: quantifiers are spelt out."""

    def __init__(self, sizes: Mapping[SortName, int]) -> None:
        """Sorts of these sizes, with epochs in the order of their numbers."""
        self.elements: dict[SortName, list[Term]] = {}
        sorts: dict[SortName, Term] = {}
        for sort, size in sizes.items():
            label = f"{sort}{next(_NUMBER)}_"  # Z3 takes each name once
            names = [f"{label}{number}" for number in range(size)]
            sorts[sort], self.elements[sort] = z3.EnumSort(label, names)
        super().__init__(sorts)

    @property
    @override
    def zero(self) -> Term:
        return self.elements["epoch"][0]

    @override
    def at_most(self, one: Term, other: Term) -> Term:
        epochs = self.elements["epoch"]
        return z3.Or(
            *(
                z3.And(one == a, z3.Or(*(other == b for b in epochs[i:])))
                for i, a in enumerate(epochs)
            )
        )

    @override
    def every(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        return z3.And(*(body(*each) for each in product(*(self.elements[s] for s in sorts))))

    @override
    def some(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        return z3.Or(*(body(*each) for each in product(*(self.elements[s] for s in sorts))))


def fixed(setting: Setting, world: World, *, share: bool) -> Term:
    """What is known of majorities and of epochs: it is the same in all states."""
    voters = majorities(world, share=share)
    return world.logic.both(voters, rounds(world)) if setting.rules.unique_epochs else voters


def majorities(world: World, *, share: bool) -> Term:
    """Quorums have voters, and any two have one in common if they `share`."""
    lg = world.logic
    nonempty = lg.every(("quorum",), lambda q: lg.some(("node",), lambda v: world.member(v, q)))
    if not share:
        return nonempty
    return lg.every(
        ("quorum", "quorum"),
        lambda p, q: lg.some(("node",), lambda v: lg.both(world.member(v, p), world.member(v, q))),
    )

"""First-order formulas, written once and read by whoever implements `Logic`.

A term is whatever the reader makes of it: a Z3 expression, or a plain value.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Literal

from typing_extensions import override

Term = Any
"""A formula, a node, a slot, a quorum or an epoch."""

SortName = Literal["node", "slot", "quorum", "epoch"]


class Logic(ABC):
    """The connectives, quantifiers and the order of epochs, as one reader understands them."""

    @property
    @abstractmethod
    def zero(self) -> Term:
        """The smallest epoch."""

    @abstractmethod
    def both(self, *parts: Term) -> Term:
        """All of these hold."""

    @abstractmethod
    def either(self, *parts: Term) -> Term:
        """At least one of these holds."""

    @abstractmethod
    def no(self, part: Term) -> Term:
        """The part does not hold."""

    @abstractmethod
    def same(self, one: Term, other: Term) -> Term:
        """Both are the same element."""

    @abstractmethod
    def at_most(self, one: Term, other: Term) -> Term:
        """The one epoch is not larger than the other."""

    @abstractmethod
    def pick(self, condition: Term, one: Term, other: Term) -> Term:
        """The one if the condition holds, else the other."""

    @abstractmethod
    def every(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        """The body holds for all elements of these sorts."""

    @abstractmethod
    def some(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        """The body holds for some elements of these sorts."""

    def less(self, one: Term, other: Term) -> Term:
        """The one epoch is smaller than the other."""
        return self.no(self.at_most(other, one))

    def implies(self, premise: Term, conclusion: Term) -> Term:
        """If the premise holds, so does the conclusion."""
        return self.either(self.no(premise), conclusion)

    def later(self, one: Term, other: Term) -> Term:
        """The larger of two epochs."""
        return self.pick(self.at_most(one, other), other, one)


class PlainLogic(Logic):
    """Formulas are truth values, elements are numbers from 0 and epochs are their own rank."""

    def __init__(self, sizes: dict[SortName, int]) -> None:
        """Sorts of these sizes."""
        self._sizes = sizes

    @property
    @override
    def zero(self) -> Term:
        return 0

    @override
    def both(self, *parts: Term) -> Term:
        return all(parts)

    @override
    def either(self, *parts: Term) -> Term:
        return any(parts)

    @override
    def no(self, part: Term) -> Term:
        return not part

    @override
    def same(self, one: Term, other: Term) -> Term:
        return one == other

    @override
    def at_most(self, one: Term, other: Term) -> Term:
        return one <= other

    @override
    def pick(self, condition: Term, one: Term, other: Term) -> Term:
        return one if condition else other

    @override
    def every(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        return all(body(*elements) for elements in self._elements(sorts))

    @override
    def some(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        return any(body(*elements) for elements in self._elements(sorts))

    def _elements(self, sorts: tuple[SortName, ...]) -> Iterator[tuple[int, ...]]:
        return product(*(range(self._sizes[sort]) for sort in sorts))

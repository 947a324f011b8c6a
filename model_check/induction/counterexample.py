"""The smallest state in which an action breaks the invariant."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import attrs
import z3
from typing_extensions import override

from model_check.induction.conditions import Condition, before, broken
from model_check.induction.conjuncts import Conjunct
from model_check.induction.epochs import world_in
from model_check.induction.logic import PlainLogic, SortName, Term
from model_check.induction.setting import Setting
from model_check.induction.smt import Finite, fixed
from model_check.induction.steps import excused
from model_check.induction.structure import Structure, tabulate
from model_check.induction.vocabulary import SAVED, SYMBOLS

LARGEST: Final[dict[SortName, int]] = {"node": 5, "slot": 2, "quorum": 2, "epoch": 5}
"""How far a small counterexample is looked for."""

_SHRUNK: Final = ("node", "quorum", "slot", "epoch")


@attrs.frozen
class Counterexample:
    """A state in which all that may be assumed holds, a step from it, and what is broken then."""

    condition: Condition
    before: Structure
    parameters: tuple[int, ...]
    after: Structure
    at: tuple[int, ...]  # the elements for which the conjunct does not hold


class _Search:
    """The states of one size in which a condition fails."""

    def __init__(
        self, condition: Condition, setting: Setting, sizes: dict[SortName, int], seconds: float
    ) -> None:
        self.sizes = sizes
        self.logic = Finite(sizes)
        self.world = world_in(setting, self.logic.world())
        sorts = condition.action.sorts if condition.action else ()
        self.parameters = [self.logic.constant(f"p{i}", sort) for i, sort in enumerate(sorts)]
        self.solver = z3.Solver()
        self.solver.set("timeout", max(1, int(seconds * 1000)))
        share = condition.group.counts and not setting.views
        self.solver.add(fixed(setting, self.world, share=share))
        if condition.action:
            self.solver.add(*before(condition.group, setting, self.world))
        self.solver.add(broken(condition, setting, self.world, self.parameters))

    def found(self) -> bool:
        return bool(self.solver.check() == z3.sat)

    def insist(self, fact: Term) -> bool:
        """The fact holds from now on, if it can."""
        self.solver.push()
        self.solver.add(fact)
        if self.found():
            return True
        self.solver.pop()
        return False

    def tidy(self) -> None:
        """As little as possible differs from an empty state."""
        for fact in self._wishes():
            self.insist(fact)

    def _wishes(self) -> Iterator[Term]:
        for name, kept in SAVED.items():
            for args in self._places(name):
                yield self.world.meaning(kept)(*args) == self.world.meaning(name)(*args)
        order = ("message", "history", "running", "saved", "fixed")
        for symbol in sorted(SYMBOLS.values(), key=lambda each: order.index(each.kind)):
            for args in self._places(symbol.name):
                value = z3.simplify(self.world.meaning(symbol.name)(*args))
                if z3.is_true(value) or z3.is_false(value):
                    continue  # nothing to be wished for
                if symbol.result is None:
                    yield z3.Not(value)
                else:
                    yield from self._small(value)

    def _small(self, value: Term) -> Iterator[Term]:
        """It is the smallest epoch that it can be: the first wish that is granted counts."""
        epochs = self.logic.elements["epoch"]
        for most in range(len(epochs) - 1):
            yield z3.Or(*(value == each for each in epochs[: most + 1]))

    def _places(self, name: str) -> list[tuple[Term, ...]]:
        places: list[tuple[Term, ...]] = [()]
        for sort in SYMBOLS[name].sorts:
            places = [(*args, each) for args in places for each in self.logic.elements[sort]]
        return places

    def read(self) -> tuple[Structure, tuple[int, ...]]:
        """The state and the parameters that were found."""
        self.solver.check()
        model = self.solver.model()
        number = {
            each.get_id(): i
            for elements in self.logic.elements.values()
            for i, each in enumerate(elements)
        }

        def value(term: Term) -> int:
            known = model.eval(term, model_completion=True)
            return int(z3.is_true(known)) if z3.is_bool(known) else number[known.get_id()]

        tables = {
            name: {
                tuple(number[each.get_id()] for each in args): value(
                    self.world.meaning(name)(*args)
                )
                for args in self._places(name)
            }
            for name in SYMBOLS
        }
        return Structure(self.sizes, tables), tuple(value(each) for each in self.parameters)


def smallest(condition: Condition, setting: Setting, seconds: float) -> Counterexample | None:
    """A smallest counterexample; None if there is none of a size that is looked for."""
    search = None
    for nodes in range(1, LARGEST["node"] + 1):
        search = _Search(condition, setting, {**LARGEST, "node": nodes}, seconds)
        if search.found():
            break
    else:
        return None
    sizes = search.sizes
    for sort in _SHRUNK[1:]:
        for size in range(1, sizes[sort]):
            smaller = _Search(condition, setting, {**sizes, sort: size}, seconds)
            if smaller.found():
                search, sizes = smaller, smaller.sizes
                break
    search.tidy()
    return _judged(condition, setting, *search.read())


class _Witness(PlainLogic):
    """Remembers for which elements the outermost quantified formula does not hold."""

    def __init__(self, sizes: dict[SortName, int]) -> None:
        super().__init__(sizes)
        self.sizes = sizes
        self.at: tuple[int, ...] = ()

    @override
    def every(self, sorts: tuple[SortName, ...], body: Callable[..., Term]) -> Term:
        for elements in product(*(range(self.sizes[sort]) for sort in sorts)):
            if not body(*elements):
                self.at = elements
                return False
        return True


def _judged(
    condition: Condition, setting: Setting, state: Structure, parameters: tuple[int, ...]
) -> Counterexample:
    """The counterexample, after plain Python has come to the same judgement.

    Raises RuntimeError if it has not: one of the two readers is wrong.
    """
    world = state.world()
    share = condition.group.counts and not setting.views
    after, agreed = world, bool(fixed(setting, world, share=share))
    if condition.action is not None:
        step = condition.action.run(setting, world, *parameters)
        after = step.after
        agreed = agreed and bool(step.guard) and all(before(condition.group, setting, world))
    if not agreed or not broken(condition, setting, world, list(parameters)):
        raise RuntimeError(f"Z3 and the tables disagree about {condition.label}")
    reached = tabulate(state.sizes, after)
    return Counterexample(
        condition, state, parameters, reached, _where(condition, state, reached, parameters)
    )


def _where(
    condition: Condition, state: Structure, reached: Structure, parameters: tuple[int, ...]
) -> tuple[int, ...]:
    witness, conjunct = _Witness(state.sizes), condition.conjunct
    after = reached.world(witness)
    if isinstance(conjunct, Conjunct):
        conjunct.holds(after)
    elif condition.action is not None:
        old = state.world(witness)
        conjunct.holds(old, after, excused(condition.action, old, list(parameters)))
    return witness.at

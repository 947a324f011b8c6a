"""What an invariant consists of: conjuncts, in groups that rest on each other."""

from collections.abc import Callable

import attrs

from model_check.induction.logic import Term
from model_check.induction.setting import Setting
from model_check.induction.steps import Excused
from model_check.induction.vocabulary import World


@attrs.frozen
class Conjunct:
    """A part of the invariant."""

    name: str
    words: str
    holds: Callable[[World], Term]
    included: Callable[[Setting], bool] = lambda setting: True  # noqa: ARG005


@attrs.frozen
class StepConjunct:
    """Something that holds of every step, from the state before it to the state after."""

    name: str
    words: str
    holds: Callable[[World, World, Excused], Term]


@attrs.frozen
class Group:
    """Conjuncts that are proved together."""

    name: str
    rests_on: tuple["Group", ...]  # what these lend holds before and after every step
    conjuncts: tuple[Conjunct, ...]
    steps: tuple[StepConjunct, ...] = ()
    lends: int | None = None  # how many of the conjuncts others may use; None: all
    counts: bool = False  # its first conjunct needs that majorities share a voter

    def parts(self, setting: Setting) -> tuple[Conjunct | StepConjunct, ...]:
        """What is to be proved of every step in this setting."""
        return (*conjuncts_of(self, setting), *self.steps)

    def all_groups(self) -> tuple["Group", ...]:
        """The groups it rests on and itself."""
        return (*(group for other in self.rests_on for group in other.all_groups()), self)


@attrs.frozen
class Property:
    """A named claim, the first conjunct or the step conjuncts of its group."""

    id: str
    text: str
    group: Group
    included: Callable[[Setting], bool] = lambda setting: True  # noqa: ARG005


def conjuncts_of(group: Group, setting: Setting) -> tuple[Conjunct, ...]:
    """The conjuncts of the group that are part of the invariant in this setting."""
    return tuple(each for each in group.conjuncts if each.included(setting))


def first_of(group: Group, setting: Setting) -> Conjunct:
    """The conjunct that a group is there for."""
    return conjuncts_of(group, setting)[0]


def lemmas_of(group: Group, setting: Setting) -> tuple[Conjunct, ...]:
    """What the groups it rests on lend: each is proved without this one."""
    return tuple(
        each for other in group.rests_on for each in conjuncts_of(other, setting)[: other.lends]
    )

"""The verification conditions: what Z3 is asked, and what it answers."""

from collections.abc import Iterator
from time import monotonic
from typing import Final, Literal

import attrs
import z3

from model_check.induction.actions import actions_of
from model_check.induction.conjuncts import (
    Conjunct,
    Group,
    StepConjunct,
    conjuncts_of,
    first_of,
    lemmas_of,
)
from model_check.induction.epochs import rounds, world_in
from model_check.induction.invariant import properties_of
from model_check.induction.logic import Term
from model_check.induction.setting import Setting
from model_check.induction.smt import AnySize, majorities
from model_check.induction.start import starts
from model_check.induction.steps import Action, Step, excused
from model_check.induction.vocabulary import Spy, World

Answer = Literal["proved", "refuted", "unknown"]

UNCHANGED: Final = "nothing that it speaks of changes"
"""Why Z3 need not be asked: the conjunct held before, and says the same after the step."""

START: Final = "start"
"""Stands for an action where a condition is about the states in which a cluster may start."""


@attrs.frozen
class Condition:
    """One conjunct is not broken by one action, or holds at the start (no action)."""

    group: Group
    conjunct: Conjunct | StepConjunct
    action: Action | None

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"{self.conjunct.name} / {self.action.name if self.action else START}"


@attrs.frozen
class Outcome:
    """What Z3 says of a condition."""

    condition: Condition
    answer: Answer
    seconds: float
    reason: str = ""  # why it is not known, or not asked


def groups_of(setting: Setting) -> tuple[Group, ...]:
    """The groups that the properties rest on, each once and after those it rests on."""
    every = (group for prop in properties_of(setting) for group in prop.group.all_groups())
    return tuple(dict.fromkeys(every))


def conditions_of(setting: Setting) -> Iterator[Condition]:
    """Every verification condition of a proof."""
    for group in groups_of(setting):
        for conjunct in conjuncts_of(group, setting):
            yield Condition(group, conjunct, None)
        for action in actions_of(setting):
            for each in group.parts(setting):
                yield Condition(group, each, action)


def broken(condition: Condition, setting: Setting, world: World, parameters: list[Term]) -> Term:
    """The action with these parameters happens, and the conjunct does not hold after it."""
    lg, conjunct, action = world.logic, condition.conjunct, condition.action
    if action is not None:
        step = action.run(setting, world, *parameters)
        return broken_by(condition, setting, world, step, parameters)
    if isinstance(conjunct, StepConjunct):
        raise TypeError("a step conjunct is about no state")
    return lg.both(starts(setting, world), lg.no(conjunct.holds(world)))


def broken_by(
    condition: Condition, setting: Setting, world: World, step: Step, parameters: list[Term]
) -> Term:
    """The step of the condition's action is taken, and the conjunct does not hold after it."""
    lg, conjunct, action = world.logic, condition.conjunct, condition.action
    if isinstance(conjunct, Conjunct):
        after = conjunct.holds(step.after)
    elif action is not None:
        after = conjunct.holds(world, step.after, excused(action, world, parameters))
    else:
        raise TypeError("a step conjunct is about no state")
    lent = [each.holds(step.after) for each in lemmas_of(condition.group, setting)]
    return lg.both(step.guard, *lent, lg.no(after))


def before(group: Group, setting: Setting, world: World) -> list[Term]:
    """What holds in the states from which a step is taken."""
    held = (*lemmas_of(group, setting), *conjuncts_of(group, setting))
    return [each.holds(world) for each in held]


class Prover:
    """Asks Z3 for any number of nodes, slots, quorums and epochs."""

    def __init__(self, setting: Setting, seconds: float) -> None:
        """At most so many seconds are spent on a condition."""
        self._setting = setting
        self._logic = AnySize()
        self._world = world_in(setting, self._logic.world())
        self._milliseconds = max(1, int(seconds * 1000))
        self._solvers: dict[str, z3.Solver] = {}
        self._steps: dict[str, tuple[Step, list[Term]]] = {}
        self._spoken_of: dict[str, frozenset[str]] = {}

    def ask(self, condition: Condition) -> Outcome:
        """Whether the condition holds."""
        began = monotonic()
        if condition.action is None:
            claim = broken(condition, self._setting, self._world, [])
        else:
            step, parameters = self._step(condition.action)
            if not self._concerned(condition.conjunct, step):
                return Outcome(condition, "proved", monotonic() - began, UNCHANGED)
            claim = broken_by(condition, self._setting, self._world, step, parameters)
        solver = self._solver(condition)
        solver.push()
        solver.add(claim)
        said = solver.check()
        reason = solver.reason_unknown() if said == z3.unknown else ""
        solver.pop()
        answer: Answer = "unknown"
        if said == z3.unsat:
            answer = "proved"
        elif said == z3.sat:
            answer = "refuted"
        return Outcome(condition, answer, monotonic() - began, reason)

    def _step(self, action: Action) -> tuple[Step, list[Term]]:
        if action.name not in self._steps:
            parameters = [
                self._logic.constant(f"p{i}", sort) for i, sort in enumerate(action.sorts)
            ]
            self._steps[action.name] = (
                action.run(self._setting, self._world, *parameters),
                parameters,
            )
        return self._steps[action.name]

    def _concerned(self, conjunct: Conjunct | StepConjunct, step: Step) -> bool:
        """Whether the step changes anything that the conjunct speaks of."""
        if isinstance(conjunct, StepConjunct):
            return True
        if conjunct.name not in self._spoken_of:
            spy = Spy(self._world)
            conjunct.holds(spy)
            self._spoken_of[conjunct.name] = frozenset(spy.asked)
        return any(
            step.after.meaning(name) is not self._world.meaning(name)
            for name in self._spoken_of[conjunct.name]
        )

    def _solver(self, condition: Condition) -> z3.Solver:
        """One that knows the axioms and, for a step, what holds before it."""
        first = first_of(condition.group, self._setting)
        counts = condition.group.counts and condition.conjunct is first
        key = f"{condition.group.name} {bool(condition.action)} {counts}"
        if key not in self._solvers:
            solver = z3.Solver()
            solver.set("timeout", self._milliseconds)
            solver.add(*self._logic.axioms())
            if self._setting.rules.unique_epochs:
                solver.add(rounds(self._world))
            if counts:
                solver.add(majorities(self._world, share=not self._setting.views))
            if condition.action:
                solver.add(*before(condition.group, self._setting, self._world))
            self._solvers[key] = solver
        return self._solvers[key]

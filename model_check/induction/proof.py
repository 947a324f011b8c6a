"""A whole proof: every condition asked, and what follows for each property."""

from collections.abc import Callable
from time import monotonic

import attrs

from model_check.induction.conditions import (
    Condition,
    Outcome,
    Prover,
    conditions_of,
)
from model_check.induction.conjuncts import Conjunct, Group, Property
from model_check.induction.counterexample import Counterexample, smallest
from model_check.induction.invariant import properties_of
from model_check.induction.setting import Setting
from model_check.induction.witnesses import Witness, witnesses
from model_check.properties import Verdict

Watch = Callable[[int, int, str], None]
"""Told of the conditions that are done, of all there are, and of the name of the next."""

_TELLING = (
    "grant_vote",
    "start_election",
    "win_election",
    "process_claims",
    "bump_epoch_without_consensus",
)
"""The actions that a counterexample is shown of first: they are the rule, others only save."""


@attrs.frozen
class Result:
    """What was found about one property."""

    prop: Property
    verdict: Verdict
    outcomes: tuple[Outcome, ...]  # of its own group
    rests_on: tuple[str, ...]  # properties that are not proved, which it needs
    counterexample: Counterexample | None

    @property
    def refuted(self) -> tuple[Outcome, ...]:
        """The conditions that do not hold."""
        return tuple(each for each in self.outcomes if each.answer == "refuted")

    @property
    def unknown(self) -> tuple[Outcome, ...]:
        """The conditions that Z3 gave up on."""
        return tuple(each for each in self.outcomes if each.answer == "unknown")


@attrs.frozen
class Proof:
    """What was found in one setting."""

    setting: Setting
    results: tuple[Result, ...]
    witnesses: tuple[Witness, ...]
    conditions: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """`violated` if something is refuted, `incomplete` if something is not known."""
        verdicts = {each.verdict for each in self.results}
        verdicts |= {each.verdict for each in self.witnesses}
        if "violated" in verdicts:
            return "violated"
        return "incomplete" if "incomplete" in verdicts else "holds"


def prove(setting: Setting, seconds: float, watch: Watch | None = None) -> Proof:
    """Every condition has been asked for at most so many seconds each, and judged."""
    began = monotonic()
    conditions = tuple(conditions_of(setting))
    prover = Prover(setting, seconds)
    outcomes: list[Outcome] = []
    for number, condition in enumerate(conditions):
        if watch is not None:
            watch(number, len(conditions), f"{condition.group.name}: {condition.label}")
        outcomes.append(prover.ask(condition))
    if watch is not None:
        watch(len(conditions), len(conditions), "counterexamples and witnesses")
    results: list[Result] = []
    for prop in properties_of(setting):
        results.append(_result(prop, outcomes, results, setting, seconds))
    found = witnesses(setting, seconds)
    return Proof(setting, tuple(results), found, len(conditions), monotonic() - began)


def _result(
    prop: Property,
    outcomes: list[Outcome],
    earlier: list[Result],
    setting: Setting,
    seconds: float,
) -> Result:
    own = tuple(each for each in outcomes if each.condition.group in _proved_with(prop, setting))
    broken = {
        each.condition.group
        for each in outcomes
        if each.answer != "proved" and isinstance(each.condition.conjunct, Conjunct)
    }
    shaky = tuple(
        each.prop.id
        for each in earlier
        if each.prop.group in broken and each.prop.group in prop.group.all_groups()
    )
    refuted = [each.condition for each in own if each.answer == "refuted"]
    verdict: Verdict = "holds"
    if refuted:
        verdict = "violated"
    elif shaky or any(each.answer == "unknown" for each in own):
        verdict = "incomplete"
    telling = sorted(refuted, key=lambda each: _rank(each, setting))
    shown = smallest(telling[0], setting, seconds) if refuted else None
    return Result(prop, verdict, own, shaky, shown)


def _proved_with(prop: Property, setting: Setting) -> tuple[Group, ...]:
    """Its group and those below it that are no property of their own."""
    named = {each.group for each in properties_of(setting)}
    return (
        *(group for group in prop.group.all_groups() if group not in named),
        prop.group,
    )


def _rank(condition: Condition, setting: Setting) -> tuple[int, int]:
    """The property itself first, then what tells most."""
    conjuncts = condition.group.parts(setting)
    name = condition.action.name if condition.action else ""
    telling = next((i for i, each in enumerate(_TELLING) if name.startswith(each)), len(_TELLING))
    at = next(i for i, each in enumerate(conjuncts) if each is condition.conjunct)
    return (0 if at == 0 else 1, telling)

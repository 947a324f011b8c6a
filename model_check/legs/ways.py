"""How a fault is seeded in each leg, and what that leg finds: in words that fit a table."""

from typing import Final

import attrs

from model_check.engine import Limits
from model_check.induction.confirm import KEPT
from model_check.induction.setting import setting_of
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.properties import Settles
from model_check.run import check
from model_check.tla.negatives import NEGATIVES
from reference.core.rules import VALKEY_9_1

RULES: Final = VALKEY_9_1
"""In whose rules the faults are seeded."""

LATE: Final = "late_votes_count"
"""What the proof leaves out of every dialect unless it is the fault (EL-D1)."""

SECONDS: Final = 300.0
"""The most that one leg may take for a fault."""


_SHOWN: Final = 3


class NotFoundError(Exception):
    """A leg that models the fault does not notice it."""


@attrs.frozen(kw_only=True)
class Checked:
    """`slotproof check` explores a model until a property is violated."""

    model: str
    property_id: str
    links: str
    off: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The same from the command line."""
        off = "".join(f" --without {name}" for name in self.off)
        return f"slotproof check {self.model} --dialect {RULES.dialect} --links '{self.links}'{off}"

    def find(self) -> str:
        """The violated property and the length of its shortest story.

        Raises NotFoundError if it holds, or was not decided in time.
        """
        model = MODELS[self.model]
        asked = [each for each in (*model.properties, KEPT) if each.id == self.property_id]
        limits = Limits(seconds=SECONDS)
        only = attrs.evolve(model, properties=tuple(asked))
        run = check(only, RULES, parse_links(self.links), without=self.off, limits=limits)
        (result,) = run.found.properties
        if result.verdict != "violated" or result.trace is None:
            raise NotFoundError(f"{self.command}: {self.property_id} {result.verdict}")
        return told_of_check(self, len(result.trace.steps))


def told_of_check(way: Checked, steps: int) -> str:
    """What the table says of a story of that length."""
    return f"`{way.model}`, `{way.links}`: {way.property_id}, {_steps(steps)}"


@attrs.frozen(kw_only=True)
class Proved:
    """`slotproof prove` asks whether any action breaks a part of the invariant."""

    property_id: str
    conjunct: str
    off: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()  # assumptions
    late: bool = False  # late votes count, as in the releases

    @property
    def command(self) -> str:
        """The same from the command line."""
        off = self.off if self.late else (LATE, *self.off)
        told = "".join(f" --without {name}" for name in off)
        told += "".join(f" --with-{name}" for name in self.dropped)
        return f"slotproof prove --dialect {RULES.dialect}{told}"

    def find(self) -> str:
        """The part of the invariant, and the actions that break it.

        Raises NotFoundError if none does, or if Z3 does not know.
        """
        from model_check.induction.conditions import (  # noqa: PLC0415 - needs Z3
            Prover,
            conditions_of,
        )

        off = self.off if self.late else (LATE, *self.off)
        setting = setting_of(RULES, off, self.dropped)
        prover, actions = Prover(setting, SECONDS), list[str]()
        for condition in conditions_of(setting):
            if condition.conjunct.name != self.conjunct or condition.action is None:
                continue
            answer = prover.ask(condition).answer
            if answer == "unknown":
                raise NotFoundError(f"{self.command}: {condition.label} is not known")
            if answer == "refuted":
                actions.append(f"`{condition.action.name}`")
        if not actions:
            raise NotFoundError(f"{self.command}: {self.conjunct} is inductive")
        more = [] if len(actions) <= _SHOWN else [f"{len(actions) - _SHOWN} more"]
        told = ", ".join([*actions[:_SHOWN], *more])
        return f"{self.property_id}: `{self.conjunct}` broken by {told}"


@attrs.frozen(kw_only=True)
class InTlc:
    """TLC explores a configuration in which an invariant must fail."""

    negative: str
    off: tuple[str, ...] = ()  # besides those of the configuration
    gone: bool = False  # it is the witness that must be gone

    @property
    def command(self) -> str:
        """The configuration, a file of spec/tla."""
        return NEGATIVES[self.negative].path

    def find(self) -> str:
        """The violated invariant, and the length of the shortest behaviour.

        Raises NotFoundError if it holds.
        """
        negative = NEGATIVES[self.negative]
        run = negative.in_tlc(RULES, off=self.off)
        if (run.violated is None) is not self.gone:
            raise NotFoundError(f"{negative.path}: {run.violated} is violated")
        return told_of_tlc(self, len(run.steps))


def told_of_tlc(way: InTlc, steps: int) -> str:
    """What the table says of a behaviour of that length."""
    negative = NEGATIVES[way.negative]
    if way.gone:
        return f"`{negative.path}` holds: the witness {negative.fails} is gone"
    return f"`{negative.path}`: {negative.fails}, {_steps(steps)}"


def steps_as_the_core_has_them(way: InTlc) -> int | None:
    """The length of TLC's behaviour, found by exploring the core; None if that differs by nature.

    A story of where runs end goes on until it cannot be left.
    """
    negative = NEGATIVES[way.negative]
    if way.gone or isinstance(negative.prop, Settles):
        return None
    return negative.steps_in_checker(RULES)


def _steps(count: int) -> str:
    return "at the start" if count == 0 else f"{count} step{'s' if count > 1 else ''}"


@attrs.frozen
class NotModelled:
    """Why the fault is none in this leg."""

    why: str

    def find(self) -> str:
        """The reason."""
        return f"not modelled: {self.why}"


Way = Checked | Proved | InTlc | NotModelled
"""How a fault is looked for in a leg."""

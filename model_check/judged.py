"""Whether what a run found is how it should be, property by property."""

from typing import Literal

import attrs

from model_check.engine import PropertyResult
from model_check.gallery import Sighting
from model_check.properties import Property
from model_check.run import Run
from model_check.strays import Stray

Standing = Literal["passed", "violated", "expected", "mended", "incomplete"]
"""How a property stands.

- passed: it holds, or its witness is reached.
- violated: it is, and should not be; of a witness, that it is not reachable.
- expected: it is violated, as is known.
- mended: it holds, and is known not to: whoever knew that is to be told.
- incomplete: the exploration ended before it was decided, which is no pass.
"""


@attrs.frozen(kw_only=True)
class Judgement:
    """What a run says of one property."""

    result: PropertyResult
    prop: Property
    standing: Standing
    known: str = ""  # where it is told that the property does not hold here

    @property
    def is_failure(self) -> bool:
        """Whether it is otherwise than it should be."""
        return self.standing in {"violated", "mended"}

    @property
    def phrase(self) -> str:
        """The standing in words, with what is known."""
        known = f" ({self.known})" if self.known else ""
        match self.standing:
            case "passed":
                return "is reached" if self.prop.kind == "sometimes" else "holds"
            case "violated" if self.prop.kind == "sometimes":
                return "is never reached"
            case "violated":
                return "is violated"
            case "expected":
                return f"is violated, as expected{known}"
            case "mended":
                return f"holds, though it is known not to{known}"
            case "incomplete":
                return "was not decided: this is no pass"


@attrs.frozen(kw_only=True)
class JudgedRun:
    """A run with its judgements, in the order of the model's properties."""

    run: Run
    judgements: tuple[Judgement, ...]
    vacuous: tuple[str, ...] = ()  # what never happens though the model is about it
    astray: tuple[Stray, ...] = ()  # steps that do not keep a rule

    @property
    def is_failure(self) -> bool:
        """Whether anything is otherwise than it should be."""
        odd = any(each.is_failure for each in self.judgements)
        return odd or bool(self.vacuous) or bool(self.astray)

    @property
    def title(self) -> str:
        """The model, the dialect, the links and the rules that were turned off."""
        run = self.run
        name = f"{run.model.name} · {run.rules.dialect} · {run.found.links}"
        return f"{name} · without {', '.join(run.without)}" if run.without else name

    @property
    def unfinished(self) -> str | None:
        """Why some property was not decided; None if all were."""
        stopped = self.run.found.stopped_by
        if stopped == "interrupt":
            return "stopped by an interrupt before the scope was exhausted"
        if stopped is not None:
            return f"stopped by the limit on {stopped} before the scope was exhausted"
        if any(each.standing == "incomplete" for each in self.judgements):
            if self.run.reduced:
                return "left out by the reduction that was asked for"
            return "stopped after a violation, before the scope was exhausted"
        return None


def judged(run: Run) -> JudgedRun:
    """The run as its model judges it."""
    return JudgedRun(
        run=run,
        judgements=tuple(
            Judgement(
                result=result,
                prop=run.property_of(result.id),
                standing=_standing(run, result),
                known=_known(run, result),
            )
            for result in run.found.properties
        ),
        vacuous=run.vacuous,
        astray=tuple(each for each in run.strays if each.breach.clause_id in run.astray),
    )


def _standing(run: Run, result: PropertyResult) -> Standing:
    if result.verdict == "incomplete":
        return "incomplete"
    if result.id in run.surprises:
        return "violated" if result.verdict == "violated" else "mended"
    return "passed" if result.verdict == "holds" else "expected"


def _known(run: Run, result: PropertyResult) -> str:
    known = run.expects(result.id)
    return "" if known is None else f"{known.told}; {known.clause}"


def judged_sighting(sighting: Sighting) -> JudgedRun:
    """The run of one line of the gallery, as that line judges it."""
    case, found = sighting.case, sighting.outcome == "found"
    standing: Standing
    if sighting.outcome == "incomplete":
        standing = "incomplete"
    elif sighting.outcome == sighting.expected:
        standing = "expected" if found else "passed"
    else:
        standing = "violated" if found else "mended"
    judgement = Judgement(
        result=sighting.result,
        prop=sighting.run.property_of(case.property_id),
        standing=standing,
        known=f"{case.id}, {case.report}",
    )
    return JudgedRun(run=sighting.run, judgements=(judgement,))

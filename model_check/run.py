"""One check: a model, a dialect and a kind of links, and what was found."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from model_check.engine import Exploration, Limits, Options, Watch
from model_check.links import Links
from model_check.models.cluster import ClusterSystem, Scope, system_of
from model_check.models.model import Expected, Model
from model_check.properties import Property, Verdict
from model_check.reductions.chosen import Asked, Reduction, explore_as_chosen
from model_check.shrink import with_shrunk_stories
from model_check.shrink_memory import Remembered
from model_check.strays import Stray, strays
from model_check.system import System
from model_check.vacuity import never_happens
from reference.core.rules import Rules


@attrs.frozen(kw_only=True)
class Run:
    """What was found about a model in a dialect."""

    model: Model
    rules: Rules
    without: tuple[str, ...]  # switches of the dialect that were turned off
    scope: Scope
    system: ClusterSystem
    found: Exploration
    strays: tuple[Stray, ...] = ()  # steps that do not keep a rule of the dialect
    reduced: tuple[str, ...] = ()  # what each reduction did and left, if any was asked for

    @property
    def verdict(self) -> Verdict:
        """`violated` if a property is, `incomplete` if a limit was reached first."""
        return self.found.verdict

    def expects(self, result_id: str) -> Expected | None:
        """Why this property is known not to hold here, None if it is to hold."""
        return self.model.expects(result_id, self.rules)

    @property
    def as_it_stands(self) -> bool:
        """Whether the model was checked as it is, with all rules and on its own links."""
        usual = str(self.model.usual_links(self.rules))
        return not self.without and self.found.links == usual

    @property
    def vacuous(self) -> tuple[str, ...]:
        """What never happens though the model as it stands is about it, in words."""
        if not self.as_it_stands:
            return ()
        return never_happens(self.model, self.rules, self.scope, self.found)

    @property
    def astray(self) -> tuple[str, ...]:
        """The rules that some step does not keep; none if a rule was turned off on purpose."""
        return () if self.without else tuple(each.breach.clause_id for each in self.strays)

    @property
    def surprises(self) -> tuple[str, ...]:
        """What is violated and should hold, and what holds and is known not to.

        The latter only if the model is as it stands: a rule turned off or other links may mend it.
        """
        odd: list[str] = []
        for result in self.found.properties:
            known = self.expects(result.id) is not None
            if result.verdict == "violated" and not known:
                odd.append(result.id)
            if result.verdict == "holds" and known and self.as_it_stands:
                odd.append(result.id)
        return tuple(odd)

    def property_of(self, result_id: str) -> Property:
        """The property with this id."""
        return next(each for each in self.model.properties if each.id == result_id)


def check(  # noqa: PLR0913 - each but the first three has a default
    model: Model,
    rules: Rules,
    links: Links,
    *,
    without: tuple[str, ...] = (),
    limits: Limits | None = None,
    watch: Watch | None = None,
    states_after_violation: int = 0,
    keep_states: bool = False,
    seen_by: Callable[[ClusterSystem], System[Any, Any, Any]] | None = None,
    options: Options | None = None,
    reductions: Sequence[Reduction] = (),
) -> Run:
    """The whole scope of the model has been explored, or as much as the limits allow.

    Counterexamples are the shortest, and then those with the least changes of node.
    With `seen_by`, what it makes of the system is explored in its stead: a watcher of its steps.
    With `reductions` not every state is visited, and counterexamples need not be the shortest.
    Raises ValueError if a name in `without` is no switch that is on in this dialect, and
    RefusedError if a reduction does not apply.
    """
    scope = model.scope(rules.without(*without))
    system = system_of(scope)
    heard = Remembered(system if seen_by is None else seen_by(system))
    asked = Asked(
        limits=limits or Limits(),
        progress=watch,
        states_after_violation=states_after_violation,
        keep_states=keep_states,
        options=options,
    )
    found, told = explore_as_chosen(reductions, heard, links, model.properties, asked)
    found = with_shrunk_stories(system, links, model.properties, found)
    return Run(
        model=model,
        rules=rules,
        without=without,
        scope=scope,
        system=system,
        found=found,
        strays=strays(system, links, rules, heard),
        reduced=told,
    )

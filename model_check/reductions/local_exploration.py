"""An exploration of each process apart, combined only to judge a property.

Messages that any process could send in any of its own histories are put into one set that only
grows, and each process is explored by itself, with its moves and every message of that set, until
nothing new comes. Each process may use up every budget by itself. This is what local model checking
does (Guerraoui and Yabandeh, 2011). It goes beyond what is reachable, so:

- What no step and no combination of local states violates, holds.
- What some of them violate has to be confirmed by a history of the whole system (`confirming`).
  Then it is violated. If the search for one ends without, these are not reachable together; if it
  is given up, the property is left undecided.

A property of states is judged on combinations of projections; those whose local states took more of
a budget, all together, than there is, are left out. Of a witness the same is asked the other way
round.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Final, Literal

import attrs

from model_check.engine import Limits
from model_check.links import Links, SetLinks
from model_check.properties import ON_GRAPHS, Invariant, Kind, Property, Sometimes, StepProperty
from model_check.reductions.apart import Apart, Left
from model_check.reductions.confirming import Search, Suspicion, distances, search
from model_check.reductions.judging import Judging
from model_check.reductions.refusal import RefusedError
from model_check.reductions.sending import Sending, Way
from model_check.reductions.steps import LocalSteps
from model_check.system import System
from model_check.trace import Trace

MOST_COMBINATIONS: Final = 1_000_000
"""How many combinations of projections are judged before a property is left undecided."""

MOST_SUSPICIONS: Final = 64
"""How many combinations guide the search for a history."""

WORLDS: Final = 20_000
"""How many worlds the search for a history may visit."""

Classes = dict[Hashable, list[Left]]
"""By projection: the least that a process has spent of each budget where it is seen so."""


@attrs.frozen(kw_only=True)
class Decision:
    """What was found about one property, and why; a trace is that of a confirmed history."""

    id: str
    kind: Kind
    verdict: Literal["holds", "violated", "undecided"]
    reason: str
    combinations: int = 0  # of projections, or steps, that were judged
    suspected: int = 0  # of these, how many decide the property if they occur; the first of them
    trace: Trace | None = None


@attrs.frozen(kw_only=True)
class LocalExploration:
    """What was found by exploring each process apart."""

    decisions: tuple[Decision, ...]
    local_states: tuple[int, ...]  # of each process, more than are reachable
    messages: int
    worlds: int  # visited to confirm
    step_calls: int
    seconds: float
    stopped_by: Literal["states", "seconds"] | None  # before the fixpoint: then nothing holds


def why_not_local(
    system: System[Any, Any, Any], links: Links, prop: Property | None = None
) -> str | None:
    """Why processes cannot be explored apart, or not for this property; None if they can."""
    if not isinstance(links, SetLinks):
        return f"on {links} links what was sent is not for ever, and each process needs its room"
    if system.watchers:
        return "the moves of some processes depend on what they see of others at the same moment"
    if prop is not None and prop.kind in ON_GRAPHS:
        return "it is judged on all states and transitions together"
    return None


def explore_locally(
    system: System[Any, Any, Any],
    links: Links,
    properties: Sequence[Property],
    limits: Limits | None = None,
    *,
    worlds: int = WORLDS,
) -> LocalExploration:
    """Each property is decided, or it is said why not.

    Limits are on local states, and on the seconds until the fixpoint; `worlds` bounds the search
    for each history. Raises RefusedError if no property can be decided this way.
    """
    reason = why_not_local(system, links)
    if reason is not None:
        raise RefusedError(reason)
    began = perf_counter()
    steps = LocalSteps(system)
    apart = Apart(steps, limits or Limits())
    apart.run()
    local = _Local(steps, apart, worlds)
    decisions = tuple(
        local.decision(prop, why_not_local(system, links, prop)) for prop in properties
    )
    return LocalExploration(
        decisions=decisions,
        local_states=tuple(map(len, apart.reached)),
        messages=apart.sent.bit_count(),
        worlds=local.visited,
        step_calls=steps.calls,
        seconds=perf_counter() - began,
        stopped_by=apart.stopped_by,
    )


class _Local:
    """The judgement of properties on processes that were explored apart."""

    def __init__(self, steps: LocalSteps, apart: Apart, worlds: int) -> None:
        self.visited = 0
        self._steps, self._apart, self._worlds = steps, apart, worlds
        self._budgets = tuple(steps.system.budgets.values())

    def decision(self, prop: Property, refusal: str | None) -> Decision:
        """What can be said of the property."""
        if refusal is not None:
            return Decision(id=prop.id, kind=prop.kind, verdict="undecided", reason=refusal)
        if isinstance(prop, StepProperty):
            return self._on_steps(prop)
        if isinstance(prop, Invariant | Sometimes):
            return self._on_states(prop)
        raise TypeError(f"{prop.id} is judged on graphs")

    def _on_steps(self, prop: StepProperty[Any]) -> Decision:
        value = self._steps.value
        odd = {
            step
            for step in self._apart.taken
            if not prop.judge(step.process, value(step.before), value(step.after))
        }
        by_process: dict[int, set[int]] = {}
        for step in odd:
            by_process.setdefault(step.process, set()).add(step.before)
        suspicions = [self._suspicion({process: states}) for process, states in by_process.items()]
        found = self._search(suspicions, lambda way: way.step in odd) if odd else None
        return self._decided(prop, found, len(self._apart.taken), len(odd))

    def _on_states(self, prop: Invariant[Any] | Sometimes[Any]) -> Decision:
        judge = Judging(prop, self._steps)
        classes, members = self._classes(judge)
        judged, odd = 0, []
        for seen in islice(_together(classes, self._budgets), MOST_COMBINATIONS + 1):
            judged += 1
            if judge.decides_on(seen):
                odd.append(seen)
        suspicions = [
            self._suspicion({p: members[p][each] for p, each in enumerate(seen)})
            for seen in odd[:MOST_SUSPICIONS]
        ]
        found = None
        if odd:
            is_all = len(odd) <= MOST_SUSPICIONS and judged <= MOST_COMBINATIONS
            found = self._search(suspicions, lambda way: judge.decides(way.world[0]), all_=is_all)
        if judged > MOST_COMBINATIONS and (found is None or found.outcome != "found"):
            return Decision(
                id=prop.id,
                kind=prop.kind,
                verdict="undecided",
                reason=f"there are more than {MOST_COMBINATIONS:,} combinations",
                combinations=judged,
                suspected=len(odd),
            )
        return self._decided(prop, found, judged, len(odd))

    def _classes(self, judge: Judging) -> tuple[list[Classes], list[dict[Hashable, set[int]]]]:
        """By process, what is seen of it: what was spent for that, and the local states."""
        classes: list[Classes] = []
        members: list[dict[Hashable, set[int]]] = []
        for process, reached in enumerate(self._apart.reached):
            least: Classes = {}
            where: dict[Hashable, set[int]] = {}
            for state, most_left in reached.items():
                seen = judge.projection(process, state)
                where.setdefault(seen, set()).add(state)
                for left in most_left:
                    spent = tuple(map(int.__sub__, self._budgets, left))
                    _keep_least(least.setdefault(seen, []), spent)
            classes.append(least)
            members.append(where)
        return classes, members

    def _suspicion(self, targets: dict[int, set[int]]) -> Suspicion:
        return Suspicion(
            distances=tuple(
                distances(targets[process], self._apart.before) if process in targets else None
                for process in range(len(self._apart.reached))
            )
        )

    def _search(
        self, suspicions: list[Suspicion], is_found: Callable[[Way], bool], *, all_: bool = True
    ) -> Search:
        known = all_ and self._apart.stopped_by is None
        found = search(self._steps, suspicions, is_found, worlds=self._worlds, all_known=known)
        self.visited += found.worlds
        return found

    def _decided(
        self, prop: Property, found: Search | None, judged: int, suspected: int
    ) -> Decision:
        """The decision that follows from what is suspected, and the search for a history."""
        is_witness = prop.kind == "sometimes"
        verdict: Literal["holds", "violated", "undecided"] = "violated" if is_witness else "holds"
        trace = None
        if found is not None and found.way is not None:
            verdict = "holds" if is_witness else "violated"
            trace = Sending(self._steps).trace(found.way.steps())
            reason = "a history leads there"
        elif self._apart.stopped_by is not None:
            verdict = "undecided"
            reason = f"the limit on {self._apart.stopped_by} was reached before the fixpoint"
        elif found is None:
            reason = "no local states let it happen"
        elif found.outcome == "none":
            reason = "local states let it happen, but not together: no history leads there"
        else:
            verdict = "undecided"
            reason = (
                f"local states let it happen, and no history was found in {found.worlds:,} worlds"
            )
        return Decision(
            id=prop.id,
            kind=prop.kind,
            verdict=verdict,
            reason=reason,
            combinations=judged,
            suspected=suspected,
            trace=trace,
        )


def _together(classes: list[Classes], budgets: Left) -> Iterator[tuple[Hashable, ...]]:
    """Every combination of projections that all budgets together allow."""
    yield from _extended(((), [(0,) * len(budgets)]), classes, budgets)


def _extended(
    prefix: tuple[tuple[Hashable, ...], list[Left]], classes: list[Classes], budgets: Left
) -> Iterator[tuple[Hashable, ...]]:
    seen, spent = prefix
    if len(seen) == len(classes):
        yield seen
        return
    for each, costs in classes[len(seen)].items():
        least: list[Left] = []
        for one in spent:
            for other in costs:
                total = tuple(map(int.__add__, one, other))
                if all(need <= there for need, there in zip(total, budgets, strict=True)):
                    _keep_least(least, total)
        if least:
            yield from _extended(((*seen, each), least), classes, budgets)


def _keep_least(least: list[Left], spent: Left) -> None:
    """What was spent is among the least, unless something there is no more than that."""
    if any(all(map(int.__le__, other, spent)) for other in least):
        return
    least[:] = [other for other in least if not all(map(int.__le__, spent, other))]
    least.append(spent)

"""The explorations that `slotproof check --reduce` names, one after the other.

Exploring apart comes first and decides what it can. What is left goes to the exploration that sends
first if that was asked for, else to the full one.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import attrs

from model_check.engine import Exploration, Limits, Options, PropertyResult, Watch, explore
from model_check.links import Links
from model_check.properties import Property, Verdict
from model_check.reductions.local_exploration import (
    Decision,
    LocalExploration,
    explore_locally,
    why_not_local,
)
from model_check.reductions.refusal import RefusedError
from model_check.reductions.sends_first import explore_sends_first, why_not
from model_check.system import System

Reduction = Literal["local", "sends-first"]

REDUCTIONS: Final[tuple[Reduction, ...]] = ("local", "sends-first")
"""Their names on the command line."""

MOST_LOCAL_STATES: Final = 500
"""Where exploring apart stops unless told otherwise: beyond what is reachable it may never end."""


def refuse(chosen: Sequence[Reduction], system: System[Any, Any, Any], links: Links) -> None:
    """Raise RefusedError if a reduction does not apply to the system on these links."""
    reasons = {
        "local": why_not_local(system, links) if "local" in chosen else None,
        "sends-first": why_not(links) if "sends-first" in chosen else None,
    }
    for name, reason in reasons.items():
        if reason is not None:
            raise RefusedError(f"--reduce {name}: {reason}")


@attrs.frozen(kw_only=True)
class Asked:
    """How to explore, as `explore` takes it."""

    limits: Limits
    progress: Watch | None = None
    states_after_violation: int = 0
    keep_states: bool = False
    options: Options | None = None


def explore_as_chosen(
    chosen: Sequence[Reduction],
    system: System[Any, Any, Any],
    links: Links,
    properties: Sequence[Property],
    asked: Asked,
) -> tuple[Exploration, tuple[str, ...]]:
    """What was found, and in words what each reduction did and left.

    Each property is decided as the full exploration would decide it, or is incomplete.
    Raises RefusedError if a reduction does not apply to the system on these links.
    """
    refuse(chosen, system, links)
    told: list[str] = []
    decided: dict[str, PropertyResult] = {}
    if "local" in chosen:
        within = attrs.evolve(asked.limits, states=asked.limits.states or MOST_LOCAL_STATES)
        local = explore_locally(system, links, properties, within)
        told += _told(local)
        for each in local.decisions:
            if each.verdict != "undecided":
                decided[each.id] = _result(each, each.verdict)
        stops = not asked.states_after_violation and _is_any_violated(decided)
        if stops or len(decided) == len(properties):
            return _merged(_of(local, links), properties, decided), tuple(told)
    left = [prop for prop in properties if prop.id not in decided]
    if "sends-first" in chosen:
        found = _sends_first(system, links, left, asked, told)
    else:
        found = explore(
            system,
            links,
            left,
            asked.limits,
            progress=asked.progress,
            states_after_violation=asked.states_after_violation,
            keep_states=asked.keep_states,
            options=asked.options,
        )
    if not chosen:
        return found, ()
    decided |= {result.id: result for result in found.properties}
    return _merged(found, properties, decided), tuple(told)


def _sends_first(
    system: System[Any, Any, Any],
    links: Links,
    left: list[Property],
    asked: Asked,
    told: list[str],
) -> Exploration:
    """What was found about those that can be judged so; what was done and left is told."""
    judged = [prop for prop in left if why_not(links, prop) is None]
    told += [f"left out: {p.id}: {why_not(links, p)}" for p in left if p not in judged]
    found = explore_sends_first(
        system,
        links,
        judged,
        asked.limits,
        asked.progress,
        stop_at_first=not asked.states_after_violation,
    )
    told.append(
        f"sends first: {found.distinct_states:,} worlds instead of all states; what can be sent "
        "for nothing has been sent in each"
    )
    return found


def _is_any_violated(decided: dict[str, PropertyResult]) -> bool:
    return any(each.verdict == "violated" and each.kind != "sometimes" for each in decided.values())


def _told(local: LocalExploration) -> list[str]:
    states = " + ".join(f"{count:,}" for count in local.local_states)
    summary = (
        f"explored apart: {states} local states, {local.messages:,} messages, "
        f"{local.worlds:,} worlds to confirm"
    )
    return [summary] + [
        f"apart, {each.id}: {each.verdict}, {each.reason} "
        f"({each.suspected:,} of {each.combinations:,} suspected)"
        for each in local.decisions
    ]


def _result(decision: Decision, verdict: Verdict) -> PropertyResult:
    return PropertyResult(id=decision.id, kind=decision.kind, verdict=verdict, trace=decision.trace)


def _of(local: LocalExploration, links: Links) -> Exploration:
    """What was found if no other exploration had to follow."""
    return Exploration(
        links=str(links),
        verdict="holds",
        stopped_by=None,
        distinct_states=local.worlds,
        transitions=0,
        depth=0,
        seconds=local.seconds,
        step_calls=local.step_calls,
        tables={"local states": sum(local.local_states), "messages": local.messages},
        bounds_hit=False,
        missed_probability=0.0,
        properties=(),
        fired={},
        delivered={},
        graph=None,
    )


def _merged(
    found: Exploration, properties: Sequence[Property], decided: dict[str, PropertyResult]
) -> Exploration:
    """The exploration with a result for each property, incomplete if nothing was found of it."""
    results = tuple(
        decided.get(prop.id)
        or PropertyResult(id=prop.id, kind=prop.kind, verdict="incomplete", trace=None)
        for prop in properties
    )
    verdicts = {result.verdict for result in results}
    verdict: Verdict = "holds"
    if "violated" in verdicts:
        verdict = "violated"
    elif "incomplete" in verdicts or found.verdict == "incomplete":
        verdict = "incomplete"
    return attrs.evolve(found, verdict=verdict, properties=results)

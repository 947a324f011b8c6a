"""Steps of an exploration that do not keep a rule, whether or not a property tells of it.

Every distinct step of a node is taken once in an exploration, and each is audited. So a rule that
is broken shows even where nothing worse comes of it within the scope.
"""

from typing import Any

import attrs

from model_check.audit import Breach, breaches
from model_check.links import FlightLinks, Links
from model_check.shrink import path_to
from model_check.shrink_memory import Remembered
from model_check.system import System
from model_check.trace import Trace, TraceStep
from reference.core.rules import Rules


@attrs.frozen(kw_only=True)
class Stray:
    """A step that does not keep a rule, and how one comes to it."""

    breach: Breach
    step: TraceStep
    trace: Trace | None  # the shortest path that ends with it, if one was found


def strays(
    system: System[Any, Any, Any], links: Links, rules: Rules, heard: Remembered
) -> tuple[Stray, ...]:
    """For each rule that is not kept the first step of an exploration that does not keep it.

    `heard` was explored; `rules` are those of the dialect, with nothing turned off.
    """
    found: dict[str, tuple[Breach, TraceStep]] = {}
    for step in heard.steps():
        for breach in breaches(step, rules):
            found.setdefault(breach.clause_id, (breach, step))
    return tuple(
        Stray(breach=breach, step=step, trace=_path(system, links, rules, breach))
        for breach, step in found.values()
    )


def _path(
    system: System[Any, Any, Any], links: Links, rules: Rules, breach: Breach
) -> Trace | None:
    if isinstance(links, FlightLinks):
        return None

    def breaks(step: TraceStep) -> bool:
        return any(each.clause_id == breach.clause_id for each in breaches(step, rules))

    return path_to(system, links, breaks)

"""Which reductions keep which verdicts: what a reduced exploration must not be asked."""

from collections.abc import Iterable
from typing import Final, Literal

from model_check.properties import LeadsTo, Property, Settles

Reduction = Literal["symmetry", "partial-order", "local"]
"""Those that there are; sending first (`model_check.reductions`) is a kind of partial order."""

_SETTLES: Final[dict[Reduction, str]] = {
    "symmetry": "a loop between orbits need not close: a run may come back to its place as "
    "another, and what is told of it would be no run",
    "partial-order": "a transition that was put off or left out may be the only way out of a set "
    "of states that then looks like an end",
    "local": "processes are explored apart, so that nothing is known of what follows what",
}
_LEADS_TO: Final[dict[Reduction, str]] = {
    "symmetry": "an orbit does not say which process has moved, and so not to whom a run is unfair",
    "partial-order": "where a transition was put off or left out it seems not to be possible, "
    "and so is owed nothing",
    "local": _SETTLES["local"],
}


def why_unsound(properties: Iterable[Property], reductions: Iterable[Reduction]) -> tuple[str, ...]:
    """Why verdicts on these properties could be wrong with these reductions, a line each.

    No lines if all can be right: each reduction keeps what is asked of states and of steps, if it
    is told which of them are looked at.
    """
    chosen = list(dict.fromkeys(reductions))
    return tuple(
        f"{prop.id} with {reduction}: {reason}"
        for prop in properties
        for reduction in chosen
        if (reason := _reason(prop, reduction)) is not None
    )


def _reason(prop: Property, reduction: Reduction) -> str | None:
    if isinstance(prop, LeadsTo):
        return _LEADS_TO[reduction]
    if isinstance(prop, Settles):
        return _SETTLES[reduction]
    return None

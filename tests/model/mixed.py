"""Clusters in which some nodes are strict and the others are of Valkey 9.1: who has to be.

`python -m tests.model.mixed [MODEL...]` explores a model once for each set of its nodes, with these
strict and the others not, and says in which the property holds.
"""

import sys
from itertools import chain, combinations
from typing import Final

import attrs

from model_check.engine import Limits
from model_check.models import MODELS
from model_check.models.start import apart
from model_check.run import check
from reference.core.rules import STRICT, VALKEY_9_1


@attrs.frozen
class Row:
    """A property of a model, and the least sets of nodes that have to be strict for it."""

    model: str
    property_id: str
    needs: frozenset[str]  # each a set of nodes by their letters
    spoilt_by: frozenset[str] = frozenset()  # sets with which it breaks though it held without


def _row(model: str, property_id: str, *needs: str, spoilt_by: tuple[str, ...] = ()) -> Row:
    return Row(model, property_id, frozenset(needs), frozenset(spoilt_by))


QUICK: Final = (
    _row("put-off", "EL-P1", "D", "E"),
    _row("views", "EL-P1", "E", "F"),
    _row("takeover-collision", "SC-P1", "A", "D"),
    _row("takeover-collision", "SC-P8", "AD"),
    _row("take-back", "SC-P1", "A"),
    _row("take-back", "SC-P8", "AB"),
    _row("successor-dies", "SC-P2", "A"),
    _row("demoted", "SC-P5", "C"),
    _row("return", "SC-P7", "A"),
    _row("forget", "SC-P2", "B"),
    _row("reset-owner", "SC-P2", "AB"),
    _row("learnt-epoch", "EP-P2", "B"),
    _row("one-redis", "SC-P1", "A", "B", "C", "E"),
)
"""What is explored in some seconds."""

SLOW: Final = (
    _row("import-election", "SC-P1", "B", "D"),
    _row("import-stays", "SM-P1", "", spoilt_by=("D", "CD", "DE", "CDE")),
    _row("circle", "SC-P6", "ABD"),
    _row("late-claim", "SC-P3", "D"),
    _row("granted-and-crash", "SM-P1", "D"),
    _row("granted-and-replaced", "SM-P1", "D"),
)
"""What takes longer."""


def holds(model: str, property_id: str, strict: str) -> bool:
    """Whether the property holds if these nodes, from the start on, are strict.

    Raises ValueError if a limit was reached first.
    """
    asked = MODELS[model]
    with apart(dict.fromkeys(strict, STRICT)):
        scope = asked.scope(VALKEY_9_1)
    properties = tuple(each for each in asked.properties if each.id == property_id)
    run = check(
        attrs.evolve(asked, scope=lambda rules: scope, properties=properties),  # noqa: ARG005
        VALKEY_9_1,
        asked.usual_links(VALKEY_9_1),
        limits=Limits(seconds=120),
    )
    (found,) = run.found.properties
    if found.verdict == "incomplete" or run.strays:
        raise ValueError(f"{model} with {strict} strict: {found.verdict}, {run.strays}")
    return found.verdict == "holds"


def explored(model: str, property_id: str) -> Row:
    """Every set of nodes has been strict once."""
    names = [str(node.myself_id) for node in MODELS[model].scope(VALKEY_9_1).nodes]
    sizes = range(len(names) + 1)
    every = chain.from_iterable(combinations(sorted(names), size) for size in sizes)
    kept = {frozenset(each): holds(model, property_id, "".join(each)) for each in every}
    good = [each for each, held in kept.items() if held]
    least = [each for each in good if not any(other < each for other in good)]
    spoilt = [
        each for each, held in kept.items() if not held and any(other < each for other in least)
    ]
    return Row(
        model, property_id, *(frozenset("".join(sorted(s)) for s in x) for x in (least, spoilt))
    )


def main(arguments: list[str]) -> int:
    """The rows of these models, or all, have been explored; 1 if one is otherwise."""
    wrong = 0
    for row in (*QUICK, *SLOW):
        if not arguments or row.model in arguments:
            found = explored(row.model, row.property_id)
            wrong += found != row
            sys.stdout.write(f"{'as said' if found == row else 'otherwise'}: {found}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

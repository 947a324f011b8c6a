"""The models, each in each of its dialects: the verdict, the counts and what happens, pinned.

`python -m tests.model.pins --write [MODEL...]` explores and renews the lines of these models in
`pins.json`, or of all; `--check` explores and compares all of them, the large ones too; `--table`
prints what is pinned as rows of a table, as model_check/README.md has them. The file has a line for
each run, so that a difference shows what changed.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from model_check.engine import Limits
from model_check.models import MODELS
from model_check.models.model import Model
from model_check.run import Run, check
from reference.core.rules import DIALECTS

FILE: Final = Path(__file__).with_name("pins.json")
LARGE: Final = 2_500_000
"""With more transitions than that a run is compared on request only."""

SECONDS: Final = 300.0
STATES_AFTER_VIOLATION: Final = 2_000_000
"""As `slotproof check` does."""

ENDLESS: Final = frozenset({"late-votes", "three-replicas"})
"""Models whose scope takes minutes; that of `late-votes` ends with its story."""

Pin = dict[str, Any]
Key = tuple[str, str]


def keys() -> list[Key]:
    """The model and the dialect of every run that is pinned."""
    return [
        (model.name, dialect)
        for model in MODELS.values()
        for dialect in model.dialects
        if model.name not in ENDLESS
    ]


def explored(model: Model, dialect: str) -> Run:
    """The model has been explored as `slotproof check` does."""
    rules = DIALECTS[dialect]
    return check(
        model,
        rules,
        model.usual_links(rules),
        limits=Limits(seconds=SECONDS),
        states_after_violation=STATES_AFTER_VIOLATION,
    )


def pin(run: Run) -> Pin:
    """What is pinned of a run."""
    found = run.found
    happened = {type(what).__name__ for _, what in (*found.fired, *found.delivered)}
    return {
        "model": run.model.name,
        "dialect": run.rules.dialect,
        "links": found.links,
        "verdict": found.verdict,
        "states": found.distinct_states,
        "transitions": found.transitions,
        "depth": found.depth,
        "violated": {
            result.id: len(result.trace.steps) if result.trace else None
            for result in found.properties
            if result.verdict == "violated"
        },
        "undecided": [r.id for r in found.properties if r.verdict == "incomplete"],
        "happens": sorted(happened),
    }


def told(run: Run) -> Pin:
    """What is pinned of a run, and all that should not be there."""
    return {
        "pin": pin(run),
        "surprises": list(run.surprises),
        "vacuous": list(run.vacuous),
        "strays": [repr(stray) for stray in run.strays],
    }


def read_pins() -> dict[Key, Pin]:
    """Every line of the file."""
    lines = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
    return {(line["model"], line["dialect"]): line for line in lines}


def _write(pins: dict[Key, Pin]) -> None:
    lines = ",\n".join(json.dumps(pins[key]) for key in keys() if key in pins)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def _renew(names: Iterable[str]) -> None:
    pins = read_pins()
    for name, dialect in keys():
        if name in names:
            pins[name, dialect] = pin(explored(MODELS[name], dialect))
            sys.stdout.write(f"{name} {dialect}: {pins[name, dialect]['states']} states\n")
            _write(pins)


def _compare() -> int:
    pins = read_pins()
    wrong = [key for key in keys() if pins.get(key) != pin(explored(MODELS[key[0]], key[1]))]
    for model, dialect in wrong:
        sys.stdout.write(f"{model} {dialect}: not as pinned\n")
    return 1 if wrong else 0


def table(names: Iterable[str]) -> str:
    """A row for each model: what it is about, and its links and states in each dialect."""
    pins = read_pins()
    rows = []
    for name in names:
        cells = [f"`{name}`", MODELS[name].text]
        for dialect in DIALECTS:
            line = pins.get((name, dialect))
            star = " *" if line and line["violated"] else ""
            cells.append(f"`{line['links']}`: {line['states']:,}{star}" if line else "")
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows)


def main(arguments: list[str]) -> int:
    """The command line has been obeyed; the exit code."""
    match arguments:
        case ["--check"]:
            return _compare()
        case ["--table", *names] if set(names) <= MODELS.keys():
            sys.stdout.write(table(names or [name for name, m in MODELS.items() if m.by_default]))
            return 0
        case ["--write", *names] if set(names) <= MODELS.keys():
            _renew(names or MODELS)
            return 0
        case _:
            sys.stdout.write(__doc__ or "")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

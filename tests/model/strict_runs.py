"""Every model in `strict`, with all that is claimed of a cluster: what was decided, pinned.

`python -m tests.model.strict_runs --write [MODEL...]` explores and renews the lines of these models
in `strict.json`, or of all; `--table` prints them as spec/strict-runs.md has them. What was decided
is every safety property and what is asked of where runs end, whether the model claims it or not.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from model_check.engine import Limits, Options
from model_check.models import MODELS
from model_check.models.at_rest import (
    FLAT,
    HAS_SLOTS,
    NO_CIRCLE,
    ONE_MASTER_IN_A_SHARD,
    SLOTS_WITH_MASTERS,
)
from model_check.models.cluster import ClusterSystem, Scope, system_of
from model_check.models.model import Model
from model_check.models.properties import CURRENT_EPOCH_SURVIVES, SAFETY, agreement
from model_check.properties import ON_GRAPHS, Property
from model_check.run import Run, check
from reference.core.rules import STRICT, Rules
from tests.model.strict_reasons import NOT_ASKED

FILE: Final = Path(__file__).with_name("strict.json")
STATES_AFTER_VIOLATION: Final = 20_000_000
LARGE: Final = 3_000_000
"""With more transitions than that a run is compared on request only."""

NOT_KEPT: Final = frozenset({"three-replicas"})
"""Large models of which it is not written down what holds where runs end."""

MEMORY: Final = 8 << 30
"""So many bytes may be taken for the states and transitions of a run that is written down."""

SILENT_MODELS: Final = (
    *("aging", "goes-first", "goes-in-turn", "never-stands", "empty-master"),
    *("put-off", "more-than-enough", "voter-crashes"),
)
"""Models of silent nodes that have been explored with their heartbeats, too."""

ALWAYS: Final = (*SAFETY, CURRENT_EPOCH_SURVIVES, SLOTS_WITH_MASTERS, NO_CIRCLE, HAS_SLOTS)
"""What no state and no step may break, in any model."""

AT_REST: Final = ("SC-P2", "SC-P4", "SC-P7")
"""What is asked of where runs end."""

Line = dict[str, Any]


def speaking(model: Model) -> Model:
    """The model of silent nodes in a wider scope: they send heartbeats, but hold back nothing."""

    def scope(rules: Rules) -> Scope:
        silent = model.scope(rules)
        system = type(system_of(silent))
        heard = type("Speaking", (system,), {"_heartbeats": ClusterSystem._heartbeats})
        return attrs.evolve(silent, system=heard)

    return attrs.evolve(
        model,
        name=f"{model.name}-speaking",
        text=f"as {model.name}, and nodes send heartbeats",
        scope=scope,
        links="held(0)",
        quicker_links={},
        happens=(),
        happens_in={},
    )


ALL: Final[dict[str, Model]] = MODELS | {
    model.name: model for model in (speaking(MODELS[name]) for name in SILENT_MODELS)
}
"""The models, and the wider ones."""


def asked(model: Model) -> tuple[Property, ...]:
    """What the model claims, and all else that is claimed of a cluster."""
    nodes = model.scope(STRICT).nodes
    slots = max(entry.slots.bitmap.bit_length() for node in nodes for entry in node.nodes)
    more = (*ALWAYS, agreement(slots), FLAT, ONE_MASTER_IN_A_SHARD)
    known = {each.id: each for each in (*more, *model.properties)}
    return tuple(
        each for each in known.values() if model.name not in NOT_KEPT or each.kind not in ON_GRAPHS
    )


def explored(name: str, *, options: Options | None = None, seconds: float = 300.0) -> Run:
    """The model has been explored in its usual links, and all of it judged."""
    model = ALL[name]
    return check(
        attrs.evolve(model, properties=asked(model)),
        STRICT,
        model.usual_links(STRICT),
        limits=Limits(seconds=seconds),
        states_after_violation=STATES_AFTER_VIOLATION,
        options=options,
    )


def line_of(run: Run) -> Line:
    """What is kept of a run."""
    found = run.found
    verdicts = {each.id: each.verdict for each in found.properties if each.kind != "sometimes"}
    return {
        "model": run.model.name,
        "links": found.links,
        "states": found.distinct_states,
        "transitions": found.transitions,
        "depth": found.depth,
        "holds": sorted(name for name, verdict in verdicts.items() if verdict == "holds"),
        "violated": sorted(name for name, verdict in verdicts.items() if verdict == "violated"),
        "undecided": sorted(name for name, verdict in verdicts.items() if verdict == "incomplete"),
    }


def read_lines() -> dict[str, Line]:
    """Every line of the file, by model."""
    lines = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
    return {line["model"]: line for line in lines}


def renew(line: Line) -> None:
    """The line is in the file, in the place of the one that was there for its model."""
    lines = read_lines() | {line["model"]: line}
    text = ",\n".join(json.dumps(lines[name]) for name in ALL if name in lines)
    FILE.write_text(f"[\n{text}\n]\n", encoding="utf-8")


_HEAD: Final = """\
# What was decided in `strict`

Each model in `strict`, in its usual links and explored to the end, and in it, whether the model
claims it or not, all that is claimed of a cluster: EL-P1, SC-P1, EP-P1, EP-P2, SC-P5, SC-P6 and
EL-P3 in every state and every step, SC-P2 (agreement), SC-P4 and SC-P7 where runs end
([chapter 20](20-properties.md)); besides what the model alone claims. *All* means: all of it
holds.
A model of silent nodes says nothing of agreement; with `-speaking` its nodes send heartbeats.
Generated by `python -m tests.model.strict_runs --table`; the tests explore all but the largest
again.

| model | links | states | transitions | holds | but |
|-|-|-|-|-|-|
"""


def table() -> str:
    """What spec/strict-runs.md must contain."""
    lines = read_lines()
    return _HEAD + "".join(_row(lines[name]) for name in ALL if name in lines)


def _row(line: Line) -> str:
    model, holds = line["model"], line["holds"]
    left: dict[str, list[str]] = {}
    for name in line["violated"]:
        left.setdefault(NOT_ASKED[model, name], []).append(name)
    open_ones = [name for name in _COMMON if name not in {*holds, *line["violated"]}]
    if open_ones:
        left["not decided"] = open_ones
    but = "; ".join(f"{', '.join(names)}: {why}" for why, names in left.items())
    own = [name for name in holds if name not in _COMMON]
    common = [name for name in _COMMON if name in holds]
    first = common if open_ones else ["the rest" if left else "all"]
    counts = f"`{line['links']}` | {line['states']:,} | {line['transitions']:,}"
    return f"| `{model}` | {counts} | {', '.join([*first, *own])} | {but or '-'} |\n"


_COMMON: Final = (*(each.id for each in ALWAYS), *AT_REST)


def _renew(names: Iterable[str]) -> None:
    for name in names:
        run = explored(name, options=Options(memory=MEMORY), seconds=14_400.0)
        line = line_of(run)
        renew(line)
        stopped = run.found.stopped_by
        end = "" if stopped is None else f", stopped by the limit on {stopped}"
        sys.stdout.write(f"{name}: {line['states']:,} states{end}\n")


def main(arguments: list[str]) -> int:
    """The command line has been obeyed; the exit code."""
    match arguments:
        case ["--table"]:
            sys.stdout.write(table())
        case ["--write", *names] if set(names) <= ALL.keys():
            _renew(names or ALL)
        case _:
            sys.stdout.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

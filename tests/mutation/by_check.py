"""Runs the model checker against mutants of the core: `python -m tests.mutation.by_check`.

Mutants are each switch of elections, epochs and claims turned in each dialect, and each comparison,
`and`, `or` and `not` of the modules with these rules replaced. A mutant is killed if `slotproof
check` would exit with 1 for one of the runs. Each lives in a process of its own, forked from one
that has made all runs with the code as it is; nothing on disk is changed.
"""

import gc
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import click

from model_check.models import MODELS
from model_check.models.cluster import Scope
from reference.core.rules import DIALECTS, SWITCHES
from tests.model.pins import read_pins
from tests.mutation.checked_page import Outcome, page, read_reasons
from tests.mutation.known import source_of
from tests.mutation.operators import Mutant, mutants
from tests.mutation.recorded import (
    CORE,
    Recorded,
    amiss,
    changed,
    changed_by_switch,
    flipped,
    record,
    recordable,
)
from tests.mutation.run import replace_functions

PAGE: Final = Path(__file__).with_name("survivors_of_check.md")
FOUND: Final = Path(__file__).with_name("by_check.json")
MODULES: Final = ("election", "epochs", "slot_config", "roles")
MOST_STATES: Final = 100_000
CPU_SECONDS: Final = 90
"""A mutant that takes longer is counted apart."""

_OPERATORS: Final = (
    "ReplaceComparisonOperator",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "AddNot",
    "ReplaceUnaryOperator_Delete_Not",
)
_TOPICS: Final = ("EL-", "EP-", "SC-")
_SWITCH: Final = re.compile(r"^    (\w+): bool.*#.*?\b([A-Z]{2}-\d+)", re.MULTILINE)


def switches() -> dict[str, str]:
    """The switches of elections, epochs and claims, with the clause of each."""
    clauses = dict(_SWITCH.findall((CORE / "rules.py").read_text()))
    return {name: clauses[name] for name in SWITCHES if clauses[name].startswith(_TOPICS)}


def mutants_of(module: str) -> list[Mutant]:
    """The mutants with another comparison, `and`, `or` or `not`."""
    return [each for each in mutants(source_of(module)) if each.operator.startswith(_OPERATORS)]


def recorded_runs(most: int) -> list[Recorded]:
    """All runs with at most so many states, the quickest first."""
    pins = ((model, dialect, pin["states"]) for (model, dialect), pin in read_pins().items())
    runs = []
    for model, dialect in recordable(pins, most):
        try:
            runs.append(record(MODELS[model], DIALECTS[dialect]))
        except ValueError as error:
            click.echo(f"left out: {error}", err=True)
    return sorted(runs, key=lambda run: run.seconds)


def outcome_of(module: str, mutant: Mutant, runs: list[Recorded]) -> Outcome:
    """What the checker says of a mutant of the code."""
    function = f"{module}.{mutant.function}"

    def begin() -> None:
        replace_functions(sys.modules[f"reference.core.{module}"], mutant.code)

    about = {
        "module": module,
        "function": mutant.function,
        "operator": mutant.operator,
        "before": mutant.before,
        "after": mutant.after,
    }
    return _in_child(begin, lambda run: changed(run, function), lambda run: run.scope, runs, about)


def outcome_of_switch(dialect: str, switch: str, clause: str, runs: list[Recorded]) -> Outcome:
    """What the checker says of a dialect whose nodes have the switch the other way."""
    word = "on" if getattr(DIALECTS[dialect], switch) else "off"
    other = "off" if word == "on" else "on"
    about = {
        "module": "rules",
        "function": dialect,
        "operator": clause,
        "before": f"{switch} {word}",
        "after": f"{switch} {other}",
    }

    def scope(run: Recorded) -> Scope:
        rules = flipped(run.rules, switch)
        return attrs.evolve(
            run.scope, nodes=tuple(attrs.evolve(node, rules=rules) for node in run.scope.nodes)
        )

    mine = [run for run in runs if run.rules.dialect == dialect]
    return _in_child(lambda: None, lambda run: changed_by_switch(run, switch), scope, mine, about)


def _in_child(
    begin: Callable[[], None],
    differs: Callable[[Recorded], bool],
    scope: Callable[[Recorded], Scope],
    runs: list[Recorded],
    about: dict[str, Any],
) -> Outcome:
    begun = time.monotonic()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        told = _judge(begin, differs, scope, runs)
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = json.loads(pipe.read() or "{}")
    os.waitpid(child, 0)
    told = told or {"end": "time-out"}
    return Outcome(**about, **told, seconds=round(time.monotonic() - begun, 2))


def _judge(
    begin: Callable[[], None],
    differs: Callable[[Recorded], bool],
    scope: Callable[[Recorded], Scope],
    runs: list[Recorded],
) -> dict[str, object]:
    """How a mutant ended, in which run, why, and in how many runs any step is another one."""
    begin()
    other = 0
    for run in runs:
        try:
            if not differs(run):
                continue
            other += 1
            why = amiss(run, scope(run))
        except Exception as error:  # noqa: BLE001  whatever a mutant raises is noticed
            return {"end": "error", "run": run.name, "why": repr(error)[:200], "changed": other}
        if why:
            return {"end": "killed", "run": run.name, "why": "; ".join(why), "changed": other}
    return {"end": "survived", "changed": other}


def show(outcome: Outcome) -> None:
    """A line for the mutant is printed."""
    where = f"{outcome.module}.{outcome.function}"
    click.echo(f"{outcome.end} {outcome.seconds:.1f}s {where}: {outcome.after} | {outcome.run}")


@click.command()
@click.option("--states", default=MOST_STATES, help="Leave out runs with more states.")
@click.option("--every", default=1, help="Take only every so manyth mutant, and write nothing.")
@click.option("--render", is_flag=True, help="Only write the page anew from what was found.")
def main(states: int, every: int, *, render: bool) -> None:
    """All mutants have been checked, and the page says which survive."""
    if render:
        PAGE.write_text(page(json.loads(FOUND.read_text()), read_reasons()))
        return
    begun = time.monotonic()
    runs = recorded_runs(states)
    prepared = time.monotonic() - begun
    click.echo(f"{len(runs)} runs, {prepared:.0f} s", err=True)
    gc.freeze()
    work: list[Callable[[], Outcome]] = [
        lambda module=module, mutant=mutant: outcome_of(module, mutant, runs)  # type: ignore[misc]
        for module in MODULES
        for mutant in mutants_of(module)
    ]
    work += [
        lambda dialect=dialect, name=name, clause=clause: outcome_of_switch(  # type: ignore[misc]
            dialect, name, clause, runs
        )
        for name, clause in switches().items()
        for dialect in DIALECTS
    ]
    outcomes = []
    for each in work[::every]:
        outcomes.append(each())
        show(outcomes[-1])
    click.echo(str(Counter(each.end for each in outcomes)))
    if every == 1:
        found = {
            "runs": [run.name for run in runs],
            "states": states,
            "outcomes": [attrs.asdict(each) for each in outcomes],
        }
        FOUND.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(page(found, read_reasons()))
    click.echo(f"{time.monotonic() - begun:.0f} s", err=True)


if __name__ == "__main__":
    main()

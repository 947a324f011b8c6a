"""Runs the model checker against mutants of the core: `python -m tests.mutation.by_check`.

Mutants are each switch of elections, epochs and claims turned in each dialect, and each comparison,
`and`, `or` and `not` of the modules with these rules replaced. A mutant is killed if `slotproof
check` would exit with 1 for one of the runs. Each lives in a process of its own, forked from one
that has made all runs with the code as it is; nothing on disk is changed.
"""

import gc
import json
import math
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import attrs
import click

from model_check.models import MODELS
from model_check.models.cluster import Scope
from reference.core.rules import DIALECTS, SWITCHES, Rules
from tests.model.pins import read_pins
from tests.mutation.checked_page import (
    Found,
    Outcome,
    read_found,
    read_reasons,
    reason_of,
    write,
)
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
)
from tests.mutation.run import replace_functions

Key = tuple[str, str, str, str, str]
"""Module, function, operator, and the lines before and after."""

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


def recorded_runs(
    over: int,
    most: int,
    dialects: Collection[str] = tuple(DIALECTS),
    models: Collection[str] = tuple(MODELS),
) -> list[Recorded]:
    """All runs with more than so many states and at most so many, the quickest first."""
    runs = []
    for (model, dialect), pin in read_pins().items():
        if not over < pin["states"] <= most or dialect not in dialects or model not in models:
            continue
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
    before, after = turn(DIALECTS[dialect], switch)
    about = {
        "module": "rules",
        "function": dialect,
        "operator": clause,
        "before": before,
        "after": after,
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
    _, status = os.waitpid(child, 0)
    if not told and os.waitstatus_to_exitcode(status) != -signal.SIGXCPU:
        raise RuntimeError(f"no word of {about['module']}.{about['function']}: {about['after']}")
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
    raised: dict[str, object] = {}
    for run in runs:
        try:
            if not differs(run):
                continue
            other += 1
            why = amiss(run, scope(run))
        except Exception as error:  # noqa: BLE001  a mutant may raise whatever it likes
            raised = raised or {"end": "error", "run": run.name, "why": repr(error)[:200]}
            continue
        if why:
            return {"end": "killed", "run": run.name, "why": "; ".join(why), "changed": other}
    return {"end": "survived", "changed": other} | raised


def turn(rules: Rules, switch: str) -> tuple[str, str]:
    """How the switch is in a dialect, and how it is when it is turned."""
    words = (f"{switch} on", f"{switch} off")
    return words if getattr(rules, switch) else words[::-1]


def show(outcome: Outcome) -> None:
    """A line for the mutant is printed."""
    where = f"{outcome.module}.{outcome.function}"
    click.echo(f"{outcome.end} {outcome.seconds:.1f}s {where}: {outcome.after} | {outcome.run}")


def outcomes_of(runs: list[Recorded], wanted: Callable[[Key], bool]) -> Iterator[Outcome]:
    """What the checker says of each mutant that is wanted, as soon as it is known."""
    for module in MODULES:
        for mutant in mutants_of(module):
            if wanted((module, mutant.function, mutant.operator, mutant.before, mutant.after)):
                yield outcome_of(module, mutant, runs)
    for name, clause in switches().items():
        for dialect, rules in DIALECTS.items():
            before, after = turn(rules, name)
            if wanted(("rules", dialect, clause, before, after)):
                yield outcome_of_switch(dialect, name, clause, runs)


def keys() -> Iterator[Key]:
    """All mutants there are."""
    for module in MODULES:
        for mutant in mutants_of(module):
            yield module, mutant.function, mutant.operator, mutant.before, mutant.after
    for name, clause in switches().items():
        for dialect, rules in DIALECTS.items():
            yield "rules", dialect, clause, *turn(rules, name)


def key_of(outcome: Outcome) -> Key:
    """What the mutant is."""
    each = outcome
    return each.module, each.function, each.operator, each.before, each.after


def _checked(
    runs: list[Recorded], wanted: Callable[[Key], bool], seconds: float = math.inf
) -> list[Outcome]:
    begun = time.monotonic()
    gc.freeze()  # else each child copies what it does not use
    outcomes = []
    for outcome in outcomes_of(runs, wanted):
        show(outcome)
        outcomes.append(outcome)
        if time.monotonic() - begun > seconds:
            break
    click.echo(str(Counter(each.end for each in outcomes)))
    return outcomes


@click.group()
def main() -> None:
    """Check mutants of elections, epochs and claims with the models."""


@main.command()
@click.option("--states", default=MOST_STATES, help="Leave out runs with more states.")
def every(states: int) -> None:
    """Check all mutants and write the page."""
    runs = recorded_runs(0, states)
    outcomes = _checked(runs, lambda _: True)
    write(Found(runs=tuple(run.name for run in runs), states=states, outcomes=tuple(outcomes)))


@main.command()
@click.option("--over", default=MOST_STATES, help="Leave out runs with so many states or fewer.")
@click.option("--states", required=True, type=int, help="Leave out runs with more states.")
@click.option("--dialect", "dialects", multiple=True, type=click.Choice(list(DIALECTS)))
@click.option("--model", "models", multiple=True, type=click.Choice(list(MODELS)))
@click.option("--module", "modules", multiple=True, type=click.Choice([*MODULES, "rules"]))
@click.option("--end", default="survived", help="How they ended.")
@click.option("--seconds", default=math.inf, help="Stop after that time, and write what is known.")
@click.option("--equivalent", is_flag=True, help="Those too that are said to be no change at all.")
def again(
    over: int,
    states: int,
    dialects: tuple[str, ...],
    models: tuple[str, ...],
    modules: tuple[str, ...],
    end: str,
    seconds: float,
    *,
    equivalent: bool,
) -> None:
    """Check those that ended like this with other runs, and those that are new; write the page.

    What is no mutant of the code any more is forgotten.
    """
    found = read_found()
    runs = recorded_runs(over, states, dialects or tuple(DIALECTS), models or tuple(MODELS))
    now = set(keys())
    before = {key: each for each in found.outcomes if (key := key_of(each)) in now}
    reasons = read_reasons()
    chosen = {
        key
        for key, each in before.items()
        if each.end == end
        and each.module in (modules or (*MODULES, "rules"))
        and (equivalent or reason_of(each, reasons, equivalent=True) is None)
    }
    chosen |= now - before.keys()
    more = {}
    for each in _checked(runs, lambda key: key in chosen, seconds):
        known = before.get(key_of(each))
        if over and known is not None:
            if each.end == "survived" and not each.changed:
                continue
            more[key_of(each)] = attrs.evolve(each, changed=each.changed + known.changed)
        else:
            more[key_of(each)] = each
    write(
        Found(
            runs=tuple(dict.fromkeys([*found.runs, *(run.name for run in runs)])),
            states=max(states, found.states),
            outcomes=tuple((before | more).values()),
        )
    )


@main.command()
def render() -> None:
    """Write the page anew from what was found, with the reasons as they are now."""
    write(read_found())


if __name__ == "__main__":
    main()

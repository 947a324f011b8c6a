"""The twin check: TLC and the core find the same graph in a scope, or where they first differ."""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from model_check.engine import Limits, explore
from model_check.tla.core_graph import graph_of_core
from model_check.tla.dump import read_dump
from model_check.tla.graphs import Difference, Graph, State, difference
from model_check.tla.mapping import FIELDS
from model_check.tla.scopes import TwinScope
from model_check.tla.tlc import configured, modules, run_tlc
from model_check.tla.values import Function
from reference.core.rules import Rules

_CLAIMS: Final = re.compile(r"^(INVARIANTS|PROPERTIES) .*\n", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Twin:
    """What came of a comparison."""

    scope: TwinScope
    dialect: str
    states: int  # of the core
    transitions: int
    depth: int
    theirs: tuple[int, int]  # states and transitions of TLC
    difference: Difference | None
    tlc_seconds: float
    checker_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long as the checker TLC took, its start included."""
        return self.tlc_seconds / max(self.checker_seconds, 1e-9)


def cfg_of(scope: TwinScope, rules: Rules, off: tuple[str, ...] = ()) -> str:
    """The configuration of the scope for this dialect, with these switches turned off."""
    text = (modules() / f"{scope.module}.cfg").read_text(encoding="utf-8")
    names = ", ".join(f'"{name}"' for name in off)
    return configured(text, {"Dialect": f'"{rules.dialect}"', "Off": f"{{{names}}}"})


@attrs.frozen(kw_only=True)
class TlcGraph:
    """The graph of TLC in a scope, and how long it took."""

    graph: Graph
    seconds: float


class ClaimFailsError(ValueError):
    """An invariant does not hold with these rules: TLC stopped before the graph was whole."""


def graph_of_tlc(
    scope: TwinScope,
    rules: Rules,
    *,
    off: tuple[str, ...] = (),
    sources: Mapping[str, str] | None = None,
    claims: bool = True,
) -> TlcGraph:
    """The graph that TLC finds with these rules, less those in `off`; `sources` replace modules.

    Where neither is given, it is also checked that the invariants hold, unless `claims` is off.
    Raises ClaimFailsError if not.
    """
    cfg = cfg_of(scope, rules, off)
    if off or sources or not claims:
        cfg = _CLAIMS.sub("", cfg)
    run = run_tlc(scope.module, cfg, sources=sources, dump=True)
    if run.violated is not None:
        raise ClaimFailsError(
            f"{run.violated} is violated in {scope.name} after {len(run.steps)} steps"
        )
    return TlcGraph(graph=read_dump(run.dump, scope.bounds(rules)), seconds=run.seconds)


def compare(scope: TwinScope, rules: Rules, theirs: TlcGraph) -> Twin:
    """The graph of the core with these rules, compared with that of TLC.

    Raises ValueError if the checker's engine finds other counts than the plain explorer, from which
    the graph is.
    """
    system = scope.system(rules)
    explore(system, scope.the_links, [], Limits(seconds=120))  # so that it is compiled
    begun = time.perf_counter()
    found = explore(system, scope.the_links, [], Limits(seconds=120))
    checker_seconds = time.perf_counter() - begun
    ours = graph_of_core(system, scope.the_links, scope.bounds(rules))
    if (len(ours.steps), ours.depth) != (found.distinct_states, found.depth):
        raise ValueError(
            f"{scope.name}: the engine finds {found.distinct_states} states, depth {found.depth}, "
            f"the plain explorer {len(ours.steps)}, depth {ours.depth}"
        )
    return Twin(
        scope=scope,
        dialect=rules.dialect,
        states=len(ours.steps),
        transitions=ours.transitions,
        depth=ours.depth,
        theirs=(len(theirs.graph.steps), theirs.graph.transitions),
        difference=difference(ours, theirs.graph),
        tlc_seconds=theirs.seconds,
        checker_seconds=checker_seconds,
    )


def told(found: Difference, scope: TwinScope, rules: Rules) -> Iterator[str]:
    """The difference in lines: the path to it, the action, and what the sides make of it."""
    bounds = scope.bounds(rules)
    yield f"The graphs differ after {len(found.path)} steps, in {found.action}."
    for number, action in enumerate(found.path, 1):
        yield f"  {number:3}  {action}"
    yield f"  {len(found.path) + 1:3}  {found.action}, where the two sides differ:"
    for side, states in (("the core", found.ours), ("TLC", found.theirs)):
        yield f"       {len(states)} next states that only {side} has"
        for state in sorted(states, key=repr)[:3]:
            for line in _changes(found.state, state, bounds.processes):
                yield f"         {line}"


def _changes(before: State, after: State, processes: tuple[str, ...]) -> Iterator[str]:
    for index, name in enumerate(processes):
        for field, old, new in zip(FIELDS, before[0][index], after[0][index], strict=True):
            yield from _change(f"{field}[{name}]", old, new)
    for message in sorted(map(str, map(_plain, after[1] - before[1]))):
        yield f"sent {message}"
    for message in sorted(map(str, map(_plain, before[1] - after[1]))):
        yield f"taken {message}"


def _change(place: str, old: Any, new: Any) -> Iterator[str]:  # noqa: ANN401  any values
    if old == new:
        return
    if isinstance(old, Function) and isinstance(new, Function):
        for key, value in new.pairs:
            yield from _change(f"{place}.{key}", old[key], value)
    else:
        yield f"{place}: {_plain(old)} -> {_plain(new)}"


def _plain(value: Any) -> Any:  # noqa: ANN401  any value
    if isinstance(value, Function):
        return {key: _plain(each) for key, each in value.pairs}
    return sorted(value) if isinstance(value, frozenset) else value

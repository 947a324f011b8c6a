"""The graph in the text that TLC dumps with `-dump dot,actionlabels`."""

import re
from collections import defaultdict
from typing import Any, Final

from model_check.tla.graphs import Graph, State
from model_check.tla.mapping import Bounds, state_of_tlc
from model_check.tla.values import read_value

_STATE: Final = re.compile(r"^(-?\d+) \[label=\"((?:[^\"\\]|\\.)*)\"(,style = filled)?")
_STEP: Final = re.compile(r"^(-?\d+) -> (-?\d+) \[label=\"(\w+)\"")
_VARIABLE: Final = re.compile(r"(?:^|\n)/\\ (\w+) = ")
_ESCAPED: Final = re.compile(r"\\(.)")


def read_dump(text: str, bounds: Bounds) -> Graph:
    """The graph that TLC wrote, each state as the mapping has it.

    A step to the same state is none, as in the checker. Raises ValueError if there is no initial
    state, or two states of TLC are one under the mapping.
    """
    states: dict[str, State] = {}
    steps: set[tuple[str, str, str]] = set()
    first = None
    known: dict[str, Any] = {}
    for line in text.splitlines():
        step = _STEP.match(line)
        if step is not None:
            steps.add((step[1], step[3].removeprefix("MC"), step[2]))
            continue
        state = _STATE.match(line)
        if state is None or state[1] in states:
            continue
        states[state[1]] = state_of_tlc(_variables(state[2], known), bounds)
        first = state[1] if state[3] and first is None else first
    if first is None:
        raise ValueError("the dump has no initial state")
    if len(set(states.values())) != len(states):
        raise ValueError("two states of TLC are the same under the mapping")
    return _graph(first, states, steps)


def _graph(first: str, states: dict[str, State], steps: set[tuple[str, str, str]]) -> Graph:
    leaving: defaultdict[State, set[tuple[str, State]]] = defaultdict(set)
    for source, action, target in steps:
        if source != target:
            leaving[states[source]].add((action, states[target]))
    return Graph(
        first=states[first],
        steps={state: frozenset(leaving[state]) for state in states.values()},
    )


def _variables(label: str, known: dict[str, Any]) -> dict[str, Any]:
    text = _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], label)
    parts = _VARIABLE.split(text)
    values = {}
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        if value not in known:
            known[value] = read_value(value)
        values[name] = known[value]
    return values

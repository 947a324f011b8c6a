"""Runs of the model checker whose every step of a node is known, and which functions made it.

A mutant of a function can only change steps in which the function is called. If it changes none of
those, and neither the start nor what the properties look at, the run finds what it found before.
"""

import ast
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

import attrs
from typing_extensions import override

from model_check.audit import breaches
from model_check.check_options import STATES_AFTER_VIOLATION
from model_check.engine import Limits, Options, explore
from model_check.forwarding import ForwardingSystem
from model_check.links import Links
from model_check.models.cluster import (
    ClusterSystem,
    ModelEvent,
    ModelMessage,
    Process,
    Scope,
    system_of,
)
from model_check.models.model import Model
from model_check.run import Run
from model_check.shrink_memory import Remembered
from model_check.system import Move, Step, System
from reference.core.rules import SWITCHES, Rules
from reference.core.state import ClusterState
from tests.traceability import ROOT

CORE: Final = ROOT / "reference" / "core"
OPTIONS: Final = Options(workers=1)
SLACK: Final = 20_000
"""A mutant may have so many states more than four times those of the code; then it is stopped."""

R = TypeVar("R")
Cluster = System[Process, ModelMessage, ModelEvent]


@attrs.frozen
class Asked:
    """What a process was asked in an exploration, what it answered, and what was called for it."""

    ask: Callable[[Cluster, Process], object]
    answer: object
    process: Process


@attrs.define(kw_only=True)
class Recorded:
    """A run of the code as it is."""

    model: Model
    rules: Rules
    scope: Scope
    links: Links
    steps: list[Asked] = attrs.field(factory=list)
    made_by: dict[str, list[int]] = attrs.field(factory=lambda: defaultdict(list))
    start_by: frozenset[str] = frozenset()  # the functions that made the scope
    judged_by: frozenset[str] = frozenset()  # those that the properties and the audit call
    states: int = 0
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The model and the dialect."""
        return f"{self.model.name} {self.rules.dialect}"


class _Calls:
    """A profile function that keeps which of the watched functions are called."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._known: dict[CodeType, str | None] = {}

    def see(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            code = frame.f_code
            if code not in self._known:
                self._known[code] = self._name(code)
            name = self._known[code]
            if name is not None:
                self.names.add(name)

    def _name(self, code: CodeType) -> str | None:
        path = Path(code.co_filename)
        if path.parent != CORE:
            return None
        return f"{path.stem}.{code.co_qualname.split('.<locals>')[0]}"

    def of(self, work: Callable[[], R]) -> tuple[R, frozenset[str]]:
        """What the work gives, and what it called."""
        outside, self.names = self.names, set()
        before = sys.getprofile()
        sys.setprofile(self.see)
        try:
            result = work()
        finally:
            sys.setprofile(before)
            called, self.names = self.names, outside
        return result, frozenset(called)


def _readers_of_switches() -> Mapping[str, frozenset[str]]:
    """For each switch of the rules the functions of the core that read it."""
    readers: dict[str, set[str]] = {name: set() for name in SWITCHES}
    for path in CORE.glob("*.py"):
        for name, function in _functions(ast.parse(path.read_text()), path.stem):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr in readers:
                    readers[node.attr].add(name)
    return {switch: frozenset(names) for switch, names in readers.items()}


def _functions(tree: ast.AST, prefix: str) -> Iterable[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{prefix}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}.{node.name}")


READERS: Final = _readers_of_switches()
"""Who reads which switch."""


class _Watched(ForwardingSystem[Process, ModelMessage, ModelEvent]):
    """The same system; each question and its answer are kept, by who was called for it."""

    def __init__(self, system: ClusterSystem, run: Recorded, calls: _Calls) -> None:
        super().__init__(system)
        self._run = run
        self._calls = calls

    @override
    def moves(self, process: int, state: Process) -> tuple[Move[ModelEvent], ...]:
        return self._kept(lambda system, node: tuple(system.moves(process, node)), state)

    @override
    def act(
        self, process: int, state: Process, move: Move[ModelEvent]
    ) -> Step[Process, ModelMessage]:
        return self._kept(lambda system, node: system.act(process, node, move), state)

    @override
    def receive(
        self, process: int, state: Process, message: ModelMessage, lane: int
    ) -> Step[Process, ModelMessage] | None:
        return self._kept(lambda system, node: system.receive(process, node, message, lane), state)

    def _kept(
        self,
        ask: Callable[[Cluster, Process], R],
        state: Process,
    ) -> R:
        answer, called = self._calls.of(lambda: ask(self._system, state))
        if called:
            for name in called:
                self._run.made_by[name].append(len(self._run.steps))
            self._run.steps.append(Asked(ask, answer, state))
        return answer


def record(model: Model, rules: Rules) -> Recorded:
    """The model has been explored with the code as it is, and nothing was found amiss."""
    calls = _Calls()
    scope, start_by = calls.of(lambda: model.scope(rules))
    run = Recorded(
        model=model, rules=rules, scope=scope, links=model.usual_links(rules), start_by=start_by
    )
    begun = time.process_time()
    watched = _Watched(system_of(scope), run, calls)
    found, judged_by = calls.of(lambda: amiss(run, scope, watched))
    if found:
        raise ValueError(f"{run.name} without any mutation: {', '.join(found)}")
    run.judged_by = judged_by
    run.seconds = time.process_time() - begun
    return run


def amiss(run: Recorded, scope: Scope, system: Cluster | None = None) -> tuple[str, ...]:
    """Why `slotproof check` would exit with 1 if it explored this now; nothing if it would not.

    As it does, but that no story is told, and that nothing is explored beyond a violation which
    should not be. What is found until a limit is reached counts.
    """
    plain = system_of(scope)
    heard = Remembered(system or plain)
    expected = any(run.rules.dialect in each.dialects for each in run.model.expected)
    found = explore(
        heard,
        run.links,
        run.model.properties,
        Limits(states=4 * run.states + SLACK if run.states else None),
        states_after_violation=STATES_AFTER_VIOLATION if expected else 0,
        options=OPTIONS,
    )
    run.states = run.states or found.distinct_states
    seen = Run(model=run.model, rules=run.rules, without=(), scope=scope, system=plain, found=found)
    if seen.surprises or seen.vacuous:
        return (*seen.surprises, *seen.vacuous)
    for step in heard.steps():
        for breach in breaches(step, run.rules):
            return (f"a step against {breach.clause_id}",)
    return ()


def changed(run: Recorded, function: str) -> bool:
    """Whether the run is another one, now that the function does something else."""
    if function in run.judged_by:
        return True
    if function in run.start_by and run.model.scope(run.rules) != run.scope:
        return True
    system = system_of(run.scope)
    steps = (run.steps[number] for number in run.made_by.get(function, ()))
    return any(asked.ask(system, asked.process) != asked.answer for asked in steps)


def turned(process: Process, rules: Rules) -> Process:
    """The process with these rules in the place of its own."""
    return attrs.evolve(
        process, state=_node(process.state, rules), saved=_node(process.saved, rules)
    )


def _node(node: ClusterState | None, rules: Rules) -> ClusterState | None:
    return None if node is None else attrs.evolve(node, rules=rules)


def changed_by_switch(run: Recorded, switch: str) -> bool:
    """Whether any step of the run is another one with the switch the other way."""
    other = flipped(run.rules, switch)
    system = system_of(run.scope)
    numbers = {number for name in READERS[switch] for number in run.made_by.get(name, ())}
    for number in sorted(numbers):
        asked = run.steps[number]
        answer = asked.ask(system, turned(asked.process, other))
        if isinstance(answer, Step):
            answer = attrs.evolve(answer, state=turned(answer.state, run.rules))
        if answer != asked.answer:
            return True
    return False


def flipped(rules: Rules, switch: str) -> Rules:
    """These rules with the switch the other way."""
    other: dict[str, Any] = {switch: not getattr(rules, switch)}
    return attrs.evolve(rules, **other)

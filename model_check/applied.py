"""Which rules of the core a step went through: the step is taken once more, and listened to.

A rule is a function that bears a `@clause`. What it did by itself is told apart from what the rules
that it called did: the notices that it gave, and whether it changed the state.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

import attrs

from model_check.system import System
from model_check.trace import TraceStep
from reference.clauses import CLAUSES_ATTRIBUTE
from reference.core.effects import Notice
from reference.core.state import ClusterState

_CORE: Final = "reference.core."


@attrs.frozen
class Rule:
    """A function of the core that realises clauses."""

    name: str
    place: str  # its file, from the root of the repository, and its line
    clauses: tuple[str, ...]


@attrs.frozen
class Applied:
    """A rule that a step went through."""

    rule: Rule
    told: tuple[Notice, ...]  # by itself
    changed: bool  # the state, by itself
    decides: bool  # it only says whether something may be done


@attrs.define
class _Call:
    rule: Rule
    state: ClusterState | None
    out: list[Any] | None
    start: int  # how long `out` was
    order: int
    results: list[ClusterState] = attrs.field(factory=list)  # of the rules that it called
    told: set[int] = attrs.field(factory=set)  # which notices those gave, by identity


def applied(system: System[Any, Any, Any], step: TraceStep) -> tuple[Applied, ...]:
    """The rules that the step went through, in the order in which they were called.

    None of a step that no node makes: a message that is lost or held, a link that breaks.
    """
    again = _again(system, step)
    if again is None:
        return ()
    listener = _Listener(_rules())
    before = sys.getprofile()
    sys.setprofile(listener)
    try:
        again()
    finally:
        sys.setprofile(before)
    return listener.applied()


def _again(system: System[Any, Any, Any], step: TraceStep) -> Callable[[], object] | None:
    process, state = step.process, step.before
    if step.kind in {"deliver", "deliver_held"} and step.channel is not None:
        lane = step.channel[2]
        return lambda: system.receive(process, state, step.message, lane)
    if step.kind == "move":
        for move in system.moves(process, state):
            if move.event == step.event:
                return lambda: system.act(process, state, move)
    return None


class _Listener:
    """Hears of each call of a rule and of its return, as `sys.setprofile` tells it."""

    def __init__(self, rules: dict[CodeType, Rule]) -> None:
        self._rules = rules
        self._calls: list[_Call] = []
        self._applied: list[tuple[int, Applied]] = []
        self._order = 0

    def __call__(self, frame: FrameType, event: str, result: object) -> None:
        rule = self._rules.get(frame.f_code)
        if rule is None:
            return
        if event == "call":
            self._called(rule, frame.f_locals)
        elif event == "return":
            self._returned(result)

    def applied(self) -> tuple[Applied, ...]:
        """What was heard of."""
        return tuple(each for _, each in sorted(self._applied, key=lambda pair: pair[0]))

    def _called(self, rule: Rule, given: dict[str, Any]) -> None:
        state, out = given.get("state"), given.get("out")
        self._order += 1
        self._calls.append(
            _Call(
                rule,
                state if isinstance(state, ClusterState) else None,
                out if isinstance(out, list) else None,
                len(out) if isinstance(out, list) else 0,
                self._order,
            )
        )

    def _returned(self, result: object) -> None:
        call = self._calls.pop()
        outer = self._calls[-1] if self._calls else None
        told: list[Notice] = []
        if call.out is not None:
            given = [each for each in call.out[call.start :] if isinstance(each, Notice)]
            told = [each for each in given if id(each) not in call.told]
            for around in self._calls:  # some of them pass it on in a list of their own
                around.told.update(map(id, given))
        changed = False
        if isinstance(result, ClusterState):
            passed_on = any(result is each for each in call.results)
            changed = result is not call.state and not passed_on
            if outer is not None:
                outer.results.append(result)
        decides = not isinstance(result, ClusterState) and call.out is None
        self._applied.append((call.order, Applied(call.rule, tuple(told), changed, decides)))


def all_rules() -> tuple[Rule, ...]:
    """The rules of the core, by file and line."""
    return tuple(_rules().values())


@cache
def _rules() -> dict[CodeType, Rule]:
    """The rules of the core by their code."""
    found = {}
    for name in sorted(name for name in sys.modules if name.startswith(_CORE)):
        for function in _functions(sys.modules[name]):
            clauses = getattr(function, CLAUSES_ATTRIBUTE, ())
            if clauses:
                code = function.__code__
                place = f"{name.replace('.', '/')}.py:{_line(code)}"
                found[code] = Rule(function.__name__, place, tuple(clauses))
    return found


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    members = [*vars(module).values()]
    members += [each for kind in members if isinstance(kind, type) for each in vars(kind).values()]
    for member in members:
        got = member.fget if isinstance(member, property) else member
        function = inspect.unwrap(got) if callable(got) else None
        if isinstance(function, FunctionType) and function.__module__ == module.__name__:
            yield function


def _line(code: CodeType) -> int:
    """The line with the function's name; decorators stand before it."""
    lines, first = inspect.getsourcelines(code)
    return first + next(at for at, line in enumerate(lines) if line.lstrip().startswith("def "))

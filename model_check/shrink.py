"""A path brought to the least changes of node: as many steps, still deciding the same property.

A story reads best if whoever acts goes on acting until something has to happen elsewhere. Two
searches look for such a path, step by step through the plain explorer, on the same links:

- among the reorderings of the steps of the path. It is exact: independent steps commute, so there
  are few states on the way, and each is visited once for each who acted last.
- among all paths of that length, those with no change first, then with one, and so on. It is exact
  if it ends within its budget, and `Shrunk.least` says whether it did.

What decides at the end is judged anew for every candidate, and the first path is kept if nothing
has fewer changes. The path is taken for a shortest one: a state that can be reached in fewer steps
is not looked at again, and `least` says nothing of a path that is longer than it has to be.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs

from model_check.engine import Exploration, PropertyResult
from model_check.engine.oracle import Arc, Oracle, World
from model_check.links import FlightLinks, Links
from model_check.properties import LeadsTo, Property
from model_check.shrink_memory import Remembered
from model_check.system import Step, System
from model_check.trace import Trace, TraceStep

BUDGET: Final = 2_500
"""How many global states each search may leave before it gives up."""

_JUDGED_WHERE_RUNS_END: Final = frozenset({"settles", "leads_to"})


@attrs.frozen(kw_only=True)
class Shrunk:
    """A path with the least changes of node that were found."""

    trace: Trace
    before: int  # the changes of the path that was given
    changes: int
    least: bool  # whether no path of this length, of any steps, has fewer


@attrs.frozen(eq=False)
class _Reached:
    """A path to a world: its last transition, and what came before."""

    world: World
    taken: int  # the bits of the steps of the first path that are used up
    last: int | None  # who acted last
    changes: int
    waits: tuple[bool, ...]  # for each thing that is led to, whether it was asked and did not come
    arc: Arc | None = None
    parent: "_Reached | None" = None


@attrs.frozen(kw_only=True)
class _Goal:
    """Where a path has to end: the very properties are decided there, or it is that world."""

    properties: tuple[Property, ...]
    world: World | None  # for those that are judged on where all runs end
    next_process: int | None  # who acts first in the loop behind it

    def is_met(self, reached: _Reached) -> bool:
        """Whether the last transition of the path decides all the properties."""
        if self.world is not None and self.world != reached.world:
            return False
        return all(reached.waits) and all(_decides(prop, reached) for prop in self.properties)

    def changes(self, reached: _Reached) -> int:
        """The changes of the path, with the one to the loop behind it."""
        return reached.changes + _differ(reached.last, self.next_process)


def changes_of(trace: Trace) -> int:
    """How often the process that acts is not the one that acted in the step before."""
    who = [step.process for step in trace.steps]
    return sum(one != other for one, other in pairwise(who))


def shrink(
    system: System[Any, Any, Any],
    links: Links,
    properties: Sequence[Property],
    trace: Trace,
    *,
    budget: int = BUDGET,
) -> Shrunk:
    """The path, or one as long with fewer changes of node that decides the properties as it does.

    Where runs end is judged by the world that the path leads to: it stays the same, as does a loop
    behind it. What something is to lead to is asked for on the new path too, and has not come at
    its end. Left alone are paths on links where what is in flight has no sender of its own
    (`flight`).
    """
    before = changes_of(trace)
    as_it_is = Shrunk(trace=trace, before=before, changes=before, least=before == 0)
    if as_it_is.least or isinstance(links, FlightLinks):
        return as_it_is
    search = _Search(system, links, budget, properties)
    path = search.follow(trace)
    if path is None:
        return as_it_is
    stem = len(trace.steps) - trace.loop
    goal = _Goal(
        properties=tuple(properties),
        world=path[stem].world
        if any(prop.kind in _JUDGED_WHERE_RUNS_END for prop in properties)
        else None,
        next_process=trace.steps[stem].process if trace.loop else None,
    )
    if not goal.is_met(path[stem]):
        return as_it_is
    best, least = search.shortest_told(trace.steps[:stem], path[stem], goal)
    changes = before - goal.changes(path[stem]) + goal.changes(best)
    if best is path[stem]:
        return attrs.evolve(as_it_is, least=least)
    told = (*search.steps(best), *trace.steps[stem:])
    return Shrunk(
        trace=attrs.evolve(trace, steps=told), before=before, changes=changes, least=least
    )


def with_shrunk_stories(
    system: System[Any, Any, Any], links: Links, properties: Sequence[Property], found: Exploration
) -> Exploration:
    """The same results, each counterexample with the least changes of node.

    Properties that one path decided are still decided by one path.
    """
    results: list[PropertyResult] = []
    paths: list[tuple[Trace, Trace]] = []
    for result in found.properties:
        trace = result.trace
        if trace is None or result.verdict != "violated":
            results.append(result)
            continue
        told = next((after for before, after in paths if before == trace), None)
        if told is None:
            ids = {
                each.id
                for each in found.properties
                if each.verdict == "violated" and each.trace == trace
            }
            same = [prop for prop in properties if prop.id in ids]
            told = shrink(system, links, same, trace).trace
            paths.append((trace, told))
        results.append(attrs.evolve(result, trace=told))
    return attrs.evolve(found, properties=tuple(results))


def path_to(
    system: System[Any, Any, Any],
    links: Links,
    wanted: Callable[[TraceStep], bool],
    *,
    budget: int = BUDGET,
) -> Trace | None:
    """A shortest path whose last step is wanted, None if the budget ends before there is one."""
    steps = _Search(system, links, budget).nearest(wanted)
    if steps is None:
        return None
    return Trace(
        initial=tuple(system.initial()),
        initial_messages=tuple(system.initial_messages()),
        steps=steps,
    )


class _Search:
    """The paths of a system on its links, with as few changes of node as can be."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: Links,
        budget: int,
        properties: Sequence[Property] = (),
    ) -> None:
        self._system = Remembered(system)
        self._oracle = Oracle(self._system, links)
        self._led_to = [prop for prop in properties if isinstance(prop, LeadsTo)]
        world = self._oracle.initial()
        waits = tuple(_waits(prop, world, before=prop.when is None) for prop in self._led_to)
        self._start = _Reached(world, 0, None, 0, waits)
        self._arcs: dict[World, list[Arc]] = {}
        self._texts: dict[Hashable, str] = {}
        self._budget = budget
        self._left = budget

    def follow(self, trace: Trace) -> list[_Reached] | None:
        """The path with all worlds on the way, None if it does not exist."""
        path = [self._start]
        for step in trace.steps:
            here = path[-1]
            label = _label_of_step(step)
            same = (
                arc
                for arc in self._leaving(here.world)
                if _label(arc) == label and arc.world.local[step.process] == step.after
            )
            arc = next(same, None)
            if arc is None:
                return None
            path.append(self._after(here, arc, 0))
        return path

    def shortest_told(
        self, steps: Sequence[TraceStep], found: _Reached, goal: _Goal
    ) -> tuple[_Reached, bool]:
        """The path with the least changes that was found, and whether there is no better one."""
        labels = [_label_of_step(step) for step in steps]
        self._left = self._budget
        best = self._within(len(steps), goal, goal.changes(found) - 1, labels) or found
        self._left = self._budget
        for most in range(goal.changes(best)):
            better = self._within(len(steps), goal, most, None)
            if better is not None:
                return better, True
            if self._left <= 0:
                return best, False
        return best, True

    def _within(
        self, length: int, goal: _Goal, most: int, labels: list[Hashable] | None
    ) -> _Reached | None:
        """The path of this length to the goal with the least changes, at most so many.

        With labels, only of steps that have them, each used as often as it is there.
        """
        level = {(*_place(self._start), self._start.last): self._start}
        earlier: set[_Place] = set()
        best: _Reached | None = None
        for at in range(1, length + 1):
            earlier.update(_place(each) for each in level.values())
            following: dict[tuple[*_Place, int | None], _Reached] = {}
            fewest: dict[_Place, int] = {}  # with more, nothing is gained
            for reached in self._onward(level.values(), most, labels):
                place = _place(reached)
                if at == length:
                    if goal.is_met(reached) and goal.changes(reached) <= most:
                        best, most = reached, goal.changes(reached) - 1
                elif place in earlier:
                    continue  # a shorter way leads here, so none to the goal does
                elif reached.changes <= fewest.get(place, most):
                    fewest[place] = reached.changes
                    following[*place, reached.last] = reached
            level = {
                key: each for key, each in following.items() if each.changes == fewest[_place(each)]
            }
        return best

    def _onward(
        self, level: Iterable[_Reached], most: int, labels: list[Hashable] | None
    ) -> Iterator[_Reached]:
        for here in level:
            if self._left <= 0:
                return
            self._left -= 1
            for arc in self._leaving(here.world):
                taken = 0 if labels is None else _taken(here.taken, labels, _label(arc))
                if taken is None:
                    continue
                after = self._after(here, arc, taken)
                if after.changes <= most:
                    yield after

    def nearest(self, wanted: Callable[[TraceStep], bool]) -> tuple[TraceStep, ...] | None:
        """The steps of a shortest path that ends with a wanted one."""
        seen, waiting = {self._start.world}, deque([self._start])
        while waiting and self._left > 0:
            here = waiting.popleft()
            self._left -= 1
            for arc in self._leaving(here.world):
                if wanted(self._told(here.world, arc)):
                    return self.steps(self._after(here, arc, 0))
                if arc.world not in seen:
                    seen.add(arc.world)
                    waiting.append(self._after(here, arc, 0))
        return None

    def _after(self, here: _Reached, arc: Arc, taken: int) -> _Reached:
        """The path with the transition behind it."""
        who = _who(arc)
        waits = tuple(
            _waits(prop, arc.world, before=before)
            for prop, before in zip(self._led_to, here.waits, strict=True)
        )
        changes = here.changes + _differ(here.last, who)
        return _Reached(arc.world, taken, who, changes, waits, arc, here)

    def _leaving(self, world: World) -> list[Arc]:
        """The transitions, in an order that is the same in every run."""
        known = self._arcs.get(world)
        if known is None:
            known = self._arcs[world] = sorted(self._oracle.arcs(world), key=self._order)
        return known

    def _order(self, arc: Arc) -> tuple[int, str, tuple[int, ...], str, str, int]:
        deed = arc.deed
        said = [self._text(each) for each in (deed.event, deed.message)]
        return _who(arc), deed.kind, deed.channel or (), said[0], said[1], deed.kept or 0

    def _text(self, value: Hashable) -> str:
        text = self._texts.get(value)
        if text is None:
            text = self._texts[value] = repr(value)
        return text

    def steps(self, reached: _Reached) -> tuple[TraceStep, ...]:
        """The path as the steps of a trace."""
        told: list[TraceStep] = []
        while reached.parent is not None and reached.arc is not None:
            told.append(self._told(reached.parent.world, reached.arc))
            reached = reached.parent
        return tuple(reversed(told))

    def _told(self, world: World, arc: Arc) -> TraceStep:
        deed, process = arc.deed, _who(arc)
        before, after = world.local[process], arc.world.local[process]
        step: Step[Any, Any] = Step(after)
        if deed.kind == "move":
            step = self._system.acted(process, world.local, deed.event, after)
        elif deed.kind in {"deliver", "deliver_held"} and deed.channel is not None:
            lane = deed.channel[2]
            step = self._system.receive(process, before, deed.message, lane) or step
        return TraceStep(
            kind=deed.kind,
            process=process,
            event=deed.event,
            message=deed.message,
            channel=deed.channel,
            before=before,
            after=after,
            sends=step.sends,
            notes=step.notes,
            kept=deed.kept,
        )


_Place = tuple[World, int, tuple[bool, ...]]
"""What the rest of a path can be depends on, but for who acted last."""


def _place(reached: _Reached) -> _Place:
    return reached.world, reached.taken, reached.waits


def _waits(prop: LeadsTo[Any], world: World, *, before: bool) -> bool:
    """Whether what the property leads to was asked for, before or now, and has not come."""
    seen = tuple(prop.project(*pair) for pair in enumerate(world.local))
    return not prop.then(seen) and (before or (prop.when is not None and bool(prop.when(seen))))


def _differ(one: int | None, other: int | None) -> int:
    return int(one is not None and other is not None and one != other)


def _who(arc: Arc) -> int:
    """The process that a trace names for the transition."""
    deed = arc.deed
    if deed.channel is None:
        return int(arc.stepped or 0)
    return deed.channel[1] if deed.kind in {"deliver", "deliver_held"} else deed.channel[0]


def _label(arc: Arc) -> Hashable:
    deed = arc.deed
    return deed.kind, _who(arc), deed.channel, deed.message, deed.event, deed.kept


def _label_of_step(step: TraceStep) -> Hashable:
    return step.kind, step.process, step.channel, step.message, step.event, step.kept


def _taken(taken: int, labels: list[Hashable], label: Hashable) -> int | None:
    """The bits with that of the first unused step of this label, None if there is none."""
    for at, each in enumerate(labels):
        if not taken >> at & 1 and each == label:
            return taken | 1 << at
    return None


def _decides(prop: Property, reached: _Reached) -> bool:
    """Whether the end of the path decides the property; where runs end is judged elsewhere."""
    arc, local = reached.arc, reached.world.local
    if prop.kind in _JUDGED_WHERE_RUNS_END:
        return True
    if prop.kind != "step":
        seen = tuple(prop.project(*pair) for pair in enumerate(local))
        return bool(prop.judge(seen)) == (prop.kind == "sometimes")
    if arc is None or arc.stepped is None or reached.parent is None:
        return False
    before, after = reached.parent.world.local[arc.stepped], local[arc.stepped]
    return bool(before != after and not prop.judge(arc.stepped, before, after))

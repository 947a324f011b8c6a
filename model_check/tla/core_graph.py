"""The graph of the core, with every state whole and every step labelled with its rule.

The plain explorer makes the transitions; what it does not tell, which event made a step, is written
beside the local state, where nothing compares it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from typing_extensions import override

from model_check.engine.oracle import Oracle, World
from model_check.links import Links
from model_check.models.cluster import ClusterSystem, ModelEvent, ModelMessage, Process
from model_check.system import Move, Step, System
from model_check.tla.graphs import Graph, State
from model_check.tla.mapping import Bounds, state_of_core
from reference.core.events import (
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
)

_SETSLOT = (
    ClusterSetslotImporting | ClusterSetslotMigrating | ClusterSetslotNode | ClusterSetslotStable
)


@attrs.frozen(cache_hash=True)
class Told:
    """A process, and the action of the step that led to it."""

    process: Process
    by: str = attrs.field(default="", eq=False)


class ToldSystem(System[Told, ModelMessage, ModelEvent]):
    """The same system, with each step labelled; what a step leads to is computed once."""

    def __init__(self, system: ClusterSystem) -> None:
        self._system = system
        self._outcomes: dict[Any, Step[Told, ModelMessage] | None] = {}

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return self._system.processes

    @property
    @override
    def budgets(self) -> Mapping[str, int]:
        return self._system.budgets

    @override
    def initial(self) -> tuple[Told, ...]:
        return tuple(map(Told, self._system.initial()))

    @override
    def initial_messages(self) -> Any:
        return self._system.initial_messages()

    @override
    def moves(self, process: int, state: Told) -> Iterable[Move[ModelEvent]]:
        return self._system.moves(process, state.process)

    @override
    def act(self, process: int, state: Told, move: Move[ModelEvent]) -> Step[Told, ModelMessage]:
        asked = (process, state.process, move)
        done = self._outcomes.get(asked)
        if done is None:
            done = _told(self._system.act(process, state.process, move), action_of(move.event))
            self._outcomes[asked] = done
        return done

    @override
    def receive(
        self, process: int, state: Told, message: ModelMessage, lane: int
    ) -> Step[Told, ModelMessage] | None:
        asked = (process, state.process, message)
        if asked not in self._outcomes:
            done = self._system.receive(process, state.process, message, lane)
            action = f"Receive{type(message).__name__}"
            self._outcomes[asked] = None if done is None else _told(done, action)
        return self._outcomes[asked]

    @override
    def is_down(self, process: int, state: Told) -> bool:
        return self._system.is_down(process, state.process)


def action_of(event: ModelEvent) -> str:
    """The action of the module that stands for the event."""
    return "ClusterSetslot" if isinstance(event, _SETSLOT) else type(event).__name__


def _told(step: Step[Process, ModelMessage], action: str) -> Step[Told, ModelMessage]:
    return Step(Told(step.state, action), step.sends, step.notes)


def graph_of_core(system: ClusterSystem, links: Links, bounds: Bounds) -> Graph:
    """The graph that the core makes with these links, each state as the mapping has it."""
    oracle = Oracle(ToldSystem(system), links)
    first = oracle.initial()
    names = {first: _state(first, system, bounds)}
    steps: dict[State, frozenset[tuple[str, State]]] = {}
    waiting = [first]
    while waiting:
        world = waiting.pop()
        leaving = set()
        for arc in oracle.arcs(world):
            if arc.world not in names:
                names[arc.world] = _state(arc.world, system, bounds)
                waiting.append(arc.world)
            if arc.stepped is None:
                raise ValueError("the module knows no step in which nobody takes part")
            leaving.add((arc.world.local[arc.stepped].by, names[arc.world]))
        steps[names[world]] = frozenset(leaving)
    if len(steps) != len(names):
        raise ValueError("two states of the core are the same under the mapping")
    return Graph(first=names[first], steps=steps)


def _state(world: World, system: ClusterSystem, bounds: Bounds) -> State:
    names = system.processes
    flying = ((names[to], message) for to, _, message in world.flying)
    sent = ((names[channel[1]], message) for channel, message in world.sent)
    return state_of_core(
        (told.process for told in world.local),
        (*flying, *sent),
        dict(zip(system.budgets, world.budgets, strict=True)),
        bounds,
    )

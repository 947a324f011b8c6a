"""What leads to what, judged world by world: slow, and simple enough to be believed.

Like the plain explorer, it shares no code with the engine. A world is where a run stands, an arc is
a transition.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import networkx as nx

from model_check.properties import LeadsTo
from model_check.system import Fairness, System

if TYPE_CHECKING:
    from model_check.engine.oracle import Arc, Oracle, World


_ASKED: Final = "asked"
"""Stands before all worlds in which something is asked for."""


@attrs.frozen
class Moved:
    """The moves of a process with equal events."""

    process: int
    event: Hashable


@attrs.frozen(kw_only=True)
class Onward:
    """One fault-free arc from a world, as fairness sees it."""

    target: "World"
    deed: Hashable
    fair: Fairness


@attrs.frozen(kw_only=True)
class Worlds:
    """All reachable worlds with what fairness needs to know of them."""

    onward: Mapping["World", list[Onward]]
    depths: Mapping["World", int]
    next: "nx.DiGraph[World]"  # every arc, of faults too
    short: Collection["World"]  # where a move could be made but for a bound


def worlds(oracle: "Oracle", system: System[Any, Any, Any], depths: "dict[World, int]") -> Worlds:
    """What the arcs of these worlds, which are all, say."""
    onward: dict[World, list[Onward]] = {}
    ways: nx.DiGraph[World] = nx.DiGraph()
    ways.add_nodes_from(depths)
    for world in depths:
        onward[world] = []
        for arc in oracle.arcs(world):
            ways.add_edge(world, arc.world)
            if not arc.fault:
                deed, fair = _deed(system, world, arc)
                onward[world].append(Onward(target=arc.world, deed=deed, fair=fair))
    short = {world for world in depths if not world.pending and oracle.lacks(world)}
    return Worlds(onward=onward, depths=depths, next=ways, short=short)


def _deed(system: System[Any, Any, Any], world: "World", arc: "Arc") -> tuple[Hashable, Fairness]:
    """Which deed the arc is, and what is owed to it."""
    if arc.deed.event is None:
        return (arc.deed.channel, arc.deed.message), "strong"
    process = arc.stepped if arc.deed.channel is None else arc.deed.channel[0]
    if process is None:
        raise ValueError(f"a move of nobody: {arc}")
    seen = tuple(system.observe(*pair) for pair in enumerate(world.local))
    moves = [*system.moves(process, world.local[process])]
    if process in system.watchers:
        moves += system.moves_seeing(process, world.local[process], seen)
    fair = next(move.fair for move in moves if move.event == arc.deed.event)
    return Moved(process, arc.deed.event), fair


def unanswered(prop: LeadsTo[Any], known: Worlds) -> int | None:
    """How long the shortest path is to where a fair run never answers, None if there is none."""

    def shown(world: "World") -> tuple[Any, ...]:
        return tuple(prop.project(*pair) for pair in enumerate(world.local))

    arrived = {world for world in known.depths if prop.then(shown(world))}
    ways: nx.DiGraph[Any] = nx.DiGraph()
    ways.add_node(_ASKED)
    for world, depth in known.depths.items():
        if world not in arrived:
            asks = depth == 0 if prop.when is None else prop.when(shown(world))
            ways.add_edges_from([(_ASKED, world)] if asks else [], far=depth)
            ways.add_edges_from(
                [(world, to) for to in known.next[world] if to not in arrived], far=1
            )
    distances: dict[Any, float] = nx.single_source_dijkstra_path_length(ways, _ASKED, weight="far")
    excused = {w for w in known.short if prop.beyond is not None and prop.beyond(w.local)}
    among = set(distances) - {_ASKED} - excused
    stays = _stays({w: _in_time(prop, shown(w), known.onward[w]) for w in among}, among)
    nearest = min((distances[world] for stay in stays for world in stay), default=None)
    return None if nearest is None else int(nearest)


def _in_time(prop: LeadsTo[Any], shown: tuple[Any, ...], steps: list[Onward]) -> list[Onward]:
    """The arcs from a world that are not late."""
    kept = []
    for step in steps:
        judge = None
        if prop.late is not None and isinstance(step.deed, Moved):
            judge = prop.late(step.deed.process, step.deed.event)
        if judge is None or not judge(shown):
            kept.append(step)
    return kept


def _stays(onward: Mapping["World", list[Onward]], among: "set[World]") -> "Iterator[set[World]]":
    """The largest sets of these worlds in which a fair run can stay."""
    ways: nx.DiGraph[World] = nx.DiGraph()
    ways.add_nodes_from(among)
    for world in among:
        for step in onward[world]:
            if step.target in among:
                ways.add_edge(world, step.target)
    for component in nx.strongly_connected_components(ways):
        kept = {s.deed for w in component for s in onward[w] if s.target in component}
        owing = {
            world: {
                fair: {s.deed for s in onward[world] if s.fair in fair} - kept
                for fair in (("strong",), ("weak", "strong"))
            }
            for world in component
        }
        quiet = [world for world in component if not world.pending]
        always = [owing[world]["weak", "strong"] for world in quiet]
        left = {world for world in component if not owing[world]["strong",]}
        if always and set.intersection(*always):
            left -= set(quiet)
        if left == component:
            yield component
        elif left:
            yield from _stays(onward, left)

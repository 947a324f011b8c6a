"""Every world of a scope, and the longest time for which both take writes."""

import attrs

from model_check.timed.longest import longest_run, longest_way, shortest_way
from model_check.timed.world import World, Worlds


@attrs.frozen(kw_only=True)
class Window:
    """At how many instants both can take writes; None: without end."""

    worlds: int
    moves: int
    complete: bool
    longest: int | None  # one after the other
    total: int | None  # all in all
    path: tuple[World, ...]  # from a start to the end of the longest, or once around its circle


@attrs.define
class _Graph:
    worlds: list[World]
    edges: list[tuple[int, ...]]
    starts: int  # so many, before all others
    complete: bool = False


def longest_window(worlds: Worlds, max_worlds: int) -> Window:
    """The longest windows of the scope; not complete if there are more worlds than allowed."""
    graph = _explore(worlds, max_worlds)
    both = [world.both for world in graph.worlds]
    run, way = longest_run(graph.edges, both), longest_way(graph.edges, both)
    path: tuple[int, ...] = ()
    if run.vertices:
        lead = shortest_way(graph.edges, range(graph.starts), run.vertices[0])
        path = (*lead, *run.vertices[1:])
    return Window(
        worlds=len(graph.worlds),
        moves=sum(map(len, graph.edges)),
        complete=graph.complete,
        longest=run.length,
        total=way.length,
        path=tuple(worlds.really([graph.worlds[at] for at in path])),
    )


def _explore(worlds: Worlds, max_worlds: int) -> _Graph:
    """Breadth first; what was not expanded when the limit was hit has no edges."""
    numbers = {world: at for at, world in enumerate(dict.fromkeys(worlds.starts()))}
    found = list(numbers)
    graph = _Graph(worlds=found, edges=[], starts=len(found))
    while len(graph.edges) < len(found):
        if len(found) > max_worlds:
            graph.edges += [()] * (len(found) - len(graph.edges))
            return graph
        world = found[len(graph.edges)]
        following = [] if worlds.is_over(world) else sorted(worlds.following(world))
        for after in following:
            if numbers.setdefault(after, len(found)) == len(found):
                found.append(after)
        graph.edges.append(tuple(numbers[after] for after in following))
    graph.complete = True
    return graph

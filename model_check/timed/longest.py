"""The longest way through chosen vertices of a graph, and whether there is one that never ends."""

from collections import deque
from collections.abc import Iterable, Sequence

import attrs
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Edges = Sequence[tuple[int, ...]]
"""For each vertex by number, those that follow it."""


@attrs.frozen(kw_only=True)
class Way:
    """The most chosen vertices that a way can pass; None: a circle passes one again and again."""

    length: int | None
    vertices: tuple[int, ...]  # such a way, or one once around the circle


def longest_way(edges: Edges, chosen: Sequence[bool]) -> Way:
    """The way that passes most chosen vertices, others between them included."""
    circle = _circle(edges, chosen)
    if circle:
        return Way(length=None, vertices=circle)
    return _heaviest(edges, chosen)


def longest_run(edges: Edges, chosen: Sequence[bool]) -> Way:
    """The way that passes most chosen vertices and no others."""
    inner = [
        tuple(after for after in following if chosen[after]) if chosen[vertex] else ()
        for vertex, following in enumerate(edges)
    ]
    return longest_way(inner, chosen)


def shortest_way(edges: Edges, starts: Iterable[int], aim: int) -> tuple[int, ...]:
    """The fewest vertices from a start to the aim, both included; the aim can be reached."""
    came: dict[int, int | None] = dict.fromkeys(starts)
    queue = deque(came)
    while aim not in came:
        vertex = queue.popleft()
        for after in edges[vertex]:
            if after not in came:
                came[after] = vertex
                queue.append(after)
    way, at = [aim], came[aim]
    while at is not None:
        way.append(at)
        at = came[at]
    return tuple(reversed(way))


def _labels(edges: Edges) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    counts = np.fromiter(map(len, edges), dtype=np.int64, count=len(edges))
    columns = np.fromiter(
        (after for following in edges for after in following), np.int64, count=int(counts.sum())
    )
    pointers = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    matrix = csr_array(  # type: ignore[no-untyped-call]
        (np.ones(len(columns), np.int8), columns, pointers), shape=(len(edges), len(edges))
    )
    _, labels = connected_components(matrix, directed=True, connection="strong")
    return np.asarray(labels, np.int32)


def _circle(edges: Edges, chosen: Sequence[bool]) -> tuple[int, ...]:
    """A way from a chosen vertex back to it, if there is one."""
    labels = _labels(edges)
    sizes = np.bincount(labels, minlength=1)
    for vertex, following in enumerate(edges):
        if not chosen[vertex] or (sizes[labels[vertex]] == 1 and vertex not in following):
            continue
        return (vertex, *shortest_way(edges, following, vertex))
    return ()


def _heaviest(edges: Edges, chosen: Sequence[bool]) -> Way:
    """No circle passes a chosen vertex, so each component has at most one of them."""
    labels = _labels(edges)
    # Components are numbered so that an edge leads to a smaller number, or within one.
    order = np.argsort(labels, kind="stable")
    best = [0] * (int(labels.max(initial=-1)) + 1)
    onward: list[int | None] = [None] * len(best)
    first: list[int | None] = [None] * len(best)
    for vertex in map(int, order):
        label = int(labels[vertex])
        weight = int(chosen[vertex])
        for after in edges[vertex]:
            below = int(labels[after])
            if below != label and best[below] + weight > best[label]:
                best[label], onward[label] = best[below] + weight, below
        if weight:
            first[label] = vertex
            if not best[label]:
                best[label] = 1
    if not best or not max(best):
        return Way(length=0, vertices=())
    at: int | None = int(np.argmax(best))
    vertices = []
    while at is not None:
        if first[at] is not None:
            vertices.append(first[at])
        at = onward[at]
    return Way(length=max(best), vertices=tuple(v for v in vertices if v is not None))

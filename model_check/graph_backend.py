"""Networkx's algorithms on graphs that are too large for it: the same names, scipy's work.

A `StateDigraph` is what networkx calls a backend graph. Given one, the functions of networkx that
are named as those below run on its arrays; anything else networkx refuses, unless it may convert
(`nx.config.fallback_to_nx`). The entry point `networkx.backends` names this module.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import networkx as nx
import numpy as np

from model_check.engine.arrays import Ints, Narrow
from model_check.engine.digraph import Digraph

BACKEND: Final = "slotproof"
"""The name by which networkx knows it."""


class StateDigraph:
    """A directed graph on the nodes 0 to n-1, for networkx. Parallel edges count each."""

    __networkx_backend__ = BACKEND

    def __init__(self, arrays: Digraph) -> None:
        """The graph that the arrays hold, not copied."""
        self.arrays = arrays
        self.__networkx_cache__: dict[str, Any] = {}
        self.graph: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.arrays)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __contains__(self, node: object) -> bool:
        return isinstance(node, int) and 0 <= node < len(self)

    def number_of_nodes(self) -> int:
        """How many nodes there are."""
        return len(self)

    def number_of_edges(self) -> int:
        """How many edges there are."""
        return self.arrays.edges

    def is_directed(self) -> bool:
        """True."""
        return True

    def is_multigraph(self) -> bool:
        """True: several transitions may lead from one state to another."""
        return True

    def checked(self, node: int) -> int:
        """The node; raises NodeNotFound as networkx does if there is none of that number."""
        if node not in self:
            raise nx.NodeNotFound(f"The node {node} is not in the graph.")
        return node


def convert_from_nx(graph: "nx.Graph[Any]", *_: object, **__: object) -> StateDigraph:
    """The same directed graph as arrays.

    Raises NotImplementedError if it is not directed, or its nodes are not the numbers from 0 on.
    """
    if not graph.is_directed() or set(graph) != set(range(len(graph))):
        raise NotImplementedError("only directed graphs on the nodes 0 to n-1")
    edges = np.array([edge[:2] for edge in graph.edges()], dtype=np.int64).reshape(-1, 2)
    return StateDigraph(Digraph.of(edges[:, 0], edges[:, 1], len(graph)))


def convert_to_nx(graph: Any, **_: object) -> Any:  # noqa: ANN401 - a result of any kind
    """The same graph as networkx has it; what is no graph of this backend as it is."""
    if not isinstance(graph, StateDigraph):
        return graph
    same: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    same.add_nodes_from(range(len(graph)))
    arrays = graph.arrays
    same.add_edges_from(zip(arrays.sources().tolist(), arrays.target.tolist(), strict=True))
    return same


def _groups(count: int, label: Narrow) -> Iterator[set[int]]:
    """The nodes of each component."""
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label, minlength=count))
    for start, end in zip([0, *ends.tolist()], ends.tolist(), strict=False):
        yield set(order[start:end].tolist())


def strongly_connected_components(G: StateDigraph) -> Iterator[set[int]]:  # noqa: N803
    """As networkx's, in another order."""
    return _groups(*G.arrays.strong_components())


def number_strongly_connected_components(G: StateDigraph) -> int:  # noqa: N803
    """As networkx's."""
    return G.arrays.strong_components()[0]


def is_strongly_connected(G: StateDigraph) -> bool:  # noqa: N803
    """As networkx's."""
    _not_null(G)
    return G.arrays.strong_components()[0] == 1


def weakly_connected_components(G: StateDigraph) -> Iterator[set[int]]:  # noqa: N803
    """As networkx's, in another order."""
    return _groups(*G.arrays.weak_components())


def number_weakly_connected_components(G: StateDigraph) -> int:  # noqa: N803
    """As networkx's."""
    return G.arrays.weak_components()[0]


def is_weakly_connected(G: StateDigraph) -> bool:  # noqa: N803
    """As networkx's."""
    _not_null(G)
    return G.arrays.weak_components()[0] == 1


def attracting_components(G: StateDigraph) -> Iterator[set[int]]:  # noqa: N803
    """As networkx's, in another order: the bottom components."""
    count, label = G.arrays.strong_components()
    ends = G.arrays.bottom(label, count)
    return (nodes for nodes, end in zip(_groups(count, label), ends.tolist(), strict=True) if end)


def number_attracting_components(G: StateDigraph) -> int:  # noqa: N803
    """As networkx's."""
    count, label = G.arrays.strong_components()
    return int(G.arrays.bottom(label, count).sum())


def is_directed_acyclic_graph(G: StateDigraph) -> bool:  # noqa: N803
    """As networkx's."""
    loops = bool((G.arrays.sources() == G.arrays.target).any())
    return not loops and G.arrays.strong_components()[0] == len(G)


def descendants(G: StateDigraph, source: int) -> set[int]:  # noqa: N803
    """As networkx's."""
    return _beyond(G.arrays, G.checked(source))


def ancestors(G: StateDigraph, source: int) -> set[int]:  # noqa: N803
    """As networkx's."""
    return _beyond(G.arrays.reversed(), G.checked(source))


def single_source_shortest_path_length(
    G: StateDigraph,  # noqa: N803
    source: int,
    cutoff: float | None = None,
) -> dict[int, int]:
    """As networkx's."""
    lengths: dict[int, int] = {}
    for length, level in enumerate(G.arrays.levels(G.checked(source))):
        if cutoff is not None and length > cutoff:
            break
        lengths |= dict.fromkeys(level.tolist(), length)
    return lengths


def bfs_layers(G: StateDigraph, sources: int | Iterable[int]) -> Iterator[list[int]]:  # noqa: N803
    """As networkx's from one source, each layer in rising order.

    Raises NotImplementedError for several sources.
    """
    if not isinstance(sources, int):
        raise NotImplementedError("layers from one source only")
    return (level.tolist() for level in G.arrays.levels(G.checked(sources)))


def _not_null(graph: StateDigraph) -> None:
    if not len(graph):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")


def _beyond(arrays: Digraph, node: int) -> set[int]:
    order: Ints = arrays.breadth_first(node)[0]
    return set(order.tolist()) - {node}

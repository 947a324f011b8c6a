"""Networkx and the arrays give the same answers, by the same names.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Callable, Iterable
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_check.engine import Limits, explore
from model_check.engine.digraph import Digraph
from model_check.graph import to_digraph, to_networkx
from model_check.graph_backend import BACKEND, StateDigraph
from model_check.links import parse_links
from tests.model.toys import TokenRing

Edges = list[tuple[int, int]]
NODES = 7

node = st.integers(0, NODES - 1)
graphs = st.lists(st.tuples(node, node), max_size=16)


def as_networkx(edges: Edges) -> Any:
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_nodes_from(range(NODES))
    graph.add_edges_from(edges)
    return graph


def as_arrays(edges: Edges) -> Any:  # networkx's types know no graphs but its own
    source, target = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    return StateDigraph(Digraph.of(source, target, NODES))


def sets(components: Iterable[Any]) -> set[frozenset[int]]:
    return {frozenset(nodes) for nodes in components}


OF_GRAPHS: dict[str, Callable[[Any], Any]] = {
    "strongly_connected_components": lambda g: sets(nx.strongly_connected_components(g)),
    "number_strongly_connected_components": nx.number_strongly_connected_components,
    "is_strongly_connected": nx.is_strongly_connected,
    "weakly_connected_components": lambda g: sets(nx.weakly_connected_components(g)),
    "number_weakly_connected_components": nx.number_weakly_connected_components,
    "is_weakly_connected": nx.is_weakly_connected,
    "attracting_components": lambda g: sets(nx.attracting_components(g)),
    "number_attracting_components": nx.number_attracting_components,
    "is_directed_acyclic_graph": nx.is_directed_acyclic_graph,
}
OF_NODES: dict[str, Callable[[Any, int], Any]] = {
    "descendants": nx.descendants,
    "ancestors": nx.ancestors,
    "single_source_shortest_path_length": nx.single_source_shortest_path_length,
    "cut off": lambda g, n: nx.single_source_shortest_path_length(g, n, cutoff=1),
    "bfs_layers": lambda g, n: [sorted(layer) for layer in nx.bfs_layers(g, n)],
}


@pytest.mark.parametrize("name", OF_GRAPHS)
@given(edges=graphs)
def test_an_algorithm_on_a_graph_gives_the_same(name: str, edges: Edges) -> None:
    asked = OF_GRAPHS[name]

    assert asked(as_arrays(edges)) == asked(as_networkx(edges))


@pytest.mark.parametrize("name", OF_NODES)
@given(edges=graphs, of=node)
def test_an_algorithm_from_a_node_gives_the_same(name: str, edges: Edges, of: int) -> None:
    asked = OF_NODES[name]

    assert asked(as_arrays(edges), of) == asked(as_networkx(edges), of)


@given(edges=graphs)
def test_networkx_can_be_told_to_use_the_arrays(edges: Edges) -> None:
    graph = as_networkx(edges)

    assert sets(nx.strongly_connected_components(graph, backend=BACKEND)) == sets(
        nx.strongly_connected_components(graph)
    )


@given(edges=graphs)
def test_a_graph_turned_round_twice_is_the_same(edges: Edges) -> None:
    arrays = as_arrays(edges).arrays
    twice = arrays.reversed().reversed()

    assert sorted(zip(twice.sources(), twice.target, strict=True)) == sorted(edges)


def test_what_is_not_there_is_refused_as_networkx_does() -> None:
    none = np.empty(0, dtype=np.int64)
    nothing: Any = StateDigraph(Digraph.of(none, none, 0))
    with pytest.raises(nx.NodeNotFound):
        nx.bfs_layers(as_arrays([]), NODES)
    with pytest.raises(NotImplementedError):
        nx.pagerank(as_arrays([(0, 1)]))
    with pytest.raises(nx.NetworkXPointlessConcept):
        nx.is_strongly_connected(nothing)


def test_parallel_edges_come_to_an_end() -> None:
    # scipy's strong components loop for ever on a repeated neighbour.
    count, label = as_arrays(
        [(0, 1), (0, 2), (0, 1), (0, 1), (1, 0)] * 3
    ).arrays.strong_components()

    assert count == NODES - 1
    assert label[0] == label[1]


def test_an_exploration_is_the_same_graph_in_both() -> None:
    found = explore(TokenRing(3), parse_links("held(1)"), (), Limits(), keep_states=True)

    arrays: Any = to_digraph(found)
    whole = to_networkx(found)
    assert arrays.number_of_nodes() == whole.number_of_nodes()
    assert arrays.number_of_edges() == whole.number_of_edges()
    assert sets(nx.strongly_connected_components(arrays)) == sets(
        nx.strongly_connected_components(whole)
    )


def test_without_states_there_is_no_graph() -> None:
    found = explore(TokenRing(3), parse_links("held(1)"), (), Limits())

    with pytest.raises(ValueError, match="kept no states"):
        to_digraph(found)

"""The explored states and transitions as graphs for networkx, small or large.

The exploration must have been asked to keep its states. `to_networkx` has everything by name, at
about a kilobyte a transition. `to_digraph` is the bare graph, on the arrays that the exploration
left: networkx runs the algorithms of `model_check.graph_backend` on it by the same names, such as
`nx.strongly_connected_components(to_digraph(found))`, on millions of transitions in seconds.
"""

from collections.abc import Callable, Hashable
from pathlib import Path

import networkx as nx

from model_check.engine import Exploration, StateGraph
from model_check.engine.digraph import Digraph
from model_check.graph_backend import StateDigraph

StateText = Callable[[int, Hashable], str]
"""The text of a local state of a process."""


def to_networkx(
    exploration: Exploration, text: StateText = lambda _, state: str(state)
) -> "nx.MultiDiGraph[int]":
    """Nodes 0 to n-1, 0 the initial state, and an edge for each transition.

    A node has the text of each process's local state, under the name of the process, and its
    `depth`. An edge has a `label` that says what happened. The messages on the links are not
    shown, so different nodes may look alike. Raises ValueError if no states were kept.
    """
    kept = _kept(exploration)
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    texts: dict[int, str] = {}
    for node, (row, depth) in enumerate(zip(kept.rows.tolist(), kept.depth.tolist(), strict=True)):
        for process, state in enumerate(row):
            if state not in texts:
                texts[state] = text(process, kept.local_states[state])
        shown = dict(zip(kept.processes, (texts[state] for state in row), strict=True))
        graph.add_node(node, **shown, depth=depth)
    labels: dict[int, str] = {}
    edges = zip(kept.source.tolist(), kept.target.tolist(), kept.code.tolist(), strict=True)
    for source, target, code in edges:
        if code not in labels:
            labels[code] = kept.describe(code)
        graph.add_edge(source, target, label=labels[code])
    return graph


def to_digraph(exploration: Exploration) -> StateDigraph:
    """Nodes 0 to n-1, 0 the initial state, and an edge for each transition, for networkx.

    What the numbers stand for is in `Exploration.graph`. Raises ValueError if no states were kept.
    """
    kept = _kept(exploration)
    return StateDigraph(Digraph.of(kept.source, kept.target, len(kept.rows)))


def _kept(exploration: Exploration) -> StateGraph:
    if exploration.graph is None:
        raise ValueError("the exploration kept no states: explore(..., keep_states=True)")
    return exploration.graph


def write_graphml(
    exploration: Exploration, path: Path, text: StateText = lambda _, state: str(state)
) -> None:
    """The graph stands in the file, as GraphML."""
    nx.write_graphml(to_networkx(exploration, text), path)

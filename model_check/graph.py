"""The explored states and transitions as a networkx graph.

The exploration must have been asked to keep its states. For graphs of many millions of
transitions, use the arrays of `Exploration.graph`: networkx takes about a kilobyte for each.
"""

from collections.abc import Callable, Hashable
from pathlib import Path

import networkx as nx

from model_check.engine import Exploration

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
    kept = exploration.graph
    if kept is None:
        raise ValueError("the exploration kept no states: explore(..., keep_states=True)")
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


def write_graphml(
    exploration: Exploration, path: Path, text: StateText = lambda _, state: str(state)
) -> None:
    """The graph stands in the file, as GraphML."""
    nx.write_graphml(to_networkx(exploration, text), path)

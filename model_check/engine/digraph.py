"""Directed graphs of many nodes as arrays, and the algorithms that liveness needs of them.

The work is scipy's (`scipy.sparse.csgraph`) or whole levels of NumPy at a time, never a node at a
time. `model_check.graph` makes these graphs available to networkx.
"""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np

from model_check.engine.arrays import Flags, Ints, Narrow, ranges

NONE: Final = -1
"""No such node or edge, or not reached."""


@attrs.frozen(eq=False)
class Digraph:
    """Nodes 0 to n-1 and the edges between them, those from one node side by side.

    Edges may be parallel, and may lead from a node to itself.
    """

    start: Ints  # of each node's edges, and where the last ones end; shape (nodes + 1,)
    target: Narrow  # of each edge; shape (edges,)
    edge: Ints | None = None  # what number each edge was given; None if its position here

    @classmethod
    def of(cls, source: Ints, target: Ints, nodes: int) -> "Digraph":
        """The graph of edges that are numbered as they come. Shapes: (edges,), (edges,)."""
        start = np.zeros(nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(source, minlength=nodes), out=start[1:])
        if len(source) < 1 << 31:
            start = start.astype(np.int32)
        if bool(np.all(source[1:] >= source[:-1])):
            return cls(start, target.astype(np.int32, copy=False))
        order = np.argsort(source, kind="stable")
        return cls(start, target[order].astype(np.int32, copy=False), order)

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.start) - 1

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self.target)

    def given(self, positions: Ints) -> Ints:
        """The numbers that the edges at these positions were given."""
        return positions if self.edge is None else self.edge[positions]

    def out(self, nodes: Ints) -> tuple[Ints, Ints]:
        """For each edge from each of the nodes: the position of the node there, and the edge's."""
        return ranges(self.start[nodes].astype(np.int64), self.degree(nodes))

    def degree(self, nodes: Ints) -> Ints:
        """How many edges each of the nodes has."""
        return (self.start[nodes + 1] - self.start[nodes]).astype(np.int64)

    def sources(self) -> Narrow:
        """The node that each edge leads from. Shape: (edges,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.start))

    def reversed(self) -> "Digraph":
        """The graph with every edge turned round."""
        return Digraph.of(self.target, self.sources(), len(self))

    def _matrix(self) -> Any:  # noqa: ANN401 - scipy has no types
        """The edges as scipy has them, without parallel ones."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - most runs need no graph

        # csgraph wants 64-bit floats, and would make them of anything else. With parallel edges
        # its strong components may never come to an end.
        matrix = csr_array(  # type: ignore[no-untyped-call]
            (np.ones(self.edges), self.target, self.start), (len(self), len(self)), copy=True
        )
        matrix.sum_duplicates()  # type: ignore[no-untyped-call]
        return matrix

    def strong_components(self) -> tuple[int, Narrow]:
        """How many strongly connected components there are, and that of each node."""
        return self._components("strong")

    def weak_components(self) -> tuple[int, Narrow]:
        """How many components there are if edges lead both ways, and that of each node."""
        return self._components("weak")

    def _components(self, connection: str) -> tuple[int, Narrow]:
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - as above

        count, label = connected_components(self._matrix(), directed=True, connection=connection)
        return int(count), label

    def bottom(self, label: Narrow, count: int) -> Flags:
        """Whether each of these components is one that no edge leaves. Shape: (components,)."""
        ends = np.ones(count, dtype=np.bool_)
        source = label[self.sources()]
        ends[source[source != label[self.target]]] = False
        return ends

    def breadth_first(self, node: int) -> tuple[Narrow, Narrow]:
        """The nodes that can be reached, nearest first, and the node before each on the way."""
        from scipy.sparse.csgraph import breadth_first_order  # noqa: PLC0415 - as above

        order, before = breadth_first_order(self._matrix(), node, directed=True)
        return order, before

    def levels(self, node: int) -> Iterator[Ints]:
        """The nodes at distance 0, 1, 2 ... of the node, each level in rising order."""
        seen = np.zeros(len(self), dtype=np.bool_)
        level: Ints = np.array([node], dtype=np.int64)
        while level.size:
            seen[level] = True
            yield level
            _, at = self.out(level)
            ahead = self.target[at]
            level = np.unique(ahead[~seen[ahead]])

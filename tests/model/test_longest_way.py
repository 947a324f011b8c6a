"""The longest way through chosen vertices of a graph, against every way.

Clauses: PA-P1.
"""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from model_check.timed.longest import longest_run, longest_way, shortest_way

graphs = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        st.lists(
            st.lists(st.integers(0, size - 1), max_size=3, unique=True).map(tuple),
            min_size=size,
            max_size=size,
        ),
        st.lists(st.booleans(), min_size=size, max_size=size),
    )
)


def _ways(edges: list[tuple[int, ...]], way: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every way that goes on from this one and comes to no vertex twice."""
    onward = [v for v in edges[way[-1]] if v not in way]
    return [way, *(longer for v in onward for longer in _ways(edges, (*way, v)))]


def _on_circle(edges: list[tuple[int, ...]], vertex: int) -> bool:
    return any(vertex in edges[way[-1]] for way in _ways(edges, (vertex,)))


@given(graphs)
def test_the_longest_way_is_that_of_all_ways(
    graph: tuple[list[tuple[int, ...]], list[bool]],
) -> None:
    edges, chosen = graph
    ways = [way for v in range(len(edges)) for way in _ways(edges, (v,))]
    endless = any(chosen[v] and _on_circle(edges, v) for v in range(len(edges)))

    found = longest_way(edges, chosen)

    expected = None if endless else max(sum(chosen[v] for v in way) for way in ways)
    assert found.length == expected
    assert all(chosen[v] for v in found.vertices) or found.length is None


@given(graphs)
def test_the_longest_run_passes_no_other_vertices(
    graph: tuple[list[tuple[int, ...]], list[bool]],
) -> None:
    edges, chosen = graph
    inner = [tuple(v for v in row if chosen[v]) if chosen[at] else () for at, row in
             enumerate(edges)]  # fmt: skip

    found = longest_run(edges, chosen)

    assert found.length == longest_way(inner, chosen).length
    assert all(b in edges[a] for a, b in zip(found.vertices, found.vertices[1:], strict=False))


def test_the_shortest_way_is_found() -> None:
    edges = [(1, 2), (3,), (4,), (4,), ()]

    assert shortest_way(edges, [0], 4) == (0, 2, 4)
    assert all(shortest_way(edges, [a, b], 4)[-1] == 4 for a, b in permutations(range(5), 2))

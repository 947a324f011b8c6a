"""Fair components are those that a search through all sets of states finds.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Iterator
from itertools import combinations

import attrs
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model_check.engine.digraph import NONE
from model_check.engine.fair_cycles import fair_components
from model_check.engine.fairness import OWED_STRONGLY, OWED_WEAKLY, Deeds
from model_check.engine.lasso import loop

STATES = 6

Edge = tuple[int, int, int, int]
"""From which state, to which, what deed, and what is owed."""


@attrs.frozen
class Case:
    """Transitions between a few states, some of which are left out or busy."""

    edges: tuple[Edge, ...]
    among: frozenset[int]
    busy: frozenset[int]

    @property
    def done(self) -> Deeds:
        """The transitions from the states that are not left out, as the engine has them."""
        edges = [edge for edge in self.edges if edge[0] in self.among]
        source, target, deed, owed = np.array(edges, dtype=np.int32).reshape(-1, 4).T
        return Deeds(
            source=source,
            target=target,
            deed=deed,
            owed=owed.astype(np.int8),
            number=np.arange(len(edges)),
        )

    def flags(self, states: frozenset[int]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Whether each state is one of these."""
        return np.isin(np.arange(STATES), list(states))


state = st.integers(0, STATES - 1)
some = st.frozensets(state, max_size=2)
edge = st.tuples(state, state, st.integers(0, 3), st.integers(0, 2))
cases = st.builds(
    Case,
    st.lists(edge, max_size=14).map(tuple),
    some.map(lambda left_out: frozenset(range(STATES)) - left_out),
    some,
)


def is_fair(case: Case, states: frozenset[int]) -> bool:
    """Whether a fair run can be again and again in each of these states and in no other."""
    inner = [edge for edge in case.edges if edge[0] in states and edge[1] in states]
    ways: nx.DiGraph[int] = nx.DiGraph()
    ways.add_nodes_from(states)
    ways.add_edges_from((source, target) for source, target, _, _ in inner)
    if not nx.is_strongly_connected(ways):
        return False
    done = {deed for _, _, deed, _ in inner}
    owed = [edge for edge in case.edges if edge[0] in states]
    if any(what == OWED_STRONGLY and deed not in done for _, _, deed, what in owed):
        return False
    quiet = states - case.busy
    return not any(
        quiet
        and deed not in done
        and quiet <= {s for s, _, other, what in owed if other == deed and what >= OWED_WEAKLY}
        for deed in range(4)
    )


def fair_sets(case: Case) -> Iterator[frozenset[int]]:
    for size in range(1, len(case.among) + 1):
        for chosen in combinations(sorted(case.among), size):
            if is_fair(case, frozenset(chosen)):
                yield frozenset(chosen)


@pytest.mark.parametrize("dense_cells", [0, 1 << 20])
@settings(max_examples=300, deadline=None)
@given(case=cases)
def test_they_are_the_largest_fair_sets(dense_cells: int, case: Case) -> None:
    among, busy = case.flags(case.among), case.flags(case.busy)
    label = fair_components(case.done, among, busy, dense_cells)

    found = {
        frozenset(np.flatnonzero(label == number).tolist()) for number in set(label.tolist())
    } - {frozenset(np.flatnonzero(label == NONE).tolist())}
    fair = set(fair_sets(case))
    assert found == {one for one in fair if not any(one < other for other in fair)}


BUSY_BETWEEN = Case(
    edges=((0, 5, 0, OWED_WEAKLY), (0, 1, 1, 0), (1, 0, 1, 0), (1, 2, 2, 0), (2, 0, 3, 0)),
    among=frozenset({0, 1, 2}),
    busy=frozenset({1}),
)
"""Where the busy state owes nothing, but only the third state sets the timer back."""


@settings(max_examples=300, deadline=None)
@given(case=cases)
@example(case=BUSY_BETWEEN)
def test_in_each_there_is_a_fair_loop_from_each_state(case: Case) -> None:
    among, busy = case.flags(case.among), case.flags(case.busy)
    done = case.done
    label = fair_components(done, among, busy)

    for home in np.flatnonzero(label != NONE).tolist():
        numbers = loop(done, label == label[home], busy, home)
        path = [home, *done.target[numbers].tolist()]
        assert path[:-1] == done.source[numbers].tolist()
        assert path[-1] == home
        visited = frozenset(path)
        taken = set(done.deed[numbers].tolist())
        owing = [edge for edge in case.edges if edge[0] in visited]
        assert not {d for _, _, d, what in owing if what == OWED_STRONGLY} - taken
        for deed in range(4):
            bound = {s for s, _, d, what in owing if d == deed and what >= OWED_WEAKLY}
            quiet = visited - case.busy
            assert not quiet or deed in taken or not quiet <= bound

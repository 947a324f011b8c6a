"""Sweeps over transitions find the bottom components that networkx finds, on graphs made by chance.

Clauses: none, the engine knows no protocol.
"""

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_check.engine.arrays import Ints
from model_check.engine.free_ways import FreeGraph, Marks, as_graph
from model_check.engine.settling import Unsettled, bad_states, nearest

Ways = list[list[int]]
"""Where each state leads to."""

PROPERTIES = 3


@st.composite
def ways(draw: st.DrawFn) -> Ways:
    count = draw(st.integers(1, 40))
    most = draw(st.integers(1, 3))  # so that there are few transitions and many ends, or not
    state = st.integers(0, count - 1)
    return draw(st.lists(st.lists(state, max_size=most), min_size=count, max_size=count))


@st.composite
def refusals(draw: st.DrawFn, count: int) -> Marks:
    chosen = draw(st.lists(st.integers(0, (1 << PROPERTIES) - 1), min_size=count, max_size=count))
    rare = draw(st.booleans())
    kept = [each if not rare or at % 7 == 3 else 0 for at, each in enumerate(chosen)]
    return np.array(kept, dtype=np.uint8)


def graph_of(ways: Ways) -> FreeGraph:
    degrees = np.array([len(each) for each in ways])
    return as_graph(degrees, np.array([target for each in ways for target in each], dtype=np.int64))


def plain(ways: Ways) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(ways)))
    graph.add_edges_from((state, to) for state, each in enumerate(ways) for to in each)
    return graph


def ends_of(ways: Ways, refused: Marks, bit: int) -> list[set[int]]:
    """The bottom components with a state that the property does not accept."""
    found = nx.attracting_components(plain(ways))
    return [end for end in found if any(refused[state] >> bit & 1 for state in end)]


@given(st.data(), ways())
def test_states_are_bad_that_can_only_end_where_somebody_is_not_accepted(
    data: st.DataObject, ways: Ways
) -> None:
    refused = data.draw(refusals(len(ways)))
    graph, known = graph_of(ways), plain(ways)

    bad = bad_states(graph, refused, PROPERTIES)

    for bit in range(PROPERTIES):
        fine = [
            end
            for end in nx.attracting_components(known)
            if not any(refused[state] >> bit & 1 for state in end)
        ]
        for state in range(len(ways)):
            ahead = {state} | nx.descendants(known, state)
            assert (bad[state] >> bit & 1) == (not any(end & ahead for end in fine))


@given(st.data(), ways())
def test_bottom_components_are_found_from_where_they_can_be_reached(
    data: st.DataObject, ways: Ways
) -> None:
    among = data.draw(refusals(len(ways)))
    known = plain(ways)
    reached = {state for state in range(len(ways)) if among[state]}
    reached |= {ahead for state in reached for ahead in nx.descendants(known, state)}

    label = graph_of(ways).ends(among)

    found = [set(np.flatnonzero(label == number)) for number in range(1, int(label.max()) + 1)]
    expected = [end for end in nx.attracting_components(known) if end <= reached]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))


@given(st.data(), ways(), st.sets(st.integers(1, 39)))
def test_what_is_told_is_the_nearest_state_with_the_shortest_loop(
    data: st.DataObject, ways: Ways, starts: set[int]
) -> None:
    refused = data.draw(refusals(len(ways)))
    levels = [0, *sorted(start for start in starts if start < len(ways))]
    graph = graph_of(ways)
    bad = bad_states(graph, refused, PROPERTIES)
    label = graph.ends(bad)

    for bit in range(PROPERTIES):
        at = np.flatnonzero((refused >> bit & 1).astype(np.bool_) & (label > 0))
        ends = ends_of(ways, refused, bit)
        assert bool(at.size) == bool(ends) == bool((bad >> bit & 1).any())
        if ends:
            check(nearest(graph, label, at, levels), ways, ends, refused >> bit & 1, levels)


def check(
    told: Unsettled, ways: Ways, ends: list[set[int]], refused: Ints, levels: list[int]
) -> None:
    """It is as it should be; the code of a transition is its rank among all."""
    level = np.searchsorted(levels, np.arange(len(ways)), side="right").tolist()
    found = sorted((level[s], s) for end in ends for s in end if refused[s])
    near = [state for depth, state in found if depth == found[0][0]][:16]
    loops = {state: shortest_loop(ways, state) for state in near}
    sources = [state for state, each in enumerate(ways) for _ in each]
    targets = [target for each in ways for target in each]
    way = list(told.loop)

    assert told.state == min(near, key=lambda state: loops[state])
    assert len(way) == loops[told.state]
    assert {told.size} == {len(end) for end in ends if told.state in end}
    if way:
        assert sources[way[0]] == targets[way[-1]] == told.state
        assert all(targets[one] == sources[other] for one, other in pairwise(way))


def shortest_loop(ways: Ways, state: int) -> int:
    """How many transitions lead from the state back to it at least; 0 if none do."""
    lengths = nx.single_source_shortest_path_length(plain(ways), state)
    back = [lengths[other] + 1 for other in lengths if state in ways[other]]
    return min(back, default=0)

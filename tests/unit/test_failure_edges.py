"""Edges of failure detection that decide only rarely: each test kills a mutant of the code.

Clauses: FD-2, FD-3, FD-4, FD-6, FD-10.
"""

import pytest

from reference.core.effects import Effect, Happening, Notice
from reference.core.failure import hear_pong, mark_failing_if_needed, remove_report, take_report
from reference.core.types import Health, NodeId
from tests.builders import A1, A, B, C, D, E, change, failed, told, view


@pytest.mark.parametrize(("me", "subject", "reporter"), [(A, B, C), (B, A, C), (C, B, A)])
def test_a_report_counts_whatever_the_nodes_are_called(
    me: NodeId, subject: NodeId, reporter: NodeId
) -> None:
    state = view(me)

    state = take_report(state, state.nodes[reporter], subject, Health.PFAIL, [])

    assert state.nodes[subject].fail_reports == {reporter}


def test_a_report_about_itself_does_not_count() -> None:
    state = view(A)

    assert take_report(state, state.nodes[B], A, Health.PFAIL, []) is state


def test_to_take_back_what_was_not_said_changes_nothing() -> None:
    state = change(view(A), B, fail_reports=frozenset({C}))

    assert remove_report(state, B, D) is state


@pytest.mark.parametrize(
    ("reporters", "fails"),
    [({B}, False), ({B, C}, True), ({B, C, D}, True)],
)
def test_a_majority_may_have_more_nodes_than_it_needs(
    reporters: set[NodeId], *, fails: bool
) -> None:
    state = change(view(A, masters=5), E, health=Health.PFAIL, fail_reports=frozenset(reporters))
    out: list[Effect] = []

    state = mark_failing_if_needed(state, E, out)

    assert (state.nodes[E].health is Health.FAIL) is fails
    assert (Happening.MARKED_FAIL in told(out)) is fails


def test_an_answer_of_a_node_that_is_well_changes_nothing() -> None:
    state, out = view(A), list[Effect]()

    assert hear_pong(state, A1, out) is state
    assert not out


def test_a_node_that_is_well_again_is_named() -> None:
    out: list[Effect] = []

    hear_pong(failed(view(A), A1), A1, out)

    assert Notice(what=Happening.CLEARED_FAIL, subject=A1) in out

"""What a node says of itself in flags, and which of its messages are believed for it.

Clauses: HB-12, HB-15.
"""

import attrs
import pytest

from reference.core.announce import header, pong
from reference.core.messages import Fail, FailoverAuthAck, Pong
from reference.core.rules import RELEASES, VALKEY_9_1, Rules
from reference.core.types import Link
from tests.builders import A1, STRANGER, A, B, change, hear, says, view

MARKED = (
    Pong(header=says(A1, replicaof=A, my_master_failed=True)),
    Fail(header=says(A1, replicaof=A, my_master_failed=True), subject=STRANGER),
    FailoverAuthAck(header=says(A1, replicaof=A, my_master_failed=True)),
)


@pytest.mark.parametrize("message", MARKED)
@pytest.mark.parametrize("rules", RELEASES.values())
def test_whether_a_replica_sees_its_master_in_fail_is_known_from_any_message(
    rules: Rules, message: Pong | Fail | FailoverAuthAck
) -> None:
    state, _ = hear(view(B, rules=rules), message, link=Link.INBOUND)

    assert state.nodes[A1].my_master_failed == (rules is VALKEY_9_1)

    state, _ = hear(state, pong(view(A1, rules=rules)), link=Link.INBOUND)

    assert not state.nodes[A1].my_master_failed


def test_a_mark_that_is_known_changes_nothing() -> None:
    state = change(view(B, rules=VALKEY_9_1), A1, my_master_failed=True)
    said = attrs.evolve(header(view(A1, rules=VALKEY_9_1)), my_master_failed=True)

    assert hear(state, Pong(header=said), link=Link.INBOUND) == (state, ())


def test_where_it_is_not_announced_the_mark_is_not_looked_at() -> None:
    """Nor is it taken back there: it is whatever it was."""
    state = change(view(B), A1, my_master_failed=True)

    state, _ = hear(state, pong(view(A1)), link=Link.INBOUND)

    assert state.nodes[A1].my_master_failed


def test_the_nofailover_flag_is_taken_from_heartbeats_only() -> None:
    state = view(B)
    said = attrs.evolve(header(view(A1)), nofailover=True)

    state, _ = hear(state, Fail(header=said, subject=STRANGER))

    assert not state.nodes[A1].nofailover

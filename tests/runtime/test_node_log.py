"""The words in which the log tells of turning points.

Clauses: RT-10.
"""

import logging
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from reference.core.effects import Happening, Notice, Refusal
from reference.core.rules import VALKEY_8_1, VALKEY_9_1, Rules
from reference.core.types import Address, Health, Link, NodeId
from reference.pacing.availability import Availability, judge
from reference.runtime.node_facts import human_name
from reference.runtime.node_log import NodeLog
from reference.wire.announced import Announced
from tests.builders import A1, A, B, C, change, view
from tests.runtime.node_double import MASTERS, NodeDouble, three_masters


def _log() -> NodeLog:
    adapter = logging.LoggerAdapter(logging.getLogger(__name__), {})
    return NodeLog(adapter, lambda node_id: f"human {node_id[0]}")


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        (
            Notice(what=Happening.MARKED_FAIL, subject=B),
            f"Marking node {B} (human {B[0]}) as failing (quorum reached).: marked {B} as FAIL",
        ),
        (
            Notice(what=Refusal.ALREADY_VOTED, subject=A1),
            f"Failover auth denied to {A1} (human {A1[0]}): refused",
        ),
        (Notice(what=Happening.STARTED_ELECTION, epoch=7), "failover election for epoch 7."),
        (Notice(what=Happening.FORGOT, subject=B), f"forgot {B}"),
        (Notice(what=Happening.FOLLOWED, subject=B), f"became a replica of {B}"),
    ],
)
def test_turning_points_are_told(
    notice: Notice, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    _log().tell(notice, view(A1))

    [told] = caplog.messages
    assert words in told
    assert notice.text in told


def test_why_the_cluster_is_down_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    up, log = three_masters(), _log()
    uncovered = change(up, MASTERS[1], health=Health.FAIL)
    minority = change(uncovered, MASTERS[2], health=Health.FAIL)

    availability = Availability(began=0)
    for now, state in enumerate((up, uncovered, uncovered, minority, minority, up), 10_000):
        before = availability.serving
        later = now * 10_000
        availability = judge(availability, state, now=later, node_timeout=1000)
        log.judged(availability, changed=availability.serving != before)

    told = [message.removeprefix("Cluster ").split(". ")[0] for message in caplog.messages]
    assert told == [
        "state changed: ok",
        "state changed: fail",
        "is currently down: At least one hash slot is not served by any available node",
        "is currently down: I am part of a minority partition.",
        "state changed: ok",
    ]


def test_a_replica_of_a_replica_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    old = view(A1)
    state = old.put(attrs.evolve(old.nodes[A], role=old.nodes[A1].role, replicaof=B))

    _log().tell(Notice(what=Happening.FOLLOWED, subject=B), state)

    words = f"I'm a sub-replica! Reconfiguring myself as a replica of {B} from {A}"
    assert caplog.messages == [f"{words}: became a replica of {B}"]


def test_a_report_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = change(view(A), C, fail_reports=frozenset({A1}))
    after = change(before, C, fail_reports=frozenset({A1, B}))

    _log().tell_of_reports(before, after)
    _log().tell_of_reports(after, after)

    assert caplog.messages == [
        f"Node {B} (human {B[0]}) reported node {C} (human {C[0]}) as not reachable."
    ]


@pytest.mark.parametrize(
    ("rules", "ip", "said", "name"),
    [
        (VALKEY_9_1, "10.0.0.1", "", "10.0.0.1:7001"),
        (VALKEY_9_1, "::1", "", "[::1]:7001"),
        (VALKEY_9_1, "10.0.0.1", "kit", "kit"),
        (VALKEY_8_1, "10.0.0.1", "", ""),
    ],
)
def test_what_nodes_are_called(rules: Rules, ip: str, said: str, name: str) -> None:
    state = attrs.evolve(view(A), rules=rules)
    double: Any = NodeDouble(change(state, B, address=Address(ip=ip, port=7001, cport=17001)))
    double.said[B] = Announced(human_nodename=said)

    assert human_name(double, B) == name


def test_a_node_that_is_not_known_has_no_name() -> None:
    double: Any = NodeDouble(attrs.evolve(view(A), rules=VALKEY_9_1))

    assert not human_name(double, NodeId("f" * 40))


def test_messages_are_told_of_where_everything_is(caplog: pytest.LogCaptureFixture) -> None:
    link: Any = SimpleNamespace(node_id=B, direction=Link.OUTBOUND)
    log = _log()

    caplog.set_level(logging.INFO)
    log.sending("ping", link)
    caplog.set_level(logging.DEBUG)
    log.sending("ping", link)
    link.node_id = None
    log.sending("ping", link)

    assert caplog.messages == [f"Sending ping packet to node {B} (human {B[0]}) on outbound link"]

"""A slotproof node in a cluster of real servers.

Clauses: HS-1, HS-3, HB-4, PA-2, PA-3.
"""

import pytest

from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Workshop,
    cluster_is_ok,
    give_slots,
    holds_for,
    introduce,
    knows_all,
    wait_until,
)

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@pytest.mark.timeout(120)
def test_node_meets_a_running_cluster_and_stays_connected(shop: Workshop, kind: str) -> None:
    real = [shop.real(kind) for _ in range(3)]
    give_slots(real)
    introduce(real)
    wait_until(lambda: cluster_is_ok(real), 30, what="the real cluster is ok")
    ours = shop.slotproof(DIALECT_OF[kind])

    ours.cluster("MEET", LOOPBACK, real[0].port)
    everybody = [*real, ours]
    wait_until(lambda: all(knows_all(node, everybody) for node in everybody), 20)

    holds_for(lambda: all(knows_all(node, everybody) for node in everybody), 30)
    assert cluster_is_ok(everybody)

"""A slotproof node in a cluster of real servers.

Clauses: HS-1, HS-3, HB-4, PA-2, PA-3.
"""

from pathlib import Path

import pytest

from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    all_linked,
    cluster_is_ok,
    give_slots,
    greet_until,
    holds_for,
    introduce,
    wait_until,
    workshop,
)

pytestmark = pytest.mark.interop

NODE_TIMEOUT = 8000
"""Milliseconds: a link on which nothing is answered for half of it is made anew, which shows."""


def _joined(shop: Workshop, kind: str) -> list[Server]:
    """A cluster of real servers that have met a node of ours."""
    real = [shop.real(kind) for _ in range(3)]
    give_slots(real)
    introduce(real)
    wait_until(lambda: cluster_is_ok(real), 30, what="the real cluster is ok")
    ours = shop.slotproof(DIALECT_OF[kind])
    greet_until(
        lambda: all_linked([*real, ours]),
        lambda: ours.cluster("MEET", LOOPBACK, real[0].port),
    )
    return [*real, ours]


@pytest.mark.timeout(180)
def test_node_meets_a_running_cluster_and_stays_connected(tmp_path: Path) -> None:
    with workshop(tmp_path, NODE_TIMEOUT) as shop:
        clusters = [_joined(shop, kind) for kind in ("valkey", "redis")]

        holds_for(lambda: all(map(all_linked, clusters)), 30)

        assert all(map(cluster_is_ok, clusters))

"""Six slotproof nodes, each a process: clients, a killed master, and its return.

Clauses: EL-12, SC-7, SC-8, PA-8, PA-11, RT-1.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from tests.support import (
    LOOPBACK,
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    introduce,
    start,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

_LOG = logging.getLogger(__name__)
_KEYS = {f"key:{number}": f"value {number}" for number in range(1000)}


def _client_of(nodes: list[Server]) -> RedisCluster:
    return RedisCluster(host=LOOPBACK, port=nodes[-1].port, decode_responses=True)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """With a node timeout so long that a busy machine hides no node for as long."""
    with workshop(tmp_path, node_timeout=4000) as made:
        yield made


@pytest.fixture(params=["valkey-9.1", "redis-7.0"])
def six(shop: Workshop, request: pytest.FixtureRequest) -> list[Server]:
    """Three masters, then the replica of each."""
    nodes = [shop.unstarted_slotproof(request.param) for _ in range(6)]
    start(nodes)
    masters, replicas = nodes[:3], nodes[3:]
    give_slots(masters)
    introduce(nodes)
    for master, replica in zip(masters, replicas, strict=True):
        assert replica.cluster("REPLICATE", master.node_id) == "OK"
    wait_until(lambda: cluster_is_ok(nodes), 30, what="the cluster is ok")
    wait_until(lambda: all(_masters_of(n) == _masters_of(nodes[0]) for n in nodes), 30)
    wait_until(lambda: len(_masters_of(nodes[0])) == 3, 30)
    wait_until(lambda: all(map(_has_data, replicas)), 30, what="the replicas have the data")
    return nodes


def _has_data(replica: Server) -> bool:
    """Without its master's data it does not stand."""
    return bool(replica.client.info("replication")["master_link_status"] == "up")


def _masters_of(node: Server) -> dict[str, tuple[str, ...]]:
    """The live masters in this node's view, with their slots."""
    return {
        row.node_id: row.slots
        for row in node.view().values()
        if "master" in row.flags and "fail" not in row.flags
    }


def _lost_elections(replica: Server) -> int:
    """How often it stood in vain: it stands again after four node timeouts.

    Who was kept from running just then can read a request for his vote before the news that the
    master has failed, which came on another link, and refuses it.
    """
    return replica.log.count("Starting a failover election") - 1


def test_master_is_replaced_and_returns_as_replica(six: list[Server], shop: Workshop) -> None:
    with _client_of(six) as client:
        for key, value in _KEYS.items():
            client.set(key, value)
        assert {key: client.get(key) for key in _KEYS} == _KEYS
    dead, heir, survivors = six[0], six[3], six[1:]
    dead_id, heir_id = dead.node_id, heir.node_id

    dead.kill()
    killed = time.monotonic()
    wait_until(
        lambda: (
            all(_masters_of(n).get(heir_id) == ("0-5460",) for n in survivors)
            and cluster_is_ok(survivors)
        ),
        60,
        what="all see the replica as the master of the slots",
    )
    took = time.monotonic() - killed

    assert took < (3 + 4 * _lost_elections(six[3])) * shop.node_timeout / 1000
    _LOG.info("all views agreed %.2f s after the kill", took)
    with _client_of(survivors) as client:
        client.set("after", "failover")
        assert client.get("after") == "failover"

    dead.start()
    wait_until(
        lambda: all(n.view()[dead_id].replicaof == heir_id for n in six),
        60,
        what="the old master follows the new one in all views",
    )
    wait_until(lambda: all(not n.view()[dead_id].flags & {"fail", "fail?"} for n in six), 20)
    assert all(len(_masters_of(node)) == 3 for node in six)
    wait_until(lambda: cluster_is_ok(six), 20, what="who has just returned knows it, too")

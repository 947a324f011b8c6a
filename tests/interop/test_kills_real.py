"""Whoever is killed: no acknowledged key is lost, neither in a reshard nor between two programs.

Clauses: CM-62, RT-50, RT-51, RT-52.
"""

import subprocess
import sys

import pytest
import redis

from tests.interop.data import MADE, TAG, data_of
from tests.interop.mixed import OURS, Mixed
from tests.interop.test_cluster_tools_real import at, tool
from tests.support import LOOPBACK, Server, Workshop, all_linked, cluster_is_ok, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SLOT = 5061  # of the tag
KEYS = 2000


def count(node: Server) -> int:
    """How many keys of the slot the node has."""
    return int(node.cluster("COUNTKEYSINSLOT", SLOT))


@pytest.mark.parametrize(
    ("kind", "masters", "victim"),
    [
        ("redis", [OURS, OURS, "redis"], 0),
        ("redis", [OURS, OURS, "redis"], 1),
        ("redis", [OURS, "redis", "redis"], 1),
        ("valkey", [OURS, "valkey", "valkey"], 0),
    ],
)
def test_kill_of_either_side_in_a_reshard_loses_no_key(
    shop: Workshop, kind: str, masters: list[str], victim: int
) -> None:
    options = ["--appendonly", "yes", "--cluster-node-timeout", "30000"]
    cluster = Mixed(shop, kind, masters=masters, options=options)
    cluster.start()
    _write_at_once(cluster)
    source, target = cluster.nodes[:2]
    keys = [f"key:{number}{TAG}" for number in range(KEYS)]
    pipeline = source.client.pipeline(transaction=False)
    for key in keys:
        pipeline.set(key, key)
    assert pipeline.execute() == [True] * KEYS
    target.cluster("SETSLOT", SLOT, "IMPORTING", cluster.ids[source.port])
    source.cluster("SETSLOT", SLOT, "MIGRATING", cluster.ids[target.port])

    mover = _mover(source, target)
    wait_until(lambda: count(target) > 0 and count(source) < KEYS - 100, 20, every=0.005)
    killed = cluster.nodes[victim]
    killed.kill()
    mover.communicate(timeout=30)
    left = count(cluster.nodes[1 - victim])
    assert 0 < left < KEYS

    killed.start()
    wait_until(lambda: cluster_is_ok(cluster.nodes), 30)
    wait_until(lambda: all_linked(cluster.nodes), 30, what="the tool finds all nodes")
    assert KEYS <= count(source) + count(target) <= KEYS + 10  # those under way may be at both
    tool("fix", at(source), "--cluster-replace")
    client = redis.RedisCluster(host=LOOPBACK, port=cluster.nodes[2].port)
    assert client.mget(keys) == [key.encode() for key in keys]
    client.close()
    assert sorted([count(source), count(target)]) == [0, KEYS]


def _write_at_once(cluster: Mixed) -> None:
    """Real servers put off writing while a sync is under way, so a kill would lose something."""
    for node in cluster.nodes:
        if node.kind != OURS:
            node.client.config_set("appendfsync", "always")


MOVER = """
import sys, redis
from redis.backoff import NoBackoff
from redis.retry import Retry
slot, source, target, count = map(int, sys.argv[1:])
client = redis.Redis(port=source, retry=Retry(NoBackoff(), 0))
while client.execute_command("CLUSTER COUNTKEYSINSLOT", slot) > count:
    keys = client.execute_command("CLUSTER GETKEYSINSLOT", slot, 10)
    client.execute_command("MIGRATE", "127.0.0.1", target, "", 0, 5000, "KEYS", *keys)
sys.stdin.read()
"""


def _mover(source: Server, target: Server) -> "subprocess.Popen[bytes]":
    """A process that moves half of the keys, ten at a time, unless something is in its way.

    A kill is meant to come while it is at work, and comes before all are moved in any case.
    """
    words = map(str, (SLOT, source.port, target.port, KEYS // 2))
    command = [sys.executable, "-c", MOVER, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_files_are_read_by_the_other_program(shop: Workshop, kind: str) -> None:
    cluster = Mixed(shop, kind, masters=[OURS, kind, kind], options=["--appendonly", "yes"])
    cluster.start()
    ours = cluster.master
    cluster.write(*MADE, ("BGREWRITEAOF",), ("SET", "later" + TAG, "v"), ("INCR", "n" + TAG))
    before = data_of(ours)
    ours.kill()

    other = shop.unstarted_real(kind, ours.port)
    other.directory = ours.directory
    other.command = [*other.command, "--appendonly", "yes"]
    other.start()
    other.client.config_set("appendfsync", "always")
    wait_until(lambda: cluster_is_ok([other, *cluster.others]), 30)
    assert data_of(other) == before
    cluster.write(("RPUSH", "l" + TAG, "x"), ("BGREWRITEAOF",), ("SPOP", "ints" + TAG), to=other)
    before = data_of(other)
    other.kill()

    ours.start()
    wait_until(lambda: cluster_is_ok(cluster.nodes), 30)
    assert data_of(ours) == before

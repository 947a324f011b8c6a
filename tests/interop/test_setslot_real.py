"""Slots that are on their way when their master dies: the replica knows it, whoever wrote the two.

Clauses: RT-23, RE-24, SM-7, SM-8.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.interop.data import TAG, Raw
from tests.interop.mixed import OURS, Mixed
from tests.support import Server, Workshop, cluster_is_ok, wait_until, workshop

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SLOT = 5061  # of the tag


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """With a node timeout so long that a busy machine hides no node for as long."""
    with workshop(tmp_path, node_timeout=3000) as made:
        yield made


def open_slots(node: Server) -> list[str]:
    """The marks of open slots that the node has, without the name of the other end."""
    [mine] = [line for line in str(node.cluster("NODES")).splitlines() if "myself" in line]
    return sorted(re.findall(r"\[([0-9]+-[<>]-)", mine))


def is_master(node: Server) -> bool:
    return any({"myself", "master"} <= row.flags for row in node.view().values())


def follows(master: Server) -> bool:
    """Whether the master takes its replica for one that has the stream."""
    return bool(master.client.info("replication")["slave0"]["state"] == "online")


def setslot(node: Server, *words: object) -> str:
    """The reply, once there is one."""
    return str(node.cluster("SETSLOT", *words))


@pytest.mark.parametrize(("master", "replica"), [(OURS, "valkey"), ("valkey", OURS)])
def test_open_slots_survive_their_master(shop: Workshop, master: str, replica: str) -> None:
    cluster = Mixed(shop, "valkey", masters=[master, "valkey", OURS], replicas=[replica])
    first, [second], [target, _] = cluster.master, cluster.replicas, cluster.others
    cluster.start(replicas=False)
    target_id = cluster.ids[target.port]
    assert setslot(first, 7, "MIGRATING", target_id) == "OK"  # nobody is connected
    cluster.start_replicas()
    wait_until(lambda: open_slots(second) == ["7->-"], 30, what="it came with the data")
    wait_until(lambda: follows(first), 30, what="it is waited for from now on")

    assert setslot(first, SLOT, "MIGRATING", target_id, "TIMEOUT", 0) == "OK"
    assert open_slots(first) == open_slots(second) == ["5061->-", "7->-"]
    os.kill(second.running.pid, signal.SIGSTOP)
    try:
        with pytest.raises(redis.ResponseError, match="Not enough good replicas to write"):
            setslot(first, 7, "STABLE", "TIMEOUT", 20)
    finally:
        os.kill(second.running.pid, signal.SIGCONT)
    assert open_slots(first) == ["5061->-", "7->-"]
    assert setslot(first, 7, "STABLE", "TIMEOUT", 0) == "OK"
    assert open_slots(second) == ["5061->-"]

    first.kill()
    left = [second, *cluster.others]
    wait_until(lambda: is_master(second), 60, what="it is elected")
    wait_until(lambda: cluster_is_ok(left), 30, what="the cluster is ok")
    assert open_slots(second) == ["5061->-"]
    raw = Raw(second)
    with pytest.raises(redis.exceptions.AskError) as asked:
        raw("GET", "none" + TAG)
    raw.close()
    assert asked.value.node_addr == ("127.0.0.1", target.port)

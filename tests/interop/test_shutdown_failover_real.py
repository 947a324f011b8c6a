"""A master that is told to end names its replica, whoever wrote the two.

Clauses: CM-90, MF-11, RE-25, RT-33.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.data import MADE, TAG, Raw, data_of
from tests.interop.mixed import OURS, Mixed
from tests.support import Server, Workshop, cluster_is_ok, wait_until, workshop

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """With a node timeout so long that nobody is taken for failed as long as the test runs."""
    with workshop(tmp_path, node_timeout=110_000) as made:
        yield made


def is_master(node: Server) -> bool:
    return any({"myself", "master"} <= row.flags for row in node.view().values())


@pytest.mark.parametrize(("master", "replica"), [(OURS, "valkey"), ("valkey", OURS)])
def test_named_replica_takes_over_at_once(shop: Workshop, master: str, replica: str) -> None:
    cluster = Mixed(
        shop, "valkey", masters=[master, "valkey", OURS], replicas=[replica],
        options=["--shutdown-on-sigterm", "failover", "--cluster-slave-validity-factor", "0"],
    )  # fmt: skip
    first, [second] = cluster.master, cluster.replicas
    cluster.start()
    cluster.confirmed(*(words for words in MADE if words[0] != "PFADD"))
    before = data_of(first)

    first.ask_to_end()
    assert first.running.wait(60) == 0

    assert f"Perform auto failover to replica {cluster.ids[second.port]} on shutdown" in first.log
    wait_until(lambda: is_master(second), 60, what="it has taken over")
    assert "Forced failover primary request accepted" in second.log
    wait_until(lambda: cluster_is_ok([second, *cluster.others]), 30, what="all know")
    assert data_of(second) == before
    raw = Raw(second)
    assert raw("SET", "after" + TAG, "v") == b"OK"
    raw.close()

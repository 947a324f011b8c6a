"""A slotproof replica of a real master: its data, broken links, failovers.

Clauses: RE-1, RE-2, RE-3, RE-4, RE-5, RE-6, RE-8, RE-10, RE-11, RE-12, RE-13.
"""

import logging
import re
import time
from typing import Final

import pytest

from tests.interop.data import LATER, MADE, TAG, Raw, Words, data_of, have_same_data
from tests.interop.mixed import OURS, Mixed
from tests.support import Server, Workshop, all_linked, cluster_is_ok, introduce, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

_LOG = logging.getLogger(__name__)
LIVE: Final[tuple[Words, ...]] = (
    ("INCRBYFLOAT", "number" + TAG, 0.5),
    ("SET", "px" + TAG, "v", "PX", 10_000_000),
    ("LPOP", "l" + TAG, 3),
    ("LMOVE", "l" + TAG, "l2" + TAG, "LEFT", "RIGHT"),
    ("SPOP", "ints" + TAG, 5),
    ("HINCRBYFLOAT", "h" + TAG, "n", 1.25),
    ("ZPOPMIN", "z" + TAG),
    ("XADD", "x" + TAG, "MAXLEN", "~", 1000, "*", "h", "v"),
    ("GETDEL", "s" + TAG),
    ("GETEX", "later" + TAG, "PERSIST"),
    ("EXPIRE", "set" + TAG, 5000),
    ("GEOADD", "geo" + TAG, 13.36, 38.11, "place"),
    ("COPY", "h" + TAG, "h2" + TAG),
    ("SORT", "l" + TAG, "LIMIT", 0, 5, "DESC", "STORE", "sorted" + TAG),
    ("SETRANGE", "new" + TAG, 3, "abc"),
    ("BITFIELD", "bits" + TAG, "SET", "u8", 0, 200),
)


def offset_of(server: Server, node_id: str) -> int:
    """The node's offset as the server's CLUSTER SHARDS shows it."""
    raw = Raw(server)
    try:
        for shard in raw("CLUSTER", "SHARDS"):
            fields = dict(zip(shard[::2], shard[1::2], strict=True))
            for words in fields[b"nodes"]:
                member = dict(zip(words[::2], words[1::2], strict=True))
                if member[b"id"].decode() == node_id:
                    return int(member[b"replication-offset"])
    finally:
        raw.close()
    return -1


class Cluster(Mixed):
    """Three real masters, and a slotproof replica of the first."""

    def __init__(self, shop: Workshop, kind: str, *, made: tuple[Words, ...] = ()) -> None:
        """They run, and the replica has its master's data."""
        super().__init__(shop, kind, masters=[kind] * 3, replicas=[OURS])
        self.masters, [self.replica] = [self.master, *self.others], self.replicas
        self.start(replicas=False)
        self.write(*made)
        self.start_replicas()
        wait_until(lambda: cluster_is_ok(self.nodes), 30, what="the cluster is ok")
        self.master_id, self.replica_id = (
            self.ids[node.port] for node in (self.master, self.replica)
        )

    def all_know(self, node_id: str) -> bool:
        """Whether no vote is refused since somebody does not take that node for a replica yet."""
        views = [node.view()[node_id] for node in self.nodes]
        return all(row.replicaof == self.master_id for row in views)

    def equal(self) -> bool:
        """Whether master and replica have the same data, and the master counts the replica."""
        counted = self.masters[0].client.info("replication")["connected_slaves"] == 1
        return counted and have_same_data(self.masters[0], self.replica)

    def owner(self, node: Server, node_id: str) -> bool:
        """Whether the node takes that one for the master of the slots."""
        row = node.view()[node_id]
        return "master" in row.flags and row.slots == ("0-5460",)


@pytest.fixture(params=["redis", "valkey"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_replica_has_all_types_and_follows_what_is_written(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    assert len(data_of(cluster.replica)) == len({words[1] for words in MADE})

    cluster.confirmed(*LIVE, ("MULTI",), ("SET", "m" + TAG, 1), ("INCR", "m" + TAG), ("EXEC",))

    assert cluster.equal()
    assert Raw(cluster.replica)("READONLY") == b"OK"
    offset = cluster.masters[0].client.info("replication")["master_repl_offset"]
    wait_until(lambda: offset_of(cluster.masters[1], cluster.replica_id) >= offset, 20)
    assert offset_of(cluster.replica, cluster.replica_id) >= offset


def test_file_from_disk_is_taken_too(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    cluster.write(("CONFIG", "SET", "repl-diskless-sync", "no"))
    cluster.replica.kill()
    cluster.write(*LIVE)

    cluster.replica.start()

    wait_until(cluster.equal, 30, what="the restarted replica has its master's data")


@pytest.mark.parametrize("kind", ["valkey"])
def test_fields_keep_their_expiry(shop: Workshop, kind: str) -> None:
    key = "h" + TAG
    made = ("HSET", key, "a", 1, "b", 2), ("HPEXPIREAT", key, LATER, "FIELDS", 1, "a")
    cluster = Cluster(shop, kind, made=made)

    cluster.confirmed(("HPEXPIRE", key, 1, "FIELDS", 1, "a"))

    wait_until(lambda: data_of(cluster.replica)[key.encode()] == (b"hash", [(b"b", b"2")], -1), 10)


def test_broken_link_goes_on_where_it_ended(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    stats = cluster.masters[0].client.info("stats")

    for number in range(3):
        cluster.write(("CLIENT", "KILL", "TYPE", "replica"), ("SET", f"cut:{number}" + TAG, "v"))
        wait_until(cluster.equal, 20, what="the replica has caught up")

    after = cluster.masters[0].client.info("stats")
    assert after["sync_partial_ok"] - stats["sync_partial_ok"] == 3
    assert after["sync_full"] == stats["sync_full"]


def test_replica_of_a_killed_master_serves_what_was_confirmed(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    keys = {b"key:%d{bar}" % number: b"%d" % number for number in range(500)}
    cluster.confirmed(*(("SET", key, value) for key, value in keys.items()))
    before = data_of(cluster.masters[0])

    cluster.masters[0].kill()
    killed = time.monotonic()
    left = cluster.nodes[1:]
    wait_until(lambda: all(cluster.owner(node, cluster.replica_id) for node in left), 60)
    wait_until(lambda: cluster_is_ok(left), 30)
    _LOG.info("all views agreed %.2f s after the kill", time.monotonic() - killed)

    assert data_of(cluster.replica) == before
    raw = Raw(cluster.replica)
    assert {key: raw("GET", key) for key in keys} == keys
    assert raw("SET", "after" + TAG, "v") == b"OK"
    raw.close()

    cluster.masters[0].start()
    wait_until(lambda: have_same_data(cluster.masters[0], cluster.replica), 30)
    told = cluster.masters[0].client.info("replication")
    assert (told["role"], told["master_port"]) == ("slave", cluster.replica.port)


def test_manual_failover_waits_for_the_offset_and_loses_nothing(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    cluster.write(*((("INCR", "count" + TAG),) * 200))
    before = data_of(cluster.masters[0])

    cluster.fail_over(cluster.replica)

    assert data_of(cluster.replica) == before
    log = cluster.masters[0].log
    assert re.search("Manual failover requested by", log), "the old master was not asked"
    raw = Raw(cluster.replica)
    raw("SET", "after" + TAG, "v")
    assert raw("WAIT", 1, 10_000) == 1
    raw.close()
    assert data_of(cluster.masters[0]) == data_of(cluster.replica)
    assert "partial resync of" in cluster.replica.log


def test_promoted_node_that_is_demoted_takes_its_masters_data(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    other = shop.real(kind)
    introduce([*cluster.nodes, other])
    assert other.cluster("REPLICATE", cluster.master_id) == "OK"
    wait_until(lambda: have_same_data(other, cluster.masters[0]), 20)
    wait_until(lambda: cluster.all_know(other.node_id), 20, what="all know whose replica it is")
    nodes = [*cluster.nodes, other]
    wait_until(lambda: cluster_is_ok(nodes), 20, what="the cluster is ok")
    wait_until(lambda: all_linked(nodes), 20, what="it can ask its master and the voters, once")

    assert other.cluster("FAILOVER") == "OK"
    wait_until(lambda: cluster.owner(cluster.replica, other.node_id), 20)
    raw = Raw(other)
    raw("SET", "from" + TAG, "the new master")
    raw.close()

    wait_until(lambda: have_same_data(cluster.replica, other), 20)
    assert other.client.info("stats")["sync_partial_ok"] >= 1

"""A slotproof replica of a real master: its data, broken links, failovers.

Clauses: RE-1, RE-2, RE-3, RE-4, RE-5, RE-6, RE-8, RE-10, RE-11, RE-12, RE-13.
"""

import logging
import re
import time
from typing import Any, Final

import pytest
import redis

from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    introduce,
    wait_until,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

_LOG = logging.getLogger(__name__)
TAG: Final = "{bar}"
"""Its slot, 5061, is the first master's."""

LATER: Final = 4102444800000
"""The year 2100 in milliseconds."""

Words = tuple[str | bytes | int | float, ...]

MADE: Final[tuple[Words, ...]] = (
    ("SET", "s" + TAG, b"\x00\xff text"),
    ("SET", "number" + TAG, 12345),
    ("SET", "long" + TAG, "x" * 200_000),
    ("SET", "later" + TAG, "v", "PXAT", LATER),
    ("RPUSH", "l" + TAG, *range(600)),
    ("SADD", "ints" + TAG, *range(100)),
    ("SADD", "set" + TAG, "a", "b", b"\xff"),
    ("HSET", "h" + TAG, "field", "value", "n", 5),
    ("ZADD", "z" + TAG, 1.5, "a", "inf", "b", "-inf", "c", 0.1, "d"),
    ("XADD", "x" + TAG, "5-1", "f", "v", "f", "w"),
    ("XADD", "x" + TAG, "6-1", "g", "v"),
    ("XDEL", "x" + TAG, "6-1"),
    ("PFADD", "hll" + TAG, "a", "b"),
)
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
READ: Final = {
    b"string": ("GET",),
    b"list": ("LRANGE", 0, -1),
    b"set": ("SMEMBERS",),
    b"hash": ("HGETALL",),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}


class Raw:
    """A client whose replies are as they come."""

    def __init__(self, server: Server) -> None:
        self._client = redis.Redis(
            host=LOOPBACK, port=server.port, protocol=2, socket_timeout=20,
            single_connection_client=True,
        )  # fmt: skip
        self._client.response_callbacks.clear()

    def __call__(self, *words: str | bytes | float) -> Any:
        """The reply to a command."""
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The connection is closed."""
        self._client.close()


def data_of(server: Server) -> dict[bytes, object]:
    """Every key with its type, value and expiry."""
    raw = Raw(server)
    try:
        raw("READONLY")
        return {key: _value(raw, key) for key in raw("KEYS", "*")}
    finally:
        raw.close()


def _value(raw: Raw, key: bytes) -> object:
    kind = raw("TYPE", key)
    name, *rest = READ[kind]
    value = raw(name, key, *rest)
    if kind == b"set":
        value = sorted(value)
    elif kind == b"hash":
        value = sorted(zip(value[::2], value[1::2], strict=True))
    elif kind == b"zset":
        value = [float(word) if at % 2 else word for at, word in enumerate(value)]
    return kind, value, raw("PEXPIRETIME", key)


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


class Cluster:
    """Three real masters, and a slotproof replica of the first."""

    def __init__(self, shop: Workshop, kind: str, *, made: tuple[Words, ...] = ()) -> None:
        self.masters = [shop.real(kind) for _ in range(3)]
        self.replica = shop.slotproof(DIALECT_OF[kind])
        self.nodes = [*self.masters, self.replica]
        give_slots(self.masters)
        introduce(self.nodes)
        wait_until(lambda: cluster_is_ok(self.nodes), 30, what="the cluster is ok")
        self.write(*made)
        self.master_id, self.replica_id = self.masters[0].node_id, self.replica.node_id
        assert self.replica.cluster("REPLICATE", self.master_id) == "OK"
        wait_until(self.same, 20, what="the replica has its master's data")
        wait_until(lambda: self.all_know(self.replica_id), 20, what="all know whose replica it is")

    def all_know(self, node_id: str) -> bool:
        """Whether no vote is refused since somebody does not take that node for a replica yet."""
        views = [node.view()[node_id] for node in self.nodes]
        return all(row.replicaof == self.master_id for row in views)

    def write(self, *commands: Words) -> None:
        """The first master has carried out the commands."""
        raw = Raw(self.masters[0])
        for words in commands:
            raw(*words)
        raw.close()

    def confirmed(self, *commands: Words) -> None:
        """The first master has carried out the commands, and the replica too."""
        raw = Raw(self.masters[0])
        for words in commands:
            raw(*words)
        assert raw("WAIT", 1, 10_000) == 1
        raw.close()

    def same(self) -> bool:
        """Whether master and replica have the same data, and the master counts the replica."""
        counted = self.masters[0].client.info("replication")["connected_slaves"] == 1
        return counted and data_of(self.masters[0]) == data_of(self.replica)

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

    assert cluster.same()
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

    wait_until(cluster.same, 30, what="the restarted replica has its master's data")


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
        wait_until(cluster.same, 20, what="the replica has caught up")

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
    wait_until(lambda: all(cluster.owner(node, cluster.replica_id) for node in left), 30)
    wait_until(lambda: cluster_is_ok(left), 30)
    _LOG.info("all views agreed %.2f s after the kill", time.monotonic() - killed)

    assert data_of(cluster.replica) == before
    raw = Raw(cluster.replica)
    assert {key: raw("GET", key) for key in keys} == keys
    assert raw("SET", "after" + TAG, "v") == b"OK"
    raw.close()

    cluster.masters[0].start()
    wait_until(lambda: data_of(cluster.masters[0]) == data_of(cluster.replica), 30)
    told = cluster.masters[0].client.info("replication")
    assert (told["role"], told["master_port"]) == ("slave", cluster.replica.port)


def test_manual_failover_waits_for_the_offset_and_loses_nothing(shop: Workshop, kind: str) -> None:
    cluster = Cluster(shop, kind, made=MADE)
    cluster.write(*((("INCR", "count" + TAG),) * 200))
    before = data_of(cluster.masters[0])

    assert cluster.replica.cluster("FAILOVER") == "OK"

    wait_until(lambda: all(cluster.owner(node, cluster.replica_id) for node in cluster.nodes), 20)
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
    wait_until(lambda: data_of(other) == data_of(cluster.masters[0]), 20)
    wait_until(lambda: cluster.all_know(other.node_id), 20, what="all know whose replica it is")

    assert other.cluster("FAILOVER") == "OK"
    wait_until(lambda: cluster.owner(cluster.replica, other.node_id), 20)
    raw = Raw(other)
    raw("SET", "from" + TAG, "the new master")
    raw.close()

    wait_until(lambda: data_of(cluster.replica) == data_of(other), 20)
    assert other.client.info("stats")["sync_partial_ok"] >= 1

"""Real replicas of slotproof masters: data, broken links, failovers to and fro.

Clauses: RE-11, RE-14, RE-15, RE-16, RE-18, RE-20, RE-21, RE-22, CM-60.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.data import MADE, TAG, Raw, Words, data_of
from tests.interop.mixed import OURS, Mixed
from tests.support import Server, Workshop, cluster_is_ok, wait_until, workshop

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

LIVE: tuple[Words, ...] = (
    ("INCRBYFLOAT", "number" + TAG, 0.5),
    ("SET", "px" + TAG, "v", "PX", 10_000_000),
    ("GETEX", "later" + TAG, "EX", 1000),
    ("LMPOP", 1, "l" + TAG, "RIGHT", "COUNT", 3),
    ("LMOVE", "l" + TAG, "l2" + TAG, "LEFT", "RIGHT"),
    ("SPOP", "ints" + TAG, 5),
    ("HINCRBYFLOAT", "h" + TAG, "n", 1.25),
    ("ZPOPMIN", "z" + TAG),
    ("ZINCRBY", "z" + TAG, 0.1, "d"),
    ("XADD", "x" + TAG, "MAXLEN", "~", 1000, "*", "h", "v"),
    ("GETDEL", "s" + TAG),
    ("EXPIRE", "set" + TAG, 5000),
    ("SETEX", "ex" + TAG, 5000, "v"),
    ("SETRANGE", "new" + TAG, 3, "abc"),
    ("RENAME", "new" + TAG, "newer" + TAG),
    ("BITFIELD", "bits" + TAG, "SET", "u8", 0, 200),
    ("MULTI",),
    ("SET", "m" + TAG, 1),
    ("INCR", "m" + TAG),
    ("EXEC",),
)


@pytest.fixture(params=["redis", "valkey"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """With a node timeout so long that a busy machine hides no node for as long."""
    with workshop(tmp_path, node_timeout=3000) as made:
        yield made


def test_real_replica_has_all_types_and_follows(shop: Workshop, kind: str) -> None:
    cluster = Mixed(shop, kind, masters=[OURS] * 3, replicas=[kind])
    master, [replica] = cluster.master, cluster.replicas
    cluster.start(replicas=False)
    cluster.write(*MADE)
    cluster.start_replicas()
    assert len(data_of(replica)) == len({words[1] for words in MADE})

    cluster.confirmed(*LIVE)
    assert data_of(replica) == data_of(master)

    told = master.client.info("replication")
    assert told["slave0"]["port"] == replica.port
    wait_until(lambda: _same_offset(master, replica), 20, what="no PING is on its way to it")
    raw = Raw(master)
    raw("SET", "soon" + TAG, 5, "PX", 1)
    wait_until(lambda: raw("EXISTS", "soon" + TAG) == 0, 5)
    assert raw("INCR", "soon" + TAG) == 1
    assert raw("WAIT", 1, 5000) == 1
    assert raw("ROLE")[2][0][1] == str(replica.port).encode()
    raw.close()
    assert data_of(replica) == data_of(master)

    before = master.log.count("partial resync")
    raw = Raw(replica)
    raw("CLIENT", "KILL", "TYPE", "master")
    raw.close()
    cluster.write(("SET", "cut" + TAG, "v"))
    wait_until(lambda: cluster.same(replica), 20)
    assert master.log.count("partial resync") == before + 1

    cluster.write(("CONFIG", "SET", "repl-diskless-sync", "no"))
    replica.kill()
    cluster.write(("SET", "unseen" + TAG, "v"))
    replica.start()
    wait_until(lambda: cluster.same(replica), 30, what="the restarted replica has the data")


def _same_offset(master: Server, replica: Server) -> bool:
    of_master = master.client.info("replication")["master_repl_offset"]
    return bool(of_master == replica.client.info("replication")["slave_repl_offset"])


def test_killed_slotproof_master_is_succeeded_and_comes_back(shop: Workshop, kind: str) -> None:
    cluster = Mixed(shop, kind, masters=[OURS, kind, kind], replicas=[kind])
    master, [replica] = cluster.master, cluster.replicas
    cluster.start()
    keys = {b"key:%d{bar}" % number: b"%d" % number for number in range(300)}
    cluster.confirmed(*(("SET", key, value) for key, value in keys.items()))

    master.kill()
    left = cluster.nodes[1:]
    wait_until(lambda: cluster.owns(replica, left) and cluster_is_ok(left), 60)

    raw = Raw(replica)
    assert {key: raw("GET", key) for key in keys} == keys
    raw("SET", "after" + TAG, "v")
    raw.close()
    master.start()
    wait_until(lambda: cluster.same(master, replica), 30, what="the old master follows")


def test_manual_failover_to_and_fro_needs_no_full_resync(shop: Workshop, kind: str) -> None:
    cluster = Mixed(shop, kind, masters=[OURS] * 3, replicas=[kind, OURS])
    master, [theirs, ours] = cluster.master, cluster.replicas
    cluster.start()
    cluster.write(*MADE)
    syncs = [log.count("full resync") for log in (master.log, ours.log)]
    cluster.confirmed(*LIVE, by=2)
    before = data_of(master)

    cluster.fail_over(theirs)
    wait_until(lambda: cluster.same(master, theirs) and cluster.same(ours, theirs), 20)
    assert data_of(theirs) == before
    stats = theirs.client.info("stats")
    assert (stats["sync_full"], stats["sync_partial_ok"]) == (0, 2)
    cluster.confirmed(("SET", "theirs" + TAG, "v"), to=theirs, by=2)

    cluster.fail_over(ours)
    wait_until(lambda: cluster.same(master, ours) and cluster.same(theirs, ours), 20)
    cluster.confirmed(("SET", "ours" + TAG, "v"), to=ours, by=2)
    assert data_of(theirs) == data_of(master) == data_of(ours)
    assert ours.log.count("partial resync") == 2
    assert [log.count("full resync") for log in (master.log, ours.log)] == syncs

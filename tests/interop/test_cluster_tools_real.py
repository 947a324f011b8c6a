"""redis-cli --cluster against slotproof and real nodes: slots and keys move, nodes come and go.

Clauses: CM-61, CM-62, CM-46, RD-9, RD-10, RD-11, RE-14.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from reference.core.slots import key_hash_slot
from reference.wire.rdb import RdbKey, parse_rdb
from tests.interop.data import MADE, TAG, data_of
from tests.interop.mixed import OURS, Mixed
from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    all_linked,
    cluster_is_ok,
    redis_binary,
    slots_agree,
    start,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(150)]

SLOTS = 12


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Nobody is to fail here."""
    with workshop(tmp_path, node_timeout=5000) as made:
        yield made


def keys_in_first_slots(count: int) -> list[str]:
    """So many keys in the slots that are moved."""
    found = (f"key:{number}" for number in range(10_000_000))
    return [
        key for key, _ in zip((k for k in found if slot_of(k) < SLOTS), range(count), strict=False)
    ]


def slot_of(key: str) -> int:
    """The slot of the key."""
    return key_hash_slot(key.encode())


def tool(*words: object) -> str:
    """What `redis-cli --cluster` says; it succeeds."""
    cli = shutil.which("redis-cli")
    if cli is None:
        redis_binary()
        pytest.skip("no redis-cli on PATH")
    command = [cli, "--cluster", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]
    return done.stdout


def reshard(at: str, source: str, target: str, slots: int = SLOTS) -> None:
    """The first slots of one node are another's."""
    words = "--cluster-from", source, "--cluster-to", target, "--cluster-slots", slots
    tool("reshard", at, *words, "--cluster-yes", "--cluster-pipeline", 3)


def at(node: Server) -> str:
    """Where the tool finds the node."""
    return f"{LOOPBACK}:{node.port}"


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_slots_move_between_slotproof_and_real_nodes(shop: Workshop, kind: str) -> None:
    cluster = Mixed(shop, kind, masters=[OURS, kind, OURS])
    cluster.start()
    first, real, last = cluster.nodes
    ids = [cluster.ids[node.port] for node in cluster.nodes]
    keys = keys_in_first_slots(60)
    client = redis.RedisCluster(host=LOOPBACK, port=first.port)
    for key in keys:
        client.set(key, key, ex=5000)
    cluster.write(*(words for words in MADE if "PXAT" not in words))  # MIGRATE says how long still
    slot = slot_of(TAG)
    made = {key: value for key, value in data_of(first).items() if TAG.encode() in key}

    for source, target in ((0, 1), (1, 2), (2, 0)):
        _joined(cluster.nodes)
        reshard(at(first), ids[source], ids[target])
        assert {client.get(key) for key in keys} == {key.encode() for key in keys}
        owner = cluster.nodes[target]
        assert owner.cluster("COUNTKEYSINSLOT", slot_of(keys[0])) >= 1

    assert all(0 < client.ttl(key) <= 5000 for key in keys)
    client.close()
    for giver, taker in ((first, real), (real, last)):  # every type, there and there
        _move_slot(giver, taker, slot)
        moved = {key: value for key, value in data_of(taker).items() if TAG.encode() in key}
        assert moved == made
    _check(cluster.nodes)


def _check(nodes: list[Server]) -> None:
    """The tool finds nothing to mend, once all have heard of the last change."""
    wait_until(lambda: all_linked(nodes) and slots_agree(nodes), 30, what="all agree")
    assert "[OK] All 16384 slots covered" in tool("check", at(nodes[0]))


def _move_slot(source: Server, target: Server, slot: int) -> None:
    """As the tool does it, all keys at once."""
    ids = source.node_id, target.node_id
    assert target.cluster("SETSLOT", slot, "IMPORTING", ids[0]) == "OK"
    assert source.cluster("SETSLOT", slot, "MIGRATING", ids[1]) == "OK"
    keys = source.cluster("GETKEYSINSLOT", slot, 1000)
    words = ["MIGRATE", LOOPBACK, target.port, "", 0, 5000, "KEYS", *keys]
    with redis.Redis(host=LOOPBACK, port=source.port) as client:
        assert client.execute_command(*words)
    for node in (target, source):
        assert node.cluster("SETSLOT", slot, "NODE", ids[1]) == "OK"


def test_nodes_come_and_go_and_everything_else_the_tool_can(shop: Workshop, tmp_path: Path) -> None:
    cluster = Mixed(shop, "redis", masters=[OURS, "redis", OURS])
    cluster.start()
    first = cluster.master
    client = redis.RedisCluster(host=LOOPBACK, port=first.port)
    keys = keys_in_first_slots(20)
    for key in keys:
        client.set(key, key)
    stay = "--cluster-allow-replica-migration", "no"  # an empty master would become a replica
    new, replica = (shop.unstarted_slotproof(DIALECT_OF["redis"], *stay) for _ in range(2))
    start([new, replica])

    tool("add-node", at(new), at(first))
    _joined([*cluster.nodes, new])
    new_id = new.node_id
    reshard(at(first), cluster.ids[first.port], new_id)
    _joined([*cluster.nodes, new])
    assert len(replica.view()) == 1
    tool("add-node", at(replica), at(first), "--cluster-slave", "--cluster-master-id", new_id)
    wait_until(lambda: cluster.same(replica, new), 20, what="the new replica has the data")
    assert len(data_of(replica)) == len(keys)
    _joined([*cluster.nodes, new, replica])

    assert f"[OK] {len(keys)} keys in 4 masters" in tool("info", at(first))
    assert tool("call", at(first), "dbsize").count(f": {len(keys)}") == 2
    tool("backup", at(first), tmp_path)
    [file] = tmp_path.glob(f"*{new.port}*.rdb")
    saved = {each.key for each in parse_rdb(file.read_bytes()) if isinstance(each, RdbKey)}
    assert saved == {key.encode() for key in keys}
    assert "3 OK, 2 ERR" in tool("set-timeout", at(first), 3000)  # two have no file to write to
    assert first.client.config_get("cluster-node-timeout") == {"cluster-node-timeout": "3000"}

    tool("rebalance", at(first), "--cluster-weight", f"{new_id}=0", "--cluster-threshold", 1)
    _joined([*cluster.nodes, new, replica])
    tool("del-node", at(first), replica.node_id)
    _joined([*cluster.nodes, new])
    tool("del-node", at(first), new_id)
    _check(cluster.nodes)
    assert {client.get(key) for key in keys} == {key.encode() for key in keys}
    client.close()


def _joined(nodes: list[Server]) -> None:
    """All know all, so that a tool that asks one of them finds each."""
    wait_until(lambda: all_linked(nodes), 30, what="all know all")
    wait_until(lambda: cluster_is_ok(nodes) and slots_agree(nodes), 20, what="the cluster is ok")


def test_open_slots_are_mended_and_foreign_keys_imported(shop: Workshop) -> None:
    cluster = Mixed(shop, "redis", masters=[OURS] * 3)
    cluster.start()
    first, second, _ = cluster.nodes
    client = redis.RedisCluster(host=LOOPBACK, port=first.port)
    keys = keys_in_first_slots(10)
    for key in keys:
        client.set(key, key)
    slot, ids = slot_of(keys[0]), [cluster.ids[node.port] for node in cluster.nodes]
    second.cluster("SETSLOT", slot, "IMPORTING", ids[0])
    first.cluster("SETSLOT", slot, "MIGRATING", ids[1])
    with redis.Redis(host=LOOPBACK, port=first.port) as raw:
        words = ["MIGRATE", LOOPBACK, second.port, keys[0], 0, 5000, "COPY"]
        assert raw.execute_command(*words)

    tool("fix", at(first), "--cluster-replace")  # else it asks by DEBUG whether both are equal

    assert {client.get(key) for key in keys} == {key.encode() for key in keys}
    _check(cluster.nodes)
    alone = shop.unstarted_real("redis")
    alone.command = [*alone.command, "--cluster-enabled", "no"]
    alone.start()
    for number in range(20):
        alone.client.set(f"foreign:{number}", number)
    tool("import", at(first), "--cluster-from", at(alone))
    assert alone.client.dbsize() == 0
    assert [client.get(f"foreign:{number}") for number in range(20)] == [
        b"%d" % number for number in range(20)
    ]
    client.close()

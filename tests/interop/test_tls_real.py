"""A cluster of Redis 7.0 and slotproof whose bus, data and clients all have TLS.

Clauses: RT-60, RT-62, RT-63.
"""

import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from tests.certificates import Authority
from tests.support import (
    LOOPBACK,
    Server,
    Workshop,
    cluster_is_ok,
    free_ports,
    give_slots,
    greet_until,
    knows_all,
    start,
    wait_until,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]


def _secure(server: Server, authority: Authority, tls_port: int) -> Server:
    """The server, with TLS wherever it can be, at this port."""
    directives = {
        **authority.directives(),
        "tls-port": str(tls_port),
        "tls-cluster": "yes",
        "tls-replication": "yes",
    }
    words = [word for name, text in directives.items() for word in (f"--{name}", text)]
    server.command = [*server.command, *words]
    return server


def test_members_of_both_kinds_take_over_from_each_other(shop: Workshop, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates")
    kinds = ("real", "ours", "real", "ours", "real")
    tls_ports = free_ports(len(kinds))
    nodes = [
        _secure(
            shop.unstarted_real("redis")
            if kind == "real"
            else shop.unstarted_slotproof("redis-7.0"),
            authority,
            port,
        )
        for kind, port in zip(kinds, tls_ports, strict=True)
    ]
    masters, replicas = nodes[:3], nodes[3:]
    start(nodes)
    give_slots(masters)

    def greet() -> None:
        for node, port in zip(nodes, tls_ports, strict=True):
            if not knows_all(node, nodes):
                masters[0].cluster("MEET", LOOPBACK, port)

    greet_until(lambda: all(knows_all(node, nodes) for node in nodes), greet)
    ids = [node.node_id for node in nodes]
    for replica, name in zip(replicas, ids, strict=False):
        assert replica.cluster("REPLICATE", name) == "OK"
    wait_until(lambda: cluster_is_ok(nodes), 30, what="the cluster is ok")

    _write(authority, tls_ports[2])
    for replica, master in zip(replicas, masters, strict=False):
        wait_until(partial(_follows, replica, master), 60, what="the same data")
    assert f"{LOOPBACK}:{tls_ports[0]}@{tls_ports[0] + 10000}" in nodes[1].nodes_conf

    for gone, heir in zip(masters[:2], replicas, strict=True):
        nodes.remove(gone)
        wait_until(partial(_is_linked, heir, nodes), 30)
        gone.kill()
        wait_until(partial(_is_master, heir), 60)
        wait_until(lambda: cluster_is_ok(nodes), 60, what="the cluster is ok again")
    owners = {row.node_id for row in nodes[0].view().values() if row.slots}
    assert owners == {ids[3], ids[4], ids[2]}
    for number in (1, 2, 3):
        assert _cli(authority, tls_ports[3], "strlen", f"key:{number}") == "10240"


def _write(authority: Authority, port: int) -> None:
    """The cluster has keys in all parts, by redis-py."""
    client = RedisCluster(
        host=LOOPBACK,
        port=port,
        ssl=True,
        ssl_ca_certs=authority.file("ca.pem"),
        ssl_certfile=authority.file("node.pem"),
        ssl_keyfile=authority.file("node.key"),
    )
    for number in range(100):
        client.set(f"key:{number}", bytes(range(256)) * 40)
    client.close()


def _follows(replica: Server, master: Server) -> bool:
    """Whether it has as many keys as its master, and says that the link is up."""
    up = replica.client.info("replication")["master_link_status"] == "up"
    return up and replica.client.dbsize() == master.client.dbsize() > 0


def _is_linked(node: Server, nodes: Sequence[Server]) -> bool:
    """Whether all of the others have a link to it, so that each vote has a way."""
    name = node.node_id
    return all(each.view()[name].connected for each in nodes if each is not node)


def _is_master(node: Server) -> bool:
    return bool(node.client.info("replication")["role"] == "master")


def _cli(authority: Authority, port: int, *words: str) -> str:
    """What `redis-cli --tls -c` prints."""
    command = ["redis-cli", "--tls", "--cacert", authority.file("ca.pem"), "-c", "-p", str(port)]
    command += ["--cert", authority.file("node.pem"), "--key", authority.file("node.key"), *words]
    told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return told.stdout.strip()

"""Atomic slot migration of a real Valkey: what its target says, and what a failover undoes.

Clauses: SM-20, SM-24, SM-25, SM-32, SM-P1.
"""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
import redis

from reference.core.messages import SyncSlotsCall
from tests.support import (
    LOOPBACK,
    Server,
    Workshop,
    cluster_is_ok,
    free_ports,
    give_slots,
    introduce,
    valkey_binary,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NODE_TIMEOUT: Final = 15_000
"""Milliseconds: long enough that no PING tells what a lost PONG would have told."""

PONG: Final = 1
"""The type of PONG on the bus."""

KEY: Final = "{06S}k"
"""A key of slot 0."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path, NODE_TIMEOUT) as made:
        yield made


def debuggable(shop: Workshop) -> Server:
    """A running Valkey that obeys DEBUG."""
    port = free_ports(1)[0]
    settings = {
        "port": port, "bind": LOOPBACK, "cluster-enabled": "yes", "save": "", "appendonly": "no",
        "cluster-node-timeout": NODE_TIMEOUT, "enable-debug-command": "yes",
        "repl-diskless-sync-delay": 0,
    }  # fmt: skip
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    server = Server("valkey", port, shop.directory / str(port), [valkey_binary(), *words])
    shop.servers.append(server)
    server.start()
    return server


def masters(shop: Workshop, *others: Server) -> list[Server]:
    """Three masters that all have slots, and others that know them."""
    made = [debuggable(shop) for _ in range(3)]
    give_slots(made)
    introduce([*made, *others])
    wait_until(lambda: cluster_is_ok(made), 20, what="the cluster is ok")
    return made


class Source:
    """A connection on which a test plays the source."""

    def __init__(self, target: Server) -> None:
        self._socket = socket.create_connection((LOOPBACK, target.port))
        self._socket.settimeout(5)
        self._read = self._socket.makefile("rb")

    def close(self) -> None:
        """The connection is gone."""
        self._read.close()
        self._socket.close()

    def say(self, *words: object) -> None:
        """CLUSTER SYNCSLOTS with these words."""
        parts = ["CLUSTER", "SYNCSLOTS", *map(str, words)]
        text = "".join(f"${len(part)}\r\n{part}\r\n" for part in parts)
        self._socket.sendall(f"*{len(parts)}\r\n{text}".encode())

    def line(self) -> str:
        """The next line of an answer."""
        return self._read.readline().decode().rstrip()

    def word(self) -> str:
        """What the target says next on the connection, besides that it is there."""
        while True:
            count = int(self.line()[1:])
            said = [self._bulk() for _ in range(count)]
            assert said[:2] == ["CLUSTER", "SYNCSLOTS"]
            if said[2] != SyncSlotsCall.ACK.value:
                return said[2]

    def _bulk(self) -> str:
        self.line()
        return self.line()


def establishing(source: str, *ranges: int) -> list[object]:
    return ["ESTABLISH", "SOURCE", source, "NAME", "a" * 40, "SLOTSRANGE", *ranges]


def test_the_target_says_what_the_table_says_and_takes_the_slot(shop: Workshop) -> None:
    source, target, third = masters(shop)
    owner = source.node_id

    with closing(Source(target)) as played:
        for asked, error in (
            (establishing("f" * 40, 0, 6000), "Target node does not know the source node"),
            (establishing(target.node_id, 0, 6000), "Source node is target node itself"),
            (establishing(owner, 0, 6000), "Requested slots span multiple shards"),
            (
                establishing(third.node_id, 0, 0),
                "Target node does not agree about current slot ownership",
            ),
        ):
            played.say(*asked)
            assert played.line() == f"-ERR {error}"

        played.say(*establishing(owner, 0, 0))
        assert played.line() == "+OK"
        played.say(SyncSlotsCall.ACK.value)
        played.say(SyncSlotsCall.SNAPSHOT_EOF.value)
        assert played.word() == SyncSlotsCall.REQUEST_PAUSE.value
        played.say(SyncSlotsCall.PAUSED.value)
        assert played.word() == SyncSlotsCall.REQUEST_FAILOVER.value
        played.say(SyncSlotsCall.FAILOVER_GRANTED.value)

        wait_until(lambda: "0" in target.view()[target.node_id].slots, 5, what="the slot is taken")
    assert target.view()[target.node_id].epoch == 4


def test_an_acknowledged_write_is_lost_when_the_source_fails_over_meanwhile(shop: Workshop) -> None:
    """What `granted-and-replaced` finds: the target has the newest epoch and takes no new one."""
    replica = debuggable(shop)
    source, third, target = masters(shop, replica)
    replica.cluster("REPLICATE", source.node_id)
    wait_until(lambda: _synced(replica), 20, what="the replica has its data")
    wait_until(lambda: replica.node_id in _replicas(third, source.node_id), 20)
    source.client.set(KEY, "before")
    wait_until(lambda: _has(replica), 10, what="the replica has the key")
    deaf = (source, third, replica)
    for node in deaf:
        node.client.execute_command("DEBUG", "DROP-CLUSTER-PACKET-FILTER", PONG)  # type: ignore[no-untyped-call]

    source.cluster("MIGRATESLOTS", "SLOTSRANGE", 0, 0, "NODE", target.node_id)
    taken = lambda: "0" in target.view()[target.node_id].slots  # noqa: E731 - asked until true
    wait_until(taken, 10, every=0.005, what="the target has the slot")
    assert target.client.set(KEY, "after")
    replica.cluster("FAILOVER", "FORCE")
    wait_until(lambda: not taken(), 10, every=0.005, what="the target has lost the slot")  # type: ignore[no-untyped-call]
    for node in deaf:
        node.client.execute_command("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -1)  # type: ignore[no-untyped-call]

    def settled() -> bool:
        owners = {node.view()[replica.node_id].slots for node in (third, target, replica)}
        return owners == {("0-5460",)}

    wait_until(settled, 60, what="all say that the replica has the slot")
    assert replica.client.get(KEY) == "before"


def _synced(replica: Server) -> bool:
    return bool(replica.client.info("replication").get("master_link_status") == "up")


def _replicas(node: Server, master: str) -> set[str]:
    return {row.node_id for row in node.view().values() if row.replicaof == master}


def _has(replica: Server) -> bool:
    with redis.Redis(host=LOOPBACK, port=replica.port, single_connection_client=True) as client:
        client.execute_command("READONLY")
        return bool(client.exists(KEY))

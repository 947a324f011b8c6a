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
from reference.wire.bus_header import MessageType
from tests.interop.bus_relay import BusRelay, selects
from tests.interop.relayed import follow, join
from tests.support import (
    LOOPBACK,
    Server,
    Workshop,
    all_linked,
    cluster_is_ok,
    give_slots,
    introduce,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NODE_TIMEOUT: Final = 15_000
"""Milliseconds: nobody is to fail here."""

HEARTBEATS: Final = (MessageType.PING, MessageType.PONG)

KEY: Final = "{06S}k"
"""A key of slot 0."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path, NODE_TIMEOUT) as made:
        yield made


def masters(shop: Workshop) -> list[Server]:
    """Three masters that all have slots."""
    made = [shop.real("valkey") for _ in range(3)]
    give_slots(made)
    introduce(made)
    wait_until(lambda: cluster_is_ok(made), 20, what="the cluster is ok")
    return made


class Source:
    """A connection on which a test plays the source."""

    def __init__(self, target: Server) -> None:
        self._socket = socket.create_connection((LOOPBACK, target.port))
        self._socket.settimeout(20)
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

        wait_until(lambda: "0" in target.view()[target.node_id].slots, 20, what="the slot is taken")
    assert target.view()[target.node_id].epoch == 4


def test_an_acknowledged_write_is_lost_when_the_source_fails_over_meanwhile(shop: Workshop) -> None:
    """What `granted-and-replaced` finds: the target has the newest epoch and takes no new one."""
    with BusRelay() as relay:
        cluster = join(relay, shop, dict.fromkeys("ABCD", "valkey"), masters="ABC")
        follow(cluster, {"D": "A"})
        source, third, target, replica = (cluster[name] for name in "ABCD")
        source.client.set(KEY, "before")
        wait_until(lambda: _has(replica), 20, what="the replica has the key")
        nodes = list(cluster.nodes.values())
        wait_until(lambda: all_linked(nodes), 20, what="it stands once, and needs its links")
        silent = relay.drop(selects(types=HEARTBEATS, sender=target.node_id))

        source.cluster("MIGRATESLOTS", "SLOTSRANGE", 0, 0, "NODE", target.node_id)
        wait_until(lambda: _owns_first(target), 20, every=0.005, what="the target has the slot")
        assert target.client.set(KEY, "after")
        replica.cluster("FAILOVER", "FORCE")
        wait_until(lambda: not _owns_first(target), 20, every=0.005, what="it has lost the slot")
        silent.sever()
        wait_until(lambda: _all_follow(replica, [third, target]), 60, what="all say the same")
        assert replica.client.get(KEY) == "before"


def _owns_first(node: Server) -> bool:
    return "0" in node.view()[node.node_id].slots


def _all_follow(owner: Server, others: list[Server]) -> bool:
    """Whether all say that this node has the slots of its old master."""
    name = owner.node_id
    return {node.view()[name].slots for node in (owner, *others)} == {("0-5460",)}


def _has(replica: Server) -> bool:
    with redis.Redis(host=LOOPBACK, port=replica.port, single_connection_client=True) as client:
        client.execute_command("READONLY")
        return bool(client.exists(KEY))

"""Everything that a mixed cluster says, through failovers, is the same after decode and encode.

Clauses: BU-5, BU-6, BU-7, BU-9, BU-11, BU-12, BU-19, BU-26, BU-27, BU-28.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reference.wire.bus import Heartbeat, UnknownMessage
from reference.wire.bus_extensions import UnknownExtension
from reference.wire.bus_header import MessageType
from reference.wire.dialects import WIRE_DIALECTS
from tests.interop.bus_capture import Capture
from tests.interop.bus_relay import BusRelay, selects
from tests.interop.capture_vectors import compiled
from tests.interop.relayed import (
    Relayed,
    channel_of,
    follow,
    is_master,
    join,
    known,
    slots_of,
    synced,
)
from tests.support import Workshop, all_linked, cluster_is_ok, slots_agree, wait_until, workshop

pytestmark = pytest.mark.interop

WANTED: Final = 10_000
EXPECTED: Final = {
    "PING", "PONG", "MEET", "FAIL", "PUBLISH", "FAILOVER_AUTH_REQUEST", "FAILOVER_AUTH_ACK",
    "UPDATE", "MFSTART", "PUBLISHSHARD", "light PUBLISH", "light PUBLISHSHARD",
}  # fmt: skip
"""All types but MODULE, which needs a server module, and so a compiler; with either header."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Nobody is to fail who was not killed, and one relay passes on what all publish at once."""
    with workshop(tmp_path, node_timeout=4000) as made:
        yield made


def _publish(cluster: Relayed, masters: str, count: int) -> None:
    """To everyone, and to the shards of these masters."""
    for name in masters:
        server = cluster[name]
        channel = channel_of(server)
        for number in range(20):
            server.client.spublish(channel, f"{name} says {number}")
        with server.client.pipeline(transaction=False) as pipeline:
            for number in range(count):
                pipeline.publish("news", f"{name} says {number}")
            pipeline.execute()


def _fail_over_by_hand(cluster: Relayed, replica: str, master: str) -> None:
    """They change places; the old master has the data of the new one, so that it may stand.

    It is asked for when all have links and know who owns what. It stands once, and a voter votes
    for nobody who claims a slot that another has got in the meantime.
    """
    nodes = list(cluster.nodes.values())
    wait_until(lambda: all_linked(nodes) and slots_agree(nodes), 30, what="all say the same")
    cluster[replica].cluster("FAILOVER")
    wait_until(lambda: is_master(cluster[replica]), 20, what=f"{replica} is master")
    wait_until(synced(cluster[master]), 30, what=f"{master} in sync with {replica}")
    wait_until(known(cluster, master, replica), 20, what=f"all know whom {master} follows")
    wait_until(lambda: cluster_is_ok(nodes), 20, what="cluster ok")


def _kill_and_return(cluster: Relayed, relay: BusRelay, master: str, replica: str) -> None:
    """The replica is elected; the old master learns of it from others first, by an UPDATE."""
    winner, loser = cluster.by_id(replica), cluster.by_id(master)
    cluster[master].kill()
    wait_until(lambda: is_master(cluster[replica]), 60, what=f"{replica} is elected")
    silenced = relay.hold(selects(sender=winner, receiver=loser))
    updates = relay.delay(selects(types=[MessageType.UPDATE]), 0)
    cluster[master].start()
    wait_until(lambda: updates.taken, 60, what="an UPDATE")
    for rule in (silenced, updates):
        rule.end()
    wait_until(lambda: not is_master(cluster[master]), 60, what=f"{master} follows")
    wait_until(lambda: cluster_is_ok(list(cluster.nodes.values())), 60, what="cluster ok again")


def _move_slot(cluster: Relayed, source: str, target: str) -> None:
    slot, _ = slots_of(cluster[source])
    cluster[target].cluster("SETSLOT", slot, "IMPORTING", cluster.by_id(source))
    cluster[source].cluster("SETSLOT", slot, "MIGRATING", cluster.by_id(target))
    for name in (target, source):
        cluster[name].cluster("SETSLOT", slot, "NODE", cluster.by_id(target))


def test_traffic_of_a_mixed_cluster_survives(shop: Workshop) -> None:
    seen = Capture()
    module = str(compiled(shop.directory)) if shutil.which("cc") else ""
    expected = EXPECTED | {"MODULE", "light MODULE"} if module else EXPECTED
    with BusRelay() as relay:
        relay.watch(seen)
        kinds = {"A": "redis", "B": "valkey", "C": "redis", "D": "valkey", "E": "valkey"}
        cluster = join(relay, shop, kinds, masters="ABC", module=module)
        follow(cluster, {"D": "A", "E": "B"})
        _publish(cluster, "AB", 600)
        for name in "AB" if module else "":
            cluster[name].client.execute_command("BUS.SEND", 7, "hello")  # type: ignore[no-untyped-call]
        _move_slot(cluster, "B", "C")
        _fail_over_by_hand(cluster, "E", "B")
        _kill_and_return(cluster, relay, "E", "B")
        end = time.monotonic() + 30
        while len(seen.frames) < WANTED and time.monotonic() < end:
            _publish(cluster, "AB", 200)

    counts = ", ".join(f"{count} {name}" for name, count in seen.counts().items())
    assert seen.counts().keys() >= expected, counts
    assert len(seen.frames) >= WANTED, counts
    assert seen.changed() == [], counts
    for dialect in WIRE_DIALECTS.values():
        assert seen.changed(dialect.extensions) == [], (dialect.name, counts)
    assert not any(isinstance(frame.message(), UnknownMessage) for frame in seen.frames)


def test_extensions_of_a_valkey_cluster_are_all_known(shop: Workshop) -> None:
    seen = Capture()
    with BusRelay() as relay:
        relay.watch(seen)
        cluster = join(relay, shop, {"A": "valkey", "B": "valkey", "C": "valkey"})
        told: dict[str, str | int] = {
            "cluster-announce-hostname": "a.example.org",
            "cluster-announce-human-nodename": "first",
            "cluster-announce-client-ipv4": "192.0.2.1",
            "cluster-announce-client-ipv6": "2001:db8::1",
            "cluster-announce-client-port": 1234,
            "cluster-announce-client-tls-port": 2345,
            "availability-zone": "zone-1",
        }
        for name, value in told.items():
            cluster["A"].client.config_set(name, value)
        cluster["A"].cluster("FORGET", cluster.by_id("C"))
        kinds = WIRE_DIALECTS["valkey-9.1"].extensions
        wait_until(lambda: set(_extensions(seen)) == set(kinds), 30, what="all extensions")

    assert seen.changed(kinds) == []
    assert UnknownExtension not in _extensions(seen).values()


def _extensions(seen: Capture) -> dict[int, type]:
    kinds = WIRE_DIALECTS["valkey-9.1"].extensions
    messages = [frame.message(kinds) for frame in tuple(seen.frames) if frame.message_type < 3]
    return {
        extension.type: type(extension)
        for message in messages
        if isinstance(message, Heartbeat)
        for extension in message.extensions
    }

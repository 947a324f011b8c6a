"""What an operator should not say to a real server: F-31, F-32, and a port that it cannot have.

Clauses: RT-23, RT-36.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest
import redis

from tests.interop.data import Raw
from tests.support import (
    Server,
    Workshop,
    free_ports,
    give_slots,
    introduce,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SLOT: Final = 7
SIGNALS: Final = {"assertion": -6, "address": -11}
"""With which a process ends that finds itself wrong, or that reads where nothing is."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Servers that no stall hides from each other, which leave no core file if they crash."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    try:
        with workshop(tmp_path, node_timeout=15_000) as made:
            yield made
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.fixture(params=["valkey", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@contextmanager
def _no_answer(server: Server) -> Iterator[None]:
    """The server does not answer; it writes its report first, for as long as that takes."""
    server.client.config_set("crash-memcheck-enabled", "no")
    with pytest.raises((redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)):
        yield


# SETSLOT where nobody can wait (F-31).


def _with_a_replica(shop: Workshop, kind: str) -> Server:
    """A master of all slots, to which a replica is connected."""
    master, replica = shop.real(kind), shop.real(kind)
    master.cluster("ADDSLOTSRANGE", 0, 16383)
    introduce([master, replica])
    replica.cluster("REPLICATE", master.node_id)

    def online() -> bool:
        of_it = master.client.info("replication").get("slave0", {})
        return bool(of_it.get("state") == "online")

    wait_until(online, 30, what="the replica has the data")
    return master


def _in_a_transaction(server: Server) -> object:
    raw = Raw(server)
    try:
        assert raw("MULTI") == b"OK"
        assert raw("CLUSTER", "SETSLOT", SLOT, "STABLE") == b"QUEUED"
        return raw("EXEC")
    finally:
        raw.close()


def _in_a_script(server: Server) -> object:
    raw = Raw(server)
    try:
        return [raw("EVAL", f"return redis.call('CLUSTER', 'SETSLOT', {SLOT}, 'STABLE')", 0)]
    finally:
        raw.close()


@pytest.mark.parametrize(
    ("say", "failed"),
    [
        (_in_a_transaction, "'c->flag.blocked == 0' is not true"),
        (_in_a_script, "'!is_running_script' is not true"),
    ],
)
def test_setslot_where_nobody_can_wait_ends_a_valkey(
    shop: Workshop, say: Callable[[Server], object], failed: str
) -> None:
    master = _with_a_replica(shop, "valkey")
    alone = shop.real("valkey")
    assert say(alone) == [b"OK"]

    with _no_answer(master):
        say(master)

    assert master.running.wait(60) == SIGNALS["assertion"]
    assert failed in master.log


def test_a_redis_waits_for_nobody(shop: Workshop) -> None:
    """The control."""
    master = _with_a_replica(shop, "redis")

    assert _in_a_transaction(master) == _in_a_script(master) == [b"OK"]


# A port that changes (F-32).


@attrs.frozen
class Moved:
    """Three masters, and a replica of the first that serves at another port since a moment ago."""

    doomed: Server
    voters: list[Server]
    replica: Server
    bus_port: int  # where it listens yet
    name: str

    @property
    def grants(self) -> list[int]:
        """How many votes each voter says it gave the replica."""
        return [voter.log.count(f"auth granted to {self.name}") for voter in self.voters]


@pytest.fixture
def moved(shop: Workshop, kind: str) -> Moved:
    *masters, replica = servers = [shop.real(kind) for _ in range(4)]
    give_slots(masters)
    introduce(servers)
    name, old = replica.node_id, replica.port
    replica.cluster("REPLICATE", masters[0].node_id)

    def followed() -> bool:
        up = replica.client.info("replication")["master_link_status"] == "up"
        return up and all("slave" in master.view()[name].flags for master in masters)

    wait_until(followed, 30, what="all know the replica")
    [port] = free_ports(1)
    replica.client.config_set("cluster-replica-validity-factor", 0)  # it stands, however late
    replica.client.config_set("port", port)
    replica.forget_client()
    replica.port = port
    return Moved(masters[0], masters[1:], replica, old + 10000, name)


def test_nobody_reaches_a_server_whose_port_was_changed(moved: Moved) -> None:
    name, replica = moved.name, moved.replica
    announced = f"127.0.0.1:{replica.port}@{replica.port + 10000}"

    def cut_off() -> bool:
        rows = [each.view()[name] for each in (moved.doomed, *moved.voters)]
        return all(row.address == announced and not row.connected for row in rows)

    wait_until(cut_off, 30, what="the others dial where nobody listens")
    moved.doomed.kill()
    for each in (*moved.voters, replica):  # from now on it is the dead one that is suspected
        each.client.config_set("cluster-node-timeout", 1000)
    wait_until(lambda: min(moved.grants) >= 1, 60, what="all voted for it")

    assert "cluster_stats_messages_auth-ack_received" not in replica.info()
    assert "slave" in replica.view()[name].flags
    replica.client.config_set("cluster-announce-bus-port", moved.bus_port)
    elected = lambda: "master" in moved.voters[0].view()[name].flags  # noqa: E731 - asked again
    wait_until(elected, 60, what="it is elected once it says where it listens")
    assert replica.log.count("Starting a failover election") > 1


# A port for TLS where there is no TLS.


def test_a_valkey_without_tls_ends_when_it_is_given_a_port_for_it(shop: Workshop) -> None:
    server = shop.real("valkey")

    with _no_answer(server):
        server.client.config_set("tls-port", free_ports(1)[0])

    assert server.running.wait(60) == SIGNALS["address"]
    assert "Missing implement of connection type tls" in server.log

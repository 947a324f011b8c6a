"""What an operator should not say to a real server (F-31).

Clauses: RT-23.
"""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import redis

from tests.interop.data import Raw
from tests.support import (
    Server,
    Workshop,
    introduce,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SLOT: Final = 7
SIGNALS: Final = {"assertion": -6}
"""With which a process ends that finds itself wrong."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """Servers with a short node timeout, which leave no core file if they crash."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    try:
        with workshop(tmp_path, node_timeout=1000) as made:
            yield made
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


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

    with pytest.raises(redis.exceptions.ConnectionError):
        say(master)

    assert master.running.wait(30) == SIGNALS["assertion"]
    assert failed in master.log


def test_a_redis_waits_for_nobody(shop: Workshop) -> None:
    """The control."""
    master = _with_a_replica(shop, "redis")

    assert _in_a_transaction(master) == _in_a_script(master) == [b"OK"]

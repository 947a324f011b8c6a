"""An old master of real servers and its successor both take writes, and how long at the most.

Clauses: PA-P1, CS-3, SC-1.
"""

from pathlib import Path

import pytest

from model_check.timed.bound import SERVERS_NOTICE_MS, Setting, bound
from tests.interop.bus_relay import BusRelay
from tests.support import workshop
from tests.timing.handover import Shard

pytestmark = pytest.mark.interop
NODE_TIMEOUT = 2000
STOPS = 3


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_master_that_was_stopped_takes_a_write_after_its_successor_did(
    kind: str, tmp_path: Path
) -> None:
    """The write waits in its socket from before the news, so it is read first; then it is lost.

    That is so unless it was stopped between a PING of its own and the answers, whose silence it
    notices before it reads, or unless the bus got between the stop and the write.
    """
    with BusRelay() as relay, workshop(tmp_path, NODE_TIMEOUT) as shop:
        shard = Shard.made(relay, shop, kind)

        assert any(shard.pause()[0] for _ in range(STOPS))
        kept = shard.cluster[shard.master].client.get(shard.key)
        assert not str(kept).startswith("lost")


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_the_window_of_a_cut_is_within_the_bound(kind: str, tmp_path: Path) -> None:
    """Whatever a busy machine adds is seen as a stall; it can put off a PING, and its notice."""
    setting = Setting(
        node_timeout=NODE_TIMEOUT,
        election_delay=500 if kind == "redis" else 0,
        notice=SERVERS_NOTICE_MS,
    )
    with BusRelay() as relay, workshop(tmp_path, NODE_TIMEOUT) as shop:
        shard = Shard.made(relay, shop, kind)

        measured = shard.cut()

        assert measured.window <= bound(setting) + 2 * measured.stall

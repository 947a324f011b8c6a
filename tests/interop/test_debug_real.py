"""What DEBUG says, and the digests of the same data, are those of the real servers.

Clauses: CM-95.
"""

from typing import Any

import pytest

from tests.support import DIALECT_OF, Server, Workshop, wait_until

pytestmark = pytest.mark.interop

DATA = (
    "SET a 1", "SET b 1.50 PX 100000000", "RPUSH c x y x", "SADD d 3 1 2", "SADD e z y",
    "ZADD f 1 a 2.5 b -inf c 0.1 d 1e300 e 1234567890123 f 1e-7 g 100000000 h -0.00012 i",
    "HSET g f v f2 v2", "XADD h 1-1 f v f v2", "XADD h 2-0 g w", "SETBIT i 100 1",
)  # fmt: skip

QUESTIONS = (
    "DEBUG", "DEBUG NOSUCH", "DEBUG DIGEST x", "DEBUG DIGEST", "DEBUG CLUSTERLINK KILL",
    "DEBUG CLUSTERLINK KILL all x", "DEBUG CLUSTERLINK KILL foo x", "DEBUG CLUSTERLINK FOO all x",
    "DEBUG DROP-CLUSTER-PACKET-FILTER x", "DEBUG DROP-CLUSTER-PACKET-FILTER -1",
    "DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG CLOSE-CLUSTER-LINK-ON-PACKET-DROP 0", "DEBUG SLEEP 0",
    "DEBUG SLEEP 0.01", "DEBUG ERROR MYCODE", "DEBUG LOG text", "DEBUG POPULATE x",
    "DEBUG POPULATE 5 {k} 3", "DEBUG POPULATE 7 {k} 30", "DEBUG POPULATE 3", "GET {k}:1",
    "GET {k}:6", "GET key:2", "DBSIZE", "DEBUG DIGEST", "DEBUG DIGEST-VALUE a b c d e f g h nokey",
)  # fmt: skip


@pytest.fixture(params=["valkey", "redis"])
def pair(request: pytest.FixtureRequest, shop: Workshop) -> tuple[Server, Server]:
    """A real server and one of ours, each a cluster by itself, both to be debugged."""
    real = shop.unstarted_real(request.param)
    real.command = [*real.command, "--enable-debug-command", "yes"]
    real.start()
    file = shop.directory / "debug.conf"
    file.write_text("enable-debug-command yes\n")
    ours = shop.slotproof(DIALECT_OF[request.param], str(file))
    for each in (real, ours):
        each.cluster("ADDSLOTSRANGE", 0, 16383)
    for each in (real, ours):
        wait_until(lambda one=each: one.info()["cluster_state"] == "ok", 20)  # type: ignore[misc]
    return real, ours


def _ask(server: Server, line: str) -> Any:
    try:
        return server.client.execute_command(*line.split())  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - an error is an answer too
        return str(error)


def test_both_say_the_same_to_debug(pair: tuple[Server, Server]) -> None:
    said = [[(line, _ask(each, line)) for line in (*QUESTIONS, *DATA, *QUESTIONS)] for each in pair]

    assert said[0] == said[1]

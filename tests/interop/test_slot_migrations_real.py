"""Slots that move atomically between a real Valkey and a node of ours, either way.

Clauses: SM-22, SM-24, SM-28, SM-31, SM-32, SM-33, SM-36, SM-37, SM-38, SM-39.
"""

from typing import Any, Final

import pytest

from tests.interop.data import MADE, TAG, data_of
from tests.interop.mixed import OURS, Mixed
from tests.support import Server, Workshop, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SLOT: Final = 5061  # of the tag
DATA: Final = [words for words in MADE if words[0] != "PFADD"]
"""What both keep in the same form."""
COUNTER: Final = f"counter{TAG}"


def row(node: Server) -> dict[str, Any]:
    """The newest job, as the node shows it."""
    rows = node.cluster("GETSLOTMIGRATIONS")
    return dict(rows[0]) if rows else {"state": ""}


def told(node: Server, *states: str) -> dict[str, Any]:
    """The row of the newest job, once it is in one of these states."""
    wait_until(lambda: row(node)["state"] in states, 30, every=0.01, what=f"it is {states}")
    return row(node)


def count(node: Server) -> int:
    """How many keys of the slot the node has, hidden or not."""
    return int(node.cluster("COUNTKEYSINSLOT", SLOT))


def prevent_pause(source: Server, *, on: bool) -> None:
    words = ("DEBUG", "SLOTMIGRATION", "PREVENT-PAUSE", int(on))
    source.client.execute_command(*words)  # type: ignore[no-untyped-call]


def begin(source: Server, target: Server) -> None:
    """The slot is on its way, and the source must not pause yet."""
    prevent_pause(source, on=True)
    source.cluster("MIGRATESLOTS", "SLOTSRANGE", SLOT, SLOT, "NODE", target.node_id)
    told(source, "waiting-to-pause")


def move(source: Server, target: Server) -> None:
    """The slot has moved, with what was written after its keys were sent."""
    before = source.client.dbsize()
    begin(source, target)
    for _ in range(20):
        source.client.incr(COUNTER)
    assert target.client.dbsize() == 0
    assert target.client.keys("*") == []
    wait_until(lambda: count(target) == before, 20, what="the keys have come")
    source.client.append(f"s{TAG}", "more")
    source.client.rpush(f"l{TAG}", "more")
    source.client.xadd(f"x{TAG}", {"f": "v"}, id="7-*")
    source.client.expire(f"number{TAG}", 100_000)
    expected = data_of(source)

    prevent_pause(source, on=False)

    assert told(source, "success", "failed")["message"] == ""
    assert told(target, "success", "failed")["message"] == ""
    assert source.client.dbsize() == 0
    assert target.client.dbsize() == before
    assert data_of(target) == expected


@pytest.mark.parametrize(("first", "second"), [("valkey", OURS), (OURS, "valkey")])
def test_slots_go_there_and_back_with_all_that_is_written(
    shop: Workshop, first: str, second: str
) -> None:
    options = ["--enable-debug-command", "yes", "--cluster-node-timeout", "30000"]
    masters = [first, second, OURS]
    cluster = Mixed(shop, "valkey", masters=masters, replicas=["valkey", OURS], options=options)
    cluster.start()
    one, other, third = cluster.nodes[:3]
    cluster.write(*DATA, ("SET", COUNTER, 0))

    move(one, other)
    wait_until(lambda: not any(each.client.dbsize() for each in cluster.replicas), 20)
    move(other, one)

    assert one.client.get(COUNTER) == "40"
    cluster.wait_for_data()
    for replica in cluster.replicas:
        assert told(replica, "success")["operation"] == "IMPORT"
    _kill_the_target_then_the_source(one, other, third)


def _kill_the_target_then_the_source(one: Server, other: Server, third: Server) -> None:
    expected = data_of(one)
    begin(one, other)
    other.kill()
    assert "Connection lost to target." in told(one, "failed")["message"]
    assert data_of(one) == expected

    has_all = lambda: third.view()[one.node_id].slots == ("0-5460",)  # noqa: E731 - asked until true
    wait_until(has_all, 20, what="the bus has told the third who has the slot")
    begin(one, third)
    one.kill()
    assert "Connection lost to source." in told(third, "failed")["message"]
    assert third.client.dbsize() == count(third) == 0


def test_flushslot_at_a_target_of_valkey_loses_all_keys_and_the_move_is_a_success(
    shop: Workshop,
) -> None:
    """F-29. At one of ours it does not reach keys that nobody sees yet."""
    options = ["--enable-debug-command", "yes", "--cluster-node-timeout", "30000"]
    cluster = Mixed(shop, "valkey", masters=["valkey", "valkey", OURS], options=options)
    cluster.start()
    valkey, other, ours = cluster.nodes
    cluster.write(("SET", f"kept{TAG}", "before"), ("SET", f"lost{TAG}", "before"))

    _move_and_flush(valkey, ours)
    assert (count(ours), count(valkey)) == (2, 0)
    has_it = lambda: str(SLOT) in other.view()[ours.node_id].slots  # noqa: E731 - asked until true
    wait_until(has_it, 20, what="the next target knows whose the slot is")
    _move_and_flush(ours, other)

    assert (count(other), count(ours)) == (1, 0)
    assert other.client.get(f"kept{TAG}") == "after"
    assert other.client.get(f"lost{TAG}") is None


def _move_and_flush(source: Server, target: Server) -> None:
    """FLUSHSLOT is said at the target when all keys have come; then one of them is written."""
    before = count(source)
    begin(source, target)
    wait_until(lambda: count(target) == before, 20, what="the keys have come")

    target.cluster("FLUSHSLOT", SLOT)
    assert count(source) == before
    source.client.set(f"kept{TAG}", "after")
    prevent_pause(source, on=False)

    assert told(source, "success", "failed")["message"] == ""
    assert told(target, "success", "failed")["message"] == ""

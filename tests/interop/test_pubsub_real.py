"""Publications between real servers and slotproof nodes of one cluster.

Clauses: CM-72, CM-73, RT-43, RT-44, BU-27.
"""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from reference.core.slots import key_hash_slot
from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    all_linked,
    cluster_is_ok,
    give_slots,
    introduce,
    wait_until,
)

pytestmark = pytest.mark.interop


def _listener(server: Server) -> Any:
    client: Any = redis.Redis(host=LOOPBACK, port=server.port, decode_responses=True)
    return client.pubsub(ignore_subscribe_messages=True)


def _ask(server: Server, *words: str) -> Any:
    client: Any = server.client
    return client.execute_command(*words)


def _has_subscriber(server: Server, channel: str) -> Callable[[], bool]:
    """Whether the node itself counts the subscription, which came over another connection."""
    return lambda: _ask(server, "PUBSUB", "SHARDNUMSUB", channel) == [channel, 1]


def _heard(listener: Any) -> tuple[str, str, str]:
    def next_message() -> Any:
        return listener.get_message(timeout=0.1)

    message = wait_until(next_message, 10, what="a message")
    return message["type"], message["channel"], message["data"]


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@pytest.mark.timeout(120)
def test_messages_reach_both_kinds_of_nodes(shop: Workshop, kind: str) -> None:
    real = [shop.real(kind) for _ in range(2)]
    ours = [shop.slotproof(DIALECT_OF[kind]) for _ in range(2)]
    everybody = [real[0], ours[0], real[1], ours[1]]
    masters = [real[0], ours[0]]
    give_slots(masters)
    introduce(everybody)
    for replica, master in ((real[1], ours[0]), (ours[1], real[0])):
        replica.cluster("REPLICATE", master.node_id)
    wait_until(lambda: cluster_is_ok(everybody), 30, what="the cluster is ok")
    wait_until(
        lambda: all(
            sum("slave" in row.flags for row in each.view().values()) == 2 for each in everybody
        ),
        30,
    )
    wait_until(lambda: all_linked(everybody), 20, what="a publication has a way to everybody")
    listeners = [_listener(each) for each in everybody]
    for listener in listeners:
        listener.psubscribe("ne*")
        listener.get_message(timeout=5)

    for number, publisher in enumerate(everybody):
        assert _ask(publisher, "PUBLISH", "news", f"m{number}") == 1
        heard = [_heard(listener) for listener in listeners]
        assert heard == [("pmessage", "news", f"m{number}")] * 4

    channels = ["{a}c", "{b}c"]
    for listener in listeners:
        listener.punsubscribe("ne*")
    for channel in channels:
        owner = masters[key_hash_slot(channel.encode()) >= 8192]
        replica = ours[1] if owner is real[0] else real[1]
        pair = [listeners[everybody.index(each)] for each in (owner, replica)]
        for listener in pair:
            listener.ssubscribe(channel)
        for node in (owner, replica):
            wait_until(_has_subscriber(node, channel), 10, what=f"{channel} has a subscriber")
        for publisher in (owner, replica):
            assert _ask(publisher, "SPUBLISH", channel, "x") == 1
            assert [_heard(listener) for listener in pair] == [("smessage", channel, "x")] * 2
        stranger = ours[0] if owner is real[0] else real[0]
        with pytest.raises(redis.exceptions.MovedError):
            _ask(stranger, "SPUBLISH", channel, "x")
    for listener in listeners:
        listener.close()

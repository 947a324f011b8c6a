"""The relay between real buses passes everything on, and holds back what it is told to.

Clauses: BU-1, BU-6, BU-25.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.client import PubSub

from reference.wire.bus_header import MessageType
from tests.interop.bus_capture import Capture, captured
from tests.interop.bus_relay import BusRelay, selects
from tests.interop.relayed import Relayed, join
from tests.support import Server, Workshop, holds_for, introduce, wait_until, workshop

pytestmark = pytest.mark.interop

KINDS = ["valkey", "redis"]


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path, node_timeout=1000) as made:
        yield made


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Workshop]:
    """Whose servers keep their links, whatever the machine does: what is published arrives."""
    with workshop(tmp_path, node_timeout=10_000) as made:
        yield made


@pytest.fixture
def relay() -> Iterator[BusRelay]:
    with BusRelay() as made:
        yield made


@pytest.fixture
def seen(relay: BusRelay) -> Capture:
    capture = Capture()
    relay.watch(capture)
    return capture


def _subscribed(server: Server) -> PubSub:
    news: PubSub = server.client.pubsub()  # type: ignore[no-untyped-call]
    news.subscribe("news")
    assert news.get_message(timeout=10) is not None
    return news


def _view(cluster: Relayed, viewer: str, subject: str) -> frozenset[str]:
    return cluster[viewer].view()[cluster.by_id(subject)].flags


@pytest.mark.parametrize("other", KINDS)
def test_all_messages_of_two_servers_come_through_unchanged(
    quick: Workshop, relay: BusRelay, seen: Capture, other: str
) -> None:
    cluster = join(relay, quick, {"A": "valkey", "B": other})

    wait_until(lambda: len(seen.frames) >= 30, 30, what="thirty messages")

    assert seen.changed() == []
    assert {"MEET", "PING", "PONG"} <= seen.counts().keys()
    assert {("A", False), ("A", True), ("B", False), ("B", True)} == {
        (frame.owner, frame.answer) for frame in seen.frames
    }
    assert {cluster.by_id("A"), cluster.by_id("B")} == {frame.sender for frame in seen.frames}


def test_held_messages_make_a_node_fail_until_they_are_released(
    quick: Workshop, relay: BusRelay
) -> None:
    cluster = join(relay, quick, {"A": "valkey", "B": "valkey"})
    b = cluster.by_id("B")

    held = relay.hold(selects(sender=b))
    wait_until(lambda: "fail?" in _view(cluster, "A", "B"), 20, what="B is suspected")
    held.end()

    wait_until(lambda: not _view(cluster, "A", "B") & {"fail?", "fail"}, 20, what="B is well")
    assert {b} == {frame.sender for frame in held.taken}


def test_dropped_type_never_arrives(patient: Workshop, relay: BusRelay) -> None:
    cluster = join(relay, patient, {"A": "valkey", "B": "valkey"})
    news = _subscribed(cluster["B"])

    dropped = relay.drop(selects(types=[MessageType.PUBLISH], owner="B", answer=False))
    cluster["A"].client.publish("news", "lost")
    wait_until(lambda: dropped.taken, 10, what="the relay took it")
    dropped.end()
    cluster["A"].client.publish("news", "heard")

    message = wait_until(lambda: news.get_message(timeout=1), 10, what="a publication")
    assert message["data"] == "heard"
    news.close()


def test_what_a_rule_took_can_end_its_connections(
    patient: Workshop, relay: BusRelay, seen: Capture
) -> None:
    cluster = join(relay, patient, {"A": "valkey", "B": "valkey"})
    dropped = relay.drop(lambda frame: b"lost" in frame.data and frame.owner == "B")
    cluster["A"].client.publish("news", "lost")
    wait_until(lambda: dropped.taken, 10, what="the relay took it")
    (lost,) = {frame.connection for frame in dropped.taken}

    dropped.sever()

    def newest() -> int:
        return max(frame.connection for frame in tuple(seen.frames) if frame.owner == "B")

    wait_until(lambda: newest() > lost, 20, what="a new connection")
    assert not relay.rules


def test_held_message_is_followed_or_overtaken(patient: Workshop, relay: BusRelay) -> None:
    cluster = join(relay, patient, {"A": "valkey", "B": "valkey"})
    news = _subscribed(cluster["B"])

    def heard_after_holding_the_first(*, overtaken: bool) -> list[str]:
        first = relay.hold(
            lambda frame: b"first" in frame.data and frame.owner == "B", overtaken=overtaken
        )
        for text in ("first", "second"):
            cluster["A"].client.publish("news", text)
        wait_until(lambda: first.taken, 10, what="the relay holds it")
        if overtaken:
            early = wait_until(lambda: news.get_message(timeout=1), 10, what="the second")
            first.end()
        else:
            holds_for(lambda: news.get_message() is None, 0.5)
            first.release()
            early = wait_until(lambda: news.get_message(timeout=1), 10, what="the first")
            first.end()
        late = wait_until(lambda: news.get_message(timeout=1), 10, what="the other")
        return [early["data"], late["data"]]

    assert heard_after_holding_the_first(overtaken=False) == ["first", "second"]
    assert heard_after_holding_the_first(overtaken=True) == ["second", "first"]
    news.close()


def test_discarded_messages_are_gone_and_delayed_ones_are_late(
    patient: Workshop, relay: BusRelay, seen: Capture
) -> None:
    cluster = join(relay, patient, {"A": "valkey", "B": "valkey"})
    news = _subscribed(cluster["B"])

    held = relay.hold(lambda frame: b"gone" in frame.data)
    cluster["A"].client.publish("news", "gone")
    wait_until(lambda: held.taken, 10, what="the relay holds it")
    held.discard()
    relay.delay(lambda frame: b"late" in frame.data, 0.5)
    asked = time.monotonic()
    cluster["A"].client.publish("news", "late")

    message = wait_until(lambda: news.get_message(timeout=1), 10, what="a publication")
    assert message["data"] == "late"
    assert time.monotonic() - asked >= 0.5
    news.close()
    before = {frame.connection for frame in seen.frames}
    relay.disconnect("B")
    wait_until(lambda: {frame.connection for frame in seen.frames} - before, 20, what="a new link")


def test_running_servers_are_captured(quick: Workshop) -> None:
    servers = [quick.real("valkey"), quick.real("redis")]
    introduce(servers)

    with captured([server.port for server in servers]) as capture:
        wait_until(lambda: len(capture.frames) >= 12, 30, what="a dozen messages")

    assert capture.changed() == []
    assert {"PING", "PONG"} <= capture.counts().keys()
    assert all(server.client.config_get("cluster-announce-bus-port") for server in servers)

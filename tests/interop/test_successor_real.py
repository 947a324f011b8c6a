"""An old master of real servers that comes back and loses its successor too early (F-21).

Clauses: SC-6, SC-4, SC-20, EP-2, EP-12.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.wire.bus_header import MessageType
from tests.interop.bus_relay import BusRelay, Frame, Rule, selects
from tests.interop.relayed import Relayed, follow, is_master, join
from tests.support import Workshop, wait_until, workshop

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

HEARTBEATS: Final = (MessageType.PING, MessageType.PONG, MessageType.MEET)
UPDATES: Final = 20
"""So many in vain are enough: there is one with each heartbeat of the old master."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path, node_timeout=1500) as made:
        yield made


@pytest.fixture
def relay() -> Iterator[BusRelay]:
    with BusRelay() as made:
        yield made


@attrs.frozen
class Comeback:
    """A was replaced by D while it was down, and when it runs again it hears little of D."""

    cluster: Relayed
    ids: dict[str, str]  # of the nodes, also of those that are dead
    heartbeats: Rule  # of D, which do not reach A
    updates: Rule  # of B and C about D, which do not either, until the rule ends
    own: list[Frame]  # UPDATEs by which D itself told A
    others: list[Frame]  # those of B and C that reached A

    def tells_of_itself(self) -> bool:
        """Whether D has sent A an UPDATE; if not, A is made to PING it once more.

        D sends it on its own link to A, which it renews all the time, since no PING is answered: in
        step with A's PINGs it never had one when it needs it.
        """
        if not self.own:
            self.cluster.relay.disconnect("D")
        return bool(self.own)

    def owner_of_first_slot(self, viewer: str) -> str:
        """By its letter the node that owns slot 0, as the viewer says."""
        view = self.cluster[viewer].view()
        return next(
            name
            for name, node_id in self.ids.items()
            if any(each.split("-")[0] == "0" for each in view[node_id].slots)
        )


def _reaching(relay: BusRelay, receiver: str, *senders: str) -> list[Frame]:
    """The UPDATEs of these senders that go to the node, as they come by."""
    seen: list[Frame] = []

    def watch(frame: Frame) -> None:
        if _is_update(frame, receiver, *senders):
            seen.append(frame)

    relay.watch(watch)
    return seen


def _is_update(frame: Frame, receiver: str, *senders: str) -> bool:
    update = frame.message_type == MessageType.UPDATE
    return update and frame.receiver == receiver and frame.sender in senders


@pytest.fixture(params=["valkey", "redis"])
def comeback(shop: Workshop, relay: BusRelay, request: pytest.FixtureRequest) -> Comeback:
    cluster = join(relay, shop, dict.fromkeys("ABCD", request.param), masters="ABC")
    follow(cluster, {"D": "A"})
    ids = {name: cluster.by_id(name) for name in "ABCD"}
    a, b, c, d = ids.values()
    cluster["A"].kill()
    heard = lambda: all(cluster[name].view()[d].slots for name in "BCD")  # noqa: E731 - asked again
    wait_until(heard, 30, what="D is known as the master of A's slots")

    return Comeback(
        cluster,
        ids,
        relay.drop(selects(types=HEARTBEATS, sender=d, receiver=a)),
        relay.drop(lambda frame: _is_update(frame, a, b, c)),
        _reaching(relay, a, d),
        _reaching(relay, a, b, c),
    )


def test_an_old_master_that_was_told_by_its_successor_believes_nobody_else(
    comeback: Comeback,
) -> None:
    cluster = comeback.cluster
    cluster["A"].start()
    wait_until(comeback.tells_of_itself, 30, every=0.4, what="D tells A of itself")
    cluster.relay.call(lambda: None)  # what was seen has gone on to A
    cluster["D"].kill()
    comeback.updates.end()
    comeback.others.clear()

    wait_until(lambda: len(comeback.others) >= UPDATES, 60, what="B and C correct A in vain")

    assert is_master(cluster["A"])
    assert comeback.owner_of_first_slot("A") == "A"
    assert comeback.owner_of_first_slot("B") == comeback.owner_of_first_slot("C") == "D"

    cluster["A"].cluster("BUMPEPOCH")
    agreed = lambda: {comeback.owner_of_first_slot(n) for n in "ABC"} == {"A"}  # noqa: E731
    wait_until(agreed, 30, what="a newer epoch of A ends it")


def test_an_old_master_that_others_tell_first_follows_its_successor(comeback: Comeback) -> None:
    """The control: the same, but that D's own UPDATE comes too late."""
    cluster = comeback.cluster
    a, d = comeback.ids["A"], comeback.ids["D"]
    cluster.relay.drop(selects(sender=d, receiver=a))
    comeback.updates.end()
    cluster["A"].start()

    wait_until(lambda: not is_master(cluster["A"]), 30, what="A follows")

    assert cluster["A"].view()[a].replicaof == d

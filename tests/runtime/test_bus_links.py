"""Links of the bus: what waits on them, and what the log says of elections.

Clauses: RT-8, RT-9.
"""

import asyncio
import logging
from collections.abc import Callable

import attrs
import pytest
from typing_extensions import override

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.core.types import Health, Link, NodeId
from reference.pacing.pace import Candidacy, Pace
from reference.pacing.pacemaker import begin
from reference.runtime.bus.candidacy_log import tell_of_candidacy
from reference.runtime.bus.connections import Bus, BusLink
from tests.builders import A1, A, B, change, view


class _Owner:
    """Who hears nothing of what happens on the links."""

    def link_opened(self, link: BusLink) -> None:
        """It stands."""

    def link_lost(self, link: BusLink) -> None:
        """It is gone."""

    def frame_received(self, link: BusLink, frame: bytes) -> None:
        """A message came."""

    def unreachable(self, _node_id: NodeId) -> bool:
        """Everybody can be reached."""
        return False


class _Wire(asyncio.Transport):
    """A connection whose other side reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.aborted = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    @override
    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.writes))

    @override
    def is_closing(self) -> bool:
        return self.aborted

    @override
    def abort(self) -> None:
        self.aborted = True


def _on_link(test: Callable[[Bus, BusLink, _Wire], object]) -> None:
    async def run() -> None:
        bus, wire = Bus(_Owner(), light_headers=False), _Wire()
        link = BusLink(bus, Link.OUTBOUND, B)
        bus.outbound[B] = link
        link.connection_made(wire)
        test(bus, link, wire)
        await asyncio.sleep(0)
        if not link.closed:
            assert wire.writes == [b"onetwo"]

    asyncio.run(run())


def test_messages_of_one_moment_leave_together_and_count_until_then() -> None:
    def test(_bus: Bus, link: BusLink, wire: _Wire) -> None:
        link.send(b"one")
        link.send(b"two")

        assert wire.writes == []
        assert link.unsent == 6

    _on_link(test)


@pytest.mark.parametrize(("limit", "closed"), [(0, 0), (54, 0), (53, 1), (1, 1)])
def test_a_link_is_closed_once_too_much_waits_for_it(limit: int, closed: int) -> None:
    def test(bus: Bus, link: BusLink, wire: _Wire) -> None:
        link.send(b"one")
        link.send(b"two")
        bus.drop_overfull(limit)

        assert (bus.overfull, wire.aborted, len(bus.outbound)) == (closed, closed, 1 - closed)

    _on_link(test)


def _pace(rules: Rules, candidacy: Candidacy | None) -> Pace:
    pace = begin(view(A1, rules=rules), now=0, node_timeout=1000, entropy=1)
    return attrs.evolve(pace, candidacy=candidacy, repl_offset=5)


SOON = Candidacy(auth_time=800, earliest=100, rank=1)


@pytest.mark.parametrize(
    ("rules", "old", "new", "text"),
    [
        (REDIS_7_0, None, SOON, "delayed for 700 milliseconds (rank #1, offset 5)."),
        (VALKEY_9_1, None, SOON, "(rank #1, primary rank #0, offset 5)."),
        (REDIS_7_0, attrs.evolve(SOON, sent=True), SOON, "delayed for 700 milliseconds"),
        (
            REDIS_7_0,
            attrs.evolve(SOON, rank=0, auth_time=300),
            SOON,
            "rank updated to #1, added 500 milliseconds of delay.",
        ),
        (REDIS_7_0, SOON, SOON, ""),
        (REDIS_7_0, SOON, attrs.evolve(SOON, sent=True), ""),
        (REDIS_7_0, SOON, None, ""),
    ],
)
def test_the_log_tells_when_a_replica_is_to_stand(
    rules: Rules,
    old: Candidacy | None,
    new: Candidacy | None,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = logging.LoggerAdapter(logging.getLogger(__name__), {})

    tell_of_candidacy(log, _pace(rules, old), _pace(rules, new), view(A1, rules=rules), 100)

    assert bool(caplog.messages) == bool(text)
    assert text in "".join(caplog.messages)


@pytest.mark.parametrize(
    ("rules", "rank", "announcing", "told"),
    [
        (VALKEY_9_1, 0, 1, "This is the best ranked replica and can initiate the election"),
        (VALKEY_9_1, 1, 1, "Start of election delayed"),
        (VALKEY_9_1, 0, 0, "Start of election delayed"),
        (REDIS_7_0, 0, 1, "Start of election delayed"),
    ],
)
def test_the_log_tells_of_the_best_who_need_not_wait(
    rules: Rules,
    rank: int,
    announcing: int,
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log = logging.LoggerAdapter(logging.getLogger(__name__), {})
    state = change(view(A1, rules=rules), A, health=Health.FAIL)
    if announcing:
        state = change(state, A1, my_master_failed=True)
    at_once = Candidacy(auth_time=100, earliest=100, rank=rank)
    later = attrs.evolve(at_once, auth_time=900)

    tell_of_candidacy(log, _pace(rules, None), _pace(rules, at_once), state, 100)
    fresh = caplog.messages[0]
    caplog.clear()
    tell_of_candidacy(log, _pace(rules, later), _pace(rules, at_once), state, 100)

    assert fresh.startswith(told)
    became = [each for each in caplog.messages if each.startswith("Myself become the best")]
    assert bool(became) == told.startswith("This is")

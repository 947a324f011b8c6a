"""Each kind of link lets happen what it should, and nothing else.

Clauses: none, the engine knows no protocol.
"""

import attrs
import pytest
from typing_extensions import override

from model_check.engine import Exploration, Limits, explore
from model_check.links import parse_links
from model_check.system import Send
from tests.model.toys import Beacon, Stream, someone

BREAK_ONCE = {"break": 1}


def reaches(system: Stream | Beacon, links: str, state: object) -> bool:
    """Whether process 1 is in that state in some reachable state."""
    found = explore(system, parse_links(links), [someone("it", 1, state)], Limits())
    return found.properties[0].verdict == "holds"


def run(system: Stream | Beacon, links: str) -> Exploration:
    return explore(system, parse_links(links), (), Limits())


@pytest.mark.parametrize(
    ("links", "budgets", "overtakes"),
    [
        ("held(0)", {}, False),
        ("held(1)", {}, True),
        ("held(1,fifo)", {}, False),
        ("held(2,fifo)", {}, False),
        ("fifo(2)", {}, False),
        ("fifo(2)", {"break": 0}, False),
        ("fifo(2)", BREAK_ONCE, True),
        ("flight(2)", {}, True),
        ("set", {}, True),
    ],
)
def test_later_message_overtakes(links: str, budgets: dict[str, int], *, overtakes: bool) -> None:
    assert overtakes == reaches(Stream(last=2, budgets=budgets), links, (2, 1))


@pytest.mark.parametrize(
    ("links", "overtakes"), [("held(1,fifo)", True), ("fifo(1)", True), ("set", True)]
)
def test_message_overtakes_on_another_lane(links: str, *, overtakes: bool) -> None:
    assert overtakes == reaches(Stream(last=2, lanes=2), links, (2, 1))


@pytest.mark.parametrize(
    ("links", "budgets", "lost"),
    [
        ("held(0)", {}, True),
        ("held(2,fifo)", {}, True),
        ("fifo(2)", {}, False),
        ("fifo(2)", BREAK_ONCE, True),
        ("set", {}, True),
    ],
)
def test_message_is_lost(links: str, budgets: dict[str, int], *, lost: bool) -> None:
    assert lost == reaches(Stream(last=2, budgets=budgets), links, (2,))


@pytest.mark.parametrize(
    ("links", "twice"),
    [("held(2)", False), ("fifo(2)", False), ("flight(2)", False), ("set", True)],
)
def test_message_arrives_twice(links: str, *, twice: bool) -> None:
    assert twice == reaches(Stream(last=1, budgets=BREAK_ONCE), links, (1, 1))


@pytest.mark.parametrize(("capacity", "reversible"), [(1, False), (2, True)])
def test_so_many_messages_are_held_at_a_time(capacity: int, *, reversible: bool) -> None:
    reversal = Stream(last=3, longest=3)

    assert reversible == reaches(reversal, f"held({capacity})", (3, 2, 1))


def test_full_queue_disables_the_step_and_is_reported() -> None:
    small, large = Stream(last=2, at_once=2), Stream(last=2)

    assert not reaches(small, "fifo(1)", (1,))
    assert run(small, "fifo(1)").bounds_hit
    assert not run(small, "fifo(2)").bounds_hit
    assert reaches(large, "fifo(1)", (1, 2))
    assert run(large, "fifo(1)").bounds_hit


def test_break_keeps_every_beginning_of_the_queue() -> None:
    stream = Stream(last=3, at_once=3, longest=3, budgets=BREAK_ONCE)
    ends = [(), (1,), (1, 2), (1, 2, 3)]

    found = explore(
        stream, parse_links("fifo(3)"), [someone(str(end), 1, end) for end in ends], Limits()
    )

    assert found.verdict == "holds"
    # Not sent; 0 to 3 delivered; after a break, with what is left to read, at most 3 in all.
    assert found.distinct_states == 1 + 4 + (4 + 3 + 2 + 1)


def test_second_break_replaces_the_leftover() -> None:
    stream = Stream(last=2, budgets={"break": 2})

    assert reaches(stream, "fifo(2)", (2, 1))
    assert not reaches(attrs.evolve(stream, last=3, longest=3), "fifo(1)", (3, 2, 1))


def test_break_shows_in_the_trace() -> None:
    stream = Stream(last=2, budgets=BREAK_ONCE)

    found = explore(stream, parse_links("fifo(2)"), [someone("2 1", 1, (2, 1))], Limits())

    assert found.properties[0].trace is not None
    steps = found.properties[0].trace.steps
    assert [step.kind for step in steps] == ["move", "break", "move", "deliver", "deliver_held"]
    assert (steps[1].channel, steps[1].kept) == ((0, 1, 0), 1)


def test_heartbeat_is_fused_with_its_delivery() -> None:
    found = explore(
        Beacon(crashes=0), parse_links("held(0)"), [someone("heard", 1, "new heard")], Limits()
    )

    assert (found.distinct_states, found.transitions) == (2, 1)
    assert found.properties[0].trace is not None
    (step,) = found.properties[0].trace.steps
    assert (step.kind, step.event, step.message) == ("deliver", "beat", "beat")
    assert (step.process, step.channel) == (1, (0, 1, 0))
    assert (step.before, step.after) == ("new", "new heard")


def test_heartbeat_is_fused_with_being_held() -> None:
    found = run(Beacon(crashes=0), "held(1)")

    # Heard or not, held or not; delivered twice when it is already heard changes what is held.
    assert (found.distinct_states, found.transitions) == (4, 6)


@pytest.mark.parametrize(
    ("links", "survives"),
    [
        ("held(1)", False),
        ("held(1,fifo)", False),
        ("fifo(1)", False),
        ("flight(1)", False),
        ("set", True),
    ],
)
def test_crash_loses_what_is_on_its_way_to_the_process(links: str, *, survives: bool) -> None:
    # The beat lies in the network, so what is heard after a restart was on its way before.
    assert survives == reaches(SentFirst(), links, "old heard")


@attrs.frozen
class SentFirst(Beacon):
    """The beat lies in the network at the start, and none is sent any more."""

    @override
    def initial(self) -> tuple[str, ...]:
        return ("off", "new")

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[str]], ...]:
        return ((0, Send(1, "beat")),)


@pytest.mark.parametrize("links", ["held(0)", "held(0,fifo)", "fifo(1)", "flight(1)", "set"])
def test_initial_messages_may_arrive(links: str) -> None:
    assert reaches(SentFirst(), links, "new heard")


@attrs.frozen
class StaleTwice(SentFirst):
    """Two stale beats on different lanes, and one twice."""

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[str]], ...]:
        return tuple((0, Send(1, message)) for message in ("beat", "beat", "other"))


def test_stale_messages_need_room_in_a_queue() -> None:
    run(StaleTwice(), "fifo(2)")

    with pytest.raises(ValueError, match="no room for the initial message"):
        run(StaleTwice(), "fifo(1)")
    with pytest.raises(ValueError, match="no room for the initial messages"):
        run(StaleTwice(), "flight(1)")


def test_stale_messages_are_held_beyond_the_capacity() -> None:
    found = run(StaleTwice(crashes=0), "held(1)")

    # Both held; the first or the other held, heard; none held, heard.
    assert found.distinct_states == 4


def test_budget_is_spent() -> None:
    found = run(Beacon(crashes=0), "held(0)")
    crashed = run(Beacon(crashes=1), "held(0)")

    assert (1, "crash") not in found.fired
    assert crashed.fired[1, "crash"] == 1
    assert not reaches(Beacon(crashes=0), "held(0)", "down")


def test_flight_without_room_disables_the_step_and_is_reported() -> None:
    stream = Stream(last=2, at_once=2, lanes=2)

    for full in ("flight(1)", "flight(2,0)"):
        assert not reaches(stream, full, (1,))
        assert run(stream, full).bounds_hit
    assert reaches(stream, "flight(2,1)", (2, 1))
    assert not run(stream, "flight(2,1)").bounds_hit


@pytest.mark.parametrize(("links", "states"), [("flight(1)", 3), ("flight(1,lossy)", 4)])
def test_nothing_in_flight_is_lost_unless_it_may_be(links: str, states: int) -> None:
    # Not sent, in flight, received; with loss, also neither in flight nor received.
    assert run(Stream(last=1), links).distinct_states == states


def test_equal_messages_in_flight_merge_whoever_sent_them() -> None:
    found = run(TwoBeacons(), "flight(2)")

    # Nothing sent; one or both have sent, in flight or heard; one heard, the other in flight.
    assert not found.bounds_hit
    assert found.tables["contents"] == 2


@attrs.frozen
class TwoBeacons(Beacon):
    """Two beacons that send the same beat once each, to process 1."""

    silent: bool = True
    crashes: int = 0
    processes: tuple[str, ...] = ("beacon", "listener", "other beacon")

    @override
    def initial(self) -> tuple[str, ...]:
        return ("on", "new", "on")

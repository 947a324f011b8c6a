"""How long a replaced master and its successor both take writes, over every way of a scope.

Clauses: PA-P1, CS-3, PA-1, PA-3, PA-8, PA-11, PA-23, PA-30.
"""

import json
from functools import cache
from itertools import pairwise
from typing import Any, Final

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from model_check.timed.apart import NEVER, UNSTEADY, Apart
from model_check.timed.bound import Setting, bound
from model_check.timed.command import command
from model_check.timed.instants import TimedNode, later
from model_check.timed.scope import NAMES, NEW, OLD, Scope
from model_check.timed.search import Window, longest_window
from model_check.timed.telling import tell
from model_check.timed.world import World, Worlds
from reference.core.events import Event, HeartbeatDue, PongOverdue, Received
from reference.core.messages import Pong
from reference.core.rules import DIALECTS, REDIS_7_0, VALKEY_9_1, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Link, NodeId
from reference.pacing.availability import Availability, judge
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Dial, Drop, after_step, due
from tests.builders import says
from tests.timing.picture import HERE, PICTURE, picture

TICK: Final = 100
MANY: Final = 200_000


def _found(scope: Scope, max_worlds: int = MANY) -> Window:
    return longest_window(Worlds(scope), max_worlds)


@cache
def _window(dialect: str, node_timeout: int, **more: Any) -> int:
    """The longest window in milliseconds."""
    scope = Scope(rules=DIALECTS[dialect], node_timeout=node_timeout, tick=TICK, **more)
    found = _found(scope)
    assert found.complete
    assert found.longest is not None
    assert found.total is not None
    assert found.longest <= found.total
    assert found.longest * TICK <= scope.bound
    return found.longest * TICK


# What is found, against what is argued.


def test_a_message_that_is_late_lets_the_window_reach_the_bound() -> None:
    """NT/2, a round, and the delay: with the best ranked replica there is nothing to take off."""
    assert _window("valkey-9.1", 200, delay=1, late=3) == 100 + 100 + 100


@pytest.mark.parametrize("node_timeout", [200, 400, 800])
def test_without_delay_the_window_is_shorter_by_the_grain_of_time(node_timeout: int) -> None:
    found = _window("valkey-9.1", node_timeout)

    assert found == node_timeout // 2 + 100 - TICK


def test_a_finer_grain_stays_near_the_bound() -> None:
    """Within two grains: what B tells C waits for a round, which both have at the same time."""
    scope = Scope(rules=VALKEY_9_1, node_timeout=200, tick=50)

    found = _found(scope)

    assert found.longest is not None
    assert scope.bound - 2 * 50 <= found.longest * 50 <= scope.bound


def test_an_election_that_waits_shortens_the_window_by_its_delay() -> None:
    """At 400 ms nothing is left of it: D takes over after A has stopped."""
    assert _window("redis-7.0", 400) == 0
    assert _window("redis-7.0", 1200) == 1200 // 2 + 100 - TICK - 500


def test_a_slow_clock_of_the_old_master_makes_the_window_longer() -> None:
    """The more so the slower it is."""
    drifts = (0, 4, 2)
    slow = frozenset({OLD})
    found = [_window("valkey-9.1", 400, slow=slow if n else frozenset(), drift=n) for n in drifts]

    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_longer_delay_makes_the_window_longer() -> None:
    found = [_window("valkey-9.1", 200, delay=n, late=1 if n else 0) for n in range(3)]

    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_second_cut_gives_the_old_master_all_of_its_time_again() -> None:
    """It is reached for a moment, before its successor is elected, and nobody tells it anything."""
    once = _window("valkey-9.1", 200)
    twice = _window("valkey-9.1", 200, cuts=2, heals=1)

    assert once == 100
    assert twice == 400  # of 500 after the PONG, one before there is a successor


def test_a_master_that_goes_on_after_a_pause_may_serve_before_it_reads() -> None:
    assert _window("valkey-9.1", 200, cuts=0, pauses=1) == TICK


@pytest.mark.parametrize(("node_timeout", "longest"), [(200, 300), (400, 500)])
def test_a_master_that_goes_on_while_it_is_cut_off_serves_beside_its_successor(
    node_timeout: int, longest: int
) -> None:
    """It has not noticed yet whom it misses, and nobody can tell it: NT, and a round."""
    assert _window("valkey-9.1", node_timeout, pauses=1) == longest


def test_the_picture_shows_what_is_found() -> None:
    """The smallest scopes are explored once more, and the picture is the one of the figures."""
    found, measured = (
        json.loads((HERE / name).read_text()) for name in ("found.json", "measured.json")
    )
    again = [
        row["longest"] == _window(row["dialect"], row["node_timeout"])
        for row in found
        if row["node_timeout"] <= 400 and not row["delay"] and not row["drift"]
    ]

    assert again == [True, True, True]
    assert all(row["longest"] <= row["bound"] for row in found)
    assert all(row["window"] <= row["bound"] for row in measured if not row["paused"])
    assert PICTURE.read_text() == picture(found, measured), "run: python -m tests.timing.picture"


# What must be noticed.


def _never_in_a_minority(
    availability: Availability, state: ClusterState, *, now: int, node_timeout: int
) -> Availability:
    """The pacemaker's judgement, of a node that does not mind whom it reaches."""
    judged = judge(availability, state, now=now, node_timeout=node_timeout)
    return attrs.evolve(judged, serving=True)


def test_a_node_that_does_not_notice_a_minority_serves_for_ever() -> None:
    scope = Scope(rules=VALKEY_9_1, node_timeout=200, tick=TICK, judged_by=_never_in_a_minority)

    found = _found(scope)

    assert found.longest is None
    assert found.total is None
    assert found.path[-1].both


def test_a_node_that_pings_too_seldom_breaks_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in NT, and not in NT/2 (PA-3)."""
    monkeypatch.setattr(Pace, "ping_interval", property(lambda pace: pace.node_timeout))
    scope = Scope(rules=VALKEY_9_1, node_timeout=400, tick=TICK)

    found = _found(scope)

    assert found.longest is not None
    assert found.longest * TICK > scope.bound


def test_the_bound_is_not_about_a_cut_in_one_direction() -> None:
    """What A hears of the other masters is a sign of life to it, and nobody hears A's claim."""
    scope = Scope(rules=VALKEY_9_1, node_timeout=200, tick=TICK, one_way=True)

    found = _found(scope)

    assert found.longest is not None
    assert found.longest * TICK > scope.bound


def test_a_search_that_hits_its_limit_says_so() -> None:
    scope = Scope(rules=VALKEY_9_1, node_timeout=200, tick=TICK)

    assert not _found(scope, max_worlds=20).complete


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("--node-timeout 200", 0, "within the bound"),
        ("--node-timeout 200 --max-worlds 20", 3, "incomplete"),
        ("--node-timeout 250", 2, "half of the node timeout"),
        ("--node-timeout 200 --delay 50", 2, "multiple of --tick"),
        ("--node-timeout 400 --story", 0, "BOTH TAKE WRITES"),
    ],
)
def test_the_command_tells_what_it_found(options: str, code: int, text: str) -> None:
    done = CliRunner().invoke(command, ["--dialect", "valkey-9.1", *options.split()])

    assert (done.exit_code, text in done.output) == (code, True), done.output


def test_the_command_fails_where_a_window_is_longer_than_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("model_check.timed.scope.bound", lambda *_, **__: 0)

    done = CliRunner().invoke(command, ["--dialect", "valkey-9.1", "--node-timeout", "200"])

    assert (done.exit_code, "longer than the bound" in done.output) == (1, True), done.output


def test_the_story_ends_with_both() -> None:
    worlds = Worlds(Scope(rules=VALKEY_9_1, node_timeout=400, tick=TICK))
    window = longest_window(worlds, MANY)

    lines = [line.what for line in tell(worlds, window)]

    cut = next(at for at, what in enumerate(lines) if "CUT OFF" in what)
    won = next(at for at, what in enumerate(lines) if "won the election" in what)
    both = next(at for at, what in enumerate(lines) if "BOTH TAKE WRITES" in what)
    assert cut < won < both


# A that is cut off for good, and the others, who are alike then if the successor is.


@pytest.mark.parametrize(
    ("dialect", "node_timeout", "more"),
    [
        ("valkey-9.1", 400, {}),
        ("redis-7.0", 400, {}),
        ("valkey-9.1", 200, {"delay": 1, "late": 1}),
        ("valkey-9.1", 200, {"slow": frozenset({OLD}), "drift": 2}),
    ],
)
def test_one_for_all_finds_the_same_windows(
    dialect: str, node_timeout: int, more: dict[str, Any]
) -> None:
    scope = Scope(rules=DIALECTS[dialect], node_timeout=node_timeout, tick=TICK, **more)

    few = _found(scope)
    all_of_them = longest_window(Worlds(scope, one_for_all=False), MANY)

    assert few.complete
    assert few.worlds < all_of_them.worlds
    assert (few.longest, few.total) == (all_of_them.longest, all_of_them.total)


@pytest.mark.parametrize(
    ("dialect", "more", "instants"),
    [
        ("valkey-9.1", {}, 7),
        ("redis-7.0", {}, 7),
        ("valkey-9.1", {"delay": 1, "late": 1}, 3),
        ("redis-7.0", {"delay": 1, "late": 1}, 3),
    ],
)
def test_what_is_in_doubt_until_it_is_read_may_as_well_be_lost_in_the_cut(
    dialect: str, more: dict[str, Any], instants: int
) -> None:
    """After each instant the nodes can be in the same states, with the same to go wrong yet."""
    scope = Scope(
        rules=DIALECTS[dialect], node_timeout=200, tick=TICK, cuts=1, heals=1, pauses=1, **more
    )
    late, at_once = Worlds(scope), Worlds(scope, lost_when_cut=True)
    few, many = set(late.starts()), set(at_once.starts())
    for _ in range(instants):
        few, many = _all_after(late, few), _all_after(at_once, many)

        assert _apart_from_what_waits(late, few) == _apart_from_what_waits(at_once, many)
    assert len(few) < len(many)


def _all_after(worlds: Worlds, before: set[World]) -> set[World]:
    return {
        after for each in before if not worlds.is_over(each) for after in worlds.following(each)
    }


def _apart_from_what_waits(worlds: Worlds, found: set[World]) -> set[object]:
    nodes = worlds.clockwork.nodes
    return {
        (tuple(nodes[each].key for each in world.nodes), world._replace(nodes=(), flying=()))
        for world in found
    }


def test_the_way_to_the_window_is_one_that_nodes_go() -> None:
    """Each world of it follows the one before, and not only one that stands for it."""
    worlds = Worlds(Scope(rules=VALKEY_9_1, node_timeout=200, tick=TICK, pauses=1))

    way = longest_window(worlds, MANY).path

    assert sum(world.both for world in way) == 3
    assert way[0] in set(worlds.starts())
    assert all(b in worlds.each_after(a) for a, b in pairwise(way))


def test_what_a_stopped_node_has_not_read_waits_in_the_order_of_its_sending() -> None:
    """What comes later is put behind, in each direction of each connection."""
    worlds = Worlds(Scope(rules=VALKEY_9_1, node_timeout=200, tick=TICK, cuts=0, pauses=1))
    reached, compared = dict.fromkeys(worlds.starts()), 0

    for world in list(reached):
        for _ in range(12):
            after = next(each for each in worlds.following(world) if each.paused)
            for stream in {fly[1:4] for fly in world.flying}:
                waited = [fly for fly in world.flying if fly[1:4] == stream]
                waits = [fly for fly in after.flying if fly[1:4] == stream]
                assert waits[: len(waited)] == waited
                compared += len(waited) > 1
            world = after  # noqa: PLW2901 - the same stop goes on

    assert compared > 100


futures = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, size - 1), min_size=size, max_size=size),
        st.lists(st.booleans(), min_size=size, max_size=size),
    )
)


@given(futures, st.integers(0, 7))
def test_what_is_left_is_what_happens(chain: tuple[list[int], list[bool]], start: int) -> None:
    """States that are alike go the same way; whoever takes writes for good is so far from it."""
    after, writes = chain
    apart = Apart(lambda at: (after[at[0]],), lambda at: writes[at[0]])
    seen, at = list[bool](), start % len(after)
    for _ in range(2 * len(after)):
        seen.append(writes[at])
        at = after[at]

    left = apart.left((start % len(after),))

    if left == NEVER:
        assert not any(seen)
    elif left == UNSTEADY:
        assert any(not later and earlier for earlier, later in pairwise(seen))
    else:
        assert seen == [at >= left for at in range(len(seen))]


# Laws of the bound.

times = st.integers(0, 20_000)
bounds = st.builds(
    Setting,
    node_timeout=times,
    election_delay=st.integers(0, 1000),
    delay=times,
    notice=st.integers(0, 200),
    missed=st.just(1),
    missed_in=st.sampled_from([0, 2, 10, 1000]),
    returns=st.integers(0, 3),
)


@given(bounds, st.sampled_from(["delay", "notice", "returns"]), st.integers(0, 500))
def test_the_bound_grows_with_what_helps_the_old_master(
    setting: Setting, name: str, more: int
) -> None:
    longer = attrs.evolve(setting, **{name: getattr(setting, name) + more})

    assert bound(longer) >= bound(setting)


@given(bounds, st.integers(0, 1000))
def test_the_bound_grows_with_the_node_timeout_by_half(setting: Setting, more: int) -> None:
    """One cut, true clocks, and a window at all."""
    setting = attrs.evolve(setting, returns=0, missed_in=0)
    longer = attrs.evolve(setting, node_timeout=setting.node_timeout + 2 * more)

    if bound(setting):
        assert bound(longer) - bound(setting) == more


@given(bounds)
def test_a_slow_clock_never_makes_the_bound_smaller(setting: Setting) -> None:
    true = attrs.evolve(setting, missed_in=0)

    assert bound(setting) >= bound(true)


# A node whose instants are ages behaves as one with a clock.


@attrs.define
class Clocked:
    """A node as a driver runs it, with a clock that goes on."""

    node: TimedNode
    now: int

    def live(self, ms: int, heard: "Event | None") -> list[object]:
        """Time passes, what is due is done, and something is heard; what was done."""
        self.now += ms
        self._judge()
        pace, actions = due(self.node.pace, self.node.state, self.now, 0)
        self.node = attrs.evolve(self.node, pace=pace)
        done: list[object] = []
        for action in actions:
            match action:
                case Dial() | Drop():
                    continue
                case HeartbeatDue():
                    event: Event = HeartbeatDue(peer=action.peer)
                case _:
                    event = action
            done.append(event)
            self._step(event)
        if heard is not None:
            self._step(heard)
        self._judge()
        return done

    def _step(self, event: Any) -> None:
        state, _ = step(self.node.state, event)
        before = self.node.state
        pace = after_step(self.node.pace, before, state, event, now=self.now, entropy=0)
        self.node = attrs.evolve(self.node, pace=pace, state=state)

    def _judge(self) -> None:
        node = self.node
        judged = judge(
            node.availability, node.state, now=self.now, node_timeout=node.pace.node_timeout
        )
        self.node = attrs.evolve(node, availability=judged)


class Aged(Clocked):
    """The same with a clock that always stands at 0."""

    @override
    def live(self, ms: int, heard: "Event | None") -> list[object]:
        self.node = later(self.node, ms)
        return super().live(0, heard)


def _pong(name: NodeId) -> Event:
    follows, epoch = (NAMES[OLD], 1) if name == NAMES[NEW] else (None, NAMES.index(name) + 1)
    slot = 0 if follows else NAMES.index(name)
    header = says(name, replicaof=follows, config_epoch=epoch, claims=SlotSet.of([slot]))
    return Received(message=Pong(header=header), link=Link.OUTBOUND, link_node=name)


@settings(max_examples=60)
@given(
    st.sampled_from([REDIS_7_0, VALKEY_9_1]),
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([None, *NAMES[1:]])), min_size=1, max_size=60
    ),
)
def test_a_node_whose_instants_are_ages_does_the_same(
    rules: Rules, life: list[tuple[int, NodeId | None]]
) -> None:
    scope = Scope(rules=rules, node_timeout=400, tick=TICK)
    worlds = Worlds(scope)
    start = worlds.clockwork.nodes[next(iter(scope.starts(worlds.clockwork)))[OLD]]
    # No random pings: the round of the clocked one is held where that of the other is.
    clocked, aged = Clocked(start, 0), Aged(start, 0)
    for ticks, name in life:
        clocked.node = attrs.evolve(
            clocked.node, pace=attrs.evolve(clocked.node.pace, round_number=1)
        )
        heard = _pong(name) if name else None

        assert aged.live(ticks * TICK, heard) == clocked.live(ticks * TICK, heard)
        assert aged.node.state == clocked.node.state
        assert aged.node.availability.serving == clocked.node.availability.serving


def test_such_a_life_has_suspicions_in_it() -> None:
    """Or the comparison above would be of nodes that do nothing."""
    scope = Scope(rules=VALKEY_9_1, node_timeout=400, tick=TICK)
    worlds = Worlds(scope)
    start = worlds.clockwork.nodes[next(iter(scope.starts(worlds.clockwork)))[OLD]]
    aged = Aged(start, 0)

    done = [event for _ in range(12) for event in aged.live(TICK, None)]

    assert {type(event) for event in done} == {HeartbeatDue, PongOverdue}
    assert not aged.node.availability.serving

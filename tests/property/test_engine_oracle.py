"""The interned engine finds what the plain explorer finds, on small systems made by chance.

Clauses: none, the engine knows no protocol.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from model_check.engine import Exploration, Limits, explore
from model_check.engine.options import Options
from model_check.engine.oracle import OracleResult, explore_plainly
from model_check.links import parse_links
from model_check.properties import (
    Invariant,
    Property,
    Settles,
    Sometimes,
    StepProperty,
)
from model_check.system import Fairness, Move, Send, Step, System
from model_check.trace import Trace

STATES = 3
SEEING = 10  # the number of the first move that depends on what is seen
MESSAGES = ("a", "b")
COSTS = (None, None, "fault", "break")

TableStep = Step[int, str]


@attrs.frozen
class TableSystem(System[int, str, int]):
    """A system whose every outcome stands in a table."""

    processes: tuple[str, ...]
    budgets: Mapping[str, int]
    start: tuple[int, ...]
    stale: tuple[tuple[int, Send[str]], ...]
    actions: Mapping[tuple[int, int], tuple[tuple[str | None, TableStep], ...]]
    reactions: Mapping[tuple[int, int, str], TableStep | None]
    down: frozenset[tuple[int, int]]
    sights: Mapping[tuple[int, int], tuple[tuple[int, str | None, TableStep], ...]]
    watchers: tuple[int, ...]
    fair: tuple[Fairness, ...]  # of the first and the second move in each state

    @override
    def initial(self) -> tuple[int, ...]:
        return self.start

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[str]], ...]:
        return self.stale

    @override
    def moves(self, process: int, state: int) -> Iterable[Move[int]]:
        for number, (cost, _) in enumerate(self.actions.get((process, state), ())):
            yield Move(number, cost, fault=cost == "fault", fair=self.fair[number])

    @override
    def act(self, process: int, state: int, move: Move[int]) -> TableStep:
        if move.event >= SEEING:
            return self.sights[process, state][move.event - SEEING][2]
        return self.actions[process, state][move.event][1]

    @override
    def looks(self, process: int, state: int) -> bool:
        return bool(self.sights.get((process, state)))

    @override
    def observe(self, process: int, state: int) -> bool:
        return state == 1

    @override
    def moves_seeing(self, process: int, state: int, seen: tuple[Any, ...]) -> Iterable[Move[int]]:
        for number, (other, cost, _) in enumerate(self.sights.get((process, state), ())):
            if seen[other]:
                yield Move(SEEING + number, cost)

    @override
    def receive(self, process: int, state: int, message: str, lane: int) -> TableStep | None:
        return self.reactions[process, state, message]

    @override
    def is_down(self, process: int, state: int) -> bool:
        return (process, state) in self.down


def sends(process: int, count: int) -> st.SearchStrategy[Send[str]]:
    others = [other for other in range(count) if other != process]
    return st.builds(
        Send, st.sampled_from(others), st.sampled_from(MESSAGES), st.sampled_from((0, 0, 1))
    )


def steps(process: int, count: int, most: int) -> st.SearchStrategy[TableStep]:
    sent = st.lists(sends(process, count), max_size=most).map(tuple)
    return st.builds(Step, st.integers(0, STATES - 1), sent)


fairness: st.SearchStrategy[Fairness] = st.sampled_from(("weak", "strong", "none"))


@st.composite
def systems(draw: st.DrawFn) -> TableSystem:
    count = draw(st.integers(2, 3))
    budgets = draw(st.sampled_from(({"fault": 1, "break": 1}, {"fault": 2, "break": 0})))
    actions = {}
    reactions = {}
    sights = {}
    watchers = draw(st.sampled_from(((), (0,), tuple(range(count)))))
    for process in range(count):
        # One reply at most: with two, what is pending would grow for ever.
        reaction = steps(process, count, most=1)
        action_step = steps(process, count, most=2)
        action = st.tuples(st.sampled_from(COSTS), action_step)
        for state in range(STATES):
            beat = st.builds(Step, st.just(state), st.tuples(sends(process, count)))
            heartbeat = st.tuples(st.none(), beat)
            actions[process, state] = tuple(
                draw(st.lists(st.one_of(action, heartbeat), min_size=1, max_size=2))
            )
            if process in watchers:
                sight = st.tuples(st.integers(0, count - 1), st.sampled_from(COSTS), action_step)
                sights[process, state] = tuple(draw(st.lists(sight, max_size=2)))
            for message in MESSAGES:
                reactions[process, state, message] = draw(
                    st.one_of(st.none(), st.just(Step(state)), reaction, reaction)
                )
    local = st.tuples(st.integers(0, count - 1), st.integers(0 if count == 2 else 1, STATES - 1))
    sender = draw(st.integers(0, count - 1))
    stale = draw(st.lists(sends(sender, count), max_size=1))
    return TableSystem(
        processes=("p", "q", "r")[:count],
        budgets=budgets,
        start=(0,) * count,
        stale=tuple((sender, send) for send in stale),
        actions=actions,
        reactions=reactions,
        down=draw(st.frozensets(local, max_size=2)),
        sights=sights,
        watchers=watchers,
        fair=draw(st.tuples(fairness, fairness)),
    )


PROPERTIES: tuple[Property, ...] = (
    Invariant(
        id="not all in 2",
        project=lambda _, state: state == 2,
        judge=lambda in_two: not all(in_two),
    ),
    StepProperty(id="no step from 2 to 0", judge=lambda _, *step: step != (2, 0)),
    Sometimes(id="p is in 1", project=lambda _, state: state, judge=lambda all_: all_[0] == 1),
    Sometimes(id="sum is 5", project=lambda _, state: state, judge=lambda all_: sum(all_) == 5),
    Settles(id="p leaves 0", project=lambda _, state: state, judge=lambda all_: all_[0] != 0),
)
KINDS = (
    "held(0)",
    "held(1)",
    "held(2)",
    "held(3,fifo)",
    "fifo(1)",
    "fifo(2)",
    "flight(2)",
    "flight(3,1)",
    "flight(2,1,lossy)",
    "set",
)


def check_replays(system: System[Any, Any, Any], trace: Trace) -> None:
    local = list(trace.initial)
    assert tuple(local) == system.initial()
    path = [tuple(local)]
    for step in trace.steps:
        assert local[step.process] == step.before
        if step.kind == "move":
            seen = tuple(system.observe(*pair) for pair in enumerate(local))
            moves = [
                *system.moves(step.process, step.before),
                *system.moves_seeing(step.process, step.before, seen),
            ]
            outcomes = [system.act(step.process, step.before, move) for move in moves]
            assert Step(step.after, step.sends) in outcomes
        elif step.kind in {"deliver", "deliver_held"}:
            assert step.channel is not None
            assert step.channel[1] == step.process
            lane = step.channel[2]
            outcome = system.receive(step.process, step.before, step.message, lane)
            assert outcome == Step(step.after, step.sends)
        else:
            assert step.before == step.after
        local[step.process] = step.after
        path.append(tuple(local))
    if trace.loop:
        assert path[-1] == path[-1 - trace.loop]


def compare(found: Exploration, expected: OracleResult, system: TableSystem) -> None:
    counts = (found.distinct_states, found.transitions, found.depth, found.bounds_hit)
    assert counts == (
        expected.distinct_states,
        expected.transitions,
        expected.depth,
        expected.bounds_hit,
    )
    assert found.verdict == expected.verdict
    assert {result.id: result.verdict for result in found.properties} == expected.verdicts
    lengths = {}
    for result in found.properties:
        if result.trace is not None:
            lengths[result.id] = len(result.trace.steps) - result.trace.loop
            check_replays(system, result.trace)
    assert lengths == expected.trace_lengths


# With so little memory all that can be is in files: the table of states is as small as any.
ways = st.sampled_from(({}, {"exact": True}, {"memory": 50_000, "chunk": 20}))
options = st.builds(
    lambda way, **sizes: Options(**(sizes | way)),
    ways,
    workers=st.integers(1, 3),
    chunk=st.sampled_from((20, 1000)),
    part=st.sampled_from((7, 1000)),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)  # of ten kinds: a thousand systems
@given(system=systems(), options=options)
def test_engine_and_oracle_agree(kind: str, system: TableSystem, options: Options) -> None:
    links = parse_links(kind)
    ample = attrs.evolve(options, memory=None)  # which states to keep takes
    whole = explore(system, links, (), Limits(states=600), keep_states=True, options=ample)
    assume(whole.verdict != "incomplete")  # too large for the oracle to be quick

    judged = explore(system, links, PROPERTIES, Limits(), options=options)

    compare(whole, explore_plainly(system, links, ()), system)
    assert whole.graph is not None
    assert len(whole.graph.rows) == whole.distinct_states
    assert len(whole.graph.code) == whole.transitions
    compare(judged, explore_plainly(system, links, PROPERTIES), system)

"""Exploration of every reachable state, breadth first, by whole levels.

The initial state is at depth 0. A level is finished even if a property is violated in it, so that
counts do not depend on how levels are cut into chunks.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from model_check.engine.arrays import Column, Ints, Words
from model_check.engine.batch import Batch, Chunk, Expander
from model_check.engine.boxes import BoxExpander
from model_check.engine.budgets import Budgets
from model_check.engine.exploration import Exploration, Limits, Progress, Watch
from model_check.engine.findings import Find, Findings, step_properties
from model_check.engine.frontier import Frontier
from model_check.engine.held import HeldExpander
from model_check.engine.local import LocalTables
from model_check.engine.numbering import Numbering
from model_check.engine.recorder import Recorder
from model_check.engine.replay import Replay
from model_check.engine.state_graph import StateGraph
from model_check.engine.tally import Tally
from model_check.engine.words import WordTable
from model_check.links import HeldLinks, Links
from model_check.properties import Property, Verdict
from model_check.system import System
from model_check.trace import Trace

CHUNK = 1 << 14
"""States that are expanded at a time."""

Stop = Literal["states", "seconds", "interrupt"]


def explore(
    system: System[Any, Any, Any],
    links: Links,
    properties: Sequence[Property],
    limits: Limits,
    progress: Watch | None = None,
    *,
    states_after_violation: int = 0,
    keep_states: bool = False,
    chunk: int = CHUNK,
) -> Exploration:
    """What holds in every state that the system can reach on these links.

    The result depends on nothing but the system, the links and the properties, unless a limit or
    an interrupt stops it. `progress` is called after each chunk of states. Once a property
    is violated, the exploration goes on to whole levels until `states_after_violation` further
    states are found, to see which others are. With `keep_states` the graph of all states is kept.
    What a method of the system raises comes through.
    """
    search = _Search(system, links, properties, keep_states=keep_states)
    return search.run(limits, progress, chunk, states_after_violation=states_after_violation)


class _Search:
    """One exploration."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: Links,
        properties: Sequence[Property],
        *,
        keep_states: bool,
    ) -> None:
        self._started = time.monotonic()
        self._links = links
        budgets = Budgets(system.budgets)
        self._local = LocalTables(system, budgets, step_properties(properties))
        self._expander: Expander = (
            HeldExpander(system, links, self._local, budgets)
            if isinstance(links, HeldLinks)
            else BoxExpander(system, links, self._local, budgets)
        )
        self._findings = Findings(properties, self._local, links)
        self._keep_states = keep_states
        kept = keep_states or self._findings.need_graph
        self._recorder = Recorder(system, self._local) if kept else None
        self._replay = Replay(system, self._local)
        self._words = WordTable()
        self._numbering = Numbering()  # of fingerprints: the numbers of states
        self._parent = Column()  # of each state; -1 for the initial one
        self._code = Column()  # of the transition from the parent
        self._states_at_violation: int | None = None
        self._transitions = 0
        self._depth = 0
        self._moves = Tally()
        self._deliveries = Tally()

    def run(
        self, limits: Limits, progress: Watch | None, chunk: int, *, states_after_violation: int
    ) -> Exploration:
        """The result, when nothing is left to expand or the limits say stop."""
        stopped: Stop | None = None
        try:
            frontier = self._begin()
            while frontier.size and stopped is None and not self._settled(states_after_violation):
                frontier, stopped = self._expand_level(frontier, limits, progress, chunk)
        except KeyboardInterrupt:
            stopped = "interrupt"
        exhausted = stopped is None and not frontier.size
        return self._result(stopped, exhausted=exhausted)

    def _settled(self, states_after_violation: int) -> bool:
        if not self._findings.violated:
            return False
        if self._states_at_violation is None:
            self._states_at_violation = len(self._parent)
        further = len(self._parent) - self._states_at_violation
        return self._findings.all_violated or further >= states_after_violation

    def _begin(self) -> Frontier:
        row = self._expander.initial()
        self._words.reserve(self._expander.columns, self._expander.values)
        frontier = Frontier(0)
        fingerprint = np.array([self._words.fingerprint(row)])
        _, new = self._numbering.claim(fingerprint)
        self._add(row[np.newaxis], new - 1, new - 1, fingerprint, frontier)
        return frontier

    def _expand_level(
        self, frontier: Frontier, limits: Limits, progress: Watch | None, size: int
    ) -> tuple[Frontier, Stop | None]:
        following = Frontier(frontier.first + frontier.size)
        depth = self._depth
        for first, chunk in frontier.chunks(size, self._expander.columns):
            stop = self._limit_reached(limits)
            if stop is not None:
                return following, stop
            for batch in self._expander.expand(chunk):
                if batch.parent.size:
                    self._depth = depth + 1
                    self._absorb(chunk, first, batch, following)
            if progress is not None:
                waiting = frontier.first + frontier.size - first - len(chunk.rows) + following.size
                progress(
                    Progress(
                        depth=depth,
                        distinct_states=len(self._parent),
                        transitions=self._transitions,
                        waiting=waiting,
                        seconds=time.monotonic() - self._started,
                    )
                )
        self._depth = depth + bool(following.size)
        return following, None

    def _absorb(self, chunk: Chunk, first: int, batch: Batch, following: Frontier) -> None:
        """The transitions are counted and judged, and the states that are new are kept."""
        self._words.reserve(self._expander.columns, self._expander.values)
        chunk.widen(self._expander.columns)
        fingerprints = self._fingerprints(chunk, batch)
        numbers, new = self._numbering.claim(fingerprints)
        self._transitions += len(numbers)
        if batch.move is not None:
            self._moves.add(self._local.move_event.view[batch.move])
        if batch.envelope is not None:
            self._deliveries.add(batch.envelope)
        self._findings.look_at_steps(batch, first)
        if self._recorder is not None:
            self._recorder.add_transitions(batch, first, numbers)
        if new.size:
            parent = batch.parent[new]
            rows = chunk.rows[parent]
            for column, values in batch.edits:
                if isinstance(column, int):
                    rows[:, column] = values[new]
                else:
                    rows[np.arange(len(new)), column[new]] = values[new]
            self._add(rows, parent + first, batch.code[new], fingerprints[new], following)

    def _fingerprints(self, chunk: Chunk, batch: Batch) -> Words:
        fingerprints = chunk.fingerprints.take(batch.parent)
        for column, values in batch.edits:
            fingerprints += self._words.of(column, values)
            fingerprints -= self._words.of(column, chunk.column(column, batch.parent))
        # The numbering reserves the key 0.
        return np.maximum(fingerprints, np.uint64(1), out=fingerprints)

    def _add(
        self, rows: Ints, parents: Ints, codes: Ints, fingerprints: Words, frontier: Frontier
    ) -> None:
        first = len(self._parent)
        self._parent.extend(parents)
        self._code.extend(codes)
        frontier.add(rows, fingerprints)
        states = rows[:, : self._local.process_count]
        self._findings.look_at_states(states, first)
        if self._recorder is not None:
            self._recorder.add_states(states, self._depth)

    def _limit_reached(self, limits: Limits) -> Stop | None:
        if limits.states is not None and len(self._parent) >= limits.states:
            return "states"
        if limits.seconds is not None and time.monotonic() - self._started >= limits.seconds:
            return "seconds"
        return None

    def _path_to(self, find: Find) -> Trace:
        codes = [] if find.code is None else [find.code]
        state = find.state
        while state:
            codes.append(int(self._code.view[state]))
            state = int(self._parent.view[state])
        return self._replay.trace([*reversed(codes), *find.loop], loop=len(find.loop))

    def _graph(self) -> StateGraph | None:
        return None if self._recorder is None else self._recorder.graph(self._replay.describe)

    def _result(self, stopped: Stop | None, *, exhausted: bool) -> Exploration:
        graph = self._graph()
        if exhausted and graph is not None:
            self._findings.look_at_graph(graph)
        properties = self._findings.results(self._path_to, exhausted=exhausted)
        verdicts = {result.verdict for result in properties}
        verdict: Verdict = "holds" if exhausted else "incomplete"
        if "violated" in verdicts:
            verdict = "violated"
        count = len(self._parent)
        return Exploration(
            links=str(self._links),
            verdict=verdict,
            stopped_by=stopped,
            distinct_states=count,
            transitions=self._transitions,
            depth=self._depth,
            seconds=time.monotonic() - self._started,
            step_calls=self._local.calls,
            tables=self._local.sizes() | self._expander.sizes() | self._findings.sizes(),
            bounds_hit=self._expander.bounds_hit,
            missed_probability=count * count / 2.0**65,
            properties=properties,
            fired={self._local.events[event]: count for event, count in self._moves.items()},
            delivered=self._delivered(),
            graph=graph if self._keep_states else None,
        )

    def _delivered(self) -> dict[tuple[int, Any], int]:
        counts: dict[tuple[int, Any], int] = {}
        for envelope, count in self._deliveries.items():
            send = self._local.alphabet.send(envelope)
            key = (send.dest, send.message)
            counts[key] = counts.get(key, 0) + count
        return counts

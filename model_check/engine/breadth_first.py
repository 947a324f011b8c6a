"""Exploration of every reachable state, breadth first, by whole levels.

The initial state is at depth 0. A level is finished even if a property is violated in it, so that
counts do not depend on how levels are cut into chunks.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from model_check.engine.expansion import Expansion
from model_check.engine.exploration import Exploration, Limits, Progress, Watch
from model_check.engine.findings import Find, Findings
from model_check.engine.frontier import Frontier, joined
from model_check.engine.options import Options
from model_check.engine.parts import Part
from model_check.engine.recorder import Recorder
from model_check.engine.replay import Replay
from model_check.engine.state_graph import StateGraph
from model_check.engine.states import States
from model_check.engine.tables import Tables
from model_check.links import Links
from model_check.properties import Property, Verdict
from model_check.system import System
from model_check.trace import Trace

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
    options: Options | None = None,
) -> Exploration:
    """What holds in every state that the system can reach on these links.

    The result depends on nothing but the system, the links and the properties, unless a limit or
    an interrupt stops it. `progress` is called after each chunk of states. Once a property
    is violated, the exploration goes on to whole levels until `states_after_violation` further
    states are found, to see which others are. With `keep_states` the graph of all states is kept.
    What a method of the system raises comes through.
    """
    search = _Search(system, links, properties, options or Options(), keep_states=keep_states)
    return search.run(limits, progress, states_after_violation=states_after_violation)


class _Search:
    """One exploration."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: Links,
        properties: Sequence[Property],
        options: Options,
        *,
        keep_states: bool,
    ) -> None:
        self._started = time.monotonic()
        self._links = links
        self._options = options
        self._tables = Tables(system, links, properties)
        self._local = self._tables.local
        self._findings = Findings(properties, self._tables)
        self._keep_states = keep_states
        kept = keep_states or self._findings.need_graph
        self._recorder = Recorder(system, self._local) if kept else None
        self._replay = Replay(system, self._local)
        self._states = States(numbered=kept, exact=options.exact)
        self._expansion = Expansion(self._tables, self._states, options, record=kept)
        self._states_at_violation: int | None = None
        self._transitions = 0
        self._depth = 0
        self._bounds_hit = False

    def run(
        self, limits: Limits, progress: Watch | None, *, states_after_violation: int
    ) -> Exploration:
        """The result, when nothing is left to expand or the limits say stop."""
        stopped: Stop | None = None
        with self._expansion:
            try:
                frontier = self._begin()
                while frontier.size and not stopped and not self._settled(states_after_violation):
                    frontier, stopped = self._expand_level(frontier, limits, progress)
            except KeyboardInterrupt:
                stopped = "interrupt"
        exhausted = stopped is None and not frontier.size
        return self._result(stopped, exhausted=exhausted)

    def _settled(self, states_after_violation: int) -> bool:
        if not self._findings.violated:
            return False
        if self._states_at_violation is None:
            self._states_at_violation = len(self._states)
        further = len(self._states) - self._states_at_violation
        return self._findings.all_violated or further >= states_after_violation

    def _begin(self) -> Frontier:
        rows = np.array([self._tables.initial()], dtype=np.int32)
        frontier = Frontier(0)
        nobody = np.array([-1], dtype=np.int32)
        self._expansion.begin(rows)
        self._add(rows, nobody, nobody, frontier)
        return frontier

    def _expand_level(
        self, frontier: Frontier, limits: Limits, progress: Watch | None
    ) -> tuple[Frontier, Stop | None]:
        following = Frontier(frontier.first + frontier.size)
        depth = self._depth
        for first, pieces in frontier.chunks(self._options.chunk):
            stop = self._limit_reached(limits)
            if stop is not None:
                return following, stop
            rows = joined(pieces, self._tables.columns)
            for part, at in self._expansion.expand(rows, first):
                if part.transitions:
                    self._depth = depth + 1
                self._absorb(part, first + at, following)
            if progress is not None:
                waiting = frontier.first + frontier.size - first - len(rows) + following.size
                progress(
                    Progress(
                        depth=depth,
                        distinct_states=len(self._states),
                        transitions=self._transitions,
                        waiting=waiting,
                        seconds=time.monotonic() - self._started,
                    )
                )
        self._depth = depth + bool(following.size)
        return following, None

    def _absorb(self, part: Part, first: int, following: Frontier) -> None:
        """The transitions are counted and judged, and the states that are new are kept."""
        self._transitions += part.transitions
        self._bounds_hit |= part.bound_hit
        self._findings.look_at_steps(part.refuted(), first)
        new = self._states.absorb(part.directory, self._tables.columns)
        if self._recorder is not None:
            self._recorder.add_transitions(*part.edges())
        if new:
            self._add(*part.new_states(new), following)

    def _add(self, rows: Any, parents: Any, codes: Any, frontier: Frontier) -> None:  # noqa: ANN401
        first = len(self._states)
        self._states.parents.extend(parents)
        self._states.codes.extend(codes)
        frontier.add(rows)
        self._findings.look_at_states(rows, first)
        if self._recorder is not None:
            self._recorder.add_states(rows[:, : self._local.process_count], self._depth)

    def _limit_reached(self, limits: Limits) -> Stop | None:
        if limits.states is not None and len(self._states) >= limits.states:
            return "states"
        if limits.seconds is not None and time.monotonic() - self._started >= limits.seconds:
            return "seconds"
        return None

    def _path_to(self, find: Find) -> Trace:
        codes = [] if find.code is None else [find.code]
        state = find.state
        while state:
            codes.append(self._states.codes[state])
            state = self._states.parents[state]
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
        count = len(self._states)
        return Exploration(
            links=str(self._links),
            verdict=verdict,
            stopped_by=stopped,
            distinct_states=count,
            transitions=self._transitions,
            depth=self._depth,
            seconds=time.monotonic() - self._started,
            step_calls=self._local.calls,
            tables=self._tables.sizes() | self._findings.sizes(),
            bounds_hit=self._bounds_hit,
            missed_probability=0.0 if self._options.exact else count * count / 2.0**65,
            properties=properties,
            fired=self._expansion.fired(),
            delivered=self._expansion.delivered(),
            graph=graph if self._keep_states else None,
        )

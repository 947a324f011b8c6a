"""One exploration on its way: what is known, what is waiting, and what was found."""

import time
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from model_check.engine.arrays import Narrow
from model_check.engine.checkpoint import CheckpointError, Saved, digest, discard, load, save
from model_check.engine.crew import Crew
from model_check.engine.expansion import Expansion
from model_check.engine.exploration import Exploration, Stop
from model_check.engine.findings import Find, Findings
from model_check.engine.frontier import Frontier, narrowed
from model_check.engine.options import Options
from model_check.engine.parts import Part
from model_check.engine.recorder import Recorder
from model_check.engine.replay import Replay
from model_check.engine.settling import BYTES_FOR_EACH
from model_check.engine.soundness import why_unsound
from model_check.engine.spool import Spool
from model_check.engine.state_graph import StateGraph
from model_check.engine.states import MemoryLimitError, States
from model_check.engine.symmetry import SymmetryError
from model_check.engine.tables import Tables
from model_check.links import Links
from model_check.properties import Property, Verdict
from model_check.system import System
from model_check.trace import Trace

_COUNTERS: Final = (
    "transitions",
    "depth",
    "_level",
    "_bounds_hit",
    "_states_at_violation",
    "_states_of_orbits",
)

_FOR_FAIR_RUNS: Final = 3
"""So many times the memory of all states and transitions is taken to judge what leads to what."""


class Search:
    """The states of one level are expanded, chunk by chunk, to those of the following one."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: Links,
        properties: Sequence[Property],
        options: Options,
        *,
        keep_states: bool,
    ) -> None:
        """Nothing is known yet.

        Raises SymmetryError if symmetry is asked for and would be unsound.
        """
        if options.symmetry:
            _refuse_for_symmetry(properties, keep_states=keep_states)
        self._links = links
        self._options = options
        self._crew = Crew(options.workers)
        self._tables = Tables(system, links, properties, symmetry=options.symmetry, crew=self._crew)
        self._local = self._tables.local
        self._findings = Findings(properties, self._tables, links)
        self._keep_states = keep_states
        kept = keep_states or self._findings.need_graph
        self._recorder = Recorder(system, self._local) if kept else None
        self._settling = self._findings.settling
        record = kept or bool(self._settling)
        self._replay = Replay(system, self._local)
        self._states = States(numbered=record, exact=options.exact, crew=self._crew)
        self._expansion = Expansion(self._tables, self._states, self._crew, options, record=record)
        self._spool = Spool(options.folder)
        self._frontier = Frontier(0)
        self._following = Frontier(0)
        self._states_at_violation = -1
        self._level = 0  # of the states in the frontier
        self._levels: list[int] = []  # the first state of each
        self._bounds_hit = False
        self._states_of_orbits = 0  # with symmetry
        self._most_bytes = 0
        self._saved_at = time.monotonic()
        self.transitions = 0
        self.depth = 0
        self.expanded_depth = 0  # of the states that were expanded last

    def __enter__(self) -> Self:
        self._crew.__enter__()
        self._spool.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._crew.__exit__(kind, error, trace)
        self._spool.__exit__(kind, error, trace)

    @property
    def distinct_states(self) -> int:
        """How many states were found."""
        return len(self._states)

    @property
    def waiting(self) -> int:
        """How many states were found and are not expanded."""
        return self._frontier.size + self._following.size

    def begin(self) -> None:
        """The initial state is known, or all that a checkpoint has."""
        rows = np.array([self._tables.initial()], dtype=np.int32)
        part = self._expansion.begin(rows)
        if not self._restore():
            self._absorb([part])
            self._go_down()

    def finished(self, states_after_violation: int) -> bool:
        """Whether nothing is left to expand, or enough was seen after a violation."""
        if not self.waiting:
            return True
        if self._frontier.first != self._levels[-1] or not self._findings.violated:
            return False
        if self._states_at_violation < 0:
            self._states_at_violation = len(self._states)
        further = len(self._states) - self._states_at_violation
        return self._findings.all_violated or further >= states_after_violation

    def expand_chunk(self) -> None:
        """Some more states of the level are expanded; if they were the last, the next begins."""
        self.expanded_depth = self._level
        parts = self._expansion.expand(self._frontier)
        if any(part.transitions for part in parts):
            self.depth = self._level + 1
        self._absorb(parts)
        if not self._frontier.size:
            self.depth = self._level + bool(self._following.size)
            self._level += 1
            self._go_down()
        self._spare_memory()
        self._save_if_due()

    def look_at_whole(self) -> None:
        """What is asked of all states together is judged, if all are expanded."""
        if self.waiting:
            return
        self._states.close()
        if self._options.memory is not None:
            self._settling.spill(self._spool)
        self._findings.look_where_runs_end(self._levels)
        if self._findings.need_graph and self._recorder is not None:
            self._findings.look_at_fair_runs(self._recorder.graph(self._replay.describe))

    def result(self, stopped: Stop | None, started: float) -> Exploration:
        """What was found, by an exploration that started at that moment of the monotonic clock."""
        exhausted = stopped is None and not self.waiting
        properties = self._findings.results(self._path_to, exhausted=exhausted)
        verdicts = {result.verdict for result in properties}
        verdict: Verdict = "holds" if exhausted else "incomplete"
        if "violated" in verdicts:
            verdict = "violated"
        if stopped is None and self._options.checkpoint is not None:
            discard(self._options.checkpoint)
        count = len(self._states)
        return Exploration(
            links=str(self._links),
            verdict=verdict,
            stopped_by=stopped,
            distinct_states=count,
            states_of_orbits=self._states_of_orbits or None,
            transitions=self.transitions,
            depth=self.depth,
            seconds=time.monotonic() - started,
            step_calls=self._local.calls,
            tables=self._tables.sizes() | self._findings.sizes(),
            state_bytes=self._most_bytes,
            bounds_hit=self._bounds_hit,
            missed_probability=0.0 if self._options.exact else count * count / 2.0**65,
            properties=properties,
            fired=self._expansion.fired(),
            delivered=self._expansion.delivered(),
            graph=self._graph(),
        )

    def _absorb(self, parts: list[Part]) -> None:
        """The transitions are counted and judged, and the states that are new are kept."""
        for part in parts:
            self.transitions += part.transitions
            self._bounds_hit |= part.bound_hit
            self._findings.look_at_steps(part.refuted(), part.first)
        number = len(self._states)
        pieces = self._states.absorb(parts, self._tables.columns)
        if len(self._states) > number:
            self._findings.look_at_states(pieces, number)
        for kept in self._crew.do([partial(narrowed, rows) for rows in pieces]):
            self._following.add(kept)
        if self._tables.symmetries is not None:
            self._states_of_orbits += sum(map(self._tables.symmetries.states_of, pieces))
        self._record(parts, pieces)

    def _record(self, parts: list[Part], pieces: list[Narrow]) -> None:
        """What is judged of all states together is kept."""
        if self._settling:
            for part, rows in zip(parts, pieces, strict=True):
                self._settling.add(part.size, part.edges(), rows)
        if self._recorder is not None:
            for part, rows in zip(parts, pieces, strict=True):
                self._recorder.add_transitions(*part.edges())
                own = rows[:, : self._local.process_count].copy()
                self._recorder.add_states(own, self.depth)

    def _go_down(self) -> None:
        """The level that was found is the one to be expanded."""
        self._frontier = self._following
        self._levels.append(self._frontier.first)
        self._following = Frontier(self._frontier.first + self._frontier.size)

    def _spare_memory(self) -> None:
        """No more memory is taken than may be; raises MemoryLimitError if that can't be."""
        limit = self._options.memory
        waiting = self._frontier.bytes + self._following.bytes
        kept = self._settling.bytes
        firm = 0 if self._recorder is None else _FOR_FAIR_RUNS * self._recorder.bytes
        used = self._states.bytes + waiting + kept + firm
        self._most_bytes = max(self._most_bytes, self._states.take_peak() + waiting + kept + firm)
        if limit is None:
            return
        self._states.most = limit - firm
        growth = self._states.bytes_to_grow
        if used + growth > limit:
            self._following.spill(self._spool)
            self._frontier.spill(self._spool)
            self._settling.spill(self._spool)
            if self._states.numbered or self._states.bytes + growth > limit:
                self._states.spill(self._spool)
        if self._settling:
            firm += max(self._states.bytes, BYTES_FOR_EACH * len(self._states))
        elif self._states.numbered:
            firm += self._states.bytes
        if firm > limit:
            raise MemoryLimitError("what is asked of all states together takes too much")

    def _path_to(self, find: Find) -> Trace:
        codes = [] if find.code is None else [find.code]
        state = find.state
        while state:
            codes.append(self._states.codes[state])
            state = self._states.parents[state]
        return self._replay.trace([*reversed(codes), *find.loop], loop=len(find.loop))

    def _graph(self) -> StateGraph | None:
        if self._recorder is None or not self._keep_states:
            return None
        return self._recorder.graph(self._replay.describe)

    def _save_if_due(self) -> None:
        folder = self._options.checkpoint
        due = time.monotonic() - self._saved_at >= self._options.checkpoint_seconds
        if folder is not None and due and self.waiting:
            save(folder, self._to_save())
            self._saved_at = time.monotonic()

    def _to_save(self) -> Saved:
        arrays: dict[str, Any] = {
            "frontier": self._frontier.rows(self._tables.columns),
            "following": self._following.rows(self._tables.columns),
            "computed": np.array(self._tables.memo.computed, dtype=np.int64),
            **self._states.to_save(),
            **self._expansion.to_save(),
            **({} if self._recorder is None else self._recorder.to_save()),
            **(self._settling.to_save() if self._settling else {}),
        }
        meta = {
            "identity": self._options.identity,
            "digest": self._digest(),
            "frontier_first": self._frontier.first,
            "levels": self._levels,
            "finds": self._findings.to_save(),
            **{name: getattr(self, name) for name in _COUNTERS},
        }
        return Saved(meta=meta, arrays=arrays)

    def _restore(self) -> bool:
        """Whether there was a checkpoint to go on from."""
        folder = self._options.checkpoint
        saved = load(folder) if folder is not None and self._options.resume else None
        if saved is None:
            return False
        if saved.meta["identity"] != self._options.identity:
            raise CheckpointError(f"{folder}: the checkpoint is of {saved.meta['identity']}")
        self._tables.recompute(saved.arrays["computed"])
        if saved.meta["digest"] != self._digest():
            raise CheckpointError(f"{folder}: the system does not do what it did then")
        for name in _COUNTERS:
            setattr(self, name, saved.meta[name])
        self._states.restore(saved.arrays)
        self._expansion.restore(saved.arrays)
        if self._recorder is not None:
            self._recorder.restore(saved.arrays)
        if self._settling:
            self._settling.restore(saved.arrays)
        self._findings.restore(saved.meta["finds"])
        self._frontier = Frontier(saved.meta["frontier_first"])
        self._frontier.add(narrowed(saved.arrays["frontier"]))
        self._levels = saved.meta["levels"]
        self._following = Frontier(self._frontier.first + self._frontier.size)
        self._following.add(narrowed(saved.arrays["following"]))
        return True

    def _digest(self) -> str:
        """What the tables have come to."""
        return digest([*self._local.states.values, *self._local.alphabet.arrivals.values])


def _refuse_for_symmetry(properties: Sequence[Property], *, keep_states: bool) -> None:
    reasons = why_unsound(properties, ["symmetry"])
    if reasons:
        raise SymmetryError("; ".join(reasons))
    if keep_states:
        raise SymmetryError("the graph of all states is asked for, and symmetry leaves most out")

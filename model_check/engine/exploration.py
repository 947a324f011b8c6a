"""What an exploration found."""

from collections.abc import Callable, Hashable, Mapping
from typing import Literal

import attrs

from model_check.engine.state_graph import StateGraph
from model_check.properties import Kind, Verdict
from model_check.trace import Trace

Stop = Literal["states", "seconds", "memory", "interrupt"]
"""What ended an exploration early."""


@attrs.frozen
class Limits:
    """Where an exploration stops at the latest; None is no limit.

    Both are looked at between parts of a level, so an exploration goes a little beyond them.
    """

    states: int | None = None
    seconds: float | None = None


@attrs.frozen(kw_only=True)
class Progress:
    """How far an exploration is."""

    depth: int  # of the states that are being expanded
    distinct_states: int
    transitions: int
    waiting: int  # states found and not expanded
    seconds: float


Watch = Callable[[Progress], None]


@attrs.frozen(kw_only=True)
class PropertyResult:
    """What was found about one property.

    The trace is the shortest counterexample of a violated invariant or step property, and the
    shortest path to a witness of a `sometimes` that holds.
    """

    id: str
    kind: Kind
    verdict: Verdict
    trace: Trace | None


@attrs.frozen(kw_only=True)
class Exploration:
    """What was found about a system on its links.

    The verdict is "violated" if a property is, else "incomplete" unless every reachable state
    was expanded, else "holds".
    """

    links: str
    verdict: Verdict
    stopped_by: Stop | None
    distinct_states: int
    transitions: int  # those that change anything
    depth: int  # transitions on a shortest path to the farthest state; 0 for the initial state
    seconds: float
    step_calls: int  # of System.act and System.receive
    tables: Mapping[str, int]  # sizes of what was interned
    bounds_hit: bool  # a transition could not be made since a queue was full
    missed_probability: float  # at most, that two states had one fingerprint and one was missed
    properties: tuple[PropertyResult, ...]
    fired: Mapping[tuple[int, Hashable], int]  # (process, event): transitions that made the move
    delivered: Mapping[tuple[int, Hashable], int]  # (receiver, message): transitions
    graph: StateGraph | None  # if it was asked for
    states_of_orbits: int | None = None  # for how many the distinct ones stand, with symmetry
    state_bytes: int = 0  # the most memory that states took at a time, without the tables

"""Exploration of every reachable state, breadth first, by whole levels.

The initial state is at depth 0. A level is finished even if a property is violated in it, so that
counts do not depend on how levels are cut into chunks.
"""

import time
from collections.abc import Sequence
from typing import Any

from model_check.engine.compiling import KERNELS, kernel
from model_check.engine.exploration import Exploration, Limits, Progress, Stop, Watch
from model_check.engine.options import Options
from model_check.engine.search import Search
from model_check.engine.states import MemoryLimitError
from model_check.links import Links
from model_check.properties import Property
from model_check.system import System


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

    Raises CheckpointError if it is to be resumed from a checkpoint that is damaged, or of another
    exploration.
    """
    for name in KERNELS:  # which is no part of exploring, and takes long the first time ever
        kernel(name)
    started = time.monotonic()
    chosen = options or Options()
    search = Search(system, links, properties, chosen, keep_states=keep_states)
    stopped: Stop | None = None
    with search:
        try:
            search.begin()
            while stopped is None and not search.finished(states_after_violation):
                stopped = _reached(limits, search, time.monotonic() - started)
                if stopped is None:
                    search.expand_chunk()
                    _tell(progress, search, time.monotonic() - started)
            if stopped is None:
                search.look_at_whole()
        except MemoryLimitError:
            stopped = "memory"
        except KeyboardInterrupt:
            stopped = "interrupt"
        return search.result(stopped, started)


def _reached(limits: Limits, search: Search, seconds: float) -> Stop | None:
    if limits.states is not None and search.distinct_states >= limits.states:
        return "states"
    if limits.seconds is not None and seconds >= limits.seconds:
        return "seconds"
    return None


def _tell(progress: Watch | None, search: Search, seconds: float) -> None:
    if progress is not None:
        progress(
            Progress(
                depth=search.expanded_depth,
                distinct_states=search.distinct_states,
                transitions=search.transitions,
                waiting=search.waiting,
                seconds=seconds,
            )
        )

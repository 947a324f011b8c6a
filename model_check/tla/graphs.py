"""Graphs of states and labelled steps, and the shortest path to where two of them differ."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import attrs

State = tuple[Any, ...]
"""A global state, as `mapping` has it: one value for each variable."""


@attrs.frozen(kw_only=True, eq=False)
class Graph:
    """All states that can be reached from the first one, each with its labelled steps."""

    first: State
    steps: Mapping[State, frozenset[tuple[str, State]]]

    @property
    def transitions(self) -> int:
        """How many labelled steps there are."""
        return sum(map(len, self.steps.values()))

    @property
    def depth(self) -> int:
        """How far the farthest state is from the first one."""
        depths = {self.first: 0}
        queue = deque([self.first])
        while queue:
            state = queue.popleft()
            for _, after in self.steps[state]:
                if after not in depths:
                    depths[after] = depths[state] + 1
                    queue.append(after)
        return max(depths.values())


@attrs.frozen(kw_only=True)
class Difference:
    """Where two graphs differ first: after a path that both have, in the steps of one action."""

    path: tuple[str, ...]  # the actions from the first state
    action: str
    state: State
    ours: frozenset[State]  # where the action leads in our graph only
    theirs: frozenset[State]


def difference(ours: Graph, theirs: Graph) -> Difference | None:
    """None if the graphs are the same, else the difference with the shortest path to it."""
    if ours.first != theirs.first:
        return Difference(
            path=(),
            action="Init",
            state=ours.first,
            ours=frozenset({ours.first}),
            theirs=frozenset({theirs.first}),
        )
    came: dict[State, tuple[State, str] | None] = {ours.first: None}
    queue = deque([ours.first])
    while queue:
        state = queue.popleft()
        only_ours = ours.steps[state] - theirs.steps[state]
        only_theirs = theirs.steps[state] - ours.steps[state]
        for action in sorted({action for action, _ in only_ours | only_theirs}):
            return Difference(
                path=_path(came, state),
                action=action,
                state=state,
                ours=frozenset(after for name, after in only_ours if name == action),
                theirs=frozenset(after for name, after in only_theirs if name == action),
            )
        for action, after in sorted(ours.steps[state], key=lambda step: step[0]):
            if after not in came:
                came[after] = (state, action)
                queue.append(after)
    return None


def _path(came: Mapping[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    actions = []
    while (step := came[state]) is not None:
        state, action = step
        actions.append(action)
    return tuple(reversed(actions))

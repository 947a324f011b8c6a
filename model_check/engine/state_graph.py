"""The explored states and transitions, as arrays."""

from collections.abc import Callable, Hashable, Sequence

import attrs

from model_check.engine.arrays import Narrow


@attrs.frozen(kw_only=True, eq=False)
class StateGraph:
    """States 0 to n-1, 0 the initial one, and every transition between them.

    Several transitions may lead from one state to another. States that were found and not
    expanded, after a limit or a violation, have no transitions from them.
    """

    processes: tuple[str, ...]
    local_states: Sequence[Hashable]  # what the numbers in `rows` stand for
    rows: Narrow  # local state of each process; shape (states, processes)
    depth: Narrow  # shape (states,)
    source: Narrow  # of each transition; shape (transitions,)
    target: Narrow  # shape (transitions,)
    code: Narrow  # what each transition does; shape (transitions,)
    describe: Callable[[int], str]  # the text of a code

    def local(self, state: int, process: int) -> Hashable:
        """The local state of a process."""
        return self.local_states[int(self.rows[state, process])]

"""Which switches of `Rules` a step reads, and on which its outcome depends."""

from collections.abc import Callable, Hashable
from typing import Any, Final

import attrs
from typing_extensions import override

from model_check.models.cluster import Process
from model_check.system import Step
from reference.core.rules import SWITCHES, Rules
from reference.core.state import ClusterState

_NAMES: Final = frozenset(SWITCHES)


class _ReadRules(Rules):
    """Rules that keep in `names` which switches were read; equal to nothing but themselves."""

    names: set[str]

    def __init__(self, rules: Rules) -> None:
        values = {field.name: getattr(rules, field.name) for field in attrs.fields(Rules)}
        object.__setattr__(self, "names", set())
        super().__init__(**values)
        self.names.clear()

    @override
    def __getattribute__(self, name: str) -> Any:
        if name in _NAMES:
            object.__getattribute__(self, "names").add(name)
        return object.__getattribute__(self, name)

    # Those of `Rules` read every switch.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


def rules_of(process: Process) -> Rules | None:
    """The rules that the process follows; None if it is dead."""
    node = process.state or process.saved
    return None if node is None else node.rules


def read_by(work: Callable[[Process], object], process: Process) -> set[str]:
    """The switches that the work reads of the process."""
    rules = rules_of(process)
    if rules is None:
        return set()
    watched = _ReadRules(rules)
    work(_following(process, watched))
    return set(watched.names)


def decides(
    name: str, work: Callable[[Process], Hashable], process: Process, outcome: Hashable
) -> bool:
    """Whether the outcome of the work would be another if this switch stood the other way."""
    rules = rules_of(process)
    if rules is None:
        return False
    other: dict[str, Any] = {name: not getattr(rules, name)}
    flipped = work(_following(process, attrs.evolve(rules, **other)))
    if isinstance(flipped, Step):
        flipped = attrs.evolve(flipped, state=_following(flipped.state, rules))
    return flipped != outcome


def _following(process: Process, rules: Rules) -> Process:
    """The process with these rules in the place of its own."""
    return attrs.evolve(
        process, state=_node(process.state, rules), saved=_node(process.saved, rules)
    )


def _node(node: ClusterState | None, rules: Rules) -> ClusterState | None:
    return None if node is None else attrs.evolve(node, rules=rules)

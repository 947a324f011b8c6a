"""Nodes under other names: what a state or a message is when some nodes swap their names.

That the rules do not tell the swapped nodes apart is not taken for granted here: the engine checks
it at each step when it makes use of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import permutations, product
from typing import Any

import attrs

from model_check.system import Symmetry
from reference.core.nodes import NodeTable
from reference.core.types import NodeId

Names = Mapping[NodeId, NodeId]


def renamings(groups: Sequence[Sequence[NodeId]]) -> Iterator[Names]:
    """Every way but one to swap names within the groups: not the one that swaps none."""
    orders = [[*permutations(group)] for group in groups]
    for chosen in product(*orders):
        pairs = [
            (old, new)
            for group, order in zip(groups, chosen, strict=True)
            for old, new in zip(group, order, strict=True)
        ]
        if any(old != new for old, new in pairs):
            yield dict(pairs)


def symmetry_of(names: Names, processes: Sequence[str]) -> Symmetry[Any, Any]:
    """The renaming as a symmetry of a system with these processes."""
    places = {name: place for place, name in enumerate(processes)}
    rename = _renamer(names)
    return Symmetry(
        processes=tuple(places[names.get(NodeId(name), NodeId(name))] for name in processes),
        state=lambda _, state: rename(state),
        message=rename,
        name=", ".join(f"{old} as {new}" for old, new in sorted(names.items()) if old != new),
    )


def _renamer(names: Names) -> Callable[[Any], Any]:
    """What gives any value with the names in it renamed."""

    @cache
    def rename(value: Any) -> Any:  # noqa: ANN401 - whatever a state is made of
        if isinstance(value, str):
            return names.get(NodeId(value), value)
        if isinstance(value, NodeTable):
            return NodeTable(rename(node) for node in value)
        if isinstance(value, tuple | frozenset):
            return type(value)(rename(each) for each in value)
        if attrs.has(type(value)):
            return _with_fields(value, rename)
        return value

    return rename


def _with_fields(value: Any, rename: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - as above
    fields = {
        field.alias: rename(getattr(value, field.name)) for field in attrs.fields(type(value))
    }
    changed = attrs.evolve(value, **fields)
    return value if changed == value else changed

"""The journal of a run: what happened to which node, a line of JSON for each, and back.

A line names the class of what it holds (`is`) and has its fields beside it; only the classes of
the core can be named, and a line that is no such value is refused. Nothing in it is ever run.
"""

import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, TypeAlias, TypeVar

import attrs
import cattrs
from cattrs.errors import BaseValidationError
from cattrs.strategies import configure_tagged_union

from reference.clauses import clause
from reference.core.events import ClusterSetslot, Event
from reference.core.messages import Message, SyncSlots, SyncSlotsEstablish, SyncSlotsFinish
from reference.core.nodes import ClusterNode, NodeTable
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import SLOT_COUNT

_T = TypeVar("_T")

SCHEMA: Final = 1
"""Of the whole file; its first line says it."""


@attrs.frozen(kw_only=True)
class Opened:
    """The first line."""

    schema: int
    version: str  # of slotproof


@attrs.frozen(kw_only=True)
class Started:
    """The node runs from now on, and this is its state."""

    node: int  # its client port: it names the node in all lines
    state: ClusterState


@attrs.frozen(kw_only=True)
class Happened:
    """The node's state is what the core's step makes of its state and this event."""

    node: int
    event: Event


@attrs.frozen(kw_only=True)
class Adjusted:
    """The node's state is this one: the driver has learnt its own address."""

    node: int
    state: ClusterState


@attrs.frozen(kw_only=True)
class Ended:
    """The node does not run any more; this was its state, for whoever replays to compare."""

    node: int
    state: ClusterState


Entry: TypeAlias = Opened | Started | Happened | Adjusted | Ended


class JournalError(ValueError):
    """A line is no line of a journal; the text says why."""


def _slots_from(text: object, _: object) -> SlotSet:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} says no slots")
    slots = SlotSet()
    for run in text.split():
        first, dash, last = run.partition("-")
        numbers = [int(first), int(last) if dash else int(first)]
        if not all(0 <= number < SLOT_COUNT for number in numbers):
            raise ValueError(f"{run!r} are no slots")
        slots |= SlotSet.between(*numbers)
    return slots


def _exactly(kind: type[_T]) -> Callable[[object, object], _T]:
    """Only values of this type, where the library would make some out of others."""

    def take(value: object, _: object) -> _T:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return take


def _by_name(name: object, kind: type[Enum]) -> Enum:
    if not isinstance(name, str) or name not in kind.__members__:
        raise ValueError(f"{name!r} is none of {', '.join(kind.__members__)}")
    return kind[name]


def _is_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


_UNIONS: Final[tuple[Any, ...]] = (
    Message,
    SyncSlotsEstablish | SyncSlots,
    SyncSlotsEstablish | SyncSlotsFinish,
    ClusterSetslot,
    Event,
    Entry,
)
"""Whose members are told apart by name; those inside others come first."""


def _converter() -> cattrs.Converter:
    made = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
    for kind in (bool, int, str):
        made.register_structure_hook(kind, _exactly(kind))
    made.register_structure_hook_func(_is_enum, _by_name)
    made.register_unstructure_hook_func(_is_enum, lambda value: value.name)
    made.register_structure_hook(SlotSet, _slots_from)
    made.register_unstructure_hook(SlotSet, str)
    made.register_unstructure_hook(NodeTable, lambda nodes: [made.unstructure(n) for n in nodes])
    made.register_structure_hook(
        NodeTable, lambda nodes, _: NodeTable(made.structure(nodes, list[ClusterNode]))
    )
    for union in _UNIONS:
        configure_tagged_union(union, made, tag_name="is")
    return made


_CONVERTER: Final = _converter()


@clause("RT-40")
def write_entry(entry: Entry) -> str:
    """The line for the entry, with its end."""
    told = _CONVERTER.unstructure(entry, unstructure_as=Entry)
    return json.dumps(told, separators=(",", ":"), default=sorted) + "\n"


@clause("RT-40")
def read_entry(line: str) -> Entry:
    """The entry that the line tells; JournalError if it tells none."""
    try:
        told = json.loads(line)
        if not isinstance(told, dict):
            raise TypeError(f"{told!r} is no object")  # noqa: TRY301 - one text for all of them
        entry: Entry = _CONVERTER.structure(told, Entry)  # type: ignore[arg-type]
    except (BaseValidationError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise JournalError("; ".join(_reasons(error))) from error
    if isinstance(entry, Opened) and entry.schema != SCHEMA:
        raise JournalError(f"schema {entry.schema}: this release reads schema {SCHEMA}")
    return entry


def _reasons(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseValidationError):
        yield from cattrs.transform_error(error, format_exception=_reason)
    else:
        yield _reason(error, None)


def _reason(error: BaseException, _: object) -> str:
    match error:
        case KeyError():
            return f"required field or known name missing: {error}"
        case TypeError() | ValueError():
            return str(error)
        case _:
            return f"{type(error).__name__}: {error}"

"""What can be asked of a system: what always holds, of states or of steps, and what is reachable.

A property of states sees each local state only through a projection, a small hashable value. The
engine judges each distinct tuple of projections once, so the projection should tell no more than
the judgement needs.
"""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Generic, Literal, TypeVar

import attrs

S = TypeVar("S", bound=Hashable)

Kind = Literal["invariant", "step", "sometimes"]
Verdict = Literal["holds", "violated", "incomplete"]


@attrs.frozen(kw_only=True)
class Invariant(Generic[S]):
    """In every reachable state, `judge` accepts the projections of all processes."""

    kind: ClassVar[Literal["invariant"]] = "invariant"

    id: str
    project: Callable[[int, S], Hashable]  # process, local state
    judge: Callable[[tuple[Any, ...]], bool]  # one projection for each process
    clause: str = ""  # of the specification
    text: str = ""  # one sentence for reports


@attrs.frozen(kw_only=True)
class StepProperty(Generic[S]):
    """Every step of a process that changes its local state is accepted by `judge`."""

    kind: ClassVar[Literal["step"]] = "step"

    id: str
    judge: Callable[[int, S, S], bool]  # process, local state before, local state after
    clause: str = ""
    text: str = ""


@attrs.frozen(kw_only=True)
class Sometimes(Generic[S]):
    """Some reachable state has projections that `judge` accepts: the model is not vacuous."""

    kind: ClassVar[Literal["sometimes"]] = "sometimes"

    id: str
    project: Callable[[int, S], Hashable]
    judge: Callable[[tuple[Any, ...]], bool]
    clause: str = ""
    text: str = ""


Property = Invariant[Any] | StepProperty[Any] | Sometimes[Any]
"""Any of the three, about local states of any type."""

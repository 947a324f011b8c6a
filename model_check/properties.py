"""What can be asked of a system: what always holds, what is reachable, and where it all ends.

A property of states sees each local state only through a projection, a small hashable value. The
engine judges each distinct tuple of projections once, so the projection should tell no more than
the judgement needs.
"""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Generic, Literal, TypeVar

import attrs

S = TypeVar("S", bound=Hashable)

Kind = Literal["invariant", "step", "sometimes", "settles"]
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


@attrs.frozen(kw_only=True)
class Settles(Generic[S]):
    """Once faults stop, every run comes to where `judge` accepts the projections, and stays there.

    What is a fault: a move that says so, a message lost or held back that could be delivered, a
    broken channel. Assumed is fairness: what may happen again and again without a fault does
    happen. It is judged when every reachable state is known, never on a part.
    """

    kind: ClassVar[Literal["settles"]] = "settles"

    id: str
    project: Callable[[int, S], Hashable]
    judge: Callable[[tuple[Any, ...]], bool]
    clause: str = ""
    text: str = ""


Property = Invariant[Any] | StepProperty[Any] | Sometimes[Any] | Settles[Any]
"""Any of the four, about local states of any type."""

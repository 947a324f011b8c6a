"""What can be asked of a system: what always holds, what is reachable, and where it all ends.

A property of states sees each local state only through a projection, a small hashable value. The
engine judges each distinct tuple of projections once, so the projection should tell no more than
the judgement needs.
"""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

import attrs

S = TypeVar("S", bound=Hashable)

Kind = Literal["invariant", "step", "sometimes", "settles", "leads_to"]
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


@attrs.frozen(kw_only=True)
class LeadsTo(Generic[S]):
    """Whenever `when` accepts the projections, sooner or later `then` does.

    Without `when` it is asked from the start on. Judged are the runs in which faults stop at some
    time (what a fault is stands in `Settles`), and which are fair from then on:

    - A move that is `weak`ly fair, and that can be made again and again with no moment between at
      which it cannot, is made. Moves of a process with equal events are one move here. Moments
      at which a message just sent is on its way and must be dealt with first do not count.
    - A move that is `strong`ly fair, and that can be made again and again, is made. So is every
      delivery: a message that could arrive again and again does arrive, or is lost on a receiver
      that does not take it.
    - Moves that are not fair may be made and may never be made. So may a move whose budget is
      used up: the run is judged as it stands.

    A move that would change nothing is not one that can be made. A run may stop where nothing has
    to happen any more. What runs do for want of budgets can be excused: with `beyond`, a run does
    not count that is again and again in states in which a move that is no fault could be made but
    for its budget, and `beyond` accepts such a state. It is shown the local states themselves, and
    says whether what is claimed would come about if the scope were wider.

    More can count as a fault than the system says: `late(process, event)` is None, or says in
    which states, by their projections, the move would not come if clocks and messages were in
    time. There it is one, and stops at some time.

    It is judged when every reachable state is known, never on a part. The counterexample is a
    shortest path to a fair loop without `then`, and the loop; no loop if the run stops there.
    """

    kind: ClassVar[Literal["leads_to"]] = "leads_to"

    id: str
    project: Callable[[int, S], Hashable]
    then: Callable[[tuple[Any, ...]], bool]
    when: Callable[[tuple[Any, ...]], bool] | None = None
    beyond: Callable[[tuple[S, ...]], bool] | None = None
    late: Callable[[int, Hashable], Callable[[tuple[Any, ...]], bool] | None] | None = None
    clause: str = ""
    text: str = ""

    @property
    def judge(self) -> Callable[[tuple[Any, ...]], bool]:
        """What is to come about."""
        return self.then


Property = Invariant[Any] | StepProperty[Any] | Sometimes[Any] | Settles[Any] | LeadsTo[Any]
"""Any of the five, about local states of any type."""

ON_GRAPHS: Final = ("settles", "leads_to")
"""The kinds that are judged on all states and transitions together."""

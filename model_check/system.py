"""A system of processes that exchange messages, described so that it can be explored.

A process is a number, an index into `System.processes`. What it knows is its local state, any
hashable value. It changes by a move of its own or by receiving a message, and each of these is a
pure function: the engine calls it once for each distinct argument and remembers the outcome.

Three rules hold for every kind of link:

- A step that leaves everything as it was (state, links and budgets) is not a transition.
- A message that its receiver does not take (`receive` gives None, or the receiver is down) is lost.
- A process sends nothing to itself: what it wants to do later is a move.

What a process may do can depend on what it sees of the others: the processes that look are its
`watchers`, and what each process shows is what `observe` says of its local state. Only the choice
of moves sees it; their outcome depends on what stands in the move. A system without watchers pays
nothing for this.

A complete example, a token that two processes hand to each other, once for each unit of a budget:

    >>> from model_check.engine import Limits, explore
    >>> from model_check.links import parse_links
    >>> from model_check.properties import Invariant, Sometimes
    >>> class HandOver(System[bool, str, str]):
    ...     processes = ("left", "right")
    ...     budgets = {"hand over": 2}
    ...
    ...     def initial(self):
    ...         return (True, False)
    ...
    ...     def moves(self, process, state):
    ...         return [Move("pass", cost="hand over")] if state else []
    ...
    ...     def act(self, process, state, move):
    ...         return Step(False, (Send(1 - process, "token"),))
    ...
    ...     def receive(self, process, state, message, lane):
    ...         return Step(True)
    >>> one_owner = Invariant(
    ...     id="one-owner", project=lambda process, state: state, judge=lambda has: sum(has) <= 1
    ... )
    >>> passed = Sometimes(
    ...     id="passed", project=lambda process, state: state, judge=lambda has: has[1]
    ... )
    >>> found = explore(HandOver(), parse_links("held(1)"), [one_owner, passed], Limits())
    >>> found.verdict, found.distinct_states, found.transitions, found.depth
    ('holds', 9, 10, 4)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

import attrs

S = TypeVar("S", bound=Hashable)
M = TypeVar("M", bound=Hashable)
E = TypeVar("E", bound=Hashable)
S_co = TypeVar("S_co", bound=Hashable, covariant=True)
M_co = TypeVar("M_co", bound=Hashable, covariant=True)
E_co = TypeVar("E_co", bound=Hashable, covariant=True)

Channel = tuple[int, int, int]
"""Sender, receiver and lane. Lanes are independent, as two TCP connections are."""


@attrs.frozen
class Send(Generic[M_co]):
    """A message leaves for `dest`, a process number, on the channel of that lane."""

    dest: int
    message: M_co
    lane: int = 0


@attrs.frozen
class Step(Generic[S_co, M_co]):
    """The process is in `state` afterwards and has sent `sends`, in this order."""

    state: S_co
    sends: tuple[Send[M_co], ...] = ()
    notes: tuple[Hashable, ...] = ()  # for stories and audits only, decides nothing


Fairness = Literal["none", "weak", "strong"]
"""What a run owes a move: nothing, or that it is made if it can be from some time on, or if it can
be again and again (`properties.LeadsTo`)."""


@attrs.frozen
class Move(Generic[E_co]):
    """Something a process may do of its own accord, using up one unit of the budget `cost`."""

    event: E_co
    cost: str | None = None  # None: as often as it likes
    fault: bool = False  # it stops once faults stop (`properties.Settles`)
    fair: Fairness = "weak"


def _as_it_is(process: int, seen: object) -> object:
    del process
    return seen


@attrs.frozen(kw_only=True)
class Symmetry(Generic[S, M]):
    """A renaming of processes, and of all that states and messages say of them."""

    processes: tuple[int, ...]  # process p takes the place of processes[p]
    state: Callable[[int, S], S]  # the local state of process p, for its new place
    message: Callable[[M], M]
    observation: Callable[[int, Any], Any] = attrs.field(default=_as_it_is)
    """What process p shows, for its new place."""
    name: str = ""

    def channel(self, channel: Channel) -> Channel:
        """The channel between the new places."""
        sender, receiver, lane = channel
        return self.processes[sender], self.processes[receiver], lane


class System(ABC, Generic[S, M, E]):
    """Processes with local states of type S, that send messages M and make moves of events E.

    Every method is a pure function of its arguments: same arguments, equal result.
    """

    @property
    @abstractmethod
    def processes(self) -> tuple[str, ...]:
        """The name of each process; a process is its index here."""

    @property
    def budgets(self) -> Mapping[str, int]:
        """How often, in a whole run, moves of each cost may be made."""
        return {}

    @abstractmethod
    def initial(self) -> tuple[S, ...]:
        """The local state of each process at the start."""

    def initial_messages(self) -> tuple[tuple[int, Send[M]], ...]:
        """The stale messages that lie in the network at the start, each with its sender."""
        return ()

    @abstractmethod
    def moves(self, process: int, state: S) -> Iterable[Move[E]]:
        """What the process may do of its own accord, in an order that is always the same."""

    @property
    def symmetries(self) -> Sequence[Symmetry[S, M]]:
        """Renamings after which the system is the same; with the identity they form a group.

        They are used only if that is asked for, and checked while they are.
        """
        return ()

    @property
    def watchers(self) -> tuple[int, ...]:
        """The processes whose moves depend on what they see of the others."""
        return ()

    def looks(self, process: int, state: S) -> bool:  # noqa: ARG002  a default that needs neither
        """Whether a watcher in this state may have moves that depend on what it sees.

        It need not be told: True is always right. Where it says False, `moves_seeing` would give
        nothing whatever is seen, and is not asked for all that could be.
        """
        return True

    def observe(self, process: int, state: S) -> Hashable:  # noqa: ARG002  shows nothing
        """What watchers see of the process, no more than they need: it is told apart by this."""
        return None

    def moves_seeing(
        self,
        process: int,  # noqa: ARG002  a default that needs none of them
        state: S,  # noqa: ARG002
        seen: tuple[Any, ...],  # noqa: ARG002
    ) -> Iterable[Move[E]]:
        """What a watcher may do besides `moves`, as it sees one observation of each process."""
        return ()

    @abstractmethod
    def act(self, process: int, state: S, move: Move[E]) -> Step[S, M]:
        """The outcome of one of the moves that the process may make in this state."""

    @abstractmethod
    def receive(self, process: int, state: S, message: M, lane: int) -> Step[S, M] | None:
        """The outcome of a delivery; None if the message is lost on a process in this state."""

    def is_down(self, process: int, state: S) -> bool:  # noqa: ARG002  a default that needs neither
        """Whether the process is dead: it takes nothing, and what was on its way to it is lost.

        `receive` is never called in such a state.
        """
        return False

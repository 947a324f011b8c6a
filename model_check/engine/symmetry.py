"""States that are the same but for the names of interchangeable processes, as one state.

A state's fingerprint is the least among those of its images, so that of each orbit only the state
that was found first is expanded. The symmetries that a system declares are not taken on trust: for
each distinct local state, message and step it is checked that renaming before and renaming after
come to the same, and each property must judge every image of a state as it judges the state.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, Protocol

import numpy as np

from model_check.engine.arrays import Narrow
from model_check.engine.directory import Directory
from model_check.engine.layout import COLUMN_IMAGES, COLUMN_KINDS, SYMMETRIES, SYMMETRY_TABLE
from model_check.engine.local import LocalTables
from model_check.engine.orbits import Orbits
from model_check.system import Channel, Move, Send, Step, Symmetry, System

KINDS_OF_COLUMN: Final = 8
"""So many functions belong to each symmetry: one for each kind of column."""

LOCAL_STATE: Final = 0
FIRST_CONTENT: Final = 1  # the kinds of columns that are for links
UNCHANGED: Final = -1


Offer = tuple[int, Any, Iterable[Move[Any]]]
"""A process, its local state, and the moves that it may make."""


class SymmetryError(ValueError):
    """A system or a property is not as symmetric as the system says."""


class RenamedLinks(Protocol):
    """What links are when processes and messages are renamed."""

    @property
    def ordered(self) -> bool:
        """Whether the order in which one step sends decides anything."""

    def column_kinds(self) -> list[int]:
        """UNCHANGED or the kind of content, for each column after those of the processes."""

    def renamed_column(self, column: int, rename: Callable[[Channel], Channel]) -> int:
        """The column, counted from the first after those of the processes, once renamed."""

    def renamed_content(self, kind: int, content: int, rename: Callable[[int], int]) -> int:
        """The number of the content once its envelopes are renamed."""


class Symmetries:
    """The symmetries of a system, as functions that kernels look up.

    Raises SymmetryError if the initial state is not the same once renamed, or if two symmetries
    one after the other are none.
    """

    def __init__(
        self, system: System[Any, Any, Any], local: LocalTables, links: RenamedLinks
    ) -> None:
        self._system = system
        self._local = local
        self._links = links
        self._all = tuple(system.symmetries)
        self._first = local.memo.reserve(KINDS_OF_COLUMN * len(self._all))
        self._orbits = Orbits(local.memo, self._first, KINDS_OF_COLUMN, len(self._all))
        for rank in range(len(self._all)):
            self._define(rank)
        self._check_group()
        for symmetry in self._all:
            self._check_start(symmetry)
        local.on_list.append(self._check_moves)
        local.on_receive.append(self._check_delivery)
        local.on_choice.append(self._check_choice)

    def __len__(self) -> int:
        return len(self._all)

    def describe(self, directory: Directory) -> None:
        """The directory says which the symmetries are, and where each column goes."""
        kinds, images = self._columns()
        directory[SYMMETRIES] = len(self._all)
        directory[SYMMETRY_TABLE] = self._first
        directory.point(COLUMN_KINDS, kinds)
        directory.point(COLUMN_IMAGES, images.ravel())

    def states_of(self, rows: Narrow) -> int:
        """How many states are in the orbits of these, of which no two share one.

        Shape: (n, columns).
        """
        return self._orbits.states(rows, *self._columns())

    def _columns(self) -> tuple[Narrow, Narrow]:
        """The kind of each column, and where each symmetry puts it: (n,), (symmetries, n)."""
        count = self._local.process_count
        kinds: list[int] = []
        images: list[list[int]] = []
        while len(kinds) < count + len(self._links.column_kinds()):  # renaming may find new ones
            kinds = [LOCAL_STATE] * count + self._links.column_kinds()
            images = []
            for symmetry in self._all:
                renamed = [
                    count + self._links.renamed_column(column, symmetry.channel)
                    for column in range(len(kinds) - count)
                ]
                images.append([*symmetry.processes, *renamed])
        return np.array(kinds, dtype=np.int32), np.array(images, dtype=np.int32)

    def images(self, rows: Narrow) -> list[Narrow]:
        """The local states of each row's image under each symmetry. Shape: (n, columns)."""
        count = self._local.process_count
        found = []
        for rank, symmetry in enumerate(self._all):
            image = np.empty((len(rows), count), dtype=np.int32)
            for process in range(count):
                states, back = np.unique(rows[:, process], return_inverse=True)
                renamed = [self._renamed_state(rank, int(state)) for state in states]
                image[:, symmetry.processes[process]] = np.array(renamed, dtype=np.int32)[back]
            found.append(image)
        return found

    def _define(self, rank: int) -> None:
        symmetry = self._all[rank]
        first = self._first + KINDS_OF_COLUMN * rank
        memo = self._local.memo

        def state(number: int, _: int) -> int:
            process, value = self._local.states[number]
            renamed = symmetry.state(process, value)
            down = self._system.is_down(process, value)
            if down != self._system.is_down(symmetry.processes[process], renamed):
                raise self._error(symmetry, "a process is down, and its image is not")
            return self._local.state(symmetry.processes[process], renamed)

        memo.define(first + LOCAL_STATE, state)
        for kind in range(FIRST_CONTENT, KINDS_OF_COLUMN):
            memo.define(first + kind, self._content(symmetry, kind))

    def _content(self, symmetry: Symmetry[Any, Any], kind: int) -> Callable[[int, int], int]:
        return lambda content, _: self._links.renamed_content(
            kind, content, lambda envelope: self._envelope(symmetry, envelope)
        )

    def _envelope(self, symmetry: Symmetry[Any, Any], envelope: int) -> int:
        sender, _, _ = self._local.alphabet.channel_of(envelope)
        send = self._local.alphabet.send(envelope)
        return self._local.alphabet.envelope(
            symmetry.processes[sender], _renamed_send(symmetry, send)
        )

    def _renamed_state(self, rank: int, state: int) -> int:
        return self._local.memo.value(self._first + KINDS_OF_COLUMN * rank, state, 0)

    def _check_group(self) -> None:
        known = {symmetry.processes for symmetry in self._all}
        known.add(tuple(range(self._local.process_count)))
        for symmetry in self._all:
            for then in self._all:
                if tuple(then.processes[place] for place in symmetry.processes) not in known:
                    raise self._error(then, f"after {symmetry.name or symmetry.processes}")

    def _check_start(self, symmetry: Symmetry[Any, Any]) -> None:
        initial = self._system.initial()
        for process, value in enumerate(initial):
            if initial[symmetry.processes[process]] != symmetry.state(process, value):
                raise self._error(symmetry, f"{self._name(process)} does not start like its image")
        messages = [*self._system.initial_messages()]
        renamed = [
            (symmetry.processes[sender], _renamed_send(symmetry, send)) for sender, send in messages
        ]
        if Counter(messages) != Counter(renamed):
            raise self._error(symmetry, "other messages lie in the network at the start")

    def _check_moves(self, process: int, value: Any) -> None:  # noqa: ANN401
        own = [*self._system.moves(process, value)]
        for symmetry in self._all:
            other, image = symmetry.processes[process], symmetry.state(process, value)
            theirs = self._system.moves(other, image)
            self._compare(symmetry, (process, value, own), (other, image, theirs))

    def _check_choice(self, process: int, value: Any, seen: tuple[Any, ...]) -> None:  # noqa: ANN401
        own = [*self._system.moves_seeing(process, value, seen)]
        for symmetry in self._all:
            other, image = symmetry.processes[process], symmetry.state(process, value)
            renamed = list(seen)
            for place, what in enumerate(seen):
                renamed[symmetry.processes[place]] = symmetry.observation(place, what)
            theirs = self._system.moves_seeing(other, image, tuple(renamed))
            self._compare(symmetry, (process, value, own), (other, image, theirs))

    def _compare(self, symmetry: Symmetry[Any, Any], own: Offer, theirs: Offer) -> None:
        """The moves offered here and there have the same outcomes but for the names."""
        process, value, moves = own
        renamed = Counter(
            (
                move.cost,
                move.fault,
                self._comparable(
                    _renamed_step(symmetry, process, self._system.act(process, value, move))
                ),
            )
            for move in moves
        )
        other, image, others = theirs
        if renamed != Counter(
            (move.cost, move.fault, self._comparable(self._system.act(other, image, move)))
            for move in others
        ):
            raise self._error(
                symmetry,
                f"{self._name(process)} does not do by itself what its image does, in this order",
            )

    def _check_delivery(
        self,
        process: int,
        value: Any,  # noqa: ANN401
        arrival: tuple[Any, int],
        step: Step[Any, Any] | None,
    ) -> None:
        message, lane = arrival
        for symmetry in self._all:
            theirs = self._system.receive(
                symmetry.processes[process],
                symmetry.state(process, value),
                symmetry.message(message),
                lane,
            )
            own = None if step is None else _renamed_step(symmetry, process, step)
            if (own is None) != (theirs is None) or (
                own is not None
                and theirs is not None
                and self._comparable(own) != self._comparable(theirs)
            ):
                raise self._error(
                    symmetry, f"{self._name(process)} does not take {message} as its image does"
                )

    def _comparable(self, step: Step[Any, Any]) -> Hashable:
        sends = step.sends if self._links.ordered else frozenset(step.sends)
        return step.state, sends

    def _name(self, process: int) -> str:
        return self._system.processes[process]

    def _error(self, symmetry: Symmetry[Any, Any], what: str) -> SymmetryError:
        return SymmetryError(f"{symmetry.name or symmetry.processes} is no symmetry: {what}")


def _renamed_send(symmetry: Symmetry[Any, Any], send: Send[Any]) -> Send[Any]:
    return Send(symmetry.processes[send.dest], symmetry.message(send.message), send.lane)


def _renamed_step(
    symmetry: Symmetry[Any, Any], process: int, step: Step[Any, Any]
) -> Step[Any, Any]:
    sends = tuple(_renamed_send(symmetry, send) for send in step.sends)
    return Step(symmetry.state(process, step.state), sends)

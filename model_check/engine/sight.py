"""What watchers may do, once for each local state and distinct tuple of observations."""

from typing import Any, Protocol

import numpy as np

from model_check.engine.arrays import Ints, Lists
from model_check.engine.interner import Interner
from model_check.engine.pairs import PairTable
from model_check.engine.projector import Projector
from model_check.system import Move, System


class Moves(Protocol):
    """Where local states and moves have their numbers."""

    states: Interner[tuple[int, Any]]

    def add_move(self, state: int, move: Move[Any]) -> int:
        """The number of one more move that can be made in the local state."""


class Sight:
    """The moves that depend on what their processes see of the others."""

    def __init__(self, system: System[Any, Any, Any], moves: Moves) -> None:
        self._system = system
        self._moves = moves
        self._watchers = list(system.watchers)
        self._seen = Projector(moves.states, len(system.processes), system.observe)
        self._numbers: dict[tuple[int, Move[Any]], int] = {}  # of each local state's moves
        self._choices: Interner[tuple[int, ...]] = Interner()
        self._lists = Lists()  # the moves of each choice
        self._choice = PairTable(self._choose)
        """(state, tuple of observations) -> choice."""

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of observations there are."""
        return {"observations": len(self._seen)}

    def with_moves_seeing(self, states: Ints, owner: Ints, move: Ints) -> tuple[Ints, Ints]:
        """These moves and those of watchers: the row each stands in, and the move.

        Shape of states: (rows, processes).
        """
        seen = self._seen.tuples(states)
        owners, moves = [owner], [move]
        for watcher in self._watchers:
            choice = self._choice(states[:, watcher], seen)
            row, item = self._lists.expand(choice)
            owners.append(row)
            moves.append(self._lists.items.view[item])
        return np.concatenate(owners), np.concatenate(moves)

    def _choose(self, state: int, seen: int) -> int:
        process, value = self._moves.states[state]
        choice = tuple(
            self._number(state, move)
            for move in self._system.moves_seeing(process, value, self._seen[seen])
        )
        number = self._choices.add(choice)
        if number == len(self._lists):
            self._lists.append(choice)
        return number

    def _number(self, state: int, move: Move[Any]) -> int:
        number = self._numbers.get((state, move))
        if number is None:
            number = self._numbers[state, move] = self._moves.add_move(state, move)
        return number

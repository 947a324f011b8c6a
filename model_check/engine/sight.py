"""What watchers may do, once for each local state and distinct tuple of observations."""

from typing import Any

import numpy as np

from model_check.engine.arrays import Flags, Narrow, Wide
from model_check.engine.directory import Directory
from model_check.engine.interner import Interner
from model_check.engine.layout import (
    CHOICE_COUNT,
    CHOICE_FIRST,
    CHOICE_MOVES,
    CHOICE_WIDTH,
    CHOICES,
    CHOOSE,
    SIGHT_BITS,
    SIGHT_CLASSES,
    SIGHT_SPAN,
    SIGHT_TABLE,
    STATE_LOOKS,
    WATCHER_LIST,
    WATCHERS,
)
from model_check.engine.local import LocalTables
from model_check.engine.projector import Projector
from model_check.engine.sheets import Sheet
from model_check.system import Move, System


class Sight:
    """The moves that depend on what their processes see of the others."""

    def __init__(self, system: System[Any, Any, Any], local: LocalTables) -> None:
        self._system = system
        self._local = local
        self.watchers = Sheet()
        self.watchers.extend(system.watchers)
        self.seen = Projector(local, system.observe)
        self._numbers: dict[tuple[int, Move[Any]], int] = {}  # of each local state's moves
        self._choices: Interner[tuple[int, ...]] = Interner()
        self.choices = Sheet(CHOICE_WIDTH)
        self.moves = Sheet()  # of each choice, one after the other
        local.memo.define(CHOOSE, self._choose)

    def describe(self, directory: Directory) -> None:
        """The directory says where the tables are."""
        directory[WATCHERS] = len(self.watchers)
        directory[SIGHT_TABLE] = self.seen.first
        directory[SIGHT_BITS], directory[SIGHT_SPAN] = self.seen.bits, self.seen.span
        directory.point(SIGHT_CLASSES, self.seen.classes)
        directory.point(WATCHER_LIST, self.watchers)
        directory.point(CHOICES, self.choices)
        directory.point(CHOICE_MOVES, self.moves)

    def offered(self, rows: Narrow, seen: Narrow, among: Flags) -> Wide:
        """How many of these moves the watchers of each state may make besides.

        Shapes: (n, columns), (n,), (moves,) -> (n,).
        """
        chosen = []
        for watcher in self.watchers.column().tolist():
            pairs, back = np.unique(
                np.stack([rows[:, watcher], seen], axis=1), axis=0, return_inverse=True
            )
            # Nobody has asked before in a state in which the watcher does not look.
            choices = [self._local.memo.value(CHOOSE, *pair) for pair in pairs.tolist()]
            chosen.append(np.array(choices, dtype=np.int64)[back])
        total = np.cumsum(np.concatenate([[0], among[self.moves.column()]]))
        first, count = self.choices.column(CHOICE_FIRST), self.choices.column(CHOICE_COUNT)
        of_choice = total[first + count] - total[first]
        offers: Wide = np.zeros(len(rows), dtype=np.int64)
        for choices_of_rows in chosen:
            offers += of_choice[choices_of_rows]
        return offers

    def sizes(self) -> dict[str, int]:
        """How many distinct tuples of observations there are."""
        return {"observations": len(self.seen)}

    def _choose(self, state: int, seen: int) -> int:
        choice: tuple[int, ...] = ()
        if self._local.state_sheet.get(state, STATE_LOOKS):
            process, value = self._local.states[state]
            shown = self.seen[seen]
            for tell in self._local.on_choice:
                tell(process, value, shown)
            moves = self._system.moves_seeing(process, value, shown)
            choice = tuple(self._number(state, move) for move in moves)
        number = self._choices.add(choice)
        if number == len(self.choices):
            self.choices.append(self.moves.extend(choice), len(choice))
        return number

    def _number(self, state: int, move: Move[Any]) -> int:
        number = self._numbers.get((state, move))
        if number is None:
            number = self._numbers[state, move] = self._local.add_move(state, move)
        return number

"""The system as tables: each local state, move and step a number, each outcome computed once.

Everything that calls `System.act`, `System.receive` and `System.moves` lives here; what watchers
may do is in `sight`.
"""

from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np

from model_check.engine.alphabet import Alphabet
from model_check.engine.arrays import NOTHING, UNKNOWN, Column, Ints, ranges
from model_check.engine.budgets import FREE, Budgets
from model_check.engine.interner import Interner
from model_check.engine.pairs import PairTable
from model_check.engine.sight import Sight
from model_check.properties import StepProperty
from model_check.system import Move, Step, System

IDLE: Final = 0
"""A move that costs nothing, changes nothing and sends nothing: never a transition."""
PURE: Final = 1
"""A move that costs nothing, changes nothing and sends one message, as a heartbeat does."""
ACTIVE: Final = 2
"""Any other move."""


class LocalTables:
    """Local states (of all processes together), moves and steps of a system.

    A step is a local state before, one after, a batch of sends, and notes. The two states of a
    step belong to the same process.
    """

    def __init__(
        self,
        system: System[Any, Any, Any],
        budgets: Budgets,
        step_properties: Sequence[StepProperty[Any]] = (),
    ) -> None:
        self._system = system
        self._budgets = budgets
        self._step_properties = step_properties
        self.process_count = len(system.processes)
        self.alphabet = Alphabet(system)
        self.calls = 0  # of act and receive

        self.states: Interner[tuple[int, Hashable]] = Interner()
        self._process = Column()  # of each state
        self.down = Column()  # of each state: 0 or 1
        self._first_move = Column()  # of each state
        self._move_count = Column()  # of each state; UNKNOWN until it is first expanded

        self.move_values: list[Move[Any]] = []
        self.move_state = Column()  # of each move
        self.move_cost = Column()
        self.move_event = Column()
        self.move_fault = Column()  # 0 or 1
        self._move_step = Column()  # UNKNOWN until the move is first enabled
        self.move_class = Column()  # IDLE, PURE or ACTIVE, once the step is known
        self.events: Interner[tuple[int, Hashable]] = Interner()

        self._steps: Interner[tuple[int, int, int, tuple[Hashable, ...]]] = Interner()
        self.after = Column()  # of each step
        self.batch = Column()  # of each step
        self.idle = Column()  # of each step: 1 if it changes nothing and sends nothing
        self.refuted = Column()  # of each step: bit i if step property i rejects it
        self.any_refuted = False
        self.sight = Sight(system, self) if system.watchers else None
        self.receive = PairTable(self._receive)
        """(state, arrival) -> step, or NOTHING if the message is lost."""

    def state(self, process: int, value: Hashable) -> int:
        """The number of a local state."""
        number = self.states.add((process, value))
        if number == len(self.down):
            self._process.append(process)
            self.down.append(int(self._system.is_down(process, value)))
            self._first_move.append(0)
            self._move_count.append(UNKNOWN)
        return number

    def moves(self, states: Ints) -> tuple[Ints, Ints]:
        """For each move of each process: the row it stands in, and the move.

        Shape of states: (rows, processes). Whether a move can be paid for is not looked at.
        """
        flat = states.ravel()
        counts = self._move_count.view[flat]
        if counts.size and counts.min() == UNKNOWN:
            for state in np.unique(flat[counts == UNKNOWN]).tolist():
                self._list_moves(state)
            counts = self._move_count.view[flat]
        owner, move = ranges(self._first_move.view[flat], counts)
        return owner // states.shape[1], move

    def add_move(self, state: int, move: Move[Any]) -> int:
        """The number of one more move that can be made in the local state."""
        process, _ = self.states[state]
        self.move_values.append(move)
        self.move_state.append(state)
        self.move_cost.append(self._budgets.cost(move.cost))
        self.move_event.append(self.events.add((process, move.event)))
        self.move_fault.append(int(move.fault))
        self._move_step.append(UNKNOWN)
        self.move_class.append(ACTIVE)
        return len(self.move_values) - 1

    def outcome(self, moves: Ints) -> Ints:
        """The step of each move, all of which are enabled somewhere."""
        steps = self._move_step.view[moves]
        if steps.size and steps.min() == UNKNOWN:
            for move in np.unique(moves[steps == UNKNOWN]).tolist():
                self._act(move)
            steps = self._move_step.view[moves]
        return steps

    def process_of(self, moves: Ints) -> Ints:
        """The process that makes each move."""
        return self._process.view[self.move_state.view[moves]]

    def notes(self, step: int) -> tuple[Hashable, ...]:
        """What the step tells for the story."""
        return self._steps[step][3]

    def sizes(self) -> dict[str, int]:
        """How many of each there are."""
        return {
            "local states": len(self.states),
            "moves": len(self.move_values),
            "steps": len(self._steps),
            "messages": len(self.alphabet.arrivals),
            "envelopes": len(self.alphabet),
            "batches": len(self.alphabet.batches),
            **({} if self.sight is None else self.sight.sizes()),
        }

    def _list_moves(self, state: int) -> None:
        process, value = self.states[state]
        self._first_move.view[state] = len(self.move_values)
        for move in self._system.moves(process, value):
            self.add_move(state, move)
        listed = len(self.move_values) - self._first_move.view[state]
        self._move_count.view[state] = listed

    def _act(self, move: int) -> None:
        state = int(self.move_state.view[move])
        process, value = self.states[state]
        self.calls += 1
        step = self._step(state, self._system.act(process, value, self.move_values[move]))
        self._move_step.view[move] = step
        if self.move_cost.view[move] == FREE and self.after.view[step] == state:
            sent = self.alphabet.batch_size.view[self.batch.view[step]]
            self.move_class.view[move] = {0: IDLE, 1: PURE}.get(int(sent), ACTIVE)

    def _receive(self, state: int, arrival: int) -> int:
        if self.down.view[state]:
            return NOTHING
        process, value = self.states[state]
        message, lane = self.alphabet.arrivals[arrival]
        self.calls += 1
        step = self._system.receive(process, value, message, lane)
        return NOTHING if step is None else self._step(state, step)

    def _step(self, before: int, step: Step[Any, Any]) -> int:
        process, value = self.states[before]
        after = self.state(process, step.state)
        batch = self.alphabet.batch(process, step.sends)
        number = self._steps.add((before, after, batch, step.notes))
        if number == len(self.after):
            self.after.append(after)
            self.batch.append(batch)
            self.idle.append(int(before == after and not step.sends))
            refuted = 0
            if before != after:
                for bit, prop in enumerate(self._step_properties):
                    refuted |= (not prop.judge(process, value, step.state)) << bit
            self.refuted.append(refuted)
            self.any_refuted |= bool(refuted)
        return number

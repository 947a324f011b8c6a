"""The system as tables: each local state, move and step a number, each outcome computed once.

Everything that calls `System.act`, `System.receive` and `System.moves` lives here; what watchers
may do is in `sight`.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from model_check.engine.alphabet import Alphabet
from model_check.engine.arrays import Flags
from model_check.engine.budgets import FREE, Budgets
from model_check.engine.directory import Directory
from model_check.engine.interner import Interner
from model_check.engine.layout import (
    ACT,
    ACTIVE,
    BATCHES,
    ENVELOPES,
    IDLE,
    LIST_MOVES,
    MOST_STEP_PROPERTIES,
    MOVE_CLASS,
    MOVE_COST,
    MOVE_STATE,
    MOVE_STEP,
    MOVE_WIDTH,
    MOVES,
    NOTHING,
    PROCESSES,
    PURE,
    RECEIVE,
    STATE_COUNT,
    STATE_DOWN,
    STATE_FIRST,
    STATE_WIDTH,
    STATES,
    STEP_AFTER,
    STEP_BATCH,
    STEP_WIDTH,
    STEPS,
    UNKNOWN,
)
from model_check.engine.memo import Memo, Remembered, key_of
from model_check.engine.sheets import Sheet
from model_check.properties import StepProperty
from model_check.system import Move, Step, System


class LocalTables:
    """Local states (of all processes together), moves and steps of a system.

    A step is a local state before, one after, a batch of sends, and notes. The two states of a
    step belong to the same process.

    Raises ValueError if there are more step properties than the kernels can tell apart.
    """

    def __init__(
        self,
        system: System[Any, Any, Any],
        memo: Memo,
        budgets: Budgets,
        step_properties: Sequence[StepProperty[Any]] = (),
    ) -> None:
        if len(step_properties) > MOST_STEP_PROPERTIES:
            raise ValueError(f"more than {MOST_STEP_PROPERTIES} properties of steps")
        self._system = system
        self._budgets = budgets
        self._step_properties = step_properties
        self.memo = memo
        self.process_count = len(system.processes)
        self._watchers = frozenset(system.watchers)
        self.alphabet = Alphabet(system)
        self.calls = 0  # of act and receive

        self.states: Interner[tuple[int, Hashable]] = Interner()
        self.state_sheet = Sheet(STATE_WIDTH)
        self.on_state: list[Callable[[int, Hashable], None]] = []
        """What is told of each new local state: its process and its value."""

        self.on_list: list[Callable[[int, Any], None]] = []
        """What is told of each local state whose moves are listed: its process and its value."""
        self.on_receive: list[
            Callable[[int, Any, tuple[Hashable, int], Step[Any, Any] | None], None]
        ] = []
        """What is told of each delivery: process, local state, message and lane, outcome."""

        self.on_choice: list[Callable[[int, Any, tuple[Any, ...]], None]] = []
        """What is told of each choice of a watcher: process, local state, observations."""

        self.move_values: list[Move[Any]] = []
        self._move_faults: Flags = np.zeros(0, dtype=np.bool_)  # of those that were asked about
        self.move_sheet = Sheet(MOVE_WIDTH)
        self.events: Interner[tuple[int, Hashable]] = Interner()

        self._steps: Interner[tuple[int, int, int, tuple[Hashable, ...]]] = Interner()
        self.step_sheet = Sheet(STEP_WIDTH)

        self.receive = Remembered(memo, RECEIVE, self._receive)
        """(state, arrival) -> step, or NOTHING if the message is lost."""
        memo.define(LIST_MOVES, self._list_moves, kept_elsewhere=True)
        memo.define(ACT, self._act, kept_elsewhere=True)

    def state(self, process: int, value: Hashable) -> int:
        """The number of a local state."""
        number = self.states.add((process, value))
        if number == len(self.state_sheet):
            down = int(self._system.is_down(process, value))
            looks = process in self._watchers and self._system.looks(process, value)
            self.state_sheet.append(process, down, 0, UNKNOWN, int(looks))
            for tell in self.on_state:
                tell(process, value)
        return number

    def is_down(self, state: int) -> bool:
        """Whether a process in the local state takes nothing."""
        return bool(self.state_sheet.get(state, STATE_DOWN))

    def add_move(self, state: int, move: Move[Any]) -> int:
        """The number of one more move that can be made in the local state."""
        process, _ = self.states[state]
        self.move_values.append(move)
        cost, event = self._budgets.cost(move.cost), self.events.add((process, move.event))
        return self.move_sheet.append(state, cost, event, UNKNOWN, ACTIVE)

    def step_of(self, move: int) -> int:
        """The step of the move, which is enabled somewhere."""
        if self.move_sheet.get(move, MOVE_STEP) == UNKNOWN:
            self.memo.fill([key_of(ACT, move, 0)])
        return self.move_sheet.get(move, MOVE_STEP)

    def state_of(self, move: int) -> int:
        """The local state in which the move is made."""
        return self.move_sheet.get(move, MOVE_STATE)

    def after(self, step: int) -> int:
        """The local state after the step."""
        return self.step_sheet.get(step, STEP_AFTER)

    def batch(self, step: int) -> int:
        """What the step sends."""
        return self.step_sheet.get(step, STEP_BATCH)

    def move_faults(self) -> Flags:
        """Whether each move is a fault. Shape: (moves,)."""
        new = self.move_values[len(self._move_faults) :]
        if new:
            faults = np.array([move.fault for move in new], dtype=np.bool_)
            self._move_faults = np.concatenate((self._move_faults, faults))
        return self._move_faults

    def notes(self, step: int) -> tuple[Hashable, ...]:
        """What the step tells for the story."""
        return self._steps[step][3]

    def describe(self, directory: Directory) -> None:
        """The directory says where the tables are."""
        directory[PROCESSES] = self.process_count
        directory.point(STATES, self.state_sheet)
        directory.point(MOVES, self.move_sheet)
        directory.point(STEPS, self.step_sheet)
        directory.point(ENVELOPES, self.alphabet.envelopes)
        directory.point(BATCHES, self.alphabet.batch_sheet)
        self.memo.describe(directory.numbers)

    def sizes(self) -> dict[str, int]:
        """How many of each there are."""
        return {
            "local states": len(self.states),
            "moves": len(self.move_values),
            "steps": len(self._steps),
            "messages": len(self.alphabet.arrivals),
            "envelopes": len(self.alphabet),
            "batches": len(self.alphabet.batches),
        }

    def _list_moves(self, state: int, _: int) -> int:
        process, value = self.states[state]
        self.state_sheet.set(state, STATE_FIRST, len(self.move_values))
        moves = [self.add_move(state, move) for move in self._system.moves(process, value)]
        self.state_sheet.set(state, STATE_COUNT, len(moves))
        for tell in self.on_list:
            tell(process, value)
        return len(moves)

    def _act(self, move: int, _: int) -> int:
        state = self.state_of(move)
        process, value = self.states[state]
        self.calls += 1
        step = self._step(state, self._system.act(process, value, self.move_values[move]))
        self.move_sheet.set(move, MOVE_STEP, step)
        if self.move_sheet.get(move, MOVE_COST) == FREE and self.after(step) == state:
            sent = len(self.alphabet.batches[self.batch(step)])
            self.move_sheet.set(move, MOVE_CLASS, {0: IDLE, 1: PURE}.get(sent, ACTIVE))
        return step

    def _receive(self, state: int, arrival: int) -> int:
        if self.is_down(state):
            return NOTHING
        process, value = self.states[state]
        message, lane = self.alphabet.arrivals[arrival]
        self.calls += 1
        step = self._system.receive(process, value, message, lane)
        for tell in self.on_receive:
            tell(process, value, (message, lane), step)
        return NOTHING if step is None else self._step(state, step)

    def _step(self, before: int, step: Step[Any, Any]) -> int:
        process, value = self.states[before]
        after = self.state(process, step.state)
        batch = self.alphabet.batch(process, step.sends)
        number = self._steps.add((before, after, batch, step.notes))
        if number == len(self.step_sheet):
            refuted = 0
            if before != after:
                for bit, prop in enumerate(self._step_properties):
                    refuted |= (not prop.judge(process, value, step.state)) << bit
            idle = int(before == after and not step.sends)
            self.step_sheet.append(after, batch, idle, refuted)
        return number

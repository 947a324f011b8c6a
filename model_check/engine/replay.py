"""Codes of transitions back into what happened.

A path is replayed on the local states alone: what was on the links is in the codes.
"""

from collections.abc import Hashable, Iterable
from typing import Any

from model_check.engine.codes import (
    BREAK,
    DELIVER,
    DELIVER_HELD,
    HOLD,
    KEPT_BITS,
    KIND_BITS,
    LOSE,
    LOSE_HELD,
    MOVE,
    SEND_AND_DELIVER,
    SEND_AND_HOLD,
)
from model_check.engine.local import LocalTables
from model_check.system import Send, System
from model_check.trace import StepKind, Trace, TraceStep

_KINDS: dict[int, StepKind] = {
    MOVE: "move",
    DELIVER: "deliver",
    DELIVER_HELD: "deliver_held",
    LOSE: "lose",
    LOSE_HELD: "lose",
    HOLD: "hold",
    SEND_AND_DELIVER: "deliver",
    SEND_AND_HOLD: "hold",
    BREAK: "break",
}


class Replay:
    """The transitions of a system, from their codes."""

    def __init__(self, system: System[Any, Any, Any], local: LocalTables) -> None:
        self._system = system
        self._local = local
        self._alphabet = local.alphabet

    def trace(self, codes: Iterable[int], *, loop: int = 0) -> Trace:
        """The path that these transitions take from the initial state; the last `loop` repeat."""
        initial = tuple(self._system.initial())
        states = [self._local.state(process, value) for process, value in enumerate(initial)]
        return Trace(
            initial=initial,
            initial_messages=tuple(self._system.initial_messages()),
            steps=tuple(self._step(states, code) for code in codes),
            loop=loop,
        )

    def describe(self, code: int) -> str:
        """What the transition does, in one line."""
        names = self._system.processes
        kind, operand = _parts(code)
        if kind == MOVE:
            process, _ = self._local.states[self._local.state_of(operand)]
            return f"{names[process]}: {self._local.move_values[operand].event}"
        if kind == BREAK:
            sender, receiver, lane = self._alphabet.channels[operand >> KEPT_BITS]
            return f"break {names[sender]} -> {names[receiver]} ({lane})"
        envelope, _ = self._envelope(kind, operand)
        sender, receiver, _ = self._alphabet.channel_of(envelope)
        message = self._alphabet.send(envelope).message
        return f"{_KINDS[kind].replace('_', ' ')} {names[sender]} -> {names[receiver]}: {message}"

    def _step(self, states: list[int], code: int) -> TraceStep:
        """The transition; the states are those after it."""
        kind, operand = _parts(code)
        if kind == MOVE:
            return self._moved(states, operand)
        if kind == BREAK:
            channel = self._alphabet.channels[operand >> KEPT_BITS]
            value = self._value(states[channel[0]])
            return TraceStep(
                kind="break",
                process=channel[0],
                channel=channel,
                before=value,
                after=value,
                kept=operand & ((1 << KEPT_BITS) - 1),
            )
        envelope, event = self._envelope(kind, operand)
        if kind in {DELIVER, DELIVER_HELD, SEND_AND_DELIVER}:
            return self._delivered(states, kind, envelope, event)
        channel = self._alphabet.channel_of(envelope)
        value = self._value(states[channel[0]])
        return TraceStep(
            kind=_KINDS[kind],
            process=channel[0],
            event=event,
            message=self._alphabet.send(envelope).message,
            channel=channel,
            before=value,
            after=value,
        )

    def _moved(self, states: list[int], move: int) -> TraceStep:
        before = self._local.state_of(move)
        step = self._local.step_of(move)
        process, value = self._local.states[before]
        states[process] = self._local.after(step)
        return TraceStep(
            kind="move",
            process=process,
            event=self._local.move_values[move].event,
            before=value,
            after=self._value(states[process]),
            sends=self._sends(step),
            notes=self._local.notes(step),
        )

    def _delivered(
        self, states: list[int], kind: int, envelope: int, event: Hashable | None
    ) -> TraceStep:
        channel = self._alphabet.channel_of(envelope)
        receiver = channel[1]
        before = states[receiver]
        arrival = self._alphabet.arrival(envelope)
        step = self._local.receive(before, arrival)
        states[receiver] = self._local.after(step)
        return TraceStep(
            kind=_KINDS[kind],
            process=receiver,
            event=event,
            message=self._alphabet.send(envelope).message,
            channel=channel,
            before=self._value(before),
            after=self._value(states[receiver]),
            sends=self._sends(step),
            notes=self._local.notes(step),
        )

    def _envelope(self, kind: int, operand: int) -> tuple[int, Hashable | None]:
        """The message that the transition is about, and the move that sent it in this very one."""
        if kind not in {SEND_AND_DELIVER, SEND_AND_HOLD}:
            return operand, None
        envelope = self._alphabet.batches[self._local.batch(self._local.step_of(operand))][0]
        return envelope, self._local.move_values[operand].event

    def _sends(self, step: int) -> tuple[Send[Any], ...]:
        return self._alphabet.sends(self._local.batch(step))

    def _value(self, state: int) -> Hashable:
        return self._local.states[state][1]


def _parts(code: int) -> tuple[int, int]:
    return code & ((1 << KIND_BITS) - 1), code >> KIND_BITS

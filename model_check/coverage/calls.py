"""Which functions with a clause run in a step, and which of them make a difference."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import attrs

from model_check.coverage.tied import tied_functions
from reference.core.effects import Notice, Refusal
from reference.core.state import ClusterState
from reference.spec.ties import Function

R = TypeVar("R")


@attrs.frozen
class Call:
    """One call of a function with a clause."""

    function: Function
    fired: bool = False
    """It changed the state or had an effect; of a function that only answers: it did not say no.

    No is None, False, zero and what is empty. To tell that something was refused is no effect.
    """
    refusal: Refusal | None = None  # what it answered


@attrs.define
class _Open:
    """A call that has not returned yet."""

    frame: FrameType
    place: int  # in the list of calls
    state: object
    out: object
    told: int  # how many effects there were


def calls_of(work: Callable[[], R]) -> tuple[R, list[Call]]:
    """What the work gives, and the calls that it made, in the order in which they began."""
    watch = _Watch()
    before = sys.getprofile()
    sys.setprofile(watch.see)
    try:
        result = work()
    finally:
        sys.setprofile(before)
    return result, watch.calls


class _Watch:
    """A profile function that looks at the functions with a clause, and at nothing else."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._tied = tied_functions()
        self._open: list[_Open] = []

    def see(self, frame: FrameType, event: str, arg: Any) -> None:  # noqa: ANN401 - whatever was returned
        if event == "call":
            function = self._tied.get(frame.f_code)
            if function is not None:
                self._begin(frame, function)
        elif event == "return" and self._open and self._open[-1].frame is frame:
            ended = self._open.pop()
            call = self.calls[ended.place]
            self.calls[ended.place] = attrs.evolve(
                call,
                fired=_fired(ended, arg),
                refusal=arg if isinstance(arg, Refusal) else None,
            )

    def _begin(self, frame: FrameType, function: Function) -> None:
        given = frame.f_locals
        out = given.get("out")
        told = len(out) if isinstance(out, list) else 0
        self._open.append(_Open(frame, len(self.calls), given.get("state"), out, told))
        self.calls.append(Call(function))


def _fired(call: _Open, answer: object) -> bool:
    if isinstance(call.out, list) and any(map(_is_effect, call.out[call.told :])):
        return True
    match answer:
        case ClusterState():
            return answer is not call.state
        case (ClusterState() as state, *rest):
            return state is not call.state or any(map(_is_effect, _flat(rest)))
        case _:
            return bool(answer)


def _flat(parts: list[object]) -> list[object]:
    return [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]


def _is_effect(effect: object) -> bool:
    return not (isinstance(effect, Notice) and isinstance(effect.what, Refusal))

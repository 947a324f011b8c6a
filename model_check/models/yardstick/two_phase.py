"""Two-phase commit, after Gray and Lamport, as TwoPhase.tla of the TLA+ examples has it.

What was ever sent may be received at any time and again, which is what `set` links let happen.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations

import attrs
from typing_extensions import override

from model_check.system import Move, Send, Step, Symmetry, System

State = tuple[str, frozenset[int]]
"""What the process is up to, and the resource managers that it knows to be prepared."""


@attrs.frozen
class TwoPhase(System[State, str, str]):
    """The transaction manager, process 0, and its resource managers."""

    managers: int

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return ("tm", *(f"rm{number}" for number in range(1, self.managers + 1)))

    @override
    def initial(self) -> tuple[State, ...]:
        return (("init", frozenset()), *(("working", frozenset()),) * self.managers)

    @property
    @override
    def symmetries(self) -> Sequence[Symmetry[State, str]]:
        """Resource managers are interchangeable."""
        renamings = permutations(range(1, self.managers + 1))
        return [_renaming((0, *order)) for order in renamings if [*order] != sorted(order)]

    @override
    def moves(self, process: int, state: State) -> Iterable[Move[str]]:
        if process == 0 and state[0] == "init":
            yield Move("abort")
            if len(state[1]) == self.managers:
                yield Move("commit")
        if process and state[0] == "working":
            yield Move("prepare")
            yield Move("choose to abort")

    @override
    def act(self, process: int, state: State, move: Move[str]) -> Step[State, str]:
        match move.event:
            case "prepare":
                return Step(("prepared", state[1]), (Send(0, f"prepared {process}"),))
            case "choose to abort":
                return Step(("aborted", state[1]))
            case decision:
                sends = tuple(Send(rm, decision) for rm in range(1, self.managers + 1))
                return Step(("done " + decision, state[1]), sends)

    @override
    def receive(
        self, process: int, state: State, message: str, lane: int
    ) -> Step[State, str] | None:
        if process:
            return Step(("committed" if message == "commit" else "aborted", state[1]))
        if state[0] == "init":
            return Step((state[0], state[1] | {int(message.split()[1])}))
        return None


def _renaming(places: tuple[int, ...]) -> Symmetry[State, str]:
    """Resource manager m becomes places[m]."""

    def message(text: str) -> str:
        what, _, manager = text.partition(" ")
        return f"{what} {places[int(manager)]}" if manager else text

    return Symmetry(
        processes=places,
        state=lambda _, state: (state[0], frozenset(places[m] for m in state[1])),
        message=message,
        name=f"resource managers as {places[1:]}",
    )

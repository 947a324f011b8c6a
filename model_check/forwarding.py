"""A system that does what another one does; what stands between them is a subclass's."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from typing_extensions import override

from model_check.system import Move, Send, Step, Symmetry, System

S = TypeVar("S", bound=Hashable)
M = TypeVar("M", bound=Hashable)
E = TypeVar("E", bound=Hashable)


class ForwardingSystem(System[S, M, E]):
    """The same system, asked by way of this one."""

    def __init__(self, system: System[S, M, E]) -> None:
        """Everything is answered as the system answers it."""
        self._system = system

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return self._system.processes

    @property
    @override
    def budgets(self) -> Mapping[str, int]:
        return self._system.budgets

    @property
    @override
    def symmetries(self) -> Sequence[Symmetry[S, M]]:
        return self._system.symmetries

    @property
    @override
    def watchers(self) -> tuple[int, ...]:
        return self._system.watchers

    @override
    def initial(self) -> tuple[S, ...]:
        return self._system.initial()

    @override
    def initial_messages(self) -> tuple[tuple[int, Send[M]], ...]:
        return self._system.initial_messages()

    @override
    def moves(self, process: int, state: S) -> Iterable[Move[E]]:
        return self._system.moves(process, state)

    @override
    def looks(self, process: int, state: S) -> bool:
        return self._system.looks(process, state)

    @override
    def observe(self, process: int, state: S) -> Hashable:
        return self._system.observe(process, state)

    @override
    def moves_seeing(self, process: int, state: S, seen: tuple[Any, ...]) -> Iterable[Move[E]]:
        return self._system.moves_seeing(process, state, seen)

    @override
    def act(self, process: int, state: S, move: Move[E]) -> Step[S, M]:
        return self._system.act(process, state, move)

    @override
    def receive(self, process: int, state: S, message: M, lane: int) -> Step[S, M] | None:
        return self._system.receive(process, state, message, lane)

    @override
    def is_down(self, process: int, state: S) -> bool:
        return self._system.is_down(process, state)

"""Small systems whose answers are known."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import attrs
from typing_extensions import override

from model_check.properties import Sometimes
from model_check.system import Move, Send, Step, System


def someone(name: str, process: int, state: Hashable) -> Sometimes[Any]:
    """The process is in that state in some reachable state."""
    return Sometimes(
        id=name,
        project=lambda other, value: other == process and value == state,
        judge=any,
    )


@attrs.frozen
class TokenRing(System[bool, str, str]):
    """A token goes round; the processes have it or not."""

    size: int

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return tuple(f"p{number}" for number in range(self.size))

    @override
    def initial(self) -> tuple[bool, ...]:
        return (True, *(False,) * (self.size - 1))

    @override
    def moves(self, process: int, state: bool) -> Iterable[Move[str]]:
        return [Move("pass")] if state else []

    @override
    def act(self, process: int, state: bool, move: Move[str]) -> Step[bool, str]:
        return Step(state=False, sends=(Send((process + 1) % self.size, "token"),))

    @override
    def receive(self, process: int, state: bool, message: str, lane: int) -> Step[bool, str]:
        return Step(state=True)


@attrs.frozen
class ForgetfulLock(System[str, str, str]):
    """A server, process 0, that grants a lock and does not remember to whom."""

    processes: tuple[str, ...] = ("server", "a", "b")

    @override
    def initial(self) -> tuple[str, ...]:
        return ("serving", "idle", "idle")

    @override
    def moves(self, process: int, state: str) -> Iterable[Move[str]]:
        return [Move("ask")] if state == "idle" else []

    @override
    def act(self, process: int, state: str, move: Move[str]) -> Step[str, str]:
        return Step("waiting", (Send(0, f"ask {process}"),))

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> Step[str, str]:
        if process == 0:
            return Step(state, (Send(int(message.split()[1]), "granted"),), notes=("grants",))
        return Step("locked")


@attrs.frozen
class Stream(System[Any, int, str]):
    """Process 0 sends 1, 2 ... `last`; process 1 notes what it receives, in this order."""

    last: int
    budgets: Mapping[str, int] = {}
    lanes: int = 1  # how many the messages are dealt to in turn
    at_once: int = 1  # how many are sent in one step
    longest: int = 2  # more than so many are not noted
    processes: tuple[str, ...] = ("sender", "receiver")

    @override
    def initial(self) -> tuple[Any, ...]:
        return (0, ())

    @override
    def moves(self, process: int, state: Any) -> Iterable[Move[str]]:
        return [Move("send")] if process == 0 and state < self.last else []

    @override
    def act(self, process: int, state: Any, move: Move[str]) -> Step[Any, int]:
        sent = range(state + 1, min(state + self.at_once, self.last) + 1)
        return Step(sent[-1], tuple(Send(1, number, number % self.lanes) for number in sent))

    @override
    def receive(self, process: int, state: Any, message: int, lane: int) -> Step[Any, int]:
        return Step((*state, message) if len(state) < self.longest else state)


@attrs.frozen
class Beacon(System[str, str, str]):
    """Process 0 sends the same heartbeat for ever; process 1 may crash, restart and hear it."""

    silent: bool = False  # the heartbeat is sent only once
    crashes: int = 1
    processes: tuple[str, ...] = ("beacon", "listener")

    @property
    @override
    def budgets(self) -> Mapping[str, int]:
        return {"crash": self.crashes, "break": 0}

    @override
    def initial(self) -> tuple[str, ...]:
        return ("on", "new")

    @override
    def moves(self, process: int, state: str) -> Iterable[Move[str]]:
        if state == "on":
            yield Move("beat")
        if state == "new":
            yield Move("crash", "crash")
        if state == "down":
            yield Move("restart")

    @override
    def act(self, process: int, state: str, move: Move[str]) -> Step[str, str]:
        match move.event:
            case "beat":
                return Step("off" if self.silent else "on", (Send(1, "beat"),))
            case "crash":
                return Step("down")
            case _:
                return Step("old")

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> Step[str, str]:
        return Step(state if state.endswith("heard") else state + " heard")

    @override
    def is_down(self, process: int, state: str) -> bool:
        return state == "down"


@attrs.frozen
class Crossing(System[str, str, str]):
    """Process 0 shows its light and nothing else; process 1 goes when it sees green."""

    watchers: tuple[int, ...] = (1,)
    processes: tuple[str, ...] = ("light", "walker")

    @override
    def initial(self) -> tuple[str, ...]:
        return ("red, cold", "waiting")

    @override
    def moves(self, process: int, state: str) -> Iterable[Move[str]]:
        if process == 0:
            yield Move("switch")
            yield Move("warm up")

    @override
    def observe(self, process: int, state: str) -> str:
        return state.split(",", maxsplit=1)[0] if process == 0 else ""

    @override
    def moves_seeing(self, process: int, state: str, seen: tuple[Any, ...]) -> Iterable[Move[str]]:
        if seen[0] == "green" and state == "waiting":
            yield Move("go")

    @override
    def act(self, process: int, state: str, move: Move[str]) -> Step[str, str]:
        light = state.split(",", maxsplit=1)[0]
        match move.event:
            case "go":
                return Step("gone")
            case "warm up":
                return Step(f"{light}, warm")
            case _:
                return Step(state.replace(light, {"red": "green", "green": "red"}[light]))

    @override
    def receive(self, process: int, state: str, message: str, lane: int) -> None:
        return None

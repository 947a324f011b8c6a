"""The console of `slotproof cluster`: lines that are typed, and what they do."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from reference.runtime.host.cluster_host import ClusterHost, HostError, Told

_READ_SIZE: Final = 4096
_LONGEST_LINE: Final = 64 * 1024

_Do: TypeAlias = Callable[[ClusterHost, list[str]], Awaitable[str]]


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise HostError(f"{word!r} is no number")
    return int(word)


async def _kill(host: ClusterHost, words: list[str]) -> str:
    for word in words:
        await host.kill(word)
    return "killed"


async def _restart(host: ClusterHost, words: list[str]) -> str:
    for word in words:
        await host.restart(word)
    return "running"


async def _pause(host: ClusterHost, words: list[str]) -> str:
    for word in words:
        await host.pause(word)
    return "paused"


async def _resume(host: ClusterHost, words: list[str]) -> str:
    for word in words:
        await host.resume(word)
    return "running"


async def _partition(host: ClusterHost, words: list[str]) -> str:
    groups = " ".join(words).split("|")
    host.partition([group.split() for group in groups])
    return "cut off"


async def _heal(host: ClusterHost, _words: list[str]) -> str:
    host.heal()
    return "healed"


async def _delay(host: ClusterHost, words: list[str]) -> str:
    host.delay(words[0], words[1], _number(words[2]))
    return "delayed"


async def _drop(host: ClusterHost, words: list[str]) -> str:
    sender, receiver, *rest = words
    count = _number(rest.pop()) if rest and rest[-1].isdigit() else None
    host.drop(sender, receiver, rest, count)
    return "dropped"


async def _status(host: ClusterHost, _words: list[str]) -> str:
    return status_text(host.status())


COMMANDS: Final[dict[str, tuple[str, int, _Do]]] = {
    "status": ("status: how the nodes are", 0, _status),
    "kill": ("kill NODE...: they are gone, with what is not in their files", 1, _kill),
    "restart": ("restart NODE...: they run again, from their files", 1, _restart),
    "pause": ("pause NODE...: they do nothing, as stopped processes", 1, _pause),
    "resume": ("resume NODE...: they go on", 1, _resume),
    "partition": (
        "partition NODE... [| NODE...]: the groups do not hear each other",
        1,
        _partition,
    ),
    "delay": ("delay FROM TO MS: messages of the bus arrive later", 3, _delay),
    "drop": ("drop FROM TO [TYPE...] [COUNT]: messages of the bus are lost", 2, _drop),
    "heal": ("heal: no partition, no delay, no loss", 0, _heal),
}
"""By name: how it is used, the fewest words it takes, and what it does."""


def status_text(status: dict[str, Told]) -> str:
    """The state in a line for each node, and one for each fault."""
    nodes, lines = status["nodes"], []
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict):
            words = [node["port"], node["condition"], node["id"], node.get("role", "")]
            words += [node.get("master") or node.get("slots") or ""]
            words += [f"epoch {node['config_epoch']}"] if "config_epoch" in node else []
            words += [node.get("reason", "")]
            lines.append(" ".join(str(word) for word in words if word))
    faults = ("partition", "delays", "drops")
    lines += [f"{fault}: {status[fault]}" for fault in faults if status[fault]]
    return "\n".join(lines)


async def obey(host: ClusterHost, line: str) -> str:
    """What the line asks for is done, and the answer says so, or why not."""
    words = line.split()
    if not words:
        return ""
    name, *rest = words
    if name == "help":
        return "\n".join([usage for usage, _, _ in COMMANDS.values()] + ["quit: all of it ends"])
    if name not in COMMANDS:
        return f"error: no command {name!r}; help lists them"
    usage, least, do = COMMANDS[name]
    if len(rest) < least:
        return f"error: {usage}"
    try:
        return await do(host, rest)
    except HostError as error:
        return f"error: {error}"


class StdinLines:
    """The lines of standard input, read by a thread that does not keep the process from ending.

    The file is read below Python's buffers, whose lock a thread must not hold at the end.
    """

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, daemon=True, name="console").start()

    async def next(self) -> str | None:
        """The next line, None if there will be no more."""
        return await self._lines.get()

    def _read(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            rest = b""
            while (data := self._read_some()) and len(rest) < _LONGEST_LINE:
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._put(line.decode("utf-8", "replace"))
            self._put(None)

    def _read_some(self) -> bytes:
        try:
            return os.read(sys.stdin.fileno(), _READ_SIZE)
        except (OSError, ValueError, AttributeError):  # there is no standard input
            return b""

    def _put(self, line: str | None) -> None:
        self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


def may_read_stdin() -> bool:
    """Whether reading is not the business of another process: one in front of the terminal."""
    try:
        descriptor = sys.stdin.fileno()
        return not os.isatty(descriptor) or os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


async def serve_console(host: ClusterHost, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Lines of standard input are obeyed until it ends; `quit` asks for the end of all."""
    if not may_read_stdin():
        return
    lines = StdinLines()
    while (line := await lines.next()) is not None:
        if line.strip() in ("quit", "exit"):
            stop.set()
            return
        answer = await obey(host, line)
        if answer:
            say(answer)

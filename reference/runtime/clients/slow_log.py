"""Requests that took long (SLOWLOG), and clients that see every request (MONITOR)."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.options import NodeOptions

_ARGUMENTS: Final = 32
_BYTES: Final = 128
HAVE_SECRETS: Final[Mapping[str, int]] = {
    "auth": 1,
    "hello": 3,
    "acl|setuser": 2,
    "acl|deluser": 2,
    "acl|getuser": 2,
}
"""Commands in which there may be passwords, and how many words come before these."""

_DEFAULT_US: Final = "10000"
_DEFAULT_LENGTH: Final = "128"


@attrs.frozen
class SlowRequest:
    """A request that took long (`slowlogEntry`)."""

    number: int
    at_s: int  # since 1970
    spent_us: int
    arguments: tuple[bytes, ...]
    address: str
    name: str


@attrs.define
class SlowLog:
    """The newest requests that took long, the newest first."""

    entries: deque[SlowRequest] = attrs.field(factory=deque)
    _options: NodeOptions | None = None
    _limit_ns: float = 0.0
    _length: int = 0
    _count: int = 0

    @clause("CM-99")
    def note(
        self,
        options: NodeOptions,
        spent_ns: int,
        arguments: Sequence[bytes],
        address: str,
        name: str,
    ) -> None:
        """The request is kept if it took long enough. Counterpart: `slowlogPushEntryIfNeeded`."""
        if options is not self._options:
            self._follow(options)
        if spent_ns < self._limit_ns:
            return
        us, now = spent_ns // 1000, int(time.time())
        kept = _shortened(arguments)
        self.entries.appendleft(SlowRequest(self._count, now, us, kept, address, name))
        self._count += 1
        while len(self.entries) > self._length:
            self.entries.pop()

    def _follow(self, options: NodeOptions) -> None:
        limit_us = int(options.kept.get("slowlog-log-slower-than", _DEFAULT_US))
        self._limit_ns = limit_us * 1000 if limit_us >= 0 else float("inf")
        self._length = int(options.kept.get("slowlog-max-len", _DEFAULT_LENGTH))
        self._options = options


def without_secrets(name: str, arguments: list[bytes]) -> list[bytes]:
    """The request without the words in which there may be passwords. (`redactClientCommand`)."""
    kept = HAVE_SECRETS.get(name)
    if kept is None:
        return arguments
    return [*arguments[:kept], *[b"(redacted)"] * (len(arguments) - kept)]


def _shortened(arguments: Sequence[bytes]) -> tuple[bytes, ...]:
    """No more arguments than are kept, and none that is longer. (`slowlogCreateEntry`)."""
    more = len(arguments) - _ARGUMENTS
    shown = [*arguments[: _ARGUMENTS - 1]] if more > 0 else [*arguments]
    kept = [
        word if len(word) <= _BYTES else b"%b... (%d more bytes)" % (word[:_BYTES], len(word) - 128)
        for word in shown
    ]
    if more > 0:
        kept.append(b"... (%d more arguments)" % (more + 1))
    return tuple(kept)


def monitor_line(arguments: Sequence[bytes], address: str) -> str:
    """What clients that watch are told of a request. Counterpart: `replicationFeedMonitors`."""
    words = " ".join(f'"{_printable(word)}"' for word in arguments)
    return f"{time.time():.6f} [0 {address}] {words}"


_ESCAPES: Final = {
    ord("\\"): "\\\\", ord('"'): '\\"', 10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b",
}  # fmt: skip


def _printable(word: bytes) -> str:
    """The word as it may stand between quotation marks. Counterpart: `sdscatrepr`."""
    return "".join(
        _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in word
    )

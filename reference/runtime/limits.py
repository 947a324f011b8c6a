"""How much of the node's memory its clients may take."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol

import attrs

from reference.clauses import clause

_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2,
                 "g": 1000**3, "gb": 1024**3}  # fmt: skip
_MEMORY: Final = re.compile(r"([0-9]+)(b|kb?|mb?|gb?|)")


class OutputClass(Enum):
    """What a connection is used for, by the name in `client-output-buffer-limit`."""

    NORMAL = "normal"
    REPLICA = "slave"
    PUBSUB = "pubsub"


class SlowReader(Protocol):
    """A connection that may leave replies unread."""

    slow_since: float | None  # s


@attrs.frozen(kw_only=True)
class OutputLimit:
    """How many bytes may wait for a client: at no time, and for how long (0: no limit)."""

    hard: int = 0
    soft: int = 0
    soft_s: int = 0

    @clause("CM-70")
    def exceeded(self, unsent: int, reader: SlowReader, now_s: float) -> bool:
        """Whether the client has left too much unread, now or for too long.

        Counterpart: `checkClientOutputBufferLimits`.
        """
        if not self.soft or unsent < self.soft:
            reader.slow_since = None
        elif reader.slow_since is None:
            reader.slow_since = now_s
        if self.hard and unsent >= self.hard:
            return True
        return reader.slow_since is not None and now_s - reader.slow_since > self.soft_s


NO_LIMIT: Final = OutputLimit()
"""Any number of bytes may wait for the client."""

DEFAULT_OUTPUT_LIMITS: Final = {
    OutputClass.NORMAL: NO_LIMIT,
    OutputClass.REPLICA: OutputLimit(hard=256 << 20, soft=64 << 20, soft_s=60),
    OutputClass.PUBSUB: OutputLimit(hard=32 << 20, soft=8 << 20, soft_s=60),
}


@attrs.frozen(kw_only=True)
class Limits:
    """What clients may ask of the node's memory."""

    max_clients: int = 10_000
    max_bulk_len: int = 512 << 20  # bytes of one argument
    max_request: int = 1 << 30  # bytes of one unfinished request
    max_unsent: int = 1 << 20  # bytes of replies after which a client is not read from
    output: dict[OutputClass, OutputLimit] = attrs.field(
        factory=lambda: dict(DEFAULT_OUTPUT_LIMITS)
    )

    def of(self, output_class: OutputClass) -> OutputLimit:
        """The limit for connections of this use."""
        return self.output[output_class]


def _bytes(word: str) -> int:
    """The number of bytes; ValueError if the word says none."""
    found = _MEMORY.fullmatch(word.lower())
    if found is None:
        raise ValueError(word)
    return int(found[1]) * _UNITS[found[2]]


def output_limits(text: str) -> dict[OutputClass, OutputLimit]:
    """The limits that `client-output-buffer-limit` says, the defaults for classes it leaves out.

    ValueError if it says nothing sensible.
    """
    words = text.split()
    limits = dict(DEFAULT_OUTPUT_LIMITS)
    if len(words) % 4:
        raise ValueError(text)
    for start in range(0, len(words), 4):
        name, hard, soft, seconds = words[start : start + 4]
        output_class = OutputClass("slave" if name == "replica" else name)
        limits[output_class] = OutputLimit(
            hard=_bytes(hard), soft=_bytes(soft), soft_s=int(seconds)
        )
    return limits


def configured_limits(kept: Mapping[str, str]) -> Limits:
    """The limits that these directives say."""
    default = Limits()
    try:
        output = output_limits(kept.get("client-output-buffer-limit", ""))
    except ValueError:
        output = dict(DEFAULT_OUTPUT_LIMITS)
    return Limits(
        max_clients=int(kept.get("maxclients", default.max_clients)),
        max_bulk_len=int(kept.get("proto-max-bulk-len", default.max_bulk_len)),
        max_request=_bytes(kept.get("client-query-buffer-limit", str(default.max_request))),
        output=output,
    )

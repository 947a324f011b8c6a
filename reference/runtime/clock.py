"""The only clock of a node, and its only source of chance."""

import asyncio
import secrets
import struct
import time
from collections.abc import Iterator
from typing import Final

from reference.core.types import NodeId, ShardId


class Clock:
    """A monotone clock for the rules, and where it stands on the calendar."""

    def __init__(self) -> None:
        """It runs from now on; the calendar is looked at once, so that it cannot jump."""
        self._loop = asyncio.get_running_loop()
        self._offset = time.time_ns() // 1_000_000 - self.now()

    def now(self) -> int:
        """Monotone milliseconds, those of the event loop."""
        return int(self._loop.time() * 1000)

    def unix_ms(self, instant: int | None) -> int:
        """The instant in milliseconds since 1970, 0 for none."""
        return 0 if instant is None else instant + self._offset

    def unix_s(self, instant: int | None) -> int:
        """The instant in whole seconds since 1970, 0 for none."""
        return 0 if instant is None else (instant + self._offset) // 1000

    def from_unix_s(self, seconds: int) -> int:
        """The instant of that many seconds since 1970."""
        return seconds * 1000 - self._offset


def _random_numbers() -> Iterator[int]:
    """Numbers of 64 bits each from the system, which is asked for many at a time."""
    while True:
        for (number,) in struct.iter_unpack("Q", secrets.token_bytes(4096)):
            yield number


_RANDOM: Final = _random_numbers()


def entropy() -> int:
    """64 bits that nobody can guess."""
    return next(_RANDOM)


def new_node_id() -> NodeId:
    """A node id that no node has."""
    return NodeId(secrets.token_hex(20))


def new_shard_id() -> ShardId:
    """A shard id that no shard has."""
    return ShardId(secrets.token_hex(20))


def new_internal_secret() -> bytes:
    """A secret of 40 bytes that nobody else has."""
    return secrets.token_hex(20).encode()

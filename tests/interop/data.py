"""Data of every type on a node, written and read back."""

from typing import Any, Final

import redis
from redis.exceptions import BusyLoadingError, ClusterDownError, MovedError

from tests.support import LOOPBACK, Server

TAG: Final = "{bar}"
"""Its slot, 5061, is the first master's."""

LATER: Final = 4102444800000
"""The year 2100 in milliseconds."""

Words = tuple[str | bytes | int | float, ...]

MADE: Final[tuple[Words, ...]] = (
    ("SET", "s" + TAG, b"\x00\xff text"),
    ("SET", "number" + TAG, 12345),
    ("SET", "long" + TAG, "x" * 200_000),
    ("SET", "later" + TAG, "v", "PXAT", LATER),
    ("RPUSH", "l" + TAG, *range(600)),
    ("SADD", "ints" + TAG, *range(100)),
    ("SADD", "set" + TAG, "a", "b", b"\xff"),
    ("HSET", "h" + TAG, "field", "value", "n", 5),
    ("ZADD", "z" + TAG, 1.5, "a", "inf", "b", "-inf", "c", 0.1, "d"),
    ("XADD", "x" + TAG, "5-1", "f", "v", "f", "w"),
    ("XADD", "x" + TAG, "6-1", "g", "v"),
    ("XDEL", "x" + TAG, "6-1"),
    ("PFADD", "hll" + TAG, "a", "b"),
)
READ: Final = {
    b"string": ("GET",),
    b"list": ("LRANGE", 0, -1),
    b"set": ("SMEMBERS",),
    b"hash": ("HGETALL",),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}


class Raw:
    """A client whose replies are as they come."""

    def __init__(self, server: Server) -> None:
        self._client = redis.Redis(
            host=LOOPBACK, port=server.port, protocol=2, socket_timeout=20,
            single_connection_client=True,
        )  # fmt: skip
        self._client.response_callbacks.clear()

    def __call__(self, *words: str | bytes | float) -> Any:
        """The reply to a command."""
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The connection is closed."""
        self._client.close()


def data_of(server: Server) -> dict[bytes, object]:
    """Every key with its type, value and expiry."""
    raw = Raw(server)
    try:
        raw("READONLY")
        return {key: _value(raw, key) for key in raw("KEYS", "*")}
    finally:
        raw.close()


def have_same_data(one: Server, other: Server) -> bool:
    """Whether both have the same; who loads, or serves nobody yet, does not."""
    try:
        return data_of(one) == data_of(other)
    except (ClusterDownError, MovedError, BusyLoadingError):
        return False


def _value(raw: Raw, key: bytes) -> object:
    kind = raw("TYPE", key)
    name, *rest = READ[kind]
    value = raw(name, key, *rest)
    if kind == b"set":
        value = sorted(value)
    elif kind == b"hash":
        value = sorted(zip(value[::2], value[1::2], strict=True))
    elif kind == b"zset":
        value = [float(word) if at % 2 else word for at, word in enumerate(value)]
    return kind, value, raw("PEXPIRETIME", key)

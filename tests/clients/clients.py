"""What the story asks of a cluster client, and the clients whose interface is that of redis-py."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Final, Protocol

from tests.support import LOOPBACK

Heard = set[tuple[str, str]]
"""Channels, and messages there."""

CONFIRM_MS: Final = 200
"""How long a client waits for a replica."""


class Client(Protocol):
    """A client that was told the port of one node and found the others."""

    goes_on_listening: bool
    """Whether it subscribes again by itself when a node is gone."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises when something cannot be done."""

    def set(self, key: str, value: str) -> None:
        """The key has the value."""

    def get(self, key: str) -> str | None:
        """The value of the key."""

    def pipelined(self, pairs: Mapping[str, str]) -> int:
        """The keys have these values and were read; how many replies there were."""

    def mset(self, pairs: Mapping[str, str]) -> None:
        """The keys, all of one slot, have these values."""

    def mget(self, keys: Sequence[str]) -> list[str | None]:
        """The values of the keys, all of one slot."""

    def subscribe(self, channel: str, *, sharded: bool) -> None:
        """It listens, or soon will."""

    def publish(self, channel: str, message: str, *, sharded: bool) -> None:
        """The message is published."""

    def heard(self) -> Heard:
        """All that it has heard by now."""

    def scan(self, pattern: str) -> int:
        """How many keys of all masters are so."""

    def confirm(self, key: str) -> int:
        """How many replicas have all that was written to the node of the key."""

    def close(self) -> None:
        """It has no connections."""


class LikeRedisPy:
    """The cluster client of redis-py or valkey-py."""

    goes_on_listening = False

    def __init__(self, library: ModuleType, port: int, protocol: int) -> None:
        """It is connected."""
        name = library.__name__.capitalize()
        self.errors = (getattr(library.exceptions, f"{name}Error"), OSError)
        self._client: Any = getattr(library, f"{name}Cluster")(
            host=LOOPBACK, port=port, protocol=protocol, socket_timeout=10, decode_responses=True
        )
        self._listener: Any = self._client.pubsub()
        self._heard: Heard = set()
        self._ways: list[Any] = []

    def set(self, key: str, value: str) -> None:
        """The key has the value."""
        self._client.set(key, value)

    def get(self, key: str) -> str | None:
        """The value of the key."""
        value: str | None = self._client.get(key)
        return value

    def pipelined(self, pairs: Mapping[str, str]) -> int:
        """The keys have these values and were read; how many replies there were."""
        pipe = self._client.pipeline()
        for key, value in pairs.items():
            pipe.set(key, value)
            pipe.get(key)
        return len(pipe.execute())

    def mset(self, pairs: Mapping[str, str]) -> None:
        """The keys, all of one slot, have these values."""
        self._client.mset(pairs)

    def mget(self, keys: Sequence[str]) -> list[str | None]:
        """The values of the keys, all of one slot."""
        values: list[str | None] = self._client.mget(keys)
        return values

    def subscribe(self, channel: str, *, sharded: bool) -> None:
        """It listens."""
        listener = self._listener
        (listener.ssubscribe if sharded else listener.subscribe)(channel)
        self._ways.append(listener.get_sharded_message if sharded else listener.get_message)

    def publish(self, channel: str, message: str, *, sharded: bool) -> None:
        """The message is published."""
        (self._client.spublish if sharded else self._client.publish)(channel, message)

    def heard(self) -> Heard:
        """All that it has heard by now."""
        # valkey-py drops sharded messages if it is told to ignore those of subscriptions.
        told = [message for way in self._ways if (message := way()) is not None]
        self._heard |= {
            (message["channel"], message["data"])
            for message in told
            if message["type"] in ("message", "smessage")
        }
        return self._heard

    def scan(self, pattern: str) -> int:
        """How many keys of all masters are so."""
        return sum(1 for _ in self._client.scan_iter(pattern))

    def confirm(self, key: str) -> int:
        """How many replicas have all that was written to the node of the key."""
        node = self._client.get_node_from_key(key)
        told = self._client.execute_command("WAIT", 1, CONFIRM_MS, target_nodes=node)
        return int(told)

    def close(self) -> None:
        """It has no connections."""
        self._listener.close()
        self._client.close()

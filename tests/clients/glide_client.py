"""The cluster client of valkey-glide, as the story asks for it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import glide
from glide import (
    ClusterBatch,
    ClusterScanCursor,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
    ProtocolVersion,
    SlotKeyRoute,
    SlotType,
)

from tests.clients.clients import CONFIRM_MS, Heard
from tests.support import LOOPBACK

_VERSIONS: Final = {2: ProtocolVersion.RESP2, 3: ProtocolVersion.RESP3}


def _text(value: Any) -> str | None:
    return None if value is None else value.decode()


class Glide:
    """A client in a loop of its own, which runs while something is asked for."""

    goes_on_listening = True
    errors: tuple[type[Exception], ...] = (glide.GlideError,)

    def __init__(self, port: int, protocol: int) -> None:
        """It is connected."""
        self._runner = asyncio.Runner()
        self._heard: Heard = set()
        self._client: Any = self._runner.run(
            GlideClusterClient.create(
                GlideClusterClientConfiguration(
                    [NodeAddress(LOOPBACK, port)],
                    protocol=_VERSIONS[protocol],
                    request_timeout=10000,
                )
            )
        )

    def set(self, key: str, value: str) -> None:
        """The key has the value."""
        self._runner.run(self._client.set(key, value))

    def get(self, key: str) -> str | None:
        """The value of the key."""
        return _text(self._runner.run(self._client.get(key)))

    def pipelined(self, pairs: Mapping[str, str]) -> int:
        """The keys have these values and were read; how many replies there were."""
        batch = ClusterBatch(is_atomic=False)
        for key, value in pairs.items():
            batch.set(key, value)
            batch.get(key)
        return len(self._runner.run(self._client.exec(batch, raise_on_error=True)))

    def mset(self, pairs: Mapping[str, str]) -> None:
        """The keys, all of one slot, have these values."""
        self._runner.run(self._client.mset(pairs))

    def mget(self, keys: Sequence[str]) -> list[str | None]:
        """The values of the keys, all of one slot."""
        return [_text(value) for value in self._runner.run(self._client.mget(keys))]

    def subscribe(self, channel: str, *, sharded: bool) -> None:
        """It listens."""
        client = self._client
        subscribe = client.ssubscribe if sharded else client.subscribe
        self._runner.run(subscribe({channel}, timeout_ms=20000))

    def publish(self, channel: str, message: str, *, sharded: bool) -> None:
        """The message is published."""
        self._runner.run(self._client.publish(message, channel, sharded=sharded))

    def heard(self) -> Heard:
        """All that it has heard by now."""
        self._runner.run(self._hear())
        return self._heard

    async def _hear(self) -> None:
        await asyncio.sleep(0)  # so that what has come is read
        while (told := self._client.try_get_pubsub_message()) is not None:
            self._heard.add((told.channel.decode(), told.message.decode()))

    def scan(self, pattern: str) -> int:
        """How many keys of all masters are so."""
        return self._runner.run(self._scan(pattern))

    async def _scan(self, pattern: str) -> int:
        cursor: Any = ClusterScanCursor()  # type: ignore[no-untyped-call]
        count = 0
        while not cursor.is_finished():
            cursor, keys = await self._client.scan(cursor, match=pattern, count=100)
            count += len(keys)
        return count

    def confirm(self, key: str) -> int:
        """How many replicas have all that was written to the node of the key."""
        route = SlotKeyRoute(SlotType.PRIMARY, key)
        return int(self._runner.run(self._client.wait(1, CONFIRM_MS, route)))

    def close(self) -> None:
        """It has no connections."""
        self._runner.run(self._client.close())
        self._runner.close()

"""Keys on their way to another node by MIGRATE: sent, confirmed, and only then deleted here."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.data.effects import version_for
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replies import ClientReply
from reference.wire.rdb_dump import format_dump
from reference.wire.resp import OK, ErrorReply, encode_reply

_IDLE_S: Final = 10.0
"""How long a link to a node is kept for the next keys."""

_NO_LINK: Final = "IOERR error or timeout connecting to the client"
_MAX_LINE: Final = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Address = tuple[str, int]


@attrs.frozen(kw_only=True)
class Order:
    """What a MIGRATE asks for."""

    host: str
    port: int = 0
    keys: Sequence[bytes]
    db: int = 0
    timeout_s: float = 1.0  # for each answer
    copies: bool = False  # the keys stay here too
    replaces: bool = False  # keys that are there already are replaced
    auth: tuple[bytes, ...] = ()  # password, or user and password


class Moves:
    """The keys that are on their way, and the links to where they go."""

    def __init__(self) -> None:
        """None are, and links begin without TLS."""
        self.context: Callable[[], ssl.SSLContext | None] = lambda: None
        self._keys: set[bytes] = set()
        self._waiting: list[Callable[[], None]] = []
        self._links: dict[Address, tuple[Streams, asyncio.TimerHandle]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> bool:
        """Whether any key is on its way."""
        return bool(self._keys)

    @clause("CM-62")
    def hold(self, keys: Sequence[bytes], writes: bool) -> bool:  # noqa: FBT001
        """Whether a request for these keys has to wait; one without keys, if it writes."""
        return not self._keys.isdisjoint(keys) or (writes and not keys and self.active)

    def when_over(self, resume: Callable[[], None]) -> None:
        """It is called once, as soon as some keys are no more on their way."""
        self._waiting.append(resume)

    def begin(self, order: Order, keyspace: Keyspace, done: Callable[[ClientReply], None]) -> None:
        """The keys are on their way; `done` gets the reply when they have arrived, or not."""
        self._keys |= set(order.keys)
        task = asyncio.get_running_loop().create_task(self._move(order, keyspace, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """No key is on its way any more, and there is no link."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        for streams, alarm in self._links.values():
            alarm.cancel()
            streams[1].transport.abort()
        self._links.clear()

    async def _move(
        self, order: Order, keyspace: Keyspace, done: Callable[[ClientReply], None]
    ) -> None:
        try:
            done(await self._sent(order, keyspace))
        finally:
            self._keys -= set(order.keys)
            waiting, self._waiting = self._waiting, []
            for resume in waiting:
                resume()

    @clause("CM-62")
    async def _sent(self, order: Order, keyspace: Keyspace) -> ClientReply:
        """Each key that the target has confirmed is deleted here, unless it is copied.

        A link that was kept may have died meanwhile; it is tried once more if nothing was
        confirmed. Counterpart: `migrateCommand`.
        """
        address = order.host, order.port
        while True:
            kept = self._links.pop(address, None)
            try:
                streams = await self._link(order, kept)
            except (OSError, TimeoutError):
                return ErrorReply(_NO_LINK)
            confirmed: list[bytes] = []
            try:
                error = await _transfer(streams, order, keyspace, confirmed)
            except (OSError, TimeoutError, ValueError) as failure:
                streams[1].transport.abort()
                if kept is not None and not confirmed and not isinstance(failure, TimeoutError):
                    continue
                return ErrorReply("IOERR error or timeout reading from target instance")
            except BaseException:
                streams[1].transport.abort()
                raise
            self._keep(address, streams)
            return OK if error is None else ErrorReply(error)

    async def _link(
        self, order: Order, kept: tuple[Streams, asyncio.TimerHandle] | None
    ) -> Streams:
        if kept is not None:
            kept[1].cancel()
            return kept[0]
        async with asyncio.timeout(order.timeout_s):
            return await asyncio.open_connection(
                order.host, order.port, limit=_MAX_LINE, ssl=self.context()
            )

    def _keep(self, address: Address, streams: Streams) -> None:
        def forget() -> None:
            del self._links[address]
            streams[1].transport.abort()

        alarm = asyncio.get_running_loop().call_later(_IDLE_S, forget)
        self._links[address] = streams, alarm


async def _transfer(
    streams: Streams, order: Order, keyspace: Keyspace, confirmed: list[bytes]
) -> str | None:
    """All keys have been sent and answered; the answer is the target's first error, if any."""
    reader, writer = streams
    requests = list(_requests(order, keyspace))
    async with asyncio.timeout(order.timeout_s):
        writer.write(b"".join(request for _, request in requests))
        await writer.drain()
    error: str | None = None
    for key, _ in requests:
        async with asyncio.timeout(order.timeout_s):
            line = await reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the target closed the link")
        if line.startswith(b"-"):
            text = line[1:].strip().decode("utf-8", "surrogateescape")
            error = error or f"ERR Target instance replied with error: {text}"
        elif key is not None:
            confirmed.append(key)
            if not order.copies and not keyspace.obeys_master:
                keyspace.execute([b"DEL", key])
    return error


def _requests(order: Order, keyspace: Keyspace) -> Iterator[tuple[bytes | None, bytes]]:
    """What is sent, each with the key that it moves."""
    if order.auth:
        yield None, encode_reply([b"AUTH", *order.auth])
    yield None, encode_reply([b"SELECT", b"%d" % order.db])
    now_ms = time.time_ns() // 1_000_000
    for key in order.keys:
        entry = keyspace.entry(key)
        if entry is None:
            continue
        ttl = 0 if entry.expires_at_ms is None else max(1, entry.expires_at_ms - now_ms)
        payload = format_dump(entry.value, version_for(entry))
        replace = [b"REPLACE"] if order.replaces else []
        yield key, encode_reply([b"RESTORE-ASKING", key, b"%d" % ttl, payload, *replace])

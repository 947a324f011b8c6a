"""A relay between the buses of real nodes: it shows each message, and a test decides what arrives.

A node that announces the relay's port as its bus port is dialled through the relay by every other
node. The relay cuts the bytes into messages by the framing of `reference.wire` and passes them on
as they were. A rule may drop some of them, delay them, or hold them until the test lets them go.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import attrs

from reference.runtime.listening import stop_listening
from reference.wire.bus import BusMessage, decode
from reference.wire.bus_errors import BusLinkError
from reference.wire.bus_extensions import COMMON_EXTENSIONS, ExtensionKinds
from reference.wire.bus_frames import FrameReader
from reference.wire.bus_header import LIGHT
from tests.support import LOOPBACK

_T = TypeVar("_T")
_PATIENCE: Final = 20


@attrs.frozen(kw_only=True, eq=False)
class Frame:
    """A message on its way; ids are empty where no message with a full header has told them yet."""

    data: bytes = attrs.field(repr=False)
    owner: str  # the node that was dialled, by its name at `serve`
    answer: bool  # from the owner to who dialled it; False: the other way
    connection: int  # messages of one connection and direction stay in order
    sender: str  # node id
    receiver: str  # node id

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The message by itself, wherever it came from."""
        return cls(data=data, owner="", answer=False, connection=0, sender="", receiver="")

    @property
    def message_type(self) -> int:
        """The type without the light bit (a MessageType, if it is a known one)."""
        return int.from_bytes(self.data[12:14], "big") & ~LIGHT

    @property
    def is_light(self) -> bool:
        """Whether it has the header of 16 bytes."""
        return bool(self.data[12] & LIGHT >> 8)

    def message(self, extensions: ExtensionKinds = COMMON_EXTENSIONS) -> BusMessage:
        """What it says."""
        return decode(self.data, extensions=extensions)


Predicate: TypeAlias = Callable[[Frame], bool]


def selects(
    *,
    types: Iterable[int] | None = None,
    sender: str | None = None,
    receiver: str | None = None,
    owner: str | None = None,
    answer: bool | None = None,
) -> Predicate:
    """Whether a message has one of these types, these ids, this owner and this direction."""
    wanted = None if types is None else frozenset(types)
    return lambda frame: (
        (wanted is None or frame.message_type in wanted)
        and sender in {None, frame.sender}
        and receiver in {None, frame.receiver}
        and owner in {None, frame.owner}
        and answer in {None, frame.answer}
    )


@attrs.define(eq=False)
class _Waiting:
    """A message that is to go on; behind it waits what came later, unless it may be overtaken."""

    frame: Frame
    stream: "_Stream"
    ready: bool
    overtaken: bool

    def go(self) -> None:
        if self.ready:
            return
        self.ready = True
        if self.overtaken:
            self.stream.write(self.frame)
        else:
            self.stream.pump()


@attrs.define(eq=False)
class Rule:
    """What becomes of the messages that the predicate selects, until the rule ends."""

    relay: "BusRelay"
    predicate: Predicate
    drops: bool = False
    seconds: float | None = None  # of delay; None: until released
    overtaken: bool = False
    taken: list[Frame] = attrs.field(factory=list)  # every message it was applied to, in order
    _waiting: list[_Waiting] = attrs.field(factory=list)

    def release(self, count: int | None = None) -> None:
        """So many of the held messages go on, the oldest first; without a number all of them."""
        self.relay.call(lambda: self._release(count))

    def end(self) -> None:
        """The rule is not applied any more, and what it held goes on."""
        self.relay.call(self._end)

    def discard(self) -> None:
        """The rule is not applied any more, and what it held never arrives."""
        self.relay.call(self._discard)

    def sever(self) -> None:
        """The rule is not applied any more, and connections on which it took something are closed.

        TCP loses no bytes of a connection that lives on. A real server counts on that: as long as
        the other's own messages arrive it repeats no PING on such a link, and calls it failed.
        """
        self.relay.call(self._sever)

    def apply(self, frame: Frame, stream: "_Stream") -> _Waiting | None:
        """What waits for the rule, None if the message is dropped. In the relay's thread."""
        self.taken.append(frame)
        if self.drops:
            return None
        waiting = _Waiting(frame, stream, ready=False, overtaken=self.overtaken)
        if self.seconds is None:
            self._waiting.append(waiting)
        else:
            asyncio.get_running_loop().call_later(self.seconds, waiting.go)
        return waiting

    def _release(self, count: int | None) -> None:
        going = self._waiting[:count]
        del self._waiting[: len(going)]
        for waiting in going:
            waiting.go()

    def _end(self) -> None:
        self.relay.rules.remove(self)
        self._release(None)

    def _discard(self) -> None:
        self.relay.rules.remove(self)
        for waiting in self._waiting:
            waiting.stream.forget(waiting)
        self._waiting.clear()

    def _sever(self) -> None:
        self._discard()
        numbers = {frame.connection for frame in self.taken}
        self.relay.close_streams(lambda stream: stream.connection in numbers)


@attrs.define(eq=False)
class _Stream:
    """One direction of one connection."""

    relay: "BusRelay"
    owner: str
    answer: bool
    connection: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    towards: "_Stream | None" = None  # of answers, the direction that they answer
    sender: str = ""
    ended: bool = False
    queue: deque[_Waiting] = attrs.field(factory=deque)

    async def run(self) -> None:
        """Everything that arrives is passed on, until the connection ends."""
        frames = FrameReader()
        try:
            while data := await self.reader.read(65536):
                for raw in frames.feed(data):
                    self._receive(raw)
                await self.writer.drain()
        except (OSError, BusLinkError):
            pass
        finally:
            self.ended = True
            self.pump()

    def _receive(self, data: bytes) -> None:
        if not data[12] & LIGHT >> 8:
            self.sender = data[40:80].decode("latin-1")
            if self.answer:
                self.relay.ids[self.owner] = self.sender
        frame = Frame(
            data=data,
            owner=self.owner,
            answer=self.answer,
            connection=self.connection,
            sender=self.sender,
            receiver=self._receiver(),
        )
        self.relay.show(frame)
        rule = next((rule for rule in self.relay.rules if rule.predicate(frame)), None)
        waiting = (
            _Waiting(frame, self, ready=True, overtaken=False)
            if rule is None
            else rule.apply(frame, self)
        )
        if waiting is not None and not waiting.overtaken:
            self.queue.append(waiting)
            self.pump()

    def _receiver(self) -> str:
        if self.towards is None:
            return self.relay.ids.get(self.owner, "")
        return self.towards.sender

    def pump(self) -> None:
        """What is ready and has nothing before it goes on."""
        while self.queue and self.queue[0].ready:
            self.write(self.queue.popleft().frame)
        if self.ended and not self.queue:
            self.writer.close()

    def write(self, frame: Frame) -> None:
        """The message goes on, if the connection is still there."""
        if not self.writer.is_closing():
            self.writer.write(frame.data)

    def forget(self, waiting: _Waiting) -> None:
        """The message will not go on, and what waited for it need not wait."""
        if not waiting.overtaken:
            self.queue.remove(waiting)
            self.pump()


@attrs.define(eq=False)
class BusRelay:
    """Relays for the nodes of a cluster, in a thread of their own; use it in a `with` block."""

    rules: list[Rule] = attrs.field(factory=list)
    ids: dict[str, str] = attrs.field(factory=dict)  # of the owners, once they have said it
    _watchers: list[Callable[[Frame], None]] = attrs.field(factory=list)
    _loop: asyncio.AbstractEventLoop = attrs.field(factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _servers: list[asyncio.Server] = attrs.field(factory=list)
    _streams: dict[asyncio.Task[None], _Stream] = attrs.field(factory=dict)
    _writers: list[asyncio.StreamWriter] = attrs.field(factory=list)  # of all connections ever
    _connections: int = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._loop.close()

    def serve(self, owner: str, bus_port: int) -> int:
        """The port that leads to the bus of the node, for it to announce."""
        return self._wait(self._serve(owner, bus_port))

    def watch(self, watcher: Callable[[Frame], None]) -> None:
        """The function gets every message from now on, in the relay's thread, before any rule."""
        self.call(lambda: self._watchers.append(watcher))

    def drop(self, predicate: Predicate, *, first: bool = False) -> Rule:
        """From now on such messages never arrive; `first`, whatever an older rule says."""
        return self._add(Rule(self, predicate, drops=True), first=first)

    def delay(self, predicate: Predicate, seconds: float, *, overtaken: bool = False) -> Rule:
        """From now on such messages arrive so much later, and what follows them does too.

        With `overtaken` what follows does not wait, which one TCP connection would not do.
        """
        return self._add(Rule(self, predicate, seconds=seconds, overtaken=overtaken))

    def hold(self, predicate: Predicate, *, overtaken: bool = False) -> Rule:
        """From now on such messages wait to be released; `overtaken` is as for `delay`."""
        return self._add(Rule(self, predicate, overtaken=overtaken))

    def disconnect(self, owner: str) -> None:
        """All connections to the node are closed, and what was held on them is lost."""
        self.call(lambda: self.close_streams(lambda stream: stream.owner == owner))

    def close_streams(self, chosen: "Callable[[_Stream], bool]") -> None:
        """Such connections end, and what was held on them is lost. In the relay's thread."""
        for task, stream in tuple(self._streams.items()):
            if chosen(stream):
                stream.queue.clear()
                stream.writer.close()
                if task.done():
                    del self._streams[task]

    def show(self, frame: Frame) -> None:
        """The watchers see the message. In the relay's thread."""
        for watcher in self._watchers:
            watcher(frame)

    def call(self, action: Callable[[], _T]) -> _T:
        """The result of the action in the relay's thread, between two messages."""

        async def run() -> _T:
            return action()

        return self._wait(run())

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def _add(self, rule: Rule, *, first: bool = False) -> Rule:
        self.call(lambda: self.rules.insert(0 if first else len(self.rules), rule))
        return rule

    async def _serve(self, owner: str, bus_port: int) -> int:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            try:
                onward = await asyncio.open_connection(LOOPBACK, bus_port)
            except OSError:
                writer.close()
                return
            self._writers.append(onward[1])
            self._connections += 1
            number = self._connections
            towards = _Stream(self, owner, False, number, reader, onward[1])  # noqa: FBT003
            back = _Stream(self, owner, True, number, onward[0], writer, towards)  # noqa: FBT003
            self._start(towards)
            self._start(back)

        server = await asyncio.start_server(accept, LOOPBACK, 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def _start(self, stream: _Stream) -> None:
        task = asyncio.create_task(stream.run())
        self._streams[task] = stream
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        stream = self._streams[task]
        if not stream.queue:
            del self._streams[task]

    async def _close(self) -> None:
        for server in self._servers:
            await stop_listening(server)
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # until they are

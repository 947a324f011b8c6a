"""The engine behind the data of a node (fakeredis), which takes longer to import than all else.

`reference.runtime.data.keyspace` alone imports this module, when the data is first asked for.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop
from math import inf, nextafter
from threading import Lock
from typing import Any, Final

import redis
from fakeredis import FakeServer
from fakeredis._core import Database, Item
from fakeredis._helpers import SimpleError as EngineError
from fakeredis._helpers import SimpleString as EngineStatus
from fakeredis._msgs import WRONG_ARGS_MSG7
from typing_extensions import override

from reference.clauses import clause
from reference.runtime.data.databases import Observer, Unsure
from reference.runtime.data.patterns import PatternSocket
from reference.runtime.data.scanning import Scans
from reference.runtime.data.values import (
    advance_group,
    complete_stream,
    entry_of,
    set_stream_ids,
)
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply, SimpleString

_EXPIRY: Final = "ERR invalid expire time in "
_FUZZ: Final = 1e-3
"""Milliseconds that a whole number of them may lack for being divided by 1000."""


def reply_of(value: object) -> ClientReply:
    """The engine's reply in our own types."""
    match value:
        case EngineStatus():
            return SimpleString(value.value.decode("utf-8", "surrogateescape"))
        case EngineError():
            has_code = value.value.split(" ")[0].isupper()
            return ErrorReply(value.value if has_code else f"ERR {value.value}")
        case list() | tuple():
            return [reply_of(element) for element in value]
        case dict():
            return {key: reply_of(element) for key, element in value.items()}
        case None | bool() | int() | float() | bytes() | str():
            return value
        case _:
            raise TypeError(f"the data engine answered with a {type(value).__name__}")


def worded(name: str, reply: ClientReply) -> ClientReply:
    """The reply to this command in the words of the servers, where the engine has others."""
    if not isinstance(reply, ErrorReply):
        return reply
    if reply.text == WRONG_ARGS_MSG7:
        return ErrorReply(f"ERR wrong number of arguments for '{name}' command")
    if reply.text.startswith(_EXPIRY) and not reply.text.endswith(" command"):
        return ErrorReply(f"{_EXPIRY}'{name}' command")
    return reply


def new_server() -> FakeServer:
    """A server of the engine, without keys."""
    return FakeServer(version=(7, 0), server_type="redis")


def connect(server: FakeServer, protocol: int, scans: Scans) -> "Connection":
    """A connection for the clients that speak this version of the protocol."""
    connection = Connection(server, 0, client_class=redis.Redis)
    connection.scans = scans
    connection._client_info["resp"] = protocol  # noqa: SLF001 - HELLO would also reset it
    return connection


class Connection(PatternSocket):
    """One connection to the engine, whose replies keep their types."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - the engine's own
        super().__init__(*given, **named)
        self._replies: deque[object] = deque()

    @override
    def put_response(self, msg: Any) -> None:
        self._replies.append(msg)  # without the locks of a queue: there is one thread

    @override
    def _decode_result(self, result: Any) -> Any:
        return result

    reply_of = staticmethod(reply_of)
    worded = staticmethod(worded)

    def take_reply(self) -> object:
        """The oldest reply that was not taken yet; IndexError if there is none."""
        if self.responses is None:
            raise ConnectionError("the keyspace is closed")
        return self._replies.popleft()


class Data(Database):
    """The keys and values of one node; a master decides what has expired, a replica obeys."""

    def __init__(self, lock: Lock) -> None:
        """There are no keys."""
        super().__init__(lock)
        self.touched: dict[bytes, None] = {}  # in their order, since somebody emptied it
        self.expired_keys: list[bytes] = []  # gone by themselves, since somebody emptied it
        self.expired_count = 0
        self.follows = False  # a master says when keys end
        self.obeys = False  # what is carried out now is the master's
        self.changes = 0  # of keys, since the node has started
        self.observer: Observer | None = None

    @override
    def notify_watch(self, key: bytes) -> None:
        self.touched[key] = None
        self.changes += 1
        super().notify_watch(key)
        if self.observer is not None:
            self.observer.changed(key, by_itself=False)

    def note(self, keys: Iterable[bytes]) -> None:
        """The keys have changed, though the engine has told of none."""
        for key in keys:
            self.changes += 1
            if self.observer is not None:
                self.observer.changed(key, by_itself=False)

    @override
    def clear(self) -> None:
        observer, self.observer = self.observer, None
        try:
            super().clear()
        finally:
            self.observer = observer
        self.tell_emptied()

    def tell_emptied(self) -> None:
        """The observer knows that any key may have changed."""
        if self.observer is not None:
            self.observer.emptied()

    @override
    def expired(self, item: Any) -> bool:
        return not self.obeys and bool(super().expired(item))

    @override
    def schedule_expiry(self, key: bytes, expireat: float | None) -> None:
        """Record when the key ends, in whole milliseconds, as the engine counts them."""
        item = self._dict.get(key)
        if item is not None and item.expireat is not None:
            expireat = item.expireat = _whole_ms(item.expireat)
        super().schedule_expiry(key, expireat)

    @override
    @clause("RE-18")
    def __getitem__(self, key: bytes) -> Any:
        """The item; KeyError if there is none or its time is over.

        On a replica it is hidden then and stays, since only the master ends it. Counterpart:
        `expireIfNeeded`.
        """
        item = self._dict[key]
        if self.expired(item):
            if not self.follows:
                self._end(key)
            raise KeyError(key)
        return item

    @override
    def _remove_expired(self) -> None:
        heap = self._expiry_heap
        while not self.follows and heap and heap[0][0] < self.time:
            _, key = heappop(heap)
            item = self._dict.get(key)
            if item is not None and self.expired(item):
                self._end(key)

    def _end(self, key: bytes) -> None:
        del self._dict[key]
        self.expired_keys.append(key)
        self.expired_count += 1
        if self.observer is not None:
            self.observer.changed(key, by_itself=True)

    @override
    def __iter__(self) -> Iterator[bytes]:
        if self.follows and self._expiry_heap and self._expiry_heap[0][0] < self.time:
            return iter([key for key, item in self._dict.items() if not self.expired(item)])
        return super().__iter__()

    @property
    def any_ends(self) -> bool:
        """Whether there is a key that was given a time."""
        return bool(self._expiry_heap)

    @property
    def whole(self) -> Mapping[bytes, Any]:
        """Every item, those too that are hidden because their time is over."""
        return self._dict

    def is_over(self, key: bytes) -> bool:
        """Whether the key's time is, though it may be there still."""
        item = self._dict.get(key)
        return item is not None and self.expired(item)

    def plain(self, key: bytes) -> bytes | Unsure | None:
        """The string that the key holds, None if it is not there; unsure if it is another matter.

        What has a time to live, or is no string, is a matter of the engine.
        """
        item = self._dict.get(key)
        if item is None:
            return None
        value: object = item.value
        return value if type(value) is bytes and item.expireat is None else Unsure.UNSURE

    def put_plain(self, key: bytes, value: bytes) -> bool:
        """The key holds this string, and who watches it knows; False if its time is limited."""
        item = self._dict.get(key)
        if item is None:
            item = self._dict[key] = Item(value)
        elif item.expireat is not None:
            return False
        item.value = value
        if key in self._watches or self.observer is not None:
            with self.condition:
                self.notify_watch(key)
        else:
            self.changes += 1
        return True

    def take_in(self, other: "Data") -> None:
        """The keys of the other are here too, and who watches them knows."""
        with self.condition:
            for key, item in other._dict.items():  # noqa: SLF001 - of the same class
                self._dict[key] = item
                self.schedule_expiry(key, item.expireat)
                self.notify_watch(key)

    def mend(self, key: bytes) -> None:
        """Who watches the key knows that it has changed, and it is gone if it holds nothing."""
        self.notify_watch(key)
        item = self._dict.get(key)
        if item is not None and not item.value:
            del self._dict[key]

    def take_expired(self) -> list[bytes]:
        """The keys that have gone by themselves since the last time."""
        gone, self.expired_keys = self.expired_keys, []
        return gone


def _whole_ms(moment_s: float) -> float:
    """The moment as a number that the engine cuts off at the same millisecond each time."""
    ms = int(moment_s * 1000 + _FUZZ)
    moment_s = ms / 1000
    return moment_s if int(moment_s * 1000) == ms else nextafter(moment_s, inf)


class Engine:
    """What a keyspace needs of this module, as one value."""

    new_server = staticmethod(new_server)
    new_data = Data
    connect = staticmethod(connect)
    entry_of = staticmethod(entry_of)
    complete_stream = staticmethod(complete_stream)
    advance_group = staticmethod(advance_group)
    set_stream_ids = staticmethod(set_stream_ids)

"""The client protocol: requests from bytes, replies to bytes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from reference.clauses import clause
from reference.wire.resp_inline import split_args

MAX_LINE: Final = 64 * 1024
"""Bytes of the longest line: an inline request, or a length (`PROTO_INLINE_MAX_SIZE`)."""

DEFAULT_MAX_BULK_LEN: Final = 512 * 1024 * 1024
"""Bytes of the longest argument (`proto-max-bulk-len`)."""

DEFAULT_MAX_REQUEST: Final = 1024 * 1024 * 1024
"""Bytes that one unfinished request may hold (`client-query-buffer-limit`)."""

MAX_MULTIBULK: Final = 2**31 - 1
"""Arguments of the longest request; `max_request` is reached first."""

UNAUTHENTICATED_MAX_MULTIBULK: Final = 10
UNAUTHENTICATED_MAX_BULK_LEN: Final = 16384

ARGUMENT_OVERHEAD: Final = 64
"""Bytes that an argument counts for beside its own, so that many empty ones are bounded too."""

_ARRAY: Final = ord("*")
_BULK: Final = ord("$")
_NUMBER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_SMALL_BULKS: Final = {b"$%d" % number: number for number in range(1000)}
_SMALL_COUNTS: Final = {b"*%d\r\n" % number: number for number in range(1, 10)}


class RespProtocolError(Exception):
    """The client does not speak the protocol: answer `reply` if there is one, then close."""

    def __init__(self, reason: str, *, answered: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = ErrorReply(f"ERR {reason}") if answered else None


@attrs.define(kw_only=True)
class RequestReader:
    """The requests of one client, in order, as their bytes arrive in pieces of any size.

    Iterating gives the requests that are complete and takes them away; it may be left and begun
    again at any time. An unfinished request never holds more than `max_request` bytes.
    """

    max_bulk_len: int = DEFAULT_MAX_BULK_LEN
    max_request: int = DEFAULT_MAX_REQUEST
    authenticated: bool = True  # False: the narrow limits for strangers; may change at any time
    error: RespProtocolError | None = attrs.field(default=None, init=False)
    _pending: bytearray = attrs.field(factory=bytearray, init=False)  # to follow the buffer
    _wanted: int = attrs.field(default=1, init=False)  # bytes without which nothing can go on
    _buffer: bytes = attrs.field(default=b"", init=False)
    _position: int = attrs.field(default=0, init=False)
    _arguments: list[bytes] = attrs.field(factory=list, init=False)
    _missing: int = attrs.field(default=0, init=False)  # arguments (`client.multibulklen`)
    _bulk_len: int = attrs.field(default=-1, init=False)  # of the next argument, -1: unread
    _held: int = attrs.field(default=0, init=False)  # bytes of the unfinished request

    @clause("RP-1")
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """The bytes follow those fed before. Counterpart: `readQueryFromClient`."""
        if self.error is not None:
            return
        if self._position == len(self._buffer) and not self._pending:
            self._buffer, self._position = bytes(data), 0
        else:
            self._pending += data

    @clause("RP-1", "RP-2")
    def __iter__(self) -> Iterator[list[bytes]]:
        """The complete requests, each as its one or more arguments; empty ones are skipped.

        RespProtocolError after the requests that came before the mistake, and from then on always.
        Counterpart: `processInputBuffer`.
        """
        if self.error is not None:
            raise self.error
        try:
            while (request := self._next_request()) is not None:
                yield request
        except RespProtocolError as error:
            self.error = error
            self._pending = bytearray()
            self._arguments = []
            self._buffer, self._position = b"", 0
            raise

    def _next_request(self) -> list[bytes] | None:
        """The next request that has arguments, None if it is not all there.

        Whoever finds too few bytes says in `_wanted` how many it takes to go on.
        """
        if self._pending:
            self._join_pending()
        while len(self._buffer) - self._position >= self._wanted:
            self._wanted = 1
            if not self._missing:
                if self._buffer[self._position] != _ARRAY:
                    if arguments := self._read_inline():
                        return arguments
                    continue
                self._read_count()
            if self._missing and self._read_arguments():
                request, self._arguments, self._held = self._arguments, [], 0
                return request
        return None

    def _join_pending(self) -> None:
        """The buffer holds all that was fed, if that is enough to go on with.

        A long argument is thus put together once, not again for each piece that arrives.
        """
        if len(self._buffer) - self._position + len(self._pending) >= self._wanted:
            self._buffer = self._buffer[self._position :] + self._pending
            self._position = 0
            self._pending = bytearray()

    def _read_inline(self) -> list[bytes] | None:
        """The arguments of the line, none if it is blank; None if it has not ended."""
        end = self._line_end(b"\n", "inline request")
        if end < 0:
            return None
        line = self._buffer[self._position : end]
        arguments = split_args(line.removesuffix(b"\r"))
        if arguments is None:
            raise RespProtocolError("Protocol error: unbalanced quotes in request")
        self._position = end + 1
        return arguments

    def _read_count(self) -> None:
        """The number of missing arguments is known, if its line has ended."""
        start = self._position
        if count := _SMALL_COUNTS.get(self._buffer[start : start + 4]):
            self._position = start + 4
            self._missing = count
            return
        line = self._read_line("mbulk count string", _ARRAY)
        if line is None:
            return
        number = _number(line)
        if number is None or number > MAX_MULTIBULK:
            raise RespProtocolError("Protocol error: invalid multibulk length")
        if number > UNAUTHENTICATED_MAX_MULTIBULK and not self.authenticated:
            raise RespProtocolError("Protocol error: unauthenticated multibulk length")
        self._missing = max(number, 0)

    def _read_arguments(self) -> bool:
        """The arguments that are there are read; False if some are still missing."""
        if self._bulk_len < 0 and self.max_bulk_len >= len(_SMALL_BULKS):
            self._read_small_arguments()
        while self._missing:
            if self._bulk_len < 0 and not self._read_bulk_len():
                return False
            start = self._position
            end = start + self._bulk_len
            if end + 2 > len(self._buffer):
                self._wanted = end + 2 - start
                return False
            self._arguments.append(self._buffer[start:end])
            self._position = end + 2
            self._bulk_len = -1
            self._missing -= 1
        return True

    def _read_small_arguments(self) -> None:
        """As many arguments as are short and all there are read: the usual case, quickly."""
        buffer, position, missing = self._buffer, self._position, self._missing
        held = self._held
        while missing:
            end = buffer.find(b"\r", position, position + 5)
            if end < 0:
                break
            length = _SMALL_BULKS.get(buffer[position:end], -1)
            start = end + 2
            stop = start + length
            if length < 0 or stop + 2 > len(buffer):
                break
            self._arguments.append(buffer[start:stop])
            held += length + ARGUMENT_OVERHEAD
            position = stop + 2
            missing -= 1
        self._position, self._missing = position, missing
        self._hold(held - self._held)

    def _hold(self, count: int) -> None:
        self._held += count
        if self._held > self.max_request:
            raise RespProtocolError("request exceeds the query buffer limit", answered=False)

    def _read_bulk_len(self) -> bool:
        """The length of the next argument is known; False if its line has not ended."""
        line = self._read_line("bulk count string", _BULK)
        if line is None:
            return False
        length = _number(line)
        if length is None or not 0 <= length <= self.max_bulk_len:
            raise RespProtocolError("Protocol error: invalid bulk length")
        if length > UNAUTHENTICATED_MAX_BULK_LEN and not self.authenticated:
            raise RespProtocolError("Protocol error: unauthenticated bulk length")
        self._hold(length + ARGUMENT_OVERHEAD)
        self._bulk_len = length
        return True

    def _read_line(self, what: str, first: int) -> bytes | None:
        """What follows the first byte of the line, the position then behind it; None: too early."""
        end = self._line_end(b"\r", what)
        if end < 0:
            return None
        start = self._position
        if end + 2 > len(self._buffer):
            self._wanted = end + 2 - start
            return None
        if self._buffer[start] != first:
            got = _text(self._buffer[start : start + 1])
            raise RespProtocolError(f"Protocol error: expected '$', got '{got}'")
        self._position = end + 2
        return self._buffer[start + 1 : end]

    def _line_end(self, mark: bytes, what: str) -> int:
        """Where the line at the position ends, -1 if it has not; RespProtocolError if too long."""
        start = self._position
        end = self._buffer.find(mark, start, start + MAX_LINE + 1)
        if end < 0:
            rest = len(self._buffer) - start
            if rest > MAX_LINE:
                raise RespProtocolError(f"Protocol error: too big {what}")
            self._wanted = rest + 1
        return end


def _number(digits: bytes) -> int | None:
    """The number, None if the server would not read it as one (`string2ll`)."""
    return int(digits) if _NUMBER.fullmatch(digits) else None


@attrs.frozen
class SimpleString:
    """A status, such as OK."""

    text: str


@attrs.frozen
class ErrorReply:
    """An error; the text begins with its code, such as `ERR` or `MOVED`."""

    text: str


OK: Final = SimpleString("OK")
NULL_REPLIES: Final = {2: b"$-1\r\n", 3: b"_\r\n"}

Reply: TypeAlias = (
    SimpleString
    | ErrorReply
    | int
    | bytes
    | str
    | Sequence["Reply"]
    | Mapping[bytes | str, "Reply"]
    | None
)


@clause("RP-4")
def encode_reply(reply: Reply, protocol: int = 2) -> bytes:
    """The bytes of a reply in the client's protocol version, 2 or 3.

    Text is sent as UTF-8 in a bulk string, a mapping as a flat array in version 2.
    Counterpart: `addReply`.
    """
    parts: list[bytes] = []
    _append(parts, reply, protocol)
    return b"".join(parts)


def _append(parts: list[bytes], reply: Reply, protocol: int) -> None:
    match reply:
        case None:
            parts.append(NULL_REPLIES[protocol])
        case bytes():
            parts.append(b"$%d\r\n%b\r\n" % (len(reply), reply))
        case str():
            raw = _raw(reply)
            parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
        case int():
            parts.append(b":%d\r\n" % reply)
        case SimpleString():
            parts.append(b"+%b\r\n" % _one_line(reply.text))
        case ErrorReply():
            parts.append(b"-%b\r\n" % _one_line(reply.text))
        case Mapping():
            opening = b"*%d\r\n" % (2 * len(reply)) if protocol == 2 else b"%%%d\r\n" % len(reply)
            parts.append(opening)
            for key, value in reply.items():
                _append(parts, key, protocol)
                _append(parts, value, protocol)
        case _:
            parts.append(b"*%d\r\n" % len(reply))
            for element in reply:
                _append(parts, element, protocol)


def _text(raw: bytes) -> str:
    """The inverse of `_raw`, for bytes that may be no text."""
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _one_line(text: str) -> bytes:
    """A line break inside would end the reply early, so servers send spaces instead."""
    return _raw(text).replace(b"\r", b" ").replace(b"\n", b" ")
